"""Handlers stay plain functions, routers nest, services are given by type."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from linqbot import Bot, Router
from linqbot.testing import Sim


class Orders:
    """A service of the user's own."""

    def __init__(self) -> None:
        self.closed = False

    def status(self, number: int) -> str:
        """Where an order is."""
        return f"Order {number} is packed."


shop = Router("shop")


@shop.message(regex=r"order (?P<number>\d+)")
def order(number: int, orders: Orders) -> str:
    """Plain `def`: linqbot runs it in a thread."""
    return orders.status(number)


@pytest.fixture
def bot() -> Bot:
    """A bot with a router and a service that is cleaned up."""
    bot = Bot()
    bot.include_router(shop)

    def make_orders() -> Iterator[Orders]:
        orders = Orders()
        yield orders
        orders.closed = True

    bot.provide(Orders, make_orders)
    return bot


def test_a_handler_can_be_called_without_any_kit() -> None:
    """The decorator returns the function itself."""
    assert order(7, Orders()) == "Order 7 is packed."


async def test_a_service_is_given_by_its_type(sim: Sim) -> None:
    """It is made once, when the bot starts, and cleaned up when it stops."""
    [reply] = await sim.user().says("order 7")

    assert reply.text == "Order 7 is packed."
