"""The pytest plugin: `sim`, a bot and a Linq to test it against. Installed with linqbot; nothing is imported until used.

An async test that asks for `sim` needs no marker and no setting: it runs on asyncio by anyio's plugin, which is always
there because Starlette brings it.
"""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from linqbot.bot import Bot
    from linqbot.testing.harness import Sim


@pytest.hookimpl(tryfirst=True)
def pytest_pycollect_makeitem(name: str, obj: object) -> None:
    """Mark an async test that asks for `sim`, before anyio's plugin looks for its mark."""
    if name.startswith("test") and inspect.iscoroutinefunction(obj) and "sim" in inspect.signature(obj).parameters:
        pytest.mark.anyio(obj)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run tests of `sim` on asyncio alone, also where trio is installed: linqbot is an asyncio program."""
    if "sim" in metafunc.fixturenames and "anyio_backend" in metafunc.fixturenames:
        metafunc.parametrize("anyio_backend", ["asyncio"])


@pytest.fixture
def bot() -> Bot:
    """The bot under test; define a fixture of this name that returns yours."""
    pytest.fail(
        "the fixture `sim` needs your bot: define a fixture `bot` that returns it, in conftest.py or the test file"
    )


@pytest.fixture
async def sim(bot: Bot) -> AsyncIterator[Sim]:
    """The bot of the fixture `bot` against an emulated Linq, in one process; see `linqbot.testing.Sim`."""
    from linqbot.testing.harness import Sim

    async with Sim(bot) as running:
        yield running
