"""decorated functions -> routes. Where a user says which function takes which event.

Handlers stay plain functions: a decorator returns what it was given.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, TypeVar, overload

from linqbot.errors import RegistrationError
from linqbot.handling.condition import Condition
from linqbot.handling.occasions import Occasions
from linqbot.handling.policy import Policy, checked, nearest
from linqbot.handling.route import MESSAGE, Handler, Options, Route, check_types, route_of
from linqbot.handling.services import Per, Service, service_of
from linqbot.handling.trigger import Trigger, trigger_of
from linqbot.replies import Thread
from linqbot.replies.reply import THREADS

H = TypeVar("H", bound=Handler)
T = TypeVar("T")


class Router(Occasions):
    """A set of handlers, to be included in a bot or another router.

    `name` stands before the names of its handlers, which are part of every idempotency key; `thread` is the threading of
    its handlers, unless they have their own; `policies` hold for its handlers beside those that they have themselves.
    Handlers are asked in the order they were registered, those of an included
    router at the place where it was included; the first that matches takes the event.
    """

    def __init__(self, name: str = "", *, thread: Thread | None = None, policies: Sequence[Policy] = ()) -> None:
        if thread is not None and thread not in THREADS:
            raise RegistrationError(f"router {name!r}: thread={thread!r} is none of {', '.join(THREADS)}")
        self._prefix = name
        self._thread_policy: Thread | None = thread
        self._policies = checked(policies, what=f"router {name!r}")
        self._entries: list[Route | Router] = []
        self._provided: list[Service] = []

    @overload
    def message(self, handler: H, /) -> H: ...

    @overload
    def message(
        self,
        *words: str,
        regex: str | re.Pattern[str] | None = None,
        exact: bool = False,
        history: bool = False,
        name: str | None = None,
        thread: Thread | None = None,
        attempts: int | None = None,
        timeout: float | None = None,
        policies: Sequence[Policy] = (),
    ) -> Callable[[H], H]: ...

    def message(
        self,
        *words: Any,
        regex: str | re.Pattern[str] | None = None,
        exact: bool = False,
        history: bool = False,
        name: str | None = None,
        thread: Thread | None = None,
        attempts: int | None = None,
        timeout: float | None = None,
        policies: Sequence[Policy] = (),
    ) -> Any:
        """Take messages: all, or those whose text holds one of `words` (is one, with `exact`) and matches `regex`.

        Words are whole words in any case; `regex` is searched in the text as it came, and its named groups fill
        parameters of the same name (`str`, `int` or `float`; what cannot be converted is no match). `timeout` in seconds,
        for a generator between two bubbles; `attempts` counts the first run. Own messages are not handed over, and only
        with `history` those that Linq recovered late or keeps the content of to itself. Raises `RegistrationError`.
        """
        options = Options(name=name, thread=thread, attempts=attempts, timeout=timeout, policies=policies)
        if len(words) == 1 and callable(words[0]):
            return self._register(words[0], options)
        trigger, condition = trigger_of(words, regex=regex, exact=exact), Condition(history=history)
        return lambda handler: self._register(handler, options, trigger=trigger, condition=condition)

    def event(
        self,
        *types: str,
        own: bool = False,
        name: str | None = None,
        thread: Thread | None = None,
        attempts: int | None = None,
        timeout: float | None = None,
        policies: Sequence[Policy] = (),
    ) -> Callable[[H], H]:
        """Take events of these types, by the names Linq gives them; history and opt-outs included, to be kept.

        What the bot did itself (a reaction, an edit, its line that joins) is handed over only with `own`; news of what it
        sent always is. Raises `RegistrationError` for an unknown type.
        """
        options = Options(name=name, thread=thread, attempts=attempts, timeout=timeout, policies=policies)
        checked, condition = check_types(types), Condition(own=own, history=True, hidden=True)
        return lambda handler: self._register(handler, options, types=checked, condition=condition)

    @overload
    def fallback(self, handler: H, /) -> H: ...

    @overload
    def fallback(
        self,
        *,
        name: str | None = None,
        thread: Thread | None = None,
        attempts: int | None = None,
        timeout: float | None = None,
        policies: Sequence[Policy] = (),
    ) -> Callable[[H], H]: ...

    def fallback(
        self,
        *handlers: Any,
        name: str | None = None,
        thread: Thread | None = None,
        attempts: int | None = None,
        timeout: float | None = None,
        policies: Sequence[Policy] = (),
    ) -> Any:
        """Take messages that no handler of the whole tree took. Raises `RegistrationError`."""
        options = Options(name=name, thread=thread, attempts=attempts, timeout=timeout, policies=policies)
        if len(handlers) == 1 and callable(handlers[0]):
            return self._register(handlers[0], options, is_fallback=True)
        if handlers:
            raise RegistrationError("fallback() takes no words: it gets what no handler took; use message() for words")
        return lambda handler: self._register(handler, options, is_fallback=True)

    def include_router(self, router: Router) -> None:
        """Ask another router's handlers here. Raises `RegistrationError` if it is in this tree already, or above it."""
        if not isinstance(router, Router):
            raise RegistrationError(f"include_router() takes a Router, not one of type {type(router).__name__}")
        mine, theirs = self.tree(), router.tree()
        if self in theirs:
            raise RegistrationError("a router cannot be included in itself, or in one that it includes")
        if any(one in mine for one in theirs):
            raise RegistrationError("the router is included already; leave one include_router() out")
        self._entries.append(router)

    def provide(self, kind: type[T], factory: Callable[..., Any] | None = None, *, per: Per = "bot") -> None:
        """Let handlers ask for a `kind` by annotation; `factory` (else the type itself) makes it.

        The factory is a function, async or not; one that yields cleans up after its yield, in reverse order. It may ask
        for other services, and with `per="turn"` (made anew for each event, instead of once for the bot) also for what
        handlers ask for. Raises `RegistrationError`.
        """
        self._provided.append(service_of(kind, kind if factory is None else factory, per=per))

    def tree(self) -> tuple[Router, ...]:
        """The router itself and all that are included, each as often as it is."""
        below = (entry.tree() for entry in self._entries if isinstance(entry, Router))
        return (self, *(router for tree in below for router in tree))

    def routes(self) -> tuple[Route, ...]:
        """All handlers of the tree in the order they are asked, under their full names, with what holds for them."""
        flat: list[Route] = []
        for entry in self._entries:
            flat += entry.routes() if isinstance(entry, Router) else (entry,)
        return tuple(self._named(route) for route in flat)

    def services(self) -> tuple[Service, ...]:
        """All that is provided in the tree."""
        return tuple(service for router in self.tree() for service in router._provided)  # noqa: SLF001  # its own kind

    def _named(self, route: Route) -> Route:
        prefix = f"{self._prefix}." if self._prefix and not route.named_by_user else ""
        policies = nearest(self._policies, route.policies)
        return replace(route, name=prefix + route.name, thread=route.thread or self._thread_policy, policies=policies)

    def _register(
        self,
        handler: H,
        options: Options,
        *,
        types: tuple[str, ...] = (MESSAGE,),
        trigger: Trigger | None = None,
        condition: Condition | None = None,
        is_fallback: bool = False,
    ) -> H:
        route = route_of(
            handler,
            options,
            types=types,
            trigger=trigger,
            condition=condition,
            is_fallback=is_fallback,
        )
        self._entries.append(route)
        return handler
