"""news of a message + the sent index -> Delivery. What became of a reply, for the handlers that ask for it."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Literal, cast

from linqbot.errors import RegistrationError
from linqbot.events import Event, MessageEvent, MessageFailed, PollEvent, PollFailed
from linqbot.records import SentRecord

Status = Literal["sent", "failed", "delivered", "read"]
"""What can become of a message. `failed` is not always the end: `delivered` may follow (linq-api-v3.md section 9.4)."""

RANK: Mapping[str, int] = MappingProxyType({"sent": 1, "failed": 2, "delivered": 3, "read": 4})
"""How far each is; a message never goes back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SentReply:
    """Which reply of the bot's a message was."""

    event_id: str
    """The event that it answered."""
    handler: str
    position: int
    """Which of the handler's replies it was, from 0."""
    ref: str | None = None
    """What the handler called it: `Reply(..., ref=)`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """What became of a message of the bot's; a reply may name it: `Reply(..., reply_to=delivery)`."""

    status: Status
    message_id: str | None
    chat_id: str | None
    """None: Linq did not say."""
    reply: SentReply | None = None
    """None: it is not known (any more) which one it was; a message of somebody else on your account, for instance."""
    code: int | None = None
    """Why it failed (linq-api-v3.md section 2)."""
    reason: str = field(default="", repr=False)
    """Why it failed, in Linq's words."""
    at: datetime | None = None
    """When that happened, as Linq says."""


def status_of(event: Event) -> Status:
    """What a receipt tells."""
    return cast("Status", event.type.rpartition(".")[2])


def message_of(event: Event) -> str | None:
    """The message that a receipt is about."""
    if isinstance(event, MessageEvent):
        return event.id
    return event.message_id if isinstance(event, MessageFailed | PollEvent) else None


def delivery_of(event: Event, record: SentRecord | None) -> Delivery:
    """What a receipt tells of the reply that it is about."""
    code, reason = _why(event)
    status = status_of(event)
    moment = getattr(event, f"{status}_at", None)
    return Delivery(
        status=status,
        message_id=message_of(event),
        chat_id=event.chat_id,
        reply=None if record is None else _reply(record),
        code=code,
        reason=reason,
        at=moment if isinstance(moment, datetime) else event.created_at,
    )


def statuses_of(names: tuple[object, ...]) -> tuple[str, ...]:
    """The statuses that `delivery(...)` names, all when it names none. Raises `RegistrationError` for one that is none."""
    for name in names:
        if name not in RANK:
            close = difflib.get_close_matches(str(name), RANK, n=1)
            hint = f"did you mean {close[0]!r}?" if close else f"it is one of {', '.join(RANK)}"
            raise RegistrationError(f"delivery({name!r}) names nothing that becomes of a message; {hint}")
    return tuple(str(name) for name in names) or tuple(RANK)


def _why(event: Event) -> tuple[int | None, str]:
    if isinstance(event, MessageFailed):
        return event.code, event.reason
    if isinstance(event, PollFailed) and event.error is not None:
        return event.error.code, event.error.message
    return None, ""


def _reply(record: SentRecord) -> SentReply:
    return SentReply(event_id=record.event_id, handler=record.handler, position=record.position, ref=record.ref)
