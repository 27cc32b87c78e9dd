"""Who may be written to: opt-outs, blocks, sandbox lines, flagged lines. linq-api-v3.md sections 3, 7.7, 9.1 and 9.2."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from linqbot.emulator.app import Emulator
from linqbot.testing.clock import TurnedClock
from tests.emulator.conftest import LINE, PERSON
from tests.emulator.listener import URL, Listener
from tests.emulator.refused import outcome
from tests.emulator.wording import says

OTHER_LINE, OTHER = "+12025550101", "+12025550147"

OPT_OUTS: list[tuple[str, bool, str]] = [
    *((word, True, "9.1") for word in ("STOP", "UNSUBSCRIBE", "OPTOUT", "CANCEL", "END", "QUIT")),
    *((word, True, "9.1: OPT OUT in any case") for word in ("opt out", "Opt-Out", "optout", "OPT OUT")),
    ("  STOP\n", True, "9.1: trimmed"),
    *((word, False, "9.1: case-sensitive") for word in ("stop", "Stop", "end")),
    *((word, False, "9.1: the whole message") for word in ("STOP it", "please STOP", "STOP.")),
]

HANDLES: list[tuple[Any, int | tuple[int, int], str]] = [
    (PERSON, 200, "7.7: E.164"),
    ("ada@example.com", 200, "7.7: email"),
    ("262966", 200, "7.7: short code of 3 to 8 digits"),
    ("AcmeBank", 200, "7.7: alphanumeric sender"),
    ("12", (400, 1002), "7.7"),
    ("+1 202", (400, 1002), "7.7"),
    (7, (400, 1002), "7.7"),
    (None, (400, 1001), "2"),
]


@pytest.mark.parametrize(("word", "opts_out"), [row[:2] for row in OPT_OUTS])
async def test_these_words_opt_out(
    api: httpx.AsyncClient, emulator: Emulator, chat_id: str, word: str, opts_out: bool
) -> None:
    """Exactly the documented words make every further direct send 403/2024."""
    await emulator.inbound(PERSON, text=word, to=LINE)

    answer = await api.post(f"/v3/chats/{chat_id}/messages", json=says())

    assert outcome(answer) == ((403, 2024) if opts_out else 202)


async def test_an_opt_out_holds_on_every_line_and_marks_only_its_chat(
    api: httpx.AsyncClient, emulator: Emulator, chat_id: str
) -> None:
    """Section 9.1: blocked from all lines, while health_status changes where the word arrived."""
    other = (await emulator.inbound(PERSON, text="Hello!", to=OTHER_LINE)).chat_id
    await emulator.inbound(PERSON, text="STOP", to=LINE)

    answers = [await api.post(f"/v3/chats/{one}/messages", json=says()) for one in (chat_id, other)]
    opened = await api.post("/v3/chats", json={"from": OTHER_LINE, "to": [PERSON], **says()})
    anywhere = await api.post("/v3/messages", json={"to": [PERSON], **says()})
    health = [(await api.get(f"/v3/chats/{one}")).json()["health_status"]["status"] for one in (chat_id, other)]

    assert [outcome(one) for one in (*answers, opened, anywhere)] == [(403, 2024)] * 4
    assert health == ["OPTED_OUT", "HEALTHY"]


async def test_any_later_message_clears_an_opt_out(api: httpx.AsyncClient, emulator: Emulator, chat_id: str) -> None:
    """Section 9.1: an ordinary message in any conversation lets sends through again and heals the chat."""
    await emulator.inbound(PERSON, text="STOP", to=LINE)
    await emulator.inbound(PERSON, text="Hi again", to=OTHER_LINE)

    assert outcome(await api.post(f"/v3/chats/{chat_id}/messages", json=says())) == 202
    assert (await api.get(f"/v3/chats/{chat_id}")).json()["health_status"]["status"] == "HEALTHY"


async def test_override_lets_one_request_through(api: httpx.AsyncClient, emulator: Emulator, chat_id: str) -> None:
    """Section 6.2: the opt-out stays, and each use is recorded."""
    await emulator.inbound(PERSON, text="STOP", to=LINE)
    path = f"/v3/chats/{chat_id}/messages"

    overridden = await api.post(path, json=says() | {"override_optout": True})
    memo = {"voice_memo_url": "https://example.com/a.m4a", "override_optout": True}
    spoken = await api.post(f"/v3/chats/{chat_id}/voicememo", json=memo)

    assert [outcome(overridden), outcome(spoken)] == [202, 202]
    assert emulator.counters["optout_overrides"] == 2
    assert outcome(await api.post(path, json=says())) == (403, 2024)


async def test_groups_know_no_opt_out(api: httpx.AsyncClient, emulator: Emulator, group_id: str) -> None:
    """Section 9.1: a group is neither marked nor blocked, and the word in a group opts nobody out."""
    await emulator.inbound(PERSON, text="STOP", chat_id=group_id)
    direct = await emulator.inbound(OTHER, text="STOP", to=LINE)

    assert outcome(await api.post(f"/v3/chats/{group_id}/messages", json=says())) == 202
    assert outcome(await api.post(f"/v3/chats/{direct.chat_id}/messages", json=says())) == (403, 2024)
    assert outcome(await api.post("/v3/chats", json={"from": LINE, "to": [PERSON], **says()})) == 201


@pytest.mark.parametrize(("handle", "expected"), [row[:2] for row in HANDLES])
async def test_a_handle_is_blocked(api: httpx.AsyncClient, handle: Any, expected: int | tuple[int, int]) -> None:
    """Numbers, emails, short codes and sender names can be blocked, anything else is refused."""
    assert outcome(await api.post("/v3/blocked_handles", json={"handle": handle})) == expected


async def test_blocking_is_idempotent(api: httpx.AsyncClient, clock: TurnedClock) -> None:
    """Section 7.7: blocking again returns the existing entry; unblocking ends it."""
    first = (await api.post("/v3/blocked_handles", json={"handle": PERSON, "reason": "spam"})).json()
    clock.advance(seconds=60)
    again = (await api.post("/v3/blocked_handles", json={"handle": PERSON, "reason": "other"})).json()
    listed = (await api.get("/v3/blocked_handles")).json()

    gone = await api.request("DELETE", "/v3/blocked_handles", json={"handle": PERSON})

    assert first == again == {"blocked_handle": listed["blocked_handles"][0]}
    assert (first["blocked_handle"]["handle"], first["blocked_handle"]["reason"]) == (PERSON, "spam")
    assert gone.status_code == 204
    assert (await api.get("/v3/blocked_handles")).json() == {"blocked_handles": []}
    assert outcome(await api.request("DELETE", "/v3/blocked_handles", json={"handle": PERSON})) == (404, 2001)


async def test_what_a_blocked_person_does_is_unheard(
    api: httpx.AsyncClient, emulator: Emulator, listener: Listener, chat_id: str
) -> None:
    """Section 7.7: their messages and reactions are dropped without a webhook or a record."""
    sent = (await api.post(f"/v3/chats/{chat_id}/messages", json=says())).json()["message"]["id"]
    await emulator.quiet()
    emulator.subscribe(URL)
    await api.post("/v3/blocked_handles", json={"handle": PERSON})

    arrived = await emulator.inbound(PERSON, text="Hello?", to=LINE)
    emulator.people.reacts(PERSON, sent, "love")
    emulator.people.types(PERSON, chat_id)
    await emulator.quiet()

    assert arrived.dropped
    assert listener.types() == []
    assert len((await api.get(f"/v3/chats/{chat_id}/messages")).json()["messages"]) == 2


async def test_a_blocked_person_gets_nothing_directly(
    api: httpx.AsyncClient, emulator: Emulator, chat_id: str, group_id: str
) -> None:
    """Section 7.7: direct sends of every kind are 403/2026, group sends are not restricted."""
    await api.post("/v3/blocked_handles", json={"handle": PERSON})
    memo = {"voice_memo_url": "https://example.com/a.m4a"}
    poll = {"poll": {"options": [{"text": "a"}, {"text": "b"}]}}

    answers = [
        await api.post(f"/v3/chats/{chat_id}/messages", json=says()),
        await api.post("/v3/chats", json={"from": OTHER_LINE, "to": [PERSON], **says()}),
        await api.post("/v3/messages", json={"to": [PERSON], **says()}),
        await api.post(f"/v3/chats/{chat_id}/voicememo", json=memo),
        await api.post(f"/v3/chats/{chat_id}/polls", json=poll),
    ]

    assert [outcome(one) for one in answers] == [(403, 2026)] * 5
    assert outcome(await api.post(f"/v3/chats/{group_id}/messages", json=says())) == 202


async def test_a_sandbox_line_waits_to_be_written_to(api: httpx.AsyncClient, emulator: Emulator) -> None:
    """Section 9.2: 403/2008 until the recipient wrote to this line; other lines are free."""
    emulator.people.line(LINE, sandbox=True)
    body = {"from": LINE, "to": [PERSON], **says()}

    early = await api.post("/v3/chats", json=body)
    other = await api.post("/v3/chats", json=body | {"from": OTHER_LINE})
    await emulator.inbound(PERSON, text="Hello!", to=OTHER_LINE)
    still = await api.post("/v3/chats", json=body)
    await emulator.inbound(PERSON, text="Hello!", to=LINE)

    assert [outcome(early), outcome(other), outcome(still)] == [(403, 2008), 201, (403, 2008)]
    assert outcome(await api.post("/v3/chats", json=body)) == 201


async def test_a_sandbox_line_sends_100_messages_a_day(
    api: httpx.AsyncClient, emulator: Emulator, clock: TurnedClock, chat_id: str
) -> None:
    """Section 3: the 101st is 429/1007 until 00:00 UTC, and Retry-After says so."""
    emulator.people.line(LINE, sandbox=True)
    path = f"/v3/chats/{chat_id}/messages"
    for _ in range(100):
        clock.advance(seconds=3)
        assert (await api.post(path, json=says())).status_code == 202

    refused = await api.post(path, json=says())
    wait_s = int(refused.headers["retry-after"])
    clock.advance(seconds=wait_s)

    assert outcome(refused) == (429, 1007)
    assert clock.now_ms() % 86_400_000 < 1_000
    assert outcome(await api.post(path, json=says())) == 202


async def test_a_flagged_line_acts_no_more_and_reads_on(
    api: httpx.AsyncClient, emulator: Emulator, listener: Listener, chat_id: str, group_id: str
) -> None:
    """Section 9.2: everything that creates activity is 403/2027, reads continue; the change is told."""
    sent = (await api.post(f"/v3/chats/{chat_id}/messages", json=says())).json()["message"]["id"]
    await emulator.quiet()
    emulator.subscribe(URL, ["phone_number.status_updated"])
    emulator.people.line(LINE, status="FLAGGED")
    acts = [
        ("POST", f"/v3/chats/{chat_id}/messages", says()),
        ("POST", "/v3/chats", {"from": LINE, "to": [PERSON], **says()}),
        ("POST", f"/v3/chats/{chat_id}/typing", None),
        ("POST", f"/v3/chats/{chat_id}/read", None),
        ("POST", f"/v3/chats/{chat_id}/share_contact_card", None),
        ("POST", f"/v3/chats/{chat_id}/voicememo", {"voice_memo_url": "https://example.com/a.m4a"}),
        ("PUT", f"/v3/chats/{group_id}", {"display_name": "Us"}),
        ("POST", f"/v3/chats/{group_id}/participants", {"handle": "+12025553333"}),
        ("POST", f"/v3/chats/{group_id}/leave", None),
        ("PATCH", f"/v3/messages/{sent}", {"text": "Ho"}),
        ("POST", f"/v3/messages/{sent}/reactions", {"operation": "add", "type": "love"}),
    ]

    answers = [await api.request(method, path, json=body) for method, path, body in acts]
    await emulator.quiet()

    assert [outcome(one) for one in answers] == [(403, 2027)] * len(acts)
    for path in (f"/v3/chats/{chat_id}", f"/v3/chats/{chat_id}/messages", f"/v3/messages/{sent}"):
        assert (await api.get(path)).status_code == 200
    told = listener.only("phone_number.status_updated").event["data"]
    assert (told["previous_status"], told["new_status"]) == ("ACTIVE", "FLAGGED")


async def test_the_refusals_have_an_order(api: httpx.AsyncClient, emulator: Emulator, chat_id: str) -> None:
    """Of several reasons the first is told: line, block, sandbox, opt-out (a choice)."""
    path = f"/v3/chats/{chat_id}/messages"
    emulator.people.line(LINE, status="FLAGGED", sandbox=True)
    await emulator.inbound(PERSON, text="STOP", to=OTHER_LINE)
    await api.post("/v3/blocked_handles", json={"handle": PERSON})
    emulator.linq.world.lines[LINE].wrote_to_it.clear()
    told = []

    told.append(outcome(await api.post(path, json=says())))
    emulator.people.line(LINE, status="ACTIVE")
    told.append(outcome(await api.post(path, json=says())))
    await api.request("DELETE", "/v3/blocked_handles", json={"handle": PERSON})
    told.append(outcome(await api.post(path, json=says())))
    emulator.people.line(LINE, sandbox=False)
    told.append(outcome(await api.post(path, json=says())))

    assert told == [(403, 2027), (403, 2026), (403, 2008), (403, 2024)]


async def test_a_refusal_for_the_day_costs_nothing_of_the_minute_and_opens_no_chat(
    api: httpx.AsyncClient, emulator: Emulator, clock: TurnedClock, chat_id: str
) -> None:
    """Refusals do not count: after 00:00 UTC the whole minute is there; a refused first message leaves no chat."""
    emulator.people.line(LINE, sandbox=True)
    clock.advance(seconds=(86_070 - clock.now_ms() / 1000) % 86_400)
    other = (await emulator.inbound(OTHER, text="Hello!", to=LINE, group=[PERSON])).chat_id
    path = f"/v3/chats/{chat_id}/messages"
    for _ in range(100):
        clock.advance(seconds=3)
        await api.post(path, json=says())
    chats = len(emulator.linq.world.chats)

    new = await api.post("/v3/chats", json={"from": LINE, "to": [OTHER], **says()})
    refused = [outcome(await api.post(f"/v3/chats/{other}/messages", json=says())) for _ in range(30)]
    clock.advance(seconds=int(new.headers["retry-after"]))
    later = [outcome(await api.post(f"/v3/chats/{other}/messages", json=says())) for _ in range(30)]

    assert (outcome(new), len(emulator.linq.world.chats)) == ((429, 1007), chats)
    assert (set(refused), set(later)) == ({(429, 1007)}, {202})


async def test_nothing_else_of_a_blocked_person_is_heard(
    api: httpx.AsyncClient, emulator: Emulator, listener: Listener, chat_id: str, group_id: str
) -> None:
    """Section 7.7: no webhook for anything inbound: card, place, background, name, votes."""
    emulator.subscribe(URL)
    await api.post("/v3/blocked_handles", json={"handle": PERSON})

    emulator.people.shares_card(PERSON, LINE, first_name="Pat")
    emulator.people.shares_location(PERSON, chat_id, latitude=1.0, longitude=2.0)
    emulator.people.sets_background(PERSON, chat_id, {"type": "color", "variant": "ice"})
    emulator.people.renames(PERSON, group_id, name="Us")
    await emulator.quiet()

    assert listener.types() == []
    assert (await api.get(f"/v3/chats/{chat_id}/location")).json()["data"]["features"] == []


async def test_unblocking_lets_the_next_message_through(api: httpx.AsyncClient, emulator: Emulator) -> None:
    """Section 7.7: unblocking lets the next message through."""
    await api.post("/v3/blocked_handles", json={"handle": PERSON})
    before = await emulator.inbound(PERSON, text="Hello?", to=LINE)
    await api.request("DELETE", "/v3/blocked_handles", json={"handle": PERSON})

    after = await emulator.inbound(PERSON, text="Hello?", to=LINE)

    assert (before.dropped, after.dropped) == (True, False)
