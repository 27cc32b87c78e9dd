"""The reader of README is itself read to."""

from pathlib import Path

import pytest

from tests.house.readme import Block, blocks, do, steps, unsaid

PAGE = """
# A page

```python
# greet.py
print("hello")
```

<!-- not run: it needs an account -->
```console
$ linqbot run bot:bot
```

```console
$ export NAME=Ann
$ echo "hello, $NAME"; echo "it is 12:00"
hello,   Ann
it is …
```
"""


def _block(language: str, text: str) -> Block:
    return Block(line=1, language=language, text=text, reason=None)


def test_a_page_is_read_as_its_blocks() -> None:
    """Each fenced block is found with its language, and with the reason why it is not run."""
    assert [(block.language, block.reason) for block in blocks(PAGE)] == [
        ("python", None),
        ("console", "it needs an account"),
        ("console", None),
    ]


def test_a_console_block_is_read_as_its_commands() -> None:
    """Commands, what is typed into them and what they answer are told apart."""
    first, second = steps(_block("console", "$ one\n> typed\nanswer\n$ two\n"))

    assert (first.command, first.typed, first.answers) == ("one", ["typed"], ["answer"])
    assert (second.command, second.typed, second.answers) == ("two", [], [])


def test_a_page_that_is_true_passes(tmp_path: Path) -> None:
    """Programs run, commands answer as promised; a later block finds the file that an earlier one named."""
    for block in blocks(PAGE + "```console\n$ python greet.py\nhello\n```\n"):
        if block.reason is None:
            do(block, tmp_path)


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("python", "raise SystemExit(1)\n"),
        ("python", "def test_it():\n    assert False\n"),
        ("console", "$ false\n"),
        ("console", "$ echo hello\ngoodbye\n"),
        ("console", "$ head -n 1\n> hello\ngoodbye\n"),
    ],
)
def test_a_block_that_is_not_true_fails(tmp_path: Path, language: str, text: str) -> None:
    """A program that raises, a test that fails, a command that fails or says something else is found."""
    with pytest.raises(AssertionError):
        do(_block(language, text), tmp_path)


def test_a_program_that_never_ends_is_stopped_when_it_has_said_all(tmp_path: Path) -> None:
    """A server is asked to stop by SIGTERM, and must then end well."""
    do(
        _block(
            "console",
            "$ trap 'exit 0' TERM; echo serving; while read line; do :; done < <(tail -f /dev/null)\nserving\n",
        ),
        tmp_path,
    )


def test_what_is_typed_reaches_the_program(tmp_path: Path) -> None:
    """Lines after `> ` are what a person types."""
    do(_block("console", "$ read name; echo hello, $name\n> Ann\nhello, Ann\n"), tmp_path)


def test_an_ellipsis_stands_for_anything() -> None:
    """Times, ids and ports need not be promised."""
    assert unsaid(["started at … on port …", "ready..."], "started at 12:00  on port 80\nready: yes\n") == []


def test_a_program_goes_on_from_the_block_before_it() -> None:
    """A reader keeps what was defined above, until a block makes a bot of its own."""
    page = "```python\nbot = Bot()\n```\n```python\nmore = bot\n```\n```python\nbot = Bot(1)\n```\n"

    assert [block.before for block in blocks(page)] == ["", "bot = Bot()\n", ""]


def test_a_script_says_what_is_shown_below_it(tmp_path: Path) -> None:
    """A text block right below a script is what it answers."""
    script, _ = blocks("```bash\necho hello\n```\n\n```text\ngoodbye\n```\n")

    with pytest.raises(AssertionError, match="did not say"):
        do(script, tmp_path)


def test_a_script_stops_at_the_first_command_that_fails(tmp_path: Path) -> None:
    """A later command does not hide it."""
    with pytest.raises(AssertionError, match="ended with 1"):
        do(_block("bash", "false\ntrue\n"), tmp_path)
