"""The skeleton of a JSON value: which keys it has, at every depth."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

FIXTURES = Path(__file__).parents[1] / "fixtures" / "linq"


def fixture(name: str) -> Any:
    """A fixture's content."""
    return json.loads((FIXTURES / f"{name}.json").read_text())


def differences(ours: Any, theirs: Any, where: str = "$") -> list[str]:
    """Where the keys of two values differ; a null on either side fits anything, lists are compared by their first item."""
    if ours is None or theirs is None:
        return []
    if isinstance(theirs, dict) and isinstance(ours, dict):
        odd = [f"{where}.{key}" for key in sorted(ours.keys() ^ theirs.keys())]
        shared = sorted(ours.keys() & theirs.keys())
        return odd + [fault for key in shared for fault in differences(ours[key], theirs[key], f"{where}.{key}")]
    if isinstance(theirs, list) and isinstance(ours, list):
        return differences(ours[0], theirs[0], f"{where}[0]") if ours and theirs else []
    return [] if isinstance(ours, type(theirs)) else [f"{where}: another type"]
