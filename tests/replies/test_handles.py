"""Phone numbers and email addresses."""

from __future__ import annotations

from typing import Any

import pytest

from linqbot.errors import ReplyError
from linqbot.replies.handles import check_handle


@pytest.mark.parametrize(
    "handle", ["+12025550100", "+491711234567", "+15", "ann@example.com", "a.b+c@mail.example.org"]
)
def test_a_number_in_e164_or_an_email_is_taken_as_it_is(handle: str) -> None:
    """Linq's handles are E.164 numbers and Apple ID emails (linq-api-v3.md section 5)."""
    assert check_handle(handle) == handle


@pytest.mark.parametrize(
    "wrong",
    [
        "",
        "12025550100",
        "+02025550100",
        "+1 202 555 0100",
        "+1-202-555-0100",
        "+1234567890123456",
        "+1",
        "+\u0661\u0662\u0663\u0664",
        "+12025550100\n",
        "ann@example",
        "ann@.com",
        "ann@example.com.",
        "ann@exa mple.com",
        "@example.com",
        "ann@b@example.com",
        "ann\x00@example.com",
        "ann\ud83d@example.com",
        None,
        12025550100,
        b"+12025550100",
    ],
)
def test_anything_else_is_refused_and_never_shown(wrong: Any) -> None:
    """The error says which value it is about and what is allowed, and keeps the value to itself."""
    with pytest.raises(ReplyError, match=r"^the sender is neither a phone number in E\.164 .* nor an email") as caught:
        check_handle(wrong, "the sender")

    assert "2025550100," not in str(caught.value).replace("+12025550100)", "")
    assert "ann" not in str(caught.value)
