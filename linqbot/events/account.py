"""foreign JSON -> Event. What happens around the chats: lines, contact cards, locations, payments, the account itself."""

from __future__ import annotations

from typing import Any

from linqbot.events.event import Event
from linqbot.events.wire import Maybe, Time, Word, Words


class LineChanged(Event):
    """A line of yours changed: `phone_number.status_updated`, `.assigned`, `.released`."""

    shown = ("event_id", "type", "new_status", "new_reputation")

    phone_number: Word = ""
    previous_status: Maybe[str] = None
    new_status: Maybe[str] = None
    """`ACTIVE` or `FLAGGED`; others may come; only in `status_updated`."""
    previous_reputation: Maybe[str] = None
    new_reputation: Maybe[str] = None
    """`HEALTHY`, `AT_RISK` or `CRITICAL`; others may come; only in `status_updated`."""
    changed_at: Time = None


class ContactCardReceived(Event):
    """Somebody, the `sender`, shared name and picture with a line of yours: `contact_card.received`."""

    owner_handle: Word = ""
    """The line that it was shared with."""
    first_name: Word = ""
    last_name: Word = ""
    media_url: Maybe[str] = None
    """May expire within 45 minutes."""


class LocationSharing(Event):
    """Somebody, the `sender`, began or stopped to share where they are: `location.sharing.*`; holds no coordinates."""

    shared_by: Word = ""
    shared_with: Word = ""
    began_at: Time = None
    ends_at: Time = None
    """None: open-ended."""
    ended_at: Time = None

    @property
    def started(self) -> bool:
        """Whether they began."""
        return self.type.endswith(".started")


class PaymentUpdated(Event):
    """A payment request went on: `payment.*`. Linq's samples contradict its schema; what is not named here is kept."""

    shown = ("event_id", "type", "id", "status")

    id: Maybe[str] = None
    status: Maybe[str] = None
    amount: Maybe[int] = None
    """In the smallest unit of `currency`."""
    currency: Maybe[str] = None
    mode: Maybe[str] = None
    description: Maybe[str] = None
    metadata: Maybe[dict[str, Any]] = None
    """What you gave the request along."""
    checkout_url: Maybe[str] = None
    made_at: Time = None
    """When the request was made (`created_at` of the payload)."""
    updated_at: Time = None


class ConnectionUpdated(Event):
    """Somebody connected a way to pay, or revoked it: `connection.created`, `connection.revoked`."""

    shown = ("event_id", "type", "status")

    handle: Word = ""
    status: Maybe[str] = None


class Actor(Words):
    """Who did something to the account."""

    shown = ("type", "id")

    type: Maybe[str] = None
    id: Maybe[str] = None
    name: Maybe[str] = None
    email: Maybe[str] = None


class AccountEvent(Event):
    """Something was done to your account at Linq. Unordered and best effort; can announce the subscription itself.

    The object that it is about is an attribute named like the first word of `type`, as Linq sends it.
    """

    shown = ("event_id", "type", "origin")

    summary: Word = ""
    occurred_at: Time = None
    actor: Maybe[Actor] = None
    origin: Maybe[str] = None
    """`dashboard`, `api` or `linq`; others may come."""
    change: Maybe[dict[str, Any]] = None
    """What it was and is, by field; the values' types are not documented."""
