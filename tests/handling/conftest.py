"""A bot's handlers run for one event, without a store."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from linqbot.handling.router import Router
from linqbot.handling.runner import Runner
from linqbot.records import Commit, Fact, InboxItem, Lease, Request, SentRecord, Side, StateCell
from linqbot.testing.clock import TurnedClock

CHAT = "8f392755-6865-4b18-880a-227f9d8b458f"
MESSAGE = "89e3566e-1d13-49e5-a8ee-48490d5bfeb7"
FIXTURES = Path(__file__).parent.parent / "fixtures"


class Ledger:
    """The port of a lease that is held: keeps notes and bubbles as a store does, in a list."""

    def __init__(self) -> None:
        self.notes: dict[str, bytes] = {}
        self.commits: list[Commit] = []
        self.ours: dict[str, SentRecord] = {}
        self.known: dict[str, Fact] = {}
        self.texts: dict[tuple[str, int], str] = {}
        self.asked: list[str] = []
        self.cells: dict[str, StateCell] = {}
        self.hints: list[str] = []
        self.came: asyncio.Queue[Commit] = asyncio.Queue()

    async def note(self, name: str, value: bytes) -> bytes:
        """The first value of a name wins."""
        return self.notes.setdefault(name, value)

    async def freeze(self, commit: Commit) -> None:
        """Keep a partial commit."""
        self.commits.append(commit)
        self.came.put_nowait(commit)

    async def sent(self, message_id: str) -> SentRecord | None:
        """Which reply a message of ours was."""
        return self.ours.get(message_id)

    async def facts(self, keys: Iterable[str]) -> dict[str, Fact]:
        """What is known."""
        return {key: self.known[key] for key in keys if key in self.known}

    async def learn(self, facts: Sequence[Fact]) -> None:
        """The last word wins by rank."""
        for fact in facts:
            if fact.key not in self.known or self.known[fact.key].rank <= fact.rank:
                self.known[fact.key] = fact

    async def quoted(self, message_id: str, part_index: int) -> str | None:
        """A text read back from Linq."""
        self.asked.append(message_id)
        return self.texts.get((message_id, part_index))

    async def load(self, keys: Iterable[str]) -> Mapping[str, StateCell]:
        """The state that was put here."""
        return {key: self.cells[key] for key in keys if key in self.cells}

    def hint(self, request: Request) -> None:
        """What was asked for beside, as method and path."""
        self.hints.append(f"{request.method} {request.path}")

    @property
    def frozen(self) -> frozenset[str]:
        """The keys of all bubbles kept so far."""
        return frozenset(item.key for commit in self.commits for item in commit.replies)


def said(commit: Commit) -> list[str]:
    """The texts that a commit sends, in order."""
    bodies = [json.loads(item.request.body or b"") for item in commit.replies]
    return [part["value"] for body in bodies for part in body["message"]["parts"]]


def threads(commit: Commit) -> list[Any]:
    """What each reply of a commit is threaded on."""
    return [json.loads(item.request.body or b"")["message"].get("reply_to") for item in commit.replies]


def received(
    *texts: str, event_id: str = "e1", event_type: str = "message.received", body: dict[str, Any] | None = None
) -> InboxItem:
    """A message that came in, or another event with `body` as its data."""
    message = {
        "chat": {"id": CHAT, "is_group": False, "health_status": {"status": "HEALTHY"}},
        "id": MESSAGE,
        "direction": "inbound",
        "sender_handle": {"handle": "+12025559876", "id": "h1"},
        "parts": [{"type": "text", "value": text} for text in texts],
        "service": "iMessage",
    }
    envelope = {"event_type": event_type, "event_id": event_id, "data": message if body is None else body}
    return InboxItem(
        event_id=event_id, lane=f"chat:{CHAT}", type=event_type, body=json.dumps(envelope).encode(), accepted_ms=1
    )


def message_with(**fields: Any) -> InboxItem:
    """A message whose webhook says something else in these fields."""
    item = received("hi")
    envelope = json.loads(item.body)
    envelope["data"].update(fields)
    return received(body=envelope["data"])


def lease_of(*items: InboxItem, now_ms: int = 1_000, **fields: Any) -> Lease:
    """A lease on the events of one chat."""
    lane, until_ms = items[0].lane, now_ms + 30_000
    return Lease(side=Side.IN, lane=lane, token="t", now_ms=now_ms, until_ms=until_ms, events=items, **fields)


class Stage:
    """A router and the way to let it answer."""

    def __init__(self, clock: TurnedClock) -> None:
        self.router = Router()
        self.clock = clock
        self.port = Ledger()

    def runner(self, **options: Any) -> Runner:
        """The compiled handlers."""
        return Runner(self.router, namespace="bot", clock=self.clock, **options)

    @asynccontextmanager
    async def open(self, **options: Any) -> AsyncIterator[Callable[..., Any]]:
        """Run the handlers for events, as often as called."""
        async with self.runner(**options) as runner:

            async def run(*items: InboxItem, **fields: Any) -> Commit:
                return await runner.run(lease_of(*items, **fields), self.port)

            yield run

    async def run(self, *items: InboxItem, **fields: Any) -> Commit:
        """Run the handlers once."""
        async with self.open() as run:
            commit: Commit = await run(*items, **fields)
        return commit

    async def answers(self, *texts: str) -> list[str]:
        """What is said to a message of these texts."""
        return said(await self.run(received(*texts)))


@pytest.fixture
def stage(clock: TurnedClock) -> Stage:
    """Handlers to be, and a lease to run them under."""
    return Stage(clock)


@pytest.fixture
def logs() -> Iterator[list[Any]]:
    """What was logged."""
    with capture_logs() as entries:
        yield entries
