"""What leaves on which service: one row for each feature, each with its source in linq-api-v3.md."""

from __future__ import annotations

from typing import Any

import pytest

from linqbot.protocol.answering import Answering
from linqbot.protocol.outbound import freeze
from linqbot.protocol.threading import Circumstances
from linqbot.replies import (
    Action,
    AddOptions,
    AppCard,
    AppClip,
    ClearBackground,
    Edit,
    InlineSticker,
    LeaveChat,
    Link,
    MarkRead,
    Media,
    Mention,
    Poll,
    React,
    RenameGroup,
    Reply,
    RequestLocation,
    Service,
    SetBackground,
    ShareContact,
    Sticker,
    Target,
    Typing,
    Unreact,
    Unvote,
    VoiceMemo,
    Vote,
    bold,
)
from tests.protocol.wire import message_of

MESSAGE = "89e3566e-1d13-49e5-a8ee-48490d5bfeb7"
UPLOAD = "0b0c2f6e-6a10-4a1d-9d51-9a1f6c0a7b11"
MEMO = VoiceMemo(url="https://example.com/a.m4a")
CARD = AppCard(name="Example", team_id="A1B2C3D4E5", bundle_id="com.example.app.Messages", caption="Hi")
CLIP = AppClip("https://example.com/clip")
WORDS = bold("Hi ") + Mention("+12025550100", "Ann")
CUP = "Hi " + InlineSticker("🥤", attachment_id=UPLOAD)
DECORATED, MENTIONED = {"text_decorations"}, {"text_decorations", "mention", "mention_range"}


def answering(service: str | None, *, is_group: bool = False) -> Answering:
    """A turn that answers a message which came over a service."""
    around = Circumstances(message=Target(MESSAGE), service=service, is_group=is_group)
    return Answering(
        namespace="bot", event_id="e1", handler="echo", chat_id="c1", around=around, about=Target(MESSAGE), now_ms=1
    )


ACTIONS: list[tuple[str, Action, str | None, str]] = [
    ("9.3 reactions", React("love"), "iMessage", "sent"),
    ("9.3 reactions", React("love"), "RCS", "sent"),
    ("9.3 reactions", React("love"), "SMS", "refused"),
    ("9.3 reactions", Unreact("love"), "SMS", "refused"),
    ("9.3 reactions, 7.5 stickers", React(Sticker("🎉")), "SMS", "refused"),
    ("9.3 polls", Poll("a", "b"), "iMessage", "sent"),
    ("9.3 polls", Poll("a", "b"), "RCS", "refused"),
    ("9.3 polls", Poll("a", "b"), "SMS", "refused"),
    ("9.3 polls", Vote("o1"), "SMS", "refused"),
    ("9.3 polls", Unvote("o1"), "RCS", "refused"),
    ("9.3 polls", AddOptions("c"), "SMS", "refused"),
    ("9.3 typing out: no effect", Typing(), "RCS", "left out"),
    ("9.3 typing out: no effect", Typing(), "SMS", "left out"),
    ("9.3 typing out: no effect", Typing(on=False), "SMS", "left out"),
    ("9.3 mark read", MarkRead(), "RCS", "sent"),
    ("9.3 mark read", MarkRead(), "SMS", "left out"),
    ("9.3 edit, 7.5", Edit("new"), "RCS", "refused"),
    ("9.3 edit, 7.5", Edit("new"), "SMS", "refused"),
    ("9.3 voice memo: a file", MEMO, "SMS", "sent"),
    ("9.3 voice memo: a file", MEMO, "RCS", "sent"),
    ("7.4 contact card: an iMessage chat", ShareContact(), "RCS", "refused"),
    ("9.3 location request", RequestLocation(), "SMS", "refused"),
    ("7.3 name: iMessage groups", RenameGroup("Team"), "SMS", "refused"),
    ("7.3 leave: iMessage groups", LeaveChat(), "RCS", "refused"),
    ("7 background: RCS and SMS accepted, no effect", SetBackground("mango"), "RCS", "left out"),
    ("7 background: RCS and SMS accepted, no effect", SetBackground("mango"), "SMS", "left out"),
    ("7 background: RCS and SMS accepted, no effect", ClearBackground(), "SMS", "left out"),
    ("5 the service may be null: Linq is asked", Poll("a", "b"), None, "sent"),
    ("5 the service may be null: Linq is asked", React("love"), None, "sent"),
    ("0 a service of the future: Linq is asked", Typing(), "something new", "sent"),
    ("0 a service of the future: Linq is asked", React("love"), "something new", "sent"),
    ("0 a service of the future: Linq is asked", MEMO, "something new", "sent"),
]


@pytest.mark.parametrize(("source", "action", "service", "what"), ACTIONS, ids=str)
def test_each_service_gets_what_it_has(source: str, action: Action, service: str | None, what: str) -> None:
    """Refused by name where Linq would refuse it, left out where it would have no effect, asked where nobody knows."""
    result = freeze([action, Reply("b")], answering(service))

    *done, reply = result.items
    found = "refused" if result.dead else "sent" if done else "left out"
    assert found == what, source
    assert reply.key == answering(service).key(1)
    if what == "refused":
        assert f"{type(action).__name__} is for iMessage" in result.dead[0].reason
        assert f"this chat is on {service}" in result.dead[0].reason


CARDS: list[tuple[str, AppCard | AppClip, str | None, Service | None, bool]] = [
    (f"{source}", card, service, preferred, sent)
    for card, code in ((CARD, 2018), (CLIP, 2028))
    for source, service, preferred, sent in (
        ("6.1 iMessage only", "iMessage", None, True),
        ("5 the service may be null", None, None, True),
        (f"2 code {code}", "RCS", None, False),
        (f"2 code {code}", "SMS", None, False),
        (f"2 code {code}, 6.2 preferred_service", "iMessage", "SMS", False),
        (f"2 code {code}, 6.2 preferred_service", None, "RCS", False),
        ("6.2 iMessage: no fallback, Linq answers", "SMS", "iMessage", True),
    )
]


@pytest.mark.parametrize(("source", "card", "service", "preferred", "sent"), CARDS)
def test_a_card_that_would_be_downgraded_is_refused_by_name(
    source: str, card: AppCard | AppClip, service: str | None, preferred: Service | None, sent: bool
) -> None:
    """Linq never sends one as SMS or RCS, so nothing leaves; who asks for iMessage gets Linq's own answer."""
    result = freeze([Reply("a", card, preferred_service=preferred), Reply("b")], answering(service))

    why = f"{type(card).__name__} is for iMessage alone, and this would be sent as {preferred or service}"
    told = [] if sent else [f"reply 1 of handler 'echo': {why}"]
    assert [letter.reason for letter in result.dead] == told, source
    assert len(result.items) == (3 if sent else 1)


FORMATTED: list[tuple[str, Any, str | None, Service | None, bool, set[str]]] = [
    ("9.3 decorations, mentions", WORDS, "iMessage", None, True, MENTIONED),
    ("6.1 mention: groups only", WORDS, "iMessage", None, False, DECORATED),
    ("5 the service may be null", WORDS, None, None, True, MENTIONED),
    ("9.3 decorations, mentions", WORDS, "RCS", None, True, set()),
    ("9.3 decorations, mentions", WORDS, "SMS", None, True, set()),
    ("9.3 decorations", WORDS, "SMS", None, False, set()),
    ("6.2 preferred_service: never as iMessage", WORDS, "iMessage", "SMS", True, set()),
    ("6.2 preferred_service: never as iMessage", WORDS, "iMessage", "RCS", False, set()),
    ("6.2 preferred_service: iMessage without fallback", WORDS, "SMS", "iMessage", True, MENTIONED),
    ("6.1 stickers", CUP, "iMessage", None, False, {"inline_stickers"}),
    ("6.1 stickers: SMS and RCS see the covered characters", CUP, "RCS", None, False, set()),
    ("6.1 stickers: SMS and RCS see the covered characters", CUP, "SMS", None, False, set()),
]


@pytest.mark.parametrize(("source", "text", "service", "preferred", "group", "fields"), FORMATTED)
def test_formatting_is_dropped_where_the_service_has_none(
    source: str, text: Any, service: str | None, preferred: Service | None, group: bool, fields: set[str]
) -> None:
    """The words go out all the same."""
    (item,) = freeze([Reply(text, preferred_service=preferred)], answering(service, is_group=group)).items

    (part,) = message_of(item)["parts"]
    assert part.keys() - {"type", "value"} == fields, source
    assert part["value"] == text.value


KEPT = [
    ("9.3 link preview: text on SMS", Link("https://example.com"), {"type": "link", "value": "https://example.com"}),
    (
        "6.1 media as a sticker: ignored elsewhere",
        Media(attachment_id=UPLOAD, sticker=True),
        {"type": "media", "attachment_id": UPLOAD, "sticker": True},
    ),
]


@pytest.mark.parametrize("service", ["RCS", "SMS"])
@pytest.mark.parametrize(("source", "part", "wire"), KEPT)
def test_what_linq_replaces_itself_is_left_to_it(source: str, part: Any, wire: Any, service: str) -> None:
    """It knows the recipients' phones; nothing is said differently here."""
    (item,) = freeze([Reply(part)], answering(service)).items

    assert message_of(item)["parts"] == [wire], source
