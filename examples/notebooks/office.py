"""A fictional company for the notebooks: JD Edwards, BILL and Coupa as the shipped simulators, on a clock that stands.

With your own systems none of this is needed: connect with ``mc.JDEdwardsAIS(url, auth=mc.stored("acme-jde"))``.
"""

from __future__ import annotations

import atexit
import contextlib
import datetime as dt
import tempfile
from decimal import Decimal
from pathlib import Path

import mlconnector as mc
from mlconnector import flows
from mlconnector.testing import (
    BILLSimulator,
    CoupaSimulator,
    JDEdwardsSimulator,
    ManualClock,
    accounts,
    fiscal_calendar,
    orders,
    vouchers,
)

_CHART = {"name": "US Chart"}
_CODES = ("M30-6110", "M30-6120", "M30-6310", "M30-6420")


class Office:
    """Three systems, furnished alike, and a ledger; open until Python ends."""

    def __init__(self) -> None:
        stack = contextlib.ExitStack()
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        self.clock = ManualClock(dt.datetime(2026, 2, 24, 8, tzinfo=dt.UTC))
        self.erp = stack.enter_context(JDEdwardsSimulator(clock=self.clock))
        self.payables = stack.enter_context(BILLSimulator(clock=self.clock))
        self.spend = stack.enter_context(CoupaSimulator(clock=self.clock))
        self.jde = stack.enter_context(self.erp.client())
        self.bill = stack.enter_context(self.payables.client(lock_dir=folder))
        self.coupa = stack.enter_context(self.spend.client())
        self.ledger = stack.enter_context(mc.Ledger(":memory:", actor="analyst", clock=self.clock))
        self._furnish()
        atexit.register(stack.close)

    def _furnish(self) -> None:
        placed = orders(18, suppliers=6)
        for line in placed["F4311"]:
            line["ANI"] = "M30.6110"
        self.erp.add(placed)
        odd = {4: ["part_paid"], 9: ["paid"], 11: ["debit_memo"], 13: ["foreign"]}
        days = (dt.date(2025, 11, 20), dt.date(2025, 12, 12), dt.date(2026, 1, 12), dt.date(2026, 2, 4))
        for number, day in enumerate(days):
            first = 300001 + 100 * number
            made = vouchers(15, suppliers=6, seed=number, first_number=first, date=day, odd=odd, master=False)
            self.erp.add(made)
        self.erp.add(accounts())
        for terms in ("030", "N30", "N45", "N60", "D10"):
            self.erp.add({"PTC": terms, "PTD": terms, "NDTP": 30}, table="F0014")
        self.erp.add(fiscal_calendar(2026, period=2))
        for account in self.jde.accounts():
            row = mc.Account(number=account.object, object=account.object, description=account.description)
            self.payables.add(row)
        self.payables.add(mc.CostCenter(number="M30", name="Boulder plant"))
        for code in _CODES:
            row = {"code": code, "name": code, "account-type": _CHART, "active": True}
            self.spend.add(
                {**row, **{f"segment-{n}": part for n, part in enumerate(code.split("-"), start=1)}},
                resource="accounts",
            )
        for terms in ("030", "N60", "D10"):
            self.spend.add({"code": terms}, resource="payment_terms")
        self.ledger.crosswalk.link("ship_to", jdedwards="6001", coupa="MAIN")
        self.clock.advance(dt.timedelta(hours=1))

    def to_bill(self) -> mc.Flow:
        """Open pay items as bills; vendors too."""
        return flows.jde_to_bill(
            self.jde,
            self.bill,
            ledger=self.ledger,
            begin="everything",
            hand_over=flows.Trusted("payments are switched off in this company"),
            bank_account="00000001",
            kinds=["suppliers", "invoices"],
        )

    def to_coupa(self) -> mc.Flow:
        """Suppliers and orders as external orders."""
        return flows.jde_to_coupa(
            self.jde,
            self.coupa,
            ledger=self.ledger,
            begin="everything",
            kinds=["suppliers", "purchase_orders"],
            ship_to_user="integration",
            company="00001",
        )

    def a_month_passes(self) -> None:
        """What people do meanwhile: one voids a voucher, one corrects a bill by hand."""
        self.clock.advance(dt.timedelta(days=8))
        voided = {"KCO": "00001", "DOC": 300303, "DCT": "PV", "SFX": "001"}
        self.erp.update("F0411", voided, VOD="V", PST="P", AAP=Decimal(0), FAP=Decimal(0))
        (sent,) = self.ledger.deliveries(key="00001/PV/300306/001")
        bill = next(one for one in self.payables.contents["bills"] if one["id"] == sent.target_id)
        lines = [dict(line) for line in bill["billLineItems"]]
        lines[0]["amount"] = Decimal(str(lines[0]["amount"])) + Decimal("250.00")
        self.payables.update("bills", bill["id"], billLineItems=lines)
        self.clock.advance(dt.timedelta(hours=1))
