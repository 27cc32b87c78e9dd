"""What a Linq remembers: lines, chats, messages, subscriptions, and what reached whose phone. All in memory, all bounded.

Entities change in place; whoever holds one sees its newest state. Nothing here decides or sends.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from linqbot.emulator.names import Names

Json = dict[str, Any]

LINES = ("+12025550100", "+12025550101")
"""The lines that exist from the start (design.md section 9)."""

KEPT_MESSAGES = 200_000
"""Messages kept; the oldest go first, with their idempotency keys."""


@dataclass(slots=True, eq=False, kw_only=True)
class Line:
    """A number of ours."""

    id: str
    phone: str = field(repr=False)


@dataclass(slots=True, eq=False, kw_only=True)
class Person:
    """Somebody in a chat; our line is a person too (`ChatHandle`, linq-api-v3.md section 5)."""

    id: str
    handle: str = field(repr=False)
    is_me: bool
    service: str
    joined_ms: int


@dataclass(slots=True, eq=False, kw_only=True)
class Chat:
    """A conversation of one line with one or more people."""

    id: str
    line: str = field(repr=False)
    me: Person
    others: tuple[Person, ...]
    service: str
    created_ms: int
    updated_ms: int
    health: str = "HEALTHY"
    health_ms: int
    messages: deque[Message] = field(default_factory=deque, repr=False)
    recent_sends: deque[int] = field(default_factory=deque, repr=False)

    @property
    def is_group(self) -> bool:
        """Whether there is more than one other person."""
        return len(self.others) > 1


@dataclass(slots=True, eq=False, kw_only=True)
class Message:
    """A message in a chat, theirs or ours."""

    id: str
    chat: Chat
    sender: Person
    parts: list[Json] = field(repr=False)
    created_ms: int
    updated_ms: int
    trace_id: str
    status: str = "pending"
    effect: Json | None = None
    reply_to: Json | None = None
    service: str | None = None
    preferred_service: str | None = None
    idempotency_key: str | None = None
    sent_ms: int | None = None
    delivered_ms: int | None = None
    read_ms: int | None = None


@dataclass(slots=True, eq=False, kw_only=True)
class Subscription:
    """Who wants which events; `secret` signs them."""

    id: str
    target_url: str
    secret: str = field(repr=False)
    version: str
    events: tuple[str, ...]
    phone_numbers: tuple[str, ...] | None = field(default=None, repr=False)
    is_active: bool = True
    created_ms: int
    updated_ms: int
    routing_key_header: str | None = None
    routing_id_header: str | None = None

    def wants(self, event_type: str, line: str | None) -> bool:
        """Whether an event of a line goes to this subscription now."""
        if not self.is_active or event_type not in self.events:
            return False
        return not self.phone_numbers or line is None or line in self.phone_numbers


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """A message of ours on somebody's phone: what a transcript is made of."""

    to: str = field(repr=False)
    message_id: str
    chat_id: str
    parts: tuple[Json, ...] = field(repr=False)
    reply_to: Json | None
    effect: Json | None
    idempotency_key: str | None
    at: str


@dataclass(frozen=True, slots=True)
class KeptAnswer:
    """The first answer under an idempotency key, and the digest of the request that got it."""

    body: bytes = field(repr=False)
    digest: bytes


class World:
    """Everything at once, with the indexes that keep each look-up at constant cost."""

    def __init__(self, names: Names, *, lines: Iterable[str] = LINES, kept: int = KEPT_MESSAGES) -> None:
        self._names = names
        self._lines = tuple(lines)
        self._kept = kept
        self.clear()

    def clear(self) -> None:
        """Forget everything but the lines."""
        self.lines = {phone: Line(id=self._names.uuid(), phone=phone) for phone in self._lines}
        self.chats: dict[str, Chat] = {}
        self._chats_by_members: dict[tuple[str, frozenset[str]], Chat] = {}
        self._chats_by_handle: dict[str, list[Chat]] = {}
        self.messages: dict[str, Message] = {}
        self._message_order: deque[Message] = deque()
        self.answers: dict[str, KeptAnswer] = {}
        self.subscriptions: dict[str, Subscription] = {}
        self.heard: deque[Heard] = deque(maxlen=self._kept)
        self.opted_out: dict[str, list[Chat]] = {}
        self.counters: Counter[str] = Counter()

    def chat_of(self, line: str, others: frozenset[str]) -> Chat | None:
        """The chat of a line with exactly these people."""
        return self._chats_by_members.get((line, others))

    def chats_with(self, handle: str) -> list[Chat]:
        """The chats somebody is in, oldest first; `handle` may be a line."""
        return self._chats_by_handle.get(handle, [])

    def add_chat(self, line: str, others: Iterable[str], *, service: str, now_ms: int) -> Chat:
        """Open a chat."""
        me, *rest = [
            Person(id=self._names.uuid(), handle=handle, is_me=handle == line, service=service, joined_ms=now_ms)
            for handle in (line, *dict.fromkeys(others))
        ]
        chat = Chat(
            id=self._names.uuid(),
            line=line,
            me=me,
            others=tuple(rest),
            service=service,
            created_ms=now_ms,
            updated_ms=now_ms,
            health_ms=now_ms,
        )
        self.chats[chat.id] = chat
        self._chats_by_members[line, frozenset(person.handle for person in rest)] = chat
        for person in (me, *rest):
            self._chats_by_handle.setdefault(person.handle, []).append(chat)
        return chat

    def add_message(self, message: Message) -> None:
        """Put a message into its chat; the oldest of all is forgotten when there are too many."""
        self.messages[message.id] = message
        message.chat.messages.append(message)
        self._message_order.append(message)
        if len(self._message_order) > self._kept:
            self._forget(self._message_order.popleft())

    def add_heard(self, message: Message, at: str) -> None:
        """Put a message of ours on the phones of the others in its chat."""
        for person in message.chat.others:
            self.heard.append(
                Heard(
                    to=person.handle,
                    message_id=message.id,
                    chat_id=message.chat.id,
                    parts=tuple(message.parts),
                    reply_to=message.reply_to,
                    effect=message.effect,
                    idempotency_key=message.idempotency_key,
                    at=at,
                )
            )

    def subscribers(self, event_type: str, line: str | None) -> Iterator[Subscription]:
        """Who gets an event of a line."""
        return (one for one in self.subscriptions.values() if one.wants(event_type, line))

    def _forget(self, message: Message) -> None:
        # choices.KEY_LIFETIME
        del self.messages[message.id]
        message.chat.messages.popleft()
        if message.idempotency_key is not None:
            self.answers.pop(message.idempotency_key, None)
