"""whom the account blocks -> typed answers. `bot.client.blocked_handles` (linq-api-v3.md section 7.7)."""

from __future__ import annotations

from contextlib import suppress
from typing import Annotated, ClassVar

from linqbot.client.endpoint import Account, Deed, Endpoint, given
from linqbot.client.uploads import Memory
from linqbot.clock import Clock
from linqbot.errors import StoreUnavailable
from linqbot.events.wire import Maybe, Or, Some, Time, Word, Words
from linqbot.protocol.guard import blocked


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

    def __init__(self, account: Account, *, memory: Memory, clock: Clock) -> None:
        self._account = account
        self._memory = memory
        self._clock = clock

    async def list(self) -> tuple[BlockedHandle, ...]:
        """Everybody who is blocked, the newest first."""
        return (await self._account.ask(_LIST)).blocked_handles

    async def block(self, handle: str, *, reason: str | None = None) -> BlockedHandle:
        """Block somebody in direct chats; groups are not affected. A repeat changes nothing. A running bot's sends to them
        stop.
        """
        result = await self._account.ask(_BLOCK, body=given(handle=handle, reason=reason))
        await self._learn(handle, yes=True)
        return result.blocked_handle

    async def unblock(self, handle: str) -> None:
        """Block somebody no longer; a running bot's sends to them go on."""
        await self._account.do(_UNBLOCK, body={"handle": handle})
        await self._learn(handle, yes=False)

    async def _learn(self, handle: str, *, yes: bool) -> None:
        """It is done at Linq: whether it is also known here is not worth an error, for Linq will tell."""
        with suppress(StoreUnavailable):
            await self._memory.learn([blocked(handle, yes=yes, now_ms=self._clock.now_ms())])
