"""recorded webhooks -> what fuzzers begin with: inputs that reach deep, and the words they are made of."""

from __future__ import annotations

import json
import re
from pathlib import Path

from tests.fuzz.fuzz_webhook import NAMES, NOW_S, SECRET, genuine

FIXTURES = Path(__file__).resolve().parents[1] / "fixtures" / "linq"


def seeds() -> list[bytes]:
    """One input for each recorded webhook, and one for each kind of input."""
    bodies = [json.dumps(json.loads(path.read_bytes())).encode() for path in sorted(FIXTURES.glob("*.json"))]
    small = b'{"event_type": "message.received", "event_id": "e"}'
    proof = b"\n".join(bytes([NAMES.index(name)]) + value for name, value in genuine(small).items())
    return [
        *(b"\x00" + body for body in bodies if b"event_type" in body[:400]),
        b"\x01" + proof + b"\n" + small,
        b"\x01" + b"\x03" + str(NOW_S).encode() + b"\n" + b"\x04" + b"0" * 64 + b"\n" + small,
        b"\x02\x00\x00x\x00" + small,
        b"\x03" + SECRET.encode(),
        b"\x03" + f"{SECRET}, {SECRET}".encode(),
    ]


def words() -> list[bytes]:
    """Names and values of Linq's JSON, as they stand in it."""
    found = {word for seed in seeds() for word in re.findall(rb'"[A-Za-z_.]{2,40}"', seed)}
    odd = [
        b"null",
        b"1e999",
        b"NaN",
        b"\\\\ud83d",
        b"\\\\u0000",
        b"v1,",
        b"whsec_",
        b"[[[[[[[[",
        b"\xff\xfe",
        b"\xef\xbb\xbf",
    ]
    return [*sorted(found), *odd]
