"""The process in trouble: signalled, frozen, starved of memory, files, disk or time. Afterwards everybody has one answer.

Each test is a row of the fault catalogue; its docstring is the promise and the mechanism that holds it. Where signals and
limits of the system matter, the process is a real `linqbot run`.
"""

from __future__ import annotations

import re
import resource
import signal
import socket
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

from linqbot.testing.harness import Sim
from tests.faults.jumping import JumpingClock
from tests.faults.programs import Programs, children, sockets
from tests.faults.stage import Stage
from tests.faults.town import ALICE, BOB, CAROL, Town, WatchedBot, open_town
from tests.ports import free_port
from tests.store.redis_server import KINDS, session_url
from tests.store.sqlite_file import limit_pages

WAITS = """
    import asyncio
    from pathlib import Path
    from linqbot import Bot, Message

    bot = Bot(thread="never")

    @bot.message("wait")
    async def waits(message: Message) -> str:
        print("at work", flush=True)
        while not Path("go").exists():
            await asyncio.sleep(0.01)
        return message.text

    @bot.message()
    async def echo(message: Message) -> str:
        return message.text
"""

LEAKS = """
    import asyncio
    from linqbot import Bot, Message

    bot = Bot(thread="never")
    kept = []

    @bot.message("leak")
    async def leaks() -> None:
        print("leaking", flush=True)
        while True:
            kept.append(b"x" * 20_000_000)
            await asyncio.sleep(0.01)

    @bot.message()
    async def echo(message: Message) -> str:
        return message.text
"""

BLOCKS = """
    import os
    import time
    from pathlib import Path
    from linqbot import Bot, Message

    bot = Bot(thread="never")

    @bot.message()
    async def blocks(message: Message) -> str:
        if message.text == "block" and os.environ["PORT"] == os.environ["BLOCKED"]:
            print("blocking", flush=True)
            while not Path("go").exists():
                time.sleep(0.01)
        return message.text
"""


HOARDS = """
    import asyncio
    from contextlib import suppress
    from pathlib import Path
    from linqbot import Bot, Message

    bot = Bot(thread="never")

    @bot.message("hoard")
    async def hoards(message: Message) -> str:
        kept = []
        with suppress(OSError):
            while True:
                kept.append(open("/dev/null"))
        print("hoarding", flush=True)
        while not Path("go").exists():
            await asyncio.sleep(0.01)
        for one in kept:
            one.close()
        return message.text

    @bot.message()
    async def echo(message: Message) -> str:
        return message.text
"""


@asynccontextmanager
async def programs(folder: Path, source: str, store_url: str = "", **settings: str) -> AsyncIterator[Programs]:
    """A stage for a bot of this source."""
    if store_url:
        settings |= {"LINQBOT_STORE": store_url, "LINQBOT_NAMESPACE": f"p-{uuid4().hex[:12]}"}
    async with Stage(folder, store_url) as stage:
        with Programs(stage, folder, source, **settings) as started:
            yield started


def heard(stage: Stage, who: str) -> list[str]:
    """What came to somebody, in order."""
    return ["".join(part["value"] for part in bubble.parts) for bubble in stage.emulator.messages_to(who)]


def statuses(stage: Stage) -> list[int | None]:
    """What webhooks were answered, one after another."""
    return [each["status"] for one in stage.emulator.deliveries() for each in one["attempts"]]


async def test_p3_sigterm_while_a_handler_runs_and_a_send_is_in_flight_drains(tmp_path: Path) -> None:
    """The running turn ends and is answered, a send under way is awaited, a message that comes meanwhile waits for the next
    process; the exit code is 0, and nothing counts as an attempt.

    Held by a drain that stops taking, then waits for what is held; ingress says 503 or nobody listens, and Linq repeats.
    """
    async with programs(tmp_path, WAITS) as bots:
        stage = bots.stage
        program = await bots.start()
        stage.emulator.fault("slow", seconds=30)
        await stage.emulator.inbound(ALICE, text="slowly sent")
        await stage.until(lambda: stage.emulator.requests)
        await stage.emulator.inbound(BOB, text="wait for me")
        await program.says("at work")

        program.process.send_signal(signal.SIGTERM)
        await program.says("draining")
        await stage.emulator.inbound(CAROL, text="too late")
        (tmp_path / "go").touch()
        await stage.until(lambda: heard(stage, BOB))
        stage.clock.advance(seconds=31)
        assert await program.ends() == 0
        assert (heard(stage, ALICE), heard(stage, CAROL)) == (["slowly sent"], [])

        after = await bots.start()
        await stage.until(lambda: heard(stage, CAROL), turn=True)
        assert [heard(stage, who) for who in (ALICE, BOB, CAROL)] == [["slowly sent"], ["wait for me"], ["too late"]]
        assert '"attempt": 2' not in program.text + after.text
        assert stage.emulator.counters["replays"] == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGHUP, signal.SIGTERM])
async def test_p4_every_polite_signal_drains(number: signal.Signals, tmp_path: Path) -> None:
    """Ctrl-C, a terminal that is closed and a platform's SIGTERM are one and the same: turns end, the exit code is 0.

    Held by one way out for all of them.
    """
    async with programs(tmp_path, WAITS) as bots:
        program = await bots.start()
        await bots.stage.emulator.inbound(ALICE, text="wait for me")
        await program.says("at work")
        program.process.send_signal(number)
        await program.says("draining")
        (tmp_path / "go").touch()
        assert await program.ends() == 0
        assert heard(bots.stage, ALICE) == ["wait for me"]


async def test_p4_a_second_sigterm_gives_back_and_leaves(tmp_path: Path) -> None:
    """Who signals twice does not wait: the process is gone in a moment, and the next one has the chat at once, not when a
    lease of 30 s runs out; no attempt and no death is counted.

    Held by giving lanes back to the front of the queue under their tokens before leaving.
    """
    async with programs(tmp_path, WAITS) as bots:
        program = await bots.start()
        await bots.stage.emulator.inbound(ALICE, text="wait for me")
        await program.says("at work")
        program.process.send_signal(signal.SIGTERM)
        await program.says("draining")
        began_s = time.monotonic()
        program.process.send_signal(signal.SIGTERM)
        assert await program.ends() == 128 + signal.SIGTERM
        (tmp_path / "go").touch()
        await bots.start()
        await bots.stage.until(lambda: heard(bots.stage, ALICE))
        assert time.monotonic() - began_s < 15
        assert heard(bots.stage, ALICE) == ["wait for me"]


async def test_p5_a_handler_that_eats_all_memory_is_given_up_and_its_chat_goes_on(tmp_path: Path) -> None:
    """The platform kills the process whenever it outgrows its memory; the event that does it is buried after three deaths,
    and the next message of the same chat is answered.

    Held by leases that run out, which are counted on the event whose turn did not end, and by the limit of that count.
    """
    most = 250_000_000
    async with programs(tmp_path, LEAKS, LINQBOT_LEASE="2s") as bots:
        stage = bots.stage
        await stage.emulator.inbound(ALICE, text="leak")
        for _ in range(3):
            program = await bots.start()
            await stage.until(lambda: "leaking" in program.text, turn=True)  # noqa: B023  # awaited at once
            await stage.until(lambda: program.rss() > most)  # noqa: B023  # awaited at once
            program.process.kill()
            await program.ends()
        program = await bots.start()
        await stage.emulator.inbound(ALICE, text="still there?")
        await stage.until(lambda: heard(stage, ALICE), turn=True)
        assert heard(stage, ALICE) == ["still there?"]
        assert "3 workers died" in program.text
        assert program.rss() < most


async def test_p6_two_processes_behind_one_port_are_strangers(tmp_path: Path) -> None:
    """`WEB_CONCURRENCY=2`: the processes share nothing but the listening socket, and of webhooks that come twice at once
    everybody has one answer.

    Held by starting each process anew rather than forking a running one: own loop, own connections, own random tokens.
    """
    people = [f"+1202555{number:04d}" for number in range(20)]
    async with programs(tmp_path, WAITS, session_url(KINDS[0]), WEB_CONCURRENCY="2") as bots:
        stage = bots.stage
        program = await bots.start()
        await program.says('"started"', times=2)
        stage.emulator.fault("duplicate", times=2, count=None)
        for person in people:
            await stage.emulator.inbound(person, text=f"hello from {person}")
        await stage.until(lambda: len(stage.emulator.messages()) >= len(people))
        await stage.emulator.quiet()
        first, second = (sockets(pid) for pid in children(program.pid))
        assert {one: heard(stage, one) for one in people} == {one: [f"hello from {one}"] for one in people}
        assert len(first & second) == 1


class Apart(Sim):
    """A bot and a Linq that do not agree on the time."""

    def __init__(self, bot: WatchedBot, **settings: Any) -> None:
        super().__init__(bot, **settings)
        self.host = JumpingClock()

    def _configure(self) -> None:
        super()._configure()
        self.bot.configure(clock=self.host)


@asynccontextmanager
async def town_apart(store_url: str) -> AsyncIterator[tuple[Town, JumpingClock]]:
    """A bot whose machine, or whose store's server, may be wrong about the time."""
    bot = WatchedBot()
    async with Apart(bot, store=store_url, namespace=f"p7-{uuid4().hex[:12]}", pair_budget="0") as sim:
        yield Town(sim, bot), sim.host


@pytest.mark.parametrize("hours", [1, -1])
@pytest.mark.parametrize("store", ["redis", "sqlite"])
async def test_p7_a_machine_that_is_an_hour_wrong_refuses_webhooks_and_answers_once(
    hours: int, store: str, tmp_path: Path
) -> None:
    """The machine's clock jumps while a handler runs: the chat is answered once, webhooks are refused as stale until the
    clock is right, and then everything goes on.

    Held by signatures that carry their time, tokens instead of times as proof of a lease, and a store time of its own.
    """
    url = f"sqlite:///{tmp_path}/bot.db" if store == "sqlite" else session_url(KINDS[0])
    async with town_apart(url) as (town, host):
        await town.write(ALICE, "wait here")
        await town.bot.at_work.wait()
        host.host_ms = hours * 3_600_000
        await town.sim.emulator.inbound(BOB, text="at a wrong time")
        await town.sim.emulator.quiet()
        assert town.statuses() == [200, 401]
        town.bot.go_on.set()
        await town.until(lambda: town.sim.said_to(ALICE))
        host.host_ms = 0
        await town.write(CAROL, "right again")
        await town.until(lambda: town.sim.said_to(CAROL))
        assert town.heard() == {ALICE: ["wait here"], CAROL: ["right again"]}
        assert town.sim.emulator.counters["key_conflicts"] == 0


@pytest.mark.parametrize("hours", [1, -1])
async def test_p7_a_redis_that_is_an_hour_wrong_answers_once(hours: int) -> None:
    """The server's clock jumps while a handler runs, and back again: every lease seems over or endless, and everybody is
    answered once.

    Held by tokens: of two turns that believe to hold a chat one commits. A lease that ends too late is cut by the sweep.
    """
    async with town_apart(session_url(KINDS[0])) as (town, host):
        await town.write(ALICE, "wait here")
        await town.bot.at_work.wait()
        for offset_ms in (hours * 3_600_000, 0):
            host.offset_ms = offset_ms
            await town.write(BOB, f"at {offset_ms}")
            await town.until(lambda: len(town.sim.said_to(BOB)) == len(town.bot.answers) - 1)
        town.bot.go_on.set()
        await town.all_is_well()


async def test_p9_a_blocked_event_loop_loses_its_chats_and_says_where_it_stood(tmp_path: Path) -> None:
    """A handler sleeps without awaiting, longer than its lease: another process takes the chat over and answers it, the
    blocked one answers no health check, names the line in its log, and drops its late turn.

    Held by leases that only a living loop renews, tokens, and a thread that watches the loop.
    """
    blocked = free_port()
    settings = {"LINQBOT_LEASE": "400ms", "BLOCKED": str(blocked)}
    async with programs(tmp_path, BLOCKS, session_url(KINDS[0]), **settings) as bots, httpx.AsyncClient() as client:
        stage = bots.stage
        sleeper = await bots.start(PORT=str(blocked))
        web = await bots.start("--only", "web")
        await stage.emulator.inbound(ALICE, text="block")
        await sleeper.says("blocking")
        with pytest.raises(httpx.TimeoutException):
            await client.get(f"{sleeper.url}/healthz", timeout=0.5)
        await bots.start("--only", "worker")
        await stage.until(lambda: heard(stage, ALICE))
        assert not sleeper.text.count("reply sent")
        await sleeper.says("loop blocked")
        (tmp_path / "go").touch()
        await sleeper.says("event loop goes on")
        await sleeper.says("another process")  # told by the heartbeat or by the commit, whichever is first
        report = next(line for line in sleeper.text.splitlines() if "loop blocked" in line)
        assert re.search(r"a_bot\.py:\d+ blocks", report)
        await stage.emulator.inbound(ALICE, text="awake?")
        await stage.until(lambda: len(heard(stage, ALICE)) == 2)
        assert heard(stage, ALICE) == ["block", "awake?"]
        assert "loop blocked" not in web.text


async def test_p10_without_a_free_descriptor_everything_waits_and_nothing_is_lost(tmp_path: Path) -> None:
    """A handler takes every descriptor there is: webhooks cannot come in, replies cannot leave; when it lets go, everybody
    is answered once, by the same process.

    Held by Linq's repeats, by sends that were not sent and are tried again, and by stations that no error ends.
    """
    async with programs(tmp_path, HOARDS) as bots:
        stage = bots.stage
        program = await bots.start(limits={resource.RLIMIT_NOFILE: 64})
        await stage.emulator.inbound(ALICE, text="hoard")
        await program.says("hoarding")
        await stage.emulator.inbound(BOB, text="nothing left")
        await stage.until(lambda: len(statuses(stage)) >= 2, turn=True)
        assert heard(stage, BOB) == []
        (tmp_path / "go").touch()
        await stage.until(lambda: heard(stage, ALICE) and heard(stage, BOB), turn=True)
        assert [heard(stage, who) for who in (ALICE, BOB)] == [["hoard"], ["nothing left"]]
        assert set(statuses(stage)) <= {200, 503, None}
        assert not program.is_over


async def test_p10_strangers_take_no_descriptor_that_the_bot_needs(tmp_path: Path) -> None:
    """64 descriptors and a hundred strangers who hold connections: whatever came in is answered, webhooks that cannot come
    in are repeated by Linq, and when the strangers leave everything is answered by the same process.

    Held by a number of connections that leaves descriptors to the store and to sends.
    """
    async with programs(tmp_path, WAITS) as bots:
        stage = bots.stage
        program = await bots.start(limits={resource.RLIMIT_NOFILE: 64})
        await stage.emulator.inbound(ALICE, text="before")
        await stage.until(lambda: heard(stage, ALICE))
        async with AsyncExitStack() as crowd:
            for _ in range(100):
                stranger = crowd.enter_context(socket.socket())
                stranger.setblocking(False)
                stranger.connect_ex(("127.0.0.1", program.port))
            await stage.emulator.inbound(BOB, text="in the crowd")
            await stage.until(lambda: len(statuses(stage)) >= 2)
        await stage.until(lambda: heard(stage, BOB), turn=True)
        await stage.emulator.inbound(CAROL, text="after")
        await stage.until(lambda: heard(stage, CAROL), turn=True)
        assert [heard(stage, who) for who in (ALICE, BOB, CAROL)] == [["before"], ["in the crowd"], ["after"]]
        assert set(statuses(stage)) <= {200, 503, None}
        assert not program.is_over


async def test_p11_a_full_disk_puts_webhooks_off(tmp_path: Path) -> None:
    """No room for the database: webhooks are put off without a trace of them, and are kept when there is room.

    Held by transactions that undo themselves; a store that cannot is a store that is away.
    """
    async with open_town(f"sqlite:///{tmp_path}/bot.db") as town:
        await town.write(ALICE, "before")
        await town.sim.settled()
        await limit_pages(town.bot.store, 0)  # type: ignore[arg-type]  # it is SQLite's
        await town.write(BOB, "much " * 2_000)
        assert town.statuses() == [200, 503]
        assert (await town.bot.store.stats()).inbox == 0
        await limit_pages(town.bot.store, 1_000)  # type: ignore[arg-type]  # as above
        await town.all_is_well()


async def test_p11_a_full_disk_for_logs_costs_only_the_logs(tmp_path: Path) -> None:
    """Nothing that is printed can be written: messages are answered all the same.

    Held by logging that never raises into the journey.
    """
    async with programs(tmp_path, WAITS) as bots:
        await bots.start(out="/dev/full")
        await bots.stage.emulator.inbound(ALICE, text="unwritten")
        await bots.stage.until(lambda: heard(bots.stage, ALICE), turn=True)
        assert heard(bots.stage, ALICE) == ["unwritten"]
