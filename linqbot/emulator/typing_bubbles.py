"""POST, DELETE typing -> a bubble on their phone for a while (linq-api-v3.md section 7.4).

Own bubbles are announced, too (section 9.6): `actor_handle` is ours. choices.GROUP_TYPING.
"""

from __future__ import annotations

from functools import partial

from linqbot.emulator import choices, finding, payloads, shapes
from linqbot.emulator.entities import Chat, Person
from linqbot.emulator.linq import Linq
from linqbot.emulator.operation import NOTHING, Call
from linqbot.emulator.wire import Answer


def start_typing(linq: Linq, call: Call) -> Answer:
    """POST /v3/chats/{chatId}/typing: again refreshes it; over RCS and SMS nothing is to be seen."""
    chat = finding.chat_to_act_in(linq, call)
    if chat.service == "iMessage":
        begin(linq, chat, chat.me, call.trace_id)
    return NOTHING


def stop_typing(linq: Linq, call: Call) -> Answer:
    """DELETE /v3/chats/{chatId}/typing."""
    chat = finding.chat_to_act_in(linq, call)
    end(linq, chat, chat.me, call.trace_id)
    return NOTHING


def begin(linq: Linq, chat: Chat, person: Person, trace_id: str) -> None:
    """Show somebody typing, until `end` or for choices.TYPING_MS."""
    key = (chat.id, person.handle)
    running = linq.typing.get(key)
    if running is not None:
        running.cancel()
    due_ms = linq.clock.now_ms() + choices.TYPING_MS
    linq.typing[key] = linq.agenda.at(due_ms, partial(end, linq, chat, person, trace_id))
    if running is None:
        _tell(linq, chat, person, "started", trace_id)


def end(linq: Linq, chat: Chat, person: Person, trace_id: str) -> None:
    """Show them no longer typing; nothing happens when they were not."""
    running = linq.typing.pop((chat.id, person.handle), None)
    if running is not None:
        running.cancel()
        _tell(linq, chat, person, "stopped", trace_id)


def clear(linq: Linq, chat: Chat, trace_id: str) -> None:
    """Our message is there: our bubble is gone."""
    if linq.typing:
        end(linq, chat, chat.me, trace_id)


def _tell(linq: Linq, chat: Chat, person: Person, what: str, trace_id: str) -> None:
    linq.lifecycle.tell(chat, f"chat.typing_indicator.{what}", payloads.typing(chat, person), trace_id)
    if person.is_me:
        linq.world.add_deed(f"typing.{what}", chat, shapes.moment(linq.clock.now_ms()))
