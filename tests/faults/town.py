"""people -> a bot behind a watched door, on a store that gets into trouble. Everything in this process but the store.

The bot echoes, so that an answer which belongs to another question shows. The door notes each answer to a webhook: its
status, its `Retry-After`, how long it took.
"""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import httpx
from starlette.types import Message as Piece
from starlette.types import Receive, Scope, Send

from linqbot import Bot, Message
from linqbot.testing.harness import Sim

ALICE, BOB, CAROL = "+12025559876", "+12025559877", "+12025559878"

PATIENCE_S = 30.0
_LOOK_S = 0.01
_STEP_S = 1.0

REFUSAL_S = 10.0
"""How long a webhook that cannot be kept may wait for its 503: 2 s for the store, the rest for a busy machine."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a webhook was answered."""

    status: int
    retry_after: str | None
    took_s: float


class WatchedBot(Bot):
    """A bot that echoes, holds what begins with `wait` until told, and knows what its door answered."""

    def __init__(self) -> None:
        super().__init__(thread="never")
        self.answers: list[Answer] = []
        self.turns: list[str] = []
        self.at_work = asyncio.Event()
        self.go_on = asyncio.Event()

        @self.message("wait")
        async def waits(message: Message) -> str:
            self.turns.append(message.text)
            self.at_work.set()
            await self.go_on.wait()
            return message.text

        @self.message()
        async def echoes(message: Message) -> str:
            self.turns.append(message.text)
            return message.text

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        began_s = time.monotonic()
        about = dict(scope.get("headers", ())).get(b"x-webhook-event")

        async def watched(piece: Piece) -> None:
            if piece["type"] == "http.response.start" and about == b"message.received":
                headers = {name.decode(): value.decode() for name, value in piece["headers"]}
                took_s = time.monotonic() - began_s
                self.answers.append(
                    Answer(status=piece["status"], retry_after=headers.get("retry-after"), took_s=took_s)
                )
            await send(piece)

        await super().__call__(scope, receive, watched)


class Town:
    """Who said what to a bot, and what came back."""

    def __init__(self, sim: Sim, bot: WatchedBot) -> None:
        self.sim = sim
        self.bot = bot
        self._said: dict[str, list[str]] = defaultdict(list)
        self._strangers = 0
        self._told = 0

    async def write(self, who: str, *texts: str) -> None:
        """Somebody writes; returns when each webhook was answered, kept or not."""
        for text in texts:
            self._said[who].append(text)
            await self.sim.user(who).writes(text)
            await self.sim.emulator.quiet()

    async def write_at_once(self, *texts: str) -> None:
        """New people write one text each at the same time; returns when each webhook was answered."""
        for text in texts:
            self._strangers += 1
            who = f"+1202555{self._strangers:04d}"
            self._said[who].append(text)
            await self.sim.user(who).writes(text)
        await self.sim.emulator.quiet()

    async def until(self, true: Callable[[], object], *, turn: bool = False) -> None:
        """Wait until something is so, turning the clock meanwhile if asked. Raises `TimeoutError`."""
        async with asyncio.timeout(PATIENCE_S):
            while not true():
                if turn:
                    self.sim.clock.advance(seconds=_STEP_S)
                await asyncio.sleep(_LOOK_S)  # the store is another process: there is no event to wait for

    async def all_is_well(self) -> None:
        """Turn the clock until everything was answered; then say what a person, or Linq, would complain about."""
        wanted = sum(len(texts) for texts in self._said.values())
        await self.until(lambda: len(self.sim.replies) >= wanted, turn=True)
        await self.sim.settled()
        assert self.heard() == dict(self._said)
        assert self.sim.emulator.counters["key_conflicts"] == 0
        self.door_was_polite()

    def heard(self) -> dict[str, list[str]]:
        """What each person who wrote was answered, in order."""
        return {who: [bubble.text for bubble in self.sim.said_to(who)] for who in self._said}

    def door_was_polite(self) -> None:
        """Each webhook was kept (200) or put off (503, with a time to come again), within bounds."""
        for answer in self.bot.answers:
            assert answer.status in (200, 503), answer
            assert answer.took_s < REFUSAL_S, answer
            if answer.status == 503:
                assert answer.retry_after is not None
                assert 5 <= int(answer.retry_after) <= 30, answer

    async def readiness(self) -> object:
        """What `/readyz` says."""
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app=self.bot), base_url="http://bot.test") as client:
            return (await client.get("/readyz")).json()

    def statuses(self) -> list[int]:
        """What the webhooks since the last call were answered, oldest first."""
        found = [answer.status for answer in self.bot.answers[self._told :]]
        self._told = len(self.bot.answers)
        return found


@asynccontextmanager
async def open_town(store_url: str, **settings: Any) -> AsyncIterator[Town]:
    """A bot that runs on a store, in a namespace of its own."""
    bot = WatchedBot()
    wanted = {"namespace": f"town-{uuid4().hex[:12]}", "pair_budget": "0", **settings}
    async with Sim(bot, store=store_url, **wanted) as sim:
        yield Town(sim, bot)
