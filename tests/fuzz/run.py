"""a target, a time or a number -> how it went. Runs a fuzzer: atheris where it is installed, else Hypothesis."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

Target = Callable[[bytes], None]

TARGET = "tests.fuzz.fuzz_webhook:one_input"
LONGEST_INPUT = 8_192
MOST_GROWTH_MB = 256
"""What the fuzzer keeps for itself (inputs that found something) is part of it; a minute's leak would be far more."""

MOST_MB = 1_024
"""Where atheris stops at once."""

_PAGE = os.sysconf("SC_PAGE_SIZE")
_BATCH = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """How a run went."""

    engine: str
    inputs: int
    seconds: float
    grown_mb: int
    crash: str
    """What was wrong, with the input that showed it; empty: nothing."""

    @property
    def failed(self) -> bool:
        """Whether something was wrong, or memory was not flat."""
        return bool(self.crash) or self.grown_mb > MOST_GROWTH_MB

    def __str__(self) -> str:
        rate = self.inputs / max(self.seconds, 0.001)
        line = f"{self.engine}: {self.inputs} inputs in {self.seconds:.0f} s, {rate:.0f} inputs/s"
        return f"{line}, memory grew by {self.grown_mb} MB, crashes {int(bool(self.crash))}\n{self.crash}".rstrip()


def target_of(name: str) -> Target:
    """The function that `module:function` names."""
    module, _, function = name.partition(":")
    target: Target = getattr(import_module(module), function)
    return target


def fuzz(target: str = TARGET, *, seconds: float | None = None, inputs: int | None = None) -> Findings:
    """Fuzz for a time or a number of inputs, whichever ends first."""
    run = guided if find_spec("atheris") else unguided
    return run(target, seconds=seconds, inputs=inputs)


def guided(target: str, *, seconds: float | None, inputs: int | None) -> Findings:
    """Fuzz with atheris: inputs that reach new code are kept and altered further."""
    from tests.fuzz.corpus import seeds, words

    with TemporaryDirectory() as folder:
        corpus = Path(folder) / "corpus"
        corpus.mkdir()
        for number, seed in enumerate(seeds()):
            (corpus / f"seed-{number}").write_bytes(seed)
        dictionary = Path(folder) / "words"
        dictionary.write_text("".join(f'"{_escaped(word)}"\n' for word in words()), "ascii")
        limits = [f"-max_total_time={int(seconds)}"] if seconds else []
        limits += [f"-runs={inputs}"] if inputs else []
        command = [sys.executable, "-m", "tests.fuzz.guided", target, *limits, str(corpus), f"-dict={dictionary}"]
        command += [f"-max_len={LONGEST_INPUT}", "-timeout=10", f"-rss_limit_mb={MOST_MB}"]
        command += [f"-artifact_prefix={folder}/", "-print_final_stats=1"]
        began = time.monotonic()
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
        return _told(done.stdout.decode("utf-8", "replace"), done.returncode, time.monotonic() - began, Path(folder))


def _told(said: str, code: int, seconds: float, folder: Path) -> Findings:
    units = re.search(r"stat::number_of_executed_units:\s*(\d+)", said)
    resident = [int(megabytes) for megabytes in re.findall(r"rss: (\d+)Mb", said)] or [0]
    peak = re.search(r"stat::peak_rss_mb:\s*(\d+)", said)
    crash = ""
    if code or units is None:
        shown = [path.read_bytes()[:2_000] for path in folder.glob("[a-z]*-*") if path.is_file()]
        crash = "\n".join([said[-4_000:], *(f"input: {data!r}" for data in shown)])
    return Findings(
        engine="atheris",
        inputs=int(units[1]) if units else 0,
        seconds=seconds,
        grown_mb=max(int(peak[1]) if peak else 0, resident[-1]) - resident[0],
        crash=crash,
    )


def _escaped(word: bytes) -> str:
    return "".join(f"\\x{byte:02x}" for byte in word)


def unguided(target: str, *, seconds: float | None, inputs: int | None) -> Findings:
    """Fuzz with Hypothesis: recorded webhooks altered anywhere, in JSON and in bytes, and bytes of all kinds."""
    from hypothesis import HealthCheck, Phase, given, settings

    from tests.fuzz.strategies import any_input

    one_input, tried, crash = target_of(target), 0, ""

    @settings(
        max_examples=_BATCH,
        database=None,
        deadline=None,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
        print_blob=False,
    )
    @given(data=any_input)
    def batch(data: bytes) -> None:
        nonlocal tried
        tried += 1
        one_input(data)

    began, grown = time.monotonic(), 0
    resident = 0
    while not crash and tried < (inputs or tried + 1) and time.monotonic() - began < (seconds or float("inf")):
        try:
            batch()
        except Exception as error:  # noqa: BLE001  # whatever is wrong is what is looked for
            crash = f"{type(error).__name__}: {error}\n" + "\n".join(getattr(error, "__notes__", []))
        resident = resident or _resident_mb()
        grown = max(grown, _resident_mb() - resident)
    return Findings(engine="hypothesis", inputs=tried, seconds=time.monotonic() - began, grown_mb=grown, crash=crash)


def _resident_mb() -> int:
    return int(Path("/proc/self/statm").read_text("ascii").split()[1]) * _PAGE // 1_048_576
