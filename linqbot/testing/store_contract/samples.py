"""a few words -> records to store, and the short way to lease, freeze and end them."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from linqbot.ids import random_token
from linqbot.records import (
    Arrival,
    Commit,
    Committed,
    DeadLetter,
    Fact,
    InboxItem,
    Lease,
    OutboxItem,
    Receipt,
    Repeat,
    Request,
    Sent,
    Side,
)
from linqbot.store.base import Store

LANE = "chat:a"


def noise(size: int) -> bytes:
    """Bytes that no compression makes smaller, the same on every run."""
    return hashlib.shake_256(b"linqbot").digest(size)


def event(event_id: str, lane: str = LANE, *, body: bytes = b'{"some":"event"}') -> InboxItem:
    """An event to keep."""
    return InboxItem(event_id=event_id, lane=lane, type="message.received", body=body)


def arrival(event_id: str, lane: str = LANE, *, body: bytes = b'{"some":"event"}') -> Arrival:
    """An event under its own id."""
    return Arrival(remember=(event_id,), item=event(event_id, lane, body=body))


def reply(
    key: str,
    lane: str = LANE,
    *,
    pair: str = "",
    units: int = 1,
    guards: Sequence[str] = ("guard",),
    names: Sequence[str] = ("name",),
    once: str = "",
    line: str = "line-1",
) -> OutboxItem:
    """A reply with a plain variant, of which little is left at its default."""
    return OutboxItem(
        key=key,
        lane=lane,
        event_id=f"event-of-{key}",
        handler="echo",
        position=3,
        request=Request(method="POST", path="/v3/chats/c/messages", body=b'{"threaded":true}'),
        plain=Request(method="POST", path="/v3/chats/c/messages", body='{"plain":"ü"}'.encode()),
        plain_key=f"{key}-plain",
        repeat=Repeat.REPEATABLE,
        pair=pair,
        units=units,
        ref="greeting",
        created_ms=17,
        line=line,
        guards=tuple(guards),
        names=tuple(names),
        once=once,
    )


def fact(key: str, value: bytes | None = b"something", *, rank: int = 0, ttl_ms: int = 0) -> Fact:
    """Something to learn, or with None to forget."""
    return Fact(key=key, value=value, rank=rank, ttl_ms=ttl_ms)


def letter(
    letter_id: str, kind: str = "event", *, reason: str = "it failed three times", item: bytes = b"\x00it"
) -> DeadLetter:
    """Something given up."""
    return DeadLetter(
        id=letter_id, kind=kind, reason=reason, lane=LANE, event_id="event-1", handler="echo", at_ms=5, item=item
    )


def news(key: str, lane: str = LANE, *, message_id: str = "message-1", status: str = "sent") -> Arrival:
    """The webhook that tells that a reply arrived."""
    return Arrival(receipt=Receipt(lane=lane, key=key, message_id=message_id, status=status))


def turn(lease: Lease, *, take: int = 1, replies: Sequence[OutboxItem] = (), dead: Sequence[DeadLetter] = ()) -> Commit:
    """The end of the turn that this lease began."""
    return Commit(
        lane=lease.lane,
        token=lease.token,
        event_id=lease.events[0].event_id,
        take=take,
        replies=tuple(replies),
        dead=tuple(dead),
    )


async def lease(store: Store, side: Side = Side.IN, *, take: int = 1) -> Lease:
    """The next lane of a side; fails when there is none."""
    taken = (await store.lease(side, [random_token()], take=take)).taken
    assert len(taken) == 1, f"one lane of side {side} should be ready"
    return taken[0]


async def nothing(store: Store, side: Side = Side.IN) -> bool:
    """Whether no lane of a side can be leased."""
    return (await store.lease(side, [random_token()])).taken == ()


async def lanes(store: Store, count: int, side: Side = Side.IN) -> list[str]:
    """The lanes that one call gives, in its order, asked for `count`."""
    return [one.lane for one in (await store.lease(side, [random_token() for _ in range(count)])).taken]


async def send_all(store: Store) -> list[str]:
    """The keys of all replies, in the order in which one dispatcher sends them."""
    sent: list[str] = []
    while taken := (await store.lease(Side.OUT, [random_token()])).taken:
        assert taken[0].reply is not None
        sent.append(taken[0].reply.key)
        await store.settle(taken[0].lane, taken[0].token, Sent(message_id=f"message-of-{sent[-1]}"))
    return sent


async def end(store: Store, held: Lease) -> None:
    """End the turn of a lease without a word."""
    assert await store.commit(turn(held)) is Committed.COMMITTED


async def drain(store: Store) -> list[str]:
    """The ids of all events, in the order in which one worker ends them."""
    ended: list[str] = []
    while taken := (await store.lease(Side.IN, [random_token()])).taken:
        ended.append(taken[0].events[0].event_id)
        await end(store, taken[0])
    return ended


async def freeze(store: Store, *replies: OutboxItem) -> None:
    """Put replies into the outbox, by the turn of an event of their own."""
    origin = f"origin-{random_token()}"
    await store.accept(arrival(origin, f"feed:{origin}"))
    held = await lease(store)
    assert held.events[0].event_id == origin, "replies are frozen before other events arrive"
    assert await store.commit(turn(held, replies=replies)) is Committed.COMMITTED
