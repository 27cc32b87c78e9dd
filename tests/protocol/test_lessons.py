"""What a webhook teaches about whom the bot may write to (linq-api-v3.md sections 9.1, 9.2 and 9.5)."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from linqbot.ids import fact_key
from linqbot.protocol.guard import line_key, person_key
from linqbot.protocol.inbound import read
from linqbot.records import Fact
from tests.linq_fixtures import fixture_bytes

SOMEBODY = person_key("opted-out", "+12025559876")
LINE = line_key("+12025551234")
CHAT = "8f392755-6865-4b18-880a-227f9d8b458f"
WRITTEN = datetime(2026, 2, 5, 19, 31, 13, 736000, tzinfo=UTC)
VERSIONS = ["2026-02-03", "2025-01-01"]


def webhook(name: str) -> dict[str, Any]:
    """A recorded webhook, to be changed."""
    body: dict[str, Any] = json.loads(fixture_bytes(f"{name}.json"))
    return body


def message(
    text: str | None = "Hello!", *, version: str = "2026-02-03", is_group: bool | None = False
) -> dict[str, Any]:
    """Somebody writes `text` (None: something without text) in a direct chat or a group."""
    body = webhook(f"message.received.{version}")
    data = body["data"]
    (data if version == "2026-02-03" else data["message"])["parts"] = (
        [{"type": "media", "id": "m"}] if text is None else [{"type": "text", "value": text}]
    )
    (data["chat"] if version == "2026-02-03" else data)["is_group"] = is_group
    return body


def learned(body: dict[str, Any], *, wanted: bool = False) -> dict[str, Fact]:
    """What ingress asks the store to learn of a webhook."""
    arrival = read(json.dumps(body).encode(), webhook_id="w", wanted=lambda _: wanted).arrival
    return {fact.key: fact for fact in arrival.learn} if arrival else {}


@pytest.mark.parametrize("wanted", [True, False])
@pytest.mark.parametrize("version", VERSIONS)
def test_a_word_in_a_direct_chat_suppresses_its_sender(version: str, *, wanted: bool) -> None:
    """The handle is opted out from the time of the message, for as long as it takes, whoever wants the event."""
    fact = learned(message("STOP", version=version), wanted=wanted)[SOMEBODY]

    assert fact == Fact(key=SOMEBODY, value=b"1", rank=int(WRITTEN.timestamp() * 1000), ttl_ms=0)


@pytest.mark.parametrize("version", VERSIONS)
def test_the_chat_then_names_the_one_who_is_silent(version: str) -> None:
    """Who sends to a chat without knowing who is in it finds the person's own fact through it."""
    fact = learned(message("STOP", version=version))[fact_key("person", CHAT)]

    assert (fact.value, fact.ttl_ms) == (f"{SOMEBODY} {LINE}".encode(), 0)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(
    ("is_group", "told"),
    [(False, f"{SOMEBODY} {LINE}"), (True, LINE), (None, LINE)],
    ids=["direct", "group", "unknown"],
)
def test_a_message_tells_whose_its_chat_is(version: str, told: str, *, is_group: bool | None) -> None:
    """Its line, and its person unless it may be a group: for a day, if the chat is new or was not well lately."""
    fact = learned(message(version=version, is_group=is_group))[fact_key("person", CHAT)]

    assert (fact.value, fact.ttl_ms) == (told.encode(), 86_400_000)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("is_group", [False, True])
@pytest.mark.parametrize("text", ["Hello!", "stop", "START", "", None])
def test_any_other_message_takes_it_back(text: str | None, version: str, *, is_group: bool) -> None:
    """Whatever they write that is no word, with or without text, in a direct chat or a group."""
    fact = learned(message(text, version=version, is_group=is_group))[SOMEBODY]

    assert (fact.value, fact.rank) == (None, int(WRITTEN.timestamp() * 1000))


@pytest.mark.parametrize("version", VERSIONS)
def test_a_word_in_a_group_says_nothing(version: str) -> None:
    """Groups are neither marked nor blocked, and the word is no ordinary message that would clear anything."""
    assert SOMEBODY not in learned(message("STOP", version=version, is_group=True))


@pytest.mark.parametrize("version", VERSIONS)
def test_a_chat_of_unknown_kind_counts_as_direct(version: str) -> None:
    """Where Linq does not say whether it is a group, silence is kept."""
    assert learned(message("STOP", version=version, is_group=None))[SOMEBODY].value == b"1"


def test_a_word_beside_other_texts_is_none() -> None:
    """The whole message counts, not one of its parts."""
    body = message("STOP")
    body["data"]["parts"].append({"type": "text", "value": "that noise"})

    assert learned(body)[SOMEBODY].value is None


def test_history_counts_from_when_it_was_written() -> None:
    """A word that Linq recovered a day late does not silence somebody who wrote since."""
    body = webhook("message.received.2026-02-03.reconciled")
    sent_ms = int(datetime(2026, 2, 5, 19, 31, 13, 74000, tzinfo=UTC).timestamp() * 1000)

    assert learned(body)[SOMEBODY].rank == sent_ms


def test_history_does_not_end_what_a_chat_says_of_a_silent_person() -> None:
    """Recovered after a word for silence it is older than that, and the chat leads to the person as long as that lasts."""
    history, word = learned(webhook("message.received.2026-02-03.reconciled")), message("STOP")
    word["created_at"] = "2026-02-05T19:32:00Z"
    chat = fact_key("person", CHAT)

    assert history[chat].rank == history[SOMEBODY].rank
    assert history[chat].rank < learned(word)[chat].rank


@pytest.mark.parametrize(("status", "value"), [("OPTED_OUT", b"1"), ("HEALTHY", None)])
def test_a_message_without_its_content_is_judged_by_the_chat(status: str, value: bytes | None) -> None:
    """On a line that retains nothing the words are not there; the chat's health says what they were."""
    body = webhook("message.received.2026-02-03.zero-retention")
    body["data"]["chat"]["health_status"]["status"] = status

    assert learned(body)[SOMEBODY].value == value


@pytest.mark.parametrize("status", ["CRITICAL", "HEALTHY", "AT_RISK", "OPTED_OUT", "NEWER"])
def test_a_chat_in_critical_health_is_remembered(status: str) -> None:
    """Its state comes with every message, the last one counts, and is known for a day at most."""
    body = message()
    body["data"]["chat"]["health_status"]["status"] = status

    fact = learned(body)[fact_key("person", CHAT)]

    assert fact.value is not None
    assert (b"CRITICAL" in fact.value.split()) is (status == "CRITICAL")
    assert (fact.rank, fact.ttl_ms) == (int(WRITTEN.timestamp() * 1000), 86_400_000)


@pytest.mark.parametrize(("is_group", "told"), [(False, True), (True, False), (None, False)])
@pytest.mark.parametrize("status", ["CRITICAL", "HEALTHY"])
def test_a_person_leads_to_their_chat_in_critical_health(status: str, *, is_group: bool | None, told: bool) -> None:
    """A send to a handle may not know which chat they have; a group's health is nobody's in particular."""
    body = message(is_group=is_group)
    body["data"]["chat"]["health_status"]["status"] = status

    assert (person_key("health", "+12025559876") in learned(body)) is (told and status == "CRITICAL")


def test_a_chat_that_has_long_been_well_costs_nothing() -> None:
    """What was known of its health would have been forgotten by itself: an ordinary message teaches one fact."""
    body = message()
    body["data"]["chat"]["health_status"]["updated_at"] = (WRITTEN - timedelta(hours=26)).isoformat()

    assert set(learned(body)) == {SOMEBODY}


@pytest.mark.parametrize(("status", "value"), [("FLAGGED", b"1"), ("ACTIVE", None), ("NEWER", None)])
def test_news_of_a_line_is_learned(status: str, value: bytes | None) -> None:
    """A flagged line is remembered, any other status clears it."""
    body = webhook("phone_number.status_updated")
    body["data"]["new_status"] = status

    fact = learned(body)[LINE]

    assert (fact.value, fact.rank) == (
        value,
        int(datetime(2026, 2, 18, 18, 35, 5, 363000, tzinfo=UTC).timestamp() * 1000),
    )


@pytest.mark.parametrize("junk", [None, 5, "soon", [], {}])
@pytest.mark.parametrize(
    "name", ["message.received.2026-02-03", "message.received.2025-01-01", "phone_number.status_updated"]
)
def test_what_has_no_time_teaches_nothing(name: str, junk: object) -> None:
    """Without the time it cannot be put in order with other news."""
    assert learned({**webhook(name), "created_at": junk}) == {}


@pytest.mark.parametrize("junk", [None, 5, "x", [], {}, [5], [{}], [{"type": "text"}], [{"type": "text", "value": 5}]])
@pytest.mark.parametrize("field", ["parts", "sender_handle", "chat", "phone_number", "new_status"])
@pytest.mark.parametrize("name", ["message.received.2026-02-03", "phone_number.status_updated"])
def test_odd_payloads_teach_what_they_can(name: str, field: str, junk: object) -> None:
    """Whatever Linq sends, learning from it is no error."""
    body = webhook(name)
    body["data"][field] = junk

    assert all(isinstance(fact, Fact) for fact in learned(body).values())
