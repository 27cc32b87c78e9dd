"""str -> an address that Linq or a phone can open."""

from __future__ import annotations

from urllib.parse import urlsplit

from linqbot.errors import ReplyError


def check_address(value: object, *, what: str, schemes: tuple[str, ...]) -> str:
    """The address as it is. Raises `ReplyError` naming `what` and the schemes allowed, never showing the address."""
    allowed = " or ".join(f"{scheme}://" for scheme in schemes)
    if not isinstance(value, str):
        raise ReplyError(f"{what} is a str beginning {allowed}, not of type {type(value).__name__}")
    if any(char.isspace() or not char.isprintable() for char in value):
        raise ReplyError(f"{what} holds a blank or a control character; percent-encode it")
    try:
        address = urlsplit(value)
        host, _ = address.hostname, address.port  # a port that is none is told when it is asked for
    except ValueError:
        raise ReplyError(f"{what} cannot be read as an address; it must begin {allowed}") from None
    if address.scheme not in schemes or not host:
        raise ReplyError(f"{what} must begin {allowed} and name a host")
    return value
