"""an account at Linq -> everything that can be asked of it. `bot.client`: thin, typed, one method for an endpoint.

While the bot runs it speaks over the bot's own connections. A script opens it by itself: `async with bot.client as linq:`.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from types import TracebackType
from typing import Self

from linqbot.client.attachments import Attachments
from linqbot.client.blocked_handles import BlockedHandles
from linqbot.client.capabilities import Capabilities
from linqbot.client.chats import Chats
from linqbot.client.contact_cards import Cards
from linqbot.client.endpoint import Account
from linqbot.client.files import FileHost
from linqbot.client.http import LinqClient
from linqbot.client.messages import Messages
from linqbot.client.phone_numbers import PhoneNumbers
from linqbot.client.places import Backgrounds, Locations
from linqbot.client.polls import Polls
from linqbot.client.subscriptions import Subscriptions
from linqbot.client.uploads import Memory, NoMemory
from linqbot.clock import Clock, SystemClock


class Client:
    """Linq's endpoints, by noun. Nothing is sent again by itself.

    Every call raises a `Refusal` (`code`, `meaning`, `retryable`, `trace_id`), `NotSent`, `OutcomeUnknown`, or `LinqError`
    for a success that cannot be read; `ConfigurationError` while it is not open. `host` speaks to the hosts of files, and
    `memory` remembers what was uploaded and who was blocked.
    """

    def __init__(
        self,
        carrier: LinqClient | None = None,
        *,
        connect: Callable[[], LinqClient] | None = None,
        host: FileHost | None = None,
        memory: Memory | None = None,
        clock: Clock | None = None,
    ) -> None:
        self._account = Account(carrier)
        remembering, ticking = memory or NoMemory(), clock or SystemClock()
        self._host = host or FileHost()
        self._made_host = host is None
        self._connect = connect
        self._own: LinqClient | None = None
        self.chats = Chats(self._account)
        self.messages = Messages(self._account)
        self.polls = Polls(self._account)
        self.attachments = Attachments(
            self._account,
            host=self._host,
            memory=remembering,
            clock=ticking,
            random=random.random,
        )
        self.phone_numbers = PhoneNumbers(self._account)
        self.capabilities = Capabilities(self._account)
        self.contact_cards = Cards(self._account)
        self.blocked_handles = BlockedHandles(self._account, memory=remembering, clock=ticking)
        self.locations = Locations(self._account)
        self.backgrounds = Backgrounds(self._account)
        self.subscriptions = Subscriptions(self._account)

    def __repr__(self) -> str:
        return f"Client({'not open' if self._account.sender is None else 'open'})"

    async def __aenter__(self) -> Self:
        """Open connections, unless the running bot's are used."""
        if self._account.sender is None and self._connect is not None:
            self._own = self._account.sender = self._connect()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close what was opened; the running bot's connections stay."""
        own, self._own = self._own, None
        if own is not None:
            self._account.sender = None
            await own.aclose()
        if own is not None or self._made_host:
            await self._host.aclose()
