"""Which messages ask for silence: linq-api-v3.md section 9.1, word by word."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from linqbot.protocol.optout import WORDS, is_opt_out


@pytest.mark.parametrize(
    "text",
    [
        "STOP",
        "UNSUBSCRIBE",
        "OPTOUT",
        "CANCEL",
        "END",
        "QUIT",
        "  STOP\n",
        "\tEND ",
        "OPT OUT",
        "opt out",
        "Opt-Out",
        "OpToUt",
        " opt-out ",
    ],
)
def test_a22_these_ask_for_silence(text: str) -> None:
    """The six words as they are written, OPT OUT in any case with or without blank or hyphen, blanks around them apart.

    Held by the words that carriers know.
    """
    assert is_opt_out(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "stop",
        "Stop",
        "cancel",
        "End",
        "STOP.",
        "STOP!",
        "STOP STOP",
        "please STOP",
        "STOP\nthank you",
        "opt  out",
        "opt_out",
        "opt--out",
        "optout now",
        "UNSTOP",
        "START",
    ],
)
def test_a22_these_do_not(text: str) -> None:
    """Case counts, and so does every other character: the whole message is the word, or it is none.

    Held by comparing the whole message.
    """
    assert not is_opt_out(text)


@given(st.sampled_from(sorted(WORDS)), st.text(alphabet=" \t\n\r", max_size=5), st.text(alphabet=" \t\n\r", max_size=5))
def test_blanks_around_a_word_do_not_count(word: str, before: str, after: str) -> None:
    """The message is trimmed before it is compared."""
    assert is_opt_out(f"{before}{word}{after}")
