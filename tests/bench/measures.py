"""a subject -> figures. One function for each thing that is measured; what they return is named in `floors`."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from statistics import median, quantiles

from tests.bench.bot import SLOW, SLOW_S
from tests.bench.generator import Generator
from tests.bench.ground import LINQBOT, Ground
from tests.bench.letters import Letter, letter_to, letters
from tests.bench.subject import Subject

Figures = Mapping[str, float]

API_S = 0.05
BURST = 50
_BYSTANDERS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """One measure, and whom it is taken of."""

    name: str
    take: Callable[[Ground, str], Awaitable[Figures]]
    references: tuple[str, ...] = ()


async def ceiling(ground: Ground, kind: str) -> Figures:
    """How fast the generator is when the subject does nothing."""
    async with ground.subject(kind) as subject, Generator(subject.port, 32).connected() as generator:
        return await _acks(subject, generator, letters(ground.sizes.acks * 2, chats=ground.sizes.chats))


async def ingress(ground: Ground, kind: str) -> Figures:
    """Acknowledgements alone, 32 connections, each sending when it is answered."""
    async with (
        ground.subject(kind, only="web" if kind in LINQBOT else None) as subject,
        Generator(subject.port, 32).connected() as generator,
    ):
        await ground.warm(generator, replies=False)
        return await _acks(subject, generator, letters(ground.sizes.acks, chats=ground.sizes.chats))


async def full(ground: Ground, kind: str) -> Figures:
    """From webhook to reply as fast as it goes, with an API that answers at once; and what memory that takes."""
    async with ground.subject(kind) as subject, Generator(subject.port, 32).connected() as generator:
        await ground.warm(generator, replies=True)
        idle_mb = subject.rss_mb
        figures = await _events(ground, subject, generator, ground.sizes.chats)
        return figures | {"grown MB": subject.rss_mb - idle_mb}


async def latent(ground: Ground, kind: str) -> Figures:
    """The same twice: with an API that answers at once, and with one that takes 50 ms."""
    async with ground.subject(kind) as subject, Generator(subject.port, 32).connected() as generator:
        await ground.warm(generator, replies=True)
        at_once = await _events(ground, subject, generator, ground.sizes.chats)
        ground.sink.latency_s = API_S
        later = await _events(ground, subject, generator, ground.sizes.chats)
        return {
            "events/s at 50 ms": later["events/s"],
            "share of own rate": later["events/s"] / at_once["events/s"],
            "CPU us/event at 50 ms": later["CPU us/event"],
        }


async def open_loop(ground: Ground, kind: str) -> Figures:
    """How long a reply takes when messages come by chance, 200 a second, whatever became of those before."""
    sizes = ground.sizes
    async with ground.subject(kind) as subject, Generator(subject.port, 64).connected() as generator:
        await ground.warm(generator, replies=True)
        sent = letters(int(sizes.open_rate * sizes.open_s), chats=sizes.chats)
        before_s = subject.cpu_s
        await generator.pace(sent, _by_chance(len(sent), sizes.open_rate))
        await ground.replied(sent)
        waits_ms = _waits_ms(ground, generator, sent)
        return {
            "reply p50 ms": median(waits_ms),
            "reply p99 ms": quantiles(waits_ms, n=100)[98],
            "CPU us/event at 200/s": (subject.cpu_s - before_s) * 1e6 / len(sent),
        }


async def start(ground: Ground, kind: str) -> Figures:
    """From nothing to the first 200, and the memory of a process that has nothing to do."""
    async with ground.subject(kind) as subject:
        await asyncio.sleep(0.5)
        return {"start ms": subject.started_s * 1000, "idle MB": subject.rss_mb}


async def crowded(ground: Ground, kind: str) -> Figures:
    """What an event costs among many remembered ids, many waiting chats and many chats, against few of each.

    No more than a few hundred events are owed at a time: so many chats that wait leave little room in the inbox.
    """
    costs = []
    for crowd, chats in ((False, 100), (True, ground.sizes.many_chats)):
        async with (
            ground.subject(kind, crowded=crowd) as subject,
            Generator(subject.port, 32).connected() as generator,
        ):
            await ground.warm(generator, replies=True)
            figures = await _events(ground, subject, generator, chats, count=ground.sizes.many_chats, most_owed=256)
            costs.append(figures["CPU us/event"])
    return {"few us/event": costs[0], "many us/event": costs[1], "many / few": costs[1] / costs[0]}


async def burst(ground: Ground, kind: str) -> Figures:
    """Fifty messages of one chat at once, to a handler that takes 50 ms, while somebody else asks something quick."""
    async with ground.subject(kind) as subject, Generator(subject.port, 8).connected() as generator:
        await ground.warm(generator, replies=True)
        alone = [letter_to(1, 1_000 + number) for number in range(_BYSTANDERS)]
        beside = [letter_to(1, 2_000 + number) for number in range(_BYSTANDERS)]
        many = [letter_to(2, number, words=SLOW) for number in range(BURST)]
        dues = [0.1 * number for number in range(_BYSTANDERS)]
        await generator.pace(alone, dues)
        await ground.replied(alone)
        async with Generator(subject.port, 1).connected() as talker:
            begun = time.monotonic()
            await asyncio.gather(talker.flood(many), generator.pace(beside, dues))
            await ground.replied([*many, *beside])
            came = [number for number in ground.sink.arrived if number < BURST]
        delays = max(_waits_ms(ground, generator, beside)) - median(_waits_ms(ground, generator, alone))
        return {
            "replies out of order": sum(a > b for a, b in itertools.pairwise(came)) + ground.sink.repeats,
            "time / handlers' time": (ground.sink.arrived[came[-1]] - begun) / (BURST * SLOW_S),
            "bystander's delay ms": delays,
        }


async def overload(ground: Ground, kind: str) -> Figures:
    """Three times as much as it can do, for a while: what it does then, and what it promised and did not do."""
    sizes = ground.sizes
    async with ground.subject(kind) as subject:
        async with Generator(subject.port, 32).connected() as generator:
            await ground.warm(generator, replies=True)
            saturated = (await _events(ground, subject, generator, sizes.chats))["events/s"]
        idle_mb = subject.rss_mb
        async with Generator(subject.port, 256).connected() as generator:
            rate = 3 * saturated
            sent = letters(int(rate * sizes.overload_s), chats=sizes.chats)
            ground.sink.clear()
            begun = time.monotonic()
            await generator.pace(sent, _by_chance(len(sent), rate), give_up_s=0.0)
            done = sum(at - begun <= sizes.overload_s for at in ground.sink.arrived.values())
            await ground.sink.until(generator.acked.keys())
            return {
                "lost after 200": len(generator.acked.keys() - ground.sink.arrived.keys()) + ground.sink.repeats,
                "peak above idle MB": subject.peak_mb - idle_mb,
                "share of saturation": done / sizes.overload_s / saturated,
                "acknowledged share": len(generator.acked) / len(sent),
                "put off share": generator.put_off / len(sent),
            }


MEASURES = (
    Measure(name="ceiling", take=ceiling, references=("ceiling",)),
    Measure(name="ingress", take=ingress, references=("r1",)),
    Measure(name="full", take=full, references=("r2",)),
    Measure(name="latent", take=latent),
    Measure(name="open", take=open_loop, references=("r2",)),
    Measure(name="start", take=start, references=("r0", "r0 sqlite")),
    Measure(name="crowded", take=crowded),
    Measure(name="burst", take=burst),
    Measure(name="overload", take=overload),
)


async def _acks(subject: Subject, generator: Generator, sent: Sequence[Letter]) -> dict[str, float]:
    before_s, begun = subject.cpu_s, time.monotonic()
    await generator.flood(sent)
    took_s, cpu_s = time.monotonic() - begun, subject.cpu_s - before_s
    return {"acks/s": len(sent) / took_s, "CPU us/ack": cpu_s * 1e6 / len(sent)}


async def _events(
    ground: Ground, subject: Subject, generator: Generator, chats: int, *, count: int = 0, most_owed: int = 0
) -> dict[str, float]:
    sent = letters(count or ground.sizes.events, chats=chats)
    sink = ground.sink
    sink.clear()
    before = generator.acks
    before_s, begun = subject.cpu_s, time.monotonic()
    await generator.flood(sent, owed=lambda: generator.acks - before - len(sink.arrived), most_owed=most_owed)
    await ground.replied(sent)
    took_s, cpu_s = max(sink.arrived.values()) - begun, subject.cpu_s - before_s
    return {"events/s": len(sent) / took_s, "CPU us/event": cpu_s * 1e6 / len(sent)}


def _by_chance(count: int, rate: float) -> Sequence[float]:
    """When each of them comes, in seconds: a Poisson process, the same on every run."""
    chance = Random(count)
    return list(itertools.accumulate(chance.expovariate(rate) for _ in range(count)))


def _waits_ms(ground: Ground, generator: Generator, sent: Sequence[Letter]) -> list[float]:
    """From when a letter was due to when its reply came."""
    arrived = ground.sink.arrived
    return [(arrived[letter.number] - generator.sent[letter.number]) * 1000 for letter in sent]
