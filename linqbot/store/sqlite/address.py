"""a URL -> where the database is."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

from linqbot.errors import ConfigurationError
from linqbot.ids import random_token

_PREFIX = "sqlite:///"
_MEMORY = ":memory:"


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """A file, or a place in this process's memory."""

    name: str
    """Two stores of one process with the same name share the database."""
    path: Path | None
    """None: in memory."""

    @property
    def database(self) -> str:
        """What SQLite is told to open."""
        return _MEMORY if self.path is None else str(self.path)


def parse(url: str) -> Address:
    """Where `url` points: `sqlite:///relative/path`, `sqlite:////absolute/path` or `sqlite:///:memory:`.

    Memory is private to each store; with a name after it (`sqlite:///:memory:shared`) the stores of one process that use
    the name share it while one of them is open. Raises `ConfigurationError` for any other URL.
    """
    place = unquote(url.removeprefix(_PREFIX))
    if not url.startswith(_PREFIX) or not place or place.endswith("/"):
        raise ConfigurationError(
            "the store URL names no file: write sqlite:///relative/path or sqlite:////absolute/path"
        )
    if place.startswith(_MEMORY):
        return Address(name=place if place != _MEMORY else _MEMORY + random_token(), path=None)
    path = Path(place).absolute()
    return Address(name=str(path), path=path)
