"""The types that users see."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent


def test_type_checker_takes_what_is_right_and_finds_what_is_wrong() -> None:
    """mypy in strict mode agrees with every line of `public_api.py`, needless ignores included."""
    checked = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", str(HERE / "public_api.py")],
        cwd=HERE.parent.parent,
        capture_output=True,
        text=True,
        check=False,
    )

    assert checked.stdout.startswith("Success: no issues found"), checked.stdout + checked.stderr
