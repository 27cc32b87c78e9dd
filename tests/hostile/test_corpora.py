"""The corpora of headers and bodies once more, as bytes on a socket of `linqbot run`: what the server in front of ingress
reads, drops or refuses is part of the answer.

Held by llhttp, which hands on what is legal HTTP as it came and refuses the rest, and by ingress behind it.
"""

from __future__ import annotations

import gzip
import time
import zlib
from collections.abc import Iterator, Sequence

import pytest

from tests.hostile.letters import OTHER_SECRET, SECRET, encoded, message, signature
from tests.hostile.served import Served
from tests.hostile.test_bodies import ODD_TEXTS, TEXT, UNREADABLE, ZERO_BYTES
from tests.hostile.test_headers import BODY, SIGNATURES, TIMES, at_time, headers_of
from tests.hostile.test_sockets import diary_of, takes_a_webhook
from tests.hostile.wire import Wire, raw_request

NOBODYS_SECRET = "whsec_" + "C" * 32

Headers = Sequence[tuple[bytes, bytes]]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A bot in the middle of a change of secrets, which keeps what it hears."""
    diary = tmp_path_factory.mktemp("diary") / "diary"
    diary.touch()
    secrets = f"{OTHER_SECRET},{SECRET}"
    with Served("tests/hostile/bots.py:listener", DIARY=str(diary), LINQ_WEBHOOK_SECRET=secrets) as bot:
        yield bot
        assert takes_a_webhook(bot)
        assert [line for line in bot.said if '"level": "error"' in line] == []


def now_ms() -> int:
    """The server's time."""
    return int(time.time() * 1000)


def proof(body: bytes, **more: str) -> Headers:
    """The headers that prove a body now."""
    return headers_of(signature(body, now_ms=now_ms(), **more))  # type: ignore[arg-type]  # a secret, an id


def exchange(served: Served, body: bytes, headers: Headers) -> tuple[int, bytes]:
    """The status and the text of the answer to a request; 0: hung up without one."""
    with Wire(served.port) as wire:
        wire.say(raw_request(body, [*headers, (b"connection", b"close")]))
        answer = wire.rest()
    first, _, text = answer.partition(b"\r\n\r\n")
    return int(first.split(b" ")[1]) if first else 0, text


@pytest.mark.parametrize("name", SIGNATURES)
def test_h1_a_garbled_signature_is_refused_on_the_wire(served: Served, name: str) -> None:
    """It is a 401 like any other; a head of 100 kB comes so far only if it is read at once, and is a 400 else."""
    headers = headers_of(signature(BODY, now_ms=now_ms()), webhook_signature=SIGNATURES[name])

    assert exchange(served, BODY, headers)[0] in ((400, 401) if name == "100 kB" else (401,))


@pytest.mark.parametrize("name", ["webhook-id", "webhook-timestamp", "webhook-signature"])
def test_h1_a_header_that_comes_twice_is_refused_on_the_wire(served: Served, name: str) -> None:
    """The server hands on both, instead of the first, the last, or the two in one."""
    headers = proof(BODY)
    again = [(name.upper().encode(), value) for known, value in headers if known.decode() == name]

    assert exchange(served, BODY, [*headers, *again])[0] == 401


@pytest.mark.parametrize("at", TIMES, ids=repr)
def test_h2_a_time_that_is_no_number_of_seconds_is_refused_on_the_wire(served: Served, at: bytes) -> None:
    """Signed as it is; a NUL is no HTTP, and blanks at the end are no part of a header, but its time is long ago."""
    headers = headers_of(at_time(at), webhook_timestamp=[at])

    assert exchange(served, BODY, headers)[0] == (400 if b"\x00" in at else 401)


def test_h3_all_refusals_are_the_same_bytes(served: Served) -> None:
    """Nothing of the answer but its date depends on what was wrong."""
    wrong: list[Headers] = [
        [],
        proof(BODY, secret=NOBODYS_SECRET),
        headers_of(signature(BODY, now_ms=now_ms() - 400_000)),
        proof(b"another body"),
    ]

    assert {exchange(served, BODY, headers) for headers in wrong} == {(401, b"signature refused")}


@pytest.mark.parametrize("left", [(), ("webhook-id",), ("webhook-timestamp",), ("webhook-signature",)], ids=str)
def test_h4_a_legacy_signature_is_no_way_in_on_the_wire(served: Served, left: tuple[str, ...]) -> None:
    """Alone or beside what is left of the standard one."""
    legacy = signature(BODY, now_ms=now_ms(), legacy=True)
    standard = signature(BODY, now_ms=now_ms())

    assert exchange(served, BODY, headers_of({**legacy, **{name: standard[name] for name in left}}))[0] == 401


@pytest.mark.parametrize("coding", [b"gzip", b"br", b"deflate", b"zstd", b"gzip, identity", b"GZIP", b""])
def test_h8_a_content_coding_is_refused_on_the_wire(served: Served, coding: bytes) -> None:
    """The server inflates nothing, either."""
    assert exchange(served, TEXT, [*proof(TEXT), (b"content-encoding", coding)])[0] == 415


@pytest.mark.parametrize("bomb", [gzip.compress(ZERO_BYTES), zlib.compress(ZERO_BYTES)], ids=["gzip", "deflate"])
def test_h8_a_bomb_without_its_header_is_only_bytes_on_the_wire(served: Served, bomb: bytes) -> None:
    """Nobody guesses from its first bytes what it is."""
    assert exchange(served, bomb, proof(bomb)) == (200, b"unreadable, kept")


@pytest.mark.parametrize("name", UNREADABLE)
def test_h9_h10_a_signed_body_that_cannot_be_read_is_kept_on_the_wire(served: Served, name: str) -> None:
    """What was signed are the bytes as they came, so the signature is right whatever they are."""
    assert exchange(served, UNREADABLE[name], proof(UNREADABLE[name])) == (200, b"unreadable, kept")


@pytest.mark.parametrize(("written", "read_as"), ODD_TEXTS.values(), ids=ODD_TEXTS.keys())
def test_h11_what_utf_8_cannot_carry_reaches_a_handler_replaced(served: Served, written: str, read_as: str) -> None:
    """The handler's process writes it into a file of UTF-8."""
    body = encoded(message("odd: TEXT")).replace(b"TEXT", written.encode())
    expected = "\U0001f600" if written == "\\ud83d\\ude00" else read_as

    assert exchange(served, body, proof(body)) == (200, b"accepted")
    assert f"odd: {expected}\n" in diary_of(served)


@pytest.mark.parametrize("kind", [b"text/plain", b"application/xml", b"multipart/form-data; boundary=x", b"\xff", b""])
def test_h13_the_content_type_does_not_matter_on_the_wire(served: Served, kind: bytes) -> None:
    """No layer reads a form, or refuses what it cannot."""
    body = encoded(message("typed"))

    assert exchange(served, body, [*proof(body), (b"content-type", kind)]) == (200, b"accepted")


@pytest.mark.parametrize(("secret", "status"), [(SECRET, 200), (OTHER_SECRET, 200), (NOBODYS_SECRET, 401)])
def test_h14_both_secrets_are_taken_on_the_wire(served: Served, secret: str, status: int) -> None:
    """From one variable, with a comma between them, as a platform's settings have it."""
    body = encoded(message("signed"))

    assert exchange(served, body, proof(body, secret=secret))[0] == status


def test_h14_without_a_secret_linq_is_asked_to_come_again_on_the_wire() -> None:
    """A bot that was deployed without its secret starts, and loses nothing until it has one."""
    with Served("tests/hostile/bots.py:listener", LINQ_WEBHOOK_SECRET="") as forgetful:
        body = encoded(message("too early"))

        assert exchange(forgetful, body, proof(body))[0] == 503
