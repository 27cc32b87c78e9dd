"""Linq's official SDK as a witness: it talks to the emulator over a real socket as it would to Linq."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime

import linq
import pytest
from linq import AsyncLinqAPIV3
from linq.types import MessageReceivedWebhookEvent

from linqbot.emulator.app import API, Emulator
from linqbot.testing.clock import TurnedClock
from tests.emulator.conftest import LINE, PERSON
from tests.emulator.listener import Listener
from tests.emulator.served import served


@pytest.fixture
async def own(clock: TurnedClock) -> Emulator:
    """An emulator that delivers over the network; its server's lifespan starts it."""
    return Emulator(clock=clock, seed=11)


@pytest.fixture
async def sdk(own: Emulator) -> AsyncIterator[AsyncLinqAPIV3]:
    """The official client, pointed at the served emulator; it validates what it gets."""
    async with (
        served(own.app) as address,
        AsyncLinqAPIV3(
            api_key="any", base_url=address + API, max_retries=0, _strict_response_validation=True
        ) as client,
    ):
        yield client


async def test_it_creates_a_chat(sdk: AsyncLinqAPIV3) -> None:
    """A created chat has its people and its first message."""
    made = await sdk.chats.create(from_=LINE, to=[PERSON], message={"parts": [{"type": "text", "value": "Hello!"}]})

    assert [handle.handle for handle in made.chat.handles] == [LINE, PERSON]
    assert [handle.is_me for handle in made.chat.handles] == [True, False]
    assert (made.chat.is_group, made.chat.service, made.chat.health_status.status) == (False, "iMessage", "HEALTHY")
    assert made.chat.message.delivery_status == "pending"
    assert made.chat.message.parts[0].value == "Hello!"  # type: ignore[union-attr]  # it is a text part


async def test_it_sends_and_reads_back(sdk: AsyncLinqAPIV3, own: Emulator) -> None:
    """A threaded message with an effect and a decoration is sent, found in the list, and read by its id."""
    heard = await own.inbound(PERSON, text="Hello!", to=LINE)
    sent = await sdk.chats.messages.send(
        heard.chat_id,
        message={
            "parts": [{"type": "text", "value": "Hi", "text_decorations": [{"range": [0, 2], "style": "bold"}]}],
            "reply_to": {"message_id": heard.message_id, "part_index": 0},
            "effect": {"type": "screen", "name": "confetti"},
            "idempotency_key": "k",
        },
    )
    await own.quiet()

    listed = [message async for message in await sdk.chats.messages.list(heard.chat_id)]
    read = await sdk.messages.retrieve(sent.message.id)

    assert sent.chat_id == heard.chat_id
    assert [message.id for message in listed] == [sent.message.id, heard.message_id]
    assert [message.is_from_me for message in listed] == [True, False]
    assert (read.delivery_status, read.is_delivered, read.is_read, read.service) == ("read", True, True, "iMessage")
    assert isinstance(read.sent_at, datetime)
    assert read.reply_to is not None
    assert (read.reply_to.message_id, read.reply_to.part_index) == (heard.message_id, 0)
    assert read.effect is not None
    assert (read.effect.type, read.effect.name) == ("screen", "confetti")


async def test_it_pages_through_chats(sdk: AsyncLinqAPIV3, own: Emulator) -> None:
    """The SDK's own pagination finds every chat once."""
    made = [(await own.inbound(f"+1202555200{number}", text="Hello!")).chat_id for number in range(5)]

    listed = [chat.id async for chat in await sdk.chats.list_chats(limit=2)]
    one = await sdk.chats.retrieve(made[0])

    assert listed == made[::-1]
    assert one.id == made[0]


async def test_it_types_and_reads(sdk: AsyncLinqAPIV3, own: Emulator) -> None:
    """Typing and read receipts are accepted."""
    heard = await own.inbound(PERSON, text="Hello!", to=LINE)

    await sdk.chats.typing.start(heard.chat_id)
    await sdk.chats.typing.stop(heard.chat_id)
    await sdk.chats.mark_as_read(heard.chat_id)

    assert [one["operation"] for one in own.requests] == ["startTyping", "stopTyping", "markChatAsRead"]


async def test_it_lists_lines_and_events(sdk: AsyncLinqAPIV3) -> None:
    """Both lines, and exactly the event types the SDK knows."""
    from typing import get_args

    from linq.types import WebhookEventType

    lines = await sdk.phone_numbers.list()
    events = await sdk.webhook_events.list()

    assert [line.phone_number for line in lines.phone_numbers] == [LINE, "+12025550101"]
    assert set(events.events) == set(get_args(WebhookEventType))


async def test_it_manages_subscriptions(sdk: AsyncLinqAPIV3) -> None:
    """Create, list, retrieve, update, delete."""
    made = await sdk.webhook_subscriptions.create(
        target_url="https://example.com/hook?version=2026-02-03", subscribed_events=["message.received"]
    )

    listed = await sdk.webhook_subscriptions.list()
    changed = await sdk.webhook_subscriptions.update(made.id, is_active=False, phone_numbers=[LINE])
    read = await sdk.webhook_subscriptions.retrieve(made.id)
    await sdk.webhook_subscriptions.delete(made.id)

    assert made.signing_secret.startswith("whsec_")
    assert [one.id for one in listed.subscriptions] == [made.id]
    assert (changed.is_active, changed.phone_numbers) == (False, [LINE])
    assert read == changed
    assert (await sdk.webhook_subscriptions.list()).subscriptions == []


async def test_it_understands_refusals(sdk: AsyncLinqAPIV3) -> None:
    """An error of ours is the SDK's error of that status, with Linq's code inside."""
    with pytest.raises(linq.NotFoundError) as caught:
        await sdk.chats.retrieve("00000000-0000-4000-8000-000000000000")

    body = caught.value.body
    assert isinstance(body, dict)
    assert body["code"] == 2001


async def test_it_verifies_our_webhooks(sdk: AsyncLinqAPIV3, own: Emulator) -> None:
    """`webhooks.unwrap` accepts the signature of a delivery that came over the network, and finds the message in it."""
    listener = Listener()
    async with served(listener.app) as address:
        made = await sdk.webhook_subscriptions.create(
            target_url=f"{address}/hook?version=2026-02-03", subscribed_events=["message.received"]
        )
        arrived = await own.inbound(PERSON, text="Hello!", to=LINE)
        await own.quiet()
    (one,) = listener.got

    sdk.webhooks.unwrap(one.raw.decode(), headers=one.headers, key=made.signing_secret)

    event = MessageReceivedWebhookEvent.model_validate_json(one.raw)
    assert event.event_type == "message.received"
    assert (event.event_id, event.data.id, event.data.chat.id) == (
        arrived.event_id,
        arrived.message_id,
        arrived.chat_id,
    )
    assert event.data.sender_handle.handle == PERSON


async def test_it_refuses_a_webhook_that_was_changed(sdk: AsyncLinqAPIV3, own: Emulator) -> None:
    """The same check fails on one changed byte, so that its acceptance means something."""
    listener = Listener()
    async with served(listener.app) as address:
        made = await sdk.webhook_subscriptions.create(
            target_url=f"{address}/hook", subscribed_events=["message.received"]
        )
        await own.inbound(PERSON, text="Hello!", to=LINE)
        await own.quiet()
    changed = listener.got[0].raw.decode().replace("Hello!", "Hullo!")

    with pytest.raises(Exception, match="signature"):
        sdk.webhooks.unwrap(changed, headers=listener.got[0].headers, key=made.signing_secret)
