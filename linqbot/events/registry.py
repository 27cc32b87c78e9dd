"""parsed JSON -> Event. Every event type that Linq is known to send, and the model it is read into.

The names are those of the official SDK (`linq.types.WebhookEventType`, linq-python 0.65.0), compared by a test.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from pydantic import ValidationError

from linqbot.errors import PayloadError
from linqbot.events.account import (
    AccountEvent,
    ConnectionUpdated,
    ContactCardReceived,
    LineChanged,
    LocationSharing,
    PaymentUpdated,
)
from linqbot.events.envelope import Envelope, open_envelope
from linqbot.events.event import Event, UnknownEvent
from linqbot.events.group import (
    BackgroundUpdated,
    ChatCreated,
    ChatUpdateFailed,
    ChatValueUpdated,
    Participation,
    Typing,
)
from linqbot.events.message import (
    Message,
    MessageDelivered,
    MessageEdited,
    MessageFailed,
    MessageRead,
    MessageSent,
)
from linqbot.events.oddities import oddities
from linqbot.events.poll import PollEvent, PollFailed, PollUpdated, PollVote
from linqbot.events.reaction import Reaction
from linqbot.events.shape import misshapen, one_shape


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What linqbot knows of an event type."""

    model: type[Event]
    has_chat: bool = True
    """Whether it can be about a chat, so that a reply is possible; the payload may still leave the chat out."""
    is_receipt: bool = False
    """Whether it tells what became of something that we sent."""
    needs_message: bool = False
    """Whether it is of no use without the ids of its message and its chat."""
    passed_through: str = ""
    """Why it has no model of its own; empty: it has one."""


_CALL = Known(
    model=UnknownEvent, passed_through="the calls API is in early access and its payloads are documented nowhere"
)
_UNKNOWN = Known(model=UnknownEvent, passed_through="newer than this linqbot")
_ACCOUNT = Known(model=AccountEvent, has_chat=False)
_LINE = Known(model=LineChanged, has_chat=False)
_PAYMENT = Known(model=PaymentUpdated, has_chat=False)
_CONNECTION = Known(model=ConnectionUpdated, has_chat=False)
_POLL_RECEIPT = Known(model=PollEvent, is_receipt=True)


def _receipt(model: type[Event]) -> Known:
    return Known(model=model, is_receipt=True, needs_message=True)


def _each(prefix: str, names: str, known: Known) -> dict[str, Known]:
    return {f"{prefix}.{name}": known for name in names.split()}


REGISTRY: Mapping[str, Known] = MappingProxyType(
    {
        "message.received": Known(model=Message, needs_message=True),
        "message.sent": _receipt(MessageSent),
        "message.delivered": _receipt(MessageDelivered),
        "message.read": _receipt(MessageRead),
        "message.failed": Known(model=MessageFailed, is_receipt=True),
        "message.edited": Known(model=MessageEdited, needs_message=True),
        "reaction.added": Known(model=Reaction),
        "reaction.removed": Known(model=Reaction),
        "participant.added": Known(model=Participation),
        "participant.removed": Known(model=Participation),
        "chat.created": Known(model=ChatCreated),
        **_each("chat", "group_name_updated group_icon_updated", Known(model=ChatValueUpdated)),
        **_each(
            "chat",
            "group_name_update_failed group_icon_update_failed background_update_failed",
            Known(model=ChatUpdateFailed),
        ),
        "chat.background_updated": Known(model=BackgroundUpdated),
        **_each("chat.typing_indicator", "started stopped", Known(model=Typing)),
        "poll.received": Known(model=PollEvent),
        **_each("poll", "sent delivered read", _POLL_RECEIPT),
        "poll.failed": Known(model=PollFailed, is_receipt=True),
        "poll.updated": Known(model=PollUpdated),
        **_each("poll.vote", "added removed", Known(model=PollVote)),
        "poll.reaction.added": Known(model=Reaction),
        **_each("phone_number", "status_updated assigned released", _LINE),
        "contact_card.received": Known(model=ContactCardReceived, has_chat=False),
        **_each("location.sharing", "started stopped", Known(model=LocationSharing)),
        **_each("payment", "succeeded canceled expired declined authorized", _PAYMENT),
        **_each("connection", "created revoked", _CONNECTION),
        **_each("call", "initiated ringing answered ended failed declined no_answer", _CALL),
        "zero_day_retention.updated": _ACCOUNT,
        "phone_number.forwarding_updated": _ACCOUNT,
        **_each("environment", "line_moved created renamed deleted", _ACCOUNT),
        **_each("contact_card", "created updated deleted", _ACCOUNT),
        **_each("api_token", "created renamed expiry_scheduled expired activated deleted", _ACCOUNT),
        **_each(
            "webhook_subscription",
            "created deleted target_url_changed enabled disabled events.updated phone_numbers.updated"
            " routing_headers_set routing_headers_cleared",
            _ACCOUNT,
        ),
        **_each("team_member", "added signed_in signed_out", _ACCOUNT),
    }
)
"""The event types that Linq is known to send."""


def known(event_type: str) -> Known:
    """What linqbot knows of an event type; of one that it does not know, that it is passed through."""
    return REGISTRY.get(event_type, _UNKNOWN)


def check(envelope: Envelope) -> Known:
    """What is known of the envelope's type, once its event is sure to be readable.

    Raises `PayloadError` when the ids are missing without which nobody could handle it.
    """
    entry = known(envelope.type)
    chat_missing = (entry.needs_message or entry.model is ChatCreated) and envelope.chat_id is None
    if chat_missing or (entry.needs_message and envelope.message_id is None):
        lacks = "chat" if chat_missing else "message"
        raise PayloadError(f"event {envelope.event_id} does not say of which {lacks} it is, so it cannot be handled")
    return entry


def parse_event(body: Mapping[str, Any], *, event_id: str = "", odd: Callable[[str], None] | None = None) -> Event:
    """The event that a webhook's parsed body tells of; `event_id` serves where the body has none.

    Raises `PayloadError` when type or event id are missing, or the message's and chat's ids of an event about a message.
    Whatever else is not as documented is read as far as it can be, and kept in `raw`; `odd` is told the field's name.
    """
    envelope = open_envelope(body, event_id=event_id)
    entry = check(envelope)
    fields = one_shape(envelope, body, ours=entry.is_receipt)
    try:
        event = entry.model.model_validate(fields)
    except ValidationError:
        raise PayloadError(
            f"event {envelope.event_id} holds names that are not text, so it cannot be handled"
        ) from None
    if odd is not None and not entry.passed_through:
        for name in dict.fromkeys((*misshapen(envelope.data), *oddities(event, fields))):
            odd(name)
    return event
