"""Linq's answers, as `bot.client` gives them: frozen values that keep what they do not know.

Ids are always there; whatever else Linq leaves out is None or empty.
"""

from linqbot.client.blocked_handles import BlockedHandle
from linqbot.client.capabilities import Capability
from linqbot.client.contact_cards import ContactCard
from linqbot.client.phone_numbers import Audit, AvailableNumber, Line, Reputation
from linqbot.client.places import Asked, Location
from linqbot.client.polls import StoredPoll
from linqbot.client.subscriptions import Subscription
from linqbot.client.types import (
    Accepted,
    Attachment,
    ChatPage,
    LineChoice,
    MessagePage,
    RoutedResult,
    SendResult,
    SentMessage,
    SentVoiceMemo,
    StartedChat,
    StartResult,
    StoredChat,
    StoredMessage,
    UploadTicket,
    VoiceFile,
)

__all__ = [
    "Accepted",
    "Asked",
    "Attachment",
    "Audit",
    "AvailableNumber",
    "BlockedHandle",
    "Capability",
    "ChatPage",
    "ContactCard",
    "Line",
    "LineChoice",
    "Location",
    "MessagePage",
    "Reputation",
    "RoutedResult",
    "SendResult",
    "SentMessage",
    "SentVoiceMemo",
    "StartResult",
    "StartedChat",
    "StoredChat",
    "StoredMessage",
    "StoredPoll",
    "Subscription",
    "UploadTicket",
    "VoiceFile",
]
