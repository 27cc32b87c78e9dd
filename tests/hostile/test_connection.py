"""The time that a request may take, and how many may come at once: measured on a server with shorter patience.

Held by `cli.connection` for heads and counts, and by ingress for bodies.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from linqbot.cli.connection import HEAD_S, MOST_CONNECTIONS, Connection
from linqbot.clock import SystemClock
from linqbot.engine.ingress import Ingress, IngressLimits
from linqbot.protocol.signature import parse_secrets
from linqbot.records import Limits
from linqbot.store.open import open_store
from tests.hostile.door import PATH
from tests.hostile.letters import SECRET
from tests.hostile.wire import Wire, head
from tests.store.redis_server import KINDS, session_url


class Impatient(Connection):
    """As in production, but for the times."""

    head_s = 0.5


class Small(Connection):
    """A place for three."""

    most = 3


@contextmanager
def server(connection: type[Connection], keep_alive_s: int = 5) -> Iterator[int]:
    """Ingress behind uvicorn, in a thread of its own; its port."""
    listener = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(
        _app(),
        http=connection,
        lifespan="on",
        ws="none",
        log_config=None,
        access_log=False,
        timeout_keep_alive=keep_alive_s,
    )
    serving = uvicorn.Server(config)
    thread = threading.Thread(target=serving.run, args=([listener],))
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        serving.should_exit = True
        thread.join()
        listener.close()


def _app() -> Starlette:
    async def receive(request: Request) -> Response:
        ingress: Ingress = app.state.ingress
        return await ingress.receive(request)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        clock = SystemClock()
        async with open_store(session_url(KINDS[0]), clock=clock, namespace="hostile-wire", limits=Limits()) as store:
            app.state.ingress = Ingress(
                store,
                clock=clock,
                secrets=parse_secrets(SECRET),
                wanted=lambda _: False,
                random=lambda: 0.5,
                limits=IngressLimits(body_s=0.3),
            )
            yield

    app = Starlette(routes=[Route(PATH, receive, methods=["POST"])], lifespan=lifespan)
    return app


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    """The port of an impatient server."""
    with server(Impatient) as number:
        yield number


def drips(wire: Wire, drop: bytes) -> int:
    """Send a drop now and then until something comes back; how many were sent, 200 at most."""
    for count in range(200):
        if not wire.say(drop) or wire.hears(0.02):
            return count
    return 200


def test_h6_who_says_nothing_is_hung_up_on(port: int) -> None:
    """The wait for the first head begins with the connection."""
    with Wire(port) as wire:
        assert wire.rest() == b""


@pytest.mark.parametrize("drop", [b"\r\n", b"x"])
def test_h6_a_drip_before_the_head_is_over_is_hung_up_on(port: int, drop: bytes) -> None:
    """One deadline runs over the whole head: each byte does not begin it anew."""
    with Wire(port) as wire:
        wire.say(b"" if drop == b"\r\n" else b"POST /webhooks/linq HTTP/1.1\r\nx-drip: ")

        assert drips(wire, drop) < 200
        assert wire.rest() == b""


def test_h6_a_drip_after_an_answer_is_hung_up_on() -> None:
    """A kept connection has its own wait, which line ends do not stop."""
    with server(Impatient, keep_alive_s=1) as number, Wire(number) as wire:
        wire.say(head())
        assert wire.status() == 401
        assert drips(wire, b"\r\n") < 200


def test_h6_the_second_head_has_a_deadline_too(port: int) -> None:
    """It holds for each request of a connection."""
    with Wire(port) as wire:
        wire.say(head())
        assert wire.status() == 401
        wire.say(b"POST /webhooks/linq HTTP/1.1\r\nx-drip: ")

        assert drips(wire, b"x") < 200


def test_h6_a_slow_body_is_408(port: int) -> None:
    """The body's deadline is ingress's own; the connection is closed with the answer."""
    with Wire(port) as wire:
        wire.say(head(content_length=1_000))

        assert drips(wire, b"x") < 200
        assert wire.status() == 408
        assert wire.rest() == b""


def test_h6_the_body_of_an_answered_request_has_a_deadline(port: int) -> None:
    """A request refused from its head alone may not go on sending for ever."""
    with Wire(port) as wire:
        wire.say(head(content_length=1_000, content_encoding="gzip"))
        assert wire.status() == 415

        assert drips(wire, b"x") < 200


def test_h6_a_patient_client_keeps_its_connection(port: int) -> None:
    """What is complete is not hurried: a kept connection outlives the deadline of a head."""
    with Wire(port) as wire:
        for _ in range(2):
            wire.say(head())
            assert wire.status() == 401
            assert not wire.hears(Impatient.head_s + 0.2)


def test_h6_one_connection_too_many_is_closed() -> None:
    """Connections are counted; the one too many ends at once, and there is room again when another has left."""
    with server(Small) as number:
        wires = [Wire(number) for _ in range(3)]
        for wire in wires:
            wire.say(head())
            assert wire.status() == 401
        with Wire(number) as refused:
            assert refused.rest() == b""
        for wire in wires:
            wire.reset()
        served = 0
        while served == 0:  # until the server has noticed that they left
            with Wire(number) as late:
                late.say(head())
                served = late.status()

    assert served == 401


def test_h6_production_is_as_patient_as_linq() -> None:
    """Ten seconds for a head and as many for a body; two thousand connections."""
    assert (HEAD_S, IngressLimits().body_s, MOST_CONNECTIONS) == (10.0, 10.0, 2_000)
    assert (Connection.head_s, Connection.most) == (HEAD_S, MOST_CONNECTIONS)
