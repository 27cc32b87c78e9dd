"""A bot that dies at a chosen step: every store call, HTTP step and webhook answer is a place to die before or after.

It runs in a process of its own (forked from a server that has imported linqbot already) against a real store, a real
socket and the emulator. Nothing in linqbot knows of it: it stands in the seams that users have, too.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import httpx
import httpx_aiohttp
import uvicorn
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from linqbot.bot import Bot, Only
from linqbot.clock import SystemClock
from linqbot.emulator.world import LINES
from linqbot.events import Message as Inbound
from linqbot.handling.delivery import Delivery
from linqbot.handling.turn import Turn
from linqbot.replies import Action, Edit, Poll, React
from linqbot.settings import load_settings
from linqbot.store.open import open_store
from tests.faults.poison import poisoned

DEATH = 137
"""The exit code of a process that died at its step."""

SOMEBODY = "+12025559879"
"""Whom scripts write to."""

COUNTED = {"accept", "lease", "commit", "settle", "note", "retry", "release", "bury", "post", "learn", "drop"}
"""The store calls that move something; `wait`, `beat`, `sweep` and reads come at times of their own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Life:
    """How a mortal bot lives, and where it dies."""

    store_url: str
    api_url: str
    secret: str
    port: int
    diary: str
    """A file that gets one line for each step, so that the first, undying life tells how many there are."""
    dies_at: int = 0
    """The number of the step, from 1; 0: it does not die."""
    after: bool = False
    """Whether it dies after the step is done instead of before."""
    lease: str = "400ms"
    namespace: str = "linqbot"
    budget: str = "25/60s"
    only: Only = "all"
    echo: bool = False
    """Whether the bot only echoes, instead of answering in two bubbles."""
    poison: bool = False
    """Whether some of its handlers take the process with them (`tests.faults.poison`)."""
    sends: tuple[str, ...] = ()
    """Not empty: it is no bot but a script, which says this to somebody new (`SOMEBODY`) and leaves."""


class Steps:
    """Counts the steps of a life, and ends it at the right one."""

    def __init__(self, life: Life) -> None:
        self._life = life
        self._count = 0

    async def take(self, name: str, step: Callable[[], Awaitable[Any]]) -> Any:
        """Do one step, unless this life ends with it."""
        self._count += 1
        mine = self._count == self._life.dies_at
        self._note(name)
        if mine and not self._life.after:
            os._exit(DEATH)
        result = await step()
        if mine:
            os._exit(DEATH)
        return result

    def _note(self, name: str) -> None:
        with Path(self._life.diary).open("a", encoding="utf-8") as diary:
            diary.write(name + "\n")


class MortalStore:
    """A store whose every moving call may be the last."""

    def __init__(self, inner: Any, steps: Steps) -> None:
        self._inner = inner
        self._steps = steps

    async def __aenter__(self) -> Self:
        await self._inner.__aenter__()
        return self

    async def __aexit__(self, *details: object) -> None:
        await self._inner.__aexit__(*details)

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._inner, name)
        if name not in COUNTED:
            return method

        def counted(*args: Any, **kwargs: Any) -> Any:
            return self._steps.take(name, lambda: method(*args, **kwargs))

        return counted


class MortalTransport(httpx.AsyncBaseTransport):
    """The way to Linq; the process may die before a request leaves or after its answer came."""

    def __init__(self, steps: Steps) -> None:
        self._inner = httpx_aiohttp.AiohttpTransport()
        self._steps = steps

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        response: httpx.Response = await self._steps.take("http", lambda: self._inner.handle_async_request(request))
        return response

    async def aclose(self) -> None:
        await self._inner.aclose()


def mortal_app(app: ASGIApp, steps: Steps) -> ASGIApp:
    """The bot's ASGI app; the process may die before it sees a webhook, and before or after it answers one."""

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "POST":
            await app(scope, receive, send)
            return

        async def answer(message: Message) -> None:
            await steps.take("answer", lambda: send(message))

        await steps.take("webhook", lambda: app(scope, receive, answer))

    return serve


def two_bubbles() -> Bot:
    """The bot under test: two bubbles to every message, as a list or one by one, or with deeds around them; and a word of
    regret, found once, for what did not arrive.
    """
    bot = Bot()

    @bot.message("act")
    async def acted(message: Inbound) -> list[Action | str]:
        first, second = f"{message.text} a", f"{message.text} b"
        return [React("love"), first, Poll("yes", "no"), Edit(f"{first} edited"), second]

    @bot.message("stream")
    async def streamed(message: Inbound) -> AsyncIterator[str]:
        yield f"{message.text} a"
        yield f"{message.text} b"

    @bot.message()
    async def listed(message: Inbound) -> list[str]:
        return [f"{message.text} a", f"{message.text} b"]

    @bot.delivery("failed")
    async def regrets(delivery: Delivery, turn: Turn) -> str:
        return await turn.once("regret", lambda: "sorry")

    return bot


def echo() -> Bot:
    """A bot that says what it hears."""
    bot = Bot()

    @bot.message()
    async def heard(message: Inbound) -> str:
        return message.text

    return bot


async def _say(bot: Bot, words: tuple[str, ...]) -> None:
    async with bot.sender():
        for word in words:
            await bot.send(SOMEBODY, word, key=word, line=LINES[0])


def live(life: Life) -> None:
    """Serve the bot until the process is told to stop, or dies."""
    asyncio.run(_live(life))


async def _live(life: Life) -> None:
    steps = Steps(life)
    settings = load_settings(
        env_file=None,
        api_key="token",
        webhook_secret=life.secret,
        base_url=life.api_url,
        lease=life.lease,
        namespace=life.namespace,
        pair_budget=life.budget,
    )
    bot = poisoned() if life.poison else echo() if life.echo else two_bubbles()
    bot.configure(
        settings=settings,
        only=life.only,
        transport=MortalTransport(steps),
        store=lambda: MortalStore(  # stands in for a store by attribute
            open_store(life.store_url, clock=SystemClock(), namespace=life.namespace, limits=settings.limits()),
            steps,
        ),
    )
    if life.sends:
        await _say(bot, life.sends)
        return
    config = uvicorn.Config(
        mortal_app(bot, steps), port=life.port, lifespan="on", log_level="error", timeout_graceful_shutdown=2
    )
    await uvicorn.Server(config).serve()
