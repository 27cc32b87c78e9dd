"""questions about files -> typed answers. `bot.client.attachments`: announce, read, delete (linq-api-v3.md section 7.6)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar

from linqbot.client.endpoint import Account, Deed, Endpoint
from linqbot.events.wire import Maybe, Or, Time, Word, Words


class UploadTicket(Words):
    """Where to put the bytes of a file, within 15 minutes; its addresses are the permission, so they are not shown."""

    shown: ClassVar[tuple[str, ...]] = ("attachment_id", "expires_at")

    attachment_id: str
    upload_url: str
    required_headers: Annotated[Mapping[str, str], Or({})] = {}
    """What the PUT must send along, exactly."""
    http_method: Word = "PUT"
    download_url: Maybe[str] = None
    expires_at: Time = None


class Attachment(Words):
    """A file at Linq."""

    shown = ("id", "content_type", "size_bytes", "status")

    id: str
    filename: Word = ""
    content_type: Word = ""
    size_bytes: Maybe[int] = None
    status: Word = ""
    """`pending`, `complete` or `failed`; deprecated by Linq."""
    download_url: Maybe[str] = None
    """None while the file is not there."""
    created_at: Time = None


_FILES, _FILE = "/v3/attachments", "/v3/attachments/{}"

_CREATE = Endpoint("POST", _FILES, UploadTicket)
_GET = Endpoint("GET", _FILE, Attachment)
_DELETE = Deed("DELETE", _FILE)


class Attachments:
    """Files at Linq."""

    def __init__(self, account: Account) -> None:
        self._account = account

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
