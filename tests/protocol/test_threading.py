"""Which bubbles are threaded, and on what: one row per situation, each with its source."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import pytest

from linqbot.protocol.outbound import Answering, freeze
from linqbot.protocol.threading import Circumstances
from linqbot.replies import Reply, Target
from tests.protocol.wire import message_of

INBOUND = Target("89e3566e-1d13-49e5-a8ee-48490d5bfeb7", 0)
OTHER = "347d62c2-2170-4754-8d30-c76d0c727d96"
DIRECT = Circumstances(message=INBOUND, service="iMessage")
TEXTS = (Reply("a"), Reply("b"))


@dataclass(frozen=True, kw_only=True)
class Situation:
    """A turn of some replies, and on which message each bubble is threaded."""

    replies: tuple[Reply, ...] = TEXTS
    thread: Any = "first"
    around: Circumstances = DIRECT
    targets: tuple[str | None, ...]
    source: str


SITUATIONS = {
    "first: the first bubble of the turn": Situation(targets=(INBOUND.message_id, None), source="design 5 Threading"),
    "every: all of them": Situation(
        thread="every", targets=(INBOUND.message_id, INBOUND.message_id), source="design 5 Threading"
    ),
    "never: none": Situation(thread="never", targets=(None, None), source="design 5 Threading"),
    "auto in a direct chat: none": Situation(thread="auto", targets=(None, None), source="design 5 Threading"),
    "auto in a group: the first": Situation(
        thread="auto",
        around=replace(DIRECT, is_group=True),
        targets=(INBOUND.message_id, None),
        source="design 5 Threading",
    ),
    "auto when the person threaded: the first": Situation(
        thread="auto",
        around=replace(DIRECT, person_threaded=True),
        targets=(INBOUND.message_id, None),
        source="design 5 Threading",
    ),
    "auto when others spoke since: the first": Situation(
        thread="auto",
        around=replace(DIRECT, others_spoke=True),
        targets=(INBOUND.message_id, None),
        source="design 5 Threading",
    ),
    "SMS has no threads": Situation(
        around=replace(DIRECT, service="SMS"), targets=(None, None), source="linq-api-v3.md 9.3"
    ),
    "RCS has no threads, not even asked for": Situation(
        replies=(Reply("a", reply_to=OTHER), Reply("b", thread="every")),
        around=replace(DIRECT, service="RCS"),
        targets=(None, None),
        source="linq-api-v3.md 9.3",
    ),
    "a reply that is sent as SMS has no thread": Situation(
        replies=(Reply("a", preferred_service="SMS"), Reply("b")),
        thread="every",
        targets=(None, INBOUND.message_id),
        source="linq-api-v3.md 6.2",
    ),
    "iMessage is asked for, so it is threaded": Situation(
        replies=(Reply("a", preferred_service="iMessage"), Reply("b")),
        around=replace(DIRECT, service="SMS"),
        thread="every",
        targets=(INBOUND.message_id, None),
        source="linq-api-v3.md 6.2",
    ),
    "a service not known yet is threaded": Situation(
        around=replace(DIRECT, service=None),
        targets=(INBOUND.message_id, None),
        source="linq-api-v3.md 5: service may be null",
    ),
    "an explicit reply_to wins over every policy": Situation(
        replies=(Reply("a"), Reply("b", reply_to=OTHER)),
        thread="never",
        targets=(None, OTHER),
        source="design 5 Threading",
    ),
    "the reply's own policy wins over the turn's": Situation(
        replies=(Reply("a", thread="never"), Reply("b", thread="every")),
        targets=(None, INBOUND.message_id),
        source="design 5 Threading: per bot, router, handler or reply",
    ),
    "a reply's first is the turn's first": Situation(
        replies=(Reply("a"), Reply("b", thread="first")),
        thread="never",
        targets=(None, None),
        source="design 5 Threading: the first bubble of a turn",
    ),
    "pieces of one reply: the first of them": Situation(
        replies=(Reply("a", "b"),),
        targets=(INBOUND.message_id, None),
        source="design 9 Failing: texts become bubbles of their own",
    ),
    "pieces of one reply under every: all": Situation(
        replies=(Reply("a", "b", reply_to=OTHER),), thread="every", targets=(OTHER, OTHER), source="design 5 Threading"
    ),
    "an illegal first reply leaves the thread to the next": Situation(
        replies=(Reply("a", reply_to="no-uuid"), Reply("b"), Reply("c")),
        targets=(INBOUND.message_id, None),
        source="design 9 Failing",
    ),
    "an event that is no message has nothing to thread on": Situation(
        thread="every", around=Circumstances(), targets=(None, None), source="design 5 Threading: the inbound message"
    ),
}


@pytest.mark.parametrize("situation", SITUATIONS.values(), ids=SITUATIONS.keys())
def test_bubbles_are_threaded_as_the_situation_asks(situation: Situation) -> None:
    """The four policies, the services, explicit targets and pieces: each as design and wire want it."""
    answering = Answering(
        namespace="bot",
        event_id="e1",
        handler="h",
        chat_id="c1",
        thread=situation.thread,
        around=situation.around,
        now_ms=1,
    )

    items = freeze(situation.replies, answering).items

    assert tuple(message_of(item).get("reply_to", {}).get("message_id") for item in items) == situation.targets
