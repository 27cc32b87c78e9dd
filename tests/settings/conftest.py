"""An empty folder and an environment without any setting."""

from __future__ import annotations

from pathlib import Path

import pytest

from linqbot.settings import SETTINGS


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder: empty, with no setting in the environment."""
    monkeypatch.chdir(tmp_path)
    for setting in SETTINGS:
        for name in setting.names:
            monkeypatch.delenv(name, raising=False)
    return tmp_path
