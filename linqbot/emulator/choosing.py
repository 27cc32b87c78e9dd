"""recipients -> line and chat. Sends without a `from`, and the line to write from (linq-api-v3.md section 7.2)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from linqbot.emulator import fields, replays, shapes, texts, typing_bubbles
from linqbot.emulator.chats import open_chat, read_recipients
from linqbot.emulator.entities import Chat, Json, Line, Message
from linqbot.emulator.linq import Linq
from linqbot.emulator.operation import Call, ok
from linqbot.emulator.problems import Problem
from linqbot.emulator.rules import check_key, message_of, read_content
from linqbot.emulator.wire import Answer

MOST_EXCLUDED = 100

_REPUTATIONS = ("HEALTHY", "AT_RISK", "CRITICAL")


@dataclass(frozen=True, slots=True)
class Choice:
    """Where a message goes and why; without a chat a new one is opened, `previous` is the one left behind."""

    line: str
    reason: str
    chat: Chat | None = None
    previous: Chat | None = None


def send_anywhere(linq: Linq, call: Call) -> Answer:
    """POST /v3/messages: always 202; choices.TWO_KEYS, choices.FIRST_ANYWHERE."""
    body = fields.mapping(call.body, "body")
    recipients = read_recipients(body.get("to"))
    excluded = _phones(body.get("exclude_from"), "exclude_from")
    key = check_key(call.idempotency_key)
    message_of(body)
    kept = replays.replay(linq, call, f"any:{sorted(recipients)}", key)
    if isinstance(kept, Answer):
        return kept
    choice = choose(linq, recipients, excluded)
    content = read_content(
        _worded(body, choice, key), linq.vault, people=(choice.line, *recipients), is_group=len(recipients) > 1
    )
    linq.gate.check_recipients(
        choice.line,
        frozenset(recipients),
        is_group=len(recipients) > 1,
        override_optout=content.override_optout,
    )
    chat = choice.chat or open_chat(linq, choice.line, recipients, content, call.trace_id)
    message = linq.exchange.accept(chat, content, trace_id=call.trace_id, failure=call.failure)
    typing_bubbles.clear(linq, chat, call.trace_id)
    answer = ok(_result(chat, message, choice), 202)
    replays.keep(linq, message, answer, kept)
    return answer


def get_available_number(linq: Linq, call: Call) -> Answer:
    """GET /v3/available_number: reserves nothing, but counts as use."""
    recipients = [fields.handle(one, "to") for one in _listed(call, "to")]
    excluded = frozenset(fields.phone(one, "exclude_from") for one in _listed(call, "exclude_from"))
    kind = call.query.get("type")
    if kind not in (None, "iMessage", "RCS"):
        raise fields.value("type must be iMessage or RCS")
    chats = [chat for chat in _chats(linq, recipients) if _is_free(linq, chat, excluded)] if recipients else []
    phone = chats[0].line if chats else best_line(linq, excluded, kind=kind, none=Problem(503, 4004, _NONE)).phone
    linq.world.lines[phone].last_used = linq.world.tick()
    without = "".join(f"&without={one.removeprefix('+')}" for one in sorted(excluded)).replace("&", "?", 1)
    return ok({"phone_number": phone, "vcf_url": f"{linq.vault.site}/cdn/vcf/{phone.removeprefix('+')}.vcf{without}"})


def choose(linq: Linq, recipients: list[str], excluded: frozenset[str]) -> Choice:
    """The most recently active chat that can be written to, else a new one on the best line."""
    chats = _chats(linq, recipients)
    for candidates in ([one for one in chats if one.line not in excluded], chats):
        for chat in candidates:
            if linq.world.lines[chat.line].may_send:
                return Choice(chat.line, "reused_active_chat", chat)
    line = best_line(linq, excluded, none=Problem(409, 2015, _NONE)).phone
    if chats:
        return Choice(line, "failover_flagged", previous=chats[0])
    return Choice(line, "new_best_number")


def best_line(linq: Linq, excluded: frozenset[str], *, none: Problem, kind: str | None = None) -> Line:
    """The healthiest line that may send, of those the least recently used; raises `none` when there is none."""
    able = [line for line in linq.world.lines.values() if line.may_send and kind in (None, line.line_type)]
    if not able:
        raise none
    left = [line for line in able if line.phone not in excluded]
    if not left:
        raise fields.value("exclude_from excludes every available line")
    return min(left, key=lambda line: (_REPUTATIONS.index(line.reputation), line.last_used))


_NONE = "No eligible sending line"


def _chats(linq: Linq, recipients: list[str]) -> list[Chat]:
    found = (linq.world.chat_of(phone, frozenset(recipients)) for phone in linq.world.lines)
    usable = [chat for chat in found if chat is not None and chat.is_reusable]
    return sorted(usable, key=lambda chat: chat.updated_ms, reverse=True)


def _is_free(linq: Linq, chat: Chat, excluded: frozenset[str]) -> bool:
    return chat.line not in excluded and linq.world.lines[chat.line].may_send


def _worded(body: Json, choice: Choice, key: str | None) -> Json:
    message = dict(body["message"])
    continuation = body.get("continuation_message")
    if continuation is not None:
        given = fields.mapping(continuation, "continuation_message").get("text")
        text = texts.read_string(given, "continuation_message.text", most=texts.MOST_TEXT)
        if choice.previous is not None:
            message = {"parts": [{"type": "text", "value": text}]}
    return {**body, "message": {**message, "idempotency_key": key}}


def _result(chat: Chat, message: Message, choice: Choice) -> Json:
    return {
        "chat_id": chat.id,
        "created_new_chat": choice.chat is None,
        "from": chat.line,
        "from_selection": {"reason": choice.reason, "reused_existing_chat": choice.chat is not None},
        "is_group": chat.is_group,
        "service": chat.service,
        "handles": [shapes.handle(person) for person in chat.people],
        "message": shapes.sent_message(message),
        "previous_chat_id": None if choice.previous is None else choice.previous.id,
    }


def _phones(given: Any, name: str) -> frozenset[str]:
    listed = [] if given is None else fields.listing(given, name, least=0, most=MOST_EXCLUDED)
    return frozenset(fields.phone(one, name) for one in listed)


def _listed(call: Call, name: str) -> list[str]:
    given = call.every(name) + call.every(f"{name}[]")
    return [f"+{word.strip()}" if word.startswith(" ") else word for one in given for word in one.split(",") if word]
