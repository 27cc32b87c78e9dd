"""A role -> a bot process to be hurt. Answers every message in several bubbles that are worded anew on every run.

A bubble reads `<label> <position> <nonce>`: a turn that ran twice and was sent twice shows by its second nonce. Runs in a
process of its own, forked by the chaos programme, or by `python -m tests.chaos.bot '<role as JSON>'` with whatever release
of linqbot comes first on the path; so it asks nothing of linqbot that an older release lacks.
"""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import sys
from collections.abc import AsyncIterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import uvicorn

from linqbot.bot import Bot
from linqbot.clock import SystemClock
from linqbot.events import Event, Message
from linqbot.settings import load_settings
from linqbot.store.open import open_store
from linqbot.telemetry import logs

BUBBLES = {"list": 2, "stream": 3}
"""How many bubbles answer a message of each kind."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Role:
    """What one process plays."""

    name: str
    store_url: str
    api_url: str
    secret: str
    port: int
    folder: str
    """Gets a log and a diary under the role's name; each turn that begins is a line of the diary."""
    only: str = "all"
    lease: str = "800ms"
    namespace: str = "chaos"
    budget: str = "100000/60s"
    broken: str = ""
    """Which promise this process breaks on purpose (`tests.chaos.broken`); empty: none."""
    notes_hands: bool = False
    """Whether it writes down what it has in hand (`tests.chaos.hands`)."""
    wants: tuple[str, ...] = ("message.received",)
    """The event types that it has handlers for."""

    def to_json(self) -> str:
        """For the command line."""
        return json.dumps(asdict(self))

    @staticmethod
    def from_json(text: str) -> Role:
        """What `to_json` wrote."""
        return Role(**{**(told := json.loads(text)), "wants": tuple(told["wants"])})

    @property
    def diary(self) -> Path:
        """One line for each turn that began."""
        return Path(self.folder) / f"{self.name}.diary"

    @property
    def hands(self) -> Path:
        """What it had in hand, and when."""
        return Path(self.folder) / f"{self.name}.hands"

    @property
    def log(self) -> Path:
        """What the process said."""
        return Path(self.folder) / f"{self.name}.log"

    def turns(self) -> list[str]:
        """The turns that began so far: labels of messages, ids of other events."""
        return self.diary.read_text("utf-8").split() if self.diary.exists() else []


def words(label: str, *, kind: str = "list", pause_ms: int = 0) -> str:
    """What a person writes to get an answer of a kind that takes its time between two bubbles."""
    return f"{label} {kind} {pause_ms}"


def make_bot(role: Role) -> Bot:
    """The bot that answers `words`."""
    bot = Bot()

    def note(turn: str) -> None:
        with role.diary.open("a", encoding="utf-8") as diary:
            diary.write(turn + "\n")

    def begin(text: str) -> tuple[str, float]:
        label, _, pause_ms = text.split()
        note(label)
        return label, int(pause_ms) / 1000

    if "message.received" in role.wants:

        @bot.message("stream")
        async def streamed(message: Message) -> AsyncIterator[str]:
            label, pause_s = begin(message.text)
            for position in range(BUBBLES["stream"]):
                await asyncio.sleep(pause_s)
                yield f"{label} {position} {secrets.token_hex(4)}"

        @bot.message()
        async def listed(message: Message) -> list[str]:
            label, pause_s = begin(message.text)
            await asyncio.sleep(pause_s)
            return [f"{label} {position} {secrets.token_hex(4)}" for position in range(BUBBLES["list"])]

    for event_type in set(role.wants) - {"message.received"}:

        @bot.event(event_type)
        async def seen(event: Event) -> None:
            note(event.event_id)

    return bot


def perform(role: Role) -> None:
    """Play the role until the process is told to stop, or dies."""
    log = os.open(role.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(log, 1)
    os.dup2(log, 2)
    logs.configure("json", "info")
    asyncio.run(_perform(role))


async def _perform(role: Role) -> None:
    settings = load_settings(
        env_file=None,
        api_key="token",
        webhook_secret=role.secret,
        base_url=role.api_url,
        lease=role.lease,
        namespace=role.namespace,
        pair_budget=role.budget,
    )

    def store() -> Any:
        found = open_store(role.store_url, clock=SystemClock(), namespace=role.namespace, limits=settings.limits())
        if not role.notes_hands:
            return found
        from tests.chaos.hands import NotingStore

        return NotingStore(found, role.hands)

    bot = make_bot(role)
    bot.configure(settings=settings, only=role.only, store=store)  # type: ignore[arg-type]  # one of the three words
    if role.broken:
        from tests.chaos.broken import break_bot

        break_bot(bot, role, store)
    config = uvicorn.Config(bot, port=role.port, lifespan="on", log_config=None, timeout_graceful_shutdown=2)
    await uvicorn.Server(config).serve()


if __name__ == "__main__":
    perform(Role.from_json(sys.argv[1]))
