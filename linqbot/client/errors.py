"""status, headers, body -> ApiError. Linq's refusals by name, so that one can be caught without knowing its number.

ApiError
└── Refusal                  Linq answered, and did not do it
    ├── InvalidRequest       the request is wrong: the same one never passes
    │   └── MediaRefused     a file that Linq does not take
    ├── Unauthorized         the API key is missing or invalid
    ├── Forbidden            the account may not do this
    │   ├── NotAllowed       on a sandbox or shared line, to somebody who never wrote to it
    │   ├── OptedOut         to somebody who asked for silence
    │   ├── Blocked          to a handle that the account blocked
    │   └── LineIneligible   from a line that may not send for now
    ├── NotFound             a chat, message or file is not there, or is somebody else's
    │   └── StillProcessing  a file is not ready yet: later it will be
    ├── Conflict             it does not go with the present state
    │   ├── ChatNotReady     the chat is still being made: later it will be
    │   ├── ChatGone         the line left the chat, or it was deleted
    │   └── Unsupported      not in this kind of chat, or not on this service
    ├── RateLimited          too many; `retry_after` says how long to wait
    ├── ServerTrouble        Linq has trouble: it may have been done all the same
    └── Unexpected           an answer that Linq does not document: a redirect, an edge's own page

The code decides where it is documented, else the HTTP status. Source: linq-api-v3.md section 2.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from linqbot.errors import ApiError
from linqbot.protocol.answer import Meaning, rule_of

LONGEST_WAIT_S = 86_400.0
"""Linq's longest limit is daily (linq-api-v3.md section 3); a longer wait is cut to this."""

_TRACE = re.compile(r"[0-9A-Za-z_-]{1,64}")


class Refusal(ApiError):
    """Linq answered, and did not do it. `linq_message` and `doc_url` are Linq's own words, which may quote the request."""

    meaning: str = ""
    """What status and code mean, and what to do."""
    retryable: bool = False
    """Whether the same request may pass later. After `ServerTrouble` it may have been done already."""
    linq_message: str | None = None
    doc_url: str | None = None


class InvalidRequest(Refusal):
    """The request is wrong: the same one never passes."""


class MediaRefused(InvalidRequest):
    """A file that Linq does not take: its type, its size, its content or its address."""


class Unauthorized(Refusal):
    """The API key is missing or invalid."""


class Forbidden(Refusal):
    """The account may not do this."""


class NotAllowed(Forbidden):
    """On a sandbox or shared line, to somebody who never wrote to it."""


class OptedOut(Forbidden):
    """To somebody who asked for silence; over when they write again."""


class Blocked(Forbidden):
    """To a handle that the account blocked."""


class LineIneligible(Forbidden):
    """From a line that may not send for now; reading still works."""


class NotFound(Refusal):
    """A chat, message or file is not there, or is somebody else's."""


class StillProcessing(NotFound):
    """A file is not ready yet: later it will be."""


class Conflict(Refusal):
    """It does not go with the present state."""


class ChatNotReady(Conflict):
    """The chat is still being made: later it will be there."""


class ChatGone(Conflict):
    """The line left the chat, or it was deleted."""


class Unsupported(Conflict):
    """Not in this kind of chat, or not on this service."""


class RateLimited(Refusal):
    """Too many; `retry_after` says how many seconds to wait."""


class ServerTrouble(Refusal):
    """Linq has trouble: it may have been done all the same, so only the same idempotency key and body may follow."""


class Unexpected(Refusal):
    """An answer that Linq does not document: a redirect, or a page of something in between."""


BY_CODE: Mapping[int, type[Refusal]] = {
    1006: Unsupported,
    1007: RateLimited,
    2004: Unauthorized,
    2007: StillProcessing,
    2008: NotAllowed,
    2009: ChatNotReady,
    2013: ChatGone,
    2016: Unsupported,
    2017: Unsupported,
    2018: Unsupported,
    2023: Unsupported,
    2024: OptedOut,
    2026: Blocked,
    2027: LineIneligible,
    2028: Unsupported,
    5004: MediaRefused,
    5005: MediaRefused,
    5006: MediaRefused,
    5007: MediaRefused,
}
"""Codes that say more than their HTTP status."""

BY_STATUS: Mapping[int, type[Refusal]] = {
    401: Unauthorized,
    403: Forbidden,
    404: NotFound,
    409: Conflict,
    429: RateLimited,
}
"""The other 4xx are `InvalidRequest`, 5xx `ServerTrouble`."""

NEVER_LATER = frozenset({4009})
"""Codes that come with a 5xx and do not pass all the same: the line has no RCS account (linq-api-v3.md section 2)."""


def error_of(status: int, headers: Mapping[str, str], body: bytes) -> Refusal:
    """The error that an answer of Linq means; bodies that are not Linq's are named by their HTTP status.

    Both shapes of the envelope are read (fixtures response.error.* and seed/*). Its text tells status, code, trace id
    and what to do, never Linq's message, which may quote what was sent.
    """
    envelope = _object(body)
    stated = envelope.get("error")
    error: dict[str, Any] = stated if isinstance(stated, dict) else {}
    named = {name.lower(): value for name, value in headers.items()}
    code, trace_id = _code(error.get("code")), _trace(envelope.get("trace_id")) or _trace(named.get("x-trace-id"))
    refusal = _class_of(status, code)(
        _sentence(status, code, trace_id),
        status=status,
        code=code,
        trace_id=trace_id,
        retry_after=_retry_after(named, error.get("retry_after")),
    )
    rule = rule_of(status, code)
    refusal.meaning, refusal.retryable = rule.why, _may_pass(status, code, rule.meaning)
    refusal.linq_message, refusal.doc_url = _text(error.get("message")), _text(error.get("doc_url"))
    return refusal


def _may_pass(status: int, code: int | None, meaning: Meaning) -> bool:
    """A redirect leads to the same redirect; everything else that was not refused may pass."""
    return status >= 400 and code not in NEVER_LATER and meaning in (Meaning.LATER, Meaning.RATE, Meaning.UNKNOWN)


def _class_of(status: int, code: int | None) -> type[Refusal]:
    """A 5xx stays trouble whatever its code says: it may have been done."""
    if status >= 500:
        return ServerTrouble
    if status < 400:
        return Unexpected
    return BY_CODE.get(code or 0) or BY_STATUS.get(status, InvalidRequest)


def _sentence(status: int, code: int | None, trace_id: str | None) -> str:
    number = f"{status}" if code is None else f"{status}, code {code}"
    trace = "" if trace_id is None else f" (trace id {trace_id})"
    return f"Linq answered {number}: {rule_of(status, code).why}{trace}"


def _object(body: bytes) -> dict[str, Any]:
    try:
        parsed = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return parsed if isinstance(parsed, dict) else {}


def _code(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 < value < 100_000 else None


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _trace(value: object) -> str | None:
    return value if isinstance(value, str) and _TRACE.fullmatch(value) else None


def _retry_after(headers: Mapping[str, str], stated: object) -> float | None:
    """Seconds: of the header, as a number or as a date against the answer's own, else of the body; nonsense is None."""
    told = headers.get("retry-after")
    if told is not None:
        seconds = _number(told)
        waiting = _until(told, headers.get("date")) if seconds is None else seconds
        if waiting is not None and waiting >= 0:
            return min(waiting, LONGEST_WAIT_S)
    in_body = None if isinstance(stated, bool) else _number(stated)
    return min(in_body, LONGEST_WAIT_S) if in_body is not None and in_body >= 0 else None


def _number(value: object) -> float | None:
    if not isinstance(value, str | int | float):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def _until(told: str, date: str | None) -> float | None:
    if date is None:
        return None
    try:
        return (_moment(told) - _moment(date)).total_seconds()
    except (ValueError, OverflowError):
        return None


def _moment(written: str) -> datetime:
    moment = parsedate_to_datetime(written)
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
