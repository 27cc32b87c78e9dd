"""Call -> Answer for chats, messages and lines: linq-api-v3.md section 7, with the shapes of `response.*.json`."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from itertools import islice
from typing import TypeVar

from linqbot.emulator import choices, fields, shapes
from linqbot.emulator.linq import Linq
from linqbot.emulator.operation import Call, ok
from linqbot.emulator.problems import Problem
from linqbot.emulator.rules import check_first, key_of, message_of, read_content
from linqbot.emulator.wire import Answer
from linqbot.emulator.world import Chat, KeptAnswer, Message

_T = TypeVar("_T")

MOST_RECIPIENTS = 31
MOST_PER_PAGE = 100

_NOTHING = Answer(204)


def send_message(linq: Linq, call: Call) -> Answer:
    """POST /v3/chats/{chatId}/messages."""
    chat = _chat(linq, call)
    kept = _replay(linq, call, f"chat:{chat.id}")
    if isinstance(kept, Answer):
        return kept
    content = read_content(call.body, is_group=chat.is_group, new_id=linq.names.uuid)
    linq.exchange.check_recipients(frozenset(person.handle for person in chat.others), content)
    message = linq.exchange.accept(chat, content, trace_id=call.trace_id, failure=call.failure)
    answer = ok({"chat_id": chat.id, "message": shapes.sent_message(message)}, 202)
    _keep(linq, message, answer, kept)
    return answer


def create_chat(linq: Linq, call: Call) -> Answer:
    """POST /v3/chats: the chat of this line with exactly these people, reused or new (section 7.1)."""
    body = fields.mapping(call.body, "body")
    line = fields.phone(body.get("from"), "from")
    given = fields.listing(body.get("to"), "to", least=1, most=MOST_RECIPIENTS)
    recipients = dict.fromkeys(fields.handle(one, "to") for one in given)
    if line not in linq.world.lines:
        raise Problem(403, 2006, "The from number is not on your account")
    others = frozenset(recipients)
    kept = _replay(linq, call, f"to:{line}:{sorted(others)}")
    if isinstance(kept, Answer):
        return Answer(choices.REUSE_STATUS, kept.body)
    chat = linq.world.chat_of(line, others)
    content = read_content(body, is_group=len(others) > 1, new_id=linq.names.uuid)
    if chat is None:
        check_first(content)
    linq.exchange.check_recipients(others, content)
    if chat is None:
        service = content.preferred_service or "iMessage"
        chat = linq.exchange.open_chat(line, recipients, service=service, trace_id=call.trace_id)
    message = linq.exchange.accept(chat, content, trace_id=call.trace_id, failure=call.failure)
    answer = ok(shapes.created_chat(chat, message), 201)
    _keep(linq, message, answer, kept)
    return answer


def list_chats(linq: Linq, call: Call) -> Answer:
    """GET /v3/chats (choices.CHAT_ORDER)."""
    line, person = call.query.get("from"), call.query.get("to")
    if line is not None:
        line = fields.phone(line if line.startswith("+") else f"+{line.strip()}", "from")
    newest: Iterable[Chat] = reversed(linq.world.chats.values())
    if person is not None:
        newest = (chat for chat in reversed(linq.world.chats_with(person)) if line in (None, chat.line))
    elif line is not None:
        newest = reversed(linq.world.chats_with(line))
    page, cursor = _page(call, newest, default=20)
    return ok({"chats": [shapes.chat(chat) for chat in page], "next_cursor": cursor})


def get_chat(linq: Linq, call: Call) -> Answer:
    """GET /v3/chats/{chatId}."""
    return ok(shapes.chat(_chat(linq, call)))


def list_messages(linq: Linq, call: Call) -> Answer:
    """GET /v3/chats/{chatId}/messages (choices.MESSAGE_ORDER)."""
    page, cursor = _page(call, reversed(_chat(linq, call).messages), default=50)
    return ok({"messages": [shapes.message(message) for message in page], "next_cursor": cursor})


def get_message(linq: Linq, call: Call) -> Answer:
    """GET /v3/messages/{messageId}."""
    message = linq.world.messages.get(fields.uuid(call.params["messageId"], "messageId"))
    if message is None:
        raise Problem(404, 2002, "Message not found")
    return ok(shapes.message(message))


def acknowledge(linq: Linq, call: Call) -> Answer:
    """POST and DELETE of typing, POST of read: accepted, nothing to see."""
    _chat(linq, call)
    return _NOTHING


def list_lines(linq: Linq, _call: Call) -> Answer:
    """GET /v3/phone_numbers."""
    return ok({"phone_numbers": [shapes.line(line) for line in linq.world.lines.values()]})


def _chat(linq: Linq, call: Call) -> Chat:
    chat = linq.world.chats.get(fields.uuid(call.params["chatId"], "chatId"))
    if chat is None:
        raise Problem(404, 2001, "Chat not found")
    return chat


def _replay(linq: Linq, call: Call, where: str) -> Answer | bytes:
    """The first answer under this request's key, or the digest to keep the coming answer under.

    choices.KEY_CHECK, choices.KEY_SCOPE, choices.KEY_CONFLICT.
    """
    key = key_of(message_of(call.body))
    if key is None:
        return b""
    canonical = json.dumps([where, call.body], sort_keys=True).encode()
    digest = hashlib.blake2b(canonical, digest_size=16).digest()
    first = linq.world.answers.get(key)
    if first is None:
        return digest
    call.replayed = True
    linq.world.counters["replays"] += 1
    if first.digest != digest:
        linq.world.counters["key_conflicts"] += 1
    return Answer(choices.REPLAY_STATUS, first.body)


def _keep(linq: Linq, message: Message, answer: Answer, digest: bytes) -> None:
    if message.idempotency_key is not None:
        linq.world.answers[message.idempotency_key] = KeptAnswer(answer.body, digest)


def _page(call: Call, newest_first: Iterable[_T], *, default: int) -> tuple[list[_T], str | None]:
    # choices.CURSOR: an offset, which shifts when something new comes; Linq promises no more
    limit = fields.whole(call.query.get("limit"), "limit", default=default, least=1, most=MOST_PER_PAGE)
    start = fields.whole(call.query.get("cursor"), "cursor", default=0)
    page = list(islice(newest_first, start, start + limit + 1))
    return page[:limit], str(start + limit) if len(page) > limit else None
