"""request parts -> stored parts, or a refusal. The part rules of linq-api-v3.md section 6.1."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from linqbot.emulator import apps, choices, fields, formats, texts
from linqbot.emulator.entities import Json
from linqbot.emulator.fields import content
from linqbot.emulator.problems import Problem
from linqbot.emulator.vault import Vault

MOST_PARTS = 100
MOST_URL_MEDIA = 40
MOST_LINK = 2048
ALONE = ("link", "imessage_app", "app_clip")
"""Parts that must be the only one."""

_INVENTED_SIZE = 1024


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads the parts of messages to these people, our line first."""

    vault: Vault
    people: tuple[str, ...]
    is_group: bool

    def read(self, given: Any) -> list[Json]:
        """The parts of a message as they are stored."""
        if given is None:
            raise fields.missing("message.parts")
        if not isinstance(given, list) or not 1 <= len(given) <= MOST_PARTS:
            raise content(f"message.parts must hold 1 to {MOST_PARTS} parts")
        _check_company([part.get("type") for part in given if isinstance(part, dict)])
        parts = [self._part(part) for part in given]
        if sum(self._is_public_media(part) for part in given) > MOST_URL_MEDIA:
            raise content(f"At most {MOST_URL_MEDIA} media parts may use a public url")
        return parts

    def _part(self, given: Any) -> Json:
        if not isinstance(given, dict):
            raise content("Each part must be an object")
        match given.get("type"):
            case "text":
                return texts.read_text(given, self.vault, people=self.people, is_group=self.is_group)
            case "media":
                return self._media(given)
            case "link":
                return _link(given)
            case "imessage_app":
                return apps.read_card(given)
            case "app_clip":
                return apps.read_clip(given)
            case None:
                raise fields.missing("part.type")
            case _:
                raise content("Unknown part type")

    def _media(self, given: Json) -> Json:
        url, attachment_id = given.get("url"), given.get("attachment_id")
        if (url is None) == (attachment_id is None):
            raise content("A media part needs exactly one of url and attachment_id")
        fields.flag(given.get("sticker"), "sticker")
        if attachment_id is not None:
            return self.vault.part(self.vault.ready(fields.uuid(attachment_id, "attachment_id")))
        file = self.vault.of_url(url) if isinstance(url, str) else None
        if file is not None:
            return self.vault.part(self.vault.ready(file.id))
        return stored_media(check_url(url, "A media url"), self.vault.new_id())

    def _is_public_media(self, given: Json) -> bool:
        return given["type"] == "media" and given.get("url") is not None and not self.vault.is_ours(given["url"])


def _check_company(kinds: list[Any]) -> None:
    if len(kinds) > 1:
        for kind in ALONE:
            if kind in kinds:
                code = 1008 if kind == "imessage_app" else choices.CONTENT_CODE
                raise Problem(400, code, f"A part of type {kind} must be the only part in the message")
    if ("text", "text") in pairwise(kinds):
        raise content("Consecutive text parts are not allowed")


def _link(given: Json) -> Json:
    link = texts.read_string(given.get("value"), "part.value", most=MOST_LINK)
    if not fields.split_url(link).scheme:
        raise content("A link needs a scheme")
    return {"type": "link", "value": link}


def check_url(url: Any, name: str, allowed: tuple[str, ...] = formats.EXTENSIONS) -> str:
    """The https address of a file that may travel."""
    if not isinstance(url, str) or not url.startswith("https://") or not fields.split_url(url).hostname:
        raise content(f"{name} must use HTTPS")
    formats.check_url(fields.split_url(url).path, allowed)
    return url


def stored_media(url: str | None, media_id: str) -> Json:
    """A media part from the web; the emulator fetches nothing, so size and type are what the name suggests."""
    url = url or f"https://cdn.{choices.LINQ_HOST}/attachments/{media_id}/file.jpg"
    name = fields.split_url(url).path.rsplit("/", 1)[-1] or "file"
    return {
        "type": "media",
        "id": media_id,
        "filename": name,
        "mime_type": formats.type_of(name),
        "size_bytes": _INVENTED_SIZE,
        "url": url,
    }
