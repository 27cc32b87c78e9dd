"""Words out: frozen values that a handler returns, and how a returned value becomes replies."""

from __future__ import annotations

from linqbot.replies.compose import NEXT, Answer, Bubbles, Elsewhere, Next, compose
from linqbot.replies.inline import InlineSticker, Mention
from linqbot.replies.markdown import Markdown
from linqbot.replies.parts import Link, Media, Part
from linqbot.replies.reply import Effect, Reply, ReplyTo, Service, Target, Thread
from linqbot.replies.send import Send
from linqbot.replies.spans import Animation, Decoration, Style
from linqbot.replies.text import Fragment, Text, animated, bold, italic, strikethrough, underline

__all__ = [
    "NEXT",
    "Animation",
    "Answer",
    "Bubbles",
    "Decoration",
    "Effect",
    "Elsewhere",
    "Fragment",
    "InlineSticker",
    "Link",
    "Markdown",
    "Media",
    "Mention",
    "Next",
    "Part",
    "Reply",
    "ReplyTo",
    "Send",
    "Service",
    "Style",
    "Target",
    "Text",
    "Thread",
    "animated",
    "bold",
    "compose",
    "italic",
    "strikethrough",
    "underline",
]
