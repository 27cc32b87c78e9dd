"""bytes -> requests, within bounds. uvicorn's HTTP connection, and what it lacks: limits on the head of a request.

uvicorn bounds what it buffers of a body, and ingress bounds the body itself. Nothing bounds what comes before: its parser
keeps headers as long as they come, and it waits for the end of them for ever. Behind a router that reads whole heads
first (Heroku, nginx) this never matters; without one, it is what keeps strangers from filling memory and sockets.
"""

from __future__ import annotations

import asyncio
import resource
from enum import Enum
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEAD_BYTES = 65_536
"""How much of a head may come before it is complete; what routers let through is less (ecosystem.md section 2.3)."""
HEAD_S = 10.0
"""How long a head may take from its first byte, or from the connection's beginning; as long as a body may."""
MOST_CONNECTIONS = 2_000
"""One more is closed at once. Each can hold `HEAD_BYTES` and uvicorn's 64 kB of an unread body."""
SPARE_FILES = 128
"""Descriptors that connections leave to the store, to sends and to the program itself; of few, half."""


class _Reading(Enum):
    """What comes next on a connection."""

    NOTHING = "between two requests"
    HEAD = "the rest of a head"
    BODY = "the rest of a body"


class Connection(HttpToolsProtocol):
    """One connection: at most `head_bytes` of a head, complete within `head_s`, and not more than `most` of them."""

    head_bytes = HEAD_BYTES
    head_s = HEAD_S
    most = MOST_CONNECTIONS

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._reading = _Reading.NOTHING
        self._head_size = 0
        self._header_count = 0
        self._patience: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        """Take a connection, if there is room for it."""
        super().connection_made(transport)
        if len(self.connections) > min(self.most, max(_files() - SPARE_FILES, _files() // 2)):
            transport.abort()
        else:
            self._hang_up_in(self.head_s)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget it."""
        self._wait()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Read on; a head without an end, and headers behind a body (nobody reads them), end the connection."""
        super().data_received(data)
        if self.transport.is_closing():
            return
        if self._reading is _Reading.HEAD:
            self._head_size += len(data)
            if self._head_size > self.head_bytes:
                self.send_400_response("The head of the request is too large.")
                return
        elif self._reading is _Reading.BODY and len(self.headers) > self._header_count:
            self.send_400_response("Headers behind the body are not taken.")
            return
        if self._patience is None and self._nobody_else_waits:
            self._hang_up_in(self.timeout_keep_alive if self._reading is _Reading.NOTHING else self.head_s)

    def on_message_begin(self) -> None:
        """The head of a request begins."""
        super().on_message_begin()
        self._wait()
        self._reading, self._head_size = _Reading.HEAD, 0

    def on_headers_complete(self) -> None:
        """The head is complete; from here on the app's own limits hold."""
        self._wait()
        self._reading, self._header_count = _Reading.BODY, len(self.headers)
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """The request is complete."""
        super().on_message_complete()
        self._wait()
        self._reading = _Reading.NOTHING

    @property
    def _nobody_else_waits(self) -> bool:
        """Whether neither the app reads on nor uvicorn counts how long the connection is idle."""
        cycle: Any = self.cycle
        asked = cycle is not None and not cycle.response_complete
        return self._reading is _Reading.HEAD or not (asked or self.timeout_keep_alive_task)

    def _hang_up_in(self, seconds: float) -> None:
        self._patience = self.loop.call_later(seconds, self.transport.close)

    def _wait(self) -> None:
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None


def _files() -> int:
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return MOST_CONNECTIONS + SPARE_FILES if soft == resource.RLIM_INFINITY else soft
