"""*.sql -> statements by name. The only module that reads SQL files.

A query begins at a line `-- name: ...`, where the words after the colon tell its inputs and its result; it ends where the
next begins.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator, Mapping
from importlib import resources
from types import MappingProxyType

_HEAD = re.compile(r"^-- (?P<name>\w+): .*$", re.MULTILINE)


def named(text: str) -> Mapping[str, str]:
    """The queries of a file by name, without their comments' head lines."""
    heads = list(_HEAD.finditer(text))
    ends = [head.start() for head in heads[1:]] + [len(text)]
    return MappingProxyType(
        {head["name"]: text[head.end() : end].strip().rstrip(";") for head, end in zip(heads, ends, strict=True)}
    )


def statements(text: str) -> Iterator[str]:
    """The statements of a script, one after the other."""
    pending = ""
    for line in text.splitlines(keepends=True):
        pending += line
        if sqlite3.complete_statement(pending):
            yield pending
            pending = ""


def layouts() -> Mapping[int, str]:
    """The scripts that make layout n out of layout n - 1, by n, in order."""
    return {int(name): text for name, text in _scripts().items() if name.isdecimal()}


def beside() -> str:
    """The script of what came to the newest layout later; it may be applied again and again."""
    return _scripts().get(f"{max(layouts()):04d}.beside", "")


def _scripts() -> Mapping[str, str]:
    folder = resources.files(__package__) / "layout"
    files = sorted((file for file in folder.iterdir() if file.name.endswith(".sql")), key=lambda file: file.name)
    return {file.name.removesuffix(".sql"): file.read_text("utf-8") for file in files}


QUERIES = named((resources.files(__package__) / "queries.sql").read_text("utf-8"))
