"""What a run of the handlers leaves to be committed, and how it can fail."""

from __future__ import annotations

import asyncio
import contextvars
import threading
from collections.abc import AsyncIterator
from typing import Any

import pytest

from linqbot.errors import ConfigurationError, HandlerFailed, HandlerTimeout, LeaseLost, PayloadError, StoreUnavailable
from linqbot.events import Chat, Event, Message
from linqbot.handling.router import Router
from linqbot.handling.turn import Turn
from linqbot.ids import idempotency_key
from linqbot.records import Commit, InboxItem
from linqbot.replies import NEXT, Media, Reply
from linqbot.testing.clock import TurnedClock
from tests.handling.conftest import CHAT, MESSAGE, Stage, lease_of, message_with, received, said, threads


def nothing(take: int = 1) -> Commit:
    """A turn that says nothing."""
    return Commit(lane=f"chat:{CHAT}", token="t", event_id="e1", take=take)


async def echo(message: Message) -> str:
    """Says what it heard."""
    return message.text


async def test_commit_ends_the_event_under_its_lease(stage: Stage) -> None:
    """Lane and token are the lease's; the key is that of event, handler and place."""
    stage.router.message(echo)

    commit = await stage.run(received("hi"))

    (item,) = commit.replies
    assert (commit.lane, commit.token, commit.event_id, commit.take) == (f"chat:{CHAT}", "t", "e1", 1)
    assert (item.key, item.lane) == (idempotency_key("bot", "e1", "echo", 0), f"chat:{CHAT}")


async def test_answer_is_threaded_on_the_part_that_matched(stage: Stage) -> None:
    """The second text of the message holds the word."""
    stage.router.message("price", name="p")(echo)

    commit = await stage.run(received("hello", "the price"))

    assert threads(commit) == [{"message_id": MESSAGE, "part_index": 1}]


async def test_threading_is_the_handlers_or_the_routers_or_the_bots(stage: Stage) -> None:
    """The nearest says."""
    quiet = Router(thread="never")
    quiet.message("a")(echo)
    quiet.message("b", name="own", thread="every")(echo)
    stage.router.include_router(quiet)
    stage.router.message(name="bots")(echo)

    async with stage.open(thread="auto") as run:
        commits = [await run(received(text)) for text in ("a", "b", "c")]

    assert [bool(threads(commit)[0]) for commit in commits] == [False, True, False]


async def test_several_events_are_one_turn_that_answers_the_newest(stage: Stage) -> None:
    """The key is the first's, the thread the last's, and all of them end."""

    @stage.router.message()
    async def all_of_it(turn: Turn, message: Message) -> str:
        return " ".join(one.text for one in turn.messages) + "/" + message.text

    second = message_with(id="347d62c2-2170-4754-8d30-c76d0c727d96")
    commit = await stage.run(received("one"), second)

    assert (said(commit), commit.take) == (["one hi/hi"], 2)
    assert commit.replies[0].key == idempotency_key("bot", "e1", "all_of_it", 0)
    assert threads(commit)[0]["message_id"] == "347d62c2-2170-4754-8d30-c76d0c727d96"


async def test_event_that_nobody_takes_ends_in_silence(stage: Stage) -> None:
    """Nothing is said, the chat goes on."""
    stage.router.message("price")(echo)

    assert await stage.run(received("hi")) == nothing()


async def test_everybody_may_pass_on(stage: Stage) -> None:
    """A message that all handlers leave to others ends in silence."""

    @stage.router.message()
    async def passing() -> Any:
        return NEXT

    assert await stage.run(received("hi")) == nothing()


@pytest.mark.parametrize(
    "history",
    [
        message_with(reconciled_at="2026-02-06T09:02:40.950Z"),
        message_with(direction="outbound"),
    ],
    ids=["recovered late", "our own"],
)
async def test_a6_history_and_own_messages_are_unanswered(stage: Stage, history: InboxItem) -> None:
    """Neither handler nor fallback gets them (linq-api-v3.md sections 9.5 and 9.6).

    Held by the conditions of a route, asked before its handler.
    """
    stage.router.message(echo)
    stage.router.fallback(name="f")(echo)

    assert await stage.run(history) == nothing()


async def test_who_asks_for_the_event_gets_history_too(stage: Stage) -> None:
    """To keep it, for instance."""
    seen: list[str] = []

    @stage.router.event("message.received")
    async def archive(message: Message) -> None:
        seen.append(message.text)

    await stage.run(message_with(reconciled_at="2026-02-06T09:02:40.950Z"))

    assert seen == ["hi"]


async def test_handler_that_raises_fails_with_its_name_and_limit(stage: Stage) -> None:
    """The cause is kept; the message names the event and never what was said."""

    @stage.router.message(attempts=7)
    async def broken(message: Message) -> str:
        raise KeyError(message.text)

    with pytest.raises(HandlerFailed, match="handler 'broken' raised KeyError on event e1") as caught:
        await stage.run(received("my secret"))

    assert (caught.value.handler, caught.value.attempts) == ("broken", 7)
    assert isinstance(caught.value.__cause__, KeyError)
    assert "secret" not in str(caught.value)


async def test_plain_handler_that_raises_fails_alike(stage: Stage) -> None:
    """Errors come out of threads; leaving the thread is an error, not the end of the program."""

    @stage.router.message("leave")
    def leaving() -> str:
        raise SystemExit

    @stage.router.message()
    def broken() -> str:
        raise StopIteration

    with pytest.raises(HandlerFailed, match="'leaving' raised RuntimeError"):
        await stage.run(received("leave"))
    with pytest.raises(HandlerFailed, match="'broken' raised RuntimeError"):
        await stage.run(received("hi"))


@pytest.mark.parametrize(
    "kind", [SystemExit, KeyboardInterrupt, pytest.fail.Exception, type("Odd", (BaseException,), {})]
)
async def test_handler_that_raises_more_than_an_error_fails_alike(stage: Stage, kind: type[BaseException]) -> None:
    """What is no `Exception` is not the end of the turn's task either: pytest's `fail` in a handler is one of those."""

    @stage.router.message()
    async def broken() -> str:
        raise kind

    with pytest.raises(HandlerFailed, match="'broken' raised"):
        await stage.run(received("hi"))


async def test_handler_that_cancels_itself_fails(stage: Stage) -> None:
    """The worker is not mistaken for the one that is cancelled."""

    @stage.router.message()
    async def confused() -> str:
        raise asyncio.CancelledError

    with pytest.raises(HandlerFailed, match="'confused' was cancelled from inside"):
        await stage.run(received("hi"))


@pytest.mark.parametrize("wrong", [lambda: Reply(Media()), lambda: 42, lambda: ["ok", {"a": "b"}], lambda: ["x"] * 101])
async def test_reply_that_cannot_be_built_is_not_tried_again(stage: Stage, logs: list[Any], wrong: Any) -> None:
    """The turn ends; the event lies in the dead letters under the handler's name, and the log says so."""

    @stage.router.message()
    async def broken() -> Any:
        return wrong()

    commit = await stage.run(received("hi"))

    (letter,) = commit.dead
    assert (commit.replies, commit.take) == ((), 1)
    assert (letter.kind, letter.id, letter.event_id, letter.handler, letter.lane) == (
        "event",
        "e1",
        "e1",
        "broken",
        f"chat:{CHAT}",
    )
    assert letter.reason.startswith("handler 'broken' made a reply that cannot be sent: ")
    assert InboxItem.from_bytes(letter.item) == received("hi")
    assert [entry["event"] for entry in logs] == ["handler made a reply that cannot be sent"]


async def test_o16_reply_that_linq_would_refuse_is_left_out(stage: Stage) -> None:
    """It lies in the dead letters; the rest of the turn goes on, and takes over the thread.

    Held by checking each reply when the turn is frozen.
    """

    @stage.router.message()
    async def mixed() -> list[Any]:
        return [Reply("a", reply_to="the last one"), "b"]

    commit = await stage.run(received("hi"))

    assert said(commit) == ["b"]
    assert threads(commit) == [{"message_id": MESSAGE, "part_index": 0}]
    assert [(letter.kind, letter.handler) for letter in commit.dead] == [("reply", "mixed")]


async def test_event_that_cannot_be_read_is_the_workers_affair(stage: Stage) -> None:
    """The runner does not guess."""
    stage.router.message(echo)
    item = InboxItem(event_id="e1", lane="chat:c", type="message.received", body=b"no JSON")

    with pytest.raises(PayloadError):
        await stage.run(item)


async def test_handler_of_an_event_without_its_chat_fails(stage: Stage) -> None:
    """With the remedy, because Linq may leave the chat out."""

    @stage.router.event("location.sharing.started")
    async def sharing(chat: Chat) -> None: ...

    with pytest.raises(HandlerFailed, match="'sharing' raised LookupError") as caught:
        await stage.run(received(event_type="location.sharing.started", body={"shared_by": "x"}))
    assert "annotate `Chat | None`" in str(caught.value.__cause__)


async def test_answer_to_an_event_without_its_chat_is_a_dead_letter(stage: Stage) -> None:
    """There is nowhere to send it."""

    @stage.router.event("location.sharing.started")
    async def sharing(event: Event) -> str:
        return "where?"

    commit = await stage.run(received(event_type="location.sharing.started", body={"shared_by": "x"}))

    assert commit.replies == ()
    assert "the event has no chat" in commit.dead[0].reason


async def test_runner_that_was_not_started_says_so(stage: Stage) -> None:
    """Services and threads are there only inside."""
    with pytest.raises(ConfigurationError, match="use `async with runner:`"):
        await stage.runner().run(lease_of(received("hi")), stage.port)


async def test_runner_knows_what_is_wanted(stage: Stage) -> None:
    """Ingress keeps only what a handler is for."""
    stage.router.message(echo)
    runner = stage.runner()

    assert runner.event_types() == {"message.received"}
    assert runner.wanted("message.received")
    assert not runner.wanted("message.read")


class Waiting:
    """A handler that waits to be let go, and tells how it ended."""

    def __init__(self) -> None:
        self.started = asyncio.Event()
        self.story: list[str] = []

    async def wait(self) -> str:
        """Wait for ever."""
        self.started.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            self.story.append("cancelled")
            raise
        return "never"


@pytest.mark.parametrize(("options", "seconds"), [({}, 60), ({"timeout": 5}, 5)])
async def test_handler_that_overruns_is_cancelled_and_awaited(
    stage: Stage, clock: TurnedClock, options: dict[str, Any], seconds: float
) -> None:
    """After 60 seconds, or its own; not a moment earlier."""
    waiting = Waiting()
    stage.router.message(attempts=2, **options)(waiting.wait)
    turn = asyncio.create_task(stage.run(received("hi")))
    await waiting.started.wait()

    clock.advance(seconds=seconds - 1)
    await asyncio.wait([turn], timeout=0.02)
    assert not turn.done()
    clock.advance(seconds=1)

    with pytest.raises(HandlerTimeout, match=r"'Waiting\.wait' overran its time on event e1") as caught:
        await turn
    assert (waiting.story, caught.value.attempts, caught.value.thread) == (["cancelled"], 2, None)


async def test_handler_that_hides_its_cancellation_has_overrun_all_the_same(stage: Stage, clock: TurnedClock) -> None:
    """What it returns late is not said."""
    started = asyncio.Event()

    @stage.router.message()
    async def stubborn() -> str:
        started.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            return "too late"
        return "never"

    turn = asyncio.create_task(stage.run(received("hi")))
    await started.wait()
    clock.advance(minutes=2)

    with pytest.raises(HandlerTimeout):
        await turn


async def test_next_handler_has_its_own_time(stage: Stage, clock: TurnedClock) -> None:
    """Also when it is shorter than what was left to the one before."""
    started = asyncio.Event()

    @stage.router.message(timeout=600)
    async def first() -> Any:
        return NEXT

    @stage.router.message(timeout=5)
    async def second() -> str:
        started.set()
        await asyncio.Event().wait()
        return "never"

    turn = asyncio.create_task(stage.run(received("hi")))
    await started.wait()
    clock.advance(seconds=6)

    with pytest.raises(HandlerTimeout, match="'second'"):
        await turn


async def test_cancelled_run_cancels_the_handler_and_waits_for_it(stage: Stage) -> None:
    """At shutdown and when the lease is lost."""
    waiting = Waiting()
    stage.router.message(waiting.wait)
    turn = asyncio.create_task(stage.run(received("hi")))
    await waiting.started.wait()

    turn.cancel()

    with pytest.raises(asyncio.CancelledError):
        await turn
    assert waiting.story == ["cancelled"]


async def test_thread_that_overruns_is_handed_to_the_worker(stage: Stage, clock: TurnedClock) -> None:
    """It cannot be stopped, so the chat must stay leased until it ends."""
    started, go = asyncio.Event(), threading.Event()
    loop = asyncio.get_running_loop()

    @stage.router.message()
    def slow() -> str:
        loop.call_soon_threadsafe(started.set)
        go.wait(30)
        return "late"

    async with stage.open() as run:
        turn = asyncio.create_task(run(received("hi")))
        await started.wait()
        clock.advance(seconds=61)
        with pytest.raises(HandlerTimeout, match="it still runs") as caught:
            await turn

        thread = caught.value.thread
        assert isinstance(thread, asyncio.Future)
        assert not thread.done()
        go.set()
        await thread


async def test_waiting_for_a_thread_costs_no_time(stage: Stage, clock: TurnedClock) -> None:
    """Whoever stands in line behind a slow handler has not overrun."""
    started, go = asyncio.Event(), threading.Event()
    loop = asyncio.get_running_loop()

    @stage.router.message("slow", timeout=600)
    def slow() -> str:
        loop.call_soon_threadsafe(started.set)
        go.wait(30)
        return "slow"

    @stage.router.message()
    def quick() -> str:
        return "quick"

    async with stage.open(threads=1) as run:
        first = asyncio.create_task(run(received("slow")))
        await started.wait()
        second = asyncio.create_task(run(received("hi")))
        await asyncio.wait([second], timeout=0.02)
        clock.advance(seconds=120)
        await asyncio.wait([second], timeout=0.02)
        go.set()

        assert said(await first) == ["slow"]
        assert said(await second) == ["quick"]


async def test_threads_are_used_again_and_see_the_context(stage: Stage) -> None:
    """What a library keeps per thread or per context is found again."""
    who: contextvars.ContextVar[str] = contextvars.ContextVar("who")
    ran_in: list[threading.Thread] = []

    @stage.router.message()
    def handler() -> str:
        ran_in.append(threading.current_thread())
        return who.get()

    who.set("me")
    async with stage.open() as run:
        answers = [said(await run(received("hi"))) for _ in range(3)]

    assert answers == [["me"]] * 3
    assert len(set(ran_in)) == 1
    assert ran_in[0].daemon


async def test_once_runs_once_over_runs(stage: Stage) -> None:
    """A run that comes later gets what the first one stored, as JSON makes it."""
    calls: list[str] = []

    def charge() -> dict[str, Any]:
        calls.append("charge")
        return {"id": 7, "tags": ("a",)}

    async def mail() -> str:
        calls.append("mail")
        return "m1"

    @stage.router.message()
    async def paying(turn: Turn) -> str:
        charged = await turn.once("charge", charge)
        again = await turn.once("charge", charge)
        return f"{charged} {again == charged} {await turn.once('mail', mail)}"

    first = await stage.run(received("hi"))
    second = await stage.run(received("hi"), notes=stage.port.notes)

    assert calls == ["charge", "mail"]
    assert said(first) == said(second) == ["{'id': 7, 'tags': ['a']} True m1"]


async def test_once_is_called_once_by_two_at_the_same_time(stage: Stage) -> None:
    """Both get the one result."""
    calls: list[int] = []

    async def count() -> int:
        calls.append(len(calls))
        return len(calls)

    @stage.router.message()
    async def eager(turn: Turn) -> str:
        return f"{await asyncio.gather(turn.once('n', count), turn.once('n', count))}"

    assert await stage.answers("hi") == ["[1, 1]"]


async def test_once_gives_what_another_holder_stored_first(stage: Stage) -> None:
    """The first stored result wins, also against this run's own."""
    stage.port.notes["once:n"] = b"1"

    @stage.router.message()
    async def late(turn: Turn) -> str:
        return f"{await turn.once('n', lambda: 2)}"

    assert await stage.answers("hi") == ["1"]


async def test_once_refuses_what_is_no_json(stage: Stage) -> None:
    """With the key's name."""

    @stage.router.message()
    async def wrong(turn: Turn) -> str:
        return str(await turn.once("thing", object))

    with pytest.raises(HandlerFailed) as caught:
        await stage.run(received("hi"))
    assert "turn.once('thing') keeps its result as JSON, which object is not" in str(caught.value.__cause__)


class Taken:
    """The port of a lease that somebody else holds by now."""

    async def note(self, name: str, value: bytes) -> bytes:
        """Refused."""
        raise LeaseLost(f"the lease is lost, {name} is not kept")

    async def freeze(self, commit: Commit) -> None:
        """Refused."""
        raise LeaseLost(f"the lease is lost, {commit.event_id} is not frozen")


async def test_lost_lease_is_not_the_handlers_failure(stage: Stage) -> None:
    """It reaches the worker as it is, from a note or a stream's bubble, and the stream is closed."""
    story: list[str] = []

    @stage.router.message("note")
    async def noting(turn: Turn) -> str:
        return str(await turn.once("n", lambda: 1))

    @stage.router.message()
    async def streaming() -> AsyncIterator[str]:
        try:
            yield "one"
        finally:
            story.append("closed")

    async with stage.runner() as runner:
        with pytest.raises(LeaseLost):
            await runner.run(lease_of(received("note")), Taken())
        with pytest.raises(LeaseLost):
            await runner.run(lease_of(received("hi")), Taken())
    assert story == ["closed"]


async def test_log_of_a_turn_knows_event_and_chat(stage: Stage, logs: list[Any]) -> None:
    """So that a line of the user's is found again."""

    @stage.router.message()
    async def talkative(turn: Turn) -> None:
        turn.log.info("looked up the order", order=7)

    await stage.run(received("hi"))

    assert logs == [
        {"event": "looked up the order", "order": 7, "event_id": "e1", "chat_id": CHAT, "log_level": "info"}
    ]


async def test_store_that_fails_a_handlers_own_call_fails_the_handler(stage: Stage) -> None:
    """A `bot.send` that cannot be stored is an error of the handler that made it, to be tried again as any other; were it
    the station's, the worker would seem to have died.
    """

    async def sends() -> None:
        raise StoreUnavailable("the outbox is full")

    stage.router.message(name="sends")(sends)

    with pytest.raises(HandlerFailed, match="'sends' raised StoreUnavailable"):
        await stage.run(received("hi"))
