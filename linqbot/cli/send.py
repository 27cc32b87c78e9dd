"""TO and TEXT -> a message. `linqbot send`: queues one message from a shell, and says what became of it."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from linqbot.bot import Bot
    from linqbot.engine.postbox import Queued
    from linqbot.protocol.outcome import Verdict
    from linqbot.records import Lease


@click.command("send")
@click.argument("to")
@click.argument("text")
@click.argument("target", required=False)
@click.option(
    "--key", help="What it is about, such as ship:42; under a key a message is sent once.  [default: a new one]"
)
@click.option("--line", help="Your number to send from.  [default: LINQ_FROM_NUMBER, else one that Linq picks]")
def send(to: str, text: str, target: str | None, key: str | None, line: str | None) -> None:
    """Send a text to somebody.

    TO is a phone number (+12025550123), an email address, several of them separated by commas (a group), or a chat's id.
    TEXT is sent as it is. Store and account are those of the environment, or of the bot that TARGET names. The message is
    queued where the bot's processes see it; this one sends it, too, if none of them is faster. Exit code 1: it was refused.
    """
    from linqbot.bot import Bot
    from linqbot.cli.load import load_bot
    from linqbot.cli.plan import plan_run
    from linqbot.ids import random_token
    from linqbot.telemetry import logs

    bot = Bot() if target is None else load_bot(target)
    settings = bot.settings
    plan_run(settings, only="worker")
    logs.configure(settings.log_format, "error", stream=sys.stderr, hushed=settings.confidential)
    people = to.split(",")
    own_key = key or random_token()
    queued, verdicts = asyncio.run(_send(bot, people if len(people) > 1 else to, text, key=own_key, line=line))
    click.echo("\n".join(_told(queued, verdicts)))
    refused = any(_refusal(verdict) for verdict in verdicts.values())
    if key is None and not refused:
        click.echo(f"it has a new key: with --key {own_key} a repeat sends nothing twice")
    sys.exit(1 if refused else 0)


async def _send(
    bot: Bot, to: str | list[str], text: str, *, key: str, line: str | None
) -> tuple[Queued, dict[str, Verdict]]:
    """Queue it, help to send what is ready, and give what came of its bubbles here."""
    seen: dict[str, Verdict] = {}

    def note(lease: Lease, verdict: Verdict) -> None:
        if lease.reply is not None:
            seen[lease.reply.key] = verdict

    bot.configure(settled=note)
    async with bot.sender():
        queued = await bot.send(to, text, key=key, line=line)
    return queued, {key: seen[key] for key in queued.keys if key in seen}


def _told(queued: Queued, verdicts: dict[str, Verdict]) -> Iterator[str]:
    if not queued.new:
        yield "nothing to do: it was queued under this key before"
        return
    for key in queued.keys:
        yield _news(verdicts.get(key))


def _news(verdict: Verdict | None) -> str:
    from linqbot.records import Sent, Wait

    if verdict is None:
        return "queued: the bot's processes send it"
    if isinstance(verdict.outcome, Sent):
        return f"sent: message {verdict.outcome.message_id}"
    if isinstance(verdict.outcome, Wait):
        return f"queued: {verdict.outcome.reason}; the bot's processes try again"
    return f"refused: {_refusal(verdict)}"


def _refusal(verdict: Verdict) -> str:
    from linqbot.records import Dead

    return verdict.outcome.letter.reason if isinstance(verdict.outcome, Dead) else ""
