"""Words out: frozen values that a handler returns, and how a returned value becomes replies and actions."""

from __future__ import annotations

from linqbot.replies.action import Action
from linqbot.replies.compose import NEXT, Answer, Bubbles, Elsewhere, Next, compose
from linqbot.replies.inline import InlineSticker, Mention
from linqbot.replies.markdown import Markdown
from linqbot.replies.parts import Link, Media, Part
from linqbot.replies.poll import AddOptions, Poll, Unvote, Vote
from linqbot.replies.presence import MarkRead, Typing
from linqbot.replies.reaction import React, Tapback, Unreact
from linqbot.replies.reply import Effect, Reply, Service, Thread
from linqbot.replies.send import Send
from linqbot.replies.spans import Animation, Decoration, Style
from linqbot.replies.target import ReplyTo, Target
from linqbot.replies.text import Fragment, Text, animated, bold, italic, strikethrough, underline

__all__ = [
    "NEXT",
    "Action",
    "AddOptions",
    "Animation",
    "Answer",
    "Bubbles",
    "Decoration",
    "Effect",
    "Elsewhere",
    "Fragment",
    "InlineSticker",
    "Link",
    "MarkRead",
    "Markdown",
    "Media",
    "Mention",
    "Next",
    "Part",
    "Poll",
    "React",
    "Reply",
    "ReplyTo",
    "Send",
    "Service",
    "Style",
    "Tapback",
    "Target",
    "Text",
    "Thread",
    "Typing",
    "Unreact",
    "Unvote",
    "Vote",
    "animated",
    "bold",
    "compose",
    "italic",
    "strikethrough",
    "underline",
]
