"""Uploads, downloads, voice memos: linq-api-v3.md section 7.6."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from linqbot.emulator.app import Emulator
from linqbot.testing.clock import TurnedClock
from tests.emulator.conftest import PERSON
from tests.emulator.listener import URL, Listener
from tests.emulator.refused import outcome
from tests.emulator.test_rules import UNKNOWN_ID
from tests.emulator.uploading import announced, uploaded
from tests.emulator.wording import holds, media, text

MEGABYTE = 1024 * 1024


def file(name: Any = "a.jpg", content_type: Any = "image/jpeg", size: Any = 3) -> dict[str, Any]:
    """A request to upload."""
    return {"filename": name, "content_type": content_type, "size_bytes": size}


ANNOUNCED: list[tuple[str, dict[str, Any], int | tuple[int, int], str]] = [
    ("a picture", file(), 200, "7.6"),
    ("100 MB", file(size=100 * MEGABYTE), 200, "7.6"),
    ("one byte", file(size=1), 200, "7.6"),
    ("a name of 255 characters", file("a" * 251 + ".jpg"), 200, "7.6"),
    ("a type beyond media parts", file("a.svg", "image/svg+xml"), 200, "7.6"),
    ("a deprecated type", file("a.mp3", "audio/mp3"), 200, "7.6"),
    ("a name without extension", file("photo"), 200, "7.6"),
    ("no name", file(None), (400, 1001), "2"),
    ("no type", file(content_type=None), (400, 1001), "2"),
    ("no size", file(size=None), (400, 1001), "2"),
    ("an empty name", file(""), (400, 1005), "7.6"),
    ("a name of 256 characters", file("a" * 252 + ".jpg"), (400, 1005), "7.6"),
    ("no bytes", file(size=0), (400, 1005), "7.6"),
    ("a size in words", file(size="3"), (400, 1005), "7.6"),
    ("100 MB and a byte", file(size=100 * MEGABYTE + 1), (400, 5005), "2"),
    ("FLAC", file("a.flac", "audio/flac"), (400, 5004), "2"),
    ("a program", file("a.exe", "application/x-msdownload"), (400, 5004), "2"),
    ("a type that is a list", file(content_type=["image/jpeg"]), (400, 5004), "2"),
    ("a type of another extension", file("a.jpg", "image/png"), (400, 5006), "2"),
]

UPLOADS: list[tuple[str, dict[str, str], bytes, int | tuple[int, int], str]] = [
    ("exactly as asked", {}, b"abc", 200, "7.6"),
    ("another type", {"content-type": "image/png"}, b"abc", (403, 2005), "7.6, choice"),
    ("a byte too few", {"content-length": "2"}, b"ab", (403, 2005), "7.6, choice"),
    ("a byte too many", {"content-length": "4"}, b"abcd", (403, 2005), "7.6, choice"),
    ("a length that lies", {}, b"abcd", (400, 5001), "7.6, choice"),
]

MEMOS: list[tuple[str, dict[str, Any], int | tuple[int, int], str]] = [
    *(
        (one, {"voice_memo_url": f"https://example.com/a.{one}"}, 202, "7.6")
        for one in ("mp3", "m4a", "aac", "caf", "wav", "aiff", "amr")
    ),
    ("a picture", {"voice_memo_url": "https://example.com/a.jpg"}, (400, 5004), "7.6"),
    ("over http", {"voice_memo_url": "http://example.com/a.m4a"}, (400, 1004), "7"),
    ("nothing", {}, (400, 1004), "7"),
    ("both", {"voice_memo_url": "https://e.co/a.m4a", "attachment_id": UNKNOWN_ID}, (400, 1004), "7"),
    ("an unknown attachment", {"attachment_id": UNKNOWN_ID}, (404, 2003), "2"),
]


@pytest.mark.parametrize(("body", "expected"), [row[1:3] for row in ANNOUNCED], ids=[row[0] for row in ANNOUNCED])
async def test_an_upload_is_announced(
    api: httpx.AsyncClient, body: dict[str, Any], expected: int | tuple[int, int]
) -> None:
    """Name, type and size are checked before any byte."""
    assert outcome(await api.post("/v3/attachments", json=body)) == expected


@pytest.mark.parametrize(
    ("headers", "content", "expected"), [row[1:4] for row in UPLOADS], ids=[row[0] for row in UPLOADS]
)
async def test_an_upload_must_be_what_was_announced(
    api: httpx.AsyncClient, headers: dict[str, str], content: bytes, expected: int | tuple[int, int]
) -> None:
    """Exactly the required headers and exactly the announced bytes."""
    given = await announced(api, "a.jpg", "image/jpeg", 3)
    required = {name.lower(): value for name, value in given["required_headers"].items()}

    assert outcome(await api.put(given["upload_url"], content=content, headers=required | headers)) == expected
    read = (await api.get(f"/v3/attachments/{given['attachment_id']}")).json()
    assert read["status"] == ("complete" if expected == 200 else "pending")


async def test_a_file_goes_up_and_down_again(api: httpx.AsyncClient) -> None:
    """What was put comes back byte by byte from the download URL, with its type; no token is needed for either."""
    content = bytes(range(256)) * 1000

    given = await uploaded(api, "Straße 1.jpg", "image/jpeg", content)
    read = (await api.get(f"/v3/attachments/{given['attachment_id']}")).json()
    got = await api.get(read["download_url"], headers={"authorization": ""})

    assert (given["http_method"], given["required_headers"]["Content-Length"]) == ("PUT", "256000")
    assert (read["filename"], read["content_type"], read["size_bytes"]) == ("Straße 1.jpg", "image/jpeg", 256_000)
    assert (got.content, got.headers["content-type"]) == (content, "image/jpeg")
    assert got.headers["content-length"] == "256000"


@pytest.mark.parametrize(("seconds", "expected"), [(899, 200), (900, (403, 2005))])
async def test_an_upload_url_lives_15_minutes(
    api: httpx.AsyncClient, clock: TurnedClock, seconds: float, expected: int | tuple[int, int]
) -> None:
    """Later bytes are refused, and the attachment is gone (404/2003)."""
    given = await announced(api, "a.jpg", "image/jpeg", 3)
    clock.advance(seconds=seconds)

    put = await api.put(given["upload_url"], content=b"abc", headers=given["required_headers"])

    assert outcome(put) == expected
    later = await api.get(f"/v3/attachments/{given['attachment_id']}")
    assert outcome(later) == (200 if expected == 200 else (404, 2003))


async def test_a_download_url_lives_an_hour_and_is_renewed(api: httpx.AsyncClient, clock: TurnedClock) -> None:
    """An old address is refused; GET /v3/attachments/{id} has a fresh one (an hour is a choice, section 11)."""
    given = await uploaded(api, "a.jpg", "image/jpeg", b"abc")
    clock.advance(seconds=3601)

    old = await api.get(given["download_url"])
    fresh = (await api.get(f"/v3/attachments/{given['attachment_id']}")).json()["download_url"]

    assert outcome(old) == (403, 2005)
    assert (await api.get(fresh)).content == b"abc"


async def test_a_changed_address_is_refused(api: httpx.AsyncClient) -> None:
    """The signature in an address counts."""
    given = await uploaded(api, "a.jpg", "image/jpeg", b"abc")

    assert outcome(await api.get(given["download_url"][:-1] + "x")) == (403, 2005)
    assert outcome(await api.get(given["download_url"].partition("?")[0])) == (403, 2005)
    assert outcome(await api.get(given["download_url"].replace("expires=", "expires=9"))) == (403, 2005)


async def test_an_address_is_for_one_thing(api: httpx.AsyncClient) -> None:
    """What allows a download does not allow an upload in its place."""
    given = await uploaded(api, "a.jpg", "image/jpeg", b"abc")
    upload = given["upload_url"].partition("?")[0] + "?" + given["download_url"].partition("?")[2]

    assert outcome(await api.put(upload, content=b"xyz", headers=given["required_headers"])) == (403, 2005)


async def test_an_attachment_can_be_sent_once_it_is_there(
    api: httpx.AsyncClient, emulator: Emulator, listener: Listener, chat_id: str
) -> None:
    """404/2007 before the bytes came; then the message and its webhook say what was sent."""
    emulator.subscribe(URL, ["message.sent"])
    given = await announced(api, "a.tiff", "image/tiff", 3)
    body = holds({"type": "media", "attachment_id": given["attachment_id"]}, text(), media(given["download_url"]))
    path = f"/v3/chats/{chat_id}/messages"

    early = await api.post(path, json=body)
    await api.put(given["upload_url"], content=b"abc", headers=given["required_headers"])
    sent = (await api.post(path, json=body)).json()["message"]
    await emulator.quiet()

    assert outcome(early) == (404, 2007)
    for part in (sent["parts"][0], sent["parts"][2], listener.only("message.sent").event["data"]["parts"][0]):
        assert (part["id"], part["filename"], part["size_bytes"]) == (given["attachment_id"], "a.tiff", 3)
        assert part["mime_type"] == "image/jpeg"  # TIFF is delivered as JPEG
        assert (await api.get(part["url"])).content == b"abc"


async def test_own_files_do_not_count_as_public(api: httpx.AsyncClient, chat_id: str) -> None:
    """Section 6.1: the limit of 40 is for the public web only."""
    given = await uploaded(api, "a.jpg", "image/jpeg", b"abc")
    own = [media(given["download_url"])] * 41

    assert outcome(await api.post(f"/v3/chats/{chat_id}/messages", json=holds(*own))) == 202


async def test_a_deleted_attachment_is_stripped_from_messages(api: httpx.AsyncClient, chat_id: str) -> None:
    """Irreversible: no metadata, no download, and messages that held it stay without it."""
    given = await uploaded(api, "a.jpg", "image/jpeg", b"abc")
    part = {"type": "media", "attachment_id": given["attachment_id"]}
    sent = (await api.post(f"/v3/chats/{chat_id}/messages", json=holds(text(), part))).json()["message"]["id"]

    deleted = await api.delete(f"/v3/attachments/{given['attachment_id']}")

    assert deleted.status_code == 204
    assert outcome(await api.get(f"/v3/attachments/{given['attachment_id']}")) == (404, 2003)
    assert outcome(await api.get(given["download_url"])) == (403, 2005)
    assert [one["type"] for one in (await api.get(f"/v3/messages/{sent}")).json()["parts"]] == ["text"]


@pytest.mark.parametrize(("body", "expected"), [row[1:3] for row in MEMOS], ids=[row[0] for row in MEMOS])
async def test_a_voice_memo(
    api: httpx.AsyncClient, chat_id: str, body: dict[str, Any], expected: int | tuple[int, int]
) -> None:
    """Audio only, by exactly one of address and attachment."""
    assert outcome(await api.post(f"/v3/chats/{chat_id}/voicememo", json=body)) == expected


async def test_a_voice_memo_of_an_attachment_is_sent(
    api: httpx.AsyncClient, emulator: Emulator, listener: Listener, chat_id: str
) -> None:
    """The answer and the lifecycle of a memo; it reaches the phone as media."""
    emulator.subscribe(URL)
    given = await uploaded(api, "a.m4a", "audio/x-m4a", b"abc")

    answer = await api.post(f"/v3/chats/{chat_id}/voicememo", json={"attachment_id": given["attachment_id"]})
    await emulator.quiet()

    memo = answer.json()["voice_memo"]
    assert (memo["status"], memo["to"], memo["chat"]["id"]) == ("queued", [PERSON], chat_id)
    assert (memo["voice_memo"]["filename"], memo["voice_memo"]["size_bytes"]) == ("a.m4a", 3)
    assert listener.types() == ["message.sent", "message.delivered", "message.read"]
    assert emulator.messages_to(PERSON)[0].message_id == memo["id"]


async def test_a_voice_memo_has_up_to_10_mb(api: httpx.AsyncClient, chat_id: str) -> None:
    """A larger one is 413/5001 (section 2)."""
    given = await uploaded(api, "a.m4a", "audio/x-m4a", b"a" * (10 * MEGABYTE + 1))

    answer = await api.post(f"/v3/chats/{chat_id}/voicememo", json={"attachment_id": given["attachment_id"]})

    assert outcome(answer) == (413, 5001)


async def test_people_send_files_that_can_be_downloaded(
    api: httpx.AsyncClient, emulator: Emulator, listener: Listener
) -> None:
    """A file of theirs, given as base64, is behind the address in the webhook."""
    await api.get("/v3/chats")
    emulator.subscribe(URL, ["message.received"])

    await emulator.inbound(PERSON, parts=[{"type": "media", "filename": "a.png", "data": "YWJj"}])
    await emulator.quiet()

    (part,) = listener.only("message.received").event["data"]["parts"]
    assert (part["mime_type"], part["size_bytes"]) == ("image/png", 3)
    assert (await api.get(part["url"])).content == b"abc"


async def test_faults_strike_uploads_too(api: httpx.AsyncClient, emulator: Emulator) -> None:
    """An upload can be made to fail on request, and succeeds when it is tried again."""
    given = await announced(api, "a.jpg", "image/jpeg", 3)
    emulator.fault("503", match="putUpload")

    answers = [await api.put(given["upload_url"], content=b"abc", headers=given["required_headers"]) for _ in range(2)]

    assert [one.status_code for one in answers] == [503, 200]


async def test_the_oldest_files_go_when_there_are_too_many(api: httpx.AsyncClient, emulator: Emulator) -> None:
    """What is stored is bounded: the oldest content is forgotten as a whole."""
    emulator.linq.vault.kept_bytes = 5
    first = await uploaded(api, "a.jpg", "image/jpeg", b"abc")
    second = await uploaded(api, "b.jpg", "image/jpeg", b"def")

    assert outcome(await api.get(f"/v3/attachments/{first['attachment_id']}")) == (404, 2003)
    assert (await api.get(second["download_url"])).content == b"def"
