"""a seed -> a run -> Report. People talk to a bot whose processes, store and network are hurt; then all is let to heal.

The emulator lives in the process of the run, which nobody hurts: it is the witness. Everything that is hurt, the bot's
processes and the store's server, is a process of its own.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any, Self

from linqbot.clock import SystemClock
from linqbot.engine.suspects import STALL_LIMIT
from linqbot.records import DeadLetter, Stats
from linqbot.store.base import Store
from linqbot.store.open import open_store
from tests.chaos.bot import BUBBLES, Role, words
from tests.chaos.crew import Crew
from tests.chaos.hands import Struck, hits, holds
from tests.chaos.trouble import Blow, hurts, mishaps
from tests.chaos.verdict import Said, Verdict, judge
from tests.chaos.witness import Witness
from tests.faults.stage import Stage
from tests.ports import free_port
from tests.store.redis_server import Server

EVENTS = ("message.received", "message.sent", "message.delivered")
"""What a bot is told: what people say, and the proofs that an answer arrived."""

_LOOK_S = 0.05
_MEMORY = Path("/dev/shm")

_STALLED = "workers died or froze on this event"
"""Why a worker gives up an event that was in hand at three deaths in a row. Random kills hit innocents, and must have hit
each of them as often (`tests.chaos.hands`)."""

DRAIN_S = 120.0
"""How long a run may take to answer everything once nobody hurts it any more."""

_CALM_S = 2.0
"""An empty store and a silent emulator that stay so for so long will not say anything any more."""

_FARTHEST_S = 240.0
"""The emulator's clock may not run farther ahead: signatures of more than 5 minutes are refused."""

_HURRY_S = 120.0
"""So far ahead it runs during the hurting, at double speed, so that webhooks are repeated while there is trouble."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One run."""

    store: str
    workers: int
    seconds: float
    seed: int
    chats: int = 64
    events_per_s: float = 30.0
    most_waiting: int = 600
    """Bubbles that may be owed; people say nothing more until the bot has caught up."""
    hurt_every_s: float = 0.35
    mishap_every_s: float = 0.12
    lease_s: float = 0.8
    broken: str = ""


@dataclass(slots=True, kw_only=True)
class Report:
    """What a run came to."""

    plan: Plan
    verdict: Verdict
    counts: dict[str, int]
    """Blows and deaths (`crew.Crew.counts`), `store_kills`, `events`, `acked`, `posts`, `collapsed`, `conflicts`."""
    dead: list[DeadLetter] = field(default_factory=list)
    hits: dict[str, int] = field(default_factory=dict)
    """By the id of each event that was given up: how many blows of ours fell on somebody who had it in hand."""
    left: Stats | None = None
    drained_s: float = 0.0

    @property
    def complaints(self) -> list[str]:
        """Everything that is not as promised."""
        found = [*self.verdict.lost, *self.verdict.duplicated, *self.verdict.reordered]
        found += [f"{self.counts[name]} {name}" for name in ("conflicts", "stuck") if self.counts[name]]
        stalled = [letter for letter in self.dead if letter.kind == "event" and _STALLED in letter.reason]
        found += [f"given up: {letter.reason}" for letter in self.dead if letter not in stalled]
        found += [
            f"given up {letter.event_id} after {hits} blows of ours: {letter.reason}"
            for letter in stalled
            if (hits := self.hits.get(letter.event_id, 0)) < STALL_LIMIT
        ]
        if self.left is not None and (self.left.inbox or self.left.outbox):
            found.append(f"left in the store: {self.left.inbox} events, {self.left.outbox} replies")
        return found

    def line(self) -> str:
        """All figures on one line."""
        count, verdict, plan = self.counts, self.verdict, self.plan
        kills = ", ".join(f"{count[blow]} {blow}" for blow in (Blow.KILL, Blow.FREEZE, Blow.TERM))
        web = sum(count[f"{blow} web"] for blow in Blow)
        return (
            f"{plan.store}, {plan.workers} workers, {plan.seconds:g} s: hurt {kills} ({web} of them web), "
            f"store kills {count['store_kills']}, died unasked {count['died']}, events {count['events']} "
            f"({count['acked']} acknowledged, {count['webhooks']} deliveries), POSTs {count['posts']}, "
            f"collapsed {count['collapsed']}, given up {len(self.dead)}, conflicts {count['conflicts']}, "
            f"drained in {self.drained_s:.1f} s, "
            f"lost {len(verdict.lost)}, duplicated {len(verdict.duplicated)}, reordered {len(verdict.reordered)}, "
            f"seed {plan.seed}"
        )


class Arena:
    """The stage, the crew and the people of one run; tests drive it by hand, `run` by chance."""

    def __init__(self, plan: Plan, folder: Path) -> None:
        self.plan = plan
        self.folder = folder
        self.witness = Witness()
        self.counts: dict[str, int] = {"store_kills": 0}
        self.crew = Crew([])
        self._said: list[tuple[str, str, int, str]] = []
        self._random = Random(f"people {plan.seed}")
        self._people = [f"+1202555{number:04d}" for number in range(plan.chats)]
        self._stack = AsyncExitStack()
        self._server: Server | None = None

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as stack:
            self.store_url = stack.enter_context(self._place())
            self.stage = Stage(
                self.folder, self.store_url, seed=self.plan.seed, pair_limit=None, transport=self.witness
            )
            await stack.enter_async_context(self.stage)
            self.emulator = self.stage.emulator
            self.emulator.linq.requests = deque()  # all of them are counted in the end
            stack.push_async_callback(self._dismiss)
            self._stack = stack.pop_all()
        return self

    async def __aexit__(self, *details: object) -> None:
        await self._stack.__aexit__(*details)  # type: ignore[arg-type]  # passed on as they came

    @contextmanager
    def _place(self) -> Iterator[str]:
        """A fresh store: a file, or a server that writes all it is told. It writes to memory where it can: a kill by
        signal must find every acknowledged write handed to the system, which `everysec` delays while a slow disk syncs."""
        if self.plan.store == "sqlite":
            yield f"sqlite:///{self.folder}/bot.db"
            return
        with (
            tempfile.TemporaryDirectory(dir=_MEMORY if _MEMORY.exists() else None) as place,
            Server(appendonly="yes", appendfsync="everysec", dir=place) as self._server,
        ):
            yield self._server.url

    def role(self, name: str, only: str, *, events: Sequence[str] = EVENTS, **more: Any) -> Role:
        """A role on this stage; one that takes webhooks is subscribed to `events`."""
        port = free_port()
        secret = "whsec_" + "A" * 32
        if only != "worker":
            url = f"http://127.0.0.1:{port}/webhooks/linq?version=2026-02-03"
            secret = self.emulator.subscribe(url, events).secret
        return Role(
            name=name,
            store_url=self.store_url,
            api_url=f"http://127.0.0.1:{self.stage.api_port}/api/partner",
            secret=secret,
            port=port,
            folder=str(self.folder),
            only=only,
            lease=f"{int(self.plan.lease_s * 1000)}ms",
            broken=self.plan.broken,
            **more,
        )

    def open_store(self) -> Store:
        """The store as the bots see it, to look into when they have come to rest."""
        return open_store(self.store_url, clock=SystemClock(), namespace="chaos")

    async def say(self, person: str, *, kind: str = "list", pause_ms: int = 0) -> str:
        """Let a person write; returns the label of the message."""
        label = f"{person[-4:]}.{len(self._said)}"
        arrived = await self.emulator.inbound(person, text=words(label, kind=kind, pause_ms=pause_ms))
        self._said.append((label, person, BUBBLES[kind], arrived.event_id))
        return label

    def said(self, dead: Sequence[DeadLetter] = ()) -> list[Said]:
        """Every message so far, with what the witness knows; `dead` are the letters of the end."""
        given_up = {letter.event_id for letter in dead if letter.kind == "event" and letter.item}
        return [
            Said(
                label=label,
                person=person,
                bubbles=bubbles,
                began=self.witness.began.get(event_id),
                acked=self.witness.acked.get(event_id),
                given_up=event_id in given_up,
            )
            for label, person, bubbles, event_id in self._said
        ]

    def heard(self) -> dict[str, list[str]]:
        """The texts that reached each person, in order."""
        texts: dict[str, list[str]] = {}
        for one in self.emulator.messages():
            texts.setdefault(one.to, []).append("".join(part["value"] for part in one.parts))
        return texts

    def answers(self, label: str) -> list[str]:
        """The bubbles that answer a message."""
        return [text for chat in self.heard().values() for text in chat if text.split()[0] == label]

    @property
    def owed(self) -> int:
        """Bubbles still to come."""
        return sum(bubbles for _, _, bubbles, _ in self._said) - len(self.emulator.linq.world.heard)

    async def run(self) -> Report:
        """Hurt for as long as planned, let heal, and judge."""
        workers = [self.role(f"worker-{n}", "worker", notes_hands=True) for n in range(self.plan.workers)]
        roles = [self.role("web", "web"), *workers]
        self.crew = Crew(roles, share_a_file=self.plan.store == "sqlite")
        supervising = asyncio.create_task(self.crew.supervise())
        deeds = [asyncio.create_task(deed()) for deed in (self._talk, self._hurt, self._trouble, self._hurry)]
        try:
            await asyncio.wait(deeds, timeout=self.plan.seconds, return_when=asyncio.FIRST_EXCEPTION)
            await self._cease(deeds)
            return await self.heal()
        finally:
            supervising.cancel()
            await asyncio.gather(supervising, return_exceptions=True)

    async def heal(self) -> Report:
        """Let everything be answered that will be, then judge what was said and heard."""
        self.emulator.linq.faults.clear()
        self.crew.thaw()
        began = time.monotonic()
        async with self.open_store() as store:
            await self._settle(store)
            drained_s = time.monotonic() - began
            await self.crew.all_left(self._turn)
            left, dead = await store.stats(), list(await store.dead(500))
        return Report(
            plan=self.plan,
            verdict=judge(self.said(dead), self.heard()),
            counts=self._count(),
            dead=dead,
            hits=self._hits(dead),
            left=left,
            drained_s=drained_s,
        )

    async def kill_store(self) -> None:
        """SIGKILL to the store's server, which is started again on what it wrote."""
        assert self._server is not None
        self.crew.struck.append(Struck(pid=None, at_s=time.time(), lasts_s=self.plan.lease_s))
        await asyncio.to_thread(self._server.kill)
        await asyncio.to_thread(self._server.start)
        self.counts["store_kills"] += 1

    def _hits(self, dead: Sequence[DeadLetter]) -> dict[str, int]:
        held = holds(self.folder.glob("*.hands"))
        return {letter.event_id: hits(letter.event_id, held, self.crew.struck) for letter in dead}

    async def _dismiss(self) -> None:
        await self.crew.dismiss()

    async def _cease(self, deeds: list[asyncio.Task[None]]) -> None:
        for deed in deeds:
            deed.cancel()
        for result in await asyncio.gather(*deeds, return_exceptions=True):
            if isinstance(result, Exception):
                raise result

    async def _talk(self) -> None:
        random = self._random
        while True:
            await asyncio.sleep(random.expovariate(self.plan.events_per_s / 2))
            if self.owed > self.plan.most_waiting:
                continue
            person = random.choice(self._people)
            for _ in range(random.choice((1, 1, 1, 5))):
                kind = random.choice(("list", "list", "stream"))
                await self.say(person, kind=kind, pause_ms=random.choice((0, 5, 50, 300)))

    async def _hurt(self) -> None:
        plan = self.plan
        for hurt in hurts(plan.seed, store=self._server is not None, every_s=plan.hurt_every_s, lease_s=plan.lease_s):
            await asyncio.sleep(hurt.after_s)
            if hurt.blow is Blow.STORE:
                await asyncio.shield(asyncio.ensure_future(self.kill_store()))
            else:
                self.crew.hurt(hurt)

    async def _trouble(self) -> None:
        for mishap in mishaps(self.plan.seed, every_s=self.plan.mishap_every_s):
            await asyncio.sleep(mishap.after_s)
            self.emulator.fault(mishap.kind, match=mishap.match, count=mishap.count, **mishap.details)

    async def _hurry(self) -> None:
        while self.stage.clock.offset_ms < _HURRY_S * 1000:
            await asyncio.sleep(0.25)
            self.stage.clock.advance(seconds=0.25)
        await asyncio.Event().wait()

    async def _settle(self, store: Store) -> None:
        """Until nothing is owed and nothing moves; or nothing moves any more although something is owed."""
        calm_since: float | None = None
        with suppress(TimeoutError):
            async with asyncio.timeout(DRAIN_S):
                while True:
                    self._turn()
                    await asyncio.sleep(_LOOK_S)
                    stats = await store.stats()
                    moving = stats.inbox or stats.outbox or self.emulator.linq.postman.busy or self._undelivered()
                    if moving:
                        calm_since = None
                        continue
                    calm_since = calm_since or time.monotonic()
                    if self.owed == 0 or time.monotonic() - calm_since > _CALM_S:
                        return

    def _undelivered(self) -> bool:
        return any(one.state == "waiting" for one in self.emulator.linq.postman.log)

    def _turn(self) -> None:
        """Turn the emulator's clock, so that its next attempts come soon."""
        if self.stage.clock.offset_ms < _FARTHEST_S * 1000:
            self.stage.clock.advance(seconds=0.5)

    def _count(self) -> dict[str, int]:
        sends = [one for one in self.emulator.requests if one["operation"] == "sendMessageToChat"]
        return {
            **{str(blow): 0 for blow in Blow},
            **{f"{blow} web": 0 for blow in Blow},
            "died": 0,
            "stuck": 0,
            **self.crew.counts,
            **self.counts,
            "events": len(self._said),
            "acked": sum(one.acked is not None for one in self.said()),
            "webhooks": self.witness.attempts,
            "posts": len(sends),
            "collapsed": self.emulator.counters["replays"],
            "conflicts": self.emulator.counters["key_conflicts"],
        }


async def chaos(plan: Plan, folder: Path) -> Report:
    """One whole run; `folder` gets the store's file, logs and diaries."""
    async with Arena(plan, folder) as arena:
        return await arena.run()
