"""The control API over HTTP, as a script in any language would use it (design.md section 9)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from linqbot.clock import SystemClock
from linqbot.emulator.app import Emulator
from linqbot.errors import LinqbotError
from linqbot.testing.clock import TurnedClock
from tests.emulator.conftest import LINE, PERSON
from tests.emulator.listener import URL, Listener
from tests.emulator.wording import says


@pytest.fixture
async def control(emulator: Emulator) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the control API."""
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app=emulator.app), base_url="http://linq.test/_control"
    ) as client:
        yield client


async def test_somebody_writes(control: httpx.AsyncClient, emulator: Emulator, listener: Listener) -> None:
    """POST inbound answers with the ids of what it caused."""
    emulator.subscribe(URL, ["message.received"])

    ids = (await control.post("/inbound", json={"from": PERSON, "to": LINE, "text": "Hello!"})).json()
    await emulator.quiet()

    event = listener.got[0].event
    assert ids == {
        "event_id": event["event_id"],
        "message_id": event["data"]["id"],
        "chat_id": event["data"]["chat"]["id"],
    }


async def test_somebody_writes_in_a_group(control: httpx.AsyncClient, api: httpx.AsyncClient) -> None:
    """`group` names the other people; the same people are the same chat, whoever writes."""
    one = {"from": PERSON, "to": LINE, "text": "Hello!", "group": ["+12025551111"]}
    two = {"from": "+12025551111", "to": LINE, "text": "Hello!", "group": [PERSON, LINE]}

    first = (await control.post("/inbound", json=one)).json()
    second = (await control.post("/inbound", json=two)).json()

    chat = (await api.get(f"/v3/chats/{first['chat_id']}")).json()
    assert first["chat_id"] == second["chat_id"]
    assert (chat["is_group"], [one["handle"] for one in chat["handles"]]) == (True, [LINE, PERSON, "+12025551111"])


async def test_somebody_sends_media_as_a_reply(
    control: httpx.AsyncClient, emulator: Emulator, listener: Listener, chat_id: str
) -> None:
    """`parts`, `service` and `reply_to` arrive in the webhook; media is filled up to Linq's shape."""
    emulator.subscribe(URL, ["message.received"])
    media = {"type": "media", "url": "https://cdn.linqapp.com/a/photo.png"}
    target = "347d62c2-2170-4754-8d30-c76d0c727d96"
    body = {"from": PERSON, "to": LINE, "parts": [media], "service": "RCS", "reply_to": target}

    await control.post("/inbound", json=body)
    await emulator.quiet()

    data = listener.got[0].event["data"]
    assert data["parts"][0] | media == data["parts"][0]
    assert (data["parts"][0]["mime_type"], data["service"]) == ("image/png", "RCS")
    assert data["reply_to"] == {"message_id": target, "part_index": 0}


async def test_parts_may_be_anything(
    control: httpx.AsyncClient, api: httpx.AsyncClient, emulator: Emulator, listener: Listener
) -> None:
    """Parts that nobody has heard of go to the bot as they are: so one tests what a bot makes of them."""
    emulator.subscribe(URL, ["message.received"])
    parts = [{"type": "hologram", "beams": 3}, {"untyped": True}]

    ids = (await control.post("/inbound", json={"from": PERSON, "parts": parts})).json()
    await emulator.quiet()

    assert listener.got[0].event["data"]["parts"] == parts
    assert (await api.get(f"/v3/chats/{ids['chat_id']}/messages")).status_code == 200


async def test_the_same_ids_are_the_same_message(
    control: httpx.AsyncClient, emulator: Emulator, listener: Listener, api: httpx.AsyncClient
) -> None:
    """Given ids make a repeat: announced again, not stored again."""
    emulator.subscribe(URL, ["message.received"])
    body = {"from": PERSON, "text": "Hello!", "event_id": "e", "message_id": "347d62c2-2170-4754-8d30-c76d0c727d96"}

    ids = (await control.post("/inbound", json=body)).json()
    await control.post("/inbound", json=body)
    await emulator.quiet()

    listed = (await api.get(f"/v3/chats/{ids['chat_id']}/messages")).json()["messages"]
    assert [one.event["event_id"] for one in listener.got] == ["e", "e"]
    assert [one["id"] for one in listed] == [body["message_id"]]


@pytest.mark.parametrize(
    "body",
    [
        {"to": LINE, "text": "Hi"},
        {"from": "nobody", "text": "Hi"},
        {"from": PERSON, "to": "+12025559999", "text": "Hi"},
        {"from": LINE, "to": LINE, "text": "Hi"},
        {"from": PERSON},
        {"from": PERSON, "parts": "Hi"},
        {"from": PERSON, "text": "Hi", "service": "pigeon"},
        {"from": PERSON, "text": "Hi", "chat_id": "00000000-0000-4000-8000-000000000000"},
        {"from": PERSON, "text": "Hi", "reply_to": 7},
        {"from": PERSON, "text": "Hi", "reply_to": {"part_index": 0}},
        [],
    ],
    ids=[
        *("nobody", "no handle", "no line", "itself", "nothing", "no parts"),
        *("no service", "no chat", "no reply", "no target", "no object"),
    ],
)
async def test_nonsense_is_refused(control: httpx.AsyncClient, body: Any) -> None:
    """A description that makes no sense is 400, and nothing happens."""
    assert (await control.post("/inbound", json=body)).status_code == 400


async def test_the_transcript_shows_each_phone(
    control: httpx.AsyncClient, api: httpx.AsyncClient, emulator: Emulator, chat_id: str
) -> None:
    """Each message once, in the order of acceptance, with what the phone shows; repeats have collapsed."""
    for key in ("a", "b", "a"):
        await api.post(f"/v3/chats/{chat_id}/messages", json=says(key, idempotency_key=key))

    phones = (await control.get("/transcript")).json()["phones"]

    assert [one["parts"][0]["value"] for one in phones[PERSON]] == ["a", "b"]
    assert set(phones[PERSON][0]) == {
        *("message_id", "chat_id", "parts", "reply_to", "effect", "idempotency_key", "at"),
    }
    assert phones == emulator.transcript()["phones"]


async def test_trouble_over_http(control: httpx.AsyncClient, api: httpx.AsyncClient, chat_id: str) -> None:
    """POST faults makes the next matching requests fail."""
    fault = {"match": "sendMessageToChat", "count": 1, "kind": "429", "retry_after": 3}

    made = await control.post("/faults", json=fault)

    answer = await api.post(f"/v3/chats/{chat_id}/messages", json=says())
    assert (made.status_code, answer.status_code, answer.headers["retry-after"]) == (200, 429, "3")


@pytest.mark.parametrize("fault", [{"kind": "earthquake"}, {"kind": "500", "magnitude": 8}, {}])
async def test_trouble_that_does_not_exist(control: httpx.AsyncClient, fault: dict[str, Any]) -> None:
    """An unknown fault is 400."""
    assert (await control.post("/faults", json=fault)).status_code == 400


async def test_the_clock_is_turned(control: httpx.AsyncClient, clock: TurnedClock) -> None:
    """POST clock moves time on, GET clock shows it."""
    before_ms = clock.now_ms()

    turned = (await control.post("/clock", json={"advance": 3600})).json()

    assert turned["now_ms"] >= before_ms + 3_600_000
    assert (await control.get("/clock")).json()["offset_ms"] == 3_600_000


async def test_turning_the_clock_makes_retries_due(
    control: httpx.AsyncClient, emulator: Emulator, listener: Listener
) -> None:
    """A webhook that waits for its retry is delivered when its time has come."""
    emulator.subscribe(URL, ["message.received"])
    listener.answers.append(503)
    await emulator.inbound(PERSON, text="Hello!")
    await emulator.quiet()

    await control.post("/clock", json={"advance": 4})
    await emulator.quiet()

    (delivery,) = (await control.get("/deliveries")).json()["deliveries"]
    assert [one["status"] for one in delivery["attempts"]] == [503, 200]


@pytest.mark.parametrize("advance", [-1, "1", None])
async def test_time_does_not_run_back(control: httpx.AsyncClient, advance: Any) -> None:
    """A clock is only turned forward, by a number."""
    assert (await control.post("/clock", json={"advance": advance})).status_code == 400


async def test_a_real_clock_is_not_turned() -> None:
    """On the machine's own clock the control API says that it cannot."""
    emulator = Emulator(clock=SystemClock())
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app=emulator.app), base_url="http://linq.test"
    ) as client:
        assert (await client.post("/_control/clock", json={"advance": 1})).status_code == 400


async def test_the_requests_are_kept(control: httpx.AsyncClient, api: httpx.AsyncClient, chat_id: str) -> None:
    """GET requests shows each request with its key, its answer and whether it was a replay."""
    for _ in range(2):
        await api.post(f"/v3/chats/{chat_id}/messages", json=says(idempotency_key="k"))

    seen = (await control.get("/requests")).json()

    shown = ("method", "path", "operation", "idempotency_key", "status", "replayed")
    path = f"/v3/chats/{chat_id}/messages"
    assert [tuple(one[name] for name in shown) for one in seen["requests"]] == [
        ("POST", path, "sendMessageToChat", "k", 202, False),
        ("POST", path, "sendMessageToChat", "k", 202, True),
    ]
    assert seen["counters"] == {"replays": 1}


async def test_a_reset_forgets_everything(
    control: httpx.AsyncClient, api: httpx.AsyncClient, emulator: Emulator, chat_id: str
) -> None:
    """After a reset nobody said anything, nobody subscribed, and the lines are there."""
    emulator.subscribe(URL)
    emulator.fault("500")
    await api.post(f"/v3/chats/{chat_id}/typing")

    await control.post("/reset")

    assert (await control.get("/transcript")).json() == {"phones": {}}
    assert (await control.get("/requests")).json()["requests"] == []
    assert (await api.get("/v3/webhook-subscriptions")).json() == {"subscriptions": []}
    assert (await api.post("/v3/chats", json={"from": LINE, "to": [PERSON], **says()})).status_code == 201


async def test_quiet_needs_a_running_emulator(clock: TurnedClock) -> None:
    """Waiting for an emulator that was never entered is an error, not for ever."""
    with pytest.raises(LinqbotError, match="not running"):
        await Emulator(clock=clock).quiet()
