"""base URL, key -> the official SDK's client. `bot.linq`: whatever Linq has that linqbot has not, payments among it.

Its package is an extra, imported when first asked for. It never sends a request twice by itself: it cannot know which
repeats are seen twice (linq-api-v3.md section 4).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx

from linqbot.errors import ConfigurationError

if TYPE_CHECKING:
    from linq import AsyncLinqAPIV3


def official_client(
    base_url: str, api_key: str, *, transport: httpx.AsyncBaseTransport | None = None
) -> AsyncLinqAPIV3:
    """The SDK's async client on the same account; close it, or use it with `async with`.

    Raises `ConfigurationError`, which names the extra, when the SDK is not installed.
    """
    try:
        from linq import AsyncLinqAPIV3
    except ImportError:
        raise ConfigurationError(
            "bot.linq is the official SDK, which is not installed: pip install 'linqbot[linq]'"
        ) from None
    http = None if transport is None else httpx.AsyncClient(transport=transport)
    return AsyncLinqAPIV3(base_url=base_url, api_key=api_key, max_retries=0, http_client=http)
