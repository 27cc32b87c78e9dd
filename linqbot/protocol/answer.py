"""Answer -> Meaning. What Linq's answers mean for a reply: one table by code, one by status, and nothing else decides.

For codes of linq-api-v3.md section 2 its *Retry* column decides, for others the status; any 5xx is sent again under the
same key, whatever its code.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What came back for one request: status, headers (names in lower case) and the body, cut at the client's cap."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes = field(default=b"", repr=False)

    def json(self) -> dict[str, Any] | None:
        """The body, if it is a JSON object; None for anything else: HTML of an edge, half a body, nothing."""
        return self._read

    @cached_property
    def _read(self) -> dict[str, Any] | None:
        try:
            parsed = json.loads(self.body)
        except (ValueError, RecursionError):
            return None
        return parsed if isinstance(parsed, dict) else None


class Meaning(StrEnum):
    """What an answer says about the reply it answers."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    """Definitely not sent, and the same request never will be."""
    LATER = "later"
    """Definitely not sent; the same request may pass in a while."""
    RATE = "rate"
    """Definitely not sent: too many; Linq says how long to wait."""
    LOCKED = "locked"
    """Definitely not sent, and no other reply would be: the credentials are refused."""
    GONE = "gone"
    """The chat is not there, or under this key a message was sent and is gone since (linq-api-v3.md section 4)."""
    NO_TARGET = "no target"
    """The message that the reply answers is not there."""
    UNKNOWN = "unknown"
    """It may have been sent: only the same key and body may be sent again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One row of the table."""

    meaning: Meaning
    why: str
    """For the person who reads the dead letter: what is wrong and, where there is something, what to do."""
    at_least_ms: int = 0
    """Not to be tried again sooner."""
    ails_linq: bool = True
    """Whether a 5xx for it speaks of Linq's own health; False: of this message, its file, its recipient or its line."""


def _refused(why: str) -> Rule:
    return Rule(meaning=Meaning.REFUSED, why=why)


def _later(why: str, at_least_ms: int = 0) -> Rule:
    return Rule(meaning=Meaning.LATER, why=why, at_least_ms=at_least_ms)


def _ails_one(why: str) -> Rule:
    return Rule(meaning=Meaning.UNKNOWN, why=why, ails_linq=False)


_ASK_SUPPORT = "if it lasts, give Linq's support the trace id"

CODES: Mapping[int, Rule] = {
    1001: _refused("a required field is missing"),
    1002: _refused("a phone number is not in E.164 format (+12025550123)"),
    1003: _refused("the body is malformed"),
    1004: _refused("the message's parts are invalid"),
    1005: _refused("a parameter's value is invalid"),
    1006: _refused("only a group can be changed so, and this chat is a direct one"),
    1007: Rule(meaning=Meaning.RATE, why="the rate limit is reached"),
    1008: _refused("the imessage_app part is invalid"),
    2001: Rule(meaning=Meaning.GONE, why="the chat is not there or belongs to somebody else"),
    2002: Rule(meaning=Meaning.NO_TARGET, why="the message it answers is not there any more"),
    2003: _refused("an attachment is not there; upload it again"),
    2004: Rule(meaning=Meaning.LOCKED, why="the API key is missing or invalid; set LINQ_API_V3_API_KEY to a live one"),
    2005: _refused("the chat belongs to another account or environment than the API key"),
    2006: _refused("the line it would be sent from is not on this account"),
    2007: _later("an attachment is still being processed"),
    2008: _refused(
        "the recipient is not allowed: on a sandbox or shared line the person must write to the line first, then it works"
    ),
    2009: _later("the chat is still being created"),
    2010: _refused("the webhook subscription is not there"),
    2011: _refused("the feature is not enabled for this account; ask Linq to enable it"),
    2012: _refused("the line has no active contact card; create one first"),
    2013: _refused("the chat is unavailable: the line left it or it was deleted"),
    2014: _refused("a contact card exists already"),
    2015: _refused("it conflicts with the chat's present state, or no line can send it"),
    2016: _refused("it is not supported in group chats"),
    2017: _refused("it is not supported on this chat's service"),
    2018: _refused("an imessage_app part cannot be sent as SMS or RCS"),
    2019: _refused("the phone number's id is unknown"),
    2021: _refused("the payment request is not there"),
    2022: _ails_one("the contact card is saved, but not applied to the line"),
    2023: _refused("a mention needs a group chat"),
    2024: _refused("the recipient has opted out; nothing can be sent until they write again"),
    2026: _refused("the recipient's handle is blocked on this account; unblock it first"),
    2027: _later("the sending line is flagged and may not send for now; it often recovers within a day", 600_000),
    2028: _refused("an app clip cannot be sent as SMS or RCS"),
    3001: Rule(meaning=Meaning.UNKNOWN, why="Linq has internal trouble"),
    3002: Rule(meaning=Meaning.UNKNOWN, why="Linq has internal trouble"),
    3003: Rule(meaning=Meaning.UNKNOWN, why="Linq has internal trouble"),
    3004: Rule(meaning=Meaning.UNKNOWN, why="Linq has internal trouble"),
    3005: Rule(meaning=Meaning.UNKNOWN, why="something behind Linq was too slow"),
    3006: Rule(meaning=Meaning.UNKNOWN, why=f"Linq has internal trouble; {_ASK_SUPPORT}"),
    3007: _ails_one("Linq could not deliver it"),
    4001: _ails_one("Linq could not deliver it"),
    4002: _ails_one("the sending line is offline"),
    4004: Rule(meaning=Meaning.UNKNOWN, why="something behind Linq is down", at_least_ms=30_000),
    4005: _refused("the recipient cannot take this type of message"),
    5001: _ails_one("an upload failed"),
    5002: _ails_one("Linq could not download a media URL"),
    5003: _ails_one("an upload could not be prepared"),
    5004: _refused("a file's type is not supported"),
    5005: _refused("a file is too large"),
    5006: _refused("a file's content does not match its extension"),
    5007: _refused("an image URL cannot be fetched"),
}
"""By Linq's own code. Source: linq-api-v3.md section 2; for 2015 and the 409s also section 4. That 2002 is what names a
missing `reply_to` target is likely, not documented (section 6.2)."""

STATUSES: Mapping[int, Rule] = {
    400: _refused("the request is invalid"),
    401: CODES[2004],
    403: _refused("the request is forbidden"),
    404: CODES[2001],
    407: Rule(meaning=Meaning.LOCKED, why="the HTTP proxy refuses its credentials; set the proxy's URL anew"),
    408: Rule(meaning=Meaning.UNKNOWN, why="Linq waited too long for the request"),
    409: Rule(meaning=Meaning.UNKNOWN, why="Linq reports a conflict"),
    413: _refused("the request is too large"),
    415: _refused("the content type is not supported"),
    422: _refused("the content is invalid"),
    425: Rule(meaning=Meaning.UNKNOWN, why="Linq does not want the request so early"),
    429: CODES[1007],
}
"""By HTTP status, for answers without a code that is known. Source: reliability.md section 2.4."""

_REDIRECTED = Rule(
    meaning=Meaning.UNKNOWN,
    why="Linq answered with a redirect, which is never followed (it would leak the API key); check LINQ_API_V3_BASE_URL",
)
_BROKEN = Rule(meaning=Meaning.UNKNOWN, why="Linq has trouble")
_ODD = _refused("the request was refused")


def code_of(answer: Answer) -> int | None:
    """Linq's own error code, from either shape of the envelope (linq-api-v3.md section 2); None if there is none."""
    error = (answer.json() or {}).get("error")
    code = error.get("code") if isinstance(error, dict) else None
    return code if isinstance(code, int) and not isinstance(code, bool) else None


def trace_of(answer: Answer) -> str | None:
    """What Linq's support asks for: the header that every answer has, else the envelope's (linq-api-v3.md section 1)."""
    told = answer.headers.get("x-trace-id") or (answer.json() or {}).get("trace_id")
    return told if isinstance(told, str) else None


def rule_of(status: int, code: int | None) -> Rule:
    """The row of the table for an answer that is not a success."""
    known = None if code is None else CODES.get(code)
    if 300 <= status < 400:
        return _REDIRECTED
    if status >= 500 or status < 200:
        return known if known is not None and known.meaning is Meaning.UNKNOWN else _BROKEN
    if known is not None and known.meaning is not Meaning.UNKNOWN:
        return known
    return STATUSES.get(status, _ODD)


def message_id_of(answer: Answer) -> str | None:
    """The id of the message that a success made: of a send, a new chat, a voice memo, a poll (linq-api-v3.md section 7)."""
    found = answer.json() or {}
    chat = found.get("chat")
    for owner in (found, chat if isinstance(chat, dict) else {}):
        message = owner.get("message")
        if isinstance(message, dict) and isinstance(message.get("id"), str):
            return str(message["id"])
    memo = found.get("voice_memo")
    plain = memo.get("id") if isinstance(memo, dict) else found.get("message_id")
    return plain if isinstance(plain, str) else None


def chat_id_of(answer: Answer) -> str | None:
    """The chat in which a success said its message: of a send to a chat, of a new chat, or of a send that Linq gave a line
    and a chat (linq-api-v3.md sections 7, 7.1 and 7.2).
    """
    found = answer.json() or {}
    chat = found.get("chat")
    told = chat.get("id") if isinstance(chat, dict) else found.get("chat_id")
    return told if isinstance(told, str) and told else None


__all__ = [
    "CODES",
    "STATUSES",
    "Answer",
    "Meaning",
    "Rule",
    "chat_id_of",
    "code_of",
    "message_id_of",
    "rule_of",
    "trace_of",
]
