"""What a webhook becomes before it is stored: an arrival in a lane, a receipt, or nothing."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from linqbot.errors import PayloadError
from linqbot.events import Message, parse_event
from linqbot.ids import idempotency_key
from linqbot.protocol.guard import kind_of
from linqbot.protocol.inbound import Inbound, event_of, read
from linqbot.records import Arrival, InboxItem, Receipt

FIXTURES = Path(__file__).resolve().parents[1] / "fixtures" / "linq"
WEBHOOKS = [
    entry["file"] for entry in json.loads((FIXTURES / "index.json").read_text())["files"] if entry["kind"] == "webhook"
]
BODIES = [json.loads((FIXTURES / name).read_text()) for name in WEBHOOKS]

OURS = idempotency_key("bot", "e", "echo", 0)
CHAT = "0c961e93-e7bf-4db2-bf7b-ea06826bcab4"
SENT = "347d62c2-2170-4754-8d30-c76d0c727d96"


def _everything(event_type: str) -> bool:
    return True


def _nothing(event_type: str) -> bool:
    return False


def _body(name: str, **changes: object) -> bytes:
    body = json.loads((FIXTURES / f"{name}.json").read_text())
    body["data"].update(changes)
    return json.dumps(body).encode()


def _read(body: bytes, wanted: Callable[[str], bool] = _everything) -> Inbound:
    return read(body, webhook_id="w1", wanted=wanted)


def _kept(body: bytes) -> InboxItem:
    arrival = _read(body).arrival
    assert arrival is not None
    assert arrival.item is not None
    return arrival.item


@pytest.mark.parametrize("version", ["2026-02-03", "2025-01-01"])
def test_a_message_waits_in_the_lane_of_its_chat(version: str) -> None:
    """A message is kept byte for byte in its chat's lane, remembered by event and by message."""
    body = _body(f"message.received.{version}")

    inbound = _read(body)

    event_id, chat_id = "2915e81c-5068-4796-ace2-21d2c94ad298", "8f392755-6865-4b18-880a-227f9d8b458f"
    message_id = "89e3566e-1d13-49e5-a8ee-48490d5bfeb7"
    assert (inbound.event_id, inbound.type) == (event_id, "message.received")
    assert (inbound.chat_id, inbound.message_id) == (chat_id, message_id)
    assert inbound.created_at == datetime(2026, 2, 5, 19, 31, 13, 736444, tzinfo=UTC)
    assert inbound.arrival is not None
    assert replace(inbound.arrival, learn=()) == Arrival(
        remember=(f"e:{event_id}", f"m:{message_id}"),
        item=InboxItem(event_id=event_id, lane=f"chat:{chat_id}", type="message.received", body=body),
    )


def test_a_kept_message_is_read_again_for_its_handler() -> None:
    """What ingress kept is the same event when its turn comes."""
    event = event_of(_kept(_body("message.received.2026-02-03")))

    assert isinstance(event, Message)
    assert event.text == "Hello!"


def test_an_unwanted_event_leaves_nothing() -> None:
    """What no handler wants is neither stored nor remembered."""
    inbound = _read(_body("participant.added"), _nothing)

    assert inbound.arrival is None
    assert inbound.chat_id is not None


def test_of_an_unwanted_message_only_its_lesson_is_kept() -> None:
    """That somebody wrote again counts for every send, whoever wants to handle the message."""
    arrival = _read(_body("message.received.2026-02-03"), _nothing).arrival

    assert arrival is not None
    assert (arrival.item, arrival.remember, arrival.receipt) == (None, (), None)
    assert {kind_of(fact.key) for fact in arrival.learn} == {"opted-out", "person"}


def test_an_unwanted_event_may_be_as_odd_as_it_likes() -> None:
    """An event that nobody wants is not quarantined for the ids it lacks."""
    arrival = _read(_body("message.received.2026-02-03", id=None), _nothing).arrival

    assert arrival is not None
    assert arrival.item is None


@pytest.mark.parametrize("version", ["2026-02-03", "2025-01-01"])
@pytest.mark.parametrize("status", ["sent", "delivered"])
def test_news_under_a_key_of_ours_is_a_receipt(version: str, status: str) -> None:
    """A message that we sent is a receipt for its out lane although no handler wants it, and is not remembered."""
    inbound = _read(_body(f"message.{status}.{version}", idempotency_key=OURS), _nothing)

    assert inbound.arrival == Arrival(receipt=Receipt(lane=f"chat:{CHAT}", key=OURS, message_id=SENT, status=status))


def test_a_receipt_that_a_handler_wants_waits_beside_the_chat() -> None:
    """Wanted news settles the send at once, and waits for its handler in a lane of its own."""
    inbound = _read(_body("message.read.2026-02-03", idempotency_key=OURS))

    assert inbound.arrival is not None
    assert inbound.arrival.receipt is not None
    assert inbound.arrival.receipt.status == "read"
    assert inbound.arrival.item is not None
    assert inbound.arrival.item.lane == f"out:{inbound.chat_id}" == inbound.lane
    assert inbound.arrival.remember == (f"e:{inbound.event_id}",)


@pytest.mark.parametrize(
    ("name", "changes", "lane"),
    [
        ("message.sent.2026-02-03", {"idempotency_key": None}, "chat"),
        ("message.failed.2026-02-03", {}, "chat"),
        ("message.failed.2026-02-03", {"chat_id": None}, ""),
        ("poll.delivered", {}, "chat"),
    ],
)
def test_news_without_a_key_is_a_receipt_by_message_id(name: str, changes: dict[str, Any], lane: str) -> None:
    """Failures and polls have none; the id tells whose they are, if we know it."""
    inbound = _read(_body(name, **changes), _nothing)

    assert inbound.arrival is not None
    receipt = inbound.arrival.receipt
    assert receipt is not None
    assert receipt.key == ""
    assert receipt.message_id == inbound.message_id
    assert receipt.status == name.split(".")[1]
    assert receipt.lane == (f"chat:{inbound.chat_id}" if lane else "")


def test_news_of_no_message_is_no_receipt() -> None:
    """A failure may come without the id."""
    assert _read(_body("message.failed.2026-02-03", message_id=None), _nothing).arrival is None


@pytest.mark.parametrize("key", ["bot-reply-0001", 5, "lb1_" + "x" * 255])
def test_news_under_a_foreign_key_is_no_receipt(key: object) -> None:
    """A message that somebody else sent over our line settles nothing."""
    assert _read(_body("message.sent.2026-02-03", idempotency_key=key), _nothing).arrival is None


def test_a_message_that_came_in_is_never_a_receipt() -> None:
    """Only news of what was sent can settle; a key on an inbound message means nothing."""
    arrival = _read(_body("message.received.2026-02-03", idempotency_key=OURS)).arrival

    assert arrival is not None
    assert arrival.receipt is None


@pytest.mark.parametrize("lost", [{"chat": None}, {"id": None}, {"chat": {"id": "x" * 256}}])
def test_news_that_cannot_be_placed_is_no_receipt(lost: dict[str, Any]) -> None:
    """Without chat or message the news settles nothing."""
    assert _read(_body("message.sent.2026-02-03", idempotency_key=OURS, **lost), _nothing).arrival is None


@pytest.mark.parametrize(
    ("name", "lane"),
    [
        ("reaction.added", "chat:550e8400-e29b-41d4-a716-446655440000"),
        ("chat.created.2025-01-01", "chat:550e8400-e29b-41d4-a716-446655440000"),
        ("poll.vote.added", "chat:8f392755-6865-4b18-880a-227f9d8b458f"),
        ("location.sharing.started", "chat:8f392755-6865-4b18-880a-227f9d8b458f"),
        ("message.edited.2026-02-03", "chat:8f392755-6865-4b18-880a-227f9d8b458f"),
        ("message.failed.2026-02-03", "out:550e8400-e29b-41d4-a716-446655440000"),
        ("message.sent.2026-02-03", f"out:{CHAT}"),
        ("poll.delivered", "out:8f392755-6865-4b18-880a-227f9d8b458f"),
        ("chat.typing_indicator.started", "out:550e8400-e29b-41d4-a716-446655440000"),
        ("phone_number.status_updated", "type:phone_number.status_updated"),
        ("payment.succeeded", "type:payment.succeeded"),
        ("api_token.created", "type:api_token.created"),
    ],
)
def test_each_event_has_its_lane(name: str, lane: str) -> None:
    """Events wait with their chat, news of our own and typing beside it, and the rest with their like."""
    item = _kept(_body(name))

    assert item.lane == lane


def test_a_failure_that_names_no_chat_waits_with_its_like() -> None:
    """The message id is there for whoever knows which chat it was in."""
    inbound = _read(_body("message.failed.2026-02-03", chat_id=None))

    assert (inbound.lane, inbound.message_id) == ("type:message.failed", "550e8400-e29b-41d4-a716-446655440001")


def test_the_webhook_id_serves_where_the_body_has_none() -> None:
    """A body without an event id is remembered, and read later, under the id of its delivery."""
    body = json.dumps({"event_type": "call.ringing", "data": {}}).encode()

    item = _kept(body)

    assert (item.event_id, event_of(item).event_id) == ("w1", "w1")


@pytest.mark.parametrize("name", WEBHOOKS)
def test_every_recorded_webhook_can_be_kept_and_read_again(name: str) -> None:
    """Each recorded webhook, sent pretty or compact, is the same event after it was stored."""
    body = (FIXTURES / name).read_bytes()

    event = event_of(InboxItem.from_bytes(_kept(body).to_bytes()))

    assert event == parse_event(json.loads(body))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"not json",
        b"null",
        b"[]",
        b'"text"',
        b"{",
        b'\xef\xbb\xbf{"event_type":"a","event_id":"b"}',
        '{"event_type":"a","event_id":"b"}'.encode("utf-16"),
        b'{"event_type":"a","event_id":"\xff"}',
        b'{"event_type":"a","event_id":"b","x":NaN}',
        b'{"event_type":"a","event_id":"b","x":-Infinity}',
        b'{"event_type":"a","event_id":"b","x":1e999}',
        b'{"event_type":"a","event_id":"b","x":' + b"9" * 5_000 + b"}",
        b'{"event_type":"a","event_id":"b","x":' + b"[" * 100_000,
        b'{"event_type":"a","event_id":"b","x":' + b"[" * 64 + b"]" * 64 + b"}",
        b'{"event_type":"a","event_id":"b","x":' + b'{"y":' * 900 + b"1" + b"}" * 901,
        b'{"event_type":"a"} trailing',
        b'{"event_type":"a","event_id":7}',
        b'{"event_type":7,"event_id":"b"}',
        b'{"event_id":"b"}',
    ],
)
def test_a_body_that_is_no_event_is_refused(body: bytes) -> None:
    """What cannot be read now cannot be read later: one error, for the dead letters, without the content."""
    with pytest.raises(PayloadError) as refused:
        _read(body)

    assert refused.value.__suppress_context__ or refused.value.__context__ is None


def test_a_body_may_nest_as_deep_as_is_sensible() -> None:
    """Sixty-three lists within each other are odd, but harmless."""
    body = b'{"event_type":"a","event_id":"b","x":' + b"[" * 63 + b"]" * 63 + b"}"

    assert _kept(body).event_id == "b"


def test_many_brackets_in_a_text_are_no_nesting() -> None:
    """A message made of brackets is a message."""
    parts = [{"type": "text", "value": "{[" * 10_000}]

    event = event_of(_kept(_body("message.received.2026-02-03", parts=parts)))

    assert isinstance(event, Message)
    assert event.text == "{[" * 10_000


@pytest.mark.parametrize(
    ("escaped", "text"), [("a\\ud83d", "a�"), ("\\udc40b", "�b"), ("a\\u0000b", "a�b"), ("\\ud83d\\udc40", "👀")]
)
def test_half_characters_are_replaced(escaped: str, text: str) -> None:
    """Text that UTF-8 cannot carry is made whole before anybody sees it; a pair of halves is a character."""
    body = _body("message.received.2026-02-03").replace(b"Hello!", escaped.encode())

    event = event_of(_kept(body))

    assert isinstance(event, Message)
    assert event.text == text
    assert json.dumps(event.raw, ensure_ascii=False).encode()


def test_half_characters_in_names_and_ids_are_replaced() -> None:
    """Ids and field names can always be written down."""
    body = b'{"event_type":"a","event_id":"b\\ud800","data":{"chat_id":"c\\udfff","x\\ud800":1}}'

    item = _kept(body)

    assert item.lane.encode()
    assert (item.event_id, event_of(item).event_id) == ("b�", "b�")


JUNK = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**30), 10**30)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8)
    | st.text(st.characters(min_codepoint=0xD800, max_codepoint=0xDFFF), max_size=2)
    | st.sampled_from(["x" * 300, "2026-02-05T19:31:13.736444093Z", "text", "media", "outbound"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(max_size=4) | st.sampled_from(["id", "type", "parts"]), inner, max_size=3)
    ),
    max_leaves=6,
)


def _paths(value: object, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(deeper for name, item in inner for deeper in _paths(item, (*path, name)))]


def _with(value: Any, path: tuple[Any, ...], junk: object) -> Any:
    if not path:
        return junk
    changed = dict(value) if isinstance(value, dict) else list(value)
    changed[path[0]] = _with(changed[path[0]], path[1:], junk)
    return changed


@st.composite
def _spoiled(draw: st.DrawFn) -> bytes:
    body = draw(st.sampled_from(BODIES))
    for _ in range(draw(st.integers(1, 3))):
        body = _with(body, draw(st.sampled_from(_paths(body))), draw(JUNK))
    return json.dumps(body).encode()


@given(_spoiled())
@settings(max_examples=600, deadline=None)
def test_whatever_is_kept_can_be_read(body: bytes) -> None:
    """A webhook with anything in place of anything is refused at once, or becomes an event that can be shown and stored."""
    try:
        item = _kept(body)
    except PayloadError:
        return

    event = event_of(item)

    assert event.event_id == item.event_id
    assert InboxItem.from_bytes(item.to_bytes()) == item
    assert json.dumps(event.raw, ensure_ascii=False).encode()
    assert repr(event).encode()
    assert event.chat_id is None or isinstance(event.chat_id, str)
    assert isinstance(getattr(event, "text", "").encode(), bytes)


@given(_spoiled())
@settings(max_examples=200, deadline=None)
def test_parsed_json_of_any_kind_is_an_event_or_refused(body: bytes) -> None:
    """Reading an event from parsed JSON knows one error only, half characters included."""
    parsed = json.loads(body)
    if not isinstance(parsed, dict):
        return

    try:
        event = parse_event(parsed)
    except PayloadError:
        return

    assert event.raw is parsed


@given(st.binary(max_size=200))
@settings(max_examples=300, deadline=None)
def test_any_bytes_are_read_or_refused(body: bytes) -> None:
    """No bytes lead to another error."""
    with pytest.raises(PayloadError):
        _read(b"\x00" + body)
