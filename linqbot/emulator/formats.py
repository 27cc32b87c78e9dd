"""file name, content type -> may travel, or not. The tables of linq-api-v3.md sections 6.1 and 7.6."""

from __future__ import annotations

import mimetypes
from pathlib import PurePosixPath

from linqbot.emulator import choices
from linqbot.emulator.problems import Problem

_BY_EXTENSION: dict[str, tuple[str, ...]] = {
    "jpg": ("image/jpeg",),
    "jpeg": ("image/jpeg",),
    "png": ("image/png",),
    "gif": ("image/gif",),
    "heic": ("image/heic", "image/heif"),
    "heif": ("image/heif", "image/heic"),
    "tif": ("image/tiff",),
    "tiff": ("image/tiff",),
    "bmp": ("image/bmp",),
    "mp4": ("video/mp4", "audio/mp4"),
    "mov": ("video/quicktime",),
    "m4v": ("video/x-m4v",),
    "mpeg": ("video/mpeg", "video/mpeg2", "audio/mpeg"),
    "mpg": ("video/mpeg", "video/mpeg2"),
    "3gp": ("video/3gpp",),
    "m4a": ("audio/x-m4a", "audio/mp4"),
    "mp3": ("audio/mpeg", "audio/mp3"),
    "aac": ("audio/aac",),
    "caf": ("audio/x-caf",),
    "wav": ("audio/x-wav",),
    "aiff": ("audio/x-aiff", "audio/aiff"),
    "amr": ("audio/amr",),
    "pdf": ("application/pdf",),
    "txt": ("text/plain", "text/markdown"),
    "rtf": ("text/rtf",),
    "csv": ("text/csv", "text/plain"),
    "doc": ("application/msword",),
    "docx": ("application/vnd.openxmlformats-officedocument.wordprocessingml.document",),
    "xls": ("application/vnd.ms-excel",),
    "xlsx": ("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",),
    "ppt": ("application/vnd.ms-powerpoint",),
    "pptx": ("application/vnd.openxmlformats-officedocument.presentationml.presentation",),
    "pages": ("application/x-iwork-pages-sffpages",),
    "numbers": ("application/x-iwork-numbers-sffnumbers",),
    "key": ("application/x-iwork-keynote-sffkey",),
    "epub": ("application/epub+zip",),
    "zip": ("application/zip",),
    "html": ("text/html",),
    "htm": ("text/html",),
    "vcf": ("text/vcard",),
    "ics": ("text/calendar",),
}
EXTENSIONS = tuple(_BY_EXTENSION)
"""What a media part may be (section 6.1)."""

VOICE_EXTENSIONS = ("mp3", "m4a", "aac", "caf", "wav", "aiff", "amr")
"""What a voice memo may be (section 7.6)."""

CONTENT_TYPES = frozenset(kind for kinds in _BY_EXTENSION.values() for kind in kinds) | {
    *("image/svg+xml", "image/webp", "image/x-icon", "video/x-msvideo", "audio/midi", "text/xml", "application/json"),
    *("application/vnd.apple.pkpass", "application/x-gzip"),
}
"""What may be uploaded (section 7.6)."""

_DELIVERED_AS = {
    "image/tiff": "image/jpeg",
    "audio/x-caf": "audio/mp4",
    "audio/mp3": "audio/mpeg",
    "audio/mp4": "audio/x-m4a",
    "audio/aiff": "audio/x-aiff",
}


def extension_of(name: str) -> str:
    """The extension of a file name, in lower case without its dot."""
    return PurePosixPath(name).suffix.lower().removeprefix(".")


def type_of(name: str) -> str:
    """The content type a file name suggests."""
    known = _BY_EXTENSION.get(extension_of(name))
    return known[0] if known else mimetypes.guess_type(name)[0] or "application/octet-stream"


def delivered_as(content_type: str) -> str:
    """The content type with which it arrives."""
    return _DELIVERED_AS.get(content_type, content_type)


def check_upload(name: str, content_type: object) -> None:
    """Refuse what cannot be uploaded: 5004, and 5006 when name and type contradict each other."""
    if not isinstance(content_type, str) or content_type not in CONTENT_TYPES:
        raise Problem(400, 5004, "Unsupported file type")
    fitting = _BY_EXTENSION.get(extension_of(name))
    if fitting is not None and content_type not in fitting:
        raise Problem(400, 5006, "The content type does not match the file extension")


def check_url(name: str, allowed: tuple[str, ...] = EXTENSIONS) -> None:
    """Refuse a file of the web that is known not to be supported; choices.URL_FORMAT."""
    extension = extension_of(name)
    is_known = extension in _BY_EXTENSION or mimetypes.guess_type(name)[0] is not None
    if is_known and extension not in allowed:
        raise Problem(choices.URL_FORMAT, 5004, "Unsupported file type")
