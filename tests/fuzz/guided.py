"""inputs that find new code -> more of them. Runs the target under atheris; the arguments are libFuzzer's.

A process of its own, because libFuzzer never returns. Begin with `python -m tests.fuzz`.
"""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Any

from tests.fuzz.run import target_of

atheris: Any = import_module("atheris")  # not everybody has it

WATCHED = ["linqbot.errors", "linqbot.events", "linqbot.protocol", "linqbot.records", "json.decoder", "json.scanner"]
"""Whose code is to be reached."""


def main() -> None:
    """Fuzz; the first argument names the target."""
    _, name, *arguments = sys.argv
    with atheris.instrument_imports(include=WATCHED):
        target = target_of(name)
    atheris.Setup([sys.argv[0], *arguments], target)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
