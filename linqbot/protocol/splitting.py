"""long text -> pieces that Linq takes. Cut where a reader would cut, never inside a character.

Linq takes 10,000 characters and does not say of which kind (linq-api-v3.md section 6.1), so they are counted as UTF-16
units, the largest count of all. Blanks around a cut fall away; everything else is kept, in order.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from linqbot.replies.characters import joins, unit_offsets
from linqbot.replies.spans import DECORATION_LIMIT

TEXT_LIMIT = 10_000
"""The longest text part, in UTF-16 units."""

_PARAGRAPH = re.compile(r"\n[^\S\n]*\n")
_LINE = re.compile(r"\n")
_SENTENCE = re.compile(r"(?:(?<=[.!?\u2026])|(?<=[.!?\u2026][\"'\u2019\u201d)\]]))(?=\s)|(?<=[\u3002\uff01\uff1f])")
_BLANK = re.compile(r"\s")
_URL = re.compile(r"(?:https?|ftp)://[^\s<>\"]+|\bwww\.[^\s<>\"]+", re.IGNORECASE)

Range = tuple[int, int]
"""Code points of a text, from the first up to the second."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Whole:
    """What a cut leaves whole, in code points: `always`, and `rather` where there is another place to cut."""

    always: tuple[Range, ...] = ()
    """Stickers and mentions: blanks at a cut that they cover stay, too."""
    rather: tuple[Range, ...] = ()
    """Decorations; they are cut before an address is."""
    most: int = DECORATION_LIMIT
    """How many of `rather` one piece may hold."""


def split_text(text: str, limit: int = TEXT_LIMIT) -> tuple[str, ...]:
    """Pieces of at most `limit` UTF-16 units (at least 2), none empty: the text itself if it fits.

    A cut falls on the last paragraph, line or sentence end in the rear half of what fits, else between words, else
    between characters; inside an address only when that is longer than a piece.
    """
    return tuple(text[start:end] for start, end in slices(text, limit))


def slices(text: str, limit: int = TEXT_LIMIT, whole: Whole | None = None) -> Iterator[Range]:
    """Where the pieces of a text begin and end, in code points; at least one, none empty."""
    whole = whole or Whole()
    offsets = unit_offsets(text)
    kinds = [_Spared(spans, offsets, limit) for spans in (whole.always, _addresses(text), whole.rather)]
    start, anything = 0, False
    while start < len(text):
        fitting = bisect_right(offsets, offsets[start] + limit) - 1
        size = min(fitting, kinds[-1].place_of(whole.most, start)) - start
        if start + size == len(text):
            yield start, len(text)
            return
        cut = start + _cut(text[start : start + size + 1], size, [kind.inside(start, size) for kind in kinds])
        end = max(kinds[0].last_end(cut), start + len(text[start:cut].rstrip()))
        start, piece = min(_after_blanks(text, cut), kinds[0].next_start(cut)), (start, end)
        if piece[0] < end:
            anything = True
            yield piece
    if not anything:
        yield 0, bisect_right(offsets, limit) - 1


class _Spared:
    """Ranges of one kind, for the windows of a text from left to right."""

    def __init__(self, spans: Sequence[Range], offsets: Sequence[int], limit: int) -> None:
        self._all = sorted(spans)
        self._starts = [start for start, _ in self._all]
        self._fits = [offsets[end] - offsets[start] <= limit for start, end in self._all]
        self._length = len(offsets) - 1
        self._first = 0

    def inside(self, start: int, size: int) -> bytearray:
        """For each place of a window 1 where a cut would fall inside a range that could be whole elsewhere."""
        shut = bytearray(size + 1)
        for index in range(self._ahead(start), bisect_right(self._starts, start + size)):
            begin, end = self._all[index]
            if self._fits[index] and end > start:
                low, high = max(begin - start + 1, 0), min(end - start, size + 1)
                shut[low:high] = b"\1" * (high - low)
        return shut

    def place_of(self, most: int, start: int) -> int:
        """Where the range begins that is one too many for a piece from `start`; the end of the text if none is."""
        seen = 0
        for begin, end in islice(self._all, self._ahead(start), None):
            seen += end > start
            if seen > most and begin > start:
                return begin
        return self._length

    def _ahead(self, start: int) -> int:
        """The first range that a window from `start` on can meet; windows only move on."""
        while self._first < len(self._all) and self._all[self._first][1] <= start:
            self._first += 1
        return self._first

    def last_end(self, place: int) -> int:
        """The end of the last range that ends by a place; 0 if none does."""
        return max((end for _, end in self._all if end <= place), default=0)

    def next_start(self, place: int) -> int:
        """The start of the first range that starts from a place on; the end of the text if none does."""
        return min((start for start, _ in self._all if start >= place), default=self._length)


def _addresses(text: str) -> tuple[Range, ...]:
    return tuple(match.span() for match in _URL.finditer(text))


def _cut(window: str, size: int, kinds: list[bytearray]) -> int:
    """Where to cut a window that holds one character more than fits, sparing as many kinds of ranges as can be."""
    for spared in range(len(kinds), -1, -1):
        shut = bytes(map(any, zip(bytes(size + 1), *kinds[:spared], strict=True)))
        if (place := _best(window, size, shut)) is not None:
            return place
    return size


def _best(window: str, size: int, shut: bytes) -> int | None:
    for boundary in (_PARAGRAPH, _LINE, _SENTENCE):
        if (place := _last(boundary, window, size // 2, shut)) is not None:
            return place
    if (place := _last(_BLANK, window, 1, shut)) is not None:
        return place
    return _free(range(size, 0, -1), window, shut)


def _last(boundary: re.Pattern[str], window: str, low: int, shut: bytes) -> int | None:
    """Where the last boundary from `low` on begins: what comes before it, stays together."""
    places = [match.start() for match in boundary.finditer(window, max(low, 1)) if match.start() < len(window)]
    return _free(reversed(places), window, shut)


def _free(places: Iterable[int], window: str, shut: bytes) -> int | None:
    """The first place that is in no spared range, and takes no accent, joined emoji or skin tone from its character."""
    return next((place for place in places if not shut[place] and not joins(window, place)), None)


def _after_blanks(text: str, place: int) -> int:
    """A blank that carries an accent is no blank."""
    end = place
    while end < len(text) and text[end].isspace() and not joins(text, end + 1):
        end += 1
    return end
