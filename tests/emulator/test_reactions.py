"""Reactions and stickers, ours and theirs: linq-api-v3.md sections 5, 7.5 and 8.6."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from linqbot.emulator.app import Emulator
from tests.emulator.conftest import LINE, PERSON
from tests.emulator.listener import URL, Listener
from tests.emulator.refused import outcome
from tests.emulator.test_rules import UNKNOWN_ID
from tests.emulator.uploading import uploaded

TYPES = ("love", "like", "dislike", "laugh", "emphasize", "question")


def add(kind: str, **more: Any) -> dict[str, Any]:
    """A request to react."""
    return {"operation": "add", "type": kind, **more}


ACCEPTED: list[tuple[str, dict[str, Any], str]] = [
    *((kind, add(kind), "5") for kind in TYPES),
    ("custom", add("custom", custom_emoji="🎉"), "7.5"),
    ("a sticker of an emoji", add("sticker", emoji="🎉"), "7.5"),
    ("a placed sticker", add("sticker", emoji="🎉", placement={"x": 1, "y": -1, "scale": 9, "rotation": 400}), "7.5"),
    ("part 0", add("love", part_index=0), "7.5"),
    ("removing what is not there", {"operation": "remove", "type": "love"}, "choice"),
]
REFUSED: list[tuple[str, dict[str, Any], tuple[int, int], str]] = [
    ("no operation", {"type": "love"}, (400, 1001), "2"),
    ("another operation", {"type": "love", "operation": "toggle"}, (400, 1005), "7.5"),
    ("no type", {"operation": "add"}, (400, 1001), "2"),
    ("an unknown type", add("hate"), (400, 1005), "5"),
    ("custom without an emoji", add("custom"), (400, 1001), "7.5"),
    ("a part that is not there", add("love", part_index=1), (400, 1005), "7.5"),
    ("a sticker of nothing", add("sticker"), (400, 1004), "7.5"),
    ("a sticker of two things", add("sticker", emoji="🎉", attachment_id=UNKNOWN_ID), (400, 1004), "7.5"),
    ("a sticker of an unknown attachment", add("sticker", attachment_id=UNKNOWN_ID), (404, 2003), "2"),
    ("a sticker of the public web", add("sticker", url="https://example.com/a.png"), (400, 1004), "7.5"),
    ("removing a sticker", {"operation": "remove", "type": "sticker", "emoji": "🎉"}, (400, 1005), "7.5"),
    ("a placement outside", add("sticker", emoji="🎉", placement={"x": 1.1}), (400, 1005), "7.5"),
    ("a placement of words", add("sticker", emoji="🎉", placement={"scale": "big"}), (400, 1005), "7.5"),
]


@pytest.fixture
async def theirs(emulator: Emulator) -> str:
    """A message of somebody."""
    return (await emulator.inbound(PERSON, text="Hello!", to=LINE)).message_id


@pytest.mark.parametrize("body", [row[1] for row in ACCEPTED], ids=[row[0] for row in ACCEPTED])
async def test_a_legal_reaction_is_accepted(api: httpx.AsyncClient, theirs: str, body: dict[str, Any]) -> None:
    """Answered 202 as accepted, with the trace id."""
    answer = await api.post(f"/v3/messages/{theirs}/reactions", json=body)

    assert (answer.status_code, answer.json()["status"]) == (202, "accepted")
    assert answer.json()["trace_id"] == answer.headers["x-trace-id"]


@pytest.mark.parametrize(("body", "expected"), [row[1:3] for row in REFUSED], ids=[row[0] for row in REFUSED])
async def test_an_illegal_reaction_is_refused(
    api: httpx.AsyncClient, emulator: Emulator, theirs: str, body: dict[str, Any], expected: tuple[int, int]
) -> None:
    """Refused with its code, and nothing is put on the message."""
    assert outcome(await api.post(f"/v3/messages/{theirs}/reactions", json=body)) == expected
    await emulator.quiet()
    assert emulator.deeds() == []


@pytest.mark.parametrize("version", ["2026-02-03", "2025-01-01"])
async def test_our_reaction_is_told_and_shown(
    api: httpx.AsyncClient, emulator: Emulator, listener: Listener, theirs: str, version: str
) -> None:
    """reaction.added with is_from_me, the same in both versions; the message carries it."""
    emulator.subscribe(f"{URL}?version={version}")

    answer = await api.post(f"/v3/messages/{theirs}/reactions", json=add("custom", custom_emoji="🎉"))
    await emulator.quiet()

    event = listener.only("reaction.added").event
    data = event["data"]
    assert (data["is_from_me"], data["reaction_type"], data["custom_emoji"]) == (True, "custom", "🎉")
    assert (data["message_id"], data["part_index"], data["from"]) == (theirs, 0, LINE)
    assert event["trace_id"] == answer.headers["x-trace-id"]
    (shown,) = (await api.get(f"/v3/messages/{theirs}")).json()["parts"][0]["reactions"]
    assert (shown["id"], shown["type"], shown["is_me"]) == (data["reaction_id"], "custom", True)


async def test_another_tapback_replaces_the_first(api: httpx.AsyncClient, emulator: Emulator, theirs: str) -> None:
    """One tapback a person and part (a choice); a sticker comes beside it."""
    for body in (add("love"), add("sticker", emoji="🎉"), add("laugh")):
        await api.post(f"/v3/messages/{theirs}/reactions", json=body)
        await emulator.quiet()

    shown = (await api.get(f"/v3/messages/{theirs}")).json()["parts"][0]["reactions"]
    assert [one["type"] for one in shown] == ["sticker", "laugh"]


async def test_a_reaction_is_taken_away(
    api: httpx.AsyncClient, emulator: Emulator, listener: Listener, theirs: str
) -> None:
    """reaction.removed once; taking away what is not there is not told."""
    emulator.subscribe(URL, ["reaction.added", "reaction.removed"])
    for body in (add("love"), {"operation": "remove", "type": "like"}, {"operation": "remove", "type": "love"}):
        await api.post(f"/v3/messages/{theirs}/reactions", json=body)
        await emulator.quiet()

    assert listener.types() == ["reaction.added", "reaction.removed"]
    added, removed = (one.event["data"] for one in listener.got)
    assert added["reaction_id"] == removed["reaction_id"]
    assert (await api.get(f"/v3/messages/{theirs}")).json()["parts"][0]["reactions"] is None


async def test_a_sticker_is_moved(api: httpx.AsyncClient, emulator: Emulator, theirs: str) -> None:
    """PATCH changes the placement of an own sticker; its size is clamped, a tapback has no place."""
    for body in (add("sticker", emoji="🎉"), add("love")):
        await api.post(f"/v3/messages/{theirs}/reactions", json=body)
        await emulator.quiet()
    sticker, love = emulator.linq.world.messages[theirs].reactions
    path = f"/v3/messages/{theirs}/reactions"

    moved = await api.patch(f"{path}/{sticker.id}", json={"placement": {"x": 0.5, "scale": 0.001}})

    assert (moved.status_code, moved.json()["success"]) == (202, True)
    assert sticker.placement == {"x": 0.5, "scale": 0.05}
    assert outcome(await api.patch(f"{path}/{love.id}", json={"placement": {}})) == (400, 1005)
    assert outcome(await api.patch(f"{path}/{UNKNOWN_ID}", json={"placement": {}})) == (404, 2001)


async def test_an_uploaded_sticker_tells_its_image(
    api: httpx.AsyncClient, emulator: Emulator, listener: Listener, theirs: str
) -> None:
    """A sticker of an attachment is told with name, type, size and address."""
    emulator.subscribe(URL, ["reaction.added"])
    attachment = await uploaded(api, "star.png", "image/png", b"png")

    await api.post(f"/v3/messages/{theirs}/reactions", json=add("sticker", attachment_id=attachment["attachment_id"]))
    await emulator.quiet()

    sticker = listener.only("reaction.added").event["data"]["sticker"]
    assert (sticker["file_name"], sticker["mime_type"]) == ("star.png", "image/png")
    assert (await api.get(sticker["url"])).content == b"png"


async def test_a_document_is_no_sticker(api: httpx.AsyncClient, theirs: str) -> None:
    """A sticker must be an image."""
    attachment = await uploaded(api, "a.pdf", "application/pdf", b"pdf")
    body = add("sticker", attachment_id=attachment["attachment_id"])

    assert outcome(await api.post(f"/v3/messages/{theirs}/reactions", json=body)) == (400, 5004)


async def test_sms_knows_no_reactions(api: httpx.AsyncClient, emulator: Emulator) -> None:
    """Section 9.3: 409/2017 on SMS."""
    theirs = await emulator.inbound(PERSON, text="Hello!", to=LINE, service="SMS")

    assert outcome(await api.post(f"/v3/messages/{theirs.message_id}/reactions", json=add("love"))) == (409, 2017)


async def test_people_react(api: httpx.AsyncClient, emulator: Emulator, listener: Listener, chat_id: str) -> None:
    """A reaction of theirs is told with their handle, and can be taken back."""
    emulator.subscribe(URL, ["reaction.added", "reaction.removed"])
    body = {"message": {"parts": [{"type": "text", "value": "Hi"}]}}
    sent = (await api.post(f"/v3/chats/{chat_id}/messages", json=body)).json()["message"]["id"]

    emulator.people.reacts(PERSON, sent, "love")
    emulator.people.reacts(PERSON, sent, "love", operation="remove")
    await emulator.quiet()

    assert listener.types() == ["reaction.added", "reaction.removed"]
    data = listener.got[0].event["data"]
    assert (data["is_from_me"], data["from"], data["message_id"]) == (False, PERSON, sent)
    assert emulator.deeds() == []
