"""Every event type of Linq's has its model, or a reason for none."""

import typing

import pytest
from linq.types import WebhookEventType

from linqbot import events
from linqbot.errors import PayloadError
from linqbot.events import REGISTRY, UnknownEvent, known, parse_event
from tests.events.conftest import WEBHOOKS, body_of

TYPES = sorted(REGISTRY)


def test_the_registry_names_every_event_type_of_the_official_sdk() -> None:
    """No event type that Linq's SDK knows is missing, and none is invented."""
    assert set(REGISTRY) == set(typing.get_args(WebhookEventType))


@pytest.mark.parametrize("event_type", TYPES)
def test_a_type_has_a_model_or_a_reason(event_type: str) -> None:
    """What is passed through says why; what has a model needs no excuse."""
    entry = REGISTRY[event_type]

    assert (entry.model is UnknownEvent) == bool(entry.passed_through)


@pytest.mark.parametrize("name", WEBHOOKS)
def test_a_recorded_webhook_becomes_the_registered_class(name: str) -> None:
    """Each recorded webhook is read into the model that the registry names, with its envelope."""
    body = body_of(name)

    event = parse_event(body)

    assert type(event) is REGISTRY[body["event_type"]].model
    assert (event.event_id, event.type) == (body["event_id"], body["event_type"])
    assert (event.trace_id, event.webhook_version) == (body["trace_id"], body["webhook_version"])
    assert event.raw is body
    assert event.created_at is not None


@pytest.mark.parametrize("name", WEBHOOKS)
def test_a_recorded_webhook_of_a_type_with_a_chat_names_it(name: str) -> None:
    """Whether a reply is possible is known from the type, and the event carries the chat."""
    body = body_of(name)

    event = parse_event(body)

    assert (event.chat_id is not None) == REGISTRY[body["event_type"]].has_chat
    assert (event.chat and event.chat.id) == event.chat_id


@pytest.mark.parametrize("name", WEBHOOKS)
def test_a_repr_shows_ids_and_nothing_else(name: str) -> None:
    """No text, handle, name or address of a recorded webhook is in the event's repr or str."""
    body = body_of(name)

    shown = repr(parse_event(body)) + str(parse_event(body))

    assert [word for word in _private_words(body["data"]) if word in shown] == []


@pytest.mark.parametrize("event_type", TYPES)
def test_the_bare_minimum_of_a_type_is_readable(event_type: str) -> None:
    """Any known type is read from its ids alone, or refused for the lack of them, whatever else is missing."""
    body = {"event_id": "e1", "event_type": event_type, "data": {"id": "m1", "chat": {"id": "c1"}}}

    event = parse_event(body)

    assert isinstance(event, REGISTRY[event_type].model)


def test_an_event_type_from_the_future_is_passed_through() -> None:
    """A type that nobody has heard of keeps its fields as attributes, and says that it is unknown."""
    body = {"event_id": "e1", "event_type": "moon.landed", "data": {"chat_id": "c1", "crew": ["Neil"]}}

    event = parse_event(body)

    assert isinstance(event, UnknownEvent)
    assert (event.chat_id, event.crew) == ("c1", ["Neil"])  # type: ignore[attr-defined]  # an unknown field is an attribute
    assert known("moon.landed").passed_through == "newer than this linqbot"


@pytest.mark.parametrize("event_type", [None, "", 7, "x" * 256])
def test_a_webhook_without_a_usable_type_is_refused(event_type: object) -> None:
    """Without a type nobody can say what it is."""
    with pytest.raises(PayloadError):
        parse_event({"event_id": "e1", "event_type": event_type, "data": {}})


@pytest.mark.parametrize("event_id", [7, ["e"], "x" * 256])
def test_a_webhook_without_a_usable_id_is_refused(event_id: object) -> None:
    """Without an id repeats could not be told apart, so no fallback hides a wrong one."""
    with pytest.raises(PayloadError):
        parse_event({"event_id": event_id, "event_type": "chat.created", "data": {"id": "c"}}, event_id="w1")


def test_the_webhook_id_serves_where_the_body_has_none() -> None:
    """A body without an event id goes under the id it was delivered with."""
    event = parse_event({"event_type": "call.ringing", "data": {}}, event_id="w1")

    assert event.event_id == "w1"


@pytest.mark.parametrize("lost", ["id", "chat"])
def test_a_message_that_cannot_be_answered_is_refused(lost: str) -> None:
    """A message without its id or its chat's is refused by the event's id, without its text."""
    body = body_of("message.received.2026-02-03.json")
    del body["data"][lost]

    with pytest.raises(PayloadError, match=body["event_id"]) as refused:
        parse_event(body)

    assert "Hello" not in str(refused.value)


def test_the_public_names_are_sorted_and_there() -> None:
    """`linqbot.events` exports what it says, in order: constants, classes, functions."""
    constants = [name for name in events.__all__ if name.isupper()]
    classes = [name for name in events.__all__ if name[0].isupper() and not name.isupper()]
    functions = [name for name in events.__all__ if name.islower()]

    assert events.__all__ == sorted(constants) + sorted(classes) + sorted(functions)
    assert all(hasattr(events, name) for name in events.__all__)


def _private_words(value: object) -> list[str]:
    """Every string of a payload that tells something about people: all but ids, kinds and times."""
    if isinstance(value, list):
        return [word for item in value for word in _private_words(item)]
    if not isinstance(value, dict):
        return []
    named = {
        "handle",
        "value",
        "text",
        "from",
        "shared_by",
        "shared_with",
        "phone_number",
        "first_name",
        "name",
        "email",
    }
    named |= {
        "url",
        "media_url",
        "owner_handle",
        "sender_handle",
        "display_name",
        "old_value",
        "new_value",
        "fallback_text",
    }
    named |= {"caption", "subcaption", "filename", "file_name", "custom_emoji", "description", "checkout_url", "reason"}
    own = [item for name, item in value.items() if name in named and isinstance(item, str) and item]
    return own + [word for item in value.values() for word in _private_words(item)]
