"""what was asked for -> which events of its types a handler takes. Own doings and history are nobody's by default."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import Literal, get_args

from linqbot.errors import RegistrationError
from linqbot.events import Event, MessageEvent, Reaction, known
from linqbot.handling.delivery import Delivery

Tapback = Literal["love", "like", "dislike", "laugh", "emphasize", "question", "custom", "sticker"]
"""The kinds of reactions that Linq tells apart; `custom` is any emoji (linq-api-v3.md section 7.5)."""

KINDS: frozenset[str] = frozenset(get_args(Tapback))

_VARIATION = "\ufe0f"


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """What an event must be beside of a type."""

    own: bool = False
    """Whether our own doings that come back as events count, too (linq-api-v3.md section 9.6)."""
    history: bool = False
    """Whether messages count that came late, or without their content (section 9.5)."""
    hidden: bool = False
    """Whether what policies hide from handlers (`OptOut`) counts, too."""
    reactions: frozenset[str] = frozenset()
    """The kinds or emojis that count; empty: all."""
    on_ours: bool = False
    """Whether only what is about a message of this bot counts; the store knows which those are."""
    delivery: bool = False
    """Whether only news of what became of this bot's messages counts."""
    ref: str | None = None
    """Only of the reply that is called so."""

    def lets(self, event: Event) -> bool:
        """Whether an event may be taken, as far as it says itself."""
        if event.is_from_me and not self.own and not known(event.type).is_receipt:
            return False
        if isinstance(event, MessageEvent) and event.is_history and not self.history:
            return False
        return not self.reactions or (isinstance(event, Reaction) and not _names_of(event).isdisjoint(self.reactions))

    def hears(self, delivery: Delivery | None) -> bool:
        """Whether this news of a message counts."""
        if delivery is None:
            return False
        return self.ref is None or (delivery.reply is not None and delivery.reply.ref == self.ref)

    def covers(self, other: Condition) -> bool:
        """Whether surely every event that `other` lets pass passes here too."""
        if (self.delivery and not other.delivery) or (self.ref is not None and self.ref != other.ref):
            return False
        wider = (self.own or not other.own) and (self.history or not other.history)
        wider = wider and (self.hidden or not other.hidden)
        same_kinds = not self.reactions or (bool(other.reactions) and other.reactions <= self.reactions)
        return wider and same_kinds and (not self.on_ours or other.on_ours)


def reactions_of(names: tuple[object, ...]) -> frozenset[str]:
    """The kinds and emojis that `reaction(...)` names. Raises `RegistrationError` for what nobody can react with."""
    return frozenset(_reaction(name) for name in names)


def _reaction(name: object) -> str:
    if not isinstance(name, str) or not name or (name.isascii() and name not in KINDS):
        shown = name if isinstance(name, str) else type(name).__name__
        close = difflib.get_close_matches(str(name), KINDS, n=1)
        hint = f"did you mean {close[0]!r}?" if close else f"it is an emoji, or one of {', '.join(sorted(KINDS))}"
        raise RegistrationError(f"reaction({shown!r}) names no reaction; {hint}")
    return _plain(name)


def _names_of(reaction: Reaction) -> frozenset[str]:
    emoji = reaction.custom_emoji
    return frozenset({reaction.reaction_type, *(() if emoji is None else (_plain(emoji),))})


def _plain(emoji: str) -> str:
    """An emoji without the sign that asks for its coloured form: phones put it in or leave it out."""
    return emoji.replace(_VARIATION, "")
