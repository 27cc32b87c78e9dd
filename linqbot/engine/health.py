"""questions -> answers about this process: is it alive, may it be given work."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from linqbot.errors import StoreError
from linqbot.store.base import Keeper

_STORE_DEADLINE_S = 2.0


class Health:
    """Answers the two health endpoints; `troubles` names what keeps this process from being ready."""

    def __init__(self, store: Keeper, troubles: Callable[[], Mapping[str, str]]) -> None:
        self._store = store
        self._troubles = troubles

    async def healthz(self, _: Request) -> Response:
        """200 as long as the process answers at all; no I/O."""
        return PlainTextResponse("ok")

    async def readyz(self, _: Request) -> Response:
        """200 when the store answers and nothing else is in the way, else 503 with the reasons by name."""
        troubles = dict(self._troubles())
        try:
            async with asyncio.timeout(_STORE_DEADLINE_S):
                await self._store.ping()
        except (StoreError, TimeoutError):
            troubles["store"] = "unreachable"
        return JSONResponse({"ready": not troubles, "troubles": troubles}, 503 if troubles else 200)
