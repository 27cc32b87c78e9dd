"""questions about the account -> typed answers. Webhook subscriptions and lines, as `linqbot webhooks sync` needs them.

Every function raises the `ApiError` that Linq answered with, `NotSent` or `OutcomeUnknown` when no answer came, and
`LinqError` when a success cannot be read. Source: linq-api-v3.md sections 7 and 8.1.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Protocol, TypeVar

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError

from linqbot.client.errors import error_of
from linqbot.errors import LinqError
from linqbot.protocol.answer import Answer
from linqbot.records import Request

_PATH = "/v3/webhook-subscriptions"


class Sender(Protocol):
    """What carries a request to Linq: `client.http.LinqClient`."""

    async def send(self, request: Request) -> Answer:
        """One exchange, whatever the answer's status. Raises `NotSent` or `OutcomeUnknown`."""
        ...


class Subscription(BaseModel):
    """A webhook subscription; fields that nobody knows yet are kept."""

    model_config = ConfigDict(frozen=True, extra="allow")

    id: str
    target_url: str
    subscribed_events: tuple[str, ...]
    phone_numbers: tuple[str, ...] | None = Field(default=None, repr=False)
    """The lines it is for; None or empty: all."""
    is_active: bool = True
    signing_secret: SecretStr | None = None
    """Told only once, by `subscribe`."""


class Line(BaseModel):
    """A phone number of the account."""

    model_config = ConfigDict(frozen=True, extra="allow")

    id: str
    phone_number: str = Field(repr=False)


class _Subscriptions(BaseModel):
    subscriptions: tuple[Subscription, ...]


class _Lines(BaseModel):
    phone_numbers: tuple[Line, ...]


async def subscriptions(client: Sender) -> tuple[Subscription, ...]:
    """All subscriptions of the account, without their secrets."""
    return (await _asked(client, Request(method="GET", path=_PATH), _Subscriptions)).subscriptions


async def subscribe(
    client: Sender, *, target_url: str, events: Sequence[str], phone_numbers: Sequence[str] = ()
) -> Subscription:
    """Create a subscription; its `signing_secret` is told now and never again.

    A URL may be used once per account, so a repeat is refused. Without `phone_numbers` it is for all lines. The version
    of the payload belongs into the URL: `?version=2026-02-03`.
    """
    wanted: dict[str, object] = {"target_url": target_url, "subscribed_events": list(events)}
    if phone_numbers:
        wanted["phone_numbers"] = list(phone_numbers)
    return await _asked(client, Request(method="POST", path=_PATH, body=_json(wanted)), Subscription)


async def resubscribe(
    client: Sender,
    subscription_id: str,
    *,
    target_url: str | None = None,
    events: Sequence[str] | None = None,
    is_active: bool | None = None,
) -> Subscription:
    """Change what is given and leave the rest; the secret stays. A repeat changes nothing more."""
    changes = {
        "target_url": target_url,
        "subscribed_events": None if events is None else list(events),
        "is_active": is_active,
    }
    told = {name: change for name, change in changes.items() if change is not None}
    return await _asked(
        client, Request(method="PUT", path=f"{_PATH}/{subscription_id}", body=_json(told)), Subscription
    )


async def unsubscribe(client: Sender, subscription_id: str) -> None:
    """Delete a subscription; deliveries stop at once. With `subscribe` the way to a new secret."""
    answer = await client.send(Request(method="DELETE", path=f"{_PATH}/{subscription_id}"))
    if not 200 <= answer.status < 300:
        raise error_of(answer.status, answer.headers, answer.body)


async def lines(client: Sender) -> tuple[Line, ...]:
    """The phone numbers of the account."""
    return (await _asked(client, Request(method="GET", path="/v3/phone_numbers"), _Lines)).phone_numbers


_Model = TypeVar("_Model", bound=BaseModel)


async def _asked(client: Sender, request: Request, model: type[_Model]) -> _Model:
    answer = await client.send(request)
    if not 200 <= answer.status < 300:
        raise error_of(answer.status, answer.headers, answer.body)
    try:
        return model.model_validate_json(answer.body)
    except ValidationError as error:
        fields = sorted({".".join(map(str, problem["loc"])) for problem in error.errors()})
        unread = (
            f"{request.method} {request.path} was answered {answer.status} with a body that cannot be read: {fields}"
        )
    raise LinqError(f"{unread}; check that LINQ_API_V3_BASE_URL is Linq's")


def _json(body: Mapping[str, object]) -> bytes:
    return json.dumps(body, separators=(",", ":")).encode()
