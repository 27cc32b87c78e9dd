"""Envelope -> fields. Brings both payload versions, and all families of events, into one shape.

Looks at what is there, never at the stated version: fields appear at Linq without a new one (linq-api-v3.md section 8.5).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from linqbot.events.envelope import Envelope

_ACTORS = ("sender_handle", "from_handle", "actor_handle", "changed_by_handle")
_BARE_ACTORS = ("from", "sender_handle", "shared_by")

_KINDS: Mapping[str, type | tuple[type, ...]] = {
    **dict.fromkeys(("chat", "message", "recipient_handle"), dict),
    **dict.fromkeys(("chat_id", "message_id", "direction", "from", "recipient_phone"), str),
    **dict.fromkeys(_ACTORS, (dict, str)),
    "is_from_me": bool,
}
"""What tells who and where, under several names; section 8.6 has `sender_handle` as an object and as a string."""


def one_shape(envelope: Envelope, body: Mapping[str, Any], *, ours: bool = False) -> dict[str, Any]:
    """The fields of an event's model. `ours`: whether such an event is our own doing when the payload does not say."""
    data = envelope.data
    sender = _sender(data)
    from_me = _is_from_me(data, sender, ours=ours)
    fields = {**envelope.message, **data} if "message" in data else dict(data)
    made_at = fields.get("created_at")
    fields.update(
        event_id=envelope.event_id,
        type=envelope.type,
        created_at=body.get("created_at"),
        trace_id=body.get("trace_id"),
        webhook_version=body.get("webhook_version"),
        partner_id=body.get("partner_id"),
        chat_id=envelope.chat_id,
        chat=_chat(envelope, sender, from_me=from_me),
        sender=sender,
        is_from_me=from_me,
        raw=body,
    )
    if made_at is not None:
        fields["made_at"] = made_at
    if envelope.type.startswith("message."):
        fields["id"] = envelope.message_id
        fields["direction"] = data.get("direction") or ("outbound" if from_me else "inbound")
    return fields


def misshapen(data: Mapping[str, Any]) -> Iterator[str]:
    """The fields, of those that are brought into one shape, that hold something else than is documented."""
    for name, kind in _KINDS.items():
        if data.get(name) is not None and not isinstance(data[name], kind):
            yield name


def _sender(data: Mapping[str, Any]) -> dict[str, Any] | None:
    for name in _ACTORS:
        handle = data.get(name)
        if isinstance(handle, dict):
            return handle
    return next(({"handle": data[name]} for name in _BARE_ACTORS if isinstance(data.get(name), str)), None)


def _is_from_me(data: Mapping[str, Any], sender: Mapping[str, Any] | None, *, ours: bool) -> bool:
    direction = data.get("direction")
    if isinstance(direction, str):
        return direction == "outbound"
    said = data.get("is_from_me")
    if not isinstance(said, bool):
        who = sender or data.get("participant")
        said = who.get("is_me") if isinstance(who, Mapping) else None
    return said if isinstance(said, bool) else ours


def _chat(envelope: Envelope, sender: Mapping[str, Any] | None, *, from_me: bool) -> dict[str, Any] | None:
    chat_id, data = envelope.chat_id, envelope.data
    if chat_id is None:
        return None
    chat = data if envelope.type == "chat.created" else data.get("chat")
    if isinstance(chat, dict):
        return chat if chat.get("id") == chat_id else {**chat, "id": chat_id}
    line = sender if from_me else _recipient(data)
    return {"id": chat_id, "is_group": data.get("is_group"), "owner_handle": line}


def _recipient(data: Mapping[str, Any]) -> dict[str, Any] | None:
    handle, phone = data.get("recipient_handle"), data.get("recipient_phone")
    if isinstance(handle, dict):
        return handle
    return {"handle": phone, "is_me": True} if isinstance(phone, str) else None
