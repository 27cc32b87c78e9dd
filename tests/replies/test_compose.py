"""What a handler returns, and the replies it means."""

from __future__ import annotations

from typing import Any

import pytest

from linqbot.errors import ReplyError
from linqbot.replies import NEXT, Link, Media, Reply, Text, compose

PICTURE = Media(url="https://example.com/a.png")


@pytest.mark.parametrize("answer", [None, "", [], (), [None, ""], [[], [None]]])
def test_nothing_is_said_for_nothing(answer: Any) -> None:
    """None, the empty string and lists of them mean that there is nothing to say."""
    assert compose(answer) == ()


@pytest.mark.parametrize("one", ["hi", Text("hi"), PICTURE, Link("https://example.com")])
def test_one_part_is_one_reply(one: Any) -> None:
    """A string or a part alone is a reply of its own."""
    assert compose(one) == (Reply(one),)


def test_list_is_several_replies_in_order() -> None:
    """A list or tuple means several bubbles; what is nested is laid flat, nothing in it is dropped but nothing."""
    assert compose(["a", None, (Reply("b", effect="loud"), PICTURE), ""]) == (
        Reply("a"),
        Reply("b", effect="loud"),
        Reply(PICTURE),
    )


def test_next_is_passed_on() -> None:
    """NEXT says that the handler leaves the event to others."""
    assert compose(NEXT) is NEXT


def test_next_in_a_list_is_refused() -> None:
    """A handler either answers or passes on."""
    with pytest.raises(ReplyError, match="NEXT stands alone"):
        compose(["hi", NEXT])


@pytest.mark.parametrize("answer", [42, b"hi", {"text": "hi"}, {"hi"}, True, object(), (one for one in "ab")])
def test_anything_else_is_refused_by_type(answer: Any) -> None:
    """The error names the type that came, and what may be returned."""
    with pytest.raises(ReplyError, match=f"of type {type(answer).__name__}; return None, Reply, str, Text"):
        compose(answer)


def test_refusal_keeps_the_value_to_itself() -> None:
    """What was returned may be private, so it is not in the error."""
    with pytest.raises(ReplyError) as caught:
        compose({"phone": "+12025550100"})

    assert "+1202" not in str(caught.value)
