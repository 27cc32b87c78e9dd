"""What a frozen request says, read back for assertions."""

from __future__ import annotations

import json
from typing import Any

from linqbot.records import OutboxItem, Request


def message_in(request: Request) -> dict[str, Any]:
    """The `message` of a request to send one."""
    message: dict[str, Any] = json.loads(request.body or b"")["message"]
    return message


def message_of(item: OutboxItem) -> dict[str, Any]:
    """The `message` that an item sends."""
    return message_in(item.request)
