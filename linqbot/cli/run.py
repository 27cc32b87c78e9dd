"""TARGET -> a served bot. `linqbot run`: loads the bot, decides how it may run here, and serves it."""

from __future__ import annotations

import socket
import sys
import traceback
from functools import partial
from typing import TYPE_CHECKING

import click
import structlog

from linqbot.cli.plan import Only, Plan, plan_run
from linqbot.settings import SETTINGS, Setting, load_settings

if TYPE_CHECKING:
    from linqbot.bot import Bot

log = structlog.get_logger("linqbot.run")


class _WithSettings(click.Command):
    """A command whose help ends with the list of all settings."""

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002  click's signature
        with formatter.section("Settings, from the environment and ./.env (the environment wins)"):
            formatter.write_dl([(setting.name, _explained(setting)) for setting in SETTINGS])


def _explained(setting: Setting) -> str:
    also = f" Also read: {', '.join(setting.aliases)}." if setting.aliases else ""
    default = f" Default: {setting.default}." if setting.default else ""
    return f"{setting.meaning}{also}{default}"


@click.command("run", cls=_WithSettings)
@click.argument("target")
@click.option("--host", help="Address to listen on; wins over HOST.")
@click.option("--port", type=click.IntRange(0, 65535), help="Port to listen on; wins over PORT. 0 takes a free one.")
@click.option("--only", type=click.Choice(["web", "worker"]), help="Take webhooks only, or run handlers and send only.")
@click.option("-v", "--verbose", is_flag=True, help="Show the traceback when the bot cannot be imported.")
@click.option("--fd", type=int, hidden=True, help="A listening socket of the parent.")
@click.option("--member", is_flag=True, hidden=True, help="One process of a crew: ends with its parent.")
def run(
    target: str,
    host: str | None,
    port: int | None,
    only: Only | None,
    fd: int | None,
    *,
    verbose: bool,
    member: bool,
) -> None:
    """Serve a bot: webhooks in, replies out, in one process.

    TARGET is a file (examples/echo.py) or a module (examples.echo), with :name when it holds several bots. SIGTERM drains:
    turns and sends end within 25 seconds, and the exit code is 0.
    """
    from linqbot.cli import server
    from linqbot.telemetry import logs

    settings = load_settings()
    logs.configure(
        settings.log_format,
        settings.log_level,
        colors=False if settings.no_color else None,
        hushed=settings.confidential,
    )
    logs.catch_strays()
    bot = _load(target, verbose=verbose)
    plan = plan_run(bot.settings, only=only or "all", host=host, port=port)
    bot.configure(only=plan.only)
    listener = _listener(plan, fd)
    for warning in plan.warnings if not member else ():
        log.warning(warning)
    if plan.processes > 1 and not member:
        sys.exit(_run_crew(target, plan, listener))
    if listener is None:
        sys.exit(server.run_loop(partial(server.work, bot, has_parent=member)))
    serve = partial(
        server.serve,
        bot,
        listener=listener,
        forwarded_allow_ips=bot.settings.forwarded_allow_ips,
        has_parent=member,
        started=partial(_announce, listener),
    )
    sys.exit(server.run_loop(serve))


def _load(target: str, *, verbose: bool) -> Bot:
    from linqbot.cli.load import LoadError, load_bot

    try:
        return load_bot(target)
    except LoadError as error:
        if verbose and error.__cause__ is not None:
            traceback.print_exception(error.__cause__)
        raise


def _listener(plan: Plan, fd: int | None) -> socket.socket | None:
    from linqbot.cli.server import listen

    if not plan.listens:
        return None
    return listen(plan.host, plan.port) if fd is None else socket.socket(fileno=fd)


def _announce(listener: socket.socket) -> None:
    host, port = listener.getsockname()[:2]
    log.info("listening", host=host, port=port)


def _run_crew(target: str, plan: Plan, listener: socket.socket | None) -> int:
    import asyncio

    from linqbot.cli.crew import run_crew

    only = [] if plan.only == "all" else ["--only", plan.only]
    return asyncio.run(run_crew([target, *only], plan.processes, listener=listener))
