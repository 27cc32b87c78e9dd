"""namespace -> every key the Redis store may ever write, with its type, how long it lives, and what it means.

All keys of a namespace begin `lb1:{<namespace>.0}:` (layout version, then a hash tag with the partition's number), so that
a script touches one slot only. A test compares what servers hold with this list.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from linqbot.errors import ConfigurationError

LAYOUT = 1
"""Written into `meta`; a store that holds a higher one is refused."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeySpec:
    """One kind of key."""

    pattern: str
    """The name after the prefix; `*` stands for anything."""
    type: str
    """As the command TYPE names it."""
    ttl: bool | None
    """Whether the server forgets it by itself; if not, `lives` says what removes it. None: some of the kind."""
    lives: str
    means: str

    def matches(self, name: str) -> bool:
        """Whether a name without the prefix is of this kind."""
        pattern = ".*".join(re.escape(piece) for piece in self.pattern.split("*"))
        return re.fullmatch(pattern, name, re.DOTALL) is not None


def _key(pattern: str, kind: str, lives: str, means: str, *, ttl: bool | None = False) -> KeySpec:
    return KeySpec(pattern=pattern, type=kind, ttl=ttl, lives=lives, means=means)


def _side(side: str, item: str) -> tuple[KeySpec, ...]:
    while_waiting = f"while a {item} waits"
    return (
        _key(f"{side}:q:*", "list", while_waiting, f"the {item}s of a lane, the head first"),
        _key(
            f"{side}:st:*",
            "hash",
            f"while the head {item} is leased or in trouble",
            "what is known about a lane's head",
        ),
        _key(f"{side}:lanes", "set", while_waiting, "the lanes that are not empty"),
        _key(f"{side}:ready", "zset", while_waiting, "lanes to lease, by their place in the queue"),
        _key(f"{side}:leased", "zset", while_waiting, "lanes by the end of their lease (ms)"),
        _key(f"{side}:delayed", "zset", while_waiting, "lanes by when they may go on (ms)"),
        _key(
            f"{side}:tokens",
            "hash",
            "while a lane is leased",
            "lease token -> lane, so that a lost answer can be repeated",
        ),
        _key(f"{side}:wake", "list", "60 s", "at most 16 wake-ups for waiting processes", ttl=True),
    )


KEYS: tuple[KeySpec, ...] = (
    _key("meta", "hash", "with the namespace", "layout, number of dedupe buckets, counters, cursors of the sweep"),
    _key(
        "id:*:*",
        "hash",
        "to the end of the next dedupe_ms",
        "remembered ids: 12-byte digests by generation, bucket",
        ttl=True,
    ),
    *_side("in", "event"),
    *_side("out", "reply"),
    _key("out:pair:*", "list", "budget_window_ms", "what a pair spent in the window, as 'ms:sum so far'", ttl=True),
    _key("out:line:*", "list", "line_window_ms", "what a line spent in its window, likewise", ttl=True),
    _key("out:day:*", "list", "24 hours", "what a line spent in a day, likewise, by ten minutes", ttl=True),
    _key("sent", "hash", "sent_ms after the last send", "message id -> which reply it was, at most sent_cap", ttl=True),
    _key("sent:order", "list", "sent_ms after the last send", "message ids, the oldest first", ttl=True),
    _key("dead", "hash", "until dropped, at most dead_cap", "dead letters"),
    _key("dead:order", "zset", "until dropped, at most dead_cap", "dead letters by age"),
    _key("state:*", "string", "as its ttl_ms says", "one cell of user state, 'version:value'", ttl=None),
    _key("fact:*", "string", "as its ttl_ms says", "something learned, 'rank ttl until +value'", ttl=None),
    _key("timers", "zset", "until due or cancelled", "timers by when they are due (ms)"),
    _key("timers:item", "hash", "until due or cancelled", "lane and item of each timer"),
    _key("ping", "string", "1 s", "proof that the server takes writes", ttl=True),
)


def prefix(namespace: str) -> str:
    """What every key of a namespace begins with. Raises `ConfigurationError` for a name that would break the hash tag."""
    if not namespace or "{" in namespace or "}" in namespace:
        raise ConfigurationError("the namespace must not be empty or contain braces (LINQBOT_NAMESPACE)")
    return f"lb{LAYOUT}:{{{namespace}.0}}:"


def spec_of(key: str, namespace: str) -> KeySpec | None:
    """The kind of a key of this namespace; None if there is no such kind."""
    start = prefix(namespace)
    if not key.startswith(start):
        return None
    name = key.removeprefix(start)
    exact = [spec for spec in KEYS if spec.pattern == name]
    return next(iter(exact), None) or next((spec for spec in KEYS if spec.matches(name)), None)
