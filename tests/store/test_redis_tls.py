"""`rediss://` behind a certificate of an authority that nobody knows, as hosted plans have it."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import trustme

from linqbot.errors import ConfigurationError, StoreUnavailable
from linqbot.records import Accepted, Arrival, Limits
from linqbot.store.redis.store import RedisStore
from linqbot.testing.clock import TurnedClock
from tests.store.redis_server import KINDS, empty, session_url
from tests.store.tls_proxy import Proxy

NAMESPACE = "tls"


@pytest.fixture
def authority() -> trustme.CA:
    """An authority of the test's own."""
    return trustme.CA()


@pytest.fixture(params=["127.0.0.1"])
async def port(request: pytest.FixtureRequest, authority: trustme.CA) -> AsyncIterator[int]:
    """Where a server answers with a certificate for this name."""
    url = session_url(KINDS[0])
    await empty(url, (NAMESPACE,))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(request.param).configure_cert(context)
    async with Proxy(int(url.rsplit(":", 1)[1].partition("/")[0]), context=context) as proxy:
        yield proxy.port


def store_at(port: int, clock: TurnedClock, tls: str) -> RedisStore:
    return RedisStore(f"rediss://127.0.0.1:{port}/0", clock=clock, namespace=NAMESPACE, limits=Limits(), tls=tls)


async def test_an_unknown_authority_is_refused_with_the_remedy(port: int, clock: TurnedClock) -> None:
    """Verified by default; the error names the setting that helps."""
    with pytest.raises(ConfigurationError, match="LINQBOT_REDIS_TLS"):
        await store_at(port, clock, "verify").__aenter__()


async def test_insecure_accepts_any_certificate(port: int, clock: TurnedClock) -> None:
    """By explicit choice only."""
    async with store_at(port, clock, "insecure") as store:
        assert await store.accept(Arrival(remember=("e1",))) is Accepted.ACCEPTED


async def test_a_ca_file_makes_its_certificates_known(
    port: int, clock: TurnedClock, authority: trustme.CA, tmp_path: Path
) -> None:
    """The file of the authority is enough, for waiting connections too."""
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    async with store_at(port, clock, str(tmp_path / "ca.pem")) as store:
        assert await store.accept(Arrival(remember=("e1",))) is Accepted.ACCEPTED


@pytest.mark.parametrize("port", ["redis.example.com"], indirect=True)
async def test_a_ca_file_does_not_make_another_host_trusted(
    port: int, clock: TurnedClock, authority: trustme.CA, tmp_path: Path
) -> None:
    """A certificate for another name is refused, although its authority is known."""
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    with pytest.raises(ConfigurationError, match="LINQBOT_REDIS_TLS"):
        await store_at(port, clock, str(tmp_path / "ca.pem")).__aenter__()


def test_a_ca_file_that_is_not_there_is_refused(clock: TurnedClock, tmp_path: Path) -> None:
    """Before anything is connected."""
    with pytest.raises(ConfigurationError, match="LINQBOT_REDIS_TLS"):
        store_at(1, clock, str(tmp_path / "missing.pem"))


async def test_a_server_without_tls_is_unavailable(clock: TurnedClock) -> None:
    """`rediss://` at a plain port does not hang."""
    plain = int(session_url(KINDS[0]).rsplit(":", 1)[1].partition("/")[0])
    with pytest.raises(StoreUnavailable):
        await store_at(plain, clock, "insecure").__aenter__()
