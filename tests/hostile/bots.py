"""Bots that the hostile tests serve in processes of their own."""

from __future__ import annotations

import os
from pathlib import Path

from linqbot import Bot, Message

listener = Bot(thread="never")
"""Writes the text of each message into the file that DIARY names, and says nothing."""


@listener.message()
def listen(message: Message) -> None:
    with Path(os.environ["DIARY"]).open("a", encoding="utf-8") as diary:
        diary.write(message.text + "\n")
