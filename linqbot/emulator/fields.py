"""JSON -> typed field, or a refusal. The reading that all requests share."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import SplitResult, urlsplit
from uuid import UUID

from linqbot.emulator import choices
from linqbot.emulator.problems import Problem

_E164 = re.compile(r"\+[1-9][0-9]{1,14}", re.ASCII)
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")


def content(message: str) -> Problem:
    """A refusal of what a message says."""
    return Problem(400, choices.CONTENT_CODE, message)


def value(message: str) -> Problem:
    """A refusal of a field's value."""
    return Problem(400, choices.VALUE_CODE, message)


def missing(name: str) -> Problem:
    """A refusal because a field is not there."""
    return Problem(400, 1001, f"Missing required field: {name}")


def mapping(given: Any, name: str) -> dict[str, Any]:
    """A JSON object; absent and null are missing."""
    if given is None:
        raise missing(name)
    if not isinstance(given, dict):
        raise Problem(400, 1003, f"{name} must be an object")
    return given


def listing(given: Any, name: str, *, least: int, most: int) -> list[Any]:
    """A JSON array of a size; absent and null are missing."""
    if given is None:
        raise missing(name)
    if not isinstance(given, list) or not least <= len(given) <= most:
        raise value(f"{name} must be an array of {least} to {most} items")
    return given


def uuid(given: Any, name: str) -> str:
    """A UUID in its usual notation."""
    try:
        return str(UUID(given if isinstance(given, str) else ""))
    except ValueError:
        raise value(f"invalid {name} format: must be a valid UUID") from None


def phone(given: Any, name: str) -> str:
    """A number in E.164."""
    if given is None:
        raise missing(name)
    if not isinstance(given, str) or _E164.fullmatch(given) is None:
        raise Problem(400, 1002, f"{name}: phone number must be in E.164 format")
    return given


def query_phone(given: str | None) -> str:
    """A number in a path or query, where a plus may have become a space or be missing."""
    return phone(None if given is None else "+" + given.strip().removeprefix("+"), "phone_number")


def handle(given: Any, name: str) -> str:
    """A number in E.164, or an email address."""
    if isinstance(given, str) and _EMAIL.fullmatch(given):
        return given
    return phone(given, name)


def split_url(given: Any) -> SplitResult:
    """The pieces of an address; all of them empty when it is none."""
    try:
        parts = urlsplit(given if isinstance(given, str) else "")
        _ = parts.port  # read only now, when it may turn out to be no number
    except ValueError:
        return urlsplit("")
    return parts


def flag(given: Any, name: str) -> bool:
    """A boolean; absent and null are false."""
    if given is None:
        return False
    if not isinstance(given, bool):
        raise value(f"{name} must be a boolean")
    return given


def whole(given: str | None, name: str, *, default: int, least: int = 0, most: int = 2**31 - 1) -> int:
    """An integer of a query string."""
    if given is None:
        return default
    try:
        number = int(given)
    except ValueError:
        raise value(f"{name} must be an integer") from None
    if not least <= number <= most:
        raise value(f"{name} must be between {least} and {most}")
    return number
