"""What every test may use; folders have fixtures of their own beside their tests."""

from __future__ import annotations

import pytest

from linqbot.testing.clock import TurnedClock


@pytest.fixture
def anyio_backend() -> str:
    """linqbot runs on asyncio."""
    return "asyncio"


@pytest.fixture
def clock() -> TurnedClock:
    """A clock to turn."""
    return TurnedClock()
