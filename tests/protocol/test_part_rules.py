"""Replies -> bubbles -> a Linq that refuses what its rules forbid. One row for each rule of linq-api-v3.md section 6.1."""

from __future__ import annotations

from typing import Any

import pytest

from linqbot import AppCard, AppClip, Bot, Link, Markdown, Media, Mention, Reply, Text, bold
from linqbot.emulator.app import Emulator
from linqbot.testing import Sim

LINK = Link("https://example.com")
CARD = AppCard(name="Example", team_id="A1B2C3D4E5", bundle_id="com.example.app.Messages", caption="Hi")
CLIP = AppClip("https://example.com/clip")
CDN = "cdn.linqapp.com"
SPLIT_WORDS = "word " * 2_500


def picture(number: int = 1, host: str = "example.com") -> Media:
    """One of many pictures."""
    return Media(url=f"https://{host}/{number}.png")


PARTS: list[tuple[str, Reply, list[str]]] = [
    ("6.1 parts: one", Reply("a"), ["T"]),
    ("6.1 parts: many", Reply(*["a", picture()] * 40, "b"), ["TM" * 40 + "T"]),
    ("6.1 parts: 100", Reply(*["a", picture(1, CDN)] * 50), ["TM" * 50]),
    ("6.1 parts: 101", Reply(*["a", picture(1, CDN)] * 50, "b"), ["TM" * 50, "T"]),
    ("6.1 texts: never two side by side", Reply("a", "b"), ["T", "T"]),
    ("6.1 texts: text, media, text is fine", Reply("a", picture(), "b"), ["TMT"]),
    ("6.1 texts: formatted ones, too", Reply(bold("a"), Markdown("*b*"), picture()), ["T", "TM"]),
    ("6.1 texts: a mention is a text", Reply("a", Mention("+12025550100", "Ann")), ["T", "T"]),
    ("6.1 link: the only part", Reply("a", LINK, "b"), ["T", "L", "T"]),
    ("6.1 link: between media", Reply(picture(), LINK, picture()), ["M", "L", "M"]),
    ("6.1 link: two", Reply(LINK, LINK), ["L", "L"]),
    ("6.1 imessage_app: the only part", Reply("a", CARD, "b"), ["T", "I", "T"]),
    ("6.1 app_clip: the only part", Reply(picture(), CLIP, picture()), ["M", "A", "M"]),
    ("6.1 media: 40 by url", Reply(*[picture(n) for n in range(40)]), ["M" * 40]),
    ("6.1 media: 41 by url", Reply(*[picture(n) for n in range(41)]), ["M" * 40, "M"]),
    ("6.1 media: those of Linq's own host do not count", Reply(*[picture(n, CDN) for n in range(41)]), ["M" * 41]),
    ("6.1 media: 40 by url and one of Linq's", Reply(*map(picture, range(40)), picture(1, CDN)), ["M" * 41]),
    (
        "6.1 media: a host that only ends alike counts",
        Reply(*[picture(n, "my" + CDN[4:]) for n in range(41)]),
        ["M" * 40, "M"],
    ),
    ("6.1 media: texts between do not count", Reply(*["a", picture()] * 41), ["TM" * 40 + "T", "M"]),
    ("6.1 text: 10,000", Reply("a" * 10_000), ["T"]),
    ("6.1 text: 10,001", Reply("a" * 10_001), ["T", "T"]),
    ("6.1 text: 10,000 in UTF-16", Reply("👍" * 5_000), ["T"]),
    ("6.1 text: more in UTF-16", Reply("👍" * 5_001), ["T", "T"]),
    ("6.1 text: long, then media", Reply(SPLIT_WORDS, picture()), ["T", "TM"]),
    ("6.1 text: long and formatted", Reply(bold(SPLIT_WORDS)), ["T", "T"]),
    ("6.1 decorations: 100", Reply(Markdown("**a** b " * 100)), ["T"]),
    ("6.1 decorations: 101", Reply(Markdown("**a** b " * 101)), ["T", "T"]),
    ("6.1 decorations: by recipient, so text stays", Reply(Text("a")), ["T"]),
]


@pytest.fixture
def bot() -> Bot:
    """Answers with the reply of a row."""
    bot = Bot(thread="never")

    @bot.message(regex=r"row (?P<number>\d+)")
    async def row(number: int) -> Reply:
        return PARTS[number][1]

    return bot


@pytest.mark.parametrize("number", range(len(PARTS)), ids=[row[0] for row in PARTS])
async def test_what_leaves_is_what_linq_takes(sim: Sim, number: int) -> None:
    """Any legal reply becomes messages that the emulator, a witness of its own, accepts as they are."""
    replies = await sim.user().says(f"row {number}")

    assert [_shape(reply.parts) for reply in replies] == PARTS[number][2]
    assert await sim.bot.store.dead() == []
    assert _refused(sim.emulator) == []


def _shape(parts: tuple[dict[str, Any], ...]) -> str:
    return "".join(part["type"][0].upper() for part in parts)


def _refused(emulator: Emulator) -> list[Any]:
    return [one for one in emulator.requests if one["status"] >= 400]
