"""Provided services: made when needed, shared for their lifetime, cleaned up in reverse order."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from linqbot.errors import HandlerFailed, RegistrationError
from linqbot.events import Message, MessageFailed
from linqbot.handling.router import Router
from linqbot.handling.turn import Turn
from tests.handling.conftest import Stage, received, said


class Pool:
    """Lives as long as the bot."""


class Session:
    """Lives for one turn."""

    def __init__(self, pool: Pool) -> None:
        self.pool = pool


class Orders:
    """Needs a session."""

    def __init__(self, session: Session, message: Message) -> None:
        self.session = session
        self.text = message.text


async def use(orders: Orders, session: Session, pool: Pool) -> str:
    """A handler that sees the same values as its services."""
    return f"{orders.text} {orders.session is session} {session.pool is pool}"


async def test_services_need_each_other_and_share_their_values(stage: Stage) -> None:
    """Within a turn each is made once, and the bot's is everybody's."""
    stage.router.provide(Orders, per="turn")
    stage.router.provide(Session, per="turn")
    stage.router.provide(Pool)
    stage.router.message(use)

    assert await stage.answers("hi") == ["hi True True"]


async def test_lifetimes_end_in_reverse_order(stage: Stage) -> None:
    """A turn's services end with the turn, the bot's with the bot; generators of both kinds clean up."""
    story: list[str] = []

    async def make_pool() -> AsyncIterator[Pool]:
        story.append("pool")
        yield Pool()
        story.append("no pool")

    def make_session(pool: Pool) -> Iterator[Session]:
        story.append("session")
        yield Session(pool)
        story.append("no session")

    async def make_orders(session: Session, message: Message) -> AsyncIterator[Orders]:
        story.append("orders")
        yield Orders(session, message)
        story.append("no orders")

    stage.router.provide(Orders, make_orders, per="turn")
    stage.router.provide(Session, make_session, per="turn")
    stage.router.provide(Pool, make_pool)
    stage.router.message(use)

    async with stage.open() as run:
        await run(received("a"))
        await run(received("b", event_id="e2"))

    turn = ["session", "orders", "no orders", "no session"]
    assert story == ["pool", *turn, *turn, "no pool"]


async def test_factories_may_be_functions_of_any_kind(stage: Stage) -> None:
    """async def, def and lambda."""

    async def make_pool() -> Pool:
        return Pool()

    def make_session(pool: Pool, turn: Turn) -> Session:
        turn.log.debug("session made")
        return Session(pool)

    stage.router.provide(Pool, make_pool)
    stage.router.provide(Session, make_session, per="turn")

    @stage.router.message()
    async def kinds(session: Session) -> str:
        return type(session.pool).__name__

    assert await stage.answers("hi") == ["Pool"]


async def test_service_sees_the_error_of_the_handler_and_cannot_hide_it(stage: Stage) -> None:
    """It may roll back; the turn fails all the same."""
    seen: list[str] = []

    async def make_pool() -> AsyncIterator[Pool]:
        try:
            yield Pool()
        except ValueError as error:
            seen.append(type(error).__name__)

    stage.router.provide(Pool, make_pool, per="turn")

    @stage.router.message()
    async def failing(pool: Pool) -> str:
        raise ValueError("secret")

    with pytest.raises(HandlerFailed, match="'failing' raised, and a service that it uses swallowed"):
        await stage.run(received("hi"))
    assert seen == ["ValueError"]


async def test_service_that_cannot_be_made_fails_the_turn(stage: Stage) -> None:
    """As if the handler had raised."""

    def make_pool() -> Pool:
        raise OSError("no route")

    stage.router.provide(Pool, make_pool, per="turn")

    @stage.router.message()
    async def failing(pool: Pool) -> str:
        return "never"

    with pytest.raises(HandlerFailed, match="'failing' raised OSError") as caught:
        await stage.run(received("hi"))
    assert isinstance(caught.value.__cause__, OSError)


async def test_bot_that_cannot_make_a_service_does_not_start(stage: Stage) -> None:
    """And what was made before is cleaned up."""
    story: list[str] = []

    async def make_pool() -> AsyncIterator[Pool]:
        try:
            yield Pool()
        finally:
            story.append("no pool")

    def make_session(pool: Pool) -> Session:
        raise OSError("no route")

    stage.router.provide(Pool, make_pool)
    stage.router.provide(Session, make_session)
    runner = stage.runner()

    with pytest.raises(OSError, match="no route"):
        await runner.__aenter__()
    assert story == ["no pool"]


async def test_default_stands_in_for_a_service_nobody_provides(stage: Stage) -> None:
    """A default makes a service optional."""

    @stage.router.message()
    async def maybe(pool: Pool | None = None) -> str:
        return f"{pool}"

    assert await stage.answers("hi") == ["None"]


def circle_one(two: Session) -> Pool:
    """Needs what needs it."""
    return two.pool


def circle_two(one: Pool) -> Session:
    """Needs what needs it."""
    return Session(one)


def wants_failed(event: MessageFailed) -> Pool:
    """Only for failed messages."""
    return Pool()


async def asks(pool: Pool) -> None:
    """A handler with a service."""


def provide_nothing(router: Router) -> None:
    """The handler asks, nobody provides."""
    router.message(asks)


def provide_twice(router: Router) -> None:
    """The same type in two routers."""
    other = Router()
    other.provide(Pool)
    router.provide(Pool)
    router.include_router(other)


def provide_gap(router: Router) -> None:
    """A factory needs what nobody provides."""
    router.provide(Session)


def provide_circle(router: Router) -> None:
    """Two factories need each other."""
    router.provide(Pool, circle_one)
    router.provide(Session, circle_two)


def provide_shorter(router: Router) -> None:
    """The bot's service needs a turn's."""
    router.provide(Pool, per="turn")
    router.provide(Session)


def provide_other_event(router: Router) -> None:
    """A service of failed messages in a handler of received ones."""
    router.provide(Pool, wants_failed, per="turn")
    router.message(asks)


@pytest.mark.parametrize(
    ("arrange", "said"),
    [
        (provide_nothing, "handler 'asks': parameter 'pool' is of type Pool, and nobody provides one; .*provide"),
        (provide_twice, r"service Pool is provided twice, at .* and .*; leave one out"),
        (provide_gap, "service Session: parameter 'pool' is of type Pool, and nobody provides one"),
        (provide_circle, "in a circle: service Pool -> service Session -> service Pool"),
        (provide_shorter, "service Session lives as long as the bot but needs service Pool, which lives for one turn"),
        (
            provide_other_event,
            "handler 'asks': service Pool: parameter 'event' is MessageFailed, but 'message.received'",
        ),
    ],
)
def test_services_that_do_not_fit_refuse_to_start(stage: Stage, arrange: Any, said: str) -> None:
    """Before the first event, with names and remedy."""
    arrange(stage.router)

    with pytest.raises(RegistrationError, match=said):
        stage.runner()


@pytest.mark.parametrize(
    ("factory", "per", "said"),
    [
        (wants_failed, "bot", "service Pool: parameter 'event' belongs to one turn, but the service lives as long"),
        (lambda pool: pool, "bot", "service Pool: parameter 'pool' has no annotation"),
        (Pool(), "bot", "service Pool: its factory cannot be called"),
        (Pool, "day", "service Pool: per='day' is none of bot, turn"),
    ],
)
def test_factory_that_cannot_work_is_refused_where_it_is_provided(
    stage: Stage, factory: Any, per: Any, said: str
) -> None:
    """At once, not when it is first needed."""
    with pytest.raises(RegistrationError, match=said):
        stage.router.provide(Pool, factory, per=per)


async def test_services_of_included_routers_are_for_all(stage: Stage) -> None:
    """A module brings what its handlers need, and others may use it."""
    module = Router()
    module.provide(Pool)
    stage.router.include_router(module)

    @stage.router.message()
    async def handler(pool: Pool) -> str:
        return type(pool).__name__

    assert said(await stage.run(received("hi"))) == ["Pool"]
