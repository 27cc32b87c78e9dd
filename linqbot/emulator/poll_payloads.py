"""poll -> data of a webhook; one shape in both payload versions (linq-api-v3.md section 8.6)."""

from __future__ import annotations

from linqbot.emulator import payloads, shapes
from linqbot.emulator.entities import Json, Message, Option, Person


def happened(message: Message, event_type: str, _version: str) -> Json:
    """Data of poll.received, .sent, .delivered and .read."""
    assert message.poll is not None  # only polls are told like this
    times: Json = {"received_at": shapes.iso(message.sent_ms)}
    if event_type != "poll.received":
        times = {
            name: shapes.iso(getattr(message, f"{name[:-3]}_ms")) for name in ("sent_at", "delivered_at", "read_at")
        }
    return (
        _core(message, message.sender)
        | {
            "poll": shapes.poll(message.poll),
            "created_at": shapes.moment(message.created_ms),
            "updated_at": shapes.moment(message.updated_ms),
        }
        | times
    )


def failed(message: Message, *, code: int, reason: str, failed_ms: int) -> Json:
    """Data of poll.failed."""
    assert message.poll is not None  # only polls are told like this
    return _core(message, message.sender) | {
        "poll": shapes.poll(message.poll),
        "error": {"code": code, "message": reason},
        "failed_at": shapes.moment(failed_ms),
    }


def updated(message: Message, by: Person, added: list[Option]) -> Json:
    """Data of poll.updated; its `sender_handle` is our line whoever added (section 8.6)."""
    return _core(message, message.chat.me) | {
        "direction": "outbound" if by.is_me else "inbound",
        "added_options": [shapes.option(option) for option in added],
    }


def voted(message: Message, by: Person, option: Option) -> Json:
    """Data of poll.vote.added and poll.vote.removed."""
    return _core(message, by) | {"option_id": option.id}


def _core(message: Message, sender: Person) -> Json:
    data: Json = {
        "chat": payloads.chat_core(message.chat),
        "message_id": message.id,
        "direction": "outbound" if sender.is_me else "inbound",
        "service": message.service or message.chat.service,
        "sender_handle": shapes.handle(sender),
    }
    return data | {"zero_retention": True} if message.zero_retention else data
