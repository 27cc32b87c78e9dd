"""The benchmarks are a programme of their own; one tiny measure keeps it from rotting."""

import subprocess
import sys

from tests.house.checkout import ROOT


def test_the_benchmarks_run() -> None:
    """The smallest measure, of the generator alone and of one start on SQLite, prints its table."""
    command = [sys.executable, "-m", "tests.bench", "--quick", "--rounds", "1", "--store", "sqlite"]
    ran = subprocess.run(
        [*command, "--only", "ceiling", "--only", "start"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert "the generator makes at most" in ran.stdout, ran.stderr
    assert [line.split()[:2] for line in ran.stdout.splitlines() if line.startswith("start ")] == [
        ["start", "start"],
        ["start", "idle"],
    ], ran.stderr
