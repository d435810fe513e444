"""A stub of Coupa, its client, and a ledger."""

from __future__ import annotations

from collections.abc import Iterator

import attrs
import pytest

import mlconnector as mc
from mlconnector.coupa import Coupa
from mlconnector.testing import ManualClock
from tests.coupa.stub import START, CoupaStub


@attrs.define
class Setup:
    stub: CoupaStub
    coupa: Coupa
    clock: ManualClock


def client(stub: CoupaStub, clock: ManualClock, **options: object) -> Coupa:
    auth = mc.OAuth2ClientCredentials(stub.username, stub.password, scope="core.supplier.read")
    retry = mc.Retry(attempts=3, base=0.01, cap=0.02)
    return Coupa(stub.url + "/api/", auth=auth, clock=clock, retry=retry, timeout=5, **options)  # type: ignore[arg-type]


@pytest.fixture
def setup() -> Iterator[Setup]:
    clock = ManualClock(START)
    with CoupaStub(clock) as stub, client(stub, clock) as coupa:
        stub.supplier("4343", tax_id="12")
        stub.account("01-100-8000")
        stub.account("01-100-9000")
        yield Setup(stub, coupa, clock)


@pytest.fixture
def ledger(setup: Setup) -> Iterator[mc.Ledger]:
    with mc.Ledger(":memory:", actor="test", clock=setup.clock) as one:
        yield one
