"""a process -> one whose garbage collector seldom looks: what start-up makes is here to stay, and not looked at again."""

from __future__ import annotations

import gc

_HELD_OBJECTS = 50_000
"""How many new objects make the garbage collector look; Python's own 700 costs a sixth of the start, and a serving
process a few percent."""


def look_seldom() -> None:
    """Let the garbage collector look less often from now on; call it before anything large is imported."""
    gc.set_threshold(_HELD_OBJECTS, 20, 20)


def settle_memory() -> None:
    """Tell the garbage collector that what start-up made is here to stay, and to look less often. It is not asked to look
    once before: that takes a twentieth of the start, and finds a few dozen objects.
    """
    gc.freeze()
    look_seldom()
