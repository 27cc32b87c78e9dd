"""decorated functions -> routes, for what happens beside messages: reactions, edits, votes, typing, who comes and
goes, and what became of what the bot said.

Each works with and without parentheses, is checked where it is written, and leaves out what the bot did itself.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any, Literal, TypedDict, TypeVar, Unpack, overload

from linqbot.errors import RegistrationError
from linqbot.handling.condition import Condition, reactions_of
from linqbot.handling.delivery import Status, statuses_of
from linqbot.handling.policy import Policy
from linqbot.handling.route import Handler, Options
from linqbot.replies import Thread

H = TypeVar("H", bound=Handler)


class Common(TypedDict, total=False):
    """What all these decorators take, as `Router.message` does."""

    name: str | None
    thread: Thread | None
    attempts: int | None
    timeout: float | None
    policies: Sequence[Policy]


class Occasions(ABC):
    """The decorators of a router for events that are no messages; with `own` they take what the bot did itself, too."""

    @abstractmethod
    def _register(self, handler: H, options: Options, *, types: tuple[str, ...], condition: Condition) -> H:
        """Keep a handler as a route. Raises `RegistrationError`."""

    @overload
    def reaction(self, handler: H, /) -> H: ...

    @overload
    def reaction(
        self,
        *names: str,
        on: Literal["bot"] | None = None,
        removed: bool = False,
        own: bool = False,
        **common: Unpack[Common],
    ) -> Callable[[H], H]: ...

    def reaction(
        self,
        *names: Any,
        on: Literal["bot"] | None = None,
        removed: bool = False,
        own: bool = False,
        **common: Unpack[Common],
    ) -> Any:
        """Take reactions: all, or those of a kind (`love like dislike laugh emphasize question custom sticker`) or emoji.

        `on="bot"`: only those on messages that this bot sent in the last 24 hours; `removed`: those that were taken back,
        instead of those that came. Raises `RegistrationError`.
        """
        if on not in (None, "bot"):
            raise RegistrationError(
                f'reaction(on={on!r}): on="bot" takes reactions on the bot\'s messages, else leave it out'
            )
        types = ("reaction.removed",) if removed else ("reaction.added", "poll.reaction.added")
        handler, kinds = (names, ()) if _is_bare(names) else ((), names)
        condition = Condition(own=own, reactions=reactions_of(kinds), on_ours=on == "bot")
        return self._on("reaction", handler, types, condition, Options(**common))

    @overload
    def edited(self, handler: H, /) -> H: ...

    @overload
    def edited(self, *, own: bool = False, **common: Unpack[Common]) -> Callable[[H], H]: ...

    def edited(self, *handler: Any, own: bool = False, **common: Unpack[Common]) -> Any:
        """Take edits of messages (`MessageEdited`). Raises `RegistrationError`."""
        return self._on("edited", handler, ("message.edited",), Condition(own=own), Options(**common))

    @overload
    def poll_vote(self, handler: H, /) -> H: ...

    @overload
    def poll_vote(self, *, removed: bool = False, own: bool = False, **common: Unpack[Common]) -> Callable[[H], H]: ...

    def poll_vote(self, *handler: Any, removed: bool = False, own: bool = False, **common: Unpack[Common]) -> Any:
        """Take votes (`PollVote`); `removed`: those that were taken back, instead. Raises `RegistrationError`."""
        return self._on(
            "poll_vote",
            handler,
            ("poll.vote.removed" if removed else "poll.vote.added",),
            Condition(own=own),
            Options(**common),
        )

    @overload
    def typing(self, handler: H, /) -> H: ...

    @overload
    def typing(self, *, stopped: bool = False, own: bool = False, **common: Unpack[Common]) -> Callable[[H], H]: ...

    def typing(self, *handler: Any, stopped: bool = False, own: bool = False, **common: Unpack[Common]) -> Any:
        """Take that somebody begins to type (`Typing`); `stopped`: that they stop, instead. Never waits behind a slow
        handler of the chat's messages. Raises `RegistrationError`.
        """
        happened = "stopped" if stopped else "started"
        return self._on(
            "typing", handler, (f"chat.typing_indicator.{happened}",), Condition(own=own), Options(**common)
        )

    @overload
    def member_joined(self, handler: H, /) -> H: ...

    @overload
    def member_joined(self, *, own: bool = False, **common: Unpack[Common]) -> Callable[[H], H]: ...

    def member_joined(self, *handler: Any, own: bool = False, **common: Unpack[Common]) -> Any:
        """Take that somebody joined a group (`Participation`); your line only with `own`. Raises `RegistrationError`."""
        return self._on("member_joined", handler, ("participant.added",), Condition(own=own), Options(**common))

    @overload
    def member_left(self, handler: H, /) -> H: ...

    @overload
    def member_left(self, *, own: bool = False, **common: Unpack[Common]) -> Callable[[H], H]: ...

    def member_left(self, *handler: Any, own: bool = False, **common: Unpack[Common]) -> Any:
        """Take that somebody left a group, or was removed; your line only with `own`. Raises `RegistrationError`."""
        return self._on("member_left", handler, ("participant.removed",), Condition(own=own), Options(**common))

    @overload
    def delivery(self, handler: H, /) -> H: ...

    @overload
    def delivery(self, *statuses: Status, ref: str | None = None, **common: Unpack[Common]) -> Callable[[H], H]: ...

    def delivery(self, *statuses: Any, ref: str | None = None, **common: Unpack[Common]) -> Any:
        """Take what became of the bot's messages (`Delivery`): `sent`, `delivered`, `read`, `failed`; all if none is named.

        `ref`: only of replies that are called so. A status is told once and never after one that is further on; `delivered`
        may follow `failed`. Groups and SMS only tell `sent` and `failed`. What is answered here goes to the chat, and what
        becomes of that is not told. Never waits behind a slow handler of the chat's messages. Raises `RegistrationError`.
        """
        handler, names = (statuses, ()) if _is_bare(statuses) else ((), statuses)
        named: object = ref
        if named is not None and not (isinstance(named, str) and named):
            raise RegistrationError("delivery(ref=) is the name that a reply was given with Reply(..., ref=)")
        types = tuple(f"{kind}.{status}" for status in statuses_of(names) for kind in ("message", "poll"))
        return self._on("delivery", handler, types, Condition(delivery=True, ref=ref), Options(**common))

    def _on(
        self, what: str, handlers: tuple[Any, ...], types: tuple[str, ...], condition: Condition, options: Options
    ) -> Any:
        if _is_bare(handlers):
            return self._register(handlers[0], options, types=types, condition=condition)
        if handlers:
            raise RegistrationError(f"{what}() takes its options by name, and nothing else")
        return lambda handler: self._register(handler, options, types=types, condition=condition)


def _is_bare(given: tuple[Any, ...]) -> bool:
    """Whether the decorator was written without parentheses."""
    return len(given) == 1 and callable(given[0])
