"""Call -> app cards that change, and what a plain account has not: experiences and payments (section 6.1, code 2011)."""

from __future__ import annotations

from linqbot.emulator import apps, fields, finding, shapes, typing_bubbles
from linqbot.emulator.linq import Linq
from linqbot.emulator.operation import Call, ok
from linqbot.emulator.problems import Problem
from linqbot.emulator.rules import Content
from linqbot.emulator.wire import Answer

_MOST_DATA = 2048


def update_card(linq: Linq, call: Call) -> Answer:
    """POST /v3/messages/{messageId}/update: a card of ours that was sent shows something else, as a new message."""
    message, body = finding.message_to_act_on(linq, call), fields.mapping(call.body, "body")
    card = message.parts[0] if message.parts else {}
    if card.get("type") != "imessage_app" or not message.sender.is_me:
        raise Problem(400, 1008, "Only app cards that you sent can be updated")
    part = card | apps.read_content(body, most_data=_MOST_DATA)
    if message.sent_ms is None:  # linq-api-v3.md section 11: sent is enough
        raise Problem(409, 2015, "The card was not sent yet")
    chat = message.chat
    linq.gate.check_recipients(chat.line, chat.handles, is_group=chat.is_group, override_optout=False)
    new = linq.exchange.accept(chat, Content(parts=[part]), trace_id=call.trace_id, failure=call.failure)
    typing_bubbles.clear(linq, chat, call.trace_id)
    return ok({"chat_id": chat.id, "message": shapes.sent_message(new)}, 202)


def list_experiences(_linq: Linq, _call: Call) -> Answer:
    """GET /v3/experiences: none."""
    return ok({"experiences": []})


def get_experience(_linq: Linq, _call: Call) -> Answer:
    """GET /v3/experiences/{experience}: unknown."""
    raise Problem(404, 2001, "Experience not found")


def not_enabled(_linq: Linq, _call: Call) -> Answer:
    """Everything about payments."""
    raise Problem(403, 2011, "This feature is not enabled for the account")
