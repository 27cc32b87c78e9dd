"""What can be said, and what is refused when it is built."""

from __future__ import annotations

from typing import Any

import pytest

from linqbot.errors import ReplyError
from linqbot.replies import Link, Media, Reply, Target, Text


def test_plain_string_is_a_text_part() -> None:
    """A `str` in a reply stands for a text."""
    assert Reply("hi").parts == (Text("hi"),)


def test_replies_are_values() -> None:
    """Two replies that say the same are equal, and can be put into sets."""
    assert {Reply("hi", effect="slam")} == {Reply("hi", effect="slam")}


def test_reply_without_parts_is_refused() -> None:
    """An empty list of parts is an error where it is written."""
    with pytest.raises(ReplyError, match="needs at least one part; return None"):
        Reply()


def test_empty_text_part_is_refused() -> None:
    """Linq takes 1 character at the least (linq-api-v3.md section 6.1)."""
    with pytest.raises(ReplyError, match="a text part is empty"):
        Reply("")


def test_foreign_part_is_refused_by_type_and_never_by_value() -> None:
    """The error names the type of what is no part, and keeps its content to itself."""
    wrong: Any = {"card": "4111-1111"}

    with pytest.raises(
        ReplyError,
        match="of type dict; parts are str, Text, Markdown, Mention, InlineSticker, Media, Link, AppCard or AppClip",
    ) as caught:
        Reply("ok", wrong)

    assert "4111" not in str(caught.value)


def test_unknown_effect_is_refused_with_the_allowed_ones() -> None:
    """An effect Linq does not know is an error that lists those it knows."""
    wrong: Any = "confeti"

    with pytest.raises(
        ReplyError,
        match=r"effect is not one that Linq has, did you mean 'confetti'\?; choose one of confetti, .*slam, .*invisible",
    ):
        Reply("hi", effect=wrong)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            {"thread": "always"},
            "^thread is not one that Linq has; choose one of first, every, auto, never",
        ),
        (
            {"preferred_service": "sms"},
            r"^preferred_service is not one that Linq has, did you mean 'SMS'\?; choose one of iMessage, SMS, RCS",
        ),
        ({"effect": "Slam"}, r"^effect is not one that Linq has, did you mean 'slam'\?; choose one of confetti"),
        ({"effect": "wobble"}, "^effect is not one that Linq has; choose one of confetti"),
        ({"effect": 3}, "effect is not one that Linq has: it is of type int; choose one of confetti"),
        ({"ref": ""}, "ref is a name of your own"),
        ({"ref": "order \ud83d"}, "ref holds half a character"),
    ],
)
def test_unknown_word_is_refused_with_the_allowed_ones(words: dict[str, Any], said: str) -> None:
    """Every option of a reply is checked when the reply is built."""
    with pytest.raises(ReplyError, match=said):
        Reply("hi", **words)


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/a.png",
        "ftp://example.com/a.png",
        "example.com/a.png",
        "https://",
        "https://[",
        "https://example.com:99999/a.png",
        "data:image/png;,",
    ],
)
def test_media_url_that_is_not_https_is_refused(url: str) -> None:
    """Linq fetches media over HTTPS only, and the error does not repeat the address."""
    with pytest.raises(ReplyError, match="a media url") as caught:
        Media(url=url)

    assert "example.com" not in str(caught.value)


def test_media_with_both_sources_is_refused() -> None:
    """url and attachment id exclude each other."""
    with pytest.raises(
        ReplyError, match="exactly one of url=, data=, path= and attachment_id=, and got url= and attachment_id="
    ):
        Media(url="https://example.com/a.png", attachment_id="0b0c2f6e-6a10-4a1d-9d51-9a1f6c0a7b11")


def test_media_without_a_source_is_refused() -> None:
    """Media are either fetched or uploaded."""
    with pytest.raises(ReplyError, match="exactly one of url=, data=, path= and attachment_id=, and got none"):
        Media()


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("", "must begin http"),
        ("example.com", "must begin http"),
        ("javascript:alert(1)", "must begin http"),
        ("https://example.com/a b", "holds a blank"),
        ("https://example.com/\ud800", "holds a blank or a control character"),
        ("https://example.com/" + "a" * 2030, "has 2050 characters; Linq takes 2048"),
    ],
)
def test_link_that_is_no_address_is_refused(address: str, said: str) -> None:
    """A link is an address with a scheme, of at most 2048 characters."""
    with pytest.raises(ReplyError, match=said):
        Link(address)


def test_longest_link_is_taken() -> None:
    """2048 characters are within Linq's limit."""
    assert len(Link("https://example.com/" + "a" * 2028).value) == 2048


class Received:
    """A message, as far as a reply looks at it."""

    id = "89e3566e-1d13-49e5-a8ee-48490d5bfeb7"


@pytest.mark.parametrize(
    ("reply_to", "target"),
    [
        ("abc", Target("abc", 0)),
        (("abc", 2), Target("abc", 2)),
        (Received(), Target(Received.id, 0)),
        ((Received(), 1), Target(Received.id, 1)),
        (Target("abc", 2), Target("abc", 2)),
        ((Target("abc", 2), 1), Target("abc", 1)),
    ],
)
def test_reply_to_takes_a_message_or_its_id_and_a_part(reply_to: Any, target: Target) -> None:
    """A message, its id, or one of these with the index of a part; or what names both, as reactions do."""
    assert Reply("hi", reply_to=reply_to).reply_to == target


@pytest.mark.parametrize("reply_to", ["", 7, object(), ("abc", -1), ("abc", "1"), ("abc", True), ("abc", 1, 2)])
def test_reply_to_that_names_no_message_is_refused(reply_to: Any) -> None:
    """What is neither a message nor an id is an error where it is written."""
    with pytest.raises(ReplyError, match="reply_to"):
        Reply("hi", reply_to=reply_to)


def test_repr_shows_shape_and_never_content() -> None:
    """A reply in a log line or a failed assertion tells its shape only."""
    reply = Reply(
        "secret", Media(url="https://secret.example/a"), Link("https://secret.example"), effect="echo", ref="r"
    )

    assert repr(reply) == "Reply(Text(6 characters), Media(url), Link(22 characters), effect='echo', ref='r')"
