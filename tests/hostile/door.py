"""a bot -> a door to knock at. The webhook endpoint of a bot that runs in this process, on a real store."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import httpx

from linqbot import Bot, Message
from linqbot.clock import SystemClock
from linqbot.records import Stats
from linqbot.testing.harness import LINE, Sim
from tests.hostile.letters import SECRET, encoded, signature
from tests.store.redis_server import KINDS, session_url

LOOK_S = 0.01
PATIENCE_S = 30.0
PATH = "/webhooks/linq"


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """Knocks with whatever it is given; an exception that the app lets through is raised here."""

    sim: Sim
    client: httpx.AsyncClient

    async def knock(
        self, body: bytes = b"{}", headers: Mapping[str, str] | list[tuple[bytes, bytes]] | None = None, **more: Any
    ) -> httpx.Response:
        """Post a body with these headers as they are."""
        return await self.client.post(PATH, content=body, headers=headers, **more)

    async def deliver(
        self, body: dict[str, Any] | bytes, *, webhook_id: str | None = None, secret: str = SECRET, **more: str
    ) -> httpx.Response:
        """Post a body as Linq would, signed now; `more` are further headers."""
        content = encoded(body)
        known = "" if isinstance(body, bytes) else body.get("event_id", "")
        proof = signature(
            content, now_ms=self.sim.clock.now_ms(), webhook_id=webhook_id or known or f"w-{uuid4()}", secret=secret
        )
        return await self.knock(content, {**proof, **{name.replace("_", "-"): value for name, value in more.items()}})

    async def stats(self) -> Stats:
        """What the store holds."""
        return await self.sim.bot.store.stats()

    async def dead(self) -> list[str]:
        """The reasons in the dead letters, newest first."""
        return [letter.reason for letter in await self.sim.bot.store.dead(500)]

    async def chat(self, handle: str = "+12025559876") -> str:
        """The id of a chat that Linq knows, so that replies to it arrive; nobody has said anything in it to the bot."""
        return (await self.sim.emulator.inbound(handle, text="(unsigned)", to=LINE)).chat_id

    async def heard(self) -> list[str]:
        """What the bot has answered, once all work is done."""
        await self.sim.settled()
        return [bubble.text for bubble in self.sim.replies]


async def until(true: Callable[[], object]) -> None:
    """Wait until something is so. Raises `TimeoutError`."""
    async with asyncio.timeout(PATIENCE_S):
        while not true():
            await SystemClock().sleep(LOOK_S)  # looking at what others do: there is no event to wait for


@asynccontextmanager
async def open_door(bot: Bot, **settings: Any) -> AsyncIterator[Door]:
    """A running bot with a namespace of its own on the session's Redis server."""
    wanted = {
        "store": session_url(KINDS[0]),
        "namespace": f"hostile-{uuid4().hex[:12]}",
        "webhook_secret": SECRET,
        "pair_budget": "0",
        **settings,
    }
    transport = httpx.ASGITransport(app=bot)
    async with Sim(bot, **wanted) as sim, httpx.AsyncClient(transport=transport, base_url="http://bot.test") as client:
        yield Door(sim=sim, client=client)


def echo() -> Bot:
    """A bot that says what it hears."""
    bot = Bot(thread="never")

    @bot.message()
    async def heard(message: Message) -> str:
        return message.text or "(nothing)"

    return bot
