"""what somebody wrote -> whether they asked for silence (linq-api-v3.md section 9.1).

A person asks with one of a few words, alone in a direct chat, and takes it back with whatever else they write, anywhere.
"""

from __future__ import annotations

import re

WORDS = frozenset({"STOP", "UNSUBSCRIBE", "OPTOUT", "CANCEL", "END", "QUIT"})
"""As they are written, in this case. CANCEL and END are therefore no words for a bot's own commands."""

_SPELLED = re.compile(r"opt[ -]?out", re.IGNORECASE)


def is_opt_out(text: str) -> bool:
    """Whether a message that says this asks for silence: one of the words and nothing else, blanks around it apart.

    Case counts (`Stop` is no opt-out), but for OPT OUT, which may also be spelt in any case and with a hyphen.
    """
    word = text.strip()
    return word in WORDS or _SPELLED.fullmatch(word) is not None


def asks_for_silence(text: str, *, withheld: bool, health: str) -> bool:
    """Whether a message in a direct chat does. Where its content is `withheld` (a line that retains nothing), what is left
    to go by is the chat's health (linq-api-v3.md sections 9.1 and 9.5).
    """
    return health == "OPTED_OUT" if withheld else is_opt_out(text)


__all__ = ["WORDS", "asks_for_silence", "is_opt_out"]
