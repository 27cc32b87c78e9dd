"""Action -> OutboxItem, or the reason why Linq would refuse it, or neither: it would have no effect."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import quote

from linqbot.protocol.answering import Answering
from linqbot.protocol.bodies import body_of
from linqbot.protocol.deeds import Deed, deed_of
from linqbot.protocol.naming import PLACE, name_of_last_text, name_of_ref
from linqbot.records import OutboxItem, Request
from linqbot.replies import Action, Edit, Media, Poll, React, Sticker, Target, Unreact, VoiceMemo
from linqbot.replies.action import Aimed
from linqbot.replies.reply import SERVICES
from linqbot.replies.target import UUID


def trouble_of(action: Action, answering: Answering) -> str | None:
    """Why Linq would refuse an action in this chat, or None. Only what cannot be seen when it is made."""
    deed = deed_of(action)
    return next(
        (
            f"{type(action).__name__} {why}"
            for why in (_misplaced(deed, answering), _aimless(action, deed, answering), _not_uploaded(action))
            if why is not None
        ),
        None,
    )


def item_of(action: Action, answering: Answering, *, position: int) -> OutboxItem | None:
    """The action as a frozen request; None: the chat's service would make nothing of it, so it is left out."""
    deed, key, chat_id = deed_of(action), answering.key(position), answering.chat_id or ""
    if not _is_on(deed.services, answering):
        return None
    ref = action.ref if isinstance(action, Poll | VoiceMemo) else None
    target = _target(action, answering)
    return OutboxItem(
        key=key,
        lane=answering.lane,
        event_id=answering.event_id,
        handler=answering.handler,
        position=position,
        request=Request(
            method=deed.method,
            path=_path(deed, chat_id, target),
            body=body_of(action, key=key, part_index=_part(action, target)),
        ),
        repeat=deed.repeat,
        pair=chat_id if deed.units else "",
        units=deed.units,
        ref=ref,
        created_ms=answering.now_ms,
        line=answering.line if deed.units else "",
        guards=answering.guards + _name(action, chat_id),
        fleeting=deed.fleeting,
        names=() if ref is None else (name_of_ref(chat_id, ref),),
    )


def file_trouble(media: Media | VoiceMemo) -> str | None:
    """Why what a file says of its upload is no id of Linq's; None: it is one, or it is fetched by its address."""
    if media.upload is not None:
        return "has a file that was not uploaded"
    if media.attachment_id is not None and not UUID.fullmatch(media.attachment_id):
        return "attachment_id is none of Linq's: its ids are UUIDs; pass the id that the upload returned"
    return None


def _misplaced(deed: Deed, answering: Answering) -> str | None:
    """What is wrong with the chat, as far as it is known."""
    if deed.elsewhere == "refused" and not _is_on(deed.services, answering):
        return f"is for {' and '.join(deed.services)}, and this chat is on {answering.around.service}"
    if deed.chats == "group" and answering.around.is_direct:
        return "is for groups, and this chat is a direct one"
    if deed.chats == "direct" and answering.around.is_group:
        return "is for direct chats, and this one is a group"
    return None


def _is_on(services: tuple[str, ...], answering: Answering) -> bool:
    """Whether the chat may be on one of these services: nobody knows what one can do that is newer than this linqbot."""
    service = answering.around.service
    return service in services or service not in SERVICES


def _aimless(action: Action, deed: Deed, answering: Answering) -> str | None:
    """What is wrong with the message that it is about."""
    if PLACE not in deed.path or _name(action, ""):
        return None
    target = _target(action, answering)
    if target is None:
        return "needs to=, for the event that it answers is about no message"
    if not UUID.fullmatch(target.message_id):
        return "has a to= that names no message of Linq's: its ids are UUIDs; pass the message or its id"
    return None


def _not_uploaded(action: Action) -> str | None:
    return next((why for why in map(file_trouble, _files(action)) if why is not None), None)


def _files(action: Action) -> Iterator[Media | VoiceMemo]:
    if isinstance(action, VoiceMemo):
        yield action
    elif (
        isinstance(action, React) and isinstance(action.reaction, Sticker) and isinstance(action.reaction.image, Media)
    ):
        yield action.reaction.image


def _path(deed: Deed, chat_id: str, target: Target | None) -> str:
    path = deed.path.replace("{chat}", quote(chat_id, safe=""))
    return path if target is None else path.replace(PLACE, quote(target.message_id, safe=""))


def _part(action: Action, target: Target | None) -> int:
    if isinstance(action, React | Unreact) and action.part is not None:
        return action.part
    return 0 if target is None else target.part_index


def _target(action: Action, answering: Answering) -> Target | None:
    """The message that it is about, where that is known by now."""
    if not isinstance(action, Aimed) or _name(action, ""):
        return None
    return action.target or answering.about


def _name(action: Action, chat_id: str) -> tuple[str, ...]:
    """The name under which the message that it is about will be known; empty: it is known, or there is none."""
    if isinstance(action, Aimed) and action.ref is not None:
        return (name_of_ref(chat_id, action.ref),)
    if isinstance(action, Edit) and action.target is None:
        return (name_of_last_text(chat_id),)
    return ()
