"""linqbot: chatbots for Linq (iMessage, RCS, SMS). Handlers return replies; each is sent once.

    webhook --verify--> ingress --accept--> [inbox] --lease, handle--> worker --commit--> [outbox] --lease, send--> Linq

`events` are the words in and `replies` the words out; `handling` runs a user's functions; `protocol` holds the rules and
does nothing; `store` remembers (SQLite or Redis); `engine` moves (ingress, worker, dispatcher, sweeper); `client` speaks
to Linq; `emulator` is a Linq to play with; `testing` is what users test with; `cli` is the command line.

Public are the names below and those of `linqbot.events`, `linqbot.replies` and `linqbot.testing`; nothing else is stable.
They are imported when first used, so that `linqbot --help` does not pay for a server.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from linqbot.bot import Bot
    from linqbot.client.errors import (
        Blocked,
        ChatGone,
        ChatNotReady,
        Conflict,
        Forbidden,
        InvalidRequest,
        LineIneligible,
        MediaRefused,
        NotAllowed,
        NotFound,
        OptedOut,
        RateLimited,
        Refusal,
        ServerTrouble,
        StillProcessing,
        Unauthorized,
        Unexpected,
        Unsupported,
    )
    from linqbot.client.types import SendResult, SentMessage
    from linqbot.engine.postbox import Queued
    from linqbot.errors import (
        ApiError,
        ConfigurationError,
        FileChanged,
        FileError,
        FileGone,
        FileTimeout,
        FileTooLarge,
        ForeignHost,
        HandlerError,
        HandlerFailed,
        HandlerTimeout,
        LayoutError,
        LeaseLost,
        LinqbotError,
        LinqError,
        NotSent,
        OutcomeUnknown,
        PayloadError,
        RegistrationError,
        ReplyError,
        SignatureError,
        StoreError,
        StoreUnavailable,
        TransportError,
    )
    from linqbot.events import Chat, Event, Handle, Message
    from linqbot.handling.delivery import Delivery, SentReply
    from linqbot.handling.router import Router
    from linqbot.handling.turn import Turn
    from linqbot.replies import (
        NEXT,
        AddOptions,
        Decoration,
        InlineSticker,
        Link,
        Markdown,
        MarkRead,
        Media,
        Mention,
        Next,
        Poll,
        React,
        Reply,
        Send,
        Text,
        Typing,
        Unreact,
        Unvote,
        Vote,
        animated,
        bold,
        italic,
        strikethrough,
        underline,
    )
    from linqbot.settings import Settings

_HOMES = {
    "linqbot.bot": ("Bot",),
    "linqbot.client.errors": (
        "Blocked",
        "ChatGone",
        "ChatNotReady",
        "Conflict",
        "Forbidden",
        "InvalidRequest",
        "LineIneligible",
        "MediaRefused",
        "NotAllowed",
        "NotFound",
        "OptedOut",
        "RateLimited",
        "Refusal",
        "ServerTrouble",
        "StillProcessing",
        "Unauthorized",
        "Unexpected",
        "Unsupported",
    ),
    "linqbot.client.types": (
        "SendResult",
        "SentMessage",
    ),
    "linqbot.engine.postbox": ("Queued",),
    "linqbot.errors": (
        "ApiError",
        "ConfigurationError",
        "FileChanged",
        "FileError",
        "FileGone",
        "FileTimeout",
        "FileTooLarge",
        "ForeignHost",
        "HandlerError",
        "HandlerFailed",
        "HandlerTimeout",
        "LayoutError",
        "LeaseLost",
        "LinqError",
        "LinqbotError",
        "NotSent",
        "OutcomeUnknown",
        "PayloadError",
        "RegistrationError",
        "ReplyError",
        "SignatureError",
        "StoreError",
        "StoreUnavailable",
        "TransportError",
    ),
    "linqbot.events": (
        "Chat",
        "Event",
        "Handle",
        "Message",
    ),
    "linqbot.handling.delivery": (
        "Delivery",
        "SentReply",
    ),
    "linqbot.handling.router": ("Router",),
    "linqbot.handling.turn": ("Turn",),
    "linqbot.replies": (
        "AddOptions",
        "Decoration",
        "InlineSticker",
        "Link",
        "MarkRead",
        "Markdown",
        "Media",
        "Mention",
        "NEXT",
        "Next",
        "Poll",
        "React",
        "Reply",
        "Send",
        "Text",
        "Typing",
        "Unreact",
        "Unvote",
        "Vote",
        "animated",
        "bold",
        "italic",
        "strikethrough",
        "underline",
    ),
    "linqbot.settings": ("Settings",),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [
    "NEXT",
    "AddOptions",
    "ApiError",
    "Blocked",
    "Bot",
    "Chat",
    "ChatGone",
    "ChatNotReady",
    "ConfigurationError",
    "Conflict",
    "Decoration",
    "Delivery",
    "Event",
    "FileChanged",
    "FileError",
    "FileGone",
    "FileTimeout",
    "FileTooLarge",
    "Forbidden",
    "ForeignHost",
    "Handle",
    "HandlerError",
    "HandlerFailed",
    "HandlerTimeout",
    "InlineSticker",
    "InvalidRequest",
    "LayoutError",
    "LeaseLost",
    "LineIneligible",
    "Link",
    "LinqError",
    "LinqbotError",
    "MarkRead",
    "Markdown",
    "Media",
    "MediaRefused",
    "Mention",
    "Message",
    "Next",
    "NotAllowed",
    "NotFound",
    "NotSent",
    "OptedOut",
    "OutcomeUnknown",
    "PayloadError",
    "Poll",
    "Queued",
    "RateLimited",
    "React",
    "Refusal",
    "RegistrationError",
    "Reply",
    "ReplyError",
    "Router",
    "Send",
    "SendResult",
    "SentMessage",
    "SentReply",
    "ServerTrouble",
    "Settings",
    "SignatureError",
    "StillProcessing",
    "StoreError",
    "StoreUnavailable",
    "Text",
    "TransportError",
    "Turn",
    "Typing",
    "Unauthorized",
    "Unexpected",
    "Unreact",
    "Unsupported",
    "Unvote",
    "Vote",
    "animated",
    "bold",
    "italic",
    "strikethrough",
    "underline",
]


def __getattr__(name: str) -> Any:
    """Import a public name from its home when it is first used."""
    if name not in _HOME_OF:
        raise AttributeError(f"module 'linqbot' has no attribute {name!r}")
    value = getattr(import_module(_HOME_OF[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """The public names."""
    return __all__
