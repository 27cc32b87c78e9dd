"""What Linq sends against its own documentation is read as far as it can be, and the field is named."""

from __future__ import annotations

import pytest

from linqbot.events import parse_event
from tests.events.conftest import WEBHOOKS, body_of

TEXT = "message.received.2026-02-03.json"


def odd_fields(name: str, **changes: object) -> list[str]:
    """The fields that are named of a recorded webhook with some of its data changed."""
    body = body_of(name)
    body["data"] = {**body["data"], **changes}
    found: list[str] = []
    parse_event(body, odd=found.append)
    return found


@pytest.mark.parametrize("name", WEBHOOKS)
def test_a_recorded_webhook_has_nothing_odd(name: str) -> None:
    """What Linq publishes is as it is documented, in both payload versions."""
    assert odd_fields(name) == []


@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        ({"sent_at": "yesterday"}, ["sent_at"]),
        ({"service": 7}, ["service"]),
        ({"parts": "Hello"}, ["parts"]),
        ({"effect": ["slam"]}, ["effect"]),
        ({"sender_handle": {"id": "h", "handle": 7}}, ["sender.handle"]),
        ({"reply_to": {"message_id": ["m"], "part_index": 0}}, ["reply_to.message_id"]),
        ({"zero_retention": "perhaps", "delivered_at": 0.5}, ["zero_retention"]),
        ({"sent_at": "", "effect": False}, ["effect", "sent_at"]),
        ({"parts": {}}, ["parts"]),
        ({"parts": ["Hello"]}, ["parts"]),
        ({"parts": [{"type": "text", "value": 7}]}, ["parts"]),
        ({"parts": [{"type": "link"}, {"value": "a"}]}, ["parts"]),
        ({"sender_handle": 7, "direction": False}, ["direction", "sender_handle"]),
        ({"recipient_handle": [], "is_from_me": "yes"}, ["is_from_me", "recipient_handle"]),
        ({"reply_to": {"message_id": "m", "part_index": -1}}, ["reply_to.part_index"]),
        ({"parts": [{"type": "hologram", "value": 7}]}, []),
        ({"a_new_field": 7, "effect": None}, []),
    ],
)
def test_a_field_that_is_not_as_documented_is_named(changes: dict[str, object], fields: list[str]) -> None:
    """By its place, never by what it holds; new fields, new kinds of parts and nulls are no contradiction
    (linq-api-v3.md section 0)."""
    assert sorted(odd_fields(TEXT, **changes)) == sorted(fields)


def test_a_payload_that_linq_documents_nowhere_contradicts_nothing() -> None:
    """Whatever an event of the future holds is passed through, and not counted."""
    found: list[str] = []

    parse_event({"event_id": "e1", "event_type": "moon.landed", "data": {"message": "hi", "chat": 7}}, odd=found.append)

    assert found == []
