"""News of what became of the bot's messages: whose it is, whether it is news, and who hears it."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import FrozenInstanceError, replace
from datetime import UTC, datetime
from typing import Any

import pytest

from linqbot.errors import HandlerFailed, RegistrationError
from linqbot.events import MessageFailed, PollFailed
from linqbot.handling.delivery import Delivery, SentReply
from linqbot.handling.plan import plan_of
from linqbot.handling.router import Router
from linqbot.ids import idempotency_key
from linqbot.protocol.parking import AWAITED_MS, NotYet
from linqbot.records import InboxItem, SentRecord
from linqbot.replies import Reply
from tests.handling.conftest import CHAT, MESSAGE, Stage, message_with, received, said

OURS = idempotency_key("bot", "e0", "ship", 1)
RECORD = SentRecord(message_id=MESSAGE, key=OURS, event_id="e0", handler="ship", position=1, ref="order", sent_ms=1)
REPLY = SentReply(event_id="e0", handler="ship", position=1, ref="order")
WAITED = 1 + AWAITED_MS
"""Store time at which news that came at 1 has waited enough."""


def news(status: str, *, event_id: str = "", key: str | None = None, **more: Any) -> InboxItem:
    """A receipt of the bot's message."""
    event_type = f"message.{status}"
    data: dict[str, Any] = {"chat_id": CHAT, "message_id": MESSAGE, "code": 4001, "reason": "Message send failed"}
    if status != "failed":
        data = json.loads(message_with(direction="outbound", idempotency_key=key).body)["data"]
    return received(event_id=event_id or status, event_type=event_type, body={**data, **more})


@pytest.fixture
def heard(stage: Stage) -> list[Delivery]:
    """What a handler of all news heard; the message is one of the bot's."""
    heard: list[Delivery] = []
    stage.port.ours[MESSAGE] = RECORD

    @stage.router.delivery
    async def told(delivery: Delivery) -> None:
        heard.append(delivery)

    return heard


def statuses(heard: list[Delivery]) -> list[str]:
    """What was heard, in order."""
    return [delivery.status for delivery in heard]


async def test_a_failure_says_why_and_of_which_reply(stage: Stage, heard: list[Delivery]) -> None:
    """`message.failed` has a shape of its own, and no key."""
    await stage.run(news("failed", failed_at="2025-11-23T17:35:00.000Z"))

    assert heard == [
        Delivery(
            status="failed",
            message_id=MESSAGE,
            chat_id=CHAT,
            reply=REPLY,
            code=4001,
            reason="Message send failed",
            at=datetime(2025, 11, 23, 17, 35, tzinfo=UTC),
        )
    ]


@pytest.mark.parametrize("status", ["sent", "delivered", "read"])
async def test_good_news_says_when_and_of_which_reply(stage: Stage, heard: list[Delivery], status: str) -> None:
    """The time is that of the status."""
    await stage.run(news(status, key=OURS, **{f"{status}_at": "2025-11-23T17:35:00.000Z"}))

    [delivery] = heard
    assert (delivery.status, delivery.reply, delivery.at) == (status, REPLY, datetime(2025, 11, 23, 17, 35, tzinfo=UTC))
    assert (delivery.code, delivery.reason) == (None, "")


async def test_polls_are_told_of_as_messages_are(stage: Stage, heard: list[Delivery]) -> None:
    """They have a message id, and their failure yet another shape."""
    poll = {"chat": {"id": CHAT}, "message_id": MESSAGE, "direction": "outbound"}
    error = {"code": 4001, "message": "Delivery failed"}

    await stage.run(received(event_id="1", event_type="poll.sent", body=poll))
    await stage.run(received(event_id="2", event_type="poll.failed", body={**poll, "error": error}))

    assert [(one.status, one.code, one.reason, one.reply) for one in heard] == [
        ("sent", None, "", REPLY),
        ("failed", 4001, "Delivery failed", REPLY),
    ]


def test_a_delivery_is_frozen_and_shows_no_content() -> None:
    """The reason is Linq's words, which may hold anything."""
    delivery = Delivery(status="failed", message_id=MESSAGE, chat_id=CHAT, reason="to +12025559876")

    with pytest.raises(FrozenInstanceError):
        delivery.status = "read"  # type: ignore[misc]  # that is the point
    assert "+1202" not in repr(delivery)


@pytest.mark.parametrize(
    ("order", "told"),
    [
        (("sent", "delivered", "read"), ["sent", "delivered", "read"]),
        (("read", "delivered", "sent"), ["read"]),
        (("failed", "delivered"), ["failed", "delivered"]),
        (("delivered", "failed"), ["delivered"]),
        (("delivered", "sent", "failed", "read"), ["delivered", "read"]),
    ],
)
async def test_a_message_never_goes_back(
    stage: Stage, heard: list[Delivery], order: tuple[str, ...], told: list[str]
) -> None:
    """In whatever order the webhooks come, each status is further on than the one before; delivered beats failed."""
    for status in order:
        await stage.run(news(status, key=OURS))

    assert statuses(heard) == told


async def test_the_same_status_under_another_event_is_no_news(stage: Stage, heard: list[Delivery]) -> None:
    """Two subscriptions, or a message that is delivered to several devices."""
    await stage.run(news("delivered", event_id="one", key=OURS))
    await stage.run(news("delivered", event_id="two", key=OURS))

    assert statuses(heard) == ["delivered"]


@pytest.mark.parametrize("status", ["delivered", "read"])
async def test_a_failure_of_what_arrived_is_no_news(stage: Stage, heard: list[Delivery], status: str) -> None:
    """Also when nobody here listened to the arrival: the store has heard of it."""
    stage.port.ours[MESSAGE] = replace(RECORD, status=status)

    await stage.run(news("failed"))

    assert heard == []


async def test_a_handler_that_failed_hears_it_again(stage: Stage) -> None:
    """What was told is only what somebody took in."""
    stage.port.ours[MESSAGE] = RECORD
    runs: list[str] = []

    @stage.router.delivery("failed")
    async def told(delivery: Delivery) -> None:
        runs.append(delivery.status)
        if len(runs) == 1:
            raise RuntimeError("not yet")

    with pytest.raises(HandlerFailed):
        await stage.run(news("failed"))
    await stage.run(news("failed"))

    assert runs == ["failed", "failed"]


async def test_news_waits_for_the_answer_that_says_whose_it_is(stage: Stage, heard: list[Delivery]) -> None:
    """Linq's webhook may be faster than its answer to our request."""
    del stage.port.ours[MESSAGE]

    with pytest.raises(NotYet) as wait:
        await stage.run(news("failed"))
    stage.port.ours[MESSAGE] = RECORD
    await stage.run(news("failed"))

    assert 0 < wait.value.delay_ms < 1_000
    assert [delivery.reply for delivery in heard] == [REPLY]


@pytest.mark.parametrize("item", [news("failed"), news("delivered", key=OURS)], ids=["failed", "our key"])
async def test_after_a_while_it_is_told_without_the_reply(stage: Stage, heard: list[Delivery], item: InboxItem) -> None:
    """A failure nobody hears of is worse than one of which the reply is not known any more."""
    stage.port.ours.clear()

    await stage.run(item, now_ms=WAITED)

    assert [(delivery.message_id, delivery.reply) for delivery in heard] == [(MESSAGE, None)]


@pytest.mark.parametrize(
    ("item", "now_ms"),
    [(news("delivered", key="somebody-else"), 1_000), (news("delivered"), WAITED)],
    ids=["another key", "no key"],
)
async def test_messages_of_others_are_not_told_of(
    stage: Stage, heard: list[Delivery], item: InboxItem, now_ms: int
) -> None:
    """A person writes in the same account."""
    stage.port.ours.clear()

    await stage.run(item, now_ms=now_ms)

    assert heard == []


async def test_a_failure_of_no_message_is_told_at_once(stage: Stage, heard: list[Delivery]) -> None:
    """The message id is optional; there is nothing to wait for."""
    await stage.run(news("failed", message_id=None))

    assert [(delivery.message_id, delivery.reply) for delivery in heard] == [(None, None)]


async def test_a_handler_may_be_for_one_ref(stage: Stage) -> None:
    """The name that the reply was given."""
    stage.port.ours[MESSAGE] = RECORD

    @stage.router.delivery("failed", ref="invoice")
    async def invoice() -> str:
        return "invoice"

    assert said(await stage.run(news("failed"))) == []

    @stage.router.delivery("failed", "sent", ref="order")
    async def order() -> str:
        return "order"

    assert said(await stage.run(news("failed"))) == ["order"]


async def test_an_answer_goes_to_the_chat_and_may_name_the_message(stage: Stage) -> None:
    """It is threaded only if it says so: nobody wrote anything that it answers."""
    stage.port.ours[MESSAGE] = RECORD

    @stage.router.delivery("failed")
    async def again(delivery: Delivery, event: MessageFailed | PollFailed) -> list[Any]:
        return [f"That did not arrive ({delivery.code}).", Reply("This:", reply_to=delivery)]

    commit = await stage.run(news("failed"))

    bodies = [json.loads(item.request.body or b"")["message"] for item in commit.replies]
    assert [item.lane for item in commit.replies] == [f"chat:{CHAT}"] * 2
    assert [body.get("reply_to") for body in bodies] == [None, {"message_id": MESSAGE, "part_index": 0}]


async def test_answers_to_news_make_no_news(stage: Stage) -> None:
    """Else "Glad it arrived!" would arrive, for ever."""
    stage.port.ours[MESSAGE] = replace(RECORD, handler="glad")

    @stage.router.delivery("delivered")
    async def glad() -> AsyncIterator[str]:
        yield "Glad it arrived!"

    await stage.run(news("delivered", key=OURS))

    assert stage.port.commits == []


async def test_who_asks_for_the_event_gets_what_is_no_news_too(stage: Stage, heard: list[Delivery]) -> None:
    """`event` is for the webhook as it comes."""
    seen: list[str] = []

    @stage.router.event("message.delivered")
    async def archive() -> None:
        seen.append("delivered")

    await stage.run(news("delivered", event_id="one", key=OURS))
    await stage.run(news("delivered", event_id="two", key=OURS))

    assert (statuses(heard), seen) == (["delivered"], ["delivered"])


def test_types_are_those_of_the_statuses() -> None:
    """So that the subscription asks for them; bare it is for all."""

    async def told() -> None: ...

    router = Router()
    router.delivery("failed", "read")(told)
    assert [route.types for route in router.routes()] == [
        ("message.failed", "poll.failed", "message.read", "poll.read")
    ]
    router.delivery(name="all")(told)
    assert len(plan_of(router).event_types) == 8


@pytest.mark.parametrize(
    ("statuses", "options", "said"),
    [
        (("faild",), {}, r"delivery\('faild'\) names nothing that becomes of a message; did you mean 'failed'\?"),
        (("x",), {}, "it is one of sent, failed, delivered, read"),
        ((7,), {}, r"delivery\(7\) names nothing"),
        ((), {"ref": ""}, r"delivery\(ref=\) is the name"),
        ((), {"ref": 7}, r"delivery\(ref=\) is the name"),
    ],
)
def test_mistakes_are_found_where_they_are_written(statuses: Any, options: Any, said: str) -> None:
    """Not when the first message fails."""
    with pytest.raises(RegistrationError, match=said):
        Router().delivery(*statuses, **options)


def test_a_delivery_is_only_for_its_own_handlers() -> None:
    """Anybody else would wait for one in vain."""

    async def told(delivery: Delivery) -> None: ...

    with pytest.raises(RegistrationError, match=r"'delivery' is Delivery, which only @bot\.delivery handlers get"):
        Router().message()(told)
    with pytest.raises(RegistrationError, match=r"'told' wants a Delivery, which only handlers of @bot\.delivery"):
        Router().event("message.failed")(told)


def test_a_narrow_handler_behind_a_wide_one_is_warned_about(logs: list[Any]) -> None:
    """By status and by ref."""

    async def told() -> None: ...

    router = Router()
    router.delivery("failed", ref="a", name="a")(told)
    router.delivery("failed", name="failed")(told)
    router.delivery("failed", ref="b", name="b")(told)
    router.delivery("sent", name="sent")(told)

    plan_of(router)

    assert [(entry["handler"], entry["because_of"]) for entry in logs] == [("b", "failed")]
