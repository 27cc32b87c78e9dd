"""What is behind the bubbles of a chat (linq-api-v3.md section 7.7)."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Literal, get_args

from linqbot.errors import ReplyError
from linqbot.replies.action import Action
from linqbot.replies.addresses import check_address

Color = Literal[
    "mango",
    "ice",
    "plum",
    "deep_sea",
    "green_apple",
    "cherry",
    "bubblegum",
    "tangerine",
    "magenta",
    "lime",
    "silver",
    "carbon",
    "stone",
]
Sky = Literal["dusk", "haze", "sunset", "clear", "sunrise", "dawn"]
Water = Literal["light", "dark"]
Aurora = Literal["green", "purple", "pink"]

VARIANTS: dict[str, tuple[str, ...]] = {
    "color": get_args(Color),
    "sky": get_args(Sky),
    "water": get_args(Water),
    "aurora": get_args(Aurora),
}

_SHADE = re.compile(r"#[0-9A-Fa-f]{6}", re.ASCII)


@dataclass(frozen=True, slots=True)
class SetBackground(Action):
    """Set the chat's background on iMessage, to exactly one of: a `color` by name, two `shades` (`"#F2C4E1"`, top and
    bottom), a moving `sky`, `water` or `aurora`, or a `photo` by public HTTPS address.

    `chat.background_updated` tells when it is done. Raises `ReplyError`.
    """

    color: Color | None = None
    shades: tuple[str, str] | None = field(default=None, kw_only=True)
    sky: Sky | None = field(default=None, kw_only=True)
    water: Water | None = field(default=None, kw_only=True)
    aurora: Aurora | None = field(default=None, kw_only=True)
    photo: str | None = field(default=None, kw_only=True, repr=False)

    def __post_init__(self) -> None:
        names = ("color", "shades", "sky", "water", "aurora", "photo")
        given = [name for name in names if getattr(self, name) is not None]
        if len(given) != 1:
            got = " and ".join(f"{name}=" for name in given) or "none"
            raise ReplyError(f"SetBackground takes exactly one of {'=, '.join(names)}=, and got {got}")
        (name,) = given
        if name == "photo":
            check_address(self.photo, what="the photo of SetBackground", schemes=("https",))
        elif name == "shades":
            object.__setattr__(self, "shades", _shades(self.shades))
        elif getattr(self, name) not in VARIANTS[name]:
            raise ReplyError(
                f"{name} of SetBackground is none that Linq has; choose one of {', '.join(VARIANTS[name])}"
            )


@dataclass(frozen=True, slots=True)
class ClearBackground(Action):
    """Take the chat's background away."""


def _shades(shades: object) -> tuple[str, ...]:
    if isinstance(shades, list | tuple) and len(shades) == 2 and all(map(_is_shade, shades)):
        return tuple(shades)
    raise ReplyError("shades of SetBackground are two colors in hex, top and bottom, such as #F2C4E1 and #F5A623")


def _is_shade(shade: object) -> bool:
    return isinstance(shade, str) and _SHADE.fullmatch(shade) is not None
