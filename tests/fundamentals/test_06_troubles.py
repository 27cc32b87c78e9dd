"""Every kind of reply that is keyed or may be repeated, amid trouble: done once, in its place, by whichever process."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from linqbot import (
    AddParticipant,
    Bot,
    ClearBackground,
    Edit,
    LeaveChat,
    Link,
    Media,
    Mention,
    Poll,
    React,
    RemoveParticipant,
    RenameGroup,
    Reply,
    SetBackground,
    SetGroupIcon,
    Unreact,
    Unvote,
    Vote,
)
from linqbot.emulator.entities import Chat
from linqbot.events import PollVote
from linqbot.protocol.deeds import DEEDS
from linqbot.records import Repeat
from linqbot.replies import Action
from linqbot.testing import Sim

ALICE, BEN, CAT, DAN, EVE = (f"+1202555987{number}" for number in range(6, 11))
GROUP = [BEN, CAT, DAN]

SEND = "POST /v3/chats/*/messages"
TROUBLES = ["reset", "reset_after", "500", "500_after", "half_body", "html"]


def said(chat: Chat) -> list[str]:
    """What the bot's messages in a chat say now."""
    mine = (message for message in chat.messages if message.sender.is_me)
    return ["".join(part.get("value", part["type"]) for part in message.parts) for message in mine]


def tapbacks(chat: Chat) -> list[str]:
    """The bot's tapbacks in a chat."""
    return [one.type for message in chat.messages for one in message.reactions if one.person.is_me]


def people(chat: Chat) -> set[str]:
    """Who is in a chat beside the bot."""
    return {person.handle for person in chat.others}


def votes(chat: Chat) -> list[str]:
    """What the bot voted for."""
    polls = [message.poll for message in chat.messages if message.poll is not None]
    return [option.text for poll in polls for option in poll.options if chat.me.handle in option.voters]


@dataclass(frozen=True, slots=True)
class Row:
    """What a handler returns between two texts, and what is to be seen of it in the end."""

    name: str
    replies: tuple[Reply | Action, ...]
    done: Callable[[Chat], bool]
    requests: str = ""
    """Which of them meet the trouble; empty: those of the last reply's kind."""
    is_last: bool = False
    """Whether nothing can be said after it."""

    def match(self) -> str:
        """The requests that meet the trouble, as faults are matched."""
        deed = None if self.requests else DEEDS[type(self.replies[-1])]  # type: ignore[index]  # an action, where no requests are named
        return self.requests if deed is None else f"{deed.method} {deed.path.format(chat='*', message='*')}"


ROWS = [
    Row("link", (Reply(Link("https://example.com")),), lambda chat: said(chat)[1:2] == ["https://example.com"], SEND),
    Row(
        "media",
        (Reply("Look:", Media(data=b"picture", filename="a.png"), effect="confetti"),),
        lambda chat: said(chat)[1:2] == ["Look:media"],
        SEND,
    ),
    Row("mention", (Reply(Mention(BEN, "Ben")),), lambda chat: said(chat)[1:2] == ["Ben"], SEND),
    Row("React", (React("love"),), lambda chat: tapbacks(chat) == ["love"]),
    Row("Unreact", (React("love"), Unreact("love")), lambda chat: tapbacks(chat) == []),
    Row("Edit", (Edit("a, edited"),), lambda chat: said(chat)[0] == "a, edited"),
    Row("Poll", (Poll("Pizza", "Sushi"),), lambda chat: sum(one.poll is not None for one in chat.messages) == 2),
    Row("RenameGroup", (RenameGroup("Team"),), lambda chat: chat.name == "Team"),
    Row("SetGroupIcon", (SetGroupIcon("https://example.com/a.png"),), lambda chat: chat.icon is not None),
    Row("AddParticipant", (AddParticipant(EVE),), lambda chat: people(chat) == {ALICE, *GROUP, EVE}),
    Row("RemoveParticipant", (RemoveParticipant(DAN),), lambda chat: people(chat) == {ALICE, BEN, CAT}),
    Row("SetBackground", (SetBackground("mango"),), lambda chat: chat.background is not None),
    Row("ClearBackground", (SetBackground("mango"), ClearBackground()), lambda chat: chat.background is None),
    Row("LeaveChat", (LeaveChat(),), lambda chat: chat.was_left, is_last=True),
    Row("Vote", (), lambda chat: votes(chat) == ["Sushi"], "POST /v3/messages/*/poll/votes"),
    Row("Unvote", (), lambda chat: votes(chat) == [], "POST /v3/messages/*/poll/votes"),
]


def bot_of(row: Row) -> Bot:
    """A bot that answers votes with the row's replies, and with votes of its own where the row is about them."""
    bot = Bot(thread="never")

    @bot.poll_vote
    async def voted(vote: PollVote) -> list[str | Reply | Action]:
        votes: dict[str, list[Action]] = {
            "Vote": [Vote(OTHER[vote.option_id])],
            "Unvote": [Vote(OTHER[vote.option_id]), Unvote(OTHER[vote.option_id])],
        }
        tail: list[str | Reply | Action] = [] if row.is_last else ["b"]
        return ["a", *row.replies, *votes.get(row.name, []), *tail]

    return bot


OTHER: dict[str, str] = {}
"""The other option of the poll that people vote in."""


async def vote(sim: Sim) -> Chat:
    """Alice makes a poll in the group and votes in it."""
    arrived = await sim.emulator.inbound(ALICE, poll=["Pizza", "Sushi"], group=GROUP)
    message = sim.emulator.linq.world.messages[arrived.message_id]
    assert message.poll is not None
    pizza, sushi = (option.id for option in message.poll.options)
    OTHER[pizza] = sushi
    sim.emulator.people.votes(ALICE, message.id, pizza)
    return message.chat


@pytest.mark.parametrize("trouble", TROUBLES)
@pytest.mark.parametrize("row", ROWS, ids=[row.name for row in ROWS])
async def test_it_is_done_once_and_in_its_place(tmp_path: Path, row: Row, trouble: str) -> None:
    """Its request meets trouble before or after it was accepted, and another process takes over: nothing is lost or dead,
    nothing is there twice, and what is said before and after it stays there.
    """
    async with Sim(bot_of(row), store=f"sqlite:///{tmp_path}/bot.db") as sim:
        if row.requests != SEND:
            sim.faults.add(trouble, match=row.match(), count=max(len(row.replies), 1))
        chat = await vote(sim)
        if row.requests == SEND:
            sim.faults.add(trouble, match=SEND, count=2)
        await sim.settled()
        await sim.restart()
        for _ in range(4):
            sim.clock.advance(seconds=61)
            await sim.settled()

        texts = [text for text in said(chat) if text in ("a", "b", "a, edited")]
        assert any(one["fault"] for one in sim.emulator.requests)
        assert (row.done(chat), await sim.bot.store.dead()) == (True, [])
        assert [text[0] for text in texts] == (["a"] if row.is_last else ["a", "b"])
        assert sim.emulator.counters.get("key_conflicts", 0) == 0


def test_every_kind_that_may_be_repeated_has_its_row() -> None:
    """Signs of life apart, which are left out after trouble."""
    repeated = {kind.__name__ for kind, deed in DEEDS.items() if deed.repeat is not Repeat.NEVER and not deed.fleeting}

    assert repeated == {row.name for row in ROWS} - {"link", "media", "mention"}
