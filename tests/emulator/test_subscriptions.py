"""Webhook subscriptions: creating, changing, refusing (linq-api-v3.md section 8.1)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from linqbot.emulator.app import Emulator
from linqbot.emulator.subscriptions import EVENT_TYPES
from linqbot.testing.clock import TurnedClock
from tests.emulator.conftest import LINE, PERSON
from tests.emulator.listener import URL, Listener

TARGET = "https://example.com/hook"
PATH = "/v3/webhook-subscriptions"


def wants(target: Any = TARGET, **more: Any) -> dict[str, Any]:
    """A request to subscribe to one event."""
    return {"target_url": target, "subscribed_events": ["message.received"], **more}


@pytest.fixture
async def strict(clock: TurnedClock) -> AsyncIterator[httpx.AsyncClient]:
    """A client of an emulator that delivers over the network, and so is strict about targets."""
    emulator = Emulator(clock=clock)
    transport = httpx.ASGITransport(app=emulator.app)
    headers = {"authorization": "Bearer any"}
    async with (
        emulator,
        httpx.AsyncClient(transport=transport, base_url="http://linq.test/api/partner", headers=headers) as client,
    ):
        yield client


async def test_the_secret_is_shown_once(api: httpx.AsyncClient) -> None:
    """Only the answer to creation holds the signing secret."""
    created = (await api.post(PATH, json=wants())).json()

    read = (await api.get(f"{PATH}/{created['id']}")).json()
    listed = (await api.get(PATH)).json()["subscriptions"]

    assert created["signing_secret"].startswith("whsec_")
    assert "signing_secret" not in read
    assert listed == [read]


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"subscribed_events": ["message.received"]}, 400, 1001),
        ({"target_url": TARGET}, 400, 1001),
        (wants(subscribed_events=[]), 400, 1005),
        (wants(subscribed_events=["message.imagined"]), 400, 1005),
        (wants("ftp://example.com"), 400, 1005),
        (wants("http://example.com"), 400, 1005),
        (wants("http://10.0.0.1/hook"), 400, 1005),
        (wants("https://[broken"), 400, 1005),
        (wants(7), 400, 1005),
        (wants(f"{TARGET}?version=2020-01-01"), 400, 1005),
        (wants(phone_numbers=["5551234"]), 400, 1002),
    ],
    ids=[
        *("no target", "no events", "empty events", "unknown event", "not http", "plain http", "private address"),
        *("broken URL", "a number", "unknown version", "filter not E.164"),
    ],
)
async def test_a_subscription_that_cannot_be_made(
    strict: httpx.AsyncClient, body: dict[str, Any], status: int, code: int
) -> None:
    """Wrong targets, events and filters are refused by code."""
    answer = await strict.post(PATH, json=body)

    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)


@pytest.mark.parametrize("host", ["localhost:8000", "127.0.0.1:8000", "[::1]:8000", "bot.localhost"])
async def test_loopback_targets_are_let_in(strict: httpx.AsyncClient, host: str) -> None:
    """Plain http is fine to the own machine, unlike at Linq (section 10)."""
    answer = await strict.post(PATH, json=wants(f"http://{host}/hook"))

    assert answer.status_code == 201


async def test_a_target_is_used_once(api: httpx.AsyncClient) -> None:
    """A second subscription of the same URL is 409/2015 (a choice); another query string is another URL."""
    await api.post(PATH, json=wants())

    again = await api.post(PATH, json=wants())
    varied = await api.post(PATH, json=wants(f"{TARGET}?line=1"))

    assert (again.status_code, again.json()["error"]["code"], varied.status_code) == (409, 2015, 201)


async def test_what_is_not_named_stays(api: httpx.AsyncClient) -> None:
    """PUT changes only what it names."""
    created = (await api.post(PATH, json=wants(phone_numbers=[LINE]))).json()

    changed = (await api.put(f"{PATH}/{created['id']}", json={"subscribed_events": ["message.sent"]})).json()

    assert changed["subscribed_events"] == ["message.sent"]
    assert (changed["target_url"], changed["phone_numbers"]) == (TARGET, [LINE])


@pytest.mark.parametrize("empty", [None, []])
async def test_the_phone_filter_is_removed_by_null_or_nothing(api: httpx.AsyncClient, empty: Any) -> None:
    """phone_numbers null or [] means all lines."""
    created = (await api.post(PATH, json=wants(phone_numbers=[LINE]))).json()

    changed = (await api.put(f"{PATH}/{created['id']}", json={"phone_numbers": empty})).json()

    assert changed["phone_numbers"] is None


async def test_a_subscription_may_keep_its_own_target(api: httpx.AsyncClient) -> None:
    """PUT with the URL it already has is no duplicate."""
    created = (await api.post(PATH, json=wants())).json()

    answer = await api.put(f"{PATH}/{created['id']}", json={"target_url": TARGET})

    assert answer.status_code == 200


async def test_a_new_target_may_change_the_version(
    api: httpx.AsyncClient, emulator: Emulator, listener: Listener
) -> None:
    """The payload version follows the target URL."""
    created = (await api.post(PATH, json=wants(URL))).json()
    await api.put(f"{PATH}/{created['id']}", json={"target_url": f"{URL}?version=2025-01-01"})

    await emulator.inbound(PERSON, text="Hello!")
    await emulator.quiet()

    assert listener.got[0].event["webhook_version"] == "2025-01-01"


async def test_a_pause_holds_and_ends(api: httpx.AsyncClient, emulator: Emulator, listener: Listener) -> None:
    """is_active false stops deliveries, true starts them again."""
    created = (await api.post(PATH, json=wants(URL))).json()
    await api.put(f"{PATH}/{created['id']}", json={"is_active": False})
    await emulator.inbound(PERSON, text="unheard")
    await api.put(f"{PATH}/{created['id']}", json={"is_active": True})

    await emulator.inbound(PERSON, text="heard")
    await emulator.quiet()

    assert [one.event["data"]["parts"][0]["value"] for one in listener.got] == ["heard"]


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
async def test_a_subscription_that_is_not_there(api: httpx.AsyncClient, method: str) -> None:
    """An unknown subscription is 404/2010."""
    answer = await api.request(method, f"{PATH}/unknown", json={})

    assert (answer.status_code, answer.json()["error"]["code"]) == (404, 2010)


async def test_a_deleted_subscription_is_gone(api: httpx.AsyncClient) -> None:
    """DELETE is 204, and then it is not found."""
    created = (await api.post(PATH, json=wants())).json()

    answer = await api.delete(f"{PATH}/{created['id']}")

    assert answer.status_code == 204
    assert (await api.get(f"{PATH}/{created['id']}")).status_code == 404


async def test_everything_is_subscribed_unless_said(emulator: Emulator) -> None:
    """`subscribe` without events wants all 75."""
    subscription = emulator.subscribe(URL)

    assert (subscription.events, len(EVENT_TYPES)) == (EVENT_TYPES, 75)


async def test_a_chat_goes_on_where_it_was_answered(
    api: httpx.AsyncClient, emulator: Emulator, listener: Listener
) -> None:
    """Section 8.1: the chat's id until a 2xx answer brings a token, then that token, for each chat its own."""
    body = {"target_url": URL, "subscribed_events": ["message.received"], "routing_key_header": "X-Route"}
    one = (await api.post("/v3/webhook-subscriptions", json=body)).json()["id"]
    listener.headers = {"X-Route": "worker-7"}
    listener.answers.append(503)

    chat_id = (await emulator.inbound(PERSON, text="1", to=LINE)).chat_id  # a refusal teaches nothing
    for text in ("2", "3"):
        await emulator.quiet()
        await emulator.inbound(PERSON, text=text, to=LINE)
    await emulator.quiet()
    other = (await emulator.inbound("+12025551111", text="Hi", to=LINE)).chat_id
    await emulator.quiet()
    await api.put(f"/v3/webhook-subscriptions/{one}", json={"routing_id_header": "X-Chat"})
    await emulator.inbound(PERSON, text="4", to=LINE)
    await emulator.quiet()
    await api.put(f"/v3/webhook-subscriptions/{one}", json={"routing_key_header": ""})
    await emulator.inbound(PERSON, text="5", to=LINE)
    await emulator.quiet()

    names = ("linq-chat-id", "x-chat", "x-route")
    assert [{name: got.headers[name] for name in names if name in got.headers} for got in listener.got] == [
        {"linq-chat-id": chat_id},
        {"linq-chat-id": chat_id},
        {"x-route": "worker-7"},
        {"linq-chat-id": other},
        {"x-chat": chat_id},
        {},
    ]
