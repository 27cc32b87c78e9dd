"""A URL -> a Store. The only module that names a backend; each is imported when it is asked for."""

from __future__ import annotations

from urllib.parse import urlsplit

from linqbot.clock import Clock
from linqbot.errors import ConfigurationError
from linqbot.records import Limits
from linqbot.store.base import Store


def open_store(
    url: str, *, clock: Clock, namespace: str = "linqbot", limits: Limits | None = None, redis_tls: str = "verify"
) -> Store:
    """The store behind `sqlite:///path`, `sqlite:///:memory:`, `redis://…` or `rediss://…`; enter it to use it.

    `redis_tls` is `verify`, `insecure` or the path of a CA file. Raises `ConfigurationError` for any other URL.
    """
    scheme = urlsplit(url).scheme
    limits = limits or Limits()
    if scheme == "sqlite":
        from linqbot.store.sqlite.store import SqliteStore

        return SqliteStore(url, clock=clock, namespace=namespace, limits=limits)
    if scheme in ("redis", "rediss"):
        from linqbot.store.redis.store import RedisStore

        return RedisStore(url, clock=clock, namespace=namespace, limits=limits, tls=redis_tls)
    raise ConfigurationError(
        f"the store URL begins with {scheme!r}; use sqlite:///path, redis://host or rediss://host (LINQBOT_STORE)"
    )
