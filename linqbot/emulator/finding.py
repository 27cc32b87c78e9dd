"""Call -> entity, or 404. What a path and a query point at; the pages of a list."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from typing import TypeVar

from linqbot.emulator import fields
from linqbot.emulator.entities import Chat, Line, Message
from linqbot.emulator.linq import Linq
from linqbot.emulator.operation import Call
from linqbot.emulator.problems import Problem

MOST_PER_PAGE = 100

_T = TypeVar("_T")


def chat(linq: Linq, call: Call) -> Chat:
    """The chat a path names."""
    found = linq.world.chats.get(fields.uuid(call.params["chatId"], "chatId"))
    if found is None:
        raise Problem(404, 2001, "Chat not found")
    return found


def chat_to_act_in(linq: Linq, call: Call) -> Chat:
    """The chat a path names, unless nothing can be done in it: 409/2013 when left, 403/2027 when its line is flagged."""
    found = chat(linq, call)
    linq.gate.check_chat(found)
    return found


def message(linq: Linq, call: Call) -> Message:
    """The message a path names; one whose record was deleted is not found."""
    found = any_message(linq, call)
    if found.is_deleted:
        raise Problem(404, 2002, "Message not found")
    return found


def message_to_act_on(linq: Linq, call: Call) -> Message:
    """The message a path names, in a chat where something can be done."""
    found = message(linq, call)
    linq.gate.check_chat(found.chat)
    return found


def any_message(linq: Linq, call: Call) -> Message:
    """The message a path names, deleted or not."""
    found = linq.world.messages.get(fields.uuid(call.params["messageId"], "messageId"))
    if found is None:
        raise Problem(404, 2002, "Message not found")
    return found


def own_line(linq: Linq, phone: str) -> Line:
    """A line of ours by its number."""
    found = linq.world.lines.get(phone)
    if found is None:
        raise Problem(403, 2006, "The from number is not on your account")
    return found


def page(call: Call, entries: Iterable[_T], *, default: int) -> tuple[list[_T], str | None]:
    """The page a query asks for, and the cursor of the next one.

    choices.CURSOR: an offset, which shifts when something new comes; Linq promises no more.
    """
    limit = fields.whole(call.query.get("limit"), "limit", default=default, least=1, most=MOST_PER_PAGE)
    start = fields.whole(call.query.get("cursor"), "cursor", default=0)
    found = list(islice(entries, start, start + limit + 1))
    return found[:limit], str(start + limit) if len(found) > limit else None
