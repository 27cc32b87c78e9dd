"""Logs written into a string, and the logging of the test run put back afterwards."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator

import pytest
import structlog

LIBRARIES = (
    "uvicorn.access",
    "uvicorn.error",
    "httpx",
    "redis",
    "asyncio",
    "aiohttp",
    "httpcore",
    "watchfiles",
    "websockets",
)


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        """Yes."""
        return True


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    """Whatever a test configures is undone."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    before = {name: (logging.getLogger(name).level, logging.getLogger(name).propagate) for name in LIBRARIES}
    yield
    logging.captureWarnings(capture=False)
    root.handlers[:] = handlers
    root.setLevel(level)
    for name, (its_level, propagate) in before.items():
        logging.getLogger(name).setLevel(its_level)
        logging.getLogger(name).propagate = propagate
        logging.getLogger(name).filters.clear()
    structlog.reset_defaults()
