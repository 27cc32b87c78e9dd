"""How handlers are written: a tutorial in tests."""

from __future__ import annotations

import threading

from linqbot.events import Chat, Event, Message
from linqbot.handling.turn import Turn
from linqbot.replies import NEXT, Next, Reply
from tests.handling.conftest import CHAT, Stage, received, said


async def test_handler_answers_with_what_it_returns(stage: Stage) -> None:
    """The six-line bot."""

    @stage.router.message()
    async def echo(message: Message) -> str:
        return message.text

    assert await stage.answers("hi") == ["hi"]


async def test_decorators_work_without_parentheses(stage: Stage) -> None:
    """`@bot.message` is `@bot.message()`."""

    @stage.router.message
    async def echo(message: Message) -> str:
        return message.text

    assert await stage.answers("hi") == ["hi"]


async def test_plain_function_runs_in_a_thread(stage: Stage) -> None:
    """A handler that blocks holds nobody up."""
    ran_in: list[threading.Thread] = []

    @stage.router.message()
    def slow(message: Message) -> str:
        ran_in.append(threading.current_thread())
        return message.text

    assert await stage.answers("hi") == ["hi"]
    assert ran_in != [threading.current_thread()]


async def test_words_and_fallback_share_the_messages(stage: Stage) -> None:
    """A fallback gets what no handler took, wherever it is registered."""

    @stage.router.fallback
    async def later() -> str:
        return "A person will read this."

    @stage.router.message("price", "how much")
    async def price() -> Reply:
        return Reply("Plans start at $20.", effect="confetti")

    assert await stage.answers("How much is it?") == ["Plans start at $20."]
    assert await stage.answers("Good morning") == ["A person will read this."]


async def test_groups_of_a_pattern_fill_parameters(stage: Stage) -> None:
    """A named group arrives as what the annotation says."""

    @stage.router.message(regex=r"order #(?P<number>\d+) x(?P<weight>\S+)")
    async def order(number: int, weight: float) -> str:
        return f"{number + 1} {weight * 2}"

    assert await stage.answers("about order #41 x0.5") == ["42 1.0"]


async def test_first_match_wins_and_next_goes_on(stage: Stage) -> None:
    """Handlers are asked in order; NEXT is no answer."""

    @stage.router.message()
    async def spy() -> Next:
        return NEXT

    @stage.router.message("hi")
    async def first() -> str:
        return "first"

    @stage.router.message("hi", exact=True)
    async def second() -> str:
        return "second"

    assert await stage.answers("hi") == ["first"]


async def test_list_is_several_bubbles(stage: Stage) -> None:
    """Each in the order of the list."""

    @stage.router.message()
    async def two() -> list[str | Reply]:
        return ["one", Reply("two")]

    assert await stage.answers("hi") == ["one", "two"]


async def test_parameters_are_filled_by_their_type(stage: Stage) -> None:
    """Names are the handler's own affair."""

    @stage.router.message()
    async def curious(where: Chat, what: Event, this: Turn) -> str:
        return f"{where.id} {what.event_id} {len(this.messages)} {this.already_sent} {this.superseded}"

    assert await stage.answers("hi") == [f"{CHAT} e1 1 0 False"]


async def test_services_are_provided(stage: Stage) -> None:
    """A handler asks for a type, the bot makes it."""

    class Orders:
        """What the shop knows."""

        def status(self, number: int) -> str:
            return f"order {number} is on its way"

    stage.router.provide(Orders)

    @stage.router.message(regex=r"(?P<number>\d+)")
    async def order(number: int, orders: Orders) -> str:
        return orders.status(number)

    assert await stage.answers("7") == ["order 7 is on its way"]


async def test_other_events_have_handlers_too(stage: Stage) -> None:
    """An event is named as Linq names it."""

    @stage.router.event("participant.added", "participant.removed")
    async def members(event: Event) -> str:
        return event.type

    commit = await stage.run(received(event_type="participant.added", body={"chat_id": CHAT, "handle": "x"}))

    assert said(commit) == ["participant.added"]


async def test_handlers_stay_plain_functions(stage: Stage) -> None:
    """What is decorated can be called without any bot."""

    @stage.router.message()
    async def greet() -> str:
        return "hello"

    assert await greet() == "hello"
