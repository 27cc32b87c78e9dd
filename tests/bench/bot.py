"""The bot that is measured: it says back what it hears, to slow words after 50 ms."""

from __future__ import annotations

import asyncio

from linqbot import Bot, Message

SLOW = "slow"
SLOW_S = 0.05

bot = Bot()


@bot.message()
async def echo(message: Message) -> str:
    """What was said."""
    if message.text.startswith(SLOW):
        await asyncio.sleep(SLOW_S)
    return message.text
