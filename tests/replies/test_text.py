"""Texts with formatting, as they are put together, and what is refused. Rules: linq-api-v3.md section 6.1."""

from __future__ import annotations

from typing import Any

import pytest

from linqbot.errors import ReplyError
from linqbot.replies import (
    Decoration,
    InlineSticker,
    Markdown,
    Mention,
    Reply,
    Text,
    animated,
    bold,
    compose,
    italic,
    strikethrough,
    underline,
)

CUP = InlineSticker("🥤", attachment_id="0b0c2f6e-6a10-4a1d-9d51-9a1f6c0a7b11")
ANN = Mention("+12025550100", "Ann")


def cup(number: int) -> InlineSticker:
    """One of many images."""
    return InlineSticker("*", attachment_id=f"0b0c2f6e-6a10-4a1d-9d51-{number:012}")


def marks(text: Text) -> list[tuple[str, str]]:
    """Each decoration of a text: what it is, and the words it covers, read as Linq reads them."""
    units = text.value.encode("utf-16-le")
    return [
        (one.style or one.animation or "", units[2 * one.start : 2 * one.end].decode("utf-16-le"))
        for one in text.decorations
    ]


PUT_TOGETHER: list[tuple[str, Text, str, list[tuple[str, str]]]] = [
    ("bold", bold("now"), "now", [("bold", "now")]),
    ("italic", italic("now"), "now", [("italic", "now")]),
    ("strikethrough", strikethrough("now"), "now", [("strikethrough", "now")]),
    ("underline", underline("now"), "now", [("underline", "now")]),
    ("animation", animated("boo", "shake"), "boo", [("shake", "boo")]),
    ("string first", "Come " + bold("now"), "Come now", [("bold", "now")]),
    ("string last", bold("now") + "!", "now!", [("bold", "now")]),
    ("both sides", "Come " + bold("now") + "!", "Come now!", [("bold", "now")]),
    ("two texts", bold("a") + italic("b"), "ab", [("bold", "a"), ("italic", "b")]),
    ("nested", bold("a ", italic("b")), "a b", [("bold", "a b"), ("italic", "b")]),
    (
        "three deep",
        underline("a", bold("b", italic("c"))),
        "abc",
        [("underline", "abc"), ("bold", "bc"), ("italic", "c")],
    ),
    ("the same style within", bold("a ", bold("b")), "a b", [("bold", "a b")]),
    ("after an emoji", "👍🏽 " + bold("now"), "👍🏽 now", [("bold", "now")]),
    (
        "over emoji and accents",
        "x" + bold("e\u0301 👨\u200d👩") + "y",
        "xe\u0301 👨\u200d👩y",
        [("bold", "e\u0301 👨\u200d👩")],
    ),
    ("nothing added", "" + bold("a") + "", "a", [("bold", "a")]),
    (
        "animation beside a style",
        bold("a") + animated("b", "nod") + bold("c"),
        "abc",
        [("bold", "a"), ("nod", "b"), ("bold", "c")],
    ),
    ("explicit", Text("hi there", [Decoration(0, 2, style="bold")]), "hi there", [("bold", "hi")]),
    (
        "explicit overlap",
        Text("abcd", [Decoration(1, 4, style="italic"), Decoration(0, 2, style="bold")]),
        "abcd",
        [("bold", "ab"), ("italic", "bcd")],
    ),
]


@pytest.mark.parametrize(
    ("text", "value", "expected"), [row[1:] for row in PUT_TOGETHER], ids=[row[0] for row in PUT_TOGETHER]
)
def test_pieces_make_one_text_with_its_ranges(text: Text, value: str, expected: list[tuple[str, str]]) -> None:
    """Nesting and joining keep every style on its words, counted in UTF-16 units."""
    assert text.value == value
    assert sorted(marks(text)) == sorted(expected)


def test_equal_texts_are_equal_however_they_were_put_together() -> None:
    """Decorations have one order, so that the same text is the same value."""
    one = Text("ab", [Decoration(1, 2, style="italic"), Decoration(0, 1, style="bold")])

    assert one == bold("a") + italic("b")
    assert len({one, bold("a") + italic("b")}) == 1


HUNDRED = [Decoration(place, place + 1, style="bold") for place in range(101)]
REFUSED: list[tuple[str, Any, str]] = [
    (
        "6.1: range within the text",
        lambda: Text("secret", [Decoration(0, 7, style="bold")]),
        "covers 0 to 7, and the text has 6 UTF-16 units",
    ),
    (
        "6.1: counted in UTF-16",
        lambda: Text("a", [Decoration(1, 2, style="bold")]),
        "covers 1 to 2, and the text has 1",
    ),
    (
        "6.1: empty range",
        lambda: Decoration(3, 3, style="bold"),
        "is 3 to 3; it starts at 0 or later and ends after its start",
    ),
    ("6.1: range backwards", lambda: Decoration(3, 1, style="bold"), "is 3 to 1"),
    ("6.1: negative range", lambda: Decoration(-1, 1, style="bold"), "is -1 to 1"),
    ("6.1: exactly two ints", lambda: Decoration(0, "1", style="bold"), "two whole numbers"),  # type: ignore[arg-type]  # wrong on purpose
    ("6.1: no booleans", lambda: Decoration(False, True, style="bold"), "two whole numbers"),
    (
        "6.1: half a pair",
        lambda: Text("👍!", [Decoration(0, 1, style="bold")]),
        "covers 0 to 1, which begins or ends within a character",
    ),
    ("6.1: the other half", lambda: Text("👍!", [Decoration(1, 3, style="bold")]), "begins or ends within a character"),
    ("6.1: style or animation", lambda: Decoration(0, 1), "either style= or animation=, exactly one"),
    (
        "6.1: not both",
        lambda: Decoration(0, 1, style="bold", animation="big"),
        "either style= or animation=, exactly one",
    ),
    (
        "6.1: 4 styles",
        lambda: Decoration(0, 1, style="bald"),
        r"style is not one .* did you mean 'bold'\?; choose one of bold, italic, strikethrough, underline",
    ),  # type: ignore[arg-type]  # wrong on purpose
    (
        "6.1: 8 animations",
        lambda: animated("secret", "wobble"),
        "animation is not one .* choose one of big, small, shake, nod, explode, ripple, bloom, jitter",
    ),  # type: ignore[arg-type]  # wrong on purpose
    (
        "6.1: animation over a style",
        lambda: animated(bold("secret"), "big"),
        "an animation stands alone, styles may overlap",
    ),
    ("6.1: style over an animation", lambda: italic("a", animated("secret", "big")), "an animation stands alone"),
    ("6.1: two animations", lambda: animated(animated("a", "big"), "nod"), "an animation stands alone"),
    (
        "6.1: animation in a long style",
        lambda: Text(
            "abcdef",
            [Decoration(0, 6, style="bold"), Decoration(1, 2, style="italic"), Decoration(3, 4, animation="nod")],
        ),
        "from 3 to 4 overlaps another",
    ),
    ("6.1: 100 decorations", lambda: Text("a" * 101, HUNDRED), "has 101 decorations; Linq takes 100"),
    ("6.1: at least 1 character", lambda: bold(""), "a text part is empty"),
    ("6.1: at least 1 character of anything", bold, "a text part is empty"),
    (
        "a text is made of words",
        lambda: bold("a", 7),
        "put together of str, Text, Mention and InlineSticker, not of type int",
    ),  # type: ignore[arg-type]  # wrong on purpose
    ("a text is joined with words", lambda: bold("a") + Markdown("b"), "not of type Markdown"),  # type: ignore[operator]  # wrong on purpose
    ("6.1: 100 stickers", lambda: sum([CUP] * 100, start=CUP.as_text()), "has 101 stickers; Linq takes 100"),
    (
        "6.1: 10 images",
        lambda: sum(map(cup, range(10)), start=cup(10).as_text()),
        "has 11 different sticker images; Linq takes 10",
    ),
    (
        "6.1: stickers overlap",
        lambda: Text("🥤🥤", stickers=[*CUP.as_text().stickers, *CUP.as_text().stickers]),
        "two stickers overlap",
    ),
    ("6.1: sticker under a decoration", lambda: bold("secret", CUP), "a decoration covers a sticker"),
    ("6.1: sticker under an animation", lambda: animated(CUP, "big"), "a decoration covers a sticker"),
    (
        "6.1: sticker on a part of a character",
        lambda: InlineSticker("👍", url="https://example.com/a") + "🏽",
        "the sticker from 0 to 2 covers a part of a character",
    ),
    ("6.1: sticker with a mention", lambda: ANN + CUP, "stickers or a mention, not both"),
    ("6.1: one mention", lambda: ANN + " and " + Mention("bob@example.com", "Bob"), "a text mentions one person"),
    ("6.1: url xor attachment_id", lambda: InlineSticker("*"), "either url= or attachment_id=, exactly one"),
    (
        "6.1: not both images",
        lambda: InlineSticker("*", url="https://example.com/a", attachment_id=CUP.attachment_id),
        "exactly one",
    ),
    (
        "7.6: https",
        lambda: InlineSticker("*", url="http://example.com/a"),
        "the url of an inline sticker must begin https://",
    ),
    ("7.6: ids are UUIDs", lambda: InlineSticker("*", attachment_id="star"), "attachment_id is none of Linq's"),
    (
        "6.1: a sticker covers something",
        lambda: InlineSticker("", url="https://example.com/a"),
        "covers is a str that is not empty",
    ),
    (
        "6.1: a sticker fits into a text",
        lambda: InlineSticker("🥤" * 5_001, url="https://example.com/a"),
        "has 10002 UTF-16 units; at most 10000",
    ),
    (
        "2, 1002: a mention's handle",
        lambda: Mention("ann", "secret"),
        "the handle of a mention is neither a phone number",
    ),
    (
        "6.1: a mention shows something",
        lambda: Mention("+12025550100", ""),
        "the text of a mention is a str that is not empty",
    ),
    (
        "decorations are Decorations",
        lambda: Text("secret", [(0, 2)]),  # type: ignore[list-item]  # wrong on purpose
        "decorations of a text: Decoration is expected, not tuple",
    ),
    (
        "decorations are several",
        lambda: Text("secret", Decoration(0, 2, style="bold")),  # type: ignore[arg-type]  # wrong on purpose
        "decorations of a text are a list, not of type Decoration",
    ),
    (
        "stickers are spans",
        lambda: Text("secret", stickers=[CUP]),  # type: ignore[list-item]  # wrong on purpose
        "stickers of a text: StickerSpan is expected, not InlineSticker",
    ),
    (
        "a mention is a span",
        lambda: Text("secret", mention=ANN),  # type: ignore[arg-type]  # wrong on purpose
        "the mention of a text: MentionSpan is expected, not Mention",
    ),
    ("an f-string loses formatting", lambda: f"Come {bold('secret')}", "lost in an f-string; join the pieces with +"),
]


@pytest.mark.parametrize(("make", "said"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED])
def test_what_linq_would_refuse_is_refused_where_it_is_written(make: Any, said: str) -> None:
    """Each rule is an error at construction that names value and remedy, and never the text."""
    with pytest.raises(ReplyError, match=said) as caught:
        make()

    assert "secret" not in str(caught.value)
    assert "2025550100)" in str(caught.value) or "0100" not in str(caught.value)


def test_limits_themselves_are_taken() -> None:
    """100 decorations, 100 stickers and 10 images are within Linq's limits."""
    assert len(Text("a" * 101, HUNDRED[:100]).decorations) == 100
    assert len(sum([CUP] * 99, start=CUP.as_text()).stickers) == 100
    assert len(sum(map(cup, range(9)), start=cup(9).as_text()).stickers) == 10


def test_mention_and_sticker_stand_in_the_line() -> None:
    """Joined to words they keep their place, counted in UTF-16 units."""
    text = "👋 " + ANN + ", look"

    assert text.value == "👋 Ann, look"
    assert text.mention is not None
    assert (text.mention.start, text.mention.end, text.mention.handle) == (3, 6, "+12025550100")
    (sticker,) = ("Sip " + CUP).stickers
    assert (sticker.start, sticker.end) == (4, 6)


def test_mention_without_text_shows_the_handle() -> None:
    """Something must be shown, and the handle is all that is known."""
    assert Mention("bob@example.com").as_text().value == "bob@example.com"


@pytest.mark.parametrize("one", [bold("a"), ANN, CUP, Markdown("a")])
def test_each_is_a_whole_answer_and_a_part(one: Any) -> None:
    """What is formatted may be returned alone or stand in a reply."""
    assert compose(one) == (Reply(one),)
    assert len(Reply("a", one).parts) == 2


@pytest.mark.parametrize(
    ("wrong", "said"), [("", "a Markdown part is empty"), (7, "Markdown takes a str, not of type int")]
)
def test_markdown_is_a_text(wrong: Any, said: str) -> None:
    """Nothing and no text are refused where they are written."""
    with pytest.raises(ReplyError, match=said):
        Markdown(wrong)


def test_repr_shows_shape_and_never_words() -> None:
    """A text in a log line or a failed assertion tells its shape only."""
    parts: list[Any] = [bold("secret"), "a" + CUP, ANN.as_text(), Markdown("secret"), ANN, CUP]

    assert [repr(part) for part in parts] == [
        "Text(6 characters, 1 decorations)",
        "Text(2 characters, 1 stickers)",
        "Text(3 characters, a mention)",
        "Markdown(6 characters)",
        "Mention(3 characters)",
        "InlineSticker(attachment_id='0b0c2f6e-6a10-4a1d-9d51-9a1f6c0a7b11')",
    ]
    assert "0100" not in repr(ANN.as_text().mention)
