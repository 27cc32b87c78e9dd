"""own messages <-> the facts under which they are found again, to act on one whose id was not known when it was asked for.

An item whose path holds `{message}` is about a message of ours: which one is told by a fact that its sending wrote
(`OutboxItem.names`), and that comes with the lease of the item (`OutboxItem.guards`). A chat's lane is first in, first
out, so what was said before in it has been sent by then.
"""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import quote, unquote

from linqbot.ids import fact_key, lane_fact
from linqbot.records import Fact, Lease, OutboxItem, Request

PLACE = "{message}"
"""Stands in a path for the id of a message that is not known yet; ids in paths are quoted and hold no braces."""

LAST_TEXT = "text"
"""Kind of the fact that names the last text bubble of ours in a chat."""
BY_REF = "ref"
"""Kind of the fact that names the message of ours with a `ref` in a chat."""

EDITABLE_MS = 15 * 60_000
"""How long after it was sent a text can be edited (linq-api-v3.md section 7.5)."""
MOST_EDITS = 5
"""How often it can be edited in that time (there, too)."""

LOOKED_FOR_MS = 60 * 60_000
"""How long it is known where a reply waits: as long as an attempt without an answer is repeated."""

_MESSAGES = "/v3/messages/"

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


def whereabouts(lease: Lease) -> Fact | None:
    """What to learn before an attempt whose news names another lane than the one where the reply waits: a chat that it
    makes, or one that Linq picks. None: the news names its lane.
    """
    reply = _reply(lease)
    if request_of(lease).path not in ("/v3/chats", "/v3/messages"):
        return None
    key = reply.plain_key if lease.use_plain else reply.key
    return Fact(key=lane_fact(key or ""), value=lease.lane.encode(), rank=lease.now_ms, ttl_ms=LOOKED_FOR_MS)


def request_of(lease: Lease) -> Request:
    """What is sent for the leased reply now: as it was frozen, in its unthreaded variant, or with the id filled in."""
    reply = _reply(lease)
    request = reply.plain if lease.use_plain and reply.plain is not None else reply.request
    found = _found(lease)
    return request if found is None else replace(request, path=request.path.replace(PLACE, quote(found, safe="")))


def obstacle_to(lease: Lease) -> str | None:
    """Why the leased reply cannot be sent: the message it is about is not known, too old for it, or was edited too often;
    None: it can.
    """
    request = _reply(lease).request
    if _edits(lease) >= MOST_EDITS:
        return "the text was edited 5 times in 15 minutes, and Linq takes no more: say it anew"
    if PLACE not in request.path:
        return None
    fact = _fact(lease)
    if fact is None:
        return next(_UNKNOWN[kind] for kind in map(_kind, _reply(lease).guards) if kind in _UNKNOWN)
    if request.method == "PATCH" and lease.now_ms - fact.rank > EDITABLE_MS:
        return "the text was sent more than 15 minutes ago, and Linq edits none that is older: say it anew"
    return None


def edits_of(lease: Lease) -> str | None:
    """The key under which is known how often the text was edited that the leased reply edits; None: it edits none."""
    request = _reply(lease).request
    if request.method != "PATCH" or not request.path.startswith(_MESSAGES):
        return None
    message_id = _found(lease) if PLACE in request.path else unquote(request.path.removeprefix(_MESSAGES))
    return None if message_id is None else fact_key("edits", message_id)


def _edits(lease: Lease) -> int:
    fact = lease.facts.get(edits_of(lease) or "")
    return 0 if fact is None or fact.value is None else int(fact.value)


def edited_once_more(lease: Lease, now_ms: int) -> tuple[Fact, ...]:
    """What a success of the leased reply teaches, if it is an edit."""
    key = edits_of(lease)
    if key is None:
        return ()
    return (Fact(key=key, value=b"%d" % (_edits(lease) + 1), rank=now_ms, ttl_ms=EDITABLE_MS),)


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


__all__ = [
    "PLACE",
    "edited_once_more",
    "edits_of",
    "name_of_last_text",
    "name_of_ref",
    "obstacle_to",
    "request_of",
    "whereabouts",
]
