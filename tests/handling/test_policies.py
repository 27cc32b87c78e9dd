"""Policies decide whether a handler runs, and what a person sees meanwhile; which hold where, and what they store."""

from __future__ import annotations

import asyncio
import gc
import weakref
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from linqbot import NEXT, Cooldown, LoopGuard, Message, OptOut, Policy, SendReadReceipts, ShowTyping
from linqbot.errors import HandlerFailed, RegistrationError
from linqbot.handling.loops import Loops
from linqbot.handling.router import Router
from linqbot.records import Commit, InboxItem, StateCell
from tests.handling.conftest import CHAT, MESSAGE, Stage, message_with, received, said

TYPING = f"POST /v3/chats/{CHAT}/typing"
DONE = f"DELETE /v3/chats/{CHAT}/typing"
READ = f"POST /v3/chats/{CHAT}/read"
COOLS = f"cooldown:echo:{CHAT}"


async def echo(message: Message) -> str:
    """Says what it heard."""
    return message.text


async def silent() -> None:
    """Has nothing to say."""


async def _turns_of_the_loop() -> None:
    """Let alarms ring that are due."""
    for _ in range(5):
        await asyncio.sleep(0)


def policies_of(router: Router) -> list[list[Policy]]:
    """What holds for each handler."""
    return [list(route.policies) for route in router.routes()]


def test_policies_of_different_kinds_add_up() -> None:
    """Those of the routers around a handler and its own all hold, from the outside in."""
    outer, inner = Router(policies=[OptOut()]), Router("inner", policies=[ShowTyping()])
    inner.message(policies=[Cooldown("1h")])(echo)
    outer.fallback(policies=[SendReadReceipts()])(silent)
    outer.include_router(inner)

    assert policies_of(outer) == [
        [OptOut(), SendReadReceipts()],
        [OptOut(), ShowTyping(), Cooldown("1h")],
    ]


def test_of_one_kind_the_nearest_holds() -> None:
    """A handler's own stands instead of its router's, a router's instead of the bot's."""
    outer, inner = Router(policies=[Cooldown("1h")]), Router("inner", policies=[Cooldown("2h")])
    inner.message("a", policies=[Cooldown("3h")])(echo)
    inner.message("b", name="b")(echo)
    outer.include_router(inner)
    outer.event("message.received", name="c")(silent)

    assert policies_of(outer) == [[Cooldown("3h")], [Cooldown("2h")], [Cooldown("1h")]]


def test_every_decorator_takes_policies() -> None:
    """Messages, fallbacks, events by type and the other occasions."""
    router = Router()
    router.message("a", policies=[ShowTyping()])(echo)
    router.fallback(policies=[ShowTyping()], name="b")(echo)
    router.event("message.read", policies=[ShowTyping()])(silent)
    router.reaction(policies=[ShowTyping()], name="c")(silent)

    assert policies_of(router) == [[ShowTyping()]] * 4


@pytest.mark.parametrize("wrong", [OptOut(), "OptOut", 5, None, [OptOut], ["12h"], [None], [object()]])
def test_what_is_no_policy_is_refused_where_it_is_written(wrong: Any) -> None:
    """On a router and on a handler, with the remedy."""
    with pytest.raises(RegistrationError, match="policies="):
        Router(policies=wrong)
    with pytest.raises(RegistrationError, match="policies="):
        Router().message(policies=wrong)(echo)


@pytest.mark.parametrize("span", ["", "12", 12, None, "0s", "soon", timedelta(0), timedelta(seconds=-1)])
@pytest.mark.parametrize(
    "make", [Cooldown, lambda span: LoopGuard(within=span), lambda span: LoopGuard(quiet=span)], ids="cwq"
)
def test_a_span_is_longer_than_nothing_and_has_a_unit(make: Any, span: Any) -> None:
    """A number without a unit is a guess."""
    with pytest.raises(RegistrationError):
        make(span)


@pytest.mark.parametrize("turns", [1, 0, -5, 2.5, "5", True])
def test_a_loop_has_at_least_two_turns(turns: Any) -> None:
    """One answer is no loop."""
    with pytest.raises(RegistrationError, match="turns"):
        LoopGuard(turns=turns)


def test_policies_are_values() -> None:
    """Equal when they say the same, and their repr says what they are."""
    assert Cooldown("12h") == Cooldown("12h") != Cooldown("13h")
    assert repr(LoopGuard()) == "LoopGuard(turns=25, within='3s', quiet='1m')"
    assert len({OptOut(), OptOut(), ShowTyping()}) == 2


@pytest.mark.parametrize(
    ("item", "answers"),
    [
        (received("STOP"), []),
        (received(" opt-out "), []),
        (received("stop"), ["stop"]),
        (message_with(chat={"id": CHAT, "is_group": True}, parts=[{"type": "text", "value": "STOP"}]), ["STOP"]),
        (message_with(chat={"id": CHAT}, parts=[{"type": "text", "value": "STOP"}]), []),
    ],
)
async def test_a22_a_word_that_asks_for_silence_is_hidden(stage: Stage, item: InboxItem, answers: list[str]) -> None:
    """Not in groups, where it asks for nothing; where Linq does not say which it is, silence is kept.

    Held by the policy `OptOut`, which every bot has, and which is asked before each handler.
    """
    stage.router.message(policies=[OptOut()])(echo)

    assert said(await stage.run(item)) == answers


async def test_what_is_hidden_from_one_handler_is_asked_of_the_next(stage: Stage) -> None:
    """As if the first one's trigger did not match."""
    stage.router.message(policies=[OptOut()])(echo)
    stage.router.fallback(name="rest")(lambda: "hello")

    assert await stage.answers("STOP") == ["hello"]


async def test_a_withheld_word_is_hidden_too(stage: Stage) -> None:
    """A line that retains nothing tells only by the chat's health what was written."""
    stage.router.message(history=True, policies=[OptOut()])(echo)
    health = {"status": "OPTED_OUT", "doc_url": "", "updated_at": ""}

    commit = await stage.run(message_with(chat={"id": CHAT, "health_status": health}, parts=[], zero_retention=True))

    assert commit.replies == ()


async def test_a_person_sees_that_the_bot_types(stage: Stage, clock: Any) -> None:
    """From the handler's beginning, again every minute, until its end."""
    begun, go_on = asyncio.Event(), asyncio.Event()

    @stage.router.message(policies=[ShowTyping()], timeout=900)
    async def slow() -> str:
        begun.set()
        await go_on.wait()
        return "there"

    running = asyncio.create_task(stage.run(received("hi")))
    await begun.wait()
    first = list(stage.port.hints)
    for _ in range(2):
        clock.advance(seconds=61)
        await _turns_of_the_loop()
    go_on.set()
    await running
    ended = list(stage.port.hints)
    clock.advance(minutes=5)
    await _turns_of_the_loop()

    assert first == [TYPING]
    assert ended == [TYPING] * 3 + [DONE]
    assert stage.port.hints == ended


@pytest.mark.parametrize("service", ["SMS", "RCS"])
async def test_nobody_types_where_it_cannot_be_seen(stage: Stage, service: str) -> None:
    """Over SMS and RCS Linq shows nothing."""
    stage.router.message(policies=[ShowTyping()])(echo)

    await stage.run(message_with(service=service))

    assert stage.port.hints == []


async def test_typing_ends_with_a_handler_that_fails(stage: Stage) -> None:
    """However the handler ends."""

    @stage.router.message(policies=[ShowTyping()])
    async def broken() -> str:
        raise ValueError

    with pytest.raises(HandlerFailed):
        await stage.run(received("hi"))

    assert stage.port.hints == [TYPING, DONE]


async def test_a_message_is_read_when_a_handler_begins(stage: Stage) -> None:
    """Once, before the handler runs."""
    seen: list[list[str]] = []
    stage.router.message(policies=[SendReadReceipts()])(lambda: seen.append(list(stage.port.hints)))

    await stage.run(received("hi"))

    assert (seen, stage.port.hints) == ([[READ]], [READ])


@pytest.mark.parametrize("fields", [{"service": "SMS"}, {"chat": {"id": CHAT, "is_group": True}}])
async def test_nothing_is_marked_read_where_it_has_no_effect(stage: Stage, fields: dict[str, Any]) -> None:
    """Not over SMS and not in groups."""
    stage.router.message(policies=[SendReadReceipts()])(echo)

    await stage.run(message_with(**fields))

    assert stage.port.hints == []


async def test_an_event_that_is_no_message_is_not_read(stage: Stage) -> None:
    """There is nothing to mark."""
    stage.router.event("reaction.added", policies=[SendReadReceipts(), ShowTyping()])(silent)
    data = {"chat_id": CHAT, "message_id": MESSAGE, "is_from_me": False}

    await stage.run(received(event_type="reaction.added", body=data))

    assert stage.port.hints == [TYPING, DONE]


async def test_the_answer_is_noted_with_its_turn(stage: Stage, clock: Any) -> None:
    """The time of the answer is state of the same commit, new or written over what was read."""
    stage.router.message(policies=[Cooldown("12h")])(echo)
    first = await stage.run(received("hi"))
    stage.port.cells[COOLS] = StateCell(version=7, value=b"-999999999")
    second = await stage.run(received("hi"))

    assert [(one.key, one.expected) for one in (*first.state, *second.state)] == [(COOLS, 0), (COOLS, 7)]
    assert int(first.state[0].value or b"") >= 1_000


@pytest.mark.parametrize(("hours", "answers"), [(11.9, []), (12.1, ["hi"])])
async def test_a_chat_is_answered_once_in_the_span(stage: Stage, hours: float, answers: list[str]) -> None:
    """Meanwhile the event ends in silence: no other handler is asked, nothing is stored."""
    stage.router.message(policies=[Cooldown("12h")])(echo)
    stage.router.fallback(name="rest")(lambda: "somebody else")
    stage.port.cells[COOLS] = StateCell(version=1, value=b"%d" % (1_000 - hours * 3_600_000))

    commit = await stage.run(received("hi"))

    assert (said(commit), len(commit.state)) == (answers, len(answers))


@pytest.mark.parametrize("answer", [None, NEXT])
async def test_who_says_nothing_does_not_cool_down(stage: Stage, answer: Any) -> None:
    """Only answers count."""
    stage.router.message(policies=[Cooldown("12h")], name="echo")(lambda: answer)

    assert (await stage.run(received("hi"))).state == ()


async def test_a_stream_cools_down_too(stage: Stage) -> None:
    """Its state is committed with its end."""

    @stage.router.message(policies=[Cooldown("12h")], name="echo")
    async def story() -> AsyncIterator[str]:
        yield "once"
        yield "upon"

    commit = await stage.run(received("hi"))

    assert [write.key for write in commit.state] == [COOLS]


class Mirror:
    """Messages that come after the bot's answers, each with its own time."""

    def __init__(self, stage: Stage, run: Any) -> None:
        self._stage = stage
        self._run = run
        self._numbers = iter(range(10_000))
        self.now_ms = 1_000

    async def says(self, text: str = "hi", *, after_ms: int, sender: str = "+12025559876") -> list[str]:
        """Write so long after the last answer; what is answered."""
        came_ms = self.now_ms + after_ms
        self.now_ms = max(came_ms, self.now_ms) + 10
        item = message_with(sender_handle={"handle": sender}, parts=[{"type": "text", "value": text}])
        item = InboxItem(
            event_id=f"e{next(self._numbers)}", lane=item.lane, type=item.type, body=item.body, accepted_ms=came_ms
        )
        commit: Commit = await self._run(item, now_ms=self.now_ms)
        return said(commit)


async def test_a_machine_that_mirrors_is_no_longer_answered(stage: Stage) -> None:
    """Five answers in a row, each met within seconds: what comes after the sixth ends in silence."""
    stage.router.message(policies=[LoopGuard(turns=5)])(echo)

    async with stage.open() as run:
        mirror = Mirror(stage, run)
        answers = [await mirror.says(after_ms=500) for _ in range(10)]

    assert [len(answer) for answer in answers] == [1] * 6 + [0] * 4


async def test_a_machine_that_says_more_and_more_is_one(stage: Stage) -> None:
    """An echo of an echo grows with every turn."""
    stage.router.message(policies=[LoopGuard(turns=5)])(echo)

    async with stage.open() as run:
        mirror = Mirror(stage, run)
        answers = [await mirror.says("hi" + "!" * number, after_ms=500) for number in range(10)]

    assert sum(map(len, answers)) == 6


async def test_a_machine_that_makes_conversation_is_found_out_later(stage: Stage) -> None:
    """Quick messages that say something new count a quarter each."""
    stage.router.message(policies=[LoopGuard(turns=5)])(echo)

    async with stage.open() as run:
        mirror = Mirror(stage, run)
        answers = [await mirror.says(f"idea {number:03}", after_ms=500) for number in range(40)]

    assert [len(answer) for answer in answers] == [1] * 21 + [0] * 19


async def test_a_quiet_minute_ends_the_silence(stage: Stage) -> None:
    """A person who was taken for a machine is answered again."""
    stage.router.message(policies=[LoopGuard(turns=5)])(echo)

    async with stage.open() as run:
        mirror = Mirror(stage, run)
        for _ in range(8):
            await mirror.says(after_ms=500)
        held = await mirror.says(after_ms=59_000)
        again = await mirror.says(after_ms=60_000)

    assert (held, again) == ([], ["hi"])


@pytest.mark.parametrize("after_ms", [4_000, 100, -200], ids=["who reads", "in a hurry", "in a queue"])
async def test_a_person_is_never_silenced(stage: Stage, after_ms: int) -> None:
    """Slower than a machine, or written before the answer can have been there."""
    stage.router.message(policies=[LoopGuard(turns=5)])(echo)

    async with stage.open() as run:
        mirror = Mirror(stage, run)
        answers = [await mirror.says(after_ms=after_ms) for _ in range(40)]

    assert all(answers)


async def test_one_slow_answer_starts_the_count_anew(stage: Stage) -> None:
    """Only what is quick again and again is a machine."""
    stage.router.message(policies=[LoopGuard(turns=5)])(echo)

    async with stage.open() as run:
        mirror = Mirror(stage, run)
        answers = [await mirror.says(after_ms=5_000 if n % 4 == 0 else 500) for n in range(40)]

    assert all(answers)


async def test_others_in_the_chat_are_answered_beside_a_machine(stage: Stage) -> None:
    """Each sender of a chat has a count of their own."""
    stage.router.message(policies=[LoopGuard(turns=5)])(echo)

    async with stage.open() as run:
        mirror = Mirror(stage, run)
        for _ in range(7):
            assert await mirror.says(after_ms=400) or _ == 6
        answer = await mirror.says(after_ms=400, sender="+12025550000")

    assert answer == ["hi"]


async def test_silence_is_no_loop(stage: Stage) -> None:
    """Messages that are not answered do not count."""
    calls: list[int] = []
    stage.router.fallback(policies=[LoopGuard(turns=5)])(lambda: calls.append(1))

    async with stage.open() as run:
        mirror = Mirror(stage, run)
        for _ in range(10):
            await mirror.says(after_ms=400)

    assert len(calls) == 10


def test_a_process_remembers_a_bounded_number_of_conversations() -> None:
    """Those that were silent for longest are forgotten."""
    loops = Loops(most=3)
    for number in range(10):
        for turn in (0, 500):
            loops.answered(("chat", str(number)), "hi", turn, turn, within_ms=1_000)

    assert len(loops) == 3
    assert loops.heard(("chat", "9"), 501, quiet_ms=1_000) > 0
    assert loops.heard(("chat", "0"), 501, quiet_ms=1_000) == 0


async def test_state_written_by_a_turn_that_cannot_be_said_is_dropped(stage: Stage) -> None:
    """A reply that cannot be built cools nothing down."""
    stage.router.message(policies=[Cooldown("12h")], name="echo")(lambda: ["fine", 5])  # type: ignore[type-var]  # it is wrong on purpose

    commit = await stage.run(received("hi"))

    assert (commit.state, len(commit.dead)) == ((), 1)


async def test_a_turn_leaves_nothing_for_the_garbage_collector(stage: Stage) -> None:
    """What a turn made goes when it ends, although its policies wanted to hear of the end: the collector of a serving
    process seldom looks, and ten megabytes of turns would wait for it."""
    seen: list[weakref.ref[object]] = []

    @stage.router.message(policies=[LoopGuard()])
    async def forgets(message: Message) -> str:
        seen.append(weakref.ref(message))
        return "yes"

    async with stage.open() as run:
        await run(message_with())
        gc.collect()
        gc.disable()
        try:
            await run(message_with())
            await _turns_of_the_loop()
            assert [one() for one in seen] == [None, None]
        finally:
            gc.enable()
