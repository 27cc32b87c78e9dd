"""(kind, match, count) -> what goes wrong next. Troubles on request, for the API and for webhooks.

`match` is the name of an operation (`sendMessageToChat`, as in Linq's OpenAPI document), a pattern of method and path
(`POST /v3/chats/*/messages`), or for webhooks `webhook` or `webhook:<pattern of the event type>`. Without it an API fault
meets what sends a message, whichever way (`SENDS`), a webhook fault every webhook.

| kind | what happens |
| --- | --- |
| any status, `429`, `503` … | that answer, with `code`, `retry_after`, `header_only` |
| `reset` | the connection is reset |
| `timeout` | no answer, until the client gives up |
| `slow` | the true answer, after `seconds` |
| `half_body` | the true answer, cut in the middle; always after acceptance |
| `html` | an HTML error page, under `status` |
| `huge_body` | an answer of `size` bytes, under `status` |
| `redirect` | 307 to `location` |
| `failed` | accepted, then message.failed with `code` and `reason`; with `delivered_late` it arrives after all |
| `duplicate` | webhook: delivered `times` times at once |
| `reorder` | webhook: `count` deliveries are held and then made in reverse order |
| `drop` | webhook: the first `attempts` attempts are lost on the way |
| `delay` | webhook: the first attempt is made `seconds` later |

An API fault strikes before acceptance; with `after` (or the kind's suffix `_after`) the request is accepted first and
only its answer is lost. `hang` is another word for `timeout`.
"""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from linqbot.errors import ConfigurationError

SENDS = ("sendMessageToChat", "sendVoiceMemoToChat", "createPoll", "createChat", "sendMessage")
"""The operations that send a message."""
WEBHOOK_KINDS = frozenset({"duplicate", "reorder", "drop", "delay"})
API_KINDS = frozenset({"status", "reset", "timeout", "slow", "half_body", "html", "huge_body", "redirect", "failed"})

_AFTER = "_after"
_STATUS = {"html": 502, "huge_body": 200, "redirect": 307}


@dataclass(slots=True, kw_only=True)
class Fault:
    """One trouble, and how often it will still strike; `left` None is for ever."""

    kind: str
    match: tuple[str, ...]
    left: int | None = 1
    after: bool = False
    status: int = 500
    code: int | None = None
    retry_after: Any = None
    header_only: bool = False
    seconds: float = 0.0
    times: int = 2
    attempts: int = 1
    size: int = 64 * 1024 * 1024
    location: str = "https://elsewhere.invalid/"
    reason: str | None = None
    delivered_late: bool = False

    def matches(self, *names: str) -> bool:
        """Whether one of an act's names is meant."""
        return any(fnmatchcase(name, pattern) for name in names for pattern in self.match)


def read_fault(kind: str, *, match: str | None = None, count: int | None = 1, **details: Any) -> Fault:
    """A fault from its description; raises ConfigurationError for words that do not exist."""
    kind = kind.strip().lower()
    if kind.endswith(_AFTER):
        kind, details["after"] = kind.removesuffix(_AFTER), True
    if kind.isdecimal():
        kind, details["status"] = "status", int(kind)
    kind = {"hang": "timeout"}.get(kind, kind)
    if kind not in API_KINDS | WEBHOOK_KINDS:
        raise ConfigurationError(f"there is no fault {kind!r}; see linqbot.emulator.faults")
    if kind in _STATUS:
        details.setdefault("status", _STATUS[kind])
    details["after"] = details.get("after", False) or kind == "half_body"
    default = ("webhook:*",) if kind in WEBHOOK_KINDS else SENDS
    named = ("webhook:*" if match == "webhook" else match,) if match else default
    try:
        return Fault(kind=kind, match=named, left=count, **details)
    except TypeError as error:
        raise ConfigurationError(f"the fault {kind!r} has no such detail: {sorted(details)}") from error


class Faults:
    """The troubles that still wait for their moment, oldest first."""

    def __init__(self) -> None:
        self._waiting: list[Fault] = []

    def add(self, fault: Fault) -> None:
        """Let a fault wait for its moment."""
        self._waiting.append(fault)

    def take(self, *names: str) -> Fault | None:
        """The oldest fault that an act of these names meets, counted down; None when all goes well."""
        for fault in self._waiting:
            if fault.matches(*names):
                if fault.left is not None:
                    fault.left -= 1
                if fault.left == 0:
                    self._waiting.remove(fault)
                return fault
        return None

    def clear(self) -> None:
        """Let all go well again."""
        self._waiting.clear()
