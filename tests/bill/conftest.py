from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import attrs
import pytest

import mlconnector as mc
from mlconnector.bill import BILL, BillSession
from mlconnector.testing import ManualClock
from tests.bill.stub import KEY, ORG, BillStub


@attrs.define
class World:
    stub: BillStub
    clock: ManualClock
    folder: Path
    bill: BILL = attrs.field(init=False)

    def session(self, **options: Any) -> BillSession:
        fields = {"organization_id": ORG, "dev_key": KEY, **options}
        return BillSession(self.stub.username, self.stub.password, **fields)

    def client(self, **options: Any) -> BILL:
        options = {"auth": self.session(), "clock": self.clock, "lock_dir": self.folder, **options}
        return BILL(self.stub.url + "/connect", **options)

    def vendor(self, name: str = "Parts Inc", tax_id: str = "12-3456789", **fields: Any) -> dict[str, Any]:
        address = {"line1": "1 Main St", "city": "Denver", "zipOrPostalCode": "80202", "country": "US"}
        row = {"name": name, "address": address, "billCurrency": "USD", "additionalInfo": {"taxId": tax_id}}
        return self.stub.put("vendors", row | fields)

    def books(self) -> None:
        self.stub.put("chart-of-accounts", name="Supplies", account={"type": "EXPENSE", "number": "6010"})
        self.stub.put("departments", name="M30", shortName="30")


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    clock = ManualClock(dt.datetime(2026, 3, 2, 8, 20, tzinfo=dt.UTC))
    with BillStub(clock=clock) as stub:
        made = World(stub, clock, tmp_path / "locks")
        made.bill = made.client()
        with made.bill:
            yield made


def supplier(number: str = "4343", **fields: Any) -> mc.Supplier:
    address = mc.Address(lines=["1 Main St"], city="Denver", state="CO", postal_code="80202", country="US")
    base = {"number": number, "name": "Parts Inc", "tax_id": "12-3456789", "addresses": [address], "currency": "USD"}
    origin = mc.Provenance(system="jdedwards", kind="suppliers", key=number)
    return mc.Supplier(**{**base, "provenance": origin, **fields})


PAYEE = mc.Party(number="4343", name="Parts Inc", tax_id="123456789")


def line(amount: str, account: str = "6010", cost_center: str = "         M30", **fields: Any) -> mc.InvoiceLine:
    return mc.InvoiceLine(number="1", kind="amount", amount=amount, account=account, cost_center=cost_center, **fields)


def voucher(number: str = "1001", amount: str = "100.00", **fields: Any) -> mc.Invoice:
    key = f"00001/PV/{number}"
    base: dict[str, Any] = {
        "number": number,
        "type": "PV",
        "company": "00001",
        "supplier_invoice_number": f"INV-{number}",
        "date": dt.date(2026, 2, 1),
        "due_date": dt.date(2026, 3, 1),
        "payee": PAYEE,
        "currency": "USD",
        "gross": amount,
        "open": amount,
        "lines": [line(amount)],
        "provenance": mc.Provenance(system="jdedwards", kind="invoices", key=key),
    }
    return mc.Invoice(**{**base, **fields})
