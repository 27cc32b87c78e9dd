"""what a person may see meanwhile -> Request: that we type, that we read (linq-api-v3.md section 7.4)."""

from __future__ import annotations

from urllib.parse import quote

from linqbot.records import Request


def typing_request(chat_id: str, *, on: bool) -> Request:
    """Show, or show no longer, that we type in a chat; shown for about 85 s, and until our next message there."""
    return Request(method="POST" if on else "DELETE", path=f"/v3/chats/{quote(chat_id, safe='')}/typing")


def read_request(chat_id: str) -> Request:
    """Mark all of a chat as read."""
    return Request(method="POST", path=f"/v3/chats/{quote(chat_id, safe='')}/read")
