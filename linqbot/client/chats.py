"""questions about chats -> typed answers. `bot.client.chats`: who talks where, and what can be done to a chat itself.

Source: linq-api-v3.md sections 7.1, 7.3 and 7.4. What is accepted first and done later says so; its outcome comes by
webhook.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

from linqbot.client.content import Content, message_of, several
from linqbot.client.endpoint import Account, Deed, Endpoint, given
from linqbot.client.types import Accepted, ChatPage, StartResult, StoredChat

_CHATS, _CHAT = "/v3/chats", "/v3/chats/{}"

_LIST = Endpoint("GET", _CHATS, ChatPage)
_CREATE = Endpoint("POST", _CHATS, StartResult)
_GET = Endpoint("GET", _CHAT, StoredChat)
_UPDATE = Endpoint("PUT", _CHAT, Accepted)
_ADD = Endpoint("POST", f"{_CHAT}/participants", Accepted)
_REMOVE = Endpoint("DELETE", f"{_CHAT}/participants", Accepted)
_LEAVE = Endpoint("POST", f"{_CHAT}/leave", Accepted)
_START_TYPING = Deed("POST", f"{_CHAT}/typing")
_STOP_TYPING = Deed("DELETE", f"{_CHAT}/typing")
_READ = Deed("POST", f"{_CHAT}/read")
_SHARE_CARD = Deed("POST", f"{_CHAT}/share_contact_card")


class Chats:
    """Chats of the account."""

    def __init__(self, account: Account) -> None:
        self._account = account

    async def list(
        self, *, from_: str | None = None, to: str | None = None, limit: int | None = None
    ) -> AsyncIterator[StoredChat]:
        """All chats, page after page; `from_` is one of your lines, `to` somebody in it, `limit` the size of a page."""
        async for page in self._account.pages(_LIST, query={"from": from_, "to": to, "limit": limit}):
            for chat in page.chats:
                yield chat

    async def page(
        self, *, from_: str | None = None, to: str | None = None, limit: int | None = None, cursor: str | None = None
    ) -> ChatPage:
        """One page of chats, of 1 to 100 (`limit`, 20 unless told); `cursor` is the `next_cursor` of the page before."""
        return await self._account.ask(_LIST, query={"from": from_, "to": to, "limit": limit, "cursor": cursor})

    async def get(self, chat_id: str) -> StoredChat:
        """A chat, who is in it and how healthy it is. Raises `NotFound`."""
        return await self._account.ask(_GET, chat_id)

    async def create(
        self,
        from_: str,
        to: str | Sequence[str],
        message: Content,
        *,
        idempotency_key: str | None = None,
        override_optout: bool | None = None,
    ) -> StartResult:
        """Open a chat of your line `from_` with one person or 2 to 31 with this message; a chat with exactly these people
        is used again.

        The first message may hold no link, URL, effect or `reply_to`. A repeat is seen twice unless both have the same
        `idempotency_key`.
        """
        told = message_of(message, idempotency_key)
        body = given(from_=from_, to=several(to), message=told, override_optout=override_optout)
        return await self._account.ask(_CREATE, body=body)

    async def rename(self, chat_id: str, name: str) -> Accepted:
        """Give a group another name, later. Raises `Unsupported` for a direct chat."""
        return await self._account.ask(_UPDATE, chat_id, body={"display_name": name})

    async def set_icon(self, chat_id: str, image_url: str) -> Accepted:
        """Give a group another picture, later. Raises `Unsupported` for a direct chat."""
        return await self._account.ask(_UPDATE, chat_id, body={"group_chat_icon": image_url})

    async def add_participant(self, chat_id: str, handle: str) -> Accepted:
        """Take somebody into an iMessage group of three or more, later."""
        return await self._account.ask(_ADD, chat_id, body={"handle": handle})

    async def remove_participant(self, chat_id: str, handle: str) -> Accepted:
        """Take somebody out of a group, later; three must remain."""
        return await self._account.ask(_REMOVE, chat_id, body={"handle": handle})

    async def leave(self, chat_id: str) -> Accepted:
        """Leave an iMessage group of four or more; from then on everything in it raises `ChatGone`."""
        return await self._account.ask(_LEAVE, chat_id)

    async def start_typing(self, chat_id: str) -> None:
        """Show that you type, for up to 90 seconds or until you send something; iMessage only, elsewhere without effect."""
        await self._account.do(_START_TYPING, chat_id)

    async def stop_typing(self, chat_id: str) -> None:
        """Show no longer that you type."""
        await self._account.do(_STOP_TYPING, chat_id)

    async def mark_read(self, chat_id: str) -> None:
        """Mark everything read; in a direct chat by iMessage or RCS they see it."""
        await self._account.do(_READ, chat_id)

    async def share_contact_card(self, chat_id: str) -> None:
        """Show who you are: your line's active contact card, in an iMessage chat you wrote to before."""
        await self._account.do(_SHARE_CARD, chat_id)
