"""a Bot -> a served bot. Drives uvicorn's server itself, and leaves the way platforms want it.

The first SIGTERM, SIGINT or SIGHUP drains: no new webhooks, turns and sends end, exit code 0. The second gives back what is
in hand and leaves, the third just leaves, and so does a drain that takes too long: whatever is unfinished is safe in the
store. A member of a crew, or the child of `dev`, also drains when its parent is gone.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import socket
import threading
from collections.abc import AsyncIterator, Callable, Coroutine, Generator
from functools import partial
from types import FrameType
from typing import Any, Self

import structlog
import uvicorn
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from linqbot.bot import Bot
from linqbot.cli.connection import Connection
from linqbot.cli.memory import settle_memory
from linqbot.errors import ConfigurationError

log = structlog.get_logger("linqbot.run")

KEEP_ALIVE_S = 95
"""Longer than the 90 s for which Heroku's router keeps a connection (ecosystem.md section 2.3)."""
REQUESTS_END_S = 20
STOP_S = 25
"""Platforms kill after 30 s."""
HURRY_S = 3
"""How long giving back may take."""


class Departure:
    """The way out: counts signals, begins the drain, cuts it short, and makes sure that there is an end."""

    def __init__(self, drain: Callable[[], None], hurry: Callable[[], None] = lambda: None) -> None:
        self.code = 0
        """What to exit with: 0 after a drain, 128 and the signal when it was cut short."""
        self._drain = drain
        self._hurry = hurry
        self._begun = False
        self._signals = _polite_signals()
        self._asked = asyncio.Event()
        self._loop = asyncio.get_running_loop()

    def __enter__(self) -> Self:
        for number in self._signals:
            signal.signal(number, self._on_signal)
        return self

    def __exit__(self, *_: object) -> None:
        for number in self._signals:
            signal.signal(number, signal.SIG_IGN)

    def begin(self) -> None:
        """Drain, and be gone in `STOP_S`; a repeat changes nothing."""
        if self._begun:
            return
        self._begun = True
        self._drain()
        self._loop.call_soon_threadsafe(self._asked.set)
        _at_the_latest(STOP_S, _give_up)

    async def asked(self) -> None:
        """Wait until somebody wants us to leave."""
        await self._asked.wait()

    def follow_parent(self) -> None:
        """Leave when standard input, a pipe that the parent holds, comes to its end."""
        threading.Thread(target=self._wait_for_parent, daemon=True).start()

    def _wait_for_parent(self) -> None:
        with contextlib.suppress(OSError):
            while os.read(0, 1024):
                pass
        self.begin()

    def _on_signal(self, number: int, _: FrameType | None) -> None:
        if self.code:
            os._exit(self.code)
        if not self._begun:
            self.begin()
            return
        self.code = 128 + number
        self._hurry()
        _at_the_latest(HURRY_S, partial(os._exit, self.code))


def _polite_signals() -> tuple[signal.Signals, ...]:
    """The signals that ask to leave; SIGHUP is not one of them under `nohup`."""
    hangs_up = signal.getsignal(signal.SIGHUP) is signal.SIG_DFL
    return (signal.SIGTERM, signal.SIGINT, *([signal.SIGHUP] if hangs_up else []))


def _at_the_latest(seconds: float, leave: Callable[[], None]) -> None:
    patience = threading.Timer(seconds, leave)
    patience.daemon = True
    patience.start()


def _give_up() -> None:
    log.error("the drain took too long, left without it; what is unfinished is in the store", seconds=STOP_S)
    os._exit(1)


class Server(uvicorn.Server):
    """uvicorn's server, which leaves signals to `Departure` and tells when it serves."""

    def __init__(self, config: uvicorn.Config, started: Callable[[], None]) -> None:
        super().__init__(config)
        self._on_started = started

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Capture none."""
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start the app, then the listener; only what comes after is worth a line of uvicorn's own."""
        logger = logging.getLogger("uvicorn.error")
        logger.setLevel(logging.CRITICAL)
        await super().startup(sockets)
        logger.setLevel(logging.WARNING)
        self._on_started()


class _Noted:
    """An app whose failure to start is noted rather than printed as a traceback."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self.failure: BaseException | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "lifespan":
            await self._app(scope, receive, send)
            return

        async def without_traceback(message: Message) -> None:
            await send({"type": message["type"]})

        try:
            await self._app(scope, receive, without_traceback)
        except BaseException as error:
            self.failure = error
            raise


def run_loop(work: Callable[[], Coroutine[Any, Any, int]]) -> int:
    """Run to the end on uvicorn's event loop (uvloop where there is one); returns the exit code."""
    with asyncio.Runner(loop_factory=_config(_no_app, "").get_loop_factory()) as runner:
        return runner.run(work())


def listen(host: str, port: int) -> socket.socket:
    """A listening socket. Raises `ConfigurationError` when the address cannot be had."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=2048, dualstack_ipv6=host == "::")
    except OSError as error:
        why = os.strerror(error.errno) if error.errno and error.errno > 0 else "there is no such address"
        raise ConfigurationError(
            f"cannot listen on {host} port {port}: {why}; choose another with --host and --port, or HOST and PORT"
        ) from None


async def serve(
    bot: Bot,
    *,
    listener: socket.socket,
    app: ASGIApp | None = None,
    forwarded_allow_ips: str = "127.0.0.1",
    has_parent: bool = False,
    started: Callable[[], None] = lambda: None,
) -> int:
    """Serve a bot (or `app`, which holds it) until a signal; returns 0 after a drain.

    Raises what kept the bot from starting or from ending well.
    """
    noted = _Noted(app or bot)

    def serving() -> None:
        settle_memory()
        started()

    server = Server(_config(noted, forwarded_allow_ips), serving)

    def drain() -> None:
        bot.begin_drain()
        server.should_exit = True

    with Departure(drain, bot.give_back) as departure:
        if has_parent:
            departure.follow_parent()
        with contextlib.suppress(SystemExit):  # uvicorn's word for "the app did not start"; the reason is noted
            await server.serve(sockets=[listener])
    if noted.failure is not None:
        raise noted.failure
    return departure.code


async def work(bot: Bot, *, has_parent: bool = False) -> int:
    """Run a bot without a port until a signal; returns 0 after a drain. Raises what kept the bot from starting."""
    with Departure(bot.begin_drain, bot.give_back) as departure:
        if has_parent:
            departure.follow_parent()
        async with bot:
            settle_memory()
            await departure.asked()
    return departure.code


@contextlib.asynccontextmanager
async def site(app: ASGIApp) -> AsyncIterator[str]:
    """Serve an app without a lifespan on a free port of this machine, beside other work; gives its address."""
    listener = listen("127.0.0.1", 0)
    config = uvicorn.Config(app, lifespan="off", http="httptools", ws="none", log_config=None, access_log=False)
    started = asyncio.Event()
    server = Server(config, started.set)
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    await started.wait()
    try:
        yield address_of(listener)
    finally:
        server.should_exit = server.force_exit = True
        await serving


def address_of(listener: socket.socket) -> str:
    """Where a listening socket is reached."""
    host, port = listener.getsockname()[:2]
    return f"http://{host}:{port}"


def _config(app: ASGIApp, forwarded_allow_ips: str) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        lifespan="on",
        http=Connection,
        ws="none",
        workers=1,
        log_config=None,
        access_log=False,
        proxy_headers=True,
        forwarded_allow_ips=forwarded_allow_ips,
        server_header=False,
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=REQUESTS_END_S,
    )


async def _no_app(_scope: Scope, _receive: Receive, _send: Send) -> None:
    """Stands in for an app where only the choice of an event loop is asked for."""
