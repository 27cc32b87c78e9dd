"""Bots that the hostile tests serve in processes of their own."""

from __future__ import annotations

import asyncio
import logging
import os
import threading
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from linqbot import Bot, Media, Message, Reply, Turn

OUTBOUND = "outbound-marzipan"
"""A word of the canary's own."""

listener = Bot(thread="never")
"""Writes the text of each message into the file that DIARY names, and says nothing."""


@listener.message()
def listen(message: Message) -> None:
    with Path(os.environ["DIARY"]).open("a", encoding="utf-8") as diary:
        diary.write(message.text + "\n")


canary = Bot(attempts=1)
"""Goes wrong in every way a handler can, and quotes what was said to it in every error."""


@canary.message("raise")
async def raises(message: Message) -> str:
    raise ValueError(quoted(message))


@canary.message("thread")
def raises_in_a_thread(message: Message) -> str:
    raise LookupError(quoted(message))


@canary.message("chain")
async def raises_from_another(message: Message) -> str:
    try:
        return dict[str, str]()[message.text]
    except KeyError as error:
        error.add_note(quoted(message))
        raise RuntimeError(quoted(message)) from error


@canary.message("group")
async def raises_a_group(message: Message) -> str:
    raise ExceptionGroup(quoted(message), [ValueError(quoted(message)), OSError(5, quoted(message))])


@canary.message("reads")
async def raises_from_a_library(message: Message) -> str:
    return str(Strict(number=message.text))  # type: ignore[arg-type]  # the error is what is wanted


@canary.message("sleep", timeout=0.1)
async def overruns(message: Message) -> str:
    await asyncio.Event().wait()
    return quoted(message)


@canary.message("garbage")
async def returns_garbage(message: Message) -> Any:
    return {"said": quoted(message)}


@canary.message("effect")
async def returns_an_effect_that_is_none(message: Message) -> Reply:
    return Reply("words", effect=quoted(message))  # type: ignore[arg-type]  # the error is what is wanted


@canary.message("target")
async def threads_on_nonsense(message: Message) -> Reply:
    return Reply("words", reply_to=quoted(message), ref=quoted(message))


@canary.message("media")
async def returns_media_of_no_address(message: Message) -> Reply:
    return Reply(Media(url=quoted(message)))


@canary.message("stream")
async def breaks_in_the_middle(message: Message) -> AsyncIterator[str]:
    yield quoted(message)
    raise ValueError(quoted(message))


@canary.message("task")
async def loses_a_task(message: Message) -> None:
    async def fails() -> None:
        raise ValueError(quoted(message))

    lost = asyncio.ensure_future(fails())
    await asyncio.wait([lost])
    del lost


@canary.message("callback")
async def breaks_in_a_callback(message: Message) -> None:
    def fails(words: str) -> None:
        raise ValueError(words)

    asyncio.get_running_loop().call_soon(fails, quoted(message))


@canary.message("stray")
async def leaves_a_thread_to_fail(message: Message) -> None:
    def fails() -> None:
        raise ValueError(quoted(message))

    stray = threading.Thread(target=fails)
    stray.start()
    stray.join()


@canary.message("finalizer")
async def breaks_while_collected(message: Message) -> None:
    class Fails:
        def __del__(self) -> None:
            raise ValueError(quoted(message))

    Fails()


@canary.message("says")
async def logs(message: Message, turn: Turn) -> None:
    turn.log.info("somebody wrote", who=message.sender.handle, message=message, turn=turn, shown=repr(message))
    logging.getLogger("orders").warning("call %s", message.sender.handle)


@canary.message("counts")
def shows_its_counts() -> None:
    Path(os.environ["DIARY"]).write_text(repr(canary.counts), "utf-8")


@canary.message()
async def answers(message: Message) -> list[str | Reply]:
    return [quoted(message), Reply(quoted(message), effect="confetti")]


class Strict(BaseModel):
    number: int


def quoted(message: Message) -> str:
    """What was said, by whom, and what is said back."""
    return f"{OUTBOUND}: {message.text} ({message.sender.handle})"
