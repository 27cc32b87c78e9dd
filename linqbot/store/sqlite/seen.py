"""ids -> remembered for a while, as digests."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b

from linqbot.store.sqlite.transaction import Transaction

_DIGEST_BYTES = 12
_PACE, _STEP = 32, 96
"""After so many new ids, so many old ones are looked at, so that the expired ones leave faster than new ones come."""


def digest(name: str) -> bytes:
    """What is kept of an id."""
    return blake2b(name.encode(), digest_size=_DIGEST_BYTES).digest()


def is_known(tx: Transaction, digests: Sequence[bytes]) -> bool:
    """Whether any of the ids is remembered."""
    return any(tx.row("is_known", tx.ns, digest, tx.now_ms // 1_000) for digest in digests)


def remember(tx: Transaction, digests: Sequence[bytes]) -> bool:
    """Remember all ids; whether none of them was known."""
    now_s = tx.now_ms // 1_000
    until_s = (tx.now_ms + tx.limits.dedupe_ms) // 1_000 + 1
    fresh = [tx.run("remember", tx.ns, digest, until_s, now_s) for digest in digests]
    before = tx.tally.remembered
    tx.tally.remembered += sum(fresh)
    if tx.tally.remembered // _PACE != before // _PACE:
        forget_expired(tx, _STEP)
    return all(fresh)


def forget_expired(tx: Transaction, limit: int) -> None:
    """Look at the next so many ids, round and round in the order of their digests, and let the expired ones go."""
    rows = tx.rows("seen_after", tx.ns, tx.tally.seen_hand, limit)
    if len(rows) < limit:
        rows += tx.rows("seen_after", tx.ns, b"", limit - len(rows))
    for digest, until_s in rows:
        if until_s <= tx.now_ms // 1_000:
            tx.run("forget", tx.ns, digest)
    tx.tally.seen_hand = rows[-1][0] if rows else b""
