"""Targets with a bug on purpose: what a fuzzer must find, and what it must notice."""

from __future__ import annotations

from linqbot.protocol.inbound import read

_hoard: list[bytes] = []


def reads_carelessly(data: bytes) -> None:
    """Lets the errors of unreadable bodies through."""
    read(data[1:], webhook_id="w", wanted=lambda _: True)


def leaks(_: bytes) -> None:
    """Keeps memory for every input."""
    _hoard.append(bytes(300_000))
