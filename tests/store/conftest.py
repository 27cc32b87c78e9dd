"""What the tests of every store share."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Where a database file may be made."""
    return tmp_path / "bot.db"
