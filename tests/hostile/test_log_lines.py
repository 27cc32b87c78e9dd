"""Row A13: whatever a value holds, a line of the log is one line, of bounded length, and cannot look like another.

Held by `telemetry.logs`, through which every line goes last.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time

import pytest

from tests.hostile.door import PATH
from tests.hostile.letters import encoded, message, signature
from tests.hostile.served import Served
from tests.hostile.wire import Wire, request

SPEAKER = """
import logging, structlog
from linqbot.telemetry import logs
logs.configure({format!r}, "debug", colors=False, timestamps=False)
log = structlog.get_logger("linqbot.worker")
forged = 'x\\r\\n{{"level": "info", "event": "all is well"}}\\n'
log.info("line breaks", event_id=forged)
log.info("other breaks", event_id="a\\x0bb\\x0cc\\x1cd\\x85e\\u2028f\\u2029g")
log.info("colours", event_id="\\x1b[2J\\x1b[31mred\\x1b]0;title\\x07\\x9b1m")
log.info("directions", event_id="user\\u202etxt.exe\\u2066\\u2069")
log.info("NUL and DEL", event_id="a\\x00b\\x08\\x7f")
log.info("half a pair", event_id="\\ud83d")
log.info("a megabyte", event_id="x" * 1_000_000)
log.info("a megabyte of breaks", event_id="\\n" * 1_000_000)
log.info("deep", value=eval("[" * 50 + "]" * 50))
log.info("wide", value=list(range(100_000)))
log.info("names", value={{forged: 1}})
log.info(forged)
logging.getLogger("orders").warning(forged)
class Forged(Exception): pass
Forged.__qualname__ = forged
try:
    raise Forged(forged)
except Forged:
    log.exception("failed")
"""

JSON = r"""
{"level":"info","logger":"linqbot.worker","event":"line breaks","event_id":"x\\r\\n{\"level\": \"info\", \"event\": \"all is well\"}\\n"}
{"level":"info","logger":"linqbot.worker","event":"other breaks","event_id":"a\\x0bb\\x0cc\\x1cd\\x85e\\u2028f\\u2029g"}
{"level":"info","logger":"linqbot.worker","event":"colours","event_id":"\\x1b[2J\\x1b[31mred\\x1b]0;title\\x07\\x9b1m"}
{"level":"info","logger":"linqbot.worker","event":"directions","event_id":"user\\u202etxt.exe\\u2066\\u2069"}
{"level":"info","logger":"linqbot.worker","event":"NUL and DEL","event_id":"a\\x00b\\x08\\x7f"}
{"level":"info","logger":"linqbot.worker","event":"half a pair","event_id":"\\ud83d"}
"""  # noqa: E501  # lines of a log


def spoken(log_format: str) -> bytes:
    """What a program says that logs hostile values."""
    script = SPEAKER.format(format=log_format)
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True, timeout=60)
    assert done.stderr == b""
    return done.stdout


def test_a13_json_lines_are_the_golden_ones() -> None:
    """Control characters, separators and direction marks are written out by `privacy.Guard` before a renderer sees them."""
    lines = spoken("json").decode("utf-8").splitlines()

    assert "\n".join(["", *lines[:6], ""]) == JSON


@pytest.mark.parametrize("log_format", ["json", "console"])
def test_a13_no_value_makes_a_line_of_its_own(log_format: str) -> None:
    """Fourteen events are fourteen lines (on the console and a traceback), printable and no longer than a few kB."""
    said = spoken(log_format)
    lines = said.decode("utf-8").split("\n")

    assert all(line.isprintable() for line in lines)
    assert max(map(len, lines)) < 20_000
    if log_format == "json":
        assert [type(json.loads(line)) for line in lines[:-1]] == [dict] * 14
    else:
        assert not any(line.startswith("{") for line in lines)


def test_a13_ids_of_a_signed_webhook_cannot_forge_a_line() -> None:
    """Ids come from outside: through a served bot at debug, each line is still one of linqbot's own."""
    with Served("tests/hostile/bots.py:listener", LOG_LEVEL="debug", DIARY="/dev/null") as bot:
        for hostile in ('e\r\n{"event": "all is well"}', "\x1b[2J\x1b[31m", "\u2028\u202e", "e" * 255):
            body = encoded({**message("x", chat=hostile), "event_id": hostile, "trace_id": hostile * 9})
            unwanted = encoded({"event_id": hostile, "event_type": "odd." + hostile[:200]})
            for one in (body, unwanted):
                with Wire(bot.port) as wire:
                    wire.say(request(one, signature(one, now_ms=int(time.time() * 1000), webhook_id="w")))
                    assert wire.status() == 200
        bot.wait_for("turn committed")

    parsed = [json.loads(line) for line in bot.said]
    assert len([line for line in parsed if line["event"] == "webhook kept"]) == 4
    assert {line["logger"].partition(".")[0] for line in parsed} == {"linqbot"}
    assert "all is well" not in {line["event"] for line in parsed}
    assert all(line.strip("\n").isprintable() for line in bot.said)


def test_a13_the_path_of_a_request_is_not_logged() -> None:
    """Access logs are off: what strangers ask for appears nowhere."""
    with Served("tests/hostile/bots.py:listener", LOG_LEVEL="debug") as bot, Wire(bot.port) as wire:
        wire.say(b"GET " + PATH.encode() + b"/?token=aardvark HTTP/1.1\r\nhost: aardvark\r\n\r\n")
        wire.status()

    assert "aardvark" not in "".join(bot.said)
