"""own messages <-> the facts under which they are found again, to act on one whose id was not known when it was asked for.

An item whose path holds `{message}` is about a message of ours: which one is told by a fact that its sending wrote
(`OutboxItem.names`), and that comes with the lease of the item (`OutboxItem.guards`). A chat's lane is first in, first
out, so what was said before in it has been sent by then.
"""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import quote

from linqbot.ids import fact_key
from linqbot.records import Fact, Lease, OutboxItem, Request

PLACE = "{message}"
"""Stands in a path for the id of a message that is not known yet; ids in paths are quoted and hold no braces."""

LAST_TEXT = "text"
"""Kind of the fact that names the last text bubble of ours in a chat."""
BY_REF = "ref"
"""Kind of the fact that names the message of ours with a `ref` in a chat."""

EDITABLE_MS = 15 * 60_000
"""How long after it was sent a text can be edited (linq-api-v3.md section 7.5)."""

_UNKNOWN = {
    LAST_TEXT: "no text of ours is known in this chat: none was sent in the last 24 hours",
    BY_REF: "no message with this ref= is known in this chat: none was sent in the last 24 hours",
}


def name_of_last_text(chat_id: str) -> str:
    """The key under which the chat's last text bubble of ours is known."""
    return fact_key(LAST_TEXT, chat_id)


def name_of_ref(chat_id: str, ref: str) -> str:
    """The key under which the message of ours with this `ref` is known."""
    return fact_key(BY_REF, chat_id, ref)


def request_of(lease: Lease) -> Request:
    """What is sent for the leased reply now: as it was frozen, in its unthreaded variant, or with the id filled in."""
    reply = _reply(lease)
    request = reply.plain if lease.use_plain and reply.plain is not None else reply.request
    found = _found(lease)
    return request if found is None else replace(request, path=request.path.replace(PLACE, quote(found, safe="")))


def unknown_of(lease: Lease) -> str | None:
    """Why the leased reply cannot be sent: the message it is about is not known, or too old for it; None: it can."""
    request = _reply(lease).request
    if PLACE not in request.path:
        return None
    fact = _fact(lease)
    if fact is None:
        return next(_UNKNOWN[kind] for kind in map(_kind, _reply(lease).guards) if kind in _UNKNOWN)
    if request.method == "PATCH" and lease.now_ms - fact.rank > EDITABLE_MS:
        return "the text was sent more than 15 minutes ago, and Linq edits none that is older: say it anew"
    return None


def _found(lease: Lease) -> str | None:
    fact = _fact(lease) if PLACE in _reply(lease).request.path else None
    return None if fact is None or fact.value is None else fact.value.decode()


def _fact(lease: Lease) -> Fact | None:
    """What is known of the message; its rank is when it was sent."""
    return next((fact for key, fact in lease.facts.items() if _kind(key) in _UNKNOWN and fact.value is not None), None)


def _kind(key: str) -> str:
    return key.partition(":")[0]


def _reply(lease: Lease) -> OutboxItem:
    assert lease.reply is not None, "a lease of the out side has its reply"
    return lease.reply


__all__ = ["PLACE", "name_of_last_text", "name_of_ref", "request_of", "unknown_of"]
