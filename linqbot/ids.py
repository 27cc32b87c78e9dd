"""The only source of identities: idempotency keys, lease tokens, names of nameless bodies.

A key is a pure function of what caused the reply; a token is random. Nothing else in linqbot makes either.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
from collections.abc import Callable
from functools import lru_cache

KEY_PREFIX = "lb1_"
"""Every idempotency key of linqbot begins so; a message sent under it is ours (design.md section 9)."""

TokenSource = Callable[[], str]
"""Makes a fresh lease token on each call; passed in, so that tests can number theirs."""


def idempotency_key(namespace: str, event_id: str, handler: str, position: int, part: str = "") -> str:
    """The key under which Linq collapses repeats of one bubble: the same on every retry, in every process.

    `position` counts the bubbles of one handler's run from 0; `part` tells pieces of one bubble apart (`"p"` is the
    unthreaded variant). The result has 56 characters of `[a-z0-9_]`, far below Linq's 255 (linq-api-v3.md section 4).
    """
    facts = json.dumps([namespace, event_id, handler, position, part])
    digest = hashlib.blake2b(facts.encode("ascii"), digest_size=32).digest()
    return KEY_PREFIX + base64.b32encode(digest).decode("ascii").rstrip("=").lower()


def send_key(namespace: str, key: str, position: int, part: str = "") -> str:
    """The key of one bubble of a proactive send that its caller named `key`: the same from every process and script.

    Shaped as `idempotency_key`'s, and never equal to one of those. A key of any length is hashed, never cut.
    """
    return idempotency_key(namespace, f"send:{key}", "", position, part)


@lru_cache(maxsize=4_096)  # every event and every reply of a chat asks for the same few
def fact_key(kind: str, *about: str) -> str:
    """The key of what is known of a kind (`opted-out`, `line`, …) about somebody or something; the names are hashed, so
    that no phone number is in a key. The namespace is the store's affair.
    """
    digest = hashlib.blake2b(json.dumps(about).encode("ascii"), digest_size=12).digest()
    return f"{kind}:{base64.b32encode(digest).decode('ascii').rstrip('=').lower()}"


def lane_fact(key: str) -> str:
    """The key of the fact that tells in which out lane the reply of an idempotency key waits (`Inbox.accept`)."""
    return fact_key("lane-of", key)


def about_the_same(key: str, kind: str) -> str:
    """The key of what is known of another kind about those whom a key of `fact_key` is about."""
    return f"{kind}:{key.partition(':')[2]}"


def is_own_key(key: str | None) -> bool:
    """Whether an idempotency key that Linq echoes was made by linqbot."""
    return key is not None and key.startswith(KEY_PREFIX)


def body_id(body: bytes) -> str:
    """A name for a webhook that brings none: the same bytes have the same one."""
    return "body-" + hashlib.blake2b(body, digest_size=16).hexdigest()


def random_token() -> str:
    """A fresh random token of 128 bits, to hold a lease with."""
    return secrets.token_urlsafe(16)
