"""The pytest plugin: `sim`, a bot and a Linq to test it against. Installed with linqbot; nothing is imported until used."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from linqbot.bot import Bot
    from linqbot.testing.harness import Sim


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
