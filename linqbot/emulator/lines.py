"""Call -> Answer for lines: numbers, contact cards, capabilities, audits (linq-api-v3.md sections 3, 7, 7.4 and 7.7)."""

from __future__ import annotations

from typing import Any

from linqbot.emulator import choices, fields, finding, limits, services, shapes
from linqbot.emulator.entities import Card, Json, Line
from linqbot.emulator.linq import Linq
from linqbot.emulator.operation import NOTHING, Call, ok
from linqbot.emulator.problems import Problem
from linqbot.emulator.wire import Answer

CARD_CHANGES, CARD_WINDOW_MS = 3, 600_000
SHARE_WINDOW_MS = 300_000
CHECK_WINDOW_MS = 10_000


def list_lines(linq: Linq, _call: Call) -> Answer:
    """GET /v3/phone_numbers."""
    return ok({"phone_numbers": [shapes.line(line) for line in linq.world.lines.values()]})


def list_lines_deprecated(linq: Linq, _call: Call) -> Answer:
    """GET /v3/phonenumbers, the older shape."""
    return ok({"phone_numbers": [shapes.line_with_capabilities(line) for line in linq.world.lines.values()]})


def update_line(linq: Linq, call: Call) -> Answer:
    """PUT /v3/phone_numbers/{phoneNumberId}: where calls are forwarded to; null or "" is nowhere."""
    line = next((one for one in linq.world.lines.values() if one.id == call.params["phoneNumberId"]), None)
    if line is None:
        raise Problem(404, 2019, "Phone number not found")
    number = fields.mapping(call.body, "body").get("forwarding_number")
    line.forwarding_number = fields.phone(number, "forwarding_number") if number else None
    return ok({"id": line.id, "phone_number": line.phone, "forwarding_number": line.forwarding_number})


def get_cards(linq: Linq, call: Call) -> Answer:
    """GET /v3/contact_card; choices.NO_CARD."""
    phone = call.query.get("phone_number")
    lines = linq.world.lines.values() if phone is None else [finding.own_line(linq, fields.query_phone(phone))]
    return ok({"contact_cards": [shapes.card(line, line.card) for line in lines if line.card is not None]})


def create_card(linq: Linq, call: Call) -> Answer:
    """POST /v3/contact_card: the first one of a line."""
    body = fields.mapping(call.body, "body")
    line = finding.own_line(linq, fields.phone(body.get("phone_number"), "phone_number"))
    if body.get("first_name") is None:
        raise fields.missing("first_name")
    names = _card_fields(body)
    if line.card is not None:
        raise Problem(409, 2014, "A contact card already exists; use PATCH")
    _spend_card(linq, line)
    line.card = Card(first_name=names["first_name"], last_name=names["last_name"], image_url=names["image_url"])
    return ok(shapes.card(line, line.card))


def update_card(linq: Linq, call: Call) -> Answer:
    """PATCH /v3/contact_card: what is not named stays."""
    line = finding.own_line(linq, fields.query_phone(call.query.get("phone_number")))
    names = _card_fields(fields.mapping(call.body, "body"))
    if line.card is None:
        raise Problem(404, 2012, "No active contact card for this line")
    _spend_card(linq, line)
    for name, new in names.items():
        if new is not None:
            setattr(line.card, name, new)
    return ok(shapes.card(line, line.card))


def share_card(linq: Linq, call: Call) -> Answer:
    """POST /v3/chats/{chatId}/share_contact_card: needs a card, iMessage and an earlier message of ours."""
    chat = finding.chat_to_act_in(linq, call)
    if linq.world.lines[chat.line].card is None:
        raise Problem(404, 2012, "No active contact card for this line")
    if chat.service != "iMessage":
        raise Problem(409, 2017, "Contact cards are only shared over iMessage")
    if not any(message.sender.is_me for message in chat.messages):
        raise Problem(*choices.SHARE_TOO_EARLY, "Send a message in this chat first")
    now_ms = linq.clock.now_ms()
    limits.spend(linq.world, f"share:{chat.id}", most=1, window_ms=SHARE_WINDOW_MS, now_ms=now_ms)
    linq.world.add_deed("contact_card.shared", chat, shapes.moment(now_ms))
    return NOTHING


def check_imessage(linq: Linq, call: Call) -> Answer:
    """POST /v3/capability/check_imessage."""
    address = fields.handle(fields.mapping(call.body, "body").get("address"), "address")
    return _checked(linq, call, address, "iMessage")


def check_rcs(linq: Linq, call: Call) -> Answer:
    """POST /v3/capability/check_rcs: numbers only."""
    address = fields.phone(fields.mapping(call.body, "body").get("address"), "address")
    return _checked(linq, call, address, "RCS")


def start_audit(linq: Linq, call: Call) -> Answer:
    """POST /v3/phone_numbers/{phoneNumber}/reputation_audit; choices.AUDIT."""
    line = finding.own_line(linq, fields.query_phone(call.params["phoneNumber"]))
    return ok({"audit_id": line.id, "status": "pending"}, 202)


def get_audit(linq: Linq, call: Call) -> Answer:
    """GET /v3/phone_numbers/{phoneNumber}/reputation_audit/{auditId}."""
    line = finding.own_line(linq, fields.query_phone(call.params["phoneNumber"]))
    if call.params["auditId"] != line.id:
        raise Problem(404, 2001, "Audit not found")
    return ok({"audit_id": line.id, "status": "error", "phone": line.phone, "error": "Nothing to audit"})


def _checked(linq: Linq, call: Call, address: str, service: str) -> Answer:
    given = call.body.get("from")
    phone = next(iter(linq.world.lines)) if given is None else fields.phone(given, "from")
    finding.own_line(linq, phone)
    # choices.CHECK_SCOPE
    limits.spend(linq.world, f"check:{phone}", most=1, window_ms=CHECK_WINDOW_MS, now_ms=linq.clock.now_ms())
    possible = linq.world.services.get(address, choices.UNDECLARED)
    answer: Json = {"address": address, "available": service in possible}
    if service not in possible:
        answer["reason"] = "not_supported"
        answer["selected_service"] = services.pick(possible, None)
    return ok(answer)


def _spend_card(linq: Linq, line: Line) -> None:
    now_ms = linq.clock.now_ms()
    limits.spend(linq.world, f"card:{line.phone}", most=CARD_CHANGES, window_ms=CARD_WINDOW_MS, now_ms=now_ms)


def _card_fields(body: Json) -> dict[str, Any]:
    names = {name: body.get(name) for name in ("first_name", "last_name", "image_url")}
    for name, given in names.items():
        if given is not None and not isinstance(given, str):
            raise fields.value(f"{name} must be a string")
    if names["image_url"] is not None and not names["image_url"].startswith("https://"):
        raise Problem(400, 5007, "The image's url cannot be fetched")
    return names
