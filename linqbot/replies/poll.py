"""Polls: made, answered and made longer (linq-api-v3.md section 7.7). A poll has no title: say it in a text before."""

from __future__ import annotations

from dataclasses import dataclass, field

from linqbot.errors import ReplyError
from linqbot.replies.action import Action, Aimed, check_ref, check_text
from linqbot.replies.target import ReplyTo


@dataclass(frozen=True, slots=True, init=False)
class Poll(Action):
    """Ask people to choose: at least two options, in an iMessage chat that exists. `ref` names it for later.

    It is sent once, as a message is. Raises `ReplyError`.
    """

    options: tuple[str, ...] = field(repr=False)
    ref: str | None

    def __init__(self, *options: str, ref: str | None = None) -> None:
        if len(options) < 2:
            raise ReplyError(f"a poll has {len(options)} options; Linq takes 2 or more")
        _check_options(options)
        check_ref(ref)
        object.__setattr__(self, "options", options)
        object.__setattr__(self, "ref", ref)


@dataclass(frozen=True, slots=True)
class _Voting(Aimed):
    option_id: str

    def __post_init__(self) -> None:
        Aimed.__post_init__(self)
        check_text(self.option_id, what=f"the option_id of {type(self).__name__}")


@dataclass(frozen=True, slots=True)
class Vote(_Voting):
    """Vote for an option of a poll with your line: the poll that the event is about, or `to`, or your own with `ref`.

    Nothing happens when it is voted for already. Raises `ReplyError`.
    """


@dataclass(frozen=True, slots=True)
class Unvote(_Voting):
    """Take a vote of your line back; nothing happens when there is none. Arguments as for `Vote`."""


@dataclass(frozen=True, slots=True, init=False)
class AddOptions(Aimed):
    """Add options to a poll: the one that the event is about, or `to`, or your own with `ref`. None can be taken away.

    Never repeated when its fate is unknown, for the options would be there twice. On a zero-retention line Linq wants the
    old options again, in order, before the new ones. Raises `ReplyError`.
    """

    options: tuple[str, ...] = field(repr=False)

    def __init__(self, *options: str, to: ReplyTo | None = None, ref: str | None = None) -> None:
        if not options:
            raise ReplyError("AddOptions got no option to add")
        _check_options(options)
        put = object.__setattr__
        put(self, "options", options)
        put(self, "to", to)
        put(self, "ref", ref)
        Aimed.__post_init__(self)


def _check_options(options: tuple[str, ...]) -> None:
    for number, option in enumerate(options, 1):
        check_text(option, what=f"option {number} of a poll")
