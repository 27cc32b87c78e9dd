"""secret, body -> headers. Signs a webhook in both ways, as linq-api-v3.md section 8.2 describes them."""

from __future__ import annotations

import base64
import hashlib
import hmac

PREFIX = "whsec_"


def sign(secret: str, *, webhook_id: str, timestamp: int, body: bytes) -> dict[str, str]:
    """The signature headers of one attempt: Standard Webhooks and the legacy pair; `timestamp` in Unix seconds."""
    key = base64.b64decode(secret.removeprefix(PREFIX))
    standard = hmac.new(key, f"{webhook_id}.{timestamp}.".encode() + body, hashlib.sha256).digest()
    # choices.LEGACY_KEY
    legacy = hmac.new(secret.encode(), f"{timestamp}.".encode() + body, hashlib.sha256).hexdigest()
    return {
        "webhook-id": webhook_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": "v1," + base64.b64encode(standard).decode(),
        "x-webhook-timestamp": str(timestamp),
        "x-webhook-signature": legacy,
    }


def new_secret(entropy: bytes) -> str:
    """A signing secret in Linq's notation, from 32 random bytes."""
    return PREFIX + base64.b64encode(entropy).decode()
