"""words and patterns -> which messages a handler takes, and which of their parts it was.

Plain strings are whole words anywhere in the text, in any case. What phones do to a text while it is typed (curly
apostrophes, composed accents, odd blanks) makes no difference to words; a pattern sees the text as it came.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from linqbot.errors import RegistrationError
from linqbot.events import MessageEvent, TextPart

_TYPED_ALIKE = str.maketrans("\u2018\u2019\u02bc\uff07", "''''", "\ufe0f")
_UNSPACED = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]"
)
_NO_GROUPS: Mapping[str, str | None] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """Why a handler takes a message: the pattern's named groups, and the part whose text matched."""

    groups: Mapping[str, str | None] = field(default_factory=lambda: _NO_GROUPS, repr=False)
    part_index: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Trigger:
    """What a text must hold: one of `words` (or be one of them, `exact`), and a place where `regex` matches."""

    words: tuple[str, ...] = ()
    exact: bool = False
    regex: re.Pattern[str] | None = None

    @property
    def takes_everything(self) -> bool:
        """Whether there is no condition."""
        return not self.words and self.regex is None

    @property
    def groups(self) -> frozenset[str]:
        """The names of the pattern's groups."""
        return frozenset(self.regex.groupindex if self.regex else ())

    def match(self, message: MessageEvent) -> Match | None:
        """How a message meets the trigger, or None."""
        if self.words and not self._has_word(message.text):
            return None
        if self.regex is None:
            return Match(part_index=self._part_with_word(message))
        found = self.regex.search(message.text)
        if found is None:
            return None
        return Match(groups=found.groupdict(), part_index=message.part_at(found.start()))

    def covers(self, other: Trigger) -> bool:
        """Whether surely every message that meets `other` meets this one too."""
        if self.takes_everything or self == other:
            return True
        if self.regex is not None or not other.words:
            return False
        if self.exact:
            return other.exact and set(other.words) <= set(self.words)
        return all(any(has_word(theirs, ours) for ours in self.words) for theirs in other.words)

    def _has_word(self, text: str) -> bool:
        folded = fold(text)
        return folded in self.words if self.exact else any(has_word(folded, word) for word in self.words)

    def _part_with_word(self, message: MessageEvent) -> int:
        if not self.words:
            return 0
        texts = ((index, part.value) for index, part in enumerate(message.parts) if isinstance(part, TextPart))
        return next((index for index, text in texts if self._has_word(text)), 0)


def trigger_of(words: tuple[object, ...], *, regex: object, exact: bool) -> Trigger:
    """A trigger as a handler's decorator names it. Raises `RegistrationError` for what cannot be one."""
    if exact and not words:
        raise RegistrationError("exact=True needs the words that the whole text must be; anchor a regex with ^ and $")
    return Trigger(words=tuple(_word(word) for word in words), exact=exact, regex=_pattern(regex))


def fold(text: str) -> str:
    """A text as words are compared: any case, composed accents, straight apostrophes, single blanks, none at the ends."""
    composed = unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).casefold())
    return " ".join(composed.translate(_TYPED_ALIKE).split())


def has_word(text: str, word: str) -> bool:
    """Whether a folded text holds a folded word that is not part of a longer one."""
    start = text.find(word)
    while start >= 0:
        end = start + len(word)
        if not _joined(text[max(start - 1, 0) : start], word[0]) and not _joined(text[end : end + 1], word[-1]):
            return True
        start = text.find(word, start + 1)
    return False


def _joined(outside: str, edge: str) -> bool:
    """Whether the character beside a word makes it part of a longer one; emoji and scripts without blanks stand alone."""
    stands_alone = _UNSPACED.match(edge) or unicodedata.category(edge) == "So"
    return outside != "" and _in_word(outside) and not stands_alone


def _in_word(char: str) -> bool:
    return char.isalnum() or char == "_" or unicodedata.category(char).startswith("M")


def _word(word: object) -> str:
    if not isinstance(word, str):
        raise RegistrationError(f"a trigger word is a str, not of type {type(word).__name__}; pass a pattern as regex=")
    folded = fold(word)
    if not folded:
        raise RegistrationError("a trigger word is empty; leave all words out to take every message")
    return folded


def _pattern(regex: object) -> re.Pattern[str] | None:
    if regex is None:
        return None
    try:
        pattern: re.Pattern[str] = re.compile(regex)  # type: ignore[call-overload]  # what it refuses is what we report
    except (TypeError, re.error) as error:
        raise RegistrationError(f"regex= cannot be read as a pattern: {error}") from error
    if not isinstance(pattern.pattern, str):
        raise RegistrationError("regex= is a pattern of bytes; messages are text, write it as a str")
    return pattern
