"""Payments and credits in the month's end: by account and day, here, in the ledger, and there (rule B81)."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import mlconnector as mc
from mlconnector.testing import vouchers
from tests.desk.conftest import Office

FIRST, LAST = dt.date(2026, 2, 1), dt.date(2026, 2, 28)


def paid_month(office: Office, **options: object) -> mc.Flow:
    office.furnish(vouchers(3, suppliers=3, odd={2: ["debit_memo"]}))
    for supplier in office.jde.suppliers():
        row = {"name": supplier.name, "billCurrency": "USD", "additionalInfo": {"taxId": supplier.tax_id}}
        office.payables.add(row, resource="vendors")
    office.clock.advance(dt.timedelta(hours=1))
    flow = office.flow(
        kinds=["invoices", "vouchers", "payments"], targets={"payments": {"look_up": "reliable"}}, **options
    )
    flow.run()
    return flow


def test_credits_are_asked_for_where_they_are_kept(office: Office) -> None:
    flow = paid_month(office)
    found = flow.reconcile(FIRST, LAST)
    assert [one.what for one in found.findings] == []
    balance = found.balance("invoices", "00001", "USD")
    assert (balance.count, balance.there_count, balance.sent_count) == ({"delivered": 3}, 3, 3)
    assert balance.amount == balance.there
    credit = next(row["id"] for row in office.payables.contents["vendor-credits"])
    office.payables.update("vendor-credits", credit, archived=True)
    (finding,) = flow.reconcile(FIRST, LAST).findings
    assert (finding.what, finding.there) == ("void there", credit)


def test_payments_are_summed_by_account_and_day(office: Office) -> None:
    flow = paid_month(office)
    bill = next(row for row in office.payables.contents["bills"])
    payment = office.payables.pay(str(bill["id"]))
    office.payables.advance(payment, "PROCESSED")
    office.clock.advance(dt.timedelta(hours=1))
    assert flow.run().kinds["payments"].delivered == 1
    writes = office.writes()
    found = flow.reconcile(FIRST, LAST)
    (day,) = found.payments
    assert (day.account, day.currency, day.count, day.told) == ("00000001", "USD", 1, 1)
    assert day.amount == day.told_amount == Decimal(str(bill["amount"]))
    balance = found.balance("payments", "", "USD")
    assert (balance.there_count, balance.there) == (1, day.amount)
    assert found.closes
    assert found.findings == ()
    assert office.writes() == writes
