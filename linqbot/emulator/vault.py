"""bytes -> attachments -> bytes. The files a Linq stores, in memory or beside it, the oldest forgotten first.

Addresses (linq-api-v3.md section 7.6) point at the emulator itself: uploads for 15 minutes, downloads for an hour.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import IO
from urllib.parse import parse_qs, quote

from linqbot.clock import Clock
from linqbot.emulator import choices, fields, formats
from linqbot.emulator.entities import Json
from linqbot.emulator.names import Names
from linqbot.emulator.problems import Problem

UPLOAD_MS = 15 * 60_000
MOST_BYTES = 100 * 1024 * 1024
KEPT_BYTES = 1024 * 1024 * 1024

_IN_MEMORY = 1024 * 1024
_CHUNK = 64 * 1024


@dataclass(slots=True, eq=False, kw_only=True)
class File:
    """An attachment; `content` is None until it was uploaded."""

    id: str
    name: str = field(repr=False)
    content_type: str
    size: int
    token: str = field(repr=False)
    created_ms: int
    content: IO[bytes] | None = field(default=None, repr=False)

    def chunks(self) -> Iterator[bytes]:
        """The content; several readers do not disturb each other."""
        for start in range(0, self.size, _CHUNK):
            if self.content is None:
                return
            self.content.seek(start)
            yield self.content.read(min(_CHUNK, self.size - start))


class Vault:
    """All attachments of one Linq; `site` is where its clients reach it."""

    def __init__(self, names: Names, clock: Clock) -> None:
        self._names = names
        self._clock = clock
        self.site = choices.SITE
        self.kept_bytes = KEPT_BYTES
        self.files: dict[str, File] = {}

    def clear(self) -> None:
        """Forget everything."""
        for file in self.files.values():
            if file.content is not None:
                file.content.close()
        self.files.clear()

    def new_id(self) -> str:
        """An id for media that is not stored here."""
        return self._names.uuid()

    def announce(self, name: str, content_type: str, size: int) -> File:
        """Make room for a file that is going to be uploaded."""
        file = File(
            id=self._names.uuid(),
            name=name,
            content_type=content_type,
            size=size,
            token=self._names.trace_id(),
            created_ms=self._clock.now_ms(),
        )
        self.files[file.id] = file
        return file

    def store(self, name: str, content: bytes) -> File:
        """Keep a file of somebody."""
        file = self.announce(name, formats.type_of(name), len(content))
        basket = self.basket()
        basket.write(content)
        self.fill(file, basket)
        return file

    def basket(self) -> IO[bytes]:
        """Where bytes are gathered until they are a file's content; large ones leave the memory."""
        return tempfile.SpooledTemporaryFile(_IN_MEMORY)

    def fill(self, file: File, content: IO[bytes]) -> None:
        """Give a file its content, a new one for the old one; the oldest go when there is too much."""
        if file.content is not None:
            file.content.close()
        file.content = content
        kept = [one for one in self.files.values() if one.content is not None]
        excess = sum(one.size for one in kept) - self.kept_bytes
        for oldest in kept:
            if excess <= 0:
                return
            excess -= oldest.size
            self.remove(oldest)

    def remove(self, file: File) -> None:
        """Forget a file."""
        if file.content is not None:
            file.content.close()
        self.files.pop(file.id, None)

    def known(self, file_id: str) -> File:
        """An announced file, 404/2003 when there is none or its upload did not come in time."""
        file = self.files.get(file_id)
        late = file is not None and file.content is None and self._clock.now_ms() >= file.created_ms + UPLOAD_MS
        if file is None or late:
            raise Problem(404, 2003, "Attachment not found")
        return file

    def ready(self, file_id: str) -> File:
        """A file with its content, 404/2007 while that is missing."""
        file = self.known(file_id)
        if file.content is None:
            raise Problem(404, 2007, "Attachment is still processing")
        return file

    def of_url(self, url: str) -> File | None:
        """The file that one of our own addresses stands for."""
        parts = fields.split_url(url).path.split("/")
        is_ours = url.startswith(self.site) and parts[1:3] == ["cdn", "attachments"] and len(parts) == 5
        return self.files.get(parts[3]) if is_ours else None

    def is_ours(self, url: str) -> bool:
        """Whether an address is Linq's, and not of the public web."""
        host = fields.split_url(url).hostname or ""
        return host == choices.LINQ_HOST or host.endswith("." + choices.LINQ_HOST) or self.of_url(url) is not None

    def upload_url(self, file: File) -> str:
        """Where its bytes are to be put."""
        return f"{self.site}/uploads/{file.id}?{_signed(file, 'upload', file.created_ms + UPLOAD_MS)}"

    def download_url(self, file: File) -> str:
        """Where its bytes can be had for a while."""
        until = self._clock.now_ms() + choices.DOWNLOAD_MS
        return f"{self.site}/cdn/attachments/{file.id}/{quote(file.name)}?{_signed(file, 'download', until)}"

    def check_signature(self, file: File | None, act: str, query: str) -> File:
        """Refuse a presigned address that was changed or is too old; choices.BAD_SIGNATURE."""
        expires = parse_qs(query).get("expires", ["0"])[0]
        if file is None or not expires.isdecimal() or query != _signed(file, act, int(expires)):
            raise Problem(*choices.BAD_SIGNATURE, "The signature does not match")
        if self._clock.now_ms() >= int(expires):
            raise Problem(*choices.BAD_SIGNATURE, "The address has expired")
        return file

    def part(self, file: File) -> Json:
        """A media part that is this file."""
        return {
            "type": "media",
            "id": file.id,
            "filename": file.name,
            "mime_type": formats.delivered_as(file.content_type),
            "size_bytes": file.size,
            "url": self.download_url(file),
        }


def _signed(file: File, act: str, until_ms: int) -> str:
    """The query that allows one act with a file for a while; `act` is upload or download."""
    signature = hashlib.blake2b(f"{file.token}:{act}:{until_ms}".encode(), digest_size=16).hexdigest()
    return f"expires={until_ms}&signature={signature}"
