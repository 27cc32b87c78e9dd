"""an exception -> what a log may show of it: where it came from, and never a local variable.

The message of an exception that is not linqbot's own often quotes what somebody wrote (`int("…")`), so it is withheld
unless the log is asked to be wordy.
"""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from dataclasses import dataclass
from types import TracebackType

from linqbot.errors import LinqbotError

WITHHELD = "(message withheld, it may quote somebody; linqbot dev shows it)"
_MOST_FRAMES = 30
_LONGEST_CHAIN = 8
_JOINTS = {
    "cause": "The above exception was the direct cause of the following exception:",
    "context": "During handling of the above exception, another exception occurred:",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Link:
    error: BaseException
    joint: str
    """How it leads to the error above it: `cause`, `context`, or nothing for the outermost."""


def as_text(error: BaseException, *, wordy: bool) -> str:
    """The traceback as Python prints it, the outermost error last."""
    pieces: list[str] = []
    for link in reversed(list(_chain(error))):
        heading = "Traceback (most recent call last):\n" if link.error.__traceback__ else ""
        frames = "".join(traceback.format_list(_frames(link.error.__traceback__)))
        what = f"{_name(link.error)}: {_message(link.error, wordy=wordy)}"
        pieces.append(heading + frames + "\n    ".join(what.splitlines()))  # indented: no message can look like a line
        pieces += [as_text(inner, wordy=wordy) for inner in _members(link.error)]
        if link.joint:
            pieces.append(_JOINTS[link.joint])
    return "\n\n".join(pieces)


def as_data(error: BaseException, *, wordy: bool) -> list[dict[str, object]]:
    """The same as data for JSON, the outermost error first."""
    return [
        {
            "type": _name(link.error),
            "message": _message(link.error, wordy=wordy),
            "leads_by": link.joint,
            "frames": [f"{at.filename}:{at.lineno} {at.name}" for at in _frames(link.error.__traceback__)],
            "members": [as_data(inner, wordy=wordy) for inner in _members(link.error)],
        }
        for link in _chain(error)
    ]


def _chain(error: BaseException) -> Iterator[_Link]:
    joint = ""
    inner: BaseException | None = error
    for _ in range(_LONGEST_CHAIN):
        if inner is None:
            return
        yield _Link(error=inner, joint=joint)
        joint = "context" if inner.__cause__ is None else "cause"
        hidden = inner.__suppress_context__ and inner.__cause__ is None
        inner = None if hidden else inner.__cause__ or inner.__context__


def _members(error: BaseException) -> tuple[BaseException, ...]:
    return error.exceptions[:_LONGEST_CHAIN] if isinstance(error, BaseExceptionGroup) else ()


def _frames(trace: TracebackType | None) -> list[traceback.FrameSummary]:
    return list(traceback.extract_tb(trace))[-_MOST_FRAMES:]


def _name(error: BaseException) -> str:
    kind = type(error)
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"


def _message(error: BaseException, *, wordy: bool) -> str:
    if not (wordy or isinstance(error, LinqbotError)):
        return WITHHELD
    try:
        return str(error)
    except Exception as broken:  # noqa: BLE001  a broken message must not break the log line
        return f"(its message raised {type(broken).__name__})"
