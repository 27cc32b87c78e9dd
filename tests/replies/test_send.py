"""A message to somebody else, checked where it is written."""

from __future__ import annotations

import pytest

from linqbot.errors import ReplyError
from linqbot.replies import NEXT, Link, Reply, Send, Text, compose

ALICE, BOB = "+12025559876", "bob@example.com"
CHAT = "8f392755-6865-4b18-880a-227f9d8b458f"


@pytest.mark.parametrize(
    ("to", "recipients", "chat_id"),
    [
        (ALICE, (ALICE,), None),
        (BOB, (BOB,), None),
        ([BOB, ALICE], (ALICE, BOB), None),
        ((ALICE, BOB, ALICE), (ALICE, BOB), None),
        (CHAT, (), CHAT),
    ],
)
def test_it_goes_to_a_person_a_group_or_a_chat(to: str | list[str], recipients: object, chat_id: object) -> None:
    """A group is the same in any order, and nobody is in it twice."""
    send = Send(to, "hi")

    assert (send.recipients, send.chat_id) == (recipients, chat_id)


def test_error_says_which_of_several_recipients_is_wrong() -> None:
    """By its place, for the number itself is never shown."""
    with pytest.raises(ReplyError, match=r"^recipient 2 of the list is neither"):
        Send([ALICE, "555-0177"], "hi")


@pytest.mark.parametrize(
    "to",
    ["", "12025559876", "+1 202 555 9876", "Bob", [], [ALICE, "Bob"], None, 5, {ALICE: 1}, f"{ALICE},{ALICE}"],
    ids=str,
)
def test_what_is_no_recipient_is_refused(to: object) -> None:
    """Neither E.164 nor an email address nor an id: the error says what is allowed, and shows nobody's number."""
    with pytest.raises(ReplyError) as caught:
        Send(to, "hi")  # type: ignore[arg-type]  # what the checker would find

    assert "2025559876" not in str(caught.value)


def test_a_group_has_31_people_at_most() -> None:
    """Linq takes no more (linq-api-v3.md section 7.1)."""
    people = [f"+1202555{number:04}" for number in range(32)]

    assert len(Send(people[:31], "hi").recipients) == 31
    with pytest.raises(ReplyError, match="1 to 31 people, not to 32"):
        Send(people, "hi")


@pytest.mark.parametrize("reply", ["hi", Text("hi"), Reply("hi"), ["hi"], ("hi", None, "")])
def test_it_says_what_a_handler_may_return(reply: object) -> None:
    """The same values mean the same, and nothing in a list is nothing."""
    assert Send(ALICE, reply).replies == (Reply("hi"),)  # type: ignore[arg-type]  # one type for many


@pytest.mark.parametrize("reply", [None, "", [], NEXT, 5, ["hi", NEXT]], ids=repr)
def test_what_says_nothing_is_refused(reply: object) -> None:
    """A send without words is a mistake that would go unnoticed."""
    with pytest.raises(ReplyError):
        Send(ALICE, reply)  # type: ignore[arg-type]  # what the checker would find


def test_a_send_holds_no_other() -> None:
    """Two sends stand side by side in a list."""
    with pytest.raises(ReplyError, match="beside it"):
        Send(ALICE, Send(BOB, "hi"))


@pytest.mark.parametrize("key", ["", 5, b"ship:42"])
def test_a_key_is_a_word(key: object) -> None:
    """What is no key is refused before a message depends on it."""
    with pytest.raises(ReplyError, match="ship:42"):
        Send(ALICE, "hi", key=key)  # type: ignore[arg-type]  # what the checker would find


@pytest.mark.parametrize("line", ["", "12025550100", "bot@example.com"])
def test_a_line_is_a_phone_number(line: str) -> None:
    """One's own numbers are in E.164."""
    with pytest.raises(ReplyError, match="line="):
        Send(ALICE, "hi", line=line)


def test_compose_leaves_it_as_it_is() -> None:
    """Alone, among bubbles, and in lists of lists, in order."""
    one, two = Send(ALICE, "one"), Send(BOB, "two")

    assert compose(one) == (one,)
    assert compose(["hi", [one, two]]) == (Reply("hi"), one, two)


def test_its_repr_shows_neither_number_nor_words() -> None:
    """It may end in a log."""
    assert repr(Send(ALICE, ["secret", Link("https://example.com")])) == "Send(to 1 recipients, 2 replies)"
