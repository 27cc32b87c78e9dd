"""Hypothesis -> inputs for the target, where no coverage guides."""

from __future__ import annotations

from hypothesis import strategies as st

from tests.fuzz.corpus import seeds
from tests.hostile.mutants import anything, foreign, mutants, written

_SEEDS = seeds()


@st.composite
def _dented(draw: st.DrawFn) -> bytes:
    """A seed with some bytes put in, taken out or replaced."""
    data = bytearray(draw(st.sampled_from(_SEEDS)))
    for _ in range(draw(st.integers(1, 6))):
        at = draw(st.integers(0, len(data)))
        data[at : at + draw(st.integers(0, 8))] = draw(st.binary(max_size=8))
    return bytes(data)


any_input = st.one_of(
    (mutants() | foreign | anything).map(lambda body: b"\x00" + written(body)),
    _dented(),
    st.binary(max_size=400),
)
