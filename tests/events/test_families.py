"""Reactions, polls, chats, lines and the rest: their documented fields are read from the recorded webhooks."""

from datetime import UTC, datetime
from operator import attrgetter
from typing import Any

import pytest

from linqbot.events import MessageRef, parse_event
from tests.events.conftest import body_of

PLEASED = datetime(2025, 11, 23, 17, 35, tzinfo=UTC)
SEPTEMBER = datetime(2026, 9, 3, 16, 20, 11, tzinfo=UTC)

FIELDS = {
    "reaction.added": {
        "reaction_type": "love",
        "custom_emoji": None,
        "added": True,
        "is_from_me": False,
        "sender.handle": "+14155559876",
        "message": MessageRef(message_id="550e8400-e29b-41d4-a716-446655440001", part_index=0),
        "service": "iMessage",
        "reacted_at": PLEASED,
    },
    "reaction.removed": {"reaction_type": "love", "added": False},
    "reaction.added.custom-emoji": {
        "reaction_type": "custom",
        "custom_emoji": "🔥",
        "reaction_id": "7a1c1f8e-4f0e-4c9d-8f3f-1f2a3b4c5d6e",
    },
    "reaction.added.sticker": {"sticker.file_name": "sticker-abc123.png", "sticker.width": 320},
    "poll.reaction.added": {"reaction_type": "sticker", "message_id": "3d0f7b6e-6f0a-4d7b-9a51-8f3f6f6d2a10"},
    "poll.received": {
        "direction": "inbound",
        "is_from_me": False,
        "sender.handle": "+12025559876",
        "poll.total_voters": 0,
        "received_at": datetime(2026, 9, 3, 16, 20, 11, 120000, tzinfo=UTC),
        "made_at": datetime(2026, 9, 3, 16, 20, 11, 120000, tzinfo=UTC),
    },
    "poll.sent": {"is_from_me": True, "made_at": datetime(2026, 9, 3, 16, 20, 10, 902000, tzinfo=UTC), "read_at": None},
    "poll.read": {"read_at": datetime(2026, 9, 3, 16, 21, 40, 311000, tzinfo=UTC)},
    "poll.failed": {"error.code": 4001, "failed_at": datetime(2026, 9, 3, 16, 20, 41, tzinfo=UTC), "is_from_me": True},
    "poll.vote.added": {
        "option_id": "0b7f2b3e-18a2-4b64-8f5e-2f1c9c0a0002",
        "added": True,
        "sender.handle": "+12025559876",
        "is_from_me": False,
    },
    "poll.vote.removed": {"added": False},
    "poll.updated": {"is_from_me": False, "sender.is_me": True},
    "participant.added": {
        "participant.handle": "+14155559876",
        "is_from_me": False,
        "added": True,
        "added_at": datetime(2025, 11, 23, 17, 40, tzinfo=UTC),
    },
    "participant.removed": {
        "participant.status": "removed",
        "added": False,
        "removed_at": datetime(2025, 11, 23, 17, 45, tzinfo=UTC),
    },
    "chat.created.2026-02-03": {
        "chat.is_group": False,
        "chat.service": "iMessage",
        "chat.display_name": "+14155551234, +14155559876",
        "chat.health.status": "HEALTHY",
        "chat.created_at": datetime(2025, 11, 23, 17, 30, tzinfo=UTC),
    },
    "chat.created.2025-01-01": {"chat.health": None, "chat.is_group": False},
    "chat.group_name_updated": {
        "old_value": "Old Group Name",
        "new_value": "New Group Name",
        "sender.handle": "+14155559876",
        "updated_at": datetime(2025, 11, 23, 17, 50, tzinfo=UTC),
    },
    "chat.group_icon_updated": {"new_value": "https://example.com/new-icon.png"},
    "chat.group_name_update_failed": {"error_code": 3007, "failed_at": datetime(2025, 11, 23, 17, 55, tzinfo=UTC)},
    "chat.group_icon_update_failed": {"error_code": 3007},
    "chat.background_update_failed": {"error_code": 4001, "failed_at": SEPTEMBER},
    "chat.background_updated": {
        "background.type": "dynamic",
        "background.style": "sky",
        "background.variant": "sunset",
        "background.shades": (),
        "sender.handle": "+12025559876",
    },
    "chat.typing_indicator.started": {"started": True, "sender.handle": "+12025559876", "is_from_me": False},
    "chat.typing_indicator.stopped": {"started": False},
    "phone_number.status_updated": {
        "phone_number": "+12025551234",
        "previous_status": "ACTIVE",
        "new_status": "FLAGGED",
        "previous_reputation": "AT_RISK",
        "new_reputation": "CRITICAL",
        "changed_at": datetime(2026, 2, 18, 18, 35, 5, tzinfo=UTC),
    },
    "phone_number.assigned": {"phone_number": "+12025551234", "changed_at": SEPTEMBER},
    "contact_card.received": {
        "owner_handle": "+12025551234",
        "sender.handle": "+12025559876",
        "first_name": "Ada",
        "last_name": "",
        "media_url": "https://cdn.linqapp.com/contact-card/example.jpg",
    },
    "location.sharing.started": {
        "started": True,
        "shared_by": "+15551234567",
        "shared_with": "+15559876543",
        "sender.handle": "+15551234567",
        "ends_at": datetime(2026, 2, 4, 13, tzinfo=UTC),
    },
    "location.sharing.stopped": {"started": False, "ended_at": datetime(2026, 2, 4, 18, 44, 58, tzinfo=UTC)},
    "payment.succeeded": {
        "id": "550e8400-e29b-41d4-a716-446655440000",
        "status": "succeeded",
        "amount": 497,
        "currency": "usd",
        "mode": "payment",
        "description": "Session with Ava",
        "metadata": {"chat_id": "9c3b1f2a-..."},
        "made_at": datetime(2026, 3, 5, 12, tzinfo=UTC),
        "stripe": {"payment_intent_id": "pi_3QAbCdEfGhIjKlMn"},
    },
    "connection.created": {"handle": "+14155550123", "status": "connected"},
    "api_token.created": {
        "summary": "api token created",
        "origin": "dashboard",
        "actor.type": "team_member",
        "actor.email": "sam@example.com",
        "occurred_at": datetime(2026, 9, 3, 16, 20, 10, tzinfo=UTC),
        "api_token": {"id": "tok_01", "token_prefix": "lnq_1a2b", "name": "ci", "expires_at": None},
    },
    "contact_card.updated": {"change": {"first_name": {"from": "ACME", "to": "Acme"}}},
}


@pytest.mark.parametrize(("name", "field"), [(name, field) for name, fields in FIELDS.items() for field in fields])
def test_a_documented_field_is_read(recorded: Any, name: str, field: str) -> None:
    """Each field of each family is there under its name, with its type."""
    assert attrgetter(field)(recorded(name)) == FIELDS[name][field]


def test_a_polls_options_tell_who_made_them(recorded: Any) -> None:
    """The choices of a poll have id, text and author."""
    options = recorded("poll.received").poll.options

    assert [option.text for option in options] == ["Friday", "Saturday"]
    assert [option.creator.handle for option in options] == ["+12025559876"] * 2


def test_an_added_option_tells_who_added_it(recorded: Any) -> None:
    """The adder is the option's author, for the event's own sender is the line."""
    [option] = recorded("poll.updated").added_options

    assert (option.text, option.creator.handle) == ("Pizza", "+12025559876")


def test_a_poll_keeps_the_good_options_beside_a_bad_one(recorded: Any) -> None:
    """An option that is none costs itself only."""
    poll = recorded(
        "poll.received", poll={"options": [None, {"text": "Friday", "voters": [7]}, "?"], "total_voters": "many"}
    )

    assert [(option.text, option.voters) for option in poll.poll.options] == [("Friday", ())]
    assert poll.poll.total_voters is None


@pytest.mark.parametrize(
    ("said", "from_me"),
    [
        ({"direction": "outbound"}, True),
        ({"direction": "inbound", "is_from_me": True}, False),
        ({"is_from_me": True, "from_handle": {"is_me": False}}, True),
        ({"is_from_me": None, "from_handle": {"is_me": True}}, True),
        ({"is_from_me": "no", "from_handle": None}, False),
    ],
)
def test_our_own_doing_is_told_by_what_linq_says_of_it(recorded: Any, said: dict[str, object], from_me: bool) -> None:
    """The direction decides, then `is_from_me`, then who did it."""
    assert recorded("reaction.added", **said).is_from_me is from_me


def test_our_own_line_that_joins_or_leaves_is_our_own_doing(recorded: Any) -> None:
    """Nobody is named as the one who did it; whom it happened to is."""
    ours = {"handle": "+12025551234", "is_me": True}

    assert recorded("participant.added", participant=ours).is_from_me
    assert recorded("participant.removed", participant=ours).is_from_me


def test_a_typing_event_of_the_older_documentation_has_no_sender() -> None:
    """Payloads that carry only the chat are read; nobody is invented."""
    body = body_of("chat.typing_indicator.started.json")
    del body["data"]["actor_handle"]

    assert parse_event(body).sender is None
