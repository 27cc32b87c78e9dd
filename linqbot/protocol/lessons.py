"""Envelope -> Facts. What a webhook teaches about whom the bot may write to, whether or not a handler wants it.

Facts have the rank of the time they are about, so that webhooks may come in any order and twice. Nothing here costs an
ordinary message more than one thing to be forgotten, which is mostly not known (linq-api-v3.md sections 9.1 and 9.2).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from linqbot.events.envelope import Envelope
from linqbot.ids import fact_key
from linqbot.protocol.guard import OPTED_OUT, PERSON, YES, health_key, line_key, person_key
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
        return (Fact(key=key, value=None, rank=at_ms, ttl_ms=LATE_MS),)
    if _is_group(envelope.data):
        return ()
    silence = Fact(key=key, value=YES, rank=at_ms)
    if envelope.chat_id is None:
        return (silence,)
    return (silence, Fact(key=fact_key(PERSON, envelope.chat_id), value=key.encode(), rank=at_ms))


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
    if not status or envelope.chat_id is None:
        return ()
    key = health_key(envelope.chat_id)
    if status != "HEALTHY":
        return (Fact(key=key, value=status.encode(), rank=at_ms, ttl_ms=HEALTH_MS),)
    since = moment(health.get("updated_at"))
    if since is not None and at_ms - _millis(since) > HEALTH_MS + LATE_MS:
        return ()
    return (Fact(key=key, value=None, rank=at_ms, ttl_ms=LATE_MS),)


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


def _is_group(data: Mapping[str, Any]) -> bool:
    """Only where Linq says so: a direct chat of which it does not say is taken for one."""
    return data.get("is_group") is True or _object(data.get("chat")).get("is_group") is True


def _status(health: Mapping[str, Any]) -> str:
    status = health.get("status")
    return status if isinstance(status, str) else ""


def _millis(when: datetime) -> int:
    return int(when.timestamp() * 1000)


def _object(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else _NOTHING
