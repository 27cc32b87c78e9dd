"""The test to keep if only one were kept: the process dies before and after every step of the journey, on both stores.

Each life runs against a real store and a real socket and dies by `os._exit` at one step; another life follows on the same
store. Then the emulator is asked: every message answered, each bubble once and in order, every deed done, and no
key used for two bodies. Every life ends at its step: when all are answered before that, others go on writing.
"""

from __future__ import annotations

import asyncio
import itertools
import os
from contextlib import suppress
from dataclasses import replace
from multiprocessing.process import BaseProcess
from pathlib import Path

import pytest

from linqbot.emulator.world import Heard
from tests.faults.mortal import DEATH, Life
from tests.faults.stage import Stage
from tests.faults.stores import store_url

ALICE, BOB = "+12025559876", "+12025559877"

SAID = ((ALICE, "one"), (BOB, "two"), (ALICE, "stream three"), (BOB, "act four"))

ARRIVE = 2 * len(SAID) + 1
"""Two bubbles for each message, and a word of regret for the poll, which fails."""

EVERY = bool(os.environ.get("CI"))
"""`.ci/run` tries all points; a local run takes a fixed sample."""

SAMPLE = 13
"""A local run takes every so-manieth point; 13 shares no factor with the steps of a turn, so all kinds are met."""

AT_ONCE = 4

PATIENCE_S = 900
"""Some hundred lives are lived in one test."""


@pytest.fixture(params=["sqlite", "redis"])
def kind(request: pytest.FixtureRequest) -> str:
    """Each store."""
    return str(request.param)


@pytest.fixture
async def points(kind: str, tmp_path: Path) -> list[tuple[int, bool]]:
    """All steps of an undisturbed life, each to die before and after."""
    async with Stage(tmp_path, store_url(kind, tmp_path)) as stage:
        life = replace(stage.life(), namespace=f"count-{kind}")
        await stage.start(life)
        await talk(stage)
        await stage.until(lambda: len(stage.emulator.messages()) == ARRIVE)
    return [(step, after) for step in range(1, steps_of(life) + 1) for after in (False, True)]


def steps_of(life: Life) -> int:
    """How many steps a life took."""
    return Path(life.diary).read_text("utf-8").count("\n")


async def talk(stage: Stage) -> None:
    """Alice and Bob write to the bot; its poll will fail."""
    stage.emulator.fault("failed", match="POST /v3/chats/*/polls")
    for who, words in SAID:
        await stage.emulator.inbound(who, text=words)


async def die_and_go_on(folder: Path, kind: str, point: tuple[int, bool], *, company: bool) -> list[str]:
    """One life that ends at a point, one that goes on; what is wrong with what Alice, Bob and others saw."""
    step, after = point
    name = f"{kind}-{step}-{'after' if after else 'before'}-{'company' if company else 'alone'}"
    (folder / name).mkdir()
    async with Stage(folder / name, store_url(kind, folder / name), seed=step) as stage:
        life = replace(stage.life(), dies_at=step, after=after, namespace=name)
        if company:
            await stage.start(stage.life(only="worker", namespace=name))
        first = await stage.start(life)
        await talk(stage)
        more: list[tuple[str, str]] = []
        with suppress(TimeoutError):  # the complaints name what is missing
            await live_on(stage, life, first, more)
        died = [] if first.exitcode == DEATH else [f"it did not die, but ended with {first.exitcode}"]
        return [f"{name}: {wrong}" for wrong in died + complaints(stage, more)]


async def live_on(stage: Stage, life: Life, first: BaseProcess, more: list[tuple[str, str]]) -> None:
    """Have others write `more` until the bot has died, replace it, and wait until everybody has an answer."""

    def answered() -> bool:
        return len(stage.emulator.messages()) >= ARRIVE + 2 * len(more)

    for number in itertools.count():
        await stage.until(lambda: answered() or not first.is_alive(), turn=True)
        if not first.is_alive():
            break
        more.append((f"+1202555{number:04}", f"more {number}"))
        await stage.emulator.inbound(more[-1][0], text=more[-1][1])
    await stage.start_again(life)
    await stage.until(answered, turn=True)
    await stage.emulator.quiet()


def complaints(stage: Stage, more: list[tuple[str, str]]) -> list[str]:
    """What a person would complain about, and what Linq would."""
    found = []
    for who, words in (*SAID, *more):
        seen = [bubble_text(one) for one in stage.emulator.messages_to(who) if bubble_text(one).startswith(words)]
        if seen != [f"{words} a", f"{words} b"]:
            found.append(f"to {words!r} came {seen}")
    found += undone(stage)
    if stage.emulator.counters["key_conflicts"]:
        found.append("a key was used for two bodies")
    return found


def undone(stage: Stage) -> list[str]:
    """What is not as the deeds of a turn ask for: a tapback, a poll and an edit, each there once, however often tried; and
    one word of regret for the poll.
    """
    messages = stage.emulator.linq.world.messages.values()
    tapbacks = [one.type for message in messages for one in message.reactions if one.person.is_me]
    polls = len([message for message in messages if message.poll])
    texts = [part.get("value") for message in messages if message.sender.is_me for part in message.parts]
    wrong = [f"tapbacks are {tapbacks}"] if tapbacks != ["love"] else []
    wrong += [f"{polls} polls"] if polls != 1 else []
    wrong += [f"regretted {texts.count('sorry')} times"] if texts.count("sorry") != 1 else []
    return wrong + ([] if texts.count("act four a edited") == 1 else [f"texts are {texts}"])


def bubble_text(heard: Heard) -> str:
    """The text of a bubble."""
    return "".join(part["value"] for part in heard.parts)


async def complaints_of(points: list[tuple[int, bool]], kind: str, folder: Path, *, company: bool = False) -> list[str]:
    """What is wrong after lives that end at these points, some of them at once."""
    room = asyncio.Semaphore(AT_ONCE)

    async def one(point: tuple[int, bool]) -> list[str]:
        async with room:
            return await die_and_go_on(folder, kind, point, company=company)

    results = await asyncio.gather(*(one(point) for point in points))
    return [wrong for result in results for wrong in result]


@pytest.mark.timeout(PATIENCE_S)
async def test_p1_o4_every_message_is_answered_once_and_in_order_wherever_the_process_dies(
    kind: str, tmp_path: Path, points: list[tuple[int, bool]]
) -> None:
    """Dying before or after any store call or HTTP step loses no event, repeats no bubble and turns no order around.

    Held by keeping an event before its 2xx, one commit for a turn's end and its replies, leases that run out, and a key for
    each reply that is derived from its event, so that Linq knows a repeat.
    """
    tried = points if EVERY else points[::SAMPLE]

    assert len(tried) > 5
    assert await complaints_of(tried, kind, tmp_path) == []


@pytest.mark.timeout(PATIENCE_S)
async def test_p1_a_worker_beside_the_dead_goes_on(kind: str, tmp_path: Path, points: list[tuple[int, bool]]) -> None:
    """The same while another process works on the same store, and has the chats before the dead one is replaced.

    Held by the token of each lease besides: of two that believe to hold a chat one commits.
    """
    assert await complaints_of(points[SAMPLE :: 2 * SAMPLE], kind, tmp_path, company=True) == []
