"""entity -> data of a webhook, in both payload versions (linq-api-v3.md sections 8.4 to 8.6 and the fixture of each event).

Optional keys (`reply_to` and `effect` in the old version, `reply_to` of our own messages in the new one) are there only
when set, as in the fixtures. What has one shape in both versions takes no version.
"""

from __future__ import annotations

from typing import Any

from linqbot.emulator import shapes
from linqbot.emulator.entities import Chat, Json, Line, Message, Person, Reaction
from linqbot.emulator.world import Share

NEW, OLD = "2026-02-03", "2025-01-01"
VERSIONS = (NEW, OLD)


def chat_created(chat: Chat, version: str) -> Json:
    """Data of chat.created; the old version has no health."""
    data = shapes.chat_core(chat) | {
        "created_at": shapes.moment(chat.created_ms),
        "updated_at": shapes.moment(chat.updated_ms),
    }
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
        "chat": chat_core(chat) | {"health_status": shapes.health(chat)},
        "id": message.id,
        "direction": "outbound" if ours else "inbound",
        "sender_handle": shapes.handle(message.sender),
        "parts": message.shown_parts,
        "effect": message.effect,
        "sent_at": shapes.iso(message.sent_ms),
        "delivered_at": shapes.iso(message.delivered_ms),
        "read_at": shapes.iso(message.read_ms),
        "service": message.service,
    }
    if ours:
        data |= {"idempotency_key": message.idempotency_key, "preferred_service": message.preferred_service}
    if not ours or message.reply_to is not None:
        data["reply_to"] = message.reply_to
    if message.reconciled_ms is not None:
        data["reconciled_at"] = shapes.moment(message.reconciled_ms)
    if message.zero_retention:
        data["zero_retention"] = True
    return data


def _old_message_event(message: Message, event_type: str) -> Json:
    ours = message.sender.is_me
    chat = message.chat
    inner: Json = {
        "id": message.id,
        "parts": message.shown_parts,
        "created_at": shapes.moment(message.created_ms),
        "updated_at": shapes.moment(message.updated_ms),
        "sent_at": shapes.iso(message.sent_ms),
        "delivered_at": shapes.iso(message.delivered_ms),
        "read_at": shapes.iso(message.read_ms),
        "is_delivered": message.delivered_ms is not None,
        "is_read": message.read_ms is not None,
    }
    inner |= {key: value for key, value in _extras(message) if value is not None}
    data: Json = {
        "chat_id": chat.id,
        "from": message.sender.handle,
        "from_handle": shapes.handle(message.sender),
        "idempotency_key": message.idempotency_key,
        "is_from_me": ours,
        "is_group": chat.is_group,
        "message": inner,
        "preferred_service": message.preferred_service,
        "received_at": None if ours else shapes.iso(message.sent_ms),
        "recipient_handle": None if ours else shapes.handle(chat.me),
        "recipient_phone": None,
        "service": message.service,
    }
    stamp = {"message.delivered": "delivered_at", "message.read": "read_at"}.get(event_type)
    return data if stamp is None else data | {"message_id": message.id, stamp: inner[stamp]}


def _extras(message: Message) -> tuple[tuple[str, Any], ...]:
    return (
        ("effect", message.effect),
        ("reply_to", message.reply_to),
        ("reconciled_at", shapes.iso(message.reconciled_ms)),
    )


def message_failed(message: Message, *, code: int, reason: str, failed_ms: int) -> Json:
    """Data of message.failed: its own shape, the same in both versions (`message.failed.*.detailed.json`)."""
    data: Json = {
        "chat_id": message.chat.id,
        "message_id": message.id,
        "code": code,
        "reason": reason,
        "failed_at": shapes.moment(failed_ms),
    }
    if message.service is not None:
        data["service"] = message.service
    if message.preferred_service is not None:
        data["preferred_service"] = message.preferred_service
    return data


def message_edited(message: Message, index: int, text: str, *, edited_ms: int) -> Json:
    """Data of message.edited; our own text is not kept on a zero-retention line (section 9.5)."""
    ours = message.sender.is_me
    data: Json = {
        "chat": chat_core(message.chat) | {"health_status": shapes.health(message.chat)},
        "id": message.id,
        "direction": "outbound" if ours else "inbound",
        "sender_handle": shapes.handle(message.sender),
        "part": {"index": index, "text": "" if ours and message.zero_retention else text},
        "edited_at": shapes.moment(edited_ms),
    }
    return data | {"zero_retention": True} if message.zero_retention else data


def reaction(message: Message, one: Reaction) -> Json:
    """Data of reaction.added, reaction.removed and poll.reaction.added."""
    return {
        "chat_id": message.chat.id,
        "message_id": message.id,
        "part_index": one.part_index,
        "reaction_id": one.id,
        "reaction_type": one.type,
        "custom_emoji": one.custom_emoji,
        "is_from_me": one.person.is_me,
        "from": one.person.handle,
        "from_handle": shapes.handle(one.person),
        "service": message.service or message.chat.service,
        "reacted_at": shapes.moment(one.at_ms),
        "sticker": one.sticker,
    }


def typing(chat: Chat, person: Person) -> Json:
    """Data of chat.typing_indicator.started and .stopped."""
    return {"chat_id": chat.id, "actor_handle": shapes.handle(person)}


def participant(chat: Chat, person: Person) -> Json:
    """Data of participant.added and participant.removed."""
    at = {"added_at": shapes.moment(person.joined_ms)}
    if person.left_ms is not None:
        at = {"removed_at": shapes.moment(person.left_ms)}
    return {"chat_id": chat.id, "handle": person.handle, "participant": shapes.handle(person)} | at


def group_updated(chat: Chat, by: Person, *, old: str | None, new: str | None) -> Json:
    """Data of chat.group_name_updated and chat.group_icon_updated."""
    return {
        "chat_id": chat.id,
        "old_value": old,
        "new_value": new,
        "changed_by_handle": shapes.handle(by),
        "updated_at": shapes.moment(chat.updated_ms),
    }


def update_failed(chat: Chat, code: int, *, failed_ms: int) -> Json:
    """Data of the events that a name, an icon or a background could not be changed."""
    return {"chat_id": chat.id, "error_code": code, "failed_at": shapes.moment(failed_ms)}


def background(chat: Chat, by: Person) -> Json:
    """Data of chat.background_updated; without a background it was removed."""
    return {"chat": chat_core(chat), "actor_handle": shapes.handle(by), "background": chat.background}


def sharing_started(chat: Chat, share: Share) -> Json:
    """Data of location.sharing.started."""
    return {
        "shared_by": share.handle,
        "shared_with": chat.line,
        "began_at": shapes.moment(share.began_ms),
        "ends_at": shapes.iso(share.ends_ms),
        "chat_id": chat.id,
    }


def sharing_stopped(chat: Chat, share: Share, *, ended_ms: int) -> Json:
    """Data of location.sharing.stopped."""
    return {
        "shared_by": share.handle,
        "shared_with": chat.line,
        "began_at": shapes.moment(share.began_ms),
        "ended_at": shapes.moment(ended_ms),
        "chat_id": chat.id,
    }


def status_updated(line: Line, *, status: str, reputation: str, changed_ms: int) -> Json:
    """Data of phone_number.status_updated; `status` and `reputation` are those before."""
    return {
        "phone_number": line.phone,
        "previous_status": status,
        "new_status": line.status,
        "previous_reputation": reputation,
        "new_reputation": line.reputation,
        "changed_at": shapes.moment(changed_ms),
    }


def card_received(line: str, sender: str, *, first_name: str, last_name: str, media_url: str | None) -> Json:
    """Data of contact_card.received."""
    return {
        "owner_handle": line,
        "sender_handle": sender,
        "first_name": first_name,
        "last_name": last_name,
        "media_url": media_url,
    }


def chat_core(chat: Chat) -> Json:
    """What every event tells of its chat."""
    return {"id": chat.id, "is_group": chat.is_group, "owner_handle": shapes.handle(chat.me)}
