"""The excuse for an event that was given up is exact: as many blows of the programme's own as it takes."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from linqbot.records import DeadLetter
from tests.chaos.arena import Plan, Report
from tests.chaos.hands import Hold, Struck, hits, holds
from tests.chaos.verdict import Verdict

NOTES = """\
7 1.0 begins ask-t1 \n\
7 1.1 begins t1 mine
7 1.2 ends ask-t1 \n\
7 2.0 ends t1 \n\
7 3.0 begins t2 mine
8 5.0 begins t3 mine
"""


def test_what_was_never_ended_was_over_when_another_began(tmp_path: Path) -> None:
    """A process that dies notes no end."""
    (tmp_path / "worker.hands").write_text(NOTES, "utf-8")

    noted = holds([tmp_path / "worker.hands"])

    assert [(hold.pid, hold.begun_s, hold.ended_s) for hold in noted] == [
        (7, 1.1, 2.0),
        (7, 3.0, 5.0),
        (8, 5.0, math.inf),
    ]


HELD = [Hold(pid=7, event_id="mine", begun_s=10, ended_s=20), Hold(pid=8, event_id="", begun_s=30)]


@pytest.mark.parametrize(
    ("blow", "hit"),
    [
        (Struck(pid=7, at_s=15), 1),
        (Struck(pid=9, at_s=15), 0),
        (Struck(pid=None, at_s=15), 1),
        (Struck(pid=7, at_s=25), 0),
        (Struck(pid=7, at_s=5), 0),
        (Struck(pid=7, at_s=5, lasts_s=6), 1),
        (Struck(pid=8, at_s=31), 1),
        (Struck(pid=None, at_s=31), 0),
    ],
)
def test_a_blow_hits_what_its_victim_had_in_hand(blow: Struck, hit: int) -> None:
    """Nobody else's, and not what was ended before; who died while asking may have had anything."""
    assert hits("mine", HELD, [blow]) == hit


@pytest.mark.parametrize(("blows", "complaints"), [(3, 0), (2, 1)])
def test_giving_up_is_excused_by_three_blows_and_not_by_two(blows: int, complaints: int) -> None:
    """An event that was given up otherwise was lost, whatever its letter says."""
    letter = DeadLetter(id="e", kind="event", reason="3 workers died or froze on this event", event_id="e", item=b"{}")
    report = Report(
        plan=Plan(store="sqlite", workers=2, seconds=1, seed=1),
        verdict=Verdict(lost=(), duplicated=(), reordered=()),
        counts={"conflicts": 0, "stuck": 0},
        dead=[letter],
        hits={"e": blows},
    )

    assert len(report.complaints) == complaints
