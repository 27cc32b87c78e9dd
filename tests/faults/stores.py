"""A fresh store for one test, of either kind."""

from __future__ import annotations

from pathlib import Path

from tests.store.redis_server import KINDS, session_url


def store_url(kind: str, folder: Path) -> str:
    """A file in a folder, or the session's server; tests on a server keep apart by their namespaces."""
    return f"sqlite:///{folder}/bot.db" if kind == "sqlite" else session_url(KINDS[0])
