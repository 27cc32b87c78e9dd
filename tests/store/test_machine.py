"""One random program, run on every store side by side: what they answer is the same, and nothing is lost or reordered.

The stores are compared with each other and with a small model: what waits in which lane. Times differ a little, since one
store is asked after the other, and real time goes on beside the clock that is turned. So that no store sees a lease, delay,
window or fact end which the next one still sees, all limits are a hundred times as long as usual: the seconds that a whole
program takes, on a busy machine too, are nothing against the distance of every sum of advances from every limit.
A program that fails is shrunk in the nightly profile alone: it takes minutes, and the timeout would hide what failed.
`LINQBOT_TEST_PROFILE=nightly` runs far longer.
"""

from __future__ import annotations

import asyncio
import os
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from linqbot.records import (
    Accepted,
    Arrival,
    Commit,
    Committed,
    Dead,
    DeadLetter,
    Fact,
    InboxItem,
    Lease,
    Leases,
    Limits,
    OutboxItem,
    Outcome,
    Receipt,
    Request,
    Sent,
    Side,
    StateWrite,
    Stats,
    TimerWrite,
    Wait,
)
from linqbot.store.base import Store
from linqbot.store.open import open_store
from linqbot.testing.clock import TurnedClock
from tests.store.redis_server import KINDS, empty, lane_keys, leaks, session_url

NAMESPACE = "machine"
STEP_MS = 100_000
"""What is a second elsewhere."""
LIMITS = Limits(
    lane_cap=6,
    outbox_cap=12,
    dead_cap=5,
    budget=3,
    line_budget=5,
    lease_ms=30 * STEP_MS,
    budget_window_ms=60 * STEP_MS,
    line_window_ms=60 * STEP_MS,
    dedupe_ms=86_400 * STEP_MS,
    sent_ms=86_400 * STEP_MS,
    passed_ms=30 * 86_400 * STEP_MS,
)
NEAR_MS = 50_000
"""How far times of two stores may lie apart."""
LANES = st.sampled_from(["chat:a", "chat:b", "chat:c"])
OUT_LANES = LANES | st.just("to:somebody")
CHAT = "chat:a"
"""What a lane that is of no chat becomes."""
STATUSES = st.sampled_from(["sent", "failed", "delivered", "read", "surprise"])
NAMES = st.sampled_from(["", "", "send-1", "send-2", "send-3"])
EVENTS = st.integers(0, 40).map("event-{}".format)
DELAYS = st.sampled_from([0, 5 * STEP_MS, 20 * STEP_MS])
ADVANCES = st.sampled_from([7 * STEP_MS, 33 * STEP_MS, 64 * STEP_MS])
STATE_KEYS = st.sampled_from(["profile", "form"])
FACT_KEYS = st.sampled_from(["guard", "name"])
TIMER_KEYS = st.sampled_from(["remind", "nudge"])

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """The random part of a turn's end."""

    take: int
    replies: tuple[tuple[str, str, int], ...]
    write: tuple[str, bytes | None] | None
    timer: tuple[str, bool] | None
    letter: bool


PLANS = st.builds(
    Planned,
    take=st.sampled_from([0, 1, 1, 2]),
    replies=st.lists(st.tuples(OUT_LANES, st.sampled_from(["", "pair", "news"]), st.integers(0, 2)), max_size=3).map(
        tuple
    ),
    write=st.none() | st.tuples(STATE_KEYS, st.sampled_from([b"x", b"y", None])),
    timer=st.none() | st.tuples(TIMER_KEYS, st.booleans()),
    letter=st.booleans(),
)
PAID = st.sampled_from([None, 2**52])
WAITS = st.builds(
    Wait,
    delay_ms=DELAYS,
    reason=st.just("later"),
    burn=st.booleans(),
    ambiguous=st.booleans(),
    use_plain=st.booleans(),
    gives_way=st.booleans(),
    paid_ms=PAID,
)


@dataclass(slots=True)
class Model:
    """What must be true of every store, told without one."""

    inbox: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    outbox: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    arrived: set[str] = field(default_factory=set)
    """Keys whose receipt came while they were the head: they may end at any time, and are never leased anew."""
    perhaps: set[str] = field(default_factory=set)
    """Keys whose receipt came behind a head that may have ended, or before which they may have gone."""
    timers: dict[str, tuple[int, InboxItem]] = field(default_factory=dict)
    names: set[str] = field(default_factory=set)
    """Under which something was posted once."""
    passed: dict[str, str] = field(default_factory=dict)
    """What lanes became."""
    broadcasts: set[str] = field(default_factory=set)

    def append(self, reply: OutboxItem) -> None:
        if reply.once not in self.names:
            self.outbox[self.passed.get(reply.lane, reply.lane)].append(reply.key)
        if reply.once:
            self.names.add(reply.once)
        if reply.broadcast:
            self.broadcasts.add(reply.key)

    def pass_on(self, lane: str, to: str) -> None:
        self.passed[lane] = to
        self.outbox[to] += self.outbox.pop(lane)

    def give_way(self, lane: str, key: str) -> None:
        """The first answer behind the head goes before it, unless it is known that the head arrived."""
        waiting = self.outbox[lane]
        answers = [one for one in waiting[waiting.index(key) + 1 :] if one not in self.broadcasts]
        if key not in self.arrived and answers:
            waiting.remove(answers[0])
            waiting.insert(waiting.index(key), answers[0])

    def receive(self, lane: str, key: str) -> None:
        waiting = self.outbox[lane]
        if waiting and waiting[0] == key:
            self.arrived.add(key)
        elif key in waiting and self._may_be_head(key, waiting[: waiting.index(key)]):
            self.perhaps.add(key)

    def _may_be_head(self, key: str, before: list[str]) -> bool:
        """Whether all before it may have ended; an answer may also have gone before broadcasts by itself."""
        passable = self.arrived | self.perhaps | (set() if key in self.broadcasts else self.broadcasts)
        return passable.issuperset(before)

    def fire(self, now_ms: int) -> None:
        due = sorted((due_ms, key) for key, (due_ms, _) in self.timers.items() if due_ms <= now_ms)
        for _, key in due:
            item = self.timers.pop(key)[1]
            self.inbox[item.lane].append(item.event_id)

    def leased(self, lease: Lease) -> None:
        """A lease must show the head of its lane."""
        if lease.side is Side.IN:
            ids = [event.event_id for event in lease.events]
            assert ids, "a lane without events was leased"
            assert ids == self.inbox[lease.lane][: len(ids)], "events of a lane come in order"
            return
        assert lease.reply is not None
        waiting = self.outbox[lease.lane]
        while waiting and waiting[0] != lease.reply.key and waiting[0] in self.arrived | self.perhaps:
            waiting.pop(0)
        if lease.reply.key in waiting and lease.reply.key not in self.broadcasts:
            before = waiting[: waiting.index(lease.reply.key)]
            if self.broadcasts.issuperset(before):  # it need not wait behind these, and may
                waiting.remove(lease.reply.key)
                waiting.insert(0, lease.reply.key)
        assert waiting[:1] == [lease.reply.key], "replies of a lane leave in order"
        assert lease.reply.key not in self.arrived, "what arrived is never sent again"

    def end_reply(self, lane: str, key: str) -> None:
        waiting = self.outbox[lane]
        del waiting[: waiting.index(key) + 1]

    def counts(self) -> tuple[int, int, int]:
        """Events, the least number of replies, the greatest."""
        replies = [key for keys in self.outbox.values() for key in keys]
        surely = [key for key in replies if key not in self.arrived | self.perhaps]
        return sum(map(len, self.inbox.values())), len(surely), len(replies)


class StoreMachine(RuleBasedStateMachine):
    """Every rule is one call, made on each store, its answers compared."""

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.clock = TurnedClock()
        self.stores: dict[str, Store] = {}
        self.stack = AsyncExitStack()
        self.model = Model()
        self.count = 0
        self.held: dict[str, Lease] = {}
        self.last_lease: tuple[Side, tuple[str, ...], int] | None = None
        self.taken: list[str] = []
        self.replays: list[tuple[str, Callable[[Store], Awaitable[object]]]] = []
        self.versions: dict[str, dict[str, int]] = defaultdict(dict)

    @initialize()
    def open(self) -> None:
        """SQLite in memory, and every server of this machine."""
        self.runner.run(self._open())

    async def _open(self) -> None:
        urls = {"sqlite": "sqlite:///:memory:", **{kind: session_url(kind) for kind in KINDS}}
        for name, url in urls.items():
            if name in KINDS:
                await empty(url, (NAMESPACE,))
            store = open_store(url, clock=self.clock, namespace=NAMESPACE, limits=LIMITS)
            self.stores[name] = await self.stack.enter_async_context(store)

    def both(self, call: Callable[[Store], Awaitable[T]], *, see: Callable[[T], object] = lambda answer: answer) -> T:
        """The answer of the first store, after all have given it."""
        self.clock.advance(milliseconds=10)
        answers = self.each(lambda _, store: call(store))
        first, *others = [(name, see(answer)) for name, answer in answers.items()]
        for name, seen in others:
            assert seen == first[1], f"{first[0]} says {first[1]!r}, {name} says {seen!r}"
        return next(iter(answers.values()))

    def each(self, call: Callable[[str, Store], Awaitable[T]]) -> dict[str, T]:
        async def run() -> dict[str, T]:
            return {name: await call(name, store) for name, store in self.stores.items()}

        return self.runner.run(run())

    def name(self, kind: str) -> str:
        self.count += 1
        return f"{kind}-{self.count}"

    # Inbox

    @rule(lane=LANES, event_id=EVENTS)
    def accept(self, lane: str, event_id: str) -> None:
        """A new event, or one that came before."""
        item = InboxItem(event_id=event_id, lane=lane, type="message.received", body=event_id.encode())
        if self.both(lambda store: store.accept(Arrival(remember=(event_id,), item=item))) is Accepted.ACCEPTED:
            self.model.inbox[lane].append(event_id)

    @precondition(lambda self: any(self.model.outbox.values()))
    @rule(data=st.data(), position=st.sampled_from([0, 0, 1]), plain=st.booleans(), status=STATUSES)
    def receipt(self, data: st.DataObject, position: int, plain: bool, status: str) -> None:
        """News of the head of an out lane, or of a reply that is not its head."""
        lane = data.draw(st.sampled_from([lane for lane, keys in self.model.outbox.items() if keys]), label="lane")
        waiting = self.model.outbox[lane]
        key = waiting[position] if position < len(waiting) else "nobody's"
        told = f"{key}-plain" if plain else key
        receipt = Receipt(lane=lane, key=told, message_id=f"message-{key}", status=status)
        self.both(lambda store: store.accept(Arrival(receipt=receipt)))
        self.model.receive(lane, key)

    @precondition(lambda self: self.count)
    @rule(data=st.data(), status=STATUSES)
    def later_news(self, data: st.DataObject, status: str) -> None:
        """News of a message without the key."""
        number = data.draw(st.integers(0, self.count), label="message")
        receipt = Receipt(lane=CHAT, key="", message_id=f"message-key-{number}", status=status)
        self.both(lambda store: store.accept(Arrival(receipt=receipt)))

    # Lanes

    @rule(side=st.sampled_from(Side), count=st.integers(1, 3), take=st.integers(1, 2))
    def lease(self, side: Side, count: int, take: int) -> None:
        """Take lanes; those taken together are renewed one by one, so that no two leases end at the same time."""
        tokens = tuple(self.name("token") for _ in range(count))
        self.last_lease = (side, tokens, take)
        if side is Side.IN:
            self.model.fire(self.clock.now_ms())
        self.taken = self._hold(self._take(side, tokens, take).taken)

    def _hold(self, leases: Sequence[Lease]) -> list[str]:
        for lease in leases:
            self.model.leased(lease)
            self.held[lease.token] = lease
            self.both(lambda store, lease=lease: store.beat(lease.side, [(lease.lane, lease.token)]))
        return [lease.token for lease in leases]

    def _take(self, side: Side, tokens: tuple[str, ...], take: int) -> Leases:
        everywhere = self.each(lambda _, store: store.lease(side, tokens, take=take))
        first = next(iter(everywhere.values()))
        for name, leases in everywhere.items():
            taken = [sorted(each.taken, key=lambda lease: tokens.index(lease.token)) for each in (leases, first)]
            seen, expected = ([_timeless(lease) for lease in each] for each in taken)
            assert seen == expected, f"{name} leased {seen}, not {expected}"
            for mine, theirs in zip(*taken, strict=True):
                _near(mine.now_ms, theirs.now_ms)
                _near(mine.until_ms, theirs.until_ms)
                _near(mine.ambiguous_ms, theirs.ambiguous_ms)
            if len(first.taken) < len(tokens):
                _near(leases.next_ms, first.next_ms)
        return first

    @rule(lane=LANES, plan=PLANS)
    def converse(self, lane: str, plan: Planned) -> None:
        """A whole turn in one step, so that programs come to the sending side soon."""
        self.accept(lane, self.name("event"))
        self.lease(Side.IN, 1, 1)
        for token in self.taken:
            self.end_turn(self.held[token], replace(plan, replies=(*plan.replies, (lane, "pair", 1))))
        self.lease(Side.OUT, 1, 1)

    @precondition(lambda self: self.last_lease)
    @rule()
    def lease_again(self) -> None:
        """The answer of the last lease was lost."""
        assert self.last_lease is not None
        side, tokens, take = self.last_lease
        if self.taken and all(token in self.held for token in self.taken):
            again = self._take(side, tokens, take).taken
            assert {lease.token: lease.lane for lease in again}.items() >= {
                token: self.held[token].lane for token in self.taken
            }.items()
            self._hold([lease for lease in again if lease.token not in self.held])

    @rule(side=st.sampled_from(Side))
    def beat(self, side: Side) -> None:
        """Renew everything that was ever held, one by one."""
        for lease in [lease for lease in self.held.values() if lease.side is side]:
            lost = self.both(lambda store, lease=lease: store.beat(side, [(lease.lane, lease.token)]))
            if lost:
                del self.held[lease.token]

    @precondition(lambda self: self.held)
    @rule(data=st.data())
    def release(self, data: st.DataObject) -> None:
        """Give a lease back."""
        lease = self._held(data)
        self._end(lease, lambda store: store.release(lease.side, lease.lane, lease.token))

    @precondition(lambda self: self.turns())
    @rule(data=st.data(), delay_ms=DELAYS)
    def retry(self, data: st.DataObject, delay_ms: int) -> None:
        """A turn failed."""
        lease = self._held(data, Side.IN)
        self._end(lease, lambda store: store.retry(lease.lane, lease.token, delay_ms=delay_ms))

    @rule(milliseconds=ADVANCES)
    def advance(self, milliseconds: int) -> None:
        """Time passes; leases run out, delays and timers fall due."""
        self.clock.advance(milliseconds=milliseconds)
        self.last_lease = None

    # Desk

    @precondition(lambda self: self.turns())
    @rule(data=st.data(), plan=PLANS)
    def commit(self, data: st.DataObject, plan: Planned) -> None:
        """End a turn, or freeze a bubble of it."""
        self.end_turn(self._held(data, Side.IN), plan)

    def end_turn(self, lease: Lease, plan: Planned) -> None:
        take = min(plan.take, len(lease.events))
        commit = self._commit_of(lease, plan, take)
        states = {name: self._writes(name, plan, take) for name in self.stores}
        answers = self.each(lambda name, store: store.commit(replace(commit, state=states[name])))
        assert len(set(answers.values())) == 1, answers
        answer = next(iter(answers.values()))
        if (
            answer is not Committed.CONFLICT
        ):  # made again without its state, that one would be the first to end the turn
            self.replays.append(("commit", lambda store: store.commit(replace(commit, state=()))))
        if answer is Committed.COMMITTED:
            self._committed(commit, lease)
        if answer is Committed.STALE or (answer is Committed.COMMITTED and take):
            del self.held[lease.token]

    def _commit_of(self, lease: Lease, plan: Planned, take: int) -> Commit:
        timers: tuple[TimerWrite, ...] = ()
        if plan.timer and take:
            key, cancel = plan.timer
            item = InboxItem(event_id=self.name("timer"), lane=lease.lane, type="timer", body=key.encode())
            due_ms = self.clock.now_ms() + 17 * STEP_MS + self.count
            timers = (TimerWrite(key=key) if cancel else TimerWrite(key=key, due_ms=due_ms, item=item),)
        return Commit(
            lane=lease.lane,
            token=lease.token,
            event_id=lease.events[0].event_id,
            take=take,
            replies=tuple(self._reply(lane, pair, units) for lane, pair, units in plan.replies),
            dead=(_letter(self.name("letter")),) if plan.letter else (),
            timers=timers,
        )

    def _writes(self, name: str, plan: Planned, take: int) -> tuple[StateWrite, ...]:
        """Versions are each store's own; what was read last may be outdated."""
        if plan.write is None or not take:
            return ()
        key, value = plan.write
        return (StateWrite(key=key, expected=self.versions[name].get(key, 0), value=value),)

    def _committed(self, commit: Commit, lease: Lease) -> None:
        for reply in commit.replies:
            self.model.append(reply)
        for timer in commit.timers:
            self.model.timers.pop(timer.key, None)
            if timer.item is not None:
                self.model.timers[timer.key] = (timer.due_ms, timer.item)
        del self.model.inbox[lease.lane][: commit.take]

    def _reply(self, lane: str, pair: str, units: int) -> OutboxItem:
        key = self.name("key")
        request = Request(method="POST", path="/v3/chats/a/messages", body=key.encode())
        return OutboxItem(
            key=key,
            lane=lane,
            event_id="event",
            handler="echo",
            position=self.count,
            request=request,
            plain=request,
            plain_key=f"{key}-plain",
            pair=pair,
            units=units,
            ref="ref",
            guards=("guard", "name") if units else (),
            names=("name",) if pair else (),
            line="line" if pair else "",
            broadcast=pair == "news",
        )

    @precondition(lambda self: self.turns())
    @rule(data=st.data(), name=st.sampled_from(["once", "twice"]))
    def note(self, data: st.DataObject, name: str) -> None:
        """Remember something about a head event."""
        lease, value = self._held(data, Side.IN), self.name("note").encode()
        self.both(lambda store: store.note(lease.lane, lease.token, name, value))

    @rule(key=STATE_KEYS)
    def load(self, key: str) -> None:
        """Read state, and remember its version for the next write."""
        cells = self.each(lambda _, store: store.load([key]))
        values = {name: [cell.value for cell in found.values()] for name, found in cells.items()}
        assert len(set(map(tuple, values.values()))) == 1, values
        for name, found in cells.items():
            self.versions[name][key] = found[key].version if key in found else 0

    # Knowledge

    @rule(key=FACT_KEYS, value=st.sampled_from([b"x", b"", None]), rank=st.integers(-1, 2), ttl_ms=DELAYS)
    def learn(self, key: str, value: bytes | None, rank: int, ttl_ms: int) -> None:
        """The last word of the highest rank is known everywhere."""
        fact = Fact(key=key, value=value, rank=rank, ttl_ms=ttl_ms)
        self.both(lambda store: store.learn([fact]))
        self.both(lambda store: store.facts(["guard", "name"]), see=_rankless)

    # Outbox

    @rule(lane=OUT_LANES, names=st.lists(NAMES, max_size=2), pair=st.sampled_from(["", "news"]))
    def post(self, lane: str, names: list[str], pair: str) -> None:
        """Send unasked, some of it once, some of it to many."""
        items = [replace(self._reply(lane, pair, 1 if pair else 0), once=name) for name in names]
        answer = self.both(lambda store: store.post(items))
        if answer is Accepted.ACCEPTED:
            for item in items:
                self.model.append(item)
        fresh = [item for item in items if item.once not in self.model.names or not item.once]
        assert answer is not Accepted.DUPLICATE or not fresh

    @precondition(lambda self: self.sends())
    @rule(data=st.data(), known=st.booleans())
    def sent(self, data: st.DataObject, known: bool) -> None:
        """Linq took it; a lane that is of no chat becomes one, if the chat is told."""
        lease = self._held(data, Side.OUT)
        assert lease.reply is not None
        passes = known and lease.chat_id is None
        outcome = Sent(message_id=f"message-{lease.reply.key}" if known else None, passes_to=CHAT if passes else None)
        if self._settle(lease, outcome) and passes:
            self.model.pass_on(lease.lane, CHAT)

    @precondition(lambda self: self.sends())
    @rule(data=st.data(), paid_ms=PAID)
    def refused(self, data: st.DataObject, paid_ms: int | None) -> None:
        """Linq never will."""
        lease = self._held(data, Side.OUT)
        self._settle(lease, Dead(letter=_letter(self.name("refused")), paid_ms=paid_ms))

    @precondition(lambda self: self.sends())
    @rule(data=st.data(), wait=WAITS)
    def wait(self, data: st.DataObject, wait: Wait) -> None:
        """Linq may later."""
        lease = self._held(data, Side.OUT)
        assert lease.reply is not None
        if self._settle(lease, wait) and wait.gives_way:
            self.model.give_way(lease.lane, lease.reply.key)

    def _settle(self, lease: Lease, outcome: Outcome) -> bool:
        assert lease.reply is not None
        done = self._end(lease, lambda store: store.settle(lease.lane, lease.token, outcome))
        if done and not isinstance(outcome, Wait):
            self.model.end_reply(lease.lane, lease.reply.key)
        return done

    @precondition(lambda self: self.count)
    @rule(data=st.data())
    def look_up(self, data: st.DataObject) -> None:
        """Which reply a message was."""
        number = data.draw(st.integers(0, self.count), label="message")
        self.both(
            lambda store: store.sent(f"message-key-{number}"),
            see=lambda record: None if record is None else replace(record, sent_ms=0),
        )

    # Keeper and replays

    @precondition(lambda self: self.replays)
    @rule(data=st.data())
    def repeat(self, data: st.DataObject) -> None:
        """A call that was made before is made again: it does nothing, in every store alike."""
        name, call = data.draw(st.sampled_from(self.replays[-8:]), label="replay")
        answer = self.both(call)
        assert name == "commit" or answer is False

    @rule()
    def sweep(self) -> None:
        """A healthy store needs no repair."""
        assert self.both(lambda store: store.sweep()) == 0

    @invariant()
    def stores_agree(self) -> None:
        """The same counts and dead letters everywhere, and nothing lost."""
        if not self.stores:
            return
        stats: Stats = self.both(lambda store: store.stats())
        self.both(lambda store: store.dead(), see=lambda letters: [replace(letter, at_ms=0) for letter in letters])
        events, least, most = self.model.counts()
        assert stats.inbox == events
        assert least <= stats.outbox <= most
        assert stats.timers == len(self.model.timers)

    def turns(self) -> list[Lease]:
        return [lease for lease in self.held.values() if lease.side is Side.IN]

    def sends(self) -> list[Lease]:
        return [lease for lease in self.held.values() if lease.side is Side.OUT]

    def _held(self, data: st.DataObject, side: Side | None = None) -> Lease:
        found = [lease for lease in self.held.values() if side in (None, lease.side)]
        token = data.draw(st.sampled_from([lease.token for lease in found]), label="lease")
        return self.held[token]

    def _end(self, lease: Lease, call: Callable[[Store], Awaitable[bool]]) -> bool:
        del self.held[lease.token]
        self.replays.append(("ending", call))
        return self.both(call)

    def teardown(self) -> None:
        """Whatever is left comes out in order, and then nothing is left."""
        try:
            if self.stores:
                self._drain()
        finally:
            self.runner.run(self.stack.aclose())
            self.runner.close()

    def _drain(self) -> None:
        for side in (Side.IN, Side.OUT, Side.IN, Side.OUT):
            for _ in range(200):
                self.clock.advance(milliseconds=64 * STEP_MS)
                if side is Side.IN:
                    self.model.fire(self.clock.now_ms())
                taken = self._take(side, (self.name("token"),), 1).taken
                for lease in taken:
                    self.model.leased(lease)
                    self._finish(lease)
                if not taken:
                    break
        left = self.both(lambda store: store.stats(), see=lambda stats: (stats.inbox, stats.outbox, stats.timers))
        assert (left.inbox, left.outbox, left.timers) == (0, 0, 0)
        assert self.model.counts()[:2] == (0, 0)
        for kind in KINDS:
            assert self.runner.run(leaks(session_url(kind), NAMESPACE)) == []
            assert self.runner.run(lane_keys(session_url(kind), NAMESPACE)) == set()

    def _finish(self, lease: Lease) -> None:
        if lease.reply is not None:
            self._settle_last(lease)
            return
        commit = Commit(lane=lease.lane, token=lease.token, event_id=lease.events[0].event_id)
        assert self.both(lambda store: store.commit(commit)) is Committed.COMMITTED
        del self.model.inbox[lease.lane][:1]

    def _settle_last(self, lease: Lease) -> None:
        assert lease.reply is not None
        assert self.both(lambda store: store.settle(lease.lane, lease.token, Sent()))
        self.model.end_reply(lease.lane, lease.reply.key)


def _letter(name: str) -> DeadLetter:
    return DeadLetter(id=name, kind="reply", reason="refused", item=b"item")


def _timeless(lease: Lease) -> Lease:
    events = tuple(replace(event, accepted_ms=0) for event in lease.events)
    ambiguous = None if lease.ambiguous_ms is None else 0
    known = _rankless(lease.facts)
    return replace(
        lease, now_ms=0, until_ms=0, ambiguous_ms=ambiguous, events=events, notes=dict(lease.notes), facts=known
    )


def _rankless(facts: Mapping[str, Fact]) -> dict[str, Fact]:
    """What a message is called has the time of its send as its rank, which is each store's own."""
    return {key: replace(fact, rank=min(fact.rank, 1_000)) for key, fact in facts.items()}


def _near(one: int | None, other: int | None) -> None:
    if one is None or other is None:
        assert one is other
    else:
        assert abs(one - other) <= NEAR_MS


NIGHTLY = os.environ.get("LINQBOT_TEST_PROFILE") == "nightly"
TestStoreMachine: Any = StoreMachine.TestCase
TestStoreMachine.settings = settings(
    max_examples=2_000 if NIGHTLY else 40,
    stateful_step_count=100 if NIGHTLY else 40,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate, *([Phase.shrink] if NIGHTLY else [])],
    print_blob=True,
    suppress_health_check=list(HealthCheck),
)
TestStoreMachine = pytest.mark.timeout(7_200 if NIGHTLY else 400)(TestStoreMachine)
