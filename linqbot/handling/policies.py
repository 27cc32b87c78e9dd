"""The policies: who is answered, how often, and what a person sees meanwhile (design.md section 5).

`OptOut` and `LoopGuard` hold for every bot unless it is made without them; the others are off unless named.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta

import structlog

from linqbot.clock import Alarm
from linqbot.errors import RegistrationError
from linqbot.events import Event, Message, MessageEvent
from linqbot.handling.loops import REPEATED
from linqbot.handling.policy import Policy, Visit, span_ms
from linqbot.protocol.courtesy import read_request, typing_request
from linqbot.protocol.optout import asks_for_silence
from linqbot.protocol.threading import FLAT_SERVICES
from linqbot.records import StateWrite

log = structlog.get_logger("linqbot.handling")

_TYPING_LASTS_S = 60.0
"""Linq shows it for about 85 s and advises to refresh it so often (linq-api-v3.md section 7.4)."""


@dataclass(frozen=True, slots=True)
class OptOut(Policy):
    """Keep quiet when somebody asks for it: a message that is STOP or one of its like, alone in a direct chat, is handed to
    no `message` or `fallback` handler. `event("message.received")` still gets it, to take note of.

    That nothing is sent to them from then on, until they write something else, is no policy and cannot be taken off: Linq
    would refuse it. Which words count: linq-api-v3.md section 9.1.
    """

    def hides(self, event: Event) -> bool:
        """Whether it is such a message."""
        if not isinstance(event, Message) or event.chat.is_group:
            return False
        status = event.chat.health.status if event.chat.health is not None else ""
        return asks_for_silence(event.text, withheld=event.zero_retention and not event.parts, health=status)


@dataclass(frozen=True, slots=True)
class LoopGuard(Policy):
    """Stop answering a machine that answers us: after `turns` answers in a row that were each met by a message `within` a
    few seconds, the sender's messages in that chat end in silence until none came for as long as `quiet`.

    Counted are messages that repeat the one before, as two auto-responders or echoes do; others that come as quickly count
    a quarter. Messages that come sooner than an answer can have travelled (0.3 s) were written before it, and a person has
    to read and type: neither counts. Each process counts for itself, for the 10,000 conversations that it answered last.
    Spans are written like `"3s"`. Raises `RegistrationError`.
    """

    turns: int = 25
    within: str | timedelta = "3s"
    quiet: str | timedelta = "1m"
    _within_ms: int = field(init=False, repr=False, compare=False, default=0)
    _quiet_ms: int = field(init=False, repr=False, compare=False, default=0)

    def __post_init__(self) -> None:
        turns: object = self.turns
        if not isinstance(turns, int) or isinstance(turns, bool) or turns < 2:
            raise RegistrationError("LoopGuard(turns=) is a number from 2 on")
        object.__setattr__(self, "_within_ms", span_ms(self.within, what="LoopGuard(within=)"))
        object.__setattr__(self, "_quiet_ms", span_ms(self.quiet, what="LoopGuard(quiet=)"))

    async def allows(self, visit: Visit) -> bool:
        """Whether the sender is no machine, or was quiet since."""
        who = _who(visit.event)
        if who is None or visit.loops.heard(who, visit.came_ms, quiet_ms=self._quiet_ms) < self.turns * REPEATED:
            return True
        log.warning(
            "two machines seem to talk to each other, not answered",
            event_id=visit.event.event_id,
            chat_id=visit.event.chat_id,
            remedy="a chat that is quiet for a while is answered again; Bot(loop_guard=None) takes the guard off",
        )
        return False

    def begins(self, visit: Visit) -> None:
        """Count the answer once it is there."""
        who = _who(visit.event)
        if who is None:
            return

        def end(answered: bool) -> None:  # noqa: FBT001  # the shape of every `End`
            if answered:
                text = getattr(visit.event, "text", "")
                visit.loops.answered(who, text, visit.came_ms, visit.now_ms(), within_ms=self._within_ms)

        visit.at_end(end)


@dataclass(frozen=True, slots=True)
class Cooldown(Policy):
    """Answer a chat at most once in a span such as `"12h"`, counted from the last answer; what comes meanwhile ends in
    silence, and no other handler is asked.

    Each handler that it is on counts for itself. Kept in the store with the answer, over restarts and for all processes.
    Not for events about no chat. Raises `RegistrationError`.
    """

    span: str | timedelta
    _span_ms: int = field(init=False, repr=False, compare=False, default=0)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_span_ms", span_ms(self.span, what="Cooldown()"))

    async def allows(self, visit: Visit) -> bool:
        """Whether the last answer is long enough ago; if it is, this one will be noted."""
        if visit.event.chat_id is None:
            return True
        key = f"cooldown:{visit.handler}:{visit.event.chat_id}"
        cell = (await visit.port.load([key])).get(key)
        if cell is not None and visit.now_ms() - int(cell.value) < self._span_ms:
            return False
        expected = 0 if cell is None else cell.version

        def end(answered: bool) -> None:  # noqa: FBT001  # the shape of every `End`
            if answered:
                value = b"%d" % visit.now_ms()
                visit.writes.append(StateWrite(key=key, expected=expected, value=value, ttl_ms=self._span_ms))

        visit.at_end(end)
        return True


@dataclass(frozen=True, slots=True)
class ShowTyping(Policy):
    """Show the person that an answer is being made, from the handler's start to its end.

    Best effort: refreshed every 60 s, never waited for, not stored, and what goes wrong is only logged. On iMessage only;
    over SMS and RCS there is nothing to see, and Linq shows it only where the bot wrote in the last minutes (linq-api-v3.md
    section 7.4).
    """

    def begins(self, visit: Visit) -> None:
        """Start typing, and stop at the end."""
        chat_id = visit.event.chat_id
        if chat_id is None or getattr(visit.event, "service", None) in FLAT_SERVICES:
            return
        alarms: list[Alarm] = []

        def show() -> None:
            visit.port.hint(typing_request(chat_id, on=True))
            alarms[:] = [visit.clock.alarm(_TYPING_LASTS_S, show)]

        def end(answered: bool) -> None:  # noqa: ARG001, FBT001  # the shape of every `End`
            alarms[0].cancel()
            visit.port.hint(typing_request(chat_id, on=False))

        show()
        visit.at_end(end)


@dataclass(frozen=True, slots=True)
class SendReadReceipts(Policy):
    """Tell the person that their message was read, when a handler begins with it.

    Best effort: never waited for, not stored, and what goes wrong is only logged. Marks all of the chat as read. Not over
    SMS and not in groups, where it has no effect (linq-api-v3.md section 9.3).
    """

    def begins(self, visit: Visit) -> None:
        """Mark the chat as read."""
        event = visit.event
        if isinstance(event, Message) and event.service != "SMS" and not event.chat.is_group:
            visit.port.hint(read_request(event.chat_id))


def _who(event: Event) -> tuple[str, str] | None:
    """Whom a message is from, and where; None: it is none, or Linq did not say."""
    if not isinstance(event, MessageEvent) or event.is_from_me or not event.sender.handle:
        return None
    return (event.chat_id, event.sender.handle)
