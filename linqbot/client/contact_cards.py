"""questions about your contact cards -> typed answers. `bot.client.contact_cards` (linq-api-v3.md section 7.7)."""

from __future__ import annotations

from typing import ClassVar

from linqbot.client.endpoint import Account, Endpoint, given
from linqbot.events.wire import Flag, Maybe, Some, Word, Words


class ContactCard(Words):
    """Name and picture that a line shows."""

    shown: ClassVar[tuple[str, ...]] = ("is_active",)

    phone_number: Word = ""
    first_name: Word = ""
    last_name: Maybe[str] = None
    image_url: Maybe[str] = None
    is_active: Flag = False
    """False: kept, but not applied to the line."""


class ContactCards(Words):
    """The cards of some lines."""

    shown = ()

    contact_cards: Some[ContactCard] = ()


_CARD = "/v3/contact_card"

_GET = Endpoint("GET", _CARD, ContactCards)
_CREATE = Endpoint("POST", _CARD, ContactCard)
_UPDATE = Endpoint("PATCH", _CARD, ContactCard)


class Cards:
    """Contact cards of your lines; `chats.share_contact_card` shows one."""

    def __init__(self, account: Account) -> None:
        self._account = account

    async def list(self, phone_number: str | None = None) -> tuple[ContactCard, ...]:
        """The cards of all lines, or of one. Linq may answer that there is none with `NotFound`."""
        return (await self._account.ask(_GET, query={"phone_number": phone_number})).contact_cards

    async def create(
        self, phone_number: str, first_name: str, *, last_name: str | None = None, image_url: str | None = None
    ) -> ContactCard:
        """Give a line its first card. Raises `Conflict` when it has one: `update` it; and `ServerTrouble` when it was kept
        but not applied (code 2022: call again) or must wait (code 4004: repeats prolong it).
        """
        body = given(phone_number=phone_number, first_name=first_name, last_name=last_name, image_url=image_url)
        return await self._account.ask(_CREATE, body=body)

    async def update(
        self,
        phone_number: str,
        *,
        first_name: str | None = None,
        last_name: str | None = None,
        image_url: str | None = None,
    ) -> ContactCard:
        """Change what is given of a line's card and leave the rest."""
        body = given(first_name=first_name, last_name=last_name, image_url=image_url)
        return await self._account.ask(_UPDATE, body=body, query={"phone_number": phone_number})
