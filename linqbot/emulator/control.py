"""people -> Linq -> phones. The control API: somebody writes, what reached whom, trouble on request, time.

Paths and bodies: design.md section 9, The emulator; `deliveries` and `requests` are for tests. No token is needed.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, Protocol, runtime_checkable

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from linqbot.emulator import fields, shapes
from linqbot.emulator.exchange import Inbound
from linqbot.emulator.faults import read_fault
from linqbot.emulator.linq import Linq
from linqbot.emulator.parts import stored_media
from linqbot.emulator.postman import Delivery
from linqbot.emulator.problems import Problem, envelope
from linqbot.emulator.world import Json, Message
from linqbot.errors import ConfigurationError

Control = Callable[[Linq, Json], Json]


@runtime_checkable
class Turnable(Protocol):
    """A clock that can be turned."""

    def advance(self, *, seconds: float) -> None:
        """Move on by `seconds`."""
        ...


def take_in(linq: Linq, inbound: Inbound) -> tuple[str, Message]:
    """Let a message of somebody arrive; returns the event's id and the message."""
    if inbound.line not in linq.world.lines:
        raise fields.value("to is not a line of this emulator")
    if inbound.sender == inbound.line:
        raise fields.value("a line does not write to itself")
    return linq.exchange.receive(inbound, trace_id=linq.names.trace_id())


def read_inbound(linq: Linq, body: Json) -> Inbound:
    """What somebody writes, from its description."""
    service = body.get("service")
    if service not in (None, "iMessage", "SMS", "RCS"):
        raise fields.value("service must be one of iMessage, SMS, RCS")
    reply_to = body.get("reply_to")
    if isinstance(reply_to, str):
        reply_to = {"message_id": reply_to, "part_index": 0}
    return Inbound(
        sender=fields.handle(body.get("from"), "from"),
        line=fields.phone(body.get("to") or next(iter(linq.world.lines)), "to"),
        parts=_parts(linq, body),
        group=tuple(fields.handle(one, "group") for one in body.get("group") or ()),
        service=service,
        reply_to=reply_to,
        effect=body.get("effect"),
        event_id=body.get("event_id"),
        message_id=body.get("message_id"),
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
    event_id, message = take_in(linq, read_inbound(linq, body))
    return {"event_id": event_id, "message_id": message.id, "chat_id": message.chat.id}


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
