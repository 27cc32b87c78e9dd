"""str -> the handle of somebody: a phone number in E.164, or the email address of an Apple ID."""

from __future__ import annotations

import re

from linqbot.errors import ReplyError

_E164 = re.compile(r"\+[1-9][0-9]{1,14}", re.ASCII)
_EMAIL = re.compile(r"[^@\s]+@[^@\s.]+(\.[^@\s.]+)+")


def check_handle(value: object, what: str = "handle") -> str:
    """The handle as it is, when Linq would read it (linq-api-v3.md sections 2 and 5: code 1002).

    Raises `ReplyError` naming `what`, and never showing the value: it is somebody's number.
    """
    if isinstance(value, str) and value.isprintable() and (_E164.fullmatch(value) or _EMAIL.fullmatch(value)):
        return value
    raise ReplyError(
        f"{what} is neither a phone number in E.164 (a plus and 2 to 15 digits, no blanks, such as +12025550100) "
        "nor an email address"
    )
