"""a server's configuration -> may events be kept here, and what an acknowledgement survives. Sources: redis.io,
"Key eviction" and "Redis persistence"; the classes are those of `Durability`.
"""

from __future__ import annotations

from collections.abc import Mapping

import structlog
from redis.asyncio import Redis
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import ResponseError

from linqbot.errors import ConfigurationError
from linqbot.records import Durability

_log = structlog.get_logger("linqbot.store")

_ASKED = ("maxmemory-policy", "appendonly", "appendfsync")


async def read_configuration(client: Redis) -> Mapping[str, str]:
    """What the server tells of itself; where CONFIG is blocked, as far as INFO says it. May be empty."""
    found: dict[str, str] = {}
    try:
        info = await client.info("everything")
    except ResponseError:
        info = {}
    if "maxmemory_policy" in info:
        found["maxmemory-policy"] = str(info["maxmemory_policy"])
    if "aof_enabled" in info:
        found["appendonly"] = "yes" if int(info["aof_enabled"]) else "no"
    try:
        for name in _ASKED:
            found |= {_text(key): _text(value) for key, value in (await client.config_get(name)).items()}
    except ResponseError:
        _log.debug("redis keeps its configuration to itself")
    return found


def check_eviction(configuration: Mapping[str, str]) -> None:
    """Refuse a server that throws keys away when its memory is full: it would lose acknowledged events."""
    policy = configuration.get("maxmemory-policy")
    if policy is None:
        _log.warning("cannot see whether redis evicts keys; make sure that its maxmemory-policy is noeviction")
    elif policy != "noeviction":
        raise ConfigurationError(
            f"Redis evicts keys when its memory is full (maxmemory-policy {policy}), which loses events; "
            "set it to noeviction (on Heroku: heroku redis:maxmemory --policy noeviction)"
        )


def durability_of(configuration: Mapping[str, str]) -> Durability:
    """Which class the configuration gives. D3 is never claimed: acknowledgements do not wait for replicas."""
    append = configuration.get("appendonly")
    if append is None:
        return Durability(grade="D0", reason="Redis does not tell whether it has a log (CONFIG and INFO are blocked)")
    if append != "yes":
        return Durability(
            grade="D0", reason="Redis has no append-only log: its own restart forgets what was acknowledged"
        )
    sync = configuration.get("appendfsync", "everysec")
    if sync == "always":
        return Durability(grade="D2", reason="Redis syncs its log to disk before it answers (appendfsync always)")
    if sync == "no":
        return Durability(grade="D1", reason="Redis leaves syncing its log to the system (appendfsync no): up to 30 s")
    return Durability(grade="D1", reason="Redis syncs its log to disk once a second (appendfsync everysec)")


def refuses_login(error: BaseException) -> bool:
    """Whether the server refused the user or password of the URL."""
    return isinstance(error, RedisConnectionError) and error.error_type.value == "auth"


def _text(value: object) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)
