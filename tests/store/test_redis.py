"""The conformance suite on Redis and on Valkey; after each test the keys are compared with the list."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import ClassVar

import pytest

from linqbot.records import Limits
from linqbot.store.base import Store
from linqbot.store.redis.store import RedisStore
from linqbot.testing.clock import TurnedClock
from linqbot.testing.store_contract import Build, StoreContract
from linqbot.testing.store_contract.opening import NAMESPACE
from tests.store.redis_server import KINDS, empty, leaks, session_url


class OnRedis(StoreContract):
    """What both servers share."""

    kind: ClassVar[str]

    @pytest.fixture
    async def build(self, clock: TurnedClock) -> AsyncIterator[Build]:
        """Stores on an empty namespace, checked for leaks when they are closed."""
        url = session_url(self.kind)
        used = {NAMESPACE}

        def make(limits: Limits, namespace: str) -> Store:
            used.add(namespace)
            return RedisStore(url, clock=clock, namespace=namespace, limits=limits)

        await empty(url, (NAMESPACE, "other"))
        yield make
        complaints = [complaint for namespace in used for complaint in await leaks(url, namespace)]
        await empty(url, tuple(used))
        assert complaints == []


class TestValkey(OnRedis):
    """On the server from the wheel."""

    kind = "valkey"


if "redis" in KINDS:

    class TestRedis(OnRedis):
        """On the machine's own redis-server."""

        kind = "redis"
