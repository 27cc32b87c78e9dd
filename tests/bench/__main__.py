"""`python -m tests.bench [--quick] [--only NAME] [--store redis|sqlite] [--rounds 3]`.

Measures linqbot, one process on one core, against hand-written references that are run in turns with it, and prints the
medians beside the floors. Exit status 1 when a floor is missed. `--quick` is for trying: its figures mean little.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections import defaultdict
from collections.abc import Mapping, Sequence
from statistics import median

import uvloop

from tests.bench.floors import Samples, lines, table
from tests.bench.ground import FULL, LINQBOT, QUICK, Ground, Sizes
from tests.bench.measures import MEASURES, Measure
from tests.bench.subject import FIELD_CORE


def main() -> int:
    """Measure what the command line asks for; the exit status."""
    asked = _asked()
    stores = LINQBOT if asked.store is None else (asked.store,)
    measures = [one for one in MEASURES if not asked.only or one.name in asked.only]
    os.sched_setaffinity(0, {FIELD_CORE})  # what is started from here, Redis too, stays there; subjects move away
    print(f"load before: {', '.join(f'{load:.2f}' for load in os.getloadavg())}", flush=True)
    samples = uvloop.run(take(measures, QUICK if asked.quick else FULL, stores=stores, rounds=asked.rounds))
    found = list(lines(samples, stores))
    _say_ceiling(samples)
    print(table(found))
    return 0 if all(line.met for line in found) else 1


async def take(measures: Sequence[Measure], sizes: Sizes, *, stores: Sequence[str], rounds: int) -> Samples:
    """Every measure of every kind, round by round, so that all kinds meet the same weather."""
    samples: dict[tuple[str, str], list[Mapping[str, float]]] = defaultdict(list)
    async with Ground(sizes) as ground:
        for measure in measures:
            for number in range(rounds):
                for kind in _kinds(measure, stores):
                    figures = await measure.take(ground, kind)
                    samples[measure.name, kind].append(figures)
                    said = ", ".join(f"{name} {value:,.2f}" for name, value in figures.items())
                    print(f"  {measure.name} {number + 1}/{rounds} {kind}: {said}", flush=True)
    return samples


def _kinds(measure: Measure, stores: Sequence[str]) -> Sequence[str]:
    if measure.name == "ceiling":
        return measure.references
    return (*(kind for kind in measure.references if kind.partition(" ")[2] in ("", *stores)), *stores)


def _say_ceiling(samples: Samples) -> None:
    rounds = samples.get(("ceiling", "ceiling"))
    if rounds:
        print(f"the generator makes at most {median(one['acks/s'] for one in rounds):,.0f} requests/s")


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small sizes, to try the programme")
    parser.add_argument("--only", action="append", choices=[one.name for one in MEASURES], help="may be repeated")
    parser.add_argument("--store", choices=LINQBOT, default=None, help="default: both")
    parser.add_argument("--rounds", type=int, default=3)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
