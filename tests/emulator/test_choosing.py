"""Sends without a line, and which line is picked: linq-api-v3.md sections 4, 7 and 7.2."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from linqbot.emulator.app import Emulator
from linqbot.testing.clock import TurnedClock
from tests.emulator.conftest import LINE, PERSON
from tests.emulator.refused import outcome
from tests.emulator.wording import holds, link, says

OTHER_LINE, ANN = "+12025550101", "+12025550147"

REFUSED: list[tuple[str, dict[str, Any], tuple[int, int], str]] = [
    ("no recipients", says(), (400, 1001), "2"),
    ("nobody", {"to": [], **says()}, (400, 1005), "7"),
    ("32 people", {"to": [f"+1202555{number:04}" for number in range(32)], **says()}, (400, 1005), "7"),
    ("nonsense", {"to": ["4155551234"], **says()}, (400, 1002), "2"),
    ("no message", {"to": [PERSON]}, (400, 1001), "2"),
    ("an excluded number without plus", {"to": [PERSON], "exclude_from": ["2025550100"], **says()}, (400, 1002), "7.2"),
    ("101 excluded", {"to": [PERSON], "exclude_from": [LINE] * 101, **says()}, (400, 1005), "7"),
    ("every line excluded", {"to": [PERSON], "exclude_from": [LINE, OTHER_LINE], **says()}, (400, 1005), "7.2"),
    ("a continuation without text", {"to": [PERSON], "continuation_message": {}, **says()}, (400, 1001), "7"),
]


async def send(api: httpx.AsyncClient, to: list[str] | None = None, **more: Any) -> dict[str, Any]:
    """Send to somebody from wherever it fits."""
    answer = await api.post("/v3/messages", json={"to": to or [PERSON], **says(), **more})
    assert answer.status_code == 202, answer.text
    result: dict[str, Any] = answer.json()
    return result


@pytest.mark.parametrize(("body", "expected"), [row[1:3] for row in REFUSED], ids=[row[0] for row in REFUSED])
async def test_what_is_refused(
    api: httpx.AsyncClient, emulator: Emulator, body: dict[str, Any], expected: tuple[int, int]
) -> None:
    """Refused with its code, and no chat is opened."""
    assert outcome(await api.post("/v3/messages", json=body)) == expected
    assert emulator.linq.world.chats == {}


async def test_a_first_message_opens_a_chat_on_the_best_line(api: httpx.AsyncClient) -> None:
    """new_best_number on the least recently used line; the next new chat goes to the next line."""
    first, second = await send(api), await send(api, [ANN])

    assert first["from_selection"] == {"reason": "new_best_number", "reused_existing_chat": False}
    assert (first["created_new_chat"], first["previous_chat_id"], first["is_group"]) == (True, None, False)
    assert {first["from"], second["from"]} == {LINE, OTHER_LINE}


async def test_a_first_message_may_hold_a_link(api: httpx.AsyncClient) -> None:
    """Section 7.2: discouraged, but accepted here."""
    assert (await send(api, **holds(link())))["created_new_chat"] is True


async def test_the_most_recently_active_chat_is_reused(
    api: httpx.AsyncClient, emulator: Emulator, clock: TurnedClock
) -> None:
    """reused_active_chat: exactly these recipients, whatever line they are on."""
    await emulator.inbound(PERSON, text="Hello!", to=LINE)
    clock.advance(seconds=1)
    newer = await emulator.inbound(PERSON, text="Hello!", to=OTHER_LINE)

    sent, group = await send(api), await send(api, [PERSON, ANN])

    assert (sent["chat_id"], sent["from"], sent["created_new_chat"]) == (newer.chat_id, OTHER_LINE, False)
    assert sent["from_selection"] == {"reason": "reused_active_chat", "reused_existing_chat": True}
    assert (group["created_new_chat"], group["is_group"]) == (True, True)


async def test_an_exclusion_prefers_but_never_abandons(
    api: httpx.AsyncClient, emulator: Emulator, clock: TurnedClock
) -> None:
    """A chat on another line is preferred; the only chat is reused although its line is excluded."""
    only = await emulator.inbound(PERSON, text="Hello!", to=LINE)
    kept = await send(api, exclude_from=[LINE])
    clock.advance(seconds=1)
    other = await emulator.inbound(PERSON, text="Hello!", to=OTHER_LINE)

    preferred = await send(api, exclude_from=[OTHER_LINE, "+19995550000"])

    assert (kept["chat_id"], kept["from_selection"]["reason"]) == (only.chat_id, "reused_active_chat")
    assert preferred["chat_id"] == only.chat_id != other.chat_id


@pytest.mark.parametrize("continuation", [None, {"text": "New number"}])
async def test_a_flagged_line_is_left_behind(
    api: httpx.AsyncClient, emulator: Emulator, continuation: dict[str, str] | None
) -> None:
    """failover_flagged: a new chat on a fresh line, with the continuation instead of the message."""
    old = await emulator.inbound(PERSON, text="Hello!", to=LINE)
    emulator.people.line(LINE, status="FLAGGED")

    sent = await send(api, continuation_message=continuation)

    assert (sent["from"], sent["created_new_chat"], sent["previous_chat_id"]) == (OTHER_LINE, True, old.chat_id)
    assert sent["from_selection"] == {"reason": "failover_flagged", "reused_existing_chat": False}
    assert sent["message"]["parts"][0]["value"] == ("Hi" if continuation is None else "New number")


async def test_a_continuation_is_for_failover_only(api: httpx.AsyncClient) -> None:
    """Section 7.2: ignored on first contact and on healthy reuse."""
    texts = [(await send(api, continuation_message={"text": "New"}))["message"]["parts"][0]["value"] for _ in range(2)]

    assert texts == ["Hi", "Hi"]


async def test_without_a_usable_line_nothing_is_sent(api: httpx.AsyncClient, emulator: Emulator) -> None:
    """409/2015 when every line is flagged; available_number is 503."""
    for phone in (LINE, OTHER_LINE):
        emulator.people.line(phone, status="FLAGGED")

    assert outcome(await api.post("/v3/messages", json={"to": [PERSON], **says()})) == (409, 2015)
    assert (await api.get("/v3/available_number")).status_code == 503


@pytest.mark.parametrize("place", ["header", "body", "both"])
async def test_a_key_in_header_or_body_is_obeyed(api: httpx.AsyncClient, emulator: Emulator, place: str) -> None:
    """Section 4: the same answer again, one message, and webhooks that tell the key."""
    headers = {} if place == "body" else {"Idempotency-Key": "k"}
    body = {"to": [PERSON], **(says() if place == "header" else says(idempotency_key="k"))}

    answers = [await api.post("/v3/messages", json=body, headers=headers) for _ in range(2)]

    assert answers[0].json() == answers[1].json()
    assert [one.idempotency_key for one in emulator.messages()] == ["k"]
    assert emulator.counters["replays"] == 1


@pytest.mark.parametrize(("length", "expected"), [(255, 202), (256, (400, 1005))])
async def test_a_header_key_has_a_length(api: httpx.AsyncClient, length: int, expected: int | tuple[int, int]) -> None:
    """Section 4: up to 255 characters."""
    answer = await api.post("/v3/messages", json={"to": [PERSON], **says()}, headers={"Idempotency-Key": "k" * length})

    assert outcome(answer) == expected


async def test_available_numbers_take_turns(api: httpx.AsyncClient, emulator: Emulator) -> None:
    """The least recently used of the healthiest; sends count as use, too."""
    numbers = [(await api.get("/v3/available_number")).json()["phone_number"] for _ in range(4)]
    emulator.people.line(LINE, reputation="AT_RISK")
    healthy = {(await api.get("/v3/available_number")).json()["phone_number"] for _ in range(3)}

    assert numbers[0] != numbers[1]
    assert numbers[:2] == numbers[2:]
    assert healthy == {OTHER_LINE}


async def test_an_available_number_sticks_to_a_chat(api: httpx.AsyncClient, emulator: Emulator) -> None:
    """`to` finds the line of their chat, unless it is excluded; `type` and exclusions narrow the choice."""
    await emulator.inbound(PERSON, text="Hello!", to=OTHER_LINE)
    emulator.people.line(LINE, line_type="RCS")
    asked = [
        {"to": PERSON},
        {"to": PERSON, "exclude_from": OTHER_LINE},
        {"exclude_from": f"{OTHER_LINE},+19995550000"},
        {"type": "RCS"},
        {"type": "iMessage"},
    ]

    answers = [(await api.get("/v3/available_number", params=one)).json()["phone_number"] for one in asked]

    assert answers == [OTHER_LINE, LINE, LINE, LINE, OTHER_LINE]
    excluded = await api.get("/v3/available_number", params={"exclude_from": [LINE, OTHER_LINE]})
    assert outcome(excluded) == (400, 1005)
    assert outcome(await api.get("/v3/available_number?type=SMS")) == (400, 1005)


async def test_a_vcard_can_be_had(api: httpx.AsyncClient) -> None:
    """`vcf_url` is a vCard of the line with its contact card's name."""
    card = {"phone_number": LINE, "first_name": "Ada", "last_name": "Bot"}
    await api.post("/v3/contact_card", json=card)
    given = (await api.get("/v3/available_number", params={"exclude_from": OTHER_LINE})).json()

    vcard = (await api.get(given["vcf_url"])).text

    assert f"TEL;TYPE=PREF:{LINE}" in vcard
    assert "FN:Ada Bot" in vcard
    assert OTHER_LINE not in vcard


async def test_a_vcard_has_the_other_lines_as_backups(api: httpx.AsyncClient, emulator: Emulator) -> None:
    """The account's other available lines come after the chosen one (`getAvailableNumber` in Linq's document)."""
    given = (await api.get("/v3/available_number")).json()
    both = (await api.get(given["vcf_url"])).text
    emulator.people.line(OTHER_LINE, status="FLAGGED")
    alone = (await api.get(given["vcf_url"])).text

    assert [one in both for one in (LINE, OTHER_LINE)] == [True, True]
    assert [one in alone for one in (LINE, OTHER_LINE)] == [True, False]


async def test_a_first_message_cannot_be_a_reply(api: httpx.AsyncClient, emulator: Emulator) -> None:
    """There is nothing to reply to yet, and the refusal leaves no chat behind."""
    body = {"to": [PERSON], **says(reply_to={"message_id": "00000000-0000-4000-8000-000000000000"})}

    assert outcome(await api.post("/v3/messages", json=body)) == (404, 2002)
    assert emulator.linq.world.chats == {}


async def test_an_available_number_can_send(api: httpx.AsyncClient, emulator: Emulator) -> None:
    """Section 7.7: sticky to an existing chat, unless its line can send nothing."""
    await emulator.inbound(PERSON, text="Hello!", to=LINE)
    emulator.people.line(LINE, status="FLAGGED")

    number = (await api.get("/v3/available_number", params={"to": PERSON})).json()["phone_number"]

    assert number == OTHER_LINE
