"""A target -> a Bot."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from linqbot.cli.load import LoadError, check_place, load_bot

ONE = """
from linqbot import Bot
bot = Bot()

@bot.message()
async def echo() -> str:
    return "hi"
"""


@pytest.fixture(autouse=True)
def modules() -> Iterator[None]:
    """What a test imports is forgotten after it."""
    names, path = set(sys.modules), list(sys.path)
    yield
    sys.path[:] = path
    for name in set(sys.modules) - names:
        del sys.modules[name]


@pytest.fixture
def package(folder: Path) -> Path:
    """A folder `shop_bots` with a bot in `greeter.py`."""
    (folder / "shop_bots").mkdir()
    (folder / "shop_bots" / "greeter.py").write_text(ONE)
    return folder


@pytest.mark.parametrize(
    "target", ["shop_bots/greeter.py", "shop_bots/greeter.py:bot", "shop_bots.greeter", "shop_bots.greeter:bot"]
)
def test_a_bot_is_found_by_file_and_by_module(target: str, package: Path) -> None:
    """All four ways to name a bot give one."""
    assert load_bot(target).event_types() >= {"message.received"}


def test_a_file_may_import_its_neighbours_and_those_of_the_current_folder(package: Path) -> None:
    """A bot's file finds modules beside it and modules in the current folder."""
    (package / "shop_bots" / "beside_it.py").write_text("")
    (package / "in_the_folder.py").write_text("")
    (package / "shop_bots" / "greeter.py").write_text("import beside_it, in_the_folder" + ONE)

    load_bot("shop_bots/greeter.py")


def test_several_bots_want_a_name(folder: Path) -> None:
    """A file with two bots is refused with a list of them."""
    (folder / "two_bots.py").write_text("from linqbot import Bot\nfirst = Bot()\nsecond = Bot()\n")

    with pytest.raises(LoadError, match=r"several bots: name one; there is two_bots.py:first, two_bots.py:second$"):
        load_bot("two_bots.py")


def test_one_bot_under_two_names_is_one_bot(folder: Path) -> None:
    """`app = bot` makes no choice necessary."""
    (folder / "one_bot.py").write_text(ONE + "\napp = bot\n")

    load_bot("one_bot.py")


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("nowhere.py", r"there is no file 'nowhere.py' here"),
        ("nowhere.at_all", r"there is no module 'nowhere'"),
        ("shop_bots.nobody", r"there is no module 'shop_bots.nobody'"),
        ("shop_bots.greeter:app", r"no bot called 'app'; there is shop_bots.greeter:bot"),
        ("shop bots", r"neither a file nor a module"),
        ("shop_bots/my-bot.py", r"its name must be a Python word"),
        ("empty_one.py", r"has no bot: write `bot = Bot\(\)` there"),
        ("json.py", r"has the name of another module"),
    ],
)
def test_what_cannot_be_found_is_told_on_one_line(target: str, message: str, package: Path) -> None:
    """Each way to miss a bot has its own line that says what to do."""
    (package / "shop_bots" / "my-bot.py").write_text(ONE)
    (package / "empty_one.py").write_text("")
    (package / "json.py").write_text(ONE)

    with pytest.raises(LoadError, match=message) as refused:
        load_bot(target)

    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("1 / 0", r"ZeroDivisionError: division by zero \(line 1 of .*broken_bot.py\)"),
        ("def (", r"SyntaxError: invalid syntax \(line 1 of .*broken_bot.py\)"),
        ("import not_installed_here", r"ModuleNotFoundError: No module named 'not_installed_here' \(line 1 of"),
        ("raise SystemExit('no')", r"SystemExit: no \(line 1 of"),
    ],
)
def test_a_file_that_raises_is_told_with_its_line(code: str, message: str, folder: Path) -> None:
    """The line names the error and the place in the user's own code, and keeps the cause for -v."""
    (folder / "broken_bot.py").write_text(code)

    with pytest.raises(LoadError, match=message) as refused:
        load_bot("broken_bot.py")

    assert refused.value.__cause__ is not None


def test_a_missing_file_is_seen_before_anything_runs() -> None:
    """No save of another file could heal a wrong path."""
    with pytest.raises(LoadError, match="there is no file"):
        check_place("nowhere.py:bot")
