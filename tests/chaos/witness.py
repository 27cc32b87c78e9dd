"""webhooks -> what is known of them. Carries the emulator's webhooks and notes when each began and was acknowledged."""

from __future__ import annotations

import itertools

import httpx
from httpx_aiohttp import AiohttpTransport


class Witness(httpx.AsyncBaseTransport):
    """The network between the emulator and the bots. All moments are places in one order."""

    def __init__(self) -> None:
        self._inner = AiohttpTransport(limits=httpx.Limits(max_connections=None))
        self._order = itertools.count()
        self.began: dict[str, int] = {}
        """By event id: when its first delivery began."""
        self.acked: dict[str, int] = {}
        """By event id: when it was first answered 2xx."""
        self.attempts = 0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Carry one webhook."""
        event_id = request.headers["webhook-id"]
        self.attempts += 1
        self.began.setdefault(event_id, next(self._order))
        response = await self._inner.handle_async_request(request)
        if response.is_success:
            self.acked.setdefault(event_id, next(self._order))
        return response

    async def aclose(self) -> None:
        """End the connections."""
        await self._inner.aclose()
