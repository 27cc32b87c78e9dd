"""OutboxItem -> HTTP -> Outcome, between a real store and the emulator."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import replace
from typing import Any

import httpx
import pytest
from structlog.testing import capture_logs

from linqbot.client.http import LinqClient
from linqbot.emulator.app import Emulator
from linqbot.errors import StoreUnavailable
from linqbot.records import Dead, Outcome, Repeat, Sent, Side, Wait
from linqbot.store.open import open_store
from linqbot.testing.clock import TurnedClock
from tests.engine.sending import API, Control, Conversation, Office, served, unsendable

HOUR_S = 3_600


@pytest.fixture
async def emulator(clock: TurnedClock) -> AsyncIterator[Emulator]:
    """A Linq on the turned clock."""
    async with Emulator(clock=clock) as emulator:
        yield emulator


@pytest.fixture
async def linq(emulator: Emulator) -> AsyncIterator[Control]:
    """What happens at Linq, and how to make it go wrong."""
    control = Control(emulator)
    yield control
    await control.aclose()


@pytest.fixture
async def office(emulator: Emulator, clock: TurnedClock) -> AsyncIterator[Office]:
    """A dispatcher at work, in process with Linq."""
    async with AsyncExitStack() as stack:
        store = await stack.enter_async_context(open_store("sqlite:///:memory:", clock=clock))
        transport = httpx.ASGITransport(app=emulator.app)
        client = await stack.enter_async_context(LinqClient(API, "key", transport=transport))
        yield await stack.enter_async_context(Office(store, client, clock))


@pytest.fixture
async def wired(emulator: Emulator, clock: TurnedClock) -> AsyncIterator[Office]:
    """A dispatcher at work that reaches Linq over a real socket, and waits a fifth of a second for answers."""
    async with AsyncExitStack() as stack:
        url = await stack.enter_async_context(served(emulator.app))
        store = await stack.enter_async_context(open_store("sqlite:///:memory:", clock=clock))
        client = await stack.enter_async_context(LinqClient(url, "key", read_s=0.2))
        yield await stack.enter_async_context(Office(store, client, clock))


@pytest.fixture
async def ann(linq: Control) -> Conversation:
    """Somebody who wrote."""
    return await linq.person("+15550000001")


@pytest.fixture
async def bob(linq: Control) -> Conversation:
    """Somebody else who wrote."""
    return await linq.person("+15550000002")


def delay_s(outcome: Outcome) -> float:
    """How long a wait takes."""
    assert isinstance(outcome, Wait)
    return outcome.delay_ms / 1000


def reason(outcome: Outcome) -> str:
    """Why a reply is dead."""
    assert isinstance(outcome, Dead)
    return outcome.letter.reason


async def test_frozen_reply_reaches_the_phone_under_its_key(office: Office, linq: Control, ann: Conversation) -> None:
    """What was committed is sent, and Linq's id leads back to the reply."""
    reply = office.reply(ann, "hello")
    await office.freeze(reply)

    outcome = (await office.next()).outcome

    (message,) = await linq.heard(ann)
    assert message["idempotency_key"] == reply.key
    assert outcome == Sent(message_id=message["message_id"])
    record = await office.store.sent(message["message_id"])
    assert record is not None
    assert record.key == reply.key


async def test_threaded_reply_answers_its_message(office: Office, linq: Control, ann: Conversation) -> None:
    """A threaded reply arrives under the message that caused it."""
    await office.freeze(office.reply(ann, "hello", threaded=True))
    await office.next()

    (message,) = await linq.heard(ann)
    assert message["reply_to"]["message_id"] == ann.message_id


async def test_missing_target_is_answered_once_without_the_thread(
    office: Office, linq: Control, ann: Conversation
) -> None:
    """When Linq does not know the target, the unthreaded variant goes out at once under its own key, once."""
    reply = office.reply(ann, "hello", threaded="00000000-0000-4000-8000-000000000000")
    await office.freeze(reply)

    refused, sent = await office.next(), await office.next()

    (message,) = await linq.heard(ann)
    assert isinstance(refused.outcome, Wait)
    assert isinstance(sent.outcome, Sent)
    assert (message["reply_to"], message["idempotency_key"]) == (None, reply.plain_key)


async def test_replies_of_a_chat_leave_in_order(office: Office, linq: Control, ann: Conversation) -> None:
    """Bubbles arrive in the order of their commit, over several turns."""
    await office.say(ann, "1", "2", "3")
    await office.say(ann, "4", "5")
    for _ in range(5):
        await office.next()

    assert await linq.texts(ann) == ["1", "2", "3", "4", "5"]


async def test_later_replies_wait_behind_one_that_waits(office: Office, linq: Control, ann: Conversation) -> None:
    """A rate-limited reply is not overtaken by the next one of its chat."""
    await linq.fault("429", code=1007, retry_after=30)
    await office.say(ann, "1", "2")
    await office.next()

    assert await linq.texts(ann) == []

    await office.later(30)
    await office.next()

    assert await linq.texts(ann) == ["1", "2"]


async def test_o1_other_chats_flow_past_one_that_waits(
    office: Office, linq: Control, ann: Conversation, bob: Conversation
) -> None:
    """One chat's trouble is its own.

    Held by one lane for each chat: what waits holds up its own lane alone.
    """
    await linq.fault("503", match=f"POST /v3/chats/{ann.chat_id}/messages")
    await office.say(ann, "late")
    await office.next()
    await office.say(bob, "soon")
    await office.next()

    assert await linq.texts(bob) == ["soon"]
    assert await linq.texts(ann) == []


async def test_o1_storm_of_rate_limits_burns_nothing(office: Office, linq: Control, ann: Conversation) -> None:
    """However often Linq says 429, the reply waits as long as told and goes out in the end.

    Held by a `Wait` that burns no attempt.
    """
    await linq.fault("429", code=1007, retry_after=45, count=10)
    await office.say(ann, "patience")
    waits = [delay_s((await office.next()).outcome)]
    waits += [delay_s((await office.later(45)).outcome) for _ in range(9)]
    await office.later(45)

    assert waits == [45] * 10
    assert await linq.texts(ann) == ["patience"]


@pytest.mark.parametrize(
    ("kind", "code"), [("500", 3006), ("502", None), ("503", 4004), ("504", 3005), ("409", 2999), ("html", None)]
)
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
async def test_o2_trouble_at_linq_makes_one_message(
    office: Office, linq: Control, ann: Conversation, kind: str, code: int | None, *, after: bool
) -> None:
    """Whether Linq had accepted it or not when it answered with an error: one message, by its key.

    Held by repeating under the same key, which Linq collapses.
    """
    await linq.fault(kind, code=code, after=after, count=3)
    await office.say(ann, "once")
    troubled = await office.next()
    healed = await office.again(await office.again(await office.again(troubled)))

    assert isinstance(troubled.outcome, Wait)
    assert (troubled.outcome.burn, troubled.outcome.ambiguous) == (True, True)
    assert isinstance(healed.outcome, Sent)
    assert await linq.texts(ann) == ["once"]


def reason_of(outcome: Outcome) -> str:
    """Why a reply waits."""
    assert isinstance(outcome, Wait)
    return outcome.reason


@pytest.mark.parametrize("kind", ["reset", "timeout", "half_body"])
async def test_o3_lost_answer_makes_one_message(office: Office, linq: Control, ann: Conversation, kind: str) -> None:
    """Accepted, and the answer lost on the way: one message, by its key.

    Held by `OutcomeUnknown`, which is repeated under the same key.
    """
    await linq.fault(kind, after=True)
    await office.say(ann, "once")
    lost = await office.next()
    healed = await office.later(2)

    assert isinstance(lost.outcome, Wait)
    assert isinstance(healed.outcome, Sent)
    assert await linq.texts(ann) == ["once"]


@pytest.mark.parametrize("kind", ["reset", "timeout", "half_body", "huge_body"])
async def test_o3_answer_lost_on_the_wire_makes_one_message(
    wired: Office, linq: Control, ann: Conversation, kind: str
) -> None:
    """The same over a real socket: reset, silence, half a body, a body without end.

    Held by `OutcomeUnknown`, which is repeated under the same key.
    """
    await linq.fault(kind, after=True)
    await wired.say(ann, "once")
    lost = await wired.next()
    healed = await wired.later(2)

    assert reason_of(lost.outcome)
    assert isinstance(healed.outcome, Sent)
    assert await linq.texts(ann) == ["once"]


async def test_o3_unreadable_success_is_settled_by_a_replay(office: Office, linq: Control, ann: Conversation) -> None:
    """A 200 with a page instead of an answer is repeated under the key, which gives the true answer.

    Held by taking what cannot be read for an outcome that is not known.
    """
    await linq.fault("html", status=200, after=True)
    await office.say(ann, "once")
    await office.next()
    healed = await office.later(2)

    (message,) = await linq.heard(ann)
    assert healed.outcome == Sent(message_id=message["message_id"])


async def test_o11_redirect_is_not_followed_and_alarms(office: Office, linq: Control, ann: Conversation) -> None:
    """A redirect sends the key nowhere; somebody is told, and the reply goes out when it is over.

    Held by taking a 3xx for an outcome that is not known: wait, alarm, repeat under the key.
    """
    await linq.fault("redirect", location="https://evil.example/")
    with capture_logs() as logs:
        await office.say(ann, "once")
        redirected = await office.next()
        await office.later(2)

    assert redirected.status in range(300, 400)
    assert [line["alarm"] for line in logs if line["event"] == "alarm"] == [redirected.alarm]
    assert await linq.texts(ann) == ["once"]


async def test_o5_refused_key_holds_every_send_and_loses_nothing(
    office: Office, linq: Control, ann: Conversation, bob: Conversation
) -> None:
    """While the API key is refused all chats wait unburnt; one probes every 30 seconds; then all goes on in order.

    Held by the gate, which a 401 closes for all chats at once, and which one probe opens.
    """
    await linq.fault("401", code=2004, count=2)
    await office.say(ann, "1", "2")
    held = await office.next()
    await office.say(bob, "3")
    probe = await office.later(30)
    sent = [await office.later(30), await office.next(), await office.next()]

    assert (held.hold_ms, probe.hold_ms) == (30_000, 30_000)
    assert all(isinstance(verdict.outcome, Sent) for verdict in sent)
    assert (await linq.texts(ann), await linq.texts(bob)) == (["1", "2"], ["3"])


async def test_o5_refused_key_burns_no_attempt_and_alarms_once(
    office: Office, linq: Control, ann: Conversation
) -> None:
    """However long it takes, nobody's attempts are spent, and the log says it once.

    Held by the gate, which a 401 closes for all chats at once.
    """
    await linq.fault("401", code=2004, count=20)
    with capture_logs() as logs:
        await office.say(ann, "1")
        await office.next()
        for _ in range(19):
            await office.later(30)
        await office.later(30)

    assert len([line for line in logs if line["event"] == "alarm"]) == 1
    assert [line["attempt"] for line in logs if line["event"] == "reply sent"] == [1]


async def test_held_replies_are_given_back_when_the_process_leaves(
    office: Office, linq: Control, ann: Conversation, bob: Conversation
) -> None:
    """A process that is told to leave while sends are held gives its chats to the others, unburnt."""
    await linq.fault("401", code=2004)
    await office.say(ann, "1")
    await office.next()
    await office.say(bob, "2")
    office.dispatcher.stop()
    await office.running

    (lease,) = (await office.store.lease(Side.OUT, ["other"])).taken
    assert (lease.lane, lease.attempts, lease.stalls, lease.ambiguous_ms) == (f"chat:{bob.chat_id}", 0, 0, None)


async def test_opted_out_recipient_is_a_dead_letter(office: Office, linq: Control, ann: Conversation) -> None:
    """What Linq refuses for an opt-out is not retried, and the letter says why."""
    await linq.person(ann.phone, "STOP")
    await office.say(ann, "please")

    assert "opted out" in reason((await office.next()).outcome)
    (letter,) = await office.store.dead()
    assert (letter.kind, letter.handler) == ("reply", "bot.echo")


async def test_o7_missing_chat_is_a_dead_letter(office: Office, ann: Conversation) -> None:
    """A first attempt that finds no chat ends there.

    Held by knowing that no attempt before this one may have arrived.
    """
    nowhere = replace(ann, chat_id="00000000-0000-4000-8000-000000000000")
    await office.say(nowhere, "anybody?")

    assert "chat is not there" in reason((await office.next()).outcome)


async def test_o7_not_found_after_a_lost_answer_counts_as_sent(
    office: Office, linq: Control, ann: Conversation
) -> None:
    """A 404 under a key that may have been used means its message is gone since; no second key is made.

    Held by the mark that an attempt may have arrived, kept with the reply.
    """
    await linq.fault("500", after=True)
    await linq.fault("404", code=2001)
    await office.freeze(office.reply(ann, "once", threaded=True))
    await office.next()
    settled = await office.later(2)

    assert settled.outcome == Sent(message_id=None)
    assert await linq.texts(ann) == ["once"]


@pytest.mark.parametrize("code", [2013, 2015, 1006])
async def test_o8_final_conflict_is_a_dead_letter(office: Office, linq: Control, ann: Conversation, code: int) -> None:
    """Conflicts that will not change are not retried (linq-api-v3.md section 4).

    Held by the table of refusals, which tells those that do not pass.
    """
    await linq.fault("409", code=code)
    await office.say(ann, "1", "2")

    assert isinstance((await office.next()).outcome, Dead)
    assert isinstance((await office.next()).outcome, Sent)


async def test_o8_chat_in_the_making_is_asked_again(office: Office, linq: Control, ann: Conversation) -> None:
    """2009 passes by itself in seconds.

    Held by the table of refusals, which tells those that pass.
    """
    await linq.fault("409", code=2009)
    await office.say(ann, "1")
    await office.next()
    await office.later(2)

    assert await linq.texts(ann) == ["1"]


async def test_o9_refused_reply_does_not_stop_its_neighbours(office: Office, linq: Control, ann: Conversation) -> None:
    """Of three replies the second is refused: the others arrive, it lies in the dead letters.

    Held by settling each reply by itself: a dead one leaves its lane.
    """
    first, second, third = (office.reply(ann, text) for text in ("1", "2", "3"))
    await office.freeze(first, unsendable(second), third)
    for _ in range(3):
        await office.next()

    assert await linq.texts(ann) == ["1", "3"]
    assert [letter.id for letter in await office.store.dead()] == [second.key]


async def test_unknown_outcome_is_parked_after_an_hour(office: Office, linq: Control, ann: Conversation) -> None:
    """A reply whose fate stays unknown for 60 minutes is parked visibly, and its chat goes on."""
    await linq.fault("500", code=3006)
    await office.say(ann, "1", "2")
    await office.next()
    parked = await office.later(HOUR_S)
    await office.next()

    assert isinstance(parked.outcome, Dead)
    assert parked.outcome.letter.kind == "unknown"
    assert await linq.texts(ann) == ["2"]


async def test_o13_second_holder_sends_the_same_bytes(office: Office, linq: Control, ann: Conversation) -> None:
    """A sender that froze after sending loses its lane; whoever takes over repeats the key, and one message arrives.

    Held by a request and a key that are frozen before the first send.
    """
    office.dispatcher.stop()
    await office.say(ann, "once")
    (frozen,) = (await office.store.lease(Side.OUT, ["frozen"])).taken
    assert frozen.reply is not None
    await office.client.send(frozen.reply.request)
    office.clock.advance(seconds=31)
    second = office.another()
    running = asyncio.create_task(second.run())
    await office.next()

    assert await linq.texts(ann) == ["once"]
    assert await office.store.settle(frozen.lane, "frozen", Sent(message_id=None)) is False
    second.stop()
    await running


async def test_unrepeatable_call_of_a_dead_holder_is_parked(office: Office, linq: Control, ann: Conversation) -> None:
    """What would be seen twice is not sent again when its holder died."""
    office.dispatcher.stop()
    await office.freeze(replace(office.reply(ann, "memo"), repeat=Repeat.NEVER))
    await office.store.lease(Side.OUT, ["dead"])
    office.clock.advance(seconds=31)
    second = office.another()
    running = asyncio.create_task(second.run())
    parked = await office.next()

    assert isinstance(parked.outcome, Dead)
    assert await linq.texts(ann) == []
    second.stop()
    await running


async def test_failed_delivery_is_not_sent_again(office: Office, linq: Control, ann: Conversation) -> None:
    """`message.failed` is not final (linq-api-v3.md section 9.4): what was accepted is never resent by itself."""
    await linq.fault("failed", code=4001)
    await office.say(ann, "1")

    assert isinstance((await office.next()).outcome, Sent)
    assert (await office.store.stats()).outbox == 0


async def test_sick_linq_is_left_in_peace(office: Office, linq: Control, ann: Conversation, bob: Conversation) -> None:
    """After five failures in a row sending rests; one goes to see, and on its success all go on."""
    await linq.fault("503", code=3001, count=5)
    with capture_logs() as logs:
        await office.say(ann, "1")
        troubled = await office.next()
        for _ in range(4):
            troubled = await office.again(troubled)
        await office.say(bob, "2")
        await office.later(5)
        await office.next()

    assert [line["event"] for line in logs if line["event"].startswith("sending")] == [
        "sending rests",
        "sending goes on",
    ]
    assert (await linq.texts(ann), await linq.texts(bob)) == (["1"], ["2"])


class LosesAnswers:
    """A store whose next answers to `settle` are lost on the way back."""

    def __init__(self, store: Any, *, count: int, heard: bool) -> None:
        self._store = store
        self.count = count
        self._heard = heard

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    async def settle(self, lane: str, token: str, outcome: Outcome) -> bool:
        """The real step, and then no answer."""
        if self.count == 0:
            return bool(await self._store.settle(lane, token, outcome))
        self.count -= 1
        if self._heard:
            await self._store.settle(lane, token, outcome)
        raise StoreUnavailable("the answer was lost")


@pytest.mark.parametrize(("heard", "lost", "told"), [(False, 2, 2), (True, 1, 1)], ids=["not done", "done"])
async def test_outcome_is_stored_when_the_store_comes_back(
    office: Office, linq: Control, ann: Conversation, lost: int, told: int, *, heard: bool
) -> None:
    """A store that is away at the moment of settling costs no second message and no reply."""
    office.dispatcher.stop()
    second = office.another(store=LosesAnswers(office.store, count=lost, heard=heard))
    await office.say(ann, "1", "2")
    running = asyncio.create_task(second.run())
    for _ in range(told):
        await office.next()
    second.stop()
    await running

    assert await linq.texts(ann) == ["1", "2"]
    assert (await office.store.stats()).outbox == 0


async def test_stop_lets_the_send_in_flight_end(wired: Office, linq: Control, ann: Conversation) -> None:
    """Told to stop, the dispatcher settles what is in flight and takes nothing more."""
    await linq.fault("slow", seconds=0.1)
    await wired.say(ann, "1", "2")
    await wired.client.begun.wait()
    wired.dispatcher.stop()

    assert isinstance((await wired.next()).outcome, Sent)
    await wired.running
    assert await linq.texts(ann) == ["1"]
    assert (await wired.store.stats()).outbox == 1


async def test_leaving_marks_what_is_in_flight(wired: Office, linq: Control, ann: Conversation) -> None:
    """Told to leave at once, a reply in flight waits a little and says that it may have arrived."""
    await linq.fault("timeout", after=True)
    await wired.say(ann, "1")
    await wired.client.begun.wait()
    await wired.dispatcher.leave()

    left = (await wired.next()).outcome
    assert left == Wait(delay_ms=5_000, reason=reason_of(left), ambiguous=True)


async def test_leaving_does_not_wait_for_a_store_that_is_away(wired: Office, linq: Control, ann: Conversation) -> None:
    """What is in flight is told to the store once; if that is away the lease runs out, and the key decides all the same."""
    wired.dispatcher.stop()
    away = LosesAnswers(wired.store, count=1_000_000, heard=False)
    second = wired.another(store=away)
    await linq.fault("timeout", after=True)
    await wired.say(ann, "1")
    running = asyncio.create_task(second.run())
    await wired.client.begun.wait()
    second.stop()
    async with asyncio.timeout(5):
        await second.leave()
        await running

    assert away.count == 1_000_000 - 1


async def test_log_tells_ids_and_no_content(office: Office, linq: Control, ann: Conversation) -> None:
    """Each state change is one line with ids; no text and no phone number is in it."""
    await linq.fault("500", code=3006)
    with capture_logs() as logs:
        await office.say(ann, "canary text")
        await office.next()
        await office.later(2)

    waits, sent = logs
    assert waits["event"], sent["event"] == ("reply waits, its fate unknown", "reply sent")
    assert (waits["status"], waits["code"], waits["chat_id"]) == (500, 3006, ann.chat_id)
    assert "canary" not in str(logs)
    assert ann.phone not in str(logs)


async def test_listener_that_raises_changes_nothing(office: Office, linq: Control, ann: Conversation) -> None:
    """A bug in whoever listens to outcomes stays there."""
    told: asyncio.Queue[object] = asyncio.Queue()

    def broken(*verdict: object) -> None:
        told.put_nowait(verdict)
        raise ValueError("a listener's bug")

    office.dispatcher.stop()
    second = office.another(settled=broken)
    await office.say(ann, "1", "2")
    running = asyncio.create_task(second.run())
    await told.get()
    await told.get()
    second.stop()
    await running

    assert await linq.texts(ann) == ["1", "2"]
