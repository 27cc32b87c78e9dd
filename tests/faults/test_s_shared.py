"""The store is not ours alone: others write, forbid, flush or break what we keep there. Rows S15 to S17."""

from __future__ import annotations

import asyncio

from redis.asyncio import Redis
from structlog.testing import capture_logs

from linqbot.store.redis.keys import prefix
from tests.faults.town import ALICE, BOB, Town, open_town
from tests.store.redis_server import KINDS, Server, leaks, raw


async def test_s15_a_foreign_key_is_trouble_not_a_crash() -> None:
    """Something else writes into our namespace: webhooks are put off, the program stays up without spinning, and works on
    when the key is gone.

    Held by answering 503 whatever the store says, and by stations that start again after a pause.
    """
    with Server(KINDS[0]) as server:
        async with open_town(server.url, namespace="mine") as town, raw(server.url) as client:
            with capture_logs() as logs:
                await client.set(f"{prefix('mine')}in:ready", "not ours")
                await town.write_at_once(*(f"foreign {number}" for number in range(5)))
                assert set(town.statuses()) == {503}
                await client.delete(f"{prefix('mine')}in:ready")
                await town.all_is_well()
            assert [entry["event"] for entry in logs].count("station broke, started again") <= 3


async def test_s15_rights_that_are_taken_away_and_given_back_cost_nothing() -> None:
    """The server forbids us our scripts for a moment, while a handler runs: webhooks are put off, `/readyz` says 503, and
    when the rights are back the handler's chat is still its own, and everybody is answered.

    Held by taking any error of the store for a store that is away: the heart goes on beating and asks again.
    """
    with Server(KINDS[0]) as server:
        async with open_town(server.url, handler_timeout="1h", namespace="mine") as town, raw(server.url) as client:
            await town.write(ALICE, "wait here")
            await town.bot.at_work.wait()
            await client.execute_command("ACL", "SETUSER", "default", "-evalsha")
            with capture_logs() as logs:
                await town.until(lambda: "heartbeat failed" in [entry["event"] for entry in logs], turn=True)
            assert await town.readiness() == {"ready": False, "troubles": {"store": "unreachable"}}
            await town.write(BOB, "forbidden")
            assert town.statuses() == [200, 503]
            await client.execute_command("ACL", "SETUSER", "default", "+evalsha")
            for _ in range(12):
                await until_renewed(town, client)
            town.bot.go_on.set()
            await town.all_is_well()
            assert town.bot.turns.count("wait here") == 1


async def until_renewed(town: Town, client: Redis) -> None:
    """A third of a lease passes, and its holder has renewed it."""
    before_ms = await lease_end_ms(client)
    town.sim.clock.advance(seconds=10)
    async with asyncio.timeout(20):
        while await lease_end_ms(client) <= before_ms:
            pass


async def lease_end_ms(client: Redis) -> float:
    """When the only lease ends."""
    ((_, end_ms),) = await client.zrange(f"{prefix('mine')}in:leased", 0, -1, withscores=True)
    return float(end_ms)


async def test_s15_flushall_in_flight_takes_its_events_and_nothing_else() -> None:
    """Everything is deleted while a handler runs: its event is gone with the store, the program works on, and when Linq
    repeats the event it is answered once.

    Held by the token: a commit without its lane is stale and freezes nothing; the next events make their lanes anew.
    """
    with Server(KINDS[0]) as server:
        async with open_town(server.url, namespace="mine") as town, raw(server.url) as client:
            begun = await town.sim.emulator.inbound(ALICE, text="wait here")
            await town.bot.at_work.wait()
            await client.flushall()
            town.bot.go_on.set()
            await town.until(lambda: town.bot.idle)
            assert town.sim.replies == []
            await town.sim.emulator.inbound(
                ALICE, text="wait here", event_id=begun.event_id, message_id=begun.message_id
            )
            await town.write(ALICE, "next")
            await town.sim.settled()
            assert [bubble.text for bubble in town.sim.replies] == ["wait here", "next"]
            assert await leaks(server.url, "mine") == []


async def test_s16_two_apps_on_one_redis_do_not_meet() -> None:
    """Two bots on one server get events of the same ids: each answers its own people, once.

    Held by a namespace in front of every key of the store and inside every idempotency key.
    """
    with Server(KINDS[0]) as server:
        async with open_town(server.url, namespace="one") as one, open_town(server.url, namespace="two") as two:
            for town in (one, two):
                await town.sim.emulator.inbound(ALICE, text="hello", event_id="event-1", message_id="message-1")
            keys = []
            for town in (one, two):
                await town.sim.settled()
                assert [bubble.text for bubble in town.sim.replies] == ["hello"]
                keys.append(town.sim.replies[0].idempotency_key)
            assert len(set(keys)) == 2
            assert await leaks(server.url, "one") == await leaks(server.url, "two") == []


async def test_s17_a_script_that_breaks_after_a_write_is_healed_by_the_sweep() -> None:
    """An accept that stops in the middle leaves an event that is in a lane and in no queue: it is handled a minute later.

    Held by the sweep, which finds lanes with items in no place and makes them ready. Redis undoes nothing when a script
    breaks, and the repeat of the webhook is a duplicate.
    """
    with Server(KINDS[0]) as server:
        async with open_town(server.url, namespace="mine") as town, raw(server.url) as client:
            await client.set(f"{prefix('mine')}in:ready", "breaks ZADD")
            await town.write(ALICE, "in the middle")
            assert (await client.llen(await the_lane(client)), set(town.statuses())) == (1, {503})
            await client.delete(f"{prefix('mine')}in:ready")
            await town.all_is_well()
            assert await leaks(server.url, "mine") == []


async def the_lane(client: Redis) -> bytes:
    """The key of the only lane with events."""
    (key,) = [key async for key in client.scan_iter(match="*:in:q:*")]
    return bytes(key)
