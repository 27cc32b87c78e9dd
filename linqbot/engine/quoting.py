"""message id -> text. Reads a quoted message back from Linq, soon or not at all.

Only ids are kept here, and Linq keeps messages for a day at most (linq-api-v3.md section 9.5).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from linqbot.client.types import StoredMessage
from linqbot.clock import Clock
from linqbot.errors import LinqError
from linqbot.events import LinkPart, TextPart

log = structlog.get_logger("linqbot.quoting")

QUOTE_S = 3.0
"""How long a handler waits for a quoted text; a person waits behind it."""


class Quoting:
    """Reads texts back through `get`, which is `Client.messages.get`; call it for the text of a part of a message."""

    def __init__(self, get: Callable[[str], Awaitable[StoredMessage]], *, clock: Clock) -> None:
        self._get = get
        self._clock = clock

    async def __call__(self, message_id: str, part_index: int) -> str | None:
        """The text; None when the message is gone, the part is no text, or Linq does not answer in time."""
        reading = asyncio.ensure_future(self._get(message_id))
        alarm = asyncio.ensure_future(self._clock.sleep(QUOTE_S))
        try:
            await asyncio.wait((reading, alarm), return_when=asyncio.FIRST_COMPLETED)
            return _text(reading.result(), part_index) if reading.done() else None
        except LinqError as error:
            log.info("quoted message cannot be read", message_id=message_id, error=str(error))
            return None
        finally:
            alarm.cancel()
            reading.cancel()


def _text(message: StoredMessage, part_index: int) -> str | None:
    if not 0 <= part_index < len(message.parts):
        return None
    part = message.parts[part_index]
    return part.value if isinstance(part, TextPart | LinkPart) else None
