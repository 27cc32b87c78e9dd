"""A real store, the emulator and a dispatcher between them; replies get into the outbox as a worker's commit puts them."""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Any, Self

import httpx
import uvicorn

from linqbot.client.http import LinqClient
from linqbot.emulator.app import Emulator
from linqbot.engine.dispatcher import Dispatcher, Settled
from linqbot.protocol.answer import Answer
from linqbot.protocol.outcome import Verdict
from linqbot.records import Arrival, Commit, InboxItem, Lease, OutboxItem, Request, Side, Wait
from linqbot.store.base import Store
from linqbot.testing.clock import TurnedClock

LINE = "+12025550100"
API = "http://linq/api/partner"
SENDS = "POST /v3/chats/*/messages"


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversation:
    """Somebody who wrote to the line: where an answer goes and what it answers."""

    phone: str
    chat_id: str
    message_id: str


class Control:
    """The emulator's control API."""

    def __init__(self, emulator: Emulator) -> None:
        self._http = httpx.AsyncClient(transport=httpx.ASGITransport(app=emulator.app), base_url="http://linq")

    async def person(self, phone: str, text: str = "hi") -> Conversation:
        """Let somebody write to the line."""
        said = await self._post("inbound", {"from": phone, "to": LINE, "text": text})
        return Conversation(phone=phone, chat_id=said["chat_id"], message_id=said["message_id"])

    async def fault(self, kind: str, **details: Any) -> None:
        """Let something go wrong with the next sends."""
        await self._post("faults", {"match": SENDS, "kind": kind, **details})

    async def heard(self, somebody: Conversation) -> list[dict[str, Any]]:
        """The messages that reached somebody's phone."""
        answer = await self._http.get("/_control/transcript")
        heard: list[dict[str, Any]] = answer.json()["phones"].get(somebody.phone, [])
        return heard

    async def texts(self, somebody: Conversation) -> list[str]:
        """What somebody's phone shows."""
        return [message["parts"][0]["value"] for message in await self.heard(somebody)]

    async def _post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        answer = await self._http.post(f"/_control/{path}", json=body)
        answer.raise_for_status()
        told: dict[str, Any] = answer.json() if answer.content else {}
        return told

    async def aclose(self) -> None:
        """Hang up."""
        await self._http.aclose()


class Watched:
    """A client whose sends can be waited for: `begun` is set once one is under way."""

    def __init__(self, client: LinqClient) -> None:
        self._client = client
        self.begun = asyncio.Event()

    async def send(self, request: Request) -> Answer:
        """As the client's."""
        self.begun.set()
        return await self._client.send(request)


class Office:
    """A dispatcher at work. `next` gives what came of each attempt, in the order in which they were settled."""

    def __init__(self, store: Store, client: LinqClient, clock: TurnedClock) -> None:
        self.store = store
        self.client = Watched(client)
        self.clock = clock
        self.verdicts: asyncio.Queue[tuple[Lease, Verdict]] = asyncio.Queue()
        self.dispatcher = self.another()
        self._numbers = itertools.count()

    def another(self, *, store: Any = None, settled: Settled | None = None) -> Dispatcher:
        """One more dispatcher, over the same store or one that stands before it, with a listener of its own."""
        return Dispatcher(
            store or self.store,
            self.client,
            clock=self.clock,
            random=lambda: 0.0,
            settled=settled or (lambda lease, verdict: self.verdicts.put_nowait((lease, verdict))),
        )

    async def __aenter__(self) -> Self:
        self.running = asyncio.create_task(self.dispatcher.run())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.dispatcher.stop()
        await self.dispatcher.leave()
        await self.running

    async def next(self) -> Verdict:
        """What came of the next attempt."""
        return (await self.verdicts.get())[1]

    async def later(self, seconds: float) -> Verdict:
        """Turn the clock; what came of the next attempt then."""
        self.clock.advance(seconds=seconds)
        return await self.next()

    async def again(self, waiting: Verdict) -> Verdict:
        """Turn the clock as far as a verdict waits; what came of the next attempt then."""
        assert isinstance(waiting.outcome, Wait)
        return await self.later(waiting.outcome.delay_ms / 1000)

    def reply(self, to: Conversation, text: str, *, threaded: bool | str = False) -> OutboxItem:
        """A reply; a threaded one has its unthreaded variant. `threaded` may name another target."""
        number = next(self._numbers)
        key = f"lb1_{number}"
        target = threaded if isinstance(threaded, str) else to.message_id
        plain = _send(to, text, f"{key}p")
        return OutboxItem(
            key=key,
            lane=f"chat:{to.chat_id}",
            event_id=f"event-{number}",
            handler="bot.echo",
            position=0,
            request=_send(to, text, key, target=target) if threaded else _send(to, text, key),
            plain=plain if threaded else None,
            plain_key=f"{key}p" if threaded else None,
            pair=to.chat_id,
            created_ms=self.clock.now_ms(),
        )

    async def freeze(self, *replies: OutboxItem) -> None:
        """Commit replies, as the turn of one event."""
        number = next(self._numbers)
        event = InboxItem(event_id=f"inbound-{number}", lane=f"in:{number}", type="message.received", body=b"{}")
        await self.store.accept(Arrival(item=event))
        (lease,) = (await self.store.lease(Side.IN, [f"worker-{number}"])).taken
        await self.store.commit(
            Commit(lane=lease.lane, token=lease.token, event_id=event.event_id, replies=tuple(replies))
        )

    async def say(self, to: Conversation, *texts: str) -> None:
        """Commit plain texts to somebody."""
        await self.freeze(*(self.reply(to, text) for text in texts))


def _send(to: Conversation, text: str, key: str, *, target: str | None = None) -> Request:
    message: dict[str, Any] = {"parts": [{"type": "text", "value": text}], "idempotency_key": key}
    if target is not None:
        message["reply_to"] = {"message_id": target, "part_index": 0}
    body = json.dumps({"message": message}).encode()
    return Request(method="POST", path=f"/v3/chats/{to.chat_id}/messages", body=body)


def unsendable(reply: OutboxItem) -> OutboxItem:
    """The same reply with a body that Linq refuses."""
    message = {"message": {"parts": [], "idempotency_key": reply.key}}
    return replace(reply, request=replace(reply.request, body=json.dumps(message).encode()))


@asynccontextmanager
async def served(app: Any) -> AsyncIterator[str]:
    """An app on a real socket of this machine; gives its URL."""
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_config=None, lifespan="off", timeout_graceful_shutdown=1))
    started = asyncio.Event()
    serving = asyncio.create_task(_serve(server, started))
    await started.wait()
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}/api/partner"
    finally:
        server.should_exit = True
        await serving


async def _serve(server: uvicorn.Server, started: asyncio.Event) -> None:
    config = server.config
    config.load()
    server.lifespan = config.lifespan_class(config)
    await server.startup()
    started.set()
    await server.main_loop()
    await server.shutdown()
