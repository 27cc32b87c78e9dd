"""Row A8: whatever an earlier release left in a store, this one reads; every store that was ever kept is tried."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from linqbot.clock import SystemClock
from linqbot.records import Accepted, Arrival, Fact, Lease, Side
from linqbot.store.base import Store
from tests.deploy.keepsake import (
    EVENTS,
    FACT,
    FOLDER,
    FROZEN,
    GONE,
    LETTER,
    NAMESPACE,
    NEXT,
    POSTED,
    TTL_MS,
    load_file,
    load_server,
    opened,
)
from tests.faults.jumping import JumpingClock
from tests.store.redis_server import KINDS, empty, leaks, session_url

HALF, WHOLE, WAITING = EVENTS


@pytest.fixture(params=sorted(file.name for file in FOLDER.iterdir()))
def name(request: pytest.FixtureRequest) -> str:
    """Each store that is kept."""
    return str(request.param)


@pytest.fixture
def clock(name: str) -> JumpingClock:
    """The time at which it was written."""
    clock = JumpingClock()
    clock.host_ms = clock.offset_ms = (
        json.loads((FOLDER / name).read_text("utf-8"))["written_ms"] - SystemClock().now_ms()
    )
    return clock


@pytest.fixture
async def url(name: str, tmp_path: Path) -> AsyncIterator[str]:
    """Where it is, put back as it was."""
    dumped = json.loads((FOLDER / name).read_text("utf-8"))["dumped"]
    if "sqlite" in name:
        load_file(tmp_path / "bot.db", dumped)
        yield f"sqlite:///{tmp_path}/bot.db"
    else:
        url = session_url(KINDS[0])
        await empty(url, (NAMESPACE,))
        await load_server(url, dumped)
        yield url
        assert await leaks(url, NAMESPACE) == []


@pytest.fixture
async def store(url: str, clock: JumpingClock) -> AsyncIterator[Store]:
    """This release's view of it."""
    async with opened(url, clock) as store:
        yield store


async def test_a8_events_that_an_earlier_release_kept_are_handled(store: Store) -> None:
    """They come in their order, with what was noted and frozen of them, and their ids are still known.

    Held by records with a version that are read tolerantly, and by a layout that is only added to.
    """
    half, waiting = (await store.lease(Side.IN, ["a", "b"])).taken

    assert [told(one) for one in (half, waiting)] == [HALF, WAITING]
    assert dict(half.notes) == {"noted": b"once"}
    assert half.frozen == {FROZEN.key}
    for event in EVENTS:
        assert await store.accept(Arrival(remember=(event.event_id,), item=event)) is Accepted.DUPLICATE


async def test_a8_replies_that_an_earlier_release_froze_are_sent_as_they_are(store: Store) -> None:
    """Bytes, keys and all that decides when they go are the same; what was sent is still known to be.

    Held by replies that are stored as the requests they are, not as what makes them.
    """
    held = (await store.lease(Side.OUT, ["a", "b", "c"])).taken
    sent = await store.sent("message")

    assert {one.lane: one.reply for one in held} == {one.lane: one for one in (NEXT, FROZEN, POSTED)}
    assert {one.facts["guard"] for one in held} == {FACT}
    assert sent is not None
    assert (sent.key, sent.event_id, sent.position, sent.ref) == (GONE.key, GONE.event_id, GONE.position, GONE.ref)


async def test_a8_what_an_earlier_release_knew_is_known(store: Store, clock: JumpingClock) -> None:
    """Dead letters, state, facts and timers.

    Held by the same; a timer is due by store time, whoever set it.
    """
    [letter], cells, facts = await store.dead(), await store.load(["cell"]), await store.facts(["guard", "name"])

    assert replace(letter, at_ms=LETTER.at_ms) == LETTER
    assert (cells["cell"].version, cells["cell"].value) == (1, b"42")
    assert facts == {
        "guard": FACT,
        "name": Fact(key="name", value=b"message", rank=facts["name"].rank, ttl_ms=86_400_000),
    }
    clock.host_ms += TTL_MS
    clock.offset_ms += TTL_MS
    half = (await store.lease(Side.IN, ["a"], take=2)).taken[0]
    assert [event.event_id for event in half.events] == ["half", "half"]


def told(lease: Lease) -> object:
    """The event of a lease, but for the store's own note of when it came."""
    return replace(lease.events[0], accepted_ms=0)
