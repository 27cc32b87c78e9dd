"""What the emulator answers and sends has the shape Linq published: key by key as in the fixtures, and by its schema."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
import yaml

from linqbot.emulator.app import Emulator
from tests.emulator.conftest import LINE, PERSON
from tests.emulator.keys import differences, fixture
from tests.emulator.listener import URL, Listener
from tests.emulator.published import DOCUMENT, faults, published, published_schema, structure
from tests.emulator.wording import holds, media, says, text

WEBHOOKS = [
    f"{event}.v{version}"
    for version in ("2026-02-03", "2025-01-01")
    for event in (
        "message.sent",
        "message.received",
        "message.delivered",
        "message.read",
        "message.failed",
        "chat.created",
    )
]
ANSWERS = {
    "post /v3/chats": "response.chats.create",
    "get /v3/chats": "response.chats.list",
    "get /v3/chats/{chatId}": "response.chats.retrieve",
    "post /v3/chats/{chatId}/messages": "response.messages.send",
    "get /v3/chats/{chatId}/messages": "response.messages.list",
    "get /v3/messages/{messageId}": "response.messages.retrieve",
    "get /v3/phone_numbers": "response.phone_numbers.list",
    "post /v3/webhook-subscriptions": "response.webhook_subscriptions.create",
    "get /v3/webhook-subscriptions": "response.webhook_subscriptions.list",
    "get /v3/webhook-subscriptions/{subscriptionId}": "response.webhook_subscriptions.retrieve",
    "put /v3/webhook-subscriptions/{subscriptionId}": "response.webhook_subscriptions.retrieve",
}
CONTRADICTED = {"chat.created.v2025-01-01": ["$.data.health_status: missing"]}
"""Where Linq's sample and its prose (linq-api-v3.md section 8.5) contradict its schema, we follow the sample."""

TARGET = "https://webhooks.example.com/linq?version=2026-02-03"
EVENTS = ["message.sent", "message.delivered"]


async def answer_of(name: str, api: httpx.AsyncClient, emulator: Emulator) -> Any:
    """The answer of one endpoint after a short conversation."""
    created = (await api.post("/v3/chats", json={"from": LINE, "to": [PERSON], **says()})).json()["chat"]
    body = {"target_url": TARGET, "subscribed_events": EVENTS, "phone_numbers": [LINE]}
    subscribed = (await api.post("/v3/webhook-subscriptions", json=body)).json()
    method, path = name.split(" ")
    if (method, path) == ("post", "/v3/webhook-subscriptions"):
        return subscribed
    ids = {"chatId": created["id"], "messageId": created["message"]["id"], "subscriptionId": subscribed["id"]}
    bodies = {
        "post /v3/chats": {"from": LINE, "to": [PERSON], **says()},
        "post /v3/chats/{chatId}/messages": says(),
        "put /v3/webhook-subscriptions/{subscriptionId}": {"is_active": True},
    }
    return (await api.request(method, path.format(**ids), json=bodies.get(name))).json()


async def events_of(api: httpx.AsyncClient, emulator: Emulator, listener: Listener, version: str) -> dict[str, Any]:
    """One webhook of each type, from a conversation in one payload version, by type."""
    emulator.subscribe(f"{URL}?version={version}")
    chat_id = (await emulator.inbound(PERSON, text="Hello!", to=LINE)).chat_id
    await api.post(f"/v3/chats/{chat_id}/messages", json=holds(text(), media()))
    await emulator.quiet()
    emulator.fault("failed")
    await api.post(f"/v3/chats/{chat_id}/messages", json=says())
    await emulator.quiet()
    return {one.type: one.event for one in listener.got}


@pytest.mark.parametrize("name", ANSWERS)
async def test_an_answer_has_exactly_the_keys_of_its_fixture(
    name: str, api: httpx.AsyncClient, emulator: Emulator
) -> None:
    """Same keys, same nesting, no more and no less."""
    answer = await answer_of(name, api, emulator)

    assert differences(answer, fixture(ANSWERS[name])) == []


@pytest.mark.parametrize("name", ANSWERS)
async def test_an_answer_fits_the_published_schema(name: str, api: httpx.AsyncClient, emulator: Emulator) -> None:
    """Types, required fields, enumerations and formats are those of Linq's OpenAPI document."""
    answer = await answer_of(name, api, emulator)

    assert list(faults(answer, published()["answers"][name])) == []


@pytest.mark.parametrize("hook", WEBHOOKS)
async def test_a_webhook_has_exactly_the_keys_of_its_fixture(
    hook: str, api: httpx.AsyncClient, emulator: Emulator, listener: Listener
) -> None:
    """Envelope and data are key by key those of the fixture of the same event and version."""
    event_type, version = hook.split(".v")

    events = await events_of(api, emulator, listener, version)

    theirs = fixture(f"{event_type}.{version}")
    ours = events[event_type]
    extra = {"$.data.service"} if event_type == "message.failed" else set()
    assert set(differences(ours, theirs)) - extra == set()
    assert (ours["api_version"], ours["webhook_version"]) == ("v3", version)


@pytest.mark.parametrize("hook", WEBHOOKS)
async def test_a_webhook_fits_the_published_schema(
    hook: str, api: httpx.AsyncClient, emulator: Emulator, listener: Listener
) -> None:
    """Every webhook validates against the schema of its event and version."""
    event_type, version = hook.split(".v")

    events = await events_of(api, emulator, listener, version)

    assert list(faults(events[event_type], published()["webhooks"][hook])) == CONTRADICTED.get(hook, [])


async def test_the_event_types_are_those_of_the_fixture(api: httpx.AsyncClient) -> None:
    """GET /v3/webhook-events lists the 75 types."""
    answer = (await api.get("/v3/webhook-events")).json()

    assert answer == fixture("response.webhook_events.list")


@pytest.mark.parametrize("version", ["2026-02-03", "2025-01-01"])
async def test_a_reply_and_an_effect_are_told(
    version: str, api: httpx.AsyncClient, emulator: Emulator, listener: Listener
) -> None:
    """A threaded message with an effect says so in its webhooks, where the version keeps it."""
    emulator.subscribe(f"{URL}?version={version}")
    heard = await emulator.inbound(PERSON, text="Hello!", to=LINE)
    effect = {"type": "screen", "name": "confetti"}
    target = {"message_id": heard.message_id, "part_index": 0}

    await api.post(f"/v3/chats/{heard.chat_id}/messages", json=says(reply_to=target, effect=effect))
    await emulator.quiet()

    data = listener.only("message.sent").event["data"]
    told = data["message"] if version == "2025-01-01" else data
    assert (told["reply_to"], told["effect"]) == (target, effect)


async def test_an_error_has_exactly_the_keys_of_its_fixture(api: httpx.AsyncClient, chat_id: str) -> None:
    """The envelope of a refusal, and its documentation address, are Linq's."""
    error = (await api.get("/v3/chats/not-a-uuid")).json()

    theirs = fixture("response.error.1005")
    assert differences(error, theirs) == []
    assert error["error"]["doc_url"] == theirs["error"]["doc_url"]
    assert list(faults(error, published_schema("ErrorResponse"))) == []


async def test_a_rate_limit_has_exactly_the_keys_of_its_fixture(
    api: httpx.AsyncClient, emulator: Emulator, chat_id: str
) -> None:
    """A 429 says how long to wait where the fixture says it."""
    answers = [await api.post(f"/v3/chats/{chat_id}/messages", json=says()) for _ in range(31)]

    assert differences(answers[-1].json(), fixture("response.error.1007")) == []


@pytest.mark.parametrize("name", ["response.messages.send", "response.chats.retrieve", "response.messages.list"])
def test_the_schema_check_accepts_the_documentation(name: str) -> None:
    """Linq's own samples pass the check, so that a failure is ours."""
    operation = next(operation for operation, file in ANSWERS.items() if file == name)

    assert list(faults(fixture(name), published()["answers"][operation])) == []


@pytest.mark.parametrize(
    "broken",
    [{"chat_id": 7}, {"chat_id": "no-uuid"}, {"message": {}}, {"message": None}],
    ids=["type", "format", "missing", "null"],
)
def test_the_schema_check_refuses_what_is_wrong(broken: dict[str, Any]) -> None:
    """A value of a wrong type, format or without a required field is found."""
    value = fixture("response.messages.send") | broken

    assert list(faults(value, published()["answers"]["post /v3/chats/{chatId}/messages"])) != []


@pytest.mark.skipif(not DOCUMENT.exists(), reason="linq-openapi.yaml does not lie beside this checkout")
def test_the_extract_is_the_published_document() -> None:
    """openapi.json is the structure of linq-openapi.yaml, unchanged."""
    document = yaml.load(DOCUMENT.read_text(), Loader=yaml.CSafeLoader)

    assert structure(document) == published()
