"""Texts with formatting in pieces. Limits: linq-api-v3.md section 6.1; what a service shows: section 9.3."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from linqbot.emulator.names import Names
from linqbot.emulator.texts import read_text
from linqbot.emulator.vault import Vault
from linqbot.protocol.pieces import Showing, pieces_of, shown
from linqbot.protocol.splitting import slices
from linqbot.protocol.wording import text_part
from linqbot.replies import Decoration, InlineSticker, Mention, Text, bold, italic
from linqbot.replies.characters import index_at, joins, unit_offsets, utf16_length
from linqbot.replies.spans import STYLES, MentionSpan, StickerSpan
from linqbot.testing.clock import TurnedClock

ANN = "+12025550100"
CUP = InlineSticker("🥤", attachment_id="0b0c2f6e-6a10-4a1d-9d51-9a1f6c0a7b11")
LIMIT = 16


def pieces(text: Text, limit: int = LIMIT) -> list[Text]:
    """A text in pieces, as a reply makes them."""
    return list(pieces_of(text.value, text.decorations, stickers=text.stickers, mention=text.mention, limit=limit))


def covered(text: Text, spans: Any) -> list[str]:
    """The words that spans cover, read as Linq reads them."""
    units = text.value.encode("utf-16-le")
    return [units[2 * one.start : 2 * one.end].decode("utf-16-le") for one in spans]


CUT: list[tuple[str, Text, list[tuple[str, list[str]]]]] = [
    ("fits: left alone", bold("a") + " b ", [("a b ", ["a"])]),
    (
        "ranges count from each piece",
        "👋 one two three " + bold("four"),
        [("👋 one two three", []), ("four", ["four"])],
    ),
    (
        "a word goes with its style",
        "one two three " + bold("four five"),
        [("one two three", []), ("four five", ["four five"])],
    ),
    (
        "without a blank before it, too",
        "onetwothree" + bold("four five"),
        [("onetwothree", []), ("four five", ["four five"])],
    ),
    (
        "an overlong style goes on",
        bold("one two three four five"),
        [("one two three", ["one two three"]), ("four five", ["four five"])],
    ),
    (
        "a style within an overlong one is whole",
        bold("one two three ", italic("four five")),
        [("one two three", ["one two three"]), ("four five", ["four five", "four five"])],
    ),
    (
        "blanks at a cut lose their style",
        bold("one two thre") + bold(" ") + "  four five",
        [("one two thre", ["one two thre"]), ("four five", [])],
    ),
    (
        "an address before a style",
        bold("go https://a.bc/d now x"),
        [("go", ["go"]), ("https://a.bc/d", ["https://a.bc/d"]), ("now x", ["now x"])],
    ),
    (
        "a character is dearer than nothing",
        bold("aaaaaaaaaaaaaaae\u0301"),
        [("a" * 15, ["a" * 15]), ("e\u0301", ["e\u0301"])],
    ),
]


@pytest.mark.parametrize(("text", "expected"), [row[1:] for row in CUT], ids=[row[0] for row in CUT])
def test_a_cut_takes_the_formatting_along(text: Text, expected: list[tuple[str, list[str]]]) -> None:
    """A decoration stays whole where it can, and goes on in the next piece where it is too long."""
    assert [(one.value, covered(one, one.decorations)) for one in pieces(text)] == expected


def test_more_decorations_than_linq_takes_are_cut_between_words() -> None:
    """The hundred and first begins another piece, at the blank before it."""
    value = "ab " * 150
    marked = [Decoration(place * 3, place * 3 + 2, style="bold") for place in range(150)]

    first, second = pieces_of(value, marked)

    assert (len(first.decorations), len(second.decorations)) == (100, 50)
    assert (first.value + " " + second.value).split() == ["ab"] * 150
    assert second.value.startswith("ab")


def test_a_sticker_is_never_cut_nor_its_blanks_lost() -> None:
    """What it covers are its characters, also where they are blanks at a cut."""
    blank = InlineSticker("  ", attachment_id=CUP.attachment_id)
    found = pieces("one two three" + blank + blank + "four five six" + CUP)

    assert [len(one.stickers) for one in found] == [1, 1, 1]
    assert [covered(one, one.stickers) for one in found] == [["  "], ["  "], ["🥤"]]


def test_a_mention_is_never_cut() -> None:
    """Two highlights would tell a person twice."""
    found = pieces("one two three " + Mention(ANN, "Ann Lee Wu") + " four five six")

    assert [covered(one, [one.mention] if one.mention else []) for one in found] == [[], ["Ann Lee Wu"], []]


@pytest.mark.parametrize(
    ("showing", "fields"),
    [
        (Showing(), {"text_decorations", "mention", "mention_range"}),
        (Showing(mentions=False), {"text_decorations"}),
        (Showing(formatting=False), {"mention", "mention_range"}),
        (Showing(formatting=False, mentions=False), set()),
    ],
)
def test_what_a_chat_cannot_show_is_left_out(showing: Showing, fields: set[str]) -> None:
    """The words stay."""
    part = text_part(shown(bold("Hi ") + Mention(ANN, "Ann"), showing))

    assert part.keys() - {"type", "value"} == fields
    assert part["value"] == "Hi Ann"


def test_stickers_are_left_out_where_they_are_not_shown() -> None:
    """The characters that they cover are there instead."""
    assert text_part(shown("Sip " + CUP, Showing(formatting=False))) == {"type": "text", "value": "Sip 🥤"}


def test_a_part_has_the_fields_that_linq_names() -> None:
    """Exactly one of style and animation, exactly one of url and attachment_id, and no field that is empty."""
    address = "https://example.com/cup.png"

    assert text_part(Text("hi")) == {"type": "text", "value": "hi"}
    assert text_part(Text("ab", [Decoration(0, 1, style="bold"), Decoration(1, 2, animation="nod")])) == {
        "type": "text",
        "value": "ab",
        "text_decorations": [{"range": [0, 1], "style": "bold"}, {"range": [1, 2], "animation": "nod"}],
    }
    assert text_part(InlineSticker("*", url=address) + CUP)["inline_stickers"] == [
        {"range": [0, 1], "url": address},
        {"range": [1, 3], "attachment_id": CUP.attachment_id},
    ]


CHARACTERS = st.sampled_from("ab. !?\n\t\u3002é\u0301\u200d\ufe0f👍🏽👨👩🇩🇪한\u1100\u1161")
WORDS = st.one_of(
    st.text(CHARACTERS, max_size=12),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=12),
    st.sampled_from(
        ["https://example.com/a_b?c=d", "www.example.com", "word ", "A sentence. ", "\n\n", "👨\u200d👩\u200d👧"]
    ),
)


@st.composite
def formatted(draw: Any) -> tuple[str, list[Decoration]]:
    """Words of any kind with styles anywhere, and now and then an animation alone."""
    value = "".join(draw(st.lists(WORDS, min_size=1, max_size=12))) or "x"
    offsets = list(unit_offsets(value))
    edges = (
        st.tuples(st.sampled_from(offsets), st.sampled_from(offsets)).map(sorted).filter(lambda pair: pair[0] < pair[1])
    )
    spans = draw(st.lists(st.tuples(edges, st.sampled_from(STYLES)), max_size=8))
    if draw(st.integers(0, 4)) == 0:
        (start, end) = draw(edges)
        return value, [Decoration(start, end, animation="shake")]
    return value, [Decoration(start, end, style=style) for (start, end), style in spans]


def styled_characters(value: str, decorations: Any) -> list[tuple[str, frozenset[str]]]:
    """Each character but blanks, and what it is shown as."""
    offsets = unit_offsets(value)
    return [
        (char, frozenset(one.style or one.animation for one in decorations if one.start <= offsets[place] < one.end))
        for place, char in enumerate(value)
        if not char.isspace()
    ]


@given(formatted(), st.integers(min_value=2, max_value=40))
def test_no_piece_loses_moves_or_restyles_a_word(given_text: tuple[str, list[Decoration]], limit: int) -> None:
    """For any text: the pieces together have each character in order and in its style, and each piece is legal."""
    value, decorations = given_text

    found = list(pieces_of(value, decorations, limit=limit))

    assert found
    assert all(one.value and utf16_length(one.value) <= limit for one in found)
    if value.strip():
        assert all(one.value.strip() for one in found)
        together = [pair for one in found for pair in styled_characters(one.value, one.decorations)]
        assert together == styled_characters(value, decorations)


@given(formatted(), st.integers(min_value=2, max_value=40))
def test_an_address_that_fits_into_a_piece_is_whole(given_text: tuple[str, list[Decoration]], limit: int) -> None:
    """No address that stands by itself and fits is ever cut."""
    value, _ = given_text
    found = list(pieces_of(value, limit=limit))

    for match in re.finditer(r"(?<!\S)https?://[^\s<>\"]+", value):
        if utf16_length(match[0]) <= limit:
            assert any(match[0] in one.value for one in found)


@given(st.text(CHARACTERS, min_size=1, max_size=60), st.integers(min_value=16, max_value=40))
def test_no_character_is_cut_that_fits_into_a_piece(value: str, limit: int) -> None:
    """An accent, a joined emoji, a skin tone, a flag or a syllable stays with what it belongs to."""
    heads = [place for place in range(len(value) + 1) if not joins(value, place)]
    longest = max(utf16_length(value[start:end]) for start, end in pairwise(heads))

    begins = {start for start, _ in slices(value, limit)}

    assert longest > limit or begins <= {*heads}


@given(st.text(st.sampled_from("ab .\n👍"), min_size=2, max_size=90), st.data())
def test_a_decoration_is_whole_where_it_can_be(value: str, data: Any) -> None:
    """One that fits into a piece is not cut, wherever it stands."""
    places = st.integers(0, len(value))
    start, end = sorted((data.draw(places), data.draw(places)))
    offsets = unit_offsets(value)
    words = value[start:end].strip()
    if not words or offsets[end] - offsets[start] > LIMIT:
        return

    found = pieces(Text(value, [Decoration(offsets[start], offsets[end], style="bold")]))

    assert [shown_bold.strip() for one in found for shown_bold in covered(one, one.decorations)] == [words]


@given(formatted(), st.integers(min_value=2, max_value=40))
def test_the_emulator_takes_every_piece(given_text: tuple[str, list[Decoration]], limit: int) -> None:
    """A witness that knows nothing of ours reads each part without a refusal."""
    vault = Vault(Names(0), TurnedClock())

    for one in pieces_of(*given_text, limit=limit):
        part = text_part(one)
        assert read_text(part, vault, people=(), is_group=False) == part


@given(formatted(), st.data())
def test_stickers_and_mentions_survive_any_cut(given_text: tuple[str, list[Decoration]], data: Any) -> None:
    """Each is whole on exactly one piece, on the characters that it covered."""
    value, _ = given_text
    offsets = unit_offsets(value)
    free = [place for place in range(len(value) + 1) if not joins(value, place)]
    edges = sorted({data.draw(st.sampled_from(free)) for _ in range(4)})
    spans = list(zip(edges[::2], edges[1::2], strict=False))
    limit = max([16, *(offsets[end] - offsets[start] for start, end in spans)])
    stickers = [StickerSpan(offsets[start], offsets[end], attachment_id=CUP.attachment_id) for start, end in spans]

    found = list(pieces_of(value, stickers=stickers, limit=limit))

    assert [words for one in found for words in covered(one, one.stickers)] == [
        value[start:end] for start, end in spans
    ]
    if spans:
        mention = MentionSpan(stickers[0].start, stickers[0].end, ANN)
        told = [one for one in pieces_of(value, mention=mention, limit=limit) if one.mention]
        assert [covered(one, [one.mention]) for one in told] == [[value[spans[0][0] : spans[0][1]]]]


def test_index_at_finds_no_half() -> None:
    """A unit in the middle of a pair, or behind the text, begins no character."""
    offsets = unit_offsets("a👍b")

    assert [index_at(offsets, unit) for unit in range(6)] == [0, 1, None, 2, 3, None]
