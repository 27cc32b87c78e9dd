"""Upload -> attachment id, against a served emulator: real HTTP, real bytes."""

from __future__ import annotations

import asyncio
import hashlib
import tracemalloc
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from linqbot import Bot
from linqbot.client.errors import MediaRefused, RateLimited, Refusal
from linqbot.client.files import FileHost
from linqbot.client.uploads import KNOWN_MS, Uploader
from linqbot.errors import FileChanged, FileError, FileTimeout, ForeignHost, ReplyError
from linqbot.records import Fact
from linqbot.replies.upload import Upload, upload_of
from linqbot.store.base import Store
from linqbot.store.open import open_store
from linqbot.testing import Sim
from linqbot.testing.clock import TurnedClock
from tests.client.conftest import FarSide, written
from tests.client.stage import Stage

MB = 1024 * 1024


@pytest.fixture
def bot() -> Bot:
    """A bot that says nothing."""
    return Bot()


@pytest.fixture
async def store(clock: TurnedClock) -> AsyncIterator[Store]:
    """A store that remembers uploads."""
    async with open_store("sqlite:///:memory:", clock=clock) as store:
        yield store


@pytest.fixture
async def host() -> AsyncIterator[FileHost]:
    """The way to the hosts of files."""
    host = FileHost()
    yield host
    await host.aclose()


@pytest.fixture
def uploader(stage: Stage, store: Store, host: FileHost, clock: TurnedClock) -> Uploader:
    """An uploader on that store."""
    return Uploader(stage.linq.attachments, store, host, clock=clock, random=lambda: 0.0)


def a_file(data: bytes = b"abc", filename: str = "a.png") -> Upload:
    """A small file."""
    return upload_of(data=data, filename=filename, path=None, what="Media")


async def turned_until_done(clock: TurnedClock, task: asyncio.Task[str]) -> None:
    """Turn the clock, second by second, until a task is done."""
    while not task.done():
        clock.advance(seconds=1)
        await asyncio.wait([task], timeout=0.02)


def steps(stage: Stage) -> list[tuple[str, int]]:
    """What was asked of the emulator, and its statuses."""
    return [(one["operation"], one["status"]) for one in stage.emulator.linq.requests]


async def read_back(stage: Stage, attachment_id: str) -> bytes:
    """What the emulator holds."""
    return b"".join(stage.emulator.linq.vault.files[attachment_id].chunks())


async def test_bytes_become_an_attachment(stage: Stage, uploader: Uploader) -> None:
    """Announced, put, and there: the same bytes under the same name and type."""
    attachment_id = await uploader.upload(a_file(b"x" * 700_000))

    known = await stage.linq.attachments.get(attachment_id)
    assert (known.filename, known.content_type, known.size_bytes) == ("a.png", "image/png", 700_000)
    assert await read_back(stage, attachment_id) == b"x" * 700_000


async def test_a_path_becomes_an_attachment(stage: Stage, uploader: Uploader, tmp_path: Path) -> None:
    """A file is read from the disk when it is needed."""
    file = tmp_path / "b.pdf"
    file.write_bytes(bytes(range(256)) * 4096)

    attachment_id = await uploader.upload(upload_of(path=file, data=None, filename=None, what="Media"))

    assert await read_back(stage, attachment_id) == file.read_bytes()


async def test_the_same_content_is_uploaded_once(stage: Stage, uploader: Uploader, tmp_path: Path) -> None:
    """From bytes or a path, at once or later: one attachment, one upload."""
    file = tmp_path / "a.png"
    file.write_bytes(b"abc")
    from_path = upload_of(path=file, data=None, filename=None, what="Media")

    ids = await asyncio.gather(*(uploader.upload(one) for one in [a_file(), a_file(), from_path]))
    ids.append(await uploader.upload(a_file()))

    assert len({*ids}) == 1
    assert steps(stage) == [("requestUpload", 200), ("putUpload", 200)]


@pytest.mark.parametrize("other", [a_file(b"abd"), a_file(filename="b.png"), a_file(filename="a.gif")])
async def test_another_content_name_or_type_is_another_upload(stage: Stage, uploader: Uploader, other: Upload) -> None:
    """Only what is the same in all three is not uploaded again."""
    assert await uploader.upload(a_file()) != await uploader.upload(other)


async def test_another_process_knows_it(
    stage: Stage, store: Store, uploader: Uploader, host: FileHost, clock: TurnedClock
) -> None:
    """What one process uploaded the others need not, while they share the store."""
    other = Uploader(stage.linq.attachments, store, host, clock=clock, random=lambda: 0.0)

    assert await uploader.upload(a_file()) == await other.upload(a_file())


async def test_after_a_day_it_is_uploaded_again(stage: Stage, uploader: Uploader, clock: TurnedClock) -> None:
    """Linq may have forgotten it by then."""
    first = await uploader.upload(a_file())
    clock.advance(milliseconds=KNOWN_MS + 1)

    assert await uploader.upload(a_file()) != first


@pytest.mark.parametrize("match", ["requestUpload", "putUpload"])
@pytest.mark.parametrize("kind", ["503", "reset"])
async def test_trouble_is_met_at_a_fresh_address(stage: Stage, uploader: Uploader, match: str, kind: str) -> None:
    """One answer lost or refused is made up for; each attempt has an attachment of its own."""
    stage.emulator.fault(kind, match=match)

    attachment_id = await uploader.upload(a_file())

    assert await read_back(stage, attachment_id) == b"abc"
    assert [name for name, status in steps(stage) if status == 200][-2:] == ["requestUpload", "putUpload"]


async def test_lasting_trouble_is_raised_after_three_attempts(stage: Stage, uploader: Uploader) -> None:
    """It is not tried for ever, and not remembered."""
    stage.emulator.fault("503", match="putUpload", count=3)

    with pytest.raises(FileError, match="answered 503"):
        await uploader.upload(a_file())

    assert sum(name == "putUpload" for name, _ in steps(stage)) == 3
    assert await uploader.upload(a_file())


async def test_a_refusal_is_not_tried_again(stage: Stage, uploader: Uploader) -> None:
    """What Linq does not take it never takes."""
    stage.emulator.fault("400", match="requestUpload", code=5004)

    with pytest.raises(MediaRefused):
        await uploader.upload(a_file())

    assert steps(stage) == [("requestUpload", 400)]


async def test_a_host_that_is_too_slow_is_given_up(
    stage: Stage, store: Store, host: FileHost, clock: TurnedClock
) -> None:
    """One attempt: a chat does not wait three times as long."""
    uploader = Uploader(stage.linq.attachments, store, host, clock=clock, random=lambda: 0.0, within_s=0.3)
    stage.emulator.fault("timeout", match="putUpload")

    with pytest.raises(FileTimeout, match=r"within 0\.3 s"):
        await uploader.upload(a_file())

    assert [name for name, _ in steps(stage)].count("requestUpload") == 1


async def test_a_rate_limit_is_waited_for(stage: Stage, uploader: Uploader, clock: TurnedClock) -> None:
    """As long as Linq says."""
    stage.emulator.fault("429", match="requestUpload", code=1007, retry_after=60)
    before_ms = clock.now_ms()

    uploading = asyncio.create_task(uploader.upload(a_file()))
    await turned_until_done(clock, uploading)

    assert await uploading
    assert clock.now_ms() - before_ms >= 60_000


async def test_a_long_wait_is_the_callers_affair(stage: Stage, uploader: Uploader) -> None:
    """A chat is not held for an hour: the error says how long Linq wants to be left alone."""
    stage.emulator.fault("429", match="requestUpload", code=1007, retry_after=3600)

    with pytest.raises(RateLimited) as caught:
        await uploader.upload(a_file())

    assert caught.value.retry_after == 3600


async def test_a_file_that_changed_since_is_refused(uploader: Uploader, tmp_path: Path, stage: Stage) -> None:
    """What would be sent is not what was checked: nothing is announced."""
    file = tmp_path / "a.png"
    file.write_bytes(b"abc")
    upload = upload_of(path=file, data=None, filename=None, what="Media")
    file.write_bytes(b"abcd")

    with pytest.raises(FileChanged, match="4 bytes"):
        await uploader.upload(upload)

    file.unlink()
    with pytest.raises(FileChanged, match="cannot be read"):
        await uploader.upload(upload)
    assert steps(stage) == []


class _Meddler(FileHost):
    """Changes the file between its announcement and its upload."""

    def __init__(self, file: Path, content: bytes) -> None:
        super().__init__()
        self._file, self._content = file, content

    async def put(self, *arguments: object, **more: object) -> int:
        """Change it, then put it."""
        self._file.write_bytes(self._content)
        return await super().put(*arguments, **more)  # type: ignore[arg-type]  # handed on as they come


@pytest.mark.parametrize("content", [b"abX", b"ab", b""])
async def test_a_file_that_changes_meanwhile_is_never_an_attachment(
    stage: Stage, store: Store, clock: TurnedClock, tmp_path: Path, content: bytes
) -> None:
    """Half old and half new is nothing to send: the upload is not completed."""
    file = tmp_path / "a.png"
    file.write_bytes(b"abc")
    meddler = _Meddler(file, content)
    uploader = Uploader(stage.linq.attachments, store, meddler, clock=clock, random=lambda: 0.0)

    with pytest.raises(FileChanged):
        await uploader.upload(upload_of(path=file, data=None, filename=None, what="Media"))

    assert all(one.content is None for one in stage.emulator.linq.vault.files.values())
    await meddler.aclose()


async def test_90_megabytes_keep_memory_flat(stage: Stage, uploader: Uploader, tmp_path: Path) -> None:
    """A large file is streamed from the disk: its bytes are never in memory together."""
    file = tmp_path / "film.mp4"
    block = bytes(range(256)) * 4096
    with file.open("wb") as out:
        for _ in range(90):
            out.write(block)
    upload = upload_of(path=file, data=None, filename=None, what="Media")

    tracemalloc.start(1)
    try:
        attachment_id = await uploader.upload(upload)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert peak < 12 * MB
    held = hashlib.sha256()
    for chunk in stage.emulator.linq.vault.files[attachment_id].chunks():
        held.update(chunk)
    assert held.digest() == hashlib.sha256(block * 90).digest()


class _Forgetful:
    """A memory that remembers nothing."""

    async def learn(self, facts: Sequence[Fact]) -> None:
        """Forget."""

    async def facts(self, keys: Iterable[str]) -> Mapping[str, Fact]:
        """Nothing."""
        return {}


async def test_the_api_key_stays_at_the_api(stage: Stage, far: FarSide, host: FileHost, clock: TurnedClock) -> None:
    """The presigned host gets the headers that Linq requires, a length, the bytes, and no credentials."""
    far.script = written("200 OK")
    api = _Api(f"http://127.0.0.1:{far.port}/up?signature=s")
    uploader = Uploader(api, _Forgetful(), host, clock=clock, random=lambda: 0.0)  # type: ignore[arg-type]  # an API of one answer

    assert await uploader.upload(a_file(b"x" * 1000)) == "A"

    head, _, body = far.seen[0].partition(b"\r\n\r\n")
    assert head.startswith(b"PUT /up?signature=s HTTP/1.1")
    assert b"content-length: 1000" in head.lower()
    assert b"content-type: image/png" in head.lower()
    assert b"x-amz-acl: private" in head.lower()
    assert b"authorization" not in head.lower()
    assert b"chunked" not in head.lower()
    assert body == b"x" * 1000


@pytest.mark.parametrize(
    "url", ["http://files.example.com/up", "ftp://files.example.com/up", "https://u:p@x.com/", "up"]
)
async def test_an_unsafe_address_is_not_used(url: str, host: FileHost, clock: TurnedClock) -> None:
    """Bytes leave over HTTPS only, or to this machine."""
    uploader = Uploader(_Api(url), _Forgetful(), host, clock=clock, random=lambda: 0.0)  # type: ignore[arg-type]  # an API of one answer

    with pytest.raises(ForeignHost) as caught:
        await uploader.upload(a_file())
    assert "example" not in str(caught.value)


class _Api:
    """Answers every announcement with one address."""

    def __init__(self, url: str) -> None:
        self._url = url

    async def create(self, *_: object) -> object:
        """The address."""
        from linqbot.client.types import UploadTicket

        headers = {"Content-Type": "image/png", "x-amz-acl": "private"}
        return UploadTicket(attachment_id="A", upload_url=self._url, required_headers=headers)


async def test_the_client_uploads_what_a_script_has(stage: Stage, tmp_path: Path) -> None:
    """By path or as bytes, without a store; every call uploads."""
    file = tmp_path / "a.png"
    file.write_bytes(b"abc")

    first = await stage.linq.attachments.upload(file)
    second = await stage.linq.attachments.upload(data=b"abc", filename="a.png")

    assert first != second
    assert await read_back(stage, first) == await read_back(stage, second) == b"abc"


@pytest.mark.parametrize(
    "given", [{}, {"path": "a.png", "data": b"abc"}, {"data": b"abc"}, {"data": b"abc", "filename": "a.exe"}]
)
async def test_what_cannot_be_uploaded_is_refused_before(stage: Stage, given: dict[str, Any]) -> None:
    """Nothing, both, a nameless or a forbidden file: a named error, and nothing is asked."""
    with pytest.raises(ReplyError):
        await stage.linq.attachments.upload(**given)

    assert steps(stage) == []


async def test_a_running_bot_remembers_its_uploads(sim: Sim) -> None:
    """`bot.client` shares the memory of the bot's store."""
    upload = sim.bot.client.attachments.upload

    assert await upload(data=b"abc", filename="a.png") == await upload(data=b"abc", filename="a.png")


def test_a_ticket_shows_no_address() -> None:
    """A presigned address is a permission: no repr shows it."""
    from linqbot.client.types import UploadTicket

    assert "example" not in repr(UploadTicket(attachment_id="A", upload_url="https://example.com/up?signature=s"))
    assert issubclass(MediaRefused, Refusal)
