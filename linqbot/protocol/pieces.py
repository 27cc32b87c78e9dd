"""Text -> Texts that Linq takes, each with its part of the formatting; and what a chat cannot show, left out.

A decoration that is longer than a piece goes on in the next one (linq-api-v3.md section 6.1 for the limits, section 9.3
for what which service shows).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from linqbot.protocol.splitting import TEXT_LIMIT, Whole, slices
from linqbot.replies import Decoration, Text
from linqbot.replies.characters import index_at, unit_offsets
from linqbot.replies.spans import DECORATION_LIMIT, MentionSpan, Span, StickerSpan

_LONE_SURROGATE = re.compile("[\ud800-\udfff]")
_S = TypeVar("_S", Decoration, StickerSpan, MentionSpan)


@dataclass(frozen=True, slots=True, kw_only=True)
class Showing:
    """What the recipients' phones can show of a text."""

    formatting: bool = True
    """Decorations and stickers: not on SMS and RCS."""
    mentions: bool = True
    """Mentions: in groups only."""


def shown(text: Text, showing: Showing) -> Text:
    """The text with what can be shown; every word of it stays."""
    if showing.formatting and (showing.mentions or text.mention is None):
        return text
    return Text(
        text.value,
        text.decorations if showing.formatting else (),
        stickers=text.stickers if showing.formatting else (),
        mention=text.mention if showing.mentions else None,
    )


def pieces_of(
    value: str,
    decorations: Sequence[Decoration] = (),
    *,
    stickers: Sequence[StickerSpan] = (),
    mention: MentionSpan | None = None,
    limit: int = TEXT_LIMIT,
) -> Iterator[Text]:
    """Words of any length, with any number of decorations, as texts that Linq takes, in order; at least one."""
    value = whole_characters(value)
    # Nearly every text fits, however it is counted.
    if 2 * len(value) <= limit and len(decorations) <= DECORATION_LIMIT:
        yield Text(value, decorations, stickers=stickers, mention=mention)
        return
    offsets = unit_offsets(value)
    mentions = [mention] if mention else []
    whole = Whole(always=_ranges([*stickers, *mentions], offsets), rather=_ranges(decorations, offsets))
    for start, end in slices(value, limit, whole):
        low, high = offsets[start], offsets[end]
        yield Text(
            value[start:end],
            _within(decorations, low, high),
            stickers=_within(stickers, low, high),
            mention=next(iter(_within(mentions, low, high)), None),
        )


def parted_at(text: Text, place: int) -> tuple[Text, ...]:
    """The text in two at a code point, each with its part of the formatting, without the blanks before the place; as it is
    when nothing else is before it.
    """
    end = len(text.value[:place].rstrip())
    offsets = unit_offsets(text.value)
    ranges = ((0, end), (place, len(text.value))) if end else ((0, len(text.value)),)
    return tuple(_slice(text, offsets, start, stop) for start, stop in ranges)


def whole_characters(text: str) -> str:
    """The text with each half of a character, which is no Unicode, replaced; its length stays."""
    return text if text.isascii() else _LONE_SURROGATE.sub("\ufffd", text)


def _slice(text: Text, offsets: Sequence[int], start: int, end: int) -> Text:
    low, high = offsets[start], offsets[end]
    return Text(
        text.value[start:end],
        _within(text.decorations, low, high),
        stickers=_within(text.stickers, low, high),
        mention=next(iter(_within([text.mention] if text.mention else [], low, high)), None),
    )


def _ranges(spans: Sequence[Span], offsets: Sequence[int]) -> tuple[tuple[int, int], ...]:
    edges = ((index_at(offsets, span.start), index_at(offsets, span.end)) for span in spans)
    return tuple((start, end) for start, end in edges if start is not None and end is not None)


def _within(spans: Sequence[_S], low: int, high: int) -> list[_S]:
    return [
        replace(span, start=max(span.start - low, 0), end=min(span.end, high) - low)
        for span in spans
        if span.start < high and span.end > low
    ]
