"""Webhooks: who gets what, how it is signed, what follows an answer, and when it is tried again."""

from __future__ import annotations

import asyncio
import socket
from itertools import pairwise
from typing import Any

import httpx
import pytest
from standardwebhooks import Webhook

from linqbot.emulator.app import Emulator
from linqbot.emulator.names import Names
from linqbot.emulator.postman import ATTEMPTS, LONGEST_DELAY_MS, delay_ms
from linqbot.emulator.signing import sign
from linqbot.testing.clock import TurnedClock
from tests.emulator.conftest import LINE, PERSON
from tests.emulator.keys import fixture
from tests.emulator.listener import URL, Listener, Received
from tests.emulator.wording import says

OURS = ["message.sent", "message.delivered", "message.read"]


@pytest.mark.parametrize(
    "vector",
    [one for one in fixture("signing-vectors")["standard_webhooks"]["vectors"] if one["valid"]],
    ids=lambda vector: vector["name"],
)
def test_signatures_are_those_of_the_vectors(vector: dict[str, Any]) -> None:
    """The standard signature of each good vector is made again, byte for byte."""
    headers = sign(
        vector["secret"],
        webhook_id=vector["id"],
        timestamp=int(vector["timestamp"]),
        body=vector["body"].encode(),
    )

    assert headers["webhook-signature"] in vector["headers"]["webhook-signature"].split(" ")


@pytest.mark.parametrize(
    "vector",
    [one for one in fixture("signing-vectors")["legacy"]["vectors"] if one["valid"]],
    ids=lambda vector: vector["name"],
)
def test_legacy_signatures_are_those_of_the_vectors(vector: dict[str, Any]) -> None:
    """The legacy signature of each good vector is made again."""
    headers = sign(vector["secret"], webhook_id="any", timestamp=int(vector["timestamp"]), body=vector["body"].encode())

    assert headers["x-webhook-signature"] == vector["expected_signature"]


async def test_every_webhook_carries_both_header_sets(emulator: Emulator, listener: Listener) -> None:
    """The standard library of Standard Webhooks verifies a delivery, and the legacy headers name event and subscription."""
    subscription = emulator.subscribe(URL, ["message.received"])
    await emulator.inbound(PERSON, text="Hello!")
    await emulator.quiet()
    (one,) = listener.got

    verified = Webhook(subscription.secret).verify(one.raw.decode(), one.headers)

    assert verified == one.event
    assert one.headers["webhook-id"] == one.event["event_id"]
    assert one.headers["x-webhook-event"] == "message.received"
    assert one.headers["x-webhook-subscription-id"] == subscription.id
    assert one.headers["x-webhook-timestamp"] == one.headers["webhook-timestamp"]
    assert len(one.headers["x-webhook-signature"]) == 64


async def test_a_first_message_announces_its_chat_first(emulator: Emulator, listener: Listener) -> None:
    """chat.created comes before message.received for a new chat, and never again (a choice)."""
    emulator.subscribe(URL)

    await emulator.inbound(PERSON, text="Hello!")
    await emulator.inbound(PERSON, text="Hello again!")
    await emulator.quiet()

    assert listener.types() == ["chat.created", "message.received", "message.received"]


async def test_inbound_says_what_was_announced(emulator: Emulator, listener: Listener) -> None:
    """The ids that `inbound` returns are those of the webhook."""
    emulator.subscribe(URL, ["message.received"])

    arrived = await emulator.inbound(PERSON, text="Hello!", to=LINE)
    await emulator.quiet()

    event = listener.only("message.received").event
    assert event["event_id"] == arrived.event_id
    assert event["data"]["id"] == arrived.message_id
    assert event["data"]["chat"]["id"] == arrived.chat_id
    assert event["data"]["parts"] == [{"type": "text", "value": "Hello!"}]


async def test_one_trace_id_from_the_call_to_read(
    api: httpx.AsyncClient, emulator: Emulator, listener: Listener, chat_id: str
) -> None:
    """sent, delivered and read carry the trace id and key of the call that caused them (section 8.4)."""
    emulator.subscribe(URL, OURS)

    answer = await api.post(f"/v3/chats/{chat_id}/messages", json=says(idempotency_key="k"))
    await emulator.quiet()

    assert listener.types() == OURS
    assert {one.event["trace_id"] for one in listener.got} == {answer.headers["x-trace-id"]}
    assert {one.event["data"]["idempotency_key"] for one in listener.got} == {"k"}
    assert len({one.event["event_id"] for one in listener.got}) == 3


@pytest.mark.parametrize(
    ("service", "preferred", "told", "events"),
    [
        ("iMessage", None, "iMessage", OURS),
        ("RCS", None, "RCS", OURS),
        ("SMS", None, "SMS", OURS[:1]),
        ("iMessage", "SMS", "SMS", OURS[:1]),
        ("RCS", "SMS", "RCS", OURS),
    ],
)
async def test_receipts_depend_on_the_service(
    api: httpx.AsyncClient,
    emulator: Emulator,
    listener: Listener,
    service: str,
    preferred: str | None,
    told: str,
    events: list[str],
) -> None:
    """iMessage and RCS tell of delivery and reading, SMS never does (sections 6.2 and 9.3)."""
    emulator.subscribe(URL, OURS)
    arrived = await emulator.inbound(PERSON, text="Hello!", service=service)

    await api.post(f"/v3/chats/{arrived.chat_id}/messages", json=says(preferred_service=preferred))
    await emulator.quiet()

    assert listener.types() == events
    assert {one.event["data"]["service"] for one in listener.got} == {told}


async def test_a_group_tells_only_of_sending(
    api: httpx.AsyncClient, emulator: Emulator, listener: Listener, group_id: str
) -> None:
    """Groups have no delivered and no read (section 9.3)."""
    emulator.subscribe(URL, OURS)

    await api.post(f"/v3/chats/{group_id}/messages", json=says())
    await emulator.quiet()

    assert listener.types() == ["message.sent"]
    assert listener.got[0].event["data"]["chat"]["is_group"] is True


async def test_imessage_or_nothing_fails_where_there_is_none(
    api: httpx.AsyncClient, emulator: Emulator, listener: Listener
) -> None:
    """preferred_service iMessage does not fall back: accepted, then failed, and nobody hears it (section 6.2)."""
    emulator.subscribe(URL, [*OURS, "message.failed"])
    arrived = await emulator.inbound(PERSON, text="Hello!", service="SMS")

    await api.post(f"/v3/chats/{arrived.chat_id}/messages", json=says(preferred_service="iMessage"))
    await emulator.quiet()

    assert listener.types() == ["message.failed"]
    assert emulator.messages() == []


async def test_the_message_read_back_follows_its_webhooks(
    api: httpx.AsyncClient, emulator: Emulator, chat_id: str
) -> None:
    """GET of a message shows pending at first and read at last."""
    sent = (await api.post(f"/v3/chats/{chat_id}/messages", json=says())).json()["message"]
    await emulator.quiet()

    read = (await api.get(f"/v3/messages/{sent['id']}")).json()

    assert (sent["delivery_status"], read["delivery_status"], read["is_read"]) == ("pending", "read", True)


async def test_an_opt_out_is_told_with_the_word(emulator: Emulator, listener: Listener) -> None:
    """The webhook that carries STOP already reads OPTED_OUT (a choice, as in the fixture)."""
    emulator.subscribe(URL, ["message.received"])

    await emulator.inbound(PERSON, text="STOP")
    await emulator.quiet()

    health = listener.got[0].event["data"]["chat"]["health_status"]
    theirs = fixture("message.received.2026-02-03.opt-out")["data"]["chat"]["health_status"]
    assert (health["status"], health["doc_url"]) == (theirs["status"], theirs["doc_url"])


async def test_only_what_was_subscribed_is_delivered(emulator: Emulator, listener: Listener) -> None:
    """Types that were not subscribed, lines that are filtered and paused subscriptions get nothing."""
    emulator.subscribe(f"{URL}?a", ["message.sent"])
    emulator.subscribe(f"{URL}?b", ["message.received"], phone_numbers=["+12025550101"])
    emulator.subscribe(f"{URL}?c", ["message.received"]).is_active = False

    await emulator.inbound(PERSON, text="Hello!", to=LINE)
    await emulator.quiet()

    assert listener.got == []


async def test_each_subscription_gets_the_same_event(emulator: Emulator, listener: Listener) -> None:
    """Two subscriptions get one event id, each in its own payload version and under its own secret."""
    old = emulator.subscribe(f"{URL}?version=2025-01-01", ["message.received"])
    new = emulator.subscribe(f"{URL}?version=2026-02-03", ["message.received"])

    await emulator.inbound(PERSON, text="Hello!")
    await emulator.quiet()

    by_version = {one.event["webhook_version"]: one for one in listener.got}
    assert len({one.event["event_id"] for one in listener.got}) == 1
    Webhook(old.secret).verify(by_version["2025-01-01"].raw.decode(), by_version["2025-01-01"].headers)
    Webhook(new.secret).verify(by_version["2026-02-03"].raw.decode(), by_version["2026-02-03"].headers)


async def test_a_failing_target_is_tried_ten_times(emulator: Emulator, listener: Listener, clock: TurnedClock) -> None:
    """5xx is tried ten times over about 25 minutes, each time signed anew; then the event is lost (section 8.3)."""
    subscription = emulator.subscribe(URL, ["message.received"])
    listener.answers.extend([500, 503, 429, None, *[500] * 20])
    began_ms = clock.now_ms()
    await emulator.inbound(PERSON, text="Hello!")
    await emulator.quiet()

    waits_s = []
    while emulator.deliveries()[0]["state"] == "waiting":
        tried = len(listener.got)
        before_ms = clock.now_ms()
        while len(listener.got) == tried:
            clock.advance(seconds=1)
            await emulator.quiet()
        waits_s.append((clock.now_ms() - before_ms) / 1000)

    (delivery,) = emulator.deliveries()
    assert (delivery["state"], len(listener.got), len(delivery["attempts"])) == ("lost", ATTEMPTS, ATTEMPTS)
    assert [one["status"] for one in delivery["attempts"]][:4] == [500, 503, 429, None]
    assert 20 * 60 < (clock.now_ms() - began_ms) / 1000 < 30 * 60
    assert all(later >= earlier for earlier, later in pairwise(waits_s[:7]))
    assert max(waits_s) <= 602
    assert len({one.headers["webhook-id"] for one in listener.got}) == 1
    assert len({one.headers["webhook-signature"] for one in listener.got}) == ATTEMPTS
    assert all(one.headers["webhook-signature"] == _again(subscription.secret, one) for one in listener.got)


def _again(secret: str, one: Received) -> str:
    headers, raw = one.headers, one.raw
    return sign(secret, webhook_id=headers["webhook-id"], timestamp=int(headers["webhook-timestamp"]), body=raw)[
        "webhook-signature"
    ]


def test_no_retry_delay_exceeds_ten_minutes() -> None:
    """Delays double from a few seconds up to the cap."""
    delays = [delay_ms(attempt, Names(1)) for attempt in range(1, ATTEMPTS)]

    assert delays[0] < 4_000
    assert max(delays) == LONGEST_DELAY_MS
    assert 22 * 60_000 < sum(delays) < 27 * 60_000


async def test_a_retry_that_succeeds_is_the_last(emulator: Emulator, listener: Listener, clock: TurnedClock) -> None:
    """After a 2xx nothing more is delivered."""
    emulator.subscribe(URL, ["message.received"])
    listener.answers.extend([503])
    await emulator.inbound(PERSON, text="Hello!")
    await emulator.quiet()
    clock.advance(seconds=4)
    await emulator.quiet()

    clock.advance(hours=1)
    await emulator.quiet()

    assert len(listener.got) == 2
    assert emulator.deliveries()[0]["state"] == "delivered"


@pytest.mark.parametrize("status", [400, 401, 404, 410, 301])
async def test_other_refusals_are_final(
    emulator: Emulator, listener: Listener, clock: TurnedClock, status: int
) -> None:
    """A 4xx other than 429 drops the event for good (section 8.3); so does a redirect (a choice)."""
    emulator.subscribe(URL, ["message.received"])
    listener.answers.append(status)
    await emulator.inbound(PERSON, text="Hello!")
    await emulator.quiet()

    clock.advance(hours=1)
    await emulator.quiet()

    assert len(listener.got) == 1
    assert emulator.deliveries()[0]["state"] == "refused"


async def test_a_target_that_is_silent_is_tried_again(
    emulator: Emulator, listener: Listener, clock: TurnedClock
) -> None:
    """No answer within 10 s counts as a failure, and is retried (section 8.3)."""
    emulator.subscribe(URL, ["message.received"])
    listener.gate = asyncio.Event()
    await emulator.inbound(PERSON, text="Hello!")
    await listener.holds(1)
    clock.advance(seconds=10)
    await emulator.quiet()
    listener.gate.set()

    clock.advance(seconds=4)
    await emulator.quiet()

    (delivery,) = emulator.deliveries()
    assert [one["error"] for one in delivery["attempts"]] == ["timeout", None]
    assert delivery["state"] == "delivered"


async def test_nobody_at_the_target_is_tried_again(clock: TurnedClock) -> None:
    """A refused connection is a network error and waits for its retry (section 8.3)."""
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    async with Emulator(clock=clock) as emulator:
        emulator.subscribe(f"http://127.0.0.1:{port}/hook", ["message.received"])
        await emulator.inbound(PERSON, text="Hello!")
        await emulator.quiet()

        (delivery,) = emulator.deliveries()

    assert (delivery["state"], delivery["attempts"][0]["status"]) == ("waiting", None)


class _Nowhere(httpx.AsyncBaseTransport):
    """A network without names."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("no such host") from socket.gaierror(socket.EAI_NONAME, "unknown")


async def test_a_host_that_does_not_exist_is_final(clock: TurnedClock) -> None:
    """A name that cannot be resolved is not retried (section 8.3)."""
    async with Emulator(clock=clock, transport=_Nowhere()) as emulator:
        emulator.subscribe(URL, ["message.received"])
        await emulator.inbound(PERSON, text="Hello!")
        await emulator.quiet()

        (delivery,) = emulator.deliveries()

    assert (delivery["state"], delivery["attempts"][0]["error"]) == ("refused", "host not found")


async def test_a_deleted_subscription_gets_no_retry(
    api: httpx.AsyncClient, emulator: Emulator, listener: Listener, clock: TurnedClock
) -> None:
    """DELETE stops deliveries at once, waiting retries included (section 8.1)."""
    subscription = emulator.subscribe(URL, ["message.received"])
    listener.answers.append(503)
    await emulator.inbound(PERSON, text="Hello!")
    await emulator.quiet()

    await api.delete(f"/v3/webhook-subscriptions/{subscription.id}")
    clock.advance(hours=1)
    await emulator.quiet()

    assert len(listener.got) == 1
    assert emulator.deliveries()[0]["state"] == "cancelled"


@pytest.mark.parametrize("at_once", [1, 4])
async def test_deliveries_to_a_target_are_bounded(clock: TurnedClock, listener: Listener, at_once: int) -> None:
    """No more than `at_once` webhooks are under way to one target, and all arrive."""
    transport = httpx.ASGITransport(app=listener.app)
    async with Emulator(clock=clock, transport=transport, at_once=at_once) as emulator:
        emulator.subscribe(URL, ["message.received"])
        listener.gate = asyncio.Event()
        for number in range(20):
            await emulator.inbound(PERSON, text=str(number))
        await listener.holds(at_once)
        listener.gate.set()
        await emulator.quiet()

    assert (len(listener.got), listener.most_inside) == (20, at_once)


async def test_one_at_a_time_is_in_order(clock: TurnedClock, listener: Listener) -> None:
    """With at_once=1 webhooks arrive in the order of their events."""
    transport = httpx.ASGITransport(app=listener.app)
    async with Emulator(clock=clock, transport=transport, at_once=1) as emulator:
        emulator.subscribe(URL, ["message.received"])
        sent = [(await emulator.inbound(PERSON, text=str(number))).event_id for number in range(20)]
        await emulator.quiet()

    assert [one.event["event_id"] for one in listener.got] == sent


async def test_any_event_can_be_delivered(emulator: Emulator, listener: Listener) -> None:
    """`deliver` signs and posts an envelope as it is, and says what was answered."""
    subscription = emulator.subscribe(URL)
    listener.answers.append(401)
    envelope = fixture("poll.vote.added")

    status = await emulator.deliver(envelope, URL)

    assert status == 401
    assert listener.got[0].event == envelope
    Webhook(subscription.secret).verify(listener.got[0].raw.decode(), listener.got[0].headers)


async def test_the_same_seed_gives_the_same_ids(clock: TurnedClock, listener: Listener) -> None:
    """A seed makes runs comparable."""

    async def first_ids() -> object:
        async with Emulator(clock=clock, transport=httpx.ASGITransport(app=listener.app), seed=3) as emulator:
            return await emulator.inbound(PERSON, text="Hello!")

    assert await first_ids() == await first_ids()
