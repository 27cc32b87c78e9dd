"""where people are, and what is behind the bubbles -> typed answers. `bot.client.locations`, `bot.client.backgrounds`.

Source: linq-api-v3.md section 7.7. Coordinates never come by webhook: ask every few minutes while somebody shares.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from pydantic import Field, model_validator

from linqbot.client.endpoint import Account, Deed, Endpoint, given
from linqbot.events.wire import Flag, Maybe, Some, Time, Word, Words


class Location(Words):
    """Where somebody is, in degrees."""

    shown: ClassVar[tuple[str, ...]] = ("updated_at",)

    handle: Word = ""
    latitude: Maybe[float] = None
    longitude: Maybe[float] = None
    address: Maybe[str] = None
    locality: Maybe[str] = None
    updated_at: Time = None

    @model_validator(mode="before")
    @classmethod
    def _from_feature(cls, feature: Any) -> Any:
        """Linq tells places as GeoJSON, the longitude first."""
        if not isinstance(feature, Mapping) or "geometry" not in feature:
            return feature
        told, geometry = feature.get("properties"), feature["geometry"]
        point = geometry.get("coordinates") if isinstance(geometry, Mapping) else None
        longitude, latitude = point[:2] if isinstance(point, list) and len(point) >= 2 else (None, None)
        return {**(told if isinstance(told, Mapping) else {}), "longitude": longitude, "latitude": latitude}


class Whereabouts(Words):
    """Everybody who shares in a chat."""

    shown = ()

    features: Some[Location] = ()


class LocationAnswer(Words):
    """The answer to a question for whereabouts."""

    shown = ("success",)

    success: Flag = False
    data: Maybe[Whereabouts] = None


class Asked(Words):
    """The answer to what somebody has to agree to, or what is done later."""

    shown = ("success",)

    success: Flag = False
    message: Word = Field(default="", repr=False)


_PLACE, _BACKGROUND = "/v3/chats/{}/location", "/v3/chats/{}/background"

_REQUEST = Endpoint("POST", f"{_PLACE}/request", Asked)
_GET = Endpoint("GET", _PLACE, LocationAnswer)
_STOP = Endpoint("DELETE", _PLACE, Asked)
_SET = Deed("POST", _BACKGROUND)
_REMOVE = Deed("DELETE", _BACKGROUND)


class Locations:
    """Where people in direct iMessage chats are, if they share it."""

    def __init__(self, account: Account) -> None:
        self._account = account

    async def request(self, chat_id: str) -> Asked:
        """Ask somebody to share where they are; they see each request. Raises `Unsupported` in groups and by SMS or RCS."""
        return await self._account.ask(_REQUEST, chat_id)

    async def get(self, chat_id: str) -> tuple[Location, ...]:
        """Where those are who share; empty when nobody does."""
        found = (await self._account.ask(_GET, chat_id)).data
        return () if found is None else found.features

    async def stop(self, chat_id: str, handle: str) -> Asked:
        """Stop looking at where somebody is. Raises `NotFound` when they do not share."""
        return await self._account.ask(_STOP, chat_id, body={"handle": handle})


class Backgrounds:
    """What is behind the bubbles, by iMessage; RCS and SMS accept it without effect. The outcome comes by webhook."""

    def __init__(self, account: Account) -> None:
        self._account = account

    async def set(
        self,
        chat_id: str,
        type_: str,
        *,
        variant: str | None = None,
        style: str | None = None,
        shades: Sequence[str] | None = None,
        image_url: str | None = None,
    ) -> None:
        """Put a `color` (`variant`, or two `shades`), something `dynamic` (`style` and `variant`) or a `photo`
        (`image_url`) behind a chat.
        """
        body = given(
            type=type_,
            variant=variant,
            style=style,
            shades=None if shades is None else [*shades],
            image_url=image_url,
        )
        await self._account.do(_SET, chat_id, body=body)

    async def remove(self, chat_id: str) -> None:
        """Put nothing behind a chat."""
        await self._account.do(_REMOVE, chat_id)
