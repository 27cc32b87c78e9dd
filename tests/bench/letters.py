"""numbers -> signed webhooks on the wire, made before the clock starts.

Each carries its number in its text (`#000042#`), so that a reply tells which webhook it answers.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field

from tests.linq_fixtures import fixture_bytes

KEY = b"a key for benchmarks, nowhere else"
SECRET = "whsec_" + base64.b64encode(KEY).decode()
PATH = "/webhooks/linq"

_ENVELOPE = json.loads(fixture_bytes("message.received.2026-02-03.json"))


@dataclass(frozen=True, slots=True)
class Letter:
    """One webhook, ready to be written to a socket."""

    number: int
    wire: bytes = field(repr=False)


def letters(count: int, *, chats: int, first: int = 0, words: str = "hello") -> Sequence[Letter]:
    """That many messages, the chats taking turns; ids are fresh on every call, timestamps are of now."""
    return [_letter(number, number % chats, words) for number in range(first, first + count)]


def letter_to(chat: int, number: int, *, words: str = "hello") -> Letter:
    """One message to one chat."""
    return _letter(number, chat, words)


def chat_id(chat: int) -> str:
    """The id of a chat by its number."""
    return f"00000000-0000-4000-8000-{chat:012d}"


def number_in(body: bytes) -> int:
    """The number that a reply repeats; -1 when it has none."""
    before = body.find(b"#")
    after = body.find(b"#", before + 1)
    return int(body[before + 1 : after]) if 0 <= before < after else -1


def _letter(number: int, chat: int, words: str) -> Letter:
    event_id = str(uuid.UUID(bytes=os.urandom(16), version=4))
    data = _ENVELOPE["data"]
    envelope = _ENVELOPE | {
        "event_id": event_id,
        "data": data
        | {
            "id": str(uuid.UUID(bytes=os.urandom(16), version=4)),
            "chat": data["chat"] | {"id": chat_id(chat)},
            "parts": [{"type": "text", "value": f"{words} #{number:06d}#"}],
        },
    }
    body = json.dumps(envelope, separators=(",", ":")).encode()
    stamp = str(int(time.time()))
    digest = hmac.digest(KEY, f"{event_id}.{stamp}.".encode() + body, hashlib.sha256)
    head = (
        f"POST {PATH} HTTP/1.1\r\nhost: bench\r\nuser-agent: bench\r\ncontent-type: application/json\r\n"
        f"content-length: {len(body)}\r\nwebhook-id: {event_id}\r\nwebhook-timestamp: {stamp}\r\n"
        f"webhook-signature: v1,{base64.b64encode(digest).decode()}\r\n\r\n"
    )
    return Letter(number, head.encode() + body)
