"""provided factories -> values for parameters. What handlers need beside messages, made once and cleaned up in reverse."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Any, Literal, get_args

from linqbot.errors import RegistrationError
from linqbot.handling.parameters import REMEDY, Need, Origin, Plain, needs_of
from linqbot.handling.route import check_events, place_of

Per = Literal["bot", "turn"]
"""How long a provided value lives: as long as the bot runs, or for one event."""

Supply = Callable[[Need], Awaitable[Any]]
"""Gives the value of a parameter."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """A type that handlers may ask for, and how its value is made."""

    kind: Any
    factory: Plain
    per: Per
    needs: tuple[Need, ...]
    place: str

    @property
    def title(self) -> str:
        """What messages call it."""
        return f"service {title_of(self.kind)}"


def service_of(kind: Any, factory: Plain, *, per: Per) -> Service:
    """Check a factory. Raises `RegistrationError` where it is written."""
    what = f"service {title_of(kind)}"
    if per not in get_args(Per):
        raise RegistrationError(f"{what}: per={per!r} is none of {', '.join(get_args(Per))}")
    if not callable(factory):
        raise RegistrationError(f"{what}: its factory cannot be called; provide a function that makes the value")
    needs = needs_of(factory, what=what)
    beyond = [need.name for need in needs if need.origin is not Origin.SERVICE]
    if per == "bot" and beyond:
        raise RegistrationError(
            f"{what}: parameter {beyond[0]!r} belongs to one turn, but the service lives as long as the bot; "
            'provide it with per="turn"'
        )
    return Service(kind=kind, factory=factory, per=per, needs=needs, place=place_of(factory))


class Catalogue:
    """All services of a bot, by type. Raises `RegistrationError` when they do not fit together."""

    def __init__(self, services: Iterable[Service]) -> None:
        self._services: dict[Any, Service] = {}
        for service in services:
            if (other := self._services.get(service.kind)) is not None:
                raise RegistrationError(
                    f"{service.title} is provided twice, at {other.place} and {service.place}; leave one out"
                )
            self._services[service.kind] = service
        for service in self._services.values():
            self._check(service, above=())

    def check(self, needs: tuple[Need, ...], types: tuple[str, ...], *, what: str) -> None:
        """Whether these needs can be filled when events of these types come. Raises `RegistrationError`."""
        for event_type in types:
            check_events(needs, event_type, what=what)
        for need in needs:
            if need.origin is Origin.SERVICE and not (need.has_default and need.kinds[0] not in self._services):
                service = self._provided(need, what=what)
                self.check(service.needs, types, what=f"{what}: {service.title}")

    def provides(self, need: Need) -> bool:
        """Whether there is a factory for what a parameter wants."""
        return need.kinds[0] in self._services

    def of_bot(self) -> tuple[Service, ...]:
        """The services that live as long as the bot, in the order they were provided."""
        return tuple(service for service in self._services.values() if service.per == "bot")

    def find(self, need: Need) -> Service:
        """The service that fills a parameter which was checked."""
        return self._services[need.kinds[0]]

    def _provided(self, need: Need, *, what: str) -> Service:
        service = self._services.get(need.kinds[0])
        if service is None:
            shown = title_of(need.kinds[0])
            raise RegistrationError(
                f"{what}: parameter {need.name!r} is of type {shown}, and nobody provides one; {REMEDY}"
            )
        return service

    def _check(self, service: Service, *, above: tuple[Service, ...]) -> None:
        if service in above:
            circle = " -> ".join(one.title for one in (*above[above.index(service) :], service))
            raise RegistrationError(f"services need each other in a circle: {circle}")
        for need in service.needs:
            if need.origin is not Origin.SERVICE or (need.has_default and not self.provides(need)):
                continue
            below = self._provided(need, what=service.title)
            if service.per == "bot" and below.per == "turn":
                raise RegistrationError(
                    f"{service.title} lives as long as the bot but needs {below.title}, which lives for one turn; "
                    'provide it with per="turn"'
                )
            self._check(below, above=(*above, service))


class Scope:
    """The values of one lifetime, each made once; leaving it cleans up in reverse order.

    Factories that yield are cleaned up after their yield, and see there the error that ended the scope.
    """

    def __init__(self, catalogue: Catalogue, *, outer: Scope | None = None) -> None:
        self._catalogue = catalogue
        self._outer = outer
        self._values: dict[Any, Any] = {}
        self.stack = AsyncExitStack()

    async def get(self, need: Need, supply: Supply) -> Any:
        """The value for a parameter; `supply` fills what its factory needs."""
        service = self._catalogue.find(need)
        scope = self._outer if service.per == "bot" and self._outer is not None else self
        return await scope.make(service, supply)

    async def make(self, service: Service, supply: Supply) -> Any:
        """The value of a service, made now if it was not yet."""
        if service.kind not in self._values:
            filled = {need.name: await supply(need) for need in service.needs if self._fills(need)}
            self._values[service.kind] = await self._call(service, filled)
        return self._values[service.kind]

    async def open_all(self) -> None:
        """Make every service of the bot, those that others need first."""

        async def supply(need: Need) -> Any:
            return await self.make(self._catalogue.find(need), supply)

        for service in self._catalogue.of_bot():
            await self.make(service, supply)

    def _fills(self, need: Need) -> bool:
        return need.origin is not Origin.SERVICE or self._catalogue.provides(need)

    async def _call(self, service: Service, filled: Mapping[str, Any]) -> Any:
        factory = service.factory
        if inspect.isasyncgenfunction(factory):
            return await self.stack.enter_async_context(asynccontextmanager(factory)(**filled))
        if inspect.isgeneratorfunction(factory):
            return self.stack.enter_context(contextmanager(factory)(**filled))
        made = factory(**filled)
        return await made if inspect.isawaitable(made) else made


def title_of(kind: Any) -> str:
    """A type's name, for messages."""
    return str(getattr(kind, "__qualname__", kind)).rpartition("<locals>.")[2]
