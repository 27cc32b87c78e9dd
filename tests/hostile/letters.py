"""bodies -> signed webhooks. Genuine letters to alter, signed by the emulator's own hand."""

from __future__ import annotations

import itertools
import json
from copy import deepcopy
from pathlib import Path
from typing import Any

from linqbot.emulator.signing import sign

SECRET = "whsec_" + "A" * 32
OTHER_SECRET = "whsec_" + "B" * 32
FIXTURES = Path(__file__).resolve().parents[1] / "fixtures" / "linq"
RECORDED: dict[str, dict[str, Any]] = {
    entry["file"]: json.loads((FIXTURES / entry["file"]).read_text("utf-8"))
    for entry in json.loads((FIXTURES / "index.json").read_text("utf-8"))["files"]
    if entry["kind"] == "webhook"
}
"""Every recorded webhook's body, by its file."""

_numbers = itertools.count(1)


def copied(name: str) -> dict[str, Any]:
    """A recorded body, to alter."""
    return deepcopy(RECORDED[name])


def message(text: str = "hi", *, chat: str | None = None, **changes: Any) -> dict[str, Any]:
    """A message.received of its own event and message id; `changes` replace fields of its data."""
    number = next(_numbers)
    body = copied("message.received.2026-02-03.json")
    body["event_id"] = f"event-{number}"
    body["data"] |= {"id": f"message-{number}", "parts": [{"type": "text", "value": text}], **changes}
    if chat is not None:
        body["data"]["chat"] = {**body["data"]["chat"], "id": chat}
    return body


def encoded(body: dict[str, Any] | bytes) -> bytes:
    """The bytes that a webhook's body is on the wire."""
    return body if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False).encode()


def signature(
    body: bytes, *, now_ms: int, webhook_id: str = "webhook-1", secret: str = SECRET, legacy: bool = False
) -> dict[str, str]:
    """The headers that prove a body: the standard ones, or only the deprecated ones."""
    every = sign(secret, webhook_id=webhook_id, timestamp=now_ms // 1000, body=body)
    return {name: value for name, value in every.items() if name.startswith("x-") is legacy}
