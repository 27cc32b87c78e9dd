"""replies with files -> replies with Linq's ids of them. Says what must be uploaded, and puts the ids in its place."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from linqbot.replies.action import Action
from linqbot.replies.compose import Elsewhere
from linqbot.replies.media import Media, VoiceMemo
from linqbot.replies.reaction import React, Sticker
from linqbot.replies.reply import Reply
from linqbot.replies.send import Send
from linqbot.replies.upload import Upload

Answered = Reply | Action | Elsewhere


def uploads_of(answer: Answered) -> tuple[Upload, ...]:
    """The files of an answer that Linq does not have yet, in order."""
    return tuple(file.upload for file in _files(answer) if file.upload is not None)


def with_uploads(answer: Answered, ids: Iterator[str]) -> Answered:
    """The answer with the next ids in place of its files, in the order of `uploads_of`."""
    if not uploads_of(answer):
        return answer
    match answer:
        case VoiceMemo(ref=ref):
            return VoiceMemo(attachment_id=next(ids), ref=ref)
        case React(reaction=Sticker() as sticker):
            return replace(answer, reaction=replace(sticker, image=Media(attachment_id=next(ids))))
        case Reply():
            return _reply(answer, ids)
        case Send(chat_id=chat_id, recipients=recipients, key=key, line=line):
            said = [with_uploads(one, ids) for one in answer.replies]
            return Send(chat_id or recipients, said, key=key, line=line)
    raise AssertionError("only these hold files")


def _files(answer: Answered) -> Iterator[Media | VoiceMemo]:
    match answer:
        case VoiceMemo() as file:
            yield file
        case React(reaction=Sticker(image=Media() as file)):
            yield file
        case Reply(parts=parts):
            yield from (part for part in parts if isinstance(part, Media))
        case Send(replies=replies):
            for reply in replies:
                yield from _files(reply)


def _reply(reply: Reply, ids: Iterator[str]) -> Reply:
    parts = [
        Media(attachment_id=next(ids), sticker=part.sticker) if isinstance(part, Media) and part.upload else part
        for part in reply.parts
    ]
    return Reply(
        *parts,
        effect=reply.effect,
        thread=reply.thread,
        reply_to=reply.reply_to,
        preferred_service=reply.preferred_service,
        ref=reply.ref,
    )
