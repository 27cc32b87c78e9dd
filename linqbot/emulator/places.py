"""Call -> where people are, and what is behind the bubbles: location and background (linq-api-v3.md section 7.7)."""

from __future__ import annotations

import re
from functools import partial
from typing import Any

from linqbot.emulator import choices, fields, finding, formats, limits, payloads, shapes
from linqbot.emulator.entities import Chat, Json
from linqbot.emulator.linq import Linq
from linqbot.emulator.operation import Call, ok
from linqbot.emulator.problems import Problem
from linqbot.emulator.wire import Answer
from linqbot.emulator.world import Share

COLORS = (
    *("mango", "ice", "plum", "deep_sea", "green_apple", "cherry", "bubblegum", "tangerine", "magenta", "lime"),
    *("silver", "carbon", "stone"),
)
DYNAMIC = {
    "sky": ("dusk", "haze", "sunset", "clear", "sunrise", "dawn"),
    "water": ("light", "dark"),
    "aurora": ("green", "purple", "pink"),
}
PHOTOS = ("jpg", "jpeg", "png", "heic", "webp")

_SHADE = re.compile(r"#[0-9A-Fa-f]{6}", re.ASCII)


def request_location(linq: Linq, call: Call) -> Answer:
    """POST /v3/chats/{chatId}/location/request: direct iMessage chats only."""
    chat = finding.chat_to_act_in(linq, call)
    if chat.is_group:
        raise Problem(409, 2016, "Location requests are not supported in group chats")
    if chat.service != "iMessage":
        raise Problem(409, 2017, "Location requests are only supported over iMessage")
    if (chat.others[0].handle, chat.line) in linq.world.shares:
        raise Problem(*choices.ALREADY_SHARING, "They already share their location")
    now_ms = linq.clock.now_ms()
    limits.spend(linq.world, f"location:{chat.id}", most=1, window_ms=choices.LOCATION_WINDOW_MS, now_ms=now_ms)
    linq.world.add_deed("location.requested", chat, shapes.moment(now_ms))
    return ok({"success": True, "message": "Location request sent"})


def get_location(linq: Linq, call: Call) -> Answer:
    """GET /v3/chats/{chatId}/location: one feature for each person who shares, longitude first."""
    chat = finding.chat(linq, call)
    shares = [linq.world.shares.get((person.handle, chat.line)) for person in chat.others]
    features = [shapes.feature(share) for share in shares if share is not None]
    return ok({"success": True, "data": {"type": "FeatureCollection", "features": features}})


def stop_location(linq: Linq, call: Call) -> Answer:
    """DELETE /v3/chats/{chatId}/location: ends somebody's share in every chat."""
    chat = finding.chat_to_act_in(linq, call)
    handle = fields.handle(fields.mapping(call.body, "body").get("handle"), "handle")
    if (handle, chat.line) not in linq.world.shares:
        raise Problem(404, 2001, "They do not share their location")
    linq.lifecycle.soon(partial(end_share, linq, chat, handle, call.trace_id))
    return ok({"success": True, "message": "Stop request sent"}, 202)


def begin_share(linq: Linq, chat: Chat, share: Share, trace_id: str) -> None:
    """Somebody shares where they are; again only moves them."""
    is_new = (share.handle, chat.line) not in linq.world.shares
    linq.world.shares[share.handle, chat.line] = share
    if is_new:
        linq.lifecycle.tell(chat, "location.sharing.started", payloads.sharing_started(chat, share), trace_id)


def end_share(linq: Linq, chat: Chat, handle: str, trace_id: str) -> None:
    """Somebody no longer shares where they are."""
    share = linq.world.shares.pop((handle, chat.line), None)
    if share is not None:
        data = payloads.sharing_stopped(chat, share, ended_ms=linq.clock.now_ms())
        linq.lifecycle.tell(chat, "location.sharing.stopped", data, trace_id)


def set_background(linq: Linq, call: Call) -> Answer:
    """POST /v3/chats/{chatId}/background; choices.BACKGROUND_STATUS."""
    chat = finding.chat_to_act_in(linq, call)
    background = _background(fields.mapping(call.body, "body"))
    linq.lifecycle.soon(partial(_change, linq, chat, background, call))
    return Answer(choices.BACKGROUND_STATUS)


def remove_background(linq: Linq, call: Call) -> Answer:
    """DELETE /v3/chats/{chatId}/background."""
    chat = finding.chat_to_act_in(linq, call)
    linq.lifecycle.soon(partial(_change, linq, chat, None, call))
    return Answer(choices.BACKGROUND_STATUS)


def _change(linq: Linq, chat: Chat, background: Json | None, call: Call) -> None:
    if call.failure is not None:
        data = payloads.update_failed(chat, call.failure.code, failed_ms=linq.clock.now_ms())
        linq.lifecycle.tell(chat, "chat.background_update_failed", data, call.trace_id)
    elif chat.service == "iMessage":
        chat.background = background
        linq.lifecycle.tell(chat, "chat.background_updated", payloads.background(chat, chat.me), call.trace_id)


def _background(body: Json) -> Json:
    kind = body.get("type")
    read = {"color": _color, "dynamic": _dynamic, "photo": _photo}.get(kind) if isinstance(kind, str) else None
    if read is None:
        raise fields.missing("type") if kind is None else fields.value("type must be color, dynamic or photo")
    nothing: Json = {"style": None, "variant": None, "shades": None, "image_url": None}
    return {"type": kind, **nothing, **read(body)}


def _color(body: Json) -> Json:
    variant = body.get("variant") or "custom"
    if variant in COLORS:
        return {"variant": variant}
    shades = body.get("shades")
    if variant != "custom" or not isinstance(shades, list) or len(shades) != 2 or not all(map(_is_shade, shades)):
        raise fields.value("A color needs a named variant, or two shades")
    return {"variant": "custom", "shades": shades}


def _is_shade(given: Any) -> bool:
    return isinstance(given, str) and _SHADE.fullmatch(given) is not None


def _dynamic(body: Json) -> Json:
    style, variant = body.get("style"), body.get("variant")
    if not isinstance(style, str) or variant not in DYNAMIC.get(style, ()):
        raise fields.value("Unknown dynamic style or variant")
    return {"style": style, "variant": variant}


def _photo(body: Json) -> Json:
    url = body.get("image_url")
    if not isinstance(url, str) or not url.startswith("https://"):
        raise Problem(400, 5007, "The image's url cannot be fetched")
    if formats.extension_of(url.partition("?")[0]) not in PHOTOS:
        raise Problem(400, 5006, "The url is not an image")
    return {"image_url": url}
