"""`python -m tests.chaos --seconds 60 [--seed N] [--store redis|sqlite|both] [--workers 2|4|both] [--broken VARIANT]`.

Runs the bot under random kills and a lying network, then checks at the emulator that every acknowledged message was
answered, each bubble once and in order. One line for each run; exit status 1 if any promise was broken.
"""

from __future__ import annotations

import argparse
import asyncio
import secrets
import sys
from pathlib import Path
from tempfile import mkdtemp

from tests.chaos.arena import Plan, chaos
from tests.chaos.broken import BROKEN


def main() -> int:
    """Run what the command line asks for; the exit status."""
    asked = _asked()
    seed = secrets.randbelow(1_000_000) if asked.seed is None else asked.seed
    broken = 0
    for store in ("redis", "sqlite") if asked.store == "both" else (asked.store,):
        for workers in (2, 4) if asked.workers == "both" else (int(asked.workers),):
            plan = Plan(store=store, workers=workers, seconds=asked.seconds, seed=seed, broken=asked.broken)
            broken += _run(plan)
    return 1 if broken else 0


def _run(plan: Plan) -> int:
    folder = Path(mkdtemp(prefix=f"linqbot-chaos-{plan.store}-{plan.workers}-"))
    report = asyncio.run(chaos(plan, folder))
    print(report.line(), flush=True)
    for complaint in report.complaints:
        print(f"  {complaint}")
    for letter in report.dead:
        hits = report.hits.get(letter.event_id, 0)
        print(f"  given up: {letter.kind} of event {letter.event_id}, in hand at {hits} blows of ours: {letter.reason}")
    if report.complaints:
        print(f"  logs: {folder}")
    return len(report.complaints)


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0, help="how long each run hurts")
    parser.add_argument("--seed", type=int, default=None, help="repeats the troubles of a run")
    parser.add_argument("--store", choices=("redis", "sqlite", "both"), default="both")
    parser.add_argument("--workers", choices=("2", "4", "both"), default="both")
    parser.add_argument(
        "--broken", choices=BROKEN, default="", help="a bot that breaks a promise on purpose: must fail"
    )
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
