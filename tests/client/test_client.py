"""Every endpoint of `bot.client` against a served emulator: one row, one request, a typed answer that fits the document."""

from __future__ import annotations

import importlib
import json
import pkgutil
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import linqbot.client
from linqbot.client.client import Client
from linqbot.client.endpoint import Deed, Endpoint
from linqbot.client.errors import ChatGone, NotFound, Refusal
from linqbot.emulator.app import Emulator
from linqbot.errors import ConfigurationError, LinqError, NotSent
from tests.client.conftest import FarSide, written
from tests.client.stage import ANN, BEN, CAT, LINE, PERSON, Stage

Ask = Callable[[Stage], Awaitable[Any]]
Check = Callable[[Any, Stage], bool]


@dataclass(frozen=True)
class Row:
    """An endpoint, how it is asked, and what must be true of the answer."""

    endpoint: str
    ask: Ask
    check: Check
    note: str = ""

    def __str__(self) -> str:
        return f"{self.endpoint}{self.note and ' '}{self.note}"


async def all_of(things: Any) -> list[Any]:
    """What an iterator gives."""
    return [thing async for thing in things]


async def a_card(stage: Stage) -> str:
    """A card of ours that was sent."""
    app = {"name": "Game", "bundle_id": "com.example.game", "team_id": "ABCDE12345", "app_store_id": 1}
    part = {"type": "imessage_app", "app": app, "url": "https://example.com/g", "layout": {"caption": "Your move"}}
    sent = await stage.linq.messages.send(await stage.chat(), {"parts": [part]})
    await stage.emulator.quiet()
    return sent.message.id


async def a_sticker(stage: Stage) -> tuple[str, str]:
    """A message of ours and the sticker on it."""
    message_id = await stage.sent()
    await stage.linq.messages.react(message_id, "sticker", emoji="🎉", placement={"x": 0.5})
    await stage.emulator.quiet()
    part = (await stage.linq.messages.get(message_id)).parts[0]
    return message_id, str(part.reactions[-1].id)


async def a_shared_card(stage: Stage) -> str:
    """A chat with a message of ours, of a line that has a contact card."""
    await stage.sent()
    await stage.linq.contact_cards.create(LINE, "Ada")
    return await stage.chat()


async def a_poll(stage: Stage, *, voted: bool = False) -> Any:
    """A poll of ours."""
    made = await stage.linq.polls.create(await stage.chat(), ["Tacos", "Ramen"])
    await stage.emulator.quiet()
    if voted:
        await stage.linq.polls.vote(made.message_id, str(made.poll.options[0].option_id))
    return made


HOOK = "https://example.com/hook?version=2026-02-03"


async def a_hook(stage: Stage) -> Any:
    """A subscription for one line."""
    return await stage.linq.subscriptions.create(HOOK, ["message.received"], phone_numbers=[LINE])


async def edited_after_deletion(stage: Stage) -> Any:
    """What an edit says when Linq has forgotten the message."""
    message_id = await stage.sent()
    await stage.linq.messages.delete(message_id)
    return await stage.linq.messages.edit(message_id, "Ho")


CHATS = [
    Row(
        "GET /v3/chats/{}",
        lambda stage: _with_chat(stage, stage.linq.chats.get),
        lambda got, stage: (got.id, got.line.handle, got.is_group) == (stage.kept["chat"], LINE, False),
    ),
    Row(
        "GET /v3/chats",
        lambda stage: _with_chat(stage, lambda _: stage.linq.chats.page(from_=LINE, to=PERSON, limit=1)),
        lambda got, stage: [chat.id for chat in got.chats] == [stage.kept["chat"]],
    ),
    Row(
        "POST /v3/chats",
        lambda stage: stage.linq.chats.create(LINE, PERSON, "Hi", idempotency_key="k"),
        lambda got, _: (got.chat.line.handle, got.chat.message.parts[0].value) == (LINE, "Hi"),
    ),
    Row(
        "PUT /v3/chats/{}",
        lambda stage: _with_group(stage, lambda group: stage.linq.chats.rename(group, "Us")),
        lambda got, _: got.status == "pending" and bool(got.chat_id),
    ),
    Row(
        "PUT /v3/chats/{}",
        lambda stage: _with_group(stage, lambda group: stage.linq.chats.set_icon(group, "https://example.com/i.png")),
        lambda got, _: got.status == "pending",
        note="icon",
    ),
    Row(
        "POST /v3/chats/{}/participants",
        lambda stage: _with_group(stage, lambda group: stage.linq.chats.add_participant(group, "+12025550150")),
        lambda got, _: got.status == "accepted" and bool(got.trace_id),
    ),
    Row(
        "DELETE /v3/chats/{}/participants",
        lambda stage: _with_group(stage, lambda group: stage.linq.chats.remove_participant(group, CAT)),
        lambda got, _: got.status == "accepted",
    ),
    Row(
        "POST /v3/chats/{}/leave",
        lambda stage: _with_group(stage, stage.linq.chats.leave),
        lambda got, _: got.status == "accepted",
    ),
    Row(
        "POST /v3/chats/{}/typing",
        lambda stage: _with_chat(stage, stage.linq.chats.start_typing),
        lambda got, _: got is None,
    ),
    Row(
        "DELETE /v3/chats/{}/typing",
        lambda stage: _with_chat(stage, stage.linq.chats.stop_typing),
        lambda got, _: got is None,
    ),
    Row(
        "POST /v3/chats/{}/read",
        lambda stage: _with_chat(stage, stage.linq.chats.mark_read),
        lambda got, _: got is None,
    ),
    Row(
        "POST /v3/chats/{}/share_contact_card",
        lambda stage: _then(a_shared_card(stage), stage.linq.chats.share_contact_card),
        lambda got, _: got is None,
    ),
]

MESSAGES = [
    Row(
        "POST /v3/chats/{}/messages",
        lambda stage: _with_chat(stage, lambda chat: stage.linq.messages.send(chat, "Hi", idempotency_key="k")),
        lambda got, stage: (got.chat_id, got.message.parts[0].value) == (stage.kept["chat"], "Hi"),
    ),
    Row(
        "POST /v3/chats/{}/messages",
        lambda stage: _with_chat(
            stage,
            lambda chat: stage.linq.messages.send(
                chat,
                {"parts": [{"type": "text", "value": "Hi"}], "effect": {"type": "screen", "name": "confetti"}},
            ),
        ),
        lambda got, _: got.message.effect.name == "confetti",
        note="in Linq's own words",
    ),
    Row(
        "POST /v3/messages",
        lambda stage: stage.linq.messages.send_anywhere(
            [PERSON], "Hi", idempotency_key="k", exclude_from=[LINE], continuation="It is me again."
        ),
        lambda got, _: got.created_new_chat and got.from_ != LINE,
    ),
    Row(
        "GET /v3/messages/{}",
        lambda stage: _with_sent(stage, stage.linq.messages.get),
        lambda got, stage: got.is_from_me and got.chat_id == stage.kept["chat"],
    ),
    Row(
        "GET /v3/chats/{}/messages",
        lambda stage: _with_chat(stage, lambda chat: stage.linq.messages.page(chat, limit=5)),
        lambda got, stage: [one.id for one in got.messages] == [stage.kept["theirs"]],
    ),
    Row(
        "GET /v3/messages/{}/thread",
        lambda stage: _with_sent(stage, lambda one: stage.linq.messages.thread_page(one, order="desc", limit=5)),
        lambda got, _: len(got.messages) == 1 and got.next_cursor is None,
    ),
    Row(
        "PATCH /v3/messages/{}",
        lambda stage: _with_sent(stage, lambda one: stage.linq.messages.edit(one, "Ho")),
        lambda got, _: got.parts[0].value == "Ho",
    ),
    Row(
        "PATCH /v3/messages/{}", edited_after_deletion, lambda got, _: got is None, note="after Linq forgot the message"
    ),
    Row(
        "DELETE /v3/messages/{}",
        lambda stage: _with_sent(stage, stage.linq.messages.delete),
        lambda got, _: got is None,
    ),
    Row(
        "POST /v3/messages/{}/reactions",
        lambda stage: _with_sent(stage, lambda one: stage.linq.messages.react(one, "custom", custom_emoji="🎉")),
        lambda got, _: got.status == "accepted" and bool(got.trace_id),
    ),
    Row(
        "POST /v3/messages/{}/reactions",
        lambda stage: _with_sent(stage, lambda one: stage.linq.messages.unreact(one, "love")),
        lambda got, _: got.status == "accepted",
        note="taken back",
    ),
    Row(
        "PATCH /v3/messages/{}/reactions/{}",
        lambda stage: _then(a_sticker(stage), lambda ids: stage.linq.messages.move_sticker(*ids, {"y": 0.5})),
        lambda got, _: got.status == "accepted",
    ),
    Row(
        "POST /v3/messages/{}/update",
        lambda stage: _then(
            a_card(stage),
            lambda card: stage.linq.messages.update_card(card, {"caption": "Mine"}, url="https://example.com/2"),
        ),
        lambda got, _: got.message.parts[0].layout["caption"] == "Mine",
    ),
    Row(
        "POST /v3/chats/{}/voicememo",
        lambda stage: _with_chat(
            stage, lambda chat: stage.linq.messages.send_voice_memo(chat, url="https://example.com/a.m4a")
        ),
        lambda got, _: (got.from_, got.to, got.voice_memo.mime_type) == (LINE, (PERSON,), "audio/x-m4a"),
    ),
]

POLLS = [
    Row(
        "POST /v3/chats/{}/polls",
        lambda stage: _with_chat(
            stage, lambda chat: stage.linq.polls.create(chat, ["Tacos", "Ramen"], idempotency_key="k")
        ),
        lambda got, stage: (
            got.chat_id == stage.kept["chat"] and [one.text for one in got.poll.options] == ["Tacos", "Ramen"]
        ),
    ),
    Row(
        "GET /v3/messages/{}/poll",
        lambda stage: _then(a_poll(stage), lambda poll: stage.linq.polls.get(poll.message_id)),
        lambda got, _: len(got.poll.options) == 2,
    ),
    Row(
        "POST /v3/messages/{}/poll/options",
        lambda stage: _then(a_poll(stage), lambda poll: stage.linq.polls.add_options(poll.message_id, ["Pizza"])),
        lambda got, _: [one.text for one in got.poll.options] == ["Tacos", "Ramen", "Pizza"],
    ),
    Row(
        "POST /v3/messages/{}/poll/votes",
        lambda stage: _then(
            a_poll(stage), lambda poll: stage.linq.polls.vote(poll.message_id, poll.poll.options[0].option_id)
        ),
        lambda got, _: got.poll.total_voters == 1 and len(got.poll.options[0].voters) == 1,
    ),
    Row(
        "POST /v3/messages/{}/poll/votes",
        lambda stage: _then(
            a_poll(stage, voted=True),
            lambda poll: stage.linq.polls.unvote(poll.message_id, poll.poll.options[0].option_id),
        ),
        lambda got, _: got.poll.total_voters == 0,
        note="taken back",
    ),
]

FILES = [
    Row(
        "POST /v3/attachments",
        lambda stage: stage.linq.attachments.create("a.png", "image/png", 3),
        lambda got, _: got.required_headers["Content-Type"] == "image/png" and got.upload_url.startswith("http"),
    ),
    Row(
        "GET /v3/attachments/{}",
        lambda stage: _with_file(stage, stage.linq.attachments.get),
        lambda got, _: (got.filename, got.size_bytes, got.status) == ("a.png", 3, "complete"),
    ),
    Row(
        "DELETE /v3/attachments/{}",
        lambda stage: _with_file(stage, stage.linq.attachments.delete),
        lambda got, stage: got is None and not stage.emulator.linq.vault.files,
    ),
]

LINES = [
    Row(
        "GET /v3/phone_numbers",
        lambda stage: stage.linq.phone_numbers.list(),
        lambda got, _: got[0].phone_number == LINE and got[0].reputation.status == "HEALTHY",
    ),
    Row(
        "PUT /v3/phone_numbers/{}",
        lambda stage: _with_line(stage, lambda line: stage.linq.phone_numbers.forward(line, "+12025557777")),
        lambda got, _: got.forwarding_number == "+12025557777",
    ),
    Row(
        "PUT /v3/phone_numbers/{}",
        lambda stage: _with_line(stage, lambda line: stage.linq.phone_numbers.forward(line, None)),
        lambda got, _: got.forwarding_number is None,
        note="no longer",
    ),
    Row(
        "GET /v3/available_number",
        lambda stage: stage.linq.phone_numbers.available(to=[PERSON], exclude_from=[LINE], type_="iMessage"),
        lambda got, _: got.phone_number != LINE and got.vcf_url.startswith("http"),
    ),
    Row(
        "POST /v3/phone_numbers/{}/reputation_audit",
        lambda stage: stage.linq.phone_numbers.start_audit(LINE),
        lambda got, _: got.status == "pending",
    ),
    Row(
        "GET /v3/phone_numbers/{}/reputation_audit/{}",
        lambda stage: _then(
            stage.linq.phone_numbers.start_audit(LINE), lambda made: stage.linq.phone_numbers.audit(LINE, made.audit_id)
        ),
        lambda got, _: bool(got.status),
    ),
    Row(
        "POST /v3/capability/check_imessage",
        lambda stage: stage.linq.capabilities.imessage(PERSON, from_=LINE),
        lambda got, _: (got.address, got.available) == (PERSON, True),
    ),
    Row(
        "POST /v3/capability/check_rcs",
        lambda stage: stage.linq.capabilities.rcs(PERSON),
        lambda got, _: got.address == PERSON,
    ),
    Row(
        "POST /v3/contact_card",
        lambda stage: stage.linq.contact_cards.create(LINE, "Ada", last_name="Bot"),
        lambda got, _: (got.first_name, got.last_name, got.is_active) == ("Ada", "Bot", True),
    ),
    Row(
        "PATCH /v3/contact_card",
        lambda stage: _then(
            stage.linq.contact_cards.create(LINE, "Ada", last_name="Bot"),
            lambda _: stage.linq.contact_cards.update(LINE, first_name="Eve"),
        ),
        lambda got, _: (got.first_name, got.last_name) == ("Eve", "Bot"),
    ),
    Row(
        "GET /v3/contact_card",
        lambda stage: _then(
            stage.linq.contact_cards.create(LINE, "Ada"), lambda _: stage.linq.contact_cards.list(LINE)
        ),
        lambda got, _: [card.first_name for card in got] == ["Ada"],
    ),
    Row(
        "POST /v3/blocked_handles",
        lambda stage: stage.linq.blocked_handles.block(CAT, reason="spam"),
        lambda got, _: (got.handle, got.reason) == (CAT, "spam") and got.blocked_at is not None,
    ),
    Row(
        "GET /v3/blocked_handles",
        lambda stage: _then(stage.linq.blocked_handles.block(CAT), lambda _: stage.linq.blocked_handles.list()),
        lambda got, _: [one.handle for one in got] == [CAT],
    ),
    Row(
        "DELETE /v3/blocked_handles",
        lambda stage: _then(stage.linq.blocked_handles.block(CAT), lambda _: stage.linq.blocked_handles.unblock(CAT)),
        lambda got, stage: got is None and not stage.emulator.linq.world.blocked,
    ),
]

PLACES = [
    Row(
        "POST /v3/chats/{}/location/request",
        lambda stage: _with_chat(stage, stage.linq.locations.request),
        lambda got, _: got.success,
    ),
    Row(
        "GET /v3/chats/{}/location",
        lambda stage: _with_share(stage, stage.linq.locations.get),
        lambda got, _: [(one.handle, one.latitude, one.longitude) for one in got] == [(PERSON, 37.5, -122.25)],
    ),
    Row(
        "DELETE /v3/chats/{}/location",
        lambda stage: _with_share(stage, lambda chat: stage.linq.locations.stop(chat, PERSON)),
        lambda got, _: got.success,
    ),
    Row(
        "POST /v3/chats/{}/background",
        lambda stage: _with_chat(
            stage, lambda chat: stage.linq.backgrounds.set(chat, "color", shades=["#102030", "#405060"])
        ),
        lambda got, _: got is None,
    ),
    Row(
        "DELETE /v3/chats/{}/background",
        lambda stage: _with_chat(stage, stage.linq.backgrounds.remove),
        lambda got, _: got is None,
    ),
]

HOOKS = [
    Row(
        "POST /v3/webhook-subscriptions",
        a_hook,
        lambda got, _: got.signing_secret.get_secret_value().startswith("whsec_") and got.phone_numbers == (LINE,),
    ),
    Row(
        "GET /v3/webhook-subscriptions",
        lambda stage: _then(a_hook(stage), lambda _: stage.linq.subscriptions.list()),
        lambda got, _: [one.target_url for one in got] == [HOOK],
    ),
    Row(
        "GET /v3/webhook-subscriptions/{}",
        lambda stage: _then(a_hook(stage), lambda made: stage.linq.subscriptions.get(made.id)),
        lambda got, _: (got.target_url, got.signing_secret) == (HOOK, None),
    ),
    Row(
        "PUT /v3/webhook-subscriptions/{}",
        lambda stage: _then(a_hook(stage), lambda made: stage.linq.subscriptions.update(made.id, is_active=False)),
        lambda got, _: (got.is_active, got.subscribed_events) == (False, ("message.received",)),
    ),
    Row(
        "DELETE /v3/webhook-subscriptions/{}",
        lambda stage: _then(a_hook(stage), lambda made: stage.linq.subscriptions.delete(made.id)),
        lambda got, _: got is None,
    ),
    Row(
        "GET /v3/webhook-events",
        lambda stage: stage.linq.subscriptions.event_types(),
        lambda got, _: "message.received" in got,
    ),
]

ROWS = [*CHATS, *MESSAGES, *POLLS, *FILES, *LINES, *PLACES, *HOOKS]


async def _then(first: Awaitable[Any], ask: Callable[[Any], Awaitable[Any]]) -> Any:
    return await ask(await first)


async def _with_chat(stage: Stage, ask: Callable[[str], Awaitable[Any]]) -> Any:
    return await ask(await stage.chat())


async def _with_group(stage: Stage, ask: Callable[[str], Awaitable[Any]]) -> Any:
    return await ask(await stage.group())


async def _with_sent(stage: Stage, ask: Callable[[str], Awaitable[Any]]) -> Any:
    return await ask(await stage.sent())


async def _with_file(stage: Stage, ask: Callable[[str], Awaitable[Any]]) -> Any:
    return await ask(stage.emulator.linq.vault.store("a.png", b"abc").id)


async def _with_line(stage: Stage, ask: Callable[[str], Awaitable[Any]]) -> Any:
    return await ask((await stage.linq.phone_numbers.list())[0].id)


async def _with_share(stage: Stage, ask: Callable[[str], Awaitable[Any]]) -> Any:
    chat = await stage.chat()
    stage.emulator.people.shares_location(PERSON, chat, latitude=37.5, longitude=-122.25, for_s=3600)
    return await ask(chat)


def endpoints() -> set[str]:
    """Every endpoint that a module of the client has in its table."""
    names = [f"linqbot.client.{module.name}" for module in pkgutil.iter_modules(linqbot.client.__path__)]
    return {
        f"{value.verb} {value.path}"
        for name in names
        for value in vars(importlib.import_module(name)).values()
        if isinstance(value, Endpoint | Deed)
    }


@pytest.mark.parametrize("row", ROWS, ids=str)
async def test_an_endpoint_is_asked_and_answers(row: Row, stage: Stage) -> None:
    """The last request is the row's, its answer is typed as the row says and as Linq's document describes."""
    got = await row.ask(stage)

    shape = row.endpoint.split("/")
    assert [
        part if known != "{}" else "{}" for part, known in zip(stage.exchanges[-1].split("/"), shape, strict=True)
    ] == shape
    assert row.check(got, stage)
    assert stage.schema_faults() == []


def test_every_endpoint_has_its_row() -> None:
    """No endpoint of the client is left untried."""
    assert {row.endpoint for row in ROWS} == endpoints()


NOUNS = [name for name in vars(Client()) if not name.startswith("_")]


@pytest.mark.parametrize("noun", NOUNS)
def test_every_method_is_told(noun: str) -> None:
    """README names each method of each noun in the noun's row."""
    readme = (Path(__file__).parents[2] / "README.md").read_text()
    [row] = [line for line in readme.splitlines() if line.startswith("| `") and f"`{noun}`" in line.split("|")[1]]

    methods = [name for name in vars(type(getattr(Client(), noun))) if not name.startswith("_")]
    assert [name for name in methods if f"`{name}`" not in row] == []


async def test_iterators_walk_every_page(stage: Stage) -> None:
    """Each thing once, whatever the size of a page."""
    chat = await stage.chat()
    for number in range(4):
        await stage.linq.messages.send(chat, f"number {number}")
    await stage.linq.chats.create(LINE, [ANN, BEN], "Hi")

    messages = await all_of(stage.linq.messages.list(chat, limit=2))
    thread = await all_of(stage.linq.messages.thread(messages[-1].id, limit=1))
    chats = await all_of(stage.linq.chats.list(limit=1))

    assert len({one.id for one in messages}) == len(messages) == 5
    assert [one.id for one in thread] == [messages[-1].id]
    assert len({one.id for one in chats}) == len(chats) == 2
    assert sum(asked.partition(" ")[2] == "/v3/chats" for asked in stage.exchanges) == 3


async def test_a_cursor_that_comes_again_ends_the_walk(far: FarSide) -> None:
    """An endless list is not asked for for ever."""
    from linqbot.client.http import LinqClient

    far.script = written("200 OK", body=b'{"chats": [{"id": "c"}], "next_cursor": "same"}')
    async with LinqClient(f"http://127.0.0.1:{far.port}", "key") as carrier:
        chats = await all_of(Client(carrier).chats.list())

    assert len(chats) == len(far.seen) == 2


async def test_a_refusal_tells_what_it_is(stage: Stage) -> None:
    """Code, meaning, whether it may pass later, and the trace id that Linq's support asks for."""
    with pytest.raises(NotFound) as caught:
        await stage.linq.chats.get("00000000-0000-4000-8000-000000000000")

    error = caught.value
    assert (error.status, error.code, error.retryable) == (404, 2001, False)
    assert error.meaning
    assert error.trace_id


@pytest.mark.parametrize(
    ("status", "code", "retryable"),
    [
        (429, 1007, True),
        (503, 4004, True),
        (503, 4009, False),
        (500, 3006, True),
        (409, 2009, True),
        (403, 2024, False),
    ],
)
async def test_what_may_pass_later_is_marked(stage: Stage, status: int, code: int, retryable: bool) -> None:
    """The *Retry* column of linq-api-v3.md section 2."""
    stage.emulator.fault(str(status), match="listChats", code=code)

    with pytest.raises(Refusal) as caught:
        await stage.linq.chats.page()

    assert caught.value.retryable is retryable


async def test_nothing_is_sent_again_by_itself(stage: Stage) -> None:
    """Trouble at Linq is told at once: one call, one request."""
    chat = await stage.chat()
    stage.emulator.fault("500", count=None)

    with pytest.raises(Refusal):
        await stage.linq.messages.send(chat, "Hi", idempotency_key="k")

    assert stage.exchanges == [f"POST /v3/chats/{chat}/messages"]


async def test_a_key_makes_a_repeat_harmless(stage: Stage) -> None:
    """The same key and text twice is one message."""
    chat = await stage.chat()

    first = await stage.linq.messages.send(chat, "Hi", idempotency_key="k")
    again = await stage.linq.messages.send(chat, "Hi", idempotency_key="k")

    assert first.message.id == again.message.id
    assert len(stage.emulator.messages_to(PERSON)) == 1


async def test_leaving_ends_a_chat(stage: Stage) -> None:
    """After leaving everything in the chat is refused by name (2013)."""
    group = await stage.group()
    await stage.linq.chats.leave(group)

    with pytest.raises(ChatGone):
        await stage.linq.messages.send(group, "Hi")


@pytest.mark.parametrize("chat_id", ["", ".", ".."])
async def test_an_empty_id_does_not_leave(stage: Stage, chat_id: str) -> None:
    """What would ask another endpoint than meant is refused before it leaves."""
    with pytest.raises(NotSent, match="an id in its path is empty"):
        await stage.linq.chats.get(chat_id)

    assert stage.exchanges == []


async def test_an_id_cannot_change_the_path(stage: Stage) -> None:
    """An id with slashes and question marks stays one id."""
    with pytest.raises(Refusal):
        await stage.linq.chats.get("../messages?limit=1")

    assert stage.exchanges == ["GET /v3/chats/..%2Fmessages%3Flimit%3D1"]


async def test_an_unreadable_success_shows_no_content(far: FarSide) -> None:
    """The error names fields, never what they hold, and never the query."""
    from linqbot.client.http import LinqClient

    far.script = written("200 OK", body=b'{"id": {"secret": "+12025559876"}}')
    async with LinqClient(f"http://127.0.0.1:{far.port}", "key") as carrier:
        with pytest.raises(LinqError, match=r"cannot be read: \['id'\]") as caught:
            await Client(carrier).chats.get("c")

    assert "2025559876" not in str(caught.value)


async def test_a_long_list_is_read_whole(far: FarSide) -> None:
    """Far more than what a sender needs of an answer: 100 long messages are 1 MB."""
    from linqbot.client.http import LinqClient

    message = {"id": "m", "parts": [{"type": "text", "value": "x" * 10_000}]}
    far.script = written("200 OK", body=json.dumps({"messages": [message] * 100}).encode())
    async with LinqClient(f"http://127.0.0.1:{far.port}", "key") as carrier:
        page = await Client(carrier).messages.page("c")

    assert len(page.messages) == 100


async def test_a_client_that_is_not_open_says_how() -> None:
    """Nothing is asked before it is opened."""
    with pytest.raises(ConfigurationError, match="async with"):
        await Client().chats.get("c")


async def test_a_client_shows_no_secret(stage: Stage) -> None:
    """Its repr holds neither key nor address."""
    assert repr(stage.linq) == "Client(open)"
    assert isinstance(stage.emulator, Emulator)
