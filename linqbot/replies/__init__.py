"""Words out: frozen values that a handler returns, and how a returned value becomes replies and actions."""

from __future__ import annotations

from linqbot.replies.action import Action
from linqbot.replies.app import AppCard, AppClip
from linqbot.replies.background import ClearBackground, SetBackground
from linqbot.replies.compose import NEXT, Answer, Bubbles, Elsewhere, Next, compose
from linqbot.replies.edit import Edit
from linqbot.replies.effect import Effect, EffectName
from linqbot.replies.group import AddParticipant, LeaveChat, RemoveParticipant, RenameGroup, SetGroupIcon
from linqbot.replies.inline import InlineSticker, Mention
from linqbot.replies.markdown import Markdown
from linqbot.replies.media import Media, VoiceMemo
from linqbot.replies.parts import Link, Part
from linqbot.replies.poll import AddOptions, Poll, Unvote, Vote
from linqbot.replies.presence import MarkRead, RequestLocation, ShareContact, Typing
from linqbot.replies.reaction import React, Sticker, Tapback, Unreact
from linqbot.replies.reply import Reply, Service, Thread
from linqbot.replies.send import Send
from linqbot.replies.spans import Animation, Decoration, Style
from linqbot.replies.target import ReplyTo, Target
from linqbot.replies.text import Fragment, Text, animated, bold, italic, strikethrough, underline
from linqbot.replies.upload import Upload

__all__ = [
    "NEXT",
    "Action",
    "AddOptions",
    "AddParticipant",
    "Animation",
    "Answer",
    "AppCard",
    "AppClip",
    "Bubbles",
    "ClearBackground",
    "Decoration",
    "Edit",
    "Effect",
    "EffectName",
    "Elsewhere",
    "Fragment",
    "InlineSticker",
    "LeaveChat",
    "Link",
    "MarkRead",
    "Markdown",
    "Media",
    "Mention",
    "Next",
    "Part",
    "Poll",
    "React",
    "RemoveParticipant",
    "RenameGroup",
    "Reply",
    "ReplyTo",
    "RequestLocation",
    "Send",
    "Service",
    "SetBackground",
    "SetGroupIcon",
    "ShareContact",
    "Sticker",
    "Style",
    "Tapback",
    "Target",
    "Text",
    "Thread",
    "Typing",
    "Unreact",
    "Unvote",
    "Upload",
    "VoiceMemo",
    "Vote",
    "animated",
    "bold",
    "compose",
    "italic",
    "strikethrough",
    "underline",
]
