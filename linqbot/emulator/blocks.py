"""Call -> Answer for blocked handles: linq-api-v3.md section 7.7."""

from __future__ import annotations

import re

from linqbot.emulator import choices, fields, shapes
from linqbot.emulator.linq import Linq
from linqbot.emulator.operation import NOTHING, Call, ok
from linqbot.emulator.problems import Problem
from linqbot.emulator.wire import Answer
from linqbot.emulator.world import Block

_SHORT_CODE = re.compile(r"[0-9]{3,8}", re.ASCII)
_SENDER_ID = re.compile(r"(?=.*[A-Za-z])[A-Za-z0-9 ]{1,11}", re.ASCII)


def list_blocked(linq: Linq, _call: Call) -> Answer:
    """GET /v3/blocked_handles."""
    return ok({"blocked_handles": [shapes.block(one) for one in linq.world.blocked.values()]})


def block(linq: Linq, call: Call) -> Answer:
    """POST /v3/blocked_handles: blocking again changes nothing."""
    body = fields.mapping(call.body, "body")
    handle, reason = _handle(body.get("handle")), body.get("reason")
    if reason is not None and not isinstance(reason, str):
        raise fields.value("reason must be a string")
    one = linq.world.blocked.setdefault(handle, Block(handle=handle, reason=reason, at_ms=linq.clock.now_ms()))
    return ok({"blocked_handle": shapes.block(one)}, choices.BLOCK_STATUS)


def unblock(linq: Linq, call: Call) -> Answer:
    """DELETE /v3/blocked_handles."""
    handle = _handle(fields.mapping(call.body, "body").get("handle"))
    if linq.world.blocked.pop(handle, None) is None:
        raise Problem(*choices.NOT_BLOCKED, "This handle is not blocked")
    return NOTHING


def _handle(given: object) -> str:
    if isinstance(given, str) and (_SHORT_CODE.fullmatch(given) or _SENDER_ID.fullmatch(given)):
        return given
    return fields.handle(given, "handle")
