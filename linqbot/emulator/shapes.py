"""entity -> JSON. The shapes Linq answers with: `response.*.json` and linq-api-v3.md section 5."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache

from linqbot.emulator.entities import Card, Chat, Json, Line, Message, Option, Person, Poll, Reaction, Subscription
from linqbot.emulator.world import Block, Heard, Share

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
        "left_at": iso(person.left_ms),
        "status": person.status,
    }


def health(chat: Chat) -> Json:
    """`HealthStatus`."""
    anchor = chat.health.lower().replace("_", "-")
    return {
        "status": chat.health,
        "doc_url": f"{_DOCS}/guides/chats/chat-health#{anchor}",
        "updated_at": moment(chat.health_ms),
    }


def chat_core(chat: Chat) -> Json:
    """What every shape of a chat has."""
    return {
        "id": chat.id,
        "display_name": chat.name or ", ".join(person.handle for person in (chat.me, *chat.others)),
        "service": chat.service,
        "is_group": chat.is_group,
        "handles": [handle(person) for person in chat.people],
        "health_status": health(chat),
    }


def chat(chat: Chat) -> Json:
    """`Chat`: `response.chats.retrieve.json`."""
    return chat_core(chat) | {
        "group_chat_icon": chat.icon,
        "is_archived": False,
        "created_at": moment(chat.created_ms),
        "updated_at": moment(chat.updated_ms),
    }


def chat_info(chat: Chat) -> Json:
    """`ChatInfo`: `response.chats.voicememo.json`."""
    return {
        "id": chat.id,
        "handles": [handle(person) for person in chat.people],
        "is_active": not chat.was_left,
        "is_group": chat.is_group,
        "service": chat.service,
    }


def created_chat(chat: Chat, message: Message) -> Json:
    """`CreateChatResult`: `response.chats.create.json`."""
    return {"chat": chat_core(chat) | {"message": sent_message(message)}}


def _part(message: Message, index: int, part: Json) -> Json:
    reactions = [reaction(one) for one in message.reactions_to(index)] or None
    if part.get("type") == "text":
        return {"text_decorations": None, "reactions": reactions} | part
    return {"reactions": reactions} | part


def reaction(one: Reaction) -> Json:
    """`Reaction`, as on a part of a message."""
    return {
        "id": one.id,
        "type": one.type,
        "is_me": one.person.is_me,
        "handle": handle(one.person),
        "custom_emoji": one.custom_emoji,
        "sticker": one.sticker,
    }


def sent_message(message: Message) -> Json:
    """`SentMessage`: `response.messages.send.json`."""
    return {
        "id": message.id,
        "created_at": moment(message.created_ms),
        "delivery_status": message.status,
        "is_read": message.read_ms is not None,
        "parts": [_part(message, index, part) for index, part in enumerate(message.shown_parts)],
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
    recovered = {} if message.reconciled_ms is None else {"reconciled_at": moment(message.reconciled_ms)}
    return (
        sent_message(message)
        | recovered
        | {
            "chat_id": message.chat.id,
            "updated_at": moment(message.updated_ms),
            "read_at": iso(message.read_ms),
            "is_delivered": message.delivered_ms is not None,
            "is_from_me": message.sender.is_me,
            "from": message.sender.handle,
        }
    )


def line(line: Line) -> Json:
    """One of `response.phone_numbers.list.json`."""
    return {
        "id": line.id,
        "phone_number": line.phone,
        "forwarding_number": line.forwarding_number,
        "line_type": line.line_type,
        "reputation": {
            "status": line.reputation,
            "doc_url": f"{_DOCS}/guides/phone-numbers/phone-reputation#{line.reputation.lower().replace('_', '-')}",
        },
    }


def line_with_capabilities(line: Line) -> Json:
    """One of the deprecated GET /v3/phonenumbers."""
    able = {"sms": True, "mms": True, "voice": True}
    return {"id": line.id, "phone_number": line.phone, "type": None, "country_code": "US", "capabilities": able}


def card(line: Line, one: Card) -> Json:
    """One of `response.contact_card.retrieve.json`."""
    optional = {"last_name": one.last_name, "image_url": one.image_url}
    return {"phone_number": line.phone, "first_name": one.first_name, "is_active": True} | {
        name: word for name, word in optional.items() if word is not None
    }


def feature(share: Share) -> Json:
    """One person of `response.location.retrieve.json`."""
    return {
        "type": "Feature",
        "geometry": {"type": "Point", "coordinates": [share.longitude, share.latitude]},
        "properties": {"handle": share.handle, "updated_at": moment(share.updated_ms)},
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


def block(one: Block) -> Json:
    """One of `response.blocked_handles.list.json`."""
    reason = {} if one.reason is None else {"reason": one.reason}
    return {"handle": one.handle, "blocked_at": moment(one.at_ms)} | reason


def accepted(message: str, trace_id: str) -> Json:
    """What Linq says when it will see to something: `response.chats.leave.json`."""
    return {"status": "accepted", "message": message, "trace_id": trace_id}


def poll(one: Poll) -> Json:
    """The answers of a poll with who voted for them."""
    return {
        "options": [option(option_) for option_ in one.options],
        "total_voters": len({voter for option_ in one.options for voter in option_.voters}),
    }


def option(one: Option) -> Json:
    """One answer of a poll."""
    return {
        "option_id": one.id,
        "text": one.text,
        "can_be_edited": False,
        "creator_handle": handle(one.creator),
        "voters": [{"handle": voter, "voted_at": moment(at_ms)} for voter, at_ms in one.voters.items()],
    }


def poll_envelope(message: Message, poll_: Poll) -> Json:
    """`PollEnvelope`: `response.polls.create.json`."""
    return {
        "chat_id": message.chat.id,
        "message_id": message.id,
        "created_at": moment(message.created_ms),
        "updated_at": moment(message.updated_ms),
        "poll": poll(poll_),
        "reactions": [reaction(one) for one in message.reactions],
    }
