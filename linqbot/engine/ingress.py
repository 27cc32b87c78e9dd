"""bytes -> accepted. Reads a webhook within bounds, proves that it comes from Linq, and keeps it before answering 2xx.

The answers are those of design.md section 5, HTTP. Linq repeats 5xx and 429 for up to 30 minutes and drops an event for
good on any other 4xx (linq-api-v3.md section 8.3): trouble of our own is therefore always 503 with `Retry-After`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

import structlog
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from linqbot.clock import Clock
from linqbot.errors import PayloadError, SignatureError, StoreError, StoreUnavailable
from linqbot.ids import body_id
from linqbot.protocol.breaker import Breaker, Gate
from linqbot.protocol.inbound import Inbound, read
from linqbot.protocol.sampling import Sampler
from linqbot.protocol.signature import Secret, verify
from linqbot.protocol.tally import Tally
from linqbot.records import Accepted, DeadLetter
from linqbot.store.base import Inbox

log = structlog.get_logger("linqbot.ingress")

_T = TypeVar("_T")

STORE_DEADLINE_S = 2.0
"""How long the store may take to keep an event before Linq is asked to come again."""

FULL_S = 1.0
"""How long a webhook waits for its refusal when the inbox is full: a sender that waits sends less, while one that is
refused at once keeps the process refusing instead of emptying the inbox.
"""

_UNREADABLE_KEPT_BYTES = 64_000


@dataclass(frozen=True, slots=True, kw_only=True)
class IngressLimits:
    """What one web process takes on."""

    body_bytes: int = 4 * 1024 * 1024
    """The largest legal message, escaped, is about 3 MB; a 413 is final."""
    body_s: float = 10.0
    """How long a body may take to arrive; Linq itself gives up after as long (linq-api-v3.md section 8.3)."""
    at_once: int = 1_000
    """Webhooks in hand; one more is answered 503."""
    stored_at_once: int = 16
    """Webhooks that are being stored; more wait for their turn. Of what may run, so many are new webhooks, and turns and
    sends go on beside them however many are coming: unbounded, three times too many left those a quarter less.
    """
    turn_s: float = 4.0
    """How long one waits for its turn: with what the store may take, less than Linq waits for the answer."""
    bytes_at_once: int = 64 * 1024 * 1024
    """Bytes of bodies in hand, of all webhooks together; a body that needs more is answered 503."""
    legacy: bool = False
    """Whether the deprecated `X-Webhook-*` signature is taken too."""


class _TooLarge(Exception):
    """A body is over the cap."""


class _NoRoom(Exception):
    """A body is within its cap, but all bodies together are not."""


class _Room:
    """Memory for the bodies in hand: nobody proved yet who sends them, so all together they are bounded."""

    def __init__(self, size: int) -> None:
        self._left = size

    @contextmanager
    def seat(self) -> Iterator[Callable[[int], None]]:
        """Room for one body: call it with the size of each piece; all is given back at the end. Raises `_NoRoom`."""
        taken = 0

        def take(size: int) -> None:
            nonlocal taken
            if size > self._left:
                raise _NoRoom
            self._left -= size
            taken += size

        try:
            yield take
        finally:
            self._left += taken


class Ingress:
    """Receives webhooks; `receive` is the endpoint."""

    def __init__(
        self,
        store: Inbox,
        *,
        clock: Clock,
        secrets: Sequence[Secret],
        wanted: Callable[[str], bool],
        random: Callable[[], float],
        limits: IngressLimits | None = None,
        tally: Tally | None = None,
    ) -> None:
        self._store = store
        self._clock = clock
        self._secrets = tuple(secrets)
        self._wanted = wanted
        self._random = random
        self._limits = limits or IngressLimits()
        self._breaker = Breaker(threshold=3, rest_ms=1_000, longest_rest_ms=1_000)
        self._in_hand = 0
        self._turns = asyncio.Semaphore(self._limits.stored_at_once)
        self._room = _Room(self._limits.bytes_at_once)
        self._sampler = Sampler()
        self._tally = tally or Tally()
        self.draining = False
        """Set when the process is about to leave: every webhook is answered 503 from then on."""

    async def receive(self, request: Request) -> Response:
        """Answer one webhook; 200 only once the event is durable, or needs no keeping."""
        if self.draining or not self._secrets or self._in_hand >= self._limits.at_once:
            return self._later(
                "draining" if self.draining else "no secret" if not self._secrets else "too many at once"
            )
        self._in_hand += 1
        try:
            with self._room.seat() as take:
                return await self._receive(request, take)
        finally:
            self._in_hand -= 1

    async def _receive(self, request: Request, take: Callable[[int], None]) -> Response:
        if any(coding.lower() != "identity" for coding in request.headers.getlist("content-encoding")):
            self._say("webhook refused", "Content-Encoding")
            return _answer(415, "send the body without Content-Encoding")
        try:
            body = await self._body(request, take)
        except TimeoutError:
            self._say("webhook refused", "body too slow")
            return _closing(_answer(408, "the body took too long"))
        except _TooLarge:
            self._say("webhook refused", "body too large")
            return _closing(_answer(413, "the body is too large"))
        except _NoRoom:
            return _closing(self._later("too many bytes at once"))
        except ClientDisconnect:
            return _closing(_answer(400, "the sender left"))
        return await self._prove(request, body)

    async def _prove(self, request: Request, body: bytes) -> Response:
        try:
            webhook_id = verify(
                request.headers.raw,
                body,
                secrets=self._secrets,
                now_ms=self._clock.now_ms(),
                legacy=self._limits.legacy,
            )
        except SignatureError as error:
            self._say("webhook refused", error.reason)
            return _answer(401, "signature refused")
        return await self._keep(body, webhook_id)

    async def _body(self, request: Request, take: Callable[[int], None]) -> bytes:
        """The whole body; never holds more than the cap. Raises `_TooLarge`, `_NoRoom`, `TimeoutError`."""
        cap = self._limits.body_bytes
        declared = request.headers.get("content-length", "")
        if declared.isascii() and declared.isdigit() and int(declared[:20]) > cap:
            raise _TooLarge
        chunks: list[bytes] = []
        size, more = 0, True
        async with asyncio.timeout(self._limits.body_s):
            while more:
                message = await request.receive()
                if message["type"] == "http.disconnect":
                    raise ClientDisconnect
                chunk, more = message.get("body", b""), message.get("more_body", False)
                size += len(chunk)
                if size > cap:
                    raise _TooLarge
                take(len(chunk))
                chunks.append(chunk)
        return b"".join(chunks)

    async def _keep(self, body: bytes, webhook_id: str) -> Response:
        try:
            inbound = read(body, webhook_id=webhook_id, wanted=self._wanted)
        except PayloadError as error:
            return await self._quarantine(body, webhook_id, error)
        if inbound.is_unwanted:
            self._tally.add("unwanted", inbound.type)
        if inbound.arrival is None:
            log.debug("webhook not wanted", event_id=inbound.event_id, type=inbound.type)
            return _answer(200, "not wanted")
        try:
            arrival = inbound.arrival
            accepted = await self._stored(lambda: self._store.accept(arrival))
        except StoreUnavailable as error:
            return self._later("the store is unavailable", event_id=inbound.event_id, error=str(error))
        if accepted is Accepted.FULL:
            await self._clock.sleep(FULL_S)
        return self._accepted(accepted, inbound)

    def _accepted(self, accepted: Accepted, inbound: Inbound) -> Response:
        log.debug("webhook kept", outcome=accepted.value, event_id=inbound.event_id, chat_id=inbound.chat_id)
        if accepted is Accepted.FULL:
            return self._later("the inbox is full", event_id=inbound.event_id, chat_id=inbound.chat_id)
        return _answer(200, accepted.value)

    async def _quarantine(self, body: bytes, webhook_id: str, error: PayloadError) -> Response:
        """A signed body that cannot be read is evidence: kept, and answered 200, because a repeat cannot help."""
        letter = DeadLetter(
            id=webhook_id or body_id(body), kind="payload", reason=str(error), item=body[:_UNREADABLE_KEPT_BYTES]
        )
        try:
            await self._stored(lambda: self._store.bury(letter))
        except StoreUnavailable as trouble:
            return self._later("the store is unavailable", webhook_id=webhook_id, error=str(trouble))
        self._tally.add("unreadable", "webhooks")
        log.error("webhook unreadable, kept in the dead letters", webhook_id=webhook_id, reason=str(error))
        return _answer(200, "unreadable, kept")

    async def _stored(self, step: Callable[[], Awaitable[_T]]) -> _T:
        """Wait for a turn, and for the store, but not for long, and not at all while it is known to be away."""
        waits = self._turns.locked()
        try:
            async with asyncio.timeout(self._limits.turn_s if waits else STORE_DEADLINE_S) as limit, self._turns:
                if waits:
                    limit.reschedule(asyncio.get_running_loop().time() + STORE_DEADLINE_S)
                return await self._ask_store(step)
        except TimeoutError:
            raise StoreUnavailable("it is slow, or too many webhooks wait to be stored") from None

    async def _ask_store(self, step: Callable[[], Awaitable[_T]]) -> _T:
        now_ms = self._clock.now_ms()
        if self._breaker.gate(now_ms) is Gate.OPEN:
            raise StoreUnavailable("it failed just now and is asked again in a moment")
        self._breaker = self._breaker.probe(now_ms)
        try:
            result = await step()
        except (StoreError, asyncio.CancelledError) as error:  # cancelled when it lasts
            self._breaker = self._breaker.failure(self._clock.now_ms())
            if isinstance(error, StoreError):  # any: Linq's repeats are time to mend it
                raise StoreUnavailable(str(error)) from error
            raise
        self._breaker = self._breaker.success()
        return result

    def _later(self, reason: str, **facts: object) -> Response:
        self._say("webhook put off, Linq will repeat it", reason, **facts)
        wait_s = 5 + int(self._random() * 25)
        return Response("try again later", 503, headers={"Retry-After": str(wait_s)}, media_type="text/plain")

    def _say(self, what: str, reason: str, **facts: object) -> None:
        """Log what strangers can cause at will: a few lines a second for each reason, the next one counts the rest."""
        left_out = self._sampler.take(reason, self._clock.now_ms())
        if left_out is not None:
            log.warning(what, reason=reason, left_out=left_out, **facts)


def _answer(status: int, text: str) -> Response:
    return Response(text, status, media_type="text/plain")


def _closing(answer: Response) -> Response:
    """The rest of the body is not read, so the connection cannot be used again."""
    answer.headers["Connection"] = "close"
    return answer
