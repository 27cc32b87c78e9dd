"""The store in trouble, seen from the front door: webhooks are kept or put off, and afterwards everybody has one answer.

Each test is a row of the fault catalogue; its docstring is the promise and the mechanism that holds it. The troubles are
real: a server that is full, busy, paused, read-only or gone, and a line that cuts, delays and swallows bytes.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, ExitStack, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median

import pytest
import trustme
from redis.asyncio import Redis
from structlog.testing import capture_logs

from linqbot.errors import ConfigurationError
from tests.faults.proxy import FaultProxy
from tests.faults.stage import Stage
from tests.faults.town import ALICE, BOB, CAROL, open_town
from tests.faults.troubles import Trouble, busy, cannot_save, loading, read_only
from tests.store.redis_server import KINDS, Server, raw, session_url
from tests.store.sqlite_file import remove
from tests.store.test_sqlite_processes import Processes, line
from tests.store.tls_proxy import Proxy


@pytest.fixture
def server() -> Iterator[Server]:
    """A server of the test's own, which keeps what it acknowledged."""
    with Server(KINDS[0], appendonly="yes", appendfsync="always") as running:
        yield running


@pytest.fixture
def processes() -> Iterator[Processes]:
    """A starter of processes."""
    with ExitStack() as stack:
        yield Processes(stack)


@pytest.fixture
async def bad_line() -> AsyncIterator[FaultProxy]:
    """A line to the session's server."""
    port = int(session_url(KINDS[0]).rsplit(":", 1)[1].partition("/")[0])
    async with FaultProxy(port) as proxy:
        yield proxy


def texts(word: str, count: int) -> list[str]:
    """So many different things to say."""
    return [f"{word} {number}" for number in range(count)]


async def test_s1_redis_killed_and_restarted_again_and_again(server: Server) -> None:
    """Three SIGKILLs of a Redis with a log: webhooks are put off meanwhile, and everybody is answered once.

    Held by 2xx only after accept, Linq's own repeats, and stations that insist until the store answers again.
    """
    async with open_town(server.url) as town:
        for round_number in range(3):
            await town.write_at_once(*texts(f"up {round_number}", 4))
            server.kill()
            await town.write_at_once(*texts(f"down {round_number}", 4))
            assert 503 in town.statuses()
            server.start()
        await town.all_is_well()


async def test_s1_told_to_leave_while_redis_is_gone_it_leaves_at_once(server: Server) -> None:
    """A drain does not wait for a store that is away: what is unfinished lies there, and the next process has it.

    Held by the finishing dispatcher, which ends when it holds nothing and cannot look.
    """
    async with open_town(server.url) as town:
        await town.write(ALICE, "before")
        await town.sim.settled()
        server.kill()
        async with asyncio.timeout(5):
            await town.bot.__aexit__(None, None, None)
        server.start()
        await town.bot.__aenter__()
        await town.write(ALICE, "after")
        await town.all_is_well()


async def test_s2_redis_restarted_empty_forgets_but_repeats_nothing() -> None:
    """A Redis without a log that comes back empty: the bot works on without a restart, and what Linq repeats of events
    that were answered before reaches nobody twice.

    Held by keys that are derived from the event and not stored: Linq knows the repeated reply. What was acknowledged and
    not finished is lost; durability D0 is declared at start.
    """
    with Server(KINDS[0]) as server:
        async with open_town(server.url) as town:
            first = await town.sim.emulator.inbound(ALICE, text="before")
            await town.sim.settled()
            server.kill()
            server.start()
            with capture_logs() as logs:
                await town.sim.emulator.inbound(
                    ALICE, text="before", event_id=first.event_id, message_id=first.message_id
                )
                await town.sim.emulator.inbound(BOB, text="after")
                await town.until(lambda: town.sim.said_to(BOB), turn=True)
                await town.until(lambda: town.sim.emulator.counters["replays"], turn=True)
                await town.sim.settled()
            assert [bubble.text for bubble in town.sim.replies] == ["before", "after"]
            assert town.sim.emulator.counters["key_conflicts"] == 0
            assert "station broke, started again" not in [entry["event"] for entry in logs]


async def test_s3_a_line_that_swallows_everything_is_answered_503_in_bounds(bad_line: FaultProxy) -> None:
    """Nothing comes back and nothing is closed: the first webhooks wait 2 s at most, the next not at all, none hangs.

    Held by the deadline of the store in ingress, its breaker after three failures, and time-outs on every connection.
    """
    async with open_town(bad_line.url) as town:
        await town.write(ALICE, "before")
        bad_line.silent = True
        await town.write_at_once(*texts("silence", 3))
        await town.write_at_once(*texts("known silence", 5))
        assert {answer.status for answer in town.bot.answers[-5:]} == {503}
        assert median(answer.took_s for answer in town.bot.answers[-5:]) < 0.05
        bad_line.heal()
        await town.all_is_well()


@pytest.mark.parametrize("trouble", [{"latency_s": 1.5, "jitter_s": 1.5}, {"bytes_per_s": 1_000}])
async def test_s4_slow_redis_puts_off_and_piles_up_no_connections(
    bad_line: FaultProxy, trouble: dict[str, float]
) -> None:
    """Answers that take 1.5 to 3 s, or trickle at 1 kB/s: every webhook is answered within bounds, and the number of
    connections stays small.

    Held by the deadline in ingress, calls that share pipelines, and a pool that waits instead of growing.
    """
    async with open_town(bad_line.url) as town:
        await town.write(ALICE, "before")
        for name, value in trouble.items():
            setattr(bad_line, name, value)
        for round_number in range(2):
            await town.write_at_once(*texts(f"slow {round_number}", 20))
        assert bad_line.most <= 6
        bad_line.heal()
        await town.all_is_well()


async def test_s5_requests_that_arrive_in_part_are_made_again(bad_line: FaultProxy) -> None:
    """A request is cut after 1, 40, 400 bytes on its way to Redis, a dozen times: everybody is answered once.

    Held by frames: half a command is no command, so the client sends it again; and by verbs that are safe to repeat.
    """
    async with open_town(bad_line.url) as town:
        bad_line.cut_requests = [1, 40, 400] * 4
        while bad_line.cut_requests:
            await town.write_at_once(*texts(f"{len(bad_line.cut_requests)} left", 3))
            town.sim.clock.advance(seconds=2)  # the breaker of ingress lets the next ones try
        await town.all_is_well()
        assert bad_line.broken >= 12


async def test_s6_half_an_answer_shifts_no_other(bad_line: FaultProxy) -> None:
    """Answers break off after any number of bytes: each person is answered what they wrote, not what a neighbour did.

    Held by dropping a connection that broke in the middle: what is read next comes from a fresh one. Verbs that were done
    already are safe to repeat.
    """
    async with open_town(bad_line.url) as town:
        bad_line.cut_answers = [0, 1, 2, 3, 5, 8, 13, 21, 34, 55, 89, 144]
        while bad_line.cut_answers:
            await town.write_at_once(*texts(f"{len(bad_line.cut_answers)} left", 3))
            town.sim.clock.advance(seconds=2)  # the breaker of ingress lets the next ones try
        await town.all_is_well()
        assert bad_line.broken >= 12


async def test_s7_a_full_redis_refuses_events_and_works_off_what_it_has(server: Server) -> None:
    """Memory at its limit: new events are put off, what was acknowledged before is handled, answered and ended, and when
    there is room again, what was put off comes.

    Held by an accept whose first write is refused when full, and scripts that begin by freeing where work comes to its end.
    """
    async with open_town(server.url) as town, raw(server.url) as client:
        await town.write(ALICE, "wait one")
        await town.bot.at_work.wait()
        await town.write(ALICE, "two")
        await client.config_set("maxmemory", "1")
        town.statuses()
        await town.write(BOB, "three")
        assert set(town.statuses()) == {503}
        town.bot.go_on.set()
        await town.until(lambda: len(town.sim.said_to(ALICE)) == 2)
        await town.until(lambda: town.bot.idle)
        assert (await town.bot.store.stats()).outbox == 0
        await client.config_set("maxmemory", "0")
        await town.all_is_well()


@pytest.mark.parametrize("policy", ["allkeys-lru", "volatile-ttl"])
async def test_s8_a_redis_that_evicts_is_refused(server: Server, policy: str) -> None:
    """The bot does not start on a server that throws keys away, and says which setting to change.

    Held by reading the server's configuration before the first event.
    """
    async with raw(server.url) as client:
        await client.config_set("maxmemory-policy", policy)
    with pytest.raises(ConfigurationError, match="noeviction"):
        await open_town(server.url).__aenter__()


async def test_s9_a_failover_that_loses_the_last_moments_repeats_nothing() -> None:
    """The replica that is promoted knows a reply as waiting that was sent, and does not know an event that was answered:
    the reply is sent again, the event handled again, and the person sees each once.

    Held by keys that are derived from the event and frozen with the reply, so that Linq recognises both. An event that
    nobody repeats and only the lost primary knew would be lost: durability D1, declared.
    """
    async with AsyncExitStack() as stack:
        primary, replica = (stack.enter_context(Server(KINDS[0], repl_diskless_sync_delay="0")) for _ in range(2))
        front = await stack.enter_async_context(FaultProxy(primary.port))
        link = await stack.enter_async_context(FaultProxy(primary.port))
        old, new = [await stack.enter_async_context(raw(one.url)) for one in (primary, replica)]
        await new.execute_command("REPLICAOF", "127.0.0.1", str(link.port))
        town = await stack.enter_async_context(open_town(front.url))
        emulator = town.sim.emulator
        await until_replicated(old)

        for receipt in ("sent", "delivered", "read"):  # which would spare us the repeat
            emulator.fault("drop", match=f"webhook:message.{receipt}", count=None, attempts=10)
        emulator.fault("slow_after", seconds=5)
        await emulator.inbound(ALICE, text="in flight")
        await town.until(lambda: town.sim.said_to(ALICE))
        await until_replicated(old)
        link.silent = True
        town.sim.clock.advance(seconds=6)
        await town.sim.settled()
        unknown = await emulator.inbound(BOB, text="known to the primary")
        await town.sim.settled()
        await new.execute_command("REPLICAOF", "NO", "ONE")
        front.target_port = replica.port
        front.drop()
        await emulator.inbound(
            BOB, text="known to the primary", event_id=unknown.event_id, message_id=unknown.message_id
        )
        await town.until(lambda: emulator.counters["replays"] >= 2, turn=True)
        await town.sim.settled()

        assert [bubble.text for bubble in town.sim.replies] == ["in flight", "known to the primary"]
        assert emulator.counters["key_conflicts"] == 0


async def until_replicated(primary: Redis) -> None:
    """Wait until the replica has all that the primary has."""
    async with asyncio.timeout(20):
        await primary.incr("written last")  # WAIT waits for what its own connection wrote
        while not await primary.wait(1, 100):
            pass


@pytest.mark.parametrize("trouble", [read_only, cannot_save, loading, busy], ids=lambda trouble: trouble.__name__)
async def test_s10_a_redis_that_refuses_for_a_while_puts_webhooks_off(trouble: Trouble) -> None:
    """READONLY, MISCONF, LOADING and BUSY are answered 503, and when they are over everybody is answered.

    Held by a list of the refusals that pass: they are trouble of our own, never the event's fault.
    """
    settings = {"enable_debug_command": "yes", "loading_process_events_interval_bytes": "1024"}
    with Server(KINDS[0], **settings) as server:
        async with raw(server.url) as client, open_town(server.url) as town:
            end = await trouble(server, client)
            await town.write_at_once(*texts("refused", 4))
            assert 503 in town.statuses()
            await end()
            await town.all_is_well()


async def test_s10_forgotten_scripts_are_not_noticed(server: Server) -> None:
    """SCRIPT FLUSH between any two steps: no webhook is put off, everybody is answered.

    Held by NOSCRIPT being the one error after which a script is sent again, once, with its text.
    """
    async with open_town(server.url) as town, raw(server.url) as client:
        for number in range(10):
            await client.script_flush()
            await town.write(ALICE, f"flushed {number}")
        await town.all_is_well()
        assert set(town.statuses()) == {200}


async def test_s11_two_generations_of_web_and_worker_share_twenty_connections(tmp_path: Path) -> None:
    """Web and worker, and their successors beside them: on a plan of 20 connections nobody is refused one.

    Held by pools of four that wait instead of growing, and one blocked connection for each side that waits.
    """
    people = [f"+1202555{number:04d}" for number in range(60)]
    with Server(KINDS[0], maxclients="20") as server:
        async with Stage(tmp_path, server.url) as stage, raw(server.url) as client:
            for only in ("web", "web", "worker", "worker"):
                await stage.start(stage.life(only=only, echo=True, lease="30s"))
            for person in people:
                await stage.emulator.inbound(person, text="hello")
            await stage.until(lambda: len(stage.emulator.messages()) >= len(people))
            await stage.emulator.quiet()
            clients = await client.client_list()
            refused = (await client.info("stats"))["rejected_connections"]
            blocked = [one for one in clients if one["cmd"] == "blpop"]

            assert (len(stage.emulator.messages()), refused) == (len(people), 0)
            assert len(blocked) <= 2 * 2
            assert len(clients) - len(blocked) - 1 <= 4 * 4
            assert {try_["status"] for one in stage.emulator.deliveries() for try_ in one["attempts"]} == {200}


async def test_s11_no_connection_left_for_us_is_trouble_that_passes() -> None:
    """Somebody else takes every connection of the plan: webhooks are put off; when they let go, everybody is answered.

    Held by taking a refused connection for a store that is away.
    """
    with Server(KINDS[0], maxclients="20") as server:
        async with FaultProxy(server.port) as proxy, open_town(proxy.url) as town:
            await town.write(ALICE, "before")
            async with AsyncExitStack() as stack:
                for _ in range(20 - 4):
                    await (await stack.enter_async_context(raw(server.url))).ping()
                others = [await stack.enter_async_context(raw(server.url)) for _ in range(8)]
                proxy.drop()
                await town.until(lambda: proxy.open == 0 or proxy.refuses)
                await asyncio.gather(*(one.ping() for one in others), return_exceptions=True)
                await town.write_at_once(*texts("crowded", 6))
                assert 503 in town.statuses()
            await town.all_is_well()


async def test_s12_connections_closed_for_idleness_are_not_noticed() -> None:
    """The server closes whatever was idle for a second: the next webhook is kept at once, as if nothing had been.

    Held by reconnecting when a connection turns out to be closed; every verb is safe to repeat.
    """
    with Server(KINDS[0], timeout="1") as server:
        async with open_town(server.url) as town, raw(server.url) as client:
            for number in range(2):
                await town.write(ALICE, f"after a pause {number}")
                await town.sim.settled()
                await until_idle_ones_are_closed(client)
            await town.write(ALICE, "at last")
            await town.all_is_well()
            assert set(town.statuses()) == {200}


async def until_idle_ones_are_closed(client: Redis) -> None:
    """Until only this client and those that wait for work are connected."""
    async with asyncio.timeout(20):
        while {one["cmd"] for one in await client.client_list()} - {"blpop", "client|list"}:
            pass


@pytest.mark.parametrize("name", ["expired", "of another host"])
async def test_s13_a_certificate_that_proves_nothing_is_refused_with_the_remedy(name: str, tmp_path: Path) -> None:
    """An expired certificate, or another host's, of a known authority: the bot does not start and says what to set.

    Held by verifying date and name by default; `insecure` is only ever chosen by name.
    """
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    yesterday = datetime.now(UTC) - timedelta(days=1)
    certificate = (
        authority.issue_cert("127.0.0.1", not_after=yesterday) if name == "expired" else authority.issue_cert("a.test")
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    port = int(session_url(KINDS[0]).rsplit(":", 1)[1].partition("/")[0])
    async with Proxy(port, context=context) as proxy:
        with pytest.raises(ConfigurationError, match="LINQBOT_REDIS_TLS"):
            await open_town(f"rediss://127.0.0.1:{proxy.port}/0", tls=str(tmp_path / "ca.pem")).__aenter__()


@pytest.mark.parametrize("command", ["CLIENT PAUSE 4000", "DEBUG SLEEP 4"])
async def test_s14_a_redis_that_stands_still_puts_webhooks_off(command: str) -> None:
    """The server answers nobody for 4 s: webhooks wait 2 s at most, and afterwards everybody is answered once.

    Held by the deadline in ingress and by dedupe: what was kept after its 503 is found when Linq repeats it.
    """
    with Server(KINDS[0], enable_debug_command="yes") as server:
        async with open_town(server.url) as town, raw(server.url) as client:
            await town.write(ALICE, "before")
            pause = asyncio.ensure_future(client.execute_command(*command.split()))
            await until_silent(server)
            await town.write_at_once(*texts("stands", 6))
            assert 503 in town.statuses()
            await pause
            await town.all_is_well()


async def until_silent(server: Server) -> None:
    """Until the server does not answer any more."""
    async with raw(server.url) as client:
        with suppress(TimeoutError):
            while True:
                async with asyncio.timeout(0.2):
                    await client.incr("heartbeat")


async def test_s18_a_locked_sqlite_file_puts_webhooks_off(tmp_path: Path, processes: Processes) -> None:
    """Another program holds the file's lock: webhooks wait 2 s at most, and everybody is answered when it lets go.

    Held by the deadline in ingress, SQLite's own time-out, and dedupe for what was kept after its 503.
    """
    async with open_town(f"sqlite:///{tmp_path}/bot.db") as town:
        await town.write(ALICE, "before")
        holder = processes.start("hold", str(tmp_path / "bot.db"))
        assert await asyncio.to_thread(line, holder) == "held"
        await town.write_at_once(*texts("locked", 4))
        assert set(town.statuses()[1:]) == {503}
        await asyncio.to_thread(holder.communicate)
        await town.all_is_well()


async def test_s18_a_deleted_sqlite_file_is_not_written_to(tmp_path: Path) -> None:
    """The file is gone: webhooks are put off and readiness says why, rather than keeping events where nobody finds them;
    a restart begins a new file and everybody is answered.

    Held by looking, before each commit, whether the file of that name is still the one that is open.
    """
    async with open_town(f"sqlite:///{tmp_path}/bot.db") as town:
        await town.write(CAROL, "before")
        await town.sim.settled()
        remove(tmp_path / "bot.db")
        await town.write_at_once(*texts("deleted", 3))
        assert town.statuses() == [200, 503, 503, 503]
        assert await town.readiness() == {"ready": False, "troubles": {"store": "unreachable"}}
        await town.sim.restart()
        await town.all_is_well()
