"""Linq's answers -> typed values. Chats and messages as the API shows them (linq-api-v3.md sections 5, 7; fixtures seed/*).

Read as tolerantly as webhooks are: what is not documented is kept, what is missing has a default, and only ids are
required. Parts, handles and reactions are those of `linqbot.events`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

from pydantic import Field, model_validator

from linqbot.events import Chat, Effect, Handle, MessageRef
from linqbot.events.part import Parts
from linqbot.events.wire import Flag, Maybe, Or, Some, Time, Word, Words


class SentMessage(Words):
    """A message of yours, as Linq confirms that it took it; what became of it is told by webhooks."""

    shown: ClassVar[tuple[str, ...]] = ("id", "delivery_status")

    id: str
    created_at: Time = None
    sent_at: Time = None
    delivered_at: Time = None
    delivery_status: Word = ""
    """`pending queued sent delivered received read failed`; others may come."""
    is_read: Flag = False
    """Deprecated by Linq: see `delivery_status`."""
    parts: Parts = ()
    service: Maybe[str] = None
    """None until Linq knows by which it goes."""
    preferred_service: Maybe[str] = None
    effect: Maybe[Effect] = None
    from_handle: Maybe[Handle] = None
    reply_to: Maybe[MessageRef] = None


class StoredMessage(SentMessage):
    """A message as it is read back, yours or theirs; Linq keeps none for long (linq-api-v3.md section 9.5)."""

    shown = ("id", "chat_id", "delivery_status")

    chat_id: Maybe[str] = None
    is_from_me: Flag = False
    is_delivered: Flag = False
    """Deprecated by Linq: see `delivery_status`."""
    updated_at: Time = None
    read_at: Time = None
    reconciled_at: Time = None
    """Set when Linq recovered it late."""


class SendResult(Words):
    """The answer to a message into a chat."""

    shown: ClassVar[tuple[str, ...]] = ("chat_id", "message")

    chat_id: str
    message: SentMessage


class LineChoice(Words):
    """Why Linq chose the line that a message without one went out on."""

    shown = ("reason", "reused_existing_chat")

    reason: Word = ""
    """`reused_active_chat`, `new_best_number` or `failover_flagged`; others may come."""
    reused_existing_chat: Flag = False


class RoutedResult(SendResult):
    """The answer to a message for which Linq picked line and chat."""

    shown = ("chat_id", "created_new_chat", "message")

    created_new_chat: Flag = False
    from_: Word = Field(default="", validation_alias="from")
    """The line."""
    from_selection: Maybe[LineChoice] = None
    is_group: Maybe[bool] = None
    service: Maybe[str] = None
    handles: Some[Handle] = ()
    previous_chat_id: Maybe[str] = None
    """The chat that was given up for this one."""


class StoredChat(Chat):
    """A chat as it is read back; `line` is your own handle among `handles`."""

    icon_url: Maybe[str] = Field(default=None, validation_alias="group_chat_icon")
    is_archived: Flag = False
    """Deprecated by Linq."""

    @model_validator(mode="before")
    @classmethod
    def _with_line(cls, fields: Any) -> Any:
        handles = fields.get("handles") if isinstance(fields, Mapping) else None
        if not isinstance(handles, list):
            return fields
        mine = next((one for one in handles if isinstance(one, Mapping) and one.get("is_me") is True), None)
        return {"owner_handle": mine, **fields}


class ChatPage(Words):
    """Some chats of the account."""

    shown = ("next_cursor",)

    chats: Some[StoredChat] = ()
    next_cursor: Maybe[str] = None
    """Ask with it for more; None: there are no more."""


class StartedChat(StoredChat):
    """A chat with the message that opened it."""

    shown = ("id", "message")

    message: SentMessage


class StartResult(Words):
    """The answer to a message that opens a chat, or goes on in the one with exactly these people."""

    shown = ("chat",)

    chat: StartedChat


class MessagePage(Words):
    """Some messages of a chat or thread. The order within a chat is not documented."""

    shown = ("next_cursor",)

    messages: Some[StoredMessage] = ()
    next_cursor: Maybe[str] = None
    """Ask with it for more; None: there are no more."""


class Accepted(Words):
    """The answer to what is done later, like a reaction; the outcome comes by webhook."""

    shown = ("status", "chat_id", "trace_id")

    chat_id: Maybe[str] = None
    """Told when a group gets another name or icon."""
    status: Word = ""
    message: Word = ""
    trace_id: Maybe[str] = None


class VoiceFile(Words):
    """The sound of a voice memo."""

    shown = ("id", "mime_type", "size_bytes", "duration_ms")

    id: Maybe[str] = None
    url: Maybe[str] = None
    filename: Maybe[str] = None
    mime_type: Maybe[str] = None
    size_bytes: Maybe[int] = None
    duration_ms: Maybe[int] = None


class SentVoiceMemo(Words):
    """A voice memo of yours, as Linq confirms that it took it."""

    shown = ("id", "status")

    id: str
    chat: Maybe[Chat] = None
    from_: Word = Field(default="", validation_alias="from")
    """The line."""
    to: Some[str] = ()
    status: Word = ""
    created_at: Time = None
    service: Maybe[str] = None
    voice_memo: Maybe[VoiceFile] = None


class VoiceMemoResult(Words):
    """The answer to a voice memo."""

    shown = ("voice_memo",)

    voice_memo: SentVoiceMemo


class UploadTicket(Words):
    """Where to put the bytes of a file, within 15 minutes; its addresses are the permission, so they are not shown."""

    shown: ClassVar[tuple[str, ...]] = ("attachment_id", "expires_at")

    attachment_id: str
    upload_url: str
    required_headers: Annotated[Mapping[str, str], Or({})] = {}
    """What the PUT must send along, exactly."""
    http_method: Word = "PUT"
    download_url: Maybe[str] = None
    expires_at: Time = None


class Attachment(Words):
    """A file at Linq."""

    shown = ("id", "content_type", "size_bytes", "status")

    id: str
    filename: Word = ""
    content_type: Word = ""
    size_bytes: Maybe[int] = None
    status: Word = ""
    """`pending`, `complete` or `failed`; deprecated by Linq."""
    download_url: Maybe[str] = None
    """None while the file is not there."""
    created_at: Time = None
