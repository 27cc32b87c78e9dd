"""The parts of one Linq in one hand: what every operation acts on."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field

import httpx

from linqbot.clock import Clock
from linqbot.emulator import choices
from linqbot.emulator.agenda import Agenda, Entry
from linqbot.emulator.entities import Json
from linqbot.emulator.exchange import Exchange
from linqbot.emulator.faults import Faults
from linqbot.emulator.gate import PAIR_LIMIT, Gate
from linqbot.emulator.lifecycle import Lifecycle
from linqbot.emulator.names import Names
from linqbot.emulator.postman import Postman
from linqbot.emulator.vault import Vault
from linqbot.emulator.world import KEPT_MESSAGES, LINES, World

KEPT_REQUESTS = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Tuning:
    """How a Linq behaves where it may differ: see `linqbot.emulator.app.Emulator`."""

    lines: Iterable[str] = LINES
    seed: int | None = None
    pair_limit: int | None = PAIR_LIMIT
    lifecycle_ms: tuple[int, int, int] = choices.LIFECYCLE_MS
    at_once: int = choices.DELIVERIES_AT_ONCE
    kept: int = KEPT_MESSAGES
    any_target: bool = False


@dataclass(slots=True, eq=False)
class Linq:
    """One emulated Linq without its doors."""

    clock: Clock
    tuning: Tuning
    world: World
    faults: Faults
    names: Names
    agenda: Agenda
    postman: Postman
    gate: Gate
    lifecycle: Lifecycle
    exchange: Exchange
    vault: Vault
    typing: dict[tuple[str, str], Entry] = field(default_factory=dict)
    requests: deque[Json] = field(default_factory=lambda: deque(maxlen=KEPT_REQUESTS))

    def reset(self) -> None:
        """As new: nothing said, nobody subscribed, no faults; the clock stays where it is."""
        self.agenda.clear()
        self.postman.clear()
        self.faults.clear()
        self.requests.clear()
        self.typing.clear()
        self.vault.clear()
        self.world.clear()


def build_linq(clock: Clock, transport: httpx.AsyncBaseTransport, tuning: Tuning) -> Linq:
    """Put a Linq together; `transport` carries its webhooks."""
    names, faults, agenda = Names(tuning.seed), Faults(), Agenda(clock)
    world = World(names, lines=tuning.lines, kept=tuning.kept)
    postman = Postman(
        world, clock=clock, agenda=agenda, faults=faults, names=names, transport=transport, at_once=tuning.at_once
    )
    gate = Gate(world, clock=clock, pair_limit=tuning.pair_limit)
    lifecycle = Lifecycle(world, postman, agenda, clock=clock, times_ms=tuning.lifecycle_ms)
    exchange = Exchange(world, postman, lifecycle, clock=clock, names=names, gate=gate)
    return Linq(clock, tuning, world, faults, names, agenda, postman, gate, lifecycle, exchange, Vault(names, clock))
