"""`linqbot emulator`, really started: one process, reached over HTTP, stopped by a signal."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from click.testing import CliRunner

from linqbot.cli.emulator import emulator as command
from linqbot.emulator import choices
from linqbot.emulator.choices import CHOICES
from tests.emulator.conftest import LINE, PERSON
from tests.emulator.listener import Listener
from tests.emulator.served import served
from tests.emulator.wording import says

START = "from linqbot.cli.emulator import emulator; emulator()"


@pytest.fixture
def process() -> Iterator[subprocess.Popen[str]]:
    """The command on a free port."""
    arguments = [sys.executable, "-c", START, "--port", "0"]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as running:
        try:
            yield running
        finally:
            running.kill()


@pytest.fixture
def address(process: subprocess.Popen[str]) -> str:
    """Where the command says its API is."""
    assert process.stdout is not None
    return process.stdout.readline().split()[-1]


async def test_it_serves_both_sides(address: str) -> None:
    """Somebody writes through the control API at the root, the bot answers through the API, the phone shows it."""
    listener = Listener()
    root = address.removesuffix("/api/partner")
    headers = {"authorization": "Bearer any"}
    async with served(listener.app) as hook, httpx.AsyncClient(timeout=10, headers=headers) as client:
        target = {"target_url": f"{hook}/hook", "subscribed_events": ["message.received"]}
        await client.post(f"{address}/v3/webhook-subscriptions", json=target)
        ids = (await client.post(f"{root}/_control/inbound", json={"from": PERSON, "to": LINE, "text": "Hi"})).json()
        await listener.comes(1)
        reply = says("Hello!", reply_to={"message_id": ids["message_id"]}, idempotency_key="k")
        await client.post(f"{address}/v3/chats/{ids['chat_id']}/messages", json=reply)
        phones = (await client.get(f"{root}/_control/transcript")).json()["phones"]

    assert listener.got[0].event["event_id"] == ids["event_id"]
    assert [one["parts"] for one in phones[PERSON]] == [[{"type": "text", "value": "Hello!"}]]
    assert phones[PERSON][0]["reply_to"]["message_id"] == ids["message_id"]


async def test_its_clock_is_turned_from_outside(address: str) -> None:
    """Time in the process moves on at one's word."""
    root = address.removesuffix("/api/partner")
    async with httpx.AsyncClient(timeout=10) as client:
        turned = (await client.post(f"{root}/_control/clock", json={"advance": 86_400})).json()

    assert turned["offset_ms"] == 86_400_000


def test_it_says_where_everything_is(process: subprocess.Popen[str], address: str) -> None:
    """The second line has the control API, at the root of the same address."""
    assert process.stdout is not None
    assert process.stdout.readline().startswith(f"Control API on {address.removesuffix('/api/partner')}/_control: ")


def test_a_port_that_is_taken_is_named(address: str) -> None:
    """A second one on the same port ends with one sentence, not with a traceback."""
    port = address.removesuffix("/api/partner").rpartition(":")[2]

    run = subprocess.run(
        [sys.executable, "-m", "linqbot", "emulator", "--port", port], capture_output=True, text=True, check=False
    )

    assert run.returncode != 0
    assert f"cannot listen on 127.0.0.1 port {port}" in run.stderr
    assert "Traceback" not in run.stderr


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_stops_with_0(process: subprocess.Popen[str], address: str, number: signal.Signals) -> None:
    """Being asked to stop is no failure."""
    httpx.get(f"{address}/v3/phone_numbers", headers={"authorization": "Bearer any"}, timeout=10)

    process.send_signal(number)

    assert process.wait(timeout=20) == 0


def test_it_lists_its_choices() -> None:
    """--choices prints what Linq leaves open, each with what the emulator does and where the gap is."""
    result = CliRunner().invoke(command, ["--choices"])

    lines = result.output.splitlines()
    assert result.exit_code == 0
    assert len(lines) == len(CHOICES)
    assert "HTTP status of an idempotent replay: that of the first answer  [section 4]" in lines


def test_every_choice_is_made_somewhere() -> None:
    """Each listed choice is named by the code that obeys it, so that the list is neither stale nor decoration."""
    listed = {name for name in vars(choices) if name.isupper() and name not in {"_T", "CHOICES"}}
    code = "".join(path.read_text() for path in Path(choices.__file__).parent.glob("*.py"))

    assert {name for name in listed if f"choices.{name}" not in code} == set()
    assert len(listed) == len(CHOICES)


def test_every_choice_is_told_once() -> None:
    """No two choices are about the same thing, and each says what is unknown."""
    assert len({choice.about for choice in CHOICES}) == len(CHOICES)
    assert all(choice.unknown for choice in CHOICES)
