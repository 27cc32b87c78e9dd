"""facts -> what to do instead of sending. Who may be written to, and when (linq-api-v3.md sections 9.1 and 9.2).

Nobody who asked for silence, and nobody whom the account blocks, is written to: no request leaves. What nobody waits for
(`OutboxItem.broadcast`) also waits while its line is flagged or its chat's health is critical; answers go out.
What Linq's own refusals teach is learned here, too, so that one of them is enough.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from linqbot.ids import about_the_same, fact_key
from linqbot.records import Fact, Lease, OutboxItem

OPTED_OUT = "opted-out"
"""Kind of the fact that a person asked for silence."""
BLOCKED = "blocked"
"""Kind of the fact that the account blocks a person."""
PERSON = "person"
"""Kind of the fact whose a chat is. Its value is words parted by blanks: the key of `opted-out` of its one person (none in
a group), its line's key, and `CRITICAL` if that is its health.
"""

HEALTH = "health"
"""Kind of the fact which chat of a person was in critical health; its value is the key of that chat's `person`."""

CRITICAL = "CRITICAL"
"""The health of a chat at which Linq advises to pause (linq-api-v3.md section 9.2)."""

YES = b"1"
"""Value of a fact that says nothing more."""
UNSURE = b"?"
"""The same of somebody in a chat whose handle is not known: nothing that they do can be seen to end it."""

REFUSED_MS = 3_600_000
"""How long a refusal is believed that may end without our knowing, before Linq is asked again."""
FLAGGED_MS = 15 * 60_000
"""The same for a line; news of it comes by webhook, too."""
WHOSE_MS = 24 * 3_600_000
"""How long it is known whose a chat is and how it is judged, unless somebody opted out in it."""
PAUSE_MS = 60_000
"""How long a send waits that may not leave now, before the facts are looked at again; answers do not wait for it
(`Wait.gives_way`)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ruling:
    """A reason not to send."""

    why: str
    wait_ms: int | None = None
    """To be looked at again after so long; None: it is never sent."""


_SILENCE = Ruling(why="the recipient has opted out, so nothing is sent until they write again (code 2024)")
_BLOCK = Ruling(why="the recipient's handle is blocked on this account; unblock it first (code 2026)")
_REFUSED = Ruling(
    why="Linq refused the message before it in this chat: somebody opted out or is blocked (codes 2024, 2026); it is asked "
    "again within an hour",
    wait_ms=PAUSE_MS,
)
_LINE = Ruling(why="the sending line is flagged; what nobody waits for waits until it recovers", wait_ms=PAUSE_MS)
_HEALTH = Ruling(why="the chat's health is critical; what nobody waits for waits until it recovers", wait_ms=PAUSE_MS)


def person_key(kind: str, handle: str) -> str:
    """The key of what is known of a kind about a person, however their e-mail address is written."""
    return fact_key(kind, handle.strip().lower())


def line_key(number: str) -> str:
    """The key of what is known about a line of yours; also its name in `OutboxItem.line`."""
    return fact_key("line", number)


def whose(
    chat_id: str, *, person: str | None, line: str | None, at_ms: int, critical: bool = False, ttl_ms: int = WHOSE_MS
) -> Fact:
    """That a chat is of this line and, unless it is a group, with this person (None: it is not known), and whether its
    health is critical. What was believed of a person without a name ends with it.
    """
    keys = (*((person_key(OPTED_OUT, person),) if person else ()), *((line_key(line),) if line else ()))
    words = (*keys, CRITICAL) if critical else keys
    return Fact(key=fact_key(PERSON, chat_id), value=" ".join(words).encode() or None, rank=at_ms, ttl_ms=ttl_ms)


def guards_of_answer(handle: str | None) -> tuple[str, ...]:
    """What decides whether an answer to this person leaves; None: it goes to a group, or to nobody known."""
    return (person_key(OPTED_OUT, handle),) if handle else ()


def guards_of_broadcast(*, handle: str | None = None, chat_id: str | None = None, line: str = "") -> tuple[str, ...]:
    """What decides whether a message that nobody waits for leaves: its one recipient (None: a group, or only the chat is
    known), its chat (None: not known yet) and the line it leaves from, as in `OutboxItem.line`.
    """
    person = (person_key(OPTED_OUT, handle), person_key(BLOCKED, handle)) if handle else ()
    unknown = (person_key(HEALTH, handle),) if handle else ()
    chat = (fact_key(PERSON, chat_id),) if chat_id else unknown
    return (*person, *chat, *((line,) if line else ()))


def ruling_of(lease: Lease) -> Ruling | None:
    """Why the leased reply may not leave now; None: it may."""
    known = {(kind_of(key), fact.value) for key, fact in lease.facts.items() if fact.value is not None}
    if not known:
        return None
    if (OPTED_OUT, YES) in known:
        return _SILENCE
    if (BLOCKED, YES) in known:
        return _BLOCK
    if lease.reply is None or not lease.reply.broadcast or lease.ambiguous_ms is not None:
        return None
    if not known.isdisjoint({(OPTED_OUT, UNSURE), (BLOCKED, UNSURE)}):
        return _REFUSED
    if "line" in {kind for kind, _ in known}:
        return _LINE
    return _HEALTH if _is_critical(lease.reply, lease.facts) else None


def _is_critical(item: OutboxItem, facts: Mapping[str, Fact]) -> bool:
    """Whether Linq said so before this was made; if a later message told it, the chat is not left alone any more, and the
    answer to that would wait behind this.
    """
    told = [fact.rank for key, fact in facts.items() if kind_of(key) == PERSON and CRITICAL in _words(fact)]
    return bool(told) and max(told) <= item.created_ms


def hearsay(lease: Lease) -> tuple[str, ...]:
    """Keys of facts that the lease's facts point to: look them up, too, before `ruling_of`. Mostly none."""
    told = (word for key, fact in lease.facts.items() if kind_of(key) in (PERSON, HEALTH) for word in _words(fact))
    keys = (key for word in told if ":" in word for key in (word, *_blocks_of(word)))
    return tuple(key for key in keys if key not in lease.facts)


def _words(fact: Fact) -> list[str]:
    return [] if fact.value is None else fact.value.decode().split()


def _blocks_of(key: str) -> tuple[str, ...]:
    """The other key of a person of whom one is told."""
    return (about_the_same(key, BLOCKED),) if kind_of(key) == OPTED_OUT else ()


def learned_from(code: int | None, item: OutboxItem, *, now_ms: int) -> tuple[Fact, ...]:
    """What Linq's refusal of a reply teaches about others (linq-api-v3.md section 2: 2024, 2026, 2027)."""
    person = next((key for key in item.guards if kind_of(key) == OPTED_OUT), None)
    chat = next((key for key in item.guards if kind_of(key) == PERSON), None)
    if code in (2024, 2026) and chat and not person:
        return _nameless(chat, OPTED_OUT if code == 2024 else BLOCKED, now_ms)
    if code == 2024 and person:
        return (Fact(key=person, value=YES, rank=now_ms),)
    if code == 2026 and person:
        return (Fact(key=about_the_same(person, BLOCKED), value=YES, rank=now_ms, ttl_ms=REFUSED_MS),)
    if code == 2027 and item.line and (not item.broadcast or item.line in item.guards):
        return (Fact(key=item.line, value=YES, rank=now_ms, ttl_ms=FLAGGED_MS),)
    return ()


def _nameless(chat: str, kind: str, now_ms: int) -> tuple[Fact, ...]:
    """Somebody in this chat opted out, or is blocked, whose handle is not known: what else is said there waits."""
    link = about_the_same(chat, OPTED_OUT).encode()
    return (
        Fact(key=chat, value=link, rank=now_ms, ttl_ms=REFUSED_MS),
        Fact(key=about_the_same(chat, kind), value=UNSURE, rank=now_ms, ttl_ms=REFUSED_MS),
    )


def blocked(handle: str, *, yes: bool, now_ms: int) -> Fact:
    """What the account's own blocking or unblocking of a person teaches."""
    return Fact(key=person_key(BLOCKED, handle), value=YES if yes else None, rank=now_ms, ttl_ms=REFUSED_MS)


def kind_of(key: str) -> str:
    """The kind that `ids.fact_key` made a key of."""
    return key.partition(":")[0]


__all__ = [
    "BLOCKED",
    "CRITICAL",
    "HEALTH",
    "OPTED_OUT",
    "PERSON",
    "UNSURE",
    "YES",
    "Ruling",
    "blocked",
    "guards_of_answer",
    "guards_of_broadcast",
    "hearsay",
    "kind_of",
    "learned_from",
    "line_key",
    "person_key",
    "ruling_of",
    "whose",
]
