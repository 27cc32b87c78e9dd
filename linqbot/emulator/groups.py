"""Call -> who is in a group, what it is called, how it looks (linq-api-v3.md section 7.3).

Accepted at once, done a moment later, told by webhook. choices.GROUP_STATE, choices.UPDATE_FAILED.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from linqbot.emulator import choices, fields, finding, payloads, shapes
from linqbot.emulator.entities import Chat, Person
from linqbot.emulator.linq import Linq
from linqbot.emulator.operation import Call, ok
from linqbot.emulator.problems import Problem
from linqbot.emulator.wire import Answer

LEAST_TO_ADD = 3
LEAST_AFTER_REMOVAL = 3
LEAST_TO_LEAVE = 4
MOST_MEMBERS = 32


def update_chat(linq: Linq, call: Call) -> Answer:
    """PUT /v3/chats/{chatId}: name and icon of a group."""
    chat = finding.chat_to_act_in(linq, call)
    if not chat.is_group:
        raise Problem(409, 1006, "Only group chats can be updated")
    body = fields.mapping(call.body, "body")
    name, icon = _word(body.get("display_name"), "display_name"), _word(body.get("group_chat_icon"), "group_chat_icon")
    if name is None and icon is None:
        raise fields.missing("display_name or group_chat_icon")
    if icon is not None and not icon.startswith("https://"):
        raise Problem(400, 5007, "The icon's url cannot be fetched")
    for what, new in (("name", name), ("icon", icon)):
        if new is not None:
            _later(linq, partial(_update, linq, chat, what, new, call))
    return ok({"chat_id": chat.id, "status": "pending"}, 202)


def add_participant(linq: Linq, call: Call) -> Answer:
    """POST /v3/chats/{chatId}/participants."""
    chat, handle = _group_and_handle(linq, call)
    if chat.member(handle) is not None:
        raise _conflict("They already take part")
    if len(chat.others) + 1 < LEAST_TO_ADD:
        raise _conflict("The group is too small")
    if len(chat.others) + 1 >= MOST_MEMBERS:
        raise _conflict("The group is full")
    if chat.service not in (linq.world.services.get(handle) or choices.UNDECLARED):
        raise Problem(409, 2017, "They do not support the group's service")
    _later(linq, partial(join, linq, chat, handle, call.trace_id))
    return ok(shapes.accepted("Participant addition queued", call.trace_id), 202)


def remove_participant(linq: Linq, call: Call) -> Answer:
    """DELETE /v3/chats/{chatId}/participants."""
    chat, handle = _group_and_handle(linq, call)
    if handle == chat.line:
        raise fields.value("A line cannot remove itself; leave the chat")
    person = chat.member(handle)
    if person is None:
        raise Problem(404, 2001, "They do not take part")
    if len(chat.others) < LEAST_AFTER_REMOVAL:
        raise _conflict("At least 3 participants must remain")
    _later(linq, partial(go, linq, chat, person, "removed", call.trace_id))
    return ok(shapes.accepted("Participant removal queued", call.trace_id), 202)


def leave_chat(linq: Linq, call: Call) -> Answer:
    """POST /v3/chats/{chatId}/leave: from now on everything in it is 409/2013."""
    chat = finding.chat_to_act_in(linq, call)
    if not chat.is_group:
        raise Problem(409, 1006, "Only group chats can be left")
    _check_imessage(chat)
    if len(chat.others) + 1 < LEAST_TO_LEAVE:
        raise _conflict("A group can be left when it has at least 4 members")
    linq.world.remove_member(chat, chat.me, status="left", now_ms=linq.clock.now_ms())
    _later(linq, partial(_tell_gone, linq, chat, chat.me, call.trace_id))
    return ok(shapes.accepted("Leave group chat queued", call.trace_id), 202)


def join(linq: Linq, chat: Chat, handle: str, trace_id: str) -> None:
    """Let somebody in; nothing happens when they are there."""
    if chat.member(handle) is None:
        person = linq.world.add_member(chat, handle, linq.clock.now_ms())
        linq.lifecycle.tell(chat, "participant.added", payloads.participant(chat, person), trace_id)


def go(linq: Linq, chat: Chat, person: Person, status: str, trace_id: str) -> None:
    """Let somebody out, `left` by themselves or `removed`; nothing happens when they are gone."""
    if person in chat.others:
        linq.world.remove_member(chat, person, status=status, now_ms=linq.clock.now_ms())
        _tell_gone(linq, chat, person, trace_id)


def rename(linq: Linq, chat: Chat, what: str, new: str | None, by: Person, trace_id: str) -> None:
    """Give a group another name or icon; `what` says which."""
    old = chat.name if what == "name" else chat.icon
    chat.updated_ms = linq.clock.now_ms()
    if what == "name":
        chat.name = new
    else:
        chat.icon = new
    data = payloads.group_updated(chat, by, old=old, new=new)
    linq.lifecycle.tell(chat, f"chat.group_{what}_updated", data, trace_id)


def _update(linq: Linq, chat: Chat, what: str, new: str, call: Call) -> None:
    if chat.service == "iMessage" and call.failure is None:
        rename(linq, chat, what, new, chat.me, call.trace_id)
        return
    code = choices.UPDATE_FAILED if call.failure is None else call.failure.code
    data = payloads.update_failed(chat, code, failed_ms=linq.clock.now_ms())
    linq.lifecycle.tell(chat, f"chat.group_{what}_update_failed", data, call.trace_id)


def _tell_gone(linq: Linq, chat: Chat, person: Person, trace_id: str) -> None:
    linq.lifecycle.tell(chat, "participant.removed", payloads.participant(chat, person), trace_id)


def _group_and_handle(linq: Linq, call: Call) -> tuple[Chat, str]:
    chat = finding.chat_to_act_in(linq, call)
    handle = fields.handle(fields.mapping(call.body, "body").get("handle"), "handle")
    if not chat.is_group:
        raise Problem(409, 1006, "Only group chats have participants to change")
    _check_imessage(chat)
    return chat, handle


def _check_imessage(chat: Chat) -> None:
    if chat.service != "iMessage":
        raise Problem(409, 2017, "Only supported in iMessage groups")


def _conflict(message: str) -> Problem:
    return Problem(*choices.GROUP_STATE, message)


def _word(given: Any, name: str) -> str | None:
    if given is not None and (not isinstance(given, str) or not given):
        raise fields.value(f"{name} must be a string")
    return given


def _later(linq: Linq, act: Callable[[], None]) -> None:
    linq.lifecycle.soon(act)
