"""A file of a message -> its bytes: through the front door, and against hosts that want something else."""

from __future__ import annotations

import asyncio
import base64
import tracemalloc
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from linqbot import Bot, Message
from linqbot.client.downloads import Downloader
from linqbot.client.files import FileHost
from linqbot.errors import FileError, FileGone, FileTimeout, FileTooLarge, ForeignHost, LinqbotError
from linqbot.events import MediaPart
from linqbot.settings import load_settings
from linqbot.testing import Sim
from linqbot.testing.clock import TurnedClock
from tests.client.conftest import FarSide, silence, written
from tests.client.stage import Stage

MB = 1024 * 1024
PICTURE = bytes(range(256)) * 100


@pytest.fixture
def bot(tmp_path: Path) -> Bot:
    """A bot that looks at what it is sent."""
    bot = Bot(attempts=1)

    @bot.message("save")
    async def save(message: Message) -> str:
        return f"{await message.media[0].download_to(tmp_path / 'got')} bytes saved"

    @bot.message("stream")
    async def stream(message: Message) -> AsyncIterator[str]:
        yield f"{len(await message.media[0].download())} bytes"

    @bot.message
    async def look(message: Message) -> str:
        got = await message.media[0].download()
        return "the same" if got == PICTURE else f"{len(got)} other bytes"

    return bot


def sent(text: str, **more: Any) -> dict[str, Any]:
    """A message with a file."""
    file = {"type": "media", "filename": "a.png", "data": base64.b64encode(PICTURE).decode(), **more}
    return {"parts": [{"type": "text", "value": text}, file]}


async def test_a_handler_gets_what_was_sent(sim: Sim) -> None:
    """The very bytes, by one call."""
    [reply] = await sim.user().says(**sent("look"))

    assert reply.text == "the same"


async def test_a_handler_saves_what_was_sent(sim: Sim, tmp_path: Path) -> None:
    """On the disk, whole, and nothing beside it."""
    [reply] = await sim.user().says(**sent("save"))

    assert reply.text == f"{len(PICTURE)} bytes saved"
    assert left_in(tmp_path) == {"got": PICTURE}


async def test_a_stream_can_fetch_too(sim: Sim) -> None:
    """A generator's run knows who fetches."""
    [reply] = await sim.user().says(**sent("stream"))

    assert reply.text == f"{len(PICTURE)} bytes"


async def test_who_is_in_the_bot_fetches_too(stage: Stage) -> None:
    """`async with bot:` is enough; afterwards nobody fetches any more."""
    part = await stored(stage)
    settings = load_settings(env_file=None, base_url=stage.base, api_key="key", store="sqlite:///:memory:")

    async with Bot(settings=settings):
        assert await part.download() == PICTURE
    with pytest.raises(FileError, match="async with bot"):
        await part.download()


async def test_a_bot_within_a_bot_takes_nothing_away(stage: Stage) -> None:
    """When the inner one ends, the outer one still fetches."""
    part = await stored(stage)
    given = {"base_url": stage.base, "api_key": "key", "store": "sqlite:///:memory:"}

    async with Bot(settings=load_settings(env_file=None, **given)):
        async with Bot(settings=load_settings(env_file=None, **given)):
            pass
        assert await part.download() == PICTURE


async def test_outside_of_a_bot_it_says_so() -> None:
    """A part by itself fetches nothing, and the error names the way."""
    with pytest.raises(FileError, match="async with bot"):
        await MediaPart(id="A", url="https://cdn.linqapp.com/a").download()


@pytest.fixture
async def host() -> AsyncIterator[FileHost]:
    """The way to the hosts of files."""
    host = FileHost()
    yield host
    await host.aclose()


def downloader_of(stage: Stage, host: FileHost) -> Downloader:
    """A downloader that may ask the emulator."""
    settings = load_settings(env_file=None, base_url=stage.base)
    return Downloader(stage.linq.attachments, host, hosts=settings.file_hosts)


def far_file(far: FarSide) -> MediaPart:
    """A file on the far side."""
    return MediaPart(id="A", url=f"http://127.0.0.1:{far.port}/a?signature=s")


def from_far(far: FarSide, host: FileHost, **more: float) -> Downloader:
    """A downloader that may ask the far side, and an API that has no fresh address."""
    hosts = frozenset({f"127.0.0.1:{far.port}"})
    return Downloader(_NoApi(), host, hosts=hosts, **more)  # type: ignore[arg-type]  # never asked


class _NoApi:
    async def get(self, attachment_id: str) -> None:
        """Not to be asked."""
        pytest.fail("no fresh address was to be asked for")


async def stored(stage: Stage, content: bytes = PICTURE) -> MediaPart:
    """A file at the emulator, as a message tells of it."""
    await stage.linq.phone_numbers.list()  # tells the emulator its own address
    vault = stage.emulator.linq.vault
    file = vault.store("a.png", content)
    return MediaPart(id=file.id, url=vault.download_url(file))


async def test_an_old_address_is_renewed_once(stage: Stage, host: FileHost, clock: TurnedClock) -> None:
    """An hour later the same part gives the same bytes."""
    part = await stored(stage)
    clock.advance(hours=2)

    assert await downloader_of(stage, host).fetch(part) == PICTURE
    assert stage.exchanges[-1] == f"GET /v3/attachments/{part.id}"


async def test_a_part_without_an_address_is_asked_for(stage: Stage, host: FileHost) -> None:
    """The id is enough."""
    part = (await stored(stage)).model_copy(update={"url": None})

    assert await downloader_of(stage, host).fetch(part) == PICTURE


async def test_a_file_that_is_deleted_is_gone(stage: Stage, host: FileHost) -> None:
    """Named, with its id."""
    part = await stored(stage)
    await stage.linq.attachments.delete(str(part.id))

    with pytest.raises(FileGone) as caught:
        await downloader_of(stage, host).fetch(part)
    assert caught.value.file_id == part.id


async def test_a_fresh_address_that_is_refused_ends_it(stage: Stage, host: FileHost) -> None:
    """It is renewed once, not for ever."""
    part = await stored(stage)
    stage.emulator.fault("403", match="getDownload", count=None)

    with pytest.raises(FileGone):
        await downloader_of(stage, host).fetch(part)
    assert sum(one["operation"] == "getDownload" for one in stage.emulator.linq.requests) == 2


@pytest.mark.parametrize(
    "url",
    [
        "https://elsewhere.example.com/a",
        "https://cdn.linqapp.com.example.com/a",
        "https://example.com#cdn.linqapp.com/a",
        "https://cdn.linqapp.com@example.com/a",
        "https://cdn.linqapp.com:8443/a",
        "http://cdn.linqapp.com/a",
        "https://169.254.169.254/latest/meta-data",
        "file:///etc/passwd",
        "//cdn.linqapp.com/a",
        "cdn.linqapp.com",
        "https://[::1",
        "",
    ],
)
async def test_a15_other_hosts_are_not_asked(url: str, far: FarSide, host: FileHost) -> None:
    """Whatever a webhook names: only Linq's file hosts, over HTTPS; the error shows no address.

    Held by a list of hosts, HTTPS, and reading no address but with the parser that connects.
    """
    downloader = Downloader(_NoApi(), host, hosts=frozenset({"cdn.linqapp.com"}))  # type: ignore[arg-type]  # never asked

    with pytest.raises(ForeignHost) as caught:
        await downloader.fetch(MediaPart(id="A", url=url))

    assert "example.com" not in str(caught.value)
    assert "passwd" not in str(caught.value)


async def test_a15_a_redirect_is_not_followed(far: FarSide, host: FileHost) -> None:
    """A file host that points elsewhere is an error.

    Held by a transport that follows nothing.
    """
    far.script = written("302 Found", headers=("location: http://127.0.0.1:1/",))

    with pytest.raises(FileError, match="redirect"):
        await from_far(far, host).fetch(far_file(far))
    assert len(far.seen) == 1


async def test_a15_the_api_key_stays_at_the_api(far: FarSide, host: FileHost) -> None:
    """The file host gets the address, and no credentials.

    Held by a client of its own for file hosts, which knows no key.
    """
    far.script = written("200 OK", body=b"abc")

    assert await from_far(far, host).fetch(far_file(far)) == b"abc"

    head = far.seen[0].lower()
    assert head.startswith(b"get /a?signature=s ")
    assert b"authorization" not in head
    assert b"cookie" not in head


async def in_chunks(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """A script that does not say how much will come."""
    writer.write(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nb\r\nxxxxxxxxxxx\r\n0\r\n\r\n")
    await writer.drain()


def left_in(folder: Path) -> dict[str, bytes]:
    """What is in a folder."""
    return {one.name: one.read_bytes() for one in folder.iterdir()}


@pytest.mark.parametrize(
    "script",
    [
        written("200 OK", body=b"x" * 11),
        written("200 OK", body=b"x" * 11, length=10**12),
        in_chunks,
    ],
    ids=["announced", "announced as huge", "more than announced"],
)
async def test_a15_too_many_bytes_are_refused(far: FarSide, host: FileHost, script: Any, tmp_path: Path) -> None:
    """Announced or not: nothing beyond the limit is kept, nothing is left on the disk.

    Held by counting bytes as they come.
    """
    far.script = script

    with pytest.raises(FileTooLarge, match="more than 10 bytes"):
        await from_far(far, host).save(far_file(far), tmp_path / "got", most_bytes=10)
    assert left_in(tmp_path) == {}


async def test_half_a_file_is_no_file(far: FarSide, host: FileHost, tmp_path: Path) -> None:
    """A connection that breaks in the middle leaves what was there before."""
    (tmp_path / "got").write_bytes(b"before")

    async def half(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await written("200 OK", body=b"x" * 100, length=200)(reader, writer)
        writer.close()

    far.script = half
    with pytest.raises(FileError):
        await from_far(far, host).save(far_file(far), tmp_path / "got")

    assert left_in(tmp_path) == {"got": b"before"}


async def test_compressed_bytes_are_refused(far: FarSide, host: FileHost) -> None:
    """A few bytes that would be many are not unpacked."""
    far.script = written("200 OK", body=b"abc", headers=("content-encoding: gzip",))

    with pytest.raises(FileError, match="compressed"):
        await from_far(far, host).fetch(far_file(far))


async def test_a15_a_file_takes_no_longer_than_it_may(far: FarSide, host: FileHost) -> None:
    """A host that never answers is given up.

    Held by one deadline over the whole fetch.
    """
    far.script = silence

    with pytest.raises(FileTimeout, match=r"within 0\.2 s"):
        await from_far(far, host, within_s=0.2).fetch(far_file(far))


async def test_trouble_is_a_file_error(far: FarSide, host: FileHost) -> None:
    """A broken host, or none: one branch of the tree."""
    far.script = written("500 Internal Server Error")
    with pytest.raises(FileError, match="500"):
        await from_far(far, host).fetch(far_file(far))
    with pytest.raises(FileError):
        await Downloader(_NoApi(), host, hosts=frozenset({"127.0.0.1:1"})).fetch(  # type: ignore[arg-type]  # never asked
            MediaPart(id="A", url="http://127.0.0.1:1/a")
        )
    assert issubclass(FileError, LinqbotError)


async def test_40_megabytes_are_saved_in_flat_memory(stage: Stage, host: FileHost, tmp_path: Path) -> None:
    """What goes to the disk is never in memory as a whole."""
    part = await stored(stage, b"x" * 40 * MB)

    tracemalloc.start(1)
    try:
        size = await downloader_of(stage, host).save(part, tmp_path / "got")
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert size == (tmp_path / "got").stat().st_size == 40 * MB
    assert peak < 8 * MB


@pytest.mark.parametrize(
    ("base", "media", "hosts"),
    [
        ("https://api.linqapp.com/api/partner", None, {"cdn.linqapp.com"}),
        ("http://127.0.0.1:4010/api/partner", None, {"cdn.linqapp.com", "127.0.0.1:4010"}),
        (
            "https://proxy.example.com",
            "CDN.example.com, files.example.com:8443,",
            {"cdn.example.com", "files.example.com:8443"},
        ),
    ],
)
def test_file_hosts_are_a_setting(base: str, media: str | None, hosts: set[str]) -> None:
    """Linq's host unless told otherwise, and an emulator on this machine by itself."""
    given = {} if media is None else {"media_hosts": media}

    assert load_settings(env_file=None, base_url=base, **given).file_hosts == hosts
