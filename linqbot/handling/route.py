"""a decorated function -> Route. One handler as registered: what it takes, what it needs, how it is run."""

from __future__ import annotations

import difflib
import inspect
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from types import CodeType, NoneType
from typing import Any, NoReturn

from linqbot.errors import RegistrationError
from linqbot.events import REGISTRY, Event, MessageEvent, known
from linqbot.handling.condition import Condition
from linqbot.handling.parameters import Need, Origin, Plain, needs_of, returned_by
from linqbot.handling.policy import Policy, checked
from linqbot.handling.trigger import Match, Trigger
from linqbot.replies import Answer, Next, Thread
from linqbot.replies.reply import THREADS

Handler = Callable[..., Answer | Awaitable[Answer] | AsyncIterator[Answer]]
"""A function that may be registered: `async def`, plain `def` (run in a thread), or `async def` with `yield`."""

MESSAGE = "message.received"


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What every decorator takes beside its trigger."""

    name: str | None = None
    thread: Thread | None = None
    attempts: int | None = None
    timeout: float | None = None
    policies: Sequence[Policy] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One handler and the events it is for."""

    name: str
    named_by_user: bool
    function: Plain
    types: tuple[str, ...]
    trigger: Trigger
    condition: Condition
    is_fallback: bool
    needs: tuple[Need, ...]
    thread: Thread | None
    attempts: int | None
    timeout_s: float | None
    policies: tuple[Policy, ...]
    """Its own; of a route of a tree, all that hold for it."""
    place: str
    """Where it is written, `file:line`."""

    def match(self, event: Event) -> Match | None:
        """How an event is one for this handler, its groups already as its parameters want them; or None."""
        if event.type not in self.types or not self.condition.lets(event):
            return None
        if self.trigger.takes_everything:
            return Match()
        return self.trigger.match(event) if isinstance(event, MessageEvent) else None

    def may_ask(self, event: Event) -> bool:
        """Whether no policy hides an event from this handler."""
        return self.condition.hidden or not any(policy.hides(event) for policy in self.policies)

    def values(self, match: Match) -> Mapping[str, object] | None:
        """The pattern's groups as typed values; None: a group is not what its parameter wants, which is no match."""
        values: dict[str, object] = {}
        for need in (need for need in self.needs if need.origin is Origin.GROUP):
            text = match.groups[need.name]
            if text is None and not need.has_default and not need.may_be_none:
                return None
            if text is None and need.has_default:
                continue
            try:
                values[need.name] = None if text is None else need.convert(text)
            except ValueError:
                return None
        return values

    def passes_on(self) -> bool:
        """Whether the function mentions `NEXT`, so that handlers after it have a chance."""
        code = code_of(self.function)
        return code is not None and bool({"NEXT", "Next"} & {*code.co_names, *code.co_freevars})

    def hides(self, later: Route) -> bool:
        """Whether a handler registered after this one can surely never be reached."""
        if self.passes_on() or not set(later.types) <= set(self.types):
            return False
        covers = self.condition.covers(later.condition) and self.trigger.covers(later.trigger)
        return covers and (not self.is_fallback or later.is_fallback)


def route_of(
    function: Plain,
    options: Options,
    *,
    types: tuple[str, ...] = (MESSAGE,),
    trigger: Trigger | None = None,
    condition: Condition | None = None,
    is_fallback: bool = False,
) -> Route:
    """Check a handler and what it is registered for. Raises `RegistrationError` where it is written."""
    trigger = trigger or Trigger()
    name = options.name if options.name is not None else name_of(function)
    what = f"handler {name!r}"
    _check_function(function, what)
    _check_options(options, what)
    needs = needs_of(function, what=what, groups=trigger.groups)
    condition = condition or Condition()
    for event_type in types:
        check_events(needs, event_type, what=what)
    if not condition.delivery and any(need.origin is Origin.DELIVERY for need in needs):
        raise RegistrationError(f"{what} wants a Delivery, which only handlers of @bot.delivery(...) get")
    _check_return(function, types, what)
    return Route(
        name=name,
        named_by_user=options.name is not None,
        function=function,
        types=types,
        trigger=trigger,
        condition=condition,
        is_fallback=is_fallback,
        needs=needs,
        thread=options.thread,
        attempts=options.attempts,
        timeout_s=options.timeout,
        policies=checked(options.policies, what=what),
        place=place_of(function),
    )


def check_types(types: tuple[object, ...]) -> tuple[str, ...]:
    """The event types that `event(...)` names. Raises `RegistrationError` with the closest one that Linq has."""
    if not types:
        raise RegistrationError('event() needs the types it is for, like @bot.event("message.failed")')
    for event_type in types:
        if not isinstance(event_type, str):
            raise RegistrationError('event types are named in parentheses, like @bot.event("message.failed")')
        if event_type not in REGISTRY:
            close = difflib.get_close_matches(event_type, REGISTRY, n=1)
            hint = f"; did you mean {close[0]!r}?" if close else "; see linqbot.events.REGISTRY for all of them"
            raise RegistrationError(f"Linq sends no event of type {event_type!r}{hint}")
    return tuple(str(event_type) for event_type in types)


def check_events(needs: tuple[Need, ...], event_type: str, *, what: str) -> None:
    """Whether an event of a type can fill these parameters. Raises `RegistrationError`."""
    entry = known(event_type)
    for need in needs:
        where = f"{what}: parameter {need.name!r}"
        if need.origin is Origin.EVENT and not any(issubclass(entry.model, kind) for kind in need.kinds):
            wanted = " or ".join(kind.__name__ for kind in need.kinds)
            raise RegistrationError(
                f"{where} is {wanted}, but {event_type!r} brings {entry.model.__name__}; annotate it with that or Event"
            )
        if need.origin is Origin.DELIVERY and not entry.is_receipt and not need.may_be_none:
            raise RegistrationError(
                f"{where} is Delivery, which only @bot.delivery handlers get; {event_type!r} is none"
            )
        if need.origin is Origin.CHAT and not entry.has_chat and not need.may_be_none:
            raise RegistrationError(f"{where} is Chat, but {event_type!r} is about no chat; leave it out")


def name_of(function: Plain) -> str:
    """A function's name without its module and the functions around it: the same however the bot was loaded."""
    name = getattr(function, "__qualname__", None) or type(function).__name__
    return str(name).rpartition("<locals>.")[2]


def place_of(function: Plain) -> str:
    """Where a function is written, `file:line`."""
    code = code_of(function)
    return f"{code.co_filename}:{code.co_firstlineno}" if code else "somewhere that Python does not tell"


def code_of(function: Plain) -> CodeType | None:
    """The compiled body of a function, behind decorators and binding."""
    inner = inspect.unwrap(function)
    code = getattr(getattr(inner, "__func__", inner), "__code__", None)
    return code if isinstance(code, CodeType) else None


def _check_function(function: Plain, what: str) -> None:
    if isinstance(function, type) or code_of(function) is None:
        raise RegistrationError(f"{what} is no function; decorate a def or async def")
    if inspect.isgeneratorfunction(function):
        raise RegistrationError(
            f"{what} is a plain def that yields; write it as async def, then each yielded value is a bubble, "
            "or return a list"
        )


def _check_options(options: Options, what: str) -> None:
    name: object = options.name
    attempts: object = options.attempts
    timeout: object = options.timeout
    if name is not None and not (isinstance(name, str) and name and name.isprintable()):
        raise RegistrationError(f"{what}: name= is a printable str that is not empty")
    if options.thread is not None and options.thread not in THREADS:
        raise RegistrationError(f"{what}: thread={options.thread!r} is none of {', '.join(THREADS)}")
    if attempts is not None and not (isinstance(attempts, int) and attempts >= 1):
        raise RegistrationError(f"{what}: attempts= counts the first run, so it is 1 or more")
    if timeout is not None and not (isinstance(timeout, int | float) and timeout > 0):
        raise RegistrationError(f"{what}: timeout= is a number of seconds above 0")


def _check_return(function: Plain, types: tuple[str, ...], what: str) -> None:
    if any(known(event_type).has_chat for event_type in types):
        return
    returned = returned_by(function)
    if returned not in (inspect.Parameter.empty, None, NoneType, NoReturn, Next, Any):
        raise RegistrationError(
            f"{what} answers, but {types[0]!r} is about no chat, so there is nobody to answer; annotate it -> None"
        )
