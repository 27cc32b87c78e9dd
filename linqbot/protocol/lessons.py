"""Envelope -> Facts. What a webhook teaches about whom the bot may write to, whether or not a handler wants it.

Facts have the rank of the time they are about, so that webhooks may come in any order and twice. An ordinary message costs
two: whose its chat is, for a day, and that its sender wants to hear from us (linq-api-v3.md sections 9.1 and 9.2).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from linqbot.events.envelope import Envelope
from linqbot.protocol.guard import HEALTH, OPTED_OUT, WHOSE_MS, YES, health_key, line_key, person_key, whose
from linqbot.protocol.optout import asks_for_silence
from linqbot.records import Fact

TEACHING = frozenset({"message.received", "phone_number.status_updated"})
"""The event types that are asked for although no handler may want them."""

LATE_MS = 3_600_000
"""How long it is remembered that something was taken back: Linq repeats an older webhook for up to 30 minutes."""

LINE_MS = 24 * 3_600_000
"""How long a line counts as flagged unless Linq says otherwise: it recovers in about a day (linq-api-v3.md section 9.2)."""

HEALTH_MS = 24 * 3_600_000
"""How long a chat counts as unhealthy of which nothing more is heard."""

_NOTHING: Mapping[str, Any] = {}


def lessons_of(envelope: Envelope, at: datetime | None) -> tuple[Fact, ...]:
    """What an event teaches; `at` is when it happened, as the webhook says. Without it nothing can be put in order."""
    if at is None:
        return ()
    at_ms = _millis(at)
    if envelope.type == "message.received":
        health = _object(_object(envelope.data.get("chat")).get("health_status"))
        return _opt_out(envelope, health, at_ms) + _health(envelope, health, at_ms)
    if envelope.type == "phone_number.status_updated":
        return _line(envelope.data, at_ms)
    return ()


def moment(value: object) -> datetime | None:
    """A time as Linq writes it; None for anything else."""
    if not isinstance(value, str):
        return None
    try:
        when = datetime.fromisoformat(value)
    except ValueError:
        return None
    return when if when.tzinfo else when.replace(tzinfo=UTC)


def _opt_out(envelope: Envelope, health: Mapping[str, Any], at_ms: int) -> tuple[Fact, ...]:
    """A message that Linq recovered late counts from when it was written (linq-api-v3.md section 9.5)."""
    handle = _sender(envelope.data)
    if not handle:
        return ()
    said = envelope.data if "parts" in envelope.data else {**envelope.message, **envelope.data}
    if said.get("reconciled_at") is not None and (sent := moment(said.get("sent_at"))):
        at_ms = _millis(sent)
    key = person_key(OPTED_OUT, handle)
    if not _asks_for_silence(said, health):
        heard = Fact(key=key, value=None, rank=at_ms, ttl_ms=LATE_MS)
        return (heard, *_whose(envelope, handle if _is_group(envelope.data) is False else None, at_ms))
    if _is_group(envelope.data):
        return ()
    return (Fact(key=key, value=YES, rank=at_ms), *_whose(envelope, handle, at_ms, ttl_ms=0))


def _whose(envelope: Envelope, person: str | None, at_ms: int, *, ttl_ms: int = WHOSE_MS) -> tuple[Fact, ...]:
    """Who sends to the chat by its id finds person and line through it; of silence for as long as that lasts."""
    if envelope.chat_id is None:
        return ()
    return (whose(envelope.chat_id, person=person, line=_own_line(envelope.data), at_ms=at_ms, ttl_ms=ttl_ms),)


def _asks_for_silence(said: Mapping[str, Any], health: Mapping[str, Any]) -> bool:
    parts = said.get("parts")
    found = parts if isinstance(parts, list) else []
    texts = [part.get("value") for part in map(_object, found) if part.get("type") == "text"]
    return asks_for_silence(
        "\n".join([text for text in texts if isinstance(text, str)]),
        withheld=said.get("zero_retention") is True and not found,
        health=_status(health),
    )


def _health(envelope: Envelope, health: Mapping[str, Any], at_ms: int) -> tuple[Fact, ...]:
    """Of a chat that has been well for longer than trouble is remembered, nothing need be forgotten."""
    status = _status(health)
    since = moment(health.get("updated_at"))
    if not status or (status == "HEALTHY" and since is not None and at_ms - _millis(since) > HEALTH_MS + LATE_MS):
        return ()
    keys = tuple(_healthy_or_not(envelope))
    if status == "HEALTHY":
        return tuple(Fact(key=key, value=None, rank=at_ms, ttl_ms=LATE_MS) for key in keys)
    return tuple(Fact(key=key, value=status.encode(), rank=at_ms, ttl_ms=HEALTH_MS) for key in keys)


def _healthy_or_not(envelope: Envelope) -> Iterator[str]:
    """The chat and, unless it may be a group, the person: who sends to a handle may not know their chat."""
    if envelope.chat_id is not None:
        yield health_key(envelope.chat_id)
    handle = _sender(envelope.data)
    if handle and _is_group(envelope.data) is False:
        yield person_key(HEALTH, handle)


def _line(data: Mapping[str, Any], at_ms: int) -> tuple[Fact, ...]:
    number, status = data.get("phone_number"), data.get("new_status")
    if not isinstance(number, str) or not isinstance(status, str):
        return ()
    if status == "FLAGGED":
        return (Fact(key=line_key(number), value=YES, rank=at_ms, ttl_ms=LINE_MS),)
    return (Fact(key=line_key(number), value=None, rank=at_ms, ttl_ms=LATE_MS),)


def _sender(data: Mapping[str, Any]) -> str:
    """The handle of who wrote, in either payload version; empty: Linq did not say."""
    for name in ("sender_handle", "from_handle"):
        handle = _object(data.get(name)).get("handle")
        if isinstance(handle, str):
            return handle
    bare = data.get("from")
    return bare if isinstance(bare, str) else ""


def _own_line(data: Mapping[str, Any]) -> str | None:
    """The line that a message came to, in either payload version; None: Linq did not say."""
    for owner in (_object(data.get("chat")).get("owner_handle"), data.get("recipient_handle")):
        handle = _object(owner).get("handle")
        if isinstance(handle, str):
            return handle
    bare = data.get("recipient_phone")
    return bare if isinstance(bare, str) else None


def _is_group(data: Mapping[str, Any]) -> bool | None:
    """What Linq says; a direct chat of which it does not say (None) is taken for one when somebody asks for silence."""
    told = (data.get("is_group"), _object(data.get("chat")).get("is_group"))
    return True if True in told else False if False in told else None


def _status(health: Mapping[str, Any]) -> str:
    status = health.get("status")
    return status if isinstance(status, str) else ""


def _millis(when: datetime) -> int:
    return int(when.timestamp() * 1000)


def _object(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else _NOTHING
