from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pytest

import mlconnector as mc
from mlconnector.errors import InvalidArgument
from mlconnector.testing import ManualClock
from mlconnector.testing._fusion import FusionSimulator
from tests.testing.fusion import STAMP

DAY = dt.date(2026, 1, 30)
SUPPLIER = mc.Party(number="1013", name="Bravo Supply", tax_id="12-3456789")


def row_of(document: Any, resource: str, **before: Any) -> dict[str, Any]:
    with FusionSimulator(clock=ManualClock(STAMP)) as fusion:
        for name, rows in before.items():
            fusion.add(rows, resource=name)
        fusion.add(document)
        return dict(fusion.contents[resource][-1])


def shown(row: Mapping[str, Any], *names: str) -> tuple[Any, ...]:
    return tuple(row[name] for name in names)


def test_an_invoice_becomes_a_header_with_lines_and_installments() -> None:
    document = mc.Invoice(
        number="300100000000001",
        supplier_invoice_number="EX-1",
        date=DAY,
        due_date=dt.date(2026, 3, 1),
        supplier=SUPPLIER,
        company="Vision BU",
        currency="EUR",
        gross=Decimal("130.80"),
        open=Decimal("30.80"),
        terms="Net 30",
        purchase_order="162",
        posted=True,
        lines=(
            mc.InvoiceLine(
                number="1",
                description="Bolt",
                item_ids={"buyer": "FM-1"},
                quantity=Decimal(10),
                unit_price=Decimal(12),
                unit="EA",
                amount=Decimal(120),
                purchase_order="162",
                order_line="2",
                account="01-000-2210",
            ),
            mc.InvoiceLine(number="FRT", kind="charge", amount=Decimal("10.80")),
        ),
        extras={"PaymentMethodCode": "CHECK", "SomethingElse": "left out"},
        provenance=mc.Provenance(system="test", kind="invoices", key="x", updated_at=STAMP - dt.timedelta(hours=1)),
    )
    row = row_of(document, "invoices")
    assert shown(row, "InvoiceId", "InvoiceNumber", "InvoiceDate", "AccountingDate", "InvoiceAmount") == (
        300100000000001,
        "EX-1",
        DAY,
        DAY,
        Decimal("130.80"),
    )
    assert shown(row, "InvoiceCurrency", "Supplier", "SupplierNumber", "BusinessUnit", "PaymentTerms") == (
        "EUR",
        "Bravo Supply",
        "1013",
        "Vision BU",
        "Net 30",
    )
    assert shown(row, "InvoiceType", "PaidStatus", "AmountPaid", "ValidationStatus", "AccountingStatus") == (
        "Standard",
        "Partially paid",
        Decimal(100),
        "Validated",
        "Accounted",
    )
    assert shown(row, "PaymentMethodCode", "CanceledFlag", "CanceledDate") == ("CHECK", False, None)
    assert shown(row, "LastUpdateDate", "CreationDate") == (STAMP - dt.timedelta(hours=1), STAMP)
    goods, freight = row["invoiceLines"]
    assert shown(goods, "LineNumber", "LineType", "Quantity", "UnitPrice", "LineAmount", "UOM", "Item") == (
        1,
        "Item",
        10,
        12,
        120,
        "EA",
        "FM-1",
    )
    assert shown(goods, "PurchaseOrderNumber", "PurchaseOrderLineNumber", "DistributionCombination") == (
        "162",
        2,
        "01-000-2210",
    )
    assert shown(freight, "LineNumber", "LineType", "Quantity", "UnitPrice") == (2, "Freight", None, None)
    (installment,) = row["invoiceInstallments"]
    assert shown(installment, "InstallmentNumber", "DueDate", "GrossAmount", "UnpaidAmount", "HoldFlag") == (
        1,
        dt.date(2026, 3, 1),
        Decimal("130.80"),
        Decimal("30.80"),
        False,
    )


def test_credits_voids_and_invoices_that_wait() -> None:
    items = (
        mc.PayItem(number="1", due_date=DAY, gross=Decimal(-3), discount=Decimal("-0.1")),
        mc.PayItem(number="2", due_date=DAY, gross=Decimal(-2), open=Decimal(0), pay_status="H"),
    )
    credit = row_of(mc.Invoice(number="CM-7", kind="credit", gross=Decimal(-5), pay_items=items), "invoices")
    assert shown(credit, "InvoiceType", "InvoiceNumber", "InvoiceAmount") == ("Credit memo", "CM-7", -5)
    assert credit["InvoiceId"] > 300_000_000_000_000
    assert [shown(each, "UnpaidAmount", "HoldFlag") for each in credit["invoiceInstallments"]] == [
        (-3, False),
        (0, True),
    ]
    void = row_of(mc.Invoice(number="8", void=True, date=DAY, waiting_for=("approval",)), "invoices")
    assert shown(void, "CanceledFlag", "ValidationStatus", "CanceledDate", "PaidStatus") == (
        True,
        "Canceled",
        DAY,
        "Paid",
    )
    waiting = row_of(mc.Invoice(number="9", gross=Decimal(1), waiting_for=("validation",)), "invoices")
    assert shown(waiting, "ValidationStatus", "PaidStatus") == ("Needs revalidation", "Unpaid")


def test_a_payment_finds_the_invoices_it_pays() -> None:
    held = [
        {"InvoiceId": 41, "InvoiceNumber": "EX-41", "InvoiceAmount": Decimal(60), "InvoiceCurrency": "USD"},
        {"InvoiceId": 42, "InvoiceNumber": "EX-42", "InvoiceAmount": Decimal(50), "InvoiceCurrency": "EUR"},
    ]
    document = mc.Payment(
        number="700",
        date=DAY,
        method="Electronic",
        amount=Decimal(100),
        currency="USD",
        payee=SUPPLIER,
        bank_reference="20001",
        applications=(
            mc.Application(invoice="41", amount=Decimal(59), discount=Decimal(1), withheld=Decimal("0.50")),
            mc.Application(invoice="EX-42", amount=Decimal(50)),
            mc.Application(invoice="OTHER", amount=Decimal(1)),
        ),
        credits=(mc.Application(invoice="77", amount=Decimal(-10)),),
    )
    row = row_of(document, "payablesPayments", invoices=held)
    assert shown(row, "CheckId", "PaymentNumber", "PaymentAmount", "PaymentCurrency", "PaymentDate") == (
        700,
        20001,
        100,
        "USD",
        DAY,
    )
    assert shown(
        row, "Payee", "SupplierNumber", "PaymentStatus", "PaymentMethodCode", "WithheldAmount", "VoidDate"
    ) == (
        "Bravo Supply",
        "1013",
        "Negotiable",
        "ELECTRONIC",
        Decimal("0.50"),
        None,
    )
    first, second, unknown, credit = row["relatedInvoices"]
    names = ("InvoiceId", "InvoiceNumber", "AmountPaidPaymentCurrency", "AmountPaidInvoiceCurrency", "InvoiceAmount")
    assert shown(first, *names) == (41, "EX-41", 59, 59, 60)
    assert shown(first, "DiscountTaken", "CheckId", "InvoiceCurrency") == (1, 700, "USD")
    assert shown(second, *names) == (42, "EX-42", 50, None, 50)
    assert shown(unknown, "InvoiceNumber", "InvoiceAmount", "InvoiceCurrency") == ("OTHER", None, "USD")
    assert shown(credit, "InvoiceId", "AmountPaidPaymentCurrency") == (77, -10)
    void = row_of(mc.Payment(number="701", date=DAY, void=True, status="Negotiable"), "payablesPayments")
    assert shown(void, "PaymentStatus", "VoidDate", "PaymentNumber", "WithheldAmount") == ("Voided", DAY, 701, None)


def test_a_supplier_brings_its_addresses() -> None:
    address = mc.Address(lines=("1 Way", "Gate 4"), city="Austin", state="TX", postal_code="73301", country="US")
    document = mc.Supplier(
        number="1013",
        name="Bravo",
        tax_id="12-3456789",
        addresses=(address, mc.Address(city="Bonn", country="DE")),
        contacts=(mc.Contact(email="a@example.com", phone="1"),),
        active=False,
    )
    row = row_of(document, "suppliers")
    assert shown(row, "SupplierId", "SupplierNumber", "Status", "TaxpayerId") == (
        1013,
        "1013",
        "INACTIVE",
        "12-3456789",
    )
    first, second = row["addresses"]
    assert shown(first, "AddressLine1", "AddressLine2", "AddressLine3", "City", "State", "PostalCode", "Email") == (
        "1 Way",
        "Gate 4",
        None,
        "Austin",
        "TX",
        "73301",
        "a@example.com",
    )
    assert shown(second, "City", "State", "CountryCode", "Email") == ("Bonn", None, "DE", None)
    assert row["sites"] == []
    assert "contacts" not in row
    assert row_of(mc.Supplier(number="5", contacts=(mc.Contact(email="x"),)), "suppliers")["addresses"] == []


def test_an_order_becomes_header_lines_schedules_and_distributions() -> None:
    line = mc.OrderLine(
        number="1.5",
        description="Bolt",
        item_ids={"buyer": "FM-1", "vendor": "V-1"},
        quantity=Decimal(10),
        unit="EA",
        unit_price=Decimal("2.5"),
        amount=Decimal(25),
        account="01-000",
        schedules=(mc.Schedule(date=DAY, quantity=Decimal(4)), mc.Schedule(date=DAY, quantity=Decimal(6))),
    )
    service = mc.OrderLine(number="A", kind="amount", status="cancelled", requested_date=DAY)
    document = mc.PurchaseOrder(
        number="PO-162",
        revision="2",
        company="Vision BU",
        supplier=SUPPLIER,
        ship_to=mc.Party(number="77", name="Dock 4"),
        currency="USD",
        total=Decimal(25),
        hold="H",
        lines=(line, service),
    )
    row = row_of(document, "purchaseOrders")
    assert shown(row, "OrderNumber", "Revision", "Supplier", "SupplierId", "Total", "StatusCode", "FrozenFlag") == (
        "PO-162",
        2,
        "Bravo Supply",
        1013,
        25,
        "OPEN",
        True,
    )
    first, second = row["lines"]
    assert shown(first, "LineNumber", "Item", "SupplierItem", "Quantity", "Price", "Ordered", "UOMCode") == (
        Decimal("1.5"),
        "FM-1",
        "V-1",
        10,
        Decimal("2.5"),
        25,
        "EA",
    )
    assert first["POHeaderId"] == row["POHeaderId"]
    assert [shown(each, "ScheduleNumber", "Quantity", "ShipToLocation") for each in first["schedules"]] == [
        (1, 4, "Dock 4"),
        (2, 6, "Dock 4"),
    ]
    assert first["schedules"][0]["distributions"][0]["ChargeAccount"] == "01-000"
    assert shown(second, "LineNumber", "LineType", "StatusCode") == (2, "Fixed Price Services", "CANCELED")
    assert second["schedules"][0]["RequestedDeliveryDate"] == DAY


def test_journal_lines_of_one_batch_and_journal_join_it() -> None:
    with FusionSimulator() as fusion:
        for number, account, debit, credit in (
            ("9/Payables 01/1", "01-6000", Decimal(5), None),
            ("9/Payables 01/2", "01-2210", None, Decimal(5)),
            ("9/Payables/02/1", "01-6000", Decimal(7), None),
            ("9/Payables 01/2", "01-2211", None, Decimal(5)),
        ):
            fusion.add(
                mc.JournalLine(
                    number=number, ledger="US", account=account, debit=debit, credit=credit, currency="USD", date=DAY
                )
            )
        fusion.add(mc.JournalLine(number="10", reference="R-1"))
        nine, ten = fusion.contents["journalBatches"]
    assert shown(nine, "JeBatchId", "Status", "UserJeSourceName") == (9, "P", "Payables")
    first, second = nine["journalHeaders"]
    assert shown(first, "JournalName", "LedgerName", "DefaultEffectiveDate") == ("Payables 01", "US", DAY)
    assert second["JournalName"] == "Payables/02"
    names = ("JeLineNumber", "AccountCombination", "AccountedDr", "AccountedCr")
    assert [shown(line, *names) for line in first["journalLines"]] == [
        (1, "01-6000", 5, None),
        (2, "01-2211", None, 5),
    ]
    assert ten["journalHeaders"][0]["JournalName"] == "R-1"


def test_a_shipment_and_an_account() -> None:
    document = mc.Shipment(
        number="SHIP-1",
        date=DAY,
        carrier="UPS",
        orders=("C-9",),
        packs=(mc.Pack(number="1", weight=Decimal(2), weight_unit="LB"), mc.Pack(number="2")),
        items=(
            mc.ShipmentItem(number="4", quantity=Decimal(3), unit="EA", item_ids={"buyer": "FM-1"}, order_line="2"),
            mc.ShipmentItem(order_number="C-10"),
        ),
        extras={"ShipToPartyName": "Charlie"},
    )
    with FusionSimulator() as fusion:
        fusion.define("shipments", ShipToPartyName="S")
        fusion.add(document)
        fusion.add(mc.Shipment(number="SHIP-2"))
        row, bare = fusion.contents["shipments"]
    assert shown(row, "Shipment", "Carrier", "GrossWeight", "WeightUOM", "ShipToPartyName") == (
        "SHIP-1",
        "UPS",
        2,
        "LB",
        "Charlie",
    )
    assert row["InitialPickupDate"] == dt.datetime(2026, 1, 30, tzinfo=dt.UTC)
    second, first = row["unpackedShipmentLines"]
    assert shown(second, "ShipmentLine", "Order", "ShippedQuantity") == (2, "C-10", None)
    assert shown(first, "ShipmentLine", "Item", "ShippedQuantity", "ShippedQuantityUOM", "Order", "OrderLine") == (
        4,
        "FM-1",
        3,
        "EA",
        "C-9",
        "2",
    )
    assert shown(bare, "InitialPickupDate", "GrossWeight", "Carrier") == (None, None, None)
    account = row_of(
        mc.Account(number="55", company="01", object="6000", description="Freight", postable=False),
        "accountCombinationsLOV",
    )
    assert shown(account, "_CODE_COMBINATION_ID", "AccountCombination", "EnabledFlag", "DetailPostingAllowedFlag") == (
        55,
        "01-6000",
        "Y",
        "N",
    )


def test_documents_that_fusion_does_not_hold_are_refused() -> None:
    with FusionSimulator() as fusion:
        with pytest.raises(InvalidArgument, match="CostCenter"):
            fusion.add(mc.CostCenter(number="1"))
        with pytest.raises(InvalidArgument, match="number"):
            fusion.add(mc.Invoice(number=""))
