"""The run of a handler, as the handler sees it: what came, what was said before, and a way to do a thing once."""

from __future__ import annotations

import asyncio
import inspect
import json
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Any, Protocol, TypeVar, overload

from linqbot.events import Chat, Event, Message, MessageRef
from linqbot.records import Commit, Fact, Request, SentRecord, StateCell
from linqbot.replies import Upload

T = TypeVar("T")


class Port(Protocol):
    """What a turn may reach outside, under its lease; what writes raises `LeaseLost` when the lease is somebody else's."""

    async def note(self, name: str, value: bytes) -> bytes:
        """Keep a note about the event until it ends; the first value of a name wins and is returned."""
        ...

    async def freeze(self, commit: Commit) -> None:
        """Commit one bubble of a stream; the event goes on."""
        ...

    async def sent(self, message_id: str) -> SentRecord | None:
        """Which reply a message of ours was; None: none of ours, or forgotten."""
        ...

    async def facts(self, keys: Iterable[str]) -> Mapping[str, Fact]:
        """What is known under these keys; the others are left out."""
        ...

    async def learn(self, facts: Sequence[Fact]) -> None:
        """Keep facts; one of a lower rank than the known one changes nothing."""
        ...

    async def upload(self, upload: Upload) -> str:
        """Linq's id of a file; one that it has already is not uploaded again. Raises what the client does."""
        ...

    async def quoted(self, message_id: str, part_index: int) -> str | None:
        """The text of a part of a message, read back from Linq; None when that does not come soon."""
        ...

    async def load(self, keys: Iterable[str]) -> Mapping[str, StateCell]:
        """The stored state under these keys, absent ones left out."""
        ...

    def hint(self, request: Request) -> None:
        """Ask Linq for what is nice to have: nothing waits for it, it may come to nothing; those of a chat keep order."""
        ...


class Turn:
    """One run of a handler for one event. A run that fails is made again: `once` and `already_sent` tell it what was."""

    def __init__(
        self,
        *,
        event: Event,
        messages: tuple[Message, ...],
        already_sent: int,
        notes: Mapping[str, bytes],
        port: Port,
        log: Any,
    ) -> None:
        self.event = event
        """The event that is handled, of merged ones the newest."""
        self.messages = messages
        """The messages that this turn answers, oldest first; empty when the event is no message."""
        self.already_sent = already_sent
        """How many bubbles earlier runs of this event have frozen; they are sent, whatever this run does."""
        self.superseded = False
        """Whether newer messages have made this turn's answer stale."""
        self.log = log
        """A structlog logger that knows the event and the chat."""
        self._notes = notes
        self._port = port
        self._quoted: asyncio.Future[str | None] | None = None
        self._locks: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    @property
    def chat(self) -> Chat | None:
        """The chat of the event; None: it is about no chat."""
        return chat_of(self.event)

    async def quoted(self) -> str | None:
        """The text that the message answers in its thread; None: it quotes none, or it cannot be had now.

        Read from Linq when it is asked for, because texts are not kept here: within 3 seconds, and Linq forgets messages
        within a day. A repeat in the same run asks no more.
        """
        target = getattr(self.event, "reply_to", None)
        if not isinstance(target, MessageRef) or target.message_id is None:
            return None
        if self._quoted is None:
            self._quoted = asyncio.ensure_future(self._port.quoted(target.message_id, target.part_index))
        return await asyncio.shield(self._quoted)

    @overload
    async def once(self, key: str, fn: Callable[[], Awaitable[T]]) -> T: ...

    @overload
    async def once(self, key: str, fn: Callable[[], T]) -> T: ...

    async def once(self, key: str, fn: Callable[[], Any]) -> Any:
        """The result of `fn`, called once for this event: a run that comes later gets the stored result.

        The result must be JSON and comes back as JSON makes it (a tuple as a list). Stored before it is returned; a crash
        between `fn` and the store makes the next run call it again. The first stored result wins. Raises `TypeError` when
        the result is no JSON, and `LeaseLost` when another process has taken the chat over.
        """
        name = f"once:{key}"
        async with self._locks[name]:
            stored = self._notes.get(name)
            if stored is None:
                stored = await self._port.note(name, await _result(key, fn))
                self._notes = {**self._notes, name: stored}
        return json.loads(stored)


def chat_of(event: Event) -> Chat | None:
    """The chat that an event is about, as far as its webhook tells."""
    if event.chat is None and event.chat_id is not None:
        return Chat(id=event.chat_id)
    return event.chat


async def _result(key: str, fn: Callable[[], Any]) -> bytes:
    result = fn()
    if inspect.isawaitable(result):
        result = await result
    try:
        return json.dumps(result, separators=(",", ":")).encode()
    except (TypeError, ValueError) as error:
        raise TypeError(f"turn.once({key!r}) keeps its result as JSON, which {type(result).__name__} is not") from error
