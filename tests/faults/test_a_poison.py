"""Handlers that take their process with them, row A4 of the catalogue, in real processes that are started again."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from linqbot.clock import SystemClock
from linqbot.store.open import open_store
from tests.faults.poison import DEADLY, HARMLESS
from tests.faults.stage import Stage
from tests.faults.stores import store_url

ALICE = "+12025559876"
STALL_LIMIT = 3
CROWD = tuple(f"+1202555{number:04}" for number in range(12))
DEADLY_ONE = CROWD[6]


class Ward:
    """A process that takes webhooks and never dies, and one after another that runs handlers."""

    def __init__(self, stage: Stage, namespace: str) -> None:
        self.stage = stage
        self._life = stage.life(poison=True, namespace=namespace, only="worker")
        self._web = stage.life(poison=True, namespace=namespace, only="web")

    async def hears(self, *said: tuple[str, str]) -> None:
        """Let people write, one after another."""
        await self.stage.start(self._web)
        for who, text in said:
            await self.stage.emulator.inbound(who, text=text)
        await self.stage.emulator.quiet()

    async def run_to_the_end(self) -> int:
        """Start a worker, and another whenever one died, until nothing is left to do; how often one died."""
        async with open_store(self._life.store_url, clock=SystemClock(), namespace=self._life.namespace) as store:
            process = await self.stage.start(self._life)
            deaths = 0
            while (await store.stats()).inbox or (await store.stats()).outbox:
                if process.is_alive():
                    await asyncio.sleep(0.02)  # looking at another process: there is no event to wait for
                    continue
                deaths += 1
                assert deaths <= STALL_LIMIT + 1, "nobody gives the event up"
                process = await self.stage.start(self._life)
            self.letters = await store.dead()
        return deaths


def texts(stage: Stage, phone: str) -> list[str]:
    """What a phone shows."""
    return ["".join(part["value"] for part in bubble.parts) for bubble in stage.emulator.messages_to(phone)]


@pytest.mark.parametrize("poison", DEADLY)
@pytest.mark.parametrize("kind", ["sqlite", "redis"])
async def test_a4_an_event_that_kills_three_processes_is_given_up(kind: str, poison: str, tmp_path: Path) -> None:
    """A handler that ends its process by `os._exit`, a segmentation fault or `sys.exit` in a task of its own dies three
    times; then its event lies in the dead letters and its chat goes on.

    Held by this: a lease that runs out counts a stall on its event, in the store, and at three stalls the event is not
    run again.
    """
    async with Stage(tmp_path, store_url(kind, tmp_path), at_once=1) as stage:
        ward = Ward(stage, f"poison-{kind}-{poison.replace(' ', '-')}")
        await ward.hears((ALICE, poison), (ALICE, "after"))

        assert await ward.run_to_the_end() == STALL_LIMIT
        assert texts(stage, ALICE) == ["after"]
        assert ["3 workers died or froze on this event" in letter.reason for letter in ward.letters] == [True]


@pytest.mark.parametrize("poison", HARMLESS)
async def test_a4_a_handler_that_asks_the_process_to_end_fails_by_itself(poison: str, tmp_path: Path) -> None:
    """`sys.exit` and `KeyboardInterrupt` in a handler are its failure, not the end of the process.

    Held by this: a turn answers them as it answers any exception, in its task and in its thread.
    """
    async with Stage(tmp_path, store_url("sqlite", tmp_path), at_once=1) as stage:
        ward = Ward(stage, "poison")
        await ward.hears((ALICE, poison), (ALICE, "after"))

        assert await ward.run_to_the_end() == 0
        assert texts(stage, ALICE) == ["after"]
        assert ["failed 1 times" in letter.reason for letter in ward.letters] == [True]


async def test_a4_neighbours_of_a_deadly_event_are_answered(tmp_path: Path) -> None:
    """Events that happen to be in hand whenever a process dies are not given up with the one that kills it.

    Held by this: at three stalls such events run one by one, which is noted with them in the store, and only what died
    alone is given up; the one that kills gets one death more for that, unless it happened to be in hand alone before.
    """
    async with Stage(tmp_path, store_url("sqlite", tmp_path), at_once=1) as stage:
        ward = Ward(stage, "neighbours")
        await ward.hears(*((phone, "os._exit" if phone == DEADLY_ONE else "slow") for phone in CROWD))

        assert STALL_LIMIT <= await ward.run_to_the_end() <= STALL_LIMIT + 1
        assert [texts(stage, phone) for phone in CROWD] == [[] if one == DEADLY_ONE else ["slow"] for one in CROWD]
        assert len(ward.letters) == 1
