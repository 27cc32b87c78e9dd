"""What a handler may have done beside saying something."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from linqbot import (
    AddOptions,
    AddParticipant,
    AppCard,
    AppClip,
    Bot,
    ClearBackground,
    Edit,
    Effect,
    Event,
    LeaveChat,
    Link,
    MarkRead,
    Message,
    Poll,
    React,
    RemoveParticipant,
    RenameGroup,
    Reply,
    RequestLocation,
    SetBackground,
    SetGroupIcon,
    ShareContact,
    Sticker,
    Typing,
    Unreact,
    Unvote,
    VoiceMemo,
    Vote,
)
from linqbot.replies import Answer
from linqbot.testing import Sim
from linqbot.testing.harness import LINE

ALICE = "+12025559876"

ANSWERS: dict[str, Answer] = {
    "love": React("love"),
    "thumb": [React("👍"), "Done."],
    "no love": [React("love"), Unreact("love")],
    "typing": [Typing(), Typing(on=False)],
    "read": MarkRead(),
    "alive": [Typing(), MarkRead(), "Here."],
    "poll": Poll("Pizza", "Sushi", ref="lunch"),
    "more": AddOptions("Tacos", ref="lunch"),
    "sticker": React(Sticker("🎉", x=0.5)),
    "say": Reply("Helo.", ref="first"),
    "say more": ["One.", Reply(Link("https://example.com"))],
    "edit": Edit("Hello."),
    "edit first": Edit("Hello!", ref="first"),
    "edit now": ["Wait…", Edit("Done.")],
    "memo": VoiceMemo(url="https://example.com/a.m4a"),
    "card": [AppCard(name="A", team_id="A1B2C3D4E5", bundle_id="com.example.a", caption="Hi"), "Take a look."],
    "clip": Reply("Here:", AppClip("https://example.com/clip"), "there."),
    "newer": Reply("Hi", effect=Effect("slam", "bubble")),
    "card me": ["Hi.", ShareContact()],
    "where": RequestLocation(),
    "rename": RenameGroup("Team"),
    "icon": SetGroupIcon("https://example.com/a.png"),
    "add": AddParticipant("+12025559880"),
    "remove": RemoveParticipant("+12025559878"),
    "leave": LeaveChat(),
    "background": SetBackground(sky="dusk"),
    "plain": [SetBackground("mango"), ClearBackground()],
}

GROUP = ("+12025559877", "+12025559878", "+12025559879")


@pytest.fixture
def bot() -> Bot:
    """Does what is asked for."""
    bot = Bot()

    @bot.message()
    async def anything(message: Message) -> Answer:
        return ANSWERS[message.text]

    @bot.event("poll.received")
    async def choose(event: Event) -> Answer:
        first, second = event.raw["data"]["poll"]["options"]
        return [Vote(first["option_id"]), Vote(second["option_id"]), Unvote(first["option_id"])]

    @bot.event("poll.vote.added")
    async def longer(event: Event) -> Answer:
        return AddOptions("Tacos")

    return bot


def deeds(sim: Sim) -> list[dict[str, Any]]:
    """What the bot's line did besides sending messages, without the times."""
    return [{name: value for name, value in deed.items() if name != "at"} for deed in sim.emulator.deeds()]


async def test_a_tapback_goes_on_the_message_that_is_answered(sim: Sim) -> None:
    """On the part whose text matched; nothing is said."""
    message_id = await sim.user().writes("love")
    await sim.settled()

    [deed] = deeds(sim)
    assert (deed["deed"], deed["message_id"], deed["type"]) == ("reaction.added", message_id, "love")
    assert sim.replies == []


async def test_a_sign_of_life_that_fails_holds_no_answer_back(sim: Sim) -> None:
    """Linq that refuses typing and read receipts is not asked again, and what they announce goes out at once."""
    sim.faults.add("500", match="startTyping", count=None)
    sim.faults.add("reset_after", match="markChatAsRead", count=None)

    [reply] = await sim.user().says("alive")

    assert reply.text == "Here."
    assert await sim.bot.store.dead() == []


async def test_an_emoji_goes_on_it_before_the_answer_is_said(sim: Sim) -> None:
    """Actions and bubbles keep their order, and the bubble is threaded as if it were alone."""
    [reply] = await sim.user().says("thumb")

    assert deeds(sim)[0]["custom_emoji"] == "👍"
    assert (reply.text, reply.reply_to is not None) == ("Done.", True)


async def test_a_tapback_is_taken_away(sim: Sim) -> None:
    """Unreact takes away what React put on."""
    await sim.user().says("no love")

    assert [deed["deed"] for deed in deeds(sim)] == ["reaction.added", "reaction.removed"]


async def test_typing_is_shown_and_ended(sim: Sim) -> None:
    """Where the service has it."""
    await sim.user().says("typing")

    assert [deed["deed"] for deed in deeds(sim)] == ["typing.started", "typing.stopped"]


async def test_what_was_written_is_marked_as_read(sim: Sim) -> None:
    """On request."""
    await sim.user().says("read")

    assert [deed["deed"] for deed in deeds(sim)] == ["read"]


async def test_a_poll_is_made(sim: Sim) -> None:
    """It is a message of the chat, sent under a key, once."""
    [poll] = await sim.user().says("poll")

    made = sim.emulator.linq.world.messages[poll.message_id].poll
    assert made is not None
    assert [option.text for option in made.options] == ["Pizza", "Sushi"]
    assert (poll.idempotency_key or "").startswith("lb1_")


async def test_a_poll_is_voted_in_and_made_longer(sim: Sim) -> None:
    """Votes and options go to the poll that the event is about."""
    await sim.emulator.inbound(ALICE, poll=["Pizza", "Sushi"])
    await sim.settled()
    [message] = [one for one in sim.emulator.linq.world.messages.values() if one.poll]
    assert message.poll is not None
    sim.emulator.people.votes(ALICE, message.id, message.poll.options[0].id)
    await sim.settled()

    assert [deed["deed"] for deed in deeds(sim)] == ["vote.added", "vote.added", "vote.removed"]
    assert [option.text for option in message.poll.options][:2] == ["Pizza", "Sushi"]
    assert "Tacos" in [option.text for option in message.poll.options]


async def test_a_poll_of_ours_is_made_longer_by_its_ref(sim: Sim) -> None:
    """Its id is not known when it is asked for; `ref` names it, in a later turn, too."""
    await sim.user().says("poll")
    await sim.user().says("more")

    [message] = [one for one in sim.emulator.linq.world.messages.values() if one.poll]
    assert message.poll is not None
    assert [option.text for option in message.poll.options] == ["Pizza", "Sushi", "Tacos"]


async def test_a_sticker_is_put_on_the_message(sim: Sim) -> None:
    """An emoji or an image, where it is wanted."""
    await sim.user().says("sticker")

    assert [deed["type"] for deed in deeds(sim)] == ["sticker"]


def texts(sim: Sim) -> list[str]:
    """What the bot's messages say now."""
    mine = (one for one in sim.emulator.linq.world.messages.values() if one.sender.is_me)
    return [part.get("value", "") for one in mine for part in one.parts]


async def test_the_last_text_is_edited(sim: Sim) -> None:
    """The last text bubble of ours in the chat, whatever came after it that is none."""
    for words in ("say", "say more", "edit"):
        await sim.user().says(words)

    assert texts(sim) == ["Helo.", "Hello.", "https://example.com"]


async def test_the_text_with_a_ref_is_edited(sim: Sim) -> None:
    """By the name that its reply had."""
    for words in ("say", "say more", "edit first"):
        await sim.user().says(words)

    assert texts(sim) == ["Hello!", "One.", "https://example.com"]


async def test_a_text_is_edited_in_the_turn_that_said_it(sim: Sim) -> None:
    """A chat's lane is first in, first out: the text is there when the edit leaves."""
    await sim.user().says("edit now")

    assert texts(sim) == ["Done."]


async def test_a_text_that_is_too_old_is_not_edited_and_linq_is_not_asked(sim: Sim) -> None:
    """15 minutes after it was sent Linq takes no edit any more (linq-api-v3.md section 7.5)."""
    await sim.user().says("say")
    sim.clock.advance(minutes=15, seconds=1)
    await sim.user().writes("edit")
    await sim.settled()

    [letter] = await sim.bot.store.dead()
    assert "sent more than 15 minutes ago" in letter.reason
    assert "editMessage" not in [seen["operation"] for seen in sim.emulator.requests]


async def test_a_sixth_edit_is_refused_by_name_and_linq_is_not_asked(sim: Sim) -> None:
    """Linq takes 5 in 15 minutes (linq-api-v3.md section 7.5); they are counted for each message."""
    for words in ("say", *["edit"] * 6):
        await sim.user().writes(words)
        await sim.settled()

    [letter] = await sim.bot.store.dead()
    assert "edited 5 times in 15 minutes" in letter.reason
    assert [seen["operation"] for seen in sim.emulator.requests].count("editMessage") == 5


async def test_an_edit_without_a_text_is_dead_and_never_asked_for(sim: Sim) -> None:
    """The letter says why; another chat's text is not touched."""
    await sim.user("+12025559888").says("say")
    await sim.user().says("edit")

    [letter] = await sim.bot.store.dead()
    assert "no text of ours is known in this chat" in letter.reason
    assert texts(sim) == ["Helo."]


async def test_a_voice_memo_is_sent(sim: Sim) -> None:
    """As a message of its own."""
    [memo] = await sim.user().says("memo")

    assert memo.parts[0]["url"] == "https://example.com/a.m4a"


async def test_an_app_card_and_a_clip_stand_alone(sim: Sim) -> None:
    """What Linq wants alone gets a bubble of its own, and the rest keeps its order."""
    card = await sim.user().says("card")
    clip = await sim.user().says("clip")

    assert [[part["type"] for part in bubble.parts] for bubble in card + clip] == [
        ["imessage_app"],
        ["text"],
        ["text"],
        ["app_clip"],
        ["text"],
    ]
    assert card[0].parts[0]["app"] == {"name": "A", "team_id": "A1B2C3D4E5", "bundle_id": "com.example.a"}


async def test_an_effect_may_be_named_with_its_kind(sim: Sim) -> None:
    """For one that is newer than linqbot."""
    [reply] = await sim.user().says("newer")

    assert reply.effect == "slam"


async def test_the_contact_card_is_shared(sim: Sim) -> None:
    """Where the line has one."""
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=sim.emulator.app), base_url="http://linq") as linq:
        card = {"phone_number": LINE, "first_name": "Ann"}
        await linq.post("/api/partner/v3/contact_card", json=card, headers={"Authorization": "Bearer token"})
    await sim.user().says("card me")

    assert [deed["deed"] for deed in deeds(sim)] == ["contact_card.shared"]


async def test_a_location_is_asked_for(sim: Sim) -> None:
    """In a direct chat."""
    await sim.user().says("where")

    assert [deed["deed"] for deed in deeds(sim)] == ["location.requested"]


async def test_a_group_is_changed(sim: Sim) -> None:
    """Its name, its picture, who is in it, and that we are."""
    for words in ("rename", "icon", "add", "remove", "leave"):
        await sim.user().says(words, group=list(GROUP)) if words == "rename" else await write(sim, words)

    [chat] = sim.emulator.linq.world.chats.values()
    assert (chat.name, chat.icon, chat.me.status) == ("Team", "https://example.com/a.png", "left")
    assert {person.handle for person in chat.others} == {ALICE, *GROUP, "+12025559880"} - {"+12025559878"}


async def write(sim: Sim, words: str) -> None:
    """Write into the one chat there is."""
    [chat] = sim.emulator.linq.world.chats.values()
    await sim.user().says(words, chat_id=chat.id)


async def test_the_background_is_set_and_cleared(sim: Sim) -> None:
    """To one of Linq's, and back."""
    await sim.user().says("background")
    [chat] = sim.emulator.linq.world.chats.values()
    assert chat.background is not None
    assert (chat.background["style"], chat.background["variant"]) == ("sky", "dusk")

    await sim.user().says("plain")
    assert chat.background is None


@pytest.mark.parametrize(("word", "service"), [("love", "SMS"), ("poll", "SMS"), ("poll", "RCS")])
async def test_what_the_service_has_not_is_dead_and_never_asked_for(sim: Sim, word: str, service: str) -> None:
    """Linq would refuse it: no request leaves, and the letter says why."""
    await sim.user().says(word, service=service)

    [letter] = await sim.bot.store.dead()
    assert f"this chat is on {service}" in letter.reason
    assert sim.emulator.requests == []


LOST: list[tuple[str, list[str]]] = [
    ("love", ["reaction.added"]),
    ("typing", ["typing.started", "typing.stopped"]),
    ("read", ["read"]),
    ("edit now", ["edited"]),
    ("background", []),
]


@pytest.mark.parametrize(("words", "done"), LOST)
async def test_what_changes_nothing_twice_is_repeated_until_it_is_known_to_be_done(
    sim: Sim, words: str, done: list[str]
) -> None:
    """The first answer is lost, the second comes: nothing is dead, and the state is as it was asked for."""
    lose_answer(sim)
    await sim.user().says(words)
    await later(sim, 120)

    assert list(dict.fromkeys(deed["deed"] for deed in deeds(sim))) == done
    assert await sim.bot.store.dead() == []


async def test_a_poll_whose_answer_is_lost_is_made_once(sim: Sim) -> None:
    """It is sent again under its key, and Linq makes one of two."""
    lose_answer(sim)
    await sim.user().says("poll")
    await later(sim, 120)

    assert len([one for one in sim.emulator.linq.world.messages.values() if one.poll]) == 1
    assert sim.emulator.counters["key_conflicts"] == 0
    assert await sim.bot.store.dead() == []


@pytest.mark.parametrize("words", ["memo", "sticker", "where"])
async def test_what_would_be_there_twice_is_never_repeated(sim: Sim, words: str) -> None:
    """It may have arrived: it lies among the dead letters as unknown, and the chat goes on."""
    lose_answer(sim)
    await sim.user().says(words)
    await later(sim, 3600)

    assert len(sim.replies) + len(deeds(sim)) == 1
    [letter] = await sim.bot.store.dead()
    assert letter.kind == "unknown"
    assert [reply.text for reply in await sim.user().says("say")] == ["Helo."]


def lose_answer(sim: Sim) -> None:
    """Let the next request to Linq be done, and its answer be lost."""
    sim.faults.add("reset_after", match="* /v3/*")


async def later(sim: Sim, seconds: float) -> None:
    """Turn the clock, and wait until everything that is due is done."""
    sim.clock.advance(seconds=seconds)
    await sim.settled()


async def test_a_group_is_not_left_twice_after_a_lost_answer(sim: Sim) -> None:
    """The repeat is told that we are gone, which is what was wanted: nothing is dead."""
    await sim.user().says("rename", group=list(GROUP))
    lose_answer(sim)
    await write(sim, "leave")
    await later(sim, 120)

    [chat] = sim.emulator.linq.world.chats.values()
    assert chat.me.status == "left"
    assert len([one for one in sim.emulator.requests if "leave" in str(one)]) == 2
    assert await sim.bot.store.dead() == []
