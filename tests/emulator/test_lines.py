"""Lines, contact cards, capabilities, location, background, typing: linq-api-v3.md sections 3, 7, 7.4 and 7.7."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from linqbot.emulator.app import Emulator
from linqbot.testing.clock import TurnedClock
from tests.emulator.conftest import LINE, PERSON
from tests.emulator.listener import URL, Listener
from tests.emulator.refused import outcome
from tests.emulator.test_rules import UNKNOWN_ID
from tests.emulator.wording import says

OTHER_LINE = "+12025550101"
CARD = {"phone_number": LINE, "first_name": "Ada"}

CARDS: list[tuple[str, dict[str, Any], int | tuple[int, int], str]] = [
    ("a name", CARD, 200, "7"),
    ("everything", CARD | {"last_name": "Bot", "image_url": "https://example.com/a.png"}, 200, "7"),
    ("no number", {"first_name": "Ada"}, (400, 1001), "2"),
    ("no name", {"phone_number": LINE}, (400, 1001), "2"),
    ("a strange line", CARD | {"phone_number": "+19995550000"}, (403, 2006), "2"),
    ("a name that is a number", CARD | {"first_name": 7}, (400, 1005), "7"),
    ("an image over http", CARD | {"image_url": "http://example.com/a.png"}, (400, 5007), "2"),
]
CHECKS: list[tuple[str, str, dict[str, Any], int | tuple[int, int], str]] = [
    ("a number", "check_imessage", {"address": PERSON}, 200, "7"),
    ("an email", "check_imessage", {"address": "ada@example.com"}, 200, "7"),
    ("from a line", "check_imessage", {"address": PERSON, "from": OTHER_LINE}, 200, "7"),
    ("no address", "check_imessage", {}, (400, 1001), "2"),
    ("nonsense", "check_imessage", {"address": "x"}, (400, 1002), "2"),
    ("from a strange line", "check_imessage", {"address": PERSON, "from": "+19995550000"}, (403, 2006), "2"),
    ("a number for RCS", "check_rcs", {"address": PERSON}, 200, "7"),
    ("an email for RCS", "check_rcs", {"address": "ada@example.com"}, (400, 1002), "7"),
]
BACKGROUNDS: list[tuple[str, dict[str, Any], int | tuple[int, int], str]] = [
    ("a color", {"type": "color", "variant": "mango"}, 202, "7.7"),
    ("own shades", {"type": "color", "variant": "custom", "shades": ["#F2C4E1", "#f5a623"]}, 202, "7.7"),
    ("shades without a variant", {"type": "color", "shades": ["#F2C4E1", "#F5A623"]}, 202, "7.7"),
    ("a sky", {"type": "dynamic", "style": "sky", "variant": "dusk"}, 202, "7.7"),
    ("a photo", {"type": "photo", "image_url": "https://example.com/a.webp"}, 202, "7.7"),
    ("no type", {}, (400, 1001), "2"),
    ("another type", {"type": "video"}, (400, 1005), "7.7"),
    ("another color", {"type": "color", "variant": "mud"}, (400, 1005), "7.7"),
    ("custom without shades", {"type": "color", "variant": "custom"}, (400, 1005), "7.7"),
    ("one shade", {"type": "color", "shades": ["#F2C4E1"]}, (400, 1005), "7.7"),
    ("shades in words", {"type": "color", "shades": ["red", "blue"]}, (400, 1005), "7.7"),
    ("a sky without variant", {"type": "dynamic", "style": "sky"}, (400, 1005), "7.7"),
    ("water at dusk", {"type": "dynamic", "style": "water", "variant": "dusk"}, (400, 1005), "7.7"),
    ("glitter of ours", {"type": "dynamic", "style": "glitter", "variant": "x"}, (400, 1005), "7.7"),
    ("a photo over http", {"type": "photo", "image_url": "http://example.com/a.png"}, (400, 5007), "7.7"),
    ("a photo that is none", {"type": "photo", "image_url": "https://example.com/a.pdf"}, (400, 5006), "7.7"),
]
FORWARDED: list[tuple[Any, Any, str]] = [
    ("+12025557777", "+12025557777", "7"),
    (None, None, "7"),
    ("", None, "7"),
    ("2025557777", (400, 1002), "2"),
]


@pytest.mark.parametrize(("number", "expected"), [row[:2] for row in FORWARDED])
async def test_calls_are_forwarded(api: httpx.AsyncClient, number: Any, expected: Any) -> None:
    """A number, or nothing; the list tells it."""
    line_id = (await api.get("/v3/phone_numbers")).json()["phone_numbers"][0]["id"]

    answer = await api.put(f"/v3/phone_numbers/{line_id}", json={"forwarding_number": number})

    if isinstance(expected, tuple):
        assert outcome(answer) == expected
    else:
        assert answer.json() == {"id": line_id, "phone_number": LINE, "forwarding_number": expected}
        listed = (await api.get("/v3/phone_numbers")).json()["phone_numbers"][0]
        assert listed["forwarding_number"] == expected


async def test_an_unknown_line_has_its_own_code(api: httpx.AsyncClient) -> None:
    """404/2019 (section 2)."""
    assert outcome(await api.put(f"/v3/phone_numbers/{UNKNOWN_ID}", json={"forwarding_number": None})) == (404, 2019)


@pytest.mark.parametrize(("body", "expected"), [row[1:3] for row in CARDS], ids=[row[0] for row in CARDS])
async def test_a_card_is_set_up(api: httpx.AsyncClient, body: dict[str, Any], expected: int | tuple[int, int]) -> None:
    """The first card of a line; the list has it."""
    answer = await api.post("/v3/contact_card", json=body)

    assert outcome(answer) == expected
    if expected == 200:
        assert answer.json() == body | {"is_active": True}
        listed = (await api.get("/v3/contact_card", params={"phone_number": LINE})).json()
        assert listed == {"contact_cards": [answer.json()]}


async def test_a_card_is_set_up_once_and_then_merged(api: httpx.AsyncClient) -> None:
    """409/2014 on a second POST; PATCH keeps what it does not name; without a card it is 404/2012."""
    early = await api.patch("/v3/contact_card", params={"phone_number": LINE}, json={"first_name": "Eve"})
    await api.post("/v3/contact_card", json=CARD | {"last_name": "Bot"})

    second = await api.post("/v3/contact_card", json=CARD)
    merged = await api.patch("/v3/contact_card", params={"phone_number": LINE}, json={"first_name": "Eve"})

    assert (outcome(early), outcome(second)) == ((404, 2012), (409, 2014))
    assert (merged.json()["first_name"], merged.json()["last_name"]) == ("Eve", "Bot")
    assert (await api.get("/v3/contact_card", params={"phone_number": OTHER_LINE})).json() == {"contact_cards": []}


async def test_a_card_is_changed_three_times_in_ten_minutes(api: httpx.AsyncClient, clock: TurnedClock) -> None:
    """Section 3: POST and PATCH share the budget of a line; Retry-After says how long."""
    await api.post("/v3/contact_card", json=CARD)
    change: dict[str, Any] = {"params": {"phone_number": LINE}, "json": {"last_name": "Bot"}}

    answers = [await api.patch("/v3/contact_card", **change) for _ in range(3)]
    clock.advance(seconds=int(answers[-1].headers["retry-after"]))

    assert [outcome(one) for one in answers] == [200, 200, (429, 1007)]
    assert answers[-1].headers["retry-after"] == "600"
    assert outcome(await api.patch("/v3/contact_card", **change)) == 200


async def test_a_card_is_shared_once_in_five_minutes(
    api: httpx.AsyncClient, emulator: Emulator, clock: TurnedClock, chat_id: str
) -> None:
    """Section 7.4: needs a card (404/2012), an earlier message (a choice: 409/2015), and 5 minutes (section 3)."""
    path = f"/v3/chats/{chat_id}/share_contact_card"
    told = [outcome(await api.post(path))]
    await api.post("/v3/contact_card", json=CARD)
    told.append(outcome(await api.post(path)))
    await api.post(f"/v3/chats/{chat_id}/messages", json=says())
    told += [outcome(await api.post(path)) for _ in range(2)]
    clock.advance(seconds=300)
    told.append(outcome(await api.post(path)))

    assert told == [(404, 2012), (409, 2015), 204, (429, 1007), 204]
    assert [deed["deed"] for deed in emulator.deeds()] == ["contact_card.shared"] * 2


@pytest.mark.parametrize(("what", "body", "expected"), [row[1:4] for row in CHECKS], ids=[row[0] for row in CHECKS])
async def test_a_capability_is_checked(
    api: httpx.AsyncClient, what: str, body: dict[str, Any], expected: int | tuple[int, int]
) -> None:
    """Numbers and emails for iMessage, numbers for RCS."""
    assert outcome(await api.post(f"/v3/capability/{what}", json=body)) == expected


async def test_a_check_tells_what_the_phone_can_do(
    api: httpx.AsyncClient, emulator: Emulator, clock: TurnedClock
) -> None:
    """Available or not, and over what a message would go instead."""
    emulator.people.can(PERSON, ["RCS", "SMS"])
    imessage = (await api.post("/v3/capability/check_imessage", json={"address": PERSON})).json()
    clock.advance(seconds=10)
    rcs = (await api.post("/v3/capability/check_rcs", json={"address": PERSON})).json()

    no = {"address": PERSON, "available": False, "reason": "not_supported", "selected_service": "RCS"}
    assert imessage == no
    assert rcs == {"address": PERSON, "available": True}


async def test_checks_take_ten_seconds(api: httpx.AsyncClient, clock: TurnedClock) -> None:
    """Section 3: one per 10 s and line (the scope is a choice)."""
    path, body = "/v3/capability/check_imessage", {"address": PERSON}

    told = [outcome(await api.post(path, json=body)) for _ in range(2)]
    told.append(outcome(await api.post(path, json=body | {"from": OTHER_LINE})))
    clock.advance(seconds=10)
    told.append(outcome(await api.post(path, json=body)))

    assert told == [200, (429, 1007), 200, 200]


async def test_a_location_is_asked_for_shared_and_hidden(
    api: httpx.AsyncClient, emulator: Emulator, listener: Listener, clock: TurnedClock, chat_id: str
) -> None:
    """Asked for, shared with coordinates (longitude first), 409 while shared, stopped by us."""
    emulator.subscribe(URL)
    path = f"/v3/chats/{chat_id}/location"
    asked = [await api.post(f"{path}/request") for _ in range(2)]
    nothing = (await api.get(path)).json()
    emulator.people.shares_location(PERSON, chat_id, latitude=37.5, longitude=-122.25)
    again = await api.post(f"{path}/request")
    shared = (await api.get(path)).json()
    stops = [await api.request("DELETE", path, json={"handle": one}) for one in (PERSON, "+12025550147")]
    await emulator.quiet()

    assert [outcome(one) for one in (*asked, again)] == [200, (429, 1007), (409, 2015)]
    assert nothing == {"success": True, "data": {"type": "FeatureCollection", "features": []}}
    (feature,) = shared["data"]["features"]
    assert feature["geometry"] == {"type": "Point", "coordinates": [-122.25, 37.5]}
    assert feature["properties"]["handle"] == PERSON
    assert [outcome(one) for one in stops] == [202, (404, 2001)]
    assert listener.types() == ["location.sharing.started", "location.sharing.stopped"]
    assert listener.got[0].event["data"]["shared_with"] == LINE
    assert (await api.get(path)).json() == nothing


async def test_a_location_may_end_by_itself(
    api: httpx.AsyncClient, emulator: Emulator, listener: Listener, clock: TurnedClock, chat_id: str
) -> None:
    """Shared for an hour, it is told with its end, and stops then."""
    emulator.subscribe(URL)
    emulator.people.shares_location(PERSON, chat_id, latitude=1, longitude=2, for_s=3600)
    await emulator.quiet()
    clock.advance(seconds=3600)
    await emulator.quiet()

    assert listener.types() == ["location.sharing.started", "location.sharing.stopped"]
    assert listener.got[0].event["data"]["ends_at"] <= listener.got[1].event["data"]["ended_at"]


async def test_locations_are_for_direct_imessage_chats(
    api: httpx.AsyncClient, emulator: Emulator, group_id: str
) -> None:
    """Groups are 409/2016, SMS 409/2017 (section 2)."""
    sms = (await emulator.inbound("+12025551111", text="Hello!", service="SMS")).chat_id

    told = [outcome(await api.post(f"/v3/chats/{one}/location/request")) for one in (group_id, sms)]

    assert told == [(409, 2016), (409, 2017)]


@pytest.mark.parametrize(("body", "expected"), [row[1:3] for row in BACKGROUNDS], ids=[row[0] for row in BACKGROUNDS])
async def test_a_background_is_set(
    api: httpx.AsyncClient,
    emulator: Emulator,
    listener: Listener,
    chat_id: str,
    body: dict[str, Any],
    expected: int | tuple[int, int],
) -> None:
    """Accepted and told, or refused and not told."""
    emulator.subscribe(URL, ["chat.background_updated"])

    assert outcome(await api.post(f"/v3/chats/{chat_id}/background", json=body)) == expected
    await emulator.quiet()
    told = [one.event["data"]["background"]["type"] for one in listener.got]
    assert told == ([body["type"]] if expected == 202 else [])


async def test_a_background_is_taken_away(
    api: httpx.AsyncClient, emulator: Emulator, listener: Listener, chat_id: str
) -> None:
    """DELETE is told with no background; over SMS nothing happens (section 7.7); a fault is told as failed."""
    emulator.subscribe(URL)
    sms = (await emulator.inbound("+12025551111", text="Hello!", service="SMS")).chat_id
    await emulator.quiet()
    listener.got.clear()
    answers = [await api.delete(f"/v3/chats/{one}/background") for one in (chat_id, sms)]
    emulator.fault("failed", match="setBackground", code=5002)
    answers.append(await api.post(f"/v3/chats/{chat_id}/background", json={"type": "color", "variant": "ice"}))
    await emulator.quiet()

    assert [one.status_code for one in answers] == [202, 202, 202]
    assert listener.types() == ["chat.background_updated", "chat.background_update_failed"]
    assert listener.got[0].event["data"]["background"] is None
    assert listener.got[1].event["data"]["error_code"] == 5002


async def test_typing_lasts_90_seconds_unless_refreshed(
    api: httpx.AsyncClient, emulator: Emulator, listener: Listener, clock: TurnedClock, chat_id: str
) -> None:
    """Section 7.4: started once, kept by refreshing, over by itself; own bubbles are told with our handle (9.6)."""
    emulator.subscribe(URL)
    path = f"/v3/chats/{chat_id}/typing"
    await api.post(path)
    clock.advance(seconds=60)
    await api.post(path)
    clock.advance(seconds=89)
    await emulator.quiet()
    before = listener.types()
    clock.advance(seconds=1)
    await emulator.quiet()

    assert before == ["chat.typing_indicator.started"]
    assert listener.types() == ["chat.typing_indicator.started", "chat.typing_indicator.stopped"]
    assert listener.got[0].event["data"]["actor_handle"]["handle"] == LINE


@pytest.mark.parametrize("end", ["a message", "DELETE"])
async def test_typing_ends_with_a_message_or_delete(
    api: httpx.AsyncClient, emulator: Emulator, chat_id: str, end: str
) -> None:
    """Section 7.4: both clear it at once; DELETE without a bubble changes nothing."""
    await api.delete(f"/v3/chats/{chat_id}/typing")
    await api.post(f"/v3/chats/{chat_id}/typing")
    if end == "DELETE":
        await api.delete(f"/v3/chats/{chat_id}/typing")
    else:
        await api.post(f"/v3/chats/{chat_id}/messages", json=says())

    assert [deed["deed"] for deed in emulator.deeds()] == ["typing.started", "typing.stopped"]


async def test_over_sms_nobody_sees_us_type_or_read(api: httpx.AsyncClient, emulator: Emulator) -> None:
    """Sections 7.4 and 9.3: accepted without effect on SMS; in groups a read receipt has none either."""
    sms = (await emulator.inbound(PERSON, text="Hello!", service="SMS")).chat_id
    group = (await emulator.inbound(PERSON, text="Hello!", group=["+12025550147"])).chat_id

    answers = [await api.post(path) for path in (f"/v3/chats/{sms}/typing", f"/v3/chats/{sms}/read")]
    answers.append(await api.post(f"/v3/chats/{group}/read"))

    assert [one.status_code for one in answers] == [204, 204, 204]
    assert emulator.deeds() == []


async def test_people_type_until_they_write(emulator: Emulator, listener: Listener, chat_id: str) -> None:
    """Section 8.6: stopped also fires when they send."""
    emulator.subscribe(URL)

    emulator.people.types(PERSON, chat_id)
    await emulator.inbound(PERSON, text="There", to=LINE)
    await emulator.quiet()

    assert sorted(listener.types()) == [
        "chat.typing_indicator.started",
        "chat.typing_indicator.stopped",
        "message.received",
    ]


async def test_people_share_their_card(emulator: Emulator, listener: Listener) -> None:
    """contact_card.received has plain strings for both sides (section 8.6)."""
    emulator.subscribe(URL)

    emulator.people.shares_card(PERSON, LINE, first_name="Ada")
    await emulator.quiet()

    data = listener.only("contact_card.received").event["data"]
    assert (data["owner_handle"], data["sender_handle"], data["first_name"]) == (LINE, PERSON, "Ada")


async def test_an_audit_ends_with_an_error(api: httpx.AsyncClient) -> None:
    """The emulator has no reputation to look at (a choice); an audit of another line is not found."""
    started = await api.post(f"/v3/phone_numbers/{LINE}/reputation_audit")
    audit_id = started.json()["audit_id"]

    read = (await api.get(f"/v3/phone_numbers/{LINE}/reputation_audit/{audit_id}")).json()
    elsewhere = await api.get(f"/v3/phone_numbers/{OTHER_LINE}/reputation_audit/{audit_id}")

    assert (started.status_code, started.json()["status"], read["status"]) == (202, "pending", "error")
    assert outcome(elsewhere) == (404, 2001)


@pytest.mark.parametrize("how", ["a memo", "an app card", "the same people again", "no line", "a poll"])
async def test_whatever_is_sent_ends_typing_under_its_trace_id(
    api: httpx.AsyncClient, emulator: Emulator, listener: Listener, chat_id: str, how: str
) -> None:
    """Section 7.4: sending clears the bubble, and section 8.4: what the call caused has its trace id."""
    app = {"name": "Chess", "team_id": "A1B2C3D4E5", "bundle_id": "com.example.chess"}
    card = {"message": {"parts": [{"type": "imessage_app", "app": app, "layout": {"caption": "a"}}]}}
    old = (await api.post(f"/v3/chats/{chat_id}/messages", json=card)).json()["message"]["id"]
    await emulator.quiet()
    path, body = {
        "a memo": (f"/v3/chats/{chat_id}/voicememo", {"voice_memo_url": "https://example.com/a.m4a"}),
        "an app card": (f"/v3/messages/{old}/update", {"layout": {"caption": "b"}}),
        "the same people again": ("/v3/chats", {"from": LINE, "to": [PERSON], **says()}),
        "no line": ("/v3/messages", {"to": [PERSON], **says()}),
        "a poll": (f"/v3/chats/{chat_id}/polls", {"poll": {"options": [{"text": "a"}, {"text": "b"}]}}),
    }[how]
    await api.post(f"/v3/chats/{chat_id}/typing")
    emulator.subscribe(URL, ["chat.typing_indicator.stopped"])

    answer = await api.post(path, json=body)
    await emulator.quiet()

    assert answer.is_success
    assert listener.only("chat.typing_indicator.stopped").event["trace_id"] == answer.headers["x-trace-id"]


async def test_a_share_that_is_prolonged_does_not_end_early(
    api: httpx.AsyncClient, emulator: Emulator, listener: Listener, clock: TurnedClock, chat_id: str
) -> None:
    """Sharing for longer replaces the first end; it is told once."""
    emulator.subscribe(URL)
    emulator.people.shares_location(PERSON, chat_id, latitude=1.0, longitude=2.0, for_s=60)
    emulator.people.shares_location(PERSON, chat_id, latitude=1.0, longitude=2.0, for_s=600)

    clock.advance(seconds=61)
    await emulator.quiet()
    early = listener.types()
    clock.advance(seconds=600)
    await emulator.quiet()

    assert early == ["location.sharing.started"]
    assert listener.types() == ["location.sharing.started", "location.sharing.stopped"]
