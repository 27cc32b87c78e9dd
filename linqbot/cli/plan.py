"""settings and flags -> a Plan. Decides whether and how a bot may run here, before anything is touched."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from linqbot.errors import ConfigurationError
from linqbot.settings import Settings

Only = Literal["all", "web", "worker"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How a bot runs: what this process does, where it listens, how many processes there are."""

    only: Only
    host: str
    port: int
    processes: int
    warnings: tuple[str, ...] = ()
    """What a person should know although it runs."""

    @property
    def listens(self) -> bool:
        """Whether there is a port at all."""
        return self.only != "worker"


def plan_run(settings: Settings, *, only: Only = "all", host: str | None = None, port: int | None = None) -> Plan:
    """How `linqbot run` runs with these settings; flags win. Raises `ConfigurationError`, one line with the remedy."""
    if settings.api_key is None:
        raise ConfigurationError("there is no API key: set LINQ_API_V3_API_KEY to the token of your Linq account")
    _check_store(settings)
    if settings.store_kind == "sqlite":
        _check_file(settings, only)
    return Plan(
        only=only,
        host=settings.host if host is None else host,
        port=settings.port if port is None else port,
        processes=_processes(settings),
        warnings=_warnings(settings),
    )


def _check_store(settings: Settings) -> None:
    name = "LINQBOT_STORE" if settings.store else "REDIS_URL"
    kind = settings.store_kind
    if kind not in ("sqlite", "redis", "rediss"):
        what = f"begins with {kind!r}" if re.fullmatch(r"[a-z][a-z0-9+.-]{0,20}", kind) else "is not an address"
        raise ConfigurationError(f"{name} {what}; use sqlite:///path, redis://host or rediss://host")
    if kind == "sqlite" and not re.match(r"sqlite:///.", settings.store_url):
        raise ConfigurationError(f"{name} names no file; write sqlite:///path, or sqlite:////absolute/path")


def _check_file(settings: Settings, only: Only) -> None:
    if only != "all" and settings.store_url == "sqlite:///:memory:":
        raise ConfigurationError(f"--only {only} needs a store that processes share; write sqlite:///path")
    if not settings.dyno:
        return
    if settings.store is None:
        raise ConfigurationError(
            "a dyno forgets its disk at every restart, and there is no Redis: run "
            "`heroku addons:create heroku-redis:premium-0`, "
            "or set LINQBOT_STORE=sqlite:///.linqbot/bot.db to accept the loss"
        )
    if only != "all":
        raise ConfigurationError(
            f"--only {only} needs a store that dynos share, and they share no disk: run "
            "`heroku addons:create heroku-redis:premium-0` and unset LINQBOT_STORE"
        )


def _processes(settings: Settings) -> int:
    if settings.web_concurrency_set_by or settings.web_concurrency == 1:
        return 1
    if settings.store_kind == "sqlite":
        raise ConfigurationError(
            f"WEB_CONCURRENCY={settings.web_concurrency} needs Redis: set REDIS_URL, or WEB_CONCURRENCY=1"
        )
    return settings.web_concurrency


def _warnings(settings: Settings) -> tuple[str, ...]:
    if not settings.unverified_redis:
        return ()
    return ("the certificate of the Redis server is not verified; set LINQBOT_REDIS_TLS to verify it",)
