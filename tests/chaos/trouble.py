"""seed -> troubles. What is done to the processes, to the store, to Linq's answers and to its webhooks, and when."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from random import Random
from typing import Any


class Blow(StrEnum):
    """What may be done to a process of ours, or to the store's."""

    KILL = "kill"
    """SIGKILL; the process is started again at once."""
    FREEZE = "freeze"
    """SIGSTOP, and SIGCONT after its leases may have run out."""
    TERM = "term"
    """SIGTERM; another is started at once and the old one drains beside it."""
    STORE = "store"
    """SIGKILL of the store's server, which is started again on what it had written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hurt:
    """One blow."""

    after_s: float
    """How long to wait since the last one."""
    blow: Blow
    target: float
    """Which process, in [0, 1) of those that can be hurt."""
    lasts_s: float = 0.0
    """How long it stays frozen."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mishap:
    """One fault of the emulator's."""

    after_s: float
    kind: str
    match: str
    count: int = 1
    details: dict[str, Any] = field(default_factory=dict)


_BLOWS = {Blow.KILL: 5, Blow.FREEZE: 3, Blow.TERM: 2, Blow.STORE: 1}

_SENDS = "POST /v3/chats/*/messages"
_WEBHOOKS = "webhook:message.received"
_RECEIPTS = "webhook:message.[sd]*"
"""Of sent and delivered; a receipt that comes in time spares the second attempt, and with it the key's work."""

_MISHAPS: tuple[tuple[int, str, str, int, dict[str, Any]], ...] = (
    (4, "429", _SENDS, 1, {"retry_after": 1}),
    (3, "500", _SENDS, 1, {}),
    (2, "502", _SENDS, 1, {}),
    (5, "500_after", _SENDS, 1, {}),
    (3, "reset", _SENDS, 1, {}),
    (5, "reset_after", _SENDS, 1, {}),
    (3, "half_body", _SENDS, 1, {}),
    (3, "slow", _SENDS, 1, {"seconds": 0.5}),
    (8, "duplicate", _WEBHOOKS, 1, {"times": 3}),
    (3, "reorder", _WEBHOOKS, 3, {}),
    (4, "drop", _WEBHOOKS, 1, {"attempts": 1}),
    (6, "drop", _RECEIPTS, 8, {"attempts": 4}),
    (3, "delay", _WEBHOOKS, 1, {"seconds": 1.0}),
)


def hurts(seed: int, *, store: bool, every_s: float, lease_s: float) -> Iterator[Hurt]:
    """Blows without end, one about every `every_s`; `store` says whether the store's server may be hit."""
    random = Random(f"hurts {seed}")
    weights = {blow: weight for blow, weight in _BLOWS.items() if store or blow is not Blow.STORE}
    while True:
        yield Hurt(
            after_s=random.expovariate(1 / every_s),
            blow=random.choices(list(weights), list(weights.values()))[0],
            target=random.random(),
            lasts_s=lease_s * random.uniform(0.5, 3),
        )


def mishaps(seed: int, *, every_s: float) -> Iterator[Mishap]:
    """Faults of the emulator without end, one about every `every_s`."""
    random = Random(f"mishaps {seed}")
    while True:
        _, kind, match, count, details = random.choices(_MISHAPS, [one[0] for one in _MISHAPS])[0]
        yield Mishap(
            after_s=random.expovariate(1 / every_s), kind=kind, match=match, count=count, details=dict(details)
        )
