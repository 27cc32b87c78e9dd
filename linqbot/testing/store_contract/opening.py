"""a way to build stores -> entered stores on the same data, closed at the end of the test."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from typing import Protocol

import pytest

from linqbot.records import Limits
from linqbot.store.base import Store
from linqbot.testing.clock import TurnedClock

NAMESPACE = "contract"
LIMITS = Limits()

Build = Callable[[Limits, str], Store]
"""Makes a store, not yet entered, with these limits and this namespace; within one test always on the same data."""


class Opener(Protocol):
    """Opens one more handle on the test's data, as another process or the next start of the program would."""

    async def __call__(self, limits: Limits = LIMITS, *, namespace: str = NAMESPACE) -> Store:
        """An entered store; it is closed when the test ends, or earlier by `await store.__aexit__(None, None, None)`."""
        ...


class StoreFixtures:
    """The fixtures every part of the contract stands on; a subclass adds `build`."""

    @pytest.fixture
    def clock(self) -> TurnedClock:
        """The clock that all handles of the test share."""
        return TurnedClock()

    @pytest.fixture
    def build(self) -> Build:
        """How to make a store: each backend's test class gives its own."""
        raise NotImplementedError(
            "a subclass of StoreContract gives the fixture `build`; see linqbot.testing.store_contract"
        )

    @pytest.fixture
    async def open_again(self, build: Build) -> AsyncIterator[Opener]:
        """Opens handles on the same data."""
        async with AsyncExitStack() as handles:

            async def enter(limits: Limits = LIMITS, *, namespace: str = NAMESPACE) -> Store:
                return await handles.enter_async_context(build(limits, namespace))

            yield enter

    @pytest.fixture
    async def store(self, open_again: Opener) -> Store:
        """An entered store with the default limits, empty."""
        return await open_again()
