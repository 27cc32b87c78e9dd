"""A client of a served emulator, and what went over the wire: real HTTP, judged by Linq's published schema."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from linqbot.client.client import Client
from linqbot.client.http import LinqClient
from linqbot.clock import Clock
from linqbot.emulator.app import Emulator
from linqbot.protocol.answer import Answer
from linqbot.records import Request
from tests.emulator.published import faults, published
from tests.emulator.served import served

LINE, OTHER_LINE, PERSON = "+12025550100", "+12025550101", "+12025559876"
ANN, BEN, CAT = "+12025550147", "+12025550148", "+12025550149"


class Recorder(LinqClient):
    """A client that remembers each exchange."""

    def __init__(self, *arguments: Any, **more: Any) -> None:
        super().__init__(*arguments, **more)
        self.exchanges: list[tuple[Request, Answer]] = []

    async def send(self, request: Request, **more: Any) -> Answer:
        """One exchange, remembered."""
        answer = await super().send(request, **more)
        self.exchanges.append((request, answer))
        return answer


@dataclass(slots=True)
class Stage:
    """What a row of a table may use; its chats are made when they are first asked for."""

    emulator: Emulator
    carrier: Recorder
    linq: Client
    base: str
    kept: dict[str, Any] = field(default_factory=dict)

    @property
    def exchanges(self) -> list[str]:
        """Method and path of each request, without its query."""
        return [f"{request.method} {request.path.partition('?')[0]}" for request, _ in self.carrier.exchanges]

    async def chat(self) -> str:
        """A direct chat, in which somebody wrote."""
        if "chat" not in self.kept:
            arrived = await self.emulator.inbound(PERSON, text="Hello!", to=LINE)
            self.kept |= {"chat": arrived.chat_id, "theirs": arrived.message_id}
        return str(self.kept["chat"])

    async def group(self) -> str:
        """A group of four others and the line."""
        arrived = await self.emulator.inbound(PERSON, text="Hello!", to=LINE, group=[ANN, BEN, CAT])
        return arrived.chat_id

    async def sent(self, text: str = "Hi") -> str:
        """A message of ours in the direct chat, which is on their phone."""
        result = await self.linq.messages.send(await self.chat(), text)
        await self.emulator.quiet()
        return result.message.id

    def schema_faults(self) -> list[str]:
        """Where an answer is not as the published document says, of all exchanges so far."""
        return [
            f"{name}: {fault}"
            for request, answer in self.carrier.exchanges
            if (name := described(request)) is not None and answer.status < 300 and answer.body
            for fault in faults(answer.json(), published()["answers"][name])
            if name != "get /v3/webhook-events"
            or "enumeration" not in fault  # there are newer types than the document's
        ]


def described(request: Request) -> str | None:
    """The endpoint's name in the published document, if it describes the answer."""
    path = request.path.partition("?")[0]
    for name in published()["answers"]:
        verb, _, shape = name.partition(" ")
        if verb.upper() == request.method and re.fullmatch(re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(shape)), path):
            return str(name)
    return None


@asynccontextmanager
async def staged(clock: Clock) -> AsyncIterator[Stage]:
    """A stage, as long as it is played on."""
    async with Emulator(clock=clock, seed=7) as emulator, served(emulator.app) as address:
        base = f"{address}/api/partner"
        async with Recorder(base, "key") as carrier, Client(carrier) as linq:
            yield Stage(emulator, carrier, linq, base)
