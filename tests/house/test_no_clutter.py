"""What is committed says nothing about the machine it was made on."""

import re
from pathlib import Path

from tests.house.checkout import ROOT, committed

HOSTS = [
    r"\.".join(words)
    for words in (
        ("pypi", "org"),
        ("pythonhosted", "org"),
        ("npmjs", "(org|com)"),
        ("debian", "org"),
        ("crates", "io"),
        ("ghcr", "io"),
        ("docker", "(io|com)"),
        ("quay", "io"),
        ("jsdelivr", "net"),
        ("unpkg", "com"),
        ("rubygems", "org"),
    )
]
REGISTRY = re.compile(rf"\b({'|'.join(HOSTS)})\b")
MACHINE_PATH = re.compile(r"(?<![\w.~}])/(work|root|home/\w+)/")
LEFTOVERS = re.compile(r"\b(TODO|FIXME|XXX)\b")
ONESELF = Path(__file__)


def test_no_registry_is_named() -> None:
    """Where packages come from is the machine's setting, never the project's."""
    assert _lines_with(REGISTRY) == []


def test_no_path_of_one_machine_is_named() -> None:
    """Nothing depends on where the project once lay."""
    assert _lines_with(MACHINE_PATH) == []


def test_nothing_is_left_for_later() -> None:
    """What is committed is done."""
    assert _lines_with(LEFTOVERS) == []


def _lines_with(pattern: re.Pattern[str]) -> list[str]:
    return [
        f"{file.relative_to(ROOT)}:{number} {line.strip()[:120]}"
        for file in committed()
        if file != ONESELF and not file.is_relative_to(ROOT / "tests" / "fixtures")
        for number, line in enumerate(file.read_text(errors="replace").splitlines(), start=1)
        if pattern.search(line)
    ]
