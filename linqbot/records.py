"""What is stored: the values that move along the journey, and the verbs' arguments and results.

InboxItem -> Lease -> Commit -> OutboxItem -> Outcome. All are frozen; a change is a new value. Times are integers of
milliseconds of store time (suffix `_ms`). Encoded records carry a version and are read tolerantly: unknown fields are
ignored, so that two releases can share one store.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from pydantic_core import from_json, to_json

_NOTHING: Mapping[str, bytes] = MappingProxyType({})


class Side(StrEnum):
    """Which of the two families of lanes: events that came in, or replies that go out."""

    IN = "in"
    OUT = "out"


class Repeat(StrEnum):
    """What may be done when the outcome of a request is unknown (design.md section 3)."""

    KEYED = "keyed"
    """Linq collapses repeats by the idempotency key: send again, same key and body."""
    REPEATABLE = "repeatable"
    """Doing it twice changes nothing (typing, mark read): send again."""
    NEVER = "never"
    """Twice would be seen twice (voice memo): park it as unknown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """Something small that was learned: who opted out, which chat a lane became, which file was uploaded under which id.

    The last word wins by `rank`, not by arrival: one of a lower rank changes nothing, so news may come in any order.
    """

    key: str
    """Opaque; made by `ids.fact_key`, so that no phone number is in it."""
    value: bytes | None = field(repr=False)
    """None: what was known is forgotten."""
    rank: int = 0
    """Mostly the milliseconds of what it is about; below 2**53."""
    ttl_ms: int = 0
    """How long it is known; 0: until it is forgotten. When it is told: as it was learned, not what is left."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InboxItem:
    """One event, kept until its handler's turn is committed."""

    event_id: str
    lane: str
    """Where it waits its turn: `chat:<id>`, `out:<chat id>`, `type:<event type>` (design.md section 9, Lanes)."""
    type: str
    """Linq's event type, as a string: unknown ones are legal."""
    body: bytes = field(repr=False)
    """The signed bytes as they came (for a timer: bytes of linqbot's own)."""
    accepted_ms: int = 0

    def to_bytes(self) -> bytes:
        """One line of JSON about the event, then the body untouched."""
        head = {"v": 1, "id": self.event_id, "lane": self.lane, "type": self.type, "at": self.accepted_ms}
        return to_json(head) + b"\n" + self.body

    @staticmethod
    def from_bytes(blob: bytes, *, accepted_ms: int | None = None) -> InboxItem:
        """The item that `to_bytes` wrote, in this release or another; `accepted_ms` is what the store knows better."""
        line, _, body = blob.partition(b"\n")
        head = from_json(line)
        at_ms = head["at"] if accepted_ms is None else accepted_ms
        return InboxItem(event_id=head["id"], lane=head["lane"], type=head["type"], body=body, accepted_ms=at_ms)


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A frozen HTTP request to Linq: what is sent is exactly this, on every attempt."""

    method: str
    path: str
    """From the base URL on, beginning `/v3/`."""
    body: bytes | None = field(default=None, repr=False)
    """JSON with the idempotency key inside, or None."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboxItem:
    """One reply, frozen: request and key never change after it is stored (reliability.md I4)."""

    key: str
    lane: str
    """`chat:<id>`: replies of one lane leave one at a time, in the order they were committed."""
    event_id: str
    handler: str
    position: int
    request: Request
    plain: Request | None = None
    """The unthreaded variant under its own key; used once, after a definite refusal that names the target."""
    plain_key: str | None = None
    repeat: Repeat = Repeat.KEYED
    pair: str = ""
    """Whose budget it spends, an opaque name for (line, chat); empty: none."""
    units: int = 1
    """How much of the budget one attempt costs; 0: free."""
    ref: str | None = None
    created_ms: int = 0
    line: str = ""
    """Whose pace it spends, an opaque name for the line it leaves from; empty: unknown."""
    broadcast: bool = False
    """Whether answers go before it (see `Lanes.lease`): nobody waits for it."""
    fleeting: bool = False
    """Whether it is worth nothing later: one attempt, and whatever waits behind it goes on."""
    once: str = ""
    """An id under which it is appended only once in `Limits.dedupe_ms`; empty: as often as it comes."""
    guards: tuple[str, ...] = ()
    """Keys of the facts that decide whether, or to what, it is sent; told with its lease (`Lease.facts`)."""
    names: tuple[str, ...] = ()
    """Keys under which the id of the message that it became is kept as a fact, for `Limits.sent_ms`."""

    def to_bytes(self) -> bytes:
        """JSON of the item; what few items have stands first, under `more`, where a store finds it without the rest."""
        head: dict[str, object] = {"more": more} if (more := self._more()) else {}
        return to_json(
            head
            | {
                "v": 1,
                "key": self.key,
                "lane": self.lane,
                "event": self.event_id,
                "handler": self.handler,
                "pos": self.position,
                "req": _request_out(self.request),
                "plain": None if self.plain is None else _request_out(self.plain),
                "pkey": self.plain_key,
                "repeat": self.repeat.value,
                "pair": self.pair,
                "units": self.units,
                "ref": self.ref,
                "at": self.created_ms,
            }
        )

    @staticmethod
    def from_bytes(blob: bytes) -> OutboxItem:
        """The item that `to_bytes` wrote, in this release or another."""
        data = from_json(blob)
        more = data.get("more", {})
        return OutboxItem(
            key=data["key"],
            lane=data["lane"],
            event_id=data["event"],
            handler=data["handler"],
            position=data["pos"],
            request=_request_in(data["req"]),
            plain=None if data["plain"] is None else _request_in(data["plain"]),
            plain_key=data["pkey"],
            repeat=Repeat(data["repeat"]),
            pair=data["pair"],
            units=data["units"],
            ref=data["ref"],
            created_ms=data["at"],
            line=more.get("line", ""),
            broadcast=more.get("bc", False),
            fleeting=more.get("fleet", False),
            once=more.get("once", ""),
            guards=tuple(more.get("guards", ())),
            names=tuple(more.get("names", ())),
        )

    def _more(self) -> dict[str, object]:
        facts = {
            "line": self.line,
            "bc": self.broadcast,
            "fleet": self.fleeting,
            "once": self.once,
            "guards": self.guards,
            "names": self.names,
        }
        return {name: value for name, value in facts.items() if value}


def _request_out(request: Request) -> list[str | None]:
    body = None if request.body is None else request.body.decode()
    return [request.method, request.path, body]


def _request_in(data: list[Any]) -> Request:
    method, path, body = data
    return Request(method=method, path=path, body=None if body is None else body.encode())


class Accepted(StrEnum):
    """What became of an arrival."""

    ACCEPTED = "accepted"
    DUPLICATE = "duplicate"
    FULL = "full"
    """A cap is reached; nothing was changed, and the sender should try again later."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """News of a message of ours, as its own webhook tells it: proof that a send arrived."""

    lane: str
    """The out lane of the message, `chat:<id>`."""
    key: str
    """The idempotency key that Linq echoes; empty: Linq did not say, and only the message id tells which it is."""
    message_id: str
    status: str
    """`sent`, `delivered`, `read` or `failed`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """What ingress asks the store to keep, in one atomic step."""

    remember: tuple[str, ...] = ()
    """Ids of the event; if any is known already, it is a duplicate. Opaque strings."""
    item: InboxItem | None = None
    """None: nothing to handle, only the receipt and the facts count."""
    receipt: Receipt | None = None
    learn: tuple[Fact, ...] = ()
    """What the event tells beside; learned also from a duplicate."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """One lane, mine until `until_ms` (renewed by `beat`), under a token that every later step must show."""

    side: Side
    lane: str
    token: str
    now_ms: int
    """Store time of the call that told of it: what is left of the lease is `until_ms` less this."""
    until_ms: int
    events: tuple[InboxItem, ...] = ()
    """On the in side: from the head of the lane, in order; never empty there."""
    reply: OutboxItem | None = None
    """On the out side: the head of the lane."""
    attempts: int = 0
    """Burnt attempts of the head so far (see `retry` and `Wait`)."""
    stalls: int = 0
    """How often a lease on this head ended without a word: its holder died or froze."""
    notes: Mapping[str, bytes] = field(default_factory=lambda: _NOTHING, repr=False)
    """What earlier runs of the head event left with `note`, by name."""
    frozen: frozenset[str] = frozenset()
    """Keys of the head event's replies that partial commits froze already."""
    ambiguous_ms: int | None = None
    """Out side: since when an attempt of this head may have arrived without our knowing; None: surely not."""
    use_plain: bool = False
    """Out side: send `reply.plain` instead of `reply.request`."""
    facts: Mapping[str, Fact] = field(default_factory=lambda: MappingProxyType({}), repr=False)
    """Out side: what was known under `reply.guards` when it was leased; what is not known is left out."""

    @property
    def chat_id(self) -> str | None:
        """The chat whose lane it is; None: the lane is of no chat."""
        return chat_of(self.lane)


def chat_of(lane: str) -> str | None:
    """The id of the chat that a lane is of; None: it is of none."""
    kind, _, rest = lane.partition(":")
    return rest if kind in ("chat", "out") else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Leases:
    """What one call of `lease` took, and when it is worth asking again."""

    taken: tuple[Lease, ...] = ()
    next_ms: int | None = None
    """In how many milliseconds something falls due (a delay, a budget, a timer, a dying lease); None: nothing waits for
    time. Meaningful when fewer lanes were taken than asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StateWrite:
    """One change of the user's state, refused as a whole if somebody changed it since it was read."""

    key: str
    expected: int
    """The version that was read; 0: it was not there."""
    value: bytes | None = field(repr=False)
    """None deletes it."""
    ttl_ms: int = 0  # kept for so long at least, then it may be forgotten; 0: until it is deleted


@dataclass(frozen=True, slots=True, kw_only=True)
class StateCell:
    """A stored value and its version, which every write raises by at least one."""

    version: int
    value: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class TimerWrite:
    """Set a timer (again), or cancel it. When due, its item enters its inbox lane like an accepted event."""

    key: str
    """Unique in the namespace; setting it again replaces it."""
    due_ms: int = 0
    item: InboxItem | None = None  # None cancels


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetter:
    """Something that was given up, kept for a person to look at."""

    id: str
    """The event id, the idempotency key, or for unreadable payloads the webhook id."""
    kind: str
    """`event` (a handler gave up), `reply` (Linq refused or would), `unknown` (sent, perhaps), `payload` (unreadable)."""
    reason: str
    """A short sentence without content: what happened and what to do."""
    lane: str = ""
    event_id: str = ""
    handler: str = ""
    at_ms: int = 0
    item: bytes = field(default=b"", repr=False)
    """The record it was, for a replay; cut at 64 kB for unreadable payloads."""

    def to_bytes(self) -> bytes:
        """JSON of the letter, the item in base64."""
        facts = {
            "v": 1,
            "id": self.id,
            "kind": self.kind,
            "reason": self.reason,
            "lane": self.lane,
            "event": self.event_id,
            "handler": self.handler,
            "at": self.at_ms,
            "item": base64.b64encode(self.item).decode(),
        }
        return json.dumps(facts, separators=(",", ":")).encode()

    @staticmethod
    def from_bytes(blob: bytes) -> DeadLetter:
        """The letter that `to_bytes` wrote, in this release or another."""
        facts = json.loads(blob)
        return DeadLetter(
            id=facts["id"],
            kind=facts["kind"],
            reason=facts["reason"],
            lane=facts["lane"],
            event_id=facts["event"],
            handler=facts["handler"],
            at_ms=facts["at"],
            item=base64.b64decode(facts["item"]),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Commit:
    """What a turn leaves behind; stored whole or not at all.

    `take` events leave the head of the lane, of which `event_id` names the first; 0 is a partial commit, for a stream's
    bubble: the replies are frozen, the lease and the event stay.
    """

    lane: str
    token: str
    event_id: str
    take: int = 1
    replies: tuple[OutboxItem, ...] = ()
    dead: tuple[DeadLetter, ...] = ()
    state: tuple[StateWrite, ...] = ()
    timers: tuple[TimerWrite, ...] = ()


class Committed(StrEnum):
    """What became of a commit."""

    COMMITTED = "committed"
    STALE = "stale"
    """The token is no longer the lane's: another holder took over, or this very commit was done before."""
    CONFLICT = "conflict"
    """A state was changed by somebody else; nothing was stored and the lease is still held."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """Outcome: Linq has it. The item ends, and its message id is kept in the sent index."""

    message_id: str | None = None
    """None: it is known to have arrived, but not under which id."""
    passes_to: str | None = None
    """The out lane that this one becomes, now that the chat has an id; None: it stays."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """Outcome: not yet. The lane waits `delay_ms`; later items of the lane wait behind it."""

    delay_ms: int
    reason: str
    burn: bool = False  # whether this counts as an attempt
    ambiguous: bool = False
    """Whether the request may have arrived: starts the item's clock `Lease.ambiguous_ms`, once."""
    use_plain: bool = False
    """Send the unthreaded variant from now on."""
    gives_way: bool = False
    """Whether an answer that waits behind it in the lane goes before it, at once."""
    paid_ms: int | None = None
    """When the lease was taken, if no request was made under it: what it spent then is given back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dead:
    """Outcome: never. The item moves to the dead letters and the lane goes on. `paid_ms` as in `Wait`."""

    letter: DeadLetter
    paid_ms: int | None = None


Outcome = Sent | Wait | Dead


@dataclass(frozen=True, slots=True, kw_only=True)
class SentRecord:
    """Which reply a message of ours was."""

    message_id: str
    key: str
    event_id: str
    handler: str
    position: int
    ref: str | None
    sent_ms: int
    status: str = "sent"
    """The furthest that is known: `sent`, `failed`, `delivered` or `read`, in this order of rank."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stats:
    """How much is where, for health pages and back-pressure; counts are exact."""

    inbox: int
    """Events accepted and not ended."""
    outbox: int
    """Replies frozen and not ended."""
    dead: int
    """Dead letters kept (the oldest are dropped at the cap)."""
    timers: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Durability:
    """What an acknowledgement of this store survives (reliability.md section 2.6)."""

    grade: str
    """`D0` process death only, `D1` all but the last second or so, `D2` power loss of the host, `D3` fail-over."""
    reason: str
    """What was looked at, in words for the start-up line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The store's sizes and times; every process of one namespace must use the same."""

    lease_ms: int = 30_000
    dedupe_ms: int = 24 * 3_600_000
    """How long an id is remembered at the least."""
    dedupe_capacity: int = 1_000_000
    """For how many ids the buckets are sized (LINQBOT_DEDUPE_CAPACITY)."""
    lane_cap: int = 1_000
    """Events that may wait in one lane."""
    inbox_cap_bytes: int = 12_000_000
    """Bytes of waiting events in all lanes together."""
    outbox_cap: int = 20_000
    """Replies waiting; from it on no inbox lane is leased, so that back-pressure reaches ingress (see `post`, too)."""
    dead_cap: int = 500
    """Dead letters kept; the oldest make room."""
    sent_ms: int = 24 * 3_600_000
    """How long the sent index remembers a message."""
    passed_ms: int = 30 * 24 * 3_600_000
    """How long it is known which lane another became."""
    sent_cap: int = 100_000
    """How many messages the sent index remembers at the most."""
    budget: int = 25
    """Units that one pair may spend in any window of `budget_window_ms`; 0: no limit."""
    budget_window_ms: int = 60_000
    line_budget: int = 0
    """Units that one line may spend in any window of `line_window_ms`; 0: no limit."""
    line_window_ms: int = 60_000
    line_day_budget: int = 0
    """Units that one line may spend in any 24 hours; 0: no limit."""
