"""Files that are missing, foreign, newer, deleted or full, and what the SQLite store makes of them."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from linqbot.errors import ConfigurationError, LayoutError, StoreUnavailable
from linqbot.records import Accepted, Limits
from linqbot.store.sqlite.address import parse
from linqbot.store.sqlite.sql import layouts, statements
from linqbot.store.sqlite.store import SqliteStore
from linqbot.testing.clock import TurnedClock
from linqbot.testing.store_contract.samples import arrival, drain, fact, noise, reply, send_all
from tests.store.sqlite_file import limit_pages, open_at, read, remove, scribble, tamper

LAYOUT = 1


async def test_folders_are_made(tmp_path: Path, clock: TurnedClock) -> None:
    """A new place needs no preparation."""
    async with open_at(tmp_path / "some" / "where" / "bot.db", clock):
        pass

    assert (tmp_path / "some" / "where" / "bot.db").is_file()


async def test_relative_path_is_relative(tmp_path: Path, clock: TurnedClock, monkeypatch: pytest.MonkeyPatch) -> None:
    """Three slashes: from the folder where the program runs."""
    monkeypatch.chdir(tmp_path)
    async with SqliteStore("sqlite:///.linqbot/bot.db", clock=clock, namespace="bot", limits=Limits()):
        pass

    assert (tmp_path / ".linqbot" / "bot.db").is_file()


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///", "sqlite://bot.db", "sqlite:///folder/", "redis://x"])
def test_url_without_a_file_is_refused(url: str) -> None:
    """A wrong URL is a setting to correct."""
    with pytest.raises(ConfigurationError, match="names no file"):
        parse(url)


def test_private_memories_are_private() -> None:
    """Each `:memory:` is another."""
    assert parse("sqlite:///:memory:").name != parse("sqlite:///:memory:").name


async def test_a8_a_newer_layout_is_refused(file: Path, clock: TurnedClock) -> None:
    """A file of a newer linqbot is not touched.

    Held by `PRAGMA user_version`, looked at before anything else.
    """
    async with open_at(file, clock):
        pass
    tamper(file, f"PRAGMA user_version = {LAYOUT + 1}")

    with pytest.raises(LayoutError, match=f"layout {LAYOUT + 1}"):
        await open_at(file, clock).__aenter__()


async def test_file_of_the_first_release_is_completed(file: Path, clock: TurnedClock) -> None:
    """What came to the layout later is added beside what is there, once; the number of the layout stays."""
    tamper(file, *statements(layouts()[LAYOUT]), "PRAGMA user_version = 1", f"PRAGMA application_id = {0x6C716231}")

    for _ in range(2):
        async with open_at(file, clock, Limits(line_budget=9)) as store:
            await store.learn([fact("k")])
            await store.post([reply("key-1")])
            assert await send_all(store) == ["key-1"]
            record = await store.sent("message-of-key-1")
            assert record is not None
            assert record.status == "sent"
    assert read(file, "PRAGMA user_version") == LAYOUT


async def test_facts_leave_the_file_when_their_time_is_over(file: Path, clock: TurnedClock) -> None:
    """The sweep takes them, and leaves those that stay."""
    async with open_at(file, clock) as store:
        await store.learn([fact("passing", ttl_ms=1_000), fact("forgotten", None, ttl_ms=1_000), fact("stays")])
        clock.advance(seconds=2)
        await store.sweep()

    assert read(file, "SELECT group_concat(key) FROM fact") == "stays"


async def test_database_of_another_program_is_refused(file: Path, clock: TurnedClock) -> None:
    """Somebody else's tables stay alone."""
    tamper(file, "CREATE TABLE theirs (x)")

    with pytest.raises(LayoutError, match="another program"):
        await open_at(file, clock).__aenter__()


async def test_file_that_is_no_database_is_refused(file: Path, clock: TurnedClock) -> None:
    """Neither overwritten nor a crash: the second start finds it as the first did."""
    scribble(file)

    with pytest.raises(LayoutError, match="not a database"):
        await open_at(file, clock).__aenter__()

    with pytest.raises(LayoutError, match="not a database"):
        await open_at(file, clock).__aenter__()


async def test_place_that_cannot_be_made_is_unavailable(tmp_path: Path, clock: TurnedClock) -> None:
    """A file where a folder should be."""
    (tmp_path / "wall").write_text("")

    with pytest.raises(StoreUnavailable, match="cannot be opened"):
        await open_at(tmp_path / "wall" / "bot.db", clock).__aenter__()


async def test_deleted_file_is_unavailable(file: Path, clock: TurnedClock) -> None:
    """Writing into a file that nobody will find again is not keeping."""
    async with open_at(file, clock) as store:
        remove(file)

        with pytest.raises(StoreUnavailable, match="deleted or replaced"):
            await store.accept(arrival("event-1"))


async def test_replaced_file_is_unavailable(file: Path, clock: TurnedClock) -> None:
    """Another file of the same name is not the store."""
    async with open_at(file, clock) as store:
        scribble(file)

        with pytest.raises(StoreUnavailable, match="deleted or replaced"):
            await store.ping()


async def test_file_is_durable_against_power_loss(file: Path, clock: TurnedClock) -> None:
    """WAL and FULL, read from the open database."""
    async with open_at(file, clock) as store:
        assert (await store.durability()).grade == "D2"


async def test_memory_promises_nothing(clock: TurnedClock) -> None:
    """Gone with the program."""
    async with SqliteStore("sqlite:///:memory:", clock=clock, namespace="bot", limits=Limits()) as store:
        assert (await store.durability()).grade == "D0"


async def test_log_stays_bounded(file: Path, clock: TurnedClock) -> None:
    """However much is written, the write-ahead log is folded into the file on the way."""
    async with open_at(file, clock, Limits(inbox_cap_bytes=10**9)) as store:
        for number in range(40):
            await store.accept(arrival(f"event-{number}", f"lane-{number}", body=noise(1_000_000)))
            await drain(store)

        assert file.with_name("bot.db-wal").stat().st_size <= 20_000_000


async def test_full_disk_is_unavailable_and_passes(file: Path, clock: TurnedClock) -> None:
    """No room: an error without a trace; what is there can be worked off, and then there is room again."""
    async with open_at(file, clock) as store:
        await store.accept(arrival("event-1", body=noise(100_000)))
        await limit_pages(store, 25)

        with pytest.raises(StoreUnavailable, match="full"):
            await store.accept(arrival("event-2", body=noise(200_000)))

        assert await drain(store) == ["event-1"]
        assert await store.accept(arrival("event-2", body=noise(50_000))) is Accepted.ACCEPTED


async def test_one_that_does_not_fit_does_not_spoil_the_others(file: Path, clock: TurnedClock) -> None:
    """Verbs of one shared transaction fail alone."""
    async with open_at(file, clock) as store:
        await limit_pages(store, 25)

        answers = await asyncio.gather(
            *(store.accept(arrival(f"event-{n}", body=noise(9_000_000) if n == 5 else b"")) for n in range(10)),
            return_exceptions=True,
        )

        assert [isinstance(one, StoreUnavailable) for one in answers] == [n == 5 for n in range(10)]
        assert await drain(store) == [f"event-{n}" for n in range(10) if n != 5]
