"""a release -> a store with one of each kind of thing in it, as text that is kept for ever.

`PYTHONPATH=<the release>:<here> python -m tests.deploy.keepsake NAME` writes `NAME.sqlite.json` and `NAME.redis.json` into
`tests/fixtures/store`; do that whenever a layout, a script or a record changes, and never to a file that is there.
"""

from __future__ import annotations

import asyncio
import base64
import json
import sqlite3
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import Any

from linqbot.clock import Clock, SystemClock
from linqbot.records import (
    Arrival,
    Commit,
    DeadLetter,
    Fact,
    InboxItem,
    Limits,
    OutboxItem,
    Request,
    Sent,
    Side,
    StateWrite,
    TimerWrite,
)
from linqbot.store.base import Store
from linqbot.store.open import open_store
from tests.store.redis_server import Server, raw

FOLDER = Path(__file__).resolve().parents[1] / "fixtures" / "store"
NAMESPACE = "kept"
TTL_MS = 3_600_000
"""How long what a server would forget stays when it is put back."""

EVENTS = tuple(
    InboxItem(event_id=name, lane=f"chat:{name}", type="message.received", body=f'{{"said":"{name} ü"}}'.encode())
    for name in ("half", "whole", "waiting")
)
LETTER = DeadLetter(
    id="letter", kind="reply", reason="it was refused", lane="chat:x", event_id="x", handler="h", item=b"\0i"
)
FACT = Fact(key="guard", value=b"known", rank=7)


def reply(key: str, lane: str, **more: Any) -> OutboxItem:
    """A reply that uses all that a reply may have."""
    ask = Request(method="POST", path=f"/v3/chats/{lane}/messages", body='{"text":"ü"}'.encode())
    return OutboxItem(
        key=key, lane=lane, event_id="whole", handler="h", position=2, request=ask, plain=ask, plain_key=f"{key}-plain",
        pair="pair", ref="ref", created_ms=17, line="line", guards=("guard",), names=("name",), **more
    )  # fmt: skip


GONE, FROZEN, NEXT, POSTED = (reply(key, f"chat:{key}") for key in ("gone", "frozen", "next", "posted"))


async def fill(store: Store) -> None:
    """One event that waits, one whose stream is half frozen, replies that are sent and that wait, and all the rest."""
    await store.learn([FACT])
    await store.bury(LETTER)
    for event in EVENTS[:2]:
        await store.accept(Arrival(remember=(event.event_id,), item=event))
    half, whole = (await store.lease(Side.IN, ["a", "b"])).taken
    await store.note("chat:half", half.token, "noted", b"once")
    await store.commit(Commit(lane=half.lane, token=half.token, event_id="half", take=0, replies=(FROZEN,)))
    await store.release(Side.IN, half.lane, half.token)
    timer = TimerWrite(key="timer", due_ms=int(time.time() * 1000) + TTL_MS, item=EVENTS[0])
    state = StateWrite(key="cell", expected=0, value=b"42")
    end = Commit(
        lane=whole.lane, token=whole.token, event_id="whole", replies=(GONE, NEXT), state=(state,), timers=(timer,)
    )
    await store.commit(end)
    held = {one.lane: one for one in (await store.lease(Side.OUT, ["c", "d", "e"])).taken}
    gone = held.pop(GONE.lane)
    await store.settle(gone.lane, gone.token, Sent(message_id="message"))
    for one in held.values():
        await store.release(Side.OUT, one.lane, one.token)
    await store.post([POSTED])
    await store.accept(Arrival(remember=("waiting",), item=EVENTS[2]))


def opened(url: str, clock: Clock) -> Store:
    """The store that is kept, as this release sees it."""
    return open_store(url, clock=clock, namespace=NAMESPACE, limits=Limits())


def dump_file(file: Path) -> list[str]:
    """All of an SQLite file, and the numbers that say what it is."""
    with closing(sqlite3.connect(file)) as database:
        numbers = [
            f"PRAGMA {name} = {database.execute(f'PRAGMA {name}').fetchone()[0]};"
            for name in ("user_version", "application_id")
        ]
        return [*database.iterdump(), *numbers]


def load_file(file: Path, statements: list[str]) -> None:
    """Make such a file again."""
    with closing(sqlite3.connect(file)) as database:
        database.executescript("\n".join(statements))


_WRITE = {"string": "SET", "hash": "HSET", "list": "RPUSH", "zset": "ZADD", "set": "SADD"}


async def dump_server(url: str) -> list[list[str]]:
    """All keys of a server: its type, whether it would be forgotten, its name and what it holds, in base64."""
    found = []
    client: Any  # whose types cannot know that it decodes nothing
    async with raw(url) as client:
        for key in sorted([key async for key in client.scan_iter()]):
            kind = (await client.type(key)).decode()
            lives = "ttl" if await client.pttl(key) > 0 else "stays"
            found.append([kind, lives, *map(_text, (key, *await _held(client, key, kind)))])
    return found


async def load_server(url: str, keys: list[list[str]]) -> None:
    """Make such keys again."""
    client: Any
    async with raw(url) as client:
        for kind, lives, *words in keys:
            name, *held = map(base64.b64decode, words)
            await client.execute_command(_WRITE[kind], name, *held)
            if lives == "ttl":
                await client.pexpire(name, TTL_MS)


async def _held(client: Any, key: Any, kind: str) -> list[bytes]:
    """What a key holds, as the command that makes it takes it."""
    if kind == "string":
        return [await client.get(key)]
    if kind == "hash":
        return [word for pair in (await client.hgetall(key)).items() for word in pair]
    if kind == "set":
        return sorted(await client.smembers(key))
    if kind == "zset":
        scored = await client.zrange(key, 0, -1, withscores=True)
        return [word for member, score in scored for word in (repr(float(score)).encode(), member)]
    return list(await client.lrange(key, 0, -1))


def _text(word: bytes) -> str:
    return base64.b64encode(word).decode()


async def keep(name: str, folder: Path) -> None:
    """Fill a store of each kind, and write what is in it."""
    file = folder / f"{name}.db"
    with Server() as server:
        for url in (f"sqlite:///{file}", server.url):
            async with opened(url, SystemClock()) as store:
                await fill(store)
        kept = {"sqlite": dump_file(file), "redis": await dump_server(server.url)}
    file.unlink()
    for kind, dumped in kept.items():
        whole = {"written_ms": int(time.time() * 1000), "dumped": dumped}
        with (folder / f"{name}.{kind}.json").open("x", encoding="utf-8") as out:
            out.write(json.dumps(whole, indent=1) + "\n")


if __name__ == "__main__":
    asyncio.run(keep(sys.argv[1], FOLDER))
