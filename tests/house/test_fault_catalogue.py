"""Every fault of the catalogue is tried by a test that exists, or says why not."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator

import pytest

from tests.faults.__main__ import Case, Results, judge, main
from tests.faults.catalogue import LATER, ROOT, TITLES, Fault, faults, functions_of, named

Function = ast.FunctionDef | ast.AsyncFunctionDef
ROWS = {"P": 11, "S": 18, "D": 13, "H": 15, "O": 16, "A": 22}


def test_the_catalogue_has_every_row_once() -> None:
    """95 faults, numbered without a gap: 91 of what is built, 4 of what comes later."""
    rows = [fault.id for fault in faults()]

    assert Counter(row[0] for row in rows) == ROWS
    assert set(rows) == {f"{kind}{number}" for kind, count in ROWS.items() for number in range(1, count + 1)}
    assert (len(TITLES), len(LATER)) == (91, 4)


@pytest.mark.parametrize("fault", faults(), ids=lambda fault: fault.id)
def test_a_fault_has_a_title_and_a_test_or_a_reason(fault: Fault) -> None:
    """Nothing is blank, and what is tried needs no excuse."""
    assert fault.title.strip()
    assert bool(fault.tests) is not bool(fault.reason and fault.reason.strip())


def test_every_fault_of_what_is_built_is_named_by_a_test() -> None:
    """No row is tried only because a list says so; and a number that is mistyped in a test's name is noticed."""
    assert set(named()) == set(TITLES)


def test_the_tests_of_faults_name_what_holds() -> None:
    """A fault that is survived by luck is not survived: the docstring of its test, or of the module, says by what."""
    tests = {test for fault in faults() for test in fault.tests}

    assert sorted(tests - {test for file in {test.partition("::")[0] for test in tests} for test in held(file)}) == []


def held(file: str) -> Iterator[str]:
    """The tests of a file that name a mechanism."""
    module = ast.parse((ROOT / file).read_text("utf-8"))
    for node in module.body:
        words = [ast.get_docstring(one) or "" for one in (module, node) if isinstance(one, ast.Module | Function)]
        if isinstance(node, Function) and any("Held by" in word for word in words):
            yield f"{file}::{node.name}"


@pytest.mark.parametrize("fault", [fault for fault in faults() if fault.tests], ids=lambda fault: fault.id)
def test_a_faults_tests_are_written(fault: Fault) -> None:
    """Each test that a fault names is a function of its file."""
    for test in fault.tests:
        file, _, function = test.partition("::")
        assert not function or function in functions_of(ROOT / file), test
        assert (ROOT / file).is_file(), test


def test_all_of_them_are_collected() -> None:
    """pytest finds each, under the very name that the catalogue gives."""
    tests = dict.fromkeys(test for fault in faults() for test in fault.tests)
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", *tests]
    collected = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)

    assert collected.returncode == 0, collected.stdout[-2000:] + collected.stderr[-2000:]
    found = {line.partition("[")[0] for line in collected.stdout.splitlines()}
    assert {test for test in tests if "::" in test} <= found


FAULT = Fault(id="X1", title="something", tests=("tests/a.py::test_x1", "tests/b.py"), reason=None)
PASSED, FAILED, SKIPPED = Case(end="passed"), Case(end="failed", why="it broke"), Case(end="skipped", why="no disk")


@pytest.mark.parametrize(
    ("results", "verdict"),
    [
        ({"tests/a.py::test_x1": [PASSED], "tests/b.py": [PASSED, SKIPPED]}, ("survived", "")),
        ({"tests/a.py::test_x1": [PASSED], "tests/b.py": [PASSED, FAILED]}, ("failed", "it broke")),
        ({"tests/a.py::test_x1": [SKIPPED], "tests/b.py": [SKIPPED]}, ("not tried", "no disk")),
        ({"tests/a.py::test_x1": [PASSED]}, ("failed", "did not run: tests/b.py")),
    ],
    ids=["passed", "one failed", "all skipped", "one did not run"],
)
def test_a_fault_is_survived_only_if_all_its_tests_ran_and_none_failed(results: Results, verdict: object) -> None:
    """A test that fails, or that is not there, is a fault that was not survived; one that was skipped was not tried."""
    assert judge(FAULT, results) == verdict


def test_a_fault_without_a_test_or_a_reason_is_not_survived() -> None:
    """Nothing is survived by silence."""
    assert judge(Fault(id="X1", title="something", tests=(), reason=None), {})[0] == "failed"


def test_the_runner_tells_each_fault_and_the_count(capfd: pytest.CaptureFixture[str]) -> None:
    """One line for a fault that was tried, one for a fault that comes later, then the count."""
    status = main(["o16", "A16"])

    lines = capfd.readouterr().out.splitlines()
    assert (status, lines[-1]) == (0, "survived 1 / tried 1 / not tried 1")
    assert [line.split()[:2] for line in lines[:2]] == [["O16", "survived"], ["A16", "not"]]
