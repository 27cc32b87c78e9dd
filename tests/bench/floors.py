"""samples of all rounds -> medians, ratios, and whether they are what they must be.

A ratio is taken within each round, where both sides met the same machine, and its median over the rounds counts. On SQLite
half of each rate is asked for, and so twice the CPU is allowed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

Samples = Mapping[tuple[str, str], Sequence[Mapping[str, float]]]
"""What each round gave, by measure and kind."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Floor:
    """What one figure must be: itself, as a multiple of a reference's, or as what it is above a reference's."""

    measure: str
    figure: str
    at_least: float | None = None
    at_most: float | None = None
    times: str = ""
    above: str = ""
    sqlite: float = 1.0
    """What the bound is multiplied with on SQLite."""

    @property
    def reference(self) -> str:
        """The kind that it is compared with; empty: none."""
        return self.times or self.above

    def met(self, value: float, store: str) -> bool:
        """Whether a value is what it must be."""
        factor = self.sqlite if store == "sqlite" else 1.0
        low = float("-inf") if self.at_least is None else self.at_least * factor
        high = float("inf") if self.at_most is None else self.at_most * factor
        return low <= value <= high

    def text(self, store: str) -> str:
        """The floor as one reads it."""
        bound = self.at_most if self.at_least is None else self.at_least
        if bound is None:
            return ""
        sign = ">=" if self.at_most is None else "<="
        scaled = bound * (self.sqlite if store == "sqlite" else 1.0)
        tail = f" x {self.times}" if self.times else f" above {self.above}" if self.above else ""
        return f"{sign} {scaled:g}{tail}"


FLOORS = (
    Floor(measure="ingress", figure="acks/s", at_least=0.8, times="r1", sqlite=0.5),
    Floor(measure="ingress", figure="CPU us/ack", times="r1"),
    Floor(measure="full", figure="events/s", at_least=0.4, times="r2", sqlite=0.5),
    Floor(measure="full", figure="CPU us/event", at_most=2.5, times="r2", sqlite=2.0),
    Floor(measure="full", figure="grown MB", at_most=10.0),
    Floor(measure="latent", figure="events/s at 50 ms"),
    Floor(measure="latent", figure="share of own rate", at_least=0.6),
    Floor(measure="latent", figure="CPU us/event at 50 ms"),
    Floor(measure="open", figure="reply p50 ms", at_most=2.5, times="r2"),
    Floor(measure="open", figure="reply p99 ms", at_most=2.5, times="r2"),
    Floor(measure="open", figure="CPU us/event at 200/s", times="r2"),
    Floor(measure="start", figure="start ms", at_most=1.6, times="r0"),
    Floor(measure="start", figure="idle MB", at_most=20.0, above="r0"),
    Floor(measure="crowded", figure="few us/event"),
    Floor(measure="crowded", figure="many / few", at_most=1.2),
    Floor(measure="burst", figure="replies out of order", at_most=0.0),
    Floor(measure="burst", figure="time / handlers' time", at_most=1.15),
    Floor(measure="burst", figure="bystander's delay ms", at_most=20.0),
    Floor(measure="overload", figure="lost after 200", at_most=0.0),
    Floor(measure="overload", figure="peak above idle MB", at_most=48.0),
    Floor(measure="overload", figure="share of saturation", at_least=0.8),
    Floor(measure="overload", figure="acknowledged share"),
    Floor(measure="overload", figure="put off share"),
)
"""Figures without a bound are shown because they explain those with one.

The peak under overload is bounded by what the program allows to wait in memory: webhooks in hand and replies in flight.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One figure of one store."""

    measure: str
    figure: str
    store: str
    value: float
    least: float
    most: float
    reference: float | None
    compared: float
    """The ratio or difference where there is a reference, else the value."""
    floor: str
    met: bool


def lines(samples: Samples, stores: Sequence[str]) -> Iterator[Line]:
    """Every figure that was taken, in the order of `FLOORS`."""
    for floor in FLOORS:
        for store in stores:
            rounds = samples.get((floor.measure, store))
            if rounds:
                yield _line(floor, store, rounds, samples)


def table(found: Sequence[Line]) -> str:
    """The lines as text."""
    head = ("measure", "figure", "store", "median", "[min .. max]", "reference", "compared", "floor", "")
    rows = [head, *(_row(line) for line in found)]
    widths = [max(len(row[at]) for row in rows) for at in range(len(head))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )


def _line(floor: Floor, store: str, rounds: Sequence[Mapping[str, float]], samples: Samples) -> Line:
    values = [one[floor.figure] for one in rounds]
    compared, reference = values, None
    if floor.reference:
        kind = (
            f"{floor.reference} {store}"
            if (floor.measure, f"{floor.reference} {store}") in samples
            else floor.reference
        )
        theirs = [one[floor.figure] for one in samples[floor.measure, kind]]
        reference = median(theirs)
        pairs = list(zip(values, theirs, strict=True))
        compared = [ours / other if floor.times else ours - other for ours, other in pairs]
    return Line(
        measure=floor.measure,
        figure=floor.figure,
        store=store,
        value=median(values),
        least=min(values),
        most=max(values),
        reference=reference,
        compared=median(compared),
        floor=floor.text(store),
        met=floor.met(median(compared), store),
    )


def _row(line: Line) -> tuple[str, ...]:
    return (
        line.measure,
        line.figure,
        line.store,
        _number(line.value),
        f"[{_number(line.least)} .. {_number(line.most)}]",
        "" if line.reference is None else _number(line.reference),
        "" if line.reference is None else f"{line.compared:.2f}",
        line.floor,
        "" if not line.floor or line.floor[0] not in "<>" else "ok" if line.met else "MISSED",
    )


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.2f}"
