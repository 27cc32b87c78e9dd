"""lua files + limits -> the scripts a server runs. One verb of the store is one script.

The limits stand in front of the text as constants, so that a call carries only what differs between calls.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from importlib.resources import files

from linqbot.records import Limits


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """A verb's Lua and the name the server keeps it under."""

    name: str
    text: str = field(repr=False)
    sha: str = field(init=False)

    def __post_init__(self) -> None:
        # Redis names a script so; nothing is secured by it.
        object.__setattr__(self, "sha", hashlib.sha1(self.text.encode(), usedforsecurity=False).hexdigest())


@lru_cache(maxsize=16)
def load_scripts(limits: Limits) -> Mapping[str, Script]:
    """Every script by the name of its file, with these limits as its constants."""
    facts = ", ".join(f"{name} = {value:d}" for name, value in asdict(limits).items())
    start = f"local LIMITS = {{ {facts} }}\n" + _read("prelude")
    folder = files("linqbot.store.redis").joinpath("lua")
    names = (entry.name.removesuffix(".lua") for entry in folder.iterdir() if entry.name.endswith(".lua"))
    return {name: Script(name=name, text=start + _read(name)) for name in sorted(names) if name != "prelude"}


def _read(name: str) -> str:
    return files("linqbot.store.redis").joinpath("lua", f"{name}.lua").read_text(encoding="utf-8")
