"""A webhook is proven to come from Linq, or refused with one kind of error."""

import base64
import hmac
import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from standardwebhooks import Webhook, WebhookVerificationError

from linqbot.clock import SystemClock
from linqbot.errors import ConfigurationError, SignatureError
from linqbot.protocol.signature import Secret, parse_secrets, verify

VECTORS = json.loads((Path(__file__).resolve().parents[1] / "fixtures" / "linq" / "signing-vectors.json").read_text())
STANDARD = VECTORS["standard_webhooks"]["vectors"]
LEGACY = VECTORS["legacy"]["vectors"]

ISSUED = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw7Jxx2Oll+OE="
OTHER = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX"
NOW = 1_770_319_873
BODY = b'{"a":1}'

Headers = list[tuple[bytes, bytes]]


def _headers(vector: dict[str, Any]) -> Headers:
    return [(name.encode(), value.encode()) for name, value in vector["headers"].items()]


def _signed(body: bytes = BODY, *, secret: str = ISSUED, at: int = NOW, webhook_id: str = "w1") -> dict[bytes, bytes]:
    signature = Webhook(secret).sign(webhook_id, datetime.fromtimestamp(at, UTC), body.decode())
    return {
        b"webhook-id": webhook_id.encode(),
        b"webhook-timestamp": str(at).encode(),
        b"webhook-signature": signature.encode(),
    }


def _reason(headers: Headers | dict[bytes, bytes], body: bytes = BODY, **options: Any) -> str:
    listed = list(headers.items()) if isinstance(headers, dict) else headers
    with pytest.raises(SignatureError) as refused:
        verify(listed, body, **{"secrets": parse_secrets(ISSUED), "now_ms": NOW * 1000, **options})
    return refused.value.reason


def _is_taken(check: Callable[[], object]) -> bool:
    try:
        check()
    except (SignatureError, WebhookVerificationError, ValueError):
        return False
    return True


@pytest.mark.parametrize("vector", [v for v in STANDARD if v["valid"]], ids=lambda v: v["name"])
def test_a_genuine_vector_is_proven(vector: dict[str, Any]) -> None:
    """Each valid vector of Linq's scheme gives the webhook's id."""
    body = base64.b64decode(vector["body_base64"])

    proven = verify(_headers(vector), body, secrets=parse_secrets(vector["secret"]), now_ms=vector["verify_at"] * 1000)

    assert proven == vector["id"]


@pytest.mark.parametrize("vector", [v for v in STANDARD if not v["valid"]], ids=lambda v: v["name"])
def test_a_hostile_vector_is_refused(vector: dict[str, Any]) -> None:
    """Each invalid vector is refused with the one error there is."""
    body = base64.b64decode(vector["body_base64"])

    with pytest.raises(SignatureError):
        verify(_headers(vector), body, secrets=parse_secrets(vector["secret"]), now_ms=vector["verify_at"] * 1000)


@pytest.mark.parametrize("vector", [v for v in LEGACY if v["valid"]], ids=lambda v: v["name"])
def test_a_genuine_legacy_vector_is_proven_when_allowed(vector: dict[str, Any]) -> None:
    """The deprecated headers alone prove a webhook, without an id, when they are allowed."""
    body = base64.b64decode(vector["body_base64"])

    proven = verify(
        _headers(vector),
        body,
        secrets=parse_secrets(vector["secret"]),
        now_ms=vector["timestamp"] * 1000,
        legacy=True,
    )

    assert proven == ""


def test_a_hostile_legacy_vector_is_refused() -> None:
    """A legacy signature of another body proves nothing."""
    [vector] = [v for v in LEGACY if not v["valid"]]
    body = base64.b64decode(vector["body_base64"])

    assert _reason(_headers(vector), body, legacy=True) == "mismatch"


@pytest.mark.parametrize("key", [ISSUED.encode(), ISSUED[6:].encode(), base64.b64decode(ISSUED[6:])])
def test_a_legacy_signature_may_be_made_with_any_reading_of_the_secret(key: bytes) -> None:
    """As issued, without its prefix, or decoded: Linq does not say which, so each is taken."""
    signature = hmac.digest(key, str(NOW).encode() + b"." + BODY, "sha256").hex().encode()
    headers = [(b"x-webhook-timestamp", str(NOW).encode()), (b"x-webhook-signature", signature)]

    assert verify(headers, BODY, secrets=parse_secrets(ISSUED), now_ms=NOW * 1000, legacy=True) == ""


def test_legacy_headers_are_not_enough_by_default() -> None:
    """Unless allowed, the deprecated signature proves nothing."""
    vector = LEGACY[0]

    assert _reason(_headers(vector), base64.b64decode(vector["body_base64"])) == "missing"


@pytest.mark.parametrize("name", [b"webhook-id", b"webhook-timestamp", b"webhook-signature"])
def test_a_legacy_signature_does_not_replace_a_broken_standard_one(name: bytes) -> None:
    """With any standard header present the standard signature decides, so nobody can downgrade."""
    vector = LEGACY[0]
    headers = [*_headers(vector), (name, b"1")]

    assert _reason(headers, base64.b64decode(vector["body_base64"]), legacy=True) == "missing"


@pytest.mark.parametrize("secrets", [f"{ISSUED},{OTHER}", f"{OTHER}, {ISSUED}"])
def test_any_of_several_secrets_proves(secrets: str) -> None:
    """While a secret is replaced, both the old and the new one are taken."""
    assert verify(_signed().items(), BODY, secrets=parse_secrets(secrets), now_ms=NOW * 1000) == "w1"


@pytest.mark.parametrize("away_ms", [-300_000, 0, 300_000])
def test_a_timestamp_within_five_minutes_passes(away_ms: int) -> None:
    """Exactly five minutes, before and after, still passes."""
    assert verify(_signed().items(), BODY, secrets=parse_secrets(ISSUED), now_ms=NOW * 1000 + away_ms) == "w1"


@pytest.mark.parametrize("away_ms", [-300_001, 300_001, 10**9])
def test_a_genuine_but_old_webhook_has_its_own_reason(away_ms: int) -> None:
    """A signature that is right with a time that is not is told apart, so that it can be counted."""
    assert _reason(_signed(), now_ms=NOW * 1000 + away_ms) == "stale"


def test_a_forged_and_old_webhook_is_forged() -> None:
    """Staleness is said only of what is genuine."""
    assert _reason(_signed(secret=OTHER), now_ms=NOW * 1000 + 10**9) == "mismatch"


@pytest.mark.parametrize(
    "timestamp",
    [
        "nan",
        "1e9",
        "1770319873.0",
        "-1770319873",
        "+1770319873",
        str(NOW).translate({48 + n: 0xFF10 + n for n in range(10)}),
        " 1770319873",
        "0x5",
        "9" * 400,
        "1_7",
    ],
)
def test_a_timestamp_of_anything_but_digits_is_refused(timestamp: str) -> None:
    """Signed or not, a timestamp is ASCII digits, and few of them."""
    key = base64.b64decode(ISSUED[6:])
    signature = base64.b64encode(hmac.digest(key, b"w1." + timestamp.encode() + b"." + BODY, "sha256"))
    headers = {b"webhook-id": b"w1", b"webhook-timestamp": timestamp.encode(), b"webhook-signature": b"v1," + signature}

    assert _reason(headers) == "malformed"


@pytest.mark.parametrize("webhook_id", ["é", "a\x00b", "a\nb", "x" * 256])
def test_an_id_that_cannot_be_one_is_refused(webhook_id: str) -> None:
    """A webhook's id is short and printable ASCII, even when signed."""
    assert _reason(_signed(webhook_id=webhook_id)) == "malformed"


@pytest.mark.parametrize("name", [b"webhook-id", b"webhook-timestamp", b"webhook-signature"])
@pytest.mark.parametrize("value", [None, b""])
def test_a_missing_or_empty_header_is_refused(name: bytes, value: bytes | None) -> None:
    """All three headers are needed."""
    headers = {**_signed(), name: value}

    assert _reason([(n, v) for n, v in headers.items() if v is not None]) == "missing"


@pytest.mark.parametrize("name", [b"webhook-id", b"Webhook-Timestamp", b"WEBHOOK-SIGNATURE"])
def test_a_header_given_twice_is_refused(name: bytes) -> None:
    """Which of two would count is nobody's guess, whatever the case of the name."""
    headers = [*_signed().items(), (name, _signed()[name.lower()])]

    assert _reason(headers) == "duplicate"


def test_header_names_have_no_case() -> None:
    """A server that keeps the sender's capitals changes nothing."""
    headers = [(name.upper(), value) for name, value in _signed().items()]

    assert verify(headers, BODY, secrets=parse_secrets(ISSUED), now_ms=NOW * 1000) == "w1"


@pytest.mark.parametrize("value", [b"v1," + b"A" * 100_000, b"v1,AAAA " * 10_000, b" " * 4_000, b"v1,A " * 17])
def test_an_oversized_signature_header_is_refused(value: bytes) -> None:
    """At most 4 kB and 16 entries are looked at."""
    assert _reason({**_signed(), b"webhook-signature": value}) == "oversized"


def test_the_last_of_sixteen_signatures_counts() -> None:
    """A genuine signature is found behind fifteen others."""
    headers = _signed()
    headers[b"webhook-signature"] = b"v1,AAAA " * 15 + headers[b"webhook-signature"]

    assert verify(headers.items(), BODY, secrets=parse_secrets(ISSUED), now_ms=NOW * 1000) == "w1"


@pytest.mark.parametrize("value", [b"garbage", b"v1", b"v1,", b"v1,,,", b"v1,\xff\xfe", b"v2,AAAA", b"\x00", b","])
def test_a_garbled_signature_is_a_mismatch(value: bytes) -> None:
    """Whatever stands in the header, it proves nothing and breaks nothing."""
    assert _reason({**_signed(), b"webhook-signature": value}) == "mismatch"


def test_without_secrets_nothing_is_proven() -> None:
    """A bot without a secret takes no webhook."""
    assert _reason(_signed(), secrets=()) == "mismatch"


def test_the_refusal_shows_nothing_of_the_request() -> None:
    """The error names its reason, not what was sent."""
    with pytest.raises(SignatureError) as refused:
        verify(
            {**_signed(), b"webhook-id": b"w2-private"}.items(), BODY, secrets=parse_secrets(ISSUED), now_ms=NOW * 1000
        )

    assert str(refused.value) == "webhook signature refused: mismatch"


@given(st.binary(min_size=1, max_size=64), st.text(), st.uuids())
@settings(max_examples=100, deadline=None)
def test_what_the_reference_signs_is_proven(key: bytes, body: str, webhook_id: object) -> None:
    """Any body signed by the reference library is taken, and no longer when one byte is added."""
    secret = "whsec_" + base64.b64encode(key).decode()
    sent = body.encode(errors="replace")
    headers = _signed(sent, secret=secret, webhook_id=str(webhook_id))

    assert verify(headers.items(), sent, secrets=parse_secrets(secret), now_ms=NOW * 1000) == str(webhook_id)
    assert _reason(headers, sent + b" ", secrets=parse_secrets(secret)) == "mismatch"


@given(
    st.lists(
        st.tuples(st.sampled_from([*_signed(), b"x-webhook-timestamp", b"x-webhook-signature", b"a"]), st.binary())
    )
)
@settings(max_examples=200, deadline=None)
def test_any_headers_give_the_one_error(headers: Headers) -> None:
    """No bytes in any header lead to another error, legacy allowed or not."""
    assert _reason(headers)
    assert _reason(headers, legacy=True)


@given(
    st.sampled_from([-400, -200, 0, 200, 400]),
    st.sampled_from([ISSUED, OTHER]),
    st.sampled_from(["{}", "v1,AAAA {}", "v2,{}", "v1a,x {}", "{} v1,", "v1,x"]),
)
@settings(max_examples=100, deadline=None)
def test_the_verdict_is_the_references(away: int, secret: str, header: str) -> None:
    """On the machine's own time, linqbot takes exactly what the reference library takes."""
    now_ms = SystemClock().now_ms()
    headers = _signed(secret=secret, at=now_ms // 1000 + away)
    headers[b"webhook-signature"] = header.format(headers[b"webhook-signature"].decode()).encode()
    named = {name.decode(): value.decode() for name, value in headers.items()}

    ours = _is_taken(lambda: verify(headers.items(), BODY, secrets=parse_secrets(ISSUED), now_ms=now_ms))
    theirs = _is_taken(lambda: Webhook(ISSUED).verify(BODY, named))

    assert ours is theirs


@given(st.sampled_from(STANDARD), st.data())
@settings(max_examples=100, deadline=None)
def test_a_changed_byte_proves_nothing(vector: dict[str, Any], data: st.DataObject) -> None:
    """Flipping any bit of the body of a vector spoils its signature."""
    body = bytearray(base64.b64decode(vector["body_base64"]))
    body[data.draw(st.integers(0, len(body) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    secrets = parse_secrets(vector["secret"])

    with pytest.raises(SignatureError):
        verify(_headers(vector), bytes(body), secrets=secrets, now_ms=vector["verify_at"] * 1000)


def test_secrets_are_read_with_and_without_their_prefix() -> None:
    """Both spellings of a secret, and base64 without its padding, give the same key."""
    prefixed, bare, unpadded = parse_secrets(f"{ISSUED}, {ISSUED[6:]},{ISSUED.rstrip('=')}")

    assert prefixed.key == bare.key == unpadded.key == base64.b64decode(ISSUED[6:])


@pytest.mark.parametrize(
    "text", ["", ",", f"{ISSUED},", "whsec_", "whsec_not base64", "whsec_@@@@", "whsec_é", "whsec_A", "===="]
)
def test_a_wrong_secret_is_refused_without_showing_it(text: str) -> None:
    """A setting that holds no secret, or half of one, stops the program; the message says which, not what."""
    with pytest.raises(ConfigurationError, match=r"^webhook secret \d of \d is not a signing secret") as refused:
        parse_secrets(text)

    assert "@@@@" not in str(refused.value)
    assert "not base64" not in str(refused.value)
    assert refused.value.__context__ is None or refused.value.__suppress_context__


def test_a_secret_is_masked() -> None:
    """Neither repr nor str of a secret shows any of it."""
    [secret] = parse_secrets(ISSUED)

    assert repr(secret) == str(secret) == "Secret(whsec_****)"
    assert isinstance(secret, Secret)
