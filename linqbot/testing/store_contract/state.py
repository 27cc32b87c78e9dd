"""state writes -> cells with versions: what a turn read is what it may replace."""

from __future__ import annotations

from dataclasses import replace

from linqbot.ids import random_token
from linqbot.records import Commit, Committed, StateWrite, TimerWrite
from linqbot.store.base import Store
from linqbot.testing.store_contract.opening import StoreFixtures
from linqbot.testing.store_contract.samples import arrival, event, lease, letter, nothing, reply, turn


async def _held_turn(store: Store, *writes: StateWrite) -> Commit:
    """A leased turn that writes these."""
    await store.accept(arrival(f"event-{random_token()}"))
    return replace(turn(await lease(store)), state=writes)


async def _write(store: Store, key: str, value: bytes | None, *, expected: int) -> Committed:
    """One write in a turn of its own; an event that met a conflict is ended without it."""
    commit = await _held_turn(store, StateWrite(key=key, expected=expected, value=value))
    answer = await store.commit(commit)
    if answer is Committed.CONFLICT:
        assert await store.commit(replace(commit, state=())) is Committed.COMMITTED
    return answer


class StateContract(StoreFixtures):
    """What a user's state may rely on."""

    async def test_absent_state_is_left_out(self, store: Store) -> None:
        """Only what is there is loaded."""
        assert dict(await store.load(["profile", "cart"])) == {}

    async def test_no_keys_no_cells(self, store: Store) -> None:
        """Asked for nothing, nothing comes."""
        assert dict(await store.load([])) == {}

    async def test_written_state_is_loaded(self, store: Store) -> None:
        """Any bytes, under any key."""
        await _write(store, "profile:ü", b"\x00\xff", expected=0)

        cells = await store.load(["profile:ü", "cart"])

        assert {key: cell.value for key, cell in cells.items()} == {"profile:ü": b"\x00\xff"}

    async def test_keys_may_be_any_iterable(self, store: Store) -> None:
        """A generator is read once and whole."""
        await _write(store, "a", b"1", expected=0)
        await _write(store, "b", b"2", expected=0)

        assert set(await store.load(key for key in ("a", "b", "c"))) == {"a", "b"}

    async def test_state_of_a_time_is_kept_for_it(self, store: Store) -> None:
        """It may be gone afterwards; another write keeps it for good."""
        commit = await _held_turn(store, StateWrite(key="profile", expected=0, value=b"1", ttl_ms=60_000))
        assert await store.commit(commit) is Committed.COMMITTED

        cell = (await store.load(["profile"]))["profile"]
        assert cell.value == b"1"
        assert await _write(store, "profile", b"2", expected=cell.version) is Committed.COMMITTED

    async def test_every_write_raises_the_version(self, store: Store) -> None:
        """The version that was read is the ticket for the next write."""
        await _write(store, "profile", b"1", expected=0)
        first = (await store.load(["profile"]))["profile"]
        assert await _write(store, "profile", b"2", expected=first.version) is Committed.COMMITTED

        second = (await store.load(["profile"]))["profile"]

        assert first.version > 0
        assert (second.value, second.version > first.version) == (b"2", True)

    async def test_changed_state_is_a_conflict(self, store: Store) -> None:
        """Somebody wrote since: refused."""
        await _write(store, "profile", b"1", expected=0)
        read = (await store.load(["profile"]))["profile"].version
        await _write(store, "profile", b"2", expected=read)

        assert await _write(store, "profile", b"3", expected=read) is Committed.CONFLICT

        assert (await store.load(["profile"]))["profile"].value == b"2"

    async def test_present_state_is_a_conflict_for_who_saw_none(self, store: Store) -> None:
        """0 means: it was not there."""
        await _write(store, "profile", b"1", expected=0)

        assert await _write(store, "profile", b"2", expected=0) is Committed.CONFLICT

    async def test_absent_state_is_a_conflict_for_who_saw_one(self, store: Store) -> None:
        """What was read is gone."""
        assert await _write(store, "profile", b"2", expected=3) is Committed.CONFLICT

    async def test_deleted_state_is_absent(self, store: Store) -> None:
        """None removes the cell."""
        await _write(store, "profile", b"1", expected=0)
        read = (await store.load(["profile"]))["profile"].version

        assert await _write(store, "profile", None, expected=read) is Committed.COMMITTED

        assert dict(await store.load(["profile"])) == {}

    async def test_state_that_was_deleted_and_made_anew_is_another(self, store: Store) -> None:
        """A version never comes again, so a reader of the old cell cannot overwrite the new one."""
        await _write(store, "profile", b"old", expected=0)
        read = (await store.load(["profile"]))["profile"].version
        await _write(store, "profile", None, expected=read)
        await _write(store, "profile", b"new", expected=0)

        assert await _write(store, "profile", b"late", expected=read) is Committed.CONFLICT

    async def test_conflict_changes_nothing_at_all(self, store: Store) -> None:
        """One wrong version among several writes: no state, reply, letter, timer or end is stored; the lease stays."""
        await _write(store, "taken", b"1", expected=0)
        commit = await _held_turn(
            store, StateWrite(key="free", expected=0, value=b"x"), StateWrite(key="taken", expected=0, value=b"x")
        )
        loaded = replace(
            commit,
            replies=(reply("key-1"),),
            dead=(letter("event-9"),),
            timers=(TimerWrite(key="t", due_ms=1, item=event("timer-1")),),
        )

        assert await store.commit(loaded) is Committed.CONFLICT

        stats = await store.stats()
        assert (stats.inbox, stats.outbox, stats.dead, stats.timers) == (1, 0, 0, 0)
        assert set(await store.load(["free", "taken"])) == {"taken"}
        assert await nothing(store)
        assert await store.commit(replace(loaded, state=())) is Committed.COMMITTED

    async def test_stale_turn_writes_no_state(self, store: Store) -> None:
        """Neither on a repeat: a version rises once."""
        commit = await _held_turn(store, StateWrite(key="profile", expected=0, value=b"1"))
        await store.commit(commit)
        first = (await store.load(["profile"]))["profile"]

        assert await store.commit(commit) is Committed.STALE

        assert (await store.load(["profile"]))["profile"] == first
