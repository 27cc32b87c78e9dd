"""Send -> OutboxItems in the store. What a script posts outside of any turn; the dispatchers of all processes send it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

import structlog

from linqbot.clock import Clock
from linqbot.errors import StoreUnavailable
from linqbot.protocol.proactive import begin, chat_fact, chat_in, script
from linqbot.records import Accepted
from linqbot.replies import Send, Upload
from linqbot.replies.uploading import uploads_of, with_uploads
from linqbot.store.base import Knowledge, Outbox

log = structlog.get_logger("linqbot.postbox")


Carry = Callable[[Upload], Awaitable[str]]
"""Brings a file to Linq and gives its id there: `client.uploads.Uploader.upload`."""


class Posted(Outbox, Knowledge, Protocol):
    """The slice of the store that a postbox asks for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Queued:
    """What became of `bot.send`: the message is in the store, now or since an earlier call."""

    new: bool
    """Whether this call stored it; False: it was stored under this key before, and is sent, on its way, or was refused."""
    keys: tuple[str, ...]
    """The idempotency key of each bubble, as in the logs and the dead letters."""


class Postbox:
    """Takes messages that no handler caused; `line` is where they leave from unless they say so."""

    def __init__(self, store: Posted, upload: Carry, *, clock: Clock, namespace: str, line: str | None) -> None:
        self._store = store
        self._upload = upload
        self._clock = clock
        self._namespace = namespace
        self._line = line

    async def take(self, send: Send) -> Queued:
        """Store a keyed message, all its bubbles or none, unless its key is known. A repeat changes nothing.

        Its files are brought to Linq before. Raises `ReplyError` for what Linq would refuse, `StoreUnavailable` when the
        outbox is full or the store away, and what an upload raises.
        """
        send = await self._with_uploads(send)
        fact = chat_fact(send, self._line)
        known = {} if fact is None else await self._store.facts([fact])
        cause = script(self._namespace, send, line=self._line, now_ms=self._clock.now_ms())
        items = begin(send, cause, chat_id=chat_in(known, send, self._line))
        accepted = await self._store.post(items)
        if accepted is Accepted.FULL:
            raise StoreUnavailable("the outbox is full, nothing was stored; send it again later, under the same key")
        new = accepted is Accepted.ACCEPTED
        log.info("message queued" if new else "message was queued before", event_id=cause.event_id, bubbles=len(items))
        return Queued(new=new, keys=tuple(item.key for item in items))

    async def _with_uploads(self, send: Send) -> Send:
        ids = iter([await self._upload(file) for file in uploads_of(send)])
        carried = with_uploads(send, ids)
        assert isinstance(carried, Send), "the kind of an answer stays"
        return carried
