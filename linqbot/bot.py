"""handlers -> a running program. The one object a user builds: it wires the rooms together and is an ASGI app.

`uvicorn app:bot --lifespan on` serves it, `linqbot run app:bot` does so with the right flags, and a FastAPI or Starlette
app may mount it. A mounted app's lifespan does not run by itself: `async with bot:` in the host's lifespan starts and
drains it.
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
import threading
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractContextManager, AsyncExitStack, aclosing, asynccontextmanager
from dataclasses import dataclass
from types import FrameType, TracebackType
from typing import TYPE_CHECKING, Literal, Self

import httpx
import structlog
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from linqbot.client.client import Client
from linqbot.client.downloads import Downloader
from linqbot.client.files import FileHost
from linqbot.client.http import LinqClient
from linqbot.client.official import official_client
from linqbot.clock import Clock, SystemClock
from linqbot.engine.dispatcher import Dispatcher, Settled
from linqbot.engine.health import Health
from linqbot.engine.hints import Hints
from linqbot.engine.ingress import Ingress, IngressLimits
from linqbot.engine.postbox import Postbox, Queued
from linqbot.engine.quoting import Quoting
from linqbot.engine.runtime import Runtime
from linqbot.engine.sweeper import Sweeper
from linqbot.engine.watchdog import Watchdog
from linqbot.engine.worker import Worker
from linqbot.errors import ConfigurationError, RegistrationError
from linqbot.events.fetching import FETCHER
from linqbot.handling.policies import LoopGuard, OptOut
from linqbot.handling.policy import Policy, checked
from linqbot.handling.router import Router
from linqbot.handling.runner import Runner
from linqbot.protocol.sampling import Sampler
from linqbot.protocol.signature import parse_secrets
from linqbot.protocol.tally import Tally
from linqbot.replies import Bubbles, Thread
from linqbot.replies import Send as Sending
from linqbot.replies.reply import THREADS
from linqbot.replies.send import check_key
from linqbot.settings import Settings, load_settings
from linqbot.store.base import Store
from linqbot.store.open import open_store
from linqbot.telemetry import logs

if TYPE_CHECKING:
    from linq import AsyncLinqAPIV3

log = structlog.get_logger("linqbot.bot")

Only = Literal["all", "web", "worker", "send"]
"""Which part of the bot a process runs: all, webhooks alone, handlers and sends alone, or sends alone."""


_OPT_OUT = OptOut()
_LOOP_GUARD = LoopGuard()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Live:
    """What exists while the bot runs."""

    store: Store
    runtime: Runtime
    ingress: Ingress | None
    health: Health
    postbox: Postbox
    hints: Hints


class Bot(Router):
    """A bot: handlers are registered on it, and it runs them.

    `thread` decides which replies are threaded (`first`, `every`, `auto`, `never`); `attempts` is how often a failing
    handler is tried; `settings` default to the environment and `./.env`, read when first needed. `policies` hold for all
    handlers, beside the defaults `opt_out` and `loop_guard`, which None takes off. Raises `RegistrationError` for a
    threading, a number or a policy that makes no sense.
    """

    def __init__(  # all by keyword: what holds for the whole bot
        self,
        *,
        thread: Thread = "first",
        attempts: int = 3,
        opt_out: OptOut | None = _OPT_OUT,
        loop_guard: LoopGuard | None = _LOOP_GUARD,
        policies: Sequence[Policy] = (),
        settings: Settings | None = None,
    ) -> None:
        defaults = tuple(policy for policy in (opt_out, loop_guard) if policy is not None)
        super().__init__(policies=(*checked(defaults, what="Bot"), *checked(policies, what="Bot")))
        if thread not in THREADS:
            raise RegistrationError(f"Bot(thread={thread!r}) is none of {', '.join(THREADS)}")
        counted: object = attempts
        if not (isinstance(counted, int) and counted >= 1):
            raise RegistrationError("Bot(attempts=) counts the first run, so it is a number from 1 on")
        self._thread = thread
        self._attempts = attempts
        self._own_attempts = True
        self._settings = settings
        self._only: Only = "all"
        self._clock: Clock = SystemClock()
        self._transport: httpx.AsyncBaseTransport | None = None
        self._open_store: Callable[[], Store] = self._open_store_of_settings
        self._settled: Settled | None = None
        self._app: Starlette | None = None
        self._complaints = Sampler()
        self._tally = Tally()
        self._live: _Live | None = None
        self._client: Client | None = None
        self._official: AsyncLinqAPIV3 | None = None
        self._stack = AsyncExitStack()
        self._loop: asyncio.AbstractEventLoop | None = None

    @property
    def settings(self) -> Settings:
        """The settings this bot runs with. Raises `ConfigurationError` if the environment holds a wrong one."""
        if self._settings is None:
            self._settings = load_settings()
        return self._settings

    @property
    def app(self) -> Starlette:
        """The Starlette application inside: the webhook route, `/healthz`, `/readyz` and the lifespan."""
        if self._app is None:
            self._app = self._build_app()
        return self._app

    def configure(
        self,
        *,
        settings: Settings | None = None,
        only: Only | None = None,
        attempts: int | None = None,
        clock: Clock | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
        store: Callable[[], Store] | None = None,
        settled: Settled | None = None,
    ) -> None:
        """Change how a bot that is not running will run; what is left out stays. Used by the command line and by tests.

        `transport` carries the requests to Linq; `store` opens another store than the one the settings name;
        `attempts` hold for every handler, whatever it says itself; `settled` is told of each attempt to send.
        """
        if self._live is not None:
            raise ConfigurationError("the bot is running; configure it before it starts")
        self._settings = settings or self._settings
        self._only = only or self._only
        self._attempts = attempts or self._attempts
        self._own_attempts = self._own_attempts and attempts is None
        self._clock = clock or self._clock
        self._transport = transport or self._transport
        self._open_store = store or self._open_store
        self._settled = settled or self._settled
        self._app = None

    def event_types(self) -> frozenset[str]:
        """The event types that handlers want; what a subscription should ask for. Raises `RegistrationError`."""
        return self._compile().event_types()

    async def send(self, to: str | Sequence[str], reply: Bubbles, *, key: str = "", line: str | None = None) -> Queued:
        """Begin: queue a message to a handle, several (a group) or a chat's id; whichever process has a hand free sends it.

        The bot must be running, or be a `sender`. The message is stored when this returns, and sent once under its `key`: a
        repeat, from wherever it comes, changes nothing for a day at least. `line` is your number to send from, by default
        `LINQ_FROM_NUMBER`, else one that Linq picks. Raises `ReplyError` without a key and for what Linq would refuse,
        `StoreUnavailable` when it could not be stored.
        """
        return await self._running_parts.postbox.take(Sending(to, reply, key=check_key(key), line=line))

    @asynccontextmanager
    async def sender(self) -> AsyncIterator[Self]:
        """The bot for a script that only sends: it takes no webhooks and runs no handlers while it is entered.

        Leaving waits up to 23 s for what can be sent at once; what cannot stays queued for the other processes.
        """
        before = self._only
        self.configure(only="send")
        try:
            async with self:
                yield self
        finally:
            self._only = before

    def begin_drain(self) -> None:
        """Take nothing new from now on: webhooks are answered 503, running turns end. Safe from a signal handler."""
        if self._live is not None and self._loop is not None:
            self._loop.call_soon_threadsafe(self._live.runtime.begin_drain)

    def give_back(self) -> None:
        """Cut a drain short: the chats in hand go back to the queue at once, for another process; nothing is counted.
        Safe from a signal handler.
        """
        if self._live is not None and self._loop is not None:
            self._loop.call_soon_threadsafe(self._live.runtime.give_back)

    @property
    def running(self) -> bool:
        """Whether the bot is started."""
        return self._live is not None

    @property
    def draining(self) -> asyncio.Event:
        """Set from the moment a running bot begins to drain."""
        return self._running_parts.runtime.draining

    @property
    def idle(self) -> bool:
        """Whether every station of this process waits for work; tests ask."""
        return self._live is None or (self._live.runtime.idle and self._live.hints.idle)

    @property
    def counts(self) -> Mapping[str, Mapping[str, int]]:
        """What this process has counted since the bot was made: `unwanted` events that nobody handles, by type, `odd`
        fields in which Linq contradicts its documentation, by event type and name, and `unreadable` `webhooks`; never
        what they held.
        """
        return self._tally.counts

    @property
    def store(self) -> Store:
        """The open store of a running bot."""
        return self._running_parts.store

    @property
    def client(self) -> Client:
        """Everything that can be asked of Linq. While the bot runs it is open; a script opens it by itself, without running
        any handler: `async with bot.client as linq:`.
        """
        return self._client or Client(connect=self._connect, host=FileHost(self._transport), clock=self._clock)

    @property
    def linq(self) -> AsyncLinqAPIV3:
        """The official SDK's async client on the bot's key and base URL, closed with the bot; without retries of its own.

        While the bot does not run each is a new one, to be closed: `async with bot.linq as sdk:`. Raises
        `ConfigurationError` without the extra: `pip install 'linqbot[linq]'`.
        """
        if self._client is None:
            return self._official_client()
        self._official = self._official or self._official_client()
        return self._official

    @property
    def _running_parts(self) -> _Live:
        if self._live is None:
            raise ConfigurationError("the bot is not running; start it with `async with bot:`")
        return self._live

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve as an ASGI app."""
        await self.app(scope, receive, send)

    async def __aenter__(self) -> Self:
        """Start the bot: open the store, begin to take webhooks, run handlers and send."""
        if self._live is not None:
            raise ConfigurationError("the bot is running already; enter it once")
        self._loop = asyncio.get_running_loop()
        async with AsyncExitStack() as stack:
            stack.enter_context(self._safe_logs())
            self._live = await self._start(stack)
            stack.callback(on_terminate(self.begin_drain))
            self._stack = stack.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Drain and stop: within 25 s, losing nothing."""
        try:
            await self._stack.__aexit__(kind, error, trace)
        finally:
            self._live = None

    def _safe_logs(self) -> AbstractContextManager[None]:
        """What structlog does by itself shows local variables, and with them what people wrote."""
        settings = self.settings
        return logs.unless_configured(
            settings.log_format,
            settings.log_level,
            colors=False if settings.no_color else None,
            hushed=settings.confidential,
        )

    async def _start(self, stack: AsyncExitStack) -> _Live:
        self._api_key()
        runner = self._compile()
        stack.enter_context(Watchdog())
        store = await stack.enter_async_context(self._open_store())
        client = await stack.enter_async_context(self._open_client(store))
        hints = Hints(client)
        stack.push_async_callback(hints.aclose)
        ingress = self._make_ingress(store, runner) if self._only in ("all", "web") else None
        worker = None
        if self._only in ("all", "worker"):
            worker = self._make_worker(store, await stack.enter_async_context(runner), hints)
        dispatcher = None if self._only == "web" else self._make_dispatcher(store, client)
        sweeper = Sweeper(store, clock=self._clock, random=random.random)
        runtime = Runtime(ingress=ingress, worker=worker, dispatcher=dispatcher, sweeper=sweeper)
        await self._announce(store)
        await stack.enter_async_context(runtime)  # last: from here on handlers run, and one may end the process
        return _Live(
            store=store,
            runtime=runtime,
            ingress=ingress,
            health=Health(store, runtime.troubles),
            postbox=self._make_postbox(store),
            hints=hints,
        )

    def _api_key(self) -> str:
        key = self.settings.api_key
        if key is None:
            raise ConfigurationError("there is no API key: set LINQ_API_V3_API_KEY to the token of your Linq account")
        return key.get_secret_value()

    def _connect(self) -> LinqClient:
        return LinqClient(self.settings.base_url, self._api_key(), transport=self._transport)

    @asynccontextmanager
    async def _open_client(self, store: Store) -> AsyncIterator[LinqClient]:
        """Speak to Linq, and let whatever this task starts from now on fetch the files that events speak of."""
        async with self._connect() as carrier, aclosing(FileHost(self._transport)) as host:
            client = self._client = Client(carrier, host=host, memory=store, clock=self._clock)
            before = FETCHER.get()
            FETCHER.set(Downloader(client.attachments, host, hosts=self.settings.file_hosts))
            try:
                yield carrier
            finally:
                FETCHER.set(before)  # by hand: a token may be given back only where it was made
                official, self._official, self._client = self._official, None, None
                if official is not None:
                    await official.close()

    def _official_client(self) -> AsyncLinqAPIV3:
        return official_client(self.settings.base_url, self._api_key(), transport=self._transport)

    def _open_store_of_settings(self) -> Store:
        settings = self.settings
        return open_store(
            settings.store_url,
            clock=self._clock,
            namespace=settings.namespace,
            limits=settings.limits(),
            redis_tls=settings.redis_tls,
        )

    def _make_ingress(self, store: Store, runner: Runner) -> Ingress:
        settings = self.settings
        secret = settings.webhook_secret
        if secret is None:
            log.error("no webhook secret, webhooks are answered 503", remedy="linqbot webhooks sync prints one")
        return Ingress(
            store,
            clock=self._clock,
            secrets=() if secret is None else parse_secrets(secret.get_secret_value()),
            wanted=runner.wanted,
            random=random.random,
            limits=IngressLimits(body_bytes=int(settings.max_body), legacy=settings.legacy_signatures),
            tally=self._tally,
        )

    def _make_worker(self, store: Store, runner: Runner, hints: Hints) -> Worker:
        return Worker(
            store,
            runner,
            clock=self._clock,
            random=random.random,
            attempts=self._attempts,
            lease_ms=self.settings.limits().lease_ms,
            threads=runner.threads,
            threads_lost=ask_to_leave,
            quote=Quoting(self.client.messages.get, clock=self._clock),
            hint=hints.give,
            upload=self.client.attachments.uploader.upload,
        )

    def _make_dispatcher(self, store: Store, client: LinqClient) -> Dispatcher:
        return Dispatcher(
            store,
            client,
            clock=self._clock,
            random=random.random,
            lease_ms=self.settings.limits().lease_ms,
            settled=self._settled,
        )

    def _make_postbox(self, store: Store) -> Postbox:
        settings = self.settings
        upload = self.client.attachments.uploader.upload
        return Postbox(store, upload, clock=self._clock, namespace=settings.namespace, line=settings.from_number)

    async def _announce(self, store: Store) -> None:
        durability = await store.durability()
        log.info(
            "started",
            store=self.settings.store_kind,
            durability=durability.grade,
            because=durability.reason,
            only=self._only,
            namespace=self.settings.namespace,
        )

    def _compile(self) -> Runner:
        settings = self.settings
        return Runner(
            self,
            clock=self._clock,
            namespace=settings.namespace,
            thread=self._thread,
            timeout_s=settings.handler_timeout.total_seconds(),
            own_attempts=self._own_attempts,
            line=settings.from_number,
            tally=self._tally,
        )

    def _build_app(self) -> Starlette:
        routes = [
            Route(self.settings.webhook_path, self._webhook, methods=["POST"]),
            Route("/healthz", self._healthz, methods=["GET"]),
            Route("/readyz", self._readyz, methods=["GET"]),
        ]
        app = Starlette(routes=routes, lifespan=self._lifespan)
        app.router.redirect_slashes = False  # a redirect is built from the request's own Host, and Linq follows none
        return app

    @asynccontextmanager
    async def _lifespan(self, _: Starlette) -> AsyncIterator[dict[str, object]]:
        async with self:
            yield {"bot": self}

    async def _webhook(self, request: Request) -> Response:
        if self._live is None:
            left_out = self._complaints.take("not started", self._clock.now_ms())
            if left_out is not None:
                log.error(
                    "webhook arrived but the bot is not started, answered 503",
                    remedy="a mounted bot needs `async with bot:` in the lifespan of its host",
                    left_out=left_out,
                )
            return PlainTextResponse("not started", 503, headers={"Retry-After": "10"})
        if self._live.ingress is None:
            return PlainTextResponse("this process takes no webhooks", 503, headers={"Retry-After": "10"})
        return await self._live.ingress.receive(request)

    async def _healthz(self, request: Request) -> Response:
        return PlainTextResponse("ok") if self._live is None else await self._live.health.healthz(request)

    async def _readyz(self, request: Request) -> Response:
        if self._live is None:
            return PlainTextResponse("not started", 503)
        return await self._live.health.readyz(request)


def ask_to_leave() -> None:
    """Ask the server of this process to end it, as a platform would; without a server nothing happens."""
    if callable(signal.getsignal(signal.SIGTERM)):
        os.kill(os.getpid(), signal.SIGTERM)


def on_terminate(begin: Callable[[], None]) -> Callable[[], None]:
    """Call `begin` at SIGTERM, before the server that owns the signal does what it does; returns the way to undo it.

    Nothing is installed where no server handles SIGTERM (the default action must stay) or outside the main thread.
    """
    if threading.current_thread() is not threading.main_thread():
        return lambda: None
    owner = signal.getsignal(signal.SIGTERM)
    if not callable(owner):
        return lambda: None

    def chained(number: int, frame: FrameType | None) -> None:
        begin()
        owner(number, frame)

    def undo() -> None:
        if signal.getsignal(signal.SIGTERM) is chained:
            signal.signal(signal.SIGTERM, owner)

    signal.signal(signal.SIGTERM, chained)
    return undo
