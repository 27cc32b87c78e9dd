"""a handler about to run -> may it, and what goes with it. What a policy is, and which ones hold where several are named.

Policies touch nothing outside: they ask through the turn's port, and what they store is committed with the turn.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import timedelta

from linqbot.clock import Clock
from linqbot.errors import RegistrationError
from linqbot.events import Event
from linqbot.handling.loops import Loops
from linqbot.handling.turn import Port
from linqbot.protocol.duration import parse_duration
from linqbot.records import Lease, StateWrite

End = Callable[[bool], None]
"""Called when a handler has ended, however it did: with whether it answered."""


class Visit:
    """One handler about to run for one event, as its policies see it."""

    def __init__(self, event: Event, handler: str, lease: Lease, *, clock: Clock, port: Port, loops: Loops) -> None:
        self.event = event
        self.handler = handler
        self.clock = clock
        self.port = port
        self.loops = loops
        self.writes: list[StateWrite] = []
        """State that is stored with the turn."""
        self.came_ms = lease.events[-1].accepted_ms
        """Store time when the event was accepted."""
        self._ahead_ms = lease.now_ms - clock.now_ms()
        self._ends: list[End] = []

    def now_ms(self) -> int:
        """Store time: that of the lease and what has passed since."""
        return self.clock.now_ms() + self._ahead_ms

    def at_end(self, end: End) -> None:
        """Have something called when the handler has ended."""
        self._ends.append(end)

    def end(self, *, answered: bool) -> None:
        """The handler has ended."""
        ends, self._ends = self._ends, []  # they know the visit: kept, each turn would lie in memory for the collector
        for end in ends:
            end(answered)


class Policy:
    """A rule for handlers, given to a bot, a router or a handler by `policies=[…]`; a frozen value.

    Policies of different kinds add up; of one kind the nearest to the handler holds, and no other of that kind.
    """

    __slots__ = ()

    def hides(self, event: Event) -> bool:  # noqa: ARG002  # for those that look
        """Whether the handler is not asked at all, as if its trigger did not match."""
        return False

    async def allows(self, visit: Visit) -> bool:  # noqa: ARG002  # for those that look
        """Whether the handler may run; False: the event ends here, in silence."""
        return True

    def begins(self, visit: Visit) -> None:
        """The handler is about to run."""


def checked(policies: Iterable[Policy], *, what: str) -> tuple[Policy, ...]:
    """The policies, in order. Raises `RegistrationError` for what is none, naming `what` they were given to."""
    given: object = policies
    if isinstance(given, Policy | str) or not isinstance(given, Iterable):
        raise RegistrationError(f"{what}: policies= is a list, as in policies=[ShowTyping()]")
    found = tuple(policies)
    for policy in found:
        kind: object = policy
        if isinstance(kind, type) and issubclass(kind, Policy):
            raise RegistrationError(f"{what}: policies= holds {kind.__name__} itself; write {kind.__name__}()")
        if not isinstance(kind, Policy):
            raise RegistrationError(f"{what}: policies= holds policies, not one of type {type(kind).__name__}")
    return found


def nearest(outer: tuple[Policy, ...], inner: tuple[Policy, ...]) -> tuple[Policy, ...]:
    """The policies that hold for a handler: those around it, and its own instead of those of the same kind."""
    return tuple({type(policy): policy for policy in (*outer, *inner)}.values())


def span_ms(text: str | timedelta, *, what: str) -> int:
    """A span of time in milliseconds. Raises `RegistrationError` for what is none, or is not longer than nothing."""
    given: object = text
    try:
        span = given if isinstance(given, timedelta) else parse_duration(given if isinstance(given, str) else "")
    except ValueError as error:
        raise RegistrationError(f"{what}: {error}") from None
    if span <= timedelta(0):
        raise RegistrationError(f"{what} must be longer than nothing")
    return span // timedelta(milliseconds=1)
