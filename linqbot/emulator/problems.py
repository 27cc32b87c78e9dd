"""refusal -> error envelope. What Linq answers when it does not do as asked.

Statuses and codes: linq-api-v3.md section 2. The envelope: `response.error.*.json`.
"""

from __future__ import annotations

from typing import Any

from linqbot.emulator import choices
from linqbot.errors import LinqbotError

DEFAULT_CODES = {
    400: 1003,
    401: 2004,
    403: 2005,
    404: 2001,
    405: choices.WRONG_METHOD_CODE,
    409: 2015,
    413: 5001,
    422: 4005,
    429: 1007,
    500: 3006,
    502: 3002,
    503: 4004,
    504: 3005,
}
"""The most ordinary code of each status, for faults that name only a status."""


class Problem(LinqbotError):
    """A request that is refused: HTTP `status`, Linq's `code`, and seconds to wait when it is a 429."""

    def __init__(self, status: int, code: int, message: str, *, retry_after: int | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.retry_after = retry_after


def envelope(problem: Problem, trace_id: str) -> dict[str, Any]:
    """The JSON body of a refusal."""
    error: dict[str, Any] = {
        "status": problem.status,
        "code": problem.code,
        "message": problem.message,
        "doc_url": f"https://docs.linqapp.com/error/codes/{problem.code // 1000}xxx/{problem.code}/",
    }
    if problem.retry_after is not None:
        error["retry_after"] = problem.retry_after
    return {"success": False, "error": error, "trace_id": trace_id}
