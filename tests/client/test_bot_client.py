"""`bot.client` and `bot.linq`: there while the bot runs, and for scripts."""

from __future__ import annotations

import sys

import pytest

from linqbot import Bot, Message
from linqbot.errors import ConfigurationError
from linqbot.settings import load_settings
from linqbot.testing import Sim
from tests.client.stage import Stage


@pytest.fixture
def bot() -> Bot:
    """A bot whose handler asks Linq while it answers."""
    bot = Bot()

    @bot.message("who")
    async def who(message: Message) -> str:
        chat = await bot.client.chats.get(message.chat_id)
        return f"{len(chat.handles)} of us"

    @bot.message("sdk")
    async def sdk(message: Message) -> str:
        chat = await bot.linq.chats.retrieve(message.chat_id)
        return f"{len(chat.handles)} by the SDK"

    return bot


def script_of(stage: Stage, **more: str) -> Bot:
    """A bot that does not run, in a script."""
    return Bot(settings=load_settings(env_file=None, base_url=stage.base, api_key="key", **more))


async def test_a_handler_asks_linq(sim: Sim) -> None:
    """While the bot runs its client is open."""
    [reply] = await sim.user().says("who")

    assert reply.text == "2 of us"


async def test_a_handler_asks_by_the_official_sdk(sim: Sim) -> None:
    """`bot.linq` speaks for the same account, is one and the same while the bot runs, and retries nothing."""
    [reply] = await sim.user().says("sdk")

    assert reply.text == "2 by the SDK"
    assert sim.bot.linq is sim.bot.linq
    assert sim.bot.linq.max_retries == 0


async def test_the_sdk_is_closed_with_the_bot(sim: Sim) -> None:
    """Nothing of it is left open."""
    sdk = sim.bot.linq

    await sim.restart()

    assert sdk.is_closed()
    assert not sim.bot.linq.is_closed()


async def test_leaving_the_client_leaves_the_bots_connections_open(sim: Sim) -> None:
    """`async with bot.client` is harmless while the bot runs."""
    async with sim.bot.client as linq:
        await linq.phone_numbers.list()

    [reply] = await sim.user().says("who")
    assert reply.text == "2 of us"


async def test_a_script_opens_the_client_by_itself(stage: Stage) -> None:
    """No handler runs and no store is opened; what was opened is closed."""
    bot = script_of(stage, store="redis://nowhere.invalid")

    async with bot.client as linq:
        assert len(await linq.phone_numbers.list()) > 0

    assert repr(linq) == "Client(not open)"
    with pytest.raises(ConfigurationError, match="not open"):
        await linq.phone_numbers.list()


async def test_a_script_opens_the_sdk_by_itself(stage: Stage) -> None:
    """The SDK's own `async with` closes it."""
    async with script_of(stage).linq as sdk:
        assert (await sdk.phone_numbers.list()).phone_numbers

    assert sdk.is_closed()


async def test_a_missing_sdk_is_named(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error says what to install."""
    monkeypatch.setitem(sys.modules, "linq", None)

    with pytest.raises(ConfigurationError, match=r"pip install 'linqbot\[linq\]'"):
        _ = script_of(stage).linq


async def test_without_a_key_nothing_is_opened(stage: Stage) -> None:
    """The error names the setting."""
    bot = Bot(settings=load_settings(env_file=None, base_url=stage.base, api_key=None))

    with pytest.raises(ConfigurationError, match="LINQ_API_V3_API_KEY"):
        async with bot.client:
            pass
    with pytest.raises(ConfigurationError, match="LINQ_API_V3_API_KEY"):
        _ = bot.linq


def test_the_sdk_is_not_imported_before_it_is_asked_for() -> None:
    """A bot without it pays nothing for it."""
    import subprocess

    code = "import sys, linqbot; linqbot.Bot(); sys.exit('linq' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
