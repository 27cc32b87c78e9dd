"""Row D9, and all of Linq's events: whatever is wrong in a signed body, it ends somewhere, and nothing breaks.

Held by models in which every field may be missing or wrong, and by dead letters for what has no id.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from linqbot import Bot, Event, Message
from linqbot.errors import PayloadError
from linqbot.events import REGISTRY, parse_event
from linqbot.protocol.inbound import event_of, read
from tests.hostile.door import Door, open_door
from tests.hostile.mutants import anything, foreign, mutants, written

bodies = mutants() | foreign

ENDED_AT_ONCE = {"duplicate", "not wanted", "unreadable, kept"}


def touched(value: Any) -> str:
    """Everything that a handler may ask of an event, asked."""
    ours = [kind for kind in type(value).__mro__ if kind.__module__.startswith("linqbot.")]
    names = {name for kind in ours for name, one in vars(kind).items() if isinstance(one, property | cached_property)}
    return repr([value, *(getattr(value, name) for name in sorted({*names, *type(value).model_fields}))])


def curious(handled: list[str]) -> Bot:
    """A bot with a handler for every event type, which looks at all of it and answers where one can."""
    bot = Bot(thread="every", attempts=1)

    @bot.message()
    async def heard(message: Message) -> list[str]:
        handled.append(message.event_id)
        touched(message)
        return [message.text, "ok"]

    for event_type, known in sorted(REGISTRY.items()):
        register(bot, event_type, handled, answers=known.has_chat)
    return bot


def register(bot: Bot, event_type: str, handled: list[str], *, answers: bool) -> None:
    """Take the events of a type, ours included; a message comes here that is ours, or history."""

    async def seen(event: Event) -> None:
        handled.append(event.event_id)
        touched(event)

    async def answered(event: Event) -> str | None:
        handled.append(event.event_id)
        touched(event)
        return "ok" if event.chat_id else None

    bot.event(event_type, own=True, name=event_type)(answered if answers else seen)


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(batch=st.lists(bodies, min_size=1, max_size=15))
@pytest.mark.timeout(300)
async def test_d9_a_signed_body_ends_handled_ignored_or_dead(batch: list[dict[str, Any]]) -> None:
    """Every field has a type and a default for all else, what lacks its ids is a `PayloadError`, and both end in 200; an
    event that was kept can be read again where it is handled.
    """
    handled: list[str] = []
    with capture_logs() as lines:
        async with open_door(curious(handled)) as door:
            kept = [await kept_id(door, body) for body in batch]
            await door.sim.settled()
            dead = {letter.event_id for letter in await door.sim.bot.store.dead(500)}

    assert [line for line in lines if line["event"].startswith(("station broke", "handler failed"))] == []
    assert {event_id for event_id in kept if event_id} <= {*handled, *dead}


async def kept_id(door: Door, body: dict[str, Any]) -> str | None:
    """Deliver a body; the id under which it is in the inbox, or None when it ended at once."""
    content = written(body)
    answer = await door.deliver(content, webhook_id="webhook")
    assert answer.status_code == 200
    if answer.text in ENDED_AT_ONCE:
        return None
    assert answer.text == "accepted"
    arrival = read(content, webhook_id="webhook", wanted=lambda _: True).arrival
    return arrival.item.event_id if arrival and arrival.item else None


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(body=bodies | anything)
def test_d9_reading_raises_one_error_only(body: Any) -> None:
    """`read` and `parse_event` say yes or `PayloadError`; whatever a model is given, all that it offers can be asked."""
    content = written(body)
    try:
        inbound = read(content, webhook_id="w", wanted=lambda _: True)
    except PayloadError:
        return

    assert inbound.arrival is not None
    if inbound.arrival.item is not None:
        touched(event_of(inbound.arrival.item))


@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
@given(body=bodies)
def test_d9_what_is_parsed_directly_raises_one_error_only(body: dict[str, Any]) -> None:
    """The same for a body that was parsed by somebody else, surrogates and infinities included."""
    try:
        event = parse_event(body, event_id="w")
    except PayloadError:
        return

    touched(event)
