"""Long texts in pieces."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from linqbot.protocol.splitting import TEXT_LIMIT, split_text
from linqbot.replies.characters import utf16_length

ANY_TEXT = st.text(st.sampled_from("ab. !?\n\t\u3002é\u0301\u200d👍🏽👨👩"), max_size=200) | st.text(max_size=200)
LIMITS = st.integers(min_value=2, max_value=40)


def solid(text: str) -> str:
    """A text without its blanks."""
    return "".join(text.split())


@given(ANY_TEXT, LIMITS)
def test_no_piece_is_longer_than_linq_takes(text: str, limit: int) -> None:
    """Every piece has at most the limit's UTF-16 units, whatever the text."""
    assert all(utf16_length(piece) <= limit for piece in split_text(text, limit))


@given(ANY_TEXT, LIMITS)
def test_nothing_but_blanks_is_lost(text: str, limit: int) -> None:
    """The pieces together hold every character of the text but blanks, in order."""
    assert solid("".join(split_text(text, limit))) == solid(text)


@given(ANY_TEXT.filter(bool), LIMITS)
def test_there_is_always_a_piece_and_none_is_empty(text: str, limit: int) -> None:
    """A text that is not empty says something, and no bubble is empty."""
    pieces = split_text(text, limit)

    assert pieces
    assert all(pieces)


@given(ANY_TEXT)
def test_text_that_fits_is_left_alone(text: str) -> None:
    """Blanks at its ends included, a text that fits is one piece."""
    assert split_text(text) == ((text,) if text else ("",))


@given(ANY_TEXT, LIMITS)
def test_no_character_is_cut_in_half(text: str, limit: int) -> None:
    """A piece has no half of a surrogate pair that the text did not have."""
    halves = "".join(char for char in text if "\ud800" <= char <= "\udfff")

    assert "".join(char for char in "".join(split_text(text, limit)) if "\ud800" <= char <= "\udfff") == halves


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("One two.\n\nThree. Four.", ("One two.", "Three. Four.")),
        ("One two three.\nFour. Five.", ("One two three.", "Four. Five.")),
        ("One is two. Three is four.", ("One is two.", "Three is four.")),
        ('He said "two." Three is four', ('He said "two."', "Three is four")),
        ("one two three four five", ("one two three", "four five")),
        ("一二三四五六七八。九十一二三四五六七八", ("一二三四五六七八。", "九十一二三四五六七八")),
        ("a" * 20, ("a" * 16, "a" * 4)),
        ("a\n\nbbb bbb bbb bbb bbb", ("a\n\nbbb bbb bbb", "bbb bbb")),
        ("see https://a.bc/def?gh", ("see", "https://a.bc/def", "?gh")),
        ("see https://a.bc/d", ("see", "https://a.bc/d")),
        ("see (https://a.bc/d)", ("see", "(https://a.bc/d)")),
        ("look at www.a.bc/de!", ("look at", "www.a.bc/de!")),
        ("three 🇩🇪🇫🇷🇮🇹", ("three", "🇩🇪🇫🇷🇮🇹")),
        ("flags🇩🇪🇫🇷🇮🇹", ("flags🇩🇪🇫🇷", "🇮🇹")),
        ("aaaaaaaaaaaaaaa\u1112\u1161\u11ab", ("aaaaaaaaaaaaaaa", "\u1112\u1161\u11ab")),
    ],
)
def test_cut_falls_where_a_reader_would_cut(text: str, pieces: tuple[str, ...]) -> None:
    """Paragraph before line, line before sentence, sentence before word, and a short head is no reason to cut early."""
    assert split_text(text, 16) == pieces


def test_accents_and_joined_emoji_stay_whole() -> None:
    """Where there is no blank at all, what belongs to a character goes with it."""
    family = "👨\u200d👩"

    assert split_text("aaa" + "e\u0301", 4) == ("aaa", "e\u0301")
    assert split_text("a" + family, 5) == ("a", family)
    assert split_text("aa👍🏽", 5) == ("aa", "👍🏽")


def test_ten_thousand_units_fit_and_one_more_does_not() -> None:
    """An emoji beyond the basic plane counts two."""
    assert len(split_text("👍" * (TEXT_LIMIT // 2))) == 1
    assert [utf16_length(piece) for piece in split_text("👍" * (TEXT_LIMIT // 2) + "a")] == [TEXT_LIMIT, 1]
