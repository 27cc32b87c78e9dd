"""Words out: frozen values that a handler returns, and how a returned value becomes replies."""

from __future__ import annotations

from linqbot.replies.compose import NEXT, Answer, Next, compose
from linqbot.replies.parts import Link, Media, Part, Text
from linqbot.replies.reply import Effect, Reply, ReplyTo, Service, Target, Thread

__all__ = [
    "NEXT",
    "Answer",
    "Effect",
    "Link",
    "Media",
    "Next",
    "Part",
    "Reply",
    "ReplyTo",
    "Service",
    "Target",
    "Text",
    "Thread",
    "compose",
]
