"""Several processes on one store: nothing twice, nothing out of order, nothing stranded."""

from __future__ import annotations

import asyncio
import os
import signal
from contextlib import nullcontext, suppress
from pathlib import Path

import pytest

from tests.faults.stage import Stage
from tests.faults.stores import store_url

PEOPLE = [f"+1202555{number:04d}" for number in range(100)]
EACH = 20
FROZEN_S = 3.0
"""Three leases, and less than writers wait for SQLite's lock."""


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
    over: every chat sees its answers in order, none missing, none twice. (On SQLite a process may be frozen inside a
    transaction; nobody can break its lock, so there the others may have to wait until it wakes.)
    """
    async with Stage(tmp_path, store_url(kind, tmp_path), pair_limit=None, at_once=1) as stage:
        common = {"echo": True, "namespace": "order", "budget": "0", "lease": "1s", "events": ("message.received",)}
        await stage.start(stage.life(only="web", **common))
        for number in range(EACH):
            for person in PEOPLE:
                await stage.emulator.inbound(person, text=f"{person} {number}")
        await stage.emulator.quiet()
        workers = [await stage.start(stage.life(only="worker", **common)) for _ in range(4)]
        total = len(PEOPLE) * EACH

        await stage.until(lambda: len(stage.emulator.messages()) >= total // 4)
        os.kill(workers[0].pid or 0, signal.SIGSTOP)
        with suppress(TimeoutError) if kind == "sqlite" else nullcontext():
            async with asyncio.timeout(FROZEN_S if kind == "sqlite" else None):
                await stage.until(lambda: len(stage.emulator.messages()) >= total * 3 // 4)
        os.kill(workers[0].pid or 0, signal.SIGCONT)
        await stage.until(lambda: len(stage.emulator.messages()) >= total)
        await stage.emulator.quiet()

        assert heard(stage) == {person: [f"{person} {number}" for number in range(EACH)] for person in PEOPLE}
        assert stage.emulator.counters["key_conflicts"] == 0
