"""Send -> OutboxItems. How the bot begins: which request opens a chat, in which lane it waits, what may not be in it.

A chat that is known is written to like any other; if it turns out to be gone, the same message opens a new one. To somebody
new a message waits in a lane of line and recipients, which passes into the chat's lane once Linq says which chat it is.
Source of the wire: linq-api-v3.md sections 7.1 and 7.2.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from linqbot.errors import ReplyError
from linqbot.ids import fact_key, idempotency_key
from linqbot.protocol.first_message import may_open, opened, parted
from linqbot.protocol.guard import guards_of_broadcast, line_key
from linqbot.protocol.outbound import Answering, freeze
from linqbot.protocol.pieces import Showing
from linqbot.protocol.threading import Circumstances
from linqbot.records import DeadLetter, Fact, OutboxItem, Request
from linqbot.replies import Action, Reply, Send

NEW = "to:"
"""How lanes begin whose chat is not known yet; what follows is a digest, so that a lane can be logged."""

CHAT_OF_LANE = "lane"
"""Kind of the fact which chat such a lane became; its value is the chat's id."""

ANY_LINE = "any"
"""In place of the number of a line that is not known before Linq picks it: what leaves so has one pace together."""

_NOWHERE = "00000000-0000-0000-0000-000000000000"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """What makes a bot begin, and from where: a turn of a handler, or a script."""

    namespace: str
    event_id: str
    handler: str = ""
    position: int = 0
    """Of the `Send` in its turn."""
    line: str | None = None
    """The number to send from where the `Send` names none; None: Linq picks one."""
    now_ms: int


def script(namespace: str, send: Send, *, line: str | None, now_ms: int) -> Cause:
    """The cause of a send that no handler made; its key names it, hashed."""
    return Cause(namespace=namespace, event_id=fact_key("send", send.key or ""), line=line, now_ms=now_ms)


def lane_of(send: Send, line: str | None = None) -> str:
    """The lane of a send as long as nothing more is known: the chat's, or that of line and recipients.

    `line` is the number to send from where the send names none.
    """
    if send.chat_id is not None:
        return f"chat:{send.chat_id}"
    return fact_key(NEW[:-1], send.line or line or "", *send.recipients)


def chat_fact(send: Send, line: str | None = None) -> str | None:
    """The key under which it is known which chat these recipients have with this line; None: the send names its chat."""
    return None if send.chat_id is not None else fact_key(CHAT_OF_LANE, lane_of(send, line))


def chat_in(facts: Mapping[str, Fact], send: Send, line: str | None = None) -> str | None:
    """The chat that the recipients are known to have, out of what is known; None: it is not."""
    fact = facts.get(chat_fact(send, line) or "")
    return None if fact is None or fact.value is None else fact.value.decode()


def begin(send: Send, cause: Cause, *, chat_id: str | None = None) -> tuple[OutboxItem, ...]:
    """The frozen bubbles of a send, in order; `chat_id` is the chat that its recipients are known to have.

    Keys depend on the send and its key alone, not on what is known. Raises `ReplyError` for what Linq would refuse.
    """
    way = _Way(send, cause)
    if send.chat_id is not None:
        return tuple(way.item(item, lane=item.lane) for item in way.bubbles(send.replies, send.chat_id))
    said = tuple(one for one in send.replies if isinstance(one, Reply))  # all of them: actions need a chat's id
    replies = said if way.line is None else parted(said, way.showing)
    items = way.bubbles(replies, chat_id or _NOWHERE)
    if chat_id is not None:
        return tuple(way.known(item, first=index == 0) for index, item in enumerate(items))
    return tuple(way.new(items))


def letter_of(send: Send, cause: Cause, error: ReplyError) -> DeadLetter:
    """The dead letter of a send that a handler returned and that cannot be sent."""
    return DeadLetter(
        id=idempotency_key(cause.namespace, _name(send, cause), "", 0),
        kind="reply",
        reason=f"a send of handler {cause.handler!r}: {error}",
        lane=lane_of(send, cause.line),
        event_id=cause.event_id,
        handler=cause.handler,
        at_ms=cause.now_ms,
    )


class _Way:
    """From a send to its requests."""

    def __init__(self, send: Send, cause: Cause) -> None:
        self._send = send
        self._cause = cause
        self.line = send.line or (cause.line if send.chat_id is None else None)
        self._around = Circumstances(is_group=len(send.recipients) > 1)
        self.showing = Showing(mentions=self._around.is_group)

    def bubbles(self, replies: Iterable[Reply | Action], chat_id: str) -> list[OutboxItem]:
        """The bubbles as messages of a chat, under the keys of this send; nothing is threaded on what caused them."""
        cause = self._cause
        name = _name(self._send, cause)
        frozen = freeze(
            replies,
            Answering(
                namespace=cause.namespace,
                event_id=name,
                handler="",
                chat_id=chat_id,
                thread="never",
                around=self._around,
                now_ms=cause.now_ms,
            ),
        )
        if frozen.dead:
            raise ReplyError(frozen.dead[0].reason.partition(": ")[2])
        return list(frozen.items)

    def known(self, item: OutboxItem, *, first: bool) -> OutboxItem:
        """A message of a chat that is known, and what opens another if that one is gone and the message may do so."""
        message = _without(_message(item), "effect", "reply_to")
        if first and not self._may_open(item):
            return self.item(replace(item, plain=None, plain_key=None), lane=item.lane)
        key = idempotency_key(self._cause.namespace, item.key, "", 0, "o")
        return self.item(replace(item, plain=self._opening(message, key), plain_key=key), lane=item.lane)

    def new(self, items: list[OutboxItem]) -> Iterable[OutboxItem]:
        """Messages to somebody new: the first that may open a chat goes first, the others follow into it."""
        messages = {item.key: _without(_message(item), "reply_to") for item in items}
        for index, item in enumerate(opened(items, self._may_open)):
            message = messages[item.key]
            request = self._opening(_without(message, "effect") if index == 0 else message, item.key)
            bare = replace(item, request=request, plain=None, plain_key=None, names=(), guards=())
            yield self.item(bare, lane=lane_of(self._send, self.line))

    def item(self, item: OutboxItem, *, lane: str) -> OutboxItem:
        """A bubble with all that a send adds to it."""
        keyed = self._send.key is not None
        return replace(
            item,
            lane=lane,
            event_id=self._cause.event_id,
            handler=self._cause.handler,
            pair=lane.removeprefix("chat:"),
            line=line_key(self.line or self._cause.line or ANY_LINE),
            broadcast=True,
            once=item.key if keyed else "",
            guards=tuple(dict.fromkeys((*item.guards, *self._guards(lane)))),
        )

    def _guards(self, lane: str) -> Iterable[str]:
        """What decides whether it is sent; in a group nobody's silence counts (linq-api-v3.md section 9.1)."""
        people, chat_id = self._send.recipients, None if lane.startswith(NEW) else lane.removeprefix("chat:")
        yield from guards_of_broadcast(
            handle=people[0] if len(people) == 1 else None,
            chat_id=chat_id,
            line=line_key(self.line) if self.line else "",
        )
        fact = chat_fact(self._send, self.line)
        yield from () if fact is None or chat_id is None else (fact,)

    def _may_open(self, item: OutboxItem) -> bool:
        """Where Linq picks the line, a first message may hold a link (linq-api-v3.md section 7.2)."""
        return self.line is None or may_open(_message(item))

    def _opening(self, message: Mapping[str, Any], key: str) -> Request:
        """The request that finds or makes the chat of the recipients, and says the message there."""
        body = {"to": list(self._send.recipients), "message": {**message, "idempotency_key": key}}
        if self.line is not None:
            body = {"from": self.line, **body}
        encoded = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
        return Request(method="POST", path="/v3/messages" if self.line is None else "/v3/chats", body=encoded)


def _name(send: Send, cause: Cause) -> str:
    """What the keys of a send are made of: its own key, else what caused it."""
    if send.key is not None:
        return f"send:{send.key}"
    return f"send by {json.dumps([cause.event_id, cause.handler, cause.position])}"


def _message(item: OutboxItem) -> dict[str, Any]:
    """The message of a frozen request. Raises `ReplyError` for what is none: it needs a chat that is there."""
    found = json.loads(item.request.body or b"{}")
    if not item.request.path.endswith("/messages") or "message" not in found:
        raise ReplyError("this can only be done in a chat that is there: name the chat by its id")
    message: dict[str, Any] = found["message"]
    return message


def _without(message: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in message.items() if name not in names}
