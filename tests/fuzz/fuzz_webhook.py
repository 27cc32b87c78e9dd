"""any bytes -> nothing wrong. The target of the fuzzers: what a stranger or a broken Linq can hand to verify and read.

The first byte chooses what the others are: a signed body, headers, a genuine webhook with something altered, a setting.
Whatever comes, only the documented errors may be raised, nothing may be accepted that is not genuine, and what is
accepted must be fit to be stored and read again.
"""

from __future__ import annotations

import base64
import hmac
from collections.abc import Callable

from linqbot.errors import ConfigurationError, PayloadError, SignatureError
from linqbot.events.envelope import LONGEST_ID
from linqbot.protocol.inbound import event_of, read
from linqbot.protocol.signature import parse_secrets, verify
from linqbot.records import InboxItem

NOW_S = 1_770_319_873
SECRET = "whsec_" + base64.b64encode(bytes(range(32))).decode()
NAMES = (
    b"webhook-id",
    b"webhook-timestamp",
    b"webhook-signature",
    b"x-webhook-timestamp",
    b"x-webhook-signature",
    b"other",
)

REASONS = {"missing", "duplicate", "oversized", "malformed", "mismatch", "stale"}

_SECRETS = parse_secrets(SECRET)
_KEY = _SECRETS[0].key

Headers = list[tuple[bytes, bytes]]


def one_input(data: bytes) -> None:
    """Try one input; raises whatever is wrong with linqbot."""
    if data:
        _KINDS[data[0] % len(_KINDS)](data[1:])


def signed_body(body: bytes) -> None:
    """A body that Linq's key signed: proven, and read or refused with one error."""
    headers = list(genuine(body).items())
    assert verify(headers, body, secrets=_SECRETS, now_ms=NOW_S * 1000) == "w"
    read_body(body)


def read_body(body: bytes) -> None:
    """What `read` takes can be stored, restored, and read again; it says the same twice."""
    try:
        inbound = read(body, webhook_id="w", wanted=lambda _: True)
    except PayloadError:
        return
    assert inbound == read(body, webhook_id="w", wanted=lambda _: True)
    assert 0 < len(inbound.event_id) <= LONGEST_ID
    assert inbound.arrival is not None
    item = inbound.arrival.item
    assert item is not None
    for stored in (item.event_id, item.lane, item.type, *inbound.arrival.remember):
        assert stored.encode("utf-8").find(b"\x00") < 0
    assert InboxItem.from_bytes(item.to_bytes()) == item
    event = event_of(item)
    assert (event.event_id, event.type, event.chat_id) == (inbound.event_id, inbound.type, inbound.chat_id)
    repr(event).encode("utf-8")
    hash(event)


def bare_headers(data: bytes) -> None:
    """Headers of any names and bytes, one a line, and a body behind them."""
    *lines, body = data.split(b"\n")
    headers = [(NAMES[line[0] % len(NAMES)], line[1:]) for line in lines if line]
    check(headers, body)


def altered(data: bytes) -> None:
    """A genuine webhook with one header changed at one place, and perhaps its body."""
    if len(data) < 4:
        return
    which, where, byte, more, body = data[0], data[1], data[2:3], data[3], data[4:]
    headers = list(genuine(body).items())
    name, value = headers[which % 3]
    at = where % (len(value) + 1)
    headers[which % 3] = name, value[:at] + byte + value[at + which // 128 :]
    check(headers, body + byte if more % 2 else body)


def check(headers: Headers, body: bytes) -> None:
    """Whatever verifies was signed by the key; `stale` is said only of that."""
    for legacy in (False, True):
        verdict = ""
        try:
            verify(headers, body, secrets=_SECRETS, now_ms=NOW_S * 1000, legacy=legacy)
        except SignatureError as error:
            verdict = error.reason
        assert verdict in REASONS | {""}
        assert verdict not in ("", "stale") or is_genuine(headers, body)


def is_genuine(headers: Headers, body: bytes) -> bool:
    """The same question, answered without bounds and without care."""
    given = {name.lower(): value for name, value in headers}
    standard = genuine(body, given.get(b"webhook-id", b""), given.get(b"webhook-timestamp", b""))
    if standard[b"webhook-signature"] in given.get(b"webhook-signature", b"").split(b" "):
        return True
    content = given.get(b"x-webhook-timestamp", b"") + b"." + body
    keys = (_KEY, SECRET.encode(), SECRET.removeprefix("whsec_").encode())
    return given.get(b"x-webhook-signature") in {hmac.digest(key, content, "sha256").hex().encode() for key in keys}


def genuine(body: bytes, webhook_id: bytes = b"w", at: bytes = str(NOW_S).encode()) -> dict[bytes, bytes]:
    """The headers that prove a body."""
    digest = hmac.digest(_KEY, webhook_id + b"." + at + b"." + body, "sha256")
    signature = b"v1," + base64.b64encode(digest)
    return {b"webhook-id": webhook_id, b"webhook-timestamp": at, b"webhook-signature": signature}


def setting(data: bytes) -> None:
    """The text of a webhook secret: read, or refused without being shown."""
    text = data.decode("utf-8", "surrogateescape")
    shown = ""
    try:
        shown = repr(parse_secrets(text))
    except ConfigurationError as error:
        shown = str(error)
    assert len(text) < 20 or text not in shown


_KINDS: tuple[Callable[[bytes], None], ...] = (signed_body, bare_headers, altered, setting)
