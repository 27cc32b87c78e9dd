"""The wheel holds the whole package, and works where it is installed."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.house.checkout import HOUSE, ROOT

EVERY_MODULE = """
import importlib, pkgutil, sys
sys.path.insert(0, sys.argv[1])
import linqbot
for found in pkgutil.walk_packages(linqbot.__path__, "linqbot."):
    if not found.name.endswith("__main__"):
        importlib.import_module(found.name)
print(linqbot.__file__)
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel built from this checkout."""
    folder = tmp_path_factory.mktemp("wheel")
    _run("-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(ROOT))
    return next(folder.glob("linqbot-*.whl"))


def test_the_wheel_holds_every_file_of_the_package(wheel: Path) -> None:
    """Lua, SQL, pages and the typing marker are there beside the Python files, and nothing else is."""
    packed = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}

    assert packed == {
        file.relative_to(ROOT).as_posix()
        for file in HOUSE.rglob("*")
        if file.is_file() and "__pycache__" not in file.parts
    }


def test_the_wheel_holds_the_typing_marker(wheel: Path) -> None:
    """Type checkers of users read linqbot's annotations."""
    assert "linqbot/py.typed" in zipfile.ZipFile(wheel).namelist()


def test_every_module_imports_from_where_the_wheel_is_installed(wheel: Path, tmp_path: Path) -> None:
    """Installed elsewhere, away from the checkout, each module of the package imports."""
    _run("-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--target", str(tmp_path), str(wheel))

    printed = _run("-c", EVERY_MODULE, str(tmp_path), cwd=tmp_path)

    assert Path(printed.strip()) == tmp_path / "linqbot" / "__init__.py"


def _run(*arguments: str, cwd: Path | None = None) -> str:
    done = subprocess.run([sys.executable, *arguments], cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
