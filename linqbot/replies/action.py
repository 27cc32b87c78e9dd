"""Action: what a handler may return that is no reply in words, and on which message of the chat it is done."""

from __future__ import annotations

from dataclasses import dataclass

from linqbot.errors import ReplyError
from linqbot.replies.target import ReplyTo, Target, read_target


class Action:
    """Something that is done in the chat, in its place among the bubbles; it is no message and is never threaded."""

    __slots__ = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Aimed(Action):
    """An action on a message: on one that is pointed at (`to`), on one of yours by its `ref`, or as the action says."""

    to: ReplyTo | None = None
    ref: str | None = None

    def __post_init__(self) -> None:
        name = type(self).__name__
        if self.to is not None and self.ref is not None:
            raise ReplyError(f"{name} takes either to= or ref=, and got both; leave one out")
        check_ref(self.ref)
        if self.to is not None:
            object.__setattr__(self, "to", read_target(self.to, what=f"to= of {name}"))

    @property
    def target(self) -> Target | None:
        """What is pointed at; None: nothing is."""
        return self.to if isinstance(self.to, Target) else None


def check_ref(ref: object) -> None:
    """Raises `ReplyError` for what cannot name a reply."""
    if ref is not None and (not isinstance(ref, str) or not ref):
        raise ReplyError("ref is a name of your own for this reply, a str that is not empty")
    if ref is not None and any("\ud800" <= char <= "\udfff" for char in ref):
        raise ReplyError("ref holds half a character, which cannot be kept; name the reply in whole ones")


def check_text(value: object, *, what: str, limit: int | None = None) -> None:
    """Raises `ReplyError` for what is no text of 1 to `limit` UTF-16 units; the message never shows it."""
    if not isinstance(value, str):
        raise ReplyError(f"{what} is a str, not of type {type(value).__name__}")
    if not value:
        raise ReplyError(f"{what} is empty; Linq takes at least one character")
    length = len(value) + sum(char > "\uffff" for char in value)
    if limit is not None and length > limit:
        raise ReplyError(f"{what} has {length} UTF-16 units; Linq takes {limit}")
