"""A tree of routers, put in order and checked before the first event."""

from __future__ import annotations

from typing import Any

import pytest

from linqbot.errors import RegistrationError
from linqbot.events import Message
from linqbot.handling.plan import plan_of
from linqbot.handling.router import Router
from linqbot.replies import NEXT, Next
from tests.handling.conftest import Stage


async def one() -> str:
    """A handler."""
    return "one"


async def two() -> str:
    """Another handler."""
    return "two"


async def passing() -> Next:
    """A handler that leaves everything to others."""
    return NEXT


def names(router: Router) -> list[str]:
    """The handlers in the order they are asked."""
    return [route.name for route in plan_of(router).routes]


def test_handlers_are_asked_in_order_over_the_tree() -> None:
    """An included router's handlers stand where it was included, fallbacks at the end."""
    root, shop, desk = Router(), Router("shop"), Router("desk")
    desk.message("c", name="c")(one)
    shop.fallback(name="f")(two)
    shop.message("b")(one)
    shop.include_router(desk)
    root.message("a")(one)
    root.include_router(shop)
    root.message("d")(two)

    assert names(root) == ["one", "shop.one", "c", "two", "f"]


def test_name_is_the_functions_own_whatever_is_around_it() -> None:
    """The same for a bot loaded by path or module; the routers' names stand before it, unless `name=` says all."""
    root, outer, inner = Router(), Router("outer"), Router("inner")
    root.include_router(outer)
    outer.include_router(inner)

    async def nested() -> None: ...

    inner.message("a")(nested)
    inner.message("b", name="mine")(nested)

    assert names(root) == ["outer.inner.nested", "mine"]


def test_two_handlers_of_one_name_refuse_to_start() -> None:
    """The name is in the idempotency keys; both places are named."""
    router = Router()
    router.message("a")(one)
    router.event("message.failed")(one)

    with pytest.raises(
        RegistrationError, match=r"two handlers are named 'one', at .*test_plan.py:\d+ and .*rename one"
    ):
        plan_of(router)


def test_router_cannot_include_itself() -> None:
    """Directly or around a corner."""
    outer, inner = Router(), Router()
    outer.include_router(inner)

    with pytest.raises(RegistrationError, match="cannot be included in itself"):
        outer.include_router(outer)
    with pytest.raises(RegistrationError, match="cannot be included in itself"):
        inner.include_router(outer)


def test_router_is_included_once_in_a_tree() -> None:
    """Twice in one place is seen at once, over two branches at the start."""
    root, left, right, leaf = Router(), Router(), Router(), Router()
    root.include_router(left)
    root.include_router(right)
    left.include_router(leaf)

    with pytest.raises(RegistrationError, match="included already"):
        root.include_router(leaf)

    right.include_router(leaf)
    with pytest.raises(RegistrationError, match="included twice in the same tree"):
        plan_of(root)


def test_router_may_stand_in_two_trees() -> None:
    """Two bots of one process may share handlers."""
    shared = Router()
    shared.message(one)
    first, second = Router(), Router()
    first.include_router(shared)
    second.include_router(shared)

    assert names(first) == names(second) == ["one"]


def test_only_a_router_is_included() -> None:
    """A module or function is not one."""
    wrong: Any = one

    with pytest.raises(RegistrationError, match="takes a Router, not one of type function"):
        Router().include_router(wrong)


def test_router_with_an_unknown_threading_is_refused() -> None:
    """As everywhere else."""
    wrong: Any = "always"

    with pytest.raises(RegistrationError, match="router 'shop': thread='always' is none of first"):
        Router("shop", thread=wrong)


def test_nearest_threading_wins() -> None:
    """The handler's before its router's before the router's around that."""
    root, outer, inner = Router(), Router(thread="never"), Router(thread="every")
    root.include_router(outer)
    outer.include_router(inner)
    root.message("a", name="none")(one)
    outer.message("b", name="outer")(one)
    inner.message("c", name="inner")(one)
    inner.message("d", name="own", thread="auto")(one)

    assert {route.name: route.thread for route in root.routes()} == {
        "none": None,
        "outer": "never",
        "inner": "every",
        "own": "auto",
    }


def test_same_trigger_twice_is_warned_about(logs: list[Any]) -> None:
    """The second handler is never reached."""
    router = Router()
    router.message("price")(one)
    router.message("PRICE")(two)

    plan_of(router)

    assert [(entry["event"], entry["handler"], entry["because_of"]) for entry in logs] == [
        ("two handlers have the same trigger, the second is never reached", "two", "one")
    ]


def test_handler_behind_a_catch_all_is_warned_about(logs: list[Any]) -> None:
    """Fallbacks included: there is nothing left for them."""
    router = Router()
    router.message(one)
    router.message("price")(two)
    router.fallback(name="f")(two)

    plan_of(router)

    assert [(entry["event"], entry["handler"]) for entry in logs] == [
        ("handler is never reached", "two"),
        ("handler is never reached", "f"),
    ]


def test_handler_behind_one_that_passes_on_is_not_warned_about(logs: list[Any]) -> None:
    """NEXT in the function's code is enough."""
    router = Router()
    router.message(passing)
    router.message("price")(one)
    router.event("message.failed")(two)

    plan_of(router)

    assert logs == []


async def test_reachable_handlers_start_without_a_word(stage: Stage, logs: list[Any]) -> None:
    """A warning is only for what is surely wrong."""

    @stage.router.message("price list")
    async def narrow(message: Message) -> str:
        return "narrow"

    @stage.router.message("price")
    async def wide(message: Message) -> str:
        return "wide"

    assert await stage.answers("the price") == ["wide"]
    assert logs == []


def test_event_types_are_those_of_the_handlers() -> None:
    """What a subscription should ask for."""
    router = Router()
    router.message(one)
    router.event("message.failed", "chat.created")(two)

    assert plan_of(router).event_types == {"message.received", "message.failed", "chat.created"}
