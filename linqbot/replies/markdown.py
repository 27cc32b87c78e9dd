"""Markdown -> formatting: the words of a model or a document, with their marks."""

from __future__ import annotations

from dataclasses import dataclass

from linqbot.errors import ReplyError


@dataclass(frozen=True, slots=True, repr=False)
class Markdown:
    """Markdown, shown as iMessage can: bold, italic, strikethrough and underline (`<u>`) as native formatting.

    Headings are bold, list items have a dot or number, a link is its words and the address, quotes and code keep their
    look. Where the service has no formatting it is the same words without. As long as it likes: over 10,000 UTF-16 units or
    100 decorations it becomes several bubbles.
    """

    source: str

    def __post_init__(self) -> None:
        if not isinstance(self.source, str):
            raise ReplyError(f"Markdown takes a str, not of type {type(self.source).__name__}")
        if not self.source:
            raise ReplyError('a Markdown part is empty; leave it out, or return None or "" to say nothing')

    def __repr__(self) -> str:
        return f"Markdown({len(self.source)} characters)"
