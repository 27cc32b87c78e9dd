"""Linq's endpoints and event types -> what linqbot has of each. `python -m tests.linq_coverage` prints it, nothing blank.

Endpoints are those of Linq's OpenAPI document (`tests/emulator/openapi.json`) and of the installed official SDK; event
types are the SDK's. What is there is found by looking: paths in `linqbot.client` and `linqbot.protocol`, routes of the
emulator, the registry of events, names in `linqbot.replies`. Only the reasons for what is not there are written here.
"""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

import linq._resource
from linq import LinqAPIV3
from linq.types import WebhookEventType

import linqbot.replies
from linqbot.emulator.routes import NOT_ENABLED, OPERATIONS
from linqbot.events.registry import REGISTRY
from tests.emulator.published import published

Endpoint = tuple[str, str]
"""Method and path, with `{}` for each parameter."""

_MESSAGE, _CHAT = "/v3/messages/{}", "/v3/chats/{}"

REPLIES: dict[Endpoint, str] = {
    ("POST", f"{_CHAT}/messages"): "Reply",
    ("POST", "/v3/chats"): "Send",
    ("POST", "/v3/messages"): "Send",
    ("POST", f"{_CHAT}/voicememo"): "VoiceMemo",
    ("PATCH", _MESSAGE): "Edit",
    ("POST", f"{_MESSAGE}/reactions"): "React",
    ("POST", f"{_CHAT}/polls"): "Poll",
    ("POST", f"{_MESSAGE}/poll/options"): "AddOptions",
    ("POST", f"{_MESSAGE}/poll/votes"): "Vote",
    ("POST", f"{_CHAT}/typing"): "Typing",
    ("DELETE", f"{_CHAT}/typing"): "Typing",
    ("POST", f"{_CHAT}/read"): "MarkRead",
    ("POST", f"{_CHAT}/share_contact_card"): "ShareContact",
    ("PUT", _CHAT): "RenameGroup",
    ("POST", f"{_CHAT}/participants"): "AddParticipant",
    ("DELETE", f"{_CHAT}/participants"): "RemoveParticipant",
    ("POST", f"{_CHAT}/leave"): "LeaveChat",
    ("POST", f"{_CHAT}/background"): "SetBackground",
    ("DELETE", f"{_CHAT}/background"): "ClearBackground",
    ("POST", f"{_CHAT}/location/request"): "RequestLocation",
    ("POST", "/v3/attachments"): "Media",
}
"""What a handler returns to have it done: a name of `linqbot.replies`, or what is to become one."""

NO_REPLY: dict[Endpoint, str] = {
    ("PATCH", f"{_MESSAGE}/reactions/{{}}"): "a sticker has its place from the beginning",
    ("POST", f"{_MESSAGE}/update"): "a card is changed when something happened elsewhere: with bot.client",
}
"""What could be a reply and is none, and why."""

TOLD: dict[Endpoint, str] = {
    ("POST", f"{_CHAT}/messages"): "message.sent .delivered .read .failed",
    ("POST", "/v3/chats"): "chat.created, message.sent …",
    ("POST", "/v3/messages"): "chat.created, message.sent …",
    ("POST", f"{_CHAT}/voicememo"): "message.sent …",
    ("POST", f"{_MESSAGE}/update"): "message.sent …",
    ("PATCH", _MESSAGE): "message.edited",
    ("POST", f"{_MESSAGE}/reactions"): "reaction.added .removed",
    ("POST", f"{_CHAT}/polls"): "poll.sent .delivered .read .failed",
    ("POST", f"{_MESSAGE}/poll/options"): "poll.updated",
    ("POST", f"{_MESSAGE}/poll/votes"): "poll.vote.added .removed",
    ("POST", f"{_CHAT}/typing"): "chat.typing_indicator.started",
    ("DELETE", f"{_CHAT}/typing"): "chat.typing_indicator.stopped",
    ("PUT", _CHAT): "chat.group_*_updated, chat.group_*_update_failed",
    ("POST", f"{_CHAT}/participants"): "participant.added",
    ("DELETE", f"{_CHAT}/participants"): "participant.removed",
    ("POST", f"{_CHAT}/leave"): "participant.removed",
    ("POST", f"{_CHAT}/background"): "chat.background_updated, chat.background_update_failed",
    ("DELETE", f"{_CHAT}/background"): "chat.background_updated",
    ("POST", f"{_CHAT}/location/request"): "location.sharing.started",
    ("DELETE", f"{_CHAT}/location"): "location.sharing.stopped",
}
"""The events that tell how it went."""

OUT_OF_SCOPE = {
    "/v3/payment": "payments are not messaging; `bot.linq` reaches them",
    "/v3/experiences": "experiences are enabled per account; `bot.linq` reaches them",
    "/v3/phonenumbers": "deprecated by Linq; /v3/phone_numbers has more",
}

_UNSENT_KINDS = {
    r"phone_number\.(assigned|released)": "its lines are those it starts with",
    r"call\..*": "the payload is not documented",
    r"(payment|connection)\..*": "payments are not emulated",
    r"(environment|api_token|webhook_subscription|team_member)\..*": "there is no account around it",
    r"contact_card\.(created|updated|deleted)": "there is no account around it",
    r"zero_day_retention\.updated|phone_number\.forwarding_updated": "there is no account around it",
}
UNSENT = {
    name: why for name in get_args(WebhookEventType) for kind, why in _UNSENT_KINDS.items() if re.fullmatch(kind, name)
}
"""Event types the emulator does not send of itself; `Emulator.deliver` sends any event."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One endpoint or event type, and where linqbot has it; `why` is empty when it has it everywhere."""

    name: str
    client: str
    emulator: str
    event: str
    reply: str
    why: str

    def cells(self) -> tuple[str, ...]:
        """The row as it is printed."""
        return (self.name, self.client, self.emulator, self.event, self.reply, self.why or "complete")


def sdk_endpoints() -> dict[Endpoint, str]:
    """Every endpoint the SDK's client calls, and by which method."""
    found: dict[Endpoint, str] = {}

    def walk(holder: Any, prefix: str) -> None:
        for name in dir(type(holder)):
            if name.startswith(("_", "with_")):
                continue
            one = getattr(holder, name)
            if isinstance(one, linq._resource.SyncAPIResource):
                walk(one, f"{prefix}{name}.")
            elif prefix and callable(one):
                call = _CALL.search(inspect.getsource(one))
                if call is not None:
                    verb = "GET" if call[1] == "get_api_list" else call[1].upper()
                    found[verb, _plain(call[2])] = f"{prefix}{name}"

    walk(LinqAPIV3(api_key="any"), "")
    return found


_CALL = re.compile(r'self\._(get_api_list|get|post|put|patch|delete)\(\s*(?:path_template\(\s*)?"(/v3[^"]*)"')


def document_endpoints() -> dict[Endpoint, str]:
    """Every endpoint of the OpenAPI document, and its operation id."""
    parts = {name.partition(" "): operation for name, operation in published()["operations"].items()}
    return {(verb.upper(), _plain(path)): operation for (verb, _, path), operation in parts.items()}


def called_by_linqbot() -> dict[Endpoint, str]:
    """Every endpoint that linqbot's own client or protocol names, and where."""
    found: dict[Endpoint, str] = {}
    for room in ("client", "protocol"):
        for path in sorted((Path(linqbot.replies.__file__).parents[1] / room).rglob("*.py")):
            for endpoint in _named_in(ast.parse(path.read_text())):
                found.setdefault(endpoint, f"{room}/{path.stem}")
    return found


def _named_in(tree: ast.Module) -> Iterator[Endpoint]:
    names = {
        target.id: _word(value, {})
        for node in tree.body
        if isinstance(node, ast.Assign)
        for target, value in _assigned(node)
        if isinstance(target, ast.Name)
    }
    for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
        words = [_word(value, names) for value in (*call.args, *(keyword.value for keyword in call.keywords))]
        verbs = [word for word in words if word in ("GET", "POST", "PUT", "PATCH", "DELETE")]
        paths = [_plain(word.partition("?")[0]) for word in words if word.startswith("/v3/")]
        yield from ((verb, path) for verb in verbs[:1] for path in paths[:1])


def _assigned(node: ast.Assign) -> Iterator[tuple[ast.expr, ast.expr]]:
    for target in node.targets:
        if isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple):
            yield from zip(target.elts, node.value.elts, strict=True)
        else:
            yield target, node.value


def _word(node: ast.expr, names: dict[str, str]) -> str:
    if isinstance(node, ast.Constant):
        return str(node.value)
    if isinstance(node, ast.Name):
        return names.get(node.id, "")
    if isinstance(node, ast.FormattedValue):
        return _word(node.value, names) or "{}"
    if isinstance(node, ast.JoinedStr):
        return "".join(_word(part, names) for part in node.values)
    return ""


def _plain(path: str) -> str:
    return re.sub(r"\{[^}]*\}", "{}", path)


def endpoint_rows() -> list[Row]:
    """A row for each endpoint, sorted by path."""
    names = sdk_endpoints() | document_endpoints()
    ours = called_by_linqbot()
    emulated = {(verb, _plain(path)): "yes" for verb, path, _, _ in OPERATIONS}
    emulated |= {(verb, _plain(path)): "refused" for verb, path, _ in NOT_ENABLED}
    return [
        _endpoint_row(one, client=ours.get(one, "no"), emulator=emulated.get(one, "no"))
        for one in sorted(names, key=lambda one: (one[1], one[0]))
    ]


def _endpoint_row(one: Endpoint, *, client: str, emulator: str) -> Row:
    verb, path = one
    out_of_scope = next((why for start, why in OUT_OF_SCOPE.items() if path.startswith(start)), None)
    planned, reasons = REPLIES.get(one), []
    has_reply = planned is not None and hasattr(linqbot.replies, planned)
    if out_of_scope is not None:
        reasons.append(out_of_scope)
    else:
        reasons += ["not yet: bot.client"] if client == "no" else []
        reasons += [f"not yet: {planned}"] if planned is not None and not has_reply else []
        reasons += [] if planned is not None else [f"reply: {NO_REPLY.get(one, 'it is asked for, not answered with')}"]
    reasons += ["emulator: 403/2011"] if emulator == "refused" else []
    reasons += ["emulator: not yet"] if emulator == "no" else []
    reply = planned if has_reply and planned is not None else "no"
    return Row(
        name=f"{verb} {path}",
        client=client,
        emulator=emulator,
        event=TOLD.get(one, "none"),
        reply=reply,
        why="; ".join(reasons),
    )


def event_rows() -> list[Row]:
    """A row for each event type, in the SDK's order."""
    return [_event_row(name) for name in get_args(WebhookEventType)]


def _event_row(name: str) -> Row:
    known, unsent, reasons = REGISTRY.get(name), UNSENT.get(name), []
    if known is None or known.passed_through:
        reasons.append(f"event: {'not in the registry' if known is None else known.passed_through}")
    if known is not None and not known.has_chat:
        reasons.append("reply: there is no chat to answer in")
    if unsent is not None:
        reasons.append(f"emulator: {unsent}")
    return Row(
        name=name,
        client="webhook",
        emulator="no" if unsent else "yes",
        event="no" if known is None else known.model.__name__,
        reply="any" if known is not None and known.has_chat else "no",
        why="; ".join(reasons),
    )


HEADINGS = ("name", "client", "emulator", "event", "reply", "why not")


def table(rows: list[Row]) -> str:
    """The rows under their headings, in columns."""
    lines = [HEADINGS, *(row.cells() for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(HEADINGS) - 1)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, [*widths, 0], strict=True)).rstrip() for line in lines
    )


if __name__ == "__main__":
    print(table(endpoint_rows()), table(event_rows()), sep="\n\n")
