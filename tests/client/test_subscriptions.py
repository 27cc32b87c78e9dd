"""questions about the account -> typed answers."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from linqbot.client.client import Client
from linqbot.client.http import LinqClient
from linqbot.errors import ApiError, LinqError
from tests.client.conftest import FarSide, written

FIXTURES = Path(__file__).parents[1] / "fixtures" / "linq"
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw7Jxx2Oll+OE="
URL = "https://webhooks.example.com/linq/events?version=2026-02-03"


def sample(name: str) -> bytes:
    """A published answer of Linq's."""
    return (FIXTURES / f"response.{name}.json").read_bytes()


def asked(far: FarSide) -> tuple[str, object]:
    """The request line and the JSON body of the last request."""
    head, _, body = far.seen[-1].partition(b"\r\n\r\n")
    return head.split(b" HTTP/")[0].decode(), json.loads(body) if body else None


@pytest.fixture
async def linq(far: FarSide) -> AsyncIterator[Client]:
    """A client of the far side."""
    async with LinqClient(f"http://127.0.0.1:{far.port}", "key") as carrier:
        yield Client(carrier)


async def test_subscriptions_are_listed(far: FarSide, linq: Client) -> None:
    """All subscriptions come typed, without a secret (fixture response.webhook_subscriptions.list)."""
    far.script = written("200 OK", body=sample("webhook_subscriptions.list"))

    (one,) = await linq.subscriptions.list()

    assert asked(far) == ("GET /v3/webhook-subscriptions", None)
    assert (one.target_url, one.is_active, one.signing_secret) == (URL, True, None)
    assert one.subscribed_events == ("message.sent", "message.delivered", "message.read")


async def test_new_subscription_tells_its_secret_once(far: FarSide, linq: Client) -> None:
    """Subscribing gives the secret to configure, which no repr shows (fixture response.webhook_subscriptions.create)."""
    far.script = written("201 Created", body=sample("webhook_subscriptions.create"))

    made = await linq.subscriptions.create(URL, ["message.received"])

    wanted = {"target_url": URL, "subscribed_events": ["message.received"]}
    assert asked(far) == ("POST /v3/webhook-subscriptions", wanted)
    assert made.signing_secret is not None
    assert made.signing_secret.get_secret_value() == SECRET
    assert SECRET not in repr(made)


async def test_subscription_can_be_for_some_lines(far: FarSide, linq: Client) -> None:
    """Lines that are named filter the events (linq-api-v3.md section 8.1)."""
    far.script = written("201 Created", body=sample("webhook_subscriptions.create"))

    await linq.subscriptions.create(URL, ["message.received"], phone_numbers=["+12025551234"])

    assert asked(far)[1] == {
        "target_url": URL,
        "subscribed_events": ["message.received"],
        "phone_numbers": ["+12025551234"],
    }


async def test_change_sends_only_what_changes(far: FarSide, linq: Client) -> None:
    """What is not named stays as it is (linq-api-v3.md section 8.1)."""
    far.script = written("200 OK", body=sample("webhook_subscriptions.retrieve"))

    changed = await linq.subscriptions.update("b2c3", events=["message.read"], is_active=False)

    assert asked(far) == (
        "PUT /v3/webhook-subscriptions/b2c3",
        {"subscribed_events": ["message.read"], "is_active": False},
    )
    assert changed.id == "b2c3d4e5-f6a7-8901-bcde-f23456789012"


async def test_subscription_is_deleted(far: FarSide, linq: Client) -> None:
    """Deleting needs no answer but a success."""
    far.script = written("204 No Content")

    await linq.subscriptions.delete("b2c3")

    assert asked(far) == ("DELETE /v3/webhook-subscriptions/b2c3", None)


async def test_lines_are_listed_without_showing_them(far: FarSide, linq: Client) -> None:
    """The account's numbers come typed, and no repr shows one (fixture response.phone_numbers.list)."""
    far.script = written("200 OK", body=sample("phone_numbers.list"))

    found = await linq.phone_numbers.list()

    assert [line.phone_number for line in found] == ["+12025551234", "+12025559876"]
    assert "+12025551234" not in repr(found)


async def test_refusal_is_raised_as_linqs_error(far: FarSide, linq: Client) -> None:
    """An error answer becomes the error of its code (fixture response.error.2004)."""
    far.script = written("401 Unauthorized", body=sample("error.2004"))

    with pytest.raises(ApiError) as caught:
        await linq.subscriptions.list()

    assert (caught.value.status, caught.value.code) == (401, 2004)


async def test_deleting_what_is_not_there_is_an_error(far: FarSide, linq: Client) -> None:
    """A refused deletion is raised, not swallowed (fixture response.error.2001)."""
    far.script = written("404 Not Found", body=sample("error.2001"))

    with pytest.raises(ApiError):
        await linq.subscriptions.delete("b2c3")


async def test_unreadable_success_names_the_fields(far: FarSide, linq: Client) -> None:
    """A success that is not Linq's says which fields are wrong, never their content."""
    far.script = written("200 OK", body=b'{"subscriptions": [{"id": "canary", "target_url": 5}]}')

    with pytest.raises(LinqError, match=r"subscriptions\.0\.target_url") as caught:
        await linq.subscriptions.list()

    assert "canary" not in str(caught.value)
