"""headers + raw bytes -> proven, or not. Says whether a webhook comes from Linq (linq-api-v3.md section 8.2).

Standard Webhooks over the bytes as they came, with several secrets alive while one is replaced. The work is bounded
whatever the headers hold, every comparison takes constant time, and the only error is `SignatureError`.
"""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from linqbot.errors import ConfigurationError, SignatureError

TOLERANCE_MS = 300_000
"""How old, or how far in the future, a timestamp may be; exactly this much passes."""
LONGEST_HEADER_BYTES = 4_096
MOST_SIGNATURES = 16

_PREFIX = "whsec_"
_STANDARD = (b"webhook-id", b"webhook-timestamp", b"webhook-signature")
_LEGACY = (b"x-webhook-timestamp", b"x-webhook-signature")
_OURS = frozenset(_STANDARD + _LEGACY)
_LONGEST_ID_BYTES = 255
_MOST_DIGITS = 12


@dataclass(frozen=True, slots=True)
class Secret:
    """A webhook subscription's signing secret; its repr and str show nothing of it."""

    key: bytes = field(repr=False)
    """What Standard Webhooks signs with."""
    legacy_keys: tuple[bytes, ...] = field(repr=False)
    """What the deprecated signature may be made with."""

    def __repr__(self) -> str:
        return "Secret(whsec_****)"


def parse_secrets(text: str) -> tuple[Secret, ...]:
    """The secrets of a setting, comma-separated; the first is no better than the others.

    Each is base64 after an optional `whsec_`. Raises `ConfigurationError` for anything else, without showing it.
    """
    entries = [entry.strip() for entry in text.split(",")]
    return tuple(_secret(entry, f"webhook secret {n} of {len(entries)}") for n, entry in enumerate(entries, start=1))


def verify(
    headers: Iterable[tuple[bytes, bytes]], body: bytes, *, secrets: Sequence[Secret], now_ms: int, legacy: bool = False
) -> str:
    """The id of a webhook that is proven to come from Linq, and recent; `""` when only the legacy signature proves it.

    `legacy` allows the deprecated `X-Webhook-*` headers where no Standard Webhooks header is present at all.
    Raises `SignatureError` with one of the reasons `missing`, `duplicate`, `oversized`, `malformed`, `mismatch`, and
    `stale` for a genuine signature whose timestamp is more than five minutes away from `now_ms`, before or after.
    """
    given = _headers(headers)
    if legacy and not any(name in given for name in _STANDARD):
        timestamp, signature = _required(given, _LEGACY)
        sent_ms = _sent_ms(timestamp)
        _prove([signature], _legacy_signatures(secrets, timestamp + b"." + body))
        webhook_id = ""
    else:
        raw_id, timestamp, signature = _required(given, _STANDARD)
        sent_ms, webhook_id = _sent_ms(timestamp), _webhook_id(raw_id)
        _prove(_offered(signature), _signatures(secrets, raw_id + b"." + timestamp + b"." + body))
    if abs(now_ms - sent_ms) > TOLERANCE_MS:
        raise SignatureError("stale")
    return webhook_id


def _secret(entry: str, name: str) -> Secret:
    encoded = entry.removeprefix(_PREFIX)
    unpadded = encoded.rstrip("=")
    try:
        key = base64.b64decode(unpadded + "=" * (-len(unpadded) % 4), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not key:
        raise ConfigurationError(
            f"{name} is not a signing secret: expected base64 after `whsec_`, as Linq showed it once"
        ) from None
    return Secret(key, (entry.encode(), encoded.encode(), key))


def _headers(headers: Iterable[tuple[bytes, bytes]]) -> dict[bytes, bytes]:
    given: dict[bytes, bytes] = {}
    for raw_name, value in headers:
        name = raw_name.lower()
        if name not in _OURS:
            continue
        if name in given:
            raise SignatureError("duplicate")
        if len(value) > LONGEST_HEADER_BYTES:
            raise SignatureError("oversized")
        given[name] = value
    return given


def _required(given: dict[bytes, bytes], names: tuple[bytes, ...]) -> list[bytes]:
    if not all(given.get(name) for name in names):
        raise SignatureError("missing")
    return [given[name] for name in names]


def _sent_ms(timestamp: bytes) -> int:
    """Seconds in ASCII digits and nothing else: `float` would also take `nan`, `1e3` and digits of other scripts."""
    if not timestamp.isdigit() or len(timestamp) > _MOST_DIGITS:
        raise SignatureError("malformed")
    return int(timestamp) * 1_000


def _webhook_id(raw_id: bytes) -> str:
    if len(raw_id) > _LONGEST_ID_BYTES or not raw_id.isascii() or not raw_id.decode("ascii").isprintable():
        raise SignatureError("malformed")
    return raw_id.decode("ascii")


def _offered(header: bytes) -> list[bytes]:
    entries = header.split(b" ", MOST_SIGNATURES)
    if len(entries) > MOST_SIGNATURES:
        raise SignatureError("oversized")
    return [entry.removeprefix(b"v1,") for entry in entries if entry.startswith(b"v1,")]


def _signatures(secrets: Sequence[Secret], content: bytes) -> list[bytes]:
    return [base64.b64encode(hmac.digest(secret.key, content, "sha256")) for secret in secrets]


def _legacy_signatures(secrets: Sequence[Secret], content: bytes) -> list[bytes]:
    """Whether a `whsec_` secret signs as issued, without its prefix or decoded is not documented: all three are tried.

    Source: linq-api-v3.md sections 8.2 and 12; signing-vectors.json gives the first and the last.
    """
    keys = [key for secret in secrets for key in secret.legacy_keys]
    return [hmac.digest(key, content, "sha256").hex().encode() for key in keys]


def _prove(offered: Sequence[bytes], expected: Sequence[bytes]) -> None:
    """Compare all with all, whatever matches, so that the time tells nothing."""
    matches = [hmac.compare_digest(ours, theirs) for ours in expected for theirs in offered]
    if not any(matches):
        raise SignatureError("mismatch")
