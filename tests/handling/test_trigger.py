"""Which messages a handler takes."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from linqbot.errors import RegistrationError
from linqbot.events import Message, parse_event
from linqbot.handling.trigger import Trigger, fold, has_word, trigger_of
from tests.handling.conftest import CHAT, MESSAGE


def message(*parts: str | dict[str, Any]) -> Message:
    """A message of these parts, strings being texts."""
    body = {
        "chat": {"id": CHAT},
        "id": MESSAGE,
        "parts": [{"type": "text", "value": part} if isinstance(part, str) else part for part in parts],
    }
    event = parse_event({"event_type": "message.received", "event_id": "e1", "data": body})
    assert isinstance(event, Message)
    return event


def takes(trigger: Trigger, text: str) -> bool:
    """Whether a trigger takes a message of this text."""
    return trigger.match(message(text)) is not None


@pytest.mark.parametrize(
    ("word", "text"),
    [
        ("price", "price"),
        ("price", "The PRICE, please?"),
        ("how much", "Tell me how  much\nit is"),
        ("straße", "Welche STRASSE?"),
        ("café", "un cafe\u0301 noir"),
        ("what's up", "What\u2019s up?"),
        ("c++", "I write c++."),
        ("c++", "c++"),
        ("!help", "now !help me"),
        ("$20", "is it $20?"),
        ("#42", "(#42)"),
        ("привет", "ПРИВЕТ!"),
        ("नमस्ते", "नमस्ते जी"),
        ("价格", "请问价格是多少"),
        ("ราคา", "ขอราคาหน่อย"),
        ("👍", "ok👍"),
        ("👍", "👍🏽"),
        ("❤", "love❤\ufe0fyou"),
        ("❤\ufe0f", "❤you"),
        ("go", "ago go"),
    ],
)
def test_word_is_found_anywhere_in_any_case(word: str, text: str) -> None:
    """Whole words, however phones write them, in any script."""
    assert takes(trigger_of((word,), regex=None, exact=False), text)


@pytest.mark.parametrize(
    ("word", "text"),
    [
        ("price", "prices"),
        ("price", "overprice"),
        ("price", "price_list"),
        ("price", ""),
        ("cat", "cat5"),
        ("cafe", "cafe\u0301"),
        ("नमस", "नमस्ते"),
        ("c++", "c++11"),
        ("!help", "hey!help"),
        ("how much", "how very much"),
    ],
)
def test_part_of_a_longer_word_is_not_the_word(word: str, text: str) -> None:
    """A handler for `cat` does not hear of categories."""
    assert not takes(trigger_of((word,), regex=None, exact=False), text)


@given(st.text(max_size=30), st.text(max_size=30), st.text(min_size=1, max_size=10))
def test_word_between_blanks_is_always_found(before: str, after: str, word: str) -> None:
    """Whatever stands around it, a word that stands alone is found; one that is all blanks is no word."""
    folded = fold(word)

    assert not folded or has_word(fold(f"{before} . {word} . {after}"), folded)


def test_one_of_several_words_is_enough() -> None:
    """Words are alternatives."""
    trigger = trigger_of(("price", "cost"), regex=None, exact=False)

    assert takes(trigger, "the cost")


@pytest.mark.parametrize(("text", "taken"), [(" STOP \n", True), ("stop!", False), ("please stop", False)])
def test_exact_wants_the_whole_text(text: str, taken: bool) -> None:
    """Blanks around it and its case aside."""
    assert takes(trigger_of(("stop",), regex=None, exact=True), text) is taken


def test_pattern_is_searched_in_the_text_as_it_came() -> None:
    """A pattern minds the case unless it says otherwise, compiled or not."""
    assert takes(trigger_of((), regex="A.c", exact=False), "xxAbc")
    assert not takes(trigger_of((), regex="A.c", exact=False), "abc")
    assert takes(trigger_of((), regex=re.compile("A.c", re.IGNORECASE), exact=False), "abc")


def test_words_and_pattern_must_both_match() -> None:
    """Conditions given together add up."""
    trigger = trigger_of(("order",), regex=r"#\d+", exact=False)

    assert takes(trigger, "order #7")
    assert not takes(trigger, "#7")
    assert not takes(trigger, "order 7")


PHOTO = {
    "type": "media",
    "id": "m1",
    "filename": "a.png",
    "mime_type": "image/png",
    "size_bytes": 1,
    "url": "https://x",
}


@pytest.mark.parametrize(
    ("trigger", "part_index"),
    [
        (trigger_of(("price",), regex=None, exact=False), 3),
        (trigger_of((), regex="pr.ce", exact=False), 3),
        (trigger_of(("hello",), regex="pr.ce", exact=False), 3),
        (trigger_of((), regex="there\nthe", exact=False), 1),
        (trigger_of(("there the",), regex=None, exact=False), 0),
        (Trigger(), 0),
    ],
)
def test_part_whose_text_matched_is_told(trigger: Trigger, part_index: int) -> None:
    """The index counts all parts; what no single text holds, is the first part's."""
    match = trigger.match(message(PHOTO, "hello there", PHOTO, "the price"))

    assert match is not None
    assert match.part_index == part_index


@pytest.mark.parametrize(
    ("words", "options", "said"),
    [
        (("",), {}, "a trigger word is empty"),
        ((" \n",), {}, "a trigger word is empty"),
        ((re.compile("a"),), {}, "not of type Pattern; pass a pattern as regex="),
        ((b"a",), {}, "not of type bytes"),
        ((), {"exact": True}, "exact=True needs the words"),
        ((), {"regex": "("}, "regex= cannot be read as a pattern"),
        ((), {"regex": 7}, "regex= cannot be read as a pattern"),
        ((), {"regex": b"a"}, "regex= is a pattern of bytes"),
    ],
)
def test_what_cannot_be_a_trigger_is_refused(words: tuple[Any, ...], options: dict[str, Any], said: str) -> None:
    """At registration, with the remedy."""
    with pytest.raises(RegistrationError, match=re.escape(said)):
        trigger_of(words, regex=options.get("regex"), exact=options.get("exact", False))


@pytest.mark.parametrize(
    ("first", "second", "covers"),
    [
        (((), {}), (("a",), {}), True),
        ((("a",), {}), (("A",), {}), True),
        ((("a", "b"), {}), (("a",), {}), True),
        ((("list",), {}), (("price list",), {}), True),
        ((("a",), {}), (("a", "b"), {}), False),
        ((("a",), {}), (("a",), {"exact": True}), True),
        ((("a",), {"exact": True}), (("a",), {}), False),
        ((("a", "b"), {"exact": True}), (("a",), {"exact": True}), True),
        ((("a",), {}), (("a",), {"regex": "x"}), True),
        ((("a",), {"regex": "x"}), (("a",), {}), False),
        (((), {"regex": "x"}), ((), {"regex": "x"}), True),
        (((), {"regex": "x"}), ((), {"regex": "y"}), False),
        ((("a",), {}), ((), {}), False),
    ],
)
def test_trigger_covers_what_it_surely_takes(first: Any, second: Any, covers: bool) -> None:
    """Used for warnings, so it says yes only when it is sure."""
    one, other = (
        trigger_of(words, regex=options.get("regex"), exact=options.get("exact", False))
        for words, options in (first, second)
    )

    assert one.covers(other) is covers
