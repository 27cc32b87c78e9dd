"""letters -> a subject. Keep-alive connections that send as fast as they are answered, or at times fixed beforehand.

A 503 is what Linq would repeat: `flood` does so in a moment, `pace` leaves the letter unacknowledged.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import Counter, deque
from collections.abc import AsyncIterator, Callable, Sequence
from typing import cast

from tests.bench.letters import Letter

AGAIN_S = 0.05
"""How soon a letter that was put off is sent again."""
_ANSWER_S = 10.0
"""How long Linq waits for an answer."""


class Generator:
    """Up to `connections` exchanges at once with the server at `port` of this machine; times are of `time.monotonic`."""

    def __init__(self, port: int, connections: int) -> None:
        self.sent: dict[int, float] = {}
        """When each letter was due (`pace`) or first sent (`flood`), by number."""
        self.acked: dict[int, float] = {}
        """When each letter was answered 200."""
        self.acks = 0
        self.put_off = 0
        self.refused: Counter[str] = Counter()
        """Answers that are neither 200 nor 503, by status; `closed`: the connection was closed without one."""
        self._port = port
        self._most = connections
        self._again = False
        self._waiting: deque[Letter] = deque()
        self._idle: list[_Connection] = []
        self._open: set[_Connection] = set()
        self._moved = asyncio.Event()

    @contextlib.asynccontextmanager
    async def connected(self) -> AsyncIterator[Generator]:
        """All connections open, and closed afterwards."""
        loop = asyncio.get_running_loop()
        for _ in range(self._most):
            _, connection = await loop.create_connection(lambda: _Connection(self), "127.0.0.1", self._port)
            self._open.add(connection)
            self._idle.append(connection)
        try:
            yield self
        finally:
            for connection in list(self._open):
                connection.close()

    async def flood(
        self, letters: Sequence[Letter], *, owed: Callable[[], int] = lambda: 0, most_owed: int = 0
    ) -> None:
        """Send all, each connection the next one when it is answered; returns when all are acknowledged.

        With `most_owed`, nothing is sent while `owed()` tells of so many acknowledged letters without a reply.
        """
        self._again = True
        left = deque(letters)
        goal = self.acks + len(left)
        while self.acks < goal:
            if self.refused:
                raise ConnectionError(f"the subject refused letters: {dict(self.refused)}")
            room = most_owed - owed() - len(self._waiting) if most_owed else len(left)
            for _ in range(min(room, len(left))):
                letter = left.popleft()
                self.sent[letter.number] = 0.0
                self._waiting.append(letter)
            self._send_waiting()
            if most_owed:
                await asyncio.sleep(0.002)
            else:
                await self._until_moved()

    async def pace(self, letters: Sequence[Letter], dues_s: Sequence[float], *, give_up_s: float = 10.0) -> None:
        """Send each letter at its time, in seconds from now, whatever became of those before it.

        A letter that finds no free connection waits for one, and its time goes on. What was not sent `give_up_s` after the
        last was due never is; returns when all that was sent is answered.
        """
        self._again = False
        loop = asyncio.get_running_loop()
        begun = time.monotonic() + 0.01
        pacing = asyncio.create_task(
            asyncio.to_thread(_keep_time, begun, dues_s, lambda upto: loop.call_soon_threadsafe(release, upto))
        )
        released = 0

        def release(upto: int) -> None:
            nonlocal released
            for letter, due in zip(letters[released:upto], dues_s[released:upto], strict=True):
                self.sent[letter.number] = begun + due
                self._waiting.append(letter)
            released = upto
            self._send_waiting()

        await pacing
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(give_up_s):
                while self._waiting:
                    await self._until_moved()
        self._waiting.clear()
        async with asyncio.timeout(_ANSWER_S):
            while len(self._idle) < len(self._open):
                await self._until_moved()

    def answered(self, connection: _Connection, letter: Letter, status: int) -> None:
        """A connection has its answer."""
        now = time.monotonic()
        if status == 200:
            self.acks += 1
            self.acked[letter.number] = now
        elif status == 503:
            self.put_off += 1
            if self._again:
                asyncio.get_running_loop().call_later(AGAIN_S, self._send_again, letter)
        else:
            self.refused[str(status)] += 1
        self._idle.append(connection)
        self._send_waiting()
        self._moved.set()

    def lost(self, connection: _Connection, letter: Letter | None) -> None:
        """A connection was closed by the subject; what it carried is not acknowledged."""
        self._open.discard(connection)
        if connection in self._idle:
            self._idle.remove(connection)
        if letter is not None:
            self.refused["closed"] += 1
        self._moved.set()

    def _send_again(self, letter: Letter) -> None:
        self._waiting.append(letter)
        self._send_waiting()

    def _send_waiting(self) -> None:
        while self._waiting and self._idle:
            letter = self._waiting.popleft()
            if not self.sent.get(letter.number):
                self.sent[letter.number] = time.monotonic()
            self._idle.pop().send(letter)

    async def _until_moved(self) -> None:
        if not self._open:
            raise ConnectionError("the subject has closed all connections")
        self._moved.clear()
        await self._moved.wait()


def _keep_time(begun: float, dues_s: Sequence[float], release: Callable[[int], object]) -> None:
    """In a thread of its own: the event loop's timers are a millisecond coarse, more than what is measured."""
    upto = 0
    while upto < len(dues_s):
        late_s = time.monotonic() - begun - dues_s[upto]
        if late_s < 0:
            time.sleep(max(-late_s, 0.0002))
        passed = time.monotonic() - begun
        while upto < len(dues_s) and dues_s[upto] <= passed:
            upto += 1
        release(upto)


class _Connection(asyncio.Protocol):
    def __init__(self, generator: Generator) -> None:
        self._generator = generator
        self._letter: Letter | None = None
        self._heard = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def send(self, letter: Letter) -> None:
        self._letter = letter
        self._transport.write(letter.wire)

    def close(self) -> None:
        self._letter = None
        self._transport.abort()

    def data_received(self, data: bytes) -> None:
        self._heard = heard = self._heard + data
        head = heard.find(b"\r\n\r\n")
        if head < 0 or len(heard) < head + 4 + content_length(heard[:head]):
            return
        letter, self._letter, self._heard = self._letter, None, b""
        assert letter is not None, "an answer to nothing"
        self._generator.answered(self, letter, int(heard[9:12]))

    def connection_lost(self, exc: Exception | None) -> None:
        self._generator.lost(self, self._letter)


def content_length(head: bytes) -> int:
    """What a head says of the length of its body; 0 when nothing."""
    at = head.find(b"ontent-length:")
    at = at if at >= 0 else head.find(b"ontent-Length:")
    return int(head[at + 14 : (head.find(b"\r\n", at) + 1 or len(head) + 1) - 1]) if at >= 0 else 0
