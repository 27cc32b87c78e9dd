"""A target of webhooks: a real ASGI application that keeps what it is told and answers as it is asked to."""

from __future__ import annotations

import asyncio
import json
from collections import deque
from dataclasses import dataclass, field
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

URL = "http://bot.test/hook"


@dataclass(frozen=True)
class Received:
    """One webhook as it came in."""

    headers: dict[str, str]
    raw: bytes
    query: str

    @property
    def event(self) -> dict[str, Any]:
        """The envelope."""
        event: dict[str, Any] = json.loads(self.raw)
        return event

    @property
    def type(self) -> str:
        """The event's type."""
        return str(self.event["event_type"])


@dataclass
class Listener:
    """Answers 200, or the statuses in `answers` first; None stands for a connection that breaks."""

    got: list[Received] = field(default_factory=list)
    answers: deque[int | None] = field(default_factory=deque)
    headers: dict[str, str] = field(default_factory=dict)
    gate: asyncio.Event | None = None
    changed: asyncio.Condition = field(default_factory=asyncio.Condition)
    inside: int = 0
    most_inside: int = 0

    @property
    def app(self) -> Starlette:
        """The application."""
        return Starlette(routes=[Route("/{path:path}", self.hook, methods=["POST"])])

    async def hook(self, request: Request) -> Response:
        """Take one webhook."""
        self.inside += 1
        self.most_inside = max(self.most_inside, self.inside)
        self.got.append(Received(dict(request.headers), await request.body(), request.url.query))
        async with self.changed:
            self.changed.notify_all()
        if self.gate is not None:
            await self.gate.wait()
        self.inside -= 1
        status = self.answers.popleft() if self.answers else 200
        if status is None:
            raise ConnectionResetError
        return Response(status_code=status, headers=self.headers)

    async def holds(self, number: int) -> None:
        """Wait until this many webhooks are inside, behind the gate."""
        async with self.changed:
            await self.changed.wait_for(lambda: self.inside >= number)

    async def comes(self, number: int) -> None:
        """Wait until this many webhooks have come."""
        async with self.changed:
            await self.changed.wait_for(lambda: len(self.got) >= number)

    def types(self) -> list[str]:
        """The types of the events, in order."""
        return [one.type for one in self.got]

    def only(self, event_type: str) -> Received:
        """The one webhook of a type."""
        (one,) = [one for one in self.got if one.type == event_type]
        return one
