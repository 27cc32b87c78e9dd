"""a bot's handlers -> a subscription at Linq. `linqbot webhooks sync` asks for the events that are handled and
those from which linqbot learns what became of its sends and to whom it may send, and no more.

The subscription is the one whose address is the bot's; its payload version is pinned in that address. Doing it again
changes nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import click

from linqbot.errors import ConfigurationError
from linqbot.settings import Settings

if TYPE_CHECKING:
    from linqbot.client.client import Client
    from linqbot.client.subscriptions import Subscription

VERSION = "2026-02-03"
"""The payload version that is asked for (linq-api-v3.md section 8.1)."""

SETTLING = frozenset({"message.sent", "message.delivered", "message.read", "message.failed"})
"""What linqbot itself wants to hear: it settles the replies that were sent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What has to be done at Linq."""

    target_url: str
    events: tuple[str, ...]
    added: tuple[str, ...]
    removed: tuple[str, ...]
    subscription_id: str | None = None
    """None: there is no subscription yet."""
    moved: bool = False
    """Whether its address pins another version, or none."""
    woken: bool = False
    """Whether it was switched off."""
    neighbours: tuple[Subscription, ...] = ()
    """Active subscriptions of other addresses on the same host: perhaps left behind by a change of the path."""

    @property
    def is_needed(self) -> bool:
        """Whether there is anything to do."""
        return self.subscription_id is None or bool(self.added or self.removed or self.moved or self.woken)


def plan_sync(existing: Iterable[Subscription], *, target_url: str, events: Iterable[str]) -> Change:
    """The way from what there is to a subscription of `target_url` to exactly these events."""
    wanted = frozenset(events)
    existing = tuple(existing)
    found = [one for one in existing if _place(one.target_url) == _place(target_url)]
    one = min(found, key=lambda candidate: candidate.target_url != target_url, default=None)
    neighbours = tuple(other for other in existing if other is not one and _are_neighbours(other, target_url))
    if one is None:
        return Change(
            target_url=target_url,
            events=tuple(sorted(wanted)),
            added=tuple(sorted(wanted)),
            removed=(),
            neighbours=neighbours,
        )
    there = frozenset(one.subscribed_events)
    return Change(
        target_url=target_url,
        events=tuple(sorted(wanted)),
        added=tuple(sorted(wanted - there)),
        removed=tuple(sorted(there - wanted)),
        subscription_id=one.id,
        moved=one.target_url != target_url,
        woken=not one.is_active,
        neighbours=neighbours,
    )


def target_of(url: str, path: str) -> str:
    """The address that Linq calls, from where the program is reached. Raises `ConfigurationError`."""
    parts = urlsplit(url)
    is_local = parts.scheme == "http" and parts.hostname in ("localhost", "127.0.0.1", "::1")
    if not parts.hostname or not (parts.scheme == "https" or is_local) or parts.query or parts.fragment:
        raise ConfigurationError("--url must be an address that begins with https://, such as https://bot.example.com")
    base = url.rstrip("/")
    return f"{base if parts.path.endswith(path) else base + path}?version={VERSION}"


@click.group("webhooks")
def webhooks() -> None:
    """Tell Linq where to send which events."""


@webhooks.command("sync")
@click.argument("target")
@click.option("--url", help="Where the internet reaches the bot, https://…  [default: LINQBOT_PUBLIC_URL]")
@click.option("--dry-run", is_flag=True, help="Only say what would change.")
def sync(target: str, url: str | None, *, dry_run: bool) -> None:
    """Subscribe the bot's address to the events that its handlers want, and those that linqbot itself needs.

    Creates the subscription, or updates the one that is there; a repeat changes nothing. The signing secret of a new one is
    printed once, as the line to configure it.
    """
    from linqbot.cli.load import load_bot
    from linqbot.protocol.lessons import TEACHING

    bot = load_bot(target)
    settings = bot.settings
    public = url or settings.public_url
    if public is None:
        raise ConfigurationError("say where the internet reaches the bot: --url https://…, or LINQBOT_PUBLIC_URL")
    target_url = target_of(public, settings.webhook_path)
    asyncio.run(_sync(settings, target_url, bot.event_types() | SETTLING | TEACHING, dry_run=dry_run))


async def _sync(settings: Settings, target_url: str, events: frozenset[str], *, dry_run: bool) -> None:
    from linqbot.client.client import Client
    from linqbot.client.http import LinqClient

    if settings.api_key is None:
        raise ConfigurationError("there is no API key: set LINQ_API_V3_API_KEY to the token of your Linq account")
    async with LinqClient(settings.base_url, settings.api_key.get_secret_value()) as carrier:
        linq = Client(carrier)
        change = plan_sync(await linq.subscriptions.list(), target_url=target_url, events=events)
        secret = await _carry_out(linq, change) if change.is_needed and not dry_run else None
    click.echo("\n".join(_told(change, dry_run=dry_run)))
    if secret is not None:
        click.echo("\n".join(_secret_lines(secret)))


async def _carry_out(linq: Client, change: Change) -> str | None:
    """Change what is at Linq; the secret of a subscription that is new."""
    if change.subscription_id is not None:
        await linq.subscriptions.update(
            change.subscription_id, target_url=change.target_url, events=change.events, is_active=True
        )
        return None
    created = await linq.subscriptions.create(change.target_url, change.events)
    return None if created.signing_secret is None else created.signing_secret.get_secret_value()


def _told(change: Change, *, dry_run: bool) -> Iterator[str]:
    yield f"{_verb(change, dry_run=dry_run)} {change.target_url}"
    yield from (f"  + {event}" for event in change.added)
    yield from (f"  - {event}" for event in change.removed)
    kept = len(change.events) - len(change.added)
    if kept:
        yield f"  {kept} event{'s' if kept > 1 else ''} unchanged"
    if change.moved:
        yield f"  the payload version is now pinned to {VERSION}"
    if change.woken:
        yield "  it was switched off, and is active now"
    for other in change.neighbours:
        yield f"  also subscribed on this host: {other.target_url}, id {other.id}; delete it if nothing listens there"


def _verb(change: Change, *, dry_run: bool) -> str:
    if not change.is_needed:
        return "nothing to change for"
    did, would = ("updated", "would update") if change.subscription_id else ("created", "would create")
    return would if dry_run else did


def _secret_lines(secret: str) -> Iterator[str]:
    yield "\nIts secret is shown only now. Set it where the bot runs, as one of:"
    yield f"LINQ_WEBHOOK_SECRET={secret}"
    yield f"heroku config:set LINQ_WEBHOOK_SECRET={secret}"


def _place(url: str) -> str:
    """An address without its query: the version is not part of who is called."""
    return url.partition("?")[0].rstrip("/")


def _are_neighbours(other: Subscription, target_url: str) -> bool:
    return other.is_active and urlsplit(other.target_url).netloc == urlsplit(target_url).netloc
