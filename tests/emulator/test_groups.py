"""Groups: who is in them, what they are called, how one leaves. linq-api-v3.md sections 7.1 and 7.3."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from linqbot.emulator.app import Emulator
from tests.emulator.conftest import LINE, PERSON
from tests.emulator.listener import URL, Listener
from tests.emulator.refused import outcome
from tests.emulator.wording import says

ANN, BEN, CAT = "+12025550147", "+12025550148", "+12025550149"
ALONE = {"handle": ANN}

REFUSED: list[tuple[str, str, list[str], str, str, Any, tuple[int, int], str]] = [
    ("rename a direct chat", "iMessage", [PERSON], "PUT", "", {"display_name": "Us"}, (409, 1006), "7.3"),
    ("change nothing", "iMessage", [PERSON, ANN], "PUT", "", {}, (400, 1001), "7.3"),
    ("a name that is a number", "iMessage", [PERSON, ANN], "PUT", "", {"display_name": 7}, (400, 1005), "7.3"),
    ("an icon over http", "iMessage", [PERSON, ANN], "PUT", "", {"group_chat_icon": "http://e"}, (400, 5007), "2"),
    ("add to a direct chat", "iMessage", [PERSON], "POST", "/participants", {"handle": ANN}, (409, 1006), "7.3"),
    ("add no handle", "iMessage", [PERSON, ANN], "POST", "/participants", {}, (400, 1001), "7.3"),
    ("add nonsense", "iMessage", [PERSON, ANN], "POST", "/participants", {"handle": "x"}, (400, 1002), "2"),
    ("add who is there", "iMessage", [PERSON, ANN], "POST", "/participants", {"handle": ANN}, (409, 2015), "choice"),
    ("add to an SMS group", "SMS", [PERSON, ANN], "POST", "/participants", {"handle": BEN}, (409, 2017), "7.3"),
    ("remove from three", "iMessage", [PERSON, ANN], "DELETE", "/participants", ALONE, (409, 2015), "7.3"),
    ("remove a stranger", "iMessage", [PERSON, ANN, BEN], "DELETE", "/participants", {"handle": CAT}, (404, 2001), "2"),
    (
        "remove ourselves",
        "iMessage",
        [PERSON, ANN, BEN],
        "DELETE",
        "/participants",
        {"handle": LINE},
        (400, 1005),
        "7.3",
    ),
    ("leave a direct chat", "iMessage", [PERSON], "POST", "/leave", None, (409, 1006), "7.3"),
    ("leave a group of three", "iMessage", [PERSON, ANN], "POST", "/leave", None, (409, 2015), "7.3"),
    ("leave an SMS group", "SMS", [PERSON, ANN, BEN], "POST", "/leave", None, (409, 2017), "7.3"),
]


async def chat_with(emulator: Emulator, people: list[str], service: str = "iMessage") -> str:
    """A chat that the first of these people began."""
    first, *group = people
    return (await emulator.inbound(first, text="Hello!", to=LINE, group=group, service=service)).chat_id


@pytest.mark.parametrize(
    ("service", "people", "method", "path", "body", "expected"),
    [row[1:7] for row in REFUSED],
    ids=[row[0] for row in REFUSED],
)
async def test_what_a_group_does_not_allow(
    api: httpx.AsyncClient,
    emulator: Emulator,
    service: str,
    people: list[str],
    method: str,
    path: str,
    body: Any,
    expected: tuple[int, int],
) -> None:
    """Refused with its code, and nothing changes."""
    chat_id = await chat_with(emulator, people, service)
    before = (await api.get(f"/v3/chats/{chat_id}")).json()

    assert outcome(await api.request(method, f"/v3/chats/{chat_id}{path}", json=body)) == expected
    await emulator.quiet()
    assert (await api.get(f"/v3/chats/{chat_id}")).json() == before


async def test_a_group_is_created_with_its_people(
    api: httpx.AsyncClient, emulator: Emulator, listener: Listener
) -> None:
    """Two to 31 recipients are a group: chat.created, message.sent, and never delivered or read (section 9.3)."""
    emulator.subscribe(URL)

    chat = (await api.post("/v3/chats", json={"from": LINE, "to": [PERSON, ANN, PERSON], **says()})).json()["chat"]
    await emulator.quiet()

    assert chat["is_group"] is True
    assert [one["handle"] for one in chat["handles"]] == [LINE, PERSON, ANN]
    assert chat["display_name"] == f"{LINE}, {PERSON}, {ANN}"
    assert listener.types() == ["chat.created", "message.sent"]
    assert [one.to for one in emulator.messages()] == [PERSON, ANN]


async def test_somebody_is_added(api: httpx.AsyncClient, emulator: Emulator, listener: Listener) -> None:
    """Accepted, then participant.added; they hear what comes next."""
    emulator.subscribe(URL, ["participant.added"])
    chat_id = await chat_with(emulator, [PERSON, ANN])

    answer = await api.post(f"/v3/chats/{chat_id}/participants", json={"handle": BEN})
    await emulator.quiet()
    await api.post(f"/v3/chats/{chat_id}/messages", json=says())

    assert (answer.status_code, answer.json()["status"]) == (202, "accepted")
    event = listener.only("participant.added").event
    assert (event["data"]["handle"], event["data"]["participant"]["status"]) == (BEN, "active")
    assert event["trace_id"] == answer.json()["trace_id"]
    assert [one.to for one in emulator.messages()] == [PERSON, ANN, BEN]


async def test_who_cannot_use_the_service_is_not_added(api: httpx.AsyncClient, emulator: Emulator) -> None:
    """Section 7.3: the same service; 409/2017."""
    chat_id = await chat_with(emulator, [PERSON, ANN])
    emulator.people.can(BEN, ["SMS"])

    assert outcome(await api.post(f"/v3/chats/{chat_id}/participants", json={"handle": BEN})) == (409, 2017)


async def test_somebody_is_removed(api: httpx.AsyncClient, emulator: Emulator, listener: Listener) -> None:
    """They stay listed as removed (section 5), and hear nothing more."""
    emulator.subscribe(URL, ["participant.removed"])
    chat_id = await chat_with(emulator, [PERSON, ANN, BEN])

    answer = await api.request("DELETE", f"/v3/chats/{chat_id}/participants", json={"handle": BEN})
    await emulator.quiet()
    await api.post(f"/v3/chats/{chat_id}/messages", json=says())

    assert answer.status_code == 202
    data = listener.only("participant.removed").event["data"]
    assert (data["handle"], data["participant"]["status"]) == (BEN, "removed")
    assert data["removed_at"] == data["participant"]["left_at"]
    handles = (await api.get(f"/v3/chats/{chat_id}")).json()["handles"]
    assert {one["handle"]: one["status"] for one in handles}[BEN] == "removed"
    assert [one.to for one in emulator.messages()] == [PERSON, ANN]


async def test_a_line_leaves(api: httpx.AsyncClient, emulator: Emulator, listener: Listener) -> None:
    """Every interaction is 409/2013 from then on, what others write is no longer heard; participant.removed is ours."""
    emulator.subscribe(URL)
    chat_id = await chat_with(emulator, [PERSON, ANN, BEN])
    sent = (await api.post(f"/v3/chats/{chat_id}/messages", json=says())).json()["message"]["id"]
    await emulator.quiet()
    listener.got.clear()

    answer = await api.post(f"/v3/chats/{chat_id}/leave")
    await emulator.quiet()
    arrived = await emulator.inbound(ANN, text="Gone?", chat_id=chat_id)
    acts = [
        ("POST", f"/v3/chats/{chat_id}/messages", says()),
        ("POST", f"/v3/chats/{chat_id}/typing", None),
        ("POST", f"/v3/chats/{chat_id}/read", None),
        ("POST", f"/v3/chats/{chat_id}/leave", None),
        ("PUT", f"/v3/chats/{chat_id}", {"display_name": "Us"}),
        ("POST", f"/v3/chats/{chat_id}/participants", {"handle": CAT}),
        ("POST", f"/v3/chats/{chat_id}/polls", {"poll": {"options": [{"text": "a"}, {"text": "b"}]}}),
        ("POST", f"/v3/chats/{chat_id}/background", {"type": "color", "variant": "ice"}),
        ("PATCH", f"/v3/messages/{sent}", {"text": "Ho"}),
        ("POST", f"/v3/messages/{sent}/reactions", {"operation": "add", "type": "love"}),
    ]
    answers = [await api.request(method, path, json=body) for method, path, body in acts]

    assert answer.status_code == 202
    assert arrived.dropped
    assert [outcome(one) for one in answers] == [(409, 2013)] * len(acts)
    assert listener.types() == ["participant.removed"]
    data = listener.got[0].event["data"]
    assert (data["handle"], data["participant"]["is_me"], data["participant"]["status"]) == (LINE, True, "left")
    assert (await api.get(f"/v3/chats/{chat_id}")).status_code == 200


@pytest.mark.parametrize(
    ("what", "field", "new"),
    [("name", "display_name", "Us"), ("icon", "group_chat_icon", "https://example.com/i.png")],
)
async def test_name_and_icon_are_changed(
    api: httpx.AsyncClient, emulator: Emulator, listener: Listener, group_id: str, what: str, field: str, new: str
) -> None:
    """Answered as pending; the event names old, new and who."""
    emulator.subscribe(URL)

    answer = await api.put(f"/v3/chats/{group_id}", json={field: new})
    await emulator.quiet()

    assert (answer.status_code, answer.json()) == (202, {"chat_id": group_id, "status": "pending"})
    data = listener.only(f"chat.group_{what}_updated").event["data"]
    assert (data["old_value"], data["new_value"], data["changed_by_handle"]["handle"]) == (None, new, LINE)
    assert (await api.get(f"/v3/chats/{group_id}")).json()[field] == new


@pytest.mark.parametrize("cause", ["an SMS group", "a fault"])
async def test_a_change_may_fail(api: httpx.AsyncClient, emulator: Emulator, listener: Listener, cause: str) -> None:
    """Accepted and then told as failed, with the code; the name stays."""
    emulator.subscribe(URL)
    chat_id = await chat_with(emulator, [PERSON, ANN], "SMS" if cause == "an SMS group" else "iMessage")
    if cause == "a fault":
        emulator.fault("failed", match="updateChat", code=3007)

    answer = await api.put(f"/v3/chats/{chat_id}", json={"display_name": "Us"})
    await emulator.quiet()

    assert answer.status_code == 202
    data = listener.only("chat.group_name_update_failed").event["data"]
    assert (data["chat_id"], data["error_code"]) == (chat_id, 4001 if cause == "an SMS group" else 3007)


@pytest.mark.parametrize("change", ["none", "renamed", "joined", "left by somebody", "left by us"])
async def test_a_group_is_reused_unless_it_changed(api: httpx.AsyncClient, emulator: Emulator, change: str) -> None:
    """Section 7.1: a name, other people or our leaving make POST /v3/chats open a new group."""
    chat_id = await chat_with(emulator, [PERSON, ANN, BEN])
    people = [PERSON, ANN, BEN]
    match change:
        case "renamed":
            emulator.people.renames(ANN, chat_id, name="Us")
        case "joined":
            emulator.people.joins(CAT, chat_id)
            people.append(CAT)
        case "left by somebody":
            emulator.people.leaves(BEN, chat_id)
            people.remove(BEN)
        case "left by us":
            await api.post(f"/v3/chats/{chat_id}/leave")

    made = (await api.post("/v3/chats", json={"from": LINE, "to": people, **says()})).json()["chat"]

    assert (made["id"] == chat_id) is (change == "none")
    assert outcome(await api.post(f"/v3/chats/{made['id']}/messages", json=says())) == 202


async def test_people_come_go_and_rename(
    api: httpx.AsyncClient, emulator: Emulator, listener: Listener, group_id: str
) -> None:
    """What others do to a group is told with their handle, and who left still counts as listed."""
    emulator.subscribe(URL)

    emulator.people.joins(BEN, group_id)
    emulator.people.renames(BEN, group_id, name="Us", icon="https://example.com/i.png")
    emulator.people.leaves(BEN, group_id)
    await emulator.quiet()

    assert listener.types() == [
        "participant.added",
        "chat.group_name_updated",
        "chat.group_icon_updated",
        "participant.removed",
    ]
    assert listener.got[1].event["data"]["changed_by_handle"]["handle"] == BEN
    assert listener.got[3].event["data"]["participant"]["status"] == "left"


async def test_what_they_write_in_a_changed_group_arrives_there(emulator: Emulator, group_id: str) -> None:
    """The chat id stays the same across membership changes (section 7.3)."""
    emulator.people.joins(BEN, group_id)

    assert (await emulator.inbound(BEN, text="Hi", to=LINE, group=[PERSON, ANN])).chat_id == group_id
