"""The last guard before a log line."""

from __future__ import annotations

import pytest

from linqbot.telemetry.privacy import LONGEST, Guard


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("from +12025550199 to +442071838750", "from [phone] to [phone]"),
        ("/v3/handles/%2B12025550199/", "/v3/handles/[phone]/"),
        ("ask jane.doe@example.com", "ask [mail]"),
        ("Authorization: Bearer abc.def-123", "Authorization: Bearer [token]"),
        ("whsec_MfKQ9r8GKYqrTwjU+a/b=", "whsec_[secret]"),
        ("rediss://user:pass@host:6379/0", "rediss://[login]@host:6379/0"),
        ("hunter2hunter2 is said", "[secret] is said"),
    ],
)
def test_what_identifies_or_opens_is_masked(text: str, shown: str) -> None:
    """Phone numbers, addresses, tokens, secrets and passwords do not reach a log line."""
    assert Guard(["hunter2hunter2"]).value(text) == shown


@pytest.mark.parametrize("text", ["2026-11-23T16:29:23+00:00", "evt_0123456789", "a+1", "chat:6f1c", "12:30 +1234567"])
def test_what_is_neither_stays(text: str) -> None:
    """Times, ids and sums are not mistaken for phone numbers."""
    assert Guard().value(text) == text


def test_a_value_cannot_forge_a_line_or_move_the_cursor() -> None:
    """Control characters, line separators and direction marks are written out."""
    assert Guard().value("a\nb\x1b[2J\u2028c\u202ed") == "a\\nb\\x1b[2J\\u2028c\\u202ed"


def test_a_long_value_is_cut_and_says_how_much_is_missing() -> None:
    """A value takes a bounded part of a line."""
    assert Guard().value("x" * (LONGEST + 5)) == "x" * LONGEST + "… (5 more)"


def test_collections_are_cleaned_inside() -> None:
    """Nesting hides nothing."""
    value = {"to": ["+12025550199", 7, None], "+12025550199": (True, {"a": 1.5})}

    assert Guard().value(value) == {"to": ["[phone]", 7, None], "[phone]": [True, {"a": 1.5}]}


def test_other_objects_are_shown_by_their_cleaned_repr() -> None:
    """An object's repr passes the guard, too."""
    assert Guard().value(b"+12025550199") == "b'[phone]'"


def test_a_broken_repr_breaks_nothing() -> None:
    """An object that cannot show itself is named by its type."""

    class Broken:
        def __repr__(self) -> str:
            raise RuntimeError("no")

    assert Guard().value(Broken()) == "<Broken whose repr raised RuntimeError>"


def test_an_endless_value_comes_to_an_end() -> None:
    """A list that contains itself is cut at a depth."""
    ring: list[object] = []
    ring.append(ring)

    assert "…" in str(Guard().value(ring))
