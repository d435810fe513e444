from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest

from mlconnector.documents import (
    Account,
    Address,
    Application,
    CostCenter,
    Invoice,
    InvoiceLine,
    Party,
    Payment,
    Provenance,
    PurchaseOrder,
    Supplier,
)
from mlconnector.errors import InvalidArgument
from mlconnector.testing._bill import BILLSimulator

BRAVO = Party(number="4343", name="Bravo, Inc.", tax_id="12-3456789")
DAY = dt.date(2026, 2, 20)


def voucher(number: str = "300001", **changes: Any) -> Invoice:
    values: dict[str, Any] = {
        "number": number,
        "supplier_invoice_number": f"INV-{number}",
        "date": DAY,
        "due_date": dt.date(2026, 3, 22),
        "supplier": BRAVO,
        "currency": "USD",
        "gross": Decimal("130.80"),
        **changes,
    }
    return Invoice(**values)


def only(sim: BILLSimulator, resource: str) -> Any:
    (row,) = sim.contents[resource]
    return row


def test_a_supplier_becomes_a_vendor() -> None:
    address = Address(
        lines=("1 Main St", "Dock 4", "Gate"), city="Austin", state="TX", postal_code="73301", country="US"
    )
    stamp = dt.datetime(2026, 1, 31, 10, 0, tzinfo=dt.UTC)
    supplier = Supplier(
        number="4343",
        name="Bravo, Inc.",
        tax_id="12-3456789",
        addresses=(address,),
        currency="EUR",
        active=False,
        provenance=Provenance(system="bill", kind="suppliers", key="x", updated_at=stamp),
    )
    with BILLSimulator() as sim:
        key = sim.add(supplier)
        row = only(sim, "vendors")
        assert row["id"] == key
        assert (row["name"], row["shortName"], row["billCurrency"], row["archived"]) == (
            *("Bravo, Inc.", "4343", "EUR"),
            True,
        )
        assert row["additionalInfo"] == {"taxId": "12-3456789"}
        assert row["address"] == {
            "line1": "1 Main St",
            "line2": "Dock 4",
            "city": "Austin",
            "stateOrProvince": "TX",
            "zipOrPostalCode": "73301",
            "country": "US",
        }
        assert row["updatedTime"] == "2026-01-31T10:00:00.000+00:00"
        own = "009010000000000000AB"
        assert sim.add(Supplier(number=own)) == own
        assert "shortName" not in sim.contents["vendors"][1]


def test_an_invoice_becomes_a_bill_of_its_payees_vendor() -> None:
    with BILLSimulator() as sim:
        account = sim.add(Account(number="8740.100", description="Travel"))
        department = sim.add(CostCenter(number="          30"))
        line = InvoiceLine(amount=Decimal("130.80"), description="Hotel", account="8740.100", cost_center="30")
        first = sim.add(voucher(lines=(line,), purchase_order="4711"))
        sim.add(voucher("300002", supplier=Party(name="Bravo, Inc.")))
        vendor = only(sim, "vendors")
        row, plain = sim.contents["bills"]
        assert row["id"] == first
        assert row["vendorId"] == plain["vendorId"] == vendor["id"]
        assert row["invoice"] == {"invoiceNumber": "INV-300001", "invoiceDate": "2026-02-20"}
        assert (row["dueDate"], row["amount"], row["purchaseOrderNumber"]) == ("2026-03-22", Decimal("130.80"), "4711")
        assert row["billLineItems"][0]["classifications"] == {
            "chartOfAccountId": account,
            "departmentId": department,
        }
        assert [each["amount"] for each in plain["billLineItems"]] == [Decimal("130.80")]
        assert only(sim, "departments")["name"] == "30"
        payee = Party(number="5000", name="Factor Bank")
        third = sim.add(voucher("300003", payee=payee, void=True))
        sim.add(voucher("300004", supplier=Party(name="Factor Bank")))
        assert sim.contents["vendors"][1]["shortName"] == "5000"
        assert next(each for each in sim.contents["bills"] if each["id"] == third)["archived"] is True


def test_a_credit_becomes_a_vendor_credit() -> None:
    with BILLSimulator() as sim:
        sim.add(voucher(kind="credit", gross=Decimal(30)))
        negative = InvoiceLine(amount=Decimal("-30"))
        sim.add(voucher("300002", gross=Decimal(-30), lines=(negative,)))
        assert [row["amount"] for row in sim.contents["vendor-credits"]] == [30, 30]
        assert sim.contents["vendor-credits"][0]["referenceNumber"] == "INV-300001"


def test_a_payment_finds_its_bills() -> None:
    with BILLSimulator() as sim:
        key = sim.add(voucher())
        sim.add(voucher("300002"))
        paid = (
            Application(invoice=key, amount=Decimal(100)),
            Application(invoice="INV-300002", amount=Decimal(50)),
        )
        sim.add(
            Payment(number="P1", date=DAY, method="check", applications=paid, bank_reference="77", status="CLEARED")
        )
        own = "stp010000000000000AB"
        voided = Payment(number=own, void=True, applications=(Application(invoice=key, amount=Decimal(5)),))
        assert sim.add(voided) == own
        first, second = sim.contents["payments"]
        assert (first["transactionNumber"], first["amount"], first["disbursementType"]) == ("P1", 150, "CHECK")
        assert (first["confirmationNumber"], first["singleStatus"]) == ("77", "CLEARED")
        assert (first["processDate"], second["status"]) == ("2026-02-20", "VOID")
        assert [row["paidAmount"] for row in sim.contents["bills"]] == [100, 50]
        sim.add(Payment(number="P2", status="Negotiable", applications=(Application(invoice=key, amount=Decimal(1)),)))
        assert sim.contents["payments"][2]["singleStatus"] == "PROCESSED"


def test_what_bill_does_not_hold_is_refused() -> None:
    with BILLSimulator() as sim:
        sim.add_all([voucher(), voucher()])
        for wrong in (
            PurchaseOrder(number="1"),
            voucher(supplier=None),
            voucher(date=None),
            voucher(lines=(InvoiceLine(account="8740"),)),
            Payment(number="P", applications=(Application(invoice="INV-300001"),)),
            Payment(number="P"),
        ):
            with pytest.raises(InvalidArgument):
                sim.add(wrong)
