"""Both steps of an upload."""

from __future__ import annotations

from typing import Any

import httpx


async def announced(api: httpx.AsyncClient, name: str, content_type: str, size: int) -> dict[str, Any]:
    """Say what is going to be uploaded."""
    body = {"filename": name, "content_type": content_type, "size_bytes": size}
    answer = await api.post("/v3/attachments", json=body)
    assert answer.status_code == 200, answer.text
    given: dict[str, Any] = answer.json()
    return given


async def uploaded(api: httpx.AsyncClient, name: str, content_type: str, content: bytes) -> dict[str, Any]:
    """Upload a file as Linq asks for it."""
    given = await announced(api, name, content_type, len(content))
    put = await api.put(given["upload_url"], content=content, headers=given["required_headers"])
    assert put.status_code == 200, put.text
    return given
