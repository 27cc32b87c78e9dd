"""a kind -> a process pinned to one core, and what it costs. linqbot is started as its users start it, by `linqbot run`."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from linqbot.settings import playground
from tests.bench.generator import Generator
from tests.bench.letters import SECRET, letter_to
from tests.ports import free_port

ROOT = Path(__file__).parents[2]
CORES = sorted(os.sched_getaffinity(0))
SUBJECT_CORE, FIELD_CORE = CORES[0], CORES[-1]
"""One core is the subject's alone; generator, sink and Redis share the other."""

_TICKS = os.sysconf("SC_CLK_TCK")
_UP_S = 60.0
_KNOCK = 999_999


class Subject:
    """A running process that serves webhooks on `port`."""

    def __init__(self, process: subprocess.Popen[bytes], port: int) -> None:
        self.port = port
        self.started_s = 0.0
        """From its start to its first 200."""
        self._process = process

    @property
    def cpu_s(self) -> float:
        """Seconds of CPU it has used so far, all threads together."""
        after_name = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(after_name[11]) + int(after_name[12])) / _TICKS

    @property
    def rss_mb(self) -> float:
        """Memory in use now."""
        return self._memory("VmRSS")

    @property
    def peak_mb(self) -> float:
        """The most memory it ever used."""
        return self._memory("VmHWM")

    def _memory(self, name: str) -> float:
        lines = Path(f"/proc/{self._process.pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) / 1024 for line in lines if line.startswith(name))

    async def first_answer(self, begun: float) -> None:
        """Knock until one signed webhook is answered 200."""
        while time.monotonic() - begun < _UP_S:
            if self._process.poll() is not None:
                raise RuntimeError(f"the subject left with status {self._process.returncode}")
            try:
                async with Generator(self.port, 1).connected() as generator:
                    await generator.flood([letter_to(0, _KNOCK)])
                    self.started_s = generator.acked[_KNOCK] - begun
                    return
            except ConnectionError:
                await asyncio.sleep(0.002)
        raise RuntimeError(f"the subject did not answer within {_UP_S:g} s")

    def stop(self) -> None:
        """End it; what it leaves in its store is thrown away with the store."""
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()


@asynccontextmanager
async def running(kind: str, *, store_url: str, api_url: str, only: str | None = None) -> AsyncIterator[Subject]:
    """A subject that has answered its first webhook. `kind` is one of the references, or `linqbot`."""
    port = free_port()
    begun = time.monotonic()
    process = _spawn(_command(kind, port, store_url, api_url, only), _environment(store_url, api_url))
    subject = Subject(process, port)
    try:
        await subject.first_answer(begun)
        yield subject
    finally:
        subject.stop()


def _spawn(command: Sequence[str], environment: Mapping[str, str]) -> subprocess.Popen[bytes]:
    """Start a process on the subject's core: it inherits what this process is allowed at that moment."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {SUBJECT_CORE})
    try:
        return subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL)
    finally:
        os.sched_setaffinity(0, before)


def _command(kind: str, port: int, store_url: str, api_url: str, only: str | None) -> list[str]:
    if kind == "linqbot":
        chosen = ["--only", only] if only else []
        return [sys.executable, "-m", "linqbot", "run", "tests.bench.bot:bot", "--port", str(port), *chosen]
    given = ["--port", str(port), "--store", store_url, "--api", api_url]
    return [sys.executable, "-m", "tests.bench.references", kind, *given]


def _environment(store_url: str, api_url: str) -> Mapping[str, str]:
    given = playground(api_key="bench", webhook_secret=SECRET, base_url=api_url, store=store_url)
    given.pop("PYTHONDONTWRITEBYTECODE", None)  # or each start compiles linqbot, as pip did with the libraries
    return given | {"LINQBOT_PAIR_BUDGET": "100000/60s", "LINQBOT_NAMESPACE": "bench", "BENCH_SECRET": SECRET}
