"""Everything public says what it does, and every test what it promises."""

import ast
from collections.abc import Iterator
from pathlib import Path

from tests.house.checkout import HOUSE, ROOT, modules

Function = ast.FunctionDef | ast.AsyncFunctionDef
SPOKEN_FOR = {"overload", "override", "setter"}


def test_every_module_opens_with_a_docstring() -> None:
    """Each module of the package says where it stands; only an empty file says nothing."""
    silent = [file.relative_to(ROOT) for file in modules("linqbot") if _is_silent_module(file)]

    assert silent == []


def test_everything_public_has_a_docstring() -> None:
    """Each public class, function and method of the package says what it does for its caller."""
    silent = [name for file in modules("linqbot") if _is_public(file) for name in _silent(file)]

    assert silent == []


def test_every_test_says_its_promise() -> None:
    """Each test function has a docstring."""
    silent = [
        f"{file.relative_to(ROOT)}:{node.lineno} {node.name}"
        for file in modules("tests")
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, Function) and node.name.startswith("test_") and not ast.get_docstring(node)
    ]

    assert silent == []


def _is_silent_module(file: Path) -> bool:
    tree = ast.parse(file.read_text())
    return bool(tree.body) and not ast.get_docstring(tree)


def _is_public(file: Path) -> bool:
    parts = file.relative_to(HOUSE).with_suffix("").parts
    return not any(part.startswith("_") and part != "__init__" for part in parts)


def _silent(file: Path) -> Iterator[str]:
    for owner, node in _public_definitions(ast.parse(file.read_text())):
        if not ast.get_docstring(node):
            yield f"{file.relative_to(ROOT)}:{node.lineno} {owner}{node.name}"


def _public_definitions(
    tree: ast.Module | ast.ClassDef, owner: str = ""
) -> Iterator[tuple[str, Function | ast.ClassDef]]:
    for node in tree.body:
        if not isinstance(node, Function | ast.ClassDef) or node.name.startswith("_") or _is_spoken_for(node):
            continue
        yield owner, node
        if isinstance(node, ast.ClassDef):
            yield from _public_definitions(node, f"{owner}{node.name}.")


def _is_spoken_for(node: Function | ast.ClassDef) -> bool:
    return any(ast.unparse(decorator).rpartition(".")[2] in SPOKEN_FOR for decorator in node.decorator_list)
