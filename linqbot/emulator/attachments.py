"""Call -> Answer for attachments and voice memos: linq-api-v3.md sections 7 and 7.6."""

from __future__ import annotations

from typing import Any

from linqbot.emulator import choices, fields, finding, formats, shapes, texts, transfers, typing_bubbles
from linqbot.emulator.entities import Json
from linqbot.emulator.linq import Linq
from linqbot.emulator.operation import NOTHING, Call, ok
from linqbot.emulator.parts import check_url, stored_media
from linqbot.emulator.problems import Problem
from linqbot.emulator.rules import Content
from linqbot.emulator.vault import MOST_BYTES, UPLOAD_MS, File
from linqbot.emulator.wire import Answer

MOST_NAME = 255
MOST_VOICE_BYTES = 10 * 1024 * 1024


def create_attachment(linq: Linq, call: Call) -> Answer:
    """POST /v3/attachments: where to put the bytes."""
    body = fields.mapping(call.body, "body")
    name, size = body.get("filename"), body.get("size_bytes")
    for field in ("filename", "content_type", "size_bytes"):
        if body.get(field) is None:
            raise fields.missing(field)
    if not isinstance(name, str) or not 1 <= len(name) <= MOST_NAME or not texts.is_unicode(name):
        raise fields.value(f"filename must be a string of 1 to {MOST_NAME} characters")
    if type(size) is not int or size < 1:
        raise fields.value("size_bytes must be a positive integer")
    if size > MOST_BYTES:
        raise Problem(400, 5005, "File too large")
    formats.check_upload(name, body["content_type"])
    file = linq.vault.announce(name, body["content_type"], size)
    return ok(
        {
            "attachment_id": file.id,
            "upload_url": linq.vault.upload_url(file),
            "download_url": linq.vault.download_url(file),
            "http_method": "PUT",
            "expires_at": shapes.moment(file.created_ms + UPLOAD_MS),
            "required_headers": transfers.required_headers(file),
        }
    )


def get_attachment(linq: Linq, call: Call) -> Answer:
    """GET /v3/attachments/{attachmentId}: its facts, with a fresh address."""
    file = _found(linq, call)
    there = {} if file.content is None else {"download_url": linq.vault.download_url(file)}
    return ok(
        {
            "id": file.id,
            "filename": file.name,
            "content_type": file.content_type,
            "size_bytes": file.size,
            "status": "pending" if file.content is None else "complete",
            "created_at": shapes.moment(file.created_ms),
        }
        | there
    )


def delete_attachment(linq: Linq, call: Call) -> Answer:
    """DELETE /v3/attachments/{attachmentId}: for good; messages lose what refers to it (choices.STRIPPED)."""
    file = _found(linq, call)
    linq.vault.remove(file)
    for message in linq.world.messages.values():
        if any(part.get("id") == file.id for part in message.parts):
            message.parts = [part for part in message.parts if part.get("id") != file.id]
    return NOTHING


def send_voice_memo(linq: Linq, call: Call) -> Answer:
    """POST /v3/chats/{chatId}/voicememo."""
    chat, body = finding.chat_to_act_in(linq, call), fields.mapping(call.body, "body")
    part = _voice(linq, body)
    override = fields.flag(body.get("override_optout"), "override_optout")
    linq.gate.check_recipients(chat.line, chat.handles, is_group=chat.is_group, override_optout=override)
    message = linq.exchange.accept(
        chat, Content(parts=[part], override_optout=override), trace_id=call.trace_id, failure=call.failure
    )
    typing_bubbles.clear(linq, chat, call.trace_id)
    memo = {name: part[name] for name in ("id", "url", "filename", "mime_type", "size_bytes")}
    return ok(
        {
            "voice_memo": {
                "id": message.id,
                "chat": shapes.chat_info(chat),
                "from": chat.line,
                "to": [person.handle for person in chat.others],
                "status": "queued",
                "created_at": shapes.moment(message.created_ms),
                "service": chat.service,
                "voice_memo": memo | {"duration_ms": choices.VOICE_DURATION_MS},
            }
        },
        202,
    )


def _found(linq: Linq, call: Call) -> File:
    return linq.vault.known(fields.uuid(call.params["attachmentId"], "attachmentId"))


def _voice(linq: Linq, body: Json) -> Json:
    url, attachment_id = body.get("voice_memo_url"), body.get("attachment_id")
    if (url is None) == (attachment_id is None):
        raise fields.content("Exactly one of voice_memo_url and attachment_id is needed")
    file = _own_file(linq, url, attachment_id)
    if file is None:
        return stored_media(check_url(url, "voice_memo_url", formats.VOICE_EXTENSIONS), linq.names.uuid())
    if formats.extension_of(file.name) not in formats.VOICE_EXTENSIONS:
        raise Problem(400, 5004, "Unsupported audio format")
    if file.size > MOST_VOICE_BYTES:
        raise Problem(413, 5001, "A voice memo may have up to 10 MB")
    return linq.vault.part(file)


def _own_file(linq: Linq, url: Any, attachment_id: Any) -> File | None:
    if attachment_id is not None:
        return linq.vault.ready(fields.uuid(attachment_id, "attachment_id"))
    file = linq.vault.of_url(url) if isinstance(url, str) else None
    return None if file is None else linq.vault.ready(file.id)
