"""Markdown as iMessage can show it. Decorations: linq-api-v3.md section 6.1."""

from __future__ import annotations

import re
import subprocess
import sys
from html.parser import HTMLParser
from time import process_time
from typing import Any, ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from linqbot.emulator.names import Names
from linqbot.emulator.texts import read_text
from linqbot.emulator.vault import Vault
from linqbot.protocol.bubbles import bubbles_of
from linqbot.protocol.markdown import rendered
from linqbot.protocol.pieces import Showing
from linqbot.protocol.wording import text_part
from linqbot.replies import Markdown, Reply, Text
from linqbot.replies.characters import unit_offsets
from linqbot.testing.clock import TurnedClock


def marks(source: str) -> list[tuple[str, str]]:
    """Each decoration of a rendered text, in order: its style, and the words it covers, read as Linq reads them."""
    value, decorations = rendered(source)
    units = value.encode("utf-16-le")
    return [(one.style or "", units[2 * one.start : 2 * one.end].decode("utf-16-le")) for one in decorations]


SHOWN: list[tuple[str, str, str, list[tuple[str, str]]]] = [
    ("bold", "a **b** c", "a b c", [("bold", "b")]),
    ("italic", "a *b* _c_", "a b c", [("italic", "b"), ("italic", "c")]),
    ("strikethrough", "~~a~~", "a", [("strikethrough", "a")]),
    ("underline", "<u>a</u> <ins>b</ins>", "a b", [("underline", "a"), ("underline", "b")]),
    (
        "tags for the rest",
        "<b>a</b><I>b</I><del>c</del>",
        "abc",
        [("bold", "a"), ("italic", "b"), ("strikethrough", "c")],
    ),
    ("nested", "**a *b* <u>c</u>**", "a b c", [("bold", "a b c"), ("italic", "b"), ("underline", "c")]),
    ("both at once", "***a***", "a", [("bold", "a"), ("italic", "a")]),
    ("one style side by side", "**a****b**", "a****b", [("bold", "a****b")]),
    ("one style within", "# a **b**", "a b", [("bold", "a b")]),
    (
        "emoji before and within",
        "👍🏽 **e\u0301 👨\u200d👩** x",
        "👍🏽 e\u0301 👨\u200d👩 x",
        [("bold", "e\u0301 👨\u200d👩")],
    ),
    ("heading", "# Title\ntext", "Title\n\ntext", [("bold", "Title")]),
    ("underlined heading", "Title\n===\ntext", "Title\n\ntext", [("bold", "Title")]),
    ("lines stay lines", "a\nb  \nc", "a\nb\nc", []),
    ("paragraphs", "a\n\n\n\nb", "a\n\nb", []),
    ("line break", "a<br>b<br/>c", "a\nb\nc", []),
    ("list", "- a\n- **b**\n* c", "• a\n• b\n\n• c", [("bold", "b")]),
    ("loose list", "- a\n\n- b", "• a\n\n• b", []),
    ("numbered list", "3. a\n4. b", "3. a\n4. b", []),
    ("nested list", "- a\n  1. b\n     more\n- c", "• a\n  1. b\n     more\n• c", []),
    ("empty item", "- a\n-\n- b", "• a\n• \n• b", []),
    ("task list", "- [ ] a\n- [x] b", "• [ ] a\n• [x] b", []),
    ("quote", "> a\n> **b**\n>\n> c", "> a\n> b\n>\n> c", [("bold", "b")]),
    ("quoted list", "> - a\n> - b", "> • a\n> • b", []),
    ("code", "run `pip *x*` now", "run `pip *x*` now", []),
    ("code block", "```python\ndef f():\n    return **x**\n```", "def f():\n    return **x**", []),
    ("indented code", "    a\n      b", "a\n  b", []),
    ("code in a list", "- a\n  ```\n  x\n    y\n  ```", "• a\n  x\n    y", []),
    ("link", "see [the **terms**](https://e.co/a_b)", "see the terms (https://e.co/a_b)", [("bold", "terms")]),
    ("link that is its address", "[https://e.co/a](https://e.co/a)", "https://e.co/a", []),
    ("link without words", "[](https://e.co/a)", "https://e.co/a", []),
    ("link in brackets", "<https://e.co/ä>", "https://e.co/ä", []),
    ("mail", "<a@e.co> [a@e.co](mailto:a@e.co)", "a@e.co a@e.co", []),
    ("picture", "![a cat](https://e.co/c.png)", "a cat (https://e.co/c.png)", []),
    ("bare address", "https://e.co/__init__/*a*_b_.", "https://e.co/__init__/*a*_b_.", []),
    ("bold address", "**https://e.co/a_b**", "https://e.co/a_b", [("bold", "https://e.co/a_b")]),
    ("address in a link's words", "[https://e.co/_a_](https://e.co/b)", "https://e.co/_a_ (https://e.co/b)", []),
    ("table", "| a | b |\n|---|--:|\n| 1 | *2* |", "a | b\n1 | 2", [("bold", "a"), ("bold", "b"), ("italic", "2")]),
    ("table with a cell too many", "| a |\n|---|\n| 1 | 2 |", "a\n1 | 2", [("bold", "a")]),
    ("rule", "a\n\n---\n\nb", "a\n\n———\n\nb", []),
    ("entity", "a &amp; b &copy;", "a & b ©", []),
    ("escape", r"\*a\* 2\*3", "*a* 2*3", []),
    ("arithmetic", "2*3*4 snake_case_name", "234 snake_case_name", [("italic", "3")]),
    ("unknown tag", "a <kbd>b</kbd> <div>c</div>", "a <kbd>b</kbd> <div>c</div>", []),
    ("tag that is not closed", "a <u>b", "a <u>b", []),
    ("tags crossing", "<u>a <b>b</u> c</b>", "a <b>b c</b>", [("underline", "a <b>b")]),
    ("definition", "[a]: https://e.co/x", "[a]: https://e.co/x", []),
    ("nothing to show", "<br>", "<br>", []),
    ("half a character", "**a\ud83d**", "a\ufffd", [("bold", "a\ufffd")]),
    ("too deep for a text", ">" * 200 + " a", ">" * 200 + " a", []),
]


@pytest.mark.parametrize(("source", "value", "expected"), [row[1:] for row in SHOWN], ids=[row[0] for row in SHOWN])
def test_markdown_keeps_its_words_and_its_look(source: str, value: str, expected: list[tuple[str, str]]) -> None:
    """What a phone can show is a decoration, and the rest is readable without one."""
    assert rendered(source)[0] == value
    assert marks(source) == expected


def test_plain_text_has_the_words_and_no_marks() -> None:
    """Where the service shows nothing, what is left is the same text without decorations."""
    reply = Reply(Markdown("# Menu\n\n- **soup**"))

    assert bubbles_of(reply, Showing(formatting=False)) == ((Text("Menu\n\n• soup"),),)
    assert [part.value for bubble in bubbles_of(reply) for part in bubble if isinstance(part, Text)] == [
        "Menu\n\n• soup"
    ]


def test_the_parser_is_loaded_when_first_needed() -> None:
    """A bot that says nothing in Markdown does not pay for it at start."""
    check = (
        "import sys, linqbot.bot, linqbot.replies; assert not any(one.startswith('markdown_it') for one in sys.modules)"
    )

    subprocess.run([sys.executable, "-c", check], check=True)


@pytest.mark.parametrize(
    "piece", ["[", "![", "[](", "<u>", "<u>a</b>", "*a ", "**a *", "`a``b", "http://", "> ", "|", "~~", "_a"]
)
def test_time_grows_no_faster_than_the_text(piece: str) -> None:
    """A long run of opening marks, which nobody means, is no way to stop a bot: eight times the text takes about eight
    times the time, and not 64 times."""
    short, long = (piece * (length // len(piece)) for length in (5_000, 40_000))

    assert least_time(long) < max(least_time(short) * 24, 1.0)


def least_time(source: str) -> float:
    """The least of three tries: whatever else a machine does only adds to it."""
    took = []
    for _ in range(3):
        began = process_time()
        rendered(source)
        took.append(process_time() - began)
    return min(took)


class Page(HTMLParser):
    """HTML -> each character but blanks, and the styles it is shown in."""

    STYLES: ClassVar = {"strong": "bold", "h1": "bold", "h2": "bold", "em": "italic", "s": "strikethrough"}

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.characters: list[tuple[str, frozenset[str]]] = []

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        """A style begins, or something that is shown by a character of ours."""
        if tag in self.STYLES:
            self.open.append(self.STYLES[tag])
        self.handle_data({"li": "•", "hr": "———"}.get(tag, ""))

    def handle_endtag(self, tag: str) -> None:
        """A style ends."""
        if tag in self.STYLES:
            self.open.remove(self.STYLES[tag])

    def handle_data(self, data: str) -> None:
        """Text."""
        self.characters += [(char, frozenset(self.open)) for char in data if not char.isspace()]


def styled_characters(value: str, decorations: Any) -> list[tuple[str, frozenset[str]]]:
    """Each character but blanks, and the styles it is shown in."""
    offsets = unit_offsets(value)
    return [
        (char, frozenset(one.style for one in decorations if one.start <= offsets[place] < one.end))
        for place, char in enumerate(value)
        if not char.isspace()
    ]


WORDS = st.one_of(
    st.text(st.sampled_from("ab é👍🏽👨\u200d👩🇩🇪\u0301\ufe0f한"), min_size=1, max_size=6),
    st.text(st.characters(categories=["L", "M", "So", "Po"], exclude_characters="&<>`\\"), min_size=1, max_size=6),
)
MARKUP = st.sampled_from(["*", "**", "***", "_", "__", "~~", " ", "\n", "\n\n", "\n# ", "\n## ", "\n* ", "\n\n***\n\n"])


@given(st.lists(WORDS | MARKUP, min_size=1, max_size=20).map("".join))
def test_the_same_words_are_formatted_as_in_html(source: str) -> None:
    """For any Markdown with emoji and accents: read in UTF-16, each character has the styles that a browser shows."""
    page = Page()
    page.feed(MarkdownIt("commonmark").enable("strikethrough").disable(["reference"]).render(source))
    page.close()
    value, decorations = rendered(source)

    if page.characters:
        assert styled_characters(value, decorations) == page.characters


@given(st.text(st.sampled_from("abc \n\n\n*_-+#>|:=.\t!]👍🏽e\u0301"), min_size=1, max_size=80))
def test_no_word_is_lost(source: str) -> None:
    """Whatever the marks make of it, the letters of the source are all there, in order."""
    assert re.findall("[a-z]", rendered(source)[0]) == re.findall("[a-z]", source)


ANYTHING = st.text(max_size=200) | st.lists(
    WORDS
    | MARKUP
    | st.sampled_from(["`", "```", "[", "](", ")", "<u>", "</u>", "<br>", "> ", "1. ", "|", "---", "&amp;", "\\"]),
    max_size=40,
).map("".join)


@given(ANYTHING.filter(bool))
def test_linq_takes_any_markdown(source: str) -> None:
    """Whatever is written, it leaves as parts that the emulator, a witness of its own, reads without a refusal."""
    vault = Vault(Names(0), TurnedClock())

    for bubble in bubbles_of(Reply(Markdown(source))):
        for one in bubble:
            assert isinstance(one, Text)
            part = text_part(one)
            assert read_text(part, vault, people=(), is_group=False) == part


def test_a_thousand_bold_words_are_all_said() -> None:
    """More than 100 decorations become several texts; the words stay in order and each keeps its style."""
    bubbles = bubbles_of(Reply(Markdown("**a** *b* " * 1_000)))
    texts = [part for bubble in bubbles for part in bubble if isinstance(part, Text)]

    assert [len(bubble) for bubble in bubbles] == [1] * 20
    assert " ".join(one.value for one in texts).split() == ["a", "b"] * 1_000
    assert all(len(one.decorations) == 100 for one in texts)
