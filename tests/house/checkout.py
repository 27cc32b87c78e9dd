"""A checkout -> its files: where the house stands, what is committed in it, and the tools that look it over."""

from __future__ import annotations

import os
import subprocess
import sysconfig
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
HOUSE = ROOT / "linqbot"
SCRIPTS = Path(sysconfig.get_path("scripts"))


def expect_no_findings(tool: str, *arguments: str) -> None:
    """Run a development tool over the checkout; what it finds is the failure."""
    run = subprocess.run([SCRIPTS / tool, *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
    if run.returncode:
        pytest.fail(f"{tool} {' '.join(arguments)}\n{run.stdout}{run.stderr}", pytrace=False)


def git(*arguments: str) -> str:
    """What git says about this checkout; outside one the test is skipped, and fails in CI, which runs in a clone."""
    if not (ROOT / ".git").exists():
        if os.environ.get("CI"):
            pytest.fail("CI runs in a clone, but this is no git checkout")
        pytest.skip("not a git checkout: what is committed cannot be read")
    return subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=True).stdout


def committed() -> list[Path]:
    """Every file of the last commit that is still there."""
    names = git("ls-tree", "-r", "-z", "--name-only", "HEAD").split("\0")
    return [ROOT / name for name in names if name and (ROOT / name).is_file()]


def modules(*folders: str) -> list[Path]:
    """Every Python file below the given folders of the root."""
    return sorted(file for folder in folders for file in (ROOT / folder).rglob("*.py"))
