"""Polls: linq-api-v3.md sections 4, 7, 7.7 and 8.6."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from linqbot.emulator.app import Emulator
from tests.emulator.conftest import LINE, PERSON
from tests.emulator.listener import URL, Listener
from tests.emulator.refused import outcome
from tests.emulator.test_rules import UNKNOWN_ID
from tests.emulator.wording import says


def poll(*texts: Any, **more: Any) -> dict[str, Any]:
    """A request for a poll."""
    return {"poll": {"options": [{"text": one} for one in texts], **more}}


CREATED: list[tuple[str, dict[str, Any], int | tuple[int, int], str]] = [
    ("two options", poll("Tacos", "Ramen"), 200, "7.7"),
    ("many options", poll(*(str(number) for number in range(12))), 200, "7.7"),
    ("no poll", {}, (400, 1001), "2"),
    ("no options", {"poll": {}}, (400, 1001), "2"),
    ("one option", poll("Tacos"), (400, 1005), "7.7"),
    ("an empty option", poll("Tacos", ""), (400, 1004), "choice"),
    ("an option without text", {"poll": {"options": [{"text": "a"}, {}]}}, (400, 1001), "2"),
    ("an option that is a word", {"poll": {"options": ["a", "b"]}}, (400, 1003), "2"),
    ("a key of 256 characters", poll("a", "b", idempotency_key="k" * 256), (400, 1005), "4"),
]


@pytest.fixture
async def ours(api: httpx.AsyncClient, emulator: Emulator, chat_id: str) -> dict[str, Any]:
    """A poll of ours that was sent."""
    answer = await api.post(f"/v3/chats/{chat_id}/polls", json=poll("Tacos", "Ramen"))
    await emulator.quiet()
    envelope: dict[str, Any] = answer.json()
    return envelope


@pytest.mark.parametrize(("body", "expected"), [row[1:3] for row in CREATED], ids=[row[0] for row in CREATED])
async def test_a_poll_is_created(
    api: httpx.AsyncClient, emulator: Emulator, chat_id: str, body: dict[str, Any], expected: int | tuple[int, int]
) -> None:
    """At least two options of text; whatever is refused is not sent."""
    assert outcome(await api.post(f"/v3/chats/{chat_id}/polls", json=body)) == expected
    assert len(emulator.messages()) == (expected == 200)


@pytest.mark.parametrize("version", ["2026-02-03", "2025-01-01"])
async def test_a_poll_has_its_own_lifecycle(
    api: httpx.AsyncClient, emulator: Emulator, listener: Listener, chat_id: str, version: str
) -> None:
    """poll.sent, .delivered, .read under the trace id of the call, with the options, and no message events."""
    emulator.subscribe(f"{URL}?version={version}")

    answer = await api.post(f"/v3/chats/{chat_id}/polls", json=poll("Tacos", "Ramen"))
    await emulator.quiet()

    assert listener.types() == ["poll.sent", "poll.delivered", "poll.read"]
    for one in listener.got:
        assert one.event["trace_id"] == answer.headers["x-trace-id"]
        assert one.event["data"]["message_id"] == answer.json()["message_id"]
        assert one.event["data"]["poll"] == answer.json()["poll"]
    assert listener.got[2].event["data"]["read_at"] is not None


async def test_a_poll_may_fail(api: httpx.AsyncClient, emulator: Emulator, listener: Listener, chat_id: str) -> None:
    """poll.failed has the error and the poll."""
    emulator.subscribe(URL)
    emulator.fault("failed", match="createPoll", code=4006)

    await api.post(f"/v3/chats/{chat_id}/polls", json=poll("Tacos", "Ramen"))
    await emulator.quiet()

    data = listener.only("poll.failed").event["data"]
    assert data["error"]["code"] == 4006
    assert [option["text"] for option in data["poll"]["options"]] == ["Tacos", "Ramen"]


async def test_a_poll_needs_imessage(api: httpx.AsyncClient, emulator: Emulator) -> None:
    """Section 9.3: 409/2017 over SMS."""
    chat_id = (await emulator.inbound(PERSON, text="Hello!", service="SMS")).chat_id

    assert outcome(await api.post(f"/v3/chats/{chat_id}/polls", json=poll("a", "b"))) == (409, 2017)


async def test_a_poll_has_a_key(api: httpx.AsyncClient, emulator: Emulator, chat_id: str) -> None:
    """Section 4: the same envelope again, one poll."""
    body = poll("Tacos", "Ramen", idempotency_key="k")

    answers = [(await api.post(f"/v3/chats/{chat_id}/polls", json=body)).json() for _ in range(2)]

    assert answers[0] == answers[1]
    assert len(emulator.messages()) == 1


async def test_our_votes_and_options(
    api: httpx.AsyncClient, emulator: Emulator, listener: Listener, ours: dict[str, Any]
) -> None:
    """Each answer is the poll as it is then; each change is told once, also of ours."""
    emulator.subscribe(URL)
    path = f"/v3/messages/{ours['message_id']}/poll"
    tacos = ours["poll"]["options"][0]["option_id"]
    on, off = ({"operation": one, "option_id": tacos} for one in ("add", "remove"))

    voted = [(await api.post(f"{path}/votes", json=one)).json()["poll"]["total_voters"] for one in (on, on, off, off)]
    extended = (await api.post(f"{path}/options", json={"options": [{"text": "Pizza"}]})).json()
    await emulator.quiet()

    assert voted == [1, 1, 0, 0]
    assert [one["text"] for one in extended["poll"]["options"]] == ["Tacos", "Ramen", "Pizza"]
    assert (await api.get(path)).json() == extended
    assert listener.types() == ["poll.vote.added", "poll.vote.removed", "poll.updated"]
    assert {one.event["data"]["direction"] for one in listener.got} == {"outbound"}


async def test_what_polls_refuse(
    api: httpx.AsyncClient, emulator: Emulator, chat_id: str, ours: dict[str, Any]
) -> None:
    """Unknown options and operations, no options, and messages that are no poll."""
    path = f"/v3/messages/{ours['message_id']}/poll"
    tacos = ours["poll"]["options"][0]["option_id"]
    plain = (await api.post(f"/v3/chats/{chat_id}/messages", json=says())).json()["message"]["id"]
    rows: list[tuple[str, str, Any, tuple[int, int], str]] = [
        ("POST", f"{path}/votes", {"operation": "add", "option_id": UNKNOWN_ID}, (400, 1005), "choice"),
        ("POST", f"{path}/votes", {"option_id": tacos}, (400, 1001), "2"),
        ("POST", f"{path}/votes", {"operation": "toggle", "option_id": tacos}, (400, 1005), "7"),
        ("POST", f"{path}/options", {"options": []}, (400, 1005), "7.7"),
        ("POST", f"{path}/options", {}, (400, 1001), "2"),
        ("GET", f"/v3/messages/{plain}/poll", None, (400, 1005), "choice"),
        ("POST", f"/v3/messages/{plain}/poll/options", {"options": [{"text": "a"}]}, (400, 1005), "choice"),
    ]

    told = [outcome(await api.request(method, path, json=body)) for method, path, body, _, _ in rows]

    assert told == [row[3] for row in rows]


async def test_people_vote_and_add_options(
    api: httpx.AsyncClient, emulator: Emulator, listener: Listener, ours: dict[str, Any]
) -> None:
    """Told with the voter's handle; an added option with our line as sender and theirs as creator (section 8.6)."""
    emulator.subscribe(URL)
    message_id, ramen = ours["message_id"], ours["poll"]["options"][1]["option_id"]

    emulator.people.votes(PERSON, message_id, ramen)
    emulator.people.adds_options(PERSON, message_id, ["Pizza"])
    emulator.people.reacts(PERSON, message_id, "love")
    await emulator.quiet()

    assert listener.types() == ["poll.vote.added", "poll.updated", "poll.reaction.added"]
    vote, update, _ = (one.event["data"] for one in listener.got)
    assert (vote["sender_handle"]["handle"], vote["option_id"]) == (PERSON, ramen)
    assert update["sender_handle"]["handle"] == LINE
    assert [one["creator_handle"]["handle"] for one in update["added_options"]] == [PERSON]
    envelope = (await api.get(f"/v3/messages/{message_id}/poll")).json()
    assert envelope["poll"]["options"][1]["voters"][0]["handle"] == PERSON
    assert [one["type"] for one in envelope["reactions"]] == ["love"]


async def test_people_send_polls(api: httpx.AsyncClient, emulator: Emulator, listener: Listener, chat_id: str) -> None:
    """poll.received has the time in received_at, and we can vote in it."""
    emulator.subscribe(URL)

    theirs = await emulator.inbound(PERSON, to=LINE, poll=["Now", "Later"])
    await emulator.quiet()
    data = listener.only("poll.received").event["data"]
    body = {"operation": "add", "option_id": data["poll"]["options"][0]["option_id"]}
    voted = await api.post(f"/v3/messages/{theirs.message_id}/poll/votes", json=body)

    assert (data["message_id"], data["direction"]) == (theirs.message_id, "inbound")
    assert data["received_at"] is not None
    assert voted.json()["poll"]["total_voters"] == 1


async def test_on_a_zero_retention_line_options_are_repeated(
    api: httpx.AsyncClient, emulator: Emulator, chat_id: str
) -> None:
    """Section 7.7: all existing ones in order, then the new ones, else 400."""
    emulator.people.line(LINE, zero_retention=True)
    made = (await api.post(f"/v3/chats/{chat_id}/polls", json=poll("Tacos", "Ramen"))).json()
    path = f"/v3/messages/{made['message_id']}/poll/options"
    rows = [["Pizza"], ["Ramen", "Tacos", "Pizza"], ["Tacos", "Ramen"], ["Tacos", "Ramen", "Pizza"]]

    answers = [await api.post(path, json={"options": [{"text": one} for one in row]}) for row in rows]

    assert [outcome(one) for one in answers] == [(400, 1005)] * 3 + [200]
    assert len(answers[-1].json()["poll"]["options"]) == 3
