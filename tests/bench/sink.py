"""POST /v3/chats/{id}/messages -> when it came. A Linq that says yes, at once or after a while, and notes each arrival."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator, Collection
from typing import cast

from tests.bench.generator import content_length
from tests.bench.letters import number_in
from tests.linq_fixtures import fixture_bytes

_ANSWER = json.dumps(json.loads(fixture_bytes("response.messages.send.json")), separators=(",", ":"))
_TRACE = "x-trace-id: 8af9171a45022df2eb74ba4e4c83be0f"
_ID = json.loads(_ANSWER)["message"]["id"]


class Sink:
    """The API. `latency_s` is how long an answer takes; arrivals are noted when the request is complete."""

    def __init__(self) -> None:
        self.latency_s = 0.0
        self.port = 0
        self.arrived: dict[int, float] = {}
        """When the reply to each letter first came, by number, in order of arrival; of `time.monotonic`."""
        self.repeats = 0
        """Replies to letters that had one."""
        self._served = 0

    @property
    def url(self) -> str:
        """The base URL that a subject is given."""
        return f"http://127.0.0.1:{self.port}/api/partner"

    @contextlib.asynccontextmanager
    async def listening(self) -> AsyncIterator[Sink]:
        """Serve on a free port."""
        server = await asyncio.get_running_loop().create_server(lambda: _Exchange(self), "127.0.0.1", 0, backlog=2048)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()

    def clear(self) -> None:
        """Forget all arrivals."""
        self.arrived, self.repeats = {}, 0

    async def until(self, numbers: Collection[int], *, patience_s: float = 30.0) -> bool:
        """Wait for the replies to these letters; False when nothing at all came for `patience_s`."""
        wanted, had, since = set(numbers), -1, time.monotonic()
        while len(self.arrived) < len(wanted) or not wanted <= self.arrived.keys():
            if len(self.arrived) > had:
                had, since = len(self.arrived), time.monotonic()
            if time.monotonic() - since > patience_s:
                return False
            await asyncio.sleep(0.01)
        return True

    def take(self, body: bytes) -> bytes:
        """Note a request; returns the answer."""
        number = number_in(body)
        if number in self.arrived:
            self.repeats += 1
        else:
            self.arrived[number] = time.monotonic()
        self._served += 1
        said = _ANSWER.replace(_ID, f"{self._served:08d}-0000-4000-8000-{time.monotonic_ns() % 10**12:012d}")
        head = f"HTTP/1.1 202 Accepted\r\ncontent-type: application/json\r\ncontent-length: {len(said)}\r\n{_TRACE}\r\n\r\n"
        return (head + said).encode()


class _Exchange(asyncio.Protocol):
    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._heard = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self._heard = heard = self._heard + data
        head = heard.find(b"\r\n\r\n")
        if head < 0:
            return
        end = head + 4 + content_length(heard[:head])
        if len(heard) < end:
            return
        self._heard = heard[end:]
        answer = self._sink.take(heard[head + 4 : end])
        if self._sink.latency_s:
            asyncio.get_running_loop().call_later(self._sink.latency_s, self._answer, answer)
        else:
            self._transport.write(answer)

    def _answer(self, answer: bytes) -> None:
        if not self._transport.is_closing():
            self._transport.write(answer)
