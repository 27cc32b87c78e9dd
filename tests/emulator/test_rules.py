"""The rules of a message, one row each. The last word of a row is its source in linq-api-v3.md, or `choice`."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from linqbot.emulator.app import Emulator
from tests.emulator.conftest import LINE, PERSON
from tests.emulator.wording import holds, link, media, says, styled, text

UNKNOWN_ID = "00000000-0000-4000-8000-000000000000"
EXTENSIONS = (
    *("jpg", "jpeg", "png", "gif", "heic", "heif", "tif", "tiff", "bmp"),
    *("mp4", "mov", "m4v", "mpeg", "mpg", "3gp"),
    *("m4a", "mp3", "aac", "caf", "wav", "aiff", "amr"),
    *("pdf", "txt", "rtf", "csv", "doc", "docx", "xls", "xlsx", "ppt", "pptx", "pages", "numbers", "key"),
    *("epub", "zip", "html", "htm", "vcf", "ics"),
)
UNSUPPORTED = ("flac", "ogg", "exe", "webp", "svg")
BOLD, SHAKE = {"style": "bold"}, {"animation": "shake"}


def decorated(value: str, *decorations: Any) -> dict[str, Any]:
    """A request with decorations."""
    return holds(text(value, text_decorations=list(decorations)))


ACCEPTED: list[tuple[str, dict[str, Any], str]] = [
    ("one text", says(), "6.1"),
    ("text of one character", says("a"), "6.1"),
    ("text of 10,000 characters", says("a" * 10_000), "6.1"),
    ("text of 5,000 astral characters", says("\U0001f600" * 5_000), "choice"),
    ("text of white space", says("  "), "choice"),
    ("text, media, text", holds(text(), media(), text()), "6.1"),
    ("100 parts", holds(*[text(), media("https://cdn.linqapp.com/a/b.jpg")] * 50), "6.1"),
    ("40 public media", holds(*[media()] * 40), "6.1"),
    ("41 media of Linq's own hosts", holds(*[media("https://cdn.linqapp.com/a/b.jpg")] * 41), "6.1"),
    ("media of an address without an extension", holds(media("https://example.com/a")), "choice"),
    *((f"media of type {one}", holds(media(f"https://example.com/a.{one.upper()}")), "6.1") for one in EXTENSIONS),
    ("media as a sticker", holds(media() | {"sticker": True}), "6.1"),
    ("a link alone", holds(link()), "6.1"),
    ("overlapping styles", decorated("Hello", styled(0, 5, **BOLD), styled(2, 4, style="italic")), "6.1"),
    ("a style beside an animation", decorated("Hello", styled(0, 2, **BOLD), styled(2, 5, **SHAKE)), "6.1"),
    ("a range to the end in UTF-16", decorated("\U0001f600!", styled(0, 3, **BOLD)), "6.1"),
    ("a screen effect", says(effect={"type": "screen", "name": "confetti"}), "6.2"),
    ("a bubble effect", says(effect={"type": "bubble", "name": "slam"}), "6.2"),
    ("null where a field is optional", says(effect=None, reply_to=None, idempotency_key=None), "choice"),
    ("a key of 255 characters", says(idempotency_key="k" * 255), "4"),
    ("preferred SMS", says(preferred_service="SMS"), "6.2"),
    ("a field nobody knows", says(surprise=1), "choice"),
]

REFUSED: list[tuple[str, Any, int, int, str]] = [
    ("no message", {}, 400, 1001, "2"),
    ("a body that is a list", [], 400, 1003, "2"),
    ("no parts", {"message": {}}, 400, 1001, "2"),
    ("an empty list of parts", holds(), 400, 1004, "6.1"),
    ("101 parts", holds(*[text(), media("https://cdn.linqapp.com/a")] * 50, text()), 400, 1004, "6.1"),
    ("parts that are an object", {"message": {"parts": {}}}, 400, 1004, "6.1"),
    ("a part that is a string", holds("Hi"), 400, 1004, "6.1"),
    ("a part without a type", holds({"value": "Hi"}), 400, 1001, "6.1"),
    ("an unknown part type", holds({"type": "hologram"}), 400, 1004, "6.1"),
    ("a part type that is a list", holds({"type": []}), 400, 1004, "6.1"),
    ("two texts in a row", holds(text(), text()), 400, 1004, "6.1"),
    ("an empty text", says(""), 400, 1004, "6.1"),
    ("a text without value", holds({"type": "text"}), 400, 1001, "6.1"),
    ("a text that is a number", holds(text(7)), 400, 1004, "6.1"),
    ("a text of 10,001 characters", says("a" * 10_001), 400, 1004, "6.1"),
    ("a text of 5,001 astral characters", says("\U0001f600" * 5_001), 400, 1004, "choice"),
    ("half a surrogate pair", says("\ud83d"), 400, 1003, "choice"),
    ("a link with a text", holds(text(), link()), 400, 1004, "6.1"),
    ("two links", holds(link(), link()), 400, 1004, "6.1"),
    ("a link without scheme", holds(link("example.com")), 400, 1004, "6.1"),
    ("a link of 2,049 characters", holds(link("https://e.co/" + "a" * 2_036)), 400, 1004, "6.1"),
    ("media without source", holds({"type": "media"}), 400, 1004, "6.1"),
    ("media with two sources", holds(media() | {"attachment_id": UNKNOWN_ID}), 400, 1004, "6.1"),
    ("media over http", holds(media("http://example.com/a.jpg")), 400, 1004, "6.1"),
    ("an attachment id that is no UUID", holds({"type": "media", "attachment_id": "x"}), 400, 1005, "2"),
    ("41 public media", holds(*[media()] * 41), 400, 1004, "6.1"),
    ("style and animation at once", decorated("Hello", styled(0, 5, **BOLD, **SHAKE)), 400, 1004, "6.1"),
    ("neither style nor animation", decorated("Hello", styled(0, 5)), 400, 1004, "6.1"),
    ("an unknown style", decorated("Hello", styled(0, 5, style="loud")), 400, 1005, "6.1"),
    ("a style that is a list", decorated("Hello", styled(0, 5, style=["bold"])), 400, 1005, "6.1"),
    ("a range past the end", decorated("Hello", styled(0, 6, **BOLD)), 400, 1004, "choice"),
    ("an empty range", decorated("Hello", styled(2, 2, **BOLD)), 400, 1004, "choice"),
    ("a range of booleans", decorated("Hello", styled(False, True, **BOLD)), 400, 1004, "6.1"),
    ("a range of one number", decorated("Hello", {"range": [1], **BOLD}), 400, 1004, "6.1"),
    ("animation over style", decorated("Hello", styled(0, 3, **BOLD), styled(2, 5, **SHAKE)), 400, 1004, "6.1"),
    ("style over animation", decorated("Hello", styled(0, 3, **SHAKE), styled(2, 5, **BOLD)), 400, 1004, "6.1"),
    ("animation over animation", decorated("Hello", styled(0, 5, **SHAKE), styled(1, 2, **SHAKE)), 400, 1004, "6.1"),
    ("101 decorations", decorated("Hello", *[styled(0, 5, **BOLD)] * 101), 400, 1005, "6.1"),
    ("an unknown effect", says(effect={"type": "screen", "name": "rain"}), 400, 1004, "choice"),
    ("an effect of the other type", says(effect={"type": "bubble", "name": "confetti"}), 400, 1004, "choice"),
    ("an effect of no type", says(effect={"name": "confetti"}), 400, 1004, "choice"),
    ("a reply to no UUID", says(reply_to={"message_id": "x"}), 400, 1005, "2"),
    ("a reply without id", says(reply_to={"part_index": 0}), 400, 1001, "2"),
    ("a reply to part -1", says(reply_to={"message_id": UNKNOWN_ID, "part_index": -1}), 400, 1005, "6.2"),
    ("a reply to an unknown message", says(reply_to={"message_id": UNKNOWN_ID}), 404, 2002, "choice"),
    ("an unknown service", says(preferred_service="imessage"), 400, 1005, "5"),
    ("a service that is a list", says(preferred_service=["SMS"]), 400, 1005, "5"),
    ("a key of 256 characters", says(idempotency_key="k" * 256), 400, 1005, "4"),
    ("an empty key", says(idempotency_key=""), 400, 1005, "choice"),
    ("override_optout that is a word", says() | {"override_optout": "yes"}, 400, 1005, "6.2"),
    ("a mention in a direct chat", holds(text("Bo", mention=PERSON)), 409, 2023, "6.1"),
    ("parts and an experience", holds(text(), experience={"name": "pay"}), 400, 1004, "6"),
    ("an experience", {"message": {"experience": {"name": "pay", "action": "send"}}}, 403, 2011, "2"),
    ("an unknown attachment", holds({"type": "media", "attachment_id": UNKNOWN_ID}), 404, 2003, "2"),
    *((f"media of type {one}", holds(media(f"https://example.com/a.{one}")), 400, 5004, "6.1") for one in UNSUPPORTED),
    ("media as a word of a sticker", holds(media() | {"sticker": "yes"}), 400, 1005, "6.1"),
]

FIRST_REFUSED: list[tuple[str, dict[str, Any], str]] = [
    ("a link part", holds(link()), "7.1"),
    ("a URL in a text", says("see https://example.com"), "7.1"),
    ("a bare www address", says("see www.example.com"), "choice"),
    ("an effect", says(effect={"type": "screen", "name": "confetti"}), "7.1"),
    ("a reply", says(reply_to={"message_id": UNKNOWN_ID}), "7.1"),
]


@pytest.mark.parametrize("body", [row[1] for row in ACCEPTED], ids=[row[0] for row in ACCEPTED])
async def test_a_legal_message_is_accepted(api: httpx.AsyncClient, chat_id: str, body: dict[str, Any]) -> None:
    """What Linq documents as legal is answered 202."""
    answer = await api.post(f"/v3/chats/{chat_id}/messages", json=body)

    assert answer.status_code == 202, answer.text


@pytest.mark.parametrize(("body", "status", "code"), [row[1:4] for row in REFUSED], ids=[row[0] for row in REFUSED])
async def test_an_illegal_message_is_refused_with_its_code(
    api: httpx.AsyncClient, emulator: Emulator, chat_id: str, body: Any, status: int, code: int
) -> None:
    """What Linq documents as illegal is refused with status and code, and nothing is sent."""
    answer = await api.post(f"/v3/chats/{chat_id}/messages", content=json.dumps(body))

    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)
    assert emulator.messages() == []


@pytest.mark.parametrize("first", [row[1] for row in FIRST_REFUSED], ids=[row[0] for row in FIRST_REFUSED])
async def test_the_first_message_of_a_chat_may_not_hold(
    api: httpx.AsyncClient, emulator: Emulator, first: dict[str, Any]
) -> None:
    """A message that would open a chat is refused with 1005, and no chat is opened."""
    answer = await api.post("/v3/chats", json={"from": LINE, "to": [PERSON], **first})

    assert (answer.status_code, answer.json()["error"]["code"]) == (400, 1005)
    assert emulator.linq.world.chats == {}


async def test_the_first_message_rules_end_with_the_chat(api: httpx.AsyncClient, chat_id: str) -> None:
    """POST /v3/chats into a chat that exists may hold a link (section 7.1)."""
    answer = await api.post("/v3/chats", json={"from": LINE, "to": [PERSON], **holds(link())})

    assert (answer.status_code, answer.json()["chat"]["id"]) == (201, chat_id)


async def test_a_mention_is_fine_in_a_group(api: httpx.AsyncClient, group_id: str) -> None:
    """A mention is accepted where there are several people (section 6.1)."""
    answer = await api.post(f"/v3/chats/{group_id}/messages", json=holds(text("Bo", mention=PERSON)))

    assert answer.status_code == 202


async def test_a_reply_to_a_message_of_another_chat_is_refused(
    api: httpx.AsyncClient, emulator: Emulator, chat_id: str
) -> None:
    """The target of reply_to is looked for in the same chat (a choice)."""
    other = await emulator.inbound("+12025551111", text="Hello!")

    answer = await api.post(f"/v3/chats/{chat_id}/messages", json=says(reply_to={"message_id": other.message_id}))

    assert (answer.status_code, answer.json()["error"]["code"]) == (404, 2002)
