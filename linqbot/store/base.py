"""The store's contract. These docstrings are the specification; `linqbot.testing.store_contract` checks them.

Four verbs move the journey: `accept` (bytes are safe, now answer 2xx), `lease` (mine for a while), `commit` (a turn, whole
or not at all), `settle` (sent, waits, or dead).

Lanes. A lane is a FIFO named by an opaque string, on one of two sides (`Side.IN` events, `Side.OUT` replies). Per side,
a lane with items is in exactly one place: *ready* (in a fair queue), *leased*, or *delayed* until a time. An empty lane
costs nothing. Leases are taken from the front of the ready queue; a lane whose lease expired, or which was released,
enters at the front; a lane that is done with an item, or whose delay is over, enters at the rear.

Safe to repeat. A call whose answer was lost may be made again with the same arguments, by the caller or by a client
library: each verb says what the repeat gives. A verb that changes several things changes all or nothing, also when the
process, the connection or the server dies in the middle.

Time is store time: the server's clock (Redis) or the host's, never running backwards (SQLite), plus the offset of the
`Clock` the store was opened with. All times and delays are integers of milliseconds.

Errors. Every method raises `StoreUnavailable` when the store cannot answer (down, locked, out of memory or disk, failing
over): nothing may be assumed about that call. Other errors are bugs.

When the store is full, `accept` refuses; `lease`, `commit`, `settle` and whatever frees space still work.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from types import TracebackType
from typing import Protocol, Self

from linqbot.records import (
    Accepted,
    Arrival,
    Commit,
    Committed,
    DeadLetter,
    Durability,
    Fact,
    Lease,
    Leases,
    OutboxItem,
    Outcome,
    SentRecord,
    Side,
    StateCell,
    Stats,
)


class Inbox(Protocol):
    """What ingress needs."""

    async def accept(self, arrival: Arrival) -> Accepted:
        """Keep an event for handling, unless one of its ids is known; apply its receipt; learn its facts.

        Atomic: remembering all of `arrival.remember`, appending `arrival.item` to its lane on the in side (making the lane
        ready if it was empty), applying the receipt and learning `arrival.learn` (see `Knowledge`) happen together.
        `accepted_ms` of the stored item is store time. Ids are remembered for at least `Limits.dedupe_ms` (and at most
        three times as long), whatever becomes of the event. If any id is known: DUPLICATE, the item is not stored, but ids
        not known yet are remembered, the receipt is applied and the facts are learned. Otherwise, if the lane holds
        `Limits.lane_cap` items or all lanes together `Limits.inbox_cap_bytes` before this one, leased ones included: FULL,
        and nothing at all is changed. An arrival without an item is never FULL.

        A receipt proves that the reply `receipt.key` arrived. If that reply is the head of the receipt's out lane, or of
        the one that the fact `ids.lane_fact(receipt.key)` tells: when the lane is not leased, it ends as if settled
        `Sent(message_id)`; when leased, it enters the sent index now, the holder may still settle it as it likes, but if
        the lease ends otherwise (expiry, release, `Wait`), the item ends as `Sent(message_id)` then and is never leased
        again, the lane goes on without delay, and the holder's token is stale. (`key` also matches the head's plain
        variant.)
        Whatever the key, if the sent index then knows `receipt.message_id`, its `SentRecord.status` rises to
        `receipt.status` (never falls). A receipt for anything else changes nothing.

        A repeat gives DUPLICATE if there were ids to remember.
        """
        ...

    async def bury(self, letter: DeadLetter) -> None:
        """Put something straight into the dead letters. `at_ms` is set to store time; a letter of the same id and kind
        replaces the old one, so a repeat changes nothing. Above `Limits.dead_cap` the oldest make room.
        """
        ...


class Lanes(Protocol):
    """What worker and dispatcher need to hold work."""

    async def lease(self, side: Side, tokens: Sequence[str], *, take: int = 1) -> Leases:
        """Take up to `len(tokens)` ready lanes, one under each token, in order of readiness.

        Tokens must be fresh and never reused (`ids.random_token`). First, in the same atomic step, a bounded number of
        each on this side: lanes whose lease has expired get `stalls + 1` and go to the front of ready, one after the other
        in order of their deadlines; delayed lanes that are due go to the rear in order of their times; on the in side,
        timers that are due enter their inbox lanes in order of `due_ms` (as `accept` would, but without ids and never
        refused by a cap). Equal times go by name. An expired out lease also sets `ambiguous_ms` to now if it was not set.

        In side: `events` holds up to `take` items from the head of the lane. Nothing is leased on the in side while the
        outbox holds `Limits.outbox_cap` items or more.
        Out side: `reply` is the head, and `facts` holds what is known under its `guards` now. If `reply.units > 0`, it
        spends them in each of up to three budgets: its `pair`'s (`Limits.budget` units in any `Limits.budget_window_ms`;
        the pair of a lane `to:…` that has passed into a chat's is the chat's)
        and its `line`'s (`Limits.line_budget` in any `Limits.line_window_ms`, `Limits.line_day_budget` in any 24 hours,
        which may come back up to ten minutes late). If one of them has not so much left, nothing is spent and the lane is
        delayed until all have, and not leased; otherwise the units are spent now, whatever becomes of the attempt. A
        broadcast may fill a line's budgets only to four fifths, so that answers have room. A budget of 0 means no limit. A
        reply of more units than a whole budget passes when the window is empty.

        An answer does not wait behind a broadcast for which there is no budget, or that waits for another reason and was
        not tried yet: as far as the lane's first 16 items tell, it becomes the head (see `gives_way` in `settle`), here or
        when it joins the lane.

        A lane in which nothing but broadcasts waits (as far as its first 16 items tell) is leased when no other is ready,
        and instead of another after 16 of those went before it. An answer that joins it makes it one of the others.

        A lease ends at `until_ms` unless renewed by `beat`. An expired lease that nobody took over is still its holder's:
        later steps with its token succeed, also when the lane is back in ready already, or delayed for a budget. `next_ms`
        tells when it is worth asking again (see `Leases`). A repeat (same tokens) within the lease gives the same lanes
        again, and spends no budget twice; a token that holds none yet, or whose lease is over, may take one.
        """
        ...

    async def beat(self, side: Side, held: Sequence[tuple[str, str]]) -> frozenset[str]:
        """Renew the leases given as (lane, token) for `Limits.lease_ms` from now; return the lanes that are no longer held
        under their token. Renews also an expired lease that nobody took over (a stall that was counted stays counted). A
        repeat is harmless.
        """
        ...

    async def release(self, side: Side, lane: str, token: str) -> bool:
        """Give a lease back unused: the lane goes to the front of ready, nothing is counted. False: the token is not the
        lane's (also on a repeat).
        """
        ...

    async def retry(self, lane: str, token: str, *, delay_ms: int) -> bool:
        """In side: end a lease after a failed turn. The head's `attempts` grows by one and the lane, not only the event,
        waits `delay_ms` (0: to the rear of ready). Notes and frozen replies stay. False as for `release`.
        """
        ...

    async def wait(self, side: Side, timeout_ms: int) -> None:
        """Return as soon as a lane of this side may have become ready, in whatever process that happened, or after
        `timeout_ms` of real time. May return early for nothing. Several may wait; at least one wakes for each new ready
        lane. Within one process waking is immediate; between processes at most 250 ms (SQLite) or 5 s if a wake-up was
        lost (Redis). Cancelling it loses nothing.
        """
        ...


class Desk(Protocol):
    """What a turn needs."""

    async def commit(self, commit: Commit) -> Committed:
        """End a turn: freeze its replies, write its state, timers and dead letters, and take its events off the lane.

        Atomic. STALE if the token is not the lane's, also on a repeat: the first run has done it. CONFLICT if any
        `StateWrite.expected` is not the stored version (0: absent): nothing changes, the lease stays.
        Otherwise: replies are appended as they are to their out lanes in order, except those whose key is in the event's
        frozen set or whose `once` is known (see `Outbox.post`); letters are buried; state versions rise (a version of a
        key never comes again, also not after the key was deleted; what has a `ttl_ms` may be gone after it); timers are
        set or cancelled; `take` events leave the head (and with the first of them its attempts, stalls, notes and frozen
        set); the lease ends, and a lane that still has items goes to the rear of ready. Not refused by any cap.

        Partial (`take=0`): replies are appended and their keys join the event's frozen set; the lease stays. Repeating it
        appends nothing twice; it gives COMMITTED again while the lease is held.
        """
        ...

    async def note(self, lane: str, token: str, name: str, value: bytes) -> bytes | None:
        """Remember something about the head event of an in lane until it ends. The first value of a name wins and is
        returned, now and on every later call; None if the token is not the lane's.
        """
        ...

    async def load(self, keys: Iterable[str]) -> Mapping[str, StateCell]:
        """The stored state under these keys, absent ones left out; all of one moment."""
        ...


class Outbox(Protocol):
    """What sends need, and the dispatcher beside `Lanes`."""

    async def post(self, items: Sequence[OutboxItem]) -> Accepted:
        """Append items to their out lanes in order, outside of any turn.

        Atomic, all or none. An item whose `once` is known is left out; the others' become known for `Limits.dedupe_ms`
        (and at most three times as long). DUPLICATE if nothing is left to append. Otherwise, if the outbox holds
        four fifths of `Limits.outbox_cap` items (rounded down, at least 1) or more before these: FULL, and nothing is
        changed; the last fifth is for what turns answer. Otherwise ACCEPTED. A repeat appends again only what has no
        `once`.

        An item whose lane passed into another (see `settle`) goes to that one, also in `Desk.commit`.
        """
        ...

    async def settle(self, lane: str, token: str, outcome: Outcome) -> bool:
        """End the lease of an out lane with what came of its head. False if the token is not the lane's (also on a repeat).

        `Sent`: the item ends; with a message id it enters the sent index, and the id becomes the fact of each of the item's
        `names` (rank now, known for `Limits.sent_ms`); the lane goes on (rear of ready). The same happens to an item that
        a receipt ends.
        `Sent(passes_to=…)`, for a lane that is of no chat: beside this, what else waits in the lane moves in order to the
        rear of that out lane, which becomes ready if it was empty, and so does what is appended later. For
        `Limits.passed_ms` the fact `ids.fact_key("lane", lane)` tells the id of the chat (rank now). Items move as they
        are: `Lease.lane`, not `OutboxItem.lane`, is where they wait.
        `Wait`: the item stays the head and the lane is delayed by `delay_ms` (0: to the rear of ready); `burn` adds to
        `attempts`; `ambiguous` sets `ambiguous_ms` to now if not set; `use_plain` makes later leases say `use_plain` and,
        with it, forgets `ambiguous_ms` (the variant was never sent). `gives_way`: if the lane's first 16 items hold one
        that is no broadcast, the first such becomes the head, as if nothing had happened to it yet, and the lane goes on
        without delay; the others keep their order, and of what was the head it is forgotten what was tried.
        `Dead`: the letter is buried (its `item` set to the reply's bytes) and the item ends; the lane goes on.
        `paid_ms`: as many units as the item costs are taken off the latest spendings of each of its budgets, unless the
        lease is over, or what was spent then has left that budget's window.
        """
        ...

    async def sent(self, message_id: str) -> SentRecord | None:
        """Which reply a message of ours was, and what became of it; None when unknown or forgotten (`Limits.sent_ms`,
        `Limits.sent_cap`). The first that is said about a message id stays, except for the status.
        """
        ...


class Knowledge(Protocol):
    """What guards and sends need: small facts that all processes share."""

    async def learn(self, facts: Sequence[Fact]) -> None:
        """Keep facts, all in one atomic step, in their order.

        A fact replaces what is known under its key unless that has a higher rank; so the last word counts in whatever order
        the news comes, and a repeat changes nothing. `value=None` forgets: nothing is told any more, but the rank counts on
        against older news for `ttl_ms`, or for `Limits.dedupe_ms` when that is 0. A fact whose time is over has no rank.
        """
        ...

    async def facts(self, keys: Iterable[str]) -> Mapping[str, Fact]:
        """What is known under these keys, by key, as it was learned; the others are left out; all of one moment."""
        ...


class Keeper(Protocol):
    """What operators, health and the sweeper need."""

    async def dead(self, limit: int = 50) -> Sequence[DeadLetter]:
        """Up to `limit` of the newest dead letters, newest first; none for 0 or less."""
        ...

    async def drop(self, kind: str, letter_id: str) -> bool:
        """Remove a dead letter; False if it is not there."""
        ...

    async def stats(self) -> Stats:
        """How much is where; exact, cheap (no scan)."""
        ...

    async def sweep(self) -> int:
        """Repair and tidy a bounded amount: a lane with items that is in no place becomes ready, a place without items is
        emptied, a lease that ends later than twice `Limits.lease_ms` from now is cut to one, expired ids and sent
        records go. Returns how many repairs (not expiries) were made: 0 in a healthy store. Harmless at any time, in
        several processes at once.
        """
        ...

    async def ping(self) -> None:
        """Return if the store answers reads and accepts writes; raises `StoreUnavailable` otherwise."""
        ...

    async def durability(self) -> Durability:
        """What an acknowledgement survives, read from the server's configuration."""
        ...


class Store(Inbox, Lanes, Desk, Outbox, Knowledge, Keeper, Protocol):
    """All of it. A store is opened by entering it (`async with open_store(...) as store`) and closed by leaving.

    Entering creates the layout, or refuses one that is newer (`LayoutError`). Closing is safe in any state; a process that
    dies without closing leaves nothing but leases that run out.
    """

    async def __aenter__(self) -> Self: ...

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


__all__ = ["Desk", "Inbox", "Keeper", "Knowledge", "Lanes", "Lease", "Outbox", "Store"]
