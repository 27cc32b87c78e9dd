"""long text -> pieces that Linq takes. Cut where a reader would cut, never inside a character.

Linq takes 10,000 characters and does not say of which kind (linq-api-v3.md section 6.1), so they are counted as UTF-16
units, the largest count of all. Blanks around a cut fall away; everything else is kept, in order.
"""

from __future__ import annotations

import re
import unicodedata

TEXT_LIMIT = 10_000
"""The longest text part, in UTF-16 units."""

_PARAGRAPH = re.compile(r"\n[^\S\n]*\n")
_LINE = re.compile(r"\n")
_SENTENCE = re.compile(r"(?:(?<=[.!?\u2026])|(?<=[.!?\u2026][\"'\u2019\u201d)\]]))(?=\s)|(?<=[\u3002\uff01\uff1f])")
_BLANK = re.compile(r"\s")
_BLANKS = re.compile(r"\s*")
_JOINER = "\u200d"
_SKIN_TONES = range(0x1F3FB, 0x1F400)


def utf16_length(text: str) -> int:
    """How many UTF-16 units a text has."""
    return len(text) + sum(char > "\uffff" for char in text)


def split_text(text: str, limit: int = TEXT_LIMIT) -> tuple[str, ...]:
    """Pieces of at most `limit` UTF-16 units (at least 2), none empty: the text itself if it fits.

    A cut falls on the last paragraph, line or sentence end in the rear half of what fits, else between words, else
    between characters.
    """
    pieces: list[str] = []
    start = 0
    while start + (size := _fitting(text, start, limit)) < len(text):
        cut = start + _cut(text[start : start + size + 1], size)
        pieces.append(text[start:cut].rstrip())
        start = _after_blanks(text, cut)
    pieces.append(text[start:])
    return tuple(filter(None, pieces)) or (text[:limit],)


def _fitting(text: str, start: int, limit: int) -> int:
    """How many characters from `start` have at most `limit` units together."""
    window = text[start : start + limit]
    units = 0
    for index, char in enumerate(window):
        units += 2 if char > "\uffff" else 1
        if units > limit:
            return index
    return len(window)


def _after_blanks(text: str, place: int) -> int:
    blanks = _BLANKS.match(text, place)
    return blanks.end() if blanks else place


def _cut(window: str, size: int) -> int:
    """Where to cut a window that holds one character more than fits."""
    for boundary in (_PARAGRAPH, _LINE, _SENTENCE):
        if (place := _last(boundary, window, size // 2)) is not None:
            return place
    return _last(_BLANK, window, 1) or _between_characters(window, size)


def _last(boundary: re.Pattern[str], window: str, low: int) -> int | None:
    """Where the last boundary from `low` on begins: what comes before it, stays together."""
    places = [match.start() for match in boundary.finditer(window, max(low, 1)) if match.start() < len(window)]
    return places[-1] if places else None


def _between_characters(window: str, size: int) -> int:
    """The last place up to `size` that does not take an accent, a joined emoji or a skin tone from its character."""
    for place in range(size, max(size - 64, 0), -1):
        if not _belongs(window[place - 1], window[place]):
            return place
    return size


def _belongs(before: str, char: str) -> bool:
    is_mark = unicodedata.category(char).startswith("M")
    return is_mark or _JOINER in (before, char) or ord(char) in _SKIN_TONES
