"""Edits, ours and theirs: linq-api-v3.md section 7.5."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from linqbot.emulator.app import Emulator
from linqbot.testing.clock import TurnedClock
from tests.emulator.conftest import LINE, PERSON
from tests.emulator.listener import URL, Listener
from tests.emulator.refused import outcome
from tests.emulator.wording import holds, media, says, styled, text

REFUSED: list[tuple[str, dict[str, Any], tuple[int, int], str]] = [
    ("no text", {}, (400, 1001), "2"),
    ("an empty text", {"text": ""}, (400, 1004), "7"),
    ("10,001 characters", {"text": "a" * 10_001}, (400, 1004), "7"),
    ("a text that is a number", {"text": 7}, (400, 1004), "7"),
    ("a part that is not text", {"text": "Ho", "part_index": 1}, (400, 1004), "7.5"),
    ("a part that is not there", {"text": "Ho", "part_index": 2}, (400, 1005), "7.5"),
    ("part -1", {"text": "Ho", "part_index": -1}, (400, 1005), "7.5"),
    ("a part that is a word", {"text": "Ho", "part_index": "0"}, (400, 1005), "7.5"),
]


@pytest.fixture
async def sent(api: httpx.AsyncClient, emulator: Emulator, chat_id: str) -> str:
    """A message of ours: a decorated text and a picture."""
    bold = text("Hello", text_decorations=[styled(0, 5, style="bold")])
    answer = await api.post(f"/v3/chats/{chat_id}/messages", json=holds(bold, media()))
    await emulator.quiet()
    return str(answer.json()["message"]["id"])


@pytest.mark.parametrize("version", ["2026-02-03", "2025-01-01"])
async def test_an_edit_changes_the_text_and_is_told(
    api: httpx.AsyncClient, emulator: Emulator, listener: Listener, sent: str, version: str
) -> None:
    """The answer and later reads have the new text; message.edited exists in the newer version only (section 8.6)."""
    emulator.subscribe(f"{URL}?version={version}")

    answer = await api.patch(f"/v3/messages/{sent}", json={"text": "Ho"})
    await emulator.quiet()

    assert answer.json()["parts"][0] == {"type": "text", "value": "Ho", "text_decorations": None, "reactions": None}
    assert answer.json()["parts"][1]["type"] == "media"
    assert (await api.get(f"/v3/messages/{sent}")).json()["parts"] == answer.json()["parts"]
    if version == "2025-01-01":
        assert listener.types() == []
    else:
        event = listener.only("message.edited").event
        data = event["data"]
        assert (data["id"], data["direction"], data["part"]) == (sent, "outbound", {"index": 0, "text": "Ho"})
        assert data["sender_handle"]["is_me"] is True
        assert event["trace_id"] == answer.headers["x-trace-id"]
    assert [deed["deed"] for deed in emulator.deeds()] == ["edited"]


@pytest.mark.parametrize(("body", "expected"), [row[1:3] for row in REFUSED], ids=[row[0] for row in REFUSED])
async def test_what_cannot_be_edited(
    api: httpx.AsyncClient, sent: str, body: dict[str, Any], expected: tuple[int, int]
) -> None:
    """Only text parts that are there, with a text of a legal length."""
    assert outcome(await api.patch(f"/v3/messages/{sent}", json=body)) == expected


async def test_the_sixth_edit_is_refused(api: httpx.AsyncClient, sent: str) -> None:
    """Section 7.5: at most 5 times; code and status are a choice."""
    answers = [await api.patch(f"/v3/messages/{sent}", json={"text": str(number)}) for number in range(6)]

    assert [outcome(one) for one in answers] == [200] * 5 + [(409, 2015)]


@pytest.mark.parametrize(("seconds", "expected"), [(899, 200), (901, (409, 2015))])
async def test_an_edit_comes_within_15_minutes(
    api: httpx.AsyncClient, clock: TurnedClock, sent: str, seconds: float, expected: int | tuple[int, int]
) -> None:
    """Section 7.5: 15 minutes from the send."""
    clock.advance(seconds=seconds)

    assert outcome(await api.patch(f"/v3/messages/{sent}", json={"text": "Ho"})) == expected


async def test_only_own_messages_can_be_edited(api: httpx.AsyncClient, emulator: Emulator) -> None:
    """Somebody else's message is 403/2005 (a choice)."""
    theirs = await emulator.inbound(PERSON, text="Hello!", to=LINE)

    assert outcome(await api.patch(f"/v3/messages/{theirs.message_id}", json={"text": "Ho"})) == (403, 2005)


async def test_only_imessage_can_be_edited(api: httpx.AsyncClient, emulator: Emulator) -> None:
    """Section 9.3: over SMS it is 409/2017."""
    chat_id = (await emulator.inbound(PERSON, text="Hello!", to=LINE, service="SMS")).chat_id
    sent = (await api.post(f"/v3/chats/{chat_id}/messages", json=says())).json()["message"]["id"]
    await emulator.quiet()

    assert outcome(await api.patch(f"/v3/messages/{sent}", json={"text": "Ho"})) == (409, 2017)


async def test_an_edit_of_a_deleted_message_is_204(
    api: httpx.AsyncClient, emulator: Emulator, listener: Listener, sent: str
) -> None:
    """Section 7: phones still see the edit, Linq has nothing to answer with."""
    emulator.subscribe(URL)
    await api.delete(f"/v3/messages/{sent}")

    answer = await api.patch(f"/v3/messages/{sent}", json={"text": "Ho"})
    await emulator.quiet()

    assert (answer.status_code, answer.content) == (204, b"")
    assert listener.types() == ["message.edited"]


async def test_people_edit_their_messages(api: httpx.AsyncClient, emulator: Emulator, listener: Listener) -> None:
    """An inbound edit is told with their handle, and the message reads so from then on."""
    emulator.subscribe(URL, ["message.edited"])
    theirs = await emulator.inbound(PERSON, text="Helo!", to=LINE)

    emulator.people.edits(theirs.message_id, "Hello!")
    await emulator.quiet()

    data = listener.only("message.edited").event["data"]
    assert (data["direction"], data["sender_handle"]["handle"]) == ("inbound", PERSON)
    assert data["part"] == {"index": 0, "text": "Hello!"}
    assert (await api.get(f"/v3/messages/{theirs.message_id}")).json()["parts"][0]["value"] == "Hello!"
