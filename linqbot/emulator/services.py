"""(people, preference) -> service. Over what a message travels: linq-api-v3.md sections 6.2 and 9.3.

A phone can do what `world.services` says it can; of others Linq knows what they last wrote with (choices.UNDECLARED).
"""

from __future__ import annotations

from collections.abc import Iterable

from linqbot.emulator import choices
from linqbot.emulator.entities import Chat, Message
from linqbot.emulator.world import World

SERVICES = ("iMessage", "RCS", "SMS")
"""Every service, the one Linq prefers first."""

ONLY_IMESSAGE = ("imessage_app", "app_clip")
"""Parts that are never downgraded."""


def able(world: World, chat: Chat) -> tuple[str, ...]:
    """What the others of a chat can be reached with from its line."""
    declared = None if chat.is_group else world.services.get(chat.others[0].handle)
    return _offered(world, chat.line, declared or () if declared is not None else (chat.service, "SMS"))


def shared(world: World, handles: Iterable[str], *, line: str) -> tuple[str, ...]:
    """What all of these people can be reached with from a line, before there is a chat."""
    is_rcs = world.lines[line].line_type == "RCS"
    undeclared = choices.UNDECLARED_RCS if is_rcs else choices.UNDECLARED
    each = [world.services.get(handle, undeclared) for handle in handles]
    return _offered(world, line, tuple(service for service in SERVICES if all(service in one for one in each)))


def _offered(world: World, line: str, possible: tuple[str, ...]) -> tuple[str, ...]:
    if world.lines[line].line_type == "RCS":  # section 5: such lines never send iMessage
        return tuple(service for service in possible if service != "iMessage")
    return tuple(dict.fromkeys(possible))


def pick(possible: tuple[str, ...], preferred: str | None) -> str | None:
    """The service a message takes; None when there is none it may take."""
    wanted = {"iMessage": ("iMessage",), None: SERVICES}.get(preferred, ("RCS", "SMS"))
    return next((service for service in wanted if service in possible), None)


def service_of(world: World, message: Message) -> str | None:
    """The service a message of ours takes; None when it cannot be sent."""
    service = pick(able(world, message.chat), message.preferred_service)
    if message.parts and message.parts[0].get("type") in ONLY_IMESSAGE and service != "iMessage":
        return None
    return service


def change(chat: Chat, service: str) -> None:
    """Let a chat go on over another service."""
    chat.service = service
    for person in (chat.me, *chat.others):
        person.service = service
