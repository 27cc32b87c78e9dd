"""Requests as tests write them."""

from __future__ import annotations

from typing import Any


def says(text: str = "Hi", **more: Any) -> dict[str, Any]:
    """A request to send one text; `more` goes into `message`."""
    return {"message": {"parts": [{"type": "text", "value": text}], **more}}


def holds(*parts: Any, **more: Any) -> dict[str, Any]:
    """A request to send these parts."""
    return {"message": {"parts": list(parts), **more}}


def text(value: Any = "Hi", **more: Any) -> dict[str, Any]:
    """A text part."""
    return {"type": "text", "value": value, **more}


def media(url: str = "https://example.com/a.jpg") -> dict[str, Any]:
    """A media part by URL."""
    return {"type": "media", "url": url}


def link(value: str = "https://example.com") -> dict[str, Any]:
    """A link part."""
    return {"type": "link", "value": value}


def styled(start: Any, end: Any, **more: Any) -> dict[str, Any]:
    """A decoration."""
    return {"range": [start, end], **more}
