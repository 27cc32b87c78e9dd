"""an address -> what reaches it. `bot.client.capabilities` (linq-api-v3.md section 7.4): true for minutes, not for days."""

from __future__ import annotations

from typing import ClassVar

from linqbot.client.endpoint import Account, Endpoint, given
from linqbot.events.wire import Flag, Maybe, Word, Words


class Capability(Words):
    """Whether a service reaches somebody."""

    shown: ClassVar[tuple[str, ...]] = ("available", "reason", "selected_service")

    address: Word = ""
    available: Flag = False
    reason: Maybe[str] = None
    """`not_supported` when it does not; others may come."""
    selected_service: Maybe[str] = None
    """By what a message would go; None: Linq could not tell."""


_IMESSAGE = Endpoint("POST", "/v3/capability/check_imessage", Capability)
_RCS = Endpoint("POST", "/v3/capability/check_rcs", Capability)


class Capabilities:
    """Who can be reached how."""

    def __init__(self, account: Account) -> None:
        self._account = account

    async def imessage(self, address: str, *, from_: str | None = None) -> Capability:
        """Whether a phone number or e-mail address has iMessage, seen from your line `from_`."""
        return await self._account.ask(_IMESSAGE, body=given(address=address, from_=from_))

    async def rcs(self, phone_number: str, *, from_: str | None = None) -> Capability:
        """Whether a phone number has RCS, seen from your line `from_`. `ServerTrouble` means unknown, and not no."""
        return await self._account.ask(_RCS, body=given(address=phone_number, from_=from_))
