from __future__ import annotations

import datetime as dt
import sys
import types
from decimal import Decimal
from typing import Any

import pytest

from mlconnector.documents import (
    Account,
    Address,
    Application,
    Contact,
    CostCenter,
    Invoice,
    InvoiceLine,
    JournalLine,
    OrderLine,
    Party,
    PayItem,
    Payment,
    Provenance,
    PurchaseOrder,
    Schedule,
    Supplier,
)
from mlconnector.errors import InvalidArgument
from mlconnector.testing import ManualClock
from tests.testing.peoplesoft import NOON, ORDERS, WINDOW, rows, simulator

DAY = dt.date(2026, 3, 2)
HARBOR = Supplier(
    number="0000000042",
    name="Harbor Tooling",
    addresses=(Address(lines=("1 Dock St", "Gate 4"), city="Toledo", state="OH", postal_code="43604", country="USA"),),
    contacts=(Contact(email="ap@harbor.example"),),
    currency="USD",
    terms="N30",
)


def order(**replaced: Any) -> PurchaseOrder:
    line = OrderLine(
        number="1",
        description="Bracket",
        item_ids={"buyer": "BRK-1", "vendor": "H77"},
        quantity=Decimal(10),
        unit="EA",
        unit_price=Decimal("1205"),
        price_per=Decimal(100),
        amount=Decimal("120.50"),
        requested_date=DAY,
        account="6110",
        cost_center="10100",
    )
    split = OrderLine(
        number="2",
        unit_price=Decimal("0.333"),
        schedules=(Schedule(date=DAY, quantity=Decimal(5)), Schedule(quantity=Decimal(7))),
        status="cancelled",
        kind="amount",
    )
    values: dict[str, Any] = {
        "number": "0000000101",
        "revision": "3",
        "date": DAY,
        "supplier": HARBOR.party,
        "ship_to": Party(number="DOCK1"),
        "currency": "USD",
        "lines": (line, split),
    }
    return PurchaseOrder(**{**values, **replaced})


def test_an_order_is_header_lines_schedules_distributions_and_its_supplier() -> None:
    with simulator() as psft:
        psft.add(order(extras={"DISP_METHOD": "EDX", "OTHER": "x"}))
        header = rows(psft, "ML_PO_HDR", ORDERS)[0]
        assert (header["A.PO_STATUS"], header["A.HOLD_STATUS"], header["A.DISP_METHOD"]) == ("D", "N", "EDX")
        assert (header["A.CHNG_ORD_BATCH"], header["A.VENDOR_SETID"], header["A.VENDOR_ID"]) == (
            3,
            "SHARE",
            "0000000042",
        )
        lines = rows(psft, "ML_PO_LINE", {"BU": "US001", "PO": "0000000101"})
        names = ("A.LINE_NBR", "B.SCHED_NBR", "B.QTY_PO", "B.PRICE_PO", "B.MERCHANDISE_AMT")
        assert [tuple(row[name] for name in names) for row in lines] == [
            (1, 1, 10, Decimal("12.05"), Decimal("120.5")),
            (2, 1, 5, Decimal("0.333"), Decimal("1.67")),
            (2, 2, 7, Decimal("0.333"), Decimal("2.33")),
        ]
        assert (lines[0]["A.INV_ITEM_ID"], lines[0]["A.ITM_ID_VNDR"], lines[0]["C.ACCOUNT"]) == ("BRK-1", "H77", "6110")
        assert (lines[0]["B.SHIPTO_ID"], lines[0]["B.DUE_DT"]) == ("DOCK1", "2026-03-02")
        assert (lines[2]["A.CANCEL_STATUS"], lines[2]["A.AMT_ONLY_FLG"], lines[2]["B.DUE_DT"]) == ("X", "Y", "")
        assert psft.contents["VENDOR"][0]["NAME1"] == "Harbor Tooling"


def test_a_document_brings_its_own_stamp() -> None:
    at = dt.datetime(2026, 2, 1, 8, 0, 0, 999, tzinfo=dt.UTC)
    stamp = Provenance(system="peoplesoft", kind="any", key="1", updated_at=at)
    with simulator() as psft:
        psft.add(order(provenance=stamp))
        psft.add(Invoice(number="1", provenance=stamp))
        psft.add(Account(number="6110", provenance=stamp))
        assert psft.contents["PO_HDR"][0]["LAST_DTTM_UPDATE"] == at.replace(microsecond=0)
        assert psft.contents["VOUCHER"][0]["LAST_UPDATE_DT"] == at.date()


def test_an_invoice_is_a_voucher_and_a_payment_finds_it() -> None:
    invoice = Invoice(
        number="00000077",
        supplier_invoice_number="FICT-1",
        date=DAY,
        supplier=HARBOR.party,
        currency="USD",
        gross=Decimal("130.50"),
        purchase_order="0000000101",
        lines=(
            InvoiceLine(number="1", amount=Decimal("120.50"), quantity=Decimal(10), order_line="1", account="6110"),
            InvoiceLine(kind="charge", amount=Decimal("5.00")),
            InvoiceLine(kind="tax", amount=Decimal("5.00")),
        ),
        pay_items=(PayItem(gross=Decimal("130.50"), due_date=DAY, pay_status="H"),),
    )
    paid = Application(invoice="FICT-1", amount=Decimal("130.00"), discount=Decimal("0.50"))
    payment = Payment(
        number="0000005001",
        date=DAY,
        method="check",
        amount=Decimal("129.00"),
        payee=HARBOR.party,
        applications=(paid,),
        credits=(Application(invoice="00000078", amount=Decimal("-1.00")),),
    )
    with simulator() as psft:
        psft.add(invoice)
        psft.add(Invoice(number="00000079", kind="credit", void=True, tax=Decimal(2), posted=True))
        window = {"BU": "US001", **WINDOW, "AFTER_ID": ""}
        voucher, credit = rows(psft, "ML_VOUCHER", window)
        assert (voucher["A.INVOICE_ID"], voucher["A.GROSS_AMT"]) == ("FICT-1", Decimal("130.5"))
        assert (voucher["A.FREIGHT_AMT"], voucher["A.SALETX_AMT"], voucher["A.MATCH_STATUS_VCHR"]) == (5, 5, "M")
        assert (voucher["A.ENTRY_STATUS"], voucher["A.APPR_STATUS"], voucher["A.LAST_UPDATE_DT"]) == (
            "P",
            "A",
            "2026-03-02",
        )
        assert (credit["A.VOUCHER_STYLE"], credit["A.ENTRY_STATUS"], credit["A.SALETX_AMT"]) == ("ADJ", "X", 2)
        lines = rows(psft, "ML_VOUCHER_LINE", {"BU": "US001", "VOUCHER": "00000077"})
        assert [(row["A.PO_ID"], row["A.LINE_NBR"], row["B.ACCOUNT"]) for row in lines] == [("0000000101", 1, "6110")]
        # A scheduled payment is no payment yet.
        assert rows(psft, "ML_PAYMENT", window) == []
        psft.add(payment)
        paid_rows = rows(psft, "ML_PAYMENT", window)
        names = ("A.PYMNT_ID", "A.PYMNT_METHOD", "B.VOUCHER_ID", "B.PAID_AMT", "B.DSCNT_PAY_AMT", "B.PYMNT_HOLD")
        assert [tuple(row[name] for name in names) for row in paid_rows] == [
            ("0000005001", "CHK", "00000077", 130, Decimal("0.5"), "Y"),
            ("0000005001", "CHK", "00000078", -1, 0, "N"),
        ]
        psft.add(payment)
        assert len(rows(psft, "ML_PAYMENT", window)) == 2
        with pytest.raises(InvalidArgument):
            psft.add(Payment(number="1", applications=(Application(invoice="NOT-ADDED-YET"),)))


def test_masters_are_effective_dated_rows() -> None:
    with simulator() as psft:
        psft.add(HARBOR)
        psft.add(Supplier(number="0000000043", name="Bare", active=False))
        psft.add(Account(number="6110", description="Raw material", active=False))
        psft.add(CostCenter(number="10100", name="Assembly", company="CORP"))
        asof = {"ASOF_DT": "2026-03-02", "AFTER_ID": ""}
        harbor, bare = rows(psft, "ML_VENDOR", {"SETID": "SHARE", "AFTER_ID": ""})
        assert (harbor["B.ADDRESS2"], harbor["B.EMAILID"], harbor["C.PYMNT_TERMS_CD"]) == (
            "Gate 4",
            "ap@harbor.example",
            "N30",
        )
        assert (bare["A.VENDOR_STATUS"], bare["B.CITY"]) == ("I", " ")
        assert rows(psft, "ML_GL_ACCOUNT", {"SETID": "SHARE", **asof})[0]["A.EFF_STATUS"] == "I"
        assert rows(psft, "ML_DEPT", {"SETID": "CORP", **asof})[0]["A.DESCR"] == "Assembly"


def test_what_peoplesoft_cannot_hold_is_refused() -> None:
    with simulator() as psft:
        for wrong in (JournalLine(number="1"), order(lines=(OrderLine(number="1", kind="text"),))):
            with pytest.raises(InvalidArgument):
                psft.add(wrong)
        for record, row in (
            ("PO_HDRS", {"PO_ID": "1"}),
            ("PO_HDR", {"PO_ID": "1"}),
            ("PO_HDR", {"BUSINESS_UNIT": "US001", "PO_ID": "12345678901"}),
            ("PO_HDR", {"BUSINESS_UNIT": "US001", "PO_ID": "1", "NOTHING": "x"}),
            ("PO_HDR", {"BUSINESS_UNIT": "US001", "PO_ID": "1", "PREPAID_AMT": True}),
            ("PO_HDR", {"BUSINESS_UNIT": "US001", "PO_ID": "1", "PO_DT": NOON}),
            ("PO_HDR", {"BUSINESS_UNIT": "US001", "PO_ID": "1", "LAST_DTTM_UPDATE": NOON.replace(tzinfo=None)}),
            ("PO_LINE_SHIP", {"BUSINESS_UNIT": "US001", "PO_ID": "1", "LINE_NBR": 1, "DUE_TIME": "9:30"}),
        ):
            with pytest.raises(InvalidArgument):
                psft.add(row, record=record)
        with pytest.raises(InvalidArgument):
            psft.add({}, record="PO_HDR", query="ML_PO_HDR")
        for row in ({"A.PO_ID": "1", "A.NOTHING": 1}, {"CANCEL_STATUS": "A"}, {"A.LINE_NBR": "one"}, {"X.PO_ID": "1"}):
            with pytest.raises(InvalidArgument):
                psft.add(row, query="ML_PO_LINE")


def test_a_change_is_stamped_and_a_removal_leaves_no_trace() -> None:
    clock = ManualClock(NOON)
    with simulator(clock=clock) as psft:
        psft.add(
            {
                "PO_HDR": [{"BUSINESS_UNIT": "US001", "PO_ID": "101 "}],
                "ML_PO_LINE": [{"A.PO_ID": "101", "A.LINE_NBR": 1, "A.BUSINESS_UNIT": "US001"}],
            }
        )
        clock.advance(60)
        psft.update("PO_HDR", ("US001", "101"), PO_STATUS="X")
        assert rows(psft, "ML_PO_HDR", ORDERS)[0]["A.LAST_DTTM_UPDATE"] == "2026-03-02T12:01:00-0800"
        clock.advance(60)
        psft.update("PO_LINE", {"BUSINESS_UNIT": "US001", "PO_ID": "101", "LINE_NBR": 1}, CANCEL_STATUS="X")
        assert rows(psft, "ML_PO_HDR", ORDERS)[0]["A.LAST_DTTM_UPDATE"] == "2026-03-02T12:01:00-0800"
        psft.update("PO_HDR", ("US001", "101"), LAST_DTTM_UPDATE=NOON, PO_ID="102")
        assert [row["A.PO_ID"] for row in rows(psft, "ML_PO_HDR", ORDERS)] == ["102"]
        psft.remove("PO_HDR", {"BUSINESS_UNIT": "US001", "PO_ID": "102"})
        assert rows(psft, "ML_PO_HDR", ORDERS) == []
        with pytest.raises(InvalidArgument):
            psft.remove("PO_HDR", "102")


def test_lines_stamp_the_header_where_the_site_does_so() -> None:
    clock = ManualClock(NOON)
    with simulator(clock=clock, children_touch=True) as psft:
        psft.add(order())
        clock.advance(60)
        psft.update("PO_LINE_SHIP", ("US001", "0000000101", 1, 1), QTY_PO=Decimal(11))
        assert rows(psft, "ML_PO_HDR", ORDERS)[0]["A.LAST_DTTM_UPDATE"] == "2026-03-02T12:01:00-0800"


def test_a_site_without_the_date_of_the_last_update_filters_by_entry() -> None:
    with simulator(last_update_date=False) as psft:
        psft.add(Invoice(number="00000077", date=DAY))
        found = rows(psft, "ML_VOUCHER", {"BU": "US001", **WINDOW, "AFTER_ID": ""})
        assert [row["A.VOUCHER_ID"] for row in found] == ["00000077"]
        assert "A.LAST_UPDATE_DT" not in found[0]
        psft.update("VOUCHER", ("US001", "00000077"), ENTERED_DT=dt.date(2026, 1, 1))
        assert rows(psft, "ML_VOUCHER", {"BU": "US001", **WINDOW, "AFTER_ID": ""}) == []


def test_sites_have_records_and_fields_of_their_own() -> None:
    with simulator() as psft:
        psft.add(Payment(number="1", date=DAY))
        psft.define_fields("PAYMENT_TBL", "CURRENCY_PYMNT:C3 PAID_AT:T")
        assert psft.contents["PAYMENT_TBL"][0]["CURRENCY_PYMNT"] == ""
        psft.define_query("ML_PAID", prompts={}, key="A.PYMNT_ID", record="PAYMENT_TBL")
        row = {"A.PYMNT_ID": "2", "A.PAID_AT": "2026-03-02T12:00:00-0800", "A.PYMNT_AMT": "", "A.PYMNT_DT": ""}
        psft.add(row, query="ML_PAID")
        assert [row["A.PAID_AT"] for row in rows(psft, "ML_PAID")] == ["", "2026-03-02T12:00:00-0800"]
        psft.define_record("ML_STATUS", key="ID", fields="ID:C8 STATUS:C4 ON:D", stamp="ON")
        psft.add({"ID": "1", "STATUS": "PAID"}, record="ML_STATUS")
        assert psft.contents["ML_STATUS"] == ({"ID": "1", "STATUS": "PAID", "ON": DAY},)
        for wrong in ({"key": "ID", "fields": "ID:X8"}, {"key": "NO", "fields": "ID:C8"}):
            with pytest.raises(InvalidArgument):
                psft.define_record("ML_OTHER", **wrong)
        with pytest.raises(InvalidArgument):
            psft.define_record("ML_STATUS", key="ID", fields="ID:C8")


def test_the_client_is_made_for_this_system(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[tuple[str, dict[str, Any]]] = []
    room = types.ModuleType("mlconnector.peoplesoft")
    room.PeopleSoft = lambda url, **options: made.append((url, options))  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "mlconnector.peoplesoft", room)
    with simulator(node="FSCM", node_password="n0de") as psft:
        psft.client(page_size=5, setids=["CORP"])
        url, options = made[0]
        assert (url, options["node"], options["node_password"]) == (psft.url, "FSCM", "n0de")
        assert (options["business_units"], options["setids"], options["page_size"]) == (["US001"], ["CORP"], 5)
        assert options["clock"] is psft.clock
