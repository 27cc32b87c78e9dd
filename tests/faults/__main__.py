"""`python -m tests.faults [O10 A4 …]`: the fault catalogue, tried. One line for each fault, then the count.

Runs the tests that the catalogue names, and no others; pytest's own output goes to standard error. Exit status 1 if a fault
was not survived.
"""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal
from xml.etree import ElementTree as ET

from tests.faults.catalogue import ROOT, Fault, faults

End = Literal["passed", "failed", "skipped"]
Verdict = Literal["survived", "failed", "not tried"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """How one run of a test ended."""

    end: End
    why: str = ""


Results = Mapping[str, Sequence[Case]]
"""The cases of each test by its node id, of a file by its path."""


def main(asked: Sequence[str]) -> int:
    """Try the faults that were asked for, or all; the exit status."""
    known = {fault.id: fault for fault in faults()}
    unknown = [row for row in asked if row.upper() not in known]
    if unknown:
        print(f"there is no fault {', '.join(unknown)}", file=sys.stderr)
        return 2
    chosen = [known[row.upper()] for row in asked] or list(known.values())
    results = run([test for fault in chosen for test in fault.tests])
    verdicts = Counter(tell(fault, results) for fault in chosen)
    tried = verdicts["survived"] + verdicts["failed"]
    print(f"survived {verdicts['survived']} / tried {tried} / not tried {verdicts['not tried']}")
    return 1 if verdicts["failed"] else 0


def run(tests: Sequence[str]) -> Results:
    """Run tests in a process of their own."""
    if not tests:
        return {}
    with TemporaryDirectory(prefix="linqbot-faults-") as folder:
        report = Path(folder) / "report.xml"
        command = [sys.executable, "-m", "pytest", "-q", "--tb=short", f"--junitxml={report}", *dict.fromkeys(tests)]
        subprocess.run(command, cwd=ROOT, stdout=sys.stderr, check=False)
        return read(report) if report.exists() else {}


def read(report: Path) -> Results:
    """pytest's report, by node id and by file."""
    found: dict[str, list[Case]] = {}
    for case in ET.parse(report).getroot().iter("testcase"):
        file = case.get("classname", "").replace(".", "/") + ".py"
        ended = case_of(case)
        for name in (file, f"{file}::{case.get('name', '').partition('[')[0]}"):
            found.setdefault(name, []).append(ended)
    return found


def case_of(case: ET.Element) -> Case:
    """How a test case ended."""
    for tag in ("failure", "error", "skipped"):
        if (outcome := case.find(tag)) is not None:
            why = (outcome.get("message") or "").partition("\n")[0]
            return Case(end="skipped" if tag == "skipped" else "failed", why=why)
    return Case(end="passed")


def tell(fault: Fault, results: Results) -> Verdict:
    """Print a fault's line; what became of it."""
    verdict, why = judge(fault, results)
    what = ", ".join(fault.tests)
    print(f"{fault.id:<4} {verdict:<9} {fault.title}{f': {why}' if why else ''}{f' [{what}]' if what else ''}")
    return verdict


def judge(fault: Fault, results: Results) -> tuple[Verdict, str]:
    """Whether a fault was survived: each of its tests ran, and none failed."""
    if not fault.tests:
        return ("not tried", fault.reason) if fault.reason else ("failed", "it has no test and no reason")
    missing = [test for test in fault.tests if not results.get(test)]
    if missing:
        return "failed", f"did not run: {', '.join(missing)}"
    cases = [case for test in fault.tests for case in results[test]]
    failed = [case.why for case in cases if case.end == "failed"]
    if failed:
        return "failed", failed[0]
    if all(case.end == "skipped" for case in cases):
        return "not tried", cases[0].why
    return "survived", ""


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
