"""`linqbot webhooks sync`: the subscription at Linq follows the handlers."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from linqbot.cli.server import site
from linqbot.cli.webhooks import SETTLING, VERSION, plan_sync, target_of
from linqbot.client.subscriptions import Subscription
from linqbot.emulator.app import API, Emulator
from linqbot.errors import ConfigurationError
from linqbot.protocol.lessons import TEACHING
from linqbot.testing.clock import TurnedClock
from tests.cli.conftest import Program, Start

URL = "https://bot.example.test"
HOOK = f"{URL}/webhooks/linq?version={VERSION}"

BOT = """
from linqbot import Bot, Event
bot = Bot()

@bot.message()
async def echo() -> str:
    return "hi"
"""
MORE = """
@bot.event("participant.added")
async def welcome(event: Event) -> None:
    return None
"""


@pytest.fixture
async def linq(clock: TurnedClock, folder: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Emulator]:
    """An emulated Linq with an account in the environment, and a bot in `my_bot.py`."""
    (folder / "my_bot.py").write_text(BOT)
    async with Emulator(clock=clock) as emulator, site(emulator.app) as address:
        monkeypatch.setenv("LINQ_API_V3_API_KEY", "token")
        monkeypatch.setenv("LINQ_API_V3_BASE_URL", f"{address}{API}")
        yield emulator


async def _sync(start: Start, *options: str) -> Program:
    program = await start("webhooks", "sync", "--url", URL, "my_bot:bot", *options)
    assert await program.ends() == 0, program.text
    return program


async def test_a_new_subscription_asks_for_what_is_handled(linq: Emulator, start: Start) -> None:
    """The first run subscribes the bot's address, its version pinned, to what is handled and what linqbot needs itself."""
    await _sync(start)

    [one] = linq.linq.world.subscriptions.values()
    assert (one.target_url, set(one.events)) == (HOOK, {*TEACHING, *SETTLING})


async def test_a_new_secret_is_printed_as_the_line_to_configure_it(linq: Emulator, start: Start) -> None:
    """The secret, told only once by Linq, is printed as an environment line and as Heroku's command."""
    program = await _sync(start)

    [one] = linq.linq.world.subscriptions.values()
    assert f"LINQ_WEBHOOK_SECRET={one.secret}" in program.printed
    assert f"heroku config:set LINQ_WEBHOOK_SECRET={one.secret}" in program.printed


async def test_a_repeat_changes_nothing(linq: Emulator, start: Start) -> None:
    """The second run finds everything as it should be, and shows no secret."""
    await _sync(start)
    before = dict(linq.linq.world.subscriptions)
    asked = len(linq.requests)

    program = await _sync(start)

    assert program.printed == [f"nothing to change for {HOOK}", "  6 events unchanged"]
    assert linq.linq.world.subscriptions == before
    assert [request["method"] for request in linq.requests[asked:]] == ["GET"]


async def test_a_new_handler_adds_its_event(linq: Emulator, start: Start, folder: Path) -> None:
    """When handlers change, the subscription is updated and the difference is shown."""
    await _sync(start)
    (folder / "my_bot.py").write_text(BOT + MORE)

    program = await _sync(start)

    [one] = linq.linq.world.subscriptions.values()
    assert program.printed == [f"updated {HOOK}", "  + participant.added", "  6 events unchanged"]
    assert "participant.added" in one.events


async def test_events_that_nobody_handles_are_given_up(linq: Emulator, start: Start, folder: Path) -> None:
    """When a handler goes, its event goes."""
    (folder / "my_bot.py").write_text(BOT + MORE)
    await _sync(start)
    (folder / "my_bot.py").write_text(BOT)

    program = await _sync(start)

    [one] = linq.linq.world.subscriptions.values()
    assert "  - participant.added" in program.printed
    assert "participant.added" not in one.events


async def test_a_dry_run_only_says_it(linq: Emulator, start: Start) -> None:
    """`--dry-run` shows the difference and leaves Linq alone."""
    program = await _sync(start, "--dry-run")

    assert program.printed[0] == f"would create {HOOK}"
    assert linq.linq.world.subscriptions == {}


async def test_a_subscription_that_was_left_behind_is_named(
    linq: Emulator, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a change of the path the old address is still subscribed; it is shown with its id, and left alone."""
    await _sync(start)
    [old] = linq.linq.world.subscriptions.values()
    monkeypatch.setenv("LINQBOT_WEBHOOK_PATH", "/hooks")

    moved = await _sync(start)

    assert f"also subscribed on this host: {HOOK}, id {old.id}" in moved.text
    assert len(linq.linq.world.subscriptions) == 2


async def test_an_address_without_a_version_is_pinned(linq: Emulator, start: Start) -> None:
    """A subscription of the same address, made by hand without a version, is taken over and not doubled."""
    linq.subscribe(f"{URL}/webhooks/linq", (*TEACHING, *SETTLING))

    program = await _sync(start)

    [one] = linq.linq.world.subscriptions.values()
    assert one.target_url == HOOK
    assert f"  the payload version is now pinned to {VERSION}" in program.printed


async def test_the_public_address_may_come_from_the_environment(
    linq: Emulator, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    """LINQBOT_PUBLIC_URL stands in for `--url`."""
    monkeypatch.setenv("LINQBOT_PUBLIC_URL", URL)
    program = await start("webhooks", "sync", "my_bot:bot")

    assert await program.ends() == 0
    assert program.printed[0] == f"created {HOOK}"


async def test_without_an_address_it_says_what_is_missing(linq: Emulator, start: Start) -> None:
    """No address: one line and exit code 1."""
    program = await start("webhooks", "sync", "my_bot:bot")

    assert await program.ends() == 1
    assert program.printed == [
        "linqbot: say where the internet reaches the bot: --url https://…, or LINQBOT_PUBLIC_URL"
    ]


async def test_a_linq_that_is_away_is_told_on_one_line(
    linq: Emulator, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No answer from Linq: one line, exit code 1, no traceback."""
    monkeypatch.setenv("LINQ_API_V3_BASE_URL", "http://127.0.0.1:1/api/partner")
    program = await start("webhooks", "sync", "--url", URL, "my_bot:bot")

    assert await program.ends() == 1
    assert (len(program.printed), program.printed[0][:9]) == (1, "linqbot: ")


def test_a_subscription_that_was_switched_off_is_woken() -> None:
    """A subscription that exists but sleeps is a change."""
    asleep = Subscription(id="s1", target_url=HOOK, subscribed_events=("message.received",), is_active=False)

    change = plan_sync([asleep], target_url=HOOK, events={"message.received"})

    assert (change.is_needed, change.woken, change.added, change.removed) == (True, True, (), ())


def test_other_subscriptions_are_left_alone() -> None:
    """Only the bot's own address counts."""
    other = Subscription(
        id="s1", target_url="https://other.test/webhooks/linq", subscribed_events=("message.received",)
    )

    change = plan_sync([other], target_url=HOOK, events={"message.received"})

    assert (change.subscription_id, change.neighbours) == (None, ())


@pytest.mark.parametrize(
    ("url", "target"),
    [
        ("https://a.test", "https://a.test/hook?version=2026-02-03"),
        ("https://a.test/", "https://a.test/hook?version=2026-02-03"),
        ("https://a.test/bots", "https://a.test/bots/hook?version=2026-02-03"),
        ("https://a.test/bots/hook", "https://a.test/bots/hook?version=2026-02-03"),
        ("http://localhost:8000", "http://localhost:8000/hook?version=2026-02-03"),
    ],
)
def test_the_address_is_where_the_bot_is_reached_and_its_path(url: str, target: str) -> None:
    """The path of the settings is added unless it is there."""
    assert target_of(url, "/hook") == target


@pytest.mark.parametrize("url", ["a.test", "http://a.test", "https://", "https://a.test/?x=1", "ftp://a.test"])
def test_an_address_that_linq_would_refuse_is_refused(url: str) -> None:
    """Linq calls HTTPS addresses only."""
    with pytest.raises(ConfigurationError, match="begins with https://"):
        target_of(url, "/hook")
