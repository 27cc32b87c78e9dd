"""Whom an answer reaches and which line it leaves from: frozen with it, so that the send can be stopped."""

from __future__ import annotations

from typing import Any

import pytest

from linqbot.protocol.guard import line_key, person_key
from tests.handling.conftest import CHAT, MESSAGE, Stage, message_with, received

SOMEBODY = person_key("opted-out", "+12025559876")
OWNER = {"handle": "+12025551234", "is_me": True}


async def _guards(stage: Stage, item: Any) -> tuple[str, ...]:
    (reply,) = (await stage.run(item)).replies
    return reply.guards


@pytest.mark.parametrize("is_group", [False, None])
async def test_answer_in_a_direct_chat_is_guarded_by_its_sender(stage: Stage, is_group: bool | None) -> None:
    """Also where Linq did not say that it is direct."""
    stage.router.message(name="echo")(lambda: "hi")

    assert await _guards(stage, message_with(chat={"id": CHAT, "is_group": is_group})) == (SOMEBODY,)


async def test_answer_in_a_group_has_no_guard(stage: Stage) -> None:
    """Groups are never suppressed."""
    stage.router.message(name="echo")(lambda: "hi")

    assert await _guards(stage, message_with(chat={"id": CHAT, "is_group": True})) == ()


@pytest.mark.parametrize(
    ("chat", "guards"),
    [({"id": CHAT}, ()), ({"id": CHAT, "is_group": False}, (SOMEBODY,)), ({"id": CHAT, "is_group": True}, ())],
)
async def test_answer_to_another_event_is_guarded_where_its_chat_is_surely_direct(
    stage: Stage, chat: dict[str, Any], guards: tuple[str, ...]
) -> None:
    """Most other events do not say what kind of chat they are of."""
    stage.router.event("reaction.added")(lambda: "thanks")
    data = {"chat": chat, "message_id": MESSAGE, "is_from_me": False, "from_handle": {"handle": "+12025559876"}}

    assert await _guards(stage, received(event_type="reaction.added", body=data)) == guards


async def test_answer_to_news_of_our_own_is_not_guarded_by_ourselves(stage: Stage) -> None:
    """The sender of our own message is a line, and nobody to keep silent for."""
    stage.router.event("message.sent")(lambda: "well?")
    data = {"chat": {"id": CHAT, "is_group": False}, "id": MESSAGE, "direction": "outbound", "sender_handle": OWNER}

    assert await _guards(stage, received(event_type="message.sent", body=data)) == ()


@pytest.mark.parametrize(("chat", "line"), [({"owner_handle": OWNER}, line_key("+12025551234")), ({}, "")])
async def test_answer_names_the_line_that_it_leaves_from(stage: Stage, chat: dict[str, Any], line: str) -> None:
    """By an opaque name; none where Linq did not say which line it is."""
    stage.router.message(name="echo")(lambda: "hi")

    (reply,) = (await stage.run(message_with(chat={"id": CHAT, **chat}))).replies

    assert reply.line == line
