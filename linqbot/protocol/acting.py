"""Action -> OutboxItem, or the reason why Linq would refuse it, or neither: it would have no effect."""

from __future__ import annotations

import json
import re
from urllib.parse import quote

from linqbot.protocol.answering import Answering
from linqbot.protocol.deeds import Body, Deed, deed_of
from linqbot.protocol.naming import PLACE, name_of_ref
from linqbot.records import OutboxItem, Request
from linqbot.replies import Action, Poll, React, Target, Unreact
from linqbot.replies.action import Aimed

UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
"""How Linq's ids look (linq-api-v3.md section 1)."""

_LONE_SURROGATE = re.compile("[\ud800-\udfff]")


def trouble_of(action: Action, answering: Answering) -> str | None:
    """Why Linq would refuse an action in this chat, or None. Only what cannot be seen when it is made."""
    name, deed, service = type(action).__name__, deed_of(action), answering.around.service
    if service is not None and service not in deed.services and deed.elsewhere == "refused":
        return f"{name} is for {' and '.join(deed.services)}, and this chat is on {service}"
    if PLACE not in deed.path or _guards(action, answering):
        return None
    target = _target(action, answering)
    if target is None:
        return f"{name} needs to=, for the event that it answers is about no message"
    if not UUID.fullmatch(target.message_id):
        return f"to= of {name} names no message of Linq's: its ids are UUIDs; pass the message or its id"
    return None


def item_of(action: Action, answering: Answering, *, position: int) -> OutboxItem | None:
    """The action as a frozen request; None: the chat's service would make nothing of it, so it is left out."""
    deed, key, service = deed_of(action), answering.key(position), answering.around.service
    if service is not None and service not in deed.services:
        return None
    ref = action.ref if isinstance(action, Poll) else None
    chat_id = answering.chat_id or ""
    return OutboxItem(
        key=key,
        lane=answering.lane,
        event_id=answering.event_id,
        handler=answering.handler,
        position=position,
        request=Request(
            method=deed.method, path=_path(action, deed, answering), body=_body(action, deed, answering, key)
        ),
        repeat=deed.repeat,
        pair=chat_id if deed.units else "",
        units=deed.units,
        ref=ref,
        created_ms=answering.now_ms,
        line=answering.line if deed.units else "",
        guards=answering.guards + _guards(action, answering),
        names=() if ref is None else (name_of_ref(chat_id, ref),),
    )


def encoded(body: Body) -> bytes:
    """A body as it is sent: compact, and with half characters replaced, which are no Unicode."""
    words = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
    return _LONE_SURROGATE.sub("\ufffd", words).encode()


def _path(action: Action, deed: Deed, answering: Answering) -> str:
    path = deed.path.replace("{chat}", quote(answering.chat_id or "", safe=""))
    target = _target(action, answering)
    return path if target is None else path.replace(PLACE, quote(target.message_id, safe=""))


def _body(action: Action, deed: Deed, answering: Answering, key: str) -> bytes | None:
    if deed.body is None:
        return None
    body = deed.body(action)
    if deed.key_in:
        body[deed.key_in]["idempotency_key"] = key
    if isinstance(action, React | Unreact):
        body["part_index"] = _part(action, answering)
    return encoded(body)


def _part(action: React | Unreact, answering: Answering) -> int:
    target = _target(action, answering)
    if action.part is not None:
        return action.part
    return 0 if target is None else target.part_index


def _target(action: Action, answering: Answering) -> Target | None:
    """The message that it is about, where that is known by now."""
    if not isinstance(action, Aimed) or action.ref is not None:
        return None
    return action.target or answering.about


def _guards(action: Action, answering: Answering) -> tuple[str, ...]:
    """The name under which the message that it is about will be known."""
    if isinstance(action, Aimed) and action.ref is not None:
        return (name_of_ref(answering.chat_id or "", action.ref),)
    return ()
