"""Mentions and stickers that stand in the line with the words."""

from __future__ import annotations

from dataclasses import dataclass

from linqbot.errors import ReplyError
from linqbot.replies.addresses import check_address
from linqbot.replies.characters import utf16_length
from linqbot.replies.handles import check_handle
from linqbot.replies.spans import MentionSpan, StickerSpan
from linqbot.replies.target import UUID
from linqbot.replies.text import Fragment, Text

COVER_LIMIT = 10_000
"""A mention or a sticker is never cut, so it is no longer than a text (linq-api-v3.md section 6.1), in UTF-16 units."""


@dataclass(frozen=True, slots=True, repr=False)
class Mention(Fragment):
    """Somebody of the group, by phone number or email: iMessage highlights `text` (or the handle) and notifies them.

    Groups only: in a direct chat, and on SMS and RCS, it is its text. One to a text; Linq refuses who is not in the chat.
    """

    handle: str
    text: str | None = None

    def __post_init__(self) -> None:
        check_handle(self.handle, "the handle of a mention")
        if self.text is not None:
            _check_cover(self.text, what="the text of a mention")

    def as_text(self) -> Text:
        """The text that it is when it stands alone."""
        shown = self.handle if self.text is None else self.text
        return Text(shown, mention=MentionSpan(0, utf16_length(shown), self.handle))

    def __repr__(self) -> str:
        return "Mention()" if self.text is None else f"Mention({len(self.text)} characters)"


@dataclass(frozen=True, slots=True, repr=False)
class InlineSticker(Fragment):
    """A picture in the line with the words: `"Sip " + InlineSticker("🥤", attachment_id=…)`.

    `covers` are the characters that it hides on iMessage and that SMS, RCS and VoiceOver have instead. The image is one
    that Linq stores already: its upload's `attachment_id` or `url`. A text takes 100 stickers of 10 images.
    """

    covers: str
    url: str | None = None
    attachment_id: str | None = None

    def __post_init__(self) -> None:
        _check_cover(self.covers, what="what an inline sticker covers")
        if (self.url is None) == (self.attachment_id is None):
            raise ReplyError("InlineSticker takes either url= or attachment_id=, exactly one of them")
        if self.url is not None:
            check_address(self.url, what="the url of an inline sticker", schemes=("https",))
        elif not isinstance(self.attachment_id, str) or not UUID.fullmatch(self.attachment_id):
            raise ReplyError("attachment_id is none of Linq's: its ids are UUIDs; pass the id that the upload returned")

    def as_text(self) -> Text:
        """The text that it is when it stands alone."""
        span = StickerSpan(0, utf16_length(self.covers), self.url, self.attachment_id)
        return Text(self.covers, stickers=[span])

    def __repr__(self) -> str:
        return f"InlineSticker({'url' if self.url is not None else f'attachment_id={self.attachment_id!r}'})"


def _check_cover(cover: object, *, what: str) -> None:
    if not isinstance(cover, str) or not cover:
        raise ReplyError(f"{what} is a str that is not empty")
    if utf16_length(cover) > COVER_LIMIT:
        raise ReplyError(f"{what} has {utf16_length(cover)} UTF-16 units; at most {COVER_LIMIT}")
