"""The printed coverage has a row for everything of Linq's, and nothing blank."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import get_args

import pytest
from linq.types import WebhookEventType

from tests.emulator.published import published
from tests.linq_coverage import (
    OUT_OF_SCOPE,
    REPLIES,
    TOLD,
    UNSENT,
    Row,
    document_endpoints,
    endpoint_rows,
    event_rows,
    sdk_endpoints,
)

ROWS = [*endpoint_rows(), *event_rows()]


@pytest.mark.parametrize("row", ROWS, ids=[row.name for row in ROWS])
def test_nothing_is_blank(row: Row) -> None:
    """Every cell says something, and whatever is missing has its reason."""
    assert all(cell.strip() for cell in row.cells())
    assert "no" not in (row.client, row.emulator) or row.why


def test_every_endpoint_has_its_row() -> None:
    """The document's and the SDK's endpoints, each once."""
    names = [row.name for row in endpoint_rows()]

    assert len(names) == len(set(names)) == len(document_endpoints().keys() | sdk_endpoints().keys())
    assert len(document_endpoints()) == len(published()["operations"])
    assert len(sdk_endpoints()) > 60


def test_every_event_type_has_its_row() -> None:
    """The types of the SDK, which are all of the document's."""
    assert [row.name for row in event_rows()] == list(get_args(WebhookEventType))
    assert set(published()["events"]) <= set(get_args(WebhookEventType))


def test_the_emulator_has_every_endpoint() -> None:
    """No endpoint is unknown to it; what it refuses as a whole are payments."""
    assert {row.name for row in endpoint_rows() if row.emulator == "no"} == set()
    assert all("/v3/payment" in row.name for row in endpoint_rows() if row.emulator == "refused")


def test_the_client_has_every_endpoint() -> None:
    """`bot.client` asks every endpoint that is in scope; what it leaves out says why."""
    missing = [row for row in endpoint_rows() if row.client == "no"]

    assert [row.name for row in missing if "not yet" in row.why] == []
    assert all(row.name.partition(" ")[2].startswith(tuple(OUT_OF_SCOPE)) for row in missing)


def test_no_reason_is_stale() -> None:
    """What the tables name exists."""
    known = document_endpoints().keys() | sdk_endpoints().keys()

    assert REPLIES.keys() | TOLD.keys() <= known
    assert all(any(path.startswith(start) for _, path in known) for start in OUT_OF_SCOPE)
    assert UNSENT.keys() <= set(get_args(WebhookEventType))


def test_it_is_printed() -> None:
    """`python -m tests.linq_coverage` prints a line for each row, under headings."""
    root = Path(__file__).parents[2]
    run = subprocess.run(
        [sys.executable, "-m", "tests.linq_coverage"], cwd=root, capture_output=True, text=True, check=True
    )

    lines = [line for line in run.stdout.splitlines() if line]
    assert len(lines) == len(ROWS) + 2
    assert all(line.split()[0] in {"name", *(row.name.split()[0] for row in ROWS)} for line in lines)
