"""A short run of the fuzzers; `.ci/run` and the night give them longer."""

from __future__ import annotations

import pytest

from tests.fuzz.corpus import seeds
from tests.fuzz.fuzz_webhook import one_input
from tests.fuzz.run import TARGET, fuzz, unguided


@pytest.mark.parametrize("seed", seeds(), ids=range(len(seeds())))
def test_every_seed_is_taken(seed: bytes) -> None:
    """What the fuzzers begin with shows nothing wrong."""
    one_input(seed)


def test_two_thousand_inputs_show_nothing_wrong() -> None:
    """Verification and reading raise only their own errors, accept only what is genuine, and keep no memory."""
    findings = unguided(TARGET, seconds=None, inputs=2_000)

    assert not findings.failed, str(findings)
    assert findings.inputs >= 2_000


@pytest.mark.parametrize("bug", ["reads_carelessly", "leaks"])
def test_a_bug_is_found(bug: str) -> None:
    """A target that lets an error through, and one that keeps memory, do not pass."""
    assert unguided(f"tests.fuzz.broken:{bug}", seconds=20, inputs=3_000).failed


def test_the_engine_of_this_machine_works() -> None:
    """Whichever fuzzer is installed runs, counts its inputs and finds a bug."""
    well, ill = fuzz(inputs=1_000), fuzz("tests.fuzz.broken:reads_carelessly", inputs=1_000)

    assert not well.failed, str(well)
    assert well.inputs >= 1_000
    assert ill.crash
