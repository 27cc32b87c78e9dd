"""Files: pictures, videos, audio and documents as parts of a reply, and voice memos that stand alone.

A file comes from exactly one place: a public address, which Linq fetches; bytes or a path, which are uploaded before the
reply is stored; or an upload that Linq has already. Source: linq-api-v3.md sections 6.1 and 7.6.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from linqbot.errors import ReplyError
from linqbot.replies.action import Action, check_ref
from linqbot.replies.addresses import check_address
from linqbot.replies.upload import FORMATS, UPLOAD_LIMIT, VOICE_FORMATS, VOICE_LIMIT, Upload, extension_of, upload_of

REFUSED = frozenset(
    {"flac", "ogg", "oga", "opus", "webp", "svg", "webm", "avi", "mkv", "exe", "msi", "bat", "dmg", "apk"}
)
"""Extensions of addresses that Linq is known to refuse (linq-api-v3.md section 6.1); what has another is up to Linq."""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class _File:
    url: str | None = None
    """A public HTTPS address; Linq fetches up to 10 MB from it."""
    attachment_id: str | None = None
    """What Linq called an upload."""
    data: bytes | None = None
    """The bytes themselves, under a `filename`."""
    filename: str | None = None
    path: str | Path | None = None
    upload: Upload | None = field(default=None, init=False)
    """What has to be uploaded before it can be sent; None: nothing."""

    def __repr__(self) -> str:
        place = next(name for name in ("url", "attachment_id", "data", "path") if getattr(self, name) is not None)
        return (
            f"{type(self).__name__}({place if self.attachment_id is None else f'attachment_id={self.attachment_id!r}'})"
        )


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Media(_File):
    """A picture, video, audio or document: by public HTTPS `url` (up to 10 MB), by `data` and `filename` or by `path` (up
    to 100 MB, uploaded once for each content), or by the `attachment_id` of an upload.

    As a `sticker` an image has no bubble, on iMessage. Raises `ReplyError` for none or several of these, and for a file
    that is missing, empty, too large, or of a format that Linq does not take.
    """

    sticker: bool = False

    def __post_init__(self) -> None:
        _check_source(self)
        shown: object = self.sticker
        if not isinstance(shown, bool):
            raise ReplyError(f"sticker of Media is True or False, not of type {type(shown).__name__}")
        if self.url is not None:
            _check_url(self.url, what="a media url", allowed=None)
        object.__setattr__(self, "upload", _upload(self, allowed=tuple(FORMATS), limit=UPLOAD_LIMIT))


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class VoiceMemo(Action, _File):
    """A voice memo in a bubble of its own (a file on SMS and RCS): mp3, m4a, aac, caf, wav, aiff or amr, up to 10 MB.

    Given as `Media` is. Never repeated when its fate is unknown, for it would be heard twice. `ref` is a name of your own,
    kept with the sent message. Raises `ReplyError` as `Media` does.
    """

    ref: str | None = None

    def __post_init__(self) -> None:
        _check_source(self)
        check_ref(self.ref)
        if self.url is not None:
            _check_url(self.url, what="the url of a voice memo", allowed=VOICE_FORMATS)
        object.__setattr__(self, "upload", _upload(self, allowed=VOICE_FORMATS, limit=VOICE_LIMIT))


def _check_source(file: _File) -> None:
    name = type(file).__name__
    sources = {"url": file.url, "data": file.data, "path": file.path, "attachment_id": file.attachment_id}
    given = [f"{source}=" for source, value in sources.items() if value is not None]
    if len(given) != 1:
        got = " and ".join(given) or "none"
        raise ReplyError(f"{name} takes exactly one of url=, data=, path= and attachment_id=, and got {got}")
    if file.filename is not None and file.data is None and file.path is None:
        raise ReplyError(f"filename= of {name} goes with data= or path=; leave it out")
    attachment_id: object = file.attachment_id
    if attachment_id is not None and (not isinstance(attachment_id, str) or not attachment_id):
        raise ReplyError("attachment_id is the id that Linq gave the upload, a str that is not empty")


def _check_url(url: str, *, what: str, allowed: tuple[str, ...] | None) -> None:
    extension = extension_of(urlsplit(check_address(url, what=what, schemes=("https",))).path)
    taken = tuple(FORMATS) if allowed is None else allowed
    if extension in REFUSED or (allowed is not None and extension in FORMATS and extension not in allowed):
        raise ReplyError(f"{what} ends in an extension that Linq does not take; use one of {', '.join(taken)}")


def _upload(file: _File, *, allowed: tuple[str, ...], limit: int) -> Upload | None:
    if file.data is None and file.path is None:
        return None
    what = type(file).__name__
    return upload_of(data=file.data, filename=file.filename, path=file.path, what=what, allowed=allowed, limit=limit)
