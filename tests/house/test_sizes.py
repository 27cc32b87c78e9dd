"""Modules and functions stay small, and no drawer is left without a name."""

import ast
from collections.abc import Iterator
from pathlib import Path

from tests.house.checkout import ROOT, modules

MODULE_LINES = 500
FUNCTION_LINES = 40
DRAWERS = {"common", "helper", "helpers", "manager", "misc", "util", "utils"}


def test_modules_are_short() -> None:
    """No module of the package is longer than 500 lines."""
    lengths = {file.relative_to(ROOT): _lines(file) for file in modules("linqbot", "examples")}

    assert {file: length for file, length in lengths.items() if length > MODULE_LINES} == {}


def test_functions_are_short() -> None:
    """No function of the package has a body of more than 40 lines, its docstring not counted."""
    lengths = {name: length for file in modules("linqbot", "examples") for name, length in _functions(file)}

    assert {name: length for name, length in lengths.items() if length > FUNCTION_LINES} == {}


def test_every_module_is_named_for_what_it_holds() -> None:
    """No module or folder is called utils, helpers, manager, misc or common."""
    names = [file.relative_to(ROOT) for file in modules("linqbot", "examples", "tests")]

    assert [name for name in names if DRAWERS & {*name.with_suffix("").parts}] == []


def _lines(file: Path) -> int:
    return len(file.read_text().splitlines())


def _functions(file: Path) -> Iterator[tuple[str, int]]:
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield f"{file.relative_to(ROOT)}:{node.lineno} {node.name}", _body_lines(node)


def _body_lines(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    body = node.body[1:] if ast.get_docstring(node) else node.body
    return (node.end_lineno or 0) - body[0].lineno + 1 if body else 0
