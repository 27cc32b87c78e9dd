"""foreign JSON -> Chat. Who talks, and where: handles, chats and how healthy they are (linq-api-v3.md section 5)."""

from __future__ import annotations

from pydantic import Field

from linqbot.events.wire import Flag, Maybe, Some, Time, Word, Words


class Handle(Words):
    """Somebody in a chat: a phone number in E.164 or an e-mail address, and what Linq knows of it.

    The same person can appear under several handles, and what `id` means across chats is not documented.
    """

    id: Maybe[str] = None
    handle: Word = ""
    """`""` when Linq did not say."""
    is_me: Flag = False
    """Whether it is one of your own lines."""
    service: Maybe[str] = None
    status: Maybe[str] = None
    """`active`, `left` or `removed`; others may come."""
    joined_at: Time = None
    left_at: Time = None
    line_type: Maybe[str] = None
    """`iMessage` or `RCS` of one of your own lines."""


class Health(Words):
    """How Linq judges a chat: a hint, in beta; what is enforced is the answer to a send."""

    shown = ("status",)

    status: Word = ""
    """`HEALTHY`, `AT_RISK`, `CRITICAL` or `OPTED_OUT`; others may come."""
    doc_url: Maybe[str] = None
    updated_at: Time = None


class Chat(Words):
    """Where something happened. Webhooks say little about it: what they leave out is None or empty."""

    id: str
    is_group: Maybe[bool] = None
    """None: the webhook did not say (linq-api-v3.md section 9.6)."""
    line: Maybe[Handle] = Field(default=None, validation_alias="owner_handle")
    """Your own handle in it."""
    health: Maybe[Health] = Field(default=None, validation_alias="health_status")
    display_name: Maybe[str] = None
    service: Maybe[str] = None
    handles: Some[Handle] = ()
    """Everybody who is or was in it, you included."""
    created_at: Time = None
    updated_at: Time = None
