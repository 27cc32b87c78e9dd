"""README says what is true, and all of it."""

import inspect
import re
import shutil
from pathlib import Path

import pytest

from linqbot import errors
from linqbot.cli.app import COMMANDS
from linqbot.client import errors as api_errors
from linqbot.settings import SETTINGS, Setting
from tests.house.checkout import ROOT
from tests.house.readme import Block, blocks, do

README = (ROOT / "README.md").read_text()
BLOCKS = blocks(README)
TO_RUN = [block for block in BLOCKS if block.reason is None]
NOT_COPIED = shutil.ignore_patterns(".git", ".venv", ".linqbot", ".env", "__pycache__", ".*_cache", ".hypothesis")


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh copy of the checkout, in which README is followed from top to bottom; async tests run on asyncio alone."""
    folder = shutil.copytree(ROOT, tmp_path_factory.mktemp("readme") / "linqbot", ignore=NOT_COPIED)
    shutil.copy(ROOT / "tests" / "conftest.py", folder)
    return folder


@pytest.mark.timeout(400)
@pytest.mark.parametrize("block", TO_RUN, ids=str)
def test_a_block_does_what_it_says(block: Block, sandbox: Path) -> None:
    """Every program, test and command of README works as it stands there."""
    do(block, sandbox)


def test_a_block_that_is_not_run_says_why() -> None:
    """Only what needs somebody's account, or would run the tests within the tests, is left out."""
    reasons = [block.reason for block in BLOCKS if block.reason]

    assert [reason for reason in reasons if len(reason.split()) < 3] == []


def test_the_test_command_is_the_one_that_ci_runs() -> None:
    """README's command for the tests is run on a fresh clone by every CI run."""
    [line] = re.findall(r'^readonly README_TESTS="(.*)"$', (ROOT / ".ci" / "run").read_text(), re.MULTILINE)

    assert line in README.splitlines()


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: setting.name)
def test_a_setting_is_told_with_its_names_and_default(setting: Setting) -> None:
    """Each setting has a row with every name it is read from and the default that holds."""
    [row] = [line for line in README.splitlines() if line.startswith(f"| `{setting.name}`")]

    told = re.findall(r"`([^`]+)`", row)
    assert {*setting.names, *filter(None, [setting.default])} <= {*told}


def test_no_setting_is_told_that_does_not_exist() -> None:
    """Each variable of linqbot's that README names is one that is read."""
    names = {name for setting in SETTINGS for name in setting.names}

    assert {*re.findall(r"\bLINQ(?:BOT)?_[A-Z0-9_]+\b", README)} - names == set()


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_is_told(command: str) -> None:
    """Each command is shown as one would type it."""
    assert f"linqbot {command}" in README


@pytest.mark.parametrize("module", [errors, api_errors], ids=lambda module: module.__name__)
def test_every_error_is_told(module: object) -> None:
    """Each error that a user may meet is named."""
    names = [name for name, kind in vars(module).items() if inspect.isclass(kind) and issubclass(kind, Exception)]

    assert [name for name in names if not re.search(rf"\b{name}\b", README)] == []
