"""entity -> JSON. The shapes Linq answers with and the webhooks it sends, in both payload versions.

Answers: `response.*.json` and linq-api-v3.md section 5. Webhooks: sections 8.4 to 8.6 and the fixtures of each event;
optional keys (`reply_to` and `effect` in the old version, `reply_to` of our own messages in the new one) are there only
when set, as in the fixtures.
"""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from linqbot.emulator.world import Chat, Heard, Json, Line, Message, Person, Subscription

NEW, OLD = "2026-02-03", "2025-01-01"
VERSIONS = (NEW, OLD)

_DOCS = "https://docs.linqapp.com"


def iso(time_ms: int | None) -> str | None:
    """A time as Linq writes it (ISO 8601, milliseconds, Z), or null."""
    return None if time_ms is None else moment(time_ms)


def moment(time_ms: int) -> str:
    """A time as Linq writes it."""
    return f"{_second(time_ms // 1000)}.{time_ms % 1000:03d}Z"


@lru_cache(maxsize=4096)
def _second(time_s: int) -> str:
    return datetime.fromtimestamp(time_s, UTC).strftime("%Y-%m-%dT%H:%M:%S")


def handle(person: Person) -> Json:
    """`ChatHandle`."""
    return {
        "id": person.id,
        "handle": person.handle,
        "joined_at": moment(person.joined_ms),
        "service": person.service,
        "is_me": person.is_me,
        "left_at": None,
        "status": "active",
    }


def health(chat: Chat) -> Json:
    """`HealthStatus`."""
    anchor = chat.health.lower().replace("_", "-")
    return {
        "status": chat.health,
        "doc_url": f"{_DOCS}/guides/chats/chat-health#{anchor}",
        "updated_at": moment(chat.health_ms),
    }


def _chat_core(chat: Chat) -> Json:
    return {
        "id": chat.id,
        "display_name": ", ".join(person.handle for person in (chat.me, *chat.others)),
        "service": chat.service,
        "is_group": chat.is_group,
        "handles": [handle(person) for person in (chat.me, *chat.others)],
        "health_status": health(chat),
    }


def chat(chat: Chat) -> Json:
    """`Chat`: `response.chats.retrieve.json`."""
    return _chat_core(chat) | {
        "group_chat_icon": None,
        "is_archived": False,
        "created_at": moment(chat.created_ms),
        "updated_at": moment(chat.updated_ms),
    }


def created_chat(chat: Chat, message: Message) -> Json:
    """`CreateChatResult`: `response.chats.create.json`."""
    return {"chat": _chat_core(chat) | {"message": sent_message(message)}}


def _part(part: Json) -> Json:
    if part.get("type") == "text":
        return {"text_decorations": None, "reactions": None} | part
    return {"reactions": None} | part


def sent_message(message: Message) -> Json:
    """`SentMessage`: `response.messages.send.json`."""
    return {
        "id": message.id,
        "created_at": moment(message.created_ms),
        "delivery_status": message.status,
        "is_read": message.read_ms is not None,
        "parts": [_part(part) for part in message.parts],
        "sent_at": iso(message.sent_ms),
        "delivered_at": iso(message.delivered_ms),
        "effect": message.effect,
        "from_handle": handle(message.sender),
        "preferred_service": message.preferred_service,
        "reply_to": message.reply_to,
        "service": message.service,
    }


def message(message: Message) -> Json:
    """`Message`: `response.messages.retrieve.json`."""
    return sent_message(message) | {
        "chat_id": message.chat.id,
        "updated_at": moment(message.updated_ms),
        "read_at": iso(message.read_ms),
        "is_delivered": message.delivered_ms is not None,
        "is_from_me": message.sender.is_me,
        "from": message.sender.handle,
    }


def line(line: Line) -> Json:
    """One of `response.phone_numbers.list.json`."""
    return {
        "id": line.id,
        "phone_number": line.phone,
        "forwarding_number": None,
        "line_type": "iMessage",
        "reputation": {"status": "HEALTHY", "doc_url": f"{_DOCS}/guides/phone-numbers/phone-reputation#healthy"},
    }


def subscription(one: Subscription) -> Json:
    """A subscription without its secret: `response.webhook_subscriptions.retrieve.json`."""
    return {
        "id": one.id,
        "target_url": one.target_url,
        "subscribed_events": list(one.events),
        "phone_numbers": None if one.phone_numbers is None else list(one.phone_numbers),
        "is_active": one.is_active,
        "created_at": moment(one.created_ms),
        "updated_at": moment(one.updated_ms),
        "routing_key_header": one.routing_key_header,
        "routing_id_header": one.routing_id_header,
    }


def heard(one: Heard) -> Json:
    """One entry of the transcript (design.md section 9)."""
    return {
        "message_id": one.message_id,
        "chat_id": one.chat_id,
        "parts": list(one.parts),
        "reply_to": one.reply_to,
        "effect": one.effect,
        "idempotency_key": one.idempotency_key,
        "at": one.at,
    }


def chat_created(chat: Chat, version: str) -> Json:
    """Data of chat.created; the old version has no health."""
    data = _chat_core(chat) | {"created_at": moment(chat.created_ms), "updated_at": moment(chat.updated_ms)}
    if version == OLD:
        del data["health_status"]
    return data


def message_event(message: Message, event_type: str, version: str) -> Json:
    """Data of message.received, .sent, .delivered and .read."""
    return _old_message_event(message, event_type) if version == OLD else _new_message_event(message)


def _new_message_event(message: Message) -> Json:
    ours = message.sender.is_me
    chat = message.chat
    data: Json = {
        "chat": {
            "id": chat.id,
            "is_group": chat.is_group,
            "owner_handle": handle(chat.me),
            "health_status": health(chat),
        },
        "id": message.id,
        "direction": "outbound" if ours else "inbound",
        "sender_handle": handle(message.sender),
        "parts": message.parts,
        "effect": message.effect,
        "sent_at": iso(message.sent_ms),
        "delivered_at": iso(message.delivered_ms),
        "read_at": iso(message.read_ms),
        "service": message.service,
    }
    if ours:
        data |= {"idempotency_key": message.idempotency_key, "preferred_service": message.preferred_service}
    if not ours or message.reply_to is not None:
        data["reply_to"] = message.reply_to
    return data


def _old_message_event(message: Message, event_type: str) -> Json:
    ours = message.sender.is_me
    chat = message.chat
    inner: Json = {
        "id": message.id,
        "parts": message.parts,
        "created_at": moment(message.created_ms),
        "updated_at": moment(message.updated_ms),
        "sent_at": iso(message.sent_ms),
        "delivered_at": iso(message.delivered_ms),
        "read_at": iso(message.read_ms),
        "is_delivered": message.delivered_ms is not None,
        "is_read": message.read_ms is not None,
    }
    inner |= {key: value for key, value in _extras(message) if value is not None}
    data: Json = {
        "chat_id": chat.id,
        "from": message.sender.handle,
        "from_handle": handle(message.sender),
        "idempotency_key": message.idempotency_key,
        "is_from_me": ours,
        "is_group": chat.is_group,
        "message": inner,
        "preferred_service": message.preferred_service,
        "received_at": None if ours else iso(message.sent_ms),
        "recipient_handle": None if ours else handle(chat.me),
        "recipient_phone": None,
        "service": message.service,
    }
    stamp = {"message.delivered": "delivered_at", "message.read": "read_at"}.get(event_type)
    return data if stamp is None else data | {"message_id": message.id, stamp: inner[stamp]}


def _extras(message: Message) -> tuple[tuple[str, Any], ...]:
    return (("effect", message.effect), ("reply_to", message.reply_to))


def message_failed(message: Message, *, code: int, reason: str, failed_ms: int) -> Json:
    """Data of message.failed: its own shape, the same in both versions (`message.failed.*.detailed.json`)."""
    data: Json = {
        "chat_id": message.chat.id,
        "message_id": message.id,
        "code": code,
        "reason": reason,
        "failed_at": moment(failed_ms),
    }
    if message.service is not None:
        data["service"] = message.service
    if message.preferred_service is not None:
        data["preferred_service"] = message.preferred_service
    return data
