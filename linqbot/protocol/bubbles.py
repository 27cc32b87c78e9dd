"""Reply -> the parts of one or more messages that Linq takes (linq-api-v3.md section 6.1).

Two texts never stand side by side, a link, an app card and an App Clip stand alone, a text has at most 10,000 units, a
message at most 100 parts and 40 media by public url. What breaks a rule moves into a bubble of its own; nothing is left
out, and the order stays.
"""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

from linqbot.protocol.markdown import rendered
from linqbot.protocol.pieces import Showing, pieces_of, shown
from linqbot.replies import AppCard, AppClip, Link, Markdown, Media, Part, Reply, Text

PART_LIMIT = 100
URL_MEDIA_LIMIT = 40
LINQ_HOST = "linqapp.com"
"""Where Linq has the files that it stores (linq-openapi.yaml, samples of media and attachments)."""

Piece = Text | Media | Link | AppCard | AppClip
"""What a message is made of: a part that Linq takes."""

EVERYTHING = Showing()

_ALONE = (Link, AppCard, AppClip)


def bubbles_of(reply: Reply, showing: Showing = EVERYTHING) -> tuple[tuple[Piece, ...], ...]:
    """The reply's parts as legal messages, in order; at least one. What the chat cannot show is left out."""
    bubbles: list[list[Piece]] = []
    for part in _pieces(reply.parts, showing):
        if bubbles and _fits(bubbles[-1], part):
            bubbles[-1].append(part)
        else:
            bubbles.append([part])
    return tuple(tuple(bubble) for bubble in bubbles)


def _pieces(parts: tuple[Part, ...], showing: Showing) -> Iterator[Piece]:
    for part in parts:
        if isinstance(part, Markdown):
            value, decorations = rendered(part.source)
            yield from pieces_of(value, decorations if showing.formatting else ())
        elif isinstance(part, Text):
            text = shown(part, showing)
            yield from pieces_of(text.value, text.decorations, stickers=text.stickers, mention=text.mention)
        else:
            yield part


def _fits(bubble: list[Piece], part: Piece) -> bool:
    last = bubble[-1]
    if isinstance(part, _ALONE) or isinstance(last, _ALONE):
        return False
    if isinstance(part, Text) and isinstance(last, Text):
        return False
    return len(bubble) < PART_LIMIT and not (_by_url(part) and sum(map(_by_url, bubble)) >= URL_MEDIA_LIMIT)


def _by_url(part: Piece) -> bool:
    """Whether Linq must fetch it: what is stored at Linq does not count, whichever way it is named."""
    if not isinstance(part, Media) or part.url is None:
        return False
    host = urlsplit(part.url).hostname or ""
    return host != LINQ_HOST and not host.endswith(f".{LINQ_HOST}")
