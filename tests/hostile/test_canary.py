"""What must stay secret is planted everywhere and looked for in everything that linqbot shows: it is nowhere."""

from __future__ import annotations

import asyncio
import io
import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import uvicorn

from linqbot.clock import SystemClock
from linqbot.emulator.app import Emulator
from linqbot.emulator.world import LINES
from linqbot.records import (
    DeadLetter,
    Limits,
)
from linqbot.store.open import open_store
from tests.faults.proxy import FaultProxy
from tests.hostile.bots import OUTBOUND
from tests.hostile.door import PATH, echo, open_door, until
from tests.hostile.letters import OTHER_SECRET, encoded, message, signature
from tests.hostile.served import Served
from tests.ports import free_port
from tests.store.redis_server import Server, raw

TOKEN = "token-heliotrope-4711"
PASSWORD = "password-marigold-0815"
"""The store's."""
INBOUND = "inbound-zanzibar"
SENDER, MEMBER, MAIL = "+12025550177", "+12025550178", "quokka@example.com"
SIGNATURE = "v1,Q2FuYXJ5U2lnbmF0dXJlT2ZBRm9yZ2VkV2ViaG9vaw=="

TRIGGERS = """
    raise thread chain group reads sleep garbage effect target media stream task callback stray finalizer says echo
""".split()  # noqa: SIM905  # a list of words
"""What makes the canary go wrong in another way each."""

HAPPENED = (
    "handler failed",
    "handler made a reply that cannot be sent",
    "webhook refused",
    "webhook unreadable",
    "reply dead",
    "reply waits",
    "message withheld",
    "somebody wrote",
    "[phone]",
    "Task exception was never retrieved",
    "a thread failed",
    "an error that nobody could catch",
)
"""What the log must tell, or the test has tried nothing."""

REFUSALS: list[dict[str, Any]] = [
    *({"kind": str(status)} for status in (400, 401, 403, 404, 409, 413, 422, 429, 500, 502, 503)),
    *({"kind": "400", "code": code} for code in (1002, 2024, 2026, 5004)),
    *({"kind": kind} for kind in ("reset", "half_body", "html", "huge_body", "redirect", "failed")),
]


def canaries(secret: str) -> list[str]:
    """All that must not be seen; phone numbers also without their plus."""
    phones = [phone.removeprefix("+1") for phone in (SENDER, MEMBER, *LINES)]
    return [TOKEN, PASSWORD, secret, secret.removeprefix("whsec_"), INBOUND, OUTBOUND, MAIL, SIGNATURE[3:], *phones]


def found(shown: str, secret: str = OTHER_SECRET) -> set[str]:
    """The canaries in a text."""
    return {canary for canary in canaries(secret) if canary in shown}


@asynccontextmanager
async def linq() -> AsyncIterator[tuple[Emulator, int]]:
    """An emulator on a port."""
    emulator, listener = Emulator(clock=SystemClock(), pair_limit=None), socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(emulator.app, log_config=None, access_log=False, lifespan="on"))
    serving = asyncio.create_task(server._serve([listener]))  # without uvicorn's own signal handlers
    await until(lambda: server.started)
    try:
        yield emulator, listener.getsockname()[1]
    finally:
        server.should_exit = True
        await serving


@asynccontextmanager
async def store() -> AsyncIterator[tuple[Server, FaultProxy, str]]:
    """A Redis that asks for a password, a line to it that can break, and its URL over that line."""
    with Server(requirepass=PASSWORD) as server:
        async with FaultProxy(server.port) as proxy:
            yield server, proxy, f"redis://:{PASSWORD}@127.0.0.1:{proxy.port}/0"


@pytest.mark.slow
@pytest.mark.parametrize("log_format", ["json", "console"])
async def test_a14_nothing_secret_is_ever_shown(log_format: str, tmp_path: Path) -> None:
    """At the most talkative level, whatever goes wrong.

    Held by logging events by their ids, by `telemetry.tracebacks`, which withholds foreign messages, by
    `telemetry.privacy`, which masks numbers and secrets, and by errors, counts and reasons that name types, not values.
    """
    bot_port, counts = free_port(), tmp_path / "counts"
    async with linq() as (emulator, port), store() as (server, proxy, store_url):
        secret = emulator.subscribe(f"http://127.0.0.1:{bot_port}{PATH}?version=2026-02-03").secret
        bot = Served(
            "tests/hostile/bots.py:canary",
            "-v",
            port=bot_port,
            LINQ_API_V3_API_KEY=TOKEN,
            LINQ_WEBHOOK_SECRET=secret,
            LINQ_API_V3_BASE_URL=f"http://127.0.0.1:{port}/api/partner",
            LINQ_FROM_NUMBER=LINES[0],
            LINQBOT_STORE=store_url,
            LINQBOT_NAMESPACE="canary",
            LOG_LEVEL="debug",
            LOG_FORMAT=log_format,
            DIARY=str(counts),
        )
        await asyncio.to_thread(bot.__enter__)
        try:
            await go_wrong(emulator, bot, secret)
            pages = await health(bot_port) + await lose_the_store(bot, server, proxy)
        finally:
            bot.kill()
            await asyncio.to_thread(bot.__exit__)
        letters = await dead_letters(store_url)

    said, counted = "".join(bot.said), counts.read_text("utf-8")
    reasons = [letter.reason for letter in letters]
    assert found(said, secret) == set()
    assert found(pages, secret) == set()
    assert found(counted, secret) == set()
    assert found(repr(letters), secret) == set()
    assert [trace for trace in HAPPENED if trace not in said] == [], "never happened"
    assert ("moon.landed" in counted, "'odd'" in counted) == (True, True), "never counted"
    assert len(reasons) >= 10


async def go_wrong(emulator: Emulator, bot: Served, secret: str) -> None:
    """Everything that can, one after the other, each in a chat of its own."""
    for trigger in TRIGGERS:
        await emulator.inbound(MAIL if trigger == "raise" else SENDER, text=f"{trigger} {INBOUND}", group=[MEMBER])
        await until(lambda: nothing_left(emulator))
    for number, refusal in enumerate(REFUSALS):
        emulator.fault(**refusal)
        await emulator.inbound(SENDER, text=f"{INBOUND} {number}", group=[f"+120255501{number:02}"])
    await forge(bot.port, secret)
    await until(lambda: all(trace in "".join(bot.said) for trace in HAPPENED))
    await emulator.quiet()
    await emulator.inbound(SENDER, text=f"counts {INBOUND}")
    await until(Path(bot.environment["DIARY"]).exists)


def nothing_left(emulator: Emulator) -> bool:
    """Whether the bot has taken every webhook so far."""
    return all(one["state"] == "delivered" for one in emulator.deliveries())


async def forge(port: int, secret: str) -> None:
    """Webhooks that are forged, unreadable, too large, encoded."""
    url = f"http://127.0.0.1:{port}{PATH}"
    now_ms = int(time.time() * 1000)
    unreadable = f'{{"event_type": "message.received", "text": "{INBOUND} {SENDER}'.encode()
    nameless = encoded({**message(INBOUND), "event_type": None})
    unwanted = encoded({**message(INBOUND), "event_type": "moon.landed"})
    odd = encoded(message(INBOUND, sent_at=f"{INBOUND} {SENDER}"))
    attempts: list[tuple[bytes, dict[str, str]]] = [
        (unreadable, {**signature(unreadable, now_ms=now_ms), "webhook-signature": SIGNATURE}),
        (unreadable, signature(unreadable, now_ms=now_ms, secret=secret)),
        (nameless, signature(nameless, now_ms=now_ms, secret=secret, webhook_id="webhook-2")),
        (unwanted, signature(unwanted, now_ms=now_ms, secret=secret, webhook_id="webhook-3")),
        (odd, signature(odd, now_ms=now_ms, secret=secret, webhook_id="webhook-4")),
        (unreadable, signature(unreadable, now_ms=now_ms - 10**6, secret=secret)),
        (unreadable, {"content-encoding": "gzip", "x-canary": TOKEN}),
        (INBOUND.encode() * 400_000, {}),
    ]
    async with aiohttp.ClientSession() as session:
        for body, headers in attempts:
            with suppress(aiohttp.ClientOSError):  # hung up before it was all sent
                async with session.post(url, data=io.BytesIO(body), headers=headers) as answer:
                    assert answer.status in (200, 401, 413, 415)
                    assert found(await answer.text() + str(answer.headers), secret) == set()


async def lose_the_store(bot: Served, server: Server, proxy: FaultProxy) -> str:
    """The store cannot be reached, then it refuses the password; what the health endpoints show meanwhile."""
    shown = []
    proxy.refuses = True
    proxy.drop()
    shown.append(await health(bot.port, ready=503))
    proxy.heal()
    async with raw(f"redis://:{PASSWORD}@127.0.0.1:{server.port}/0") as client:
        await client.config_set("requirepass", "another")
        proxy.drop()
        shown.append(await health(bot.port, ready=503))
        await until(lambda: "store unavailable" in "".join(bot.said))
        await client.config_set("requirepass", PASSWORD)
    return "".join(shown)


async def health(port: int, *, ready: int = 200) -> str:
    """What the health endpoints show."""
    async with aiohttp.ClientSession() as session:
        shown = []
        for page, status in (("/healthz", 200), ("/readyz", ready)):
            async with session.get(f"http://127.0.0.1:{port}{page}") as answer:
                assert answer.status == status
                shown.append(await answer.text() + str(answer.headers))
    return "".join(shown)


async def dead_letters(url: str) -> list[DeadLetter]:
    """What was given up."""
    async with open_store(url, clock=SystemClock(), namespace="canary", limits=Limits()) as store:
        return list(await store.dead(500))


async def test_a14_a_broken_station_is_told_of_without_its_last_words() -> None:
    """A dispatcher that is ended from outside makes `/readyz` 503.

    Held by a reason that is a word of ours, whatever ended it.
    """
    async with open_door(echo()) as door:
        [dispatcher] = [task for task in asyncio.all_tasks() if task.get_name() == "linqbot-dispatcher"]
        dispatcher.cancel(f"{TOKEN} {INBOUND} {SENDER}")
        await asyncio.wait([dispatcher])
        answer = await door.client.get("/readyz")

    assert (answer.status_code, answer.json()) == (503, {"ready": False, "troubles": {"dispatcher": "stopped"}})
