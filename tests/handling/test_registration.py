"""What is wrong with a handler is said where it is written, with its name, the parameter and what to do."""

from __future__ import annotations

import functools
from collections.abc import AsyncIterator, Iterator
from typing import TYPE_CHECKING, Annotated, Any, Optional

import pytest

from linqbot.errors import RegistrationError
from linqbot.events import Chat, Event, Message, MessageFailed, MessageSent, Reaction
from linqbot.handling.router import Router
from linqbot.handling.turn import Turn
from linqbot.replies import NEXT, Reply
from tests.handling.conftest import CHAT, Stage, received, said

if TYPE_CHECKING:
    from decimal import Decimal


@pytest.fixture
def router() -> Router:
    """Where handlers are registered."""
    return Router()


class Orders:
    """A service."""


async def unannotated(message) -> None: ...  # type: ignore[no-untyped-def]  # that is the mistake
async def many(*messages: Message) -> None: ...
async def more(**messages: Message) -> None: ...
async def positional(message: Message, /) -> None: ...
async def text(text: str) -> None: ...
async def anything(message: Any) -> None: ...
async def mapping(message: dict[str, str]) -> None: ...
async def reaction(reaction: Reaction) -> None: ...
async def mixed(it: Message | Orders) -> None: ...
async def unreadable(amount: Decimal) -> None: ...


@pytest.mark.parametrize(
    ("handler", "said"),
    [
        (unannotated, "handler 'unannotated': parameter 'message' has no annotation, so nothing can fill it; annotate"),
        (many, "handler 'many': parameter 'messages' takes any number of values, which nothing can fill; name what"),
        (more, "handler 'more': parameter 'messages' takes any number of values"),
        (positional, "handler 'positional': parameter 'message' is positional-only"),
        (text, "handler 'text': parameter 'text' is of type str, which nothing can fill; annotate it with Message"),
        (anything, "handler 'anything': parameter 'message' is of type Any, which nothing can fill; annotate it"),
        (mapping, "handler 'mapping': parameter 'message' is of type dict"),
        (reaction, "handler 'reaction': parameter 'reaction' is Reaction, but 'message.received' brings Message"),
        (mixed, "handler 'mixed': parameter 'it' is of type"),
        (unreadable, "handler 'unreadable': an annotation cannot be read .*Decimal.* import what it names at run time"),
    ],
)
def test_parameter_that_cannot_be_filled_is_refused(router: Router, handler: Any, said: str) -> None:
    """Handler, parameter and remedy are named at registration, not at the first message."""
    with pytest.raises(RegistrationError, match=said):
        router.message()(handler)


def test_parameter_that_is_no_group_is_refused_with_the_groups(router: Router) -> None:
    """A misspelled group is found before the first order."""
    with pytest.raises(RegistrationError, match=r"parameter 'text' is of type str, .* its groups are \['number'\]"):
        router.message(regex=r"(?P<number>\d+)")(text)


def test_message_is_refused_for_other_events(router: Router) -> None:
    """A failed message is news of another shape."""

    async def failed(message: Message) -> None: ...

    with pytest.raises(RegistrationError, match=r"'message' is Message, but 'message.failed' brings MessageFailed"):
        router.event("message.failed")(failed)


def test_chat_is_refused_where_there_is_none(router: Router) -> None:
    """An event of the account is about no chat."""

    async def token(chat: Chat) -> None: ...

    with pytest.raises(
        RegistrationError, match=r"'chat' is Chat, but 'api_token\.created' is about no chat; leave it out"
    ):
        router.event("api_token.created")(token)


def test_answer_to_an_event_without_a_chat_is_refused(router: Router) -> None:
    """Nobody would ever get it."""

    async def token() -> str:
        return "hello?"

    with pytest.raises(RegistrationError, match=r"'token' answers, but 'api_token\.created' is about no chat"):
        router.event("api_token.created")(token)


def test_silent_handler_of_an_event_without_a_chat_is_taken(router: Router) -> None:
    """Listening is always possible."""

    @router.event("api_token.created")
    async def token(event: Event) -> None: ...

    assert [route.types for route in router.routes()] == [("api_token.created",)]


@pytest.mark.parametrize(
    ("types", "said"),
    [
        (("mesage.failed",), "Linq sends no event of type 'mesage.failed'; did you mean 'message.failed'?"),
        (("xyz",), "Linq sends no event of type 'xyz'; see linqbot.events.REGISTRY"),
        ((), r"event\(\) needs the types it is for"),
        ((unannotated,), "event types are named in parentheses"),
    ],
)
def test_event_type_that_linq_does_not_send_is_refused(router: Router, types: tuple[Any, ...], said: str) -> None:
    """With the closest one that it does."""
    with pytest.raises(RegistrationError, match=said):
        router.event(*types)


def test_plain_generator_is_refused(router: Router) -> None:
    """Bubbles one by one need an async def."""

    def stream(message: Message) -> Iterator[str]:
        yield message.text

    with pytest.raises(RegistrationError, match="'stream' is a plain def that yields; write it as async def"):
        router.message()(stream)  # type: ignore[type-var]  # the type checker refuses it as well


@pytest.mark.parametrize("thing", [Orders, functools.partial(print), print, "text"])
def test_what_is_no_function_is_refused(router: Router, thing: Any) -> None:
    """A handler is a def."""
    with pytest.raises(RegistrationError, match="is no function"):
        router.message(name="h")(thing)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"thread": "always"}, "handler 'fine': thread='always' is none of first, every, auto, never"),
        ({"attempts": 0}, "handler 'fine': attempts= counts the first run"),
        ({"timeout": 0}, "handler 'fine': timeout= is a number of seconds above 0"),
        ({"timeout": "5s"}, "handler 'fine': timeout= is a number of seconds above 0"),
        ({"name": ""}, "name= is a printable str"),
        ({"name": "a\nb"}, "name= is a printable str"),
    ],
)
def test_option_that_makes_no_sense_is_refused(router: Router, options: dict[str, Any], said: str) -> None:
    """Every option is checked at registration."""

    async def fine() -> None: ...

    with pytest.raises(RegistrationError, match=said):
        router.message(**options)(fine)


def test_fallback_with_words_is_refused(router: Router) -> None:
    """A fallback is for what no word took."""
    fallback: Any = router.fallback

    with pytest.raises(RegistrationError, match="takes no words"):
        fallback("price")


async def test_annotations_may_be_written_in_many_ways(stage: Stage) -> None:
    """Annotated, optional, unions of events, and types of the function around are all read."""

    class Near:
        """Known only here."""

    stage.router.provide(Near)

    @stage.router.message(regex=r"(?P<number>\d+)?")
    async def curious(
        message: Annotated[Message, "documentation"],
        chat: Chat | None,
        number: Optional[int],  # noqa: UP045  # the old spelling must be read as well
        near: Near,
        limit: int = 3,
    ) -> str:
        assert chat is not None
        return f"{message.id == ''} {chat.id} {number} {type(near).__name__} {limit}"

    assert await stage.answers("x") == [f"False {CHAT} None Near 3"]


async def test_handler_of_two_events_may_name_both(stage: Stage) -> None:
    """A union of their classes fits."""

    @stage.router.event("message.sent", "message.failed")
    async def news(event: MessageSent | MessageFailed) -> str:
        return type(event).__name__

    commit = await stage.run(received(event_type="message.failed", body={"chat_id": CHAT, "code": 4001}))

    assert said(commit) == ["MessageFailed"]


async def test_group_that_cannot_be_converted_is_no_match(stage: Stage) -> None:
    """The next handler is asked."""

    @stage.router.message(regex=r"order (?P<number>\w+)")
    async def order(number: int) -> str:
        return f"{number}"

    @stage.router.fallback
    async def other() -> str:
        return "which order?"

    assert await stage.answers("order seven") == ["which order?"]


async def test_group_left_out_takes_the_default_or_none(stage: Stage) -> None:
    """And without either the handler does not match."""

    @stage.router.message(regex=r"strict(?P<size>\d+)?")
    async def strict(size: int) -> str:
        return f"strict {size}"

    @stage.router.message(regex=r"default(?P<size>\d+)?|strict")
    async def default(size: int = 2) -> str:
        return f"default {size}"

    assert await stage.answers("strict") == ["default 2"]
    assert await stage.answers("default5") == ["default 5"]


async def test_bound_methods_and_wrapped_functions_are_handlers(stage: Stage) -> None:
    """What stands around a function does not hide what it needs."""

    def shouting(function: Any) -> Any:
        @functools.wraps(function)
        async def wrapper(**values: Any) -> Any:
            return (await function(**values)).upper()

        return wrapper

    class Desk:
        """Handlers with a state of their own."""

        async def help(self, message: Message) -> str:
            return f"help with {message.text}"

    stage.router.message("help")(Desk().help)

    @stage.router.message()
    @shouting
    async def echo(message: Message) -> str:
        return message.text

    assert await stage.answers("help!") == ["help with help!"]
    assert await stage.answers("hi") == ["HI"]
    assert [route.name for route in stage.router.routes()] == ["Desk.help", "echo"]


async def streaming(turn: Turn) -> AsyncIterator[Reply]:
    """Two bubbles."""
    yield Reply(f"{turn.already_sent}")


def test_decorators_return_what_they_got(router: Router) -> None:
    """A handler stays the function it was."""
    assert router.message()(streaming) is streaming
    assert router.message("a", name="b")(streaming) is streaming
    assert router.fallback(streaming) is streaming
    assert router.event("message.received", name="c")(streaming) is streaming


def test_mention_of_next_is_seen() -> None:
    """A handler that may pass on does not hide those after it."""
    router = Router()

    @router.message()
    async def maybe(message: Message) -> Any:
        return NEXT if message.media else "seen"

    assert router.routes()[0].passes_on()
