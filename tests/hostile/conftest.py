"""A door that is open."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.hostile.door import Door, echo, open_door


@pytest.fixture
async def door() -> AsyncIterator[Door]:
    """The webhook endpoint of an echo bot."""
    async with open_door(echo()) as one:
        yield one
