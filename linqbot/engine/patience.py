"""a step of the store -> its answer, however long the store is away. What was done is not thrown away because of that."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import structlog

from linqbot.errors import StoreUnavailable

_PAUSES_S = (0.05, 0.2, 0.5, 1.0, 2.0)

T = TypeVar("T")


def pause_s(troubles: int) -> float:
    """How long to leave the store alone after it failed once more, `troubles` times before."""
    return _PAUSES_S[min(troubles, len(_PAUSES_S) - 1)]


async def insist(
    step: Callable[[], Awaitable[T]], waits: str, *, log: structlog.typing.FilteringBoundLogger, **about: object
) -> T:
    """Repeat a step until the store answers; it must be safe to repeat. `waits` is what the log says meanwhile.

    Raises whatever else the step raises. If a lease is lost meanwhile, the step's answer says so.
    """
    troubles = 0
    while True:
        try:
            return await step()
        except StoreUnavailable as error:
            rest_s = pause_s(troubles)
            log.warning(waits, error=str(error), pause_s=rest_s, **about)
        troubles += 1
        await asyncio.sleep(rest_s)  # noqa: TID251  # real time: the store is away, not its clock
