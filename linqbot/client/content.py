"""what to say -> a message as Linq wants it. A text, or the message in Linq's own words (linq-api-v3.md section 6)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

Content = str | Mapping[str, Any]
"""A text, or the whole message as Linq wants it: `{"parts": [{"type": "text", "value": "Hi"}], …}`."""


def message_of(content: Content, idempotency_key: str | None) -> dict[str, Any]:
    """The `message` of a request; under the same key Linq takes it once, however often it is sent."""
    message = {"parts": [{"type": "text", "value": content}]} if isinstance(content, str) else dict(content)
    return message if idempotency_key is None else {**message, "idempotency_key": idempotency_key}


def several(handles: str | Sequence[str]) -> list[str]:
    """Handles as a list; a single one is no sequence of characters."""
    return [handles] if isinstance(handles, str) else [*handles]
