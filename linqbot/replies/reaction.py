"""Tapbacks and emojis on a message (linq-api-v3.md section 7.5)."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Literal, get_args

from linqbot.errors import ReplyError
from linqbot.replies.action import Aimed
from linqbot.replies.target import read_index

Tapback = Literal["love", "like", "dislike", "laugh", "emphasize", "question"]
"""The reactions that iMessage has signs for."""

TAPBACKS: tuple[str, ...] = get_args(Tapback)

_LONGEST_EMOJI = 32
_LETTER_SIGN = "\u2139"  # the information sign: a letter to Unicode, an emoji to people
_MAKERS = ("\ufe0f", "\u20e3")
"""What makes an emoji of a sign, a digit or a letter: the emoji variant, and the keycap around it."""


@dataclass(frozen=True, slots=True)
class _Reacting(Aimed):
    reaction: str
    part: int | None = field(default=None, kw_only=True)

    def __post_init__(self) -> None:
        Aimed.__post_init__(self)
        name = type(self).__name__
        _check_reaction(self.reaction, name)
        if self.part is not None:
            read_index(self.part, what=f"part= of {name}")


@dataclass(frozen=True, slots=True)
class React(_Reacting):
    """React to a message: a tapback (`"love"`) or an emoji; a second one of yours on the same part replaces the first.

    It goes on the message that is answered, on the part whose text matched; `to` and `part` name another, `ref` one of
    yours. On iMessage and RCS. Raises `ReplyError` when it is no reaction.
    """


@dataclass(frozen=True, slots=True)
class Unreact(_Reacting):
    """Take a reaction of yours away again; nothing happens when it is not there. Arguments as for `React`."""


def _check_reaction(reaction: object, name: str) -> None:
    if isinstance(reaction, str) and (reaction in TAPBACKS or _is_emoji(reaction)):
        return
    close = get_close_matches(reaction, TAPBACKS, n=1) if isinstance(reaction, str) else []
    hint = f", did you mean {close[0]!r}?" if close else f": it is of type {type(reaction).__name__}"
    raise ReplyError(f"{name} takes no such reaction{hint}; use one of {', '.join(TAPBACKS)}, or one emoji")


def _is_emoji(text: str) -> bool:
    """Whether it looks like one: Linq says no more than "emoji"."""
    if not 0 < len(text) <= _LONGEST_EMOJI:
        return False
    kinds = [unicodedata.category(char) for char in text if char != _LETTER_SIGN]
    is_sign = any(kind in ("So", "Sm") for kind in kinds) or any(maker in text for maker in _MAKERS)
    return is_sign and not text.isascii() and not any(kind[0] in "LZ" or kind in ("Cc", "Cs") for kind in kinds)
