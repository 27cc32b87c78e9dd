"""a blocked event loop -> a line that says where."""

from __future__ import annotations

import time

import pytest

from linqbot.engine.watchdog import Watchdog


async def test_a_blocked_loop_is_told_by_a_log_that_nobody_configured(capsys: pytest.CaptureFixture[str]) -> None:
    """A host that leaves structlog as it comes reads the line, too; the watchdog survives writing it."""
    with Watchdog(lag_s=0.1):
        time.sleep(1)  # noqa: ASYNC251  # this is what is watched for

    told = capsys.readouterr().out
    assert "event loop blocked" in told
    assert "test_watchdog.py" in told
