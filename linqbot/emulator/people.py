"""people -> reactions, edits, typing, votes, groups, places, cards. What others do, besides writing, and what lines are.

Each act is told by its webhook. Somebody who is blocked does it unheard (linq-api-v3.md section 7.7); who comes into a
group or goes is told of everybody.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from linqbot.emulator import edits, fields, groups, payloads, places, polls, reactions, services, typing_bubbles
from linqbot.emulator.entities import Chat, Line, Message, Person, Poll
from linqbot.emulator.linq import Linq
from linqbot.emulator.world import Share

_STATUS = ("ACTIVE", "FLAGGED")
_LINE_TYPES = ("iMessage", "RCS")
_REPUTATION = ("HEALTHY", "AT_RISK", "CRITICAL")
"""Of a line; of a chat also, which is OPTED_OUT by a word alone."""


class People:
    """The phones of the others. `from_` is a handle; a message, chat or option that does not exist raises Problem."""

    def __init__(self, linq: Linq) -> None:
        self._linq = linq

    def can(self, handle: str, services_: Sequence[str]) -> None:
        """Say what somebody's phone can do: some of iMessage, RCS, SMS; nothing makes every send to them fail."""
        if not set(services_) <= set(services.SERVICES):
            raise fields.value("services must be some of iMessage, RCS, SMS")
        self._linq.world.services[fields.handle(handle, "handle")] = tuple(services_)

    def reacts(self, from_: str, message_id: str, type_: str, *, operation: str = "add", **more: Any) -> None:
        """Put a reaction on a message, or `remove` it; `more`: `part_index`, `custom_emoji`, for stickers as in the API."""
        message = self._message(message_id)
        body = {"operation": operation, "type": type_, **more}
        wish = reactions.read_wish(self._linq, message, body)
        person = self._member(message.chat, from_)
        if self._is_heard(person):
            reactions.carry_out(self._linq, message, person, wish, self._trace())

    def edits(self, message_id: str, text: str, *, part_index: int = 0) -> None:
        """Change the text of a message of theirs."""
        message = self._message(message_id)
        if not 0 <= part_index < len(message.parts):
            raise fields.value("part_index is not a part of the message")
        if message.sender.is_me:
            raise fields.value("this is a message of a line; people edit their own")
        if self._is_heard(message.sender):
            edits.change_text(self._linq, message, part_index, text)
            edits.tell(self._linq, message, part_index, text, self._trace())

    def types(self, from_: str, chat_id: str, *, stops: bool = False) -> None:
        """Begin to type, or stop."""
        chat = self._chat(chat_id)
        person = self._member(chat, from_)
        act = typing_bubbles.end if stops else typing_bubbles.begin
        if self._is_heard(person):
            act(self._linq, chat, person, self._trace())

    def votes(self, from_: str, message_id: str, option_id: str, *, operation: str = "add") -> None:
        """Vote for an option of a poll, or `remove` the vote."""
        message = self._message(message_id)
        option = self._poll(message).option(option_id)
        person = self._member(message.chat, from_)
        if option is None:
            raise fields.value("option_id is not an option of this poll")
        if self._is_heard(person):
            polls.cast(self._linq, message, person, option, adds=operation == "add", trace_id=self._trace())

    def adds_options(self, from_: str, message_id: str, options: Sequence[str]) -> None:
        """Add answers to a poll."""
        message = self._message(message_id)
        self._poll(message)
        person = self._member(message.chat, from_)
        if self._is_heard(person):
            polls.extend(self._linq, message, person, list(options), self._trace())

    def joins(self, handle: str, chat_id: str) -> None:
        """Come into a group."""
        groups.join(self._linq, self._group(chat_id), fields.handle(handle, "handle"), self._trace())

    def leaves(self, handle: str, chat_id: str) -> None:
        """Go out of a group."""
        chat = self._group(chat_id)
        groups.go(self._linq, chat, self._member(chat, handle), "left", self._trace())

    def renames(self, from_: str, chat_id: str, *, name: str | None = None, icon: str | None = None) -> None:
        """Give a group another name or icon."""
        chat = self._group(chat_id)
        by = self._member(chat, from_)
        if not self._is_heard(by):
            return
        for what, new in (("name", name), ("icon", icon)):
            if new is not None:
                groups.rename(self._linq, chat, what, new, by, self._trace())

    def sets_background(self, from_: str, chat_id: str, background: dict[str, Any] | None) -> None:
        """Put something behind the bubbles; None takes it away."""
        chat = self._chat(chat_id)
        by = self._member(chat, from_)
        if not self._is_heard(by):
            return
        chat.background = background
        self._linq.lifecycle.tell(chat, "chat.background_updated", payloads.background(chat, by), self._trace())

    def shares_location(
        self, from_: str, chat_id: str, *, latitude: float, longitude: float, for_s: float | None = None
    ) -> None:
        """Share where they are, for ever or for a time; again: move."""
        chat = self._chat(chat_id)
        person, now_ms = self._member(chat, from_), self._linq.clock.now_ms()
        if not self._is_heard(person):
            return
        before = self._linq.world.shares.get((from_, chat.line))
        ends_ms = None if for_s is None else now_ms + int(for_s * 1000)
        share = Share(
            handle=person.handle,
            longitude=longitude,
            latitude=latitude,
            began_ms=now_ms if before is None else before.began_ms,
            updated_ms=now_ms,
            ends_ms=ends_ms,
        )
        places.begin_share(self._linq, chat, share, self._trace())
        if ends_ms is not None:
            self._linq.agenda.at(ends_ms, lambda: self._share_ends(share, chat_id))

    def hides_location(self, from_: str, chat_id: str) -> None:
        """No longer share where they are."""
        places.end_share(self._linq, self._chat(chat_id), from_, self._trace())

    def shares_card(
        self, from_: str, line: str, *, first_name: str, last_name: str = "", media_url: str | None = None
    ) -> None:
        """Send their contact card to a line."""
        if from_ in self._linq.world.blocked:
            return
        data = payloads.card_received(
            line, fields.handle(from_, "from"), first_name=first_name, last_name=last_name, media_url=media_url
        )
        self._linq.postman.announce("contact_card.received", lambda _: data, line=line, trace_id=self._trace())

    def line(self, phone: str, **more: Any) -> Line:
        """Change what a line is: `sandbox`, `zero_retention`, `line_type`, `status`, `reputation`; changes are told."""
        line = self._linq.world.lines.get(phone)
        if line is None:
            raise fields.value("this is not a line of the emulator")
        if more.get("status", "ACTIVE") not in _STATUS or more.get("reputation", "HEALTHY") not in _REPUTATION:
            raise fields.value(f"status must be one of {_STATUS}, reputation one of {_REPUTATION}")
        if more.get("line_type", "iMessage") not in _LINE_TYPES:
            raise fields.value(f"line_type must be one of {_LINE_TYPES}")
        if not more.keys() <= {"sandbox", "zero_retention", "line_type", "status", "reputation"}:
            raise fields.value("a line has sandbox, zero_retention, line_type, status and reputation")
        status, reputation = line.status, line.reputation
        for name, new in more.items():
            setattr(line, name, new)
        if (status, reputation) != (line.status, line.reputation):
            now_ms = self._linq.clock.now_ms()
            data = payloads.status_updated(line, status=status, reputation=reputation, changed_ms=now_ms)
            event_type = "phone_number.status_updated"
            self._linq.postman.announce(event_type, lambda _: data, line=phone, trace_id=self._trace())
        return line

    def chat(self, chat_id: str, *, health: str) -> None:
        """Change how Linq judges a chat: HEALTHY, AT_RISK or CRITICAL; its next webhooks tell (choices.JUDGEMENT)."""
        chat = self._chat(chat_id)
        if health not in _REPUTATION:
            raise fields.value(f"health must be one of {_REPUTATION}")
        chat.health, chat.health_ms = health, self._linq.clock.now_ms()

    def _share_ends(self, share: Share, chat_id: str) -> None:
        now = self._linq.world.shares.get((share.handle, self._chat(chat_id).line))
        if now is not None and now.ends_ms == share.ends_ms:  # not prolonged meanwhile
            self.hides_location(share.handle, chat_id)

    def _chat(self, chat_id: str) -> Chat:
        chat = self._linq.world.chats.get(chat_id)
        if chat is None:
            raise fields.value("there is no such chat")
        return chat

    def _group(self, chat_id: str) -> Chat:
        chat = self._chat(chat_id)
        if not chat.is_group:
            raise fields.value("this chat is not a group")
        return chat

    def _message(self, message_id: str) -> Message:
        message = self._linq.world.messages.get(message_id)
        if message is None:
            raise fields.value("there is no such message")
        return message

    def _poll(self, message: Message) -> Poll:
        if message.poll is None:
            raise fields.value("this message is not a poll")
        return message.poll

    def _member(self, chat: Chat, handle: str) -> Person:
        person = chat.member(handle)
        if person is None or person.is_me:
            raise fields.value("this person is not in the chat")
        return person

    def _is_heard(self, person: Person) -> bool:
        return person.handle not in self._linq.world.blocked

    def _trace(self) -> str:
        return self._linq.names.trace_id()
