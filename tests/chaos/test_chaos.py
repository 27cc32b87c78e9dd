"""A short chaos run on each store; `python -m tests.chaos` is the long one."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest

from tests.chaos.arena import Plan, chaos
from tests.house.checkout import ROOT

SECONDS = 10


@pytest.mark.timeout(240)
@pytest.mark.parametrize(("store", "workers", "seed"), [("redis", 4, 11), ("sqlite", 2, 12)])
async def test_p2_nothing_is_lost_doubled_or_turned_around_whoever_is_killed(
    store: str, workers: int, seed: int, tmp_path: Path
) -> None:
    """Under random SIGKILL, SIGSTOP and SIGTERM of every process and SIGKILL of the server, with a network that repeats,
    reorders, drops and breaks, every acknowledged message is answered, each bubble once and in order.

    Held by accept before 2xx, leases with tokens, frozen replies and derived keys.
    """
    report = await chaos(Plan(store=store, workers=workers, seconds=SECONDS, seed=seed), tmp_path)

    assert report.complaints == [], report.line()
    assert report.counts["acked"] > 50, report.line()
    assert report.counts["kill"] > 0, report.line()
    assert report.counts["store_kills"] > 0 or store == "sqlite", report.line()


@pytest.mark.timeout(240)
async def test_the_programme_prints_one_line_for_a_run_and_ends_with_its_verdict() -> None:
    """`python -m tests.chaos` tells all figures and the seed, and its exit status says whether the promises held."""
    words = ["-m", "tests.chaos", "--seconds", "2", "--store", "sqlite", "--workers", "2", "--seed", "13"]
    process = await asyncio.create_subprocess_exec(
        sys.executable, *words, cwd=ROOT, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    said, _ = await process.communicate()

    assert process.returncode == 0, said.decode()
    assert said.decode().rstrip().endswith("lost 0, duplicated 0, reordered 0, seed 13")
    assert said.count(b"\n") == 1
