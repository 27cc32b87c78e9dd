"""What values show of themselves: ids and words of Linq's own, never what people said, who they are, or secrets.

Held by reprs that list what they show, instead of leaving out what they hide.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from pydantic import BaseModel

from linqbot import Link, Media, Reply, Text
from linqbot.client.errors import error_of
from linqbot.client.http import LinqClient
from linqbot.events import parse_event
from linqbot.protocol.answer import Answer
from linqbot.protocol.outcome import classify
from linqbot.protocol.signature import parse_secrets
from linqbot.records import (
    Arrival,
    Commit,
    DeadLetter,
    InboxItem,
    Lease,
    Leases,
    OutboxItem,
    Request,
    Side,
    StateCell,
    StateWrite,
    TimerWrite,
)
from linqbot.settings import load_settings
from tests.hostile.letters import OTHER_SECRET, RECORDED, copied, encoded, message
from tests.hostile.served import Served
from tests.hostile.test_canary import INBOUND, MAIL, SENDER, TOKEN, found

PLANTED: dict[str, Any] = {
    "handle": SENDER,
    "phone_number": SENDER,
    "value": INBOUND,
    "text": INBOUND,
    "reason": INBOUND,
    "display_name": INBOUND,
    "old_value": INBOUND,
    "new_value": INBOUND,
    "first_name": INBOUND,
    "last_name": INBOUND,
    "summary": INBOUND,
    "email": MAIL,
    "description": INBOUND,
    "from": SENDER,
    "recipient_phone": SENDER,
    "shared_by": SENDER,
    "shared_with": SENDER,
    "owner_handle": SENDER,
    "url": f"https://cdn.example/{INBOUND}",
    "filename": INBOUND,
    "unknown_field": INBOUND,
}


def planted(value: Any) -> Any:
    """The same JSON with canaries wherever people's words and numbers stand, and in a field that nobody knows."""
    if isinstance(value, dict):
        filled = {
            name: PLANTED[name] if isinstance(one, str) and name in PLANTED else planted(one)
            for name, one in value.items()
        }
        return {**filled, "unknown_field": INBOUND}
    return [planted(one) for one in value] if isinstance(value, list) else value


@pytest.mark.parametrize("name", RECORDED)
def test_a14_no_event_shows_what_it_says(name: str) -> None:
    """The repr of an event, and of all it is made of, shows the fields that its class lists, which are ids and words of
    Linq's own; also for fields of tomorrow.
    """
    event = parse_event(planted(copied(name)))

    shown = "\n".join(repr(value) + str(value) for value in inside(event))

    assert INBOUND in str(event.raw)
    assert found(shown) == set()


def inside(value: Any) -> Iterator[Any]:
    """A value of linqbot's and all such values in it."""
    if isinstance(value, BaseModel):
        yield value
        for name in type(value).model_fields:
            if name != "raw":
                yield from inside(getattr(value, name))
    elif isinstance(value, tuple):
        for one in value:
            yield from inside(one)


def test_a14_nothing_that_is_stored_or_sent_shows_what_it_holds() -> None:
    """Fields of records, replies, settings and errors that may hold words, numbers or secrets are left out of reprs."""
    body = encoded(message(INBOUND))
    item = InboxItem(event_id="e", lane="chat:c", type="message.received", body=body)
    ask = Request(method="POST", path="/v3/chats/c/messages", body=body)
    out = OutboxItem(key="k", lane="chat:c", event_id="e", handler="h", position=0, request=ask, plain=ask)
    letter = DeadLetter(id="e", kind="event", reason="r", item=item.to_bytes())
    refused = encoded({"error": {"code": 1002, "message": f"{SENDER} said {INBOUND}"}})
    lease = Lease(
        side=Side.IN, lane="chat:c", token="t", now_ms=0, until_ms=1, events=(item,), reply=out, notes={"n": body}
    )
    shown = [
        item,
        ask,
        out,
        letter,
        lease,
        Leases(taken=(lease,)),
        Arrival(item=item),
        Commit(
            lane="l", token="t", event_id="e", replies=(out,), dead=(letter,), timers=(TimerWrite(key="t", item=item),)
        ),
        StateWrite(key="s", expected=0, value=body),
        StateCell(version=1, value=body),
        Reply(INBOUND),
        Text(INBOUND),
        Media(url=f"https://cdn.example/{INBOUND}"),
        Link(f"https://example.com/{INBOUND}"),
        Answer(status=400, headers={"x": TOKEN}, body=refused),
        classify(Answer(status=400, body=refused), lease=replace(lease, side=Side.OUT), now_ms=0, jitter=0.5),
        error_of(400, {}, refused),
        parse_secrets(OTHER_SECRET),
        load_settings(
            env_file=None, api_key=TOKEN, webhook_secret=OTHER_SECRET, from_number=SENDER, store=f"redis://:{TOKEN}@h"
        ),
        LinqClient("https://linq.example", TOKEN),
    ]

    assert [type(value).__name__ for value in shown if found(repr(value) + str(value))] == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"LINQ_API_V3_API_KEY": f"{TOKEN} with a blank"},
        {"LINQ_WEBHOOK_SECRET": f"whsec_{TOKEN}!"},
        {"LINQBOT_STORE": f"redis://user:{TOKEN}@127.0.0.1:1/0"},
        {"LINQBOT_STORE": f"rediss://user:{TOKEN}@127.0.0.1:1/0"},
        {"LINQBOT_STORE": f"redis://user:{TOKEN}@127.0.0.1:port/0"},
        {"LINQ_API_V3_BASE_URL": f"ftp://{TOKEN}@linq.example"},
        {"LINQ_FROM_NUMBER": SENDER, "LINQBOT_LEASE": TOKEN},
        {"LINQBOT_WEBHOOK_PATH": TOKEN},
    ],
    ids=str,
)
def test_a14_a_bot_that_cannot_start_does_not_say_why_with_secrets(wrong: dict[str, str]) -> None:
    """Errors of settings name the variable and the rule, never the value."""
    with pytest.raises(AssertionError) as said, Served("tests/hostile/bots.py:listener", port=0, **wrong):
        pass

    assert "never said" in str(said.value)
    assert found(str(said.value)) == set()
