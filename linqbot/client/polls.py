"""questions about polls -> typed answers. `bot.client.polls`: make one, read it, vote (linq-api-v3.md section 7.7)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, ClassVar

from linqbot.client.endpoint import Account, Endpoint, given
from linqbot.events import PartReaction, Poll
from linqbot.events.wire import Maybe, Or, Some, Time, Words


class StoredPoll(Words):
    """A poll as it stands: the message that it is, its options, and who chose what."""

    shown: ClassVar[tuple[str, ...]] = ("message_id", "chat_id", "poll")

    message_id: str
    chat_id: Maybe[str] = None
    poll: Annotated[Poll, Or(Poll())] = Poll()
    reactions: Some[PartReaction] = ()
    created_at: Time = None
    updated_at: Time = None


_POLL = "/v3/messages/{}/poll"

_CREATE = Endpoint("POST", "/v3/chats/{}/polls", StoredPoll)
_GET = Endpoint("GET", _POLL, StoredPoll)
_ADD = Endpoint("POST", f"{_POLL}/options", StoredPoll)
_VOTE = Endpoint("POST", f"{_POLL}/votes", StoredPoll)


class Polls:
    """Polls in iMessage chats. A poll has no title: say what it is about before."""

    def __init__(self, account: Account) -> None:
        self._account = account

    async def create(self, chat_id: str, options: Sequence[str], *, idempotency_key: str | None = None) -> StoredPoll:
        """Make a poll of two options or more in a chat that exists; a repeat is seen twice unless both have one key."""
        body = {"poll": given(options=_options(options), idempotency_key=idempotency_key)}
        return await self._account.ask(_CREATE, chat_id, body=body)

    async def get(self, message_id: str) -> StoredPoll:
        """A poll, by the id of its message. Raises `NotFound`."""
        return await self._account.ask(_GET, message_id)

    async def add_options(self, message_id: str, options: Sequence[str]) -> StoredPoll:
        """Add options; none can be taken away. On a line that keeps nothing, repeat the existing ones first."""
        return await self._account.ask(_ADD, message_id, body={"options": _options(options)})

    async def vote(self, message_id: str, option_id: str) -> StoredPoll:
        """Choose an option with your line; a repeat changes nothing."""
        return await self._account.ask(_VOTE, message_id, body={"operation": "add", "option_id": option_id})

    async def unvote(self, message_id: str, option_id: str) -> StoredPoll:
        """Take your line's choice of an option back."""
        return await self._account.ask(_VOTE, message_id, body={"operation": "remove", "option_id": option_id})


def _options(texts: Sequence[str]) -> list[dict[str, str]]:
    return [{"text": text} for text in texts]
