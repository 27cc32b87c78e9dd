"""Linq's official SDK goes everywhere it can in the emulator, and looks at every answer and every webhook.

Answers are validated by the SDK while they come (strictly), here once more against Linq's published schema, and for fields
that neither knows. Webhooks are verified by their signatures and read as the class their type names.
"""

from __future__ import annotations

import asyncio
import json
import re
from typing import Any, get_args

import linq.resources
import linq.types
import pytest
from linq import AsyncLinqAPIV3, LinqAPIV3
from linq._models import BaseModel
from linq.types import WebhookEventType

from linqbot.testing.clock import TurnedClock
from tests.emulator.conftest import LINE, PERSON
from tests.emulator.keys import differences, fixture
from tests.emulator.listener import Received
from tests.emulator.published import faults, published
from tests.emulator.tour import ANN, BEN, CAT, OTHER_LINE, VERSIONS, Tour, take_tour
from tests.linq_coverage import UNSENT

NOT_SHARED = {
    "experiences.retrieve": "there is no experience to look at; 404 is tried in test_messages.py",
    **{
        f"payment{name}": "answered 403/2011; tried in test_messages.py"
        for name in (
            *("s.create", "s.retrieve", "s.cancel", "s.credentials"),
            *("_handles.connect", "_handles.connection", "_handles.revoke", "_handles.verify"),
            *("_providers.retrieve", "_providers.connect"),
            *("_requests.create", "_requests.retrieve", "_requests.list", "_requests.cancel"),
        )
    },
    "webhooks.unwrap": "works on webhooks, not on an endpoint; used below",
}
"""Methods of the SDK that have no answer to look at."""

ONLY_NEW = {"message.edited"}
"""What the older payload version does not know (linq-api-v3.md section 8.6)."""


ANSWER_SAMPLES = {
    "response.attachments.create": "post /v3/attachments",
    "response.attachments.retrieve": "get /v3/attachments/{attachmentId}",
    "response.available_number.retrieve": "get /v3/available_number",
    "response.blocked_handles.list": "get /v3/blocked_handles",
    "response.capability.check_imessage": "post /v3/capability/check_imessage",
    "response.capability.check_rcs.unsupported": "post /v3/capability/check_rcs",
    "response.chats.leave": "post /v3/chats/{chatId}/leave",
    "response.chats.participants.add": "post /v3/chats/{chatId}/participants",
    "response.chats.participants.remove": "delete /v3/chats/{chatId}/participants",
    "response.chats.update": "put /v3/chats/{chatId}",
    "response.chats.voicememo": "post /v3/chats/{chatId}/voicememo",
    "response.contact_card.create": "post /v3/contact_card",
    "response.contact_card.retrieve": "get /v3/contact_card",
    "response.location.request": "post /v3/chats/{chatId}/location/request",
    "response.location.retrieve": "get /v3/chats/{chatId}/location",
    "response.messages.create": "post /v3/messages",
    "response.messages.edit": "patch /v3/messages/{messageId}",
    "response.messages.thread": "get /v3/messages/{messageId}/thread",
    "response.messages.reactions": "post /v3/messages/{messageId}/reactions",
    "response.phone_numbers.update": "put /v3/phone_numbers/{phoneNumberId}",
    "response.polls.create": "post /v3/chats/{chatId}/polls",
}
EVENT_SAMPLES = {
    **{f"chat.{one}_updated": "" for one in ("background", "group_icon", "group_name")},
    **{f"chat.{one}_update_failed": "" for one in ("background", "group_icon", "group_name")},
    **{f"chat.typing_indicator.{one}": "" for one in ("started", "stopped")},
    **{f"location.sharing.{one}": "" for one in ("started", "stopped")},
    **{f"participant.{one}": "" for one in ("added", "removed")},
    **{f"poll.{one}": "" for one in ("delivered", "failed", "read", "received", "sent", "updated", "reaction.added")},
    **{f"poll.vote.{one}": "" for one in ("added", "removed")},
    **{f"reaction.{one}": "" for one in ("added", "added.custom-emoji", "added.sticker", "removed")},
    "contact_card.received": "",
    "message.edited.2026-02-03": "",
    "phone_number.status_updated": "",
}
SAMPLES = ANSWER_SAMPLES | EVENT_SAMPLES
"""Samples of Linq's documentation, with the endpoint that answers so."""

OPTIONAL = {
    "reaction.added": {"$.data.reaction_id"},
    "reaction.removed": {"$.data.reaction_id"},
    "response.contact_card.create": {"$.image_url"},
    "response.contact_card.retrieve": {"$.contact_cards[0].image_url"},
    "response.location.retrieve": {f"$.data.features[0].properties.{one}" for one in ("address", "locality")},
}
"""Where an optional key is on one side only."""


@pytest.fixture(scope="module")
def tour() -> Tour:
    """One tour for all tests of this module."""
    return asyncio.run(take_tour(TurnedClock()))


def methods() -> list[str]:
    """Every method of the SDK's client, as one calls it."""
    found: list[str] = []

    def walk(holder: Any, prefix: str) -> None:
        for name in dir(type(holder)):
            if name.startswith(("_", "with_")):
                continue
            one = getattr(holder, name)
            if isinstance(one, linq._resource.SyncAPIResource):
                walk(one, f"{prefix}{name}.")
            elif prefix and callable(one):
                found.append(f"{prefix}{name}")

    walk(LinqAPIV3(api_key="any"), "")
    return sorted(found)


def strangers(value: Any, where: str = "$") -> list[str]:
    """Fields of an answer that the SDK does not know, at any depth."""
    if isinstance(value, list):
        return [one for index, item in enumerate(value) for one in strangers(item, f"{where}[{index}]")]
    if not isinstance(value, BaseModel):
        return []
    extra = [f"{where}.{name}" for name in value.model_extra or {}]
    return extra + [
        one for name in type(value).model_fields for one in strangers(getattr(value, name), f"{where}.{name}")
    ]


def dated(value: Any) -> Any:
    """A value without what came after the OpenAPI document: app clips and newer event types, which the SDK knows."""
    if isinstance(value, list):
        return [dated(one) for one in value if not _is_newer(one)]
    return {name: dated(one) for name, one in value.items()} if isinstance(value, dict) else value


NEWER = frozenset(get_args(WebhookEventType)) - frozenset(published()["events"])


def _is_newer(one: Any) -> bool:
    return one.get("type") == "app_clip" if isinstance(one, dict) else isinstance(one, str) and one in NEWER


def class_of(event_type: str) -> type[BaseModel]:
    """The SDK's class for a type of event."""
    name = "".join(word.capitalize() for word in re.split(r"[._]", event_type))
    found: type[BaseModel] = getattr(linq.types, f"{name}WebhookEvent")
    return found


@pytest.mark.parametrize("method", methods())
def test_every_method_of_the_sdk_was_called(tour: Tour, method: str) -> None:
    """The tour goes wherever the SDK can go, or says why not."""
    assert (method in tour.made) is (method not in NOT_SHARED)


def test_no_excuse_is_stale() -> None:
    """Each method that is left out exists."""
    assert set(NOT_SHARED) <= set(methods())


@pytest.mark.parametrize("endpoint", published()["answers"])
def test_every_answer_fits_the_published_schema(tour: Tour, endpoint: str) -> None:
    """Each answer of the tour validates against Linq's OpenAPI document, and each described endpoint was asked."""
    schema = published()["answers"][endpoint]
    if endpoint == "get /v3/experiences/{experience}":
        assert endpoint not in tour.answers
        return

    found = [fault for status, body in tour.answers[endpoint] if status < 300 for fault in faults(dated(body), schema)]

    assert found == []


def test_no_answer_has_a_field_that_the_sdk_does_not_know(tour: Tour) -> None:
    """Nothing is invented: whatever we answer with has a name in the SDK's types."""
    found = {name: unknown for name, value in tour.made.items() if (unknown := strangers(value))}

    assert found == {}


@pytest.mark.parametrize("version", VERSIONS)
def test_every_webhook_is_verified(tour: Tour, version: str) -> None:
    """The SDK accepts the signature of every webhook, in both payload versions."""
    sdk = AsyncLinqAPIV3(api_key="any")

    assert len(tour.hooks[version]) > 50
    for one in tour.hooks[version]:
        sdk.webhooks.unwrap(one.raw.decode(), headers=one.headers, key=tour.secrets[version])


def test_every_webhook_is_of_its_class(tour: Tour) -> None:
    """Each webhook of the newer version is valid as the class its type names, without unknown fields."""
    for one in tour.hooks["2026-02-03"]:
        event = class_of(one.type).model_validate_json(one.raw)
        assert strangers(event) == [], one.type


@pytest.mark.parametrize("hook", published()["webhooks"])
def test_every_webhook_fits_the_published_schema(tour: Tour, hook: str) -> None:
    """Each described webhook was sent, and validates; where Linq's samples contradict its schema, we follow the sample."""
    event_type, version = hook.split(".v")
    contradicted = {"chat.created.v2025-01-01": ["$.data.health_status: missing"]}.get(hook, [])

    told = [one.event for one in tour.hooks[version] if one.type == event_type]

    assert told
    for event in told:
        assert list(faults(dated(event), published()["webhooks"][hook])) == contradicted


def test_every_event_type_was_told(tour: Tour) -> None:
    """The tour met all types of events but those that the emulator does not send, for a reason."""
    assert {one.type for one in tour.hooks["2026-02-03"]} == set(get_args(WebhookEventType)) - UNSENT.keys()


@pytest.mark.parametrize("file", SAMPLES)
def test_it_looks_like_the_sample(tour: Tour, file: str) -> None:
    """Key by key the published sample of an answer or a webhook, but for what is optional there."""
    sample = fixture(file)
    found = [body for _, body in tour.answers.get(SAMPLES[file], ())]
    if file in EVENT_SAMPLES:
        found = [one.event for one in tour.hooks["2026-02-03"] if one.type == sample["event_type"]]

    nearest = min((differences(one, sample) for one in found), key=len)
    assert set(nearest) <= OPTIONAL.get(file, set())


def test_both_versions_tell_the_same(tour: Tour) -> None:
    """The same events by id, but for those the older version does not know."""
    told = {version: {(one.type, one.event["event_id"]) for one in hooks} for version, hooks in tour.hooks.items()}

    only_new = told["2026-02-03"] - told["2025-01-01"]
    assert told["2025-01-01"] <= told["2026-02-03"]
    assert {name for name, _ in only_new} == ONLY_NEW


def of_type(tour: Tour, event_type: str) -> list[dict[str, Any]]:
    """The data of all webhooks of a type, in the newer version."""
    return [one.event["data"] for one in tour.hooks["2026-02-03"] if one.type == event_type]


def test_a_message_and_its_webhooks(tour: Tour) -> None:
    """Created, sent with everything, read back, told: the same ids, texts, targets, effects and keys everywhere."""
    created, sent, read = (tour.made[name] for name in ("chats.create", "chats.messages.send", "messages.retrieve"))
    theirs = tour.made["inbound"]

    assert [one.handle for one in created.chat.handles] == [LINE, PERSON]
    assert (created.chat.is_group, created.chat.service, created.chat.health_status.status) == (
        False,
        "iMessage",
        "HEALTHY",
    )
    assert (created.chat.message.delivery_status, created.chat.message.parts[0].value) == ("pending", "Hi")
    assert (sent.chat_id, sent.message.parts[0].text_decorations[0].style) == (created.chat.id, "bold")
    assert (read.reply_to.message_id, read.effect.name) == (theirs.message_id, "confetti")
    assert (read.delivery_status, read.is_from_me, read.is_read, read.service) == ("read", True, True, "iMessage")
    assert [one.id for one in tour.made["messages.list_messages_thread"]] == [theirs.message_id, sent.message.id]
    told = [one for one in of_type(tour, "message.sent") if one["id"] == sent.message.id]
    assert [(one["idempotency_key"], one["reply_to"]["message_id"]) for one in told] == [("k", theirs.message_id)]
    assert told[0]["parts"][0]["value"] == "Hi"
    (first,) = [one for one in of_type(tour, "message.received") if one["id"] == theirs.message_id]
    assert (first["sender_handle"]["handle"], first["chat"]["id"]) == (PERSON, created.chat.id)


def test_a_message_without_a_line(tour: Tour) -> None:
    """Reused chat, its line, and the same answer under the same key."""
    sent, again = tour.made["messages.create"], tour.made["messages.create (again)"]

    assert (sent.chat_id, sent.from_) == (tour.made["chats.create"].chat.id, LINE)
    assert (sent.from_selection.reason, sent.created_new_chat) == ("reused_active_chat", False)
    assert again == sent


def test_reactions_edits_and_cards(tour: Tour) -> None:
    """What was put on a message is on it when it is read, and is told as ours or theirs."""
    edited, reacted = tour.made["messages.update"], tour.made["messages.retrieve (reacted)"]
    (edit,) = of_type(tour, "message.edited")

    assert (edited.parts[0].value, edit["part"]) == ("Ho", {"index": 0, "text": "Ho"})
    assert [(one.type, one.is_me) for one in reacted.parts[0].reactions] == [("sticker", True)]
    assert tour.made["messages.update_sticker_placement"].success is True
    told = [(one["reaction_type"], one["is_from_me"]) for one in of_type(tour, "reaction.added")]
    assert told == [("love", True), ("sticker", True), ("custom", False)]
    assert [one["reaction_type"] for one in of_type(tour, "reaction.removed")] == ["love"]
    card, updated = tour.made["card"].message, tour.made["messages.update_app_card"].message
    assert (card.parts[0].layout.caption, updated.parts[0].layout.caption) == ("Your move", "Mine")
    assert updated.parts[0].app.team_id == card.parts[0].app.team_id
    assert tour.made["link"].message.parts[0].value == "https://example.com"
    assert tour.made["clip"].message.parts[0].type == "app_clip"
    (failed,) = of_type(tour, "message.failed")
    assert failed["code"] == 4001


def test_files_go_up_and_down(tour: Tour) -> None:
    """What was uploaded is what is downloaded, and what messages hold."""
    made, read, media = (tour.made[name] for name in ("attachments.create", "attachments.retrieve", "media"))
    memo = tour.made["chats.send_voicememo"].voice_memo

    assert (made.http_method, tour.made["upload"], tour.made["download"]) == ("PUT", 200, b"abc")
    assert (read.status, read.filename, read.size_bytes) == ("complete", "a.png", 3)
    text, stored, public = media.message.parts
    assert (text.inline_stickers[0].file_name, stored.id, public.mime_type) == (
        "a.png",
        made.attachment_id,
        "image/jpeg",
    )
    assert (memo.from_, memo.to, memo.voice_memo.mime_type) == (LINE, [PERSON], "audio/x-m4a")


def test_polls(tour: Tour) -> None:
    """Options, votes and what others do to a poll."""
    voted, extended, read = (tour.made[f"messages.poll.{name}"] for name in ("vote", "add_options", "retrieve"))

    assert (voted.poll.total_voters, voted.poll.options[0].voters[0].handle) == (1, LINE)
    assert [one.text for one in extended.poll.options] == ["Tacos", "Ramen", "Pizza"]
    assert (read.poll.options[0].voters[0].handle, read.reactions[0].type) == (PERSON, "love")
    assert [one["sender_handle"]["handle"] for one in of_type(tour, "poll.vote.added")] == [LINE, PERSON]
    assert [one["error"]["code"] for one in of_type(tour, "poll.failed")] == [4007]
    assert [len(one["poll"]["options"]) for one in of_type(tour, "poll.received")] == [2]


def test_groups(tour: Tour) -> None:
    """Who is in a group and what it is called, and how leaving looks."""
    group, left = tour.made["group"].chat, tour.made["left"]
    mention = tour.made["mention"].message.parts[0].mentions[0]

    assert [one.handle for one in group.handles] == [LINE, PERSON, ANN, BEN]
    assert (mention.handle, mention.range, mention.is_me) == (ANN, [3, 6], False)
    assert tour.made["chats.update"].status == "pending"
    assert tour.made["chats.participants.add"].status == tour.made["chats.leave_chat"].status == "accepted"
    assert (left.display_name, left.group_chat_icon) == ("Us", "https://example.com/i.png")
    assert {one.handle: one.status for one in left.handles} == {
        LINE: "left",
        PERSON: "active",
        ANN: "active",
        BEN: "active",
        CAT: "removed",
    }
    assert [one["handle"] for one in of_type(tour, "participant.removed")] == [CAT, LINE]
    assert [one["new_value"] for one in of_type(tour, "chat.group_name_updated")] == ["Us"]
    assert (
        len(of_type(tour, "chat.group_name_update_failed")) == len(of_type(tour, "chat.group_icon_update_failed")) == 1
    )


def test_lines_cards_and_blocks(tour: Tour) -> None:
    """Numbers, cards, capabilities and blocked handles as they were set."""
    assert [one.phone_number for one in tour.made["phone_numbers.list"]] == [LINE, OTHER_LINE]
    assert tour.made["phone_numbers.update"].forwarding_number == "+12025557777"
    assert tour.made["available_number.retrieve"].phone_number == LINE
    assert tour.made["capability.check_i_message"].available is True
    assert tour.made["capability.check_RCS"].available is False
    assert (tour.made["contact_card.update"].first_name, tour.made["contact_card.update"].last_name) == ("Eve", "Bot")
    assert tour.made["contact_card.retrieve"].contact_cards[0].first_name == "Eve"
    assert tour.made["blocked_handles.list"].blocked_handles[0].handle == CAT
    assert tour.made["blocked_handles.block"].blocked_handle.reason == "spam"
    (changed,) = of_type(tour, "phone_number.status_updated")
    assert (changed["new_status"], changed["new_reputation"]) == ("FLAGGED", "AT_RISK")
    (card,) = of_type(tour, "contact_card.received")
    assert (card["sender_handle"], card["first_name"]) == (PERSON, "Pat")


def test_places(tour: Tour) -> None:
    """Where somebody is, and what is behind the bubbles."""
    (feature,) = tour.made["chats.location.retrieve"].data.features

    assert (feature.geometry.coordinates, feature.properties.handle) == ([-122.25, 37.5], PERSON)
    assert tour.made["chats.location.request"].success is True
    backgrounds = [one["background"] for one in of_type(tour, "chat.background_updated")]
    assert [one and one["variant"] for one in backgrounds] == ["dusk", None]
    assert [one["error_code"] for one in of_type(tour, "chat.background_update_failed")] == [2011]
    assert [one["shared_by"] for one in of_type(tour, "location.sharing.stopped")] == [PERSON]


def test_the_type_list_is_the_sdks(tour: Tour) -> None:
    """Exactly the event types the SDK knows can be subscribed to."""
    assert set(tour.made["webhook_events.list"]) == set(get_args(WebhookEventType))


def test_a_changed_webhook_is_refused(tour: Tour) -> None:
    """The verification that accepts all of these refuses one with a changed byte."""
    sdk = AsyncLinqAPIV3(api_key="any")
    one: Received = tour.hooks["2026-02-03"][0]
    changed = json.dumps(one.event | {"partner_id": "somebody else"})

    with pytest.raises(Exception, match="signature"):
        sdk.webhooks.unwrap(changed, headers=one.headers, key=tour.secrets["2026-02-03"])
