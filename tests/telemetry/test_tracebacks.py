"""What a log shows of an exception."""

from __future__ import annotations

import pytest

from linqbot.errors import HandlerFailed, LinqbotError
from linqbot.telemetry.tracebacks import as_data, as_text

PIECES = ("a person's", " words")


@pytest.fixture
def failed() -> HandlerFailed:
    """A handler's error, as the worker sees it: its cause quotes what somebody wrote, a local variable holds it."""
    with pytest.raises(HandlerFailed) as caught:
        _handle("".join(PIECES))
    return caught.value


def test_a_foreign_message_is_withheld(failed: HandlerFailed) -> None:
    """Where it happened is shown, but not what the exception quotes."""
    text = as_text(failed, wordy=False)

    assert "handler 'order' raised" in text
    assert "ValueError: (message withheld" in text
    assert "in _handle" in text
    assert "a person's words" not in text


def test_data_withholds_and_shows_the_same(failed: HandlerFailed) -> None:
    """The JSON form has types, messages and places, outermost first, and no local variable."""
    outer, inner = as_data(failed, wordy=False)

    assert (outer["type"], inner["type"]) == ("linqbot.errors.HandlerFailed", "ValueError")
    assert inner["leads_by"] == "cause"
    assert "_handle" in str(inner["frames"])
    assert "a person's words" not in str([outer, inner])


def test_a_wordy_log_shows_the_message(failed: HandlerFailed) -> None:
    """Asked for, the messages are there."""
    assert "a person's words" in as_text(failed, wordy=True)


def test_the_cause_comes_before_its_effect(failed: HandlerFailed) -> None:
    """A text traceback reads like Python's own."""
    text = as_text(failed, wordy=False)

    assert text.index("ValueError") < text.index("direct cause") < text.index("HandlerFailed:")


def test_the_members_of_a_group_are_shown() -> None:
    """What a task group raised is not hidden behind its own message."""
    group = ExceptionGroup("several", [KeyError("a"), LinqbotError("b")])

    text, [data] = as_text(group, wordy=False), as_data(group, wordy=False)

    assert "KeyError" in text
    assert "LinqbotError: b" in text
    assert "KeyError" in str(data["members"])


def test_a_suppressed_context_stays_away() -> None:
    """`raise … from None` is obeyed."""
    with pytest.raises(LinqbotError) as caught:
        _translate()

    assert len(as_data(caught.value, wordy=False)) == 1


def _handle(words: str) -> None:
    try:
        int(words)
    except ValueError as error:
        raise HandlerFailed("handler 'order' raised ValueError", handler="order") from error


def _translate() -> None:
    try:
        dict[str, str]()["a"]
    except KeyError:
        raise LinqbotError("nothing there") from None
