"""Several processes on one store: nothing twice, nothing out of order, nothing stranded."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from tests.faults.stage import Stage
from tests.faults.stores import store_url

PEOPLE = [f"+1202555{number:04d}" for number in range(100)]
EACH = 20


@pytest.fixture(params=["sqlite", "redis"])
def kind(request: pytest.FixtureRequest) -> str:
    """Each store."""
    return str(request.param)


def heard(stage: Stage) -> dict[str, list[str]]:
    """What came to each person, in order."""
    return {
        one: ["".join(part["value"] for part in bubble.parts) for bubble in stage.emulator.messages_to(one)]
        for one in PEOPLE
    }


async def test_three_copies_to_each_of_two_processes_make_one_reply(kind: str, tmp_path: Path) -> None:
    """Every webhook comes three times at once to two processes, and every message is answered once."""
    async with Stage(tmp_path, store_url(kind, tmp_path)) as stage:
        for _ in range(2):
            await stage.start(stage.life(echo=True, namespace="duplicates"))
        stage.emulator.fault("duplicate", times=3, count=None)
        for person in PEOPLE:
            await stage.emulator.inbound(person, text=f"hello from {person}")
        await stage.until(lambda: len(stage.emulator.messages()) >= len(PEOPLE))
        await stage.emulator.quiet()

        heard = {
            person: [part["value"] for one in stage.emulator.messages_to(person) for part in one.parts]
            for person in PEOPLE
        }
        assert heard == {person: [f"hello from {person}"] for person in PEOPLE}
        assert stage.emulator.counters["key_conflicts"] == 0


@pytest.mark.timeout(180)
async def test_order_holds_although_a_worker_is_frozen_past_its_lease_and_woken(kind: str, tmp_path: Path) -> None:
    """Four workers, 100 chats, 20 messages each, one worker stopped while it holds chats and woken after they were taken
    over: every chat sees its answers in order, none missing, none twice.
    """
    async with Stage(tmp_path, store_url(kind, tmp_path), pair_limit=None, at_once=1) as stage:
        common = {"echo": True, "namespace": "order", "budget": "0", "events": ("message.received",)}
        await stage.start(stage.life(only="web", **common))
        for number in range(EACH):
            for person in PEOPLE:
                await stage.emulator.inbound(person, text=f"{person} {number}")
        await stage.emulator.quiet()
        workers = [await stage.start(stage.life(only="worker", **common)) for _ in range(4)]
        total = len(PEOPLE) * EACH

        await stage.until(lambda: len(stage.emulator.messages()) >= total // 4)
        os.kill(workers[0].pid or 0, signal.SIGSTOP)
        await stage.until(lambda: len(stage.emulator.messages()) >= total * 3 // 4)
        os.kill(workers[0].pid or 0, signal.SIGCONT)
        await stage.until(lambda: len(stage.emulator.messages()) >= total)
        await stage.emulator.quiet()

        assert heard(stage) == {person: [f"{person} {number}" for number in range(EACH)] for person in PEOPLE}
        assert stage.emulator.counters["key_conflicts"] == 0
