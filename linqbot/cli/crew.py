"""one command -> several processes. What a user's own WEB_CONCURRENCY asks for, on a store that they can share.

The parent holds the listening socket and a pipe to each member. It asks them to leave by closing the pipes, not by a
signal: platforms send SIGTERM to every process anyway, and a second one would cut the drain short. If a member dies, all
leave.
"""

from __future__ import annotations

import asyncio
import socket
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Sequence

import structlog

from linqbot.cli.server import STOP_S, Departure

log = structlog.get_logger("linqbot.run")


async def run_crew(arguments: Sequence[str], processes: int, *, listener: socket.socket | None) -> int:
    """Run `linqbot run` with these arguments in several processes until a signal; returns 0 after they drained.

    `listener` is shared by all of them. Returns 1 when a member died without being asked to leave.
    """
    command = [sys.executable, "-m", "linqbot", "run", *arguments, "--member"]
    shared = () if listener is None else (listener.fileno(),)
    command += [f"--fd={number}" for number in shared]
    with Departure(lambda: None) as departure:
        members = [
            await asyncio.create_subprocess_exec(*command, stdin=PIPE, pass_fds=shared) for _ in range(processes)
        ]
        lives = [asyncio.create_task(member.wait()) for member in members]
        asked = asyncio.create_task(departure.asked())
        await asyncio.wait([*lives, asked], return_when=asyncio.FIRST_COMPLETED)
        is_loss = not asked.done()
        asked.cancel()
        if is_loss:
            log.error("a process of the crew ended by itself, the others leave")
        return 1 if await _dismiss(members, lives) or is_loss else 0


async def _dismiss(members: Sequence[Process], lives: Sequence[asyncio.Task[int]]) -> bool:
    """Ask all to leave and wait; whether one did not leave well."""
    for member in members:
        assert member.stdin is not None, "members are started with a pipe"
        member.stdin.close()
    _, late = await asyncio.wait(lives, timeout=STOP_S + 1)
    for member in members:
        if member.returncode is None:
            member.kill()
    return bool(late) or any(life.result() != 0 for life in lives if life not in late)
