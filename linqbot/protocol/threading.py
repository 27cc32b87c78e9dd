"""policy + circumstances -> whether a bubble is threaded, and on what (linq-api-v3.md section 6.2, `reply_to`).

An explicit `reply_to` wins over every policy. Nothing is threaded on SMS and RCS, which have no threads
(linq-api-v3.md section 9.3).
"""

from __future__ import annotations

from dataclasses import dataclass

from linqbot.replies import Reply, Target, Thread

FLAT_SERVICES = frozenset({"SMS", "RCS"})
"""Without threads, effects and whatever else is iMessage's own (linq-api-v3.md section 9.3)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Circumstances:
    """What threading looks at, beside the reply: the message that is answered, and how the chat stands."""

    message: Target | None = None
    """The message that is answered and its part whose text matched; None: the event is no message."""
    service: str | None = None
    """How that message came; None: unknown."""
    is_group: bool = False
    is_direct: bool = False
    """Whether the chat is known to be none of a group; both are False where Linq did not say."""
    person_threaded: bool = False
    """Whether the message is itself a reply to another."""
    others_spoke: bool = False
    """Whether somebody wrote in the chat since."""


def target_of(reply: Reply, around: Circumstances, *, policy: Thread, first: bool, head: bool) -> Target | None:
    """What a bubble is threaded on, or None.

    `policy` is the handler's (a reply's own wins), `first` tells the first bubble of the turn, `head` the first bubble of
    its reply.
    """
    if is_flat(reply, around):
        return None
    policy = reply.thread or policy
    if reply.reply_to is not None:
        return reply.reply_to if head or policy == "every" else None
    if policy == "never" or not (first or policy == "every"):
        return None
    if policy == "auto" and not (around.is_group or around.person_threaded or around.others_spoke):
        return None
    return around.message


def is_flat(reply: Reply, around: Circumstances) -> bool:
    """Whether the reply goes out as SMS or RCS, as far as is known, and so without all that is iMessage's own.

    What the reply asks for counts before how the chat stands: `iMessage` has no fallback (section 6.2).
    """
    return (reply.preferred_service or around.service) in FLAT_SERVICES
