"""What linqbot is compared with: the least that a person would write by hand. Run as a process of its own.

`r0` imports the libraries that linqbot needs and answers 200. `r1` verifies, parses with pydantic and awaits one round
trip to Redis. `r2` also replies, in the background, through aiohttp. Neither keeps order, retries, or survives a kill.
`ceiling` answers 200 to whatever comes, to show how fast the generator is.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import hmac
import importlib
import os
import time
from typing import Any, cast

NEEDS = (
    "aiohttp",
    "click",
    "httpx",
    "httpx_aiohttp",
    "pydantic",
    "pydantic_settings",
    "starlette",
    "structlog",
    "uvicorn",
)
"""What every linqbot imports; the store's own library comes on top."""


async def say(send: Any, status: int) -> None:
    """Answer."""
    await send({"type": "http.response.start", "status": status, "headers": [(b"content-length", b"0")]})
    await send({"type": "http.response.body", "body": b""})


def nothing_app() -> Any:
    """R0: 200, whatever comes."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await live(receive, send)
            return
        await receive()
        await say(send, 200)

    return app


def bare_app(redis_url: str, api_url: str | None) -> Any:
    """R1, and R2 when there is an API to reply to."""
    import aiohttp
    from pydantic import BaseModel
    from redis.asyncio import Redis

    class Handle(BaseModel):
        id: str
        handle: str
        service: str | None = None
        is_me: bool | None = None
        status: str | None = None

    class Chat(BaseModel):
        id: str
        is_group: bool = False
        owner_handle: Handle | None = None

    class Part(BaseModel):
        type: str
        value: str | None = None

    class Data(BaseModel):
        id: str
        chat: Chat
        direction: str
        sender_handle: Handle
        parts: list[Part]
        service: str | None = None
        sent_at: str | None = None

    class Envelope(BaseModel):
        event_type: str
        event_id: str
        created_at: str
        data: Data

    key = base64.b64decode(os.environ["BENCH_SECRET"].removeprefix("whsec_"))
    redis = Redis.from_url(redis_url)
    replies: set[asyncio.Task[None]] = set()
    session: aiohttp.ClientSession | None = None

    def proven(headers: dict[bytes, bytes], body: bytes) -> bool:
        stamp = headers[b"webhook-timestamp"]
        content = headers[b"webhook-id"] + b"." + stamp + b"." + body
        expected = b"v1," + base64.b64encode(hmac.digest(key, content, "sha256"))
        fresh = abs(time.time() - int(stamp)) < 300
        return fresh and any(hmac.compare_digest(expected, one) for one in headers[b"webhook-signature"].split(b" "))

    async def reply(event: Envelope) -> None:
        assert session is not None
        message = {"parts": [{"type": "text", "value": event.data.parts[0].value}], "idempotency_key": event.event_id}
        url = f"{api_url}/v3/chats/{event.data.chat.id}/messages"
        async with session.post(url, json={"message": message}) as answer:
            await answer.json()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        nonlocal session
        if scope["type"] == "lifespan":
            if api_url:
                session = aiohttp.ClientSession(headers={"Authorization": "Bearer bench"})
            await live(receive, send)
            return
        body, more = b"", True
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
        if not proven(dict(scope["headers"]), body):
            await say(send, 401)
            return
        event = Envelope.model_validate_json(body)
        new = await redis.set(f"seen:{event.event_id}", 1, nx=True, ex=86_400)
        if new and session is not None:
            task = asyncio.create_task(reply(event))
            replies.add(task)
            task.add_done_callback(replies.discard)
        await say(send, 200)

    return app


async def live(receive: Any, send: Any) -> None:
    """The lifespan of an app that has nothing to start."""
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return


class Ceiling(asyncio.Protocol):
    """200 to whatever comes in one piece."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self._transport.write(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")


async def serve_ceiling(port: int) -> None:
    """Serve `Ceiling` for ever."""
    server = await asyncio.get_running_loop().create_server(Ceiling, "127.0.0.1", port, backlog=2048)
    await server.serve_forever()


def main() -> None:
    """Serve what the command line names."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kind", choices=("r0", "r1", "r2", "ceiling"))
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--store", required=True)
    parser.add_argument("--api", required=True)
    asked = parser.parse_args()
    if asked.kind == "ceiling":
        import uvloop

        uvloop.run(serve_ceiling(asked.port))
        return
    if asked.kind == "r0":
        for name in (*NEEDS, "redis.asyncio" if asked.store.startswith("redis") else "sqlite3"):
            importlib.import_module(name)
    import uvicorn

    app = nothing_app() if asked.kind == "r0" else bare_app(asked.store, asked.api if asked.kind == "r2" else None)
    uvicorn.run(app, port=asked.port, http="httptools", loop="uvloop", access_log=False, log_level="warning")


if __name__ == "__main__":
    main()
