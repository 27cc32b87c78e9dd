"""Files of the user's, looked at before anything leaves."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from linqbot.emulator import formats
from linqbot.errors import ReplyError
from linqbot.replies.upload import FORMATS, MEGABYTE, UPLOAD_LIMIT, VOICE_FORMATS, Upload, upload_of

SUPPORTED = (
    *("jpg", "jpeg", "png", "gif", "heic", "heif", "tif", "tiff", "bmp"),
    *("mp4", "mov", "m4v", "mpeg", "mpg", "3gp"),
    *("m4a", "mp3", "aac", "caf", "wav", "aiff", "amr"),
    *(
        "pdf",
        "txt",
        "rtf",
        "csv",
        "doc",
        "docx",
        "xls",
        "xlsx",
        "ppt",
        "pptx",
        "pages",
        "numbers",
        "key",
        "epub",
        "zip",
    ),
    *("html", "htm", "vcf", "ics"),
)
"""linq-api-v3.md section 6.1, media, Formats."""

UNSUPPORTED = ("flac", "ogg", "exe", "webp", "svg", "")
"""linq-api-v3.md section 6.1, media, Rejected; WebP and SVG are in conflict (section 11) and avoided."""


def of_bytes(filename: str | None, data: Any = b"x", **more: Any) -> Upload:
    """The upload of some bytes."""
    return upload_of(data=data, filename=filename, path=None, what="Media", **more)


@pytest.mark.parametrize("extension", SUPPORTED)
def test_each_supported_format_is_announced_with_a_content_type_that_linq_takes(extension: str) -> None:
    """A row of the table each; the emulator, which has its own, must agree."""
    upload = of_bytes(f"A File.{extension.upper()}")

    formats.check_upload(upload.filename, upload.content_type)
    assert upload.content_type == FORMATS[extension]


def test_the_table_holds_nothing_else() -> None:
    """What Linq does not list is not guessed."""
    assert set(FORMATS) == set(SUPPORTED)
    assert VOICE_FORMATS == ("mp3", "m4a", "aac", "caf", "wav", "aiff", "amr")  # linq-api-v3.md section 7.6


@pytest.mark.parametrize("extension", UNSUPPORTED)
def test_another_format_is_refused_with_those_that_are_allowed(extension: str) -> None:
    """The error lists the extensions, and keeps the file's name to itself."""
    with pytest.raises(ReplyError, match=r"does not take; use one of jpg, .*ics") as caught:
        of_bytes(f"secret.{extension}")

    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ({"filename": None}, "Media of bytes needs filename="),
        ({"filename": "a.png", "data": "text"}, "data of Media is of type str; pass bytes"),
        ({"filename": "a.png", "data": b""}, "Media is empty"),
        ({"filename": "a" * 252 + ".png"}, "1 to 255 characters"),
        ({"filename": "up/a.png"}, "without a slash"),
        ({"filename": "a\n.png"}, "without a slash or a control character"),
        ({"filename": "a\ud83d.png"}, "without a slash or a control character"),
        ({"filename": "a.png", "data": b"12345", "limit": 4}, "Media has 5 bytes; Linq takes up to 4"),
    ],
)
def test_bytes_that_cannot_travel_are_refused_by_name(words: dict[str, Any], said: str) -> None:
    """Which value is wrong, and what is allowed (linq-api-v3.md sections 7 and 7.6)."""
    with pytest.raises(ReplyError, match=said):
        of_bytes(**words)


@pytest.mark.parametrize(
    "name",
    ["Screenshot at 1.23\u202fPM.png", "\u5199\u771f\u30001.png", "a\u00a0b.png", "\U0001f469\u200d\U0001f467.png"],
    ids=["macOS", "Japanese", "no-break", "joined emoji"],
)
def test_a_name_with_any_blank_is_taken_as_it_is(name: str) -> None:
    """macOS puts a narrow no-break space before AM and PM in the name of every screenshot."""
    assert of_bytes(name).filename == name


def test_a_file_is_looked_at_and_not_read(tmp_path: Path) -> None:
    """Only its size is needed before it is sent, so that a large one keeps the memory flat."""
    place = tmp_path / "film.mov"
    with place.open("wb") as film:
        film.truncate(UPLOAD_LIMIT)

    upload = upload_of(data=None, filename=None, path=str(place), what="Media")

    assert upload == Upload(
        filename="film.mov", content_type="video/quicktime", size=UPLOAD_LIMIT, data=None, path=place
    )


def test_a_file_over_100_megabytes_is_refused(tmp_path: Path) -> None:
    """Linq takes 104,857,600 bytes (linq-api-v3.md section 7.6)."""
    place = tmp_path / "film.mov"
    with place.open("wb") as film:
        film.truncate(UPLOAD_LIMIT + 1)

    with pytest.raises(ReplyError, match=r"Media has 104857601 bytes; Linq takes up to 104857600, 100 MB"):
        upload_of(data=None, filename=None, path=place, what="Media")


@pytest.mark.parametrize("name", ["not-there.png", "."])
def test_a_path_without_a_file_is_refused(tmp_path: Path, name: str) -> None:
    """A missing file or a folder is an error where it is written, without the path in it."""
    with pytest.raises(ReplyError, match="names no file that is there") as caught:
        upload_of(data=None, filename=None, path=tmp_path / name, what="Media")

    assert str(tmp_path) not in str(caught.value)


def test_an_upload_shows_neither_its_name_nor_its_bytes() -> None:
    """A file's name may be what somebody is called."""
    assert repr(of_bytes("alice.png", b"secret")) == "Upload(content_type='image/png', size=6)"
    assert MEGABYTE == 1024 * 1024
