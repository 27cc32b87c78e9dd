"""Half an hour of Linq's retries at once, and the same event at two processes: caps hold and nothing is lost.

Held by the caps of `Limits`, the cap of webhooks at once in ingress, and ids that all processes remember.
"""

from __future__ import annotations

import asyncio
import itertools
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import aiohttp
import pytest

from tests.hostile.door import PATH
from tests.hostile.letters import encoded, message, signature
from tests.hostile.served import Served, wait_until

LISTENER = "tests/hostile/bots.py:listener"
_ids = itertools.count()
LINQS_PATIENCE_S = 10.0
"""linq-api-v3.md section 8.3; how much faster it is, the benchmark measures on a quiet machine."""


@pytest.fixture
def diary(tmp_path: Path) -> Path:
    """What the handlers heard."""
    path = tmp_path / "diary"
    path.touch()
    return path


@pytest.fixture
def namespace() -> str:
    """Shared by the processes of one test."""
    return f"backlog-{time.time_ns()}"


async def post_all(ports: list[int], bodies: list[bytes], *, at_once: int = 64) -> list[tuple[int, float]]:
    """Deliver bodies to the ports in turn; each one's status and how long it took, in seconds."""
    room = asyncio.Semaphore(at_once)
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:

        async def post(number: int, body: bytes) -> tuple[int, float]:
            url = f"http://127.0.0.1:{ports[number % len(ports)]}{PATH}"
            async with room:
                began = time.monotonic()
                headers = signature(body, now_ms=int(time.time() * 1000), webhook_id=f"w-{next(_ids)}")
                async with session.post(url, data=body, headers=headers) as answer:
                    return answer.status, time.monotonic() - began

        return await asyncio.gather(*(post(number, body) for number, body in enumerate(bodies)))


async def deliver_all(port: int, bodies: list[bytes]) -> tuple[list[int], float]:
    """Deliver bodies, and once more what was put off, as Linq does; the last status of each, and the longest wait."""
    answers = await post_all([port], bodies)
    statuses = [status for status, _ in answers]
    put_off = [number for number, status in enumerate(statuses) if status == 503]
    repeated = await post_all([port], [bodies[number] for number in put_off])
    for number, (status, _) in zip(put_off, repeated, strict=True):
        statuses[number] = status
    return statuses, max(seconds for _, seconds in answers + repeated)


def heard(diary: Path) -> list[str]:
    """The texts that reached a handler."""
    return diary.read_text("utf-8").split()


@pytest.fixture
def two(diary: Path, namespace: str) -> Iterator[list[Served]]:
    """Two processes with web and worker each, on one store."""
    with (
        Served(LISTENER, DIARY=str(diary), LINQBOT_NAMESPACE=namespace) as one,
        Served(LISTENER, DIARY=str(diary), LINQBOT_NAMESPACE=namespace) as other,
    ):
        yield [one, other]


async def test_d1_repeats_at_two_processes_are_one_event(two: list[Served], diary: Path) -> None:
    """Ids are remembered by the store, not by a process: fifty repeats over both are answered 200 and handled once."""
    bodies = [encoded(message(f"event-{number}", chat="one")) for number in range(4)]

    answers = await post_all([one.port for one in two], bodies * 50)

    assert {status for status, _ in answers} == {200}
    last = encoded(message("last", chat="one"))
    await post_all([two[0].port], [last])
    wait_until(lambda: "last" in heard(diary))
    assert sorted(heard(diary)) == ["event-0", "event-1", "event-2", "event-3", "last"]


@pytest.mark.slow
async def test_d7_a_storm_of_retries_is_taken_up_to_the_caps(diary: Path, namespace: str) -> None:
    """5,000 events come at once while nobody works: each is kept or put off with 503, one chat keeps 1,000 at most
    (`Limits.lane_cap`, checked by `accept`), and a worker that comes later handles exactly what was kept, once.
    """
    crowd = [encoded(message(f"crowd-{number}", chat=f"chat-{number % 95}")) for number in range(3_800)]
    loud = [encoded(message(f"loud-{number}", chat="loud")) for number in range(1_200)]
    with Served(LISTENER, "--only", "web", LINQBOT_NAMESPACE=namespace) as web:
        before = web.resident
        taken, first_s = await deliver_all(web.port, crowd)
        pressed, second_s = await deliver_all(web.port, loud)
        grown = web.resident - before

    assert Counter(taken) == {200: 3_800}
    assert Counter(pressed) == {200: 1_000, 503: 200}
    assert max(first_s, second_s) < LINQS_PATIENCE_S
    assert grown < 64 * 1024 * 1024

    with Served(LISTENER, "--only", "worker", DIARY=str(diary), LINQBOT_NAMESPACE=namespace):
        wait_until(lambda: len(heard(diary)) == 4_800)
    words = heard(diary)
    assert len(set(words)) == 4_800
    kept = [f"loud-{number}" for number, status in enumerate(pressed) if status == 200]
    assert Counter(word for word in words if word.startswith("loud")) == Counter(kept)
