"""Answer -> Verdict for messages that the bot begins: which chat they made, and what if it is gone."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from linqbot.protocol.answer import Answer, chat_id_of
from linqbot.protocol.outcome import Verdict, classify
from linqbot.protocol.proactive import Cause, begin
from linqbot.records import Dead, Lease, Sent, Side, Wait
from linqbot.replies import Reply, Send

NOW_MS = 1_790_000_000_000
FIXTURES = Path(__file__).parents[1] / "fixtures" / "linq"
LINE, ALICE = "+12025550100", "+12025559876"
CHAT, OTHER = "8f392755-6865-4b18-880a-227f9d8b458f", "0b0c2f6e-6a10-4a1d-9d51-9a1f6c0a7b11"
CAUSE = Cause(namespace="bot", event_id="e1", line=LINE, now_ms=NOW_MS - 1_000)
SEND = Send(ALICE, "hi", key="k")


def lease_of(send: Send = SEND, cause: Cause = CAUSE, chat_id: str | None = None) -> Lease:
    """A send, leased for its first attempt."""
    [item] = begin(send, cause, chat_id=chat_id)
    return Lease(side=Side.OUT, lane=item.lane, token="t", now_ms=NOW_MS, until_ms=NOW_MS + 30_000, reply=item)


def answer(status: int, body: object) -> Answer:
    """What Linq says."""
    return Answer(status=status, body=json.dumps(body).encode())


def refusal(status: int, code: int) -> Answer:
    """Linq's error envelope."""
    return answer(status, {"error": {"status": status, "code": code}})


def judged(given: Answer, lease: Lease) -> Verdict:
    """The verdict at `NOW_MS`."""
    return classify(given, lease=lease, now_ms=NOW_MS, jitter=0.0)


ANSWERS = [
    ({"chat": {"id": CHAT, "message": {"id": "m"}}}, "section 7.1: POST /v3/chats"),
    ({"chat_id": CHAT, "message": {"id": "m"}}, "section 7: POST /v3/chats/{id}/messages"),
    (
        {"chat_id": CHAT, "created_new_chat": True, "from": LINE, "message": {"id": "m"}, "previous_chat_id": OTHER},
        "section 7.2: POST /v3/messages, after a failover the new chat",
    ),
]


@pytest.mark.parametrize(("body", "source"), ANSWERS, ids=[source for _, source in ANSWERS])
def test_the_lane_of_somebody_new_passes_into_the_chat(body: object, source: str) -> None:
    """All three shapes of the answer name the chat."""
    verdict = judged(answer(202, body), lease_of())

    assert verdict.outcome == Sent(message_id="m", passes_to=f"chat:{CHAT}"), source


@pytest.mark.parametrize("body", [{}, {"chat": []}, {"chat": {"id": 5}}, {"chat_id": ""}, {"chat": {}}], ids=str)
def test_an_answer_without_a_chat_leaves_the_lane_as_it_is(body: object) -> None:
    """Nothing is guessed."""
    assert chat_id_of(answer(200, body)) is None
    assert judged(answer(202, body), lease_of()).outcome == Sent(message_id=None)


def test_the_published_samples_name_their_chat() -> None:
    """Of Linq's own examples."""
    sample = (FIXTURES / "seed" / "response.messages.send.json").read_bytes()

    assert chat_id_of(Answer(status=202, body=sample)) == json.loads(sample)["chat_id"]


def test_a_lane_that_is_a_chats_stays_so() -> None:
    """Whatever the answer says."""
    verdict = judged(answer(202, {"chat_id": OTHER, "message": {"id": "m"}}), lease_of(chat_id=CHAT))

    assert verdict.outcome == Sent(message_id="m")


@pytest.mark.parametrize(("status", "code"), [(404, 2001), (409, 2013)])
def test_a_chat_that_is_gone_is_opened_anew(status: int, code: int) -> None:
    """Deleted, not there, or left by the line (linq-api-v3.md section 2)."""
    outcome = judged(refusal(status, code), lease_of(chat_id=CHAT)).outcome

    assert isinstance(outcome, Wait)
    assert (outcome.use_plain, outcome.delay_ms) == (True, 0)


@pytest.mark.parametrize("lease", [lease_of(), lease_of(Send(CHAT, Reply("hi", reply_to=OTHER)))], ids=["new", "by id"])
def test_without_recipients_or_a_chat_before_nothing_is_opened(lease: Lease) -> None:
    """The unthreaded variant of a reply goes to the same chat: it would be refused as well."""
    assert isinstance(judged(refusal(404, 2001), lease).outcome, Dead)


@pytest.mark.parametrize(
    "lease",
    [replace(lease_of(chat_id=CHAT), ambiguous_ms=NOW_MS - 9), replace(lease_of(chat_id=CHAT), use_plain=True)],
    ids=["perhaps sent", "opened before"],
)
def test_another_chat_is_opened_only_for_what_surely_was_not_sent(lease: Lease) -> None:
    """Under another key it would be a second message."""
    assert not isinstance(judged(refusal(404, 2001), lease).outcome, Wait)


def test_a_message_whose_chat_is_still_being_made_waits() -> None:
    """Two of us began at once (linq-api-v3.md section 7.1, code 2009)."""
    assert isinstance(judged(refusal(409, 2009), lease_of()).outcome, Wait)


def test_no_line_that_may_send_is_waited_for_where_linq_picks_it() -> None:
    """Flagged lines recover (linq-api-v3.md sections 7.2 and 9.2, code 2015); after a day it is given up."""
    lease = lease_of(cause=replace(CAUSE, line=None))
    late = replace(lease, reply=replace(lease.reply, created_ms=NOW_MS - 24 * 3_600_000))  # type: ignore[type-var]  # it has one

    outcome = judged(refusal(409, 2015), lease).outcome
    assert isinstance(outcome, Wait)
    assert outcome.delay_ms == 600_000
    assert not outcome.ambiguous
    assert isinstance(judged(refusal(409, 2015), late).outcome, Dead)
    assert isinstance(judged(refusal(409, 2015), lease_of()).outcome, Dead)


def test_no_line_that_may_send_is_waited_for_where_linq_picks_it_at_last() -> None:
    """A message whose first way was into its own chat, and whose second is any line's (section 7.2, code 2015)."""
    first = lease_of(cause=replace(CAUSE, line=None), chat_id=CHAT)
    assert first.reply is not None
    assert first.reply.plain is not None
    assert (first.reply.request.path, first.reply.plain.path) == (f"/v3/chats/{CHAT}/messages", "/v3/messages")

    outcome = judged(refusal(409, 2015), replace(first, use_plain=True)).outcome

    assert isinstance(outcome, Wait)
    assert outcome.delay_ms == 600_000
