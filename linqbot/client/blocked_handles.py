"""whom the account blocks -> typed answers. `bot.client.blocked_handles` (linq-api-v3.md section 7.7)."""

from __future__ import annotations

from typing import Annotated, ClassVar

from linqbot.client.endpoint import Account, Deed, Endpoint, given
from linqbot.events.wire import Maybe, Or, Some, Time, Word, Words


class BlockedHandle(Words):
    """Somebody whose messages are dropped without a webhook, and to whom nothing is sent directly."""

    shown: ClassVar[tuple[str, ...]] = ("blocked_at",)

    handle: Word = ""
    blocked_at: Time = None
    reason: Maybe[str] = None


class BlockedHandleList(Words):
    """Everybody who is blocked."""

    shown = ()

    blocked_handles: Some[BlockedHandle] = ()


class BlockResult(Words):
    """The answer to a block."""

    shown = ()

    blocked_handle: Annotated[BlockedHandle, Or(BlockedHandle())] = BlockedHandle()


_BLOCKED = "/v3/blocked_handles"

_LIST = Endpoint("GET", _BLOCKED, BlockedHandleList)
_BLOCK = Endpoint("POST", _BLOCKED, BlockResult)
_UNBLOCK = Deed("DELETE", _BLOCKED)


class BlockedHandles:
    """Whom the account blocks: phone numbers, e-mail addresses, short codes, sender ids."""

    def __init__(self, account: Account) -> None:
        self._account = account

    async def list(self) -> tuple[BlockedHandle, ...]:
        """Everybody who is blocked, the newest first."""
        return (await self._account.ask(_LIST)).blocked_handles

    async def block(self, handle: str, *, reason: str | None = None) -> BlockedHandle:
        """Block somebody in direct chats; groups are not affected. A repeat changes nothing."""
        return (await self._account.ask(_BLOCK, body=given(handle=handle, reason=reason))).blocked_handle

    async def unblock(self, handle: str) -> None:
        """Block somebody no longer."""
        await self._account.do(_UNBLOCK, body={"handle": handle})
