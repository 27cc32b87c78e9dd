"""Envelope -> Facts. What a webhook teaches about whom the bot may write to, whether or not a handler wants it.

Facts have the rank of the time they are about, so that webhooks may come in any order and twice. An ordinary message in a
chat that has long been well costs one, which is mostly forgotten before it is asked for (linq-api-v3.md sections 9.1, 9.2).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from linqbot.events.envelope import Envelope
from linqbot.protocol.guard import CRITICAL, HEALTH, OPTED_OUT, WHOSE_MS, YES, line_key, person_key, whose
from linqbot.protocol.optout import asks_for_silence
from linqbot.records import Fact

TEACHING = frozenset({"message.received", "phone_number.status_updated"})
"""The event types that are asked for although no handler may want them."""

LATE_MS = 3_600_000
"""How long it is remembered that something was taken back: Linq repeats an older webhook for up to 30 minutes."""

LINE_MS = 24 * 3_600_000
"""How long a line counts as flagged unless Linq says otherwise: it recovers in about a day (linq-api-v3.md section 9.2)."""

_NOTHING: Mapping[str, Any] = {}


def lessons_of(envelope: Envelope, at: datetime | None) -> tuple[Fact, ...]:
    """What an event teaches; `at` is when it happened, as the webhook says. Without it nothing can be put in order."""
    if at is None:
        return ()
    at_ms = _millis(at)
    if envelope.type == "message.received":
        at_ms = _written_ms(envelope, at_ms)
        health = _object(_object(envelope.data.get("chat")).get("health_status"))
        is_silent = _asks_for_silence(envelope, health)
        return _person(envelope, at_ms, is_silent=is_silent) + _chat(envelope, health, at_ms, is_silent=is_silent)
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


def _written_ms(envelope: Envelope, at_ms: int) -> int:
    """A message that Linq recovered late counts from when it was written (linq-api-v3.md section 9.5)."""
    said = _said(envelope)
    sent = None if said.get("reconciled_at") is None else moment(said.get("sent_at"))
    return at_ms if sent is None else _millis(sent)


def _person(envelope: Envelope, at_ms: int, *, is_silent: bool) -> tuple[Fact, ...]:
    handle = _sender(envelope.data)
    if not handle:
        return ()
    key = person_key(OPTED_OUT, handle)
    if not is_silent:
        return (Fact(key=key, value=None, rank=at_ms, ttl_ms=LATE_MS),)
    return () if _is_group(envelope.data) else (Fact(key=key, value=YES, rank=at_ms),)


def _chat(envelope: Envelope, health: Mapping[str, Any], at_ms: int, *, is_silent: bool) -> tuple[Fact, ...]:
    """Whose the chat is and how Linq judges it, for who sends by its id, or to its person. Of one that has been well for
    longer than that is remembered, nothing need be told; of silence it is for as long as that lasts.
    """
    data, handle = envelope.data, _sender(envelope.data)
    if envelope.chat_id is None or (not is_silent and _has_long_been_well(health, at_ms)):
        return ()
    is_group, is_critical = _is_group(data), _status(health) == CRITICAL
    is_theirs = bool(handle) and (is_group is False or (is_silent and is_group is None))
    link = whose(
        envelope.chat_id,
        person=handle if is_theirs else None,
        line=_own_line(data),
        at_ms=at_ms,
        critical=is_critical,
        ttl_ms=0 if is_silent and is_theirs else WHOSE_MS,
    )
    if not (is_critical and is_theirs):
        return (link,)
    return (link, Fact(key=person_key(HEALTH, handle), value=link.key.encode(), rank=at_ms, ttl_ms=WHOSE_MS))


def _asks_for_silence(envelope: Envelope, health: Mapping[str, Any]) -> bool:
    said = _said(envelope)
    parts = said.get("parts")
    found = parts if isinstance(parts, list) else []
    texts = [part.get("value") for part in map(_object, found) if part.get("type") == "text"]
    return asks_for_silence(
        "\n".join([text for text in texts if isinstance(text, str)]),
        withheld=said.get("zero_retention") is True and not found,
        health=_status(health),
    )


def _said(envelope: Envelope) -> Mapping[str, Any]:
    return envelope.data if "parts" in envelope.data else {**envelope.message, **envelope.data}


def _has_long_been_well(health: Mapping[str, Any], at_ms: int) -> bool:
    """Also that nobody has opted out in it lately, which changes a chat's health."""
    since = moment(health.get("updated_at"))
    return _status(health) == "HEALTHY" and since is not None and at_ms - _millis(since) > WHOSE_MS + LATE_MS


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
