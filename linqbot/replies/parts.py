"""What a reply is made of: text, media and links, checked when they are built.

Limits are those of linq-api-v3.md section 6.1. A text of any length may be built: it is split when it is sent.
"""

from __future__ import annotations

from dataclasses import dataclass

from linqbot.errors import ReplyError
from linqbot.replies.addresses import check_address
from linqbot.replies.app import AppCard, AppClip
from linqbot.replies.markdown import Markdown
from linqbot.replies.media import Media
from linqbot.replies.text import Fragment, Text, text_of

LINK_LIMIT = 2048
"""The longest link Linq takes, in characters (linq-api-v3.md section 6.1)."""

LINK_SCHEMES = ("http", "https", "ftp")
PARTS = "str, Text, Markdown, Mention, InlineSticker, Media, Link, AppCard or AppClip"


@dataclass(frozen=True, slots=True, repr=False)
class Link:
    """A link with a preview, in a bubble of its own; where the service has no previews it is bare text."""

    value: str

    def __post_init__(self) -> None:
        check_address(self.value, what="a link", schemes=LINK_SCHEMES)
        if len(self.value) > LINK_LIMIT:
            raise ReplyError(
                f"a link has {len(self.value)} characters; Linq takes {LINK_LIMIT}, send a shorter address"
            )

    def __repr__(self) -> str:
        return f"Link({len(self.value)} characters)"


Part = Text | Markdown | Media | Link | AppCard | AppClip
"""What a `Reply` holds; a plain `str` stands for a `Text`, and so do a mention and a sticker."""


def part_of(value: object) -> Part:
    """A part as it is, a `str`, mention or sticker as a `Text`. Raises `ReplyError` for anything else."""
    if isinstance(value, str | Fragment):
        return text_of(value)
    if isinstance(value, Markdown | Media | Link | AppCard | AppClip):
        return value
    raise ReplyError(f"a part of a reply is {_kind(value)}; parts are {PARTS}")


def _kind(value: object) -> str:
    return f"of type {type(value).__name__}"


__all__ = ["LINK_LIMIT", "LINK_SCHEMES", "PARTS", "AppCard", "AppClip", "Link", "Media", "Part", "Text", "part_of"]
