"""What iMessage shows around a message (linq-api-v3.md section 6.2); other services leave it away."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal, get_args

from linqbot.errors import ReplyError
from linqbot.replies.words import check_word

ScreenEffect = Literal[
    "confetti",
    "fireworks",
    "lasers",
    "sparkles",
    "celebration",
    "hearts",
    "love",
    "balloons",
    "happy_birthday",
    "echo",
    "spotlight",
]
BubbleEffect = Literal["slam", "loud", "gentle", "invisible"]
EffectName = ScreenEffect | BubbleEffect
"""The effects that Linq documents."""
EffectType = Literal["screen", "bubble"]

SCREEN_EFFECTS: tuple[str, ...] = get_args(ScreenEffect)
BUBBLE_EFFECTS: tuple[str, ...] = get_args(BubbleEffect)
EFFECTS: Mapping[str, EffectType] = MappingProxyType(
    {**dict.fromkeys(SCREEN_EFFECTS, "screen"), **dict.fromkeys(BUBBLE_EFFECTS, "bubble")}
)
"""Each effect and its kind: all of the screen, or the bubble alone."""

_NAME = re.compile(r"[a-z][a-z0-9_]{0,63}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Effect:
    """An effect with its kind, for one that is newer than this linqbot: `Effect("aurora", "screen")`.

    Raises `ReplyError` for a name that is no word in lower case, and for a kind that contradicts a known effect.
    """

    name: str
    type: EffectType

    def __post_init__(self) -> None:
        name: object = self.name
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            raise ReplyError("the name of an Effect is a word in lower case, such as happy_birthday")
        if self.type not in get_args(EffectType):
            raise ReplyError("the type of an Effect is one of screen, bubble")
        if EFFECTS.get(self.name, self.type) != self.type:
            raise ReplyError(f"the effect {self.name} is one of type {EFFECTS[self.name]}, not {self.type}")


def check_effect(effect: object) -> None:
    """Raises `ReplyError` for what is neither an `Effect` nor the name of one."""
    if effect is not None and not isinstance(effect, Effect):
        check_word(effect, what="effect", allowed=EFFECTS)


def effect_of(effect: EffectName | Effect) -> Effect:
    """An effect with its kind."""
    return effect if isinstance(effect, Effect) else Effect(effect, EFFECTS[effect])
