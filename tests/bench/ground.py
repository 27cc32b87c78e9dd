"""Where measures are taken: one Redis, one sink, one folder, and subjects that come and go on fresh stores."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp
from typing import Self

from linqbot.clock import SystemClock
from linqbot.records import Arrival, InboxItem, Limits, Side
from linqbot.store.base import Store
from linqbot.store.open import open_store
from tests.bench.generator import Generator
from tests.bench.letters import Letter, letters
from tests.bench.sink import Sink
from tests.bench.subject import Subject, running
from tests.store.redis_server import Server, raw

LINQBOT = ("redis", "sqlite")
"""linqbot, by the store it runs on; every other kind is a reference."""

_AN_HOUR_MS = 3_600_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """How much of everything."""

    acks: int = 8_000
    """As many as the inbox holds when nobody empties it: 12 MB."""
    events: int = 15_000
    chats: int = 1_000
    open_s: float = 10.0
    open_rate: int = 200
    many_ids: int = 1_000_000
    many_delayed: int = 100_000
    many_chats: int = 12_000
    overload_s: float = 10.0
    warm_up: int = 500


FULL = Sizes()
QUICK = Sizes(
    acks=1_500,
    events=1_500,
    chats=200,
    open_s=2.0,
    many_ids=20_000,
    many_delayed=2_000,
    many_chats=1_500,
    overload_s=2.0,
    warm_up=200,
)


class Ground:
    """What all measures share."""

    def __init__(self, sizes: Sizes) -> None:
        self.sizes = sizes
        self.sink = Sink()
        self._server = Server()
        self._folder = Path(mkdtemp(prefix="linqbot-bench-"))
        self._files = 0
        self._stack = AsyncExitStack()
        self._crowded: dict[str, str] = {}

    async def __aenter__(self) -> Self:
        self._stack.callback(shutil.rmtree, self._folder, ignore_errors=True)
        self._stack.enter_context(self._server)
        await self._stack.enter_async_context(self.sink.listening())
        return self

    async def __aexit__(self, *details: object) -> None:
        await self._stack.__aexit__(*details)  # type: ignore[arg-type]  # passed on as they came

    @asynccontextmanager
    async def subject(self, kind: str, *, only: str | None = None, crowded: bool = False) -> AsyncIterator[Subject]:
        """A subject that is up, on a store that is empty, or `crowded` with what time leaves behind."""
        url = await self._crowd(kind) if crowded else await self._fresh(kind)
        name = "linqbot" if kind in LINQBOT else kind.partition(" ")[0]
        self.sink.latency_s = 0.0
        async with running(name, store_url=url, api_url=self.sink.url, only=only) as subject:
            yield subject
        self.sink.clear()

    async def warm(self, generator: Generator, *, replies: bool) -> None:
        """Let a subject do its first work unmeasured."""
        first = letters(self.sizes.warm_up, chats=100, first=900_000)
        await generator.flood(first)
        if replies:
            await self.replied(first)

    async def replied(self, sent: Sequence[Letter]) -> None:
        """Wait for the replies to these letters."""
        if not await self.sink.until({letter.number for letter in sent}):
            missing = len({letter.number for letter in sent} - self.sink.arrived.keys())
            raise RuntimeError(f"{missing} of {len(sent)} replies never came")

    async def _fresh(self, kind: str) -> str:
        if kind.endswith("sqlite"):
            return self._new_file()
        async with raw(self._server.url) as client:
            await client.flushdb()
        return self._server.url

    def _new_file(self) -> str:
        self._files += 1
        return f"sqlite:///{self._folder}/bot{self._files}.db"

    async def _crowd(self, kind: str) -> str:
        """A store that remembers many ids and where many chats wait for a time; made once for all rounds."""
        if kind not in self._crowded:
            url = self._new_file() if kind == "sqlite" else self._server.url.removesuffix("/0") + "/1"
            limits = Limits(budget=100_000)
            async with open_store(url, clock=SystemClock(), namespace="bench", limits=limits) as store:
                await _remember(store, self.sizes.many_ids)
                await _delay(store, self.sizes.many_delayed)
            self._crowded[kind] = url
        return self._crowded[kind]


async def _remember(store: Store, count: int) -> None:
    for start in range(0, count, 1_000):
        ids = tuple(f"e:old-{number}" for number in range(start, min(start + 1_000, count)))
        await store.accept(Arrival(remember=ids))


async def _delay(store: Store, count: int) -> None:
    """The bodies are short because the inbox has a cap in bytes; nobody reads them."""
    for start in range(0, count, 200):
        few = range(start, min(start + 200, count))
        items = [InboxItem(event_id=f"w{n}", lane=f"chat:w{n}", type="message.received", body=b"{}") for n in few]
        await asyncio.gather(*(store.accept(Arrival(item=item)) for item in items))
        taken = (await store.lease(Side.IN, [f"{start}.{n}" for n in few])).taken
        await asyncio.gather(*(store.retry(lease.lane, lease.token, delay_ms=_AN_HOUR_MS) for lease in taken))
