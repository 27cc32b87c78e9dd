"""Actions of a turn as frozen requests: one row for each kind, each with its source."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from linqbot.ids import idempotency_key
from linqbot.protocol.deeds import DEEDS
from linqbot.protocol.naming import name_of_last_text, name_of_ref, obstacle_to, request_of
from linqbot.protocol.outbound import Answering, freeze
from linqbot.protocol.threading import Circumstances
from linqbot.records import Fact, Lease, OutboxItem, Repeat, Side
from linqbot.replies import (
    Action,
    AddOptions,
    AddParticipant,
    ClearBackground,
    Edit,
    LeaveChat,
    MarkRead,
    Media,
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
    Target,
    Typing,
    Unreact,
    Unvote,
    VoiceMemo,
    Vote,
)

CHAT = "8f392755-6865-4b18-880a-227f9d8b458f"
INBOUND = Target("89e3566e-1d13-49e5-a8ee-48490d5bfeb7", 1)
OTHER = "0b0c2f6e-6a10-4a1d-9d51-9a1f6c0a7b11"
ANSWERING = Answering(
    namespace="bot",
    event_id="e1",
    handler="echo",
    chat_id=CHAT,
    around=Circumstances(message=INBOUND, service="iMessage"),
    about=INBOUND,
    now_ms=1_000,
)
NO_MESSAGE = replace(ANSWERING, around=Circumstances(), about=None)


def key(position: int) -> str:
    """The key an answer of this turn must have."""
    return idempotency_key("bot", "e1", "echo", position)


def frozen(action: Action, answering: Answering = ANSWERING) -> OutboxItem:
    """The one item that an action becomes."""
    (item,) = freeze([action], answering).items
    return item


def on(service: str | None) -> Answering:
    """The same turn in a chat on another service."""
    return replace(ANSWERING, around=replace(ANSWERING.around, service=service))


ROWS: list[tuple[Action, str, str, dict[str, Any] | None, Repeat]] = [
    # linq-api-v3.md section 7.5
    (
        React("love"),
        "POST",
        f"/v3/messages/{INBOUND.message_id}/reactions",
        {"operation": "add", "type": "love", "part_index": 1},
        Repeat.REPEATABLE,
    ),
    (
        React("👍", to=OTHER),
        "POST",
        f"/v3/messages/{OTHER}/reactions",
        {"operation": "add", "type": "custom", "custom_emoji": "👍", "part_index": 0},
        Repeat.REPEATABLE,
    ),
    (
        Unreact("like", to=(OTHER, 1), part=2),
        "POST",
        f"/v3/messages/{OTHER}/reactions",
        {"operation": "remove", "type": "like", "part_index": 2},
        Repeat.REPEATABLE,
    ),
    # linq-api-v3.md sections 4 and 7.7
    (
        Poll("a", "b"),
        "POST",
        f"/v3/chats/{CHAT}/polls",
        {"poll": {"options": [{"text": "a"}, {"text": "b"}], "idempotency_key": key(0)}},
        Repeat.KEYED,
    ),
    (
        AddOptions("c", to=OTHER),
        "POST",
        f"/v3/messages/{OTHER}/poll/options",
        {"options": [{"text": "c"}]},
        Repeat.NEVER,
    ),
    (
        Vote("o1"),
        "POST",
        f"/v3/messages/{INBOUND.message_id}/poll/votes",
        {"operation": "add", "option_id": "o1"},
        Repeat.REPEATABLE,
    ),
    (
        Unvote("o1"),
        "POST",
        f"/v3/messages/{INBOUND.message_id}/poll/votes",
        {"operation": "remove", "option_id": "o1"},
        Repeat.REPEATABLE,
    ),
    # linq-api-v3.md section 7.4
    (Typing(), "POST", f"/v3/chats/{CHAT}/typing", None, Repeat.REPEATABLE),
    (Typing(on=False), "DELETE", f"/v3/chats/{CHAT}/typing", None, Repeat.REPEATABLE),
    (MarkRead(), "POST", f"/v3/chats/{CHAT}/read", None, Repeat.REPEATABLE),
    # linq-api-v3.md section 7.5: edits; stickers are P (SDK, message_add_reaction_params.py)
    (
        Edit("new", to=OTHER, part=1),
        "PATCH",
        f"/v3/messages/{OTHER}",
        {"text": "new", "part_index": 1},
        Repeat.REPEATABLE,
    ),
    (Edit("new"), "PATCH", "/v3/messages/{message}", {"text": "new", "part_index": 0}, Repeat.REPEATABLE),
    (
        React(Sticker("🎉", x=0.5, rotation=-10), to=OTHER),
        "POST",
        f"/v3/messages/{OTHER}/reactions",
        {
            "operation": "add",
            "type": "sticker",
            "emoji": "🎉",
            "placement": {"x": 0.5, "rotation": -10},
            "part_index": 0,
        },
        Repeat.NEVER,
    ),
    (
        React(Sticker(Media(attachment_id=OTHER)), part=0),
        "POST",
        f"/v3/messages/{INBOUND.message_id}/reactions",
        {"operation": "add", "type": "sticker", "attachment_id": OTHER, "part_index": 0},
        Repeat.NEVER,
    ),
    # linq-api-v3.md sections 4 and 7 (voicememo: voice_memo_url xor attachment_id, no key)
    (
        VoiceMemo(url="https://example.com/a.m4a"),
        "POST",
        f"/v3/chats/{CHAT}/voicememo",
        {"voice_memo_url": "https://example.com/a.m4a"},
        Repeat.NEVER,
    ),
    (VoiceMemo(attachment_id=OTHER), "POST", f"/v3/chats/{CHAT}/voicememo", {"attachment_id": OTHER}, Repeat.NEVER),
    # linq-api-v3.md section 7.4
    (ShareContact(), "POST", f"/v3/chats/{CHAT}/share_contact_card", None, Repeat.NEVER),
    # linq-api-v3.md sections 7 and 9.3
    (RequestLocation(), "POST", f"/v3/chats/{CHAT}/location/request", None, Repeat.NEVER),
    # linq-api-v3.md sections 7 and 7.3
    (RenameGroup("Team"), "PUT", f"/v3/chats/{CHAT}", {"display_name": "Team"}, Repeat.REPEATABLE),
    (
        SetGroupIcon("https://example.com/a.png"),
        "PUT",
        f"/v3/chats/{CHAT}",
        {"group_chat_icon": "https://example.com/a.png"},
        Repeat.REPEATABLE,
    ),
    (
        AddParticipant("+12025550123"),
        "POST",
        f"/v3/chats/{CHAT}/participants",
        {"handle": "+12025550123"},
        Repeat.REPEATABLE,
    ),
    (
        RemoveParticipant("ann@example.com"),
        "DELETE",
        f"/v3/chats/{CHAT}/participants",
        {"handle": "ann@example.com"},
        Repeat.REPEATABLE,
    ),
    (LeaveChat(), "POST", f"/v3/chats/{CHAT}/leave", None, Repeat.REPEATABLE),
    # linq-api-v3.md section 7.7
    (
        SetBackground("deep_sea"),
        "POST",
        f"/v3/chats/{CHAT}/background",
        {"type": "color", "variant": "deep_sea"},
        Repeat.REPEATABLE,
    ),
    (
        SetBackground(shades=("#F2C4E1", "#F5A623")),
        "POST",
        f"/v3/chats/{CHAT}/background",
        {"type": "color", "variant": "custom", "shades": ["#F2C4E1", "#F5A623"]},
        Repeat.REPEATABLE,
    ),
    (
        SetBackground(sky="dusk"),
        "POST",
        f"/v3/chats/{CHAT}/background",
        {"type": "dynamic", "style": "sky", "variant": "dusk"},
        Repeat.REPEATABLE,
    ),
    (
        SetBackground(photo="https://example.com/a.jpg"),
        "POST",
        f"/v3/chats/{CHAT}/background",
        {"type": "photo", "image_url": "https://example.com/a.jpg"},
        Repeat.REPEATABLE,
    ),
    (ClearBackground(), "DELETE", f"/v3/chats/{CHAT}/background", None, Repeat.REPEATABLE),
]


@pytest.mark.parametrize(("action", "method", "path", "body", "repeat"), ROWS, ids=lambda value: type(value).__name__)
def test_each_kind_is_frozen_as_linq_documents_it(
    action: Action, method: str, path: str, body: dict[str, Any] | None, repeat: Repeat
) -> None:
    """Method, path and body of the contract, under a key and in the chat's lane as a reply is."""
    item = frozen(action)

    assert (item.request.method, item.request.path) == (method, path)
    assert (None if item.request.body is None else json.loads(item.request.body)) == body
    assert (item.repeat, item.key, item.lane) == (repeat, key(0), f"chat:{CHAT}")


def test_every_kind_has_a_row() -> None:
    """Nothing can be returned that is not in the table above."""
    assert {type(row[0]) for row in ROWS} == set(DEEDS)


def test_what_makes_a_message_costs_and_the_rest_is_free() -> None:
    """Linq counts messages (linq-api-v3.md section 3): a poll is one, a tapback is none."""
    costs = {type(row[0]) for row in ROWS if frozen(row[0]).units}

    assert costs == {Poll, VoiceMemo}
    assert frozen(Poll("a", "b")).pair == CHAT
    assert frozen(React("love")).pair == ""


GROUP = replace(ANSWERING, around=replace(ANSWERING.around, is_group=True))
DIRECT = replace(ANSWERING, around=replace(ANSWERING.around, is_direct=True))
GROUPS_ONLY: list[Action] = [
    RenameGroup("Team"),
    SetGroupIcon("https://example.com/a.png"),
    AddParticipant("+12025550123"),
    RemoveParticipant("+12025550123"),
    LeaveChat(),
]


@pytest.mark.parametrize("action", GROUPS_ONLY)
def test_what_groups_have_is_refused_in_a_direct_chat(action: Action) -> None:
    """409/1006 without asking (linq-api-v3.md section 7.3); where nobody knows the kind of chat, Linq is asked."""
    assert "is for groups, and this chat is a direct one" in freeze([action], DIRECT).dead[0].reason
    assert freeze([action], GROUP).dead == freeze([action], ANSWERING).dead == ()


def test_a_location_is_not_asked_for_in_a_group() -> None:
    """409/2016 without asking (linq-api-v3.md sections 2 and 9.3)."""
    assert "is for direct chats, and this one is a group" in freeze([RequestLocation()], GROUP).dead[0].reason
    assert freeze([RequestLocation()], DIRECT).dead == ()


@pytest.mark.parametrize(
    ("action", "said"),
    [
        (VoiceMemo(attachment_id="memo"), "attachment_id is none of Linq's"),
        (VoiceMemo(data=b"x", filename="a.mp3"), "was not uploaded"),
        (React(Sticker(Media(attachment_id="star"))), "attachment_id is none of Linq's"),
    ],
)
def test_a_file_that_linq_does_not_have_is_dead(action: Action, said: str) -> None:
    """What is frozen holds ids of Linq's, nothing else."""
    assert said in freeze([action], ANSWERING).dead[0].reason


def test_an_edit_is_about_the_last_text_of_the_chat_or_the_one_with_a_ref() -> None:
    """Which message that is, is known when it is sent."""
    assert frozen(Edit("new")).guards == (name_of_last_text(CHAT),)
    assert frozen(Edit("new", ref="r")).guards == (name_of_ref(CHAT, "r"),)
    why = obstacle_to(leased(frozen(Edit("new"))))
    assert why is not None
    assert "no text of ours is known in this chat" in why


def test_actions_leave_the_threading_alone() -> None:
    """The first bubble is threaded, whatever is done before it."""
    items = freeze([Typing(), React("love"), Poll("a", "b"), Reply("a"), Reply("b")], ANSWERING).items

    assert [item.plain is not None for item in items] == [False, False, False, True, False]


@pytest.mark.parametrize("action", [React("love"), Unreact("love"), Vote("o1"), Unvote("o1"), AddOptions("c")])
def test_an_action_without_a_message_to_be_done_on_is_dead(action: Action) -> None:
    """The event is about none, and nobody said which; the letter says what to write."""
    result = freeze([action], NO_MESSAGE)

    assert result.items == ()
    assert f"{type(action).__name__} needs to=" in result.dead[0].reason


def test_a_message_that_is_none_of_linqs_is_dead() -> None:
    """A path never holds what is no id."""
    result = freeze([React("love", to="../x")], ANSWERING)

    assert result.items == ()
    assert "its ids are UUIDs" in result.dead[0].reason


def test_an_action_on_an_event_without_a_chat_is_dead() -> None:
    """There is nowhere to do it."""
    assert "the event has no chat" in freeze([Typing()], replace(ANSWERING, chat_id=None)).dead[0].reason


def test_half_a_character_is_replaced() -> None:
    """A lone surrogate is no Unicode and would be no request."""
    assert json.loads(frozen(Poll("a\ud83d", "b")).request.body or b"")["poll"]["options"][0] == {"text": "a\ufffd"}


def test_messages_of_ours_are_named_for_later() -> None:
    """A text is the chat's last one, what has a `ref` is found by it: a poll, or the first bubble of a reply."""
    replies = [
        Reply("a"),
        Reply(Media(url="https://example.com/a.png")),
        Reply("b", "c", ref="r"),
        Poll("a", "b", ref="p"),
    ]

    items = freeze(replies, ANSWERING).items

    text, ref, poll = name_of_last_text(CHAT), name_of_ref(CHAT, "r"), name_of_ref(CHAT, "p")
    assert [item.names for item in items] == [(text,), (), (text, ref), (text,), (poll,)]


def test_a_text_that_goes_as_sms_is_not_the_one_to_edit() -> None:
    """Only iMessage takes edits (linq-api-v3.md section 7.5): the text before it is meant."""
    replies = [Reply("a"), Reply("b", preferred_service="SMS", ref="r")]

    items = freeze(replies, ANSWERING).items

    assert [item.names for item in items] == [(name_of_last_text(CHAT),), (name_of_ref(CHAT, "r"),)]


def leased(item: OutboxItem, *facts: Fact) -> Lease:
    """A lease of an item that comes with what is known."""
    return Lease(
        side=Side.OUT,
        lane=item.lane,
        token="t1",
        now_ms=1_000,
        until_ms=31_000,
        reply=item,
        facts={fact.key: fact for fact in facts},
    )


def test_a_ref_is_filled_in_when_it_is_sent() -> None:
    """The id of the message is known by then; nothing else of the request changes."""
    item = frozen(React("love", ref="r"))
    (guard,) = item.guards
    lease = leased(item, Fact(key=guard, value=OTHER.encode()))

    assert guard == name_of_ref(CHAT, "r")
    assert item.request.path == "/v3/messages/{message}/reactions"
    assert request_of(lease) == replace(item.request, path=f"/v3/messages/{OTHER}/reactions")
    assert obstacle_to(lease) is None


@pytest.mark.parametrize("facts", [(), (Fact(key=name_of_ref(CHAT, "r"), value=None),)])
def test_a_ref_that_nobody_knows_is_a_reason_not_to_send(facts: tuple[Fact, ...]) -> None:
    """Sent too long ago, or never: said so by name."""
    why = obstacle_to(leased(frozen(AddOptions("c", ref="r")), *facts))

    assert why is not None
    assert "no message with this ref= is known in this chat" in why


@pytest.mark.parametrize(
    ("action", "age_ms", "why"),
    [  # linq-api-v3.md section 7.5: an edit within 15 minutes of the send, and nothing said of the rest
        (Edit("new"), 15 * 60_000, None),
        (Edit("new"), 15 * 60_000 + 1, "the text was sent more than 15 minutes ago, and Linq edits none that is older"),
        (Edit("new", ref="r"), 16 * 60_000, "the text was sent more than 15 minutes ago"),
        (React("love", ref="r"), 16 * 60_000, None),
    ],
)
def test_a_text_that_is_too_old_is_a_reason_not_to_edit_it(action: Action, age_ms: int, why: str | None) -> None:
    """Refused by name instead of by Linq, which is not asked."""
    item = frozen(action)
    (guard,) = item.guards
    lease = leased(item, Fact(key=guard, value=OTHER.encode(), rank=1_000))

    found = obstacle_to(replace(lease, now_ms=1_000 + age_ms))

    assert (found is None) == (why is None)
    assert (why or "") in (found or "")


def test_what_needs_no_name_is_sent_as_it_was_frozen() -> None:
    """A fact that happens to be there changes nothing."""
    item = frozen(React("love"))

    assert request_of(leased(item, Fact(key=name_of_ref(CHAT, "r"), value=OTHER.encode()))) == item.request
    assert obstacle_to(leased(item)) is None
