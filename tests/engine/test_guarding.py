"""Sends that must not leave: facts of a real store between a dispatcher and the emulator, shared by all processes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from linqbot.client.http import LinqClient
from linqbot.emulator.app import Emulator
from linqbot.errors import StoreUnavailable
from linqbot.ids import fact_key
from linqbot.protocol.guard import FLAGGED_MS, guards_of_answer, guards_of_broadcast, line_key, person_key
from linqbot.records import Arrival, Dead, Fact, Leases, OutboxItem, Receipt, Sent, Wait
from linqbot.store.open import open_store
from linqbot.testing.clock import TurnedClock
from tests.engine.sending import API, LINE, Control, Conversation, Office
from tests.store.redis_server import KINDS, empty, session_url

NAMESPACE = "guarding"


@pytest.fixture
async def emulator(clock: TurnedClock) -> AsyncIterator[Emulator]:
    """A Linq on the turned clock."""
    async with Emulator(clock=clock) as emulator:
        yield emulator


@pytest.fixture
async def linq(emulator: Emulator) -> AsyncIterator[Control]:
    """What happens at Linq."""
    control = Control(emulator)
    yield control
    await control.aclose()


@pytest.fixture
async def ann(linq: Control) -> Conversation:
    """Somebody who wrote."""
    return await linq.person("+15550000001")


@pytest.fixture(params=["sqlite", *KINDS])
async def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A store that several processes share."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/bot.db"
    await empty(session_url(request.param), (NAMESPACE,))
    return session_url(request.param)


@pytest.fixture
async def stack() -> AsyncIterator[AsyncExitStack]:
    """What a test opens."""
    async with AsyncExitStack() as opened:
        yield opened


async def an_office(stack: AsyncExitStack, url: str, emulator: Emulator, clock: TurnedClock) -> Office:
    """A process that sends, over a connection of its own."""
    store = await stack.enter_async_context(open_store(url, clock=clock, namespace=NAMESPACE))
    transport = httpx.ASGITransport(app=emulator.app)
    client = await stack.enter_async_context(LinqClient(API, "key", transport=transport))
    return Office(store, client, clock)


@pytest.fixture
async def office(stack: AsyncExitStack, emulator: Emulator, clock: TurnedClock) -> Office:
    """A process at work."""
    return await stack.enter_async_context(await an_office(stack, "sqlite:///:memory:", emulator, clock))


def answer(office: Office, to: Conversation, text: str) -> OutboxItem:
    """An answer, as a turn freezes it."""
    return replace(office.reply(to, text), line=line_key(LINE), guards=guards_of_answer(to.phone))


def broadcast(office: Office, to: Conversation, text: str, *, by_chat: bool = False) -> OutboxItem:
    """A message that nobody waits for, to somebody or to a chat."""
    handle = None if by_chat else to.phone
    guards = guards_of_broadcast(handle=handle, chat_id=to.chat_id, line=line_key(LINE))
    return replace(office.reply(to, text), line=line_key(LINE), guards=guards, broadcast=True)


def sends(emulator: Emulator) -> int:
    """How many requests to send Linq has seen."""
    return sum(one["path"].endswith("/messages") for one in emulator.requests)


def why(outcome: Any) -> str:
    """Why a reply is dead."""
    assert isinstance(outcome, Dead)
    return outcome.letter.reason


async def test_what_one_process_learned_from_linq_the_others_obey(
    stack: AsyncExitStack, url: str, emulator: Emulator, linq: Control, ann: Conversation, clock: TurnedClock
) -> None:
    """One refusal is enough: 50 more sends of another process make no request, on every store."""
    one, two = [await an_office(stack, url, emulator, clock) for _ in range(2)]
    await linq.person(ann.phone, "STOP")
    async with one:
        await one.freeze(answer(one, ann, "hello"))
        assert "opted out" in why((await one.next()).outcome)
    before = sends(emulator)

    async with two:
        await two.freeze(*(replace(broadcast(two, ann, f"offer {n}"), key=f"lb1_two{n}") for n in range(50)))
        outcomes = [(await two.later(3)).outcome for _ in range(50)]  # the pair's pace is kept all the same

    assert (before, sends(emulator)) == (1, 1)
    assert all("opted out" in why(outcome) for outcome in outcomes)


async def test_a_blocked_handle_is_asked_for_once_an_hour(
    office: Office, emulator: Emulator, ann: Conversation
) -> None:
    """A 403/2026 is believed for an hour, for the account may unblock somebody without our knowing."""
    emulator.fault("403", code=2026, count=1)
    await office.freeze(broadcast(office, ann, "one"), broadcast(office, ann, "two"))
    assert ["blocked" in why((await office.next()).outcome) for _ in range(2)] == [True, True]
    assert sends(emulator) == 1

    office.clock.advance(minutes=61)
    await office.freeze(broadcast(office, ann, "three"))

    assert isinstance((await office.next()).outcome, Sent)


async def test_a_flagged_line_pauses_what_nobody_waits_for(
    office: Office, emulator: Emulator, linq: Control, ann: Conversation
) -> None:
    """A 403/2027 teaches all sends of the line: the others wait without a request, and go on by themselves."""
    bob = await linq.person("+15550000002")
    emulator.fault("403", code=2027, count=1)
    await office.freeze(answer(office, ann, "answer"))
    refused = await office.next()
    await office.freeze(broadcast(office, bob, "offer"))
    paused = await office.next()
    asked = sends(emulator)

    assert isinstance(refused.outcome, Wait)
    assert isinstance(paused.outcome, Wait)
    assert "flagged" in paused.outcome.reason
    assert asked == 1
    office.clock.advance(milliseconds=FLAGGED_MS + 1)
    ended = [(await office.next()).outcome for _ in range(2)]
    assert all(isinstance(outcome, Sent) for outcome in ended)


async def test_an_answer_leaves_from_a_flagged_line(office: Office, ann: Conversation) -> None:
    """Somebody waits for it; whether Linq takes it is for Linq to say."""
    await office.store.learn([Fact(key=line_key(LINE), value=b"1")])

    await office.freeze(answer(office, ann, "answer"))

    assert isinstance((await office.next()).outcome, Sent)


async def test_a_pause_does_not_last_for_ever(office: Office, emulator: Emulator, ann: Conversation) -> None:
    """What could not leave within a day is dead, with the reason, and never was a request."""
    await office.store.learn([Fact(key=fact_key("person", ann.chat_id), value=b"CRITICAL")])
    await office.freeze(broadcast(office, ann, "offer"))
    verdict = await office.next()

    for _ in range(1_500):
        if isinstance(verdict.outcome, Dead):
            break
        verdict = await office.again(verdict)

    assert "critical" in why(verdict.outcome)
    assert sends(emulator) == 0


@pytest.mark.parametrize("silent", [True, False])
async def test_a_send_to_a_chat_finds_out_who_is_in_it(
    office: Office, emulator: Emulator, ann: Conversation, *, silent: bool
) -> None:
    """Who knows only the chat is stopped by the person's own fact, as long as that stands."""
    person = person_key("opted-out", ann.phone)
    link = Fact(key=fact_key("person", ann.chat_id), value=person.encode())
    await office.store.learn([link, Fact(key=person, value=b"1", rank=1)])
    if not silent:
        await office.store.learn([Fact(key=person, value=None, rank=2)])

    await office.freeze(broadcast(office, ann, "offer", by_chat=True))

    outcome = (await office.next()).outcome
    assert (isinstance(outcome, Dead), sends(emulator)) == ((True, 0) if silent else (False, 1))


async def test_what_was_learned_is_stored_before_the_outcome(
    office: Office, emulator: Emulator, ann: Conversation
) -> None:
    """A store that is away for a moment loses neither: first the lesson, then the end of the reply."""
    steps: list[str] = []
    emulator.fault("403", code=2024, count=1)

    class Shaky:
        """The store, which fails once before each of the two."""

        def __getattr__(self, name: str) -> Any:
            step = getattr(office.store, name)
            if name not in ("learn", "settle"):
                return step

            async def once(*args: Any) -> Any:
                steps.append(name)
                if steps.count(name) == 1:
                    raise StoreUnavailable("for a moment")
                return await step(*args)

            return once

    office.dispatcher.stop()
    await office.running
    office.dispatcher = office.another(store=Shaky())
    async with office:
        await office.freeze(answer(office, ann, "hello"))
        assert "opted out" in why((await office.next()).outcome)

    assert steps == ["learn", "learn", "settle", "settle"]


class Looked:
    """A store that tells when something was leased from it."""

    def __init__(self, store: Any) -> None:
        self._store = store
        self.leased = asyncio.Event()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    async def lease(self, *args: Any, **more: Any) -> Leases:
        """As the store's."""
        leases: Leases = await self._store.lease(*args, **more)
        if leases.taken:
            self.leased.set()
        return leases


async def held_at_the_gate(stack: AsyncExitStack, office: Office, linq: Control, ann: Conversation) -> Looked:
    """Let five attempts for Ann fail, so that sending rests for five seconds; gives the store as the dispatcher sees it."""
    office.dispatcher.stop()
    await office.running
    seen = Looked(office.store)
    office.dispatcher = office.another(store=seen)
    await stack.enter_async_context(office)
    await linq.fault("503", code=3001, count=5)
    await office.freeze(answer(office, ann, "to ann"))
    troubled = await office.next()
    for _ in range(4):
        troubled = await office.again(troubled)
    seen.leased.clear()
    return seen


async def waits_at_the_gate(seen: Looked) -> None:
    """Until the next reply is leased and stands at the gate."""
    await seen.leased.wait()
    for _ in range(10):
        await asyncio.sleep(0)


async def test_what_waited_for_a_sick_linq_is_judged_anew(
    stack: AsyncExitStack, office: Office, linq: Control, ann: Conversation
) -> None:
    """Whoever asks for silence while an answer waits at the gate gets none: it is given back, and leased again with what is
    known by then.
    """
    bob = await linq.person("+15550000002")
    seen = await held_at_the_gate(stack, office, linq, ann)
    await office.freeze(answer(office, bob, "to bob"))
    await waits_at_the_gate(seen)

    await office.store.learn([Fact(key=person_key("opted-out", bob.phone), value=b"1", rank=1)])
    told = {(await office.later(60)).news, (await office.next()).news}

    assert told == {"reply sent", "reply dead"}
    assert (await linq.texts(ann), await linq.texts(bob)) == (["to ann"], [])


async def test_what_was_proven_while_it_waited_for_a_sick_linq_is_not_sent_again(
    stack: AsyncExitStack, office: Office, linq: Control, ann: Conversation
) -> None:
    """A webhook that comes in while a reply waits at the gate ends it, so that no window for repeats can run out."""
    bob = await linq.person("+15550000002")
    seen = await held_at_the_gate(stack, office, linq, ann)
    reply = answer(office, bob, "to bob")
    await office.freeze(reply)
    await waits_at_the_gate(seen)

    receipt = Receipt(lane=reply.lane, key=reply.key, message_id="m-1", status="sent")
    await office.store.accept(Arrival(receipt=receipt))
    await office.later(60)
    await office.store.post([answer(office, bob, "next")])
    await office.next()

    assert await linq.texts(bob) == ["next"]
