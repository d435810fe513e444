from __future__ import annotations

from collections.abc import Iterator

import pytest

import mlconnector as mc
from mlconnector.testing import ManualClock
from tests.delivery.model import START, Desk, Model, Table


@pytest.fixture
def model() -> Iterator[Model]:
    clock = ManualClock(START)
    with mc.Ledger(":memory:", actor="test", clock=clock) as ledger:
        yield Model(clock, Table(clock), Desk(), ledger)
