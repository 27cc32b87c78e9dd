"""Trouble on request: in process, over real sockets, and on the way of webhooks."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from linqbot.emulator.app import API, Emulator
from linqbot.errors import ConfigurationError
from linqbot.testing.clock import TurnedClock
from tests.emulator.conftest import LINE, PERSON
from tests.emulator.listener import URL, Listener
from tests.emulator.served import served
from tests.emulator.wording import says

LOSSES: list[tuple[str, type[Exception], int]] = [
    ("reset", httpx.ReadError, 0),
    ("reset_after", httpx.ReadError, 1),
    ("timeout", httpx.ReadTimeout, 0),
    ("hang", httpx.ReadTimeout, 0),
    ("timeout_after", httpx.ReadTimeout, 1),
    ("half_body", httpx.RemoteProtocolError, 1),
]


@pytest.fixture
async def remote(emulator: Emulator) -> AsyncIterator[httpx.AsyncClient]:
    """A client that reaches the emulator over a socket, and is impatient."""
    async with (
        served(emulator.app) as address,
        httpx.AsyncClient(base_url=address + API, headers={"authorization": "Bearer any"}, timeout=0.3) as client,
    ):
        yield client


async def send(client: httpx.AsyncClient, chat_id: str, **more: Any) -> httpx.Response:
    """Send one text."""
    return await client.post(f"/v3/chats/{chat_id}/messages", json=says(**more))


@pytest.mark.parametrize(
    ("kind", "details", "status", "code"),
    [
        ("429", {}, 429, 1007),
        ("500", {}, 500, 3006),
        ("502", {}, 502, 3002),
        ("503", {}, 503, 4004),
        ("504", {}, 504, 3005),
        ("401", {}, 401, 2004),
        ("403", {"code": 2008}, 403, 2008),
        ("404", {"code": 2007}, 404, 2007),
        ("409", {"code": 2009}, 409, 2009),
        ("status", {"status": 418, "code": 9999}, 418, 9999),
    ],
)
async def test_a_status_on_request(
    api: httpx.AsyncClient,
    emulator: Emulator,
    chat_id: str,
    kind: str,
    details: dict[str, Any],
    status: int,
    code: int,
) -> None:
    """Any status and code can be had once, before anything is accepted; then all is well again."""
    emulator.fault(kind, **details)

    answer = await send(api, chat_id)

    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)
    assert emulator.messages() == []
    assert (await send(api, chat_id)).status_code == 202


async def test_a_500_after_acceptance_has_sent(api: httpx.AsyncClient, emulator: Emulator, chat_id: str) -> None:
    """After acceptance only the answer is lost; the repeat under the same key finds the message."""
    emulator.fault("500_after")

    answer = await send(api, chat_id, idempotency_key="k")

    assert (answer.status_code, len(emulator.messages())) == (500, 1)
    repeat = await send(api, chat_id, idempotency_key="k")
    assert repeat.json()["message"]["id"] == emulator.messages()[0].message_id
    assert len(emulator.messages()) == 1


@pytest.mark.parametrize(
    ("details", "header", "body"),
    [
        ({"retry_after": 7}, "7", 7),
        ({"retry_after": 7, "header_only": True}, "7", None),
        ({"retry_after": "soon"}, "soon", "soon"),
        ({"retry_after": -1}, "-1", -1),
        ({"retry_after": 10**12}, "1000000000000", 10**12),
        ({}, None, None),
    ],
    ids=["both", "header only", "a word", "negative", "absurd", "absent"],
)
async def test_a_rate_limit_says_what_it_is_told_to(
    api: httpx.AsyncClient, emulator: Emulator, chat_id: str, details: dict[str, Any], header: str | None, body: Any
) -> None:
    """Retry-After can be honest, header-only or absurd."""
    emulator.fault("429", **details)

    answer = await send(api, chat_id)

    assert (answer.headers.get("retry-after"), answer.json()["error"].get("retry_after")) == (header, body)


@pytest.mark.parametrize(("kind", "error", "sent"), LOSSES)
async def test_a_lost_answer_in_process(
    api: httpx.AsyncClient, emulator: Emulator, chat_id: str, kind: str, error: type[Exception], sent: int
) -> None:
    """In process a lost answer is the error that a client of httpx would see; `_after` has sent."""
    emulator.fault(kind)

    with pytest.raises(error):
        await send(api, chat_id)

    assert len(emulator.messages()) == sent


@pytest.mark.parametrize(("kind", "error", "sent"), LOSSES)
async def test_a_lost_answer_over_a_socket(
    remote: httpx.AsyncClient, emulator: Emulator, chat_id: str, kind: str, error: type[Exception], sent: int
) -> None:
    """Over a socket the connection is really reset, cut or left waiting; `_after` has sent."""
    emulator.fault(kind)

    with pytest.raises(error):
        await send(remote, chat_id)

    assert len(emulator.messages()) == sent
    assert (await send(remote, chat_id)).status_code == 202


async def test_slow_is_the_true_answer_later(
    api: httpx.AsyncClient, emulator: Emulator, clock: TurnedClock, chat_id: str
) -> None:
    """A slow request waits on the clock and is then answered as ever."""
    emulator.fault("slow", seconds=0.02)
    before_ms = clock.now_ms()

    answer = await send(api, chat_id)

    assert answer.status_code == 202
    assert clock.now_ms() - before_ms >= 19


async def test_an_html_page_instead_of_an_answer(api: httpx.AsyncClient, emulator: Emulator, chat_id: str) -> None:
    """An edge answers with a page (section 2)."""
    emulator.fault("html")

    answer = await send(api, chat_id)

    assert (answer.status_code, answer.headers["content-type"]) == (502, "text/html; charset=utf-8")
    assert answer.text.startswith("<!DOCTYPE html>")


async def test_a_redirect_instead_of_an_answer(api: httpx.AsyncClient, emulator: Emulator, chat_id: str) -> None:
    """A redirect names another host."""
    emulator.fault("redirect", location="https://evil.example/")

    answer = await send(api, chat_id)

    assert (answer.status_code, answer.headers["location"]) == (307, "https://evil.example/")


async def test_a_huge_body_instead_of_an_answer(remote: httpx.AsyncClient, emulator: Emulator, chat_id: str) -> None:
    """The body is as long as asked for."""
    emulator.fault("huge_body", size=1_000_000, status=202)

    answer = await send(remote, chat_id)

    assert (answer.status_code, len(answer.content)) == (202, 1_000_000)


async def test_a_client_may_leave_a_huge_body(remote: httpx.AsyncClient, emulator: Emulator, chat_id: str) -> None:
    """Whoever stops reading leaves the emulator in good health."""
    emulator.fault("huge_body", size=10**9)
    path = f"/v3/chats/{chat_id}/messages"
    async with remote.stream("POST", path, json=says()) as answer:
        await anext(answer.aiter_raw(1024))

    assert (await send(remote, chat_id)).status_code == 202


async def test_a_fault_counts_its_victims(api: httpx.AsyncClient, emulator: Emulator, chat_id: str) -> None:
    """`count` requests meet it, then no more."""
    emulator.fault("503", count=2)

    statuses = [(await send(api, chat_id)).status_code for _ in range(3)]

    assert statuses == [503, 503, 202]


@pytest.mark.parametrize(
    "match",
    ["getChat", "GET /v3/chats/*", "*"],
    ids=["operation", "method and path", "anything"],
)
async def test_a_fault_meets_only_what_it_matches(
    api: httpx.AsyncClient, emulator: Emulator, chat_id: str, match: str
) -> None:
    """A fault is for an operation, a pattern of method and path, or everything; unless said, for sends."""
    emulator.fault("500", match=match)

    assert (await api.get(f"/v3/chats/{chat_id}")).status_code == 500


async def test_unless_said_only_sends_are_met(api: httpx.AsyncClient, emulator: Emulator, chat_id: str) -> None:
    """Typing and reading pass by a fault that names nothing."""
    emulator.fault("500")

    assert (await api.post(f"/v3/chats/{chat_id}/typing")).status_code == 204
    assert (await send(api, chat_id)).status_code == 500


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v3/chats/{}/messages", says()),
        ("/v3/chats/{}/voicememo", {"voice_memo_url": "https://example.com/a.m4a"}),
        ("/v3/chats/{}/polls", {"poll": {"options": [{"text": "Tacos"}, {"text": "Ramen"}]}}),
        ("/v3/chats", {"from": LINE, "to": [PERSON], **says()}),
        ("/v3/messages", {"to": [PERSON], **says()}),
    ],
)
async def test_unless_said_every_way_to_send_is_met(
    api: httpx.AsyncClient, emulator: Emulator, chat_id: str, path: str, body: dict[str, Any]
) -> None:
    """Into a chat, to somebody by a line or by whichever, as a text, a voice memo or a poll."""
    emulator.fault("500")

    assert (await api.post(path.format(chat_id), json=body)).status_code == 500


async def test_a_message_can_fail_after_acceptance(
    api: httpx.AsyncClient, emulator: Emulator, listener: Listener, chat_id: str
) -> None:
    """`failed` is accepted, told as message.failed with the code asked for, and not heard."""
    emulator.subscribe(URL, ["message.sent", "message.failed"])
    emulator.fault("failed", code=4005, reason="Recipient cannot take this message type")

    answer = await send(api, chat_id)
    await emulator.quiet()

    data = listener.only("message.failed").event["data"]
    assert (answer.status_code, data["code"], data["message_id"]) == (202, 4005, answer.json()["message"]["id"])
    assert emulator.messages() == []


async def test_a_failed_message_can_arrive_after_all(
    api: httpx.AsyncClient, emulator: Emulator, listener: Listener, chat_id: str
) -> None:
    """message.delivered may follow message.failed for the same id (section 9.4)."""
    emulator.subscribe(URL, ["message.failed", "message.delivered"])
    emulator.fault("failed", reason="Message delivery failed", delivered_late=True)

    await send(api, chat_id)
    await emulator.quiet()

    assert listener.types() == ["message.failed", "message.delivered"]
    assert len(emulator.messages_to(PERSON)) == 1


async def test_a_webhook_can_come_several_times(emulator: Emulator, listener: Listener) -> None:
    """`duplicate` delivers the same event at once as often as asked, under one id."""
    emulator.subscribe(URL, ["message.received"])
    emulator.fault("duplicate", times=3)

    await emulator.inbound(PERSON, text="Hello!")
    await emulator.quiet()

    assert len(listener.got) == 3
    assert len({one.headers["webhook-id"] for one in listener.got}) == 1


async def test_webhooks_can_come_in_reverse(emulator: Emulator, listener: Listener) -> None:
    """`reorder` holds `count` webhooks and delivers the last first."""
    emulator.subscribe(URL, ["message.received"])
    emulator.fault("reorder", count=3)

    for text in "abc":
        await emulator.inbound(PERSON, text=text)
    await emulator.quiet()

    assert [one.event["data"]["parts"][0]["value"] for one in listener.got] == ["c", "b", "a"]


async def test_held_webhooks_are_let_go_in_the_end(emulator: Emulator, listener: Listener, clock: TurnedClock) -> None:
    """A `reorder` that never gets its number lets go of what it holds."""
    emulator.subscribe(URL, ["message.received"])
    emulator.fault("reorder", count=3)
    await emulator.inbound(PERSON, text="Hello!")
    await emulator.quiet()
    before = len(listener.got)

    clock.advance(seconds=5)
    await emulator.quiet()

    assert (before, len(listener.got)) == (0, 1)


async def test_attempts_can_be_lost_on_the_way(emulator: Emulator, listener: Listener, clock: TurnedClock) -> None:
    """`drop` loses the first attempts; a retry brings the event."""
    emulator.subscribe(URL, ["message.received"])
    emulator.fault("drop", attempts=2)
    await emulator.inbound(PERSON, text="Hello!")
    await emulator.quiet()
    before = len(listener.got)

    clock.advance(seconds=4)
    await emulator.quiet()
    clock.advance(seconds=7)
    await emulator.quiet()

    assert (before, len(listener.got)) == (0, 1)
    assert [one["error"] for one in emulator.deliveries()[0]["attempts"]] == ["dropped", "dropped", None]


async def test_a_webhook_can_be_late(emulator: Emulator, listener: Listener, clock: TurnedClock) -> None:
    """`delay` makes the first attempt later, for the event types that match."""
    emulator.subscribe(URL, ["chat.created", "message.received"])
    emulator.fault("delay", match="webhook:chat.*", seconds=60)
    await emulator.inbound(PERSON, text="Hello!")
    await emulator.quiet()
    before = listener.types()

    clock.advance(seconds=60)
    await emulator.quiet()

    assert (before, listener.types()) == (["message.received"], ["message.received", "chat.created"])


@pytest.mark.parametrize(("kind", "details"), [("earthquake", {}), ("500", {"magnitude": 8})])
async def test_a_fault_that_does_not_exist(emulator: Emulator, kind: str, details: dict[str, Any]) -> None:
    """An unknown kind or detail is an error where it is asked for."""
    with pytest.raises(ConfigurationError):
        emulator.fault(kind, **details)


@pytest.mark.parametrize(("late", "reason"), [(True, "Message delivery failed"), (False, "Message send failed")])
async def test_a_failure_has_the_reason_that_fits(
    api: httpx.AsyncClient, emulator: Emulator, listener: Listener, chat_id: str, late: bool, reason: str
) -> None:
    """Section 9.4: what may still be delivered is a failed delivery; a failed send stays failed."""
    emulator.subscribe(URL, ["message.failed"])
    emulator.fault("failed", delivered_late=late)

    await send(api, chat_id)
    await emulator.quiet()

    assert listener.only("message.failed").event["data"]["reason"] == reason
