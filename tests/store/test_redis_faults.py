"""Redis in trouble: full, read-only, killed, busy, forgetful, foreign. What must work works; the rest is unavailable."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest
from redis.exceptions import ResponseError

from linqbot.errors import ConfigurationError, LayoutError, StoreError, StoreUnavailable
from linqbot.ids import random_token
from linqbot.records import Accepted, Committed, DeadLetter, Fact, Limits, Sent, Side, Stats, Wait
from linqbot.store.redis.faults import store_error
from linqbot.store.redis.store import RedisStore
from linqbot.testing.clock import TurnedClock
from linqbot.testing.store_contract.samples import LANE, arrival, freeze, lease, letter, reply, turn
from tests.store.redis_server import KINDS, Server, raw

NAMESPACE = "faults"


@pytest.fixture(params=KINDS)
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    """A server of the test's own."""
    with Server(request.param) as running:
        yield running


def store_on(server: Server, clock: TurnedClock, *, url: str | None = None) -> RedisStore:
    return RedisStore(url or server.url, clock=clock, namespace=NAMESPACE, limits=Limits())


async def fill(server: Server) -> None:
    """Make the server count its memory as full."""
    async with raw(server.url) as client:
        await client.config_set("maxmemory", "1")


async def drain(server: Server) -> None:
    async with raw(server.url) as client:
        await client.config_set("maxmemory", "0")


async def ask_while_running(store: RedisStore, foreign: asyncio.Future[object]) -> None:
    """The server answers as before until the foreign script has run for its time limit."""
    while not foreign.done():
        await store.stats()


async def test_a_full_memory_refuses_events(server: Server, clock: TurnedClock) -> None:
    """Accepting is unavailable, and works again when there is room."""
    async with store_on(server, clock) as store:
        await fill(server)
        with pytest.raises(StoreUnavailable):
            await store.accept(arrival("e1"))
        with pytest.raises(StoreUnavailable):
            await store.bury(letter("e1"))
        await drain(server)
        assert await store.accept(arrival("e1")) is Accepted.ACCEPTED


async def test_a_full_memory_still_knows_its_duplicates(server: Server, clock: TurnedClock) -> None:
    """An event that is kept already needs no room."""
    async with store_on(server, clock) as store:
        await store.accept(arrival("e1"))
        await fill(server)
        assert await store.accept(arrival("e1")) is Accepted.DUPLICATE


async def test_a_full_memory_lets_work_come_to_its_end(server: Server, clock: TurnedClock) -> None:
    """Whatever leads to less works: lease, note, commit with replies, settle, and all in between."""
    async with store_on(server, clock) as store:
        for event_id in ("e1", "e2", "e3"):
            await store.accept(arrival(event_id))
        await fill(server)
        held = await lease(store)
        assert await store.note(LANE, held.token, "name", b"value") == b"value"
        assert await store.beat(Side.IN, [(LANE, held.token)]) == frozenset()
        assert await store.retry(LANE, held.token, delay_ms=0)
        assert await store.release(Side.IN, LANE, (await lease(store)).token)
        held = await lease(store)
        replies = [reply("k1"), reply("k2"), reply("k3")]
        assert await store.commit(turn(held, take=3, replies=replies, dead=[letter("e2")])) is Committed.COMMITTED
        held = await lease(store, Side.OUT)
        await store.learn([Fact(key="opted-out:a", value=b"1")])
        assert await store.settle(LANE, held.token, Wait(delay_ms=0, reason="later", ambiguous=True, burn=True))
        assert await store.settle(LANE, (await lease(store, Side.OUT)).token, Sent(message_id="m1"))
        held = await lease(store, Side.OUT)
        clock.advance(seconds=31)
        assert (await lease(store, Side.OUT)).stalls == 1
        assert await store.sweep() == 0
        assert await store.drop("event", "e2")
        assert await store.stats() == Stats(inbox=0, outbox=2, dead=0, timers=0)


async def test_a_full_memory_is_not_ready(server: Server, clock: TurnedClock) -> None:
    """A ping fails, so that health pages tell."""
    async with store_on(server, clock) as store:
        await store.ping()
        await fill(server)
        with pytest.raises(StoreUnavailable):
            await store.ping()


async def test_a10_scripts_that_the_server_forgot_are_sent_again(server: Server, clock: TurnedClock) -> None:
    """SCRIPT FLUSH is not noticed, not even by calls that share a pipeline.

    Held by NOSCRIPT, the one error after which a script is sent with its text.
    """
    async with store_on(server, clock) as store, raw(server.url) as client:
        await store.accept(arrival("e0"))
        await client.script_flush()
        results = await asyncio.gather(
            *(store.accept(arrival(f"e{i}", f"chat:{i}")) for i in range(1, 10)), store.stats()
        )
        assert results[:-1] == [Accepted.ACCEPTED] * 9
        assert (await store.stats()).inbox == 10


@pytest.mark.parametrize("kind", KINDS)
async def test_a_killed_server_comes_back_with_what_it_acknowledged(kind: str, clock: TurnedClock) -> None:
    """While it is down the store is unavailable; afterwards the lease still holds and the turn can end."""
    with Server(kind, appendonly="yes", appendfsync="always") as server:
        async with store_on(server, clock) as store:
            assert (await store.durability()).grade == "D2"
            await store.accept(arrival("e1"))
            held = await lease(store)
            server.kill()
            with pytest.raises(StoreUnavailable):
                await store.commit(turn(held))
            server.start()
            assert await store.commit(turn(held, replies=[reply("k1")])) is Committed.COMMITTED
            assert await store.accept(arrival("e1")) is Accepted.DUPLICATE
            assert await store.stats() == Stats(inbox=0, outbox=1, dead=0, timers=0)


async def test_connections_the_server_closed_are_opened_again(server: Server, clock: TurnedClock) -> None:
    """An idle connection that the server closed is not noticed by the next call."""
    async with store_on(server, clock) as store, raw(server.url) as client:
        await store.accept(arrival("e1"))
        for entry in await client.client_list():
            if int(entry["id"]) != await client.client_id():
                await client.client_kill_filter(_id=entry["id"])
        assert await store.accept(arrival("e2")) is Accepted.ACCEPTED


async def test_a_read_only_replica_is_unavailable_until_it_is_promoted(server: Server, clock: TurnedClock) -> None:
    """READONLY after a fail-over passes."""
    async with store_on(server, clock) as store, raw(server.url) as client:
        await client.execute_command("REPLICAOF", "127.0.0.1", "1")
        with pytest.raises(StoreUnavailable):
            await store.accept(arrival("e1"))
        await client.execute_command("REPLICAOF", "NO", "ONE")
        assert await store.accept(arrival("e1")) is Accepted.ACCEPTED


async def test_a_replica_without_its_master_is_unavailable(server: Server, clock: TurnedClock) -> None:
    """MASTERDOWN passes."""
    async with store_on(server, clock) as store, raw(server.url) as client:
        await client.config_set("replica-serve-stale-data", "no")
        await client.execute_command("REPLICAOF", "127.0.0.1", "1")
        with pytest.raises(StoreUnavailable):
            await store.stats()


async def test_a_server_without_the_replicas_it_wants_is_unavailable(server: Server, clock: TurnedClock) -> None:
    """NOREPLICAS passes."""
    async with store_on(server, clock) as store, raw(server.url) as client:
        await client.config_set("min-replicas-to-write", "1")
        with pytest.raises(StoreUnavailable):
            await store.accept(arrival("e1"))


async def test_a_server_busy_with_a_foreign_script_is_unavailable(server: Server, clock: TurnedClock) -> None:
    """BUSY passes when the script is killed."""
    async with store_on(server, clock) as store, raw(server.url) as client, raw(server.url) as other:
        await client.config_set("lua-time-limit", "10")
        foreign = asyncio.ensure_future(other.eval("while true do end", 0))
        with pytest.raises(StoreUnavailable, match="BUSY"):
            await ask_while_running(store, foreign)
        await client.script_kill()
        with pytest.raises(ResponseError):
            await foreign
        await store.ping()


@pytest.mark.parametrize(
    "text",
    [
        "ERR Error running script (call to f_0): @user_script:1: @user_script: 1: -OOM command not allowed",
        "ERR Error running script (call to f_0): @user_script:1: @user_script: 1: -READONLY You can't write",
        "MISCONF Redis is configured to save RDB snapshots, but it's currently unable to persist to disk.",
        "LOADING Redis is loading the dataset in memory",
        "CLUSTERDOWN The cluster is down",
    ],
)
def test_what_passes_is_unavailable_whatever_its_shape(text: str) -> None:
    """Redis 6.2 wraps errors of scripts in text; others are rare to see."""
    assert isinstance(store_error(ResponseError(text), "accept"), StoreUnavailable)


async def test_a_key_of_the_wrong_type_is_not_called_unavailable(server: Server, clock: TurnedClock) -> None:
    """Something else writes into the namespace: trying again cannot help, so the error says what to look for."""
    async with store_on(server, clock) as store, raw(server.url) as client:
        await client.set("lb1:{faults.0}:in:ready", "not ours")
        with pytest.raises(StoreError, match="something else") as caught:
            await store.lease(Side.IN, [random_token()])
        assert not isinstance(caught.value, StoreUnavailable)


async def test_one_failing_script_fails_no_other_of_its_pipeline(server: Server, clock: TurnedClock) -> None:
    """Calls of one turn travel together, errors come back one by one."""
    async with store_on(server, clock) as store, raw(server.url) as client:
        await client.set("lb1:{faults.0}:in:ready", "not ours")
        bad, good = await asyncio.gather(store.lease(Side.IN, [random_token()]), store.stats(), return_exceptions=True)
        assert isinstance(bad, StoreError)
        assert good == Stats(inbox=0, outbox=0, dead=0, timers=0)


async def test_a_server_that_evicts_keys_is_refused(server: Server, clock: TurnedClock) -> None:
    """Eviction loses events; the error names the setting."""
    async with raw(server.url) as client:
        await client.config_set("maxmemory-policy", "allkeys-lru")
    with pytest.raises(ConfigurationError, match="noeviction"):
        await store_on(server, clock).__aenter__()


async def test_a_server_that_hides_its_configuration_is_asked_otherwise(server: Server, clock: TurnedClock) -> None:
    """Where CONFIG is blocked, INFO says whether keys are evicted and whether there is a log."""
    async with raw(server.url) as client:
        await client.execute_command("ACL", "SETUSER", "app", "on", ">secret", "~*", "+@all", "-config")
    url = server.url.replace("redis://", "redis://app:secret@")
    async with store_on(server, clock, url=url) as store:
        assert (await store.durability()).grade == "D0"
        async with raw(server.url) as client:
            await client.config_set("maxmemory-policy", "volatile-ttl")
        with pytest.raises(ConfigurationError, match="noeviction"):
            await store_on(server, clock, url=url).__aenter__()


async def test_a_server_that_tells_nothing_is_used_with_a_warning(server: Server, clock: TurnedClock) -> None:
    """Without CONFIG and INFO the store opens; nothing is claimed about what survives."""
    async with raw(server.url) as client:
        await client.execute_command("ACL", "SETUSER", "app", "on", ">secret", "~*", "+@all", "-config", "-info")
    async with store_on(server, clock, url=server.url.replace("redis://", "redis://app:secret@")) as store:
        assert (await store.durability()).grade == "D0"
        assert await store.accept(arrival("e1")) is Accepted.ACCEPTED


async def test_a_wrong_password_is_a_wrong_setting(server: Server, clock: TurnedClock) -> None:
    """It is not worth trying again, and the password is not told."""
    with pytest.raises(ConfigurationError, match="REDIS_URL") as caught:
        await store_on(server, clock, url=server.url.replace("redis://", "redis://nobody:hunter2@")).__aenter__()
    assert "hunter2" not in str(caught.value)


async def test_a8_a_newer_layout_is_refused_and_left_alone(server: Server, clock: TurnedClock) -> None:
    """An old release never writes into a namespace that a newer one has taken over.

    Held by the number of the layout in `meta`, looked at before anything else.
    """
    async with raw(server.url) as client:
        await client.hset("lb1:{faults.0}:meta", "layout", "2")
        with pytest.raises(LayoutError, match="newer"):
            await store_on(server, clock).__aenter__()
        assert await client.hgetall("lb1:{faults.0}:meta") == {b"layout": b"2"}


async def test_the_number_of_buckets_stays_as_it_was_made(server: Server, clock: TurnedClock) -> None:
    """A process with another capacity finds the same ids."""
    async with store_on(server, clock) as store:
        await store.accept(arrival("e1"))
    small = RedisStore(server.url, clock=clock, namespace=NAMESPACE, limits=Limits(dedupe_capacity=1_000))
    async with small as store:
        assert await store.accept(arrival("e1")) is Accepted.DUPLICATE


@pytest.mark.parametrize("kind", KINDS)
async def test_four_processes_fit_a_plan_of_twenty_connections(kind: str, clock: TurnedClock) -> None:
    """Working and waiting on both sides, a store holds at most four."""
    with Server(kind, maxclients="20") as server:
        stores = [store_on(server, clock) for _ in range(4)]
        for store in stores:
            await store.__aenter__()
        waits = [asyncio.ensure_future(store.wait(side, 5_000)) for store in stores for side in Side]
        work = [store.accept(arrival(f"{n}-{i}")) for i in range(100) for n, store in enumerate(stores)]
        assert set(await asyncio.gather(*work)) == {Accepted.ACCEPTED}
        async with raw(server.url) as client:
            assert len(await client.client_list()) <= 17
        for wait in waits:
            wait.cancel()
        await asyncio.wait(waits)
        for store in stores:
            await store.__aexit__(None, None, None)


async def test_a_server_that_is_not_there_is_unavailable(clock: TurnedClock) -> None:
    """Entering says so at once."""
    with pytest.raises(StoreUnavailable):
        await RedisStore("redis://127.0.0.1:1/0", clock=clock, namespace=NAMESPACE, limits=Limits()).__aenter__()


async def test_a_closed_store_is_unavailable(server: Server, clock: TurnedClock) -> None:
    """A call after closing is refused; closing twice is harmless."""
    store = store_on(server, clock)
    async with store:
        await freeze(store, reply("k1"))
    await store.__aexit__(None, None, None)
    with pytest.raises(StoreUnavailable, match="closed"):
        await store.bury(DeadLetter(id="d", kind="event", reason="r"))


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("redis://127.0.0.1:6379/zero", "number of a database"),
        ("redis://127.0.0.1:6379/0?ssl_cert_reqs=none", "LINQBOT_REDIS_TLS"),
        ("redis://:hunter2@127.0.0.1:port", "looks like"),
    ],
)
def test_a_url_that_cannot_be_meant_is_refused(url: str, said: str, clock: TurnedClock) -> None:
    """With the remedy, and without the password."""
    with pytest.raises(ConfigurationError, match=said) as caught:
        RedisStore(url, clock=clock, namespace=NAMESPACE, limits=Limits())
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("namespace", ["", "a}b", "{"])
def test_a_namespace_that_would_break_the_hash_tag_is_refused(namespace: str, clock: TurnedClock) -> None:
    """All keys of a script must lie in one slot."""
    with pytest.raises(ConfigurationError, match="LINQBOT_NAMESPACE"):
        RedisStore("redis://127.0.0.1:6379/0", clock=clock, namespace=namespace, limits=Limits())
