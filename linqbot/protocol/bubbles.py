"""Reply -> the parts of one or more messages that Linq takes (linq-api-v3.md section 6.1).

Two texts never stand side by side, a link stands alone, a text has at most 10,000 units, a message at most 100 parts and
40 media by url. What breaks a rule moves into a bubble of its own; nothing is left out, and the order stays.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from linqbot.protocol.splitting import split_text
from linqbot.replies import Link, Media, Part, Reply, Text

PART_LIMIT = 100
URL_MEDIA_LIMIT = 40

_LONE_SURROGATE = re.compile("[\ud800-\udfff]")


def bubbles_of(reply: Reply) -> tuple[tuple[Part, ...], ...]:
    """The reply's parts as legal messages, in order; at least one."""
    bubbles: list[list[Part]] = []
    for part in _pieces(reply.parts):
        if bubbles and _fits(bubbles[-1], part):
            bubbles[-1].append(part)
        else:
            bubbles.append([part])
    return tuple(tuple(bubble) for bubble in bubbles)


def _pieces(parts: tuple[Part, ...]) -> Iterator[Part]:
    for part in parts:
        if isinstance(part, Text):
            yield from (Text(piece) for piece in split_text(_LONE_SURROGATE.sub("\ufffd", part.value)))
        else:
            yield part


def _fits(bubble: list[Part], part: Part) -> bool:
    last = bubble[-1]
    if isinstance(part, Link) or isinstance(last, Link):
        return False
    if isinstance(part, Text) and isinstance(last, Text):
        return False
    return len(bubble) < PART_LIMIT and not (_by_url(part) and sum(map(_by_url, bubble)) >= URL_MEDIA_LIMIT)


def _by_url(part: Part) -> bool:
    return isinstance(part, Media) and part.url is not None
