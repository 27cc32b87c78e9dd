"""An auto-responder: answers what it knows by keyword, and tells everybody else that a person will read it.

Try it: `linqbot dev examples/auto_responder.py`, then ask for the price, the hours, or order #4711.
"""

from linqbot import Bot, Message, Reply

bot = Bot()

HOURS = "Mon-Fri 09:00-17:30, Sat 10:00-14:00. Closed on Sundays."
ORDERS = {4711: "packed, and leaves today", 4712: "on its way, and arrives tomorrow"}


@bot.message("price", "prices", "how much", "cost")
async def price() -> list[str | Reply]:
    return ["Haircut 35, colour from 60.", Reply("The first one is on us!", effect="confetti")]


@bot.message("open", "hours", "closed")
async def hours() -> str:
    return HOURS


@bot.message(regex=r"(?i)order\s*#?(?P<number>\d{1,9})")
async def order(number: int) -> str:
    state = ORDERS.get(number)
    return f"Order {number} is {state}." if state else f"There is no order {number}. Is there a typo?"


@bot.message("hi", "hello", "hey", exact=True)
async def hello() -> str:
    return "Hello! Ask me for the price, the hours, or your order #."


@bot.fallback
async def otherwise(message: Message) -> str | None:
    if not message.text:  # a photo, a sticker, a voice memo
        return "Thanks! A person will have a look."
    return "Thanks! A person will read this and answer within a day."
