"""Faults while sending, rows O of the catalogue that no other test tries."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
import trustme

from linqbot import Bot, Message
from linqbot.client.http import LinqClient
from linqbot.emulator.app import Emulator
from linqbot.errors import NotSent
from linqbot.events import Event
from linqbot.records import Limits, Request, Sent, Wait
from linqbot.store.open import open_store
from linqbot.testing import Sim, TurnedClock
from tests.engine.sending import Control, Office, served
from tests.store.tls_proxy import Proxy

CROWD = tuple(f"+1202555000{number}" for number in range(5))
SMALL = Limits(outbox_cap=10, lane_cap=3)


def echo_bot(heard: list[str] | None = None) -> Bot:
    """A bot that says what it hears, and notes that it heard it."""
    bot = Bot()

    @bot.message()
    async def echo(message: Message) -> str:
        if heard is not None:
            heard.append(message.text)
        return message.text

    return bot


class Line(httpx.AsyncBaseTransport):
    """The way to Linq; while it is `cut`, no connection is made."""

    def __init__(self, app: Any) -> None:
        self._inner = httpx.ASGITransport(app=app)
        self.cut = False

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if self.cut:
            raise httpx.ConnectError("nobody listens")
        return await self._inner.handle_async_request(request)


class Outage(Sim):
    """A bot with little room, and a line to Linq that can be cut."""

    def __init__(self, bot: Bot) -> None:
        super().__init__(bot)
        self.line = Line(self.emulator.app)
        bot.configure(store=lambda: open_store("sqlite:///:memory:", clock=self.clock, limits=SMALL))

    def _configure(self) -> None:
        super()._configure()
        self.bot.configure(transport=self.line)

    async def pass_by(self, *, minutes: int, step: int = 5) -> None:
        """Let time pass, in steps: whatever waits comes due on the way."""
        for _ in range(0, minutes, step):
            self.clock.advance(minutes=step)
            await self.settled()

    async def all_write(self, *texts: str) -> None:
        """Everybody writes these texts."""
        for text in texts:
            for phone in CROWD:
                await self.user(phone).writes(text)
        await self.settled()

    async def recover(self) -> None:
        """Wait until everything that waited has been sent."""
        for _ in range(60):
            await self.settled()
            stats = await self.bot.store.stats()
            if stats.inbox == stats.outbox == 0 and not self.refused_now():
                return
            self.clock.advance(minutes=1)
        raise TimeoutError("an hour after the outage something still waits")

    def refused_now(self) -> list[str]:
        """Webhooks that were put off and have not been taken since."""
        return [one["event_id"] for one in self.emulator.deliveries() if one["state"] == "waiting"]

    def texts_of(self, phone: str) -> list[str]:
        """What a phone shows."""
        return [bubble.text for bubble in self.said_to(phone)]


async def test_o6_an_opt_out_costs_no_request(clock: TurnedClock) -> None:
    """To somebody who opts out nothing is sent, not even an answer to that; the others are answered as before.

    Held by this: the policy `OptOut` keeps the word from the handlers, and the guard asks before each send what is
    known. (An opt-out that was not heard of is refused by Linq with 2024, and learned from that.)
    """
    async with Sim(echo_bot()) as sim:
        alice, bob = sim.user(), sim.user("+12025550002")
        await alice.says("hello")
        await alice.says("STOP")
        for _ in range(5):
            await sim.settled()
            sim.clock.advance(hours=1)
        await bob.says("still there?")

        sends = [one["status"] for one in sim.emulator.requests if one["operation"] == "sendMessageToChat"]
        assert sends == [202, 202]
        assert [bubble.text for bubble in sim.replies] == ["hello", "still there?"]
        assert await sim.bot.store.dead() == []


async def test_o10_two_hours_without_linq_fill_the_outbox_and_lose_nothing() -> None:
    """While Linq cannot be reached for two hours the outbox grows to its cap, handlers of new events pause, the inbox
    fills, webhooks are answered 503, and afterwards every message is answered once and in order.

    Held by this: a connection that was not made is `NotSent`, which waits up to a day; `lease` takes nothing on the in side
    while the outbox is at `Limits.outbox_cap`; `accept` refuses at `Limits.lane_cap`; a 503 makes Linq come again.
    """
    heard: list[str] = []
    async with Outage(echo_bot(heard)) as sim:
        sim.line.cut = True
        await sim.all_write("0", "1")
        assert (await sim.bot.store.stats()).outbox == SMALL.outbox_cap
        await sim.all_write("2", "3", "4")
        await sim.pass_by(minutes=105)

        stats = await sim.bot.store.stats()
        assert (stats.inbox, stats.outbox) == (15, SMALL.outbox_cap)
        assert len(heard) == SMALL.outbox_cap, "handlers of new events pause"
        await sim.all_write("5")
        assert len(sim.refused_now()) == len(CROWD), "back-pressure reaches Linq"
        await sim.pass_by(minutes=15)
        assert sim.replies == []

        sim.line.cut = False
        await sim.recover()
        assert [sim.texts_of(phone) for phone in CROWD] == [["0", "1", "2", "3", "4", "5"]] * len(CROWD)
        assert await sim.bot.store.dead() == []
        assert sim.emulator.counters["key_conflicts"] == 0


async def test_o10_two_hours_of_503_lose_nothing_silently() -> None:
    """A Linq that answers 503 for two hours may have taken what it was asked for: a reply whose fate stays unknown for
    an hour lies in the dead letters as `unknown`; all that waited behind is sent once and in order, and the two together
    are everything that was said.

    Held by this: the 60 minutes of `UNKNOWN_WINDOW_MS`; the breaker, which lets one reply at a time find out, so that
    few are spent on a sick Linq.
    """
    async with Outage(echo_bot()) as sim:
        sim.faults.add("503", count=None)
        await sim.all_write("0", "1", "2")
        await sim.pass_by(minutes=120)
        sim.emulator.linq.faults.clear()
        await sim.recover()

        letters = await sim.bot.store.dead()
        arrived = [sim.texts_of(phone) for phone in CROWD]
        assert {letter.kind for letter in letters} == {"unknown"}
        assert all("60 minutes" in letter.reason for letter in letters)
        assert sum(map(len, arrived)) + len(letters) == 3 * len(CROWD)
        assert all(texts == sorted(texts) and len(texts) == len(set(texts)) for texts in arrived)


@pytest.fixture
def authority(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> trustme.CA:
    """An authority that this process trusts."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    return authority


class Door:
    """Linq behind TLS, with a certificate that can be changed, and a dispatcher that goes there."""

    def __init__(self, office: Office, linq: Control, proxy: Proxy, context: ssl.SSLContext) -> None:
        self.office = office
        self.linq = linq
        self.proxy = proxy
        self._context = context

    def shows(self, certificate: trustme.LeafCert) -> None:
        """Show this certificate from now on."""
        certificate.configure_cert(self._context)


@pytest.fixture
async def door(clock: TurnedClock, authority: trustme.CA) -> AsyncIterator[Door]:
    """An emulator behind TLS, and a dispatcher."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    async with AsyncExitStack() as stack:
        emulator = await stack.enter_async_context(Emulator(clock=clock))
        linq = Control(emulator)
        stack.push_async_callback(linq.aclose)
        plain = await stack.enter_async_context(served(emulator.app))
        proxy = await stack.enter_async_context(Proxy(urlsplit(plain).port or 0, context=context))
        store = await stack.enter_async_context(open_store("sqlite:///:memory:", clock=clock))
        url = f"https://127.0.0.1:{proxy.port}/api/partner"
        client = await stack.enter_async_context(LinqClient(url, "key", read_s=2))
        office = await stack.enter_async_context(Office(store, client, clock))
        yield Door(office, linq, proxy, context)


def long_ago() -> datetime:
    """When an expired certificate ended."""
    return datetime.now(UTC) - timedelta(days=1)


async def test_o12_a_trusted_certificate_is_taken(door: Door) -> None:
    """The other tests of TLS refuse for the reason they name: with nothing wrong the reply goes out.

    Held by the system's authorities, which `SSL_CERT_FILE` adds to.
    """
    ann = await door.linq.person("+15550000001")
    await door.office.say(ann, "1")

    assert isinstance((await door.office.next()).outcome, Sent)


@pytest.mark.parametrize("wrong", ["expired", "another host", "unknown authority"])
async def test_o12_a_bad_certificate_is_not_sent_and_never_insecure(
    door: Door, authority: trustme.CA, wrong: str
) -> None:
    """Behind a certificate that expired, names another host or is nobody's, not one byte of a request is heard; the
    reply waits as surely not sent, and arrives once when the certificate is right.

    Held by this: certificates are verified before anything is written (the client has no switch against it), and a
    failed handshake is `NotSent`.
    """
    ann = await door.linq.person("+15550000001")
    door.shows(
        {
            "expired": lambda: authority.issue_cert("127.0.0.1", not_after=long_ago()),
            "another host": lambda: authority.issue_cert("elsewhere.example"),
            "unknown authority": lambda: trustme.CA().issue_cert("127.0.0.1"),
        }[wrong]()
    )
    await door.office.say(ann, "1")
    refused = await door.office.next()

    assert isinstance(refused.outcome, Wait)
    assert (refused.outcome.ambiguous, door.proxy.requests) == (False, 0)
    door.shows(authority.issue_cert("127.0.0.1"))
    assert isinstance((await door.office.again(refused)).outcome, Sent)
    assert await door.linq.texts(ann) == ["1"]


@pytest.mark.parametrize("host", ["linq.invalid", "127.0.0.1:1"], ids=["no such name", "nobody listens"])
async def test_o12_a_host_that_is_not_there_was_surely_not_asked(host: str) -> None:
    """Without an address or a listener the outcome is `NotSent`, not unknown.

    Held by this: the cause that aiohttp gives, a connector's error, proves that no byte left.
    """
    async with LinqClient(f"https://{host}/api/partner", "key") as client:
        with pytest.raises(NotSent):
            await client.send(Request(method="POST", path="/v3/chats/x/messages", body=b"{}"))


async def test_o14_a_message_that_failed_and_came_through_is_not_sent_again() -> None:
    """`message.failed` and then `message.delivered`: handlers hear both, Linq gets one request.

    Held by this: a reply that was accepted has left the outbox; no news of it brings it back.
    """
    bot, news = echo_bot(), []

    @bot.event("message.failed", "message.delivered")
    async def told(event: Event) -> None:
        news.append(event.type)

    async with Sim(bot) as sim:
        sim.faults.add("failed", code=4001, delivered_late=True)
        await sim.user().says("hello")
        for _ in range(4):
            sim.clock.advance(minutes=10)
            await sim.settled()

        sends = [one for one in sim.emulator.requests if one["operation"] == "sendMessageToChat"]
        assert news == ["message.failed", "message.delivered"]
        assert (len(sends), [bubble.text for bubble in sim.replies]) == (1, ["hello"])


async def test_o15_a_storm_of_leaving_dispatchers_leaves_the_client_whole(clock: TurnedClock) -> None:
    """Dispatchers that are told to leave in the middle of a send, again and again on one client, cost no message, no
    second message, and no connection.

    Held by this: an exchange is shielded from whoever waits for it and runs to its end; what is left in flight is marked
    as perhaps sent and repeated under its key.
    """
    async with AsyncExitStack() as stack:
        emulator = await stack.enter_async_context(Emulator(clock=clock))
        linq = Control(emulator)
        stack.push_async_callback(linq.aclose)
        url = await stack.enter_async_context(served(emulator.app))
        store = await stack.enter_async_context(open_store("sqlite:///:memory:", clock=clock))
        client = await stack.enter_async_context(LinqClient(url, "key", concurrency=8))
        people = [await linq.person(f"+155500000{number:02}") for number in range(20)]
        first = await stack.enter_async_context(Office(store, client, clock))
        first.dispatcher.stop()
        await first.running
        for person in people:
            await first.say(person, "1", "2")

        await linq.fault("slow", seconds=0.02, count=100)
        for _ in range(10):
            await leave_in_the_middle(first, clock)
        last = first.another()
        running = asyncio.create_task(last.run())
        while (await store.stats()).outbox:
            clock.advance(seconds=5)
            await asyncio.wait_for(first.verdicts.get(), timeout=10)
        last.stop()
        await running

        assert [await linq.texts(person) for person in people] == [["1", "2"]] * len(people)
        assert (await store.dead(), emulator.counters["key_conflicts"]) == ([], 0)


async def leave_in_the_middle(office: Office, clock: TurnedClock) -> None:
    """One more dispatcher, told to leave as soon as its first send is under way."""
    office.client.begun.clear()
    another = office.another()
    running = asyncio.create_task(another.run())
    await asyncio.wait_for(office.client.begun.wait(), timeout=10)
    await another.leave()
    await running
    clock.advance(seconds=6)
