"""Sending, reading back, idempotency, limits, opt-out."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest
from starlette.responses import Response
from starlette.routing import Route

from linqbot.emulator.app import Emulator
from linqbot.testing.clock import TurnedClock
from tests.emulator.conftest import LINE, PERSON
from tests.emulator.refused import outcome
from tests.emulator.wording import holds, link, media, says

OTHER_LINE = "+12025550101"


async def send(api: httpx.AsyncClient, chat_id: str, text: str = "Hi", **more: Any) -> httpx.Response:
    """Send one text."""
    return await api.post(f"/v3/chats/{chat_id}/messages", json=says(text, **more))


async def test_a_message_reaches_the_phone(api: httpx.AsyncClient, emulator: Emulator, chat_id: str) -> None:
    """What is accepted is on the recipient's phone, with everything that was said about it."""
    answer = await send(api, chat_id, "Hi", idempotency_key="k", effect={"type": "bubble", "name": "slam"})

    (heard,) = emulator.messages_to(PERSON)
    assert heard.message_id == answer.json()["message"]["id"]
    assert (heard.chat_id, heard.idempotency_key) == (chat_id, "k")
    assert heard.parts == ({"type": "text", "value": "Hi"},)
    assert heard.effect == {"type": "bubble", "name": "slam"}


async def test_a_group_message_reaches_every_phone(api: httpx.AsyncClient, emulator: Emulator, group_id: str) -> None:
    """Everybody in a group hears a message of ours."""
    await send(api, group_id)

    assert [one.to for one in emulator.messages()] == [PERSON, "+12025550147"]


async def test_the_same_key_is_sent_once(api: httpx.AsyncClient, emulator: Emulator, chat_id: str) -> None:
    """A repeat under the same key gets the first answer again, and nothing is sent again (section 4)."""
    first = await send(api, chat_id, idempotency_key="k")

    second = await send(api, chat_id, idempotency_key="k")

    assert (second.status_code, second.content) == (202, first.content)
    assert len(emulator.messages()) == 1
    assert [one["replayed"] for one in emulator.requests] == [False, True]


async def test_a_key_with_another_body_is_counted(api: httpx.AsyncClient, emulator: Emulator, chat_id: str) -> None:
    """Another body under a known key gets the first answer and shows in the counter (a choice)."""
    first = await send(api, chat_id, "one", idempotency_key="k")

    second = await send(api, chat_id, "two", idempotency_key="k")

    assert second.content == first.content
    assert emulator.counters["key_conflicts"] == 1


async def test_an_honest_replay_is_no_conflict(api: httpx.AsyncClient, emulator: Emulator, chat_id: str) -> None:
    """The same body under the same key is not counted as a conflict."""
    await send(api, chat_id, idempotency_key="k")

    await send(api, chat_id, idempotency_key="k")

    assert (emulator.counters["replays"], emulator.counters["key_conflicts"]) == (1, 0)


async def test_a_refused_request_does_not_use_up_its_key(
    api: httpx.AsyncClient, emulator: Emulator, chat_id: str
) -> None:
    """A key belongs to the first request that is accepted."""
    await send(api, chat_id, "", idempotency_key="k")

    answer = await send(api, chat_id, "Hi", idempotency_key="k")

    assert answer.status_code == 202
    assert emulator.counters["key_conflicts"] == 0


async def test_a_message_without_key_is_sent_each_time(
    api: httpx.AsyncClient, emulator: Emulator, chat_id: str
) -> None:
    """Without a key every request is a message."""
    await send(api, chat_id)

    await send(api, chat_id)

    assert len(emulator.messages()) == 2


async def test_a_key_is_forgotten_with_its_message(clock: TurnedClock) -> None:
    """Memory is bounded: the oldest messages go, and their keys with them."""
    async with (
        Emulator(clock=clock, kept=3) as emulator,
        httpx.AsyncClient(
            transport=httpx.ASGITransport(app=emulator.app),
            base_url="http://linq.test/api/partner",
            headers={"authorization": "Bearer any"},
        ) as api,
    ):
        chat_id = (await emulator.inbound(PERSON, text="Hello!")).chat_id
        for key in "abcd":
            await send(api, chat_id, idempotency_key=key)
        world = emulator.linq.world

        assert sorted(world.answers) == ["b", "c", "d"]
        assert (len(world.messages), len(world.chats[chat_id].messages), len(world.heard)) == (3, 3, 3)


async def test_the_31st_message_of_a_minute_waits(
    api: httpx.AsyncClient, emulator: Emulator, clock: TurnedClock, chat_id: str
) -> None:
    """A pair has 30 messages per 60 s; then 429/1007 says for how long, in header and body (section 3)."""
    for _ in range(30):
        await send(api, chat_id)
        clock.advance(seconds=1)

    answer = await send(api, chat_id)

    wait = answer.json()["error"]["retry_after"]
    assert (answer.status_code, answer.json()["error"]["code"]) == (429, 1007)
    assert answer.headers["retry-after"] == str(wait)
    clock.advance(seconds=wait)
    assert (await send(api, chat_id)).status_code == 202


async def test_a_replay_costs_nothing_of_the_pair(api: httpx.AsyncClient, chat_id: str) -> None:
    """Repeats under a key are answered also when the pair's minute is full."""
    for number in range(30):
        await send(api, chat_id, idempotency_key=str(number))

    answer = await send(api, chat_id, idempotency_key="7")

    assert answer.status_code == 202


async def test_the_limit_can_be_lifted(clock: TurnedClock) -> None:
    """With pair_limit=None nobody waits: for measuring a bot."""
    emulator = Emulator(clock=clock, pair_limit=None)
    headers = {"authorization": "Bearer any"}
    transport = httpx.ASGITransport(app=emulator.app)
    async with (
        emulator,
        httpx.AsyncClient(transport=transport, base_url="http://linq.test/api/partner", headers=headers) as api,
    ):
        chat_id = (await emulator.inbound(PERSON, text="Hello!")).chat_id

        statuses = {(await send(api, chat_id)).status_code for _ in range(40)}

    assert statuses == {202}


async def test_another_chat_has_a_minute_of_its_own(api: httpx.AsyncClient, emulator: Emulator, chat_id: str) -> None:
    """The limit is per pair, not per line."""
    other = await emulator.inbound("+12025551111", text="Hello!")
    for _ in range(30):
        await send(api, chat_id)

    assert (await send(api, other.chat_id)).status_code == 202


async def test_without_a_token_nothing_is_answered(api: httpx.AsyncClient, chat_id: str) -> None:
    """No token is 401/2004; any token is let in."""
    answer = await api.post(f"/v3/chats/{chat_id}/messages", json=says(), headers={"authorization": ""})

    assert (answer.status_code, answer.json()["error"]["code"]) == (401, 2004)


@pytest.mark.parametrize(
    ("chat_id", "status", "code"),
    [("not-a-uuid", 400, 1005), ("00000000-0000-4000-8000-000000000000", 404, 2001)],
    ids=["malformed", "unknown"],
)
async def test_a_chat_that_is_not_there(api: httpx.AsyncClient, chat_id: str, status: int, code: int) -> None:
    """A malformed chat id is 400/1005, an unknown one 404/2001 (section 7)."""
    answer = await send(api, chat_id)

    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)


async def test_a_body_that_is_no_json(api: httpx.AsyncClient, chat_id: str) -> None:
    """Broken JSON is 400/1003."""
    answer = await api.post(f"/v3/chats/{chat_id}/messages", content=b'{"message":')

    assert (answer.status_code, answer.json()["error"]["code"]) == (400, 1003)


async def test_a_body_that_is_too_large(api: httpx.AsyncClient, chat_id: str) -> None:
    """A body beyond the limit is refused with 413 (a choice)."""
    answer = await api.post(f"/v3/chats/{chat_id}/messages", content=b" " * (5 * 1024 * 1024 + 1))

    assert answer.status_code == 413


async def test_every_answer_has_a_trace_id(api: httpx.AsyncClient, chat_id: str) -> None:
    """Header and error body carry the same 32 hexadecimal digits (section 1)."""
    answer = await api.get("/v3/chats/not-a-uuid")

    assert answer.headers["x-trace-id"] == answer.json()["trace_id"]
    assert len(bytes.fromhex(answer.headers["x-trace-id"])) == 16


async def test_an_unknown_path_is_answered_like_linq(api: httpx.AsyncClient) -> None:
    """Also a wrong path has the envelope and a trace id."""
    answer = await api.get("/v3/nothing")

    assert (answer.status_code, answer.json()["error"]["code"]) == (404, 2001)
    assert answer.headers["x-trace-id"] == answer.json()["trace_id"]


async def test_a_method_that_does_not_exist_is_not_worth_a_retry(api: httpx.AsyncClient) -> None:
    """405 in Linq's envelope, under no code that means trouble of Linq's own (a choice)."""
    answer = await api.delete("/v3/phone_numbers")

    assert outcome(answer) == (405, 2001)
    assert answer.json()["trace_id"] == answer.headers["x-trace-id"]


async def test_even_a_crash_has_a_trace_id(emulator: Emulator) -> None:
    """Section 1: every answer has one, and section 2: what breaks inside is 500/3006."""

    async def crash(_request: object) -> Response:
        raise ZeroDivisionError

    emulator.app.router.routes.append(Route("/crash", crash))
    transport = httpx.ASGITransport(app=emulator.app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://linq.test") as client:
        answer = await client.get("/crash")

    assert outcome(answer) == (500, 3006)
    assert answer.json()["trace_id"] == answer.headers["x-trace-id"]


async def test_a_new_chat_is_created_with_its_message(api: httpx.AsyncClient, emulator: Emulator) -> None:
    """POST /v3/chats opens the chat and sends into it."""
    answer = await api.post("/v3/chats", json={"from": LINE, "to": [PERSON], **says("Hello")})

    chat = answer.json()["chat"]
    assert answer.status_code == 201
    assert [handle["handle"] for handle in chat["handles"]] == [LINE, PERSON]
    assert [one.chat_id for one in emulator.messages_to(PERSON)] == [chat["id"]]


@pytest.mark.parametrize(
    ("again", "same"),
    [
        ({"from": LINE, "to": ["+12025551111", PERSON]}, True),
        ({"from": LINE, "to": [PERSON, "+12025551111", PERSON]}, True),
        ({"from": OTHER_LINE, "to": [PERSON, "+12025551111"]}, False),
        ({"from": LINE, "to": [PERSON]}, False),
    ],
    ids=["other order", "named twice", "other line", "other people"],
)
async def test_a_chat_is_reused_by_line_and_people(api: httpx.AsyncClient, again: dict[str, Any], same: bool) -> None:
    """The same line with exactly the same set of people is the same chat (section 7.1)."""
    first = await api.post("/v3/chats", json={"from": LINE, "to": [PERSON, "+12025551111"], **says()})

    second = await api.post("/v3/chats", json={**again, **says()})

    assert (first.json()["chat"]["id"] == second.json()["chat"]["id"]) is same


async def test_creating_under_a_known_key_repeats_the_answer(api: httpx.AsyncClient, emulator: Emulator) -> None:
    """POST /v3/chats is idempotent under its message's key (section 4)."""
    body = {"from": LINE, "to": [PERSON], **says(idempotency_key="k")}
    first = await api.post("/v3/chats", json=body)

    second = await api.post("/v3/chats", json=body)

    assert second.content == first.content
    assert len(emulator.messages()) == 1


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"to": [PERSON]}, 400, 1001),
        ({"from": "12025550100", "to": [PERSON]}, 400, 1002),
        ({"from": "+12025559999", "to": [PERSON]}, 403, 2006),
        ({"from": LINE}, 400, 1001),
        ({"from": LINE, "to": []}, 400, 1005),
        ({"from": LINE, "to": ["5551234"]}, 400, 1002),
        ({"from": LINE, "to": [f"+1202555{n:04}" for n in range(32)]}, 400, 1005),
    ],
    ids=["no from", "from not E.164", "not our line", "no to", "nobody", "to not E.164", "32 people"],
)
async def test_a_chat_that_cannot_be_created(
    api: httpx.AsyncClient, body: dict[str, Any], status: int, code: int
) -> None:
    """Wrong lines and people are refused by code (sections 1, 2 and 7.1)."""
    answer = await api.post("/v3/chats", json={**body, **says()})

    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)


async def test_an_email_is_a_handle(api: httpx.AsyncClient) -> None:
    """One may write to an Apple ID (section 1)."""
    answer = await api.post("/v3/chats", json={"from": LINE, "to": ["ann@example.com"], **says()})

    assert answer.status_code == 201


async def test_chats_are_listed_in_pages(api: httpx.AsyncClient, emulator: Emulator) -> None:
    """Following next_cursor gives every chat once, newest first, until it is null."""
    made = [(await emulator.inbound(f"+1202555200{n}", text="Hello!")).chat_id for n in range(5)]
    first = (await api.get("/v3/chats", params={"limit": 3})).json()

    second = (await api.get("/v3/chats", params={"limit": 3, "cursor": first["next_cursor"]})).json()

    assert [chat["id"] for chat in first["chats"] + second["chats"]] == made[::-1]
    assert second["next_cursor"] is None


async def test_chats_are_filtered_by_line_and_person(api: httpx.AsyncClient, emulator: Emulator) -> None:
    """`from` and `to` narrow the list, alone and together (section 7)."""
    here = await emulator.inbound(PERSON, text="Hello!", to=LINE)
    there = await emulator.inbound(PERSON, text="Hello!", to=OTHER_LINE)
    other = await emulator.inbound("+12025551111", text="Hello!", to=LINE)

    async def listed(**query: str) -> list[str]:
        return [chat["id"] for chat in (await api.get("/v3/chats", params=query)).json()["chats"]]

    assert await listed(**{"from": LINE}) == [other.chat_id, here.chat_id]
    assert await listed(to=PERSON) == [there.chat_id, here.chat_id]
    assert await listed(**{"from": LINE, "to": PERSON}) == [here.chat_id]
    assert len((await api.get(f"/v3/chats?to={PERSON}")).json()["chats"]) == 2  # a plus that nobody escaped


async def test_chats_are_listed_for_those_who_take_part(api: httpx.AsyncClient, emulator: Emulator) -> None:
    """`to` finds the chats somebody is in, not those they were in (`listChats` in Linq's document)."""
    ann, ben = "+12025550147", "+12025550148"
    group = (await emulator.inbound(PERSON, text="Hello!", to=LINE, group=[ann, ben])).chat_id

    emulator.people.leaves(ann, group)

    listed = [(await api.get("/v3/chats", params={"to": one})).json()["chats"] for one in (ann, ben)]
    assert [[chat["id"] for chat in chats] for chats in listed] == [[], [group]]


async def test_messages_are_listed_newest_first(api: httpx.AsyncClient, emulator: Emulator, chat_id: str) -> None:
    """Both directions are read back in pages."""
    sent = (await send(api, chat_id)).json()["message"]["id"]

    page = (await api.get(f"/v3/chats/{chat_id}/messages", params={"limit": 1})).json()

    rest = (await api.get(f"/v3/chats/{chat_id}/messages", params={"cursor": page["next_cursor"]})).json()
    assert [one["id"] for one in page["messages"]] == [sent]
    assert [one["delivery_status"] for one in rest["messages"]] == ["received"]


@pytest.mark.parametrize("query", [{"limit": "0"}, {"limit": "101"}, {"limit": "x"}, {"cursor": "-1"}])
async def test_a_page_out_of_range_is_refused(api: httpx.AsyncClient, chat_id: str, query: dict[str, str]) -> None:
    """limit is 1 to 100 (section 7)."""
    answer = await api.get(f"/v3/chats/{chat_id}/messages", params=query)

    assert (answer.status_code, answer.json()["error"]["code"]) == (400, 1005)


async def test_an_unknown_message_is_not_found(api: httpx.AsyncClient) -> None:
    """GET of a message that is not there is 404/2002."""
    answer = await api.get("/v3/messages/00000000-0000-4000-8000-000000000000")

    assert (answer.status_code, answer.json()["error"]["code"]) == (404, 2002)


@pytest.mark.parametrize(("method", "what"), [("POST", "typing"), ("DELETE", "typing"), ("POST", "read")])
async def test_typing_and_read_are_accepted(api: httpx.AsyncClient, chat_id: str, method: str, what: str) -> None:
    """Typing and read receipts are 204 without a body (section 7.4)."""
    answer = await api.request(method, f"/v3/chats/{chat_id}/{what}")

    assert (answer.status_code, answer.content) == (204, b"")


NONSENSE: list[tuple[str, str, Any]] = [
    ("POST", "/v3/chats/{chat}/background", {"type": "dynamic", "style": ["sky"], "variant": "dusk"}),
    ("POST", "/v3/chats/{chat}/voicememo", {"voice_memo_url": "https://[x"}),
    ("POST", "/v3/chats/{chat}/messages", holds(media("https://[x"))),
    ("POST", "/v3/chats/{chat}/messages", holds(link("https://[x"))),
    ("POST", "/v3/attachments", {"filename": "\ud800.png", "content_type": "image/png", "size_bytes": 3}),
    ("POST", "/v3/chats", {"from": LINE, "to": [LINE], **says()}),
    ("POST", "/v3/chats", {"from": LINE, "to": [LINE, PERSON], **says()}),
    (
        "POST",
        "/v3/webhook-subscriptions",
        {"target_url": "https://e.co:99999999/", "subscribed_events": ["message.sent"]},
    ),
    ("POST", "/v3/webhook-subscriptions", {"target_url": "https://e co/", "subscribed_events": ["message.sent"]}),
    (
        "POST",
        "/v3/webhook-subscriptions",
        {"target_url": "https://e.co/", "subscribed_events": ["message.sent"], "routing_key_header": ["a"]},
    ),
    ("POST", "/v3/messages", {"to": [PERSON], **says(), "continuation_message": {"text": "a" * 10_001}}),
    ("POST", "/v3/messages", {"to": [PERSON], **says(), "continuation_message": {"text": 7}}),
]


@pytest.mark.parametrize(
    ("method", "path", "body"), NONSENSE, ids=[f"{row[1]} {number}" for number, row in enumerate(NONSENSE)]
)
async def test_nonsense_is_refused_and_breaks_nothing(
    api: httpx.AsyncClient, chat_id: str, method: str, path: str, body: Any
) -> None:
    """Whatever is asked for is answered 400 with Linq's envelope and a trace id, never with a crash."""
    answer = await api.request(method, path.format(chat=chat_id), content=json.dumps(body))

    assert answer.status_code == 400, answer.text
    assert answer.json()["trace_id"] == answer.headers["x-trace-id"]


async def test_a_replayed_poll_is_the_first_answer(api: httpx.AsyncClient, emulator: Emulator, chat_id: str) -> None:
    """Section 4: a replay returns the original response, its status too (a choice); deleted it is 404."""
    poll = {"poll": {"options": [{"text": "a"}, {"text": "b"}], "idempotency_key": "p"}}
    path = f"/v3/chats/{chat_id}/polls"
    first, again = await api.post(path, json=poll), await api.post(path, json=poll)
    await api.delete(f"/v3/messages/{first.json()['message_id']}")

    assert (again.status_code, again.content) == (first.status_code, first.content)
    assert outcome(await api.post(path, json=poll)) == (404, 2002)
    assert len(emulator.messages()) == 1


async def test_the_older_of_two_groups_of_the_same_people_is_still_reused(
    api: httpx.AsyncClient, emulator: Emulator
) -> None:
    """Section 7.1: a group that shrank to the same people is no reason to abandon the one that never changed."""
    ann, ben = "+12025550147", "+12025550148"
    create = {"from": LINE, "to": [PERSON, ann], **says()}
    first = (await api.post("/v3/chats", json=create)).json()["chat"]["id"]
    larger = (await api.post("/v3/chats", json=create | {"to": [PERSON, ann, ben]})).json()["chat"]["id"]
    await api.request("DELETE", f"/v3/chats/{larger}/participants", json={"handle": ben})
    await emulator.quiet()

    assert (await api.post("/v3/chats", json=create)).json()["chat"]["id"] == first
