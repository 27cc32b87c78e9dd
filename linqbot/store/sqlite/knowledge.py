"""facts -> known until their time is over or a later word comes, and told by key."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping

from linqbot.records import Fact
from linqbot.store.sqlite.transaction import Transaction

_STEP = 5_000
"""More than a busy minute brings: what is learned of each message leaves as fast as it comes."""


def learn(tx: Transaction, facts: Iterable[Fact]) -> None:
    """`Knowledge.learn`."""
    for fact in facts:
        lives_ms = fact.ttl_ms or (tx.limits.dedupe_ms if fact.value is None else 0)
        until_ms = tx.now_ms + lives_ms if lives_ms else None
        tx.run("learn", tx.ns, fact.key, fact.rank, fact.ttl_ms, until_ms, fact.value, tx.now_ms)


def facts(tx: Transaction, keys: Iterable[str]) -> Mapping[str, Fact]:
    """`Knowledge.facts`."""
    rows = tx.rows("facts", tx.ns, json.dumps(list(keys)), tx.now_ms)
    return {key: Fact(key=key, value=value, rank=rank, ttl_ms=ttl_ms) for key, rank, ttl_ms, value in rows}


def forget_expired(tx: Transaction) -> None:
    """Let facts whose time is over go, a bounded number of them."""
    tx.run("forget_old_facts", tx.ns, tx.now_ms, _STEP)
