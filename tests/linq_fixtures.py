"""Linq's payloads and answers as recorded, by file name."""

from __future__ import annotations

from pathlib import Path

FOLDER = Path(__file__).parent / "fixtures" / "linq"


def fixture_bytes(name: str) -> bytes:
    """The bytes of one recorded file."""
    return (FOLDER / name).read_bytes()
