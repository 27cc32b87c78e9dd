"""a value -> the same value, fit to be logged. The last guard, for what people's code lets through.

Phone numbers, e-mail addresses, bearer tokens, signing secrets and passwords in URLs are masked, control characters are
written out so that no value can forge a line or move the cursor, and long values are cut.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

LONGEST = 2_000
"""Characters of one value; the rest is counted, not shown."""

_DEEPEST = 8
_MOST = 200

_PRIVATE = re.compile(
    r"(?P<phone>(?<![\w+])(?:\+|%2[Bb])\d{8,15}(?!\d))"
    r"|(?P<mail>[\w.%+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{2,63})+)"
    r"|(?P<bearer>\b[Bb]earer\s+[^\s\"',;]+)"
    r"|(?P<secret>\bwhsec_[A-Za-z0-9+/=_-]+)"
    r"|(?P<login>(?<=://)[^\s/@]*:[^\s/@]+@)"
)
_MASKS = {
    "phone": "[phone]",
    "mail": "[mail]",
    "bearer": "Bearer [token]",
    "secret": "whsec_[secret]",
    "login": "[login]@",
}
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
"""What moves the cursor, ends a line, turns the direction of writing, or cannot be written at all (half a pair)."""


class Guard:
    """Cleans values; `hushed` are this program's own secrets, masked wherever they turn up."""

    def __init__(self, hushed: Sequence[str] = ()) -> None:
        self._hushed = sorted({word for word in hushed if len(word) >= 6}, key=len, reverse=True)

    def passes(self, line: str) -> bool:
        """Whether a line of JSON holds nothing to be cleaned: it is short, in ASCII, without anything that was escaped, and
        no text in it looks private. Most are so, and one look at the line is cheaper than one at each of its values.
        """
        plain = len(line) <= LONGEST and line.isascii() and line.isprintable() and "\\" not in line
        return plain and not _may_be_private(line) and not any(secret in line for secret in self._hushed)

    def value(self, value: object, depth: int = 0) -> object:
        """A value of plain kinds: numbers stay, texts are cleaned, collections are cleaned inside, the rest is its repr."""
        if isinstance(value, str):
            return self.line(value)
        if value is None or isinstance(value, bool | int | float):
            return value
        if depth >= _DEEPEST:
            return "…"
        if isinstance(value, Mapping):
            return {self.line(str(key)): self.value(item, depth + 1) for key, item in list(value.items())[:_MOST]}
        if isinstance(value, list | tuple | set | frozenset):
            return [self.value(item, depth + 1) for item in list(value)[:_MOST]]
        return self.line(_repr(value))

    def line(self, text: str) -> str:
        """A text as one line: masked, written out, cut."""
        cleaned = self.text(text)
        return cleaned if cleaned.isprintable() else _CONTROL.sub(_escape, cleaned)

    def text(self, text: str, longest: int = LONGEST) -> str:
        """A text that may have several lines: masked and cut."""
        for secret in self._hushed:
            if secret in text:
                text = text.replace(secret, "[secret]")
        if _may_be_private(text):
            text = _PRIVATE.sub(_mask, text)
        return text if len(text) <= longest else f"{text[:longest]}… ({len(text) - longest} more)"

    def lines(self, text: str, longest: int) -> str:
        """A text whose lines are ours (a traceback): masked, cut, and each line written out."""
        return "\n".join(_CONTROL.sub(_escape, line) for line in self.text(text, longest).split("\n"))


def _may_be_private(text: str) -> bool:
    """Ids and numbers, most of what is logged, are seen at a glance to hold nothing that `_PRIVATE` finds."""
    return "+" in text or "@" in text or "%2" in text or "earer" in text or "whsec_" in text


def _mask(found: re.Match[str]) -> str:
    return _MASKS[found.lastgroup or ""]


def _escape(found: re.Match[str]) -> str:
    return found[0].encode("unicode_escape").decode("ascii")


def _repr(value: object) -> str:
    try:
        return repr(value)
    except Exception as error:  # noqa: BLE001  a broken repr must not break the log line
        return f"<{type(value).__name__} whose repr raised {type(error).__name__}>"
