"""Callers that give up, close early or fail: each is alone with it."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from linqbot.errors import StoreUnavailable
from linqbot.records import Accepted, Limits
from linqbot.store.sqlite import inbox
from linqbot.store.sqlite.address import parse
from linqbot.store.sqlite.group import Verb
from linqbot.store.sqlite.storetime import StoreTime
from linqbot.store.sqlite.transaction import Session, Transaction
from linqbot.store.sqlite.writer import Writer
from linqbot.testing.clock import TurnedClock
from linqbot.testing.store_contract.samples import arrival, drain
from tests.store.sqlite_file import open_at


async def test_closed_store_is_unavailable(file: Path, clock: TurnedClock) -> None:
    """Before entering and after leaving, calls are refused."""
    store = open_at(file, clock)
    with pytest.raises(StoreUnavailable, match="closed"):
        await store.ping()
    async with store:
        pass

    with pytest.raises(StoreUnavailable, match="closed"):
        await store.ping()


async def test_store_may_be_entered_again(file: Path, clock: TurnedClock) -> None:
    """Leaving is not for ever."""
    store = open_at(file, clock)
    async with store:
        await store.accept(arrival("event-1"))
    async with store:
        assert await drain(store) == ["event-1"]


async def test_closing_finishes_what_was_asked(file: Path, clock: TurnedClock) -> None:
    """Calls on their way when the store is left are done and answered."""
    async with open_at(file, clock) as store:
        calls = [asyncio.create_task(store.accept(arrival(f"event-{number}"))) for number in range(50)]
        await clock.sleep(0)

    assert await asyncio.gather(*calls) == [Accepted.ACCEPTED] * 50


async def test_cancelled_callers_disturb_nobody(file: Path, clock: TurnedClock) -> None:
    """Half of the callers give up at once: the others are answered, and nothing is half done."""
    async with open_at(file, clock) as store:
        calls = [asyncio.create_task(store.accept(arrival(f"event-{number}"))) for number in range(100)]
        await clock.sleep(0)
        for call in calls[::2]:
            call.cancel()
        answers = await asyncio.gather(*calls, return_exceptions=True)

        assert answers[1::2] == [Accepted.ACCEPTED] * 50
        assert (await store.stats()).inbox == len(await drain(store))


async def test_failing_verb_leaves_no_trace_and_harms_no_other(clock: TurnedClock) -> None:
    """An error inside a verb is its caller's; what it did is undone, what came with it is kept."""
    writer = Writer(parse("sqlite:///:memory:"))
    session = Session(namespace="bot", limits=Limits(), time=StoreTime(clock))

    def fail(tx: Transaction) -> None:
        inbox.accept(tx, arrival("never"))
        raise ZeroDivisionError

    def keep(number: int) -> Verb[Accepted]:
        return lambda tx: inbox.accept(tx, arrival(f"event-{number}"))

    calls = [writer.call(keep(number), session) for number in range(9)]
    answers = await asyncio.gather(*calls[:5], writer.call(fail, session), *calls[5:], return_exceptions=True)
    inside = await writer.call(lambda tx: tx.tally.inbox, session, writes=False)
    await writer.close()

    assert isinstance(answers.pop(5), ZeroDivisionError)
    assert answers == [Accepted.ACCEPTED] * 9
    assert inside == 9
