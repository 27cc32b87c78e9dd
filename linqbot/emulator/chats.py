"""Call -> Answer for chats: open, list, read, mark as read (linq-api-v3.md sections 7 and 7.1)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from linqbot.emulator import choices, fields, finding, replays, services, shapes, typing_bubbles
from linqbot.emulator.entities import Chat
from linqbot.emulator.linq import Linq
from linqbot.emulator.operation import NOTHING, Call, ok
from linqbot.emulator.problems import Problem
from linqbot.emulator.rules import Content, check_first, key_of, message_of, read_content
from linqbot.emulator.wire import Answer

MOST_RECIPIENTS = 31


def create_chat(linq: Linq, call: Call) -> Answer:
    """POST /v3/chats: the chat of this line with exactly these people, reused or new (section 7.1)."""
    body = fields.mapping(call.body, "body")
    line = fields.phone(body.get("from"), "from")
    recipients = read_recipients(body.get("to"))
    finding.own_line(linq, line)
    others = frozenset(recipients)
    kept = replays.replay(linq, call, f"to:{line}:{sorted(others)}", key_of(message_of(body)))
    if isinstance(kept, Answer):
        return kept
    content = read_content(body, linq.vault, people=(line, *recipients), is_group=len(others) > 1)
    chat = linq.world.chat_of(line, others)
    is_reused = chat is not None and chat.is_reusable
    if not is_reused:
        check_first(content)
    linq.gate.check_recipients(line, others, is_group=len(others) > 1, override_optout=content.override_optout)
    if chat is None or not is_reused:
        chat = open_chat(linq, line, recipients, content, call.trace_id)
    message = linq.exchange.accept(chat, content, trace_id=call.trace_id, failure=call.failure)
    typing_bubbles.clear(linq, chat, call.trace_id)
    answer = ok(shapes.created_chat(chat, message), choices.REUSE_STATUS if is_reused else 201)
    replays.keep(linq, message, answer, kept)
    return answer


def read_recipients(given: Any) -> list[str]:
    """The people a request is for, each once."""
    handles = fields.listing(given, "to", least=1, most=MOST_RECIPIENTS)
    return list(dict.fromkeys(fields.handle(one, "to") for one in handles))


def open_chat(linq: Linq, line: str, recipients: list[str], content: Content, trace_id: str) -> Chat:
    """A new chat over the service its first message takes; refused before it opens where that message would be."""
    if line in recipients:
        raise Problem(*choices.OWN_NUMBER, "A line does not write to itself")
    if content.reply_to is not None:
        raise Problem(404, choices.REPLY_TARGET_CODE, "Message to reply to not found")
    linq.gate.check_day(line)
    possible = services.shared(linq.world, recipients, line=line)
    service = services.pick(possible, content.preferred_service) or services.pick(possible, None) or "SMS"
    return linq.exchange.open_chat(line, recipients, service=service, trace_id=trace_id)


def list_chats(linq: Linq, call: Call) -> Answer:
    """GET /v3/chats (choices.CHAT_ORDER)."""
    line, person = call.query.get("from"), call.query.get("to")
    if line is not None:
        line = fields.query_phone(line)
    newest: Iterable[Chat] = reversed(linq.world.chats.values())
    if person is not None:
        handle = f"+{person.strip()}" if person.startswith(" ") else person  # a plus that nobody escaped
        with_them = reversed(linq.world.chats_with(handle))
        newest = (chat for chat in with_them if line in (None, chat.line) and chat.member(handle) is not None)
    elif line is not None:
        newest = reversed(linq.world.chats_with(line))
    page, cursor = finding.page(call, newest, default=20)
    return ok({"chats": [shapes.chat(chat) for chat in page], "next_cursor": cursor})


def get_chat(linq: Linq, call: Call) -> Answer:
    """GET /v3/chats/{chatId}; a chat our line left can still be read (choices.LEFT_CHAT)."""
    return ok(shapes.chat(finding.chat(linq, call)))


def mark_read(linq: Linq, call: Call) -> Answer:
    """POST /v3/chats/{chatId}/read: accepted everywhere, without effect in groups and on SMS (section 7.4)."""
    chat = finding.chat_to_act_in(linq, call)
    if not chat.is_group and chat.service != "SMS":
        linq.world.add_deed("read", chat, shapes.moment(linq.clock.now_ms()))
    return NOTHING
