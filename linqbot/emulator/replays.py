"""(key, request) -> the first answer again. Idempotency: linq-api-v3.md section 4.

choices.KEY_CHECK, choices.KEY_SCOPE, choices.KEY_CONFLICT, choices.REPLAY_STATUS.
"""

from __future__ import annotations

import hashlib
import json

from linqbot.emulator.entities import Message
from linqbot.emulator.linq import Linq
from linqbot.emulator.operation import Call
from linqbot.emulator.problems import Problem
from linqbot.emulator.wire import Answer
from linqbot.emulator.world import KeptAnswer


def replay(linq: Linq, call: Call, where: str, key: str | None) -> Answer | bytes:
    """The first answer under this request's key, or the digest to keep the coming answer under.

    A key whose message was deleted is 404: it is never sent again.
    """
    if key is None:
        return b""
    canonical = json.dumps([where, call.body], sort_keys=True).encode()
    digest = hashlib.blake2b(canonical, digest_size=16).digest()
    first = linq.world.answers.get(key)
    if first is None:
        return digest
    if first.message.is_deleted:
        raise Problem(404, 2002, "The message of this idempotency key was deleted")
    call.replayed = True
    linq.world.counters["replays"] += 1
    if first.digest != digest:
        linq.world.counters["key_conflicts"] += 1
    return Answer(first.status, first.body)


def keep(linq: Linq, message: Message, answer: Answer, digest: bytes) -> None:
    """Keep an answer for whoever asks again with the same key."""
    if message.idempotency_key is not None:
        linq.world.answers[message.idempotency_key] = KeptAnswer(answer.status, answer.body, digest, message)
