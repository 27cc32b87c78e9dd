"""questions about lines -> typed answers. `bot.client.phone_numbers`: which there are, which to use, how they stand.

Source: linq-api-v3.md sections 7 and 7.7.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Literal

from linqbot.client.endpoint import Account, Endpoint
from linqbot.events.wire import Maybe, Some, Time, Word, Words


class Reputation(Words):
    """How Linq judges a line: a hint, in beta."""

    shown: ClassVar[tuple[str, ...]] = ("status",)

    status: Word = ""
    """`HEALTHY`, `AT_RISK` or `CRITICAL`; others may come."""
    doc_url: Maybe[str] = None


class Line(Words):
    """A phone number of the account."""

    id: str
    phone_number: str
    forwarding_number: Maybe[str] = None
    line_type: Maybe[str] = None
    """`iMessage` or `RCS`."""
    reputation: Maybe[Reputation] = None


class AvailableNumber(Words):
    """A line to write from, and a contact to hand out."""

    shown = ()

    phone_number: str
    vcf_url: Maybe[str] = None
    """Expires."""


class Audit(Words):
    """A report about a line's reputation, readable for 24 hours."""

    shown = ("audit_id", "status")

    audit_id: str
    status: Word = ""
    """`pending`, `complete` or `error`; others may come."""
    phone: Maybe[str] = None
    generated_at: Time = None
    report: Maybe[dict[str, Any]] = None
    error: Maybe[str] = None


class Lines(Words):
    """All lines of the account."""

    phone_numbers: Some[Line] = ()


_LINES, _AUDITS = "/v3/phone_numbers", "/v3/phone_numbers/{}/reputation_audit"

_LIST = Endpoint("GET", _LINES, Lines)
_UPDATE = Endpoint("PUT", f"{_LINES}/{{}}", Line)
_AVAILABLE = Endpoint("GET", "/v3/available_number", AvailableNumber)
_START_AUDIT = Endpoint("POST", _AUDITS, Audit)
_GET_AUDIT = Endpoint("GET", f"{_AUDITS}/{{}}", Audit)


class PhoneNumbers:
    """Lines of the account."""

    def __init__(self, account: Account) -> None:
        self._account = account

    async def list(self) -> tuple[Line, ...]:
        """All lines."""
        return (await self._account.ask(_LIST)).phone_numbers

    async def forward(self, line_id: str, forwarding_number: str | None) -> Line:
        """Forward calls of a line to another number, or no longer (None). Raises `NotFound` for an unknown line."""
        return await self._account.ask(_UPDATE, line_id, body={"forwarding_number": forwarding_number})

    async def available(
        self,
        *,
        to: Sequence[str] = (),
        exclude_from: Sequence[str] = (),
        type_: Literal["iMessage", "RCS"] | None = None,
    ) -> AvailableNumber:
        """A line to begin a chat from: for onboarding, not before each send. Nothing is reserved; `to` stays with the line
        of a chat that exists. Raises `ServerTrouble` when none is free.
        """
        query = {"to": [*to], "exclude_from": [*exclude_from], "type": type_}
        return await self._account.ask(_AVAILABLE, query=query)

    async def start_audit(self, phone_number: str) -> Audit:
        """Have a report about a line made; ask for it by its `audit_id` until it is no longer `pending`."""
        return await self._account.ask(_START_AUDIT, phone_number)

    async def audit(self, phone_number: str, audit_id: str) -> Audit:
        """A report, as far as it is made."""
        return await self._account.ask(_GET_AUDIT, phone_number, audit_id)
