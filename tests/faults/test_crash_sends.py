"""A script that sends dies before and after every step, on both stores, and is run again, as a cron job would be.

What it says goes to somebody new: its messages wait in a lane that becomes the chat's meanwhile. Each must arrive once
and in order, whatever was stored, sent or settled when it died.
"""

from __future__ import annotations

import asyncio
import os
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.faults.mortal import DEATH, SOMEBODY, Life
from tests.faults.stage import Stage
from tests.faults.stores import store_url

WORDS = ("one", "two", "three")

EVERY = bool(os.environ.get("CI"))
"""`.ci/run` tries all points; a local run takes a fixed sample."""
SAMPLE = 5
AT_ONCE = 4
PATIENCE_S = 20.0
"""For how long a script is run again until all is said: leases of the dead run out between two runs."""


@pytest.fixture(params=["sqlite", "redis"])
def kind(request: pytest.FixtureRequest) -> str:
    """Each store."""
    return str(request.param)


def script(stage: Stage, **more: Any) -> Life:
    """A life that says its words and leaves."""
    return stage.life(only="worker", sends=WORDS, **more)


def heard(stage: Stage) -> list[str]:
    """What somebody has read, in order."""
    return ["".join(part["value"] for part in bubble.parts) for bubble in stage.emulator.messages_to(SOMEBODY)]


def steps_of(life: Life) -> list[str]:
    """The steps a life took."""
    return Path(life.diary).read_text("utf-8").splitlines()


@pytest.fixture
async def points(kind: str, tmp_path: Path) -> list[tuple[int, bool]]:
    """All steps of an undisturbed life, each to die before and after."""
    async with Stage(tmp_path, store_url(kind, tmp_path)) as stage:
        life = script(stage, namespace=f"sends-count-{kind}")
        assert await stage.run(life) == 0
        assert heard(stage) == [*WORDS]
    steps = steps_of(life)
    assert steps.count("post") == len(WORDS)
    return [(step, after) for step in range(1, len(steps) + 1) for after in (False, True)]


async def die_and_run_again(folder: Path, kind: str, point: tuple[int, bool]) -> list[str]:
    """One life that ends at a point, then the same script again until all is said; what is wrong with it."""
    step, after = point
    name = f"sends-{kind}-{step}-{'after' if after else 'before'}"
    (folder / name).mkdir()
    async with Stage(folder / name, store_url(kind, folder / name)) as stage:
        life = script(stage, dies_at=step, after=after, namespace=name)
        assert await stage.run(life) in (DEATH, 0)  # looks at an empty store are steps as well, and vary
        with suppress(TimeoutError):  # what is missing is told below
            async with asyncio.timeout(PATIENCE_S):
                await run_until_all_is_said(stage, replace(life, dies_at=0))
        chats = {bubble.chat_id for bubble in stage.emulator.messages_to(SOMEBODY)}
        found = [] if heard(stage) == [*WORDS] else [f"{name}: heard {heard(stage)}"]
        found += [f"{name}: {len(chats)} chats"] if len(chats) != 1 else []
        return found + ([f"{name}: a key had two bodies"] if stage.emulator.counters["key_conflicts"] else [])


async def run_until_all_is_said(stage: Stage, life: Life) -> None:
    """Run the script once at least, and again as long as something is missing."""
    assert await stage.run(life) == 0
    while len(heard(stage)) < len(WORDS):
        assert await stage.run(life) == 0


@pytest.mark.timeout(400)
async def test_a_script_that_dies_and_is_run_again_says_everything_once_and_in_order(
    kind: str, tmp_path: Path, points: list[tuple[int, bool]]
) -> None:
    """Dying before or after any store call or HTTP step loses no message, repeats none and opens no second chat."""
    tried = points if EVERY else points[::SAMPLE]
    room = asyncio.Semaphore(AT_ONCE)

    async def one(point: tuple[int, bool]) -> list[str]:
        async with room:
            return await die_and_run_again(tmp_path, kind, point)

    results = await asyncio.gather(*(one(point) for point in tried))

    assert len(tried) > 3
    assert [wrong for result in results for wrong in result] == []


async def test_scripts_at_once_say_everything_once_and_in_order(kind: str, tmp_path: Path) -> None:
    """Three programs begin with the same person at the same time, under the same keys."""
    async with Stage(tmp_path, store_url(kind, tmp_path)) as stage:
        codes = await asyncio.gather(*(stage.run(script(stage, namespace=f"sends-at-once-{kind}")) for _ in range(3)))

        assert codes == [0, 0, 0]
        assert heard(stage) == [*WORDS]
        assert len({bubble.chat_id for bubble in stage.emulator.messages_to(SOMEBODY)}) == 1
        assert stage.emulator.counters["key_conflicts"] == 0
