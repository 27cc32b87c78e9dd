"""questions about webhooks -> typed answers. `bot.client.subscriptions`, as `linqbot webhooks sync` uses it, too.

Source: linq-api-v3.md sections 7 and 8.1.
"""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from linqbot.client.endpoint import Account, Deed, Endpoint, given
from linqbot.events.wire import Maybe, Some, Words


class Subscription(BaseModel):
    """A webhook subscription; fields that nobody knows yet are kept."""

    model_config = ConfigDict(frozen=True, extra="allow", hide_input_in_errors=True)

    id: str
    target_url: str
    subscribed_events: tuple[str, ...]
    phone_numbers: tuple[str, ...] | None = Field(default=None, repr=False)
    """The lines it is for; None or empty: all."""
    is_active: bool = True
    signing_secret: SecretStr | None = None
    """Told only once, by `create`."""


class SubscriptionList(BaseModel):
    """All subscriptions of the account."""

    subscriptions: tuple[Subscription, ...]


class EventTypes(Words):
    """What can be subscribed to."""

    shown = ("doc_url",)

    events: Some[str] = ()
    doc_url: Maybe[str] = None


_HOOKS, _HOOK = "/v3/webhook-subscriptions", "/v3/webhook-subscriptions/{}"

_LIST = Endpoint("GET", _HOOKS, SubscriptionList)
_CREATE = Endpoint("POST", _HOOKS, Subscription)
_GET = Endpoint("GET", _HOOK, Subscription)
_UPDATE = Endpoint("PUT", _HOOK, Subscription)
_DELETE = Deed("DELETE", _HOOK)
_TYPES = Endpoint("GET", "/v3/webhook-events", EventTypes)


class Subscriptions:
    """Where Linq sends which events."""

    def __init__(self, account: Account) -> None:
        self._account = account

    async def list(self) -> tuple[Subscription, ...]:
        """All subscriptions of the account, without their secrets."""
        return (await self._account.ask(_LIST)).subscriptions

    async def get(self, subscription_id: str) -> Subscription:
        """A subscription, without its secret. Raises `NotFound`."""
        return await self._account.ask(_GET, subscription_id)

    async def create(
        self, target_url: str, events: Sequence[str], *, phone_numbers: Sequence[str] = ()
    ) -> Subscription:
        """Create a subscription; its `signing_secret` is told now and never again.

        A URL may be used once per account, so a repeat is refused. Without `phone_numbers` it is for all lines. The version
        of the payload belongs into the URL: `?version=2026-02-03`.
        """
        body = given(target_url=target_url, subscribed_events=[*events], phone_numbers=[*phone_numbers] or None)
        return await self._account.ask(_CREATE, body=body)

    async def update(
        self,
        subscription_id: str,
        *,
        target_url: str | None = None,
        events: Sequence[str] | None = None,
        phone_numbers: Sequence[str] | None = None,
        is_active: bool | None = None,
    ) -> Subscription:
        """Change what is given and leave the rest; the secret stays. A repeat changes nothing more."""
        body = given(
            target_url=target_url,
            subscribed_events=None if events is None else [*events],
            phone_numbers=None if phone_numbers is None else [*phone_numbers],
            is_active=is_active,
        )
        return await self._account.ask(_UPDATE, subscription_id, body=body)

    async def delete(self, subscription_id: str) -> None:
        """Delete a subscription; deliveries stop at once. With `create` the way to a new secret."""
        await self._account.do(_DELETE, subscription_id)

    async def event_types(self) -> tuple[str, ...]:
        """Every type of event that can be subscribed to."""
        return (await self._account.ask(_TYPES)).events
