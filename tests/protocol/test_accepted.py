"""For any answer: what leaves is accepted, and what would not be is refused by name before it leaves.

The witness is the emulator, which shares no code with what is tested. The nightly profile tries 100,000 answers.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from linqbot.emulator.app import Emulator
from linqbot.protocol.naming import obstacle_to, request_of
from linqbot.protocol.outbound import Answering, freeze
from linqbot.protocol.threading import Circumstances
from linqbot.records import Fact, Lease, OutboxItem, Side
from linqbot.replies import (
    Action,
    AppCard,
    AppClip,
    ClearBackground,
    Edit,
    InlineSticker,
    Link,
    Markdown,
    MarkRead,
    Media,
    Mention,
    Poll,
    React,
    Reply,
    SetBackground,
    Sticker,
    Target,
    Typing,
    Unreact,
    VoiceMemo,
    animated,
    bold,
    italic,
)
from linqbot.replies.effect import EFFECTS
from linqbot.replies.reaction import TAPBACKS
from linqbot.testing.clock import TurnedClock

ALICE, BOB = "+12025559876", "+12025559877"


class Wire:
    """An emulated Linq, spoken to as the dispatcher does."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.clock = TurnedClock()
        self.emulator = Emulator(clock=self.clock, transport=httpx.MockTransport(lambda _: httpx.Response(200)))
        self.linq = httpx.AsyncClient(
            transport=httpx.ASGITransport(app=self.emulator.app),
            base_url="http://linq.test/api/partner",
            headers={"Authorization": "Bearer token"},
        )
        self.loop.run_until_complete(self.emulator.__aenter__())
        self.picture = self.emulator.linq.vault.store("a.png", b"png").id

    def close(self) -> None:
        """End it."""
        self.loop.run_until_complete(self.linq.aclose())
        self.loop.run_until_complete(self.emulator.__aexit__(None, None, None))
        self.loop.close()

    def hears(self, service: str, *, group: bool) -> Answering:
        """Somebody writes; the turn that answers it. Two minutes pass, so that no budget is met."""
        self.clock.advance(seconds=120)
        others = [BOB] if group else []
        arrived = self.loop.run_until_complete(self.emulator.inbound(ALICE, text="hi", service=service, group=others))
        target = Target(arrived.message_id)
        return Answering(
            namespace="n",
            event_id=arrived.event_id,
            handler="h",
            chat_id=arrived.chat_id,
            around=Circumstances(message=target, service=service, is_group=group, is_direct=not group),
            about=target,
            now_ms=0,
        )

    def send(self, item: OutboxItem, facts: dict[str, Fact]) -> dict[str, Any]:
        """Send an item; what it answers is kept under the item's names. Asserts that it is accepted."""
        lease = Lease(side=Side.OUT, lane=item.lane, token="t", now_ms=0, until_ms=0, reply=item, facts=facts)
        if obstacle_to(lease) is not None:
            return {}
        request = request_of(lease)
        response = self.loop.run_until_complete(
            self.linq.request(request.method, f"{request.path}", content=request.body)
        )
        assert response.status_code < 300, (request.method, request.path, request.body, response.text)
        return json.loads(response.content) if response.content else {}


@pytest.fixture(scope="module")
def wire() -> Iterator[Wire]:
    """One for all examples."""
    wire = Wire()
    yield wire
    wire.close()


def either(one: st.SearchStrategy[Any], other: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """One of two, each as often, however many kinds are in them."""
    return st.booleans().flatmap(lambda first: one if first else other)


WORDS = st.text(st.characters(codec="utf-8") | st.sampled_from("👍🏽é\u200d\n .*_[]()`\ud83d"), min_size=1, max_size=40)
TEXTS = st.one_of(
    WORDS,
    WORDS.map(Markdown),
    st.builds(lambda a, b, c: a + bold(b, italic(c)), WORDS, WORDS, WORDS),
    st.builds(lambda a, b: a + animated(b, "shake"), WORDS, WORDS),
    st.just("long words " * 1_500),
    st.just(Mention(BOB, "Bob")),
)
CARD = AppCard(name="A", team_id="A1B2C3D4E5", bundle_id="com.example.a", caption="Hi")
OTHERS = st.sampled_from(
    [
        Media(url="https://example.com/a.png"),
        Media(url="https://example.com/a.png", sticker=True),
        Link("https://example.com"),
        CARD,
        AppClip("https://example.com/clip"),
        "STORED",
        "STICKER",
    ]
)
REPLIES = st.fixed_dictionaries(
    {
        "parts": st.lists(either(TEXTS, OTHERS), min_size=1, max_size=8),
        "effect": st.none() | st.sampled_from(sorted(EFFECTS)),
        "thread": st.sampled_from(["first", "every", "never", "auto"]),
        "preferred_service": either(st.none(), st.sampled_from(["iMessage", "SMS", "RCS"])),
    }
)
ACTIONS = st.one_of(
    st.sampled_from([*TAPBACKS, "👍", "❤️"]).map(React),
    st.sampled_from(TAPBACKS).map(Unreact),
    st.sampled_from(
        [
            Typing(),
            Typing(on=False),
            MarkRead(),
            SetBackground("mango"),
            SetBackground(sky="dusk"),
            SetBackground(shades=("#F2C4E1", "#F5A623")),
            ClearBackground(),
            VoiceMemo(url="https://example.com/a.m4a"),
            React(Sticker("🎉", x=0.5, scale=2.5)),
        ]
    ),
    st.lists(WORDS, min_size=2, max_size=5).map(lambda options: Poll(*options)),
    WORDS.map(Edit),
)


def made(one: Any, wire: Wire) -> Reply | Action:
    """A drawn answer, with the files that this Linq has."""
    if isinstance(one, Action):
        return one
    files = {"STORED": Media(attachment_id=wire.picture), "STICKER": InlineSticker("🎂", attachment_id=wire.picture)}
    parts = [files.get(part, part) if isinstance(part, str) else part for part in one["parts"]]
    return Reply(*parts, **{name: value for name, value in one.items() if name != "parts"})


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(
    drawn=st.lists(either(REPLIES, ACTIONS), min_size=1, max_size=4),
    service=either(st.just("iMessage"), st.sampled_from(["RCS", "SMS"])),
    group=st.booleans(),
)
def test_what_leaves_is_accepted_and_the_rest_is_refused_by_name(
    wire: Wire, drawn: list[Any], service: str, group: bool
) -> None:
    """Every request passes Linq's own rules; every answer that made none has a letter, or would have had no effect."""
    answering = wire.hears(service, group=group)
    answers = [made(one, wire) for one in drawn]

    result = freeze(answers, answering)

    facts: dict[str, Fact] = {}
    for item in result.items:
        answer = wire.send(item, facts)
        message = answer.get("message")
        made_id = message.get("id") if isinstance(message, dict) else answer.get("message_id")
        facts |= {name: Fact(key=name, value=str(made_id).encode()) for name in item.names if made_id}
    assert all(letter.reason.startswith("reply ") for letter in result.dead)
    positions = {item.position for item in result.items}
    silent = [answers[index] for index in range(len(answers)) if index not in positions]
    idle = [one for one in silent if isinstance(one, Typing | MarkRead | SetBackground | ClearBackground)]
    assert len(silent) == len(result.dead) + len([one for one in idle if service != "iMessage"])
