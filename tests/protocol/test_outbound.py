"""Replies of a turn as frozen requests."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from linqbot.errors import ReplyError
from linqbot.ids import idempotency_key
from linqbot.protocol.bubbles import bubbles_of
from linqbot.protocol.outbound import Answering, freeze, keys_of_position
from linqbot.protocol.threading import Circumstances
from linqbot.records import Repeat, Request
from linqbot.replies import AppCard, AppClip, Link, Media, Reply, Target, Text
from linqbot.replies.characters import utf16_length
from tests.protocol.wire import message_in, message_of

CHAT = "8f392755-6865-4b18-880a-227f9d8b458f"
INBOUND = Target("89e3566e-1d13-49e5-a8ee-48490d5bfeb7", 1)
UPLOAD = "0b0c2f6e-6a10-4a1d-9d51-9a1f6c0a7b11"
ANSWERING = Answering(
    namespace="bot",
    event_id="e1",
    handler="echo",
    chat_id=CHAT,
    around=Circumstances(message=INBOUND, service="iMessage"),
    now_ms=1_000,
)


def key(position: int, part: str = "") -> str:
    """The key a bubble of this turn must have."""
    return idempotency_key("bot", "e1", "echo", position, part)


def picture(number: int) -> Media:
    """One of many pictures."""
    return Media(url=f"https://example.com/{number}.png")


def values(reply: Reply) -> list[list[str | None]]:
    """What each bubble of a reply holds, in order."""
    return [[getattr(part, "value", None) for part in bubble] for bubble in bubbles_of(reply)]


def test_one_text_becomes_one_frozen_request() -> None:
    """A reply is the bytes that will be sent, under a key that its event, handler and place make."""
    (item,) = freeze([Reply("hi 👋")], ANSWERING).items

    threaded = '{"message_id":"89e3566e-1d13-49e5-a8ee-48490d5bfeb7","part_index":1}'
    assert item.request == Request(
        method="POST",
        path=f"/v3/chats/{CHAT}/messages",
        body=(
            '{"message":{"parts":[{"type":"text","value":"hi 👋"}],"reply_to":' + threaded + ","
            '"idempotency_key":"' + key(0) + '"}}'
        ).encode(),
    )
    assert (item.key, item.event_id, item.handler, item.position) == (key(0), "e1", "echo", 0)
    assert (item.lane, item.pair, item.units, item.repeat) == (f"chat:{CHAT}", CHAT, 1, Repeat.KEYED)
    assert item.created_ms == 1_000


def test_threaded_bubble_has_an_unthreaded_variant_under_its_own_key() -> None:
    """When the target is gone, the same is sent once without it; Linq must not take it for a repeat."""
    first, second = freeze([Reply("a", effect="slam"), Reply("b")], ANSWERING).items

    assert first.plain is not None
    assert first.plain_key == key(0, "p")
    assert message_in(first.plain) == {
        "parts": [{"type": "text", "value": "a"}],
        "effect": {"type": "bubble", "name": "slam"},
        "idempotency_key": key(0, "p"),
    }
    assert (second.plain, second.plain_key) == (None, None)


def test_every_option_is_in_linqs_own_words() -> None:
    """Effect with its kind, service, uploaded media, link and ref reach the request and the item."""
    replies = [
        Reply("a", effect="happy_birthday", preferred_service="iMessage", ref="r1"),
        Reply(Media(attachment_id=UPLOAD), picture(1)),
        Reply(Link("https://example.com")),
    ]

    items = freeze(replies, replace(ANSWERING, thread="never")).items

    assert message_of(items[0]) == {
        "parts": [{"type": "text", "value": "a"}],
        "effect": {"type": "screen", "name": "happy_birthday"},
        "preferred_service": "iMessage",
        "idempotency_key": key(0),
    }
    assert items[0].ref == "r1"
    assert message_of(items[1])["parts"] == [
        {"type": "media", "attachment_id": UPLOAD},
        {"type": "media", "url": "https://example.com/1.png"},
    ]
    assert message_of(items[2])["parts"] == [{"type": "link", "value": "https://example.com"}]


def test_same_turn_frozen_twice_is_the_same_bytes() -> None:
    """A handler that runs again freezes what the first run froze, so that Linq sees one message."""
    replies = [Reply("a", Link("https://example.com")), Reply("b")]

    assert freeze(replies, ANSWERING) == freeze(replies, ANSWERING)


def test_adjacent_texts_become_bubbles_of_their_own() -> None:
    """Linq refuses two texts side by side; each goes out under a key of its own."""
    items = freeze([Reply("a", "b"), Reply("c")], ANSWERING).items

    assert [message_of(item)["parts"][0]["value"] for item in items] == ["a", "b", "c"]
    assert [item.key for item in items] == [key(0, "0"), key(0, "1"), key(1)]
    assert items[0].plain_key == key(0, "0p")


def test_texts_around_media_stay_in_one_bubble() -> None:
    """Text, media, text is a legal message and is left as it is."""
    assert values(Reply("a", picture(1), "b")) == [["a", None, "b"]]


def test_link_stands_alone() -> None:
    """A link must be the only part (linq-api-v3.md section 6.1)."""
    link = Link("https://example.com")

    assert values(Reply("a", link, "b", picture(1))) == [["a"], ["https://example.com"], ["b", None]]


def test_long_text_becomes_several_bubbles() -> None:
    """A text over 10,000 units is split, the media after it stay with its last piece."""
    bubbles = bubbles_of(Reply("word " * 3_000, picture(1)))

    assert [len(bubble) for bubble in bubbles] == [1, 2]
    assert isinstance(bubbles[0][0], Text)
    assert utf16_length(bubbles[0][0].value) <= 10_000


def test_over_a_hundred_parts_become_several_messages() -> None:
    """Linq takes 100 parts in a message."""
    parts = [Media(attachment_id=UPLOAD)] * 201

    assert [len(bubble) for bubble in bubbles_of(Reply(*parts))] == [100, 100, 1]


def test_over_forty_media_by_url_become_several_messages() -> None:
    """Linq fetches 40 media for a message; uploaded ones do not count."""
    parts = [picture(number) for number in range(41)] + [Media(attachment_id=UPLOAD)]

    assert [len(bubble) for bubble in bubbles_of(Reply(*parts))] == [40, 2]


PARTS = st.one_of(
    st.text(min_size=1, max_size=30).map(Text),
    st.sampled_from([picture(1), Media(attachment_id=UPLOAD), Link("https://example.com"), Text("long " * 2_500)]),
)


@given(st.lists(PARTS, min_size=1, max_size=120))
def test_o16_every_bubble_of_any_reply_is_legal(parts: list[Any]) -> None:
    """Whatever is put together, what leaves keeps every rule of a message, and no part but blank text is lost.

    Held by cutting at Linq's limits when a turn is frozen.
    """
    bubbles = bubbles_of(Reply(*parts))
    kinds = [[type(part) for part in bubble] for bubble in bubbles]

    assert all(1 <= len(bubble) <= 100 for bubble in bubbles)
    assert all((Text, Text) not in pairwise(bubble) for bubble in kinds)
    assert all(Link not in bubble or len(bubble) == 1 for bubble in kinds)
    assert all(sum(getattr(part, "url", None) is not None for part in bubble) <= 40 for bubble in bubbles)
    assert [part for bubble in bubbles for part in bubble if not isinstance(part, Text)] == [
        part for part in parts if not isinstance(part, Text)
    ]


def test_half_a_character_is_replaced() -> None:
    """A lone surrogate is no Unicode: it leaves as the replacement character, and the rest of the text is kept."""
    (item,) = freeze([Reply("a\ud83db")], ANSWERING).items

    assert message_of(item)["parts"] == [{"type": "text", "value": "a\ufffdb"}]


@pytest.mark.parametrize(
    ("illegal", "said"),
    [
        (Reply("b", reply_to="last-one"), "reply_to names no message of Linq's"),
        (Reply("b", Media(attachment_id="logo")), "attachment_id is none of Linq's"),
    ],
)
def test_o16_reply_that_linq_would_refuse_is_a_dead_letter_and_the_rest_goes_on(illegal: Reply, said: str) -> None:
    """It never leaves; the others keep their places, and so their keys.

    Held by checking each reply by itself, and keys that are made of its place.
    """
    frozen = freeze([Reply("a"), illegal, Reply("c")], ANSWERING)

    (letter,) = frozen.dead
    assert [item.key for item in frozen.items] == [key(0), key(2)]
    assert (letter.id, letter.kind, letter.event_id, letter.handler) == (key(1), "reply", "e1", "echo")
    assert (letter.lane, letter.at_ms) == (f"chat:{CHAT}", 1_000)
    assert letter.reason.startswith(f"reply 2 of handler 'echo': {said}")


def test_reply_to_an_event_without_a_chat_is_a_dead_letter() -> None:
    """There is nowhere to send it, and the letter says so."""
    frozen = freeze([Reply("a")], replace(ANSWERING, chat_id=None))

    assert frozen.items == ()
    assert "the event has no chat" in frozen.dead[0].reason


def test_stream_goes_on_where_it_stopped() -> None:
    """Bubbles frozen one by one have the keys, and the thread, that a list of them would have."""
    replies = [Reply("a"), Reply("b", "c"), Reply("d")]

    first = freeze(replies[:1], ANSWERING)
    second = freeze(replies[1:2], ANSWERING, after=first)
    third = freeze(replies[2:], ANSWERING, after=second)

    assert first.items + second.items + third.items == freeze(replies, ANSWERING).items


def test_keys_of_a_position_tell_whether_its_reply_is_frozen() -> None:
    """However a reply was cut, its first bubble is recognised."""
    whole = freeze([Reply("a")], ANSWERING).items
    pieces = freeze([Reply("a", "b")], ANSWERING).items

    assert {whole[0].key, pieces[0].key} == keys_of_position(ANSWERING, 0)


def test_o16_more_than_a_hundred_bubbles_in_a_turn_are_refused() -> None:
    """A handler that answers so much is broken: none of it is sent, and the error says how many.

    Held by the cap, counted before anything is stored.
    """
    hundred = freeze([Reply("a")] * 100, ANSWERING)

    with pytest.raises(ReplyError, match="101 bubbles; at most 100"):
        freeze([Reply("a")], ANSWERING, after=hundred)


def test_chat_id_cannot_leave_its_place_in_the_path() -> None:
    """Whatever a webhook calls its chat, the request goes to that chat's messages."""
    (item,) = freeze([Reply("a")], replace(ANSWERING, chat_id="../x?y")).items

    assert item.request.path == "/v3/chats/..%2Fx%3Fy/messages"


CARD = AppCard(
    name="Example",
    team_id="A1B2C3D4E5",
    bundle_id="com.example.app.Messages",
    app_store_id=1_234_567_890,
    caption="Table for 2",
    image_url="https://example.com/a.png",
    image_title="Tonight",
    url="data:,state",
    fallback_text="A table",
    interactive=False,
)
CLIP = AppClip("https://example.com/clip", caption="Pay")


@pytest.mark.parametrize(
    ("part", "wire"),
    [  # linq-api-v3.md section 6.1; linq-openapi.yaml, IMessageAppPart
        (
            CARD,
            {
                "type": "imessage_app",
                "app": {
                    "name": "Example",
                    "team_id": "A1B2C3D4E5",
                    "bundle_id": "com.example.app.Messages",
                    "app_store_id": 1_234_567_890,
                },
                "layout": {
                    "caption": "Table for 2",
                    "image_url": "https://example.com/a.png",
                    "image_title": "Tonight",
                },
                "url": "data:,state",
                "fallback_text": "A table",
                "interactive": False,
            },
        ),
        (CLIP, {"type": "app_clip", "value": "https://example.com/clip", "caption": "Pay"}),
        (AppClip("https://example.com/clip"), {"type": "app_clip", "value": "https://example.com/clip"}),
        (Media(attachment_id=UPLOAD, sticker=True), {"type": "media", "attachment_id": UPLOAD, "sticker": True}),
    ],
)
def test_cards_clips_and_stickers_are_in_linqs_own_words(part: Any, wire: dict[str, Any]) -> None:
    """What was not given is left out."""
    (item,) = freeze([Reply(part)], ANSWERING).items

    assert message_of(item)["parts"] == [wire]


def test_cards_and_clips_stand_alone() -> None:
    """Each must be the only part of its message (linq-api-v3.md section 6.1); the order stays."""
    bubbles = bubbles_of(Reply("a", CARD, "b", picture(1), CLIP, CARD, "c"))

    assert [[type(part) for part in bubble] for bubble in bubbles] == [
        [Text],
        [AppCard],
        [Text, Media],
        [AppClip],
        [AppCard],
        [Text],
    ]


def on(service: str | None) -> Answering:
    """The same turn, answering a message that came over another service."""
    return replace(ANSWERING, around=replace(ANSWERING.around, service=service))


def test_a_file_that_was_not_uploaded_is_dead() -> None:
    """Bytes never get into a frozen request; the turn uploads them before."""
    (letter,) = freeze([Reply(Media(data=b"x", filename="a.png"))], ANSWERING).dead

    assert "was not uploaded" in letter.reason
