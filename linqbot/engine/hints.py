"""Request -> Linq, perhaps. Small things beside the turns: that we type, that we read. Nobody waits for them.

Not stored and never repeated. Those of one lane are sent one after another, so that what ends something comes after what
began it; when too many are under way, new ones are left out.
"""

from __future__ import annotations

import asyncio
from typing import Protocol

import structlog

from linqbot.errors import TransportError
from linqbot.protocol.answer import Answer
from linqbot.records import Request

log = structlog.get_logger("linqbot.hints")

AT_ONCE = 256
"""How many may be under way or wait for one before them."""


class Sender(Protocol):
    """What speaks to Linq: `client.http.LinqClient`."""

    async def send(self, request: Request) -> Answer:
        """One exchange, whatever the answer's status. Raises `NotSent` or `OutcomeUnknown`."""
        ...


class Hints:
    """The small requests of a process. Close it before the client that it sends by."""

    def __init__(self, client: Sender, *, at_once: int = AT_ONCE) -> None:
        self._client = client
        self._at_once = at_once
        self._last: dict[str, asyncio.Task[None]] = {}
        self._under_way = 0

    def give(self, lane: str, request: Request) -> None:
        """Send it after those of its lane; returns at once."""
        if self._under_way >= self._at_once:
            log.debug("hint left out, too many are under way", path=request.path)
            return
        self._under_way += 1
        self._last[lane] = asyncio.create_task(self._send(lane, self._last.get(lane), request))

    @property
    def idle(self) -> bool:
        """Whether none is under way."""
        return self._under_way == 0

    async def aclose(self) -> None:
        """Drop those that have not left yet."""
        tasks = tuple(self._last.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _send(self, lane: str, before: asyncio.Task[None] | None, request: Request) -> None:
        try:
            if before is not None:
                await before
            answer = await self._client.send(request)
            if answer.status >= 400:
                log.debug("hint refused", path=request.path, status=answer.status)
        except TransportError as error:
            log.debug("hint not sent", path=request.path, error=str(error))
        finally:
            self._under_way -= 1
            if self._last.get(lane) is asyncio.current_task():
                del self._last[lane]
