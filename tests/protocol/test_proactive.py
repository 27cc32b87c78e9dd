"""Messages that the bot begins, as frozen requests."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from linqbot.emulator.names import Names
from linqbot.emulator.rules import check_first, read_content
from linqbot.emulator.vault import Vault
from linqbot.errors import ReplyError
from linqbot.ids import fact_key, send_key
from linqbot.protocol.guard import line_key, person_key
from linqbot.protocol.proactive import Cause, begin, chat_fact, lane_of
from linqbot.records import OutboxItem, Repeat
from linqbot.replies import Link, Markdown, Media, Reply, Send, Text, bold
from linqbot.testing.clock import TurnedClock
from tests.protocol.wire import message_of

LINE = "+12025550100"
ALICE, BOB = "+12025559876", "+12025559877"
CHAT = "8f392755-6865-4b18-880a-227f9d8b458f"
TARGET = "89e3566e-1d13-49e5-a8ee-48490d5bfeb7"
CAUSE = Cause(namespace="bot", event_id="e1", handler="weekly", line=LINE, now_ms=1_000)
ANYWHERE = replace(CAUSE, line=None)
PICTURE = Media(url="https://example.com/a.png")
VAULT = Vault(Names(0), TurnedClock())


def body_of(item: OutboxItem) -> dict[str, Any]:
    """The whole body of a request."""
    body: dict[str, Any] = json.loads(item.request.body or b"")
    return body


def plain_of(item: OutboxItem) -> dict[str, Any]:
    """The body of what is sent when the chat is gone."""
    assert item.plain is not None
    body: dict[str, Any] = json.loads(item.plain.body or b"")
    return body


def words(items: tuple[OutboxItem, ...]) -> list[list[str]]:
    """The words of each bubble."""
    return [[part.get("value", "media") for part in message_of(item)["parts"]] for item in items]


def test_with_a_line_a_chat_is_opened_from_it() -> None:
    """The key is in the body (linq-api-v3.md sections 4 and 7.1)."""
    [item] = begin(Send(ALICE, "Shipped.", key="ship:42"), CAUSE)

    key = send_key("bot", "ship:42", 0)
    message = {"parts": [{"type": "text", "value": "Shipped."}], "idempotency_key": key}
    assert (item.request.method, item.request.path) == ("POST", "/v3/chats")
    assert body_of(item) == {"from": LINE, "to": [ALICE], "message": message}
    assert (item.key, item.plain, item.repeat) == (key, None, Repeat.KEYED)


def test_without_a_line_linq_picks_one() -> None:
    """The key is in the body here, too (linq-api-v3.md section 7.2)."""
    [item] = begin(Send([BOB, ALICE], "Dinner?", key="dinner"), ANYWHERE)

    assert item.request.path == "/v3/messages"
    assert body_of(item)["to"] == [ALICE, BOB]
    assert body_of(item)["message"]["idempotency_key"] == item.key
    assert "from" not in body_of(item)


def test_its_own_line_wins() -> None:
    """What a send says about itself is nearest."""
    [item] = begin(Send(ALICE, "hi", line="+12025550101"), CAUSE)

    assert body_of(item)["from"] == "+12025550101"


def test_a_chat_by_its_id_is_written_to_like_any_other() -> None:
    """No recipients, no opening: only its own lane and budget."""
    [item] = begin(Send(CHAT, Reply("hi", effect="confetti"), key="k"), CAUSE)

    assert item.request.path == f"/v3/chats/{CHAT}/messages"
    assert (item.lane, item.pair, item.plain) == (f"chat:{CHAT}", CHAT, None)
    assert message_of(item)["effect"] == {"type": "screen", "name": "confetti"}


def test_a_chat_that_is_known_is_written_to_and_opened_anew_if_it_is_gone() -> None:
    """The second form has its own key and nothing that Linq refuses in a first message."""
    reply = Reply("hi", effect="confetti", reply_to=TARGET)
    [item] = begin(Send(ALICE, reply, key="k"), CAUSE, chat_id=CHAT)

    assert (item.request.path, item.lane) == (f"/v3/chats/{CHAT}/messages", f"chat:{CHAT}")
    assert {"effect", "reply_to"} <= {*message_of(item)}
    assert item.plain is not None
    assert item.plain.path == "/v3/chats"
    assert plain_of(item)["message"] == {"parts": [{"type": "text", "value": "hi"}], "idempotency_key": item.plain_key}
    assert item.plain_key != item.key == send_key("bot", "k", 0)


def test_the_lane_of_somebody_new_is_of_line_and_recipients() -> None:
    """The same in any order of the recipients; another for another line; and no number is in it."""
    both, turned = Send([ALICE, BOB], "hi"), Send([BOB, ALICE], "hi")

    assert lane_of(both, LINE) == lane_of(turned, LINE) != lane_of(both, None)
    assert lane_of(both, LINE) != lane_of(Send(ALICE, "hi"), LINE)
    assert lane_of(both, LINE).startswith("to:")
    assert "2025" not in lane_of(Send(ALICE, "hi"), LINE)
    assert chat_fact(both, LINE) == fact_key("lane", lane_of(both, LINE))
    assert chat_fact(Send(CHAT, "hi"), LINE) is None


def test_it_waits_behind_answers_and_spends_the_budget_of_its_pair() -> None:
    """Nobody waits for it."""
    [item] = begin(Send(ALICE, "hi"), CAUSE)

    assert item.broadcast
    assert (item.pair, item.units, item.line) == (item.lane, 1, line_key(LINE))


def test_what_is_known_of_person_line_and_chat_is_asked_for() -> None:
    """Opt-outs and blocks are a person's; in a group they do not count (linq-api-v3.md section 9.1)."""
    person = {person_key("opted-out", ALICE), person_key("blocked", ALICE)}
    line, chat = line_key(LINE), {fact_key("person", CHAT)}

    [new] = begin(Send(ALICE, "hi"), CAUSE)
    [known] = begin(Send(ALICE, "hi"), CAUSE, chat_id=CHAT)
    [group] = begin(Send([ALICE, BOB], "hi"), CAUSE)
    [by_id] = begin(Send(CHAT, "hi"), CAUSE)
    assert {*new.guards} == {*person, line, person_key("health", ALICE)}
    assert {*known.guards} == {*person, line, *chat, chat_fact(Send(ALICE, "hi"), LINE)}
    assert {*group.guards} == {line}
    assert {*by_id.guards} == chat


def test_a_keyed_send_is_appended_once() -> None:
    """Without a key it is once for its event, which the event's own end sees to."""
    [keyed] = begin(Send(ALICE, "hi", key="k"), CAUSE)
    [own] = begin(Send(ALICE, "hi"), CAUSE)

    assert (keyed.once, own.once) == (keyed.key, "")


def test_keys_depend_on_the_key_alone() -> None:
    """Another event, handler, place or process makes the same; what is known of the chat does not count."""
    send = Send(ALICE, ["Shipped: https://example.com/1", Reply("bye", effect="echo")], key="k" * 1_000)
    elsewhere = Cause(namespace="bot", event_id="e9", handler="other", position=7, line=LINE, now_ms=9)

    keys = [item.key for item in begin(send, CAUSE)]
    assert keys == [item.key for item in begin(send, elsewhere, chat_id=CHAT)]
    assert keys == [send_key("bot", "k" * 1_000, position) for position in range(3)]


def test_without_a_key_its_place_in_the_turn_is_the_key() -> None:
    """Two sends of one turn are two messages, and each is the same on every run."""
    one, two = (begin(Send(ALICE, "hi"), replace(CAUSE, position=position))[0].key for position in (0, 1))

    assert one != two
    assert one == begin(Send(BOB, "ho"), CAUSE)[0].key


def test_several_bubbles_are_several_items_in_order() -> None:
    """As in replies: two texts, or a text and a link, are two bubbles."""
    items = begin(Send(ALICE, ["one", Reply("two", Link("https://example.com"))], key="k"), CAUSE)

    assert words(items) == [["one"], ["two"], ["https://example.com"]]
    assert len({item.key for item in items}) == 3
    assert {item.lane for item in items} == {lane_of(Send(ALICE, "x"), LINE)}


SITE = "https://example.com"
OPENINGS: list[tuple[str, Any, list[list[str]]]] = [
    ("7.1 no URL in a text", f"See {SITE}/1 now", [["See"], [f"{SITE}/1 now"]]),
    ("7.1 no URL in a text: without a scheme", "See www.example.com", [["See"], ["www.example.com"]]),
    ("7.1 no URL in a text: its bracket goes with it", f"Menu ({SITE}/m) here", [["Menu"], [f"({SITE}/m) here"]]),
    ("7.1 no URL in a text: a link in Markdown", Markdown(f"[Menu]({SITE}/m)"), [["Menu"], [f"({SITE}/m)"]]),
    ("7.1 no URL in any text: the second goes as it is", ["Hi", SITE], [["Hi"], [SITE]]),
    ("7.1 no URL in any text: it waits", [SITE, "Hi"], [["Hi"], [SITE]]),
    ("7.1 no link part: it waits", [Link(SITE), "Hi", "Bye"], [["Hi"], [SITE], ["Bye"]]),
    ("7.1 no link part, 6.1 alone", Reply(Link(SITE), "Hi"), [["Hi"], [SITE]]),
    ("7.1 media may be there", Reply(PICTURE, "at www.example.com"), [["media", "at"], ["www.example.com"]]),
    ("7.1 any text: behind media, too", Reply("a", PICTURE, "www.a.com"), [["a", "media"], ["www.a.com"]]),
    ("7.1 what is no URL", "no scheme: example dot com", [["no scheme: example dot com"]]),
]


@pytest.mark.parametrize(("source", "reply", "said"), OPENINGS, ids=[row[0] for row in OPENINGS])
def test_no_address_is_in_the_first_message_to_somebody_new(source: str, reply: Any, said: list[list[str]]) -> None:
    """What may not go first goes second, and nothing is left out; the emulator, a witness of its own, takes the first."""
    first, *others = begin(Send(ALICE, reply), CAUSE)

    assert words((first, *others)) == said, source
    check_first(read_content(body_of(first), VAULT, people=(LINE, ALICE), is_group=False))


@pytest.mark.parametrize(
    ("source", "reply"),
    [
        ("7.1 no URL in a text", SITE),
        ("7.1 no link part", Link(SITE)),
        ("7.1 no URL in any text", ["www.a.com", "ftp://b.c"]),
        ("7.1 neither", [Link(SITE), SITE]),
    ],
)
def test_what_cannot_open_a_chat_is_refused_by_name(source: str, reply: Any) -> None:
    """Nothing but addresses: there are no words to begin with."""
    with pytest.raises(ReplyError, match="begin with words"):
        begin(Send(ALICE, reply), CAUSE)


@pytest.mark.parametrize(
    ("source", "to", "cause", "chat_id"),
    [
        ("7.1 only when a new chat results: it is known", ALICE, CAUSE, CHAT),
        ("7.1 only when a new chat results: by its id", CHAT, CAUSE, None),
        ("7.2 may contain a link here", ALICE, ANYWHERE, None),
    ],
)
@pytest.mark.parametrize("reply", [SITE, Link(SITE)])
def test_a_link_may_go_first_where_the_chat_is_there_or_linq_picks_the_line(
    source: str, to: str, cause: Cause, chat_id: str | None, reply: Any
) -> None:
    """Nothing is postponed that Linq takes."""
    assert words(begin(Send(to, reply), cause, chat_id=chat_id)) == [[SITE]], source


@pytest.mark.parametrize("cause", [CAUSE, ANYWHERE], ids=["line", "anywhere"])
def test_the_first_message_has_no_effect_and_nothing_new_is_threaded(cause: Cause) -> None:
    """Left out in the first (linq-api-v3.md sections 6.2 and 7.1); the second is sent into a chat that is there."""
    first, second = begin(Send(ALICE, [Reply("a", effect="echo", reply_to=TARGET), Reply("b", effect="echo")]), cause)

    assert {*message_of(first)} == {"parts", "idempotency_key"}
    assert message_of(second)["effect"] == {"type": "screen", "name": "echo"}


def test_what_is_parted_keeps_its_formatting() -> None:
    """Each part has the decorations of its words, in UTF-16 units; Markdown is read before it is parted."""
    said = begin(Send(ALICE, ["Come 👋 " + bold("now www.a.com"), Markdown("**or** later")]), CAUSE)

    parts = [message_of(item)["parts"][0] for item in said]
    assert [(part["value"], part["text_decorations"][0]["range"]) for part in parts] == [
        ("Come 👋 now", [8, 11]),
        ("www.a.com", [0, 9]),
        ("or later", [0, 2]),
    ]


def test_what_linq_would_refuse_is_refused_by_name() -> None:
    """As for replies, before anything is stored."""
    with pytest.raises(ReplyError, match="attachment_id is none of Linq's"):
        begin(Send(ALICE, Media(attachment_id="mine")), CAUSE)


TEXTS = st.lists(st.sampled_from([*"ab.: \n👋", " https://x.io "]), min_size=1).map("".join).filter(str.strip)


@given(st.lists(TEXTS, min_size=1, max_size=4), st.booleans())
def test_parting_loses_and_changes_no_word(texts: list[str], known: bool) -> None:
    """Whatever is said is said, but for blanks at a cut; or it is refused by name."""
    try:
        items = begin(Send(ALICE, [Text(text) for text in texts]), CAUSE, chat_id=CHAT if known else None)
    except ReplyError:
        assert all("https://x.io" in text for text in texts)
        return

    said = sorted("".join("".join(bubble) for bubble in words(items)))
    assert [char for char in said if not char.isspace()] == [char for char in sorted("".join(texts)) if char.strip()]
    assert known or "https://" not in "".join(words(items)[0])
