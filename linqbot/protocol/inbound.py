"""signed bytes -> Inbound -> Event. What to keep of a webhook, in which lane, and what it settles (design.md section 9).

The bytes are parsed once here and once more where the event is handled; the store keeps them as they came.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from linqbot.errors import PayloadError
from linqbot.events import Event, Typing, parse_event
from linqbot.events.envelope import LONGEST_ID, Envelope, open_envelope
from linqbot.events.registry import Known, check, known
from linqbot.ids import is_own_key
from linqbot.protocol.lessons import lessons_of, moment
from linqbot.records import Arrival, Fact, InboxItem, Receipt

DEEPEST = 64
"""How deep a body may nest; Linq's deepest has 6 levels (fixtures poll.*), and Python's own limit depends on the caller."""

_FORBIDDEN_ESCAPE = re.compile(rb"\\u(?:[dD][89a-fA-F]|0000)")
_FORBIDDEN = re.compile("[\x00\ud800-\udfff]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Inbound:
    """A webhook, read as far as ingress needs."""

    event_id: str
    """Linq's, or the webhook's id where the body has none."""
    type: str
    chat_id: str | None
    """None: it is about no chat."""
    message_id: str | None
    """None: it is about no message."""
    lane: str
    """Where the event waits its turn."""
    created_at: datetime | None
    """When it happened, as Linq says."""
    arrival: Arrival | None
    """What the store is to keep or to learn; None: nobody wants it."""

    @property
    def is_unwanted(self) -> bool:
        """Whether neither a handler nor a reply has anything of it."""
        return self.arrival is None or (self.arrival.item is None and self.arrival.receipt is None)


def read(body: bytes, *, webhook_id: str, wanted: Callable[[str], bool]) -> Inbound:
    """Say what is to be kept of a webhook; `wanted` tells whether handlers want events of a type.

    Repeats are recognised by event id (else `webhook_id`), a `message.received` also by its message id. News of a message
    under a key of ours is a receipt, wanted or not, and so is learned what an event teaches about people, lines and chats.
    An event that is kept can be read by `event_of` later. Raises `PayloadError` when that cannot be said: a repeat of the
    same bytes will not help.
    """
    parsed = _parsed(body)
    envelope = open_envelope(parsed, event_id=webhook_id)
    entry = known(envelope.type)
    lane = _lane(envelope, entry)
    item = InboxItem(event_id=envelope.event_id, lane=lane, type=envelope.type, body=body)
    created_at = moment(parsed.get("created_at"))
    return Inbound(
        event_id=envelope.event_id,
        type=envelope.type,
        chat_id=envelope.chat_id,
        message_id=envelope.message_id,
        lane=lane,
        created_at=created_at,
        arrival=_arrival(
            envelope, entry, item if wanted(envelope.type) else None, learn=lessons_of(envelope, created_at)
        ),
    )


def event_of(item: InboxItem, odd: Callable[[str], None] | None = None) -> Event:
    """The event that a kept webhook tells of; `odd` is told which fields contradict Linq's documentation.

    Raises `PayloadError` if its bytes are not Linq's.
    """
    return parse_event(_parsed(item.body), event_id=item.event_id, odd=odd)


def _lane(envelope: Envelope, entry: Known) -> str:
    """Receipts and typing never wait behind a slow handler; what is about no chat waits with its like."""
    if envelope.chat_id is None:
        return f"type:{envelope.type}"
    aside = entry.is_receipt or entry.model is Typing
    return f"{'out' if aside else 'chat'}:{envelope.chat_id}"


def _arrival(envelope: Envelope, entry: Known, item: InboxItem | None, *, learn: tuple[Fact, ...]) -> Arrival | None:
    receipt = _receipt(envelope) if entry.is_receipt else None
    if item is None:
        return Arrival(receipt=receipt, learn=learn) if receipt or learn else None
    check(envelope)
    return Arrival(remember=_remembered(envelope), item=item, receipt=receipt, learn=learn)


def _receipt(envelope: Envelope) -> Receipt | None:
    """News of a message that may be ours: under a key of ours, or under none (failures and polls have no key)."""
    key = envelope.data.get("idempotency_key") or ""
    if not isinstance(key, str) or len(key) > LONGEST_ID or (key and not is_own_key(key)):
        return None
    if envelope.message_id is None or (key and envelope.chat_id is None):
        return None
    lane = "" if envelope.chat_id is None else f"chat:{envelope.chat_id}"
    return Receipt(lane=lane, key=key, message_id=envelope.message_id, status=envelope.type.rpartition(".")[2])


def _remembered(envelope: Envelope) -> tuple[str, ...]:
    ids = (f"e:{envelope.event_id}",)
    return (*ids, f"m:{envelope.message_id}") if envelope.type == "message.received" else ids


def _parsed(body: bytes) -> dict[str, Any]:
    try:
        parsed = _DECODER.decode(body.decode("utf-8"))
    except (ValueError, RecursionError):
        raise PayloadError("the webhook's body is not JSON in UTF-8, so it cannot be read") from None
    if not isinstance(parsed, dict):
        raise PayloadError("the webhook's body is not a JSON object, so it cannot be read")
    if body.count(b"[") + body.count(b"{") > DEEPEST and _is_too_deep(parsed):
        raise PayloadError(f"the webhook's body nests deeper than {DEEPEST} levels, so it cannot be read")
    if _FORBIDDEN_ESCAPE.search(body):
        cleaned: dict[str, Any] = _cleaned(parsed)
        return cleaned
    return parsed


def _is_too_deep(parsed: object) -> bool:
    level = [parsed]
    for _ in range(DEEPEST):
        level = [inner for outer in level for inner in _inside(outer)]
        if not level:
            return False
    return True


def _inside(value: object) -> list[Any]:
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else []


def _cleaned(value: Any) -> Any:
    """Without what UTF-8 cannot carry (half surrogate pairs) or what ends a string elsewhere (NUL)."""
    if isinstance(value, str):
        return _FORBIDDEN.sub("\ufffd", value)
    if isinstance(value, list):
        return [_cleaned(item) for item in value]
    if isinstance(value, dict):
        return {_FORBIDDEN.sub("\ufffd", name): _cleaned(item) for name, item in value.items()}
    return value


def _refuse(constant: str) -> float:
    raise ValueError(constant)


def _finite(digits: str) -> float:
    number = float(digits)
    if number - number != 0:
        raise ValueError("beyond the range of a float")
    return number


_DECODER = json.JSONDecoder(parse_constant=_refuse, parse_float=_finite)
