"""foreign JSON -> PollEvent. Polls, their options and votes (linq-api-v3.md section 8.6); modelled on the SDK's types."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from linqbot.events.chat import Handle
from linqbot.events.event import Event
from linqbot.events.wire import Flag, Maybe, Some, Time, Word, Words


class PollVoter(Words):
    """Somebody who chose an option."""

    shown = ("voted_at",)

    handle: Maybe[Handle] = None
    voted_at: Time = None


class PollOption(Words):
    """One choice of a poll."""

    shown = ("option_id",)

    option_id: Maybe[str] = None
    text: Word = ""
    can_be_edited: Flag = False
    creator: Maybe[Handle] = Field(default=None, validation_alias="creator_handle")
    voters: Some[PollVoter] = ()


class Poll(Words):
    """The choices, and how many people chose. A poll has no title."""

    shown = ("total_voters",)

    options: Some[PollOption] = ()
    total_voters: Maybe[int] = None


class PollTrouble(Words):
    """Why a poll did not arrive."""

    shown = ("code",)

    code: Maybe[int] = None
    message: Word = ""


class PollEvent(Event):
    """News of a poll: `poll.received`, and of your own `poll.sent`, `poll.delivered`, `poll.read`."""

    shown: ClassVar[tuple[str, ...]] = ("event_id", "type", "chat_id", "message_id")

    message_id: Maybe[str] = None
    """The message that the poll is."""
    direction: Word = ""
    service: Maybe[str] = None
    poll: Maybe[Poll] = None
    made_at: Time = None
    """When the poll was made (`created_at` of the payload)."""
    updated_at: Time = None
    sent_at: Time = None
    received_at: Time = None
    delivered_at: Time = None
    read_at: Time = None
    zero_retention: Flag = False


class PollFailed(PollEvent):
    """A poll of yours did not arrive: `poll.failed`."""

    error: Maybe[PollTrouble] = None
    failed_at: Time = None


class PollUpdated(PollEvent):
    """Options were added: `poll.updated`. `sender` is your own line; who added is each option's `creator`."""

    added_options: Some[PollOption] = ()


class PollVote(PollEvent):
    """Somebody, the `sender`, chose an option or took it back: `poll.vote.added`, `poll.vote.removed`."""

    shown = ("event_id", "type", "chat_id", "message_id", "option_id")

    option_id: Maybe[str] = None

    @property
    def added(self) -> bool:
        """Whether it was chosen; False: the choice was taken back."""
        return not self.type.endswith(".removed")
