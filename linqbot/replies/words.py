"""a word of the user's -> one of those that Linq has, or an error that lists them."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

from linqbot.errors import ReplyError


def check_word(word: object, *, what: str, allowed: Iterable[str]) -> None:
    """Raises `ReplyError` for what is none of the allowed words; it names `what`, and shows them all."""
    if not isinstance(word, str) or word not in allowed:
        raise ReplyError(f"{what} is not one that Linq has{near(word, allowed)}; choose one of {', '.join(allowed)}")


def near(word: object, allowed: Iterable[str]) -> str:
    """The word that may be meant, or the type of what is none, as a piece of an error.

    Never shows what was given: it may be what somebody said, and the error ends in logs and dead letters.
    """
    if not isinstance(word, str):
        return f": it is of type {type(word).__name__}"
    written = {one.lower(): one for one in allowed}
    close = get_close_matches(word.lower(), written, n=1)
    return f", did you mean {written[close[0]]!r}?" if close else ""
