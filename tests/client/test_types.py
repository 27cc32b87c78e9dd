"""Linq's answers about messages are read field by field."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from linqbot.client.types import (
    Accepted,
    MessagePage,
    RoutedResult,
    SendResult,
    SentMessage,
    StartResult,
    StoredMessage,
)
from linqbot.events import AppClipPart, AppPart, Handle, LinkPart, MediaPart, PartReaction, TextPart, UnknownPart

FIXTURES = Path(__file__).resolve().parents[1] / "fixtures" / "linq"
LATE = "2019-12-27T18:11:19.117Z"


def _seed() -> SendResult:
    return SendResult.model_validate_json((FIXTURES / "seed" / "response.messages.send.json").read_bytes())


def _message(**fields: object) -> SentMessage:
    return SentMessage.model_validate({"id": "m1", **fields})


def test_the_samples_ids_and_times_are_read() -> None:
    """The page's sample gives its ids, its status and its times, null ones as None."""
    result = _seed()

    assert result.chat_id == "550e8400-e29b-41d4-a716-446655440000"
    assert result.message.id == "69a37c7d-af4f-4b5e-af42-e28e98ce873a"
    assert result.message.created_at == datetime(2025, 10, 23, 18, 7, 55, 19000, tzinfo=UTC)
    assert (result.message.sent_at, result.message.delivered_at) == (None, None)
    assert (result.message.delivery_status, result.message.is_read) == ("pending", False)


def test_the_samples_services_effect_and_thread_are_read() -> None:
    """The page's sample gives how the message goes, how it appears and what it answers."""
    message = _seed().message

    assert (message.service, message.preferred_service) == ("iMessage", "iMessage")
    assert message.effect is not None
    assert (message.effect.name, message.effect.type) == ("confetti", "screen")
    assert message.reply_to is not None
    assert (message.reply_to.message_id, message.reply_to.part_index) == ("550e8400-e29b-41d4-a716-446655440000", 0)


def test_the_samples_sender_is_read() -> None:
    """The page's sample gives the handle it was sent from, with its status and both its times."""
    sender = _seed().message.from_handle

    assert sender == Handle.model_validate(
        {
            "id": "550e8400-e29b-41d4-a716-446655440000",
            "handle": "+15551234567",
            "joined_at": "2025-05-21T20:30:00Z",
            "service": "iMessage",
            "is_me": False,
            "left_at": LATE,
            "status": "active",
        }
    )
    assert sender.joined_at == datetime(2025, 5, 21, 20, 30, tzinfo=UTC)
    assert sender.left_at == datetime(2019, 12, 27, 18, 11, 19, 117000, tzinfo=UTC)


def test_the_samples_part_is_read_with_style_and_animation_together() -> None:
    """What comes in is not checked for what may go out: a decoration may hold both."""
    [part] = _seed().message.parts

    assert isinstance(part, TextPart)
    assert (part.type, part.value) == ("text", "Hello!")
    [decoration] = part.text_decorations
    assert (decoration.range, decoration.animation, decoration.style) == ((0, 5), "shake", "bold")


def test_the_samples_reaction_is_read_with_its_sticker() -> None:
    """The page's sample gives who reacted how, and the sticker with its size."""
    [part] = _seed().message.parts
    [reaction] = part.reactions

    assert (reaction.type, reaction.is_me, reaction.custom_emoji) == ("love", False, None)
    assert reaction.handle is not None
    assert (reaction.handle.handle, reaction.handle.status) == ("+15551234567", "active")
    assert reaction.sticker is not None
    assert (reaction.sticker.file_name, reaction.sticker.mime_type) == ("sticker.png", "image/png")
    assert (reaction.sticker.width, reaction.sticker.height) == (420, 420)
    assert reaction.sticker.url == "https://cdn.linqapp.com/attachments/a1b2c3d4/sticker.png?signature=..."


def test_nothing_of_the_sample_is_left_unread() -> None:
    """Every field of the page's sample is a field of a model: none is only carried along."""
    result = _seed()
    [part] = result.message.parts
    [reaction] = part.reactions
    values = [result, result.message, result.message.effect, result.message.reply_to, result.message.from_handle]
    values += [part, *part.text_decorations, reaction, reaction.handle, reaction.sticker]

    assert [value.__pydantic_extra__ for value in values if value is not None] == [{}] * 10


@pytest.mark.parametrize(
    "kind", ["love", "like", "dislike", "laugh", "emphasize", "question", "custom", "sticker", "wink"]
)
def test_every_kind_of_reaction_is_read(kind: str) -> None:
    """The eight documented types, and one that is not."""
    reaction = PartReaction.model_validate(
        {"type": kind, "is_me": True, "custom_emoji": "🔥", "handle": {"handle": "a@b"}}
    )

    assert (reaction.type, reaction.is_me, reaction.custom_emoji) == (kind, True, "🔥")


@pytest.mark.parametrize(
    ("part", "model"),
    [
        ({"type": "text", "value": "hi"}, TextPart),
        (
            {
                "type": "media",
                "id": "a1",
                "filename": "a.png",
                "mime_type": "image/png",
                "size_bytes": 5,
                "url": "https://c",
            },
            MediaPart,
        ),
        ({"type": "link", "value": "https://example.com"}, LinkPart),
        ({"type": "imessage_app", "app": {"name": "A"}, "layout": {"caption": "c"}, "url": "https://a"}, AppPart),
        ({"type": "app_clip", "value": "https://clip", "title": None, "image_url": "https://i"}, AppClipPart),
        ({"type": "hologram", "value": 3}, UnknownPart),
    ],
)
def test_every_kind_of_part_is_read(part: dict[str, object], model: type) -> None:
    """Each documented part type has its model, whose fields are those of the part; others are kept."""
    [read] = _message(parts=[{**part, "reactions": [{"type": "like"}]}]).parts

    assert type(read) is model
    assert {name: getattr(read, name) for name in part} == part
    assert [reaction.type for reaction in read.reactions] == ["like"]


@pytest.mark.parametrize("status", ["pending", "queued", "sent", "delivered", "received", "read", "failed", "lost"])
def test_every_delivery_status_is_read(status: str) -> None:
    """The seven documented ones, and one that is not."""
    assert _message(delivery_status=status).delivery_status == status


def test_a_send_of_today_is_read() -> None:
    """The present documentation's sample gives the same."""
    result = SendResult.model_validate_json((FIXTURES / "response.messages.send.json").read_bytes())

    assert (result.message.delivery_status, result.message.service, result.message.effect) == ("pending", None, None)
    assert result.message.parts == (TextPart(value="Hello!"),)


def test_a_routed_send_tells_line_and_chat() -> None:
    """Where Linq chose the line, the answer says which and why."""
    result = RoutedResult.model_validate_json((FIXTURES / "response.messages.create.json").read_bytes())

    assert (result.from_, result.created_new_chat, result.is_group) == ("+14155551234", False, False)
    assert result.from_selection is not None
    assert (result.from_selection.reason, result.from_selection.reused_existing_chat) == ("reused_active_chat", True)
    assert [handle.is_me for handle in result.handles] == [True, False]
    assert (result.previous_chat_id, result.message.delivery_status) == (None, "pending")


def test_a_started_chat_holds_its_first_message() -> None:
    """The answer to a new chat gives the chat, its people, its health and the message."""
    chat = StartResult.model_validate_json((FIXTURES / "response.chats.create.json").read_bytes()).chat

    assert (chat.id, chat.is_group, chat.service) == ("94c6bf33-31d9-40e3-a0e9-f94250ecedb9", False, "iMessage")
    assert (len(chat.handles), chat.health and chat.health.status) == (2, "HEALTHY")
    assert chat.message.id == "69a37c7d-af4f-4b5e-af42-e28e98ce873a"


@pytest.mark.parametrize(("name", "reactions"), [("retrieve", 1), ("edit", 0)])
def test_a_message_read_back_is_complete(name: str, reactions: int) -> None:
    """A stored message tells its chat, its sender, its times and who reacted."""
    message = StoredMessage.model_validate_json((FIXTURES / f"response.messages.{name}.json").read_bytes())

    assert (message.chat_id, message.is_from_me) == ("94c6bf33-31d9-40e3-a0e9-f94250ecedb9", True)
    assert (message.delivery_status, message.is_delivered) == ("delivered", True)
    assert (message.updated_at, message.read_at) == (datetime(2024, 1, 15, 10, 30, 10, tzinfo=UTC), None)
    assert message.from_handle is not None
    assert message.from_handle.is_me
    assert [len(part.reactions) for part in message.parts] == [reactions]


@pytest.mark.parametrize(("name", "count"), [("list", 2), ("thread", 1)])
def test_a_page_of_messages_is_read(name: str, count: int) -> None:
    """A list gives its messages and where it goes on."""
    page = MessagePage.model_validate_json((FIXTURES / f"response.messages.{name}.json").read_bytes())

    assert (len(page.messages), page.next_cursor) == (count, None)
    assert {message.id for message in page.messages} >= {"69a37c7d-af4f-4b5e-af42-e28e98ce873a"}


def test_an_accepted_reaction_is_read() -> None:
    """What is done later is answered with a status and a trace."""
    accepted = Accepted.model_validate_json((FIXTURES / "response.messages.reactions.json").read_bytes())

    assert (accepted.status, accepted.trace_id) == ("accepted", "4bf92f3577b34da6a3ce929d0e0e4736")


def test_a_repr_shows_neither_text_nor_handle() -> None:
    """What is printed by accident holds ids only."""
    shown = repr(_seed()) + repr(_seed().message.parts) + repr(_seed().message.from_handle)

    assert "69a37c7d" in shown
    assert "Hello" not in shown
    assert "+1555" not in shown


def test_an_answer_without_its_ids_is_not_one() -> None:
    """Ids are required; the error does not quote the answer."""
    with pytest.raises(ValidationError) as refused:
        SendResult.model_validate({"message": {"parts": [{"type": "text", "value": "secret words"}]}})

    assert "secret words" not in str(refused.value)


ANYTHING = (
    st.none()
    | st.integers()
    | st.text(max_size=5)
    | st.lists(st.integers(), max_size=2)
    | st.just({"id": [1], "type": {}})
)


@given(
    st.dictionaries(
        st.sampled_from(sorted(json.loads((FIXTURES / "seed" / "response.messages.send.json").read_text())["message"])),
        ANYTHING,
    )
)
@settings(max_examples=100, deadline=None)
def test_whatever_is_wrong_around_the_id_the_message_is_read(fields: dict[str, object]) -> None:
    """Fields of any type cost themselves, not the message."""
    assert _message(**{**fields, "id": "m1"}).id == "m1"
