"""foreign JSON -> Part. What a message is made of (linq-api-v3.md sections 5 and 6.1)."""

from __future__ import annotations

from os import PathLike
from typing import Annotated, Any, Literal, get_args

from pydantic import Field

from linqbot.events.chat import Handle
from linqbot.events.fetching import MOST_BYTES, fetcher_for
from linqbot.events.wire import Flag, Index, Maybe, Or, Some, Word, Words


class Effect(Words):
    """How a message appears, on iMessage."""

    shown = ("type", "name")

    type: Word = ""
    """`screen` or `bubble`; others may come."""
    name: Word = ""


class MessageRef(Words):
    """Points at a part of a message: what a reply answers, what a reaction sits on."""

    shown = ("message_id", "part_index")

    message_id: Maybe[str] = None
    """None: Linq did not say which."""
    part_index: Index = 0


class Sticker(Words):
    """The image of a sticker; its URL is short-lived."""

    file_name: Maybe[str] = None
    mime_type: Maybe[str] = None
    url: Maybe[str] = None
    width: Maybe[int] = None
    height: Maybe[int] = None


class PartReaction(Words):
    """A reaction as it sits on a part; webhooks leave these out of their parts."""

    shown = ("id", "type", "is_me")

    id: Maybe[str] = None
    type: Word = ""
    """`love like dislike laugh emphasize question custom sticker`; others may come."""
    is_me: Flag = False
    handle: Maybe[Handle] = None
    custom_emoji: Maybe[str] = None
    sticker: Maybe[Sticker] = None


class Decoration(Words):
    """Style or animation of a range of a text; `range` is `[start, end)` in UTF-16 code units."""

    shown = ("range", "style", "animation")

    range: Maybe[tuple[int, int]] = None
    style: Maybe[str] = None
    animation: Maybe[str] = None


class Mention(Words):
    """Somebody named in a text; `range` is `[start, end)` in UTF-16 code units."""

    shown = ("range", "is_me")

    handle: Word = ""
    is_me: Flag = False
    range: Maybe[tuple[int, int]] = None


class InlineSticker(Words):
    """An image in a text, in place of the characters of `range`."""

    range: Maybe[tuple[int, int]] = None
    id: Maybe[str] = None
    file_name: Maybe[str] = None
    mime_type: Maybe[str] = None
    url: Maybe[str] = None


class TextPart(Words):
    """Words."""

    shown = ("type",)

    type: Literal["text"] = "text"
    value: str
    text_decorations: Some[Decoration] = ()
    mentions: Some[Mention] = ()
    inline_stickers: Some[InlineSticker] = ()
    reactions: Some[PartReaction] = ()


class MediaPart(Words):
    """A file: picture, film, sound, document. Its URL is short-lived: fetch it soon (linq-api-v3.md section 5)."""

    shown = ("type", "id", "mime_type", "size_bytes")

    type: Literal["media"] = "media"
    id: Maybe[str] = None
    filename: Maybe[str] = None
    mime_type: Maybe[str] = None
    size_bytes: Maybe[int] = None
    url: Maybe[str] = None
    reactions: Some[PartReaction] = ()

    async def download(self, *, most_bytes: int = MOST_BYTES) -> bytes:
        """The file's bytes, fetched from Linq's file host within 60 seconds; an address that is too old is renewed.

        Raises `ForeignHost`, `FileTooLarge`, `FileGone`, `FileTimeout`, another `FileError`, or what `bot.client` raises.
        """
        return await fetcher_for(self).fetch(self, most_bytes=most_bytes)

    async def download_to(self, path: str | PathLike[str], *, most_bytes: int = MOST_BYTES) -> int:
        """Write the file to a path, in bounded memory, and return its size; the path is there when the file is whole.

        A file that is there already is replaced. Raises as `download` does, and `OSError` as the disk does.
        """
        return await fetcher_for(self).save(self, path, most_bytes=most_bytes)


class LinkPart(Words):
    """A link, shown with a preview."""

    shown = ("type",)

    type: Literal["link"] = "link"
    value: str
    reactions: Some[PartReaction] = ()


class AppPart(Words):
    """A card of an iMessage app; `app` and `layout` are kept as Linq sends them."""

    shown = ("type",)

    type: Literal["imessage_app"] = "imessage_app"
    app: Maybe[dict[str, Any]] = None
    layout: Maybe[dict[str, Any]] = None
    url: Maybe[str] = None
    fallback_text: Maybe[str] = None
    reactions: Some[PartReaction] = ()


class AppClipPart(Words):
    """An App Clip."""

    shown = ("type",)

    type: Literal["app_clip"] = "app_clip"
    value: Maybe[str] = None
    title: Maybe[str] = None
    description: Maybe[str] = None
    image_url: Maybe[str] = None
    reactions: Some[PartReaction] = ()


class UnknownPart(Words):
    """A part of a kind that this linqbot does not know, or not as documented; all its fields are attributes."""

    shown = ()

    type: Word = ""
    reactions: Some[PartReaction] = ()


_Known = TextPart | MediaPart | LinkPart | AppPart | AppClipPart

PART_KINDS: frozenset[str] = frozenset(kind.model_fields["type"].default for kind in get_args(_Known))
"""The kinds of parts that have a class of their own."""

Part = Annotated[
    Annotated[_Known, Field(discriminator="type")] | UnknownPart,
    Field(union_mode="left_to_right"),
]
"""A part of a message, of whatever kind."""

Parts = Annotated[tuple[Annotated[Part, Or(UnknownPart())], ...], Or(())]
"""The parts of a message, each at the index that Linq gives it."""
