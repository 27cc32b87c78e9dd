"""Places in a text, and what is shown there: a style or animation, a sticker, a mention.

Ranges are `[start, end)` in UTF-16 units, as on the wire (linq-api-v3.md section 6.1).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Literal, get_args

from linqbot.errors import ReplyError
from linqbot.replies.words import check_word

Style = Literal["bold", "italic", "strikethrough", "underline"]
Animation = Literal["big", "small", "shake", "nod", "explode", "ripple", "bloom", "jitter"]

STYLES: tuple[str, ...] = get_args(Style)
ANIMATIONS: tuple[str, ...] = get_args(Animation)
DECORATION_LIMIT = 100
"""How many decorations Linq takes in one text."""
STICKER_LIMIT = 100
STICKER_IMAGE_LIMIT = 10


@dataclass(frozen=True, slots=True)
class Decoration:
    """A style or an animation, exactly one, on the UTF-16 units from `start` up to `end`. Shown by iMessage only.

    Raises `ReplyError` for an empty range and for a word that Linq does not have.
    """

    start: int
    end: int
    style: Style | None = None
    animation: Animation | None = None

    def __post_init__(self) -> None:
        check_range(self.start, self.end, what="a decoration")
        if (self.style is None) == (self.animation is None):
            raise ReplyError("a decoration has either style= or animation=, exactly one of them")
        if self.style is not None:
            check_word(self.style, what="style", allowed=STYLES)
        else:
            check_word(self.animation, what="animation", allowed=ANIMATIONS)


@dataclass(frozen=True, slots=True)
class StickerSpan:
    """An image in place of some characters."""

    start: int
    end: int
    url: str | None = field(default=None, repr=False)
    attachment_id: str | None = None


@dataclass(frozen=True, slots=True)
class MentionSpan:
    """Somebody of the group, highlighted."""

    start: int
    end: int
    handle: str = field(repr=False)


Span = Decoration | StickerSpan | MentionSpan


def check_range(start: object, end: object, *, what: str) -> None:
    """Raises `ReplyError` unless a range has two whole numbers, from 0 on, and something between them."""
    if not all(isinstance(edge, int) and not isinstance(edge, bool) for edge in (start, end)):
        raise ReplyError(f"the range of {what} is two whole numbers, in UTF-16 units")
    assert isinstance(start, int)
    assert isinstance(end, int)
    if not 0 <= start < end:
        raise ReplyError(f"the range of {what} is {start} to {end}; it starts at 0 or later and ends after its start")


def check_decorations(decorations: tuple[Decoration, ...]) -> None:
    """Raises `ReplyError` for more decorations than Linq takes, or an animation that overlaps anything."""
    if len(decorations) > DECORATION_LIMIT:
        raise ReplyError(
            f"a text has {len(decorations)} decorations; Linq takes {DECORATION_LIMIT}, decorate less of it"
        )
    style_end = animation_end = 0
    for one in sorted(decorations, key=lambda one: (one.start, one.end)):
        if one.start < animation_end or (one.animation is not None and one.start < style_end):
            raise ReplyError(
                f"the decoration from {one.start} to {one.end} overlaps another, and one of them is an animation; "
                "an animation stands alone, styles may overlap"
            )
        if one.animation is None:
            style_end = max(style_end, one.end)
        else:
            animation_end = one.end


def check_stickers(stickers: tuple[StickerSpan, ...], decorations: tuple[Decoration, ...]) -> None:
    """Raises `ReplyError` for more stickers or images than Linq takes, or one that overlaps anything."""
    if len(stickers) > STICKER_LIMIT:
        raise ReplyError(f"a text has {len(stickers)} stickers; Linq takes {STICKER_LIMIT}")
    images = len({(one.url, one.attachment_id) for one in stickers})
    if images > STICKER_IMAGE_LIMIT:
        raise ReplyError(f"a text has {images} different sticker images; Linq takes {STICKER_IMAGE_LIMIT}")
    if _overlap(stickers):
        raise ReplyError("two stickers overlap; give each its own characters")
    if any(one.start < other.end and other.start < one.end for one in stickers for other in decorations):
        raise ReplyError("a decoration covers a sticker; decorate the words around it")


def _overlap(spans: Iterable[StickerSpan]) -> bool:
    ordered = sorted((one.start, one.end) for one in spans)
    return any(second[0] < first[1] for first, second in pairwise(ordered))
