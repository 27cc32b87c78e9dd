"""Hostile bodies, signed: whatever Linq's key signs is answered 200 and kept or ignored; what is unsigned is not read.

Held by an order of steps: size, proof, then one strict parser whose every failure is a `PayloadError`.
"""

from __future__ import annotations

import gzip
import json
import zlib

import pytest

from linqbot import Bot, Message
from linqbot.protocol.inbound import event_of, read
from tests.hostile.door import Door, echo, open_door
from tests.hostile.letters import RECORDED, encoded, message, signature

ZERO_BYTES = b"\x00" * 4_000_000

TEXT = encoded(message("words"))

UNREADABLE: dict[str, bytes] = {
    "nothing": b"",
    "blanks": b" \r\n\t ",
    "half an object": b'{"event_type": "message.received", "event_id": "e',
    "two objects": b'{"a": 1} {"b": 2}',
    "an array": b"[]",
    "null": b"null",
    "a string": b'"message.received"',
    "single quotes": b"{'event_type': 'x'}",
    "a trailing comma": b'{"a": 1,}',
    "invalid UTF-8": b'{"event_type": "x\xff\xfe"}',
    "overlong UTF-8": b'{"event_type": "\xc0\xaf"}',
    "half a pair in UTF-8": b'{"event_type": "\xed\xa0\x80"}',
    "UTF-16": TEXT.decode().encode("utf-16"),
    "UTF-16 without a mark": TEXT.decode().encode("utf-16-le"),
    "UTF-32": TEXT.decode().encode("utf-32"),
    "a byte order mark": b"\xef\xbb\xbf" + TEXT,
    "a raw control character": b'{"event_type": "a\x01b"}',
    "nested 100,000 deep": b'{"data": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "objects 100,000 deep": b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
    "brackets never closed": b"[" * 1_000_000,
    "an integer of 5,000 digits": b'{"event_type": "x", "event_id": "e", "n": ' + b"9" * 5_000 + b"}",
    "NaN": b'{"event_type": "x", "event_id": "e", "n": NaN}',
    "Infinity": b'{"event_type": "x", "event_id": "e", "n": -Infinity}',
    "beyond floats": b'{"event_type": "x", "event_id": "e", "n": 1e999}',
    "no type": b'{"event_id": "e"}',
    "type null": b'{"event_type": null, "event_id": "e"}',
    "type is a list": b'{"event_type": ["message.received"], "event_id": "e"}',
    "type of 10 kB": b'{"event_id": "e", "event_type": "' + b"x" * 10_000 + b'"}',
    "id is a number": b'{"event_type": "message.received", "event_id": 7}',
    "id of 10 kB": b'{"event_type": "message.received", "event_id": "' + b"x" * 10_000 + b'"}',
    "a message of no chat": encoded({**message(), "data": {"id": "m"}}),
    "a message that is null": encoded({**message(), "data": None}),
}


@pytest.mark.parametrize("coding", ["gzip", "br", "deflate", "zstd", "gzip, identity", "GZIP", ""])
async def test_h8_a_content_coding_is_415(door: Door, coding: str) -> None:
    """Nothing is ever decompressed: any Content-Encoding but identity ends the request before its body is read."""
    answer = await door.knock(TEXT, {**signature(TEXT, now_ms=door.sim.clock.now_ms()), "content-encoding": coding})

    assert answer.status_code == 415
    assert (await door.stats()).inbox == 0


async def test_h8_a_coding_behind_identity_is_415(door: Door) -> None:
    """All Content-Encoding headers count, not only the first."""
    answer = await door.knock(TEXT, [(b"content-encoding", b"identity"), (b"content-encoding", b"gzip")])

    assert answer.status_code == 415


@pytest.mark.parametrize("bomb", [gzip.compress(ZERO_BYTES), zlib.compress(ZERO_BYTES)], ids=["gzip", "deflate"])
async def test_h8_a_bomb_without_its_header_is_only_bytes(door: Door, bomb: bytes) -> None:
    """Signed as it is, a bomb is an unreadable body of a few kB: no code here inflates anything."""
    answer = await door.deliver(bomb)

    assert answer.status_code == 200
    [letter] = await door.sim.bot.store.dead()
    assert letter.item == bomb


@pytest.mark.parametrize("body", UNREADABLE.values(), ids=UNREADABLE.keys())
async def test_h9_h10_a_signed_body_that_cannot_be_read_is_kept(door: Door, body: bytes) -> None:
    """`inbound.read` decodes strict UTF-8 JSON of bounded depth and turns each way to fail into one `PayloadError`;
    the body goes to the dead letters, cut at 64 kB, and Linq is told 200, because a repeat cannot help.
    """
    answer = await door.deliver(body)

    assert answer.status_code == 200
    [letter] = await door.sim.bot.store.dead()
    assert letter.kind == "payload"
    assert letter.item == body[:64_000]
    assert (await door.stats()).inbox == 0


async def test_h9_an_unreadable_body_that_is_not_signed_is_not_kept(door: Door) -> None:
    """Only what is proven is evidence: the proof comes before the parser."""
    for body in UNREADABLE.values():
        assert (await door.knock(body)).status_code == 401

    assert (await door.stats()).dead == 0


async def test_h9_a19_a_flood_of_unreadable_bodies_is_bounded(door: Door) -> None:
    """The dead letters have a cap in the store; the oldest make room, and all are counted."""
    for number in range(520):
        await door.deliver(b"unreadable", webhook_id=f"w-{number}")

    assert (await door.stats()).dead == 500
    assert door.sim.bot.counts["unreadable"] == {"webhooks": 520}


async def test_h10_the_last_of_two_equal_names_is_the_one_that_counts_everywhere(door: Door) -> None:
    """One parser reads the event id for the dedupe and for the handler, so two ids in one body are one identity."""
    body = encoded(message("twice named"))
    doubled = b'{"event_id": "decoy", ' + body[1:]

    first, second = await door.deliver(doubled, webhook_id="w-1"), await door.deliver(body, webhook_id="w-2")

    assert (first.text, second.text) == ("accepted", "duplicate")


async def test_h10_the_deepest_body_that_is_taken_reaches_its_handler(door: Door) -> None:
    """The depth cap is far below Python's, so what passes it can also be read again and handled."""
    body = message("deep", chat=await door.chat())
    body["data"]["deep"] = json.loads("[" * 61 + "]" * 61)

    answer = await door.deliver(body)

    assert answer.text == "accepted"
    assert await door.heard() == ["deep"]


ODD_TEXTS = {
    "half a pair": ("\\ud83d", "\ufffd"),
    "the other half": ("a\\udc00b", "a\ufffdb"),
    "NUL": ("a\\u0000b", "a\ufffdb"),
    "a whole pair": ("\\ud83d\\ude00", "\ufffd\ufffd"),
    "right to left": ("a\u202eb", "a\u202eb"),
    "zero width": ("a\u200b\u2060b", "a\u200b\u2060b"),
    "line separators": ("a\u2028b", "a\u2028b"),
}


@pytest.mark.parametrize(("written", "read_as"), ODD_TEXTS.values(), ids=ODD_TEXTS.keys())
async def test_h11_what_utf_8_cannot_carry_is_replaced(door: Door, written: str, read_as: str) -> None:
    """Half surrogate pairs and NUL become U+FFFD while the body is parsed, before anything of it is stored or sent;
    everything else is left as it is, and can be said back.
    """
    template = encoded(message("TEXT", chat=await door.chat()))
    body = template.replace(b"TEXT", written.encode())
    expected = "\U0001f600" if written == "\\ud83d\\ude00" else read_as

    answer = await door.deliver(body)

    assert answer.text == "accepted"
    assert await door.heard() == [expected]


async def test_h11_half_a_pair_in_an_id_is_not_stored() -> None:
    """Ids and names are cleaned like texts: a lane, a key and a line of the log can be written."""
    body = encoded(message("x", chat="CHAT")).replace(b"CHAT", b"c\\ud83d").replace(b"event-", b"\\udc00event-")

    inbound = read(body, webhook_id="w", wanted=lambda _: True)

    assert inbound.lane == "chat:c\ufffd"
    assert inbound.arrival is not None
    assert inbound.arrival.item is not None
    assert inbound.arrival.item.event_id.startswith("\ufffdevent-")
    assert event_of(inbound.arrival.item).chat_id == "c\ufffd"


async def test_h11_a_text_of_10_mb_is_too_large(door: Door) -> None:
    """The cap of 4 MiB counts bytes as they come, before anything is hashed or parsed."""
    body = encoded(message("x" * 10_000_000))

    assert (await door.deliver(body)).status_code == 413
    assert (await door.stats()).inbox == 0


async def test_h11_a_text_as_long_as_the_cap_allows_is_handled() -> None:
    """A text of 3 MB reaches its handler whole."""
    lengths: list[int] = []
    bot = Bot()

    @bot.message()
    async def measure(message: Message) -> None:
        lengths.append(len(message.text))

    async with open_door(bot) as door:
        answer = await door.deliver(message("x" * 3_000_000))
        await door.sim.settled()

    assert answer.text == "accepted"
    assert lengths == [3_000_000]


@pytest.mark.parametrize("kind", ["text/plain", "application/xml", "multipart/form-data; boundary=x", "\xff", ""])
async def test_h13_the_content_type_does_not_matter(door: Door, kind: str) -> None:
    """What is signed and JSON is taken: ingress reads bytes, never a form, so no header can lose an event."""
    body = encoded(message("typed", chat=await door.chat()))
    proof = signature(body, now_ms=door.sim.clock.now_ms())

    answer = await door.knock(
        body, [(name.encode(), value.encode()) for name, value in proof.items()] + [(b"content-type", kind.encode())]
    )

    assert answer.text == "accepted"
    assert await door.heard() == ["typed"]


@pytest.mark.parametrize("declared", [b"\xb2", b"\xef\xbc\x91", b"-1", b"1e9", b"", b"0x10", b"+5"])
async def test_h5_a_content_length_that_is_no_number_is_not_believed(door: Door, declared: bytes) -> None:
    """Only ASCII digits are compared with the cap; the cap itself counts what comes, whatever was announced."""
    answer = await door.knock(TEXT, [(b"content-length", declared)])

    assert answer.status_code == 401


async def test_h9_every_recorded_event_is_read(door: Door) -> None:
    """The corpus itself is fine, so that what the mutations of it show is due to the mutations."""
    answers = [await door.deliver(json.loads(json.dumps(body))) for body in RECORDED.values()]

    assert {answer.status_code for answer in answers} == {200}
    assert "payload" not in {letter.kind for letter in await door.sim.bot.store.dead()}


async def test_h5_the_cap_is_exact() -> None:
    """A cap set by `LINQBOT_MAX_BODY` is the cap, to the byte."""
    body = encoded(message("x" * 2_000))
    async with open_door(echo(), max_body=str(len(body))) as door:
        within = await door.deliver(body)
        beyond = await door.deliver(body + b" ")

    assert (within.status_code, beyond.status_code) == (200, 413)


@pytest.mark.parametrize("chat_id", [".", ".."])
async def test_h12_an_id_cannot_lead_a_request_elsewhere(door: Door, chat_id: str) -> None:
    """A chat's id becomes part of the path of a send, under our API key: what a path reads as a step is no id."""
    answer = await door.deliver(message("climb", chat=chat_id))

    assert answer.text == "unreadable, kept"
    assert await door.heard() == []
