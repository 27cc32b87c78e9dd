"""(what, most, window) -> go on, or 429. The counting that every rate limit of Linq shares (linq-api-v3.md section 3)."""

from __future__ import annotations

from collections import deque

from linqbot.emulator.problems import Problem
from linqbot.emulator.world import World

DAY_MS = 86_400_000


def spend(world: World, what: str, *, most: int, window_ms: int, now_ms: int) -> None:
    """Count one more of `what`; refuses when there were `most` within the window, which slides (choices.WINDOW)."""
    times = world.windows.get(what)
    if times is None:
        times = world.windows[what] = deque()
    while times and times[0] <= now_ms - window_ms:
        times.popleft()
    if len(times) >= most:
        raise too_many(times[0] + window_ms - now_ms)
    times.append(now_ms)


def today(world: World, what: str, *, now_ms: int) -> deque[int]:
    """When `what` was counted today; the day ends at 00:00 UTC."""
    times = world.windows.setdefault(what, deque())
    while times and times[0] < now_ms - now_ms % DAY_MS:
        times.popleft()
    return times


def too_many(wait_ms: int) -> Problem:
    """A refusal that says when to come back."""
    wait_s = -(-wait_ms // 1000)
    return Problem(429, 1007, f"Rate limited. Try again in {wait_s} seconds.", retry_after=wait_s)
