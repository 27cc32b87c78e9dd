"""Groups: what they are called, how they look, who is in them (linq-api-v3.md section 7.3)."""

from __future__ import annotations

from dataclasses import dataclass, field

from linqbot.replies.action import Action, check_text
from linqbot.replies.addresses import check_address
from linqbot.replies.handles import check_handle


@dataclass(frozen=True, slots=True)
class RenameGroup(Action):
    """Give the group another name; `chat.group_name_updated` tells when it is done. Raises `ReplyError`."""

    name: str = field(repr=False)

    def __post_init__(self) -> None:
        check_text(self.name, what="the name of a group")


@dataclass(frozen=True, slots=True)
class SetGroupIcon(Action):
    """Give the group another picture, by public HTTPS address; `chat.group_icon_updated` tells when it is done.

    Raises `ReplyError`.
    """

    url: str = field(repr=False)

    def __post_init__(self) -> None:
        check_address(self.url, what="the icon of a group", schemes=("https",))


@dataclass(frozen=True, slots=True)
class AddParticipant(Action):
    """Take somebody into an iMessage group that has at least 3 people, by phone number or email. Raises `ReplyError`."""

    handle: str = field(repr=False)

    def __post_init__(self) -> None:
        check_handle(self.handle, "the handle of AddParticipant")


@dataclass(frozen=True, slots=True)
class RemoveParticipant(Action):
    """Take somebody out of an iMessage group, of whom at least 3 must remain. Raises `ReplyError`."""

    handle: str = field(repr=False)

    def __post_init__(self) -> None:
        check_handle(self.handle, "the handle of RemoveParticipant")


@dataclass(frozen=True, slots=True)
class LeaveChat(Action):
    """Leave an iMessage group of at least 4 people; nothing can be said in it afterwards."""
