from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import mlconnector as mc
from mlconnector.testing import ManualClock
from tests.delivery.homes import DATABASES, Home, home
from tests.delivery.model import START, Desk, Model, Table

collect_ignore = [] if "postgres" in DATABASES else ["test_postgres_server.py"]


@pytest.fixture(params=DATABASES)
def model(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Model]:
    """Every rule holds on every database."""
    clock = ManualClock(START)
    if request.param == "sqlite":
        with mc.Ledger(":memory:", actor="test", clock=clock) as ledger:
            yield Model(clock, Table(clock), Desk(), ledger)
        return
    with home(request.param, tmp_path, clock) as place, place.open() as ledger:
        yield Model(clock, Table(clock), Desk(), ledger)


@pytest.fixture(params=DATABASES)
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Home]:
    """A place for a ledger that outlives its process."""
    with home(request.param, tmp_path, ManualClock(START)) as made:
        yield made
