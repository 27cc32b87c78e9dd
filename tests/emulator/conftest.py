"""An emulator that is running, somebody who listens to its webhooks, and a client of its API."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest

from linqbot.emulator.app import Emulator
from linqbot.testing.clock import TurnedClock
from tests.emulator.listener import Listener

LINE = "+12025550100"
PERSON = "+12025559876"


@pytest.fixture
def listener() -> Listener:
    """A target of webhooks."""
    return Listener()


@pytest.fixture
async def emulator(clock: TurnedClock, listener: Listener) -> AsyncIterator[Emulator]:
    """An emulator whose webhooks go to the listener."""
    async with Emulator(clock=clock, transport=httpx.ASGITransport(app=listener.app), seed=7) as running:
        yield running


@pytest.fixture
async def api(emulator: Emulator) -> AsyncIterator[httpx.AsyncClient]:
    """A plain HTTP client of the emulator's API."""
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app=emulator.app),
        base_url="http://linq.test/api/partner",
        headers={"authorization": "Bearer any"},
    ) as client:
        yield client


@pytest.fixture
async def chat_id(emulator: Emulator) -> str:
    """A direct chat that exists because somebody wrote."""
    return (await emulator.inbound(PERSON, text="Hello!", to=LINE)).chat_id


@pytest.fixture
async def group_id(emulator: Emulator) -> str:
    """A group that exists because somebody wrote into it."""
    return (await emulator.inbound(PERSON, text="Hello!", to=LINE, group=["+12025550147"])).chat_id
