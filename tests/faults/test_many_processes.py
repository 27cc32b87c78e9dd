"""Several processes on one store: nothing twice, nothing out of order, nothing stranded."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.faults.frozen import freeze, wake
from tests.faults.stage import Stage
from tests.faults.stores import store_url

PEOPLE = [f"+1202555{number:04d}" for number in range(100)]
EACH = 10
IN_HAND = 5
"""So many sends at least are under way when a worker is frozen."""
STUCK_S = 30
"""How long Linq, by its clock, takes for a send that is stuck."""


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


async def test_d1_three_copies_to_each_of_two_processes_make_one_reply(kind: str, tmp_path: Path) -> None:
    """Every webhook comes three times at once to two processes, and every message is answered once.

    Held by ids that are remembered in the step that keeps an event, for all processes.
    """
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
async def test_p8_o13_order_holds_although_a_worker_is_frozen_past_its_lease_and_woken(
    kind: str, tmp_path: Path
) -> None:
    """100 chats, 10 messages each, a worker stopped in the middle of its sends: three others take its chats over and answer
    everybody while it stands. Woken, it sends what it had in hand once more, and no chat sees that.

    Held by leases that run out, by the token without which nothing is settled, and by replies that are frozen with their
    keys, so that two holders send the same bytes.
    """
    url, people = store_url(kind, tmp_path), {person: [f"{person} {n}" for n in range(EACH)] for person in PEOPLE}
    async with Stage(tmp_path, url, pair_limit=None, at_once=1) as stage:
        common: dict[str, Any] = {
            "echo": True,
            "namespace": "order",
            "budget": "0",
            "lease": "1s",
            "events": ("message.received",),
        }
        await stage.start(stage.life(only="web", **common))
        for number in range(EACH):
            for person in PEOPLE:
                await stage.emulator.inbound(person, text=people[person][number])
        await stage.emulator.quiet()
        stage.emulator.fault("slow", seconds=STUCK_S, count=None)
        frozen = (await stage.start(stage.life(only="worker", **common))).pid or 0
        await stage.until(lambda: len(in_flight(stage)) >= IN_HAND)
        await freeze(frozen, url)
        stuck = len(in_flight(stage))
        stage.emulator.linq.faults.clear()
        for _ in range(3):
            await stage.start(stage.life(only="worker", **common))

        await stage.until(lambda: len(stage.emulator.messages()) >= len(PEOPLE) * EACH)
        assert heard(stage) == people, "taken over while it stood"
        wake(frozen)
        stage.clock.advance(seconds=STUCK_S)
        await stage.until(lambda: not in_flight(stage))
        await stage.emulator.quiet()

        assert heard(stage) == people
        assert stage.emulator.counters["replays"] >= stuck
        assert stage.emulator.counters["key_conflicts"] == 0


def in_flight(stage: Stage) -> list[str]:
    """The chats of the sends that Linq has not answered yet."""
    return [one["path"] for one in stage.emulator.requests if one["status"] is None]
