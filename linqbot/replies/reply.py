"""parts -> Reply. One bubble in Linq's own words, checked when it is built."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from linqbot.errors import ReplyError
from linqbot.replies.action import check_ref
from linqbot.replies.effect import Effect, EffectName, check_effect
from linqbot.replies.parts import Part, part_of
from linqbot.replies.target import ReplyTo, Target, read_target
from linqbot.replies.text import Fragment
from linqbot.replies.words import check_word

Thread = Literal["first", "every", "auto", "never"]
"""Which bubbles are threaded on the message they answer: the first of a turn, every one, the first where it helps (in a
group, when the person threaded, when others spoke since), or none."""

Service = Literal["iMessage", "SMS", "RCS"]
"""How Linq is asked to send: `iMessage` without a fallback, `RCS` and `SMS` never as iMessage."""

THREADS: tuple[str, ...] = get_args(Thread)
SERVICES: tuple[str, ...] = get_args(Service)


@dataclass(frozen=True, slots=True, init=False, repr=False)
class Reply:
    """One reply: text, media and link parts, shown as one bubble where Linq allows it, else as several in order.

    `effect` is one of Linq's screen or bubble effects; `thread` overrides the handler's, router's and bot's; `reply_to`
    threads it on another message than the one it answers; `ref` is a name of your own, kept with the sent message.
    Raises `ReplyError` when something is wrong, here and not when it is sent.
    """

    parts: tuple[Part, ...]
    effect: EffectName | Effect | None
    thread: Thread | None
    reply_to: Target | None
    preferred_service: Service | None
    ref: str | None

    def __init__(
        self,
        *parts: str | Fragment | Part,
        effect: EffectName | Effect | None = None,
        thread: Thread | None = None,
        reply_to: ReplyTo | None = None,
        preferred_service: Service | None = None,
        ref: str | None = None,
    ) -> None:
        if not parts:
            raise ReplyError("a reply needs at least one part; return None to say nothing")
        check_effect(effect)
        if thread is not None:
            check_word(thread, what="thread", allowed=THREADS)
        if preferred_service is not None:
            check_word(preferred_service, what="preferred_service", allowed=SERVICES)
        check_ref(ref)
        put = object.__setattr__
        put(self, "parts", tuple(part_of(part) for part in parts))
        put(self, "effect", effect)
        put(self, "thread", thread)
        put(self, "reply_to", None if reply_to is None else read_target(reply_to, what="reply_to"))
        put(self, "preferred_service", preferred_service)
        put(self, "ref", ref)

    def __repr__(self) -> str:
        words = {"effect": self.effect, "thread": self.thread, "reply_to": self.reply_to, "ref": self.ref}
        shown = [repr(part) for part in self.parts]
        shown += [f"{name}={word!r}" for name, word in words.items() if word is not None]
        return f"Reply({', '.join(shown)})"
