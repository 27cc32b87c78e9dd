"""Upload -> attachment id. Announces a file, puts its bytes where Linq says, and remembers what is there already.

The bytes are streamed from the disk, in bounded memory, whatever the size. What was uploaded is known by its content, name
and type for a day, in every process that shares the store. Source: linq-api-v3.md section 7.6.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from io import BytesIO
from typing import IO, Protocol
from weakref import WeakValueDictionary

import httpx

from linqbot.client.errors import Refusal
from linqbot.client.files import FileHost, safe_url
from linqbot.client.types import UploadTicket
from linqbot.clock import Clock
from linqbot.errors import FileChanged, FileError, FileTimeout, ForeignHost, TransportError
from linqbot.ids import fact_key
from linqbot.protocol.backoff import backoff_ms
from linqbot.records import Fact
from linqbot.replies.upload import Upload

KNOWN_MS = 24 * 3_600_000
"""How long an upload is remembered: what Linq's ephemeral tier keeps at the least."""
ATTEMPTS = 3
WITHIN_S = 300.0
"""How long one attempt may take."""

LONGEST_WAIT_S = 60.0
"""A longer wait that Linq asks for is the caller's affair."""

_CHUNK = 256 * 1024


class Memory(Protocol):
    """What remembers uploads: a store."""

    async def learn(self, facts: Sequence[Fact]) -> None:
        """Keep facts."""
        ...

    async def facts(self, keys: Iterable[str]) -> Mapping[str, Fact]:
        """What is known under these keys."""
        ...


class Announcer(Protocol):
    """Says where the bytes of a file are to be put: `client.attachments.Attachments`."""

    async def create(self, filename: str, content_type: str, size_bytes: int) -> UploadTicket:
        """Announce a file."""
        ...


class NoMemory:
    """Remembers nothing: for scripts that open no store."""

    async def learn(self, facts: Sequence[Fact]) -> None:
        """Keep nothing."""

    async def facts(self, keys: Iterable[str]) -> Mapping[str, Fact]:  # noqa: ARG002  nothing is known under any key
        """Nothing."""
        return {}


class Uploader:
    """Brings files to Linq, each content once a day; one attempt takes no longer than `within_s`."""

    def __init__(
        self,
        announcer: Announcer,
        memory: Memory,
        host: FileHost,
        *,
        clock: Clock,
        random: Callable[[], float],
        within_s: float = WITHIN_S,
    ) -> None:
        self._announcer = announcer
        self._memory = memory
        self._host = host
        self._clock = clock
        self._random = random
        self._within_s = within_s
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def upload(self, upload: Upload) -> str:
        """The id of the attachment that a file is at Linq; a file that was uploaded within 24 hours is not uploaded again.

        Trouble, but for slowness, is met with three attempts, each at a fresh address; what a repeat makes nobody sees.
        Raises `MediaRefused` and other refusals, `FileChanged`, `FileTimeout`, `FileError`, `NotSent`, `OutcomeUnknown`.
        """
        digest = await asyncio.to_thread(_digest, upload)
        key = fact_key("upload", digest, upload.filename, upload.content_type)
        async with self._locks.setdefault(key, asyncio.Lock()):
            known = (await self._memory.facts([key])).get(key)
            if known is not None and known.value is not None:
                return known.value.decode()
            attachment_id = await self._carry(upload, digest)
            now_ms = self._clock.now_ms()
            await self._memory.learn([Fact(key=key, value=attachment_id.encode(), rank=now_ms, ttl_ms=KNOWN_MS)])
            return attachment_id

    async def _carry(self, upload: Upload, digest: str) -> str:
        """Try, and try again at a fresh address; the last trouble is raised."""
        for attempt in range(1, ATTEMPTS + 1):
            try:
                return await self._attempt(upload, digest)
            except (FileError, TransportError, Refusal) as error:
                if attempt == ATTEMPTS or not _may_pass(error):
                    raise
                await self._clock.sleep(self._pause_s(attempt, error))
        raise AssertionError("the last attempt returns or raises")

    async def _attempt(self, upload: Upload, digest: str) -> str:
        ticket = await self._announcer.create(upload.filename, upload.content_type, upload.size)
        url, body = safe_url(ticket.upload_url), _Body(upload, digest)
        try:
            async with asyncio.timeout(self._within_s):
                status = await self._host.put(url, _headers(ticket, upload), body)
        except FileError as error:
            raise body.trouble or error from None
        except TimeoutError:
            raise FileTimeout(
                f"attachment {ticket.attachment_id} was not uploaded within {self._within_s:g} s",
                file_id=ticket.attachment_id,
            ) from None
        if not 200 <= status < 300:
            raise FileError(
                f"the upload of attachment {ticket.attachment_id} was answered {status}", file_id=ticket.attachment_id
            )
        return ticket.attachment_id

    def _pause_s(self, attempt: int, error: Exception) -> float:
        told = error.retry_after if isinstance(error, Refusal) else None
        pause_ms = backoff_ms(attempt, jitter=self._random(), first_ms=500, cap_ms=4_000)
        return max(told or 0.0, pause_ms / 1000)


def _may_pass(error: Exception) -> bool:
    if isinstance(error, Refusal):
        return error.retryable and (error.retry_after or 0) <= LONGEST_WAIT_S
    return not isinstance(error, FileChanged | FileTimeout | ForeignHost)


class _Body(httpx.AsyncByteStream):
    """A file's bytes, as many as were announced; when they are not the announced ones, the last chunk is kept back."""

    def __init__(self, upload: Upload, digest: str) -> None:
        self.trouble: FileChanged | None = None
        """Why it ended early; whoever sends may hide it behind an error of his own."""
        self._upload = upload
        self._digest = digest

    async def __aiter__(self) -> AsyncIterator[bytes]:
        seen, left = hashlib.blake2b(digest_size=32), self._upload.size
        with _opened(self._upload) as file:
            while left:
                chunk = await asyncio.to_thread(file.read, min(_CHUNK, left))
                seen.update(chunk)
                left -= len(chunk)
                if not chunk or (left == 0 and seen.hexdigest() != self._digest):
                    self.trouble = FileChanged("a file changed while it was uploaded; send it again when it is whole")
                    raise self.trouble
                yield chunk


def _opened(upload: Upload) -> IO[bytes]:
    if upload.data is not None:
        return BytesIO(upload.data)
    assert upload.path is not None  # an upload has bytes or a path
    try:
        return upload.path.open("rb")
    except OSError as error:
        raise FileChanged(f"a file to upload cannot be read any more ({type(error).__name__})") from None


def _digest(upload: Upload) -> str:
    seen, size = hashlib.blake2b(digest_size=32), 0
    with _opened(upload) as file:
        while chunk := file.read(_CHUNK):
            seen.update(chunk)
            size += len(chunk)
    if size != upload.size:
        raise FileChanged(f"a file has {size} bytes now and had {upload.size} when the reply was made")
    return seen.hexdigest()


def _headers(ticket: UploadTicket, upload: Upload) -> dict[str, str]:
    """What Linq signed the address with, and always the length: else the bytes go in chunks, which is refused."""
    told = dict(ticket.required_headers)
    named = {name.lower() for name in told}
    return told if "content-length" in named else {**told, "Content-Length": str(upload.size)}
