"""How users write handlers, for the type checker's eyes only: never run.

A line with a `type: ignore` shows a mistake that the checker must find; an ignore that is not needed is an error too.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterator
from typing import Literal, assert_type

from linqbot import (
    NEXT,
    Bot,
    Chat,
    Client,
    Cooldown,
    Decoration,
    Delivery,
    Event,
    InlineSticker,
    Link,
    LoopGuard,
    Markdown,
    Media,
    Mention,
    Message,
    Next,
    OptOut,
    Policy,
    Queued,
    Reply,
    Router,
    Send,
    SendReadReceipts,
    SentReply,
    ShowTyping,
    Text,
    Turn,
    animated,
    bold,
    italic,
)
from linqbot.client import Line, StoredChat, StoredMessage
from linqbot.events import MessageEdited, MessageFailed, Participation, PollVote, Reaction, Typing
from linqbot.replies import Action, Elsewhere, compose

bot = Bot()
router = Router("shop", thread="auto")
bot.include_router(router)


class Orders:
    """A service."""


async def make_orders() -> AsyncIterator[Orders]:
    yield Orders()


router.provide(Orders)
router.provide(Orders, make_orders, per="turn")
router.provide(Orders, per="week")  # type: ignore[arg-type]  # no such lifetime
GUARDED: list[Policy] = [OptOut(), LoopGuard(turns=50), Cooldown("12h"), ShowTyping(), SendReadReceipts()]
Bot(opt_out=None, loop_guard=LoopGuard(quiet="5m"), policies=GUARDED)
Router(policies=GUARDED).message("hi", policies=[Cooldown("1m")])
bot.fallback(policies=[ShowTyping()])
bot.reaction(policies=(ShowTyping(),))
Bot(loop_guard=OptOut())  # type: ignore[arg-type]  # another policy
Router(policies=[Cooldown])  # type: ignore[list-item]  # the kind instead of one
Cooldown(12)  # type: ignore[arg-type]  # a number without a unit

Router(thread="always")  # type: ignore[arg-type]  # no such threading


@bot.message
async def bare(message: Message) -> str:
    assert_type(message.text, str)
    assert_type(message.chat, Chat)
    return message.text


@bot.message("price", "how much", exact=True, name="price", thread="never", attempts=1, timeout=2.5)
def several(turn: Turn, orders: Orders) -> list[str | Reply]:
    assert_type(turn.messages, tuple[Message, ...])
    return ["hi", Reply("hi", Media(url="https://example.com/a.png"), effect="confetti", thread="every", ref="r")]


@router.message(regex=re.compile(r"(?P<number>\d+)"))
async def passing(number: int) -> Link | Next | None:
    return NEXT if number else None


@router.message()
async def stream() -> AsyncIterator[Text | str]:
    yield "one"
    yield Text("two")


@router.message("formatted")
def formatted() -> list[Text | Markdown | Mention | Reply]:
    cake = InlineSticker("🎂", attachment_id="0b0c2f6e-6a10-4a1d-9d51-9a1f6c0a7b11")
    assert_type("Come " + bold("now ", italic("really")) + "!", Text)
    assert_type("Hey " + Mention("+12025550100", "Ann") + animated("boo", "shake") + cake, Text)
    animated("boo", "wobble")  # type: ignore[arg-type]  # no such animation
    Decoration(0, 1, style="bald")  # type: ignore[arg-type]  # no such style
    bold(7)  # type: ignore[arg-type]  # no words
    return [
        Text("hi", [Decoration(0, 2, style="bold")]),
        Markdown("**hi**"),
        Mention("a@example.com"),
        Reply(cake, "hi"),
    ]


@router.event("message.failed", attempts=2)
async def failed(event: MessageFailed) -> None:
    assert_type(event.code, int | None)


@router.reaction("love", "\N{FIRE}", on="bot", removed=True, name="sorry", thread="never", attempts=1, timeout=5)
async def sorry(reaction: Reaction) -> Reply:
    return Reply("What went wrong?", reply_to=reaction.message)


@router.edited
async def edited(edit: MessageEdited) -> None:
    assert_type(edit.text, str)


@router.poll_vote(own=True)
def voted(vote: PollVote) -> None: ...


@router.typing(stopped=True)
async def typing(event: Typing) -> None: ...


@router.member_joined()
async def joined(member: Participation) -> str:
    return "Welcome!"


@router.delivery("failed", "read", ref="order", attempts=1)
async def undelivered(delivery: Delivery) -> Reply | None:
    assert_type(delivery.status, Literal["sent", "failed", "delivered", "read"])
    assert_type(delivery.reply, SentReply | None)
    return Reply("Again:", reply_to=delivery) if delivery.message_id else None


@router.delivery
async def any_news() -> None: ...


router.delivery("faild")  # type: ignore[call-overload]  # no such status
router.member_left(joined)
router.reaction(joined)
router.reaction(on="me")  # type: ignore[call-overload]  # only the bot's own can be told apart
router.edited(atempts=2)  # type: ignore[call-overload]  # no such option
router.event("participant.added", own=True)
router.message(history=True)


@router.fallback
async def later(event: Event) -> tuple[str, ...]:
    return ("Thanks!",)


@router.fallback(name="again")
def again() -> None: ...


async def decorated_functions_keep_their_types(message: Message, turn: Turn) -> None:
    assert_type(await bare(message), str)
    assert_type(several(turn, Orders()), list[str | Reply])
    assert_type(await joined(Participation(event_id="e", type="participant.added", raw={})), str)
    assert_type([text async for text in stream()], list[Text | str])
    assert_type(await turn.once("a", lambda: 1), int)
    assert_type(await turn.quoted(), str | None)
    await bare(turn)  # type: ignore[arg-type]  # a turn is no message


@router.message()  # type: ignore[type-var]  # a number is no answer
async def number() -> int:
    return 7


@router.message  # type: ignore[type-var]  # a plain generator is no handler
def generator() -> Iterator[str]:
    yield "one"


@router.message(regex=r"a", exakt=True)  # type: ignore[call-overload, untyped-decorator]  # no such option
async def misspelled() -> None: ...


@bot.message("others")
async def others(message: Message) -> list[str | Send]:
    return [
        "Told them.",
        Send(["+12025550177", "a@example.com"], ["hi", Link("https://example.com")], key="k", line="+1"),
    ]


async def script() -> None:
    async with bot.sender() as sender:
        assert_type(sender, Bot)
        assert_type(await sender.send("+12025550177", Reply("hi"), key="k", line=None), Queued)
        await sender.send("+12025550177", 42, key="k")  # type: ignore[arg-type]  # nothing that can be said
        await sender.send("+12025550177", "hi", "k")  # type: ignore[call-arg]  # the key by name only


Send("+12025550177", "hi").key = "k"  # type: ignore[misc]  # frozen
Reply("hi", effect="confeti")  # type: ignore[arg-type]  # no such effect
Reply("hi", thread="always")  # type: ignore[arg-type]  # no such threading
Reply("hi", preferred_service="sms")  # type: ignore[arg-type]  # no such service
Reply(42)  # type: ignore[arg-type]  # no part
Reply("hi").effect = None  # type: ignore[misc]  # frozen
Media("https://example.com/a.png")  # type: ignore[call-arg]  # by name only


def answer_to(message: Message) -> Reply:
    return Reply("hi", reply_to=(message, 1)) if message.media else Reply("hi", reply_to=message)


composed = compose("hi")
if composed is not NEXT:
    assert_type(composed, tuple[Reply | Action | Elsewhere, ...])


async def calls() -> None:
    """What `bot.client` gives has types."""
    async with bot.client as linq:
        assert_type(linq, Client)
        assert_type(await linq.chats.get("c"), StoredChat)
        assert_type([one async for one in linq.chats.list(from_="+12025550100")], list[StoredChat])
        assert_type(await linq.messages.edit("m", "text"), StoredMessage | None)
        assert_type(await linq.phone_numbers.list(), tuple[Line, ...])
        assert_type(await linq.attachments.upload("film.mp4"), str)
        await linq.messages.thread_page("m", order="newest")  # type: ignore[arg-type]  # no such order


@bot.message("file")
async def fetches(message: Message) -> None:
    assert_type(await message.media[0].download(), bytes)
    assert_type(await message.media[0].download_to("file", most_bytes=1), int)
