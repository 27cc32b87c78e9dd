"""Files, cards, edits, groups and backgrounds: what is refused when it is built."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from linqbot.emulator.places import COLORS, DYNAMIC
from linqbot.errors import ReplyError
from linqbot.replies import (
    AddParticipant,
    AppCard,
    AppClip,
    Edit,
    Media,
    RemoveParticipant,
    RenameGroup,
    Reply,
    SetBackground,
    SetGroupIcon,
    Sticker,
    Unreact,
    VoiceMemo,
    compose,
)
from linqbot.replies.background import VARIANTS
from linqbot.replies.upload import MEGABYTE

UPLOAD = "0b0c2f6e-6a10-4a1d-9d51-9a1f6c0a7b11"
APP = {"name": "Example", "team_id": "A1B2C3D4E5", "bundle_id": "com.example.app.Messages"}


def card(**more: Any) -> AppCard:
    """A card of an app."""
    return AppCard(**{**APP, **more})


def test_media_come_from_exactly_one_place(tmp_path: Path) -> None:
    """An address, bytes under a name, a path, or an upload that Linq has."""
    place = tmp_path / "a.png"
    place.write_bytes(b"png")

    by_bytes, by_path = Media(data=b"png", filename="a.png").upload, Media(path=place).upload

    assert by_bytes is not None
    assert by_path is not None
    assert (by_bytes.filename, by_bytes.size, by_bytes.data) == ("a.png", 3, b"png")
    assert (by_path.filename, by_path.size, by_path.path) == ("a.png", 3, place)
    assert Media(url="https://example.com/a.png").upload is None
    assert Media(attachment_id=UPLOAD).upload is None


def test_a_sticker_is_asked_for_with_yes_or_no() -> None:
    """A word would be taken for yes."""
    wrong: Any = "no"

    with pytest.raises(ReplyError, match="sticker of Media is True or False, not of type str"):
        Media(attachment_id=UPLOAD, sticker=wrong)


@pytest.mark.parametrize("kind", [Media, VoiceMemo])
@pytest.mark.parametrize(
    ("words", "said"),
    [
        ({}, "exactly one of url=, data=, path= and attachment_id=, and got none"),
        ({"url": "https://example.com/a.mp3", "attachment_id": UPLOAD}, "and got url= and attachment_id="),
        ({"data": b"x", "filename": "a.mp3", "path": "a.mp3"}, "and got data= and path="),
        ({"data": b"x"}, "of bytes needs filename="),
        ({"attachment_id": UPLOAD, "filename": "a.mp3"}, "goes with data= or path="),
        ({"attachment_id": ""}, "attachment_id is the id that Linq gave"),
        ({"url": "http://example.com/a.mp3"}, "must begin https://"),
        ({"url": "https://example.com/a.ogg"}, "ends in an extension that Linq does not take; use one of"),
        ({"path": "/there/is/no/such.mp3"}, "names no file that is there"),
        ({"data": b"x", "filename": "a.flac"}, "has an extension that Linq does not take; use one of"),
        ({"data": b"", "filename": "a.mp3"}, "is empty"),
    ],
)
def test_a_file_that_cannot_travel_is_refused_by_name(kind: Any, words: dict[str, Any], said: str) -> None:
    """linq-api-v3.md sections 6.1 and 7.6; the error keeps address, path and name to itself."""
    with pytest.raises(ReplyError, match=said) as caught:
        kind(**words)

    assert "example.com" not in str(caught.value)
    assert "such" not in str(caught.value)


@pytest.mark.parametrize("extension", ["mp3", "m4a", "aac", "caf", "wav", "aiff", "amr"])
def test_a_voice_memo_has_one_of_seven_formats(extension: str) -> None:
    """linq-api-v3.md section 7.6."""
    assert VoiceMemo(data=b"x", filename=f"a.{extension}").upload is not None
    assert VoiceMemo(url=f"https://example.com/a.{extension}").url is not None


@pytest.mark.parametrize("words", [{"data": b"x", "filename": "a.mp4"}, {"url": "https://example.com/a.mp4"}])
def test_a_voice_memo_of_another_format_is_refused(words: dict[str, Any]) -> None:
    """A video is media, and no memo."""
    with pytest.raises(ReplyError, match="use one of mp3, m4a, aac, caf, wav, aiff, amr"):
        VoiceMemo(**words)


def test_a_voice_memo_has_ten_megabytes_at_most() -> None:
    """linq-api-v3.md section 7.6; media have a hundred."""
    data = bytes(10 * MEGABYTE + 1)

    assert Media(data=data, filename="a.mp3").upload is not None
    with pytest.raises(ReplyError, match="VoiceMemo has 10485761 bytes; Linq takes up to 10485760, 10 MB"):
        VoiceMemo(data=data, filename="a.mp3")


def test_files_keep_their_names_and_bytes_to_themselves() -> None:
    """A repr says where a file comes from, and of Linq's own id which."""
    assert repr(Media(data=b"secret", filename="alice.png")) == "Media(data)"
    assert repr(VoiceMemo(attachment_id=UPLOAD)) == f"VoiceMemo(attachment_id={UPLOAD!r})"


@pytest.mark.parametrize(
    ("words", "said"),
    [  # linq-openapi.yaml, IMessageAppIdentity, IMessageAppLayout, IMessageAppPart
        ({}, "AppCard shows nothing; give it one of caption, subcaption"),
        ({"caption": "a", "name": ""}, "name of AppCard is empty"),
        ({"caption": "a", "name": "a" * 65}, "name of AppCard has 65 UTF-16 units; Linq takes 64"),
        ({"caption": "a", "team_id": "a1b2c3d4e5"}, "team_id of AppCard is 10 upper-case letters and digits"),
        ({"caption": "a", "bundle_id": "a:b"}, "bundle_id of AppCard holds a colon"),
        ({"caption": "a", "bundle_id": "a" * 256}, "bundle_id of AppCard has 256"),
        ({"caption": "a", "app_store_id": 0}, "app_store_id of AppCard is a number from 1 on"),
        ({"caption": "a" * 513}, "caption of AppCard has 513 UTF-16 units; Linq takes 512"),
        ({"caption": "a", "image_title": "b"}, "stand on the image; give image_url"),
        ({"image_url": "http://example.com/a.png"}, "image_url of AppCard must begin https://"),
        ({"caption": "a", "url": "ftp://example.com"}, "url of AppCard must begin https://"),
        ({"caption": "a", "url": "https://example.com/" + "a" * 2030}, "has 2050 characters; Linq takes 2048"),
        ({"caption": "a", "url": "data:," + "a" * 16_384}, "of data; Linq takes 16384"),
        ({"caption": "a", "fallback_text": "a" * 1025}, "fallback_text of AppCard has 1025"),
        ({"caption": "a", "interactive": "yes"}, "interactive of AppCard is True or False"),
    ],
)
def test_a_card_that_linq_would_refuse_is_refused_by_name(words: dict[str, Any], said: str) -> None:
    """Which field, and what is allowed."""
    with pytest.raises(ReplyError, match=said):
        card(**words)


def test_an_app_clip_has_an_https_address_and_a_short_caption() -> None:
    """linq-api-v3.md section 6.1."""
    assert AppClip("https://example.com/clip", caption="Pay").caption == "Pay"
    with pytest.raises(ReplyError, match="the address of AppClip must begin https://"):
        AppClip("http://example.com/clip")
    with pytest.raises(ReplyError, match="caption of AppClip has 513"):
        AppClip("https://example.com/clip", caption="a" * 513)


def test_cards_alone_are_replies() -> None:
    """A card or a clip is returned as a text is; neither shows its words."""
    clip = AppClip("https://example.com/clip")

    assert compose([card(caption="secret"), clip]) == (Reply(card(caption="secret")), Reply(clip))
    assert "secret" not in repr(card(caption="secret"))
    assert "example.com" not in repr(clip)


def test_every_background_is_one_that_linq_has() -> None:
    """linq-api-v3.md section 7.7; the emulator has its own table."""
    assert {"color": COLORS, **DYNAMIC} == VARIANTS


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (SetBackground, "exactly one of color=, shades=, .*photo=, and got none"),
        (lambda: SetBackground("mango", sky="dusk"), "and got color= and sky="),
        (lambda: SetBackground("glitter"), "color of SetBackground is none that Linq has; choose one of mango, ice"),  # type: ignore[arg-type]  # wrong on purpose
        (lambda: SetBackground(aurora="red"), "choose one of green, purple, pink"),  # type: ignore[arg-type]  # wrong on purpose
        (lambda: SetBackground(shades=("red", "#F2C4E1")), "two colors in hex"),
        (lambda: SetBackground(shades=("#F2C4E1",)), "two colors in hex"),  # type: ignore[arg-type]  # wrong on purpose
        (lambda: SetBackground(photo="http://example.com/a.jpg"), "must begin https://"),
        (lambda: Edit(""), "the text of Edit is empty"),
        (lambda: Edit("😀" * 5_001), "the text of Edit has 10002 UTF-16 units; Linq takes 10000"),
        (lambda: Edit(3), "Edit takes a plain str, not of type int"),  # type: ignore[arg-type]  # wrong on purpose
        (lambda: Edit("a", part=-1), "part= of Edit counts from 0"),
        (lambda: Edit("a", to=UPLOAD, ref="r"), "Edit takes either to= or ref="),
        (lambda: RenameGroup(""), "the name of a group is empty"),
        (lambda: SetGroupIcon("icon.png"), "the icon of a group must begin https://"),
        (lambda: AddParticipant("2025550123"), "the handle of AddParticipant is neither a phone number"),
        (lambda: RemoveParticipant("ann"), "the handle of RemoveParticipant is neither a phone number"),
        (lambda: Sticker("star"), "Sticker takes one emoji, or an image"),
        (lambda: Sticker(Media(url="https://example.com/a.png")), "must be stored at Linq"),
        (lambda: Sticker(Media(data=b"x", filename="a.mp3")), "a Sticker is an image"),
        (lambda: Sticker("🎉", x=1.5), "x of Sticker is a number from -1 to 1"),
        (lambda: Sticker("🎉", scale=float("nan")), "scale of Sticker is a number from 0.05 to 2.5"),
        (lambda: Unreact(Sticker("🎉")), "Linq cannot take one away again"),  # type: ignore[arg-type]  # wrong on purpose
    ],
)
def test_what_makes_no_sense_is_refused_by_name(make: Any, said: str) -> None:
    """Which value is wrong, and what is allowed; never the value itself."""
    with pytest.raises(ReplyError, match=said) as caught:
        make()

    assert "2025550123" not in str(caught.value)


def test_the_longest_edit_is_taken() -> None:
    """10,000 units in one part, which cannot be split."""
    assert len(Edit("a" * 10_000).text) == 10_000
