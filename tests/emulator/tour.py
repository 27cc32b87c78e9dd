"""The official SDK -> every endpoint it shares with the emulator, once, in one conversation.

Each step keeps what the SDK made of the answer under the name of its method; `record` keeps the answers as they came.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
from linq import AsyncLinqAPIV3

from linqbot.emulator.app import API, Emulator
from linqbot.emulator.routes import OPERATIONS
from linqbot.testing.clock import TurnedClock
from tests.emulator.conftest import LINE, PERSON
from tests.emulator.listener import Listener, Received
from tests.emulator.served import served

ANN, BEN, CAT = "+12025550147", "+12025550148", "+12025550149"
OTHER_LINE = "+12025550101"
HI: Any = {"parts": [{"type": "text", "value": "Hi"}]}
CARD: Any = {
    "type": "imessage_app",
    "app": {"name": "Chess", "team_id": "A1B2C3D4E5", "bundle_id": "com.example.chess"},
    "layout": {"caption": "Your move"},
    "url": "https://example.com/1",
}
VERSIONS = ("2026-02-03", "2025-01-01")

_PATTERNS = [
    (method, re.compile(API + re.sub(r"\{\w+\}", "[^/]+", path)), f"{method.lower()} {path}")
    for method, path, _, _ in OPERATIONS
]


def endpoint_of(method: str, path: str) -> str | None:
    """The name that Linq's document has for what was asked; None for what is no endpoint."""
    return next((name for one, pattern, name in _PATTERNS if one == method and pattern.fullmatch(path)), None)


@dataclass
class Tour:
    """What happened on a tour."""

    answers: dict[str, list[tuple[int, Any]]] = field(default_factory=dict)
    """The answers by method and path of the endpoint: status and JSON."""
    made: dict[str, Any] = field(default_factory=dict)
    """What the SDK made of them, by name of the step."""
    hooks: dict[str, list[Received]] = field(default_factory=dict)
    """The webhooks by payload version."""
    secrets: dict[str, str] = field(default_factory=dict)

    async def record(self, response: httpx.Response) -> None:
        """Keep an answer."""
        await response.aread()
        request = response.request
        name = endpoint_of(request.method, request.url.path)
        if name is not None:
            body = response.json() if response.content else None
            self.answers.setdefault(name, []).append((response.status_code, body))


async def take_tour(clock: TurnedClock) -> Tour:
    """Go everywhere once, with two listeners, one for each payload version."""
    tour, own = Tour(), Emulator(clock=clock, seed=11)
    listeners = {version: Listener() for version in VERSIONS}
    async with served(own.app) as address, httpx.AsyncClient(event_hooks={"response": [tour.record]}) as http:
        sdk = AsyncLinqAPIV3(
            api_key="any", base_url=address + API, max_retries=0, http_client=http, _strict_response_validation=True
        )
        async with served(listeners[VERSIONS[0]].app) as new, served(listeners[VERSIONS[1]].app) as old:
            for version, target in zip(VERSIONS, (new, old), strict=True):
                await _subscribe(tour, sdk, version, target)
            for stage in (_talk, _direct, _files, _polls, _groups, _lines, _places, _rest):
                await stage(Guide(tour, sdk, own, clock))
                await own.quiet()
    tour.hooks = {version: listener.got for version, listener in listeners.items()}
    return tour


@dataclass(frozen=True)
class Guide:
    """Everything a stage of the tour needs."""

    tour: Tour
    sdk: Any
    own: Emulator
    clock: TurnedClock

    def keep(self, name: str, value: Any) -> Any:
        """Keep what a step made."""
        self.tour.made[name] = value
        return value

    async def chat(self) -> str:
        """The direct chat of the tour."""
        return (await self.own.inbound(PERSON, text="Hello!", to=LINE)).chat_id


async def _subscribe(tour: Tour, sdk: AsyncLinqAPIV3, version: str, target: str) -> None:
    events = (await sdk.webhook_events.list()).events
    made = await sdk.webhook_subscriptions.create(
        target_url=f"{target}/hook?version={version}", subscribed_events=events
    )
    tour.made["webhook_events.list"] = events
    tour.made["webhook_subscriptions.create"] = made
    tour.secrets[version] = made.signing_secret


async def _talk(guide: Guide) -> None:
    sdk, keep = guide.sdk, guide.keep
    made = keep("chats.create", await sdk.chats.create(from_=LINE, to=[PERSON], message=HI))
    await guide.own.quiet()
    theirs = keep("inbound", await guide.own.inbound(PERSON, text="Hello!", to=LINE))
    sent = keep(
        "chats.messages.send",
        await sdk.chats.messages.send(
            made.chat.id,
            message={
                "parts": [{"type": "text", "value": "Hi", "text_decorations": [{"range": [0, 2], "style": "bold"}]}],
                "reply_to": {"message_id": theirs.message_id, "part_index": 0},
                "effect": {"type": "screen", "name": "confetti"},
                "idempotency_key": "k",
            },
        ),
    )
    await guide.own.quiet()
    keep("chats.messages.list", [one async for one in await sdk.chats.messages.list(made.chat.id, limit=2)])
    keep("messages.retrieve", await sdk.messages.retrieve(sent.message.id))
    keep(
        "messages.list_messages_thread", [one async for one in await sdk.messages.list_messages_thread(sent.message.id)]
    )
    keep("chats.retrieve", await sdk.chats.retrieve(made.chat.id))
    keep("messages.create", await sdk.messages.create(to=[PERSON], message=HI, idempotency_key="anywhere"))
    await guide.own.quiet()
    keep("messages.create (again)", await sdk.messages.create(to=[PERSON], message=HI, idempotency_key="anywhere"))
    keep("chats.list_chats", [one async for one in await sdk.chats.list_chats(limit=1)])


async def _direct(guide: Guide) -> None:
    sdk, keep, chat_id = guide.sdk, guide.keep, await guide.chat()
    send = sdk.chats.messages.send
    sent = await send(chat_id, message=HI)
    guide.own.people.types(PERSON, chat_id)
    guide.own.people.types(PERSON, chat_id, stops=True)
    keep("chats.typing.start", await sdk.chats.typing.start(chat_id))
    keep("chats.typing.stop", await sdk.chats.typing.stop(chat_id))
    keep("chats.mark_as_read", await sdk.chats.mark_as_read(chat_id))
    await guide.own.quiet()
    keep("messages.update", await sdk.messages.update(sent.message.id, text="Ho"))
    reaction = await sdk.messages.add_reaction(sent.message.id, operation="add", type="love")
    keep("messages.add_reaction", reaction)
    await guide.own.quiet()
    await sdk.messages.add_reaction(sent.message.id, operation="remove", type="love")
    await sdk.messages.add_reaction(sent.message.id, operation="add", type="sticker", emoji="🎉", placement={"x": 0.5})
    await guide.own.quiet()
    reacted = keep("messages.retrieve (reacted)", await sdk.messages.retrieve(sent.message.id))
    sticker = reacted.parts[0].reactions[-1]
    moved = await sdk.messages.update_sticker_placement(sticker.id, message_id=sent.message.id, placement={"y": 0.5})
    keep("messages.update_sticker_placement", moved)
    guide.own.people.reacts(PERSON, sent.message.id, "custom", custom_emoji="🎉")
    keep("messages.delete", await sdk.messages.delete(sent.message.id))
    card = keep("card", await send(chat_id, message={"parts": [CARD]}))
    keep("link", await send(chat_id, message={"parts": [{"type": "link", "value": "https://example.com"}]}))
    keep("clip", await send(chat_id, message={"parts": [{"type": "app_clip", "value": "https://example.com/c"}]}))
    await guide.own.quiet()
    updated = await sdk.messages.update_app_card(
        card.message.id, layout={"caption": "Mine"}, url="https://example.com/2"
    )
    keep("messages.update_app_card", updated)
    guide.own.fault("failed", code=4001)
    await send(chat_id, message=HI)


async def _files(guide: Guide) -> None:
    sdk, keep, chat_id = guide.sdk, guide.keep, await guide.chat()
    made = keep(
        "attachments.create", await sdk.attachments.create(filename="a.png", content_type="image/png", size_bytes=3)
    )
    async with httpx.AsyncClient() as plain:
        put = await plain.put(made.upload_url, content=b"abc", headers=made.required_headers)
        keep("upload", put.status_code)
        read = keep("attachments.retrieve", await sdk.attachments.retrieve(made.attachment_id))
        keep("download", (await plain.get(read.download_url)).content)
    text: Any = {
        "type": "text",
        "value": "Hi *",
        "inline_stickers": [{"range": [3, 4], "attachment_id": made.attachment_id}],
    }
    media: Any = {"type": "media", "attachment_id": made.attachment_id, "sticker": True}
    public: Any = {"type": "media", "url": "https://example.com/a.jpg"}
    keep("media", await sdk.chats.messages.send(chat_id, message={"parts": [text, media, public]}))
    memo = await sdk.chats.send_voicememo(chat_id, voice_memo_url="https://example.com/a.m4a")
    keep("chats.send_voicememo", memo)
    await guide.own.quiet()
    keep("attachments.delete", await sdk.attachments.delete(made.attachment_id))


async def _polls(guide: Guide) -> None:
    sdk, keep, chat_id = guide.sdk, guide.keep, await guide.chat()
    made = await sdk.chats.polls.create(chat_id, poll={"options": [{"text": "Tacos"}, {"text": "Ramen"}]})
    keep("chats.polls.create", made)
    await guide.own.quiet()
    tacos = made.poll.options[0].option_id
    keep("messages.poll.vote", await sdk.messages.poll.vote(made.message_id, operation="add", option_id=tacos))
    await sdk.messages.poll.vote(made.message_id, operation="remove", option_id=tacos)
    more = await sdk.messages.poll.add_options(made.message_id, options=[{"text": "Pizza"}])
    keep("messages.poll.add_options", more)
    guide.own.people.votes(PERSON, made.message_id, tacos)
    guide.own.people.reacts(PERSON, made.message_id, "love")
    keep("messages.poll.retrieve", await sdk.messages.poll.retrieve(made.message_id))
    await guide.own.inbound(PERSON, to=LINE, poll=["Now", "Later"])
    guide.own.fault("failed", match="createPoll", code=4007)
    await sdk.chats.polls.create(chat_id, poll={"options": [{"text": "a"}, {"text": "b"}]})


async def _groups(guide: Guide) -> None:
    sdk, keep = guide.sdk, guide.keep
    made = keep("group", await sdk.chats.create(from_=LINE, to=[PERSON, ANN, BEN], message=HI))
    chat_id = made.chat.id
    mention: Any = {"type": "text", "value": "Hi Ann", "mention": ANN, "mention_range": [3, 6]}
    keep("mention", await sdk.chats.messages.send(chat_id, message={"parts": [mention]}))
    keep(
        "chats.update", await sdk.chats.update(chat_id, display_name="Us", group_chat_icon="https://example.com/i.png")
    )
    keep("chats.participants.add", await sdk.chats.participants.add(chat_id, handle=CAT))
    await guide.own.quiet()
    keep("chats.participants.remove", await sdk.chats.participants.remove(chat_id, handle=CAT))
    guide.own.fault("failed", match="updateChat", count=1)
    await sdk.chats.update(chat_id, display_name="We", group_chat_icon="https://example.com/j.png")
    await guide.own.quiet()
    keep("chats.leave_chat", await sdk.chats.leave_chat(chat_id))
    await guide.own.quiet()
    keep("left", await sdk.chats.retrieve(chat_id))


async def _lines(guide: Guide) -> None:
    sdk, keep, chat_id = guide.sdk, guide.keep, await guide.chat()
    lines = keep("phone_numbers.list", (await sdk.phone_numbers.list()).phone_numbers)
    with pytest.deprecated_call():
        keep("phonenumbers.list", (await sdk.phonenumbers.list()).phone_numbers)
    keep("phone_numbers.update", await sdk.phone_numbers.update(lines[0].id, forwarding_number="+12025557777"))
    audit = keep("phone_numbers.start_reputation_audit", await sdk.phone_numbers.start_reputation_audit(LINE))
    read = await sdk.phone_numbers.get_reputation_audit(audit.audit_id, phone_number=LINE)
    keep("phone_numbers.get_reputation_audit", read)
    number = await sdk.available_number.retrieve(to=[PERSON], exclude_from=[OTHER_LINE])
    keep("available_number.retrieve", number)
    keep("capability.check_i_message", await sdk.capability.check_i_message(address=PERSON))
    guide.clock.advance(seconds=10)
    keep("capability.check_RCS", await sdk.capability.check_RCS(address=PERSON))
    card = await sdk.contact_card.create(phone_number=LINE, first_name="Ada", last_name="Bot")
    keep("contact_card.create", card)
    keep("contact_card.update", await sdk.contact_card.update(phone_number=LINE, first_name="Eve"))
    keep("contact_card.retrieve", await sdk.contact_card.retrieve(phone_number=LINE))
    keep("chats.share_contact_card", await sdk.chats.share_contact_card(chat_id))
    keep("blocked_handles.block", await sdk.blocked_handles.block(handle=CAT, reason="spam"))
    keep("blocked_handles.list", await sdk.blocked_handles.list())
    keep("blocked_handles.unblock", await sdk.blocked_handles.unblock(handle=CAT))
    guide.own.people.line(OTHER_LINE, status="FLAGGED", reputation="AT_RISK")
    guide.own.people.shares_card(PERSON, LINE, first_name="Pat", media_url="https://example.com/p.jpg")


async def _places(guide: Guide) -> None:
    sdk, keep, chat_id = guide.sdk, guide.keep, await guide.chat()
    keep("chats.location.request", await sdk.chats.location.request(chat_id))
    guide.own.people.shares_location(PERSON, chat_id, latitude=37.5, longitude=-122.25, for_s=3600)
    keep("chats.location.retrieve", await sdk.chats.location.retrieve(chat_id))
    keep("chats.location.stop", await sdk.chats.location.stop(chat_id, handle=PERSON))
    keep("chats.background.set", await sdk.chats.background.set(chat_id, type="dynamic", style="sky", variant="dusk"))
    await guide.own.quiet()
    keep("chats.background.remove", await sdk.chats.background.remove(chat_id))
    guide.own.fault("failed", match="setBackground", code=2011)
    await sdk.chats.background.set(chat_id, type="color", variant="ice")


async def _rest(guide: Guide) -> None:
    sdk, keep = guide.sdk, guide.keep
    keep("experiences.list", (await sdk.experiences.list()).experiences)
    spare = await sdk.webhook_subscriptions.create(
        target_url="https://example.com/hook", subscribed_events=["message.received"], phone_numbers=[LINE]
    )
    keep("webhook_subscriptions.list", (await sdk.webhook_subscriptions.list()).subscriptions)
    keep("webhook_subscriptions.update", await sdk.webhook_subscriptions.update(spare.id, is_active=False))
    keep("webhook_subscriptions.retrieve", await sdk.webhook_subscriptions.retrieve(spare.id))
    keep("webhook_subscriptions.delete", await sdk.webhook_subscriptions.delete(spare.id))
