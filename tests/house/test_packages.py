"""The packages the project is built on are declared."""

import re
import tomllib

import pytest

from tests.house.checkout import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def _names(requirements: list[str]) -> set[str]:
    return {re.match(r"[\w.-]+", requirement)[0].lower() for requirement in requirements}  # type: ignore[index]  # each begins with a name


@pytest.mark.parametrize("package", ["starlette", "uvicorn", "httpx", "pydantic", "structlog", "redis"])
def test_a_package_the_bot_runs_on_is_a_dependency(package: str) -> None:
    """What runs in production is installed by `pip install linqbot`."""
    assert package in _names(PROJECT["dependencies"])


def test_pytest_is_a_development_tool() -> None:
    """The tests' runner comes with `linqbot[dev]`, and not to production."""
    assert "pytest" in _names(PROJECT["optional-dependencies"]["dev"]) - _names(PROJECT["dependencies"])


def test_no_development_tool_is_installed_in_production() -> None:
    """`pip install linqbot` brings nothing that only `linqbot[dev]` needs."""
    assert _names(PROJECT["dependencies"]) & _names(PROJECT["optional-dependencies"]["dev"]) == set()
