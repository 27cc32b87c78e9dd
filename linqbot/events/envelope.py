"""parsed JSON -> Envelope. What can be said of any webhook before it has a type: which event, and about what."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from linqbot.errors import PayloadError

LONGEST_ID = 255
"""Ids and types longer than this are not Linq's (linq-api-v3.md section 1: UUIDs)."""

_NOTHING: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """The outside of a webhook; the inside is `data`, empty when Linq sent something else than an object."""

    event_id: str
    type: str
    chat_id: str | None
    message_id: str | None
    data: Mapping[str, Any] = field(repr=False)

    @property
    def message(self) -> Mapping[str, Any]:
        """The message inside the older payload version's data, or nothing (linq-api-v3.md section 8.5)."""
        return _object(self.data.get("message"))


def open_envelope(body: Mapping[str, Any], *, event_id: str = "") -> Envelope:
    """Tell which event a webhook is; `event_id` serves where the body has none.

    Raises `PayloadError` when type or event id are missing or cannot be ids.
    """
    event_type = body.get("event_type")
    if not isinstance(event_type, str) or not 0 < len(event_type) <= LONGEST_ID:
        raise PayloadError("the webhook names no event type, so it cannot be handled")
    data = _object(body.get("data"))
    return Envelope(
        event_id=_event_id(body.get("event_id"), event_id),
        type=event_type,
        chat_id=_id(data.get("chat_id")) or _id(_object(data.get("chat")).get("id")) or _created_chat(event_type, data),
        message_id=_message_id(event_type, data),
        data=data,
    )


def _event_id(given: object, otherwise: str) -> str:
    if given is None or given == "":
        given = otherwise
    if not isinstance(given, str) or not 0 < len(given) <= LONGEST_ID:
        raise PayloadError("the webhook has no usable event id, so repeats of it could not be told apart")
    return given


def _message_id(event_type: str, data: Mapping[str, Any]) -> str | None:
    named = _id(data.get("message_id")) or _id(_object(data.get("message")).get("id"))
    return named or (_id(data.get("id")) if event_type.startswith("message.") else None)


def _created_chat(event_type: str, data: Mapping[str, Any]) -> str | None:
    return _id(data.get("id")) if event_type == "chat.created" else None


def _id(value: object) -> str | None:
    """Ids become parts of paths, so `.` and `..` are none."""
    return value if isinstance(value, str) and 0 < len(value) <= LONGEST_ID and value.strip(".") else None


def _object(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else _NOTHING
