"""text -> its UTF-16 units, in which Linq counts, and its characters as a reader sees them.

Python counts code points: an emoji is one of them and two units, and several of each may be one character to a reader.
"""

from __future__ import annotations

import unicodedata
from bisect import bisect_left
from collections.abc import Sequence
from itertools import accumulate

_JOINER = "\u200d"
_SKIN_TONES = range(0x1F3FB, 0x1F400)
_TAGS = range(0xE0020, 0xE0080)
_FLAG_LETTERS = range(0x1F1E6, 0x1F200)
_HANGUL = (range(0x1100, 0x1200), range(0xAC00, 0xD7FC))
_HANGUL_TAILS = (range(0x1160, 0x1200), range(0xD7B0, 0xD7FC))


def utf16_length(text: str) -> int:
    """How many UTF-16 units a text has."""
    return len(text) if text.isascii() else len(text) + sum(char > "\uffff" for char in text)


def unit_offsets(text: str) -> Sequence[int]:
    """The unit at which each code point begins, and the length of the whole."""
    if text.isascii():
        return range(len(text) + 1)
    return list(accumulate((2 if char > "\uffff" else 1 for char in text), initial=0))


def index_at(offsets: Sequence[int], unit: int) -> int | None:
    """The code point that begins at a unit; None: none does, it is half of a pair or outside."""
    index = bisect_left(offsets, unit)
    return index if index < len(offsets) and offsets[index] == unit else None


def joins(text: str, place: int) -> bool:
    """Whether the code points before and after a place are one character to a reader.

    An approximation of Unicode's extended grapheme clusters (UAX #29) with what Python knows: accents, joined emoji, skin
    tones, flags, Hangul and line ends; it joins a little more than the standard around joiners.
    """
    if not 0 < place < len(text):
        return False
    before, char = text[place - 1], text[place]
    if char.isascii() and before != _JOINER:
        return (before, char) == ("\r", "\n")
    if char.isspace() or before in "\r\n":
        return False
    point = ord(char)
    if _JOINER in (before, char) or point in _SKIN_TONES or point in _TAGS or unicodedata.category(char)[0] == "M":
        return True
    if point in _FLAG_LETTERS:
        return _flag_letters_before(text, place) % 2 == 1
    return any(point in tails for tails in _HANGUL_TAILS) and any(ord(before) in letters for letters in _HANGUL)


def _flag_letters_before(text: str, place: int) -> int:
    start = place
    while start and ord(text[start - 1]) in _FLAG_LETTERS:
        start -= 1
    return place - start
