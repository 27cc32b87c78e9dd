"""Linq's webhooks as recorded, by file name."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from linqbot.events import Event, parse_event

FIXTURES = Path(__file__).resolve().parents[1] / "fixtures" / "linq"
INDEX = json.loads((FIXTURES / "index.json").read_text())["files"]
WEBHOOKS = [entry["file"] for entry in INDEX if entry["kind"] == "webhook"]


def body_of(name: str) -> dict[str, Any]:
    """The parsed body of a recorded webhook."""
    parsed: dict[str, Any] = json.loads((FIXTURES / name).read_text())
    return parsed


@pytest.fixture
def recorded() -> Callable[..., Any]:
    """Reads a recorded webhook into its event, with some fields of its data changed."""

    def read(name: str, **changes: object) -> Event:
        body = body_of(f"{name}.json")
        body["data"] = {**body["data"], **changes}
        return parse_event(body)

    return read
