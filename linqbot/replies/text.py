"""Words -> Text: what is said, with the places where it is bold, shakes, or shows a sticker or a mention.

Texts are put together with `+` and by nesting, so that nobody counts UTF-16 units: `"Come " + bold("now") + "!"`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import NoReturn, TypeVar

from linqbot.errors import ReplyError
from linqbot.replies.characters import index_at, joins, unit_offsets, utf16_length
from linqbot.replies.spans import (
    Animation,
    Decoration,
    MentionSpan,
    Span,
    StickerSpan,
    Style,
    check_decorations,
    check_stickers,
)

_S = TypeVar("_S", Decoration, StickerSpan, MentionSpan)


class Fragment(ABC):
    """Something that stands in a text: joined by `+` to strings and to others of its kind it becomes a `Text`."""

    __slots__ = ()

    @abstractmethod
    def as_text(self) -> Text:
        """The text that it is when it stands alone."""

    def __add__(self, other: str | Fragment) -> Text:
        return joined(self, other)

    def __radd__(self, other: str | Fragment) -> Text:
        return joined(other, self)

    def __format__(self, spec: str) -> NoReturn:
        raise ReplyError("formatting is lost in an f-string; join the pieces with +, as in 'Come ' + bold('now')")


@dataclass(frozen=True, slots=True, init=False, repr=False)
class Text(Fragment):
    """Text, sent as it is. Over 10,000 UTF-16 units it becomes several bubbles, cut where a reader would cut.

    `decorations` is for who wants to give ranges; `bold`, `italic`, `strikethrough`, `underline` and `animated` make
    them. Decorations, stickers and mentions are shown by iMessage; where the service has none it is the plain text.
    Raises `ReplyError` for a range that is empty, outside the text, or ends within a character, for an animation that
    overlaps a decoration, and for more than 100 decorations (linq-api-v3.md section 6.1).
    """

    value: str
    decorations: tuple[Decoration, ...]
    stickers: tuple[StickerSpan, ...]
    mention: MentionSpan | None

    def __init__(
        self,
        value: str,
        decorations: Iterable[Decoration] = (),
        *,
        stickers: Iterable[StickerSpan] = (),
        mention: MentionSpan | None = None,
    ) -> None:
        if not isinstance(value, str):
            raise ReplyError(f"Text takes a str, not of type {type(value).__name__}")
        if not value:
            raise ReplyError('a text part is empty; leave it out, or return None or "" to say nothing')
        put = object.__setattr__
        put(self, "value", value)
        put(self, "decorations", _in_order(decorations, Decoration, what="decorations"))
        put(self, "stickers", _in_order(stickers, StickerSpan, what="stickers"))
        put(self, "mention", mention if mention is None else _of_kind(mention, MentionSpan, what="the mention"))
        if self.decorations or self.stickers or mention:
            self._check()

    def _check(self) -> None:
        check_decorations(self.decorations)
        check_stickers(self.stickers, self.decorations)
        if self.stickers and self.mention:
            raise ReplyError("a text has stickers or a mention, not both; put one of them into a text of its own")
        offsets = unit_offsets(self.value)
        for one in self.decorations:
            _check_edges(one, offsets, what="a decoration")
        if self.mention:
            _check_edges(self.mention, offsets, what="a mention")
        for sticker in self.stickers:
            edges = _check_edges(sticker, offsets, what="a sticker")
            if any(joins(self.value, edge) for edge in edges):
                raise ReplyError(
                    f"the sticker from {sticker.start} to {sticker.end} covers a part of a character; cover it whole"
                )

    def as_text(self) -> Text:
        """Itself."""
        return self

    def __repr__(self) -> str:
        marks = {"decorations": len(self.decorations), "stickers": len(self.stickers)}
        shown = [f"{len(self.value)} characters", *(f"{count} {name}" for name, count in marks.items() if count)]
        return f"Text({', '.join(shown + ['a mention'] * (self.mention is not None))})"


def text_of(fragment: object) -> Text:
    """A `str` or a fragment as a text. Raises `ReplyError` for anything else, by its type."""
    if isinstance(fragment, Fragment):
        return fragment.as_text()
    if isinstance(fragment, str):
        return Text(fragment)
    raise ReplyError(
        f"a text is put together of str, Text, Mention and InlineSticker, not of type {type(fragment).__name__}"
    )


def joined(*fragments: object) -> Text:
    """One text of several, in order; empty strings add nothing. Raises `ReplyError` when they do not go together."""
    texts = [text_of(one) for one in fragments if one != ""]
    if not texts:
        return Text("")
    mentions = [text.mention for text in texts if text.mention]
    if len(mentions) > 1:
        raise ReplyError("a text mentions one person; put the other mention into a text of its own")
    decorations: list[Decoration] = []
    stickers: list[StickerSpan] = []
    mention: MentionSpan | None = None
    units = 0
    for text in texts:
        decorations += [_moved(one, units) for one in text.decorations]
        stickers += [_moved(one, units) for one in text.stickers]
        mention = _moved(text.mention, units) if text.mention else mention
        units += utf16_length(text.value)
    return Text("".join(text.value for text in texts), decorations, stickers=stickers, mention=mention)


def bold(*fragments: str | Fragment) -> Text:
    """The fragments as one text, all of it bold; nest and join it with others."""
    return _styled(fragments, "bold")


def italic(*fragments: str | Fragment) -> Text:
    """The fragments as one text, all of it italic; nest and join it with others."""
    return _styled(fragments, "italic")


def strikethrough(*fragments: str | Fragment) -> Text:
    """The fragments as one text, all of it struck through; nest and join it with others."""
    return _styled(fragments, "strikethrough")


def underline(*fragments: str | Fragment) -> Text:
    """The fragments as one text, all of it underlined; nest and join it with others."""
    return _styled(fragments, "underline")


def animated(text: str | Fragment, animation: Animation) -> Text:
    """The text, moving as one of Linq's 8 animations. Raises `ReplyError` when some of it is decorated already."""
    inside = joined(text)
    moving = Decoration(0, utf16_length(inside.value), animation=animation)
    return _with(inside, (*inside.decorations, moving))


def _styled(fragments: tuple[str | Fragment, ...], style: Style) -> Text:
    """A style within the same style adds nothing, and Linq counts decorations."""
    inside = joined(*fragments)
    kept = (one for one in inside.decorations if one.style != style)
    return _with(inside, (*kept, Decoration(0, utf16_length(inside.value), style=style)))


def _with(text: Text, decorations: tuple[Decoration, ...]) -> Text:
    return Text(text.value, decorations, stickers=text.stickers, mention=text.mention)


def _moved(span: _S, units: int) -> _S:
    return replace(span, start=span.start + units, end=span.end + units)


def _in_order(spans: object, kind: type[_S], *, what: str) -> tuple[_S, ...]:
    if not isinstance(spans, Iterable):
        raise ReplyError(f"{what} of a text are a list, not of type {type(spans).__name__}")
    checked = (_of_kind(span, kind, what=what) for span in spans)
    return tuple(sorted(checked, key=lambda span: (span.start, span.end, repr(span))))


def _of_kind(span: object, kind: type[_S], *, what: str) -> _S:
    if not isinstance(span, kind):
        raise ReplyError(f"{what} of a text: {kind.__name__} is expected, not {type(span).__name__}")
    return span


def _check_edges(span: Span, offsets: Sequence[int], *, what: str) -> tuple[int, int]:
    start, end = index_at(offsets, span.start), index_at(offsets, span.end)
    if span.end > offsets[-1]:
        raise ReplyError(f"{what} covers {span.start} to {span.end}, and the text has {offsets[-1]} UTF-16 units")
    if start is None or end is None:
        raise ReplyError(f"{what} covers {span.start} to {span.end}, which begins or ends within a character")
    return start, end
