"""TARGET -> a bot that a parent plays with. The child process of `linqbot dev`, started anew at each save.

It serves the bot on a socket that the parent holds, so that webhooks wait while it restarts, and two more things for the
parent: a clock to turn, and word when nothing is left to do. It ends with its parent.
"""

from __future__ import annotations

import asyncio
import socket
import sys
import traceback
from functools import partial

import click
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

from linqbot.bot import Bot
from linqbot.cli import server
from linqbot.cli.load import LoadError, load_bot, own_frames
from linqbot.errors import LinqbotError
from linqbot.settings import load_settings
from linqbot.telemetry import logs
from linqbot.telemetry.tracebacks import as_text
from linqbot.testing.clock import TurnedClock

LOOK_S = 0.02
"""How often the store is asked, while the parent waits, whether something is left to do."""


@click.command()
@click.argument("target")
@click.option("--fd", type=int, required=True)
@click.option("--level", required=True)
@click.option("--offset-ms", type=int, default=0)
@click.option("--colors", is_flag=True)
@click.option("--live", is_flag=True)
def child(target: str, fd: int, level: str, offset_ms: int, *, colors: bool, live: bool) -> None:
    """Serve a bot for `linqbot dev`."""
    settings = load_settings()
    logs.configure(
        "console",
        level,
        stream=sys.stderr,
        colors=colors,
        timestamps=live,
        traceback=_traceback,
        hushed=settings.confidential,
    )
    clock = TurnedClock()
    clock.advance(milliseconds=offset_ms)
    bot = _load(target)
    bot.configure(settings=settings, only="all", attempts=1, clock=clock)
    app = bot if live else _Playground(bot, clock)
    sys.exit(server.run_loop(partial(server.serve, bot, listener=socket.socket(fileno=fd), app=app, has_parent=True)))


def _load(target: str) -> Bot:
    try:
        return load_bot(target)
    except LoadError as error:
        if error.__cause__ is None:
            raise
        click.echo(_traceback(error), err=True)
        sys.exit(1)


def _traceback(error: BaseException) -> str:
    """What a handler's author wants to see: the error of the handler, as it passed through code of their own."""
    while isinstance(error, LinqbotError) and error.__cause__ is not None:
        error = error.__cause__
    frames = own_frames(error, limit=20)
    if not (frames or isinstance(error, SyntaxError | LinqbotError)):
        return as_text(error, wordy=True)
    heading = ["Traceback (most recent call last):\n"] if frames else []
    return "".join([*heading, *traceback.format_list(frames), *traceback.format_exception_only(error)]).rstrip()


class _Playground:
    """A bot, and what its parent asks beside."""

    def __init__(self, bot: Bot, clock: TurnedClock) -> None:
        self._bot = bot
        self._clock = clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not scope["path"].startswith("/_dev/"):
            await self._bot(scope, receive, send)
            return
        response = await self._answer(Request(scope, receive))
        await response(scope, receive, send)

    async def _answer(self, request: Request) -> Response:
        if request.url.path == "/_dev/clock":
            ahead_ms = int(request.query_params["offset_ms"]) - self._clock.offset_ms
            self._clock.advance(milliseconds=max(ahead_ms, 0))
            return JSONResponse({})
        await self._settled()
        return JSONResponse({"dead": (await self._bot.store.stats()).dead})

    async def _settled(self) -> None:
        """Wait until every accepted event has ended and every reply is sent."""
        while True:
            stats = await self._bot.store.stats()
            if not (stats.inbox or stats.outbox):
                return
            await asyncio.sleep(LOOK_S)  # noqa: TID251  # real time: a person waits


def main() -> None:
    """Run the child; what linqbot refuses is one line and exit code 1."""
    try:
        child(prog_name="linqbot dev")
    except LinqbotError as error:
        click.echo(f"linqbot: {error}", err=True)
        sys.exit(1)


if __name__ == "__main__":
    main()
