"""Call -> Answer for messages: send, read, list, thread, delete (linq-api-v3.md section 7)."""

from __future__ import annotations

from linqbot.emulator import fields, finding, replays, shapes, typing_bubbles
from linqbot.emulator.entities import Message
from linqbot.emulator.linq import Linq
from linqbot.emulator.operation import NOTHING, Call, ok
from linqbot.emulator.rules import key_of, message_of, read_content
from linqbot.emulator.wire import Answer


def send_message(linq: Linq, call: Call) -> Answer:
    """POST /v3/chats/{chatId}/messages."""
    chat = finding.chat_to_act_in(linq, call)
    kept = replays.replay(linq, call, f"chat:{chat.id}", key_of(message_of(call.body)))
    if isinstance(kept, Answer):
        return kept
    people = tuple(person.handle for person in (chat.me, *chat.others))
    content = read_content(call.body, linq.vault, people=people, is_group=chat.is_group)
    linq.gate.check_recipients(chat.line, chat.handles, is_group=chat.is_group, override_optout=content.override_optout)
    message = linq.exchange.accept(chat, content, trace_id=call.trace_id, failure=call.failure)
    typing_bubbles.clear(linq, chat, call.trace_id)
    answer = ok({"chat_id": chat.id, "message": shapes.sent_message(message)}, 202)
    replays.keep(linq, message, answer, kept)
    return answer


def list_messages(linq: Linq, call: Call) -> Answer:
    """GET /v3/chats/{chatId}/messages (choices.MESSAGE_ORDER)."""
    page, cursor = finding.page(call, reversed(finding.chat(linq, call).messages), default=50)
    return ok({"messages": [shapes.message(message) for message in page], "next_cursor": cursor})


def get_message(linq: Linq, call: Call) -> Answer:
    """GET /v3/messages/{messageId}."""
    return ok(shapes.message(finding.message(linq, call)))


def delete_message(linq: Linq, call: Call) -> Answer:
    """DELETE /v3/messages/{messageId}: Linq's record only, phones keep the message."""
    linq.world.delete_message(finding.message(linq, call))
    return NOTHING


def get_thread(linq: Linq, call: Call) -> Answer:
    """GET /v3/messages/{messageId}/thread: where it began and all replies to it, by time."""
    message = finding.message(linq, call)
    order = call.query.get("order", "asc")
    if order not in ("asc", "desc"):
        raise fields.value("order must be asc or desc")
    root = _root(linq, message)
    thread = [one for one in message.chat.messages if _root(linq, one) == root]
    page, cursor = finding.page(call, thread if order == "asc" else reversed(thread), default=50)
    return ok({"messages": [shapes.message(one) for one in page], "next_cursor": cursor})


def _root(linq: Linq, message: Message) -> str:
    seen = {message.id}
    while message.reply_to is not None:
        parent = linq.world.messages.get(message.reply_to["message_id"])
        if parent is None or parent.id in seen:
            return str(message.reply_to["message_id"])
        seen.add(parent.id)
        message = parent
    return message.id
