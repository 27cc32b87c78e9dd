"""typed lines -> an emulated person's messages; the bot's answers -> lines on the screen.

Answers appear in the order in which Linq accepted them, with the message they are threaded on and their effect. A terminal
has a prompt; a pipe gets a transcript.
"""

from __future__ import annotations

import asyncio
import os
import sys
import threading
from collections.abc import AsyncIterator, Coroutine
from typing import Any

import click

from linqbot.cli.reload import Child
from linqbot.emulator.app import Emulator
from linqbot.emulator.world import Heard
from linqbot.protocol.duration import parse_duration
from linqbot.testing.clock import TurnedClock

PERSON = "+12025550177"
"""Who types, until `/as` says otherwise."""

HELP = """\
  /as +12025550178   speak as somebody else
  /clock +24h        let time pass
  /quit              leave; so do Ctrl-C and Ctrl-D
Everything else is sent to the bot as it is."""

_QUOTED = 40


class Screen:
    """Where the conversation is shown: a terminal with a prompt, or a pipe."""

    def __init__(self, *, interactive: bool, colors: bool) -> None:
        self.interactive = interactive
        self.colors = colors
        self._prompt = ""

    def prompt(self, who: str) -> None:
        """Ask for a line."""
        if self.interactive:
            self._prompt = self._style(f"{who} > ", fg="cyan")
            click.echo(self._prompt, nl=False)

    def end(self) -> None:
        """Leave the prompt behind."""
        if self._prompt:
            self._prompt = ""
            click.echo()

    def typed(self, who: str, text: str) -> None:
        """Show what came through a pipe; on a terminal it is there already."""
        if self.interactive:
            self._prompt = ""
        else:
            click.echo(f"{who} > {text}")

    def said(self, text: str, remarks: list[str]) -> None:
        """Show a bubble of the bot."""
        indent = "      "
        lines = [self._style("bot > ", fg="green") + text.replace("\n", f"\n{indent}")]
        lines += [self._style(f"{indent}{remark}", dim=True) for remark in remarks]
        self._show("\n".join(lines))

    def did(self, deed: str) -> None:
        """Show what the bot did without a bubble."""
        self._show(self._style("bot * ", fg="green") + deed)

    def note(self, text: str) -> None:
        """Show something about the program rather than from the conversation."""
        self._show(self._style(f"· {text}", dim=True), err=not self.interactive)

    def output(self, text: str) -> None:
        """Show a line that the bot's process printed: its logs, its tracebacks."""
        self._show(text, err=not self.interactive)

    def _show(self, text: str, *, err: bool = False) -> None:
        if self._prompt:
            text = f"\r\x1b[K{text}"
        click.echo(text, err=err, color=self.colors)
        if self._prompt:
            click.echo(self._prompt, nl=False, color=self.colors)

    def _style(self, text: str, **how: Any) -> str:
        return click.style(text, **how) if self.colors else text


class Conversation:
    """One person at the keyboard, the emulator, and the bot behind it."""

    def __init__(self, emulator: Emulator, clock: TurnedClock, child: Child, screen: Screen) -> None:
        self._emulator = emulator
        self._clock = clock
        self._child = child
        self._screen = screen
        self._me = PERSON
        self._texts: dict[str, str] = {}
        self._shown = 0
        self._answers: set[asyncio.Task[None]] = set()

    async def listen(self) -> None:
        """Show what the bot says, as it says it, for ever."""
        while True:
            self._show_new()
            await self._emulator.linq.agenda.changed()

    async def talk(self) -> None:
        """Send what is typed until there is no more, and wait for the last answers."""
        self._screen.prompt(self._who)
        async for line in _typed_lines():
            if line.strip() == "/quit":
                break
            await self._take(line.strip())
            self._screen.prompt(self._who)

    @property
    def _who(self) -> str:
        return "you" if self._me == PERSON else self._me

    async def _take(self, line: str) -> None:
        self._screen.typed(self._who, line)
        if not line:
            return
        command, _, rest = line.partition(" ")
        if command in ("/help", "/as", "/clock"):
            await self._obey(command, rest.strip())
            return
        await self._wait_for(self._say(line))

    async def _wait_for(self, step: Coroutine[Any, Any, None]) -> None:
        """Wait for what follows from a line; at a terminal the next line may come before."""
        waiting = asyncio.create_task(step)
        self._answers.add(waiting)
        waiting.add_done_callback(self._answers.discard)
        if not self._screen.interactive:
            await waiting

    async def _obey(self, command: str, rest: str) -> None:
        try:
            if command == "/as":
                self._me = _phone(rest)
            elif command == "/clock":
                self._clock.advance(seconds=parse_duration(rest.removeprefix("+")).total_seconds())
                self._screen.note(f"{rest.removeprefix('+')} later")
                await self._wait_for(self._child.turn_clock(self._clock.offset_ms))
            else:
                self._screen.note(HELP)
        except ValueError as error:
            self._screen.note(str(error))

    async def _say(self, text: str) -> None:
        heard = self._so_far
        arrived = await self._emulator.inbound(self._me, text=text)
        self._texts[arrived.message_id] = text
        state = await self._delivered(arrived.event_id)
        if state != "delivered":
            self._screen.note(f"the bot did not take the message ({state}); see what it printed")
            return
        await self._child.settled()
        self._show_new()
        if self._so_far == heard:
            self._screen.note("no answer")

    @property
    def _so_far(self) -> int:
        return len(self._emulator.seen())

    async def _delivered(self, event_id: str) -> str:
        while True:
            states = {one["state"] for one in self._emulator.deliveries() if one["event_id"] == event_id}
            if states != {"waiting"}:
                return str(next(iter(states), "not subscribed"))
            await self._emulator.linq.agenda.changed()

    def _show_new(self) -> None:
        seen = self._emulator.seen()
        fresh, self._shown = seen[self._shown :], len(seen)
        for one in fresh:
            if isinstance(one, Heard):
                self._show_bubble(one)
            else:
                self._screen.did(deed_in_words(one, self._quoted(str(one.get("message_id")))))

    def _show_bubble(self, message: Heard) -> None:
        text = "\n".join(_shown(part) for part in message.parts) or self._poll(message.message_id)
        self._texts[message.message_id] = text
        self._screen.said(text, list(self._remarks(message)))

    def _poll(self, message_id: str) -> str:
        message = self._emulator.linq.world.messages.get(message_id)
        options = () if message is None or message.poll is None else message.poll.options
        return f"[poll: {' / '.join(option.text for option in options)}]"

    def _quoted(self, message_id: str) -> str:
        text = self._texts.get(message_id, "an older message").replace("\n", " ")
        return f'"{text if len(text) <= _QUOTED else f"{text[: _QUOTED - 1]}…"}"'

    def _remarks(self, message: Heard) -> list[str]:
        remarks = []
        if message.to != self._me:
            remarks.append(f"to {message.to}")
        if message.reply_to is not None:
            remarks.append(f"↳ in reply to {self._quoted(message.reply_to['message_id'])}")
        if message.effect is not None:
            remarks.append(f"✨ {message.effect.get('name')}")
        return remarks


def deed_in_words(deed: dict[str, Any], quoted: str) -> str:
    """What the bot did, for somebody who reads along; `quoted` is the message that it did it to."""
    sign = deed.get("custom_emoji") or deed.get("type")
    words = {
        "reaction.added": f"reacted with {sign} to {quoted}",
        "reaction.removed": f"took {sign} away from {quoted}",
        "edited": f"edited {quoted}, which now says: {deed.get('text')}",
        "vote.added": f"voted in {quoted}",
        "vote.removed": f"took a vote back in {quoted}",
        "typing.started": "types",
        "typing.stopped": "stopped typing",
        "read": "read the chat",
        "contact_card.shared": "shared its contact card",
        "location.requested": "asked for the location",
    }
    name = str(deed["deed"])
    return words.get(name, name)


def _shown(part: dict[str, Any]) -> str:
    if part.get("type") == "media":
        return f"[{part.get('url') or part.get('attachment_id') or 'media'}]"
    return str(part.get("value", f"[{part.get('type')}]"))


def _phone(text: str) -> str:
    if not (text.startswith("+") and text[1:].isdigit() and 8 <= len(text) <= 16):
        raise ValueError("write a phone number such as +12025550178")
    return text


async def _typed_lines() -> AsyncIterator[str]:
    """Lines of standard input, whatever it is, until its end; a thread of its own reads, for some files cannot wait."""
    lines: asyncio.Queue[str | None] = asyncio.Queue()
    loop = asyncio.get_running_loop()

    def read() -> None:
        rest = b""
        while piece := os.read(sys.stdin.fileno(), 65536):
            *whole, rest = (rest + piece).split(b"\n")
            for line in whole:
                loop.call_soon_threadsafe(lines.put_nowait, line.decode("utf-8", "replace"))
        if rest:
            loop.call_soon_threadsafe(lines.put_nowait, rest.decode("utf-8", "replace"))
        loop.call_soon_threadsafe(lines.put_nowait, None)

    threading.Thread(target=read, daemon=True).start()
    while (line := await lines.get()) is not None:
        yield line
