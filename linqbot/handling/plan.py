"""a tree of routers -> Plan. Everything that can be wrong between handlers is found here, before the first event."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace

import structlog

from linqbot.errors import RegistrationError
from linqbot.handling.route import Route
from linqbot.handling.router import Router
from linqbot.handling.services import Catalogue

log = structlog.get_logger("linqbot.handling")


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The handlers in the order they are asked, and the services they need."""

    routes: tuple[Route, ...]
    catalogue: Catalogue

    @property
    def event_types(self) -> frozenset[str]:
        """The types that at least one handler is for."""
        return frozenset(event_type for route in self.routes for event_type in route.types)

    def without_attempts(self) -> Plan:
        """The same, with no handler's own number of attempts."""
        return replace(self, routes=tuple(replace(route, attempts=None) for route in self.routes))


def plan_of(router: Router) -> Plan:
    """Put a tree in order and check it; handlers that can never be reached are warned about.

    Raises `RegistrationError` when two handlers have one name, a router is in the tree twice, or a service is missing,
    provided twice, or cannot be made for an event of the handler that needs it.
    """
    _check_tree(router)
    routes = tuple(sorted(router.routes(), key=lambda route: route.is_fallback))
    _check_names(routes)
    catalogue = Catalogue(router.services())
    for route in routes:
        catalogue.check(route.needs, route.types, what=f"handler {route.name!r}")
    _warn(routes)
    return Plan(routes=routes, catalogue=catalogue)


def _check_tree(router: Router) -> None:
    if any(count > 1 for count in Counter(map(id, router.tree())).values()):
        raise RegistrationError("a router is included twice in the same tree; leave one include_router() out")


def _check_names(routes: tuple[Route, ...]) -> None:
    places: dict[str, str] = {}
    for route in routes:
        if route.name in places:
            raise RegistrationError(
                f"two handlers are named {route.name!r}, at {places[route.name]} and {route.place}; the name is in the "
                "idempotency keys, so rename one or give it name="
            )
        places[route.name] = route.place


def _warn(routes: tuple[Route, ...]) -> None:
    for index, later in enumerate(routes):
        earlier = next((route for route in routes[:index] if route.hides(later)), None)
        if earlier is None:
            continue
        same = earlier.trigger == later.trigger and earlier.types == later.types and not later.is_fallback
        log.warning(
            "two handlers have the same trigger, the second is never reached" if same else "handler is never reached",
            handler=later.name,
            place=later.place,
            because_of=earlier.name,
            remedy="register it earlier, or let the other return NEXT",
        )
