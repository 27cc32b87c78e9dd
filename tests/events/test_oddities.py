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
        ({"a_new_field": 7, "effect": None}, []),
    ],
)
def test_a_field_that_is_not_as_documented_is_named(changes: dict[str, object], fields: list[str]) -> None:
    """By its place, never by what it holds; new fields and nulls are no contradiction (linq-api-v3.md section 0)."""
    assert odd_fields(TEXT, **changes) == fields
