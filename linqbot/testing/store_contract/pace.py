"""broadcasts -> after answers, yet not for ever; a line -> no more than its pace."""

from __future__ import annotations

from dataclasses import replace

import pytest

from linqbot.ids import random_token
from linqbot.records import Dead, Limits, OutboxItem, Sent, Side, Wait
from linqbot.store.base import Store
from linqbot.testing.clock import TurnedClock
from linqbot.testing.store_contract.opening import Opener, StoreFixtures
from linqbot.testing.store_contract.samples import freeze, lanes, lease, letter, nothing, reply, send_all

PATIENCE = 16
PAIR = "line/chat"


def _broadcasts(count: int, *, line: str = "line-1") -> list[OutboxItem]:
    """One to each of so many chats."""
    return [_broadcast(f"b{number}", f"chat:b{number:03}", line=line) for number in range(count)]


def _broadcast(key: str, lane: str, *, line: str = "line-1") -> OutboxItem:
    return replace(reply(key, lane, line=line), broadcast=True)


def _answers(count: int, *, pair: str = "", line: str = "line-1") -> list[OutboxItem]:
    """One to each of so many other chats."""
    return [reply(f"a{number}", f"chat:a{number:03}", pair=pair, line=line) for number in range(count)]


class PaceContract(StoreFixtures):
    """What people who wait for an answer, and Linq, may rely on."""

    async def test_answers_go_before_broadcasts(self, store: Store) -> None:
        """Also those that come later."""
        await store.post(_broadcasts(3))
        await store.post(_answers(2))

        assert await send_all(store) == ["a0", "a1", "b0", "b1", "b2"]

    async def test_one_call_gives_answers_first(self, store: Store) -> None:
        """The rest of its tokens are for broadcasts."""
        await store.post([*_broadcasts(2), *_answers(2)])

        assert await lanes(store, 3, Side.OUT) == ["chat:a000", "chat:a001", "chat:b000"]

    async def test_broadcasts_are_not_starved(self, store: Store) -> None:
        """After 16 answers one broadcast goes first, however many answers wait."""
        await store.post([*_broadcasts(3), *_answers(40)])

        sent = await send_all(store)

        assert [sent.index(f"b{number}") for number in range(3)] == [PATIENCE, 2 * PATIENCE + 1, 42]

    async def test_broadcasts_are_not_starved_by_large_calls(self, store: Store) -> None:
        """The same when all is asked for at once."""
        await store.post([*_broadcasts(2), *_answers(40)])

        taken = await lanes(store, 36, Side.OUT)

        assert [number for number, lane in enumerate(taken) if lane.startswith("chat:b")] == [16, 33]

    async def test_thousands_of_broadcasts_do_not_hold_up_an_answer(self, store: Store) -> None:
        """The next call gives it."""
        for _ in range(4):
            await store.post([_broadcast(random_token(), f"chat:{random_token()}") for _ in range(250)])
        await store.post(_answers(1))

        assert await lanes(store, 1, Side.OUT) == ["chat:a000"]

    async def test_answer_takes_along_what_waits_before_it(self, store: Store) -> None:
        """Behind a broadcast to the same chat, an answer waits for that one only."""
        await store.post(_broadcasts(3))

        await store.post([reply("answer", "chat:b001")])

        assert await send_all(store) == ["b1", "answer", "b0", "b2"]

    async def test_broadcast_behind_an_answer_waits_for_answers(self, store: Store) -> None:
        """When the answer is sent, the lane is one of those that wait."""
        await store.post([reply("answer", "chat:x"), _broadcast("late", "chat:x"), *_answers(1)])

        assert await send_all(store) == ["answer", "a0", "late"]

    async def test_broadcast_that_waited_is_behind_answers_again(self, store: Store, clock: TurnedClock) -> None:
        """A delay does not make an answer of it, nor does a lease that was given back."""
        await store.post(_broadcasts(2))
        held = await lease(store, Side.OUT)
        await store.settle(held.lane, held.token, Wait(delay_ms=1_000, reason="later"))
        given = await lease(store, Side.OUT)
        await store.release(Side.OUT, given.lane, given.token)
        clock.advance(seconds=2)
        await store.post(_answers(2))

        assert set((await send_all(store))[:2]) == {"a0", "a1"}

    async def test_broadcast_that_gives_way_is_overtaken_by_an_answer(self, store: Store) -> None:
        """At once; broadcasts keep their order among themselves, and nothing is lost."""
        await store.post([_broadcast(f"b{number}", "chat:x") for number in range(3)])
        await store.post([reply("a1", "chat:x"), reply("a2", "chat:x")])
        held = await lease(store, Side.OUT)

        assert await store.settle(held.lane, held.token, Wait(delay_ms=60_000, reason="flagged", gives_way=True))

        assert await send_all(store) == ["a1", "b0", "b1", "b2", "a2"]
        assert (await store.stats()).outbox == 0
        assert await store.sweep() == 0

    async def test_trouble_of_what_gave_way_is_not_the_answers(self, store: Store) -> None:
        """What was tried before counts for nothing that was not tried."""
        await store.post([_broadcast("b", "chat:x"), reply("a", "chat:x")])
        held = await lease(store, Side.OUT)
        await store.settle(held.lane, held.token, Wait(delay_ms=0, reason="busy", burn=True, use_plain=True))
        held = await lease(store, Side.OUT)
        await store.settle(held.lane, held.token, Wait(delay_ms=60_000, reason="flagged", gives_way=True))

        held = await lease(store, Side.OUT)

        assert held.reply is not None
        assert (held.reply.key, held.attempts, held.use_plain) == ("a", 0, False)

    async def test_broadcast_without_an_answer_behind_it_just_waits(self, store: Store, clock: TurnedClock) -> None:
        """Other broadcasts wait behind it."""
        await store.post([_broadcast("b0", "chat:x"), _broadcast("b1", "chat:x")])
        held = await lease(store, Side.OUT)
        await store.settle(held.lane, held.token, Wait(delay_ms=60_000, reason="flagged", gives_way=True))

        early = await nothing(store, Side.OUT)
        clock.advance(seconds=61)

        assert early
        assert await send_all(store) == ["b0", "b1"]

    async def test_answer_does_not_wait_for_the_budget_of_broadcasts(self, open_again: Opener) -> None:
        """Neither when it stands behind one that has used up its share, nor when it comes to one that waits for it."""
        store = await open_again(Limits(line_day_budget=5))
        await store.post([_broadcast(f"b{number}", "chat:x") for number in range(5)])
        assert await send_all(store) == ["b0", "b1", "b2", "b3"]

        await store.post([reply("late", "chat:x")])

        assert await send_all(store) == ["late"]

    async def test_answer_behind_broadcasts_without_budget_goes_first(self, open_again: Opener) -> None:
        """In the same call that finds no budget for them."""
        store = await open_again(Limits(line_day_budget=5))
        await store.post([_broadcast(f"s{number}", f"chat:{number}") for number in range(4)])
        await send_all(store)
        await store.post([_broadcast("b0", "chat:x"), _broadcast("b1", "chat:x"), reply("a", "chat:x")])

        assert await send_all(store) == ["a"]
        assert (await store.stats()).outbox == 2

    async def test_answer_that_joins_a_paused_broadcast_goes_at_once(self, store: Store) -> None:
        """The broadcast goes on when its time is over, or when the answer is sent."""
        await store.post([_broadcast("b", "chat:x")])
        held = await lease(store, Side.OUT)
        await store.settle(held.lane, held.token, Wait(delay_ms=60_000, reason="flagged", gives_way=True))

        await store.post([reply("a", "chat:x")])

        assert await send_all(store) == ["a", "b"]

    async def test_answer_waits_behind_a_broadcast_that_may_have_arrived(
        self, store: Store, clock: TurnedClock
    ) -> None:
        """What was tried keeps its place."""
        await store.post([_broadcast("b", "chat:x")])
        held = await lease(store, Side.OUT)
        await store.settle(held.lane, held.token, Wait(delay_ms=60_000, reason="no answer", ambiguous=True))
        await store.post([reply("a", "chat:x")])
        early = await nothing(store, Side.OUT)
        clock.advance(seconds=61)

        assert early
        assert await send_all(store) == ["b", "a"]

    async def test_frozen_broadcasts_are_broadcasts(self, store: Store) -> None:
        """A turn may make some, too."""
        await freeze(store, *_broadcasts(1), *_answers(1))

        assert await send_all(store) == ["a0", "b0"]

    async def test_healthy_store_of_broadcasts_needs_no_repair(self, store: Store) -> None:
        """They are ready like others."""
        await store.post([*_broadcasts(3), *_answers(3)])

        assert await store.sweep() == 0
        assert len(await send_all(store)) == 6

    async def test_line_has_a_pace(self, open_again: Opener, clock: TurnedClock) -> None:
        """As many as its budget over all its chats, the rest when the window has moved on."""
        store = await open_again(Limits(line_budget=3, line_window_ms=10_000))
        await store.post(_answers(5))
        first = await send_all(store)
        clock.advance(seconds=9)
        early = await send_all(store)
        clock.advance(seconds=2)

        assert (len(first), early, len(await send_all(store))) == (3, [], 2)

    async def test_line_has_a_budget_of_a_day(self, open_again: Opener, clock: TurnedClock) -> None:
        """In any 24 hours; what comes back comes at most ten minutes late."""
        store = await open_again(Limits(line_day_budget=4))
        await store.post(_answers(6))
        first = await send_all(store)
        clock.advance(hours=23, minutes=59)
        early = await send_all(store)
        clock.advance(minutes=11)

        assert (len(first), early, len(await send_all(store))) == (4, [], 2)

    async def test_no_day_holds_more_than_the_budget(self, open_again: Opener, clock: TurnedClock) -> None:
        """However the sends are spread."""
        store = await open_again(Limits(line_day_budget=5))
        times: list[int] = []
        for number in range(60):
            await store.post([reply(f"k{number}", f"chat:{number}")])
            held = (await store.lease(Side.OUT, [random_token()])).taken
            for one in held:
                times.append(one.now_ms)
                await store.settle(one.lane, one.token, Sent())
            clock.advance(minutes=47)

        assert len(times) > 8
        assert min(later - first for first, later in zip(times, times[5:], strict=False)) >= 24 * 3_600_000

    async def test_lines_have_budgets_of_their_own(self, open_again: Opener) -> None:
        """And a reply of no known line has none."""
        store = await open_again(Limits(line_budget=1, line_day_budget=1))
        await store.post([*_answers(2), reply("other", "chat:o", line="line-2")])
        await store.post([reply(f"free{number}", f"chat:f{number}", line="") for number in range(3)])

        assert set(await send_all(store)) == {"a0", "other", "free0", "free1", "free2"}

    @pytest.mark.parametrize("dead", [False, True])
    @pytest.mark.parametrize("kind", ["budget", "line_budget", "line_day_budget"])
    async def test_what_made_no_request_costs_nothing(self, open_again: Opener, *, kind: str, dead: bool) -> None:
        """Neither of the pair nor of the line nor of the day."""
        store = await open_again(replace(Limits(), **{kind: 2}))
        for _ in range(5):
            if dead or not (await store.stats()).outbox:
                await store.post(_answers(1, pair=PAIR))
            held = await lease(store, Side.OUT)
            wait = Wait(delay_ms=0, reason="flagged", paid_ms=held.now_ms)
            end = Dead(letter=letter("a0", "reply"), paid_ms=held.now_ms)
            assert await store.settle(held.lane, held.token, end if dead else wait)
        await store.post([reply(f"x{number}", f"chat:x{number}", pair=PAIR) for number in range(4)])

        assert len(await send_all(store)) == 2

    async def test_what_was_paid_by_others_is_not_given_back(self, open_again: Opener) -> None:
        """Only the units of the one that made no request."""
        store = await open_again(Limits(budget=3, line_budget=3))
        await store.post(_answers(2, pair=PAIR))
        sent, unsent = (await store.lease(Side.OUT, [random_token(), random_token()])).taken
        await store.settle(sent.lane, sent.token, Sent())
        for _ in range(2):  # the second is refused
            await store.settle(unsent.lane, unsent.token, Dead(letter=letter("a1", "reply"), paid_ms=unsent.now_ms))
        await store.post([reply(f"x{number}", f"chat:x{number}", pair=PAIR) for number in range(4)])

        assert len(await send_all(store)) == 2

    @pytest.mark.parametrize("kind", ["budget", "line_budget", "line_day_budget"])
    async def test_all_that_was_paid_is_given_back(self, open_again: Opener, clock: TurnedClock, *, kind: str) -> None:
        """Also when others paid less since."""
        store = await open_again(replace(Limits(), **{kind: 4}))
        await store.post([reply("large", "chat:large", pair=PAIR, units=3), *_answers(1, pair=PAIR)])
        large = await lease(store, Side.OUT)
        clock.advance(milliseconds=5)
        small = await lease(store, Side.OUT)
        await store.settle(small.lane, small.token, Sent())
        await store.settle(large.lane, large.token, Dead(letter=letter("large", "reply"), paid_ms=large.now_ms))
        await store.post([reply(f"x{number}", f"chat:x{number}", pair=PAIR) for number in range(6)])

        assert len(await send_all(store)) == 3

    async def test_late_word_gives_nothing_back(self, open_again: Opener, clock: TurnedClock) -> None:
        """After the lease what it spent may have left the window, and what others spent must not be taken for it."""
        store = await open_again(Limits(budget=4, budget_window_ms=20_000))
        await store.post([reply("large", "chat:large", pair=PAIR, units=4)])
        large = await lease(store, Side.OUT)
        clock.advance(seconds=21)
        await store.post(_answers(1, pair=PAIR))
        await send_all(store)
        clock.advance(seconds=10)

        assert await store.settle(large.lane, large.token, Dead(letter=letter("large", "reply"), paid_ms=large.now_ms))
        await store.post([reply(f"x{number}", f"chat:x{number}", pair=PAIR) for number in range(9)])

        assert len(await send_all(store)) == 3

    async def test_what_has_left_its_window_is_not_given_back(self, open_again: Opener, clock: TurnedClock) -> None:
        """A lease may outlast the window, too: then it is back by itself, and what others spent since stays spent."""
        store = await open_again(Limits(line_budget=2, line_window_ms=20_000, line_day_budget=4))
        await store.post(_answers(1))
        held = await lease(store, Side.OUT)
        clock.advance(seconds=21)
        await store.post([reply(f"x{number}", f"chat:x{number}") for number in range(4)])
        assert len(await send_all(store)) == 2

        await store.settle(held.lane, held.token, Wait(delay_ms=0, reason="rested", paid_ms=held.now_ms))

        assert await send_all(store) == []
        clock.advance(seconds=21)
        assert len(await send_all(store)) == 2

    async def test_all_budgets_are_spent_or_none(self, open_again: Opener) -> None:
        """A reply whose pair has nothing left spends nothing of its line."""
        store = await open_again(Limits(budget=1, line_budget=3, line_window_ms=3_600_000))
        await store.post(_answers(4, pair=PAIR))
        first = await send_all(store)
        for number in range(5):
            assert await nothing(store, Side.OUT), number
        await store.post([reply(f"x{number}", f"chat:x{number}") for number in range(3)])

        assert (len(first), await send_all(store)) == (1, ["x0", "x1"])

    async def test_lane_waits_until_all_budgets_have_room(self, open_again: Opener) -> None:
        """The longest of them counts."""
        store = await open_again(Limits(budget=1, line_budget=1, line_window_ms=3_600_000))
        await store.post(_answers(2, pair=PAIR))
        await send_all(store)

        next_ms = (await store.lease(Side.OUT, [random_token()])).next_ms

        assert next_ms is not None
        assert 3_500_000 < next_ms <= 3_600_000

    async def test_repeated_lease_spends_a_line_once(self, open_again: Opener) -> None:
        """A lost answer is asked for again without paying again."""
        store = await open_again(Limits(line_budget=2, line_day_budget=2))
        await store.post(_answers(3))
        token = random_token()
        for _ in range(3):
            (held,) = (await store.lease(Side.OUT, [token])).taken
        await store.settle(held.lane, held.token, Sent())

        assert len(await send_all(store)) == 1

    async def test_free_actions_spend_nothing_of_a_line(self, open_again: Opener) -> None:
        """0 units pass."""
        store = await open_again(Limits(line_budget=1, line_day_budget=1))
        await store.post([reply(f"k{number}", f"chat:{number}", units=0) for number in range(4)])

        assert len(await send_all(store)) == 4

    async def test_broadcasts_leave_a_fifth_to_answers(self, open_again: Opener) -> None:
        """Of the window and of the day alike."""
        for limits in (Limits(line_budget=5), Limits(line_day_budget=5)):
            store = await open_again(limits, namespace="other" if limits.line_budget else "contract")
            await store.post(_broadcasts(9))
            sent = await send_all(store)
            await store.post(_answers(3))

            assert (len(sent), await send_all(store)) == (4, ["a0"])

    async def test_smallest_pace_lets_a_broadcast_pass(self, open_again: Opener) -> None:
        """Four fifths of one are one."""
        store = await open_again(Limits(line_budget=1))
        await store.post(_broadcasts(1))

        assert await send_all(store) == ["b0"]
