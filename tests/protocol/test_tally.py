"""Counting what comes from outside takes bounded memory and loses no number."""

from __future__ import annotations

from linqbot.protocol.tally import OTHERS, Tally


def test_each_name_has_its_number() -> None:
    """By kind and name."""
    tally = Tally()
    for name in ("a", "b", "a"):
        tally.add("odd", name)
    tally.add("unwanted", "a")

    assert tally.counts == {"odd": {"a": 2, "b": 1}, "unwanted": {"a": 1}}


def test_names_beyond_the_limit_are_counted_together() -> None:
    """Whoever invents names takes no memory with each."""
    tally = Tally(names=2)
    for name in ("a", "b", "c", "d", "a"):
        tally.add("odd", name)

    assert tally.counts == {"odd": {"a": 2, "b": 1, OTHERS: 2}}
