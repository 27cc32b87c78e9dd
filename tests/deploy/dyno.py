"""a line of the Procfile -> a process that lives and dies as on Heroku."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path
from typing import Self

import httpx

from tests.ports import free_port


class Dyno:
    """One process of the formation; enter it to start it, leave it to have it killed if it is still there."""

    def __init__(self, command: str, *, home: Path, config: dict[str, str], name: str) -> None:
        self.port = free_port()
        self.said: list[str] = []
        """What it printed, line by line."""
        self._command = command
        self._home = home
        self._name = name
        self._config = config

    @property
    def url(self) -> str:
        """Where its web server listens, if it has one."""
        return f"http://127.0.0.1:{self.port}"

    async def __aenter__(self) -> Self:
        self._process = await asyncio.create_subprocess_exec(
            "bash",
            "-c",
            self._command,
            cwd=self._home,
            env=self._environment(),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            start_new_session=True,
        )
        self._reader = asyncio.create_task(self._read())
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._process.returncode is None:
            os.killpg(self._process.pid, signal.SIGKILL)
        await self._reader
        # pytest shows it when the test fails
        print(f"$ {self._command}", *self.said, sep="\n")

    async def is_ready(self) -> bool:
        """Whether it answers that it is ready, once its port is bound."""
        async with httpx.AsyncClient(transport=httpx.AsyncHTTPTransport(retries=7)) as client:
            return (await client.get(f"{self.url}/readyz", timeout=30)).status_code == 200

    async def stop(self) -> int:
        """SIGTERM to every process of the dyno, as at each deploy; returns the exit status."""
        os.killpg(self._process.pid, signal.SIGTERM)
        status = await self._process.wait()
        await self._reader
        return status

    def _environment(self) -> dict[str, str]:
        return {
            "DYNO": self._name,
            "FORWARDED_ALLOW_IPS": "*",
            "HOME": str(self._home),
            "LANG": "en_US.UTF-8",
            "PATH": f"{self._home}/.venv/bin:/usr/local/bin:/usr/bin:/bin",
            "PORT": str(self.port),
            "PYTHONPATH": str(self._home),
            "PYTHONUNBUFFERED": "true",
            "WEB_CONCURRENCY": "2",
            "WEB_CONCURRENCY_SET_BY": "heroku/python",
            **self._config,
        }

    async def _read(self) -> None:
        assert self._process.stdout is not None
        async for line in self._process.stdout:
            self.said.append(line.decode().rstrip())
        await self._process.wait()
