"""JD Edwards, BILL and Coupa on one clock, furnished alike."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import attrs
import pytest

import mlconnector as mc
from mlconnector import flows
from mlconnector.testing import BILLSimulator, JDEdwardsSimulator, ManualClock, accounts, fiscal_calendar

NOT_IN_BILL = ("6990",)
START = dt.datetime(2026, 2, 24, 8, tzinfo=dt.UTC)


@attrs.define
class Office:
    """A JD Edwards and a BILL with an operator between them."""

    clock: ManualClock
    erp: JDEdwardsSimulator
    payables: BILLSimulator
    jde: mc.JDEdwardsAIS
    bill: mc.BILL
    ledger: mc.Ledger

    def flow(self, **options: Any) -> mc.Flow:
        """Vouchers become bills; vendors are kept in BILL."""
        settings = {
            "begin": "everything",
            "hand_over": flows.Trusted("payments are switched off in this company"),
            "bank_account": "00000001",
            "kinds": ["invoices"],
            **options,
        }
        return flows.jde_to_bill(self.jde, self.bill, ledger=self.ledger, **settings)

    def furnish(self, tables: dict[str, list[dict[str, Any]]]) -> None:
        """JD Edwards holds these rows; BILL has the same chart but one account, one department, no vendor."""
        self.erp.add(tables)
        self.erp.add(accounts())
        self.erp.add({"PTC": "N30", "PTD": "Net 30", "NDTP": 30}, table="F0014")
        self.erp.add(fiscal_calendar(2026, period=2))
        for account in self.jde.accounts():
            if account.object in NOT_IN_BILL:
                continue
            row = mc.Account(number=account.object, object=account.object, description=account.description)
            self.payables.add(row)
        self.payables.add(mc.CostCenter(number="M30", name="Boulder plant"))

    def writes(self) -> int:
        """How many calls could have changed something in either system."""
        return sum(is_write(call) for simulator in (self.erp, self.payables) for call in simulator.calls)


def is_write(call: Any) -> bool:
    """Anything but a read: the data service and the log-in are asked with POST."""
    if call.method == "GET":
        return False
    reads = ("dataservice", "tokenrequest", "/login", "defaultconfig", "logout")
    return not any(part in call.path for part in reads)


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    clock = ManualClock(START)
    with (
        JDEdwardsSimulator(clock=clock) as erp,
        BILLSimulator(clock=clock) as payables,
        mc.JDEdwardsAIS(erp.url, auth=mc.AISSession(erp.username, erp.password), clock=clock, timeout=20) as jde,
        mc.BILL(payables.url, auth=payables.auth, clock=clock, timeout=20, lock_dir=tmp_path) as bill,
        mc.Ledger(":memory:", actor="nightly job", clock=clock) as ledger,
    ):
        yield Office(clock, erp, payables, jde, bill, ledger)
