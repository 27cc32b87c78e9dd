"""The root holds what it is meant to hold."""

from tests.house.checkout import git

TOP_LEVEL = {
    ".ci",
    ".gitignore",
    ".python-version",
    "LICENSE",
    "Procfile",
    "README.md",
    "app.json",
    "deploy",
    "examples",
    "linqbot",
    "pyproject.toml",
    "requirements.txt",
    "tests",
}


def test_the_root_holds_exactly_these_names() -> None:
    """Nothing is added to the root of the repository, and nothing goes missing, without this list saying so."""
    assert {*git("ls-tree", "--name-only", "HEAD").splitlines()} == TOP_LEVEL
