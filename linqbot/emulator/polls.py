"""Call -> polls: answers and votes (linq-api-v3.md section 7.7). choices.POLL_STATUS, choices.POLL_OPTIONS."""

from __future__ import annotations

from typing import Any

from linqbot.emulator import choices, fields, finding, poll_payloads, replays, shapes, texts, typing_bubbles
from linqbot.emulator.entities import Json, Message, Option, Person, Poll
from linqbot.emulator.linq import Linq
from linqbot.emulator.operation import Call, ok
from linqbot.emulator.problems import Problem
from linqbot.emulator.rules import Content, check_key
from linqbot.emulator.wire import Answer

LEAST_OPTIONS = 2


def create_poll(linq: Linq, call: Call) -> Answer:
    """POST /v3/chats/{chatId}/polls: in an iMessage chat that exists."""
    chat = finding.chat_to_act_in(linq, call)
    given = fields.mapping(fields.mapping(call.body, "body").get("poll"), "poll")
    key = check_key(given.get("idempotency_key"))
    kept = replays.replay(linq, call, f"poll:{chat.id}", key)
    if isinstance(kept, Answer):
        return kept
    options = _texts(given.get("options"), "poll.options", least=LEAST_OPTIONS)
    if chat.service != "iMessage":
        raise Problem(409, 2017, "Polls are only supported over iMessage")
    linq.gate.check_recipients(chat.line, chat.handles, is_group=chat.is_group, override_optout=False)
    poll = linq.exchange.poll_of(chat.me, options)
    content = Content(parts=[], idempotency_key=key)
    message = linq.exchange.accept(chat, content, trace_id=call.trace_id, failure=call.failure, poll=poll)
    typing_bubbles.clear(linq, chat, call.trace_id)
    answer = ok(shapes.poll_envelope(message, poll), choices.POLL_STATUS)
    replays.keep(linq, message, answer, kept)
    return answer


def get_poll(linq: Linq, call: Call) -> Answer:
    """GET /v3/messages/{messageId}/poll."""
    message = finding.message(linq, call)
    return ok(shapes.poll_envelope(message, _poll(message)))


def add_options(linq: Linq, call: Call) -> Answer:
    """POST /v3/messages/{messageId}/poll/options: on a zero-retention line all old ones come first."""
    message = finding.message_to_act_on(linq, call)
    poll = _poll(message)
    options = _texts(fields.mapping(call.body, "body").get("options"), "options", least=1)
    if message.zero_retention:
        old = [option.text for option in poll.options]
        if options[: len(old)] != old or len(options) == len(old):
            raise fields.value("On a zero-retention line options must hold the existing ones, then the new ones")
        options = options[len(old) :]
    extend(linq, message, message.chat.me, options, call.trace_id)
    return ok(shapes.poll_envelope(message, poll), choices.POLL_STATUS)


def vote(linq: Linq, call: Call) -> Answer:
    """POST /v3/messages/{messageId}/poll/votes: one option of our line, on or off."""
    message, body = finding.message_to_act_on(linq, call), fields.mapping(call.body, "body")
    operation, option = body.get("operation"), _poll(message).option(str(body.get("option_id")))
    if operation not in ("add", "remove"):
        raise fields.missing("operation") if operation is None else fields.value("operation must be add or remove")
    if option is None:
        raise fields.value("option_id is not an option of this poll")
    cast(linq, message, message.chat.me, option, adds=operation == "add", trace_id=call.trace_id)
    return ok(shapes.poll_envelope(message, _poll(message)), choices.POLL_STATUS)


def extend(linq: Linq, message: Message, person: Person, options: list[str], trace_id: str) -> None:
    """Let somebody add answers to a poll."""
    poll = _poll(message)
    added = linq.exchange.poll_of(person, options).options
    poll.options.extend(added)
    message.updated_ms = linq.clock.now_ms()
    linq.lifecycle.tell(message.chat, "poll.updated", poll_payloads.updated(message, person, added), trace_id)


def cast(linq: Linq, message: Message, person: Person, option: Option, *, adds: bool, trace_id: str) -> None:
    """Let somebody vote or take the vote back; nothing happens when it is so already."""
    now_ms = linq.clock.now_ms()
    if adds == (person.handle in option.voters):
        return
    if adds:
        option.voters[person.handle] = now_ms
    else:
        del option.voters[person.handle]
    message.updated_ms = now_ms
    what = "added" if adds else "removed"
    linq.lifecycle.tell(message.chat, f"poll.vote.{what}", poll_payloads.voted(message, person, option), trace_id)
    if person.is_me:
        at = shapes.moment(now_ms)
        linq.world.add_deed(f"vote.{what}", message.chat, at, message_id=message.id, option_id=option.id)


def _poll(message: Message) -> Poll:
    if message.poll is None:
        raise Problem(*choices.NOT_A_POLL, "This message is not a poll")
    return message.poll


def _texts(given: Any, name: str, *, least: int) -> list[str]:
    options = fields.listing(given, name, least=least, most=choices.POLL_OPTIONS)
    return [_text(one, name) for one in options]


def _text(given: Any, name: str) -> str:
    option: Json = fields.mapping(given, name)
    return texts.read_string(option.get("text"), f"{name}.text", most=choices.POLL_TEXT)
