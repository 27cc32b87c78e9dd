"""Words in: what Linq tells us, as frozen values that keep what they do not know.

Every event is an `Event`; `registry.py` says which type of Linq's becomes which class. A handler names the class in its
signature, reads documented fields as attributes, and finds everything else in `raw`.
"""

from linqbot.events.account import (
    AccountEvent,
    Actor,
    ConnectionUpdated,
    ContactCardReceived,
    LineChanged,
    LocationSharing,
    PaymentUpdated,
)
from linqbot.events.chat import Chat, Handle, Health
from linqbot.events.event import Event, UnknownEvent
from linqbot.events.group import (
    Background,
    BackgroundUpdated,
    ChatCreated,
    ChatUpdateFailed,
    ChatValueUpdated,
    Participation,
    Typing,
)
from linqbot.events.message import (
    EditedPart,
    Message,
    MessageDelivered,
    MessageEdited,
    MessageEvent,
    MessageFailed,
    MessageRead,
    MessageSent,
)
from linqbot.events.part import (
    AppClipPart,
    AppPart,
    Decoration,
    Effect,
    InlineSticker,
    LinkPart,
    MediaPart,
    Mention,
    MessageRef,
    Part,
    PartReaction,
    Sticker,
    TextPart,
    UnknownPart,
)
from linqbot.events.poll import Poll, PollEvent, PollFailed, PollOption, PollTrouble, PollUpdated, PollVote, PollVoter
from linqbot.events.reaction import Reaction
from linqbot.events.registry import REGISTRY, Known, known, parse_event

__all__ = [
    "REGISTRY",
    "AccountEvent",
    "Actor",
    "AppClipPart",
    "AppPart",
    "Background",
    "BackgroundUpdated",
    "Chat",
    "ChatCreated",
    "ChatUpdateFailed",
    "ChatValueUpdated",
    "ConnectionUpdated",
    "ContactCardReceived",
    "Decoration",
    "EditedPart",
    "Effect",
    "Event",
    "Handle",
    "Health",
    "InlineSticker",
    "Known",
    "LineChanged",
    "LinkPart",
    "LocationSharing",
    "MediaPart",
    "Mention",
    "Message",
    "MessageDelivered",
    "MessageEdited",
    "MessageEvent",
    "MessageFailed",
    "MessageRead",
    "MessageRef",
    "MessageSent",
    "Part",
    "PartReaction",
    "Participation",
    "PaymentUpdated",
    "Poll",
    "PollEvent",
    "PollFailed",
    "PollOption",
    "PollTrouble",
    "PollUpdated",
    "PollVote",
    "PollVoter",
    "Reaction",
    "Sticker",
    "TextPart",
    "Typing",
    "UnknownEvent",
    "UnknownPart",
    "known",
    "parse_event",
]
