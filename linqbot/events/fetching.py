"""who fetches the files that events speak of. Events are values and do no I/O; a running bot says who does it for them.

It is known to everything that the bot started, its handlers above all, and to whoever entered `async with bot:`.
"""

from __future__ import annotations

from contextvars import ContextVar
from os import PathLike
from typing import Protocol

from linqbot.errors import FileError

MOST_BYTES = 100 * 1024 * 1024
"""What a file of Linq's can have (linq-api-v3.md section 7.6)."""


class Fetchable(Protocol):
    """What must be known of a file to fetch it."""

    @property
    def id(self) -> str | None:
        """Its attachment id: for a fresh address."""
        ...

    @property
    def url(self) -> str | None:
        """Where it is for a while."""
        ...


class Fetcher(Protocol):
    """Fetches files: `client.downloads.Downloader`."""

    async def fetch(self, file: Fetchable, *, most_bytes: int) -> bytes:
        """The file's bytes."""
        ...

    async def save(self, file: Fetchable, path: str | PathLike[str], *, most_bytes: int) -> int:
        """Write the file to a path; its size."""
        ...


FETCHER: ContextVar[Fetcher | None] = ContextVar("linqbot.fetcher", default=None)


def fetcher_for(file: Fetchable) -> Fetcher:
    """Who fetches a file here. Raises `FileError` where no bot runs."""
    fetcher = FETCHER.get()
    if fetcher is None:
        raise FileError(
            f"file {file.id} cannot be fetched here: a handler of a running bot can, and whoever is in `async with bot:`",
            file_id=file.id,
        )
    return fetcher
