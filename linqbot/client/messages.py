"""questions about messages -> typed answers. `bot.client.messages`: say, read, change and react, one request for each call.

These are single requests: nothing is kept, paced, split or sent again as replies and `bot.send` are. Source:
linq-api-v3.md sections 4, 7.2, 7.5 and 7.6.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any, Literal

from linqbot.client.content import Content, message_of, several
from linqbot.client.endpoint import Account, Deed, Endpoint, given, read, request_of
from linqbot.client.types import (
    Accepted,
    MessagePage,
    RoutedResult,
    SendResult,
    SentVoiceMemo,
    StoredMessage,
    VoiceMemoResult,
)

_IN_CHAT, _MESSAGE = "/v3/chats/{}/messages", "/v3/messages/{}"

_SEND = Endpoint("POST", _IN_CHAT, SendResult)
_LIST = Endpoint("GET", _IN_CHAT, MessagePage)
_ROUTE = Endpoint("POST", "/v3/messages", RoutedResult)
_VOICE = Endpoint("POST", "/v3/chats/{}/voicememo", VoiceMemoResult)
_GET = Endpoint("GET", _MESSAGE, StoredMessage)
_EDIT = Endpoint("PATCH", _MESSAGE, StoredMessage)
_DELETE = Deed("DELETE", _MESSAGE)
_THREAD = Endpoint("GET", f"{_MESSAGE}/thread", MessagePage)
_REACT = Endpoint("POST", f"{_MESSAGE}/reactions", Accepted)
_MOVE = Endpoint("PATCH", f"{_MESSAGE}/reactions/{{}}", Accepted)
_UPDATE_CARD = Endpoint("POST", f"{_MESSAGE}/update", SendResult)

Order = Literal["asc", "desc"]


class Messages:
    """Messages of the account. Linq keeps none for long."""

    def __init__(self, account: Account) -> None:
        self._account = account

    async def send(
        self, chat_id: str, message: Content, *, idempotency_key: str | None = None, override_optout: bool | None = None
    ) -> SendResult:
        """Say something in a chat. A repeat is seen twice unless both have the same `idempotency_key` (up to 255
        characters), also after `OutcomeUnknown` and `ServerTrouble`.
        """
        body = given(message=message_of(message, idempotency_key), override_optout=override_optout)
        return await self._account.ask(_SEND, chat_id, body=body)

    async def send_anywhere(
        self,
        to: str | Sequence[str],
        message: Content,
        *,
        idempotency_key: str | None = None,
        exclude_from: Sequence[str] | None = None,
        continuation: str | None = None,
        override_optout: bool | None = None,
    ) -> RoutedResult:
        """Say something to one person or to a group of up to 31, and let Linq pick line and chat.

        `exclude_from` are lines not to begin a chat from; `continuation` is said instead when a flagged line is left for
        another. A repeat is seen twice unless both have the same `idempotency_key`.
        """
        body = given(
            to=several(to),
            message=message_of(message, idempotency_key),
            exclude_from=None if exclude_from is None else several(exclude_from),
            continuation_message=None if continuation is None else {"text": continuation},
            override_optout=override_optout,
        )
        return await self._account.ask(_ROUTE, body=body)

    async def send_voice_memo(
        self,
        chat_id: str,
        *,
        url: str | None = None,
        attachment_id: str | None = None,
        override_optout: bool | None = None,
    ) -> SentVoiceMemo:
        """Send a voice memo, by exactly one of HTTPS URL and attachment; there is no key, so a repeat is heard twice."""
        body = given(voice_memo_url=url, attachment_id=attachment_id, override_optout=override_optout)
        return (await self._account.ask(_VOICE, chat_id, body=body)).voice_memo

    async def get(self, message_id: str) -> StoredMessage:
        """A message, yours or theirs. Raises `NotFound`, also when Linq keeps it no longer."""
        return await self._account.ask(_GET, message_id)

    async def list(self, chat_id: str, *, limit: int | None = None) -> AsyncIterator[StoredMessage]:
        """All messages of a chat that Linq keeps, page after page; their order is not documented."""
        async for page in self._account.pages(_LIST, chat_id, query={"limit": limit}):
            for message in page.messages:
                yield message

    async def page(self, chat_id: str, *, limit: int | None = None, cursor: str | None = None) -> MessagePage:
        """One page of a chat's messages, of 1 to 100 (`limit`, 50 unless told)."""
        return await self._account.ask(_LIST, chat_id, query={"limit": limit, "cursor": cursor})

    async def thread(
        self, message_id: str, *, order: Order | None = None, limit: int | None = None
    ) -> AsyncIterator[StoredMessage]:
        """The thread that a message belongs to, page after page, oldest first unless `order="desc"`."""
        async for page in self._account.pages(_THREAD, message_id, query={"order": order, "limit": limit}):
            for message in page.messages:
                yield message

    async def thread_page(
        self, message_id: str, *, order: Order | None = None, limit: int | None = None, cursor: str | None = None
    ) -> MessagePage:
        """One page of a thread, of 1 to 100 (`limit`, 50 unless told)."""
        query = {"order": order, "limit": limit, "cursor": cursor}
        return await self._account.ask(_THREAD, message_id, query=query)

    async def edit(self, message_id: str, text: str, *, part_index: int = 0) -> StoredMessage | None:
        """Change a text of yours, by iMessage, up to 5 times within 15 minutes; None: edited, but Linq has no record of it.

        The same edit again uses up another of the five.
        """
        request = request_of(_EDIT, message_id, body={"text": text, "part_index": part_index})
        answer = await self._account.answered(request)
        return None if answer.status == 204 else read(request, answer, StoredMessage)

    async def delete(self, message_id: str) -> None:
        """Have Linq forget a message; on the phones it stays."""
        await self._account.do(_DELETE, message_id)

    async def react(
        self,
        message_id: str,
        type_: str,
        *,
        part_index: int = 0,
        custom_emoji: str | None = None,
        emoji: str | None = None,
        url: str | None = None,
        attachment_id: str | None = None,
        placement: Mapping[str, float] | None = None,
    ) -> Accepted:
        """React: `love like dislike laugh emphasize question`, `custom` with `custom_emoji`, or `sticker` by exactly one of
        `emoji`, `url` and `attachment_id`, with its `placement` (`x`, `y`, `scale`, `rotation`).
        """
        body = given(
            operation="add",
            type=type_,
            part_index=part_index,
            custom_emoji=custom_emoji,
            emoji=emoji,
            url=url,
            attachment_id=attachment_id,
            placement=None if placement is None else dict(placement),
        )
        return await self._account.ask(_REACT, message_id, body=body)

    async def unreact(
        self, message_id: str, type_: str, *, part_index: int = 0, custom_emoji: str | None = None
    ) -> Accepted:
        """Take a reaction back; stickers stay."""
        body = given(operation="remove", type=type_, part_index=part_index, custom_emoji=custom_emoji)
        return await self._account.ask(_REACT, message_id, body=body)

    async def move_sticker(self, message_id: str, reaction_id: str, placement: Mapping[str, float]) -> Accepted:
        """Put a sticker of yours elsewhere."""
        return await self._account.ask(_MOVE, message_id, reaction_id, body={"placement": dict(placement)})

    async def update_card(
        self,
        message_id: str,
        layout: Mapping[str, Any],
        *,
        url: str | None = None,
        fallback_text: str | None = None,
        interactive: bool | None = None,
    ) -> SendResult:
        """Replace a card of an iMessage app; the result holds the card's new message id."""
        body = given(layout=dict(layout), url=url, fallback_text=fallback_text, interactive=interactive)
        return await self._account.ask(_UPDATE_CARD, message_id, body=body)
