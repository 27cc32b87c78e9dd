"""README.md -> blocks -> what happened when each was done as it says.

A `python` block is a program, or a test if it defines one; it goes on from the block before it unless it makes a `bot` of
its own, and a first comment such as `# bot.py` names the file it is saved as, for the blocks below. A `bash` block is a
script, and a `text` block right below it what the script says. In a `console` block lines after `$ ` are commands, lines
after `> ` are typed into the program, and the rest is what it says. `json`, `toml` and `yaml` are parsed. A block that
cannot be done says why directly above it: `<!-- not run: it needs an account -->`.
"""

from __future__ import annotations

import itertools
import json
import os
import re
import signal
import subprocess
import sys
import threading
import tomllib
from dataclasses import dataclass, field
from pathlib import Path

import yaml

FENCE = re.compile(
    r"^(?:<!-- not run: (?P<reason>[^\n]+) -->\n+)?```(?P<language>\w*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL
)
MAKES_A_BOT = re.compile(r"^bot = Bot\(", re.MULTILINE)
IS_A_TEST = re.compile(r"^(async )?def test_", re.MULTILINE)
FILE_NAME = re.compile(r"# ([\w/]+\.py)\b")
PATIENCE_S = 300
"""How long one command may take."""
GRACE_S = 5
"""How long a program that has said all it should may take to end by itself."""

RUN_A_PROGRAM = """
import runpy, sys
sys.path.insert(0, ".")
names = runpy.run_path(sys.argv[1])
if "bot" in names:
    names["bot"].event_types()
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """One fenced block of a page."""

    line: int
    language: str
    text: str
    reason: str | None
    """Why it is not run, where the page says so."""
    answers: tuple[str, ...] = ()
    """What the text block below a script shows."""
    before: str = ""
    """The Python above that this block goes on from."""

    def __str__(self) -> str:
        return f"line-{self.line}-{self.language}"


@dataclass(slots=True, kw_only=True)
class Step:
    """One command, what is typed into it, and what it is said to answer."""

    command: str
    typed: list[str] = field(default_factory=list)
    answers: list[str] = field(default_factory=list)


def blocks(page: str) -> list[Block]:
    """Every fenced block of a page, in order."""
    read: list[Block] = []
    program = ""
    for match, following in itertools.pairwise([*FENCE.finditer(page), None]):
        assert match is not None
        language, text = match["language"], match["text"]
        if MAKES_A_BOT.search(text):
            program = ""
        line = page.count("\n", 0, match.start("language")) + 1
        answers = _answers(page, match, following) if language == "bash" else ()
        read.append(
            Block(line=line, language=language, text=text, reason=match["reason"], answers=answers, before=program)
        )
        program += text if language == "python" and not IS_A_TEST.search(text) else ""
    return read


def _answers(page: str, script: re.Match[str], following: re.Match[str] | None) -> tuple[str, ...]:
    if following is None or following["language"] != "text" or page[script.end() : following.start()].strip():
        return ()
    return tuple(line for line in following["text"].splitlines() if line.strip())


def steps(block: Block) -> list[Step]:
    """The commands of a console block; `export` lines hold for the commands after them."""
    found: list[Step] = []
    exports = ""
    for line in block.text.splitlines():
        if line.startswith("$ export "):
            exports += f"{line.removeprefix('$ ')}; "
        elif line.startswith("$ "):
            found.append(Step(command=exports + line.removeprefix("$ ")))
        elif line.startswith("> "):
            found[-1].typed.append(line.removeprefix("> "))
        elif line.strip():
            found[-1].answers.append(line)
    return found


def do(block: Block, folder: Path) -> None:
    """Do what a block says, in a folder; raises `AssertionError` with what went wrong."""
    if block.language == "python":
        _run_python(block, folder)
    elif block.language == "bash":
        _take(Step(command=f"set -euo pipefail\n{block.text}", answers=[*block.answers]), folder)
    elif block.language == "console":
        for step in steps(block):
            _take(step, folder)
    else:
        {"json": json.loads, "toml": tomllib.loads, "yaml": yaml.safe_load, "text": str}[block.language](block.text)


def unsaid(answers: list[str], output: str) -> list[str]:
    """The promised lines that the output lacks; `…` stands for anything, and blanks and order do not matter."""
    said = [" ".join(line.split()) for line in output.splitlines()]
    return [answer for answer in answers if not any(_pattern(answer).search(line) for line in said)]


def _pattern(answer: str) -> re.Pattern[str]:
    return re.compile(".*".join(re.escape(part) for part in " ".join(answer.split()).replace("...", "…").split("…")))


def _run_python(block: Block, folder: Path) -> None:
    named = FILE_NAME.match(block.text)
    is_test = IS_A_TEST.search(block.text)
    file = folder / (named[1] if named else f"{'test_' if is_test else ''}readme_{block.line}.py")
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(f"{block.before}\n{block.text}" if block.before else block.text)
    how = ["-m", "pytest", "-q", "-p", "no:cacheprovider"] if is_test else ["-W", "error", "-c", RUN_A_PROGRAM]
    done = subprocess.run(
        [sys.executable, *how, file], cwd=folder, env=environment(folder), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def _take(step: Step, folder: Path) -> None:
    with subprocess.Popen(
        ["bash", "-c", step.command],
        cwd=folder,
        env=environment(folder),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as process:
        impatience = _after(PATIENCE_S, process, signal.SIGKILL)
        try:
            output = _converse(process, step)
        finally:
            impatience.cancel()
    missing = unsaid(step.answers, output)
    assert not missing, f"`{step.command}` did not say {missing}, but:\n{output}"
    assert process.returncode == 0, f"`{step.command}` ended with {process.returncode}:\n{output}"


def _converse(process: subprocess.Popen[str], step: Step) -> str:
    """Type what is to be typed; a program that has said all it should and goes on, as a server does, is stopped."""
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write("".join(f"{line}\n" for line in step.typed))
    process.stdin.flush()
    if not step.typed:
        process.stdin.close()
    output = ""
    waiting = bool(step.answers)
    for line in process.stdout:
        output += line
        if waiting and not unsaid(step.answers, output):
            waiting = False
            process.stdin.close()
            _after(GRACE_S, process, signal.SIGTERM)
    return output


def _after(seconds: float, process: subprocess.Popen[str], number: signal.Signals) -> threading.Timer:
    """Send a signal to what a command started, unless it ended before."""
    timer = threading.Timer(seconds, lambda: process.poll() is None and os.killpg(process.pid, number))
    timer.daemon = True
    timer.start()
    return timer


def environment(folder: Path) -> dict[str, str]:
    """A newcomer's environment: no setting of linqbot's, the tools of this virtual environment first on the path."""
    kept = {name: value for name, value in os.environ.items() if name.startswith(("PIP_", "PYENV", "LANG", "LC_"))}
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return {**kept, "PATH": path, "HOME": str(folder), "PYTHONDONTWRITEBYTECODE": "1", "NO_COLOR": "1"}
