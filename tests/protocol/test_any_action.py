"""Any action, put together at random: refused by name, left out, or Linq does what is asked for."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from contextlib import closing
from typing import Any, get_args

from hypothesis import event, given
from hypothesis import strategies as st

from linqbot.emulator.app import Emulator
from linqbot.emulator.entities import Message
from linqbot.emulator.exchange import Inbound
from linqbot.emulator.operation import Call
from linqbot.emulator.routes import OPERATIONS
from linqbot.emulator.rules import Content
from linqbot.errors import ReplyError
from linqbot.protocol.answering import Answering
from linqbot.protocol.naming import PLACE
from linqbot.protocol.outbound import freeze
from linqbot.protocol.threading import Circumstances
from linqbot.records import Request
from linqbot.replies import (
    Action,
    AddOptions,
    AddParticipant,
    ClearBackground,
    Edit,
    LeaveChat,
    MarkRead,
    Media,
    Poll,
    React,
    RemoveParticipant,
    RenameGroup,
    RequestLocation,
    SetBackground,
    SetGroupIcon,
    ShareContact,
    Sticker,
    Target,
    Typing,
    Unreact,
    Unvote,
    VoiceMemo,
    Vote,
)
from linqbot.replies.background import VARIANTS
from linqbot.replies.reaction import Tapback
from linqbot.testing.clock import TurnedClock
from tests.protocol.test_any_reply import attempt

LINE, ANN = "+12025550100", "ann@example.com"
OTHERS = ("+12025559877", "+12025559878", "+12025559879")
LINQ = Emulator(clock=TurnedClock(), seed=0, pair_limit=None).linq
DOORS = [(method, re.compile(re.sub(r"{(\w+)}", r"(?P<\1>[^/]+)", path)), act) for method, path, _, act in OPERATIONS]
SAID = [{"type": "text", "value": "Hello."}]


class Town:
    """A Linq with one chat, in which somebody wrote, and the line said something and made a poll."""

    def __init__(self, service: str, *, is_group: bool) -> None:
        group = OTHERS if is_group else ()
        inbound = Inbound(sender=ANN, line=LINE, parts=SAID, group=group, service=service)
        found = LINQ.exchange.receive(inbound, trace_id="t")
        assert found is not None
        self.heard: Message = found[1]
        self.chat = self.heard.chat
        self.said = LINQ.exchange.accept(self.chat, Content(parts=SAID), trace_id="t")
        poll = LINQ.exchange.poll_of(self.chat.me, ["yes", "no"])
        self.poll = LINQ.exchange.accept(self.chat, Content(parts=[]), trace_id="t", poll=poll)
        self.option = poll.options[0].id
        self.image = LINQ.vault.store("a.png", b"png").id
        self.memo = LINQ.vault.store("a.mp3", b"mp3").id
        card = {"phone_number": LINE, "first_name": "Bot"}
        self.ask(Request(method="POST", path="/v3/contact_card", body=json.dumps(card).encode()))

    def answering(self, service: str, *, is_group: bool) -> Answering:
        """The turn that answers what somebody wrote, where all is known of the chat."""
        heard = Target(self.heard.id)
        return Answering(
            namespace="bot",
            event_id="e1",
            handler="any",
            chat_id=self.chat.id,
            around=Circumstances(message=heard, service=service, is_group=is_group, is_direct=not is_group),
            about=heard,
            now_ms=1_000,
        )

    def close(self) -> None:
        """Forget all of it."""
        LINQ.reset()

    def ask(self, request: Request) -> None:
        """Let the emulator do what a request asks for. Raises `Problem` when it refuses."""
        for method, path, act in DOORS:
            found = path.fullmatch(request.path)
            if method == request.method and found is not None:
                body = None if request.body is None else json.loads(request.body)
                act(LINQ, Call(params=found.groupdict(), query={}, trace_id="t", body=body))
                return
        raise AssertionError(f"there is no {request.method} {request.path}")


WORDS = st.text(st.sampled_from("ab \n.👍🏽é\u0301\ud83d\x00"), max_size=12) | st.just("word " * 2_001)
REACTIONS = st.sampled_from([*get_args(Tapback), "👍", "❤️", "👩🏽‍❤️‍💋‍👨🏿", "1️⃣", "lov", "é", "", "\ud83d"])
NUMBERS = st.none() | st.floats(-3, 3)
PLACES = st.fixed_dictionaries({}, optional=dict.fromkeys(("x", "y", "scale", "rotation"), NUMBERS))
HANDLES = st.sampled_from(["+12025550123", "bob@example.com", "2025550123", "bob", "bob\ud83d@example.com"])
ADDRESSES = st.sampled_from(
    ["https://example.com/a.png", "http://example.com/a.png", "https://", "a.png", "https://a:b/"]
)
OPTIONS = st.lists(st.text(st.sampled_from("ab 👍\ud83d"), max_size=5), max_size=4)
GROUNDS = st.one_of(
    st.sampled_from([(name, word) for name, words in VARIANTS.items() for word in (*words, "glitter")]),
    st.sampled_from([("shades", ("#F2C4E1", "#F5A623")), ("shades", ("red", "#F5A623"))]),
    st.tuples(st.just("photo"), ADDRESSES),
)

Making = Callable[[Town], Action]
"""An action that may be about something of the town; raises `ReplyError` when it is refused by name."""

ACTIONS: st.SearchStrategy[Making] = st.one_of(
    REACTIONS.map(lambda one: lambda _: React(one)),
    REACTIONS.map(lambda one: lambda town: React(one, to=town.said.id)),
    st.tuples(REACTIONS, PLACES).map(lambda one: lambda _: React(Sticker(one[0], **one[1]))),
    PLACES.map(lambda place: lambda town: React(Sticker(Media(attachment_id=town.image), **place))),
    REACTIONS.map(lambda one: lambda _: Unreact(one)),
    WORDS.map(lambda words: lambda town: Edit(words, to=town.said.id)),
    WORDS.map(lambda words: lambda _: Edit(words)),
    OPTIONS.map(lambda options: lambda _: Poll(*options)),
    OPTIONS.map(lambda options: lambda town: AddOptions(*options, to=town.poll.id)),
    st.sampled_from([Vote, Unvote]).map(lambda kind: lambda town: kind(town.option, to=town.poll.id)),
    WORDS.map(lambda words: lambda _: RenameGroup(words)),
    ADDRESSES.map(lambda address: lambda _: SetGroupIcon(address)),
    HANDLES.map(lambda handle: lambda _: AddParticipant(handle)),
    st.sampled_from([*OTHERS, "bob"]).map(lambda handle: lambda _: RemoveParticipant(handle)),
    GROUNDS.map(lambda ground: lambda _: SetBackground(**{ground[0]: ground[1]})),
    st.just(lambda town: VoiceMemo(attachment_id=town.memo)),
    st.sampled_from(["https://example.com/a.mp3", "https://example.com/a.png", "http://example.com/a.mp3"]).map(
        lambda url: lambda _: VoiceMemo(url=url)
    ),
    st.sampled_from([ClearBackground, LeaveChat, MarkRead, RequestLocation, ShareContact, Typing]).map(
        lambda kind: lambda _: kind()
    ),
    st.just(lambda _: Typing(on=False)),
)


@given(ACTIONS, st.sampled_from(["iMessage", "RCS", "SMS"]), st.booleans())
def test_an_action_is_refused_by_name_or_linq_does_it(making: Making, service: str, is_group: bool) -> None:
    """No action that can be made becomes a request that the emulator, a witness of its own, refuses."""
    with closing(Town(service, is_group=is_group)) as town:
        action: Any = attempt(making, town)
        if isinstance(action, ReplyError):
            assert str(action)
            event("refused when it is made")
            return
        frozen = freeze([action], town.answering(service, is_group=is_group))

        assert all(letter.reason for letter in frozen.dead)
        event("refused when it is to be done" if frozen.dead else "done" if frozen.items else "left out")
        for item in frozen.items:
            path = item.request.path.replace(PLACE, town.said.id)
            town.ask(Request(method=item.request.method, path=path, body=item.request.body))
