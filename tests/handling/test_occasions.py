"""Decorators for what happens beside messages: what they take, what they leave out, and which mistakes they find."""

from __future__ import annotations

from typing import Any

import pytest

from linqbot.errors import RegistrationError
from linqbot.events import MessageEdited, Participation, PollVote, Reaction, Typing
from linqbot.handling.plan import plan_of
from linqbot.handling.router import Router
from linqbot.records import InboxItem, SentRecord
from tests.handling.conftest import CHAT, MESSAGE, Stage, message_with, received, said

US: dict[str, Any] = {"handle": "+12025551234", "is_me": True}
THEM: dict[str, Any] = {"handle": "+12025559876", "is_me": False}


def happened(event_type: str, **data: Any) -> InboxItem:
    """An event of the chat."""
    return received(event_type=event_type, body={"chat_id": CHAT, **data})


def reacted(kind: str = "love", *, own: bool = False, event_type: str = "reaction.added", **more: Any) -> InboxItem:
    """Somebody reacted."""
    handle = US if own else THEM
    return happened(event_type, message_id=MESSAGE, reaction_type=kind, is_from_me=own, from_handle=handle, **more)


EDIT: dict[str, Any] = {"chat": {"id": CHAT}, "id": MESSAGE, "part": {"index": 0, "text": "new"}}
VOTE: dict[str, Any] = {"chat": {"id": CHAT}, "message_id": MESSAGE, "option_id": "o1"}

OCCASIONS = {
    "reaction": (reacted(), reacted(own=True)),
    "edited": (
        happened("message.edited", direction="inbound", **EDIT),
        happened("message.edited", direction="outbound", **EDIT),
    ),
    "poll_vote": (
        happened("poll.vote.added", direction="inbound", **VOTE),
        happened("poll.vote.added", direction="outbound", **VOTE),
    ),
    "typing": (
        happened("chat.typing_indicator.started", actor_handle=THEM),
        happened("chat.typing_indicator.started", actor_handle=US),
    ),
    "member_joined": (happened("participant.added", participant=THEM), happened("participant.added", participant=US)),
    "member_left": (happened("participant.removed", participant=THEM), happened("participant.removed", participant=US)),
}
"""Each decorator, with what it takes by default and the same as our own doing."""

BY_NAME = pytest.mark.parametrize("name", OCCASIONS)


async def answer() -> str:
    """Say that it came."""
    return "seen"


@BY_NAME
async def test_every_occasion_is_taken_with_and_without_parentheses(stage: Stage, name: str) -> None:
    """Both spellings register the function as it is."""
    theirs, _ = OCCASIONS[name]
    decorator = getattr(stage.router, name)

    assert decorator(answer) is answer
    assert decorator(name="other")(answer) is answer
    assert said(await stage.run(theirs)) == ["seen"]


@BY_NAME
async def test_own_doings_are_left_out_unless_asked_for(stage: Stage, name: str) -> None:
    """A bot that reacts to its own reaction would do so for ever (linq-api-v3.md section 9.6)."""
    _, ours = OCCASIONS[name]
    getattr(stage.router, name)(answer)

    assert said(await stage.run(ours)) == []

    getattr(stage.router, name)(own=True, name="own")(answer)

    assert said(await stage.run(ours)) == ["seen"]


@BY_NAME
async def test_own_doings_are_left_out_by_event_too(stage: Stage, name: str) -> None:
    """`event` with the type itself asks for the same things."""
    theirs, ours = OCCASIONS[name]
    stage.router.event(theirs.type)(answer)

    assert said(await stage.run(theirs)) == ["seen"]
    assert said(await stage.run(ours)) == []

    stage.router.event(theirs.type, own=True, name="own")(answer)

    assert said(await stage.run(ours)) == ["seen"]


@pytest.mark.parametrize("event_type", ["message.sent", "message.delivered", "message.read", "message.failed"])
async def test_news_of_what_the_bot_sent_is_handed_over(stage: Stage, event_type: str) -> None:
    """It is all about our own doing; to leave that out would leave nothing."""
    stage.router.event(event_type)(answer)
    item = message_with(direction="outbound")
    body = {"chat_id": CHAT, "code": 4001} if event_type == "message.failed" else None
    item = received("hi", event_type=event_type, body=body)

    assert said(await stage.run(item)) == ["seen"]


@BY_NAME
def test_options_are_checked_where_they_are_written(name: str) -> None:
    """As those of message() are."""
    decorator = getattr(Router(), name)

    with pytest.raises(RegistrationError, match="attempts= counts the first run"):
        decorator(attempts=0)(answer)
    with pytest.raises(RegistrationError, match="thread='always' is none of"):
        decorator(thread="always")(answer)
    with pytest.raises(TypeError, match="atempts"):
        decorator(atempts=2)


@pytest.mark.parametrize("name", [name for name in OCCASIONS if name != "reaction"])
def test_a_word_is_no_option(name: str) -> None:
    """Only messages have words to look for."""
    with pytest.raises(RegistrationError, match=rf"{name}\(\) takes its options by name"):
        getattr(Router(), name)("price")


def test_parameters_are_checked_against_what_comes() -> None:
    """A vote is no reaction."""

    async def vote(reaction: Reaction) -> None: ...

    with pytest.raises(RegistrationError, match=r"'reaction' is Reaction, but 'poll.vote.added' brings PollVote"):
        Router().poll_vote(vote)


async def test_each_handler_may_name_its_event(stage: Stage) -> None:
    """The class that the type brings."""

    @stage.router.reaction
    async def reaction(reaction: Reaction) -> str:
        return reaction.reaction_type

    @stage.router.edited
    async def edited(edit: MessageEdited) -> str:
        return edit.text

    @stage.router.poll_vote
    async def vote(vote: PollVote) -> str:
        return str(vote.option_id)

    @stage.router.typing
    async def typing(typing: Typing) -> str:
        return f"started {typing.started}"

    @stage.router.member_joined
    async def joined(member: Participation) -> str:
        return f"joined {member.added}"

    @stage.router.member_left
    async def left(member: Participation) -> str:
        return f"joined {member.added}"

    answers = [said(await stage.run(theirs)) for theirs, _ in OCCASIONS.values()]

    assert answers == [["love"], ["new"], ["o1"], ["started True"], ["joined True"], ["joined False"]]


@pytest.mark.parametrize(
    ("names", "item", "taken"),
    [
        (("love",), reacted("love"), True),
        (("love", "like"), reacted("like"), True),
        (("love",), reacted("dislike"), False),
        (("\u2764\ufe0f",), reacted("custom", custom_emoji="\u2764"), True),
        (("\u2764",), reacted("custom", custom_emoji="\u2764\ufe0f"), True),
        (("\U0001f525",), reacted("custom", custom_emoji="\U0001f389"), False),
        (("custom",), reacted("custom", custom_emoji="\U0001f389"), True),
        (("sticker",), reacted("sticker", event_type="poll.reaction.added"), True),
        ((), reacted("wiggle"), True),
        ((), reacted("love", event_type="reaction.removed"), False),
    ],
)
async def test_reactions_are_chosen_by_kind_or_emoji(
    stage: Stage, names: tuple[str, ...], item: InboxItem, taken: bool
) -> None:
    """However a phone writes the emoji; without names every reaction is taken, also of a kind that is new."""
    stage.router.reaction(*names)(answer)

    assert bool(said(await stage.run(item))) == taken


@pytest.mark.parametrize(
    ("decorator", "options", "type_"),
    [
        ("reaction", {"removed": True}, "reaction.removed"),
        ("poll_vote", {"removed": True}, "poll.vote.removed"),
        ("typing", {"stopped": True}, "chat.typing_indicator.stopped"),
    ],
)
def test_what_is_taken_back_is_asked_for_by_name(decorator: str, options: dict[str, Any], type_: str) -> None:
    """Instead of what came, not beside it: the same function would have to ask which it was."""
    router = Router()
    getattr(router, decorator)(**options)(answer)

    assert [route.types for route in router.routes()] == [(type_,)]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("loved", r"reaction\('loved'\) names no reaction; did you mean 'love'\?"),
        ("heart", r"it is an emoji, or one of custom, dislike"),
        ("", "names no reaction"),
        (7, r"reaction\('int'\) names no reaction"),
    ],
)
def test_what_is_no_reaction_is_refused(name: Any, said: str) -> None:
    """A misspelled kind would never come."""
    with pytest.raises(RegistrationError, match=said):
        Router().reaction(name)


def test_reactions_on_anything_but_the_bot_are_refused() -> None:
    """There is only one thing to choose."""
    wrong: Any = "me"

    with pytest.raises(RegistrationError, match=r"reaction\(on='me'\)"):
        Router().reaction(on=wrong)


async def test_reactions_on_the_bots_own_messages_are_told_apart(stage: Stage) -> None:
    """The store remembers which messages are the bot's; a reaction on any other goes to the next handler."""
    stage.router.reaction(on="bot")(answer)

    @stage.router.reaction()
    async def other() -> str:
        return "other"

    assert said(await stage.run(reacted())) == ["other"]
    assert said(await stage.run(happened("reaction.added", reaction_type="love", is_from_me=False))) == ["other"]

    stage.port.ours[MESSAGE] = SentRecord(
        message_id=MESSAGE, key="lb1_k", event_id="e0", handler="h", position=0, ref=None, sent_ms=1
    )

    assert said(await stage.run(reacted())) == ["seen"]


@pytest.mark.parametrize("late", [{"reconciled_at": "2026-02-06T09:02:40.950Z"}, {"zero_retention": True}])
async def test_history_is_answered_by_who_asks_for_it(stage: Stage, late: dict[str, Any]) -> None:
    """Messages that came late, or whose content is withheld, are no use to most handlers (section 9.5)."""
    stage.router.message(answer)
    stage.router.fallback(name="fallback")(answer)

    assert said(await stage.run(message_with(**late))) == []

    stage.router.message(history=True, name="history")(answer)

    assert said(await stage.run(message_with(**late))) == ["seen"]


def test_a_narrow_handler_behind_a_wide_one_is_warned_about(logs: list[Any]) -> None:
    """Kinds, own doings and whose message it is on are all looked at."""
    router = Router()
    router.reaction(name="ours", on="bot")(answer)
    router.reaction("love", name="love")(answer)
    router.reaction("like", "love", name="both")(answer)
    router.reaction("love", on="bot", name="narrow")(answer)
    router.reaction(name="own", own=True)(answer)
    router.reaction(name="late")(answer)

    plan_of(router)

    assert [(entry["handler"], entry["because_of"]) for entry in logs] == [("narrow", "ours"), ("late", "own")]
