"""time -> tidy store. Lets the store repair and tidy itself once in a while."""

from __future__ import annotations

from collections.abc import Callable

import structlog

from linqbot.clock import Clock
from linqbot.errors import StoreUnavailable
from linqbot.store.base import Keeper

log = structlog.get_logger("linqbot.sweeper")

EVERY_S = 60.0


class Sweeper:
    """Sweeps the store about once a minute; any number of processes may do so."""

    def __init__(self, store: Keeper, *, clock: Clock, random: Callable[[], float]) -> None:
        self._store = store
        self._clock = clock
        self._random = random

    async def run(self) -> None:
        """Sweep until cancelled; a store that is away is swept later."""
        while True:
            await self._clock.sleep(EVERY_S * (0.75 + self._random() / 2))
            try:
                repairs = await self._store.sweep()
            except StoreUnavailable as error:
                log.warning("store unavailable, not swept", error=str(error))
                continue
            if repairs:
                log.warning("store repaired", repairs=repairs)
