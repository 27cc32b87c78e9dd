"""The program itself."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import version

from linqbot.cli.app import COMMANDS


def _run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *arguments], capture_output=True, text=True, check=False)


def test_help_names_every_command() -> None:
    """`linqbot --help` lists the commands with a line each."""
    shown = _run("-m", "linqbot", "--help").stdout

    assert [name for name, (_, line) in COMMANDS.items() if name not in shown or line not in shown] == []


def test_every_command_explains_itself() -> None:
    """Each command has help of its own."""
    assert [name for name in COMMANDS if _run("-m", "linqbot", name, "--help").returncode != 0] == []


def test_help_imports_no_server() -> None:
    """What is not asked for is not paid for."""
    code = (
        "import sys\nsys.argv = ['linqbot', '--help']\nfrom linqbot.cli.app import main\n"
        "try:\n    main()\nfinally:\n    print(sorted({'uvicorn', 'pydantic', 'starlette', 'httpx'} & {*sys.modules}))"
    )

    assert _run("-c", code).stdout.splitlines()[-1] == "[]"


def test_the_version_is_the_installed_one() -> None:
    """`linqbot --version` says which linqbot this is."""
    assert _run("-m", "linqbot", "--version").stdout == f"linqbot {version('linqbot')}\n"


def test_an_unknown_command_is_refused() -> None:
    """A typo is told, with exit code 2."""
    done = _run("-m", "linqbot", "runn")

    assert done.returncode == 2
    assert "No such command 'runn'" in done.stderr
