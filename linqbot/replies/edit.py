"""Another text in place of one that was sent (linq-api-v3.md section 7.5)."""

from __future__ import annotations

from dataclasses import dataclass, field

from linqbot.errors import ReplyError
from linqbot.replies.action import Aimed, check_text
from linqbot.replies.target import read_index

EDIT_LIMIT = 10_000
"""The longest text of an edit, in UTF-16 units: it cannot be split."""


@dataclass(frozen=True, slots=True)
class Edit(Aimed):
    """Let the last text that you sent in the chat say something else, or the message with the `ref`, or `to`.

    iMessage only, 5 times within 15 minutes of the send; a text that you asked to go as SMS or RCS is passed over. `part`
    counts the parts of that message from 0; the new text is plain. Raises `ReplyError`.
    """

    text: str = field(repr=False)
    part: int = field(default=0, kw_only=True)

    def __post_init__(self) -> None:
        Aimed.__post_init__(self)
        words: object = self.text
        if words is not None and not isinstance(words, str):
            raise ReplyError(f"Edit takes a plain str, not of type {type(words).__name__}; an edit has no formatting")
        check_text(self.text, what="the text of Edit", limit=EDIT_LIMIT)
        read_index(self.part, what="part= of Edit")
