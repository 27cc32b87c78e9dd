"""A message reads the same in both payload versions, and as far as it can whatever is wrong with it."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from linqbot.events import (
    Chat,
    Handle,
    LinkPart,
    MediaPart,
    Message,
    MessageDelivered,
    MessageEdited,
    MessageFailed,
    MessageRead,
    MessageRef,
    MessageSent,
    TextPart,
    UnknownPart,
    parse_event,
)
from tests.events.conftest import body_of

BOTH = ["message.received.2026-02-03", "message.received.2025-01-01"]


@pytest.mark.parametrize("name", BOTH)
def test_an_inbound_message_has_one_shape_in_both_versions(recorded: Any, name: str) -> None:
    """Text, people, chat and times are read alike from either payload version."""
    message = recorded(name)

    assert isinstance(message, Message)
    assert (message.id, message.text, message.service) == ("89e3566e-1d13-49e5-a8ee-48490d5bfeb7", "Hello!", "iMessage")
    assert (message.chat_id, message.chat.is_group) == ("8f392755-6865-4b18-880a-227f9d8b458f", False)
    assert (message.sender.handle, message.sender.is_me) == ("+12025559876", False)
    assert message.line is not None
    assert (message.line.handle, message.line.is_me) == ("+12025551234", True)
    assert (message.direction, message.is_from_me) == ("inbound", False)
    assert message.sent_at == datetime(2026, 2, 5, 19, 31, 13, 74000, tzinfo=UTC)
    assert message.created_at == datetime(2026, 2, 5, 19, 31, 13, 736444, tzinfo=UTC)
    assert (message.effect, message.reply_to, message.reconciled_at, message.zero_retention) == (
        None,
        None,
        None,
        False,
    )
    assert message.media == ()


def test_the_newer_version_tells_the_chats_health(recorded: Any) -> None:
    """The health of the chat is there when Linq sends it."""
    message = recorded("message.received.2026-02-03.opt-out")

    assert message.chat.health is not None
    assert (message.text, message.chat.health.status) == ("STOP", "OPTED_OUT")


def test_media_are_listed_beside_the_text(recorded: Any) -> None:
    """A picture is among the media, with what Linq says of it."""
    message = recorded("message.received.2026-02-03.media")

    assert message.text == "Look 👀"
    [photo] = message.media
    assert isinstance(photo, MediaPart)
    assert (photo.filename, photo.mime_type, photo.size_bytes) == ("photo.heic", "image/heic", 2776819)


def test_a_reply_names_the_part_that_it_answers(recorded: Any) -> None:
    """The thread's target is there with its part."""
    message = recorded("message.received.2026-02-03.reply")

    assert message.reply_to == MessageRef(message_id="347d62c2-2170-4754-8d30-c76d0c727d96", part_index=0)


def test_a_mention_says_whether_it_is_us(recorded: Any) -> None:
    """In a group one can see that the bot was named, and where."""
    message = recorded("message.received.2026-02-03.group-mention")

    [part] = message.parts
    assert isinstance(part, TextPart)
    assert [(mention.is_me, mention.range) for mention in part.mentions] == [(True, (4, 7))]
    assert message.chat.is_group is True


def test_a_link_alone_has_no_text(recorded: Any) -> None:
    """A link part is among the links, and the text is empty; a sparse chat leaves group and line open."""
    message = recorded("message.received.2026-02-03.link-sparse-chat")

    assert (message.text, message.links) == ("", ("https://github.com",))
    assert isinstance(message.parts[0], LinkPart)
    assert (message.chat.is_group, message.line) == (None, None)


def test_recovered_history_is_marked(recorded: Any) -> None:
    """A message that Linq recovered late says when."""
    message = recorded("message.received.2026-02-03.reconciled")

    assert message.reconciled_at == datetime(2026, 2, 6, 9, 2, 40, 950000, tzinfo=UTC)


def test_a_withheld_message_is_marked_and_empty(recorded: Any) -> None:
    """A line that keeps nothing gives a message without parts, marked so."""
    message = recorded("message.received.2026-02-03.zero-retention")

    assert (message.zero_retention, message.parts, message.text) == (True, (), "")


def test_the_service_of_the_message_is_its_own(recorded: Any) -> None:
    """A message by SMS says so."""
    assert recorded("message.received.2026-02-03.sms").service == "SMS"


@pytest.mark.parametrize("version", ["2026-02-03", "2025-01-01"])
@pytest.mark.parametrize(
    ("event", "model"), [("sent", MessageSent), ("delivered", MessageDelivered), ("read", MessageRead)]
)
def test_news_of_our_own_messages_has_one_shape(recorded: Any, event: str, model: type, version: str) -> None:
    """Sent, delivered and read are ours in both versions, with message, chat, line and times."""
    news = recorded(f"message.{event}.{version}")

    assert type(news) is model
    assert (news.is_from_me, news.direction, news.sender.is_me) == (True, "outbound", True)
    assert news.line == news.sender
    assert news.text.startswith("Hello")
    assert news.sent_at is not None
    assert (news.delivered_at is not None) == (event in {"delivered", "read"})
    assert (news.read_at is not None) == (event == "read")


def test_the_key_that_it_was_sent_under_comes_back(recorded: Any) -> None:
    """Linq echoes the idempotency key."""
    assert recorded("message.sent.2026-02-03.idempotency").idempotency_key == "bot-reply-0001"


def test_a_failure_tells_which_message_and_why(recorded: Any) -> None:
    """A failed message has its own shape: message, code, reason, time."""
    failed = recorded("message.failed.2026-02-03.detailed")

    assert isinstance(failed, MessageFailed)
    assert (failed.message_id, failed.code, failed.detail_code) == ("550e8400-e29b-41d4-a716-446655440001", 4001, 22)
    assert (failed.reason, failed.service, failed.preferred_service) == ("Message delivery failed", "iMessage", "auto")
    assert failed.failed_at == datetime(2025, 11, 23, 17, 35, tzinfo=UTC)
    assert failed.is_from_me


def test_an_edit_tells_the_part_and_its_new_text(recorded: Any) -> None:
    """An edited message says which part now reads how, and who did it."""
    edited = recorded("message.edited.2026-02-03")

    assert isinstance(edited, MessageEdited)
    assert (edited.id, edited.part.index) == ("89e3566e-1d13-49e5-a8ee-48490d5bfeb7", 0)
    assert (edited.text, edited.is_from_me) == ("This is the edited message content", True)


def test_several_texts_are_joined_by_a_line_feed(recorded: Any) -> None:
    """The text of a message of several text parts has one line each."""
    parts = [{"type": "text", "value": "one"}, {"type": "media"}, {"type": "text", "value": "two"}]

    assert recorded(BOTH[0], parts=parts).text == "one\ntwo"


@pytest.mark.parametrize(("offset", "index"), [(0, 1), (2, 1), (4, 3), (6, 3), (99, 0)])
def test_an_offset_of_the_text_leads_back_to_its_part(recorded: Any, offset: int, index: int) -> None:
    """Where a pattern matched tells the part to answer; outside of the text it is part 0."""
    parts = [{"type": "media"}, {"type": "text", "value": "one"}, {"type": "media"}, {"type": "text", "value": "two"}]

    assert recorded(BOTH[0], parts=parts).part_at(offset) == index


def test_a_part_of_an_unknown_kind_keeps_its_fields_and_its_place(recorded: Any) -> None:
    """A part type from the future is kept with its fields, and the parts behind it keep their index."""
    message = recorded(BOTH[0], parts=[{"type": "hologram", "depth": 3}, None, {"type": "text", "value": "hi"}])

    assert [type(part) for part in message.parts] == [UnknownPart, UnknownPart, TextPart]
    assert (message.parts[0].type, message.parts[0].depth) == ("hologram", 3)


def test_a_text_survives_what_is_wrong_around_it(recorded: Any) -> None:
    """Decorations, effect, times and people of the wrong type do not cost the text."""
    parts = [{"type": "text", "value": "hi", "text_decorations": [{"range": "all"}, 5], "mentions": {"a": 1}}]

    message = recorded(BOTH[0], parts=parts, effect="loud", sent_at=["now"], sender_handle=5, service={}, reply_to=7)

    assert (message.text, message.effect, message.sent_at, message.service, message.reply_to) == (
        "hi",
        None,
        None,
        None,
        None,
    )
    assert message.sender == Handle()
    assert [decoration.range for decoration in message.parts[0].text_decorations] == [None]


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("2026-02-05T19:31:13Z", datetime(2026, 2, 5, 19, 31, 13, tzinfo=UTC)),
        ("2026-02-05T19:31:13.1Z", datetime(2026, 2, 5, 19, 31, 13, 100000, tzinfo=UTC)),
        ("2026-02-05T19:31:13.736444093Z", datetime(2026, 2, 5, 19, 31, 13, 736444, tzinfo=UTC)),
        ("2026-02-05T14:31:13.000-05:00", datetime(2026, 2, 5, 19, 31, 13, tzinfo=UTC)),
        ("2026-02-05T19:31:13", datetime(2026, 2, 5, 19, 31, 13, tzinfo=UTC)),
    ],
)
def test_a_time_is_read_with_any_precision_and_offset(recorded: Any, written: str, read: datetime) -> None:
    """0 to 9 fractional digits and any offset give the instant, aware of its offset."""
    moment = recorded(BOTH[0], sent_at=written).sent_at

    assert moment == read
    assert isinstance(moment.utcoffset(), timedelta)


def test_a_bare_phone_number_serves_as_the_sender(recorded: Any) -> None:
    """The older version's deprecated `from` is used when there is no handle object."""
    message = recorded(BOTH[1], from_handle=None, recipient_handle=None, recipient_phone="+12025551234")

    assert (message.sender.handle, message.line.handle) == ("+12025559876", "+12025551234")


@pytest.mark.parametrize("direction", [None, ""])
def test_a_direction_that_is_not_said_is_told_from_the_sender(recorded: Any, direction: object) -> None:
    """What somebody else sent came in."""
    assert recorded(BOTH[0], direction=direction).direction == "inbound"


def test_unknown_fields_are_attributes_and_raw_keeps_all() -> None:
    """A field without a model is there under its name, and the whole body beside it."""
    body = body_of("message.received.2026-02-03.json")
    body["data"]["mood"] = "good"

    message = parse_event(body)

    assert message.mood == "good"  # type: ignore[attr-defined]  # an unknown field is an attribute
    assert message.raw is body


def test_an_event_is_frozen_and_can_be_in_a_set(recorded: Any) -> None:
    """A handler cannot change what Linq said; events can be told apart by their hash."""
    message = recorded(BOTH[0])

    with pytest.raises(ValueError, match="frozen"):
        message.id = "other"

    assert len({message, recorded(BOTH[0])}) == 1


def test_a_message_can_be_written_by_hand() -> None:
    """A handler is tested with a message built from its field names."""
    message = Message(
        event_id="e",
        type="message.received",
        id="m",
        chat_id="c",
        chat=Chat(id="c"),
        parts=(TextPart(value="hi"),),
        raw={},
    )

    assert (message.text, message.chat.id, message.sender.handle) == ("hi", "c", "")
