"""a bot -> a process with a port. `linqbot run` as in production, its every line kept, its memory to be looked at."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self
from uuid import uuid4

from tests.hostile.letters import SECRET
from tests.store.redis_server import KINDS, session_url

ROOT = Path(__file__).resolve().parents[2]
PATIENCE_S = 30.0
_PAGE = os.sysconf("SC_PAGE_SIZE")


class Served:
    """`linqbot run TARGET` until left; `said` are the lines it wrote to its output and errors so far."""

    def __init__(self, target: str, *flags: str, port: int = 0, **environment: str) -> None:
        self._command = [
            sys.executable,
            "-m",
            "linqbot",
            "run",
            target,
            "--host",
            "127.0.0.1",
            "--port",
            str(port),
            *flags,
        ]
        self.environment = {
            "PATH": os.environ["PATH"],
            "LINQ_API_V3_API_KEY": "a-test-token",
            "LINQ_WEBHOOK_SECRET": SECRET,
            "LINQ_API_V3_BASE_URL": "http://127.0.0.1:1/api/partner",
            "LINQBOT_STORE": session_url(KINDS[0]),
            "LINQBOT_NAMESPACE": f"hostile-{uuid4().hex[:12]}",
            "LINQBOT_PAIR_BUDGET": "0",
            "LOG_FORMAT": "json",
            **environment,
        }
        self.said: list[str] = []
        self.port = port
        self._spoke = threading.Condition()
        self._ended = False

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            self._command,
            cwd=ROOT,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
        )
        self._reader = threading.Thread(target=self._listen, daemon=True)
        self._reader.start()
        try:
            self._wait_until_it_serves()
        except AssertionError:
            self.__exit__()
            raise
        return self

    def _wait_until_it_serves(self) -> None:
        self.wait_for("started" if "worker" in self._command else "listening")
        for line in self.events("listening"):
            self.port = int(line["port"])

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        try:
            self._process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._reader.join()
        assert self._process.stdout is not None
        self._process.stdout.close()

    def kill(self) -> None:
        """End it without a drain; what it said is kept."""
        self._process.kill()

    @property
    def resident(self) -> int:
        """The bytes of memory that the process holds now."""
        pages = Path(f"/proc/{self._process.pid}/statm").read_text("ascii").split()[1]
        return int(pages) * _PAGE

    @property
    def open_files(self) -> int:
        """How many files and sockets the process holds open now."""
        return len(list(Path(f"/proc/{self._process.pid}/fd").iterdir()))

    def events(self, name: str) -> list[dict[str, Any]]:
        """The log lines of an event so far."""
        return [line for line in map(_parsed, list(self.said)) if line.get("event") == name]

    def wait_for(self, words: str) -> None:
        """Wait until a line holds these words. Raises `AssertionError` with all that was said instead."""
        with self._spoke:
            self._spoke.wait_for(lambda: self._ended or self._has_said(words), PATIENCE_S)
        assert self._has_said(words), f"never said {words!r}, but:\n" + "".join(self.said)

    def _has_said(self, words: str) -> bool:
        return any(words in line for line in list(self.said))

    def _listen(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            with self._spoke:
                self.said.append(line.decode("utf-8", "replace"))
                self._spoke.notify_all()
        with self._spoke:
            self._ended = True
            self._spoke.notify_all()


def _parsed(line: str) -> dict[str, Any]:
    try:
        parsed = json.loads(line)
    except ValueError:
        return {}
    return parsed if isinstance(parsed, dict) else {}


def wait_until(true: Callable[[], object]) -> None:
    """Wait until something is so, for half a minute at most."""
    pause = threading.Event()
    deadline = time.monotonic() + PATIENCE_S
    while not true():
        assert time.monotonic() < deadline, "it never came to be"
        pause.wait(0.02)  # looking at another process: there is no event to wait for
