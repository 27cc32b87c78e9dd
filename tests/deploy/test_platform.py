"""What is committed runs on Heroku: from the archive of the last commit and requirements.txt alone."""

from __future__ import annotations

import asyncio
import socket
import ssl
import subprocess
import sys
import tarfile
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
import trustme
import uvicorn

from linqbot.emulator.app import API, Arrived, Emulator
from linqbot.emulator.world import Heard
from linqbot.testing.clock import TurnedClock
from tests.deploy.dyno import Dyno
from tests.house.checkout import git
from tests.store.redis_server import Server
from tests.store.tls_proxy import Proxy

pytestmark = pytest.mark.timeout(300)

Start = Callable[[str, str], Dyno]

PERSON = "+12025559876"
PATIENCE_S = 60


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder a build makes: the archive of the last commit, with what requirements.txt says installed."""
    folder = tmp_path_factory.mktemp("app")
    git("archive", "--output", str(folder / "app.tar"), "HEAD")
    with tarfile.open(folder / "app.tar") as archive:
        archive.extractall(folder, filter="data")
    _build([sys.executable, "-m", "venv", ".venv"], folder)
    _build([".venv/bin/pip", "install", "-q", "-r", "requirements.txt"], folder)
    return folder


@pytest.fixture
async def emulator(clock: TurnedClock) -> AsyncIterator[Emulator]:
    """Linq."""
    async with Emulator(clock=clock) as emulator:
        yield emulator


@pytest.fixture
async def api_url(emulator: Emulator) -> AsyncIterator[str]:
    """Where Linq's API is."""
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(emulator.app, lifespan="off", log_config=None))
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    yield f"http://127.0.0.1:{listener.getsockname()[1]}{API}"
    server.should_exit = True
    await serving


@pytest.fixture
async def redis_url() -> AsyncIterator[str]:
    """A Redis as Heroku has it: TLS only, under a certificate that nobody vouches for."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
    with Server() as server:
        async with Proxy(server.port, context=context) as proxy:
            yield f"rediss://127.0.0.1:{proxy.port}"


@pytest.fixture
def start(home: Path, emulator: Emulator, api_url: str, redis_url: str) -> Start:
    """Makes a dyno of a command line; every dyno gets the secret of one subscription, whose target is the first one."""
    config = {"LINQ_API_V3_API_KEY": "a-token", "LINQ_API_V3_BASE_URL": api_url, "REDIS_URL": redis_url}

    def make(name: str, command: str) -> Dyno:
        dyno = Dyno(command, home=home, name=name, config=config)
        if "LINQ_WEBHOOK_SECRET" not in config:
            config["LINQ_WEBHOOK_SECRET"] = emulator.subscribe(f"{dyno.url}/webhooks/linq").secret
        return dyno

    return make


async def test_the_web_line_answers_a_webhook_and_stops_when_told(home: Path, emulator: Emulator, start: Start) -> None:
    """One web dyno is the whole bot: it takes a signed webhook, its reply reaches Linq, and SIGTERM ends it well."""
    async with start("web.1", _procfile(home)["web"]) as web:
        assert await web.is_ready()

        arrived = await emulator.inbound(PERSON, text="Hello?")
        reply = await _reply(emulator)
        status = await web.stop()

    assert _statuses(emulator, arrived) == [200]
    assert reply.parts[0]["value"] == "Hello?"
    assert reply.reply_to == {"message_id": arrived.message_id, "part_index": 0}
    assert status == 0


async def test_the_worker_line_answers_what_another_dyno_took(home: Path, emulator: Emulator, start: Start) -> None:
    """A worker dyno needs no port: it answers what a web dyno put into Redis, and SIGTERM ends it well."""
    lines = _procfile(home)
    async with start("web.1", f"{lines['web']} --only web") as web, start("worker.1", lines["worker"]) as worker:
        assert await web.is_ready()

        await emulator.inbound(PERSON, text="Hello?")
        reply = await _reply(emulator)
        statuses = [await worker.stop(), await web.stop()]

    assert reply.parts[0]["value"] == "Hello?"
    assert statuses == [0, 0]


async def test_the_platforms_guess_of_processes_is_ignored(home: Path, start: Start) -> None:
    """Heroku sets WEB_CONCURRENCY=2 by itself; one process starts all the same."""
    async with start("web.1", _procfile(home)["web"]) as web:
        assert await web.is_ready()
        await web.stop()

    assert len([line for line in web.said if '"started"' in line]) == 1


async def test_a_certificate_that_goes_unchecked_is_told_once(home: Path, start: Start) -> None:
    """Heroku's Redis signs its own certificate: it is accepted, and one line says that it was not verified."""
    async with start("web.1", _procfile(home)["web"]) as web:
        assert await web.is_ready()
        await web.stop()

    assert len([line for line in web.said if "LINQBOT_REDIS_TLS" in line]) == 1


def _procfile(home: Path) -> dict[str, str]:
    return dict(line.split(": ", 1) for line in (home / "Procfile").read_text().splitlines())


def _build(command: list[str], folder: Path) -> None:
    built = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stdout + built.stderr


def _statuses(emulator: Emulator, arrived: Arrived) -> list[int]:
    [delivery] = [one for one in emulator.deliveries() if one["event_id"] == arrived.event_id]
    return [attempt["status"] for attempt in delivery["attempts"]]


async def _reply(emulator: Emulator) -> Heard:
    async with asyncio.timeout(PATIENCE_S):
        while not emulator.messages_to(PERSON):
            await emulator.linq.agenda.changed()
    return emulator.messages_to(PERSON)[0]
