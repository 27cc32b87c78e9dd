"""the same line again and again -> some of it. Keeps what anybody can cause from filling the log.

Pure: the caller passes the time of each line, so the bound holds on a clock that is turned, too.
"""

from __future__ import annotations


class Sampler:
    """Lets a few lines of each name through in a window of time, and counts the rest.

    Names are the caller's own fixed words: each one that was ever used is remembered.
    """

    def __init__(self, *, most: int = 5, window_ms: int = 1_000) -> None:
        self._most = most
        self._window_ms = window_ms
        self._windows: dict[str, _Window] = {}

    def take(self, name: str, now_ms: int) -> int | None:
        """How many lines of this name were left out since the last one that was not; None: leave this one out, too."""
        window = self._windows.setdefault(name, _Window(now_ms))
        if not 0 <= now_ms - window.begun_ms < self._window_ms:
            window.begun_ms, window.lines = now_ms, 0
        if window.lines >= self._most:
            window.left_out += 1
            return None
        window.lines += 1
        left_out, window.left_out = window.left_out, 0
        return left_out


class _Window:
    __slots__ = ("begun_ms", "left_out", "lines")

    def __init__(self, begun_ms: int) -> None:
        self.begun_ms = begun_ms
        self.lines = 0
        self.left_out = 0
