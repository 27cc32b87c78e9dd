"""a backend -> proof that it is a Store. The public conformance suite of `linqbot.store.base`.

Subclass `StoreContract` in a test module and give it the fixture `build`; every sentence of the store's docstrings is
then tested against your backend:

    class TestMyStore(StoreContract):
        @pytest.fixture
        def build(self, clock: TurnedClock, tmp_path: Path) -> Build:
            return lambda limits, namespace: MyStore(tmp_path / "data", clock=clock, namespace=namespace, limits=limits)

Async tests and fixtures need a plugin that runs them without marks (anyio with `anyio_mode = "auto"`).
"""

from __future__ import annotations

import pytest

# The tests live in installed modules, so pytest must be told to explain their assertions; this must precede the imports.
pytest.register_assert_rewrite(__name__)

from linqbot.testing.store_contract.accepting import InboxContract  # noqa: E402  after the assertions are registered
from linqbot.testing.store_contract.budget import BudgetContract  # noqa: E402  after the assertions are registered
from linqbot.testing.store_contract.committing import DeskContract  # noqa: E402  after the assertions are registered
from linqbot.testing.store_contract.endings import EndingsContract  # noqa: E402  after the assertions are registered
from linqbot.testing.store_contract.keeping import KeeperContract  # noqa: E402  after the assertions are registered
from linqbot.testing.store_contract.knowing import KnowledgeContract  # noqa: E402  after the assertions are registered
from linqbot.testing.store_contract.leases import LanesContract  # noqa: E402  after the assertions are registered
from linqbot.testing.store_contract.opening import Build, Opener, StoreFixtures  # noqa: E402  as above
from linqbot.testing.store_contract.pace import PaceContract  # noqa: E402  after the assertions are registered
from linqbot.testing.store_contract.posting import PostContract  # noqa: E402  after the assertions are registered
from linqbot.testing.store_contract.receipts import ReceiptContract  # noqa: E402  after the assertions are registered
from linqbot.testing.store_contract.settling import OutboxContract  # noqa: E402  after the assertions are registered
from linqbot.testing.store_contract.sharing import SharingContract  # noqa: E402  after the assertions are registered
from linqbot.testing.store_contract.state import StateContract  # noqa: E402  after the assertions are registered
from linqbot.testing.store_contract.timers import TimerContract  # noqa: E402  after the assertions are registered
from linqbot.testing.store_contract.waiting import WaitContract  # noqa: E402  after the assertions are registered


class StoreContract(
    InboxContract,
    ReceiptContract,
    LanesContract,
    EndingsContract,
    WaitContract,
    DeskContract,
    StateContract,
    TimerContract,
    OutboxContract,
    PostContract,
    BudgetContract,
    PaceContract,
    KnowledgeContract,
    KeeperContract,
    SharingContract,
):
    """All of the contract; what a backend's test class inherits."""


__all__ = [
    "BudgetContract",
    "Build",
    "DeskContract",
    "EndingsContract",
    "InboxContract",
    "KeeperContract",
    "KnowledgeContract",
    "LanesContract",
    "Opener",
    "OutboxContract",
    "PaceContract",
    "PostContract",
    "ReceiptContract",
    "SharingContract",
    "StateContract",
    "StoreContract",
    "StoreFixtures",
    "TimerContract",
    "WaitContract",
]
