"""The turn whose answers are frozen: what they answer, in whose name, and the keys that follow from it."""

from __future__ import annotations

from dataclasses import dataclass, field

from linqbot.ids import idempotency_key
from linqbot.protocol.threading import Circumstances
from linqbot.records import DeadLetter
from linqbot.replies import Target, Thread


@dataclass(frozen=True, slots=True, kw_only=True)
class Answering:
    """What the replies of one turn answer, and in whose name."""

    namespace: str
    event_id: str
    """The first event of the turn: every key is derived from it."""
    handler: str
    chat_id: str | None
    """None: the event has no chat, so nothing can be said."""
    thread: Thread = "first"
    """The policy of handler, router or bot, whichever is nearest; a reply's own wins."""
    around: Circumstances = field(default_factory=Circumstances)
    about: Target | None = None
    """What an action without a target is done on: the message that the event is, or is about."""
    line: str = ""
    """The line that it leaves from, as in `OutboxItem.line`; empty: unknown."""
    guards: tuple[str, ...] = ()
    """What decides whether the answers leave (`protocol.guard`)."""
    now_ms: int

    @property
    def lane(self) -> str:
        """Where the answers wait their turn; empty without a chat."""
        return "" if self.chat_id is None else f"chat:{self.chat_id}"

    def key(self, position: int, part: str = "") -> str:
        """The idempotency key of an answer, or of a piece of it."""
        return idempotency_key(self.namespace, self.event_id, self.handler, position, part)

    def letter(self, reason: str, *, position: int) -> DeadLetter:
        """The dead letter of an answer that is not sent."""
        return DeadLetter(
            id=self.key(position),
            kind="reply",
            reason=f"reply {position + 1} of handler {self.handler!r}: {reason}",
            lane=self.lane,
            event_id=self.event_id,
            handler=self.handler,
            at_ms=self.now_ms,
        )
