"""events in words -> lines. One place decides how linqbot and the libraries under it log.

A person at a terminal reads coloured lines, a machine reads one JSON object a line: `timestamp` (UTC), `level`, `logger`,
`event`, and the ids that the caller gave. Everything passes the guard of `telemetry.privacy` last.
"""

from __future__ import annotations

import io
import json
import logging
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from typing import IO, Literal

import structlog
from pydantic_core import to_json
from structlog.typing import EventDict, Processor, WrappedLogger

from linqbot.protocol.sampling import Sampler
from linqbot.telemetry.privacy import Guard
from linqbot.telemetry.tracebacks import as_data, as_text

Format = Literal["auto", "console", "json"]

_LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}
_CHATTY = ("aiohttp", "asyncio", "httpcore", "httpx", "redis", "uvicorn.error", "watchfiles", "websockets")
"""Libraries that tell every step below a warning, some the contents of requests."""

_FIRST = ("timestamp", "level", "logger", "event")
_LONGEST_TRACEBACK = 20_000
_PLAIN = frozenset({str, int, float, bool, type(None)})
"""Whose JSON is what they are; of anything else the guard makes such a value first."""


def configure(
    format: Format = "auto",  # noqa: A002  the word of LOG_FORMAT
    level: str = "info",
    *,
    stream: IO[str] | None = None,
    colors: bool | None = None,
    wordy: bool = False,
    timestamps: bool = True,
    traceback: Callable[[BaseException], str] | None = None,
    hushed: Sequence[str] = (),
) -> None:
    """Log to `stream` (default: standard output) from now on; a repeat replaces what was before.

    `auto` is console on a terminal and JSON otherwise; `colors` are for a terminal, unless said. `wordy` shows the messages
    of exceptions that are not linqbot's; they often quote what somebody wrote, so no level shows them by itself.
    `traceback` writes an exception for the console in another way. `hushed` are this program's own secrets, masked in every
    value.
    """
    out = sys.stdout if stream is None else stream
    if isinstance(out, io.TextIOWrapper):
        out.reconfigure(errors="backslashreplace")  # a terminal of few letters must not break a line, or who logs it
    head, tail = _chain(
        format, out, colors=colors, wordy=wordy, timestamps=timestamps, traceback=traceback, hushed=hushed
    )
    _structure(_Lines(out), head, tail, level=level, cached=True)
    _route_libraries(out, level=_LEVELS[level], head=head, tail=tail)


@contextmanager
def unless_configured(
    format: Format = "auto",  # noqa: A002  the word of LOG_FORMAT
    level: str = "info",
    *,
    colors: bool | None = None,
    hushed: Sequence[str] = (),
) -> Iterator[None]:
    """For a bot inside somebody else's program: log as `configure` does, to standard output, unless structlog is set up
    already; in the end, of several bots the last one's, structlog is as it was. The standard library's loggers are not
    touched: they are the program's.
    """
    if not structlog.is_configured():
        head, tail = _chain(format, sys.stdout, colors=colors, hushed=hushed)
        _structure(_LENT, head, tail, level=level, cached=False)
    is_lent = _LENT.in_use
    _LENT.bots += is_lent
    try:
        yield
    finally:
        _LENT.bots -= is_lent
        if _LENT.in_use and not _LENT.bots:
            structlog.reset_defaults()


def _chain(
    format: Format,  # noqa: A002  the word of LOG_FORMAT
    out: IO[str],
    *,
    colors: bool | None,
    wordy: bool = False,
    timestamps: bool = True,
    traceback: Callable[[BaseException], str] | None = None,
    hushed: Sequence[str],
) -> tuple[list[Processor], list[Processor]]:
    """What an event passes: what is added to it, and what makes a line of it."""
    on_terminal = out.isatty()
    console = format == "console" or (format == "auto" and on_terminal)
    head: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        *([structlog.processors.TimeStamper(fmt="iso", utc=True)] if timestamps else []),
    ]
    guard = Guard(hushed)
    explain = _explain(traceback if console and traceback else partial(as_text if console else as_data, wordy=wordy))
    tail: list[Processor] = [explain, _guarded(guard), _console(colors=on_terminal if colors is None else colors)]
    if not console:
        tail = [explain, _json(guard)]
    return head, tail


def _structure(lines: _Lines, head: list[Processor], tail: list[Processor], *, level: str, cached: bool) -> None:
    structlog.configure(
        processors=[_station, *head, *tail],
        wrapper_class=structlog.make_filtering_bound_logger(_LEVELS[level]),
        logger_factory=lines,
        cache_logger_on_first_use=cached,
    )


def catch_strays() -> None:
    """Log what Python itself would print, messages included: errors of threads, and those that nobody can catch.

    For a process that is linqbot's own; it holds until the process ends.
    """
    strays = structlog.get_logger("linqbot.strays")

    def in_thread(stray: threading.ExceptHookArgs) -> None:
        if stray.exc_type is not SystemExit:
            strays.error("a thread failed", exc_info=stray.exc_value)

    def uncaught(stray: sys.UnraisableHookArgs) -> None:
        strays.error("an error that nobody could catch", exc_info=stray.exc_value)

    threading.excepthook = in_thread
    sys.unraisablehook = uncaught


class _Lines:
    """Makes the loggers at the end of the chain: they know their name and write a finished line at once."""

    def __init__(self, out: IO[str] | None) -> None:
        self._out = out

    def __call__(self, name: str = "linqbot") -> _Line:
        return _Line(self._out or sys.stdout, name)


class _Lent(_Lines):
    """Lines of bots that found structlog as it comes; to whatever standard output is at the moment."""

    def __init__(self) -> None:
        super().__init__(None)
        self.bots = 0

    @property
    def in_use(self) -> bool:
        """Whether structlog still does as we said."""
        return structlog.get_config()["logger_factory"] is self


_LENT = _Lent()


class _Line:
    def __init__(self, out: IO[str], name: str) -> None:
        self._out = out
        self.name = name

    def msg(self, line: str) -> None:
        """Write one line whole, so that lines of several processes do not mix."""
        with suppress(OSError):  # a full disk, a reader that left: what is told must not stop what is done
            self._out.write(line + "\n")
            self._out.flush()

    debug = info = warning = error = critical = exception = log = msg


def _station(logger: WrappedLogger, _: str, event: EventDict) -> EventDict:
    event["logger"] = logger.name
    return event


def _explain(show: Callable[[BaseException], object]) -> Processor:
    def explain(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
        error = event.pop("exc_info", None)
        if error is True:
            error = sys.exc_info()[1]
        if isinstance(error, tuple):
            error = error[1]
        if isinstance(error, BaseException):
            event["exception"] = show(error)
        return event

    return explain


def _guarded(guard: Guard) -> Processor:
    def guarded(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
        return _cleaned(guard, _in_order(event))

    return guarded


def _in_order(event: EventDict) -> EventDict:
    first = {name: event.pop(name) for name in _FIRST if name in event}
    return {**first, **event}


def _cleaned(guard: Guard, event: EventDict) -> EventDict:
    return {name: _kept(guard, name, value) for name, value in event.items()}


def _kept(guard: Guard, name: str, value: object) -> object:
    if name == "exception" and isinstance(value, str):
        return guard.lines(value, _LONGEST_TRACEBACK)
    return guard.value(value)


def _console(*, colors: bool) -> Processor:
    return structlog.dev.ConsoleRenderer(
        colors=colors, exception_formatter=structlog.dev.plain_traceback, pad_event_to=0, sort_keys=False
    )


def _json(guard: Guard) -> Processor:
    """ASCII, for a stream may know nothing else. A line of plain values is guarded as a whole, where it passes."""

    def render(_: WrappedLogger, __: str, event: EventDict) -> str:
        event = _in_order(event)
        if _PLAIN.issuperset(map(type, event.values())):
            with suppress(ValueError):  # half a pair, which the guard writes out
                line = to_json(event, inf_nan_mode="constants").decode()
                if guard.passes(line):
                    return line
        return json.dumps(_cleaned(guard, event), separators=(",", ":"))

    return render


def _route_libraries(out: IO[str], *, level: int, head: list[Processor], tail: list[Processor]) -> None:
    """Give the standard library's loggers the same lines; uvicorn's access log, a line for each request, is off."""
    handler = _Handler(out)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.add_logger_name, *head],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *tail],
            use_get_message=True,
            pass_foreign_args=False,
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name in _CHATTY:
        logging.getLogger(name).setLevel(max(level, logging.WARNING))
    logging.getLogger("asyncio").filters[:] = [_FirstWords()]
    logging.getLogger("uvicorn.error").filters[:] = [_Sampled()]
    access = logging.getLogger("uvicorn.access")
    access.handlers[:] = []
    access.propagate = False
    logging.captureWarnings(capture=True)


class _Handler(logging.StreamHandler[IO[str]]):
    """Writes lines of the standard library's loggers."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802  # logging's name
        """Say where a line could not be written; Python would print its arguments."""
        log = structlog.get_logger("linqbot.logs")
        log.error("a line could not be written", by=record.name, place=f"{record.pathname}:{record.lineno}")


class _FirstWords(logging.Filter):
    """What asyncio tells of lost errors: the kind of trouble, not the objects, whose reprs hold messages and arguments."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = record.getMessage().partition("\n")[0].partition("(")[0], None
        return True


class _Sampled(logging.Filter):
    """What strangers can make uvicorn say passes a few times a second for each place in its code."""

    def __init__(self) -> None:
        super().__init__()
        self._sampler = Sampler()

    def filter(self, record: logging.LogRecord) -> bool:
        if record.levelno >= logging.ERROR:
            return True
        return self._sampler.take(f"{record.pathname}:{record.lineno}", int(record.created * 1000)) is not None
