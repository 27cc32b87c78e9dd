"""Call -> another text in a message that was sent (linq-api-v3.md section 7.5).

choices.EDIT_LIMIT, choices.EDIT_OTHERS, choices.EDIT_DECORATIONS.
"""

from __future__ import annotations

from linqbot.emulator import choices, fields, finding, payloads, shapes, texts
from linqbot.emulator.entities import Json, Message
from linqbot.emulator.fields import content
from linqbot.emulator.linq import Linq
from linqbot.emulator.operation import NOTHING, Call, ok
from linqbot.emulator.problems import Problem
from linqbot.emulator.reactions import service_of
from linqbot.emulator.wire import Answer

MOST_EDITS = 5
WITHIN_MS = 15 * 60_000


def edit_message(linq: Linq, call: Call) -> Answer:
    """PATCH /v3/messages/{messageId}: 204 when Linq's record of it was deleted."""
    message, body = finding.any_message(linq, call), fields.mapping(call.body, "body")
    linq.gate.check_chat(message.chat)
    text = texts.read_string(body.get("text"), "text", most=texts.MOST_TEXT)
    index = _check(linq, message, body.get("part_index"))
    message.edits += 1
    change_text(linq, message, index, text)
    linq.lifecycle.soon(lambda: tell(linq, message, index, text, call.trace_id))
    return NOTHING if message.is_deleted else ok(shapes.message(message))


def change_text(linq: Linq, message: Message, index: int, text: str) -> None:
    """Let a part say something else; what decorated it is gone."""
    part: Json = {"type": "text", "value": text}
    message.parts = [*message.parts[:index], part, *message.parts[index + 1 :]]
    message.updated_ms = linq.clock.now_ms()


def tell(linq: Linq, message: Message, index: int, text: str, trace_id: str) -> None:
    """Announce an edit, ours or theirs; only the newer payload version knows it (section 8.6)."""
    now_ms = linq.clock.now_ms()
    data = payloads.message_edited(message, index, text, edited_ms=now_ms)
    linq.lifecycle.tell(message.chat, "message.edited", data, trace_id, only=payloads.NEW)
    if message.sender.is_me:
        at = shapes.moment(now_ms)
        linq.world.add_deed("edited", message.chat, at, message_id=message.id, part_index=index, text=text)


def _check(linq: Linq, message: Message, index: object) -> int:
    if not message.sender.is_me:
        raise Problem(*choices.EDIT_OTHERS, "Only your own messages can be edited")
    if service_of(message) != "iMessage":
        raise Problem(409, 2017, "Editing is only supported over iMessage")
    at = 0 if index is None else index
    if type(at) is not int or not 0 <= at < len(message.parts):
        raise fields.value("part_index is not a part of the message")
    if message.parts[at].get("type") != "text":
        raise content("Only text parts can be edited")
    since_ms = message.created_ms if message.sent_ms is None else message.sent_ms
    if message.edits >= MOST_EDITS or linq.clock.now_ms() > since_ms + WITHIN_MS:
        raise Problem(*choices.EDIT_LIMIT, "A message can be edited 5 times within 15 minutes")
    return at
