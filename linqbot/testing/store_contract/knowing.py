"""facts -> told to whoever asks, and with the lease of what they guard; the last word wins."""

from __future__ import annotations

from dataclasses import replace

import pytest

from linqbot.records import Accepted, Arrival, Dead, Limits, Sent, Side, Wait
from linqbot.store.base import Store
from linqbot.testing.clock import TurnedClock
from linqbot.testing.store_contract.opening import Opener, StoreFixtures
from linqbot.testing.store_contract.samples import (
    arrival,
    event,
    fact,
    freeze,
    lease,
    letter,
    news,
    reply,
)


async def _value(store: Store, key: str = "k") -> bytes | None:
    """What is known under a key."""
    known = await store.facts([key])
    return known[key].value if key in known else None


class KnowledgeContract(StoreFixtures):
    """What guards and sends may rely on."""

    @pytest.mark.parametrize("value", [b"", b"x", bytes(range(256)) * 4], ids=["empty", "short", "binary"])
    async def test_what_is_learned_is_told(self, store: Store, value: bytes) -> None:
        """All of it, as it was learned."""
        learned = fact("opted-out:a", value, rank=1_700_000_000_000, ttl_ms=60_000)

        await store.learn([learned])

        assert await store.facts(["opted-out:a"]) == {"opted-out:a": learned}

    async def test_only_what_is_known_is_told(self, store: Store) -> None:
        """Unknown keys are left out; nobody's question has no answer."""
        await store.learn([fact("a"), fact("b"), fact("c")])

        assert set(await store.facts(["a", "nobody", "c"])) == {"a", "c"}
        assert await store.facts([]) == {}

    async def test_nothing_to_learn_is_no_trouble(self, store: Store) -> None:
        """An empty list changes nothing."""
        await store.learn([])

    async def test_one_call_learns_in_order(self, store: Store) -> None:
        """Of two words of one rank the later counts."""
        await store.learn([fact("k", b"first"), fact("other"), fact("k", b"second")])

        assert await _value(store) == b"second"

    async def test_higher_rank_stays(self, store: Store) -> None:
        """News that comes late changes nothing."""
        await store.learn([fact("k", b"new", rank=2)])

        await store.learn([fact("k", b"old", rank=1), fact("k", None, rank=1)])

        assert await _value(store) == b"new"

    @pytest.mark.parametrize("rank", [5, 6])
    async def test_last_word_of_no_lower_rank_wins(self, store: Store, rank: int) -> None:
        """Also at the same rank."""
        await store.learn([fact("k", b"old", rank=5)])

        await store.learn([fact("k", b"new", rank=rank)])

        assert await store.facts(["k"]) == {"k": fact("k", b"new", rank=rank)}

    async def test_ranks_below_nothing(self, store: Store) -> None:
        """A rank may be negative."""
        await store.learn([fact("k", b"new", rank=-1)])

        await store.learn([fact("k", b"old", rank=-2)])

        assert await _value(store) == b"new"

    async def test_forgotten_is_not_told(self, store: Store) -> None:
        """None ends what was known."""
        await store.learn([fact("k", rank=1)])

        await store.learn([fact("k", None, rank=2)])

        assert await store.facts(["k"]) == {}

    @pytest.mark.parametrize("ttl_ms", [0, 3_600_000])
    async def test_older_news_does_not_bring_back_what_was_forgotten(
        self, store: Store, clock: TurnedClock, ttl_ms: int
    ) -> None:
        """The rank of the forgetting counts on; newer news is news."""
        await store.learn([fact("k", None, rank=5, ttl_ms=ttl_ms)])
        clock.advance(minutes=50)
        await store.sweep()

        await store.learn([fact("k", b"old", rank=4)])
        before = await _value(store)
        await store.learn([fact("k", b"new", rank=6)])

        assert (before, await _value(store)) == (None, b"new")

    async def test_fact_ends_with_its_time(self, store: Store, clock: TurnedClock) -> None:
        """Not before, and then its rank is forgotten too."""
        await store.learn([fact("k", rank=9, ttl_ms=60_000)])
        clock.advance(seconds=55)
        early = await _value(store)
        clock.advance(seconds=6)
        late = await _value(store)

        await store.learn([fact("k", b"lower", rank=1)])

        assert (early, late, await _value(store)) == (b"something", None, b"lower")

    async def test_fact_learned_again_has_its_time_again(self, store: Store, clock: TurnedClock) -> None:
        """A repeat renews."""
        await store.learn([fact("k", ttl_ms=60_000)])
        clock.advance(seconds=50)
        await store.learn([fact("k", ttl_ms=60_000)])
        clock.advance(seconds=50)

        assert await _value(store) == b"something"

    async def test_fact_without_a_time_stays(self, store: Store, clock: TurnedClock) -> None:
        """Over any time and any sweep."""
        await store.learn([fact("k"), fact("passing", ttl_ms=1_000)])
        clock.advance(days=400)
        await store.sweep()

        assert set(await store.facts(["k", "passing"])) == {"k"}

    async def test_many_are_told_at_once(self, store: Store) -> None:
        """A turn may send to as many people as it likes."""
        await store.learn([fact("k-19999")])

        assert set(await store.facts(f"k-{number}" for number in range(20_000))) == {"k-19999"}

    async def test_facts_are_shared(self, open_again: Opener) -> None:
        """What one process learned another knows, and another namespace does not."""
        one, two = await open_again(), await open_again()
        await one.learn([fact("k")])

        assert await _value(two) == b"something"
        assert await _value(await open_again(namespace="other")) is None

    async def test_facts_outlive_the_store(self, open_again: Opener) -> None:
        """They are there at the next start."""
        store = await open_again()
        await store.learn([fact("k")])
        await store.__aexit__(None, None, None)

        assert await _value(await open_again()) == b"something"

    async def test_arrival_teaches(self, store: Store) -> None:
        """An event and what it tells beside are kept together."""
        told = replace(arrival("event-1"), learn=(fact("a"), fact("b")))

        assert await store.accept(told) is Accepted.ACCEPTED

        assert set(await store.facts(["a", "b"])) == {"a", "b"}
        assert (await store.stats()).inbox == 1

    async def test_arrival_may_only_teach(self, store: Store) -> None:
        """Neither an id nor an item is needed."""
        assert await store.accept(Arrival(learn=(fact("k"),))) is Accepted.ACCEPTED

        assert await _value(store) == b"something"

    async def test_duplicate_teaches_too(self, store: Store) -> None:
        """The same event may be told twice, the second time with more."""
        await store.accept(arrival("event-1"))

        answer = await store.accept(replace(arrival("event-1"), learn=(fact("k"),)))

        assert (answer, await _value(store)) == (Accepted.DUPLICATE, b"something")

    async def test_refused_arrival_teaches_nothing(self, open_again: Opener) -> None:
        """FULL changes nothing at all."""
        store = await open_again(Limits(lane_cap=1))
        await store.accept(arrival("event-1"))

        answer = await store.accept(Arrival(remember=("event-2",), item=event("event-2"), learn=(fact("k"),)))

        assert (answer, await _value(store)) == (Accepted.FULL, None)

    async def test_lease_tells_its_guards(self, store: Store) -> None:
        """What is known of those that the reply names, and nothing else."""
        known = fact("opted-out:a", rank=3)
        await store.learn([known, fact("line:other")])
        await freeze(store, reply("key-1", guards=("opted-out:a", "blocked:a")))

        held = await lease(store, Side.OUT)

        assert held.facts == {"opted-out:a": known}

    async def test_lease_of_an_unguarded_reply_tells_nothing(self, store: Store) -> None:
        """No guards, no facts."""
        await store.learn([fact("k")])
        await freeze(store, reply("key-1", guards=()))

        assert (await lease(store, Side.OUT)).facts == {}

    async def test_each_lease_tells_what_is_known_now(self, store: Store, clock: TurnedClock) -> None:
        """Learned, changed, forgotten and expired between the attempts."""
        await freeze(store, reply("key-1", guards=("k",)))
        told = []
        for value in (b"one", b"two", None):
            await store.learn([fact("k", value, ttl_ms=60_000)])
            held = await lease(store, Side.OUT)
            told.append(held.facts["k"].value if "k" in held.facts else None)
            await store.settle(held.lane, held.token, Wait(delay_ms=0, reason="later"))
        await store.learn([fact("k", ttl_ms=1_000)])
        clock.advance(seconds=2)

        assert told == [b"one", b"two", None]
        assert (await lease(store, Side.OUT)).facts == {}

    async def test_sent_reply_gives_its_id_to_its_names(self, store: Store, clock: TurnedClock) -> None:
        """Under each of them, with the time of the send as its rank, as long as the sent index knows it."""
        await freeze(store, reply("key-1", names=("text:a", "ref:a")))
        held = await lease(store, Side.OUT)

        await store.settle(held.lane, held.token, Sent(message_id="message-1"))

        known = await store.facts(["text:a", "ref:a"])
        assert {key: one.value for key, one in known.items()} == {"text:a": b"message-1", "ref:a": b"message-1"}
        assert known["text:a"].rank >= held.now_ms
        clock.advance(hours=24, seconds=1)
        assert await store.facts(["text:a", "ref:a"]) == {}

    async def test_name_tells_the_last_that_was_sent(self, store: Store) -> None:
        """The later message of a name replaces the earlier."""
        await freeze(store, reply("key-1", names=("text:a",)), reply("key-2", names=("text:a",)))
        for number in (1, 2):
            held = await lease(store, Side.OUT)
            await store.settle(held.lane, held.token, Sent(message_id=f"message-{number}"))

        assert await _value(store, "text:a") == b"message-2"

    async def test_later_reply_of_a_lane_is_told_the_name_of_the_earlier(self, store: Store) -> None:
        """A lane is a FIFO, so what refers to the bubble before finds its id in its lease."""
        await freeze(store, reply("key-1", names=("text:a",)), reply("key-2", guards=("text:a",)))
        held = await lease(store, Side.OUT)
        await store.settle(held.lane, held.token, Sent(message_id="message-1"))

        assert (await lease(store, Side.OUT)).facts["text:a"].value == b"message-1"

    async def test_reply_that_ends_without_an_id_names_nothing(self, store: Store) -> None:
        """Sent under an unknown id, or dead."""
        await freeze(store, reply("key-1", names=("k",)), reply("key-2", names=("k",)))
        for outcome in (Sent(), Dead(letter=letter("key-2", "reply"))):
            held = await lease(store, Side.OUT)
            await store.settle(held.lane, held.token, outcome)

        assert await store.facts(["k"]) == {}

    async def test_proven_reply_gives_its_id_to_its_names(self, store: Store) -> None:
        """A receipt that ends the head tells its id."""
        await freeze(store, reply("key-1", names=("k",)))

        await store.accept(news("key-1"))

        assert await _value(store) == b"message-1"

    async def test_reply_proven_while_leased_gives_its_id_when_it_ends(self, store: Store, clock: TurnedClock) -> None:
        """When the lease expires, and when its holder knows no id."""
        await freeze(store, reply("key-1", names=("one",)), reply("key-2", names=("two",)))
        await lease(store, Side.OUT)
        await store.accept(news("key-1"))
        clock.advance(seconds=31)
        held = await lease(store, Side.OUT)
        await store.accept(news("key-2", message_id="message-2"))
        await store.settle(held.lane, held.token, Sent())

        known = await store.facts(["one", "two"])
        assert {key: one.value for key, one in known.items()} == {"one": b"message-1", "two": b"message-2"}
