"""requirements.txt pins what the project asks for, and names no place to get it from."""

import re
import tomllib
from importlib.metadata import requires

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.house.checkout import ROOT

LINES = [line for line in (ROOT / "requirements.txt").read_text().splitlines() if line and not line.startswith("#")]
PINNED = {canonicalize_name(pin.name): pin for pin in map(Requirement, LINES[:-1])}
ASKED = [Requirement(line) for line in tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]]


def test_the_last_line_is_the_project_itself() -> None:
    """Heroku installs the bot's own code from the same file."""
    assert LINES[-1] == "."


@pytest.mark.parametrize("line", LINES[:-1])
def test_a_line_is_one_exact_version_and_nothing_else(line: str) -> None:
    """No hash, no address, no option: a name, a version, and a marker where one is needed."""
    assert re.fullmatch(r"[a-z0-9.-]+==[\w.]+( ; [\w.'<>=! ]+)?", line)


@pytest.mark.parametrize("asked", ASKED, ids=str)
def test_a_pinned_version_is_one_the_project_accepts(asked: Requirement) -> None:
    """Each dependency of pyproject.toml is pinned inside its range."""
    assert asked.specifier.contains(_version(canonicalize_name(asked.name)))


def test_nothing_is_left_for_the_installer_to_choose() -> None:
    """What the dependencies need in turn is pinned too, so that two deploys of one commit are the same."""
    needed = {name for asked in ASKED for name in _closure(asked)}

    assert needed - PINNED.keys() == set()


def _version(name: str) -> str:
    return next(iter(PINNED[canonicalize_name(name)].specifier)).version


def _closure(asked: Requirement) -> set[str]:
    found: dict[tuple[str, str], Requirement] = {}
    waiting = [(asked, extra) for extra in ("", *asked.extras)]
    while waiting:
        requirement, extra = waiting.pop()
        key = (canonicalize_name(requirement.name), extra)
        if key in found:
            continue
        found[key] = requirement
        for line in requires(requirement.name) or ():
            child = Requirement(line)
            if child.marker is None or child.marker.evaluate({"extra": extra}):
                waiting += [(child, wanted) for wanted in ("", *child.extras)]
    return {name for name, _ in found}
