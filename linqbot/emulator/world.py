"""What a Linq remembers: its entities with the ways to find them, and what reached whose phone. In memory and bounded."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from linqbot.emulator.entities import Chat, Json, Line, Message, Person, Subscription
from linqbot.emulator.names import Names

LINES = ("+12025550100", "+12025550101")
"""The lines that exist from the start (design.md section 9)."""

KEPT_MESSAGES = 200_000
"""Messages kept; the oldest go first, with their idempotency keys."""

KEPT_DEEDS = 20_000


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
    """The first answer under an idempotency key, the digest of the request that got it, and what it made."""

    status: int
    body: bytes = field(repr=False)
    digest: bytes
    message: Message


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A handle that was blocked."""

    handle: str = field(repr=False)
    reason: str | None = field(repr=False)
    at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """Where somebody is, as they share it with a line."""

    handle: str = field(repr=False)
    longitude: float = field(repr=False)
    latitude: float = field(repr=False)
    began_ms: int
    updated_ms: int
    ends_ms: int | None = None


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
        self.deeds: deque[Json] = deque(maxlen=KEPT_DEEDS)
        self.seen: deque[Heard | Json] = deque(maxlen=self._kept)
        self.opted_out: dict[str, list[Chat]] = {}
        self.blocked: dict[str, Block] = {}
        self.services: dict[str, tuple[str, ...]] = {}
        self.shares: dict[tuple[str, str], Share] = {}
        self.windows: dict[str, deque[int]] = {}
        self.counters: Counter[str] = Counter()
        self._ticks = 0

    def tick(self) -> int:
        """A number larger than all before, to tell what was used more recently."""
        self._ticks += 1
        return self._ticks

    def chat_of(self, line: str, others: frozenset[str]) -> Chat | None:
        """The newest chat of a line with exactly these people."""
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
            is_group=len(rest) > 1,
            created_ms=now_ms,
            updated_ms=now_ms,
            health_ms=now_ms,
        )
        self.chats[chat.id] = chat
        self._chats_by_members[line, frozenset(person.handle for person in rest)] = chat
        for person in (me, *rest):
            self._chats_by_handle.setdefault(person.handle, []).append(chat)
        return chat

    def add_member(self, chat: Chat, handle: str, now_ms: int) -> Person:
        """Let somebody into a group."""
        person = Person(id=self._names.uuid(), handle=handle, is_me=False, service=chat.service, joined_ms=now_ms)
        self._regroup(chat, (*chat.others, person))
        self._chats_by_handle.setdefault(handle, []).append(chat)
        return person

    def remove_member(self, chat: Chat, person: Person, *, status: str, now_ms: int) -> None:
        """Let somebody out of a group; our line, too."""
        person.status, person.left_ms = status, now_ms
        chat.was_changed = True
        if not person.is_me:
            chat.gone = (*chat.gone, person)
            self._regroup(chat, tuple(one for one in chat.others if one is not person))

    def _regroup(self, chat: Chat, others: tuple[Person, ...]) -> None:
        if self._chats_by_members.get((chat.line, chat.handles)) is chat:
            del self._chats_by_members[chat.line, chat.handles]
        chat.others, chat.was_changed = others, True
        same = self.chat_of(chat.line, chat.handles)
        if same is None or not same.is_reusable:  # one that never changed goes on being these people's chat
            self._chats_by_members[chat.line, chat.handles] = chat

    def add_message(self, message: Message) -> None:
        """Put a message into its chat; the oldest of all is forgotten when there are too many."""
        self.messages[message.id] = message
        message.chat.messages.append(message)
        self._message_order.append(message)
        if len(self._message_order) > self._kept:
            self._forget(self._message_order.popleft())

    def delete_message(self, message: Message) -> None:
        """Forget the record of a message; phones keep theirs, and its idempotency key stays used."""
        message.is_deleted = True
        message.chat.messages.remove(message)

    def add_deed(self, deed: str, chat: Chat, at: str, **more: object) -> None:
        """Note something our line did besides sending messages."""
        done: Json = {"deed": deed, "chat_id": chat.id, "at": at} | more
        self.deeds.append(done)
        self.seen.append(done)

    def add_heard(self, message: Message, at: str) -> None:
        """Put a message of ours on the phones of the others in its chat; choices.TRANSCRIPT."""
        for person in message.chat.others:
            heard = Heard(
                to=person.handle,
                message_id=message.id,
                chat_id=message.chat.id,
                parts=tuple(message.parts),
                reply_to=message.reply_to,
                effect=message.effect,
                idempotency_key=message.idempotency_key,
                at=at,
            )
            self.heard.append(heard)
            self.seen.append(heard)

    def subscribers(self, event_type: str, line: str | None) -> Iterator[Subscription]:
        """Who gets an event of a line."""
        return (one for one in self.subscriptions.values() if one.wants(event_type, line))

    def _forget(self, message: Message) -> None:
        # choices.KEY_LIFETIME
        del self.messages[message.id]
        if not message.is_deleted:
            message.chat.messages.popleft()
        if message.idempotency_key is not None:
            self.answers.pop(message.idempotency_key, None)
