"""Markdown -> words and decorations, as iMessage can show them. The parser is markdown-it-py's, loaded when first needed.

CommonMark with strikethrough and tables. What a phone cannot show keeps its look: a dot before an item, the address
behind a link, `>` before a quote, code as it is. HTML tags for the four styles are understood, others stay as text.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING

from linqbot.protocol.pieces import whole_characters
from linqbot.replies import Decoration, Style
from linqbot.replies.characters import utf16_length

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.rules_inline import StateInline
    from markdown_it.tree import SyntaxTreeNode as Node

RULE = "\u2014\u2014\u2014"
BULLET = "\u2022 "
DEEPEST = 60
"""Nested deeper than this it is no text that somebody wrote; it stays as it is."""
MOST_BRACKETS = 1_000
"""With more opening brackets links stay as they are written: the parser's time for them grows with their square."""

_STYLES: dict[str, Style] = {"strong": "bold", "em": "italic", "s": "strikethrough"}
_TAGS: dict[str, Style] = {
    **dict.fromkeys(("b", "strong"), "bold"),
    **dict.fromkeys(("i", "em"), "italic"),
    **dict.fromkeys(("s", "del", "strike"), "strikethrough"),
    **dict.fromkeys(("u", "ins"), "underline"),
}
_TAG = re.compile(r"<(/?)([a-z]+)\s*/?>", re.IGNORECASE)
_ADDRESS = re.compile(r"://[^\s<>\[\]\"`]*[^\s<>\[\]\"`.,:;!?'*_~()]")
_BAR = re.compile(r"(?<!\\)\|")
_SCHEME = re.compile(r"(?:https?|ftp)$", re.IGNORECASE)


def rendered(source: str) -> tuple[str, tuple[Decoration, ...]]:
    """The words of a Markdown text and their decorations, of which there may be more than Linq takes.

    What renders to nothing at all is its own source.
    """
    from markdown_it.tree import SyntaxTreeNode

    source = whole_characters(source)
    tokens = _parser(links=source.count("[") <= MOST_BRACKETS).parse(source)
    if any(token.level >= DEEPEST for token in tokens):
        return source, ()
    page = _Page(source.splitlines())
    page.blocks(SyntaxTreeNode(tokens).children)
    value = "".join(page.written)
    return (value, _merged(page.decorations)) if value.strip() else (source, ())


@cache
def _parser(*, links: bool) -> MarkdownIt:
    from markdown_it import MarkdownIt

    parser = MarkdownIt("commonmark", {"maxNesting": DEEPEST + 1}).enable(["strikethrough", "table"])
    # A definition that nothing refers to would vanish, and a tag at the start of a line keep the rest from being read.
    parser.disable(["reference", "html_block"])
    parser.inline.ruler.before("text", "address", _address)
    return parser if links else parser.disable(["link", "image"])


def _address(state: StateInline, silent: bool) -> bool:  # noqa: FBT001  # the parser calls its rules so
    """A bare address is taken as it stands: the underscores in it are no emphasis."""
    found = _ADDRESS.match(state.src, state.pos, state.posMax)
    if found is None or not _SCHEME.search(state.src[max(state.pos - 5, 0) : state.pos]):
        return False
    if not silent:
        state.pending += found[0]
    state.pos = found.end()
    return True


class _Page:
    """What is written so far, and how a new line begins."""

    def __init__(self, lines: Sequence[str]) -> None:
        self._lines = lines
        self.written: list[str] = []
        self.decorations: list[Decoration] = []
        self._units = 0
        self._indent = ""

    def blocks(self, nodes: Sequence[Node], gap: int = 2) -> None:
        """Write blocks that stand below each other, so many line feeds apart."""
        for index, node in enumerate(nodes):
            if index:
                self._new_line(gap)
            self._block(node)

    def _block(self, node: Node) -> None:
        if node.type in ("bullet_list", "ordered_list"):
            self._list(node)
        elif node.type == "blockquote":
            with self._indented("> "):
                self.blocks(node.children)
        elif node.type in ("fence", "code_block"):
            self._write(node.content.strip("\n"))
        elif node.type == "heading":
            with self._styled("bold"):
                self._inline(node.children)
        elif node.type == "table":
            self.blocks([row for part in node.children for row in part.children], gap=1)
        elif node.type == "tr":
            self._row(node)
        elif node.type == "hr":
            self._write(RULE)
        else:
            self._inline(node.children)

    def _list(self, node: Node) -> None:
        inside = [child for item in node.children for child in item.children]
        gap = 2 if any(child.type == "paragraph" and not child.hidden for child in inside) else 1
        number = int(node.attrs.get("start", 1))
        for index, item in enumerate(node.children):
            if index:
                self._new_line(gap)
            with self._indented(BULLET if node.type == "bullet_list" else f"{number + index}. ", once=True):
                self.blocks(item.children, gap)

    def _row(self, node: Node) -> None:
        for index, cell in enumerate(node.children):
            if index:
                self._write(" | ")
            with self._styled("bold" if cell.type == "th" else None):
                self._inline(cell.children)
        self._write("".join(f" | {cell.strip()}" for cell in self._cells(node)[len(node.children) :]))

    def _cells(self, node: Node) -> list[str]:
        """The cells of a row as they were written: the parser drops those that the head of the table has not."""
        line = self._lines[node.map[0]] if node.map else ""
        return _BAR.split(line.strip().removeprefix("|").removesuffix("|"))

    def _inline(self, nodes: Sequence[Node]) -> None:
        closed_by = _pairs(nodes)
        begun: dict[int, int] = {}
        for index, node in enumerate(nodes):
            if index in closed_by:
                begun[closed_by[index]] = self._units
            elif index in begun:
                self._decorate(_TAGS[_tag(node)[1]], begun[index])
            else:
                self._word(node)

    def _word(self, node: Node) -> None:
        if node.type in ("text", "html_inline"):
            self._write("\n" if _tag(node)[1] == "br" else node.content)
        elif node.type == "code_inline":
            self._write(f"`{node.content}`")
        elif node.type in ("softbreak", "hardbreak"):
            self._write("\n")
        elif node.type in ("link", "image"):
            self._link(node)
        else:
            with self._styled(_STYLES.get(node.type)):
                self._inline(node.children)

    def _link(self, node: Node) -> None:
        before = len(self.written)
        self._inline(node.children)
        label = "".join(self.written[before:])
        address = str(node.attrs.get("href") or node.attrs.get("src") or "")
        if not label:
            self._write(address)
        elif node.info != "auto" and address and label not in (address, address.removeprefix("mailto:")):
            self._write(f" ({address})")

    def _write(self, text: str) -> None:
        if text:
            text = text.replace("\n", "\n" + self._indent)
            self.written.append(text)
            self._units += utf16_length(text)

    def _new_line(self, count: int) -> None:
        blank = "\n" + self._indent.rstrip()
        self.written.append(blank * (count - 1))
        self._units += utf16_length(blank) * (count - 1)
        self._write("\n")

    @contextmanager
    def _indented(self, mark: str, *, once: bool = False) -> Iterator[None]:
        """Begin with a mark; the lines after it begin with it too, or where it is written once, with blanks."""
        self._write(mark)
        before, self._indent = self._indent, self._indent + (" " * len(mark) if once else mark)
        yield
        self._indent = before

    @contextmanager
    def _styled(self, style: Style | None) -> Iterator[None]:
        start = self._units
        yield
        if style is not None:
            self._decorate(style, start)

    def _decorate(self, style: Style, start: int) -> None:
        if self._units > start:
            self.decorations.append(Decoration(start, self._units, style=style))


def _pairs(nodes: Sequence[Node]) -> dict[int, int]:
    """Each tag for a style that is closed among its siblings, and where."""
    pairs: dict[int, int] = {}
    opened: list[tuple[str, int]] = []
    waiting: Counter[str] = Counter()
    for index, node in enumerate(nodes):
        closes, name = _tag(node)
        if name in _TAGS and not closes:
            opened.append((name, index))
            waiting[name] += 1
        while closes and waiting[name]:
            other, start = opened.pop()
            waiting[other] -= 1
            if other == name:
                pairs[start] = index
                break
    return pairs


def _tag(node: Node) -> tuple[bool, str]:
    """Whether a node is a closing tag, and its name; `""` if it is no tag without attributes."""
    found = _TAG.fullmatch(node.content) if node.type == "html_inline" else None
    return (bool(found[1]), found[2].lower()) if found else (False, "")


def _merged(decorations: Sequence[Decoration]) -> tuple[Decoration, ...]:
    """What touches or overlaps in one style is one decoration: Linq counts them."""
    merged: list[Decoration] = []
    last: dict[str, int] = {}
    for one in sorted(decorations, key=lambda one: (one.start, one.end)):
        index = last.get(one.style or "")
        if index is not None and merged[index].end >= one.start:
            before = merged[index]
            merged[index] = Decoration(before.start, max(before.end, one.end), style=before.style)
        else:
            last[one.style or ""] = len(merged)
            merged.append(one)
    return tuple(merged)
