"""words on a command line -> a command. The program `linqbot`: its commands, and how it says what went wrong.

A command is imported when it is asked for, so that `linqbot --help` costs nothing.
"""

from __future__ import annotations

import sys
from importlib import import_module
from importlib.metadata import version

import click

from linqbot.cli.memory import look_seldom
from linqbot.errors import LinqbotError

COMMANDS = {
    "dev": ("linqbot.cli.dev:dev", "Talk to a bot right here: no account, no Redis, reload on save."),
    "run": ("linqbot.cli.run:run", "Serve a bot."),
    "send": ("linqbot.cli.send:send", "Send somebody a message."),
    "webhooks": ("linqbot.cli.webhooks:webhooks", "Tell Linq where to send which events."),
    "emulator": ("linqbot.cli.emulator:emulator", "Run a Linq to play with."),
}
"""Each command's place and its one line of help, in the order in which they are shown."""


class _Commands(click.Group):
    """A group whose commands are imported when they are asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  click's signature
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002  click's signature
        if cmd_name not in COMMANDS:
            return None
        module, _, name = COMMANDS[cmd_name][0].partition(":")
        command: click.Command = getattr(import_module(module), name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002  click's signature
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in COMMANDS.items()])


@click.command(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(version("linqbot"), prog_name="linqbot", message="%(prog)s %(version)s")
def program() -> None:
    """Bots for iMessage, RCS and SMS on Linq.

    A TARGET is a file (examples/echo.py) or a module (examples.echo), with :name when it holds several bots.
    """


def main() -> None:
    """Run the program and leave with its exit code; what linqbot refuses is one line and exit code 1."""
    look_seldom()
    try:
        program(prog_name="linqbot")
    except LinqbotError as error:
        click.echo(f"linqbot: {error}", err=True)
        sys.exit(1)
