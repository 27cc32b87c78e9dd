"""people -> Linq -> phones. The control API: somebody writes, what reached whom, trouble on request, time.

Paths and bodies: design.md section 9, The emulator; `deliveries` and `requests` are for tests. No token is needed.
"""

from __future__ import annotations

import json
from base64 import b64decode
from collections.abc import Callable
from typing import Any, Protocol, runtime_checkable

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from linqbot.emulator import fields, shapes, typing_bubbles
from linqbot.emulator.entities import Json, Message
from linqbot.emulator.exchange import Inbound
from linqbot.emulator.faults import read_fault
from linqbot.emulator.linq import Linq
from linqbot.emulator.parts import stored_media
from linqbot.emulator.people import People
from linqbot.emulator.postman import Delivery
from linqbot.emulator.problems import Problem, envelope
from linqbot.errors import ConfigurationError

Control = Callable[[Linq, Json], Json]

DEEDS = tuple(name for name in vars(People) if not name.startswith("_"))
"""What `POST /_control/people` can be told that somebody does; the other fields are the method's arguments."""

_PYTHON_NAMES = {"from": "from_", "type": "type_", "services": "services_"}


@runtime_checkable
class Turnable(Protocol):
    """A clock that can be turned."""

    def advance(self, *, seconds: float) -> None:
        """Move on by `seconds`."""
        ...


def take_in(linq: Linq, inbound: Inbound) -> tuple[str, Message] | None:
    """Let a message of somebody arrive; returns the event's id and the message, None when Linq drops it."""
    if inbound.line not in linq.world.lines:
        raise fields.value("to is not a line of this emulator")
    if inbound.sender == inbound.line:
        raise fields.value("a line does not write to itself")
    chat = None if inbound.chat_id is None else linq.world.chats.get(inbound.chat_id)
    if inbound.chat_id is not None and (chat is None or chat.line != inbound.line):
        raise fields.value("chat_id is not a chat of this line")
    arrived = linq.exchange.receive(inbound, trace_id=linq.names.trace_id())
    if arrived is not None:  # writing ends their typing bubble (section 8.6)
        _, message = arrived
        typing_bubbles.end(linq, message.chat, message.sender, message.trace_id)
    return arrived


def read_inbound(linq: Linq, body: Json) -> Inbound:
    """What somebody writes, from its description."""
    service = body.get("service")
    if service not in (None, "iMessage", "SMS", "RCS"):
        raise fields.value("service must be one of iMessage, SMS, RCS")
    reply_to = body.get("reply_to")
    options = body.get("poll") or ()
    if isinstance(reply_to, str):
        reply_to = {"message_id": reply_to, "part_index": 0}
    if reply_to is not None and (not isinstance(reply_to, dict) or not isinstance(reply_to.get("message_id"), str)):
        raise fields.value("reply_to must be a message id, or an object with message_id")
    return Inbound(
        sender=fields.handle(body.get("from"), "from"),
        line=fields.phone(body.get("to") or next(iter(linq.world.lines)), "to"),
        parts=[] if options else _parts(linq, body),
        group=tuple(fields.handle(one, "group") for one in body.get("group") or ()),
        service=service,
        reply_to=reply_to,
        effect=body.get("effect"),
        event_id=body.get("event_id"),
        message_id=body.get("message_id"),
        chat_id=body.get("chat_id"),
        late_by_ms=None if body.get("late_by_s") is None else int(body["late_by_s"] * 1000),
        poll_options=tuple(options),
    )


def _parts(linq: Linq, body: Json) -> list[Json]:
    parts = body.get("parts")
    if parts is None:
        if not isinstance(body.get("text"), str):
            raise fields.missing("text or parts")
        return [{"type": "text", "value": body["text"]}]
    if not isinstance(parts, list) or not all(isinstance(part, dict) for part in parts):
        raise fields.value("parts must be an array of objects")
    return [_part(linq, part) for part in parts]


def _part(linq: Linq, part: Json) -> Json:
    if part.get("data") is not None:
        file = linq.vault.store(str(part.get("filename") or "file"), b64decode(part["data"]))
        return linq.vault.part(file)
    if part.get("type") == "media":
        return stored_media(part.get("url"), part.get("id") or linq.names.uuid()) | part
    return part


def transcript(linq: Linq) -> Json:
    """What reached whose phone, each message once, in the order of acceptance."""
    phones: dict[str, list[Json]] = {}
    for one in linq.world.heard:
        phones.setdefault(one.to, []).append(shapes.heard(one))
    return {"phones": phones}


def delivery(one: Delivery) -> Json:
    """A webhook's way so far."""
    return {
        "event_id": one.event_id,
        "event_type": one.event_type,
        "subscription_id": one.subscription.id,
        "target_url": one.url,
        "state": one.state,
        "attempts": list(one.attempts),
    }


def turn_clock(linq: Linq, seconds: float) -> None:
    """Move the clock on; raises ConfigurationError when it is not one that can be turned."""
    if not isinstance(linq.clock, Turnable):
        raise ConfigurationError("this emulator runs on a clock that cannot be turned")
    linq.clock.advance(seconds=seconds)
    linq.agenda.look()


def _inbound(linq: Linq, body: Json) -> Json:
    arrived = take_in(linq, read_inbound(linq, body))
    if arrived is None:
        return {"event_id": None, "message_id": None, "chat_id": None}
    event_id, message = arrived
    return {"event_id": event_id, "message_id": message.id, "chat_id": message.chat.id}


def _people(linq: Linq, body: Json) -> Json:
    deed = getattr(People(linq), str(body.get("deed")), None) if body.get("deed") in DEEDS else None
    if deed is None:
        raise fields.value(f"deed must be one of {', '.join(DEEDS)}")
    deed(**{_PYTHON_NAMES.get(name, name): given for name, given in body.items() if name != "deed"})
    return {}


def _deeds(linq: Linq, _body: Json) -> Json:
    return {"deeds": list(linq.world.deeds)}


def _transcript(linq: Linq, _body: Json) -> Json:
    return transcript(linq)


def _faults(linq: Linq, body: Json) -> Json:
    details = {key: value for key, value in body.items() if key != "kind"}
    linq.faults.add(read_fault(str(body.get("kind", "")), **details))
    return {}


def _turn(linq: Linq, body: Json) -> Json:
    seconds = body.get("advance")
    if not isinstance(seconds, int | float) or seconds < 0:
        raise fields.value("advance must be a number of seconds, not negative")
    turn_clock(linq, seconds)
    return _time(linq, body)


def _time(linq: Linq, _body: Json) -> Json:
    return {"now_ms": linq.clock.now_ms(), "offset_ms": linq.clock.offset_ms}


def _reset(linq: Linq, _body: Json) -> Json:
    linq.reset()
    return {}


def _deliveries(linq: Linq, _body: Json) -> Json:
    return {"deliveries": [delivery(one) for one in linq.postman.log]}


def _requests(linq: Linq, _body: Json) -> Json:
    return {"requests": list(linq.requests), "counters": dict(linq.world.counters)}


_ROUTES: tuple[tuple[str, str, Control], ...] = (
    ("POST", "inbound", _inbound),
    ("POST", "people", _people),
    ("GET", "deeds", _deeds),
    ("GET", "transcript", _transcript),
    ("POST", "faults", _faults),
    ("POST", "clock", _turn),
    ("GET", "clock", _time),
    ("POST", "reset", _reset),
    ("GET", "deliveries", _deliveries),
    ("GET", "requests", _requests),
)


def control_routes(linq: Linq) -> list[Route]:
    """The routes of the control API."""
    return [Route(f"/_control/{name}", _endpoint(linq, control), methods=[method]) for method, name, control in _ROUTES]


def _endpoint(linq: Linq, control: Control) -> Callable[[Request], Any]:
    async def answer(request: Request) -> Response:
        try:
            raw = await request.body()
            body = json.loads(raw) if raw.strip() else {}
            return JSONResponse(control(linq, fields.mapping(body, "body")))
        except Problem as problem:
            return JSONResponse(envelope(problem, linq.names.trace_id()), problem.status)
        except (ConfigurationError, ValueError, TypeError) as error:
            return JSONResponse({"success": False, "error": {"status": 400, "message": str(error)}}, 400)

    return answer
