"""Request -> Answer, over real sockets."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack

import httpx
import pytest
import trustme

from linqbot.client.http import BODY_CAP_BYTES, LinqClient
from linqbot.errors import ConfigurationError, NotSent, OutcomeUnknown
from linqbot.records import Request
from tests.client.conftest import FarSide, Script, hang_up, reset, silence, written

KEY = "canary-key-5f1c"
REQUEST = Request(method="POST", path="/v3/chats/c1/messages", body=b'{"message":{}}')
Connect = Callable[..., LinqClient]


@pytest.fixture
async def connect() -> AsyncIterator[Connect]:
    """Make a client of `http://127.0.0.1:<port>/api`; all are closed at the end."""
    async with AsyncExitStack() as clients:

        def made(port: int, *, scheme: str = "http", read_s: float = 5.0) -> LinqClient:
            client = LinqClient(f"{scheme}://127.0.0.1:{port}/api", KEY, read_s=read_s)
            clients.push_async_callback(client.aclose)
            return client

        yield made


async def test_request_arrives_as_it_was_frozen(far: FarSide, connect: Connect) -> None:
    """Method, path under the base URL, body and the house's headers reach the far side."""
    await connect(far.port).send(REQUEST)

    head, _, body = far.seen[0].partition(b"\r\n\r\n")
    lines = {line.lower() for line in head.decode().split("\r\n")}
    assert head.startswith(b"POST /api/v3/chats/c1/messages HTTP/1.1")
    assert body == b'{"message":{}}'
    assert {f"authorization: bearer {KEY}", "content-type: application/json", "accept-encoding: identity"} <= lines
    assert any(line.startswith("user-agent: linqbot/") for line in lines)


async def test_answer_has_status_headers_and_body(far: FarSide, connect: Connect) -> None:
    """An answer of any status is handed over whole, header names in lower case."""
    far.script = written("429 Too Many", body=b'{"error":{}}', headers=("Retry-After: 7",))

    answer = await connect(far.port).send(REQUEST)

    assert (answer.status, answer.headers["retry-after"], answer.body) == (429, "7", b'{"error":{}}')


async def test_request_without_body_is_sent(far: FarSide, connect: Connect) -> None:
    """Calls without a body, like typing, carry none and claim no type."""
    far.script = written("204 No Content")

    answer = await connect(far.port).send(Request(method="DELETE", path="/v3/chats/c1/typing"))

    assert answer.status == 204
    assert b"content-type" not in far.seen[0].lower()


async def test_connection_is_kept_for_the_next_request(far: FarSide, connect: Connect) -> None:
    """Requests one after the other share a connection."""
    ports: set[int] = set()

    async def noting(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        ports.add(writer.get_extra_info("peername")[1])
        await written("202 Accepted")(reader, writer)

    far.script = noting
    client = connect(far.port)
    await client.send(REQUEST)
    await client.send(REQUEST)

    assert len(ports) == 1


async def test_o11_redirect_is_not_followed(far: FarSide, connect: Connect) -> None:
    """A redirect is an answer like others; the key goes nowhere else.

    Held by a transport that follows nothing: a 302 is returned as the answer it is.
    """
    async with FarSide().listening() as thief:
        far.script = written("302 Found", headers=(f"location: http://127.0.0.1:{thief.port}/steal",))

        answer = await connect(far.port).send(REQUEST)

        assert answer.status == 302
        assert thief.seen == []


async def test_cookies_are_not_kept(far: FarSide, connect: Connect) -> None:
    """Nothing that an answer sets comes back with the next request."""
    far.script = written("202 Accepted", headers=("set-cookie: a=b; path=/",))
    client = connect(far.port)
    await client.send(REQUEST)
    await client.send(REQUEST)

    assert b"cookie" not in far.seen[1].lower()


@pytest.mark.parametrize("script", [reset, hang_up, silence], ids=["reset", "closed", "silence"])
async def test_lost_answer_is_an_unknown_outcome(far: FarSide, connect: Connect, script: Script) -> None:
    """The request was read and no answer came: it may have been acted upon."""
    far.script = script

    with pytest.raises(OutcomeUnknown, match="/v3/chats/c1/messages got no answer"):
        await connect(far.port, read_s=0.2).send(REQUEST)


async def test_garbled_answer_is_an_unknown_outcome(far: FarSide, connect: Connect) -> None:
    """What is no HTTP says nothing about the request's fate."""

    async def garbled(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"\x00\x01 what?\r\n\r\n")
        writer.close()

    far.script = garbled

    with pytest.raises(OutcomeUnknown):
        await connect(far.port).send(REQUEST)


async def test_half_a_body_still_tells_the_status(far: FarSide, connect: Connect) -> None:
    """A connection that breaks inside the body leaves the status and what came, which is no JSON."""

    async def halved(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await written("202 Accepted", body=b'{"message": {"id"', length=500)(reader, writer)
        writer.close()

    far.script = halved

    answer = await connect(far.port).send(REQUEST)

    assert (answer.status, answer.body, answer.json()) == (202, b'{"message": {"id"', None)


async def test_body_that_stalls_still_tells_the_status(far: FarSide, connect: Connect) -> None:
    """A body that never ends is given up in time; the status was heard."""
    far.script = written("404 Not Found", body=b"{", length=500)

    answer = await connect(far.port, read_s=0.2).send(REQUEST)

    assert (answer.status, answer.body) == (404, b"{")


async def test_o3_huge_body_is_cut_at_the_cap(far: FarSide, connect: Connect) -> None:
    """An answer without end costs 256 kB and not more.

    Held by reading piece by piece, and closing the connection at the cap.
    """
    far.script = written("200 OK", body=b"[" * (BODY_CAP_BYTES * 3))

    answer = await connect(far.port).send(REQUEST)

    assert len(answer.body) == BODY_CAP_BYTES


async def test_next_request_is_well_after_a_cut_body(far: FarSide, connect: Connect) -> None:
    """What was left unread of one answer never becomes part of the next."""
    client = connect(far.port)
    far.script = written("200 OK", body=b"[" * (BODY_CAP_BYTES * 3))
    await client.send(REQUEST)
    far.script = written("202 Accepted", body=b'{"a": 1}')

    assert (await client.send(REQUEST)).json() == {"a": 1}


async def test_refused_connection_was_not_sent(connect: Connect) -> None:
    """Nobody listens: surely nothing arrived."""
    async with FarSide().listening() as gone:
        port = gone.port

    with pytest.raises(NotSent, match="did not leave"):
        await connect(port).send(REQUEST)


async def test_unknown_host_was_not_sent() -> None:
    """A name that does not resolve: surely nothing arrived."""
    async with LinqClient("http://linq.invalid", KEY) as client:
        with pytest.raises(NotSent):
            await client.send(REQUEST)


async def test_untrusted_certificate_was_not_sent(connect: Connect) -> None:
    """A certificate that nobody vouches for ends the connection before the key is said."""
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(tls)
    async with FarSide().listening(tls) as stranger:
        with pytest.raises(NotSent):
            await connect(stranger.port, scheme="https").send(REQUEST)

        assert stranger.seen == []


async def test_failed_handshake_was_not_sent(connect: Connect) -> None:
    """A far side that does not speak TLS never hears the request."""
    async with await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0) as rude:
        with pytest.raises(NotSent):
            await connect(rude.sockets[0].getsockname()[1], scheme="https").send(REQUEST)


@pytest.mark.parametrize("proxy_answer", ["407 Proxy Authentication Required", "502 Bad Gateway"])
async def test_tunnel_that_a_proxy_refuses_was_not_sent(far: FarSide, proxy_answer: str) -> None:
    """Without a tunnel the request never left."""
    far.script = written(proxy_answer)
    async with LinqClient("https://linq.invalid", KEY, proxy=f"http://127.0.0.1:{far.port}") as client:
        with pytest.raises(NotSent):
            await client.send(REQUEST)

    assert KEY.encode() not in far.seen[0]


async def test_exchange_outlives_its_caller(far: FarSide, connect: Connect) -> None:
    """Cancelling whoever waits leaves the exchange running to its end, and closing the client waits for it."""
    may_answer, answered = asyncio.Event(), asyncio.Event()

    async def patient(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await may_answer.wait()
        await written("202 Accepted")(reader, writer)
        answered.set()

    far.script = patient
    client = connect(far.port)
    caller = asyncio.create_task(client.send(REQUEST))
    await far.arrived.wait()
    caller.cancel()
    await asyncio.wait([caller])
    may_answer.set()
    await client.aclose()

    assert caller.cancelled()
    assert answered.is_set()


async def test_closing_does_not_wait_for_ever(far: FarSide, connect: Connect) -> None:
    """An exchange that takes too long is cut off with the connections, its outcome unknown."""
    far.script = silence
    client = connect(far.port)
    caller = asyncio.create_task(client.send(REQUEST))
    await far.arrived.wait()
    await client.aclose(within_s=0)

    with pytest.raises(OutcomeUnknown):
        await caller


async def test_closed_client_sends_nothing(far: FarSide, connect: Connect) -> None:
    """After closing, a request is refused as not sent."""
    client = connect(far.port)
    await client.aclose()

    with pytest.raises(NotSent, match="closed"):
        await client.send(REQUEST)


async def test_pool_that_died_is_replaced(far: FarSide, connect: Connect) -> None:
    """A dead session costs one attempt, not the process."""
    client = connect(far.port)
    await client.send(REQUEST)
    await client._pool.transport.aclose()
    with pytest.raises(OutcomeUnknown):
        await client.send(REQUEST)

    assert (await client.send(REQUEST)).status == 202


async def test_concurrency_is_bounded(far: FarSide) -> None:
    """No more exchanges run at once than allowed; the rest wait their turn."""
    at_once: list[int] = []
    running = 0

    async def counting(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal running
        running += 1
        at_once.append(running)
        await asyncio.sleep(0)
        running -= 1
        await written("202 Accepted")(reader, writer)

    far.script = counting
    async with LinqClient(f"http://127.0.0.1:{far.port}", KEY, concurrency=2) as client:
        await asyncio.gather(*(client.send(REQUEST) for _ in range(10)))

    assert len(at_once) == 10
    assert max(at_once) <= 2


class Failing(httpx.AsyncBaseTransport):
    """A transport that fails in a given way."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        raise self.error


@pytest.mark.parametrize(
    ("error", "proves"),
    [
        (httpx.ConnectError("x"), NotSent),
        (httpx.ConnectTimeout("x"), NotSent),
        (httpx.PoolTimeout("x"), NotSent),
        (httpx.ReadTimeout("x"), OutcomeUnknown),
        (httpx.WriteError("x"), OutcomeUnknown),
        (httpx.RemoteProtocolError("x"), OutcomeUnknown),
        (ValueError("x"), OutcomeUnknown),
    ],
)
async def test_given_transport_is_judged_by_httpx_errors(error: Exception, proves: type[Exception]) -> None:
    """With a transport of the caller's own, httpx's words are taken as they are; anything else is unknown."""
    client = LinqClient("http://linq", KEY, transport=Failing(error))

    with pytest.raises(proves):
        await client.send(REQUEST)


async def test_key_is_in_no_error_and_no_repr(far: FarSide, connect: Connect) -> None:
    """Neither the client nor anything hanging on its errors shows the API key."""
    client = connect(far.port)
    far.script = hang_up
    with pytest.raises(OutcomeUnknown) as caught:
        await client.send(REQUEST)

    assert (caught.value.__cause__, caught.value.__context__) == (None, None)
    assert KEY not in repr(client) + repr(caught.value)


@pytest.mark.parametrize("key", ["", "a b", "a\nb", "clé"])
def test_unusable_key_is_refused(key: str) -> None:
    """A key that no header can carry stops the start, without being shown."""
    with pytest.raises(ConfigurationError, match="LINQ_API_V3_API_KEY"):
        LinqClient("https://linq.example", key)


@pytest.mark.parametrize("url", ["", "linq.example", "ftp://linq.example", "https://"])
def test_unusable_base_url_is_refused(url: str) -> None:
    """A base URL without scheme or host stops the start."""
    with pytest.raises(ConfigurationError, match="LINQ_API_V3_BASE_URL"):
        LinqClient(url, KEY)


async def test_path_cannot_change_the_host(far: FarSide) -> None:
    """A path that would end the host's name elsewhere goes nowhere, and the key with it."""
    async with LinqClient(f"http://127.0.0.1:{far.port}", KEY) as client:
        with pytest.raises(NotSent):
            await client.send(Request(method="GET", path="@evil.example/v3"))

    assert far.seen == []


async def test_o15_storm_of_cancelled_callers_leaves_the_pool_whole(far: FarSide) -> None:
    """Callers that go away by the hundred neither leak a connection nor mix up two answers.

    Held by an exchange that is shielded from whoever waits for it and runs to its end.
    """

    async def echoing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await written("200 OK", body=far.seen[-1].partition(b"\r\n\r\n")[2])(reader, writer)

    far.script = echoing
    async with LinqClient(f"http://127.0.0.1:{far.port}", KEY, concurrency=4) as client:
        callers = [asyncio.create_task(client.send(REQUEST)) for _ in range(300)]
        await far.arrived.wait()
        for caller in callers[::2]:
            caller.cancel()
        kept = await asyncio.gather(*callers[1::2])
        last = await client.send(Request(method="POST", path="/v3/x", body=b'{"last": 1}'))

    assert {answer.body for answer in kept} == {REQUEST.body}
    assert last.json() == {"last": 1}
