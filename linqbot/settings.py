"""environment -> Settings. The only reader of the environment, and the list of everything that can be set.

Each setting is one field: its names (the first is the one we write, the others are read too), its default and what it
means. The real environment wins over `./.env`, whichever of a setting's names is used; an empty variable counts as unset.
`SETTINGS` is the same list as data, for help texts and the README.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, AliasChoices, BeforeValidator, ByteSize, Field, SecretStr, ValidationError
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, SettingsConfigDict

from linqbot.errors import ConfigurationError
from linqbot.protocol.duration import Rate, parse_duration, parse_rate
from linqbot.records import Limits

DOTENV = ".env"


def _trim(value: object) -> object:
    return value.strip() if isinstance(value, str) else value


def _duration(value: object) -> object:
    return parse_duration(value) if isinstance(value, str) else value


def _rate(value: object) -> object:
    return parse_rate(value) if isinstance(value, str) else value


def _positive(value: timedelta) -> timedelta:
    if value <= timedelta(0):
        raise ValueError("it must be longer than nothing")
    return value


def _web_url(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise ValueError("write an address that begins with https:// and has no ? or #")
    return value.rstrip("/")


def _path(value: str) -> str:
    if not re.fullmatch(r"/[A-Za-z0-9._~/-]*[A-Za-z0-9._~-]", value):
        raise ValueError("write a path that begins with /, such as /webhooks/linq")
    return value


def _number(value: str | None) -> str | None:
    if value is not None and not re.fullmatch(r"\+[1-9][0-9]{1,14}", value):
        raise ValueError("write a phone number in E.164, such as +12025550100: a plus and digits, no blanks")
    return value


def _namespace(value: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9_.-]{1,64}", value):
        raise ValueError("use 1 to 64 letters, digits, dots, dashes and underscores")
    return value


Text = Annotated[str, BeforeValidator(_trim)]
Hidden = Annotated[SecretStr, BeforeValidator(_trim)]
Span = Annotated[timedelta, BeforeValidator(_duration), AfterValidator(_positive)]


def _setting(names: str, default: str | int | bool | None, meaning: str, **rules: Any) -> Any:  # noqa: FBT001  a default may be a switch
    """One field: its names separated by blanks, the default as one would write it, and what it means."""
    return Field(default=default, validation_alias=AliasChoices(*names.split()), description=meaning, **rules)


class Settings(BaseSettings):
    """Everything that can be set from outside. Build it with `load_settings`, or with keywords in tests.

    Keywords win over the environment. Keys, secrets and store addresses (they hold passwords) are masked in its repr.
    """

    model_config = SettingsConfigDict(
        env_file=DOTENV,
        env_ignore_empty=True,
        case_sensitive=True,
        enable_decoding=False,
        extra="ignore",
        frozen=True,
        hide_input_in_errors=True,
        validate_by_name=True,
        validate_by_alias=True,
        validate_default=True,
    )

    api_key: Hidden | None = _setting(
        "LINQ_API_V3_API_KEY LINQ_API_KEY LINQ_API_TOKEN LINQ_TOKEN", None, "The token of your Linq account."
    )
    webhook_secret: Hidden | None = _setting(
        "LINQ_WEBHOOK_SECRET LINQ_WEBHOOK_SIGNING_SECRET LINQ_SIGNING_SECRET",
        None,
        "The secret webhooks are signed with (whsec_…); several, separated by commas, while rotating.",
    )
    base_url: Annotated[Text, AfterValidator(_web_url)] = _setting(
        "LINQ_API_V3_BASE_URL LINQ_BASE_URL", "https://api.linqapp.com/api/partner", "Where Linq's API is."
    )
    from_number: Annotated[Text | None, AfterValidator(_number)] = _setting(
        "LINQ_FROM_NUMBER LINQ_FROM_PHONE LINQ_PHONE_NUMBER",
        None,
        "Your line, for messages that the bot begins; unset: the one that the event came to, else Linq picks one.",
        repr=False,
    )
    store: Hidden | None = _setting(
        "LINQBOT_STORE",
        None,
        "Where work is kept: sqlite:///path, redis://… or rediss://…; unset: REDIS_URL, else sqlite:///.linqbot/bot.db.",
    )
    redis_url: Hidden | None = _setting(
        "REDIS_URL REDIS_TLS_URL", None, "A Redis or Valkey server, as platforms name it; LINQBOT_STORE wins over it."
    )
    tls: Text | None = _setting(
        "LINQBOT_REDIS_TLS",
        None,
        "How a rediss:// server proves itself: verify, insecure, or the path of a CA file; "
        "unset: verify, on Heroku (self-signed certificates) insecure.",
    )
    namespace: Annotated[Text, AfterValidator(_namespace)] = _setting(
        "LINQBOT_NAMESPACE", "linqbot", "Keeps several bots apart that share one store; part of every idempotency key."
    )
    media_hosts: Text = _setting(
        "LINQBOT_MEDIA_HOSTS",
        "cdn.linqapp.com",
        "Hosts that files are fetched from, separated by commas; beside them the base URL's if it is this machine.",
    )
    public_url: Annotated[Text, AfterValidator(_web_url)] | None = _setting(
        "LINQBOT_PUBLIC_URL", None, "Where the internet reaches this program; the default of `webhooks sync --url`."
    )
    webhook_path: Annotated[Text, AfterValidator(_path)] = _setting(
        "LINQBOT_WEBHOOK_PATH", "/webhooks/linq", "Where Linq's webhooks arrive."
    )
    legacy_signatures: bool = _setting(
        "LINQBOT_LEGACY_SIGNATURES", default=False, meaning="Also accept the older X-Webhook-Signature headers."
    )
    max_body: ByteSize = _setting(
        "LINQBOT_MAX_BODY", "4MiB", "The largest webhook that is read; longer ones are answered 413.", ge=1024
    )
    pair_budget: Annotated[Rate, BeforeValidator(_rate)] = _setting(
        "LINQBOT_PAIR_BUDGET", "25/60s", "How many messages one line sends into one chat in a window; 0: no limit."
    )
    line_budget: Annotated[Rate, BeforeValidator(_rate)] = _setting(
        "LINQBOT_LINE_BUDGET", "0", "How many messages one line sends in a window, such as 30/60s; 0: no limit."
    )
    line_day_budget: int = _setting(
        "LINQBOT_LINE_DAY_BUDGET", 0, "How many messages one line sends in any 24 hours; 0: no limit.", ge=0
    )
    handler_timeout: Span = _setting(
        "LINQBOT_HANDLER_TIMEOUT", "60s", "How long a handler may take; for a generator, between two bubbles."
    )
    lease: Span = _setting(
        "LINQBOT_LEASE", "30s", "After how long the chat of a process that died is taken over by another."
    )
    dedupe_capacity: int = _setting(
        "LINQBOT_DEDUPE_CAPACITY", 1_000_000, "For how many events of a day the memory of duplicates is sized.", ge=1
    )
    host: Text = _setting("HOST", "0.0.0.0", "The address `run` listens on.")  # noqa: S104  a container's proxy connects from outside
    port: int = _setting("PORT", 8000, "The port `run` listens on.", ge=0, le=65535)
    web_concurrency: int = _setting(
        "WEB_CONCURRENCY", 1, "How many processes `run` starts; more than 1 needs Redis.", ge=1
    )
    web_concurrency_set_by: Text | None = _setting(
        "WEB_CONCURRENCY_SET_BY", None, "Set by platforms that guess WEB_CONCURRENCY; the guess is then ignored."
    )
    forwarded_allow_ips: Text = _setting(
        "FORWARDED_ALLOW_IPS", "127.0.0.1,::1", "Which proxies are believed about the client's address; *: all."
    )
    log_level: Annotated[
        Literal["debug", "info", "warning", "error"], BeforeValidator(lambda text: text.strip().lower())
    ] = _setting("LOG_LEVEL", "info", "What is logged: debug, info, warning or error.")
    log_format: Literal["auto", "console", "json"] = _setting(
        "LOG_FORMAT", "auto", "console, json, or auto: console on a terminal, JSON otherwise."
    )
    no_color: Text | None = _setting("NO_COLOR", None, "Any value: no colours in the console's logs.")
    dyno: Text | None = _setting("DYNO", None, "Set by Heroku and Dokku: the disk is lost at every restart.")

    @property
    def store_url(self) -> str:
        """The address of the store that is used; it may hold a password."""
        chosen = self.store or self.redis_url
        return chosen.get_secret_value() if chosen else "sqlite:///.linqbot/bot.db"

    @property
    def store_kind(self) -> str:
        """`sqlite`, `redis`, `rediss`, or whatever else the address begins with."""
        return urlsplit(self.store_url).scheme.lower()

    @property
    def redis_tls(self) -> str:
        """How a `rediss://` server proves itself: `verify`, `insecure` or the path of a CA file."""
        return self.tls or ("insecure" if self.dyno else "verify")

    @property
    def unverified_redis(self) -> bool:
        """Whether a server's certificate goes unchecked only because the platform signs its own."""
        return self.store_kind == "rediss" and self.tls is None and self.redis_tls == "insecure"

    @property
    def confidential(self) -> tuple[str, ...]:
        """Every value that must never be shown, in the clear: for the guard of the logs, and for nothing else."""
        masked = (self.api_key, self.webhook_secret, self.store, self.redis_url)
        values = [value.get_secret_value() for value in masked if value is not None]
        secrets = [one.strip() for value in values for one in (value, *value.split(","))]
        return (*secrets, *([self.from_number] if self.from_number else []))

    @property
    def file_hosts(self) -> frozenset[str]:
        """Where files of messages are fetched from, as `host` or `host:port`."""
        base = urlsplit(self.base_url)
        local = [base.netloc.lower()] if base.hostname in ("localhost", "127.0.0.1", "::1") else []
        return frozenset(filter(None, [*(one.strip().lower() for one in self.media_hosts.split(",")), *local]))

    def limits(self) -> Limits:
        """The store's sizes and times as these settings want them."""
        return Limits(
            lease_ms=self.lease // timedelta(milliseconds=1),
            dedupe_capacity=self.dedupe_capacity,
            budget=self.pair_budget.units,
            budget_window_ms=self.pair_budget.window_ms,
            line_budget=self.line_budget.units,
            line_window_ms=self.line_budget.window_ms,
            line_day_budget=self.line_day_budget,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One setting as data: how it is written, what it is unless set, and what it means."""

    field: str
    name: str
    aliases: tuple[str, ...]
    default: str
    """As one would write it; empty when there is none."""
    meaning: str

    @property
    def names(self) -> tuple[str, ...]:
        """The name and its aliases, in the order in which they are looked for."""
        return (self.name, *self.aliases)


def _table(fields: Mapping[str, FieldInfo]) -> Iterator[Setting]:
    for field, info in fields.items():
        choices = info.validation_alias
        assert isinstance(choices, AliasChoices)
        name, *aliases = (str(choice) for choice in choices.choices)
        default = "" if info.default is None else str(info.default).replace("False", "false")
        yield Setting(field=field, name=name, aliases=tuple(aliases), default=default, meaning=str(info.description))


SETTINGS: tuple[Setting, ...] = tuple(_table(Settings.model_fields))
"""Every setting, in the order in which help texts show them."""


def load_settings(*, env_file: str | Path | None = DOTENV, **given: Any) -> Settings:
    """The settings of the environment and of `env_file` (None: of the environment alone); keywords win over both.

    Raises `ConfigurationError`, one line that names the variable and never shows the value of a secret.
    """
    try:
        return Settings(**{"_env_file": env_file, **given})
    except ValidationError as error:
        raise ConfigurationError("; ".join(_complaints(error))) from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(
            f"{env_file} cannot be read ({type(error).__name__}): make it a UTF-8 text file"
        ) from None


_ACCOUNT = {"api_key", "webhook_secret", "base_url", "from_number"}
_PLACE = {
    "store",
    "redis_url",
    "tls",
    "public_url",
    "host",
    "port",
    "web_concurrency",
    "web_concurrency_set_by",
    "dyno",
}


def playground(**given: str) -> dict[str, str]:
    """A copy of the environment for a bot that only plays: no account, no store and no server of the shell's in it.

    `given` are settings to put in their place, by field. They win over `./.env`, because the environment does.
    """
    taken = {name for setting in SETTINGS if setting.field in _ACCOUNT | _PLACE for name in setting.names}
    kept = {name: value for name, value in os.environ.items() if name not in taken}
    return kept | {setting.name: given[setting.field] for setting in SETTINGS if setting.field in given}


def _complaints(error: ValidationError) -> Iterator[str]:
    for problem in error.errors(include_input=False, include_url=False):
        what = problem["msg"].removeprefix("Value error, ")
        yield f"{_as_written(str(problem['loc'][0]))} is not usable: {what[:1].lower()}{what[1:]}"


def _as_written(field: str) -> str:
    """The name under which a field was set: as in the environment, else its first one."""
    names = next((setting.names for setting in SETTINGS if field in (setting.field, *setting.names)), (field,))
    return next((name for name in names if os.environ.get(name)), names[0])
