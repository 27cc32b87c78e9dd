"""Handlers are chosen by what the message says."""

from __future__ import annotations

import pytest

from linqbot import NEXT, Bot, Next
from linqbot.testing import Sim


@pytest.fixture
def bot() -> Bot:
    """A shop's auto-responder."""
    bot = Bot()

    @bot.message("price", "how much")
    async def price() -> str:
        return "Plans start at $20."

    @bot.message("open", exact=True)
    async def opening() -> str:
        return "9 to 5."

    @bot.message(regex=r"order #(?P<number>\d+)")
    async def order(number: int) -> str | Next:
        return NEXT if number == 0 else f"Order {number} is on its way."

    @bot.fallback
    async def otherwise() -> str:
        return "A person will read this."

    return bot


@pytest.mark.parametrize(
    ("said", "answer"),
    [
        ("What is the PRICE?", "Plans start at $20."),
        ("how much is it", "Plans start at $20."),
        ("priceless", "A person will read this."),
        ("Open", "9 to 5."),
        ("open the door", "A person will read this."),
        ("where is order #17?", "Order 17 is on its way."),
        ("where is order #0?", "A person will read this."),
    ],
)
async def test_the_first_handler_that_matches_answers(sim: Sim, said: str, answer: str) -> None:
    """Words are whole words in any case, `exact` wants the whole text, groups become typed parameters, and a fallback
    gets what nobody took; `NEXT` passes on."""
    [reply] = await sim.user().says(said)

    assert reply.text == answer
