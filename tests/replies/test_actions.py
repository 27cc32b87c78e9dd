"""What can be done beside saying something, and what is refused when it is built."""

from __future__ import annotations

from typing import Any

import pytest

from linqbot.errors import ReplyError
from linqbot.events.part import MessageRef
from linqbot.replies import (
    NEXT,
    AddOptions,
    MarkRead,
    Poll,
    React,
    Reply,
    Target,
    Typing,
    Unreact,
    Unvote,
    Vote,
    compose,
)
from linqbot.replies.reaction import TAPBACKS

MESSAGE = "89e3566e-1d13-49e5-a8ee-48490d5bfeb7"


class Received:
    """A message, as far as an action looks at it."""

    id = MESSAGE


def test_actions_keep_their_place_among_the_bubbles() -> None:
    """A list is done and said in its order."""
    assert compose([Typing(), "One moment.", [React("like"), None], MarkRead()]) == (
        Typing(),
        Reply("One moment."),
        React("like"),
        MarkRead(),
    )


def test_an_action_is_not_next() -> None:
    """What stands alone, stands alone."""
    with pytest.raises(ReplyError, match="NEXT stands alone"):
        compose([Typing(), NEXT])


def test_an_action_is_no_part_of_a_reply() -> None:
    """It is returned beside the reply, and the error says what parts are."""
    wrong: Any = React("love")

    with pytest.raises(ReplyError, match="a part of a reply is of type React; parts are"):
        Reply("ok", wrong)


@pytest.mark.parametrize(
    "reaction", [*TAPBACKS, "👍", "❤️", "👩🏽‍❤️‍💋‍👨🏿", "🏴󠁧󠁢󠁥󠁮󠁧󠁿", "1️⃣", "\u2139\ufe0f", "↔", "🇺🇸", "\u2795"]
)
def test_a_tapback_or_an_emoji_is_a_reaction(reaction: str) -> None:
    """The six of iMessage by name, everything else as the emoji itself (linq-api-v3.md section 7.5)."""
    assert React(reaction).reaction == reaction
    assert Unreact(reaction) != React(reaction)


@pytest.mark.parametrize(
    "wrong", ["lov", "hello", "no 👍", "👍👎", "👍 👍", "🇺🇸🇫🇷", "👍" * 40, "", " ", "é", "1", "\ud83d", 3, None]
)
def test_anything_else_is_no_reaction(wrong: Any) -> None:
    """The error names the tapbacks, and keeps what came to itself."""
    with pytest.raises(
        ReplyError, match=r"React takes no such reaction.* use one of love, like,.* one emoji, or a Sticker"
    ) as caught:
        React(wrong)

    assert "no 👍" not in str(caught.value)


def test_a_mistyped_tapback_is_told() -> None:
    """A near miss is named."""
    with pytest.raises(ReplyError, match="did you mean 'love'"):
        React("lovee")


@pytest.mark.parametrize(
    ("to", "target"),
    [
        (MESSAGE, Target(MESSAGE, 0)),
        (Received(), Target(MESSAGE, 0)),
        ((Received(), 2), Target(MESSAGE, 2)),
        (MessageRef(message_id=MESSAGE, part_index=3), Target(MESSAGE, 3)),
    ],
)
def test_a_message_is_pointed_at_in_any_way(to: Any, target: Target) -> None:
    """By the message, its id, a part of it, or what an event points at."""
    assert React("love", to=to).target == target
    assert Vote("o1", to=to).target == target
    assert Reply("hi", reply_to=to).reply_to == target


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: React("love", to=MESSAGE, ref="r"), "React takes either to= or ref=, and got both"),
        (lambda: React("love", to=MessageRef()), "to= of React takes a message or its id"),
        (lambda: React("love", part=-1), "part= of React counts from 0"),
        (lambda: React("love", ref=""), "ref is a name of your own"),
        (lambda: Poll("only"), "a poll has 1 options; Linq takes 2 or more"),
        (lambda: Poll("a", ""), "option 2 of a poll is empty"),
        (lambda: Poll("a", None), "option 2 of a poll is a str, not of type NoneType"),  # type: ignore[arg-type]  # wrong on purpose
        (lambda: Poll("a", "b", ref=""), "ref is a name of your own"),
        (AddOptions, "AddOptions got no option to add"),
        (lambda: AddOptions("a", to=3), "to= of AddOptions takes a message or its id"),  # type: ignore[arg-type]  # wrong on purpose
        (lambda: Vote(""), "the option_id of Vote is empty"),
        (lambda: Unvote(7), "the option_id of Unvote is a str, not of type int"),  # type: ignore[arg-type]  # wrong on purpose
        (lambda: Typing("no"), "True or False, not of type str"),  # type: ignore[arg-type]  # wrong on purpose
    ],
)
def test_what_cannot_be_done_is_refused_by_name(make: Any, said: str) -> None:
    """Which value is wrong, and what is allowed, where it is written."""
    with pytest.raises(ReplyError, match=said):
        make()


def test_actions_are_values_that_keep_words_to_themselves() -> None:
    """Equal when they do the same; their reprs hold ids, never what is said."""
    assert {Poll("Pizza", "Sushi", ref="lunch")} == {Poll("Pizza", "Sushi", ref="lunch")}
    assert repr(Poll("Pizza", "Sushi", ref="lunch")) == "Poll(ref='lunch')"
    assert "Tacos" not in repr(AddOptions("Tacos", ref="lunch"))
