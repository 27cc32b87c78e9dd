"""What every test may use; folders have fixtures of their own beside their tests."""

from __future__ import annotations

import os

import pytest
from hypothesis import settings

from linqbot.testing.clock import TurnedClock

NIGHTLY = os.environ.get("LINQBOT_TEST_PROFILE") == "nightly"
NIGHTLY_EXAMPLES = 100_000
NIGHTLY_TIMEOUT_S = 4 * 3_600

settings.register_profile("patient", settings.default, deadline=None)  # a busy machine is no failure
settings.register_profile("nightly", settings.default, deadline=None, max_examples=NIGHTLY_EXAMPLES, print_blob=True)
settings.load_profile("nightly" if NIGHTLY else "patient")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """In the nightly profile a property may take its time; what sets a limit of its own keeps it."""
    nightly = NIGHTLY or config.getoption("--hypothesis-profile", default=None) == "nightly"
    for item in items if nightly else ():
        if item.get_closest_marker("timeout") is None:
            item.add_marker(pytest.mark.timeout(NIGHTLY_TIMEOUT_S))


@pytest.fixture
def anyio_backend() -> str:
    """linqbot runs on asyncio."""
    return "asyncio"


@pytest.fixture
def clock() -> TurnedClock:
    """A clock to turn."""
    return TurnedClock()
