"""a leased receipt -> Delivery, or none. Whose message it is, whether it is news, and whether to wait for the answer.

Webhooks overtake each other and our own HTTP answer. A status is told once, and never after one that is further on: what
was told last is kept as a fact about the message, for as long as the sent index knows it.
"""

from __future__ import annotations

from collections.abc import Iterable

from linqbot.events import Event
from linqbot.handling.delivery import RANK, Delivery, delivery_of, message_of, status_of
from linqbot.handling.route import Route
from linqbot.handling.turn import Port
from linqbot.ids import fact_key, is_own_key
from linqbot.protocol.parking import NotYet, await_ms
from linqbot.records import Fact, Lease, SentRecord

TOLD_MS = 24 * 3_600_000
"""How long it is known what was told of a message: as long as the sent index knows the message."""


class News:
    """What handlers hear of what became of the bot's messages."""

    def __init__(self, routes: Iterable[Route]) -> None:
        self._routes = tuple(route for route in routes if route.condition.delivery)
        self._names = frozenset(route.name for route in self._routes)

    async def of(self, lease: Lease, event: Event, port: Port) -> Delivery | None:
        """What the handlers are to hear; None: nothing, or nobody listens.

        What replies of these handlers come to is not told: they would answer their own answers for ever. Raises `NotYet`
        while the answer that says whose message it is may be on its way, for 20 seconds.
        """
        hearing = [route for route in self._routes if event.type in route.types]
        if not hearing:
            return None
        message_id = message_of(event)
        record = None if message_id is None else await port.sent(message_id)
        if not _is_ours(event, record, lease) or (record is not None and record.handler in self._names):
            return None
        delivery = delivery_of(event, record)
        heard = any(route.condition.hears(delivery) for route in hearing)
        return delivery if heard and await _is_new(event, record, port) else None


def _is_ours(event: Event, record: SentRecord | None, lease: Lease) -> bool:
    """Whether it is about a message of the bot's, as far as can be known: only failures come without a key."""
    if record is not None:
        return True
    key = getattr(event, "idempotency_key", None)
    if key is not None and not is_own_key(key):
        return False
    if message_of(event) is not None and (delay_ms := await_ms(lease)) is not None:
        raise NotYet(delay_ms)
    return key is not None or status_of(event) == "failed"


async def _is_new(event: Event, record: SentRecord | None, port: Port) -> bool:
    """Whether the message is further on than the handlers heard; a run that is made again is not held up by itself."""
    message_id, status = message_of(event), status_of(event)
    if message_id is None:
        return True
    if status == "failed" and record is not None and RANK.get(record.status, 0) > RANK["failed"]:
        return False
    key, own = fact_key("told", message_id), event.event_id.encode()
    told = (await port.facts((key,))).get(key)
    if told is not None and told.value != own and told.rank >= RANK[status]:
        return False
    await port.learn((Fact(key=key, value=own, rank=RANK[status], ttl_ms=TOLD_MS),))
    return True
