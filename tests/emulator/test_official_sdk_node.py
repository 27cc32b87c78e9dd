"""Linq's official TypeScript SDK as a second witness: `tour.mjs` goes everywhere it can, here its finds are looked at.

The SDK is installed from npm into a temporary folder. Without node or npm the tests are skipped, and fail in CI.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from linqbot.emulator.app import Emulator
from linqbot.testing.clock import TurnedClock
from tests.emulator.conftest import LINE, PERSON
from tests.emulator.published import faults, published, published_schema
from tests.emulator.served import served
from tests.emulator.test_official_sdk_tour import dated
from tests.emulator.tour import ANN, VERSIONS, endpoint_of

SDK = os.environ.get("LINQBOT_TEST_NODE_SDK", "@linqapp/sdk@0.28.2")
"""Pinned; `.ci/nightly` takes the newest."""
HERE = Path(__file__).parent
PATIENCE_S = 90

NOT_SHARED = ("experiences.", "payment", "webhooks.unwrap")
"""Methods with nothing to look at: what the account has not, and the check that all webhooks go through."""

CONTRADICTED = {
    ("chat.created", "$.data.health_status: missing"),
    ("location.sharing.started", "$.data.ends_at: not of type ['string']"),
}
"""Where we follow Linq's sample of the older version, and the newer SDK (null when somebody shares for ever)."""


def give_up(reason: str) -> None:
    """Skip with a reason; fail in CI, where nothing may be missing."""
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="module")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the SDK and the script."""
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        give_up("node and npm are not installed, so the TypeScript SDK could not be asked")
    folder = tmp_path_factory.mktemp("node")
    shutil.copy(HERE / "tour.mjs", folder)
    (folder / "package.json").write_text('{"private": true}')
    command = [str(npm), "install", "--no-save", "--no-audit", "--no-fund", SDK]
    run = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=PATIENCE_S)
    if run.returncode:
        give_up(f"npm could not install {SDK}: {run.stderr[-300:]}")
    return folder


@pytest.fixture(scope="module")
def seen(workshop: Path) -> dict[str, Any]:
    """What the SDK saw on its tour."""
    return asyncio.run(_tour(workshop))


async def _tour(workshop: Path) -> dict[str, Any]:
    own = Emulator(clock=TurnedClock(), seed=11)
    async with served(own.app) as address:
        node = await asyncio.create_subprocess_exec(
            "node", "tour.mjs", address, cwd=workshop, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
        )
        out, errors = await asyncio.wait_for(node.communicate(), PATIENCE_S)
    assert node.returncode == 0, errors.decode()
    found: dict[str, Any] = json.loads(out)
    return found


def told(seen: dict[str, Any], event_type: str) -> list[Any]:
    """The data of all webhooks of a type."""
    return [one["data"] for one in seen["events"]["2026-02-03"] if one["event_type"] == event_type]


def test_every_method_of_the_sdk_was_called(seen: dict[str, Any]) -> None:
    """The tour goes wherever the SDK can go."""
    shared = {name for name in seen["methods"] if not name.startswith(NOT_SHARED)}

    assert len(shared) > 40
    assert shared - seen["made"].keys() == set()


def test_every_webhook_is_verified(seen: dict[str, Any]) -> None:
    """The SDK accepted all signatures in both payload versions, and refuses a webhook that was changed."""
    assert {version: len(told) > 30 for version, told in seen["events"].items()} == dict.fromkeys(VERSIONS, True)
    assert seen["forged"] == "refused"


@pytest.mark.parametrize("version", VERSIONS)
def test_every_webhook_fits_the_published_schema(seen: dict[str, Any], version: str) -> None:
    """What the SDK was told validates, where Linq's document describes it and nothing newer contradicts it."""
    schemas = published()["webhooks"]
    described = [one for one in seen["events"][version] if f"{one['event_type']}.v{version}" in schemas]

    found = {
        (one["event_type"], fault)
        for one in described
        for fault in faults(dated(one), schemas[f"{one['event_type']}.v{version}"])
    }

    assert len(described) > 20
    assert found - CONTRADICTED == set()


def test_every_answer_fits_the_published_schema(seen: dict[str, Any]) -> None:
    """Each answer the SDK got validates field by field, refusals too, and nearly every described endpoint was asked."""
    schemas, refusal = published()["answers"], published_schema("ErrorResponse")
    asked = {endpoint_of(one["method"], one["path"]) for one in seen["answers"]}
    found = [
        (one["path"], fault)
        for one in seen["answers"]
        if (endpoint := endpoint_of(one["method"], one["path"])) in schemas
        for fault in faults(dated(one["body"]), schemas[endpoint] if one["status"] < 300 else refusal)
    ]

    assert found == []
    assert {name for name in schemas.keys() - asked if not name.startswith("get /v3/experiences")} == set()


def test_a_message_and_its_webhooks(seen: dict[str, Any]) -> None:
    """Created, sent, edited, reacted to, read back and told."""
    made = seen["made"]
    created, sent, read = made["chats.create"]["chat"], made["chats.messages.send"], made["messages.retrieve"]

    assert [one["handle"] for one in created["handles"]] == [LINE, PERSON]
    assert (sent["chat_id"], sent["message"]["delivery_status"]) == (created["id"], "pending")
    assert sent["message"]["parts"][0]["text_decorations"] == [{"range": [0, 2], "style": "bold"}]
    assert (read["parts"][0]["value"], read["parts"][0]["reactions"][0]["type"]) == ("Ho", "love")
    assert (read["reply_to"]["message_id"], read["effect"]["name"]) == (made["inbound"]["message_id"], "confetti")
    assert (read["delivery_status"], read["is_from_me"]) == ("read", True)
    assert [one["id"] for one in made["messages.listMessagesThread"]] == [read["reply_to"]["message_id"], read["id"]]
    assert len(made["chats.messages.list"]) == 3
    assert made["messages.create"]["from_selection"]["reason"] == "reused_active_chat"
    assert [one["idempotency_key"] for one in told(seen, "message.sent") if one["id"] == read["id"]] == ["k"]
    assert [one["part"]["text"] for one in told(seen, "message.edited")] == ["Ho"]
    assert [one["is_from_me"] for one in told(seen, "reaction.added")] == [True]
    assert [one["id"] for one in told(seen, "message.received")] == [made["inbound"]["message_id"]]


def test_parts_of_every_kind(seen: dict[str, Any]) -> None:
    """Uploads, media, memos, links, App Clips, stickers, cards and polls."""
    made = seen["made"]
    stored, public = made["media"]["message"]["parts"]

    assert (made["upload"], made["download"]) == (200, "abc")
    assert (made["attachments.retrieve"]["status"], made["attachments.retrieve"]["size_bytes"]) == ("complete", 3)
    assert (stored["id"], public["filename"]) == (made["attachments.create"]["attachment_id"], "a.jpg")
    assert made["chats.sendVoicememo"]["voice_memo"]["voice_memo"]["mime_type"] == "audio/x-m4a"
    assert made["link"]["message"]["parts"][0]["value"] == "https://example.com"
    assert made["clip"]["message"]["parts"][0]["type"] == "app_clip"
    assert made["sticker"]["message"]["parts"][0]["inline_stickers"][0]["file_name"] == "a.png"
    assert made["messages.updateAppCard"]["message"]["parts"][0]["layout"] == {"caption": "Mine"}
    assert made["vote"]["poll"]["total_voters"] == 1
    assert [one["message_id"] for one in told(seen, "poll.sent")] == [made["poll"]["message_id"]]


def test_groups(seen: dict[str, Any]) -> None:
    """Members come, go and are told; the line leaves."""
    made = seen["made"]
    status = {one["handle"]: one["status"] for one in made["left"]["handles"]}

    assert made["group"]["chat"]["is_group"] is True
    assert [one["handle"] for one in made["mention"]["message"]["parts"][0]["mentions"]] == [ANN]
    assert (made["left"]["display_name"], status[LINE]) == ("Us", "left")
    assert [one["participant"]["status"] for one in told(seen, "participant.removed")] == ["removed", "left"]
    assert [one["new_value"] for one in told(seen, "chat.group_name_updated")] == ["Us"]
    assert made["chats.leaveChat"]["status"] == "accepted"


def test_lines_cards_places_and_refusals(seen: dict[str, Any]) -> None:
    """What is set is what is read, and a refusal is the SDK's error of its status."""
    made = seen["made"]
    (card,) = made["contactCard.retrieve"]["contact_cards"]
    (feature,) = made["chats.location.retrieve"]["data"]["features"]

    assert made["phoneNumbers.list"]["phone_numbers"][0]["phone_number"] == LINE
    assert made["availableNumber.retrieve"]["phone_number"] == LINE
    assert (made["capability.checkIMessage"]["available"], made["capability.checkRCS"]["available"]) == (True, False)
    assert (card["first_name"], card["last_name"]) == ("Ada", "Bot")
    assert feature["geometry"]["coordinates"] == [-122.25, 37.5]
    assert made["refusal"] == {"name": "NotFoundError", "status": 404, "code": 2001}
