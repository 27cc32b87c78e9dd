"""App cards, app clips, mentions, inline stickers, one row each. linq-api-v3.md section 6.1."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from linqbot.emulator.app import Emulator
from tests.emulator.conftest import LINE, PERSON
from tests.emulator.listener import URL, Listener
from tests.emulator.refused import outcome
from tests.emulator.uploading import uploaded
from tests.emulator.wording import holds, media, says, styled, text

APP = {"name": "Chess", "team_id": "A1B2C3D4E5", "bundle_id": "com.example.chess"}
LAYOUT = {"caption": "Your move"}
Outcome = int | tuple[int, int]


def card(app: Any = APP, layout: Any = LAYOUT, **more: Any) -> dict[str, Any]:
    """An app card."""
    return {"type": "imessage_app", "app": app, "layout": layout, **more}


def clip(value: Any = "https://example.com/clip", **more: Any) -> dict[str, Any]:
    """An app clip."""
    return {"type": "app_clip", "value": value, **more}


CARDS: list[tuple[str, dict[str, Any], Outcome, str]] = [
    ("a card", holds(card()), 202, "6.1"),
    ("a card with everything", holds(card(url="https://e.co", fallback_text="Chess", interactive=False)), 202, "6.1"),
    ("a store id", holds(card(APP | {"app_store_id": 7})), 202, "6.1"),
    ("an image alone", holds(card(layout={"image_url": "https://e.co/a.png"})), 202, "6.1"),
    ("a titled image", holds(card(layout={"image_url": "https://e.co/a.png", "image_title": "a"})), 202, "6.1"),
    *((f"only a {one}", holds(card(layout={one: "a"})), 202, "6.1") for one in ("subcaption", "trailing_subcaption")),
    ("data of 16,384 characters", holds(card(url="data:," + "a" * 16_378)), 202, "6.1"),
    ("a caption of 512 characters", holds(card(layout={"caption": "a" * 512})), 202, "6.1"),
    ("a name of 64 characters", holds(card(APP | {"name": "a" * 64})), 202, "6.1"),
    ("a card beside a text", holds(text(), card()), (400, 1008), "6.1"),
    ("no app", holds(card(None)), (400, 1008), "6.1"),
    ("no layout", holds(card(layout=None)), (400, 1008), "6.1"),
    ("an empty layout", holds(card(layout={})), (400, 1008), "6.1"),
    ("a title without image", holds(card(layout={"caption": "a", "image_title": "b"})), (400, 1008), "6.1"),
    ("a name of 65 characters", holds(card(APP | {"name": "a" * 65})), (400, 1008), "6.1"),
    ("a team of 9 characters", holds(card(APP | {"team_id": "A1B2C3D4E"})), (400, 1008), "6.1"),
    ("a team in lower case", holds(card(APP | {"team_id": "a1b2c3d4e5"})), (400, 1008), "6.1"),
    ("a bundle with a colon", holds(card(APP | {"bundle_id": "com:example"})), (400, 1008), "6.1"),
    ("a store id in words", holds(card(APP | {"app_store_id": "7"})), (400, 1008), "6.1"),
    ("a url over http", holds(card(url="http://example.com")), (400, 1008), "6.1"),
    ("a url of 2,049 characters", holds(card(url="https://e.co/" + "a" * 2_036)), (400, 1008), "6.1"),
    ("data of 16,385 characters", holds(card(url="data:," + "a" * 16_379)), (400, 1008), "6.1"),
    ("a fallback of 1,025 characters", holds(card(fallback_text="a" * 1_025)), (400, 1008), "6.1"),
    ("a caption of 513 characters", holds(card(layout={"caption": "a" * 513})), (400, 1008), "6.1"),
    ("a caption that is a number", holds(card(layout={"caption": 7})), (400, 1008), "6.1"),
    ("interactive in words", holds(card(interactive="yes")), (400, 1005), "6.1"),
    ("a card over SMS", holds(card(), preferred_service="SMS"), (409, 2018), "2"),
    ("a card over RCS", holds(card(), preferred_service="RCS"), (409, 2018), "2"),
    ("a card over iMessage", holds(card(), preferred_service="iMessage"), 202, "2"),
]
CLIPS: list[tuple[str, dict[str, Any], Outcome, str]] = [
    ("a clip", holds(clip()), 202, "6.1"),
    ("a clip with a caption", holds(clip(caption="Pay")), 202, "6.1"),
    ("a clip beside a text", holds(clip(), text()), (400, 1004), "choice"),
    ("no address", holds({"type": "app_clip"}), (400, 1001), "2"),
    ("an address over http", holds(clip("http://example.com")), (400, 1004), "choice"),
    ("a caption that is a number", holds(clip(caption=7)), (400, 1008), "choice"),
    ("a clip over SMS", holds(clip(), preferred_service="SMS"), (409, 2028), "2"),
]
MENTIONS: list[tuple[str, dict[str, Any], Outcome, str]] = [
    ("somebody there", text("Ann!", mention=PERSON), 202, "6.1"),
    ("our line", text("Bot", mention=LINE), 202, "6.1"),
    ("a range", text("Hi Ann", mention=PERSON, mention_range=[3, 6]), 202, "6.1"),
    ("beside a style", text("Hi Ann", mention=PERSON, text_decorations=[styled(0, 2, style="bold")]), 202, "6.1"),
    ("a stranger", text("Ann", mention="+12025559999"), (400, 1004), "6.1"),
    ("nonsense", text("Ann", mention="Ann"), (400, 1002), "2"),
    ("a range without mention", text("Ann", mention_range=[0, 3]), (400, 1004), "6.1"),
    ("a range outside", text("Ann", mention=PERSON, mention_range=[0, 4]), (400, 1004), "choice"),
    ("a range of one number", text("Ann", mention=PERSON, mention_range=[0]), (400, 1004), "6.1"),
]


@pytest.mark.parametrize(("body", "expected"), [row[1:3] for row in CARDS + CLIPS], ids=[r[0] for r in CARDS + CLIPS])
async def test_app_cards_and_clips(
    api: httpx.AsyncClient, emulator: Emulator, chat_id: str, body: dict[str, Any], expected: Outcome
) -> None:
    """What Linq documents is accepted, the rest refused with its code, and nothing of it is sent."""
    assert outcome(await api.post(f"/v3/chats/{chat_id}/messages", content=json.dumps(body))) == expected
    assert len(emulator.messages()) == (expected == 202)


@pytest.mark.parametrize(("part", "expected"), [row[1:3] for row in MENTIONS], ids=[row[0] for row in MENTIONS])
async def test_mentions(
    api: httpx.AsyncClient, emulator: Emulator, group_id: str, part: dict[str, Any], expected: Outcome
) -> None:
    """Participants of a group, over the whole text or a range of it."""
    answer = await api.post(f"/v3/chats/{group_id}/messages", json=holds(part))

    assert outcome(answer) == expected
    if expected == 202:
        given = part.get("mention_range") or [0, len(part["value"])]
        (mention,) = answer.json()["message"]["parts"][0]["mentions"]
        assert mention == {"handle": part["mention"], "is_me": part["mention"] == LINE, "range": given}


async def test_inline_stickers(api: httpx.AsyncClient, group_id: str, chat_id: str) -> None:
    """Stored images over characters of the text: whole ones, each once, beside decorations and without a mention."""
    star = await uploaded(api, "star.png", "image/png", b"png")
    file_id, address = star["attachment_id"], star["download_url"]
    many = [(await uploaded(api, f"{number}.png", "image/png", b"p"))["attachment_id"] for number in range(11)]

    def on(start: int, end: int, **image: str) -> dict[str, Any]:
        return {"range": [start, end], **(image or {"attachment_id": file_id})}

    bold = [styled(0, 2, style="bold")]
    rows: list[tuple[str, dict[str, Any], Outcome, str]] = [
        ("by id", text("Hi *", inline_stickers=[on(3, 4)]), 202, "6.1"),
        ("by address", text("Hi *", inline_stickers=[on(3, 4, url=address)]), 202, "6.1"),
        ("side by side", text("**", inline_stickers=[on(1, 2), on(0, 1)]), 202, "6.1"),
        ("beside a decoration", text("Hi *", inline_stickers=[on(3, 4)], text_decorations=bold), 202, "6.1"),
        ("over an emoji", text("\U0001f600!", inline_stickers=[on(0, 2)]), 202, "6.1"),
        (
            "ten images",
            text("*" * 10, inline_stickers=[on(n, n + 1, attachment_id=many[n]) for n in range(10)]),
            202,
            "6.1",
        ),
        (
            "eleven images",
            text("*" * 11, inline_stickers=[on(n, n + 1, attachment_id=many[n]) for n in range(11)]),
            (400, 1004),
            "6.1",
        ),
        ("101 stickers", text("*" * 101, inline_stickers=[on(n, n + 1) for n in range(101)]), (400, 1005), "6.1"),
        ("overlapping", text("***", inline_stickers=[on(0, 2), on(1, 3)]), (400, 1004), "6.1"),
        ("over a decoration", text("Hi *", inline_stickers=[on(1, 3)], text_decorations=bold), (400, 1004), "6.1"),
        ("half an emoji", text("\U0001f600!", inline_stickers=[on(1, 2)]), (400, 1004), "6.1"),
        ("outside", text("Hi", inline_stickers=[on(1, 3)]), (400, 1004), "choice"),
        ("no image", text("Hi", inline_stickers=[{"range": [0, 1]}]), (400, 1004), "6.1"),
        ("two images", text("Hi", inline_stickers=[on(0, 1, url=address, attachment_id=file_id)]), (400, 1004), "6.1"),
        ("an image of the web", text("Hi", inline_stickers=[on(0, 1, url="https://e.co/a.png")]), (400, 1004), "6.1"),
        ("with a mention", text("Hi", mention=PERSON, inline_stickers=[on(0, 1)]), (400, 1004), "6.1"),
        ("a sticker in words", text("Hi", inline_stickers=["star"]), (400, 1004), "6.1"),
    ]

    told = [(row[0], outcome(await api.post(f"/v3/chats/{group_id}/messages", json=holds(row[1])))) for row in rows]

    assert told == [(row[0], row[2]) for row in rows]


async def test_a_sticker_is_told_with_its_image(
    api: httpx.AsyncClient, emulator: Emulator, listener: Listener, chat_id: str
) -> None:
    """The webhook has range, name, type and an address that works."""
    emulator.subscribe(URL, ["message.sent"])
    star = await uploaded(api, "star.png", "image/png", b"png")
    part = text("Hi *", inline_stickers=[{"range": [3, 4], "attachment_id": star["attachment_id"]}])

    await api.post(f"/v3/chats/{chat_id}/messages", json=holds(part))
    await emulator.quiet()

    (sticker,) = listener.only("message.sent").event["data"]["parts"][0]["inline_stickers"]
    assert (sticker["range"], sticker["file_name"], sticker["mime_type"]) == ([3, 4], "star.png", "image/png")
    assert (await api.get(sticker["url"])).content == b"png"


async def test_a_card_is_never_downgraded(api: httpx.AsyncClient, emulator: Emulator, listener: Listener) -> None:
    """Section 6.1: to somebody without iMessage it fails with 4005 instead."""
    emulator.subscribe(URL, ["message.sent", "message.failed"])
    chat_id = (await emulator.inbound(PERSON, text="Hello!", service="SMS")).chat_id

    await api.post(f"/v3/chats/{chat_id}/messages", json=holds(card()))
    await emulator.quiet()

    assert listener.only("message.failed").event["data"]["code"] == 4005
    assert emulator.messages() == []


async def test_a_card_is_updated_as_a_new_message(
    api: httpx.AsyncClient, emulator: Emulator, listener: Listener, chat_id: str
) -> None:
    """Section 7: the app is inherited, the rest replaced; the new id has its own lifecycle; 409 before it was sent."""
    body = holds(card(url="https://example.com/1"))
    sent = (await api.post(f"/v3/chats/{chat_id}/messages", json=body)).json()["message"]["id"]
    early = await api.post(f"/v3/messages/{sent}/update", json={"layout": {"caption": "Mine"}})
    await emulator.quiet()
    emulator.subscribe(URL)

    answer = await api.post(f"/v3/messages/{sent}/update", json={"layout": {"caption": "Mine"}})
    await emulator.quiet()

    assert (outcome(early), answer.status_code) == ((409, 2015), 202)
    new = answer.json()["message"]
    assert new["id"] != sent
    assert (new["parts"][0]["app"], new["parts"][0]["layout"]) == (APP, {"caption": "Mine"})
    assert listener.types() == ["message.sent", "message.delivered", "message.read"]


async def test_only_own_cards_are_updated(api: httpx.AsyncClient, emulator: Emulator, chat_id: str) -> None:
    """Section 7: a text of ours, and a card of theirs, are 400."""
    ours = (await api.post(f"/v3/chats/{chat_id}/messages", json=says())).json()["message"]["id"]
    theirs = (await emulator.inbound(PERSON, parts=[card(url="https://e.co")], to=LINE)).message_id

    told = [outcome(await api.post(f"/v3/messages/{one}/update", json={"layout": LAYOUT})) for one in (ours, theirs)]

    assert told == [(400, 1008)] * 2


async def test_a_sticker_flag_is_accepted(api: httpx.AsyncClient, chat_id: str) -> None:
    """Section 6.1: media may be marked as a sticker."""
    body = holds(media() | {"sticker": True})

    assert outcome(await api.post(f"/v3/chats/{chat_id}/messages", json=body)) == 202
