"""questions about files -> typed answers. `bot.client.attachments`: upload, announce, read, delete.

Source: linq-api-v3.md section 7.6.
"""

from __future__ import annotations

from collections.abc import Callable
from os import PathLike, fspath

from linqbot.client.endpoint import Account, Deed, Endpoint
from linqbot.client.files import FileHost
from linqbot.client.types import Attachment, UploadTicket
from linqbot.client.uploads import Memory, Uploader
from linqbot.clock import Clock
from linqbot.errors import ReplyError
from linqbot.replies.upload import upload_of

_FILES, _FILE = "/v3/attachments", "/v3/attachments/{}"

_CREATE = Endpoint("POST", _FILES, UploadTicket)
_GET = Endpoint("GET", _FILE, Attachment)
_DELETE = Deed("DELETE", _FILE)


class Attachments:
    """Files at Linq."""

    def __init__(
        self, account: Account, *, host: FileHost, memory: Memory, clock: Clock, random: Callable[[], float]
    ) -> None:
        self._account = account
        self.uploader = Uploader(self, memory, host, clock=clock, random=random)
        """What uploads for `upload`, and for replies."""

    async def upload(
        self, path: str | PathLike[str] | None = None, *, data: bytes | None = None, filename: str | None = None
    ) -> str:
        """Bring a file of up to 100 MB to Linq, by path or as `data` under a `filename`; its attachment id.

        A path is streamed, in bounded memory. While the bot runs, what was uploaded within 24 hours is not uploaded again.
        Raises `ReplyError` for a file that Linq does not take, `FileError`, and what every call raises.
        """
        if (path is None) == (data is None):
            raise ReplyError("an upload is of exactly one of a path and data=")
        place = None if path is None else fspath(path)
        return await self.uploader.upload(upload_of(data=data, filename=filename, path=place, what="an upload"))

    async def create(self, filename: str, content_type: str, size_bytes: int) -> UploadTicket:
        """Announce a file of up to 100 MB and get the address for its bytes; a repeat makes another attachment.

        Raises `MediaRefused` for a type or size that Linq does not take.
        """
        body = {"filename": filename, "content_type": content_type, "size_bytes": size_bytes}
        return await self._account.ask(_CREATE, body=body)

    async def get(self, attachment_id: str) -> Attachment:
        """A file's facts, and a fresh address to fetch it from. Raises `NotFound`."""
        return await self._account.ask(_GET, attachment_id)

    async def delete(self, attachment_id: str) -> None:
        """Delete a file for good; messages lose what refers to it."""
        await self._account.do(_DELETE, attachment_id)
