"""Reading, threads and deletion: linq-api-v3.md sections 4 and 7."""

from __future__ import annotations

import httpx
import pytest

from linqbot.emulator.app import Emulator
from tests.emulator.conftest import LINE, PERSON
from tests.emulator.listener import URL, Listener
from tests.emulator.refused import outcome
from tests.emulator.test_rules import UNKNOWN_ID
from tests.emulator.wording import says

NOT_FOUND: list[tuple[str, str, tuple[int, int], str]] = [
    ("GET", f"/v3/messages/{UNKNOWN_ID}", (404, 2002), "2"),
    ("GET", f"/v3/messages/{UNKNOWN_ID}/thread", (404, 2002), "2"),
    ("DELETE", f"/v3/messages/{UNKNOWN_ID}", (404, 2002), "2"),
    ("PATCH", f"/v3/messages/{UNKNOWN_ID}", (404, 2002), "2"),
    ("POST", f"/v3/messages/{UNKNOWN_ID}/reactions", (404, 2002), "2"),
    ("POST", f"/v3/messages/{UNKNOWN_ID}/update", (404, 2002), "2"),
    ("GET", f"/v3/messages/{UNKNOWN_ID}/poll", (404, 2002), "2"),
    ("GET", "/v3/messages/nonsense", (400, 1005), "2"),
    ("GET", f"/v3/chats/{UNKNOWN_ID}/messages", (404, 2001), "2"),
    ("POST", f"/v3/chats/{UNKNOWN_ID}/leave", (404, 2001), "2"),
    ("GET", f"/v3/attachments/{UNKNOWN_ID}", (404, 2003), "2"),
    ("DELETE", f"/v3/attachments/{UNKNOWN_ID}", (404, 2003), "2"),
    ("GET", "/v3/experiences/pay", (404, 2001), "choice"),
    ("GET", "/v3/payment_requests", (403, 2011), "2"),
    ("POST", "/v3/payments", (403, 2011), "2"),
]


@pytest.mark.parametrize(("method", "path", "expected"), [row[:3] for row in NOT_FOUND])
async def test_what_is_not_there_is_refused_by_its_code(
    api: httpx.AsyncClient, method: str, path: str, expected: tuple[int, int]
) -> None:
    """Unknown ids, malformed ones, and what the account has not."""
    body = {"text": "Hi", "operation": "add", "type": "love", "layout": {"caption": "a"}}

    answer = await api.request(method, path, json=body if method in ("POST", "PATCH") else None)

    assert outcome(answer) == expected


async def test_a_thread_is_its_beginning_and_all_replies(
    api: httpx.AsyncClient, emulator: Emulator, chat_id: str
) -> None:
    """From any message of a thread: everything in it by time, or the other way round."""
    first = (await emulator.inbound(PERSON, text="Where?", to=LINE)).message_id
    path = f"/v3/chats/{chat_id}/messages"
    second = (await api.post(path, json=says(reply_to={"message_id": first}))).json()["message"]["id"]
    third = (await emulator.inbound(PERSON, text="Thanks", to=LINE, reply_to=second)).message_id

    threads = [(await api.get(f"/v3/messages/{one}/thread")).json() for one in (first, second, third)]
    backwards = (await api.get(f"/v3/messages/{first}/thread?order=desc&limit=2")).json()

    assert [[one["id"] for one in thread["messages"]] for thread in threads] == [[first, second, third]] * 3
    assert [one["id"] for one in backwards["messages"]] == [third, second]
    assert backwards["next_cursor"] is not None
    assert outcome(await api.get(f"/v3/messages/{first}/thread?order=random")) == (400, 1005)


async def test_a_message_outside_threads_is_its_own(api: httpx.AsyncClient, emulator: Emulator, chat_id: str) -> None:
    """A message nobody replied to comes alone."""
    sent = (await api.post(f"/v3/chats/{chat_id}/messages", json=says())).json()["message"]["id"]

    thread = (await api.get(f"/v3/messages/{sent}/thread")).json()

    assert [one["id"] for one in thread["messages"]] == [sent]
    assert thread["next_cursor"] is None


async def test_deletion_removes_the_record_only(
    api: httpx.AsyncClient, emulator: Emulator, listener: Listener, chat_id: str
) -> None:
    """No longer read, listed or replied to; no event, and the phone keeps its message."""
    path = f"/v3/chats/{chat_id}/messages"
    sent = (await api.post(path, json=says())).json()["message"]["id"]
    await emulator.quiet()
    emulator.subscribe(URL)

    deleted = await api.delete(f"/v3/messages/{sent}")
    await emulator.quiet()

    assert deleted.status_code == 204
    assert outcome(await api.get(f"/v3/messages/{sent}")) == (404, 2002)
    assert sent not in {one["id"] for one in (await api.get(path)).json()["messages"]}
    assert outcome(await api.post(path, json=says(reply_to={"message_id": sent}))) == (404, 2002)
    assert outcome(await api.delete(f"/v3/messages/{sent}")) == (404, 2002)
    assert [one.message_id for one in emulator.messages_to(PERSON)] == [sent]
    assert listener.types() == []


async def test_the_key_of_a_deleted_message_is_never_sent_again(
    api: httpx.AsyncClient, emulator: Emulator, chat_id: str
) -> None:
    """Section 4: a replay of its key is 404 on every sending endpoint."""
    path = f"/v3/chats/{chat_id}/messages"
    sent = (await api.post(path, json=says(idempotency_key="k"))).json()["message"]["id"]
    await api.delete(f"/v3/messages/{sent}")

    answers = [
        await api.post(path, json=says(idempotency_key="k")),
        await api.post("/v3/chats", json={"from": LINE, "to": [PERSON], **says(idempotency_key="k")}),
        await api.post("/v3/messages", json={"to": [PERSON], **says()}, headers={"Idempotency-Key": "k"}),
    ]

    assert [outcome(one) for one in answers] == [(404, 2002)] * 3
    assert len(emulator.messages()) == 1
