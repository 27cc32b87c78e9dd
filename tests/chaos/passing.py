"""a store -> the same store, with something changed. What the programmes of chaos put between a worker and its store."""

from __future__ import annotations

from typing import Any, Self


class PassingStore:
    """A store whose every call passes through; a kind of it does something else in places."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner

    async def __aenter__(self) -> Self:
        await self._inner.__aenter__()
        return self

    async def __aexit__(self, *details: object) -> None:
        await self._inner.__aexit__(*details)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)
