"""what somebody points at -> Target. A part of a message, given as the message, its id, or a reference to it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Protocol

from linqbot.errors import ReplyError

UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
"""How Linq's ids look, of messages, chats and files (linq-api-v3.md section 1)."""


class Identified(Protocol):
    """Anything with Linq's id of a message, such as `linqbot.Message`."""

    @property
    def id(self) -> str:
        """The message's id."""
        ...


class Pointing(Protocol):
    """Anything that points at a part of a message, such as `reaction.message` or a poll's event."""

    @property
    def message_id(self) -> str | None:
        """The message's id."""
        ...


ReplyTo = str | Identified | Pointing | tuple[str | Identified | Pointing, int]
"""A message or its id, alone or with the index of one of its parts."""


@dataclass(frozen=True, slots=True)
class Target:
    """A part of a message."""

    message_id: str
    part_index: int = 0


def read_target(value: object, *, what: str) -> Target:
    """What is pointed at. Raises `ReplyError` when it is no message; the error names `what`."""
    message, index = value if isinstance(value, tuple) and len(value) == 2 else (value, _index_in(value))
    message_id = message if isinstance(message, str) else _id_in(message)
    if not isinstance(message_id, str) or not message_id:
        raise ReplyError(f"{what} takes a message or its id, or a pair of that and the index of a part")
    return Target(message_id, read_index(index, what=f"the part index in {what}"))


def read_index(index: object, *, what: str) -> int:
    """The index of a part. Raises `ReplyError` for what is none."""
    if not isinstance(index, int) or isinstance(index, bool) or index < 0:
        raise ReplyError(f"{what} counts from 0")
    return index


def _id_in(message: object) -> object:
    found = getattr(message, "id", None)
    return getattr(message, "message_id", None) if found is None else found


def _index_in(message: object) -> object:
    return getattr(message, "part_index", 0)
