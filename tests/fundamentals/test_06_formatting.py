"""What a handler formats, and what Linq gets of it, field by field."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from linqbot import Bot, InlineSticker, Markdown, Mention, Message, Reply, Text, animated, bold, italic
from linqbot.testing import Sim
from tests.emulator.uploading import uploaded

ANN = "+12025559876"
BOB = "+12025550123"


@pytest.fixture
def bot() -> Bot:
    """A handler for each kind of formatting."""
    bot = Bot(thread="never")

    @bot.message("pieces")
    async def pieces() -> Text:
        return "👋 Come " + bold("now ", italic("really")) + " " + animated("boo", "shake")

    @bot.message("markdown")
    async def markdown() -> Markdown:
        return Markdown("# Menu 🍜\n\n- *soup* and ~~bread~~\n- [terms](https://example.com/a_b)")

    @bot.message("mention")
    async def mention() -> Text:
        return "Hey 👋 " + Mention(BOB, "Bob") + ", look"

    @bot.message("stranger")
    async def stranger() -> list[Mention | str]:
        return [Mention("+12025550199", "Zoe"), "after"]

    @bot.message(regex=r"sticker (?P<upload>\S+)")
    async def sticker(upload: str) -> Text:
        return "Sip " + InlineSticker("🥤", attachment_id=upload) + "!"

    @bot.message("long")
    async def long() -> Reply:
        return Reply(Markdown("word **bold** " * 150))

    @bot.message("overlong")
    async def overlong() -> Text:
        return bold("word " * 2_400)

    @bot.message("asis")
    async def as_is(message: Message) -> str:
        return "2*3*4 **stays**"

    return bot


def decorations(part: dict[str, Any]) -> list[tuple[list[int], str]]:
    """Each decoration of a part as Linq got it."""
    return [(one["range"], one.get("style") or one["animation"]) for one in part["text_decorations"]]


async def test_pieces_arrive_with_their_ranges(sim: Sim) -> None:
    """Ranges count UTF-16 units: the waving hand is two."""
    [reply] = await sim.user().says("pieces")

    assert reply.parts == (
        {
            "type": "text",
            "value": "👋 Come now really boo",
            "text_decorations": [
                {"range": [8, 18], "style": "bold"},
                {"range": [12, 18], "style": "italic"},
                {"range": [19, 22], "animation": "shake"},
            ],
        },
    )


async def test_markdown_arrives_as_decorations(sim: Sim) -> None:
    """No mark is left in the text, and every address is readable."""
    [reply] = await sim.user().says("markdown")

    assert reply.text == "Menu 🍜\n\n• soup and bread\n• terms (https://example.com/a_b)"
    assert decorations(reply.parts[0]) == [([0, 7], "bold"), ([11, 15], "italic"), ([20, 25], "strikethrough")]


@pytest.mark.parametrize("service", ["SMS", "RCS"])
async def test_where_nothing_is_shown_it_is_plain_text(sim: Sim, service: str) -> None:
    """SMS and RCS get the same words and no decorations (linq-api-v3.md section 9.3)."""
    [reply] = await sim.user().says("pieces", service=service)
    [formatted] = await sim.user("+12025550111").says("markdown", service=service)

    assert reply.parts == ({"type": "text", "value": "👋 Come now really boo"},)
    assert formatted.parts == (
        {"type": "text", "value": "Menu 🍜\n\n• soup and bread\n• terms (https://example.com/a_b)"},
    )


async def test_a_mention_highlights_its_text_in_a_group(sim: Sim) -> None:
    """The name alone is highlighted, and the person it names is told."""
    [reply] = await sim.user(ANN).says("mention", group=(BOB,))

    assert reply.parts == (
        {
            "type": "text",
            "value": "Hey 👋 Bob, look",
            "mention": BOB,
            "mention_range": [7, 10],
            "mentions": [{"handle": BOB, "is_me": False, "range": [7, 10]}],
        },
    )


async def test_a_mention_is_its_text_in_a_direct_chat(sim: Sim) -> None:
    """Linq refuses mentions there (409/2023), so none is sent."""
    [reply] = await sim.user(ANN).says("mention")

    assert reply.parts == ({"type": "text", "value": "Hey 👋 Bob, look"},)


async def test_a_mention_of_a_stranger_is_a_dead_letter(sim: Sim) -> None:
    """Who is in the group only Linq knows: it refuses, and the rest of the turn goes on."""
    replies = await sim.user(ANN).says("stranger", group=(BOB,))

    assert [reply.text for reply in replies] == ["after"]
    [letter] = await sim.bot.store.dead()
    assert letter.kind == "reply"
    assert "Zoe" not in letter.reason


async def test_a_sticker_stands_in_the_line(sim: Sim) -> None:
    """iMessage shows the picture in place of the characters it covers; SMS has the characters."""
    transport = httpx.ASGITransport(app=sim.emulator.app)
    token = {"Authorization": "Bearer a-test-token"}
    async with httpx.AsyncClient(transport=transport, base_url="http://linq.test/api/partner", headers=token) as api:
        upload = (await uploaded(api, "cup.png", "image/png", b"png"))["attachment_id"]

    [reply] = await sim.user().says(f"sticker {upload}")
    [plain] = await sim.user("+12025550111").says(f"sticker {upload}", service="SMS")

    (sticker,) = reply.parts[0]["inline_stickers"]
    assert (reply.parts[0]["value"], sticker["range"], sticker["id"]) == ("Sip 🥤!", [4, 6], upload)
    assert plain.parts == ({"type": "text", "value": "Sip 🥤!"},)


async def test_more_decorations_than_linq_takes_become_bubbles(sim: Sim) -> None:
    """150 bold words in two bubbles: no word is lost, and each keeps its style."""
    replies = await sim.user().says("long")

    assert " ".join(reply.text for reply in replies).split() == ["word", "bold"] * 150
    covered = [reply.text[start:end] for reply in replies for (start, end), _ in decorations(reply.parts[0])]
    assert covered == ["bold"] * 150


async def test_a_decoration_longer_than_a_text_goes_on_in_the_next(sim: Sim) -> None:
    """12,000 bold characters are two bubbles, bold from end to end."""
    replies = await sim.user().says("overlong")

    assert " ".join(reply.text for reply in replies).split() == ["word"] * 2_400
    assert [decorations(reply.parts[0]) for reply in replies] == [[([0, len(reply.text)], "bold")] for reply in replies]
    assert len(replies) == 2


@pytest.mark.parametrize("service", ["SMS", "RCS"])
async def test_a_group_without_imessage_gets_names_for_mentions(sim: Sim, service: str) -> None:
    """Nothing would be highlighted there (linq-api-v3.md section 9.3)."""
    [reply] = await sim.user(ANN).says("mention", group=(BOB,), service=service)

    assert reply.parts == ({"type": "text", "value": "Hey 👋 Bob, look"},)


async def test_a_string_is_sent_as_it_is(sim: Sim) -> None:
    """Markdown is asked for by name: an echo turns nothing into italics."""
    [reply] = await sim.user().says("asis")

    assert reply.parts == ({"type": "text", "value": "2*3*4 **stays**"},)
