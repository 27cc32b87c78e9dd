"""Webhooks at the front door: what is answered, and what is kept."""

from __future__ import annotations

import asyncio
import hmac
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from standardwebhooks import Webhook

from linqbot import Bot, Message
from linqbot.records import Limits
from linqbot.settings import load_settings
from linqbot.store.open import open_store
from linqbot.testing import TurnedClock
from tests.linq_fixtures import fixture_bytes
from tests.store.redis_server import KINDS, Server

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw7Jxx2Oll+OE="
RECEIVED = fixture_bytes("message.received.2026-02-03.json")


def signed(body: bytes, clock: TurnedClock, *, webhook_id: str = "evt-1") -> dict[str, str]:
    """The headers that Linq would send with a body, made by the reference implementation."""
    now = datetime.fromtimestamp(clock.now_ms() / 1000, UTC)
    signature = Webhook(SECRET).sign(webhook_id, now, body.decode("utf-8", "surrogateescape"))
    return {
        "webhook-id": webhook_id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": signature,
        "content-type": "application/json",
    }


def legacy_signed(body: bytes, clock: TurnedClock) -> dict[str, str]:
    """The deprecated headers."""
    timestamp = str(clock.now_ms() // 1000)
    signature = hmac.digest(SECRET.encode(), timestamp.encode() + b"." + body, "sha256").hex()
    return {"x-webhook-timestamp": timestamp, "x-webhook-signature": signature}


def make_bot(clock: TurnedClock, **settings: Any) -> Bot:
    """A bot whose Linq cannot be reached: what matters here is what it keeps."""
    bot = Bot()

    @bot.message()
    async def quiet(_message: Message) -> None:
        return None

    given = {"api_key": "token", "webhook_secret": SECRET, "store": "sqlite:///:memory:", **settings}
    bot.configure(settings=load_settings(env_file=None, **given), clock=clock, only="web")
    return bot


@pytest.fixture
async def bot(clock: TurnedClock) -> AsyncIterator[Bot]:
    """A running bot."""
    async with make_bot(clock) as running:
        yield running


@pytest.fixture
async def door(bot: Bot) -> AsyncIterator[httpx.AsyncClient]:
    """The bot's ASGI app, as a client sees it."""
    async with client_of(bot) as client:
        yield client


def client_of(app: Any) -> httpx.AsyncClient:
    """A client of an ASGI app."""
    return httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://bot.test")


async def post(door: httpx.AsyncClient, body: bytes, headers: dict[str, str]) -> httpx.Response:
    """One webhook."""
    return await door.post("/webhooks/linq", content=body, headers=headers)


async def test_a_genuine_event_is_kept_before_it_is_acknowledged(
    bot: Bot, door: httpx.AsyncClient, clock: TurnedClock
) -> None:
    """200 says that the event is in the inbox."""
    answer = await post(door, RECEIVED, signed(RECEIVED, clock))

    assert answer.status_code == 200
    assert (await bot.store.stats()).inbox == 1


async def test_a_repeated_webhook_is_accepted_once(bot: Bot, door: httpx.AsyncClient, clock: TurnedClock) -> None:
    """The same event id again is acknowledged and changes nothing, also under a fresh signature."""
    await post(door, RECEIVED, signed(RECEIVED, clock))
    clock.advance(minutes=29)

    answer = await post(door, RECEIVED, signed(RECEIVED, clock))

    assert (answer.status_code, (await bot.store.stats()).inbox) == (200, 1)


async def test_both_payload_versions_of_one_message_are_one_event(
    bot: Bot, door: httpx.AsyncClient, clock: TurnedClock
) -> None:
    """Two subscriptions of different versions do not make two replies."""
    older = fixture_bytes("message.received.2025-01-01.json").replace(b"2915e81c", b"ffffffff")
    await post(door, RECEIVED, signed(RECEIVED, clock))

    await post(door, older, signed(older, clock, webhook_id="evt-2"))

    assert (await bot.store.stats()).inbox == 1


@pytest.mark.parametrize("minutes", [-6, 6])
async def test_a_stale_or_early_signature_is_refused(
    bot: Bot, door: httpx.AsyncClient, clock: TurnedClock, minutes: int
) -> None:
    """More than five minutes off, either way, is 401 and keeps nothing."""
    headers = signed(RECEIVED, clock)
    moved = str(int(headers["webhook-timestamp"]) + minutes * 60)
    body_headers = headers | {"webhook-timestamp": moved}
    body_headers["webhook-signature"] = signed_at(RECEIVED, int(moved))

    answer = await post(door, RECEIVED, body_headers)

    assert (answer.status_code, (await bot.store.stats()).inbox) == (401, 0)


def signed_at(body: bytes, timestamp: int) -> str:
    """A true signature for another time."""
    signature: str = Webhook(SECRET).sign("evt-1", datetime.fromtimestamp(timestamp, UTC), body.decode())
    return signature


async def test_a_forged_body_is_refused(bot: Bot, door: httpx.AsyncClient, clock: TurnedClock) -> None:
    """One changed byte is 401 and keeps nothing."""
    answer = await post(door, RECEIVED.replace(b"Hello!", b"Hello?"), signed(RECEIVED, clock))

    assert (answer.status_code, (await bot.store.stats()).inbox) == (401, 0)


async def test_a_body_over_the_cap_is_refused_and_the_connection_closed(
    door: httpx.AsyncClient, clock: TurnedClock
) -> None:
    """413, whatever the signature says."""
    body = b"[" + b" " * (4 * 1024 * 1024) + b"]"

    answer = await post(door, body, signed(body, clock))

    assert (answer.status_code, answer.headers["connection"]) == (413, "close")


async def test_a_compressed_body_is_refused(door: httpx.AsyncClient, clock: TurnedClock) -> None:
    """415: nothing is ever decompressed."""
    answer = await post(door, RECEIVED, signed(RECEIVED, clock) | {"content-encoding": "gzip"})

    assert answer.status_code == 415


async def test_another_method_is_refused(door: httpx.AsyncClient) -> None:
    """405."""
    assert (await door.get("/webhooks/linq")).status_code == 405


async def test_a_signed_but_unreadable_body_is_kept_in_the_dead_letters(
    bot: Bot, door: httpx.AsyncClient, clock: TurnedClock
) -> None:
    """A repeat cannot help, so it is acknowledged, and the evidence is kept."""
    body = b'{"event_type": ["not", "a", "name"]}'

    answer = await post(door, body, signed(body, clock, webhook_id="evt-9"))

    [letter] = await bot.store.dead()
    assert (answer.status_code, letter.kind, letter.id, letter.item) == (200, "payload", "evt-9", body)


async def test_unreadable_bodies_without_an_id_are_each_kept(clock: TurnedClock) -> None:
    """The older signature brings no id: what the bodies are tells them apart, and a repeat is kept once."""
    async with make_bot(clock, legacy_signatures=True) as bot, client_of(bot) as door:
        for body in (b"[1]", b"[2]", b"[1]"):
            assert (await post(door, body, legacy_signed(body, clock))).status_code == 200

        assert sorted(letter.item for letter in await bot.store.dead()) == [b"[1]", b"[2]"]


async def test_an_event_that_nobody_wants_is_acknowledged_and_not_kept(
    bot: Bot, door: httpx.AsyncClient, clock: TurnedClock
) -> None:
    """Nor is its id remembered."""
    body = fixture_bytes("location.sharing.started.json")

    answer = await post(door, body, signed(body, clock))

    assert (answer.status_code, (await bot.store.stats()).inbox) == (200, 0)


async def test_without_a_secret_webhooks_are_put_off(clock: TurnedClock) -> None:
    """503: Linq comes again, and by then there may be one. Never a 4xx for our own fault."""
    async with make_bot(clock, webhook_secret=None) as bot, client_of(bot) as door:
        answer = await post(door, RECEIVED, signed(RECEIVED, clock))

    assert answer.status_code == 503
    assert 5 <= int(answer.headers["retry-after"]) <= 30


async def test_a_draining_process_puts_webhooks_off(bot: Bot, door: httpx.AsyncClient, clock: TurnedClock) -> None:
    """503, and readiness says why; the process is still alive."""
    bot.begin_drain()
    await clock.sleep(0)

    answer = await post(door, RECEIVED, signed(RECEIVED, clock))
    ready = await door.get("/readyz")

    assert (answer.status_code, ready.status_code, (await door.get("/healthz")).status_code) == (503, 503, 200)
    assert ready.json()["troubles"] == {"process": "draining"}


async def test_a_bot_that_was_not_started_puts_webhooks_off(clock: TurnedClock) -> None:
    """A mounted bot whose host forgot `async with bot:` loses nothing."""
    async with client_of(make_bot(clock)) as door:
        answer = await post(door, RECEIVED, signed(RECEIVED, clock))

    assert (answer.status_code, "retry-after" in answer.headers) == (503, True)


async def test_a_full_inbox_puts_webhooks_off(clock: TurnedClock) -> None:
    """At a cap the answer is 503 before anything is acknowledged."""
    bot = make_bot(clock)
    limits = Limits(lane_cap=1)
    bot.configure(store=lambda: open_store("sqlite:///:memory:", clock=clock, limits=limits))
    second = RECEIVED.replace(b"2915e81c", b"ffffffff").replace(b"89e3566e", b"ffffffff")
    async with bot, client_of(bot) as door:
        await post(door, RECEIVED, signed(RECEIVED, clock))
        answer = await post(door, second, signed(second, clock, webhook_id="evt-2"))

    assert answer.status_code == 503


async def test_a_dead_store_is_answered_at_once_after_a_few_failures(clock: TurnedClock) -> None:
    """The breaker opens: 503 comes without waiting for a store that is known to be away."""
    with Server(KINDS[0]) as server:
        async with make_bot(clock, store=server.url) as bot, client_of(bot) as door:
            server.kill()
            for _ in range(3):
                await post(door, RECEIVED, signed(RECEIVED, clock))

            started = time.perf_counter()
            answers = await asyncio.gather(*(post(door, RECEIVED, signed(RECEIVED, clock)) for _ in range(10)))
            took_s = time.perf_counter() - started

    assert {answer.status_code for answer in answers} == {503}
    assert took_s / len(answers) < 0.05


async def test_a_store_that_comes_back_is_used_again(clock: TurnedClock) -> None:
    """A second later one webhook is let through to see, and the breaker closes."""
    with Server(KINDS[0]) as server:
        async with make_bot(clock, store=server.url) as bot, client_of(bot) as door:
            server.kill()
            for _ in range(3):
                await post(door, RECEIVED, signed(RECEIVED, clock))
            server.start()
            clock.advance(seconds=2)

            answer = await post(door, RECEIVED, signed(RECEIVED, clock))

    assert answer.status_code == 200
