"""A file of the user's -> Upload, checked before anything leaves.

What may travel is one table, of linq-api-v3.md section 6.1; content types and sizes are those of section 7.6.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePath
from types import MappingProxyType

from linqbot.errors import ReplyError

MEGABYTE = 1024 * 1024
UPLOAD_LIMIT = 100 * MEGABYTE
"""The largest upload in bytes (linq-api-v3.md section 7.6)."""
VOICE_LIMIT = 10 * MEGABYTE
"""The largest voice memo in bytes (linq-api-v3.md section 7.6)."""
NAME_LIMIT = 255
_UNFIT = re.compile(r"[/\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
"""In no name: a slash, what ends or moves a line, and half a pair. Blanks are of many kinds, and all of them are fit."""

FORMATS: Mapping[str, str] = MappingProxyType(
    {
        "jpg": "image/jpeg",
        "jpeg": "image/jpeg",
        "png": "image/png",
        "gif": "image/gif",
        "heic": "image/heic",
        "heif": "image/heif",
        "tif": "image/tiff",
        "tiff": "image/tiff",
        "bmp": "image/bmp",
        "mp4": "video/mp4",
        "mov": "video/quicktime",
        "m4v": "video/x-m4v",
        "mpeg": "video/mpeg",
        "mpg": "video/mpeg",
        "3gp": "video/3gpp",
        "m4a": "audio/x-m4a",
        "mp3": "audio/mpeg",
        "aac": "audio/aac",
        "caf": "audio/x-caf",
        "wav": "audio/x-wav",
        "aiff": "audio/x-aiff",
        "amr": "audio/amr",
        "pdf": "application/pdf",
        "txt": "text/plain",
        "rtf": "text/rtf",
        "csv": "text/csv",
        "doc": "application/msword",
        "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        "xls": "application/vnd.ms-excel",
        "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        "ppt": "application/vnd.ms-powerpoint",
        "pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
        "pages": "application/x-iwork-pages-sffpages",
        "numbers": "application/x-iwork-numbers-sffnumbers",
        "key": "application/x-iwork-keynote-sffkey",
        "epub": "application/epub+zip",
        "zip": "application/zip",
        "html": "text/html",
        "htm": "text/html",
        "vcf": "text/vcard",
        "ics": "text/calendar",
    }
)
"""What may travel, by extension, and the content type it is announced with. Source: linq-api-v3.md sections 6.1, 7.6."""

VOICE_FORMATS = ("mp3", "m4a", "aac", "caf", "wav", "aiff", "amr")
"""What a voice memo may be (linq-api-v3.md section 7.6)."""


@dataclass(frozen=True, slots=True)
class Upload:
    """A file on its way to Linq: its bytes, or the path where they are read when they are needed."""

    filename: str = field(repr=False)
    content_type: str
    size: int
    """In bytes."""
    data: bytes | None = field(repr=False)
    path: Path | None = field(repr=False)


def upload_of(
    *,
    data: bytes | None,
    filename: str | None,
    path: str | Path | None,
    what: str,
    allowed: tuple[str, ...] = tuple(FORMATS),
    limit: int = UPLOAD_LIMIT,
) -> Upload:
    """The upload of bytes under a name, or of a file, one of which is given.

    Raises `ReplyError` for a missing or empty file, an extension that is not allowed, and more bytes than `limit`. A file
    is looked at, not opened.
    """
    if data is not None:
        size, name = _size_of(data, what), filename
        if name is None:
            raise ReplyError(f"{what} of bytes needs filename=, whose extension says what it is")
        place = None
    else:
        place = _file(path, what)
        size, name = place.stat().st_size, place.name if filename is None else filename
    return Upload(
        filename=_name(name, what),
        content_type=FORMATS[_extension(name, what, allowed)],
        size=_within(size, what, limit),
        data=data,
        path=place,
    )


def extension_of(name: str) -> str:
    """The extension of a file name, in lower case without its dot."""
    return PurePath(name).suffix.lower().removeprefix(".")


def _size_of(data: object, what: str) -> int:
    if not isinstance(data, bytes):
        raise ReplyError(f"data of {what} is of type {type(data).__name__}; pass bytes")
    return len(data)


def _file(path: object, what: str) -> Path:
    if not isinstance(path, str | Path) or not str(path):
        raise ReplyError(f"path of {what} is a str or a Path, not of type {type(path).__name__}")
    place = Path(path).absolute()
    if not place.is_file():
        raise ReplyError(
            f"path of {what} names no file that is there; check it, a relative one begins where you started"
        )
    return place


def _name(name: object, what: str) -> str:
    if not isinstance(name, str) or not 1 <= len(name) <= NAME_LIMIT or _UNFIT.search(name):
        raise ReplyError(
            f"filename of {what} is a str of 1 to {NAME_LIMIT} characters without a slash or a control character"
        )
    return name


def _extension(name: object, what: str, allowed: tuple[str, ...]) -> str:
    extension = extension_of(name) if isinstance(name, str) else ""
    if extension not in allowed:
        raise ReplyError(f"{what} has an extension that Linq does not take; use one of {', '.join(allowed)}")
    return extension


def _within(size: int, what: str, limit: int) -> int:
    if not size:
        raise ReplyError(f"{what} is empty; Linq takes files of at least one byte")
    if size > limit:
        raise ReplyError(f"{what} has {size} bytes; Linq takes up to {limit}, {limit // MEGABYTE} MB")
    return size
