"""Hostile connections, raw, against `linqbot run` as it is deployed: no 5xx, flat memory, and the next one is served.

Held by llhttp in its strict mode, `cli.connection` around it, and ingress; each test says by which.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.hostile.letters import encoded, message, signature
from tests.hostile.served import Served, wait_until
from tests.hostile.wire import Wire, head, request

MB = 1024 * 1024
RESETS = 200


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A bot that takes webhooks and keeps them; one for all these tests, as in real life."""
    diary = tmp_path_factory.mktemp("diary") / "diary"
    diary.touch()
    with Served("tests/hostile/bots.py:listener", DIARY=str(diary)) as bot:
        assert takes_a_webhook(bot)
        yield bot


def genuine(text: str = "hi") -> bytes:
    """A webhook as Linq sends it now."""
    body = encoded(message(text))
    return request(body, signature(body, now_ms=int(time.time() * 1000)))


def takes_a_webhook(served: Served) -> bool:
    """Whether the next honest webhook is accepted."""
    with Wire(served.port) as wire:
        wire.say(genuine())
        return wire.status() == 200


def answer_to(served: Served, words: bytes) -> int:
    """The status of the first answer to these bytes; 0: hung up without one."""
    with Wire(served.port) as wire:
        wire.say(words)
        return wire.status()


def pour(wire: Wire, piece: bytes, size: int) -> int:
    """Send a piece again and again until so many bytes are gone, or the other side hangs up; how many were."""
    sent = 0
    while sent < size and wire.say(piece):
        sent += len(piece)
    return sent


def test_h5_a_declared_giant_is_refused_before_it_comes(served: Served) -> None:
    """Content-Length over the cap is answered 413 from the head alone, and the connection is closed."""
    with Wire(served.port) as wire:
        wire.say(head(content_length=200 * MB))

        assert wire.status() == 413
        assert wire.rest() == b""


@pytest.mark.parametrize("declared", [200 * MB, None], ids=["declared", "chunked"])
def test_h5_200_mb_leave_the_memory_as_it_was(served: Served, declared: int | None) -> None:
    """Bytes are counted as they come and reading stops at the cap, so 200 MB cost at most the cap and its copies."""
    before = served.resident
    with Wire(served.port) as wire:
        if declared:
            wire.say(head(content_length=declared))
            pour(wire, b"x" * MB, 200 * MB)
        else:
            wire.say(head(transfer_encoding="chunked"))
            pour(wire, b"100000\r\n" + b"x" * MB + b"\r\n", 200 * MB)
        status = wire.status()

    assert status == 413
    assert served.resident - before < 32 * MB
    assert takes_a_webhook(served)


def test_h5_many_bodies_at_once_are_bounded_together(served: Served) -> None:
    """All bodies in hand share one room of 64 MiB: 60 of 3 MiB that never end get no more than that, and give it back."""
    before = served.resident
    wires = [Wire(served.port) for _ in range(60)]
    with ThreadPoolExecutor(20) as pool:
        list(pool.map(lambda wire: wire.say(head(content_length=3 * MB + 1) + b"x" * 3 * MB), wires))
    wait_until(lambda: any(wire.hears(0) for wire in wires))
    crowded = [wire.status() for wire in wires if wire.hears(0.01)]
    grown = served.resident - before
    for wire in wires:
        wire.reset()

    assert crowded
    assert set(crowded) <= {503, 408, 0}, "no room, too slow for a busy machine, or hung up"
    assert grown < 140 * MB
    assert takes_a_webhook(served)


@pytest.mark.parametrize(
    "lie",
    [
        head(content_length=-1),
        head(content_length="+5"),
        head(content_length="0x10"),
        head(content_length="1e3"),
        head(content_length="5, 6"),
        head(content_length="99999999999999999999999999"),
        b"POST /webhooks/linq HTTP/1.1\r\nhost: a\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab",
        head(transfer_encoding="chunked") + b"ffffffffffffffffffff\r\n",
        head(transfer_encoding="chunked") + b"-1\r\n",
    ],
)
def test_h5_a_length_that_is_none_is_400(served: Served, lie: bytes) -> None:
    """The parser (llhttp, strict) refuses lengths that two readers could read differently."""
    assert answer_to(served, lie) == 400


def test_h5_a_body_shorter_than_declared_is_not_a_webhook(served: Served) -> None:
    """What ends before its declared end is dropped with its connection; nothing is hashed, nothing stored."""
    with Wire(served.port) as wire:
        wire.say(genuine("shorter than declared")[:-10])
        wire.finish()

        assert wire.rest() == b""
    assert takes_a_webhook(served)


def test_h5_a_body_longer_than_declared_is_a_broken_request(served: Served) -> None:
    """The surplus is read as the next request, which it is not: the connection is closed with a 400."""
    assert answer_to(served, genuine() + b"and more of it\r\n\r\n") == 400


def test_h5_no_length_is_no_body(served: Served) -> None:
    """A POST without a length has an empty body, which nobody signed."""
    assert answer_to(served, head()) == 401


def test_h5_headers_behind_a_body_end_the_connection(served: Served) -> None:
    """Trailers are kept by uvicorn without a bound, so `cli.connection` takes none."""
    before = served.resident
    with Wire(served.port) as wire:
        wire.say(head(transfer_encoding="chunked") + b"1\r\nx\r\n0\r\n")
        sent = pour(wire, b"x: " + b"y" * 60_000 + b"\r\n", 48 * MB)

    assert sent < 48 * MB
    assert served.resident - before < 16 * MB


@pytest.mark.parametrize("piece", [b"x: " + b"y" * 60_000 + b"\r\n", b"y" * 60_000, b"x:y\r\n" * 12_000])
def test_h6_a_head_without_an_end_is_cut_off(served: Served, piece: bytes) -> None:
    """`cli.connection` counts the bytes of a head as they come: 64 kB, then the connection is closed."""
    before = served.resident
    with Wire(served.port) as wire:
        wire.say(b"POST /webhooks/linq HTTP/1.1\r\nx: ")
        sent = pour(wire, piece, 48 * MB)

    assert sent < 48 * MB
    assert served.resident - before < 16 * MB
    assert takes_a_webhook(served)


def test_h6_half_heads_do_not_keep_others_out(served: Served) -> None:
    """A connection that waits costs a socket and no thread: beside 300 of them a webhook is answered as ever."""
    wires = [Wire(served.port) for _ in range(300)]
    for wire in wires:
        wire.say(b"POST /webhooks/linq HTTP/1.1\r\nhost: a\r\nx-half: ")

    answered = takes_a_webhook(served)
    for wire in wires:
        wire.reset()

    assert answered


def test_h7_connections_reset_in_the_middle_of_a_body_leave_nothing(served: Served) -> None:
    """A sender that leaves is no error: nothing is stored or logged, and its socket and its room are given back."""
    files, lines = served.open_files, len(served.said)
    for _ in range(RESETS):
        wire = Wire(served.port)
        wire.say(genuine("reset")[:-5])
        wire.reset()

    wait_until(lambda: served.open_files <= files + RESETS // 4)  # the store's connections come and go, too
    assert takes_a_webhook(served)
    assert len(served.said) - lines < RESETS // 4
    assert "reset" not in diary_of(served)


WRONG_METHODS = ["GET", "HEAD", "PUT", "OPTIONS", "PATCH", "DELETE", "TRACE"]


@pytest.mark.parametrize("method", WRONG_METHODS)
def test_h12_another_method_is_405(served: Served, method: str) -> None:
    """The route takes POST; everything else is refused before ingress."""
    with Wire(served.port) as wire:
        wire.say(head(method))

        assert wire.status(with_body=method != "HEAD") == 405


@pytest.mark.parametrize(
    "target",
    ["//webhooks/linq", "/x/../webhooks/linq", "/webhooks", "/webhooks/linq/x", "/WEBHOOKS/LINQ", "*", "/%00", "/%ff"],
)
def test_h12_another_path_is_404(served: Served, target: str) -> None:
    """Paths are compared as they are, never normalised."""
    assert answer_to(served, head(target=target)) == 404


def test_h12_a_slash_behind_the_path_is_no_webhook(served: Served) -> None:
    """Whatever else it is answered, it is neither taken nor an error of ours."""
    assert answer_to(served, head(target="/webhooks/linq/")) in (307, 404)


BROKEN = {
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    "NULs": b"\x00" * 64,
    "no HTTP": b"hello\r\n\r\n",
    "HTTP/2's preface": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "an unknown method": b"BREW /webhooks/linq HTTP/1.1\r\nhost: a\r\n\r\n",
    "bare line feeds": b"POST /webhooks/linq HTTP/1.1\nhost: a\n\n",
    "a blank before the colon": b"POST /webhooks/linq HTTP/1.1\r\nhost : a\r\n\r\n",
    "a folded header": b"POST /webhooks/linq HTTP/1.1\r\nhost: a\r\n folded\r\n\r\n",
    "a NUL in a header": b"POST /webhooks/linq HTTP/1.1\r\nhost: a\x00b\r\n\r\n",
    "a header without a name": b"POST /webhooks/linq HTTP/1.1\r\n: a\r\n\r\n",
    "bytes in the path": b"POST /a\x80 HTTP/1.1\r\nhost: a\r\n\r\n",
    "length and chunks": head(content_length=5, transfer_encoding="chunked") + b"0\r\n\r\n",
    "an unknown transfer coding": head(transfer_encoding="xchunked") + b"0\r\n\r\n",
    "a chunk of no size": head(transfer_encoding="chunked") + b"zz\r\n",
    "chunks that do not end with a line": head(transfer_encoding="chunked") + b"1\r\nabc\r\n",
}


@pytest.mark.parametrize("words", BROKEN.values(), ids=BROKEN.keys())
def test_h12_what_is_no_http_is_400(served: Served, words: bytes) -> None:
    """llhttp in its strict mode refuses what could be read in two ways, and the connection is closed."""
    with Wire(served.port) as wire:
        wire.say(words)

        assert wire.status() == 400
        assert wire.rest() == b""


def test_h12_the_oldest_http_gets_no_5xx(served: Served) -> None:
    """A request line without a version is answered as the path deserves."""
    assert answer_to(served, b"GET /\r\n\r\n") == 404


def test_h12_nothing_is_smuggled_behind_length_and_chunks(served: Served) -> None:
    """A request with both framings is refused whole: what hides behind it is never read as a request."""
    hidden = genuine("smuggled")
    with Wire(served.port) as wire:
        wire.say(head(content_length=len(hidden) + 5, transfer_encoding="chunked") + b"0\r\n\r\n" + hidden)

        assert wire.status() == 400
        assert wire.rest() == b""
    assert takes_a_webhook(served)
    assert "smuggled" not in diary_of(served)


def test_h12_nothing_is_smuggled_behind_a_closing_request(served: Served) -> None:
    """After `Connection: close` the connection ends with its answer, whatever else was sent."""
    with Wire(served.port) as wire:
        wire.say(head(connection="close") + genuine("behind the end"))

        assert wire.status() == 401
        assert wire.rest() == b""
    assert takes_a_webhook(served)
    assert "behind the end" not in diary_of(served)


def test_h12_an_upgrade_is_not_made(served: Served) -> None:
    """There is nothing to upgrade to: the request is answered as if it had not asked."""
    assert answer_to(served, head(upgrade="websocket", connection="upgrade")) == 401
    assert answer_to(served, head(upgrade="h2c", connection="upgrade, http2-settings")) == 401


def test_h12_webhooks_behind_one_another_are_answered_in_order(served: Served) -> None:
    """Pipelined requests are taken one after the other; one that is refused does not touch the next."""
    with Wire(served.port) as wire:
        wire.say(genuine() + head(content_length=2) + b"{}" + genuine())

        assert [wire.status() for _ in range(3)] == [200, 401, 200]


def test_h15_a_flood_of_forged_webhooks_is_cheap_and_quiet(served: Served) -> None:
    """Each is a 401 for a hash of its body at most; the log tells a few a second and counts the rest."""
    lines, before = len(served.said), served.resident
    began = time.monotonic()
    forged = head(content_length=2, webhook_id="w", webhook_timestamp=int(time.time()), webhook_signature="v1,AA")

    def knock(_: int) -> set[int]:
        with Wire(served.port) as wire:
            wire.say((forged + b"{}") * 20)
            return {wire.status() for _ in range(20)}

    with ThreadPoolExecutor(8) as pool:
        statuses = set().union(*pool.map(knock, range(100)))
    seconds = time.monotonic() - began

    assert statuses == {401}
    assert len(served.said) - lines <= 5 * (seconds + 5)
    assert served.resident - before < 32 * MB


def test_h15_a_flood_of_broken_requests_is_quiet(served: Served) -> None:
    """What uvicorn says of requests that are none is told a few times a second, too."""
    lines, began = len(served.said), time.monotonic()
    for _ in range(300):
        assert answer_to(served, b"hello\r\n\r\n") == 400
    seconds = time.monotonic() - began

    assert len(served.said) - lines <= 5 * (seconds + 5)


def diary_of(served: Served) -> str:
    """What the bot's handler heard, once the queue is empty: a last message stands behind all others of its chat."""
    mark = f"mark-{next(_marks)}"
    with Wire(served.port) as wire:
        wire.say(genuine(mark))
        assert wire.status() == 200
    diary = Path(served.environment["DIARY"])
    wait_until(lambda: mark in diary.read_text("utf-8"))
    return diary.read_text("utf-8")


_marks = itertools.count(1)
