"""Imports run downhill."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.house.checkout import HOUSE, ROOT, SCRIPTS, expect_no_findings

BREACHES = [
    ("ids.py", "import linqbot.events", "Downhill only"),
    ("protocol/backoff.py", "import linqbot.client", "Downhill only"),
    ("client/http.py", "import linqbot.store", "Downhill only"),
    ("bot.py", "import linqbot.testing", "Downhill only"),
    ("utils.py", "NOTHING = 0", "Downhill only"),
    ("engine/worker.py", "import linqbot.engine.ingress", "Stations meet only in the store"),
    ("store/sqlite/store.py", "import linqbot.store.redis.store", "Backends are strangers"),
    ("engine/runtime.py", "import linqbot.store.sqlite.store", "Only the factory names a backend"),
    ("cli/app.py", "import linqbot.store.redis.store", "Only the factory names a backend"),
    ("protocol/outcome.py", "import httpx", "Words, rules and handling do no I/O"),
    ("handling/router.py", "import sqlite3", "Words, rules and handling do no I/O"),
    ("emulator/app.py", "import linqbot.protocol.signature", "The emulator is an independent witness"),
    ("errors.py", "import linqbot.testing", "No cycles anywhere"),
    ("settings.py", "import linqbot.engine.worker", "Settings know policies, never parts"),
    ("events/message.py", "import asyncio", "Words and rules are not even async"),
]

RUNNING = {"pickle", "marshal", "shelve", "dill", "cloudpickle", "jsonpickle", "yaml", "dbm"}
"""What makes objects of any kind, and with them code, of bytes."""


def test_the_import_contracts_are_kept() -> None:
    """Rooms import downhill only, siblings never meet, and words and rules touch no I/O."""
    expect_no_findings("lint-imports", "--no-cache")


def test_a20_nothing_that_is_read_can_run() -> None:
    """Whoever can write to the store can change what a bot says, and not what it does.

    Held by JSON and SQLite's own types alone: no module that makes code or objects of bytes is imported anywhere.
    """
    imported = {
        f"{file.relative_to(HOUSE)}: {name}"
        for file in HOUSE.rglob("*.py")
        for name in re.findall(r"^\s*(?:import|from) (\w+)", file.read_text("utf-8"), re.MULTILINE)
        if name in RUNNING
    }

    assert imported == set()


@pytest.mark.parametrize(("module", "line", "contract"), BREACHES, ids=lambda value: value if " " not in value else "")
def test_a_breach_is_found(tmp_path: Path, module: str, line: str, contract: str) -> None:
    """Each contract is awake: an import that it forbids, planted in a copy of the package, breaks it by name."""
    house = shutil.copytree(HOUSE, tmp_path / "linqbot", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    with (house / module).open("a") as file:
        file.write(f"\n{line}\n")

    linted = subprocess.run(
        [SCRIPTS / "lint-imports", "--no-cache"], cwd=tmp_path, capture_output=True, text=True, check=False
    )

    assert f"{contract} BROKEN" in linted.stdout
