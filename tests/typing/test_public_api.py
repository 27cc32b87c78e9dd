"""The types that users see."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from types import NoneType
from typing import get_args

from linqbot import replies
from linqbot.replies import Bubbles

HERE = Path(__file__).parent


def test_type_checker_takes_what_is_right_and_finds_what_is_wrong() -> None:
    """mypy in strict mode agrees with every line of both files, needless ignores included."""
    checked = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", str(HERE / "public_api.py"), str(HERE / "every_reply.py")],
        cwd=HERE.parent.parent,
        capture_output=True,
        text=True,
        check=False,
    )

    assert checked.stdout.startswith("Success: no issues found"), checked.stdout + checked.stderr


def test_each_kind_of_reply_is_shown_to_the_type_checker() -> None:
    """Every public class that a handler may return is what one of the handlers of `every_reply.py` returns."""
    lines = (HERE / "every_reply.py").read_text("utf-8")
    shown = set(re.findall(r"^async def \w+\(\) -> (\w+):$", lines, re.MULTILINE)) - {"None"}
    public = {name: getattr(replies, name) for name in replies.__all__}
    allowed = tuple(kind for kind in get_args(Bubbles) if isinstance(kind, type) and kind not in (str, NoneType))
    kinds = {name for name, kind in public.items() if isinstance(kind, type) and issubclass(kind, allowed)}

    assert len(kinds) > 25
    assert shown == kinds - {"Action", "Elsewhere"}
