"""stores of one process on the same database -> one writer, which ends with the last of them."""

from __future__ import annotations

import threading
from dataclasses import dataclass

from linqbot.store.sqlite.address import Address
from linqbot.store.sqlite.writer import Writer


@dataclass(slots=True)
class _Share:
    writer: Writer
    holders: int


_SHARES: dict[str, _Share] = {}
_GATE = threading.Lock()


def join(address: Address) -> Writer:
    """The database's writer, started for the first who asks; each `join` is undone by one `part`."""
    with _GATE:
        share = _SHARES.get(address.name)
        if share is None:
            share = _SHARES[address.name] = _Share(writer=Writer(address), holders=0)
        share.holders += 1
        return share.writer


async def part(address: Address) -> None:
    """Give a share back; the last one closes the database."""
    with _GATE:
        share = _SHARES[address.name]
        share.holders -= 1
        if share.holders:
            return
        del _SHARES[address.name]
    await share.writer.close()
