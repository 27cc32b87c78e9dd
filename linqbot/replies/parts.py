"""What a reply is made of: text, media and links, checked when they are built.

Limits are those of linq-api-v3.md section 6.1. A text of any length may be built: it is split when it is sent.
"""

from __future__ import annotations

from dataclasses import dataclass

from linqbot.errors import ReplyError
from linqbot.replies.addresses import check_address
from linqbot.replies.markdown import Markdown
from linqbot.replies.text import Fragment, Text, text_of

LINK_LIMIT = 2048
"""The longest link Linq takes, in characters (linq-api-v3.md section 6.1)."""

LINK_SCHEMES = ("http", "https", "ftp")
PARTS = "str, Text, Markdown, Mention, InlineSticker, Media or Link"


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Media:
    """A picture, video, audio or document: a public HTTPS `url`, or the id of a file uploaded to Linq, never both."""

    url: str | None = None
    attachment_id: str | None = None

    def __post_init__(self) -> None:
        if self.url is not None and self.attachment_id is not None:
            raise ReplyError("Media takes either url= or attachment_id=, and got both; leave one out")
        if self.url is None and self.attachment_id is None:
            raise ReplyError("Media needs url= or attachment_id=, and got neither")
        if self.url is not None:
            check_address(self.url, what="a media url", schemes=("https",))
        elif not isinstance(self.attachment_id, str) or not self.attachment_id:
            raise ReplyError("attachment_id is the id that Linq gave the upload, a str that is not empty")

    def __repr__(self) -> str:
        return "Media(url)" if self.url is not None else f"Media(attachment_id={self.attachment_id!r})"


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


Part = Text | Markdown | Media | Link
"""What a `Reply` holds; a plain `str` stands for a `Text`, and so do a mention and a sticker."""


def part_of(value: object) -> Part:
    """A part as it is, a `str`, mention or sticker as a `Text`. Raises `ReplyError` for anything else."""
    if isinstance(value, str | Fragment):
        return text_of(value)
    if isinstance(value, Markdown | Media | Link):
        return value
    raise ReplyError(f"a part of a reply is {_kind(value)}; parts are {PARTS}")


def _kind(value: object) -> str:
    return f"of type {type(value).__name__}"
