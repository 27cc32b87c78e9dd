"""app card, app clip -> stored part, or a refusal. linq-api-v3.md section 6.1; choices.CARD_URL, choices.CLIP_CODE."""

from __future__ import annotations

import re
from typing import Any

from linqbot.emulator import choices, fields
from linqbot.emulator.entities import Json
from linqbot.emulator.problems import Problem

_TEAM = re.compile(r"[A-Z0-9]{10}", re.ASCII)
_CAPTIONS = ("caption", "subcaption", "trailing_caption", "trailing_subcaption")
_IMAGE_WORDS = ("image_title", "image_subtitle")
_MOST_HTTPS = 2048
_MOST_DATA = 16_384


def read_card(given: Json) -> Json:
    """An `imessage_app` part as it is stored."""
    return {
        "type": "imessage_app",
        "app": _app(given.get("app")),
        **read_content(given, most_data=_MOST_DATA),
    }


def read_content(given: Json, *, most_data: int) -> Json:
    """What a card shows: its layout, address and fallback."""
    layout = _layout(given.get("layout"))
    fallback = _text(given.get("fallback_text"), "fallback_text", 1024)
    fields.flag(given.get("interactive"), "interactive")
    return {
        "layout": layout,
        "url": _url(given.get("url"), most_data),
        "fallback_text": fallback or layout.get("caption"),
    }


def read_clip(given: Json) -> Json:
    """An `app_clip` part as it is stored."""
    link = given.get("value")
    if link is None:
        raise fields.missing("part.value")
    if not isinstance(link, str) or not link.startswith("https://") or len(link) > _MOST_HTTPS:
        raise Problem(400, choices.CLIP_CODE, "An app clip needs the https address of a registered App Clip")
    title = _text(given.get("caption"), "caption", 512)
    return {"type": "app_clip", "value": link, "title": title, "description": None, "image_url": None}


def _app(given: Any) -> Json:
    app = _object(given, "app")
    name, team, bundle = app.get("name"), app.get("team_id"), app.get("bundle_id")
    if not isinstance(name, str) or not 1 <= len(name) <= 64:
        raise _bad("app.name must be a string of 1 to 64 characters")
    if not isinstance(team, str) or _TEAM.fullmatch(team) is None:
        raise _bad("app.team_id must be 10 upper-case letters and digits")
    if not isinstance(bundle, str) or not 1 <= len(bundle) <= 255 or ":" in bundle:
        raise _bad("app.bundle_id must be a string of 1 to 255 characters without a colon")
    store = app.get("app_store_id")
    if store is not None and type(store) is not int:
        raise _bad("app.app_store_id must be an integer")
    known = {"name": name, "team_id": team, "bundle_id": bundle}
    return known if store is None else known | {"app_store_id": store}


def _layout(given: Any) -> Json:
    layout = _object(given, "layout")
    words = {name: _text(layout.get(name), f"layout.{name}", 512) for name in (*_CAPTIONS, *_IMAGE_WORDS)}
    words["image_url"] = _text(layout.get("image_url"), "layout.image_url", _MOST_HTTPS)
    if not any(words[name] for name in (*_CAPTIONS, "image_url")):
        raise _bad("layout needs a caption or an image_url")
    if words["image_url"] is None and any(words[name] for name in _IMAGE_WORDS):
        raise _bad("image_title and image_subtitle need an image_url")
    return {name: text for name, text in words.items() if text is not None}


def _url(given: Any, most_data: int) -> str:
    if given is None:
        return choices.CARD_URL
    most = {"https": _MOST_HTTPS, "data": most_data}.get(str(given).partition(":")[0], 0)
    if not isinstance(given, str) or len(given) > most:
        raise _bad(f"url must be https with up to {_MOST_HTTPS} or data with up to {most_data} characters")
    return given


def _text(given: Any, name: str, most: int) -> str | None:
    if given is not None and (not isinstance(given, str) or len(given) > most):
        raise _bad(f"{name} must be a string of up to {most} characters")
    return given or None


def _object(given: Any, name: str) -> Json:
    if not isinstance(given, dict):
        raise _bad(f"{name} must be an object")
    return given


def _bad(message: str) -> Problem:
    return Problem(400, 1008, message)
