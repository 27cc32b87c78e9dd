"""Over what a message goes, and messages out of the ordinary. linq-api-v3.md sections 6.2, 9.3, 9.4 and 9.5."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from linqbot.emulator.app import Emulator
from tests.emulator.conftest import LINE, PERSON
from tests.emulator.listener import URL, Listener
from tests.emulator.refused import outcome
from tests.emulator.wording import says

VERSIONS = ("2026-02-03", "2025-01-01")
ALL = ("iMessage", "RCS", "SMS")

ROUTES: list[tuple[tuple[str, ...], str | None, str | None, str]] = [
    (ALL, None, "iMessage", "6.2"),
    (("RCS", "SMS"), None, "RCS", "6.2"),
    (("SMS",), None, "SMS", "6.2"),
    ((), None, None, "6.2"),
    (ALL, "iMessage", "iMessage", "6.2: no fallback"),
    (("RCS", "SMS"), "iMessage", None, "6.2: no fallback"),
    (ALL, "SMS", "RCS", "6.2: RCS and SMS behave the same"),
    (ALL, "RCS", "RCS", "6.2"),
    (("iMessage", "SMS"), "RCS", "SMS", "6.2"),
    (("iMessage",), "SMS", None, "6.2: never iMessage"),
]


@pytest.mark.parametrize("opens", [True, False], ids=["first message", "later message"])
@pytest.mark.parametrize(("able", "preferred", "expected"), [row[:3] for row in ROUTES])
async def test_a_message_takes_what_the_phone_can_do(
    api: httpx.AsyncClient,
    emulator: Emulator,
    listener: Listener,
    able: tuple[str, ...],
    preferred: str | None,
    expected: str | None,
    opens: bool,
) -> None:
    """The best allowed service, told by the webhook; without one it is accepted and fails with 4005."""
    emulator.subscribe(URL, ["message.sent", "message.failed"])
    if not opens:
        await emulator.inbound(PERSON, text="Hello!", to=LINE)
    emulator.people.can(PERSON, able)

    answer = await api.post("/v3/chats", json={"from": LINE, "to": [PERSON], **says(preferred_service=preferred)})
    await emulator.quiet()

    assert answer.status_code == 201
    (told,) = (one.event["data"] for one in listener.got)
    assert (told.get("code") or told["service"]) == (expected or 4005)
    assert len(emulator.messages()) == (expected is not None)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(
    ("service", "ends"), [("iMessage", "message.read"), ("RCS", "message.read"), ("SMS", "message.sent")]
)
async def test_sms_ends_with_sent(
    api: httpx.AsyncClient, emulator: Emulator, listener: Listener, version: str, service: str, ends: str
) -> None:
    """Section 9.3: delivered and read exist on iMessage and RCS only."""
    emulator.subscribe(f"{URL}?version={version}")
    emulator.people.can(PERSON, [service])

    await api.post("/v3/chats", json={"from": LINE, "to": [PERSON], **says()})
    await emulator.quiet()

    assert listener.types()[-1] == ends


@pytest.mark.parametrize("version", VERSIONS)
async def test_delivered_may_come_after_failed(
    api: httpx.AsyncClient, emulator: Emulator, listener: Listener, chat_id: str, version: str
) -> None:
    """Section 9.4: with 4001 "Message delivery failed" the same id may still be delivered."""
    emulator.subscribe(f"{URL}?version={version}")
    emulator.fault("failed", reason="Message delivery failed", delivered_late=True)

    sent = (await api.post(f"/v3/chats/{chat_id}/messages", json=says())).json()["message"]["id"]
    await emulator.quiet()

    assert [one for one in listener.types() if one != "message.received"] == [
        "message.failed",
        "message.delivered",
        "message.read",
    ]
    failed = listener.only("message.failed").event["data"]
    assert (failed["code"], failed["reason"], failed["message_id"]) == (4001, "Message delivery failed", sent)
    assert [one.message_id for one in emulator.messages()] == [sent]


@pytest.mark.parametrize("version", VERSIONS)
async def test_a_message_is_recovered_late(
    api: httpx.AsyncClient, emulator: Emulator, listener: Listener, version: str
) -> None:
    """Section 9.5: reconciled_at beside an old sent_at, in the webhook and in reads; absent normally."""
    emulator.subscribe(f"{URL}?version={version}")

    late = await emulator.inbound(PERSON, text="Hello!", to=LINE, late_by_s=3600)
    usual = await emulator.inbound(PERSON, text="Hello?", to=LINE)
    await emulator.quiet()

    told = [_message_of(one.event["data"]) for one in listener.got if one.type == "message.received"]
    assert told[0]["reconciled_at"] > told[0]["sent_at"]
    assert "reconciled_at" not in told[1]
    assert (await api.get(f"/v3/messages/{late.message_id}")).json()["reconciled_at"] == told[0]["reconciled_at"]
    assert "reconciled_at" not in (await api.get(f"/v3/messages/{usual.message_id}")).json()


@pytest.mark.parametrize("version", VERSIONS)
async def test_a_zero_retention_line_keeps_nothing(
    api: httpx.AsyncClient, emulator: Emulator, listener: Listener, chat_id: str, version: str
) -> None:
    """Section 9.5: parts are empty in webhooks and answers, marked in the newer version; phones get the message."""
    emulator.people.line(LINE, zero_retention=True)
    emulator.subscribe(f"{URL}?version={version}", ["message.received", "message.sent"])

    theirs = await emulator.inbound(PERSON, text="Secret", to=LINE)
    sent = (await api.post(f"/v3/chats/{chat_id}/messages", json=says())).json()["message"]
    await emulator.quiet()

    assert len(listener.got) == 2
    for one in listener.got:
        assert _message_of(one.event["data"])["parts"] == []
        assert one.event["data"].get("zero_retention") == (True if version == "2026-02-03" else None)
    assert sent["parts"] == []
    assert (await api.get(f"/v3/messages/{theirs.message_id}")).json()["parts"] == []
    assert emulator.messages()[0].parts == ({"type": "text", "value": "Hi"},)


async def test_edits_on_a_zero_retention_line_are_empty_when_ours(
    api: httpx.AsyncClient, emulator: Emulator, listener: Listener, chat_id: str
) -> None:
    """Section 9.5: our edit is told with an empty text, theirs with its text."""
    emulator.people.line(LINE, zero_retention=True)
    sent = (await api.post(f"/v3/chats/{chat_id}/messages", json=says())).json()["message"]["id"]
    theirs = await emulator.inbound(PERSON, text="Helo!", to=LINE)
    await emulator.quiet()
    emulator.subscribe(URL, ["message.edited"])

    await api.patch(f"/v3/messages/{sent}", json={"text": "Ho"})
    emulator.people.edits(theirs.message_id, "Hello!")
    await emulator.quiet()

    texts = {one.event["data"]["direction"]: one.event["data"]["part"]["text"] for one in listener.got}
    assert texts == {"outbound": "", "inbound": "Hello!"}
    assert all(one.event["data"]["zero_retention"] for one in listener.got)


async def test_people_are_told_what_is_wrong(emulator: Emulator, chat_id: str) -> None:
    """The control API refuses what cannot happen, by name."""
    rows: list[tuple[dict[str, Any], str]] = [
        ({"deed": "flies"}, "deed must be one of"),
        ({"deed": "can", "handle": PERSON, "services": ["Pigeon"]}, "services"),
        ({"deed": "types", "from": "+12025551111", "chat_id": chat_id}, "not in the chat"),
        ({"deed": "reacts", "from": PERSON, "message_id": "x", "type": "love"}, "no such message"),
        ({"deed": "joins", "handle": PERSON, "chat_id": chat_id}, "not a group"),
        ({"deed": "line", "phone": LINE, "status": "TIRED"}, "status must be"),
        ({"deed": "chat", "chat_id": chat_id, "health": "TIRED"}, "health must be"),
        ({"deed": "line", "phone": LINE, "id": "x"}, "a line has"),
        ({"deed": "types"}, "missing"),
    ]
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=emulator.app), base_url="http://l") as control:
        answers = [await control.post("/_control/people", json=body) for body, _ in rows]
        told = await control.post("/_control/people", json={"deed": "types", "from": PERSON, "chat_id": chat_id})
        deeds = (await control.get("/_control/deeds")).json()

    assert [answer.status_code for answer in answers] == [400] * len(rows)
    for answer, (_, word) in zip(answers, rows, strict=True):
        assert word in answer.json()["error"]["message"]
    assert outcome(told) == 200
    assert deeds == {"deeds": []}


def _message_of(data: dict[str, Any]) -> dict[str, Any]:
    inner: dict[str, Any] = data.get("message", data)
    return inner


@pytest.mark.parametrize(("able", "service"), [(["iMessage", "RCS", "SMS"], "RCS"), (["iMessage", "SMS"], "SMS")])
async def test_an_rcs_line_never_sends_imessage(
    api: httpx.AsyncClient, emulator: Emulator, able: list[str], service: str
) -> None:
    """Section 5: `line_type` RCS, whatever the phone could do; demanded iMessage fails with 4005 (a choice)."""
    emulator.people.line(LINE, line_type="RCS")
    emulator.people.can(PERSON, able)

    made = (await api.post("/v3/chats", json={"from": LINE, "to": [PERSON], **says()})).json()["chat"]
    demanded = await api.post(f"/v3/chats/{made['id']}/messages", json=says(preferred_service="iMessage"))
    await emulator.quiet()

    sent, refused = [
        (await api.get(f"/v3/messages/{one['id']}")).json() for one in (made["message"], demanded.json()["message"])
    ]
    assert (made["service"], sent["service"], refused["delivery_status"]) == (service, service, "failed")
