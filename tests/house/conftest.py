"""A run names at its end what the machine lacked, so that nobody takes a shorter run for the whole one."""

import shutil
from collections.abc import Iterator

import pytest

from tests.house.checkout import ROOT


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Close with what this machine could not show."""
    for lack in _lacks():
        terminalreporter.write_line(f"lacking: {lack}")


def _lacks() -> Iterator[str]:
    if shutil.which("redis-server") is None:
        yield "redis-server, so the Redis store was tested on Valkey alone"
    if not (ROOT / ".git").exists():
        yield "a git checkout, so what is committed was not looked over"
