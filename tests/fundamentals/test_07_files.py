"""Files that a handler returns: brought to Linq before the turn is stored, each content once."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from linqbot import Bot, Media, Message, React, Reply, Send, Sticker, VoiceMemo
from linqbot.replies import Answer
from linqbot.testing import Sim

PICTURE = b"\x89PNG a picture"


@pytest.fixture
def film(tmp_path: Path) -> Path:
    """A file on the disk."""
    place = tmp_path / "film.mov"
    place.write_bytes(b"a film" * 1_000)
    return place


@pytest.fixture
def bot(film: Path) -> Bot:
    """Returns files in every way there is."""
    answers: dict[str, Answer] = {
        "bytes": Reply("Here:", Media(data=PICTURE, filename="a.png"), "A picture."),
        "film": Media(path=film),
        "both": [Media(path=film), Media(data=PICTURE, filename="a.png")],
        "memo": VoiceMemo(data=b"a voice", filename="hi.m4a"),
        "sticker": React(Sticker(Media(data=PICTURE, filename="star.png"), scale=2)),
        "elsewhere": Send("+12025559800", Media(data=PICTURE, filename="a.png")),
    }
    bot = Bot()

    @bot.message("stream")
    async def stream() -> AsyncIterator[Answer]:
        yield "First:"
        yield Media(path=film)

    @bot.message()
    async def anything(message: Message) -> Answer:
        return answers[message.text]

    return bot


async def test_bytes_go_with_the_words_around_them(sim: Sim) -> None:
    """They are a part as any other, under the name that they were given."""
    [reply] = await sim.user().says("bytes")

    assert [part["type"] for part in reply.parts] == ["text", "media", "text"]
    assert reply.parts[1]["filename"] == "a.png"
    assert reply.parts[1]["size_bytes"] == len(PICTURE)


async def test_a_file_of_the_disk_is_sent(sim: Sim) -> None:
    """By its path."""
    [reply] = await sim.user().says("film")

    assert reply.parts[0]["size_bytes"] == 6_000


async def test_a_content_is_uploaded_once(sim: Sim) -> None:
    """A second time, to whomever, its id is known."""
    await sim.user().says("film")
    await sim.user("+12025559877").says("film")
    replies = await sim.user().says("both")

    assert requests(sim, "/v3/attachments") == 2
    assert len(replies) == 2


def requests(sim: Sim, path: str) -> int:
    """How many requests Linq got for a path."""
    return len([one for one in sim.emulator.requests if one["path"].endswith(path)])


async def test_a_voice_memo_and_a_sticker_are_uploaded(sim: Sim) -> None:
    """Whatever holds a file."""
    [memo] = await sim.user().says("memo")
    await sim.user().says("sticker")

    assert memo.parts[0]["filename"] == "hi.m4a"
    assert [deed["type"] for deed in sim.emulator.deeds()] == ["sticker"]


async def test_a_stream_uploads_when_it_comes_to_the_file(sim: Sim) -> None:
    """What was said before is on its way by then."""
    first, second = await sim.user().says("stream")

    assert (first.text, second.parts[0]["filename"]) == ("First:", "film.mov")


async def test_what_is_sent_to_somebody_else_is_uploaded_too(sim: Sim) -> None:
    """A Send carries files as a reply does, from a handler and from a script."""
    await sim.user().says("elsewhere")
    await sim.bot.send("+12025559801", Media(data=PICTURE, filename="a.png"), key="picture")
    await sim.settled()

    for handle in ("+12025559800", "+12025559801"):
        [bubble] = sim.said_to(handle)
        assert bubble.parts[0]["filename"] == "a.png"
    assert requests(sim, "/v3/attachments") == 1


async def test_a_file_that_linq_refuses_is_the_turns_failure(sim: Sim) -> None:
    """Tried again like a handler that raises, then a dead letter that says what went wrong; nothing of it is sent."""
    sim.faults.add("400", match="POST /v3/attachments", code=5004, count=None)
    await sim.user().writes("bytes")
    for _ in range(5):
        await sim.settled()
        sim.clock.advance(seconds=60)
    await sim.settled()

    [letter] = await sim.bot.store.dead()
    assert (letter.kind, sim.replies) == ("event", [])
    assert "could not upload a file: MediaRefused" in letter.reason
    assert requests(sim, "/v3/attachments") == 3


async def test_an_upload_that_fails_once_delays_the_answer_and_no_more(sim: Sim) -> None:
    """Trouble passes; the answer comes once."""
    sim.faults.add("503", match="POST /v3/attachments")
    await sim.user().writes("bytes")
    for _ in range(3):
        await sim.settled()
        sim.clock.advance(seconds=10)
    await sim.settled()

    assert len(sim.replies) == 1
