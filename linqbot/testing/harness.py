"""A bot and a Linq in one process: the real app, the real store, the emulator, and a clock to turn.

What the fixture `sim` gives. Somebody says something, the webhook is signed and delivered to the bot's ASGI app, the
reply goes to the emulator's API, and `says` returns what arrived on that person's phone.
"""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

import httpx

from linqbot.bot import Bot
from linqbot.clock import SystemClock
from linqbot.emulator.app import Emulator
from linqbot.emulator.world import LINES, Heard
from linqbot.settings import load_settings
from linqbot.testing.clock import TurnedClock

LINE = LINES[0]
"""The bot's line in the emulator."""

SITE = "https://linq.test"
"""Where Linq is for the bot under test: nowhere, but reached all the same."""

_LOOK_S = 0.005
_QUIET_LOOKS = 4
"""So many looks in a row must find every station waiting; then what is left waits for the clock."""
_PATIENCE_S = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Bubble:
    """A message of the bot on somebody's phone."""

    to: str = field(repr=False)
    text: str = field(repr=False)
    """The text and link parts, joined by a line feed; empty without any."""
    parts: tuple[dict[str, Any], ...] = field(repr=False)
    """The parts as Linq got them."""
    reply_to: str | None
    """The id of the message it is threaded on; None: not threaded."""
    part_index: int | None
    effect: str | None
    message_id: str
    chat_id: str
    idempotency_key: str | None


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody with a phone."""

    sim: Sim = field(repr=False)
    handle: str = field(repr=False)

    async def says(self, text: str | None = None, **more: Any) -> list[Bubble]:
        """Write to the bot and return what the bot said to this person since, in order.

        `more`: `parts`, `service`, `group` (the other people), `reply_to` (a message id), `to` (another line).
        """
        before = len(self.sim.said_to(self.handle))
        await self.writes(text, **more)
        await self.sim.settled()
        return self.sim.said_to(self.handle)[before:]

    async def writes(self, text: str | None = None, **more: Any) -> str:
        """Write to the bot without waiting for anything; the id of the message."""
        arrived = await self.sim.emulator.inbound(self.handle, text=text, **{"to": LINE, **more})
        return arrived.message_id


class Faults:
    """Troubles on request, between Linq and the bot."""

    def __init__(self, emulator: Emulator) -> None:
        self._emulator = emulator

    def duplicate(self, times: int = 2, *, count: int | None = 1) -> None:
        """Deliver the next `count` webhooks `times` times each, at once (None: all from now on)."""
        self._emulator.fault("duplicate", times=times, count=count)

    def answer(self, status: int, *, count: int | None = 1, after: bool = False, **details: Any) -> None:
        """Answer the next `count` sends with `status`, before or `after` they were accepted; `code`, `retry_after`."""
        self._emulator.fault(str(status), count=count, after=after, **details)

    def lose_answer(self, *, count: int | None = 1) -> None:
        """Accept the next `count` sends, then break the connection before the answer."""
        self._emulator.fault("reset_after", count=count)

    def add(self, kind: str, **details: Any) -> None:
        """Any fault of `linqbot.emulator.faults`."""
        self._emulator.fault(kind, **details)


class Sim:
    """One bot against one emulated Linq; enter it to start both. `settings` are fields of `linqbot` settings."""

    def __init__(self, bot: Bot, *, store: str = "sqlite:///:memory:", **settings: Any) -> None:
        self.bot = bot
        self.clock = TurnedClock()
        self.emulator = Emulator(clock=self.clock, transport=httpx.ASGITransport(app=bot))
        self.faults = Faults(self.emulator)
        self._settings = {"store": store, **settings}
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(self.emulator)
            self._configure()
            await stack.enter_async_context(self.bot)
            self._stack = stack.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.__aexit__(kind, error, trace)

    def user(self, handle: str = "+12025559876") -> Person:
        """Somebody who may talk to the bot; the same handle is the same person."""
        return Person(self, handle)

    @property
    def replies(self) -> list[Bubble]:
        """Everything the bot said to anybody, in the order in which Linq took it."""
        return [_bubble(heard) for heard in self.emulator.messages()]

    def said_to(self, handle: str) -> list[Bubble]:
        """Everything the bot said to one person, in order."""
        return [_bubble(heard) for heard in self.emulator.messages_to(handle)]

    async def settled(self) -> None:
        """Wait until nothing is left to do but to wait for the clock: webhooks delivered, turns run, replies sent.

        Raises `TimeoutError` when that does not come within 30 s of real time.
        """
        async with asyncio.timeout(_PATIENCE_S):
            quiet = 0
            while quiet < _QUIET_LOOKS:
                await self.emulator.quiet()
                quiet = quiet + 1 if self.bot.idle else 0
                if quiet and await self._nothing_left():
                    return
                await SystemClock().sleep(_LOOK_S)

    async def restart(self) -> None:
        """Stop the bot as a deploy does, and start it again on the same store (a file or a server, not `:memory:`)."""
        await self.bot.__aexit__(None, None, None)
        await self.bot.__aenter__()

    def _configure(self) -> None:
        path = load_settings(env_file=None, **self._settings).webhook_path
        self.emulator.linq.vault.site = SITE
        subscription = self.emulator.subscribe(f"http://bot.test{path}?version=2026-02-03")
        settings = load_settings(
            env_file=None,
            **{
                "api_key": "a-test-token",
                "webhook_secret": subscription.secret,
                "base_url": f"{SITE}/api/partner",
                "media_hosts": urlsplit(SITE).netloc,
                **self._settings,
            },
        )
        transport = httpx.ASGITransport(app=self.emulator.app)
        self.bot.configure(settings=settings, clock=self.clock, transport=transport, only="all")

    async def _nothing_left(self) -> bool:
        stats = await self.bot.store.stats()
        return stats.inbox == 0 and stats.outbox == 0


def _bubble(heard: Heard) -> Bubble:
    words = [part["value"] for part in heard.parts if part["type"] in ("text", "link")]
    reply_to = heard.reply_to or {}
    return Bubble(
        to=heard.to,
        text="\n".join(words),
        parts=tuple(heard.parts),
        reply_to=reply_to.get("message_id"),
        part_index=reply_to.get("part_index"),
        effect=(heard.effect or {}).get("name"),
        message_id=heard.message_id,
        chat_id=heard.chat_id,
        idempotency_key=heard.idempotency_key,
    )
