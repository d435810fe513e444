"""Rows to documents: money exact, currencies apart, the gate of rules B10, B20, B21, B30, B31."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlconnector.documents import Invoice, Payment, from_json, to_json
from mlconnector.errors import InvalidArgument
from mlconnector.fusion import Chart, Gate, ShipmentNames
from mlconnector.fusion._invoice_mapping import to_invoices
from mlconnector.fusion._journal_mapping import to_journal_lines
from mlconnector.fusion._links import came, path_of
from mlconnector.fusion._made import Site
from mlconnector.fusion._master_mapping import to_accounts, to_shipments, to_suppliers
from mlconnector.fusion._order_mapping import to_orders
from mlconnector.fusion._payment_mapping import to_payments
from mlconnector.fusion._values import Fields, instant_of
from tests.fusion.pod import invoice, payment

CHART = Chart(segments=("company", "cost_center", "account", "product", "subaccount"))
SITE = Site(gate=Gate(), chart=CHART, shipment_names=ShipmentNames(), today=dt.date(2026, 3, 2))
AMOUNTS = st.decimals(min_value=-(10**12), max_value=10**12, places=2)


def an_invoice(**changes: Any) -> Invoice:
    (made,) = to_invoices(invoice(1, **changes), SITE)
    assert made.faults == []
    assert isinstance(made.document, Invoice)
    return made.document


def a_payment(**changes: Any) -> Payment:
    (made,) = to_payments(payment(1, **changes), SITE)
    assert made.faults == []
    assert isinstance(made.document, Payment)
    return made.document


def test_an_invoice_has_its_money_dates_and_parties() -> None:
    found = an_invoice(LastUpdateDate="2026-01-31T10:00:00.026+00:00")
    assert (found.number, found.supplier_invoice_number, found.type) == ("300100000000001", "EX-1", "Standard")
    assert found.key == "300100000000001"
    assert (found.gross, found.open, found.currency) == (Decimal("21.00"), Decimal("21.00"), "USD")
    assert (found.due_date, found.gl_date) == (dt.date(2026, 3, 3), dt.date(2026, 2, 2))
    assert found.supplier is not None
    assert (found.supplier.number, found.supplier.name) == ("1013", "Supplier & Sons")
    assert found.payee is None
    assert found.remit_to is not None
    assert found.posted
    assert found.ready
    first = found.lines[0]
    assert (first.kind, first.quantity, first.unit_price, first.amount) == (
        "item",
        2,
        Decimal("5.25"),
        Decimal("10.50"),
    )
    assert (first.purchase_order, first.order_line, first.cost_center) == ("4711", "1", "000")
    assert found.provenance is not None
    assert found.provenance.updated_at == dt.datetime(2026, 1, 31, 10, 0, 0, 26000, tzinfo=dt.UTC)
    assert from_json(to_json(found)) == found


@settings(max_examples=60)
@given(AMOUNTS, AMOUNTS)
def test_amounts_are_exactly_what_the_pod_sent(amount: Decimal, line: Decimal) -> None:
    found = an_invoice(InvoiceAmount=amount, invoiceLines=[{"LineNumber": 1, "LineType": "Item", "LineAmount": line}])
    assert (found.gross, found.lines[0].amount, found.lines[0].kind) == (amount, line, "amount")


def test_a_foreign_invoice_keeps_its_currency_and_the_base_amount_apart() -> None:
    found = an_invoice(
        InvoiceCurrency="JPY", InvoiceAmount=125000, BaseAmount=Decimal("1130.8"), ConversionRate=Decimal("0.0090464")
    )
    assert (found.currency, found.gross) == ("JPY", 125000)
    assert (found.base_gross, found.base_currency, found.rate) == (Decimal("1130.8"), None, Decimal("0.0090464"))


@pytest.mark.parametrize(
    ("changes", "opened"),
    [
        ({"invoiceInstallments": [], "AmountPaid": Decimal("1.50")}, Decimal("19.50")),
        ({"invoiceInstallments": [], "AmountPaid": Decimal("1.50"), "PaymentCurrency": "EUR"}, None),
        ({"invoiceInstallments": [], "AmountPaid": None}, None),
        ({"invoiceInstallments": [{"UnpaidAmount": 0}]}, 0),
        ({"invoiceInstallments": [{"UnpaidAmount": None}]}, None),
    ],
)
def test_what_is_open_is_said_by_the_installments_or_by_one_currency(changes: dict[str, Any], opened: Any) -> None:
    assert an_invoice(**changes).open == opened


@pytest.mark.parametrize(
    ("changes", "kind", "waiting"),
    [
        ({"InvoiceType": "Credit memo", "InvoiceAmount": Decimal("-5")}, "credit", ()),
        ({"InvoiceType": "Debit memo"}, "debit", ()),
        ({"InvoiceType": "Prepayment"}, "voucher", ("type Prepayment does not go out",)),
        ({"InvoiceType": None}, "voucher", ("type unknown does not go out",)),
        ({"Supplier": None, "SupplierNumber": None}, "voucher", ("no supplier",)),
        ({"ValidationStatus": "Needs revalidation"}, "voucher", ("validation status Needs revalidation",)),
        ({"ApprovalStatus": "Required"}, "voucher", ("approval status Required",)),
        (
            {"ApprovalStatus": None, "ValidationStatus": None},
            "voucher",
            ("validation status unknown", "approval status unknown"),
        ),
        (
            {"invoiceInstallments": [{"InstallmentNumber": 2, "HoldFlag": "Y", "HoldReason": "in dispute"}]},
            "voucher",
            ("installment 2 is on hold in dispute",),
        ),
    ],
)
def test_the_gate_of_invoices(changes: dict[str, Any], kind: str, waiting: tuple[str, ...]) -> None:
    found = an_invoice(**changes)
    assert (found.kind, found.waiting_for, found.void) == (kind, waiting, False)


@pytest.mark.parametrize(
    "changes",
    [{"CanceledFlag": True}, {"CanceledDate": "2026-02-03"}, {"ValidationStatus": "Canceled"}, {"CanceledFlag": "Y"}],
)
def test_a_cancelled_invoice_is_void_and_waits_for_nothing(changes: dict[str, Any]) -> None:
    found = an_invoice(**changes)
    assert found.void
    assert found.ready


def test_lines_are_told_apart_and_discarded_ones_left_out() -> None:
    found = an_invoice(
        invoiceLines=[
            {"LineNumber": 1, "LineType": "Freight", "LineAmount": Decimal("4")},
            {"LineNumber": 2, "LineType": "Tax", "LineAmount": Decimal("1.05")},
            {"LineNumber": 3, "LineType": "Item", "LineAmount": 7, "Quantity": None, "ItemDescription": "work"},
            {"LineNumber": 4, "LineType": "Item", "LineAmount": 7, "DiscardedFlag": True},
            {"LineNumber": 5, "LineType": "Item", "LineAmount": 7, "CanceledFlag": "Y"},
            {"LineNumber": 6, "LineType": "Miscellaneous", "LineAmount": 2},
        ]
    )
    assert [(line.number, line.kind) for line in found.lines] == [
        ("1", "charge"),
        ("2", "tax"),
        ("3", "amount"),
        ("6", "charge"),
    ]
    assert found.tax == Decimal("1.05")
    assert found.lines[2].description == "work"


ODD = st.sampled_from(
    [None, "", " ", "Item", " 7 ", "12.50", "x", 5, 0, Decimal("43.10"), Decimal("1E+3"), "2026-03-01"]
)
LINE = ("LineNumber", "LineType", "Description", "Item", "UOM", "DistributionCombination", "PurchaseOrderNumber",
        "PurchaseOrderLineNumber", "Quantity", "UnitPrice", "LineAmount")  # fmt: skip


@given(st.fixed_dictionaries({}, optional=dict.fromkeys(LINE, ODD)))
def test_an_invoice_and_its_parts_hold_what_their_classes_take(line: dict[str, Any]) -> None:
    (made,) = to_invoices(invoice(1, invoiceLines=[line], InvoiceAmount=line.get("LineAmount")), SITE)
    document = made.document
    assert isinstance(document, Invoice)
    assert (len(document.lines), len(document.pay_items)) == (1, 1)
    for found in (document, *document.lines, *document.pay_items):
        values = {field.name: getattr(found, field.name) for field in attrs.fields(type(found))}
        usual: Any = type(found)(**values)
        for name, value in values.items():
            assert (type(getattr(usual, name)), getattr(usual, name)) == (type(value), value)


def test_a_one_time_payee_and_a_discount() -> None:
    found = an_invoice(
        Party="Jane Roe",
        invoiceInstallments=[
            {
                "InstallmentNumber": 1,
                "DueDate": "2026-04-01",
                "FirstDiscountAmount": Decimal("0.50"),
                "RemitToSupplier": "A",
            },
            {"InstallmentNumber": 2, "DueDate": "2026-03-01", "RemitToSupplier": "B", "HoldFlag": True},
        ],
    )
    assert found.payee is not None
    assert found.payee.name == "Jane Roe"
    assert (found.discount, found.due_date, found.remit_to) == (Decimal("0.50"), dt.date(2026, 3, 1), None)
    assert found.pay_items[1].pay_status == "hold"


def test_a_payment_has_its_money_and_what_it_paid_and_no_bank_account() -> None:
    found = a_payment()
    assert (found.number, found.key) == ("5001", "400100000000001")
    assert (found.amount, found.currency, found.method, found.bank_reference) == (
        Decimal("95.00"),
        "EUR",
        "CHECK",
        "70001",
    )
    assert [(one.invoice, one.amount, one.discount) for one in found.applications] == [("EX-1", 105, 5)]
    assert [(one.invoice, one.amount) for one in found.credits] == [("CM-2", -10)]
    (first, _) = payment(1)["relatedInvoices"]
    for currency, discount in (("EUR", 5), ("USD", None)):
        other = a_payment(relatedInvoices=[{**first, "InvoiceCurrency": currency}])
        assert [one.discount for one in other.applications] == [discount]
    assert found.extras["PaymentBaseAmount"] == Decimal("104.5")
    assert found.extras["PaymentBaseCurrency"] == "USD"
    assert [one["InvoiceId"] for one in found.extras["relatedInvoices"]] == [300_100_000_000_001, 300_100_000_000_002]
    assert found.payee is not None
    assert found.payee.address is not None
    assert found.payee.address.postal_code == "12345"
    assert "XXXX1234" not in to_json(found)
    assert from_json(to_json(found)) == found


@pytest.mark.parametrize(
    ("changes", "void", "waiting"),
    [
        ({}, False, ()),
        ({"PaymentStatus": "cleared"}, False, ()),
        ({"PaymentStatus": "Voided"}, True, ()),
        ({"VoidDate": "2026-02-28"}, True, ()),
        ({"PaymentStatus": "Stopped"}, False, ("payment status Stopped",)),
        ({"StopDate": "2026-02-28"}, False, ("payment is stopped",)),
        ({"PaymentStatus": None}, False, ("payment status unknown",)),
    ],
)
def test_the_gate_of_payments(changes: dict[str, Any], void: bool, waiting: tuple[str, ...]) -> None:
    found = a_payment(**changes)
    assert (found.void, found.waiting_for) == (void, waiting)


def test_tax_withheld_stands_with_the_one_invoice_it_can_belong_to() -> None:
    assert a_payment(WithheldAmount=Decimal("-3")).applications[0].withheld == 3
    several = a_payment(
        WithheldAmount=Decimal("3"),
        relatedInvoices=[{"InvoicePaymentId": one, "AmountPaidPaymentCurrency": 1} for one in (1, 2)],
    )
    assert [one.withheld for one in several.applications] == [None, None]
    assert several.extras["WithheldAmount"] == 3
    bare = a_payment(
        relatedInvoices=[], Payee=None, SupplierNumber=None, AddressLine1=None, City=None, Zip=None, Country=None
    )
    assert bare.payee is None
    assert "relatedInvoices" not in bare.extras


def test_a_journal_line_has_entered_amounts_and_what_a_payment_is_traced_by() -> None:
    head = {
        "JournalName": "J",
        "LedgerName": "Main",
        "LedgerCurrencyCode": "USD",
        "CurrencyCode": "EUR",
        "LegalEntityName": "LE",
        "DefaultEffectiveDate": "2026-01-31",
        "journalLines": [
            {
                "JeLineNumber": 1,
                "AccountCombination": "01-520-6000-0-1",
                "EnteredDr": Decimal("5"),
                "AccountedDr": Decimal("6"),
            },
            {"JeLineNumber": 2, "AccountCombination": "01-520", "EnteredCr": Decimal("5"), "EnteredDr": 0},
            {"JeLineNumber": 3, "EnteredDr": Decimal("-5")},
            {"JeLineNumber": 4, "EnteredDr": "five"},
        ],
    }
    row = {"JeBatchId": 7, "StatusMeaning": "Posted", "UserJeSourceName": "Payables", "journalHeaders": [head]}
    made: list[Any] = list(to_journal_lines(row, SITE))
    lines = [one.document for one in made]
    assert [(one.debit, one.credit) for one in lines[:3]] == [(5, None), (None, 5), (None, 5)]
    assert made[3].faults == ["EnteredDr 'five' is not a number"]
    assert (lines[0].company, lines[0].cost_center, lines[1].company, lines[1].cost_center) == ("01", "520", "LE", "")
    assert lines[0].currency == "EUR"
    assert lines[0].extras["AccountedDr"] == 6
    assert lines[0].extras["UserJeSourceName"] == "Payables"
    assert lines[0].ready
    twice = list(to_journal_lines({**row, "journalHeaders": [head, head]}, SITE))
    assert [len(one.faults) for one in twice] == [0, 0, 0, 1, 1, 1, 1, 2]
    (unposted, *_rest) = to_journal_lines({**row, "StatusMeaning": None, "Status": "U"}, SITE)
    assert unposted.document.waiting_for == ("journal batch has status U",)


def order(**changes: Any) -> dict[str, Any]:
    schedules = [
        {"LineLocationId": 1, "ScheduleNumber": 1, "ShipToLocation": "Plant", "RequestedDeliveryDate": "2026-04-01"}
    ]
    return {
        "POHeaderId": 77,
        "OrderNumber": "4711",
        "StatusCode": "OPEN",
        "Status": "Open",
        "SupplierId": 12,
        "Supplier": "Supplier",
        "CurrencyCode": "USD",
        "OrderDate": "2026-02-01",
        "Total": Decimal("21.00"),
        "Description": "urgent",
        "lines": [
            {
                "POLineId": 1,
                "LineNumber": 1,
                "Quantity": 2,
                "Price": Decimal("5.25"),
                "Ordered": Decimal("10.50"),
                "UOMCode": "EA",
                "schedules": schedules,
            },
            {
                "POLineId": 2,
                "LineNumber": 2,
                "Ordered": Decimal("10.50"),
                "StatusCode": "CANCELED",
                "Item": "X",
                "SupplierItem": "Y",
            },
        ],
        **changes,
    }


def test_an_order_has_its_lines_schedules_and_ship_to() -> None:
    (made,) = to_orders(order(), SITE)
    found: Any = made.document
    assert (found.number, found.key, found.total, found.currency, found.status) == ("4711", "77", 21, "USD", "open")
    assert found.ready
    assert found.ship_to.name == "Plant"
    assert found.notes == ("urgent",)
    first, second = found.lines
    assert (first.kind, first.requested_date, first.schedules[0].quantity) == ("item", dt.date(2026, 4, 1), 2)
    assert (second.kind, second.status, dict(second.item_ids)) == ("amount", "cancelled", {"buyer": "X", "vendor": "Y"})


@pytest.mark.parametrize(
    ("code", "status", "waiting"),
    [
        ("OPEN", "open", ()),
        ("INCOMPLETE", "open", ("order status Odd",)),
        ("CLOSED", "closed", ()),
        ("FINALLY CLOSED", "closed", ()),
        ("CANCELED", "cancelled", ()),
    ],
)
def test_the_gate_of_orders(code: str, status: str, waiting: tuple[str, ...]) -> None:
    (made,) = to_orders(order(StatusCode=code, Status="Odd", SupplierId=None, Supplier=None, lines=None), SITE)
    found: Any = made.document
    assert (found.status, found.waiting_for, found.supplier) == (status, waiting, None)


def test_a_supplier_has_its_current_addresses_and_is_active_until_its_end() -> None:
    row = {
        "SupplierId": 12,
        "SupplierNumber": "1013",
        "Supplier": "Supplier",
        "Status": "ACTIVE",
        "TaxpayerId": "12-345",
        "InactiveDate": "4712-12-31",
        "DUNSNumber": "016082023",
        "addresses": [
            {
                "AddressName": "HQ",
                "AddressLine1": "1 Road",
                "City": "Town",
                "CountryCode": "US",
                "Country": "United States",
                "Email": "a@b.example",
                "Status": "ACTIVE",
            },
            {"AddressName": "Old", "AddressLine1": "2 Road", "InactiveDate": "2026-01-01"},
            {"AddressName": "Bare", "PhoneNumber": None},
        ],
    }
    (made,) = to_suppliers(row, SITE)
    found: Any = made.document
    assert (found.number, found.key, found.active, found.tax_id) == ("1013", "12", True, "12-345")
    assert [one.country for one in found.addresses] == ["US"]
    assert [one.email for one in found.contacts] == ["a@b.example"]
    assert found.extras["DUNSNumber"] == "016082023"
    for changes in ({"Status": "INACTIVE"}, {"InactiveDate": "2026-03-02"}):
        (made,) = to_suppliers({**row, **changes}, SITE)
        assert not made.document.active  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("row", "active"),
    [
        ({}, True),
        ({"EnabledFlag": True}, True),
        ({"EnabledFlag": "N"}, False),
        ({"EnabledFlag": False}, False),
        ({"EndDateActive": "2026-01-01"}, False),
    ],
)
def test_an_account_is_cut_by_the_chart(row: dict[str, Any], active: bool) -> None:
    (made,) = to_accounts({"_CODE_COMBINATION_ID": 9, "AccountCombination": "01-520-6000-0-1", **row}, SITE)
    found: Any = made.document
    assert (found.number, found.company, found.cost_center, found.object, found.subsidiary) == (
        "9",
        "01",
        "520",
        "6000",
        "1",
    )
    assert found.active is active


def test_a_shipment_is_read_by_the_sites_names() -> None:
    names = ShipmentNames(ship_to="Customer", customer_order="CustomerPO", lines="goods")
    site = Site(gate=Gate(), chart=Chart(), shipment_names=names, today=dt.date(2026, 3, 2))
    row = {
        "Shipment": "S1",
        "ShipmentStatus": "Shipped",
        "Customer": "C7",
        "ShipFromOrganizationCode": "M1",
        "goods": [
            {"ShipmentLine": 1, "CustomerPO": "PO-9", "Order": "SO-1", "Item": "X"},
            {"ShipmentLine": 2, "CustomerPO": "PO-9"},
        ],
    }
    (made,) = to_shipments(row, site)
    found: Any = made.document
    assert found.orders == ("PO-9",)
    assert (found.ship_to.number, found.ship_from.number) == ("C7", "M1")
    assert [(item.number, item.order_number) for item in found.items] == [("1", "SO-1"), ("2", "")]
    assert found.ready
    (made,) = to_shipments({"Shipment": "S2"}, site)
    assert made.document.waiting_for == ("shipment status unknown",)
    assert made.document.ship_to is None  # type: ignore[attr-defined]


def test_values_that_cannot_be_read_are_faults_with_their_place() -> None:
    faults: list[str] = []
    cells = Fields({"N": 3, "A": "x", "B": "31.01.2026", "C": "maybe", "D": "NaN", "E": True}, faults, "line", "N")
    assert (cells.number("A"), cells.date("B"), cells.flag("C"), cells.number("D"), cells.number("E")) == (
        None,
        None,
        False,
        None,
        None,
    )
    assert faults == [
        "line 3: A 'x' is not a number",
        "line 3: B '31.01.2026' is not a date",
        "line 3: C 'maybe' is not a flag",
        "line 3: D 'NaN' is not a number",
        "line 3: E True is not a number",
    ]
    cells = Fields({"A": "1.50", "B": "2026-01-31T23:59:00+00:00", "C": Decimal("1E+2"), "D": " "}, faults)
    assert (cells.number("D", "A"), cells.date("B"), cells.text("C")) == (Decimal("1.50"), dt.date(2026, 1, 31), "100")


def test_stamps_without_an_offset_are_utc() -> None:
    at = dt.datetime(2026, 1, 31, 10, tzinfo=dt.UTC)
    assert (
        instant_of("2026-01-31T10:00:00")
        == instant_of("2026-01-31T11:00:00+01:00")
        == instant_of("2026-01-31T10:00:00Z")
        == at
    )
    assert instant_of(None) is instant_of("") is None


def test_links_and_children_in_odd_forms_are_nothing() -> None:
    assert path_of({"links": [{"rel": "self"}, "odd"]}, "https://pod.example:443") is None
    assert path_of({"links": [{"rel": "canonical", "href": "/a?b=1"}]}, "https://pod.example:443") == "/a"
    assert path_of({"@context": "odd"}, "https://pod.example:443") is None
    assert came("odd") == ([], False)
    assert came({"items": None}) == ([], False)


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: Gate(validation="Validated"),
        lambda: Gate(orders=(1,)),
        lambda: Chart(delimiter=""),
        lambda: Chart(delimiter=None),
        lambda: Chart(segments=5),
    ],
)
def test_settings_that_cannot_be_meant_are_refused(wrong: Any) -> None:
    with pytest.raises(InvalidArgument):
        wrong()
