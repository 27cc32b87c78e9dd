"""a sound bot -> one that breaks a promise on purpose. A check that finds nothing here would find nothing anywhere.

Each breaks one mechanism and leaves the rest as it is, from outside: by standing where the store or the way to Linq is.
"""

from __future__ import annotations

import asyncio
import json
import secrets
import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

import httpx
from httpx_aiohttp import AiohttpTransport
from redis.asyncio import Redis

from linqbot.bot import Bot
from linqbot.records import Accepted, Arrival, Commit, Committed, Outcome, Side
from linqbot.store.redis.keys import prefix
from tests.chaos.bot import Role
from tests.chaos.passing import PassingStore

LATE_DEDUPE = "late dedupe"
FRESH_KEYS = "fresh keys"
NO_TOKEN_CHECK = "no token check"
BROKEN = (LATE_DEDUPE, FRESH_KEYS, NO_TOKEN_CHECK)

LATE_S = 1.0
"""How long after its acknowledgement an event is kept by `LATE_DEDUPE`."""


def break_bot(bot: Bot, role: Role, store: Callable[[], Any]) -> None:
    """Make a configured bot break the promise that its role names."""
    match role.broken:
        case "late dedupe":
            bot.configure(store=lambda: LateDedupe(store()))
        case "fresh keys":
            bot.configure(transport=FreshKeys())
        case "no token check":
            bot.configure(store=lambda: NoTokenCheck(store(), role))
        case unknown:
            raise ValueError(f"there is no way to break {unknown!r}")


class LateDedupe(PassingStore):
    """Acknowledges first, and keeps and dedupes the event afterwards."""

    def __init__(self, inner: Any) -> None:
        super().__init__(inner)
        self._later: set[asyncio.Task[None]] = set()

    async def accept(self, arrival: Arrival) -> Accepted:
        """At once, whatever the store would say."""
        task = asyncio.create_task(self._keep(arrival))
        self._later.add(task)
        task.add_done_callback(self._later.discard)
        return Accepted.ACCEPTED

    async def _keep(self, arrival: Arrival) -> None:
        await asyncio.sleep(LATE_S)
        await self._inner.accept(arrival)


class FreshKeys(httpx.AsyncBaseTransport):
    """Gives every attempt of a reply a key of its own."""

    def __init__(self) -> None:
        self._inner = AiohttpTransport()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send under another key than the frozen one."""
        body = json.loads(await request.aread())
        body["message"]["idempotency_key"] = secrets.token_hex(16)
        headers = {name: value for name, value in request.headers.items() if name != "content-length"}
        fresh = httpx.Request(request.method, request.url, headers=headers, json=body, extensions=request.extensions)
        return await self._inner.handle_async_request(fresh)

    async def aclose(self) -> None:
        """End the connections."""
        await self._inner.aclose()


class NoTokenCheck(PassingStore):
    """Commits and settles whoever holds the lane: shows the store the token that it wants to see."""

    def __init__(self, inner: Any, role: Role) -> None:
        super().__init__(inner)
        self._role = role

    async def commit(self, commit: Commit) -> Committed:
        """In the name of whoever has the lane."""
        token = await self._token_of(Side.IN, commit.lane, commit.token)
        done: Committed = await self._inner.commit(replace(commit, token=token))
        return done

    async def settle(self, lane: str, token: str, outcome: Outcome) -> bool:
        """In the name of whoever has the lane."""
        done: bool = await self._inner.settle(lane, await self._token_of(Side.OUT, lane, token), outcome)
        return done

    async def beat(self, side: Side, held: Sequence[tuple[str, str]]) -> frozenset[str]:
        """Never tells that a lane is lost."""
        await self._inner.beat(side, held)
        return frozenset()

    async def _token_of(self, side: Side, lane: str, own: str) -> str:
        look = self._in_file if self._role.store_url.startswith("sqlite") else self._on_server
        return await look(side, lane) or own

    async def _on_server(self, side: Side, lane: str) -> str | None:
        async with Redis.from_url(self._role.store_url) as client:
            token = await client.hget(f"{prefix(self._role.namespace)}{side.value}:st:{lane}", "tok")
        return token.decode() if isinstance(token, bytes) else token

    async def _in_file(self, side: Side, lane: str) -> str | None:
        with sqlite3.connect(urlsplit(self._role.store_url).path, timeout=5) as file:
            found = file.execute(
                "SELECT token FROM lane WHERE side = ? AND name = ?", (int(side is Side.OUT), lane)
            ).fetchone()
        return found[0] if found else None
