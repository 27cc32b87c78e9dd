"""A bot with handlers that take their process with them, each in its own way."""

from __future__ import annotations

import asyncio
import ctypes
import os
import sys

from linqbot.bot import Bot
from linqbot.events import Message

DEADLY = ("os._exit", "segfault", "sys.exit in a task")
"""Nothing in the process survives these."""

HARMLESS = ("sys.exit", "KeyboardInterrupt", "sys.exit in a thread")
"""These are errors of the handler and of nobody else."""


def poisoned() -> Bot:
    """The name of a poison kills, or tries to; "slow" takes a while; anything else is echoed."""
    bot = Bot()

    @bot.message("in a task", attempts=1)
    async def in_a_task() -> None:
        await asyncio.create_task(_exit())

    @bot.message("in a thread", attempts=1)
    def in_a_thread() -> None:
        sys.exit(3)

    @bot.message("sys.exit", attempts=1)
    async def exits() -> None:
        sys.exit(3)

    @bot.message("os._exit", attempts=1)
    async def exits_at_once() -> None:
        os._exit(3)

    @bot.message("segfault", attempts=1)
    async def crashes() -> None:
        ctypes.string_at(0)

    @bot.message("KeyboardInterrupt", attempts=1)
    async def interrupts() -> None:
        raise KeyboardInterrupt

    @bot.message("slow")
    async def slow(message: Message) -> str:
        await asyncio.sleep(0.2)
        return message.text

    @bot.message()
    async def echo(message: Message) -> str:
        return message.text

    return bot


async def _exit() -> None:
    sys.exit(3)
