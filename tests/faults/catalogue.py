"""fault ids -> titles -> the tests that try them. The catalogue of what may go wrong; `python -m tests.faults` runs it.

A test tries a fault by its name, `test_o5_…` (several: `test_h9_h10_…`), wherever it stands. A fault without a test needs a
reason in `LATER`; nothing is left blank (`tests/house/test_fault_catalogue.py`).
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]

TITLES: Mapping[str, str] = {
    "P1": "the process dies before or after any step",
    "P2": "processes are killed at random, again and again",
    "P3": "SIGTERM while a handler runs or a send is under way",
    "P4": "a second SIGTERM, SIGINT, SIGHUP",
    "P5": "a handler eats the memory",
    "P6": "a fork after the start, several processes of one program",
    "P7": "the clock jumps by an hour, forward or back",
    "P8": "the process is frozen for a minute and wakes up",
    "P9": "the event loop is blocked for longer than a lease",
    "P10": "no file descriptors are left",
    "P11": "the disk is full",
    "S1": "the store is killed and started again, with its log",
    "S2": "the store comes back empty",
    "S3": "everything sent to the store vanishes",
    "S4": "the store is slow",
    "S5": "the store's answer is lost after the work was done",
    "S6": "a connection breaks in the middle of an answer",
    "S7": "the store's memory is full",
    "S8": "the store may evict keys",
    "S9": "a fail-over loses the last writes",
    "S10": "the store says READONLY, LOADING, MISCONF, NOSCRIPT, BUSY",
    "S11": "the store has no connection to spare",
    "S12": "the store closes idle connections",
    "S13": "the store's certificate is self-signed, expired, or another host's",
    "S14": "the store pauses",
    "S15": "somebody else writes to, or flushes, the store's keys",
    "S16": "two bots share a store",
    "S17": "a script of ours breaks after its first write",
    "S18": "SQLite: another writer holds the lock, the log grows, the file is deleted",
    "D1": "the same event many times, in a row and at once",
    "D2": "a repeat half an hour, or more than a day, later",
    "D3": "a known event id with another body, a known body under another id",
    "D4": "events in another order than they were sent",
    "D5": "a captured webhook is played again",
    "D6": "history that Linq recovered late",
    "D7": "half an hour of retries at once",
    "D8": "unknown types and versions of events",
    "D9": "wrong types everywhere in an event",
    "D10": "a message without content, an address that is gone",
    "D11": "our own messages come back as events",
    "D12": "one event in both payload versions",
    "D13": "news of a send comes before its answer",
    "H1": "garbled, huge and repeated signature headers",
    "H2": "timestamps that are no number of seconds",
    "H3": "guessing by the time a refusal takes",
    "H4": "talking the check down to a weaker signature",
    "H5": "giant bodies, and lengths that lie",
    "H6": "bytes that come too slowly, or never",
    "H7": "connections reset in the middle of a body",
    "H8": "compressed bombs",
    "H9": "bodies that are no JSON, or no UTF-8",
    "H10": "deep nesting, giant numbers, NaN, names that come twice",
    "H11": "half characters, NUL, text of 10 MB",
    "H12": "other methods and paths, and requests hidden in requests",
    "H13": "another Content-Type",
    "H14": "secrets that are replaced, wrong or missing",
    "H15": "a flood of forged webhooks",
    "O1": "a storm of 429, with and without a sensible Retry-After",
    "O2": "a 5xx before, and after, Linq took the message",
    "O3": "Linq took the message, and the answer is lost, cut, odd or endless",
    "O4": "the process dies between the send and the note of it",
    "O5": "the API key is refused in the middle of the work",
    "O6": "the recipient opted out",
    "O7": "the chat is not there, or a known key finds nothing",
    "O8": "conflicts",
    "O9": "one reply of three is refused",
    "O10": "Linq is away for two hours",
    "O11": "a redirect to another host",
    "O12": "no name, no listener, no TLS, a bad certificate",
    "O13": "two senders hold one reply",
    "O14": "a message failed, and was delivered after all",
    "O15": "a storm of cancellations on the HTTP client",
    "O16": "replies that Linq would refuse",
    "A1": "a handler raises, always or at first",
    "A2": "a handler hangs, ignores its cancellation, or blocks its thread for ever",
    "A3": "a handler returns garbage, ten thousand replies, or breaks off",
    "A4": "a handler ends its process",
    "A5": "two bots answer each other",
    "A6": "a bot answers itself",
    "A7": "a deploy removes the handler of queued events",
    "A8": "another release wrote what is read",
    "A9": "two releases run at once",
    "A10": "two releases with different scripts on one store",
    "A11": "machines whose clocks are wrong",
    "A12": "the namespace is changed by mistake",
    "A13": "line breaks, escapes and a megabyte of text on their way into a log line",
    "A14": "secrets and people's words on their way into logs, errors and dumps",
    "A15": "a file's address that leads elsewhere, or does not end",
    "A19": "a flood of dead letters",
    "A20": "what is stored is to be run",
    "A22": "somebody asks for silence",
}

LATER: Mapping[str, str] = {
    "A16": "there is no dashboard yet",
    "A17": "there is no dashboard yet",
    "A18": "dead letters cannot be replayed yet",
    "A21": "belongs to the release; that every version is pinned is tried by `tests/house/test_requirements.py`",
}
"""Faults of what is not built yet."""

_NAMED = re.compile(r"test((?:_[pshdoa]\d+)+)_")


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One row: what goes wrong, and how that is tried."""

    id: str
    title: str
    tests: tuple[str, ...]
    """Node ids of pytest's."""
    reason: str | None
    """Why it is not tried."""


@cache
def faults() -> tuple[Fault, ...]:
    """Every row of the catalogue, in its order."""
    rows = (*TITLES.items(), *((row, "of what is not built yet") for row in LATER))
    return tuple(Fault(id=row, title=title, tests=named().get(row, ()), reason=LATER.get(row)) for row, title in rows)


@cache
def named() -> Mapping[str, tuple[str, ...]]:
    """The tests that name faults, by the faults' ids."""
    found: dict[str, list[str]] = {}
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        for test in functions_of(path):
            match = _NAMED.match(test)
            for row in match[1].upper().split("_")[1:] if match else ():
                found.setdefault(row, []).append(f"{path.relative_to(ROOT)}::{test}")
    return {row: tuple(tests) for row, tests in found.items()}


def functions_of(path: Path) -> Iterator[str]:
    """The names of the functions at the top of a module."""
    for node in ast.parse(path.read_text("utf-8")).body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name
