"""Cards of iMessage apps, and App Clips: parts that stand alone, on iMessage only (linq-api-v3.md section 6.1)."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from linqbot.errors import ReplyError
from linqbot.replies.action import check_text
from linqbot.replies.addresses import check_address

ADDRESS_LIMIT = 2048
DATA_LIMIT = 16_384
_CAPTION_LIMIT = 512
_FALLBACK_LIMIT = 1024
_BUNDLE_LIMIT = 255
_NAME_LIMIT = 64
_TEAM = re.compile(r"[A-Z0-9]{10}", re.ASCII)

CAPTIONS = ("caption", "subcaption", "trailing_caption", "trailing_subcaption")
IMAGE_WORDS = ("image_title", "image_subtitle")


@dataclass(frozen=True, slots=True, kw_only=True)
class AppCard:
    """A card of your iMessage app, never sent as SMS or RCS: what it shows, and the `url` that a tap opens.

    `name`, `team_id` and `bundle_id` say which app; at least one caption or the `image_url` must be there; the words on
    the image need the image. With `interactive` your app draws it where it is installed. Raises `ReplyError`.
    """

    name: str
    team_id: str
    bundle_id: str
    app_store_id: int | None = None
    caption: str | None = field(default=None, repr=False)
    subcaption: str | None = field(default=None, repr=False)
    trailing_caption: str | None = field(default=None, repr=False)
    trailing_subcaption: str | None = field(default=None, repr=False)
    image_url: str | None = field(default=None, repr=False)
    image_title: str | None = field(default=None, repr=False)
    image_subtitle: str | None = field(default=None, repr=False)
    url: str | None = field(default=None, repr=False)
    """`https://`, or `data:` with state of the app's own."""
    fallback_text: str | None = field(default=None, repr=False)
    """Where a card cannot be shown; the caption unless given."""
    interactive: bool = True

    def __post_init__(self) -> None:
        self._check_app()
        for word in (*CAPTIONS, *IMAGE_WORDS):
            if getattr(self, word) is not None:
                check_text(getattr(self, word), what=f"{word} of AppCard", limit=_CAPTION_LIMIT)
        if all(getattr(self, word) is None for word in (*CAPTIONS, "image_url")):
            raise ReplyError(f"AppCard shows nothing; give it one of {', '.join(CAPTIONS)}, image_url")
        if self.image_url is None and any(getattr(self, word) is not None for word in IMAGE_WORDS):
            raise ReplyError("image_title and image_subtitle of AppCard stand on the image; give image_url, too")
        if self.image_url is not None:
            _check_https(self.image_url, what="image_url of AppCard")
        if self.fallback_text is not None:
            check_text(self.fallback_text, what="fallback_text of AppCard", limit=_FALLBACK_LIMIT)
        _check_card_url(self.url)
        if not isinstance(self.interactive, bool):
            raise ReplyError("interactive of AppCard is True or False")

    def _check_app(self) -> None:
        check_text(self.name, what="name of AppCard", limit=_NAME_LIMIT)
        team: object = self.team_id
        if not isinstance(team, str) or not _TEAM.fullmatch(team):
            raise ReplyError("team_id of AppCard is 10 upper-case letters and digits, as Apple gave them")
        check_text(self.bundle_id, what="bundle_id of AppCard", limit=_BUNDLE_LIMIT)
        if ":" in self.bundle_id:
            raise ReplyError("bundle_id of AppCard holds a colon; it is the bundle of the Messages extension alone")
        store: object = self.app_store_id
        if store is not None and (not isinstance(store, int) or isinstance(store, bool) or store < 1):
            raise ReplyError("app_store_id of AppCard is a number from 1 on")


@dataclass(frozen=True, slots=True)
class AppClip:
    """An App Clip, by the HTTPS address that it is registered for; never sent as SMS or RCS. `caption` is its button.

    Raises `ReplyError`.
    """

    url: str = field(repr=False)
    caption: str | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        _check_https(self.url, what="the address of AppClip")
        if self.caption is not None:
            check_text(self.caption, what="caption of AppClip", limit=_CAPTION_LIMIT)


def _check_https(url: str, *, what: str) -> None:
    check_address(url, what=what, schemes=("https",))
    if len(url) > ADDRESS_LIMIT:
        raise ReplyError(f"{what} has {len(url)} characters; Linq takes {ADDRESS_LIMIT}")


def _check_card_url(url: object) -> None:
    if url is None:
        return
    if not isinstance(url, str) or not url.startswith("data:"):
        _check_https(url, what="url of AppCard")  # type: ignore[arg-type]  # what is no str is refused by its type
    elif len(url) > DATA_LIMIT:
        raise ReplyError(f"url of AppCard has {len(url)} characters of data; Linq takes {DATA_LIMIT}")
