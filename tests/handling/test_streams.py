"""Handlers that yield: each bubble is committed as it comes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from linqbot.errors import HandlerFailed, HandlerTimeout
from linqbot.handling.turn import Turn
from linqbot.ids import idempotency_key
from linqbot.replies import NEXT, Reply
from linqbot.testing.clock import TurnedClock
from tests.handling.conftest import CHAT, MESSAGE, Stage, received, said, threads


async def test_each_bubble_is_committed_as_it_comes(stage: Stage) -> None:
    """A partial commit for each, under keys that count on; the last commit only ends the event."""
    seen: list[int] = []

    @stage.router.message()
    async def counting() -> AsyncIterator[Any]:
        yield "one"
        seen.append(len(stage.port.commits))
        yield None
        yield ["two", "three"]
        seen.append(len(stage.port.commits))

    commit = await stage.run(received("hi"))

    assert [said(partial) for partial in stage.port.commits] == [["one"], ["two", "three"]]
    assert {(partial.take, partial.token, partial.event_id) for partial in stage.port.commits} == {(0, "t", "e1")}
    assert seen == [1, 2]
    assert (commit.take, commit.replies) == (1, ())
    assert [item.key for partial in stage.port.commits for item in partial.replies] == [
        idempotency_key("bot", "e1", "counting", position) for position in range(3)
    ]


async def test_only_the_first_bubble_of_a_stream_is_threaded(stage: Stage) -> None:
    """As in a list."""

    @stage.router.message()
    async def two() -> AsyncIterator[str]:
        yield "one"
        yield "two"

    await stage.run(received("hi"))

    target = {"message_id": MESSAGE, "part_index": 0}
    assert [threads(partial) for partial in stage.port.commits] == [[target], [None]]


async def test_run_that_comes_later_says_only_what_is_new(stage: Stage) -> None:
    """Bubbles of an earlier run are not said again, however they were cut; it can tell how many they were."""
    runs: list[int] = []

    @stage.router.message()
    async def failing_once(turn: Turn) -> AsyncIterator[Reply]:
        runs.append(turn.already_sent)
        yield Reply("one", "and") if len(runs) == 1 else Reply("one and")
        if len(runs) == 1:
            raise OSError
        yield Reply("two")

    with pytest.raises(HandlerFailed):
        await stage.run(received("hi"))
    await stage.run(received("hi"), frozen=stage.port.frozen)

    assert runs == [0, 2]
    assert [said(partial) for partial in stage.port.commits] == [["one", "and"], ["two"]]
    assert threads(stage.port.commits[1]) == [None]


async def test_time_runs_between_two_bubbles(stage: Stage, clock: TurnedClock) -> None:
    """Each bubble starts it anew, and the stream that overruns is closed."""
    steps: asyncio.Queue[str] = asyncio.Queue()
    story: list[str] = []

    @stage.router.message()
    async def slow() -> AsyncIterator[str]:
        try:
            while True:
                yield await steps.get()
        finally:
            story.append("closed")

    turn = asyncio.create_task(stage.run(received("hi")))
    for _ in range(3):
        clock.advance(seconds=50)
        steps.put_nowait("bubble")
        await stage.port.came.get()
    assert not turn.done()
    for _ in range(10):
        await asyncio.sleep(0)  # the turn goes on after the last commit, and its time begins anew
    clock.advance(seconds=61)

    with pytest.raises(HandlerTimeout, match="'slow'"):
        await turn
    assert story == ["closed"]


async def test_reply_that_cannot_be_built_ends_a_stream(stage: Stage) -> None:
    """What was committed stays; the event ends in the dead letters."""

    @stage.router.message()
    async def broken() -> AsyncIterator[Any]:
        yield "one"
        yield 42

    commit = await stage.run(received("hi"))

    assert [said(partial) for partial in stage.port.commits] == [["one"]]
    assert [(letter.kind, letter.id) for letter in commit.dead] == [("event", "e1")]


async def test_bubble_that_linq_would_refuse_is_left_out_of_a_stream(stage: Stage) -> None:
    """Its letter comes with the last commit, the bubbles after it go out."""

    @stage.router.message()
    async def mixed() -> AsyncIterator[Reply]:
        yield Reply("one", reply_to="the last one")
        yield Reply("two")

    commit = await stage.run(received("hi"))

    assert [said(partial) for partial in stage.port.commits] == [["two"]]
    assert [letter.kind for letter in commit.dead] == ["reply"]


async def test_stream_may_pass_on_before_it_speaks(stage: Stage) -> None:
    """NEXT first is like NEXT returned; after a bubble it is an error."""

    @stage.router.message("quiet")
    async def quiet() -> AsyncIterator[Any]:
        yield NEXT

    @stage.router.message("loud")
    async def loud() -> AsyncIterator[Any]:
        yield "one"
        yield NEXT

    @stage.router.fallback
    async def other() -> str:
        return "other"

    assert await stage.answers("quiet") == ["other"]
    assert "NEXT came after a bubble" in (await stage.run(received("loud"))).dead[0].reason


async def test_stream_without_a_bubble_says_nothing(stage: Stage) -> None:
    """And takes the event."""

    @stage.router.message()
    async def silent() -> AsyncIterator[str]:
        for text in list[str]():
            yield text

    commit = await stage.run(received("hi"))

    assert (commit.replies, commit.take, stage.port.commits) == ((), 1, [])


async def test_stream_lives_in_one_task(stage: Stage) -> None:
    """So that it may hold a connection or a time limit open over its bubbles."""
    tasks: set[Any] = set()

    @stage.router.message()
    async def holding() -> AsyncIterator[str]:
        async with asyncio.timeout(30):
            for text in ("one", "two"):
                tasks.add(asyncio.current_task())
                yield text
        tasks.add(asyncio.current_task())

    await stage.run(received("hi"))

    assert len(tasks) == 1
    assert [partial.lane for partial in stage.port.commits] == [f"chat:{CHAT}"] * 2


async def test_endless_stream_ends_at_the_limit(stage: Stage) -> None:
    """A hundred bubbles are sent, and the event lies in the dead letters."""

    @stage.router.message()
    async def endless() -> AsyncIterator[str]:
        while True:
            yield "again"

    commit = await stage.run(received("hi"))

    assert len(stage.port.commits) == 100
    assert "101 bubbles" in commit.dead[0].reason
