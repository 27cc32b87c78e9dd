"""accepted Message -> sent -> delivered -> read, or failed. What becomes of a message of ours, told by webhooks.

All of it happens on the agenda, under the trace id of the call that caused it. Groups and SMS end with sent
(linq-api-v3.md section 9.3).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from linqbot.clock import Clock
from linqbot.emulator import choices, payloads, poll_payloads, services, shapes
from linqbot.emulator.agenda import Agenda
from linqbot.emulator.entities import Chat, Json, Message
from linqbot.emulator.postman import Postman
from linqbot.emulator.world import World

SEND_FAILED, DELIVERY_FAILED = "Message send failed", "Message delivery failed"
"""Reasons of message.failed: after the second one it may still be delivered (linq-api-v3.md section 9.4)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """A message that is accepted and then not delivered, or late after all."""

    code: int = 4001
    reason: str = SEND_FAILED
    delivered_late: bool = False


class Lifecycle:
    """Takes accepted messages to their end."""

    def __init__(
        self, world: World, postman: Postman, agenda: Agenda, *, clock: Clock, times_ms: tuple[int, int, int]
    ) -> None:
        self._world = world
        self._postman = postman
        self._agenda = agenda
        self._clock = clock
        self._times_ms = times_ms

    def begin(self, message: Message, failure: Failure | None = None) -> None:
        """Let a message go its way."""
        if failure is None and services.service_of(self._world, message) is None:
            failure = Failure(code=choices.SERVICE_IMPOSSIBLE_CODE)
        if failure is None:
            self._world.add_heard(message, shapes.moment(message.created_ms))
            self._later(message, 0, self._sent)
        else:
            self._later(message, 0, partial(self._failed, failure=failure))

    def soon(self, act: Callable[[], None]) -> None:
        """Do something when Linq gets to it: as long after the call as a message is sent after it."""
        self._agenda.at(self._clock.now_ms() + self._times_ms[0], act)

    def tell(
        self, chat: Chat, event_type: str, data: Json | Callable[[str], Json], trace_id: str, *, only: str | None = None
    ) -> None:
        """Announce something that happened in a chat; `only` names the one payload version that knows it."""
        make = data if callable(data) else lambda _version: data
        self._postman.announce(event_type, make, line=chat.line, chat_id=chat.id, trace_id=trace_id, only=only)

    def _sent(self, message: Message) -> None:
        message.service = services.service_of(self._world, message) or message.chat.service
        message.status, message.sent_ms = "sent", self._clock.now_ms()
        self._report(message, "sent")
        if not message.chat.is_group and message.service != "SMS":
            self._later(message, 1, self._delivered)

    def _delivered(self, message: Message) -> None:
        message.status, message.delivered_ms = "delivered", self._clock.now_ms()
        self._report(message, "delivered")
        self._later(message, 2, self._read)  # choices.READ_RECEIPTS

    def _read(self, message: Message) -> None:
        message.status, message.read_ms = "read", self._clock.now_ms()
        self._report(message, "read")

    def _failed(self, message: Message, failure: Failure) -> None:
        now_ms = self._clock.now_ms()
        message.status, message.updated_ms = "failed", now_ms
        make = payloads.message_failed if message.poll is None else poll_payloads.failed
        data = make(message, code=failure.code, reason=failure.reason, failed_ms=now_ms)
        self.tell(message.chat, f"{_kind(message)}.failed", data, message.trace_id)
        if failure.delivered_late:
            self._world.add_heard(message, shapes.moment(message.created_ms))
            message.service, message.sent_ms = services.service_of(self._world, message), now_ms
            self._later(message, 1, self._delivered)

    def _later(self, message: Message, step: int, act: Callable[[Message], None]) -> None:
        before_ms = self._times_ms[step - 1] if step else 0
        after_ms = max(0, self._times_ms[step] - before_ms)
        self._agenda.at(self._clock.now_ms() + after_ms, partial(act, message))

    def _report(self, message: Message, what: str) -> None:
        message.updated_ms = self._clock.now_ms()
        event_type = f"{_kind(message)}.{what}"
        make = payloads.message_event if message.poll is None else poll_payloads.happened
        self.tell(message.chat, event_type, partial(make, message, event_type), message.trace_id)


def _kind(message: Message) -> str:
    return "message" if message.poll is None else "poll"
