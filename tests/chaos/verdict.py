"""what was said and what was heard -> Verdict. Counts what was lost, said twice, or turned around; pure.

Order of acceptance is not seen from outside, but it is known wherever two deliveries did not overlap: an event whose first
delivery began after another one was acknowledged was accepted after it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, groupby


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """One message of a person, and what is known of its webhook."""

    label: str
    person: str
    bubbles: int
    """How many bubbles answer it."""
    began: int | None = None
    """When its first delivery began, as a place in the one order of all such moments; None: it never did."""
    acked: int | None = None
    """When it was first answered 2xx, in the same order; None: it never was."""
    given_up: bool = False
    """Whether it lies in the dead letters: not answered, not lost."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """Complaints, each naming the message; none of any kind: all promises held."""

    lost: tuple[str, ...]
    duplicated: tuple[str, ...]
    reordered: tuple[str, ...]

    @property
    def is_clean(self) -> bool:
        """Whether there is nothing to complain about."""
        return not (self.lost or self.duplicated or self.reordered)


@dataclass(frozen=True, slots=True)
class _Bubble:
    label: str
    position: int


def judge(said: Sequence[Said], heard: Mapping[str, Sequence[str]]) -> Verdict:
    """Compare what was said with the texts that reached each person, in order; each reads `<label> <position> <nonce>`."""
    by_label = {one.label: one for one in said}
    bubbles = {person: [_read(text) for text in texts] for person, texts in heard.items()}
    counts = Counter(bubble for chat in bubbles.values() for bubble in chat)
    return Verdict(
        lost=tuple(text for one in said for text in _missing(one, counts)),
        duplicated=tuple(
            f"{bubble.label}: bubble {bubble.position} came {count} times"
            for bubble, count in counts.items()
            if count > 1
        ),
        reordered=tuple(
            text for chat in bubbles.values() for text in _turned_around(list(dict.fromkeys(chat)), by_label)
        ),
    )


def _read(text: str) -> _Bubble:
    label, position, _ = text.split()
    return _Bubble(label, int(position))


def _missing(one: Said, counts: Mapping[_Bubble, int]) -> Iterator[str]:
    """An acknowledged event must be answered whole, or lie in the dead letters for somebody to see; so must one that was
    answered in part, for it was accepted."""
    here = [counts[_Bubble(one.label, position)] > 0 for position in range(one.bubbles)]
    if one.given_up or (one.acked is None and not any(here)):
        return
    yield from (f"{one.label}: bubble {position} never came" for position, came in enumerate(here) if not came)


def _turned_around(chat: list[_Bubble], said: Mapping[str, Said]) -> Iterator[str]:
    turns = [label for label, _ in groupby(chat, key=lambda bubble: bubble.label)]
    for label, times in Counter(turns).items():
        if times > 1:
            yield f"{label}: answers to other messages came in between"
    for label in dict.fromkeys(turns):
        positions = [bubble.position for bubble in chat if bubble.label == label]
        if positions != sorted(positions):
            yield f"{label}: bubbles came as {positions}"
    for first, second in combinations([said[label] for label in dict.fromkeys(turns)], 2):
        if second.acked is not None and first.began is not None and second.acked < first.began:
            yield f"{first.label}: answered before {second.label}, which was accepted earlier"
