"""Call -> Answer for webhook subscriptions: linq-api-v3.md section 8.1."""

from __future__ import annotations

import re
from collections.abc import Sequence
from importlib.resources import files
from ipaddress import ip_address
from typing import Any
from urllib.parse import parse_qs

import httpx

from linqbot.emulator import choices, fields, payloads, shapes
from linqbot.emulator.entities import Json, Subscription
from linqbot.emulator.linq import Linq
from linqbot.emulator.operation import Call, ok
from linqbot.emulator.problems import Problem
from linqbot.emulator.wire import Answer

EVENT_TYPES = tuple(files("linqbot.emulator").joinpath("event_types.txt").read_text("ascii").split())
"""Every event type one can subscribe to, in Linq's order (`response.webhook_events.list.json`)."""

_HEADER = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,255}", re.ASCII)
_DOCS = "https://docs.linqapp.com/channel/imessage/guides/webhooks/events"


def list_event_types(_linq: Linq, _call: Call) -> Answer:
    """GET /v3/webhook-events."""
    return ok({"events": list(EVENT_TYPES), "doc_url": _DOCS})


def create_subscription(linq: Linq, call: Call) -> Answer:
    """POST /v3/webhook-subscriptions: the only answer with the secret."""
    body = fields.mapping(call.body, "body")
    if body.get("target_url") is None:
        raise fields.missing("target_url")
    routing = _routing(body)
    one = subscribe(
        linq,
        body["target_url"],
        _events(body.get("subscribed_events")),
        phone_numbers=_phones(body.get("phone_numbers")),
    )
    _set_routing(one, routing)
    return ok(shapes.subscription(one) | {"signing_secret": one.secret}, 201)


def subscribe(
    linq: Linq, target_url: Any, events: Sequence[str], *, phone_numbers: tuple[str, ...] | None = None
) -> Subscription:
    """Add a subscription."""
    version = _check_target(linq, target_url, None)
    now_ms = linq.clock.now_ms()
    one = Subscription(
        id=linq.names.uuid(),
        target_url=target_url,
        secret=linq.names.secret(),
        version=version,
        events=tuple(events),
        phone_numbers=phone_numbers,
        created_ms=now_ms,
        updated_ms=now_ms,
    )
    linq.world.subscriptions[one.id] = one
    return one


def list_subscriptions(linq: Linq, _call: Call) -> Answer:
    """GET /v3/webhook-subscriptions."""
    return ok({"subscriptions": [shapes.subscription(one) for one in linq.world.subscriptions.values()]})


def get_subscription(linq: Linq, call: Call) -> Answer:
    """GET /v3/webhook-subscriptions/{subscriptionId}."""
    return ok(shapes.subscription(_found(linq, call)))


def update_subscription(linq: Linq, call: Call) -> Answer:
    """PUT /v3/webhook-subscriptions/{subscriptionId}: what is not named stays; the secret always stays."""
    one, body = _found(linq, call), fields.mapping(call.body, "body")
    events = None if body.get("subscribed_events") is None else _events(body["subscribed_events"])
    phones = _phones(body.get("phone_numbers"))
    routing = _routing(body)
    active = fields.flag(body["is_active"], "is_active") if body.get("is_active") is not None else one.is_active
    if body.get("target_url") is not None:
        one.version = _check_target(linq, body["target_url"], one)
        one.target_url = body["target_url"]
    one.events = one.events if events is None else events
    one.phone_numbers = phones if "phone_numbers" in body else one.phone_numbers
    one.is_active = active
    _set_routing(one, routing)
    one.updated_ms = linq.clock.now_ms()
    return ok(shapes.subscription(one))


def delete_subscription(linq: Linq, call: Call) -> Answer:
    """DELETE /v3/webhook-subscriptions/{subscriptionId}: nothing more is delivered."""
    del linq.world.subscriptions[_found(linq, call).id]
    return Answer(204)


def _found(linq: Linq, call: Call) -> Subscription:
    one = linq.world.subscriptions.get(call.params["subscriptionId"])
    if one is None:
        raise Problem(404, 2010, "Webhook subscription not found")
    return one


def _events(given: Any) -> tuple[str, ...]:
    events = fields.listing(given, "subscribed_events", least=1, most=len(EVENT_TYPES))
    if any(event not in EVENT_TYPES for event in events):
        raise fields.value("subscribed_events holds an unknown event type")
    return tuple(dict.fromkeys(events))


def _phones(given: Any) -> tuple[str, ...] | None:
    if given is None or given == []:
        return None
    return tuple(
        fields.phone(one, "phone_numbers") for one in fields.listing(given, "phone_numbers", least=0, most=100)
    )


def _routing(body: Json) -> dict[str, Any]:
    """The routing headers that a request names; null and "" clear one."""
    named: dict[str, Any] = {
        name: body[name] or None for name in ("routing_key_header", "routing_id_header") if name in body
    }
    if any(not (one is None or (isinstance(one, str) and _HEADER.fullmatch(one))) for one in named.values()):
        raise fields.value("a routing header must be the name of an HTTP header")
    return named


def _set_routing(one: Subscription, routing: dict[str, Any]) -> None:
    for name, header in routing.items():
        setattr(one, name, header)
        one.tokens.clear()


def _check_target(linq: Linq, url: Any, current: Subscription | None) -> str:
    """The payload version a target asks for; refuses a target that cannot be used."""
    parts = fields.split_url(url)
    # choices.LOOPBACK_TARGETS
    secure = parts.scheme == "https" or (parts.scheme == "http" and _is_loopback(parts.hostname))
    if not _is_reachable(url) or not parts.hostname or not (secure or linq.tuning.any_target):
        raise Problem(*choices.BAD_TARGET, "target_url must be an HTTPS URL")
    if any(one.target_url == url and one is not current for one in linq.world.subscriptions.values()):
        raise Problem(*choices.DUPLICATE_TARGET, "target_url is already used by another subscription")
    version: str = parse_qs(parts.query).get("version", [payloads.NEW])[-1]
    if version not in payloads.VERSIONS:
        raise Problem(*choices.UNKNOWN_VERSION, "Unknown webhook version")
    return version


def _is_reachable(url: Any) -> bool:
    try:
        return isinstance(url, str) and " " not in url and bool(httpx.URL(url).host)
    except httpx.InvalidURL:
        return False


def _is_loopback(host: str | None) -> bool:
    if host is None or host == "localhost" or host.endswith(".localhost"):
        return host is not None
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
