"""(line, recipients) -> may be written to, or not. Opt-out, blocks, sandbox, flagged lines and the limits of sending.

Sources: linq-api-v3.md sections 3, 9.1 and 9.2, blocked handles in section 7.7. choices.GATE_ORDER.
"""

from __future__ import annotations

from linqbot.clock import Clock
from linqbot.emulator import choices, limits
from linqbot.emulator.entities import Chat, Json, Line
from linqbot.emulator.problems import Problem
from linqbot.emulator.world import World

PAIR_LIMIT = 30
"""Messages per 60 s from a line to a chat."""

SANDBOX_DAY = 100
"""Messages of a sandbox line per day of UTC."""

OPT_OUT_WORDS = frozenset({"STOP", "UNSUBSCRIBE", "OPTOUT", "CANCEL", "END", "QUIT"})
"""Section 9.1: whole trimmed message, case-sensitive."""

_OPT_OUT_SPELLINGS = frozenset({"opt out", "opt-out", "optout"})


def is_opt_out(parts: list[Json]) -> bool:
    """Whether a message is one of the words that opt out."""
    if len(parts) != 1 or parts[0].get("type") != "text":
        return False
    text = str(parts[0].get("value")).strip()
    return text in OPT_OUT_WORDS or text.lower() in _OPT_OUT_SPELLINGS


class Gate:
    """Knows who may be written to from which line, and how often."""

    def __init__(self, world: World, *, clock: Clock, pair_limit: int | None = PAIR_LIMIT) -> None:
        self._world = world
        self._clock = clock
        self._pair_limit = pair_limit

    def check_line(self, line: str) -> Line:
        """The line, unless nothing new may happen on it."""
        found = self._world.lines[line]
        if not found.may_send:
            raise Problem(403, 2027, "The sending line is temporarily ineligible")
        return found

    def check_chat(self, chat: Chat) -> None:
        """Refuse to act in a chat that was left, or whose line may do nothing."""
        if chat.was_left:
            raise Problem(409, 2013, "Your line has left this chat")
        self.check_line(chat.line)

    def check_recipients(self, line: str, others: frozenset[str], *, is_group: bool, override_optout: bool) -> None:
        """Refuse a message to people who must not get one; groups are free of blocks and opt-outs.

        choices.FREE_ACTS: what is not a message does not come here.
        """
        from_ = self.check_line(line)
        if not is_group and not others.isdisjoint(self._world.blocked):
            raise Problem(403, 2026, "You have blocked this recipient")
        if from_.sandbox and not others <= from_.wrote_to_it:  # choices.SANDBOX_GROUP
            raise Problem(403, 2008, "Recipient not allowed: they must message this line first")
        if not is_group and not others.isdisjoint(self._world.opted_out):
            if not override_optout:
                raise Problem(403, 2024, "Recipient has opted out")
            self._world.counters["optout_overrides"] += 1

    def spend(self, chat: Chat) -> None:
        """Count one more message of a chat; refuses when there were too many (choices.SANDBOX_MINUTE)."""
        now_ms = self._clock.now_ms()
        self.check_day(chat.line)  # before anything is counted
        if self._pair_limit is not None:  # choices.PAIR_OF_A_GROUP: the minute is the chat's
            window_ms = choices.PAIR_WINDOW_MS
            limits.spend(self._world, f"pair:{chat.id}", most=self._pair_limit, window_ms=window_ms, now_ms=now_ms)
        if self._world.lines[chat.line].sandbox:
            limits.today(self._world, f"sandbox:{chat.line}", now_ms=now_ms).append(now_ms)

    def check_day(self, line: str) -> None:
        """Refuse when a sandbox line has sent all it may today."""
        now_ms = self._clock.now_ms()
        used = limits.today(self._world, f"sandbox:{line}", now_ms=now_ms)
        if self._world.lines[line].sandbox and len(used) >= SANDBOX_DAY:
            raise limits.too_many(limits.DAY_MS - now_ms % limits.DAY_MS)

    def note(self, chat: Chat, sender: str, parts: list[Json]) -> None:
        """Learn from what somebody wrote: that they know the line, and whether they want to hear from it."""
        now_ms = self._clock.now_ms()
        self._world.lines[chat.line].wrote_to_it.add(sender)
        if is_opt_out(parts):
            if not chat.is_group:
                self._world.opted_out.setdefault(sender, []).append(chat)
                chat.health, chat.health_ms = "OPTED_OUT", now_ms
            return
        for marked in self._world.opted_out.pop(sender, ()):
            marked.health, marked.health_ms = "HEALTHY", now_ms
