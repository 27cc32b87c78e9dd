"""What a Linq knows of: lines, people, chats, messages, reactions, polls, subscriptions.

Entities change in place; whoever holds one sees its newest state. Nothing here decides or sends.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]


@dataclass(slots=True, eq=False, kw_only=True)
class Line:
    """A number of ours; `sandbox` lines are shared ones, `zero_retention` ones keep no content."""

    id: str
    phone: str = field(repr=False)
    line_type: str = "iMessage"
    status: str = "ACTIVE"
    reputation: str = "HEALTHY"
    sandbox: bool = False
    zero_retention: bool = False
    forwarding_number: str | None = field(default=None, repr=False)
    last_used: int = 0
    wrote_to_it: set[str] = field(default_factory=set, repr=False)
    card: Card | None = None

    @property
    def may_send(self) -> bool:
        """Whether new activity is possible (linq-api-v3.md section 9.2)."""
        return self.status == "ACTIVE"


@dataclass(slots=True, eq=False, kw_only=True)
class Card:
    """The contact card of a line."""

    first_name: str = field(repr=False)
    last_name: str | None = field(default=None, repr=False)
    image_url: str | None = field(default=None, repr=False)


@dataclass(slots=True, eq=False, kw_only=True)
class Person:
    """Somebody in a chat; our line is a person too (`ChatHandle`, linq-api-v3.md section 5)."""

    id: str
    handle: str = field(repr=False)
    is_me: bool
    service: str
    joined_ms: int
    status: str = "active"
    left_ms: int | None = None


@dataclass(slots=True, eq=False, kw_only=True)
class Chat:
    """A conversation of one line with one or more people; `others` are there, `gone` were."""

    id: str
    line: str = field(repr=False)
    me: Person
    others: tuple[Person, ...]
    gone: tuple[Person, ...] = ()
    service: str
    is_group: bool
    created_ms: int
    updated_ms: int
    health: str = "HEALTHY"
    health_ms: int
    name: str | None = field(default=None, repr=False)
    icon: str | None = field(default=None, repr=False)
    background: Json | None = None
    was_changed: bool = False
    messages: deque[Message] = field(default_factory=deque, repr=False)

    @property
    def people(self) -> tuple[Person, ...]:
        """Everybody who is or was in it, our line first."""
        return (self.me, *self.others, *self.gone)

    @property
    def handles(self) -> frozenset[str]:
        """The handles of the others who are there."""
        return frozenset(person.handle for person in self.others)

    @property
    def was_left(self) -> bool:
        """Whether our line went away."""
        return self.me.left_ms is not None

    @property
    def is_reusable(self) -> bool:
        """Whether POST /v3/chats to the same people comes back to it (linq-api-v3.md section 7.1)."""
        return self.name is None and not self.was_changed and not self.was_left

    def member(self, handle: str) -> Person | None:
        """Somebody who is there, by handle; may be our line."""
        return next((person for person in (self.me, *self.others) if person.handle == handle), None)


@dataclass(slots=True, eq=False, kw_only=True)
class Reaction:
    """What somebody put on a part of a message."""

    id: str
    person: Person
    part_index: int
    type: str
    at_ms: int
    custom_emoji: str | None = field(default=None, repr=False)
    sticker: Json | None = field(default=None, repr=False)
    placement: Json | None = None


@dataclass(slots=True, eq=False, kw_only=True)
class Option:
    """One answer of a poll; `voters` maps who voted for it to when."""

    id: str
    text: str = field(repr=False)
    creator: Person
    voters: dict[str, int] = field(default_factory=dict, repr=False)


@dataclass(slots=True, eq=False, kw_only=True)
class Poll:
    """The answers of a poll; it has no title (linq-api-v3.md section 7)."""

    options: list[Option]

    def option(self, option_id: str) -> Option | None:
        """An answer by its id."""
        return next((option for option in self.options if option.id == option_id), None)


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
    reconciled_ms: int | None = None
    zero_retention: bool = False
    is_deleted: bool = False
    edits: int = 0
    reactions: list[Reaction] = field(default_factory=list, repr=False)
    poll: Poll | None = None

    @property
    def shown_parts(self) -> list[Json]:
        """The parts Linq still knows: none on a zero-retention line (choices.ZERO_RETENTION)."""
        return [] if self.zero_retention else self.parts

    def reactions_to(self, part_index: int) -> Iterator[Reaction]:
        """What was put on a part."""
        return (one for one in self.reactions if one.part_index == part_index)


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
    tokens: dict[str, str] = field(default_factory=dict, repr=False)
    """What the target answered with for a chat, by chat id; goes back with the chat's next webhook."""

    def wants(self, event_type: str, line: str | None) -> bool:
        """Whether an event of a line goes to this subscription now."""
        if not self.is_active or event_type not in self.events:
            return False
        return not self.phone_numbers or line is None or line in self.phone_numbers
