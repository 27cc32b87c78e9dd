"""a file of a message -> its bytes. Fetched from Linq's file hosts alone, bounded in bytes and time, never redirected.

An address lives for minutes (linq-api-v3.md section 5): one that is refused is renewed once, by the file's id.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from os import PathLike
from pathlib import Path

import httpx

from linqbot.client.attachments import Attachments
from linqbot.client.errors import NotFound
from linqbot.client.files import FileHost, safe_url
from linqbot.errors import FileError, FileGone, FileTimeout, FileTooLarge, ForeignHost
from linqbot.events.fetching import MOST_BYTES, Fetchable
from linqbot.ids import random_token

WITHIN_S = 60.0
"""How long one file may take."""

_TOO_OLD = (401, 403, 404, 410)
"""What a presigned address answers when its time is over; which of them is not documented."""


class Downloader:
    """Fetches files of messages, each `within_s`; `hosts` are those it may ask, as `host` or `host:port`."""

    def __init__(
        self, attachments: Attachments, host: FileHost, *, hosts: frozenset[str], within_s: float = WITHIN_S
    ) -> None:
        self._attachments = attachments
        self._host = host
        self._hosts = hosts
        self._within_s = within_s

    async def fetch(self, file: Fetchable, *, most_bytes: int = MOST_BYTES) -> bytes:
        """A file's bytes. Raises `FileError` by name, and what the API raises when a fresh address is asked for."""
        got = bytearray()
        async with _deadline(file, self._within_s), aclosing(self._chunks(file, most_bytes)) as chunks:
            async for chunk in chunks:
                got += chunk
        return bytes(got)

    async def save(self, file: Fetchable, path: str | PathLike[str], *, most_bytes: int = MOST_BYTES) -> int:
        """Write a file to a path, which appears when it is whole; its size. Raises as `fetch`, and `OSError`."""
        goal, size = Path(path), 0
        draft = goal.with_name(f".{random_token()}")  # beside the goal, so that replacing it is one step
        try:
            async with _deadline(file, self._within_s), aclosing(self._chunks(file, most_bytes)) as chunks:
                with draft.open("xb") as out:
                    async for chunk in chunks:
                        await asyncio.to_thread(out.write, chunk)
                        size += len(chunk)
            await asyncio.to_thread(draft.replace, goal)
        finally:
            draft.unlink(missing_ok=True)
        return size

    async def _chunks(self, file: Fetchable, most_bytes: int) -> AsyncGenerator[bytes, None]:
        address, fresh = file.url, False
        if address is None:
            address, fresh = await self._renewed(file), True
        while True:
            async with self._host.fetching(self._allowed(address, file)) as response:
                if response.status_code == 200:
                    async for chunk in _bounded(response, file, most_bytes):
                        yield chunk
                    return
            if fresh or response.status_code not in _TOO_OLD:
                raise _refused(response.status_code, file)
            address, fresh = await self._renewed(file), True

    async def _renewed(self, file: Fetchable) -> str:
        if file.id is None:
            raise FileGone("a file has neither a live address nor an id to ask for one")
        try:
            found = await self._attachments.get(file.id)
        except NotFound:
            raise FileGone(f"file {file.id} is not at Linq any more", file_id=file.id) from None
        if found.download_url is None:
            raise FileGone(f"file {file.id} has no address to fetch it from", file_id=file.id)
        return found.download_url

    def _allowed(self, address: str, file: Fetchable) -> httpx.URL:
        url = safe_url(address)
        if url.netloc.decode("ascii").lower() not in self._hosts:
            raise ForeignHost(
                f"file {file.id} is on a host that files are not fetched from; if it is Linq's, add it to "
                "LINQBOT_MEDIA_HOSTS",
                file_id=file.id,
            )
        return url


async def _bounded(response: httpx.Response, file: Fetchable, most_bytes: int) -> AsyncIterator[bytes]:
    announced = response.headers.get("content-length", "")
    if announced.isdecimal() and int(announced) > most_bytes:
        raise _too_large(file, most_bytes)
    if response.headers.get("content-encoding", "identity") != "identity":
        raise FileError(f"file {file.id} came compressed, which was not asked for", file_id=file.id)
    assert isinstance(response.stream, httpx.AsyncByteStream)
    size = 0
    async for chunk in response.stream:
        size += len(chunk)
        if size > most_bytes:
            raise _too_large(file, most_bytes)
        yield chunk


def _too_large(file: Fetchable, most_bytes: int) -> FileTooLarge:
    return FileTooLarge(
        f"file {file.id} has more than {most_bytes} bytes; allow more with most_bytes=", file_id=file.id
    )


def _refused(status: int, file: Fetchable) -> FileError:
    if status in _TOO_OLD:
        return FileGone(
            f"file {file.id} is not at its address any more, nor at a fresh one ({status})", file_id=file.id
        )
    what = "a redirect, which is not followed" if 300 <= status < 400 else str(status)
    return FileError(f"file {file.id} was answered with {what}; try again later", file_id=file.id)


@asynccontextmanager
async def _deadline(file: Fetchable, within_s: float) -> AsyncIterator[None]:
    try:
        async with asyncio.timeout(within_s):
            yield
    except TimeoutError:
        raise FileTimeout(f"file {file.id} did not come within {within_s:g} s", file_id=file.id) from None
