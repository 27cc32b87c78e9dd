"""a running server -> one that refuses whatever it is asked, and the way back. Real refusals of a real Redis."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Awaitable, Callable

from redis.asyncio import Redis
from redis.exceptions import ResponseError

from tests.store.redis_server import Server, raw

Trouble = Callable[[Server, Redis], Awaitable[Callable[[], Awaitable[object]]]]
"""Makes a server refuse, and returns the way to end that."""


async def read_only(_: Server, client: Redis) -> Callable[[], Awaitable[object]]:
    """READONLY: it has become somebody's replica."""
    await client.execute_command("REPLICAOF", "127.0.0.1", "1")
    return lambda: client.execute_command("REPLICAOF", "NO", "ONE")


async def cannot_save(server: Server, client: Redis) -> Callable[[], Awaitable[object]]:
    """MISCONF: its last snapshot failed."""
    shutil.rmtree(server._folder)
    await client.config_set("save", "3600 1")
    await client.bgsave()
    while (await client.info("persistence"))["rdb_last_bgsave_status"] == "ok":
        pass
    return lambda: client.config_set("save", "")


async def loading(server: Server, client: Redis) -> Callable[[], Awaitable[object]]:
    """LOADING: it reads its data, so slowly that it does not end by itself."""
    await client.mset({f"ballast:{number}": "x" * 2000 for number in range(2_000)})
    await client.config_set("key-load-delay", "20000")
    async with raw(server.url) as other:
        reload = asyncio.ensure_future(other.execute_command("DEBUG", "RELOAD"))
        while not (await client.info("persistence"))["loading"]:
            pass

    async def end() -> None:
        await client.config_set("key-load-delay", "0")
        await asyncio.wait([reload])

    return end


async def busy(server: Server, client: Redis) -> Callable[[], Awaitable[object]]:
    """BUSY: somebody's script does not end."""
    await client.config_set("lua-time-limit", "10")
    other = raw(server.url)
    foreign = asyncio.ensure_future(other.eval("while true do end", 0))
    await until_refused(client, "BUSY")

    async def end() -> None:
        await client.script_kill()
        await asyncio.wait([foreign])
        assert foreign.exception() is not None
        await other.aclose()

    return end


async def until_refused(client: Redis, word: str) -> None:
    """Until the server refuses whatever it is asked, with this word."""
    refusal = ""
    while word not in refusal:
        try:
            await client.ping()
        except ResponseError as error:
            refusal = str(error)
