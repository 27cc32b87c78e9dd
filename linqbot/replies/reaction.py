"""Tapbacks, emojis and stickers on a message (linq-api-v3.md section 7.5)."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, field
from typing import Literal, get_args

from linqbot.errors import ReplyError
from linqbot.replies.action import Aimed
from linqbot.replies.characters import joins
from linqbot.replies.media import Media
from linqbot.replies.target import read_index
from linqbot.replies.words import near

Tapback = Literal["love", "like", "dislike", "laugh", "emphasize", "question"]
"""The reactions that iMessage has signs for."""

TAPBACKS: tuple[str, ...] = get_args(Tapback)

_LONGEST_EMOJI = 32
_LETTER_SIGN = "\u2139"  # the information sign: a letter to Unicode, an emoji to people
_MAKERS = ("\ufe0f", "\u20e3")
"""What makes an emoji of a sign, a digit or a letter: the emoji variant, and the keycap around it."""


@dataclass(frozen=True, slots=True)
class Sticker:
    """A sticker to put on a message with `React`: an emoji, or an image as `Media` by `path`, `data` or `attachment_id`.

    `x` and `y` are where on the bubble, from -1 (left, top) to 1; `scale` is 0.05 to 2.5, `rotation` in degrees clockwise.
    It stays: Linq takes no sticker away again. Raises `ReplyError`.
    """

    image: str | Media
    x: float | None = field(default=None, kw_only=True)
    y: float | None = field(default=None, kw_only=True)
    scale: float | None = field(default=None, kw_only=True)
    rotation: float | None = field(default=None, kw_only=True)

    def __post_init__(self) -> None:
        if isinstance(self.image, Media):
            _check_image(self.image)
        elif not _is_emoji(self.image):
            raise ReplyError(
                "Sticker takes one emoji, or an image as Media(path=), Media(data=) or Media(attachment_id=)"
            )
        for name, low, high in (("x", -1.0, 1.0), ("y", -1.0, 1.0), ("scale", 0.05, 2.5), ("rotation", -360.0, 360.0)):
            _check_number(getattr(self, name), what=f"{name} of Sticker", low=low, high=high)


@dataclass(frozen=True, slots=True)
class React(Aimed):
    """React to a message: a tapback (`"love"`), an emoji, or a `Sticker`; a second tapback of yours replaces the first.

    It goes on the message that is answered, on the part whose text matched; `to` and `part` name another, `ref` one of
    yours. On iMessage and RCS. A sticker is never repeated when its fate is unknown, for it would stick twice. Raises
    `ReplyError` when it is no reaction.
    """

    reaction: str | Sticker
    part: int | None = field(default=None, kw_only=True)

    def __post_init__(self) -> None:
        Aimed.__post_init__(self)
        if not isinstance(self.reaction, Sticker):
            _check_reaction(self.reaction, "React", also=", one emoji, or a Sticker")
        _check_part(self.part, "React")


@dataclass(frozen=True, slots=True)
class Unreact(Aimed):
    """Take a tapback or an emoji of yours away again; nothing happens when it is not there. Arguments as for `React`."""

    reaction: str
    part: int | None = field(default=None, kw_only=True)

    def __post_init__(self) -> None:
        Aimed.__post_init__(self)
        given: object = self.reaction
        if isinstance(given, Sticker):
            raise ReplyError("Unreact takes no Sticker: Linq cannot take one away again")
        _check_reaction(self.reaction, "Unreact", also=", or one emoji")
        _check_part(self.part, "Unreact")


def _check_reaction(reaction: object, name: str, *, also: str) -> None:
    if isinstance(reaction, str) and (reaction in TAPBACKS or _is_emoji(reaction)):
        return
    raise ReplyError(f"{name} takes no such reaction{near(reaction, TAPBACKS)}; use one of {', '.join(TAPBACKS)}{also}")


def _check_part(part: object, name: str) -> None:
    if part is not None:
        read_index(part, what=f"part= of {name}")


def _check_image(image: Media) -> None:
    if image.url is not None:
        raise ReplyError(
            "a Sticker must be stored at Linq: give its image by path=, data= or attachment_id=, not by url="
        )
    if image.upload is not None and not image.upload.content_type.startswith("image/"):
        raise ReplyError("a Sticker is an image: jpg, jpeg, png, gif, heic, heif, tif, tiff or bmp")


def _check_number(number: object, *, what: str, low: float, high: float) -> None:
    if number is None:
        return
    if not isinstance(number, int | float) or isinstance(number, bool) or not low <= number <= high:
        raise ReplyError(f"{what} is a number from {low:g} to {high:g}")


def _is_emoji(text: object) -> bool:
    """Whether it looks like a single one: Linq says no more than "emoji"."""
    if not isinstance(text, str) or not 0 < len(text) <= _LONGEST_EMOJI:
        return False
    if not all(joins(text, place) for place in range(1, len(text))):
        return False
    kinds = [unicodedata.category(char) for char in text if char != _LETTER_SIGN]
    is_sign = any(kind in ("So", "Sm") for kind in kinds) or any(maker in text for maker in _MAKERS)
    return is_sign and not text.isascii() and not any(kind[0] in "LZ" or kind in ("Cc", "Cs") for kind in kinds)
