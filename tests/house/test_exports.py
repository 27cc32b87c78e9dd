"""What is public is listed, and nothing else is."""

import ast
import importlib
import inspect
from collections.abc import Iterator

import pytest

PUBLIC = ["linqbot", "linqbot.client", "linqbot.events", "linqbot.replies", "linqbot.testing"]


@pytest.mark.parametrize("name", PUBLIC)
def test_the_public_names_are_listed_and_no_others(name: str) -> None:
    """`__all__` holds each name of linqbot's that the module imports or defines, for the reader or for the type checker."""
    module = importlib.import_module(name)

    assert {*module.__all__} == {*_names(ast.parse(inspect.getsource(module)))}


@pytest.mark.parametrize("name", PUBLIC)
def test_every_public_name_is_there(name: str) -> None:
    """What is listed can be imported."""
    module = importlib.import_module(name)

    assert [public for public in module.__all__ if not hasattr(module, public)] == []


@pytest.mark.parametrize("name", PUBLIC)
def test_the_public_names_are_sorted(name: str) -> None:
    """Constants, classes, functions, each in the order of the alphabet, and each once."""
    names = importlib.import_module(name).__all__

    assert [*names] == sorted({*names}, key=lambda public: (_kind(public), public))


@pytest.mark.parametrize("name", PUBLIC)
def test_the_module_says_what_it_is_for(name: str) -> None:
    """A public module's docstring is the map of what is in it."""
    assert importlib.import_module(name).__doc__


def _names(tree: ast.AST) -> Iterator[str]:
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("linqbot"):
            yield from (alias.asname or alias.name for alias in node.names)
        elif isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_"):
            yield node.name
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            yield from (name for name in map(ast.unparse, targets) if not name.startswith("_"))
        elif isinstance(node, ast.If):
            yield from _names(node)


def _kind(name: str) -> int:
    if name.isupper():
        return 0
    return 1 if name[0].isupper() else 2
