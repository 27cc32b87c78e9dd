"""What users test with: a bot and a Linq in one process, a clock to turn, and the conformance suite for stores."""

from __future__ import annotations

from linqbot.testing.clock import TurnedClock
from linqbot.testing.harness import LINE, Bubble, Faults, Person, Sim

__all__ = ["LINE", "Bubble", "Faults", "Person", "Sim", "TurnedClock"]
