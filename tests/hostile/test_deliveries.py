"""What Linq's own delivery can do to a bot: repeats, disorder, replays, odd versions. Each event is handled once.

Held by ids that are remembered in the step that keeps an event, and by lanes in order of arrival.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from linqbot import Bot, Event, Message
from linqbot.events import REGISTRY
from linqbot.testing.harness import Sim
from tests.faults.stores import store_url
from tests.hostile.door import Door, echo, open_door, until
from tests.hostile.letters import RECORDED, copied, encoded, message, signature

Diary = list[tuple[str, str]]


@pytest.fixture
def diary() -> Diary:
    """Which handler got which event, in order."""
    return []


@pytest.fixture(params=["redis", "sqlite"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A store of each kind."""
    return store_url(request.param, tmp_path)


@pytest.fixture
async def reader(diary: Diary, store: str) -> AsyncIterator[Door]:
    """The door of a bot that writes down everything it gets, and says nothing."""
    bot = Bot()

    @bot.message()
    async def heard(message: Message) -> None:
        diary.append(("message", message.text))

    for event_type in sorted(REGISTRY):
        if event_type != "message.received":
            register(bot, event_type, diary)

    async with open_door(bot, store=store) as door:
        yield door


def register(bot: Bot, event_type: str, diary: Diary) -> None:
    """Write down the events of a type."""

    @bot.event(event_type, name=event_type)
    async def seen(event: Event) -> None:
        diary.append((event_type, event.event_id))


async def texts(door: Door, diary: Diary) -> list[str]:
    """The messages handled so far, once all work is done."""
    await door.sim.settled()
    return [text for name, text in diary if name == "message"]


async def test_d1_ten_repeats_in_a_row_are_one_event(reader: Door, diary: Diary) -> None:
    """`accept` looks an id up and keeps the event in one atomic step; a known id is answered 200 and changes nothing."""
    body = message("once")

    answers = [await reader.deliver(body) for _ in range(10)]

    assert [answer.text for answer in answers] == ["accepted"] + ["duplicate"] * 9
    assert {answer.status_code for answer in answers} == {200}
    assert await texts(reader, diary) == ["once"]


async def test_d1_fifty_repeats_at_once_are_one_event(reader: Door, diary: Diary) -> None:
    """The step is one script on the server, so of fifty at once exactly one is the first."""
    body = message("once")

    answers = await asyncio.gather(*(reader.deliver(body) for _ in range(50)))

    assert sorted(answer.text for answer in answers) == ["accepted"] + ["duplicate"] * 49
    assert await texts(reader, diary) == ["once"]


async def test_d2_a_repeat_within_linqs_retries_is_a_duplicate(reader: Door, diary: Diary) -> None:
    """Ids are remembered for a day, far longer than Linq's half hour of retries."""
    body = message("once")
    await reader.deliver(body)
    reader.sim.clock.advance(minutes=29)

    assert (await reader.deliver(body)).text == "duplicate"
    assert await texts(reader, diary) == ["once"]


async def test_d2_an_id_is_forgotten_after_days_and_needs_a_fresh_signature(reader: Door, diary: Diary) -> None:
    """Past the memory of ids only the signature's time protects: a captured webhook is refused, a new one is news."""
    body = message("again")
    content = encoded(body)
    proof = signature(content, now_ms=reader.sim.clock.now_ms())
    await reader.knock(content, proof)
    await reader.sim.settled()
    reader.sim.clock.advance(hours=73)

    assert (await reader.knock(content, proof)).status_code == 401
    assert (await reader.deliver(body)).text == "accepted"
    assert await texts(reader, diary) == ["again", "again"]


async def test_d3_another_body_under_a_known_event_id_is_a_duplicate(reader: Door, diary: Diary) -> None:
    """The first body of an event id wins: nobody can change what was accepted."""
    first, second = message("first"), message("second")
    second["event_id"] = first["event_id"]

    await reader.deliver(first)
    answer = await reader.deliver(second)

    assert answer.text == "duplicate"
    assert await texts(reader, diary) == ["first"]


async def test_d3_the_same_body_under_another_webhook_id_is_a_duplicate(reader: Door, diary: Diary) -> None:
    """The body's event id names the event, not the webhook's id, which is new with each subscription."""
    body = message("once")

    await reader.deliver(body, webhook_id="w-1")
    answer = await reader.deliver(body, webhook_id="w-2")

    assert answer.text == "duplicate"
    assert await texts(reader, diary) == ["once"]


async def test_d3_without_an_event_id_the_webhook_id_names_the_event(reader: Door, diary: Diary) -> None:
    """A body without an id of its own is told apart by the header's, and by its message."""
    body = message("once")
    del body["event_id"]

    answers = [await reader.deliver(body, webhook_id="w-3") for _ in range(2)]

    assert [answer.text for answer in answers] == ["accepted", "duplicate"]
    assert await texts(reader, diary) == ["once"]


async def test_d4_events_are_handled_in_the_order_of_arrival(reader: Door, diary: Diary) -> None:
    """A chat is a FIFO of what was accepted; `sent_at` says when it was written and moves nothing."""
    times = [f"2026-02-05T19:31:{second:02}Z" for second in range(20)]
    random.Random(4).shuffle(times)

    for number, sent_at in enumerate(times):
        await reader.deliver(message(f"{number}", chat="one", sent_at=sent_at))

    assert await texts(reader, diary) == [str(number) for number in range(20)]


async def test_d5_a_replay_within_five_minutes_is_a_duplicate(reader: Door, diary: Diary) -> None:
    """A captured request is still proven, so the ids decide: answered 200, nothing happens."""
    content = encoded(message("captured"))
    proof = signature(content, now_ms=reader.sim.clock.now_ms())
    await reader.knock(content, proof)
    reader.sim.clock.advance(seconds=290)

    assert (await reader.knock(content, proof)).text == "duplicate"
    assert await texts(reader, diary) == ["captured"]


async def test_d5_a_replay_after_five_minutes_is_401(reader: Door, diary: Diary) -> None:
    """The signed time is compared with the clock, five minutes both ways, before the store is asked."""
    content = encoded(message("captured"))
    proof = signature(content, now_ms=reader.sim.clock.now_ms())
    reader.sim.clock.advance(seconds=302)

    assert (await reader.knock(content, proof)).status_code == 401
    assert await texts(reader, diary) == []


async def test_d5_a_replay_under_a_new_time_is_401(reader: Door) -> None:
    """The time is part of what is signed."""
    content = encoded(message())
    now_ms = reader.sim.clock.now_ms()
    stretched = {**signature(content, now_ms=now_ms), "webhook-timestamp": str(now_ms // 1000 + 1)}

    assert (await reader.knock(content, stretched)).status_code == 401


async def test_d6_recovered_history_is_not_answered(reader: Door, diary: Diary) -> None:
    """With `reconciled_at` set a message is kept and ended, but no message handler matches it."""
    answer = await reader.deliver(copied("message.received.2026-02-03.reconciled.json"))

    assert answer.text == "accepted"
    assert await texts(reader, diary) == []
    assert (await reader.stats()).inbox == 0


@pytest.mark.parametrize("version", ["2027-01-01", "", None, 7, ["2026-02-03"]])
async def test_d8_the_stated_version_does_not_matter(reader: Door, diary: Diary, version: object) -> None:
    """The payload is read by what is there, never by `webhook_version`."""
    body = {**message("versioned"), "webhook_version": version}

    assert (await reader.deliver(body)).text == "accepted"
    assert await texts(reader, diary) == ["versioned"]


async def test_d8_a_missing_version_does_not_matter(reader: Door, diary: Diary) -> None:
    """Nor does its absence."""
    body = message("bare")
    del body["webhook_version"], body["api_version"]

    assert (await reader.deliver(body)).text == "accepted"
    assert await texts(reader, diary) == ["bare"]


NOTHING: tuple[object, ...] = ({}, None, [], "text")


async def test_d8_every_known_type_with_nothing_in_it_is_answered_200(reader: Door) -> None:
    """A type's payload may be anything: what lacks its ids goes to the dead letters, the rest to its handler."""
    answers = [
        await reader.deliver({"event_type": event_type, "event_id": f"{event_type}-{data}", "data": data})
        for event_type in sorted(REGISTRY)
        for data in NOTHING
    ]

    await reader.sim.settled()
    assert {answer.status_code for answer in answers} == {200}
    assert (await reader.stats()).inbox == 0


async def test_d8_an_invented_type_is_not_kept(reader: Door) -> None:
    """A type newer than this linqbot is answered 200, so that Linq does not repeat it, and costs no memory."""
    answer = await reader.deliver({"event_type": "moon.landed", "event_id": "m-1", "data": {}})

    assert (answer.status_code, answer.text) == (200, "not wanted")
    assert (await reader.stats()).inbox == 0


async def test_d10_a_message_that_keeps_nothing_reaches_who_asks_for_history() -> None:
    """Zero retention means no parts: there is nothing to answer, and for who asks all the same the text is `""`."""
    seen: list[tuple[str, bool]] = []
    bot = Bot()

    @bot.message()
    async def answered(message: Message) -> str:
        return message.text

    @bot.message(history=True)
    async def kept(message: Message) -> None:
        seen.append((message.text, message.is_history))

    async with open_door(bot) as door:
        await door.deliver(copied("message.received.2026-02-03.zero-retention.json"))
        await door.sim.settled()
        stats = await door.stats()

    assert seen == [("", True)]
    assert (stats.inbox, stats.dead) == (0, 0)


async def test_d10_an_address_that_is_gone_is_only_an_address() -> None:
    """linqbot never fetches a file by itself, so an expired one cannot fail an event; the handler gets its address."""
    seen: list[str | None] = []
    bot = Bot()

    @bot.message()
    async def look(message: Message) -> None:
        seen.extend(one.url for one in message.media)

    body = copied("message.received.2026-02-03.media.json")
    for part in body["data"]["parts"]:
        if part["type"] == "media":
            part["url"] = "http://127.0.0.1:1/gone"
    async with open_door(bot) as door:
        await door.deliver(body)
        await door.sim.settled()
        dead = (await door.stats()).dead

    assert seen == ["http://127.0.0.1:1/gone"]
    assert dead == 0


OWN = {
    "direction": {"direction": "outbound"},
    "sender": {"direction": None, "sender_handle": {"handle": "+12025551234", "is_me": True}},
    "flag": {"direction": None, "sender_handle": None, "is_from_me": True},
}


@pytest.mark.parametrize("changes", OWN.values(), ids=OWN.keys())
async def test_d11_our_own_messages_do_not_reach_message_handlers(
    reader: Door, diary: Diary, changes: dict[str, Any]
) -> None:
    """However the payload says that it is ours, message handlers do not match it, so no bot answers itself."""
    await reader.deliver(message("mine", **changes))

    assert await texts(reader, diary) == []
    assert (await reader.stats()).inbox == 0


async def test_d12_one_message_in_both_payload_versions_is_one(reader: Door, diary: Diary) -> None:
    """Two subscriptions may name the same event differently: the message's own id is remembered, too."""
    new, old = copied("message.received.2026-02-03.json"), copied("message.received.2025-01-01.json")
    old["event_id"] = "another"

    answers = [await reader.deliver(new), await reader.deliver(old)]

    assert [answer.text for answer in answers] == ["accepted", "duplicate"]
    assert await texts(reader, diary) == ["Hello!"]


async def test_d13_news_of_a_send_may_come_before_its_answer(store: str) -> None:
    """`message.sent` carries the key that the reply left under; it ends the reply, and the late answer changes nothing."""
    async with Sim(echo(), store=store, namespace=f"hostile-{uuid4().hex}") as sim:
        sim.faults.add("slow", after=True, seconds=60)
        await sim.user().writes("hello")
        await until(lambda: delivered(sim, "message.sent"))
        [request] = sim.emulator.requests
        assert request["status"] is None
        sim.clock.advance(seconds=60)
        await sim.settled()

        assert [bubble.text for bubble in sim.replies] == ["hello"]
        assert len(sim.emulator.requests) == 1
        assert await sim.bot.store.sent(sim.replies[0].message_id) is not None


async def test_d13_news_of_a_send_stands_in_for_an_answer_that_never_comes(store: str) -> None:
    """The reply's outcome was unknown; its own webhook proves that it arrived, and it is not sent again."""
    async with Sim(echo(), store=store, namespace=f"hostile-{uuid4().hex}") as sim:
        sim.faults.lose_answer()
        await sim.user().writes("hello")
        await until(lambda: delivered(sim, "message.sent"))
        await sim.settled()
        sim.clock.advance(minutes=5)
        await sim.settled()

        assert [bubble.text for bubble in sim.replies] == ["hello"]
        assert len(sim.emulator.requests) == 1


def delivered(sim: Sim, event_type: str) -> bool:
    """Whether the bot has taken an event of this type."""
    return any(one["state"] == "delivered" and one["event_type"] == event_type for one in sim.emulator.deliveries())


def test_the_recorded_types_are_known() -> None:
    """The corpus that these tests alter is Linq's."""
    assert {body["event_type"] for body in RECORDED.values()} <= set(REGISTRY)
