"""Hostile headers: whatever the proof of origin looks like, the answer is one and the same 401, for little work.

Held by `protocol.signature.verify`, which looks at shape and length first and compares in constant time.
"""

from __future__ import annotations

import base64
import hmac
import sys
from collections import Counter
from collections.abc import Callable
from types import FrameType
from typing import Any

import pytest

from linqbot.errors import SignatureError
from linqbot.protocol.signature import LONGEST_HEADER_BYTES, MOST_SIGNATURES, parse_secrets, verify
from tests.hostile.door import Door, echo, open_door
from tests.hostile.letters import OTHER_SECRET, SECRET, encoded, message, signature

BODY = encoded(message("hostile"))
RIGHT_LENGTH = b"v1," + b"A" * 43 + b"="

SIGNATURES: dict[str, list[bytes]] = {
    "absent": [],
    "empty": [b""],
    "100 kB": [b"v1," + b"A" * 100_000],
    "not ASCII": ["v1,\u00fc\u00e4\uff11".encode()],
    "bytes of no encoding": [b"v1,\xff\xfe\x80"],
    "10,000 entries": [b" ".join([b"v1,A"] * 10_000)],
    "17 entries": [b" ".join([RIGHT_LENGTH] * 17)],
    "blanks": [b"   \t  "],
    "no comma": [b"v1"],
    "commas": [b",,,,"],
    "not base64": [b"v1,!!!!"],
    "another version": [b"v1a," + RIGHT_LENGTH[3:]],
    "twice": [RIGHT_LENGTH, RIGHT_LENGTH],
}

WIDE = str.maketrans("0123456789", "".join(map(chr, range(0xFF10, 0xFF1A))))
"""ASCII digits into full-width ones, which `int` reads as well."""

TIMES = [
    *b"nan inf -inf 1e3 1e309 0x10 1_000 +1770319873 -1 1.5 100000000000000000000 \xc2\xb2 \xb2".split(),
    b"9" * 5_000,
    "1770319873".translate(WIDE).encode(),
    b"",
    b" ",
    b"1770319873\x00",
    b"1770319873 ",
    b"17703 19873",
]


def headers_of(proof: dict[str, str], **changed: list[bytes]) -> list[tuple[bytes, bytes]]:
    """A proof as raw headers, some of them replaced by none, one or several of the same name."""
    raw = {name.encode(): [value.encode()] for name, value in proof.items()}
    raw |= {name.replace("_", "-").encode(): values for name, values in changed.items()}
    return [(name, value) for name, values in raw.items() for value in values]


@pytest.mark.parametrize("values", SIGNATURES.values(), ids=SIGNATURES.keys())
async def test_h1_a_garbled_signature_is_401(door: Door, values: list[bytes]) -> None:
    """`verify` takes at most 4 kB and 16 entries of a header, never decodes what was offered, and raises one error."""
    proof = signature(BODY, now_ms=door.sim.clock.now_ms())

    answer = await door.knock(BODY, headers_of(proof, webhook_signature=values))

    assert answer.status_code == 401
    assert (await door.stats()).inbox == 0


@pytest.mark.parametrize("name", ["webhook-id", "webhook-timestamp", "webhook-signature"])
async def test_h1_a_header_that_comes_twice_is_401(door: Door, name: str) -> None:
    """Two values of one header are refused, also when both are right, so no other reader can pick another one."""
    proof = signature(BODY, now_ms=door.sim.clock.now_ms())

    answer = await door.knock(BODY, [*headers_of(proof), (name.upper().encode(), proof[name].encode())])

    assert answer.status_code == 401


@pytest.mark.parametrize("webhook_id", [b"", b"\xff", "\u202eid".encode(), b"a" * 5_000, b"line\x0bbreak", b"\x1b[2J"])
async def test_h1_an_odd_webhook_id_is_401_even_when_signed(door: Door, webhook_id: bytes) -> None:
    """An id that is signed but not printable ASCII of at most 255 characters is refused before anything is compared."""
    now = str(door.sim.clock.now_ms() // 1000).encode()
    [secret] = parse_secrets(SECRET)
    proof = b"v1," + base64.b64encode(hmac.digest(secret.key, webhook_id + b"." + now + b"." + BODY, "sha256"))

    answer = await door.knock(
        BODY, [(b"webhook-id", webhook_id), (b"webhook-timestamp", now), (b"webhook-signature", proof)]
    )

    assert answer.status_code == 401


def test_h1_the_work_of_a_refusal_is_bounded() -> None:
    """However many entries are offered, at most 16 are compared with each secret: the count of comparisons is the cap."""
    most = b" ".join([RIGHT_LENGTH] * MOST_SIGNATURES)
    secrets = f"{SECRET},{OTHER_SECRET}"

    assert len(most) <= LONGEST_HEADER_BYTES
    assert calls_of(most, secrets=secrets)[hmac.compare_digest] == 2 * MOST_SIGNATURES
    assert calls_of(most + b" " + RIGHT_LENGTH, secrets=secrets)[hmac.compare_digest] == 0


def test_h1_nothing_is_hashed_for_headers_that_cannot_be_right() -> None:
    """The shape of the headers is looked at before the body, which may have megabytes."""
    assert hashes(calls_of(b"v1," + b"A" * 100_000)) == 0
    assert hashes(calls_of(RIGHT_LENGTH, at=b"nan")) == 0
    assert hashes(calls_of(RIGHT_LENGTH)) == 1


@pytest.mark.parametrize("at", TIMES, ids=repr)
async def test_h2_a_time_that_is_no_number_of_seconds_is_401(door: Door, at: bytes) -> None:
    """Only up to 12 ASCII digits are a time: what `float` or `int` would read besides is refused, signed or not."""
    answer = await door.knock(BODY, headers_of(at_time(at), webhook_timestamp=[at]))

    assert answer.status_code == 401
    assert (await door.stats()).inbox == 0


def test_h3_every_comparison_is_made_whatever_matches() -> None:
    """`hmac.compare_digest` decides, once for each pair, and no branch depends on what it found."""
    right = proof_at(NOW)
    firsts = [right, b"v1,B" + right[4:], right[:-2] + b"A=", RIGHT_LENGTH]

    assert [calls_of(b" ".join([one, RIGHT_LENGTH]))[hmac.compare_digest] for one in firsts] == [2, 2, 2, 2]


def test_h3_a_nearly_right_signature_takes_the_same_steps_as_a_wrong_one() -> None:
    """The program takes the same steps wherever the first wrong byte is, so their time tells nothing about it."""
    right = proof_at(NOW)
    wrong = [right[:at] + (b"A" if right[at : at + 1] != b"A" else b"B") + right[at + 1 :] for at in (3, 20, 44)]

    traces = [steps_of(one) for one in wrong]

    assert traces[0]
    assert traces[0] == traces[1] == traces[2]


async def test_h3_all_refusals_look_alike(door: Door) -> None:
    """Status, headers and body of a 401 are constant: they do not tell missing from wrong from old."""
    now_ms = door.sim.clock.now_ms()
    refused = [
        await door.knock(BODY),
        await door.knock(BODY, signature(BODY, now_ms=now_ms, secret=OTHER_SECRET)),
        await door.knock(BODY, signature(BODY, now_ms=now_ms - 400_000)),
        await door.knock(BODY, headers_of(signature(BODY, now_ms=now_ms), webhook_signature=[b"v1,A"])),
        await door.knock(b"another body", signature(BODY, now_ms=now_ms)),
    ]

    assert {(one.status_code, one.content, tuple(one.headers.multi_items())) for one in refused} == {
        (401, b"signature refused", tuple(refused[0].headers.multi_items()))
    }


async def test_h4_a_legacy_signature_alone_is_401(door: Door) -> None:
    """The deprecated scheme counts only when the setting turns it on."""
    answer = await door.knock(BODY, signature(BODY, now_ms=door.sim.clock.now_ms(), legacy=True))

    assert answer.status_code == 401


async def test_h4_a_legacy_signature_alone_is_taken_when_allowed() -> None:
    """`LINQBOT_LEGACY_SIGNATURES` is the only way to it."""
    async with open_door(echo(), legacy_signatures=True) as door:
        answer = await door.knock(BODY, signature(BODY, now_ms=door.sim.clock.now_ms(), legacy=True))

    assert answer.status_code == 200


@pytest.mark.parametrize("left", ["webhook-id", "webhook-timestamp", "webhook-signature"])
async def test_h4_stripping_standard_headers_does_not_downgrade(left: str) -> None:
    """One standard header left over is enough: then the standard signature decides, and it is incomplete."""
    async with open_door(echo(), legacy_signatures=True) as door:
        now_ms = door.sim.clock.now_ms()
        standard = signature(BODY, now_ms=now_ms)
        answer = await door.knock(BODY, {**signature(BODY, now_ms=now_ms, legacy=True), left: standard[left]})

    assert answer.status_code == 401


async def test_h4_a_wrong_standard_signature_is_not_saved_by_a_right_legacy_one() -> None:
    """With both schemes there the standard one decides."""
    async with open_door(echo(), legacy_signatures=True) as door:
        now_ms = door.sim.clock.now_ms()
        forged = signature(BODY, now_ms=now_ms, secret=OTHER_SECRET)
        answer = await door.knock(BODY, {**signature(BODY, now_ms=now_ms, legacy=True), **forged})

    assert answer.status_code == 401


async def test_h14_while_a_secret_is_replaced_both_are_taken() -> None:
    """The setting holds several secrets, and each is compared with every signature."""
    async with open_door(echo(), webhook_secret=f"{OTHER_SECRET},{SECRET}") as door:
        answers = [await door.deliver(message(), secret=secret) for secret in (SECRET, OTHER_SECRET)]

    assert [answer.status_code for answer in answers] == [200, 200]


async def test_h14_a_secret_that_is_gone_is_401(door: Door) -> None:
    """After the overlap the old secret is nobody's."""
    assert (await door.deliver(message(), secret=OTHER_SECRET)).status_code == 401


async def test_h14_without_a_secret_linq_is_asked_to_come_again() -> None:
    """A missing secret is our own fault: 503 keeps the event at Linq for half an hour, a 401 would lose it."""
    async with open_door(echo(), webhook_secret=None) as door:
        answer = await door.deliver(message())

    assert answer.status_code == 503
    assert 5 <= int(answer.headers["retry-after"]) <= 30


NOW = 1_770_319_873


def proof_at(at: int) -> bytes:
    """The right signature of BODY at a time."""
    return signature(BODY, now_ms=at * 1000)["webhook-signature"].encode()


def at_time(at: bytes) -> dict[str, str]:
    """A proof whose signature is right for exactly these bytes of a time."""
    [secret] = parse_secrets(SECRET)
    digest = hmac.digest(secret.key, b"webhook-1." + at + b"." + BODY, "sha256")
    return {"webhook-id": "webhook-1", "webhook-signature": "v1," + base64.b64encode(digest).decode()}


def verified(offered: bytes, *, secrets: str = SECRET, at: bytes = str(NOW).encode()) -> None:
    """Verify BODY with what is offered, whatever comes of it."""
    headers = [(b"webhook-id", b"webhook-1"), (b"webhook-timestamp", at), (b"webhook-signature", offered)]
    try:
        verify(headers, BODY, secrets=parse_secrets(secrets), now_ms=NOW * 1000)
    except SignatureError:
        return


def calls_of(offered: bytes, **more: Any) -> Counter[Callable[..., Any]]:
    """How often each function of C was called while a signature was verified."""
    called: Counter[Callable[..., Any]] = Counter()

    def note(_frame: FrameType, event: str, function: Any) -> None:
        if event == "c_call":
            called[function] += 1

    sys.setprofile(note)
    try:
        verified(offered, **more)
    finally:
        sys.setprofile(None)
    return called


def hashes(called: Counter[Callable[..., Any]]) -> int:
    """How often something was hashed with a key."""
    return sum(count for function, count in called.items() if function.__name__ == "hmac_digest")


def steps_of(offered: bytes) -> list[tuple[str, int]]:
    """Each line of the program that ran while a signature was verified."""
    steps: list[tuple[str, int]] = []

    def step(frame: FrameType, event: str, _: Any) -> Any:
        steps.append((frame.f_code.co_name, frame.f_lineno))
        return step

    before = sys.gettrace()
    sys.settrace(step)
    try:
        verified(offered)
    finally:
        sys.settrace(before)
    return steps
