"""FILE -> a bot to talk to. `linqbot dev`: an emulated Linq, the bot in a child process, and a keyboard.

The parent runs the emulator and holds the conversation; the child is restarted at each save. Nothing of an account is
needed, and nothing of one is used: tokens, secrets and stores of the shell and of `.env` are left out, unless `--live`.
"""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import click

from linqbot.errors import ConfigurationError
from linqbot.settings import Settings, load_settings, playground

if TYPE_CHECKING:
    from linqbot.cli.reload import Child
    from linqbot.cli.talk import Conversation, Screen
    from linqbot.emulator.app import Emulator

WORKPLACE = Path(".linqbot")
LEASE = "5s"
"""A killed child's chats are taken over so soon, unless LINQBOT_LEASE says otherwise."""


@click.command("dev")
@click.argument("target")
@click.option(
    "--live", is_flag=True, help="Serve the real Linq with the account of the environment; only reload on save."
)
@click.option("-v", "--verbose", is_flag=True, help="Show what the bot logs, not only what goes wrong.")
def dev(target: str, *, live: bool, verbose: bool) -> None:
    """Talk to a bot right here, with an emulated Linq: no account, no Redis.

    Type a line and see the answer; save a file and the bot is reloaded. Lines can be piped in, too:
    echo "Hello?" | linqbot dev examples/echo.py
    """
    settings = load_settings()
    level = settings.log_level if "log_level" in settings.model_fields_set else "warning"
    options = ["--level", "info" if verbose or live else level]
    with asyncio.Runner() as runner:
        sys.exit(runner.run(_live(target, settings, options) if live else _play(target, settings, options)))


async def _play(target: str, settings: Settings, options: list[str]) -> int:
    from linqbot.cli.load import check_place
    from linqbot.cli.reload import Child, command_of
    from linqbot.cli.server import address_of, listen, site
    from linqbot.cli.talk import PERSON, Conversation, Screen
    from linqbot.emulator.app import API, Emulator
    from linqbot.emulator.world import LINES
    from linqbot.testing.clock import TurnedClock

    check_place(target)
    clock = TurnedClock()
    screen = Screen(interactive=sys.stdin.isatty(), colors=sys.stdout.isatty() and not settings.no_color)
    if screen.colors:
        options = [*options, "--colors"]
    with _folder() as folder, listen("127.0.0.1", 0) as listener:
        # At once: on a fast machine the next bubble would be there before a reaction that was taken before it.
        async with Emulator(clock=clock, lifecycle_ms=(0, 2, 4)) as emulator, site(emulator.app) as address:
            subscription = emulator.subscribe(f"{address_of(listener)}{settings.webhook_path}?version=2026-02-03")
            environment = playground(
                api_key="playground",
                webhook_secret=subscription.secret,
                base_url=f"{address}{API}",
                from_number=LINES[0],
                store=f"sqlite:///{folder}/bot.db",
                **({} if "lease" in settings.model_fields_set else {"lease": LEASE}),
            )
            child = Child(
                lambda: command_of(target, *options, f"--offset-ms={clock.offset_ms}"),
                environment,
                listener=listener,
                audience=screen,
            )
            if screen.interactive:
                click.echo(f"{target} behind an emulated Linq at {address}{API}")
                click.echo(f"You are {PERSON}, the bot is {LINES[0]}. Type to it; /help tells more, Ctrl-C leaves.\n")
            return await _converse(target, child, Conversation(emulator, clock, child, screen), emulator, screen)


async def _converse(target: str, child: Child, conversation: Conversation, emulator: Emulator, screen: Screen) -> int:
    """Keep child and conversation going until one ends or somebody wants to leave; returns the exit code."""
    keeping = asyncio.create_task(child.keep(_changes(target), once=not screen.interactive))
    listening = asyncio.create_task(conversation.listen())
    talking = asyncio.create_task(conversation.talk())
    leaving = asyncio.create_task(_asked_to_leave())
    tasks = (keeping, listening, talking, leaving)
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        if talking.done():
            talking.result()
            with suppress(TimeoutError):
                await asyncio.wait_for(emulator.quiet(), 1)
        return keeping.result() if keeping.done() else 0
    finally:
        for task in tasks:
            task.cancel()
        screen.end()
        await asyncio.gather(*tasks, return_exceptions=True)
        await child.close()


async def _live(target: str, settings: Settings, options: list[str]) -> int:
    from linqbot.cli.load import check_place
    from linqbot.cli.plan import plan_run
    from linqbot.cli.reload import Child, command_of
    from linqbot.cli.server import address_of, listen
    from linqbot.cli.talk import Screen

    check_place(target)
    plan = plan_run(settings)
    screen = Screen(interactive=False, colors=sys.stderr.isatty() and not settings.no_color)
    if screen.colors:
        options = [*options, "--colors"]
    with listen(plan.host, plan.port) as listener:
        screen.note(f"{target} waits for webhooks at {address_of(listener)}{settings.webhook_path}; Ctrl-C leaves")
        child = Child(lambda: command_of(target, *options, "--live"), None, listener=listener, audience=screen)
        keeping = asyncio.create_task(child.keep(_changes(target), once=False))
        leaving = asyncio.create_task(_asked_to_leave())
        try:
            await asyncio.wait([keeping, leaving], return_when=asyncio.FIRST_COMPLETED)
        finally:
            keeping.cancel()
            await asyncio.gather(keeping, return_exceptions=True)
            await child.close()
    return 0


def _changes(target: str) -> Callable[[], asyncio.Task[None]]:
    from linqbot.cli.reload import watch

    here, its = Path.cwd(), Path(target.partition(":")[0]).resolve().parent
    return watch(here) if its.is_relative_to(here) or not its.is_dir() else watch(here, its)


async def _asked_to_leave() -> None:
    asked = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, asked.set)
    await asked.wait()


@contextmanager
def _folder() -> Iterator[Path]:
    """A folder of this session's own in `.linqbot/`, which git does not look into."""
    try:
        WORKPLACE.mkdir(exist_ok=True)
        (WORKPLACE / ".gitignore").write_text("*\n")
        with TemporaryDirectory(dir=WORKPLACE, prefix="dev-", ignore_cleanup_errors=True) as folder:
            yield Path(folder)
    except OSError as error:
        raise ConfigurationError(f"cannot write into {WORKPLACE}/ here ({error.strerror}); run it elsewhere") from None
