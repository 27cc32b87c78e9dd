"""Events in words -> lines."""

from __future__ import annotations

import io
import json
import logging
import re

import pytest
import structlog

from linqbot.telemetry import logs
from tests.telemetry.conftest import Terminal

PIECES = ("a person's", " words")


def test_a_machine_reads_one_object_a_line() -> None:
    """Away from a terminal each event is a line of JSON with its time, level, station and ids."""
    out = io.StringIO()
    logs.configure(stream=out)

    structlog.get_logger("linqbot.worker").info("turn committed", event_id="e1", replies=2)

    line = json.loads(out.getvalue())
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z", line.pop("timestamp"))
    assert line == {
        "level": "info",
        "logger": "linqbot.worker",
        "event": "turn committed",
        "event_id": "e1",
        "replies": 2,
    }


def test_a_person_at_a_terminal_reads_words_in_colour() -> None:
    """On a terminal the lines are for people."""
    out = Terminal()
    logs.configure(stream=out)

    structlog.get_logger("linqbot.worker").info("turn committed", event_id="e1")

    assert "turn committed" in out.getvalue()
    assert "\x1b[" in out.getvalue()


def test_colours_can_be_turned_off() -> None:
    """NO_COLOR leaves the words and takes the colours."""
    out = Terminal()
    logs.configure(stream=out, colors=False)

    structlog.get_logger("linqbot.worker").info("turn committed", event_id="e1")

    assert "\x1b[" not in out.getvalue()
    assert "event_id=e1" in out.getvalue()


def test_a_format_that_is_named_is_obeyed() -> None:
    """`json` is JSON on a terminal, too."""
    out = Terminal()
    logs.configure("json", stream=out)

    structlog.get_logger("linqbot").info("here")

    assert json.loads(out.getvalue())["event"] == "here"


def test_lines_below_the_level_are_not_written() -> None:
    """The level filters linqbot and libraries alike."""
    out = io.StringIO()
    logs.configure(level="warning", stream=out)

    structlog.get_logger("linqbot").info("quiet")
    logging.getLogger("uvicorn.error").info("quiet")

    assert out.getvalue() == ""


def test_libraries_write_the_same_lines() -> None:
    """What uvicorn says through the standard library is JSON with its name and passes the guard."""
    out = io.StringIO()
    logs.configure(stream=out)

    logging.getLogger("uvicorn.error").warning("call %s", "+12025550199")

    line = json.loads(out.getvalue())
    assert (line["logger"], line["level"], line["event"]) == ("uvicorn.error", "warning", "call [phone]")


def test_libraries_that_tell_every_request_are_quiet() -> None:
    """Neither uvicorn's access log nor the HTTP client's lines about requests are written."""
    out = io.StringIO()
    logs.configure(stream=out)

    logging.getLogger("uvicorn.access").info("POST /webhooks/linq")
    logging.getLogger("httpx").info("HTTP Request: POST https://api.example.test")

    assert out.getvalue() == ""


def test_an_exception_is_shown_without_locals_and_foreign_words() -> None:
    """A failure's line holds types and places, neither the message of a foreign exception nor a local variable."""
    out = io.StringIO()
    logs.configure(stream=out)

    _fail("".join(PIECES))

    [first, second] = [json.loads(line) for line in out.getvalue().splitlines()]
    assert first["exception"][0]["type"] == second["exception"][0]["type"] == "ValueError"
    assert "a person's words" not in out.getvalue()


def test_a_traceback_on_the_console_keeps_its_lines() -> None:
    """A person reads the traceback as Python prints it."""
    out = Terminal()
    logs.configure(stream=out, colors=False)

    _fail("words")

    assert '\nTraceback (most recent call last):\n  File "' in out.getvalue()


def test_no_level_shows_the_words_of_foreign_exceptions() -> None:
    """More lines are not other lines: debug withholds what info withholds."""
    out = io.StringIO()
    logs.configure(level="debug", stream=out)

    _fail("".join(PIECES))

    assert "message withheld" in out.getvalue()
    assert "a person's words" not in out.getvalue()


def test_wordy_shows_the_words_of_foreign_exceptions() -> None:
    """The user may turn it on; `linqbot dev` does."""
    out = io.StringIO()
    logs.configure(wordy=True, stream=out)

    _fail("".join(PIECES))

    assert "a person's words" in out.getvalue()


def test_asyncios_reports_name_the_trouble_only() -> None:
    """asyncio shows a lost task by its repr, which holds the message of its exception: only the first words are written."""
    out = io.StringIO()
    logs.configure(level="debug", stream=out)

    logging.getLogger("asyncio").error(
        "Task exception was never retrieved\nfuture: <Task exception=ValueError('said')>"
    )
    logging.getLogger("asyncio").error("Exception in callback answer('said')\nhandle: <Handle answer('said')>")

    assert [json.loads(line)["event"] for line in out.getvalue().splitlines()] == [
        "Task exception was never retrieved",
        "Exception in callback answer",
    ]


def test_what_strangers_make_uvicorn_say_is_a_few_lines() -> None:
    """A flood of broken requests does not fill the log, and hides no error."""
    out = io.StringIO()
    logs.configure(stream=out)

    for _ in range(1_000):
        logging.getLogger("uvicorn.error").warning("Invalid HTTP request received.")
    logging.getLogger("uvicorn.error").error("Exception in ASGI application")

    lines = out.getvalue().splitlines()
    assert len(lines) <= 21
    assert "Exception in ASGI application" in lines[-1]


def test_the_programs_own_secrets_are_masked() -> None:
    """A secret that is part of some value is not written."""
    out = io.StringIO()
    logs.configure(stream=out, hushed=["correct-horse"])

    structlog.get_logger("linqbot").info("refused", token="it was correct-horse")

    assert json.loads(out.getvalue())["token"] == "it was [secret]"


def test_a_line_that_cannot_be_made_does_not_show_its_arguments() -> None:
    """A wrong placeholder in a library's line is named by its place; its values are nobody's business."""
    out = io.StringIO()
    logs.configure(stream=out)

    logging.getLogger("orders").warning("%d orders", "a person's words")

    line = json.loads(out.getvalue())
    assert (line["event"], line["by"]) == ("a line could not be written", "orders")
    assert "a person's words" not in out.getvalue()


def test_a_stream_of_few_letters_breaks_nothing() -> None:
    """What an encoding does not have is written out."""
    raw = io.BytesIO()
    logs.configure("console", stream=io.TextIOWrapper(raw, encoding="ascii"))

    structlog.get_logger("linqbot").info("caf\u00e9", note="\ud83d")

    assert b"caf\\xe9" in raw.getvalue()
    assert b"\\ud83d" in raw.getvalue()


@pytest.mark.parametrize(
    "value",
    ["+12025550199", "jane@example.com", "Bearer abc.def", "whsec_abc", "hunter2hunter2", "/%2B12025550199", "a\x7fb"],
)
@pytest.mark.parametrize("said", [{}, {"beside": ("a", 1)}], ids=["plain", "of many kinds"])
def test_a_line_is_guarded_whether_or_not_it_is_seen_as_a_whole(value: str, said: dict[str, object]) -> None:
    """What may be private or move a cursor is in no line."""
    out = io.StringIO()
    logs.configure("json", stream=out, hushed=["hunter2hunter2"])

    structlog.get_logger("linqbot").info("said", value=value, **said)

    assert value not in out.getvalue()
    assert json.loads(out.getvalue())["event"] == "said"


def test_json_is_ascii_whatever_it_tells() -> None:
    """So that a line is JSON on every stream."""
    raw = io.BytesIO()
    logs.configure("json", stream=io.TextIOWrapper(raw, encoding="ascii"), timestamps=False)

    structlog.get_logger("linqbot").info("caf\u00e9", count=1)

    assert raw.getvalue() == b'{"level":"info","logger":"linqbot","event":"caf\\u00e9","count":1}\n'


def test_configuring_again_replaces_the_lines() -> None:
    """A second call writes each line once, to the new stream."""
    first, second = io.StringIO(), io.StringIO()
    logs.configure(stream=first)
    logs.configure(stream=second)

    logging.getLogger("uvicorn.error").warning("once")

    assert first.getvalue() == ""
    assert second.getvalue().count("once") == 1


def test_a_guest_logs_as_a_host_would(capsys: pytest.CaptureFixture[str]) -> None:
    """Where nobody set structlog up, a bot's lines are as safe as those of `linqbot run`: no locals, no foreign words."""
    with logs.unless_configured():
        _fail("".join(PIECES))

    line = json.loads(capsys.readouterr().out)
    assert (line["logger"], line["event"]) == ("linqbot", "handler failed")
    assert "".join(PIECES) not in json.dumps(line)


def test_a_guest_leaves_all_as_it_was() -> None:
    """The standard library's loggers are never touched, and structlog is as it comes when the last bot has gone."""
    root = logging.getLogger()
    before = (list(root.handlers), root.level)
    with logs.unless_configured():
        with logs.unless_configured():
            pass
        assert structlog.is_configured()
        assert (list(root.handlers), root.level) == before

    assert not structlog.is_configured()


def test_a_guest_follows_its_host() -> None:
    """What the host set up holds, before and afterwards, and also when it comes late."""
    before, late = io.StringIO(), io.StringIO()
    logs.configure(stream=before)
    with logs.unless_configured():
        structlog.get_logger("linqbot.host").info("early")
        logs.configure(stream=late)
        structlog.get_logger("linqbot.host").info("late")

    assert structlog.is_configured()
    assert (before.getvalue().count("early"), late.getvalue().count("late")) == (1, 1)


def _fail(words: str) -> None:
    try:
        int(words)
    except ValueError:
        structlog.get_logger("linqbot").exception("handler failed")
        logging.getLogger("uvicorn.error").exception("failed")
