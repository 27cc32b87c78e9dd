"""What a refusal comes down to."""

from __future__ import annotations

import httpx


def outcome(answer: httpx.Response) -> int | tuple[int, int]:
    """The status of an answer, with Linq's code when it is a refusal."""
    return answer.status_code if answer.is_success else (answer.status_code, answer.json()["error"]["code"])
