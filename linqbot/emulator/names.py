"""seed -> identities. The ids, trace ids and secrets a Linq hands out; the same seed hands out the same ones."""

from __future__ import annotations

import random
import uuid

from linqbot.emulator.signing import new_secret


class Names:
    """A source of identities; without a seed they differ from run to run."""

    def __init__(self, seed: int | None = None) -> None:
        self._random = random.Random(seed)  # noqa: S311  # a toy's ids must repeat under a seed; nothing real is protected

    def uuid(self) -> str:
        """An id as Linq gives them (linq-api-v3.md section 1)."""
        return str(uuid.UUID(int=self._random.getrandbits(128), version=4))

    def trace_id(self) -> str:
        """32 hexadecimal digits."""
        return f"{self._random.getrandbits(128):032x}"

    def secret(self) -> str:
        """A webhook signing secret."""
        return new_secret(self._random.randbytes(32))

    def jitter(self, share: float) -> float:
        """A factor between 1 and 1 + `share`."""
        return 1.0 + share * self._random.random()
