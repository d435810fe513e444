from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from mlconnector.errors import InvalidArgument
from mlconnector.testing import ManualClock
from mlconnector.testing._fusion import FusionSimulator
from tests.testing.fusion import STAMP, Bare, invoice, invoices

LATER = STAMP + dt.timedelta(hours=1)


def one(fusion: FusionSimulator, resource: str = "invoices") -> dict[str, Any]:
    (row,) = fusion.contents[resource]
    return dict(row)


def test_rows_are_stamped_by_the_clock_where_they_bring_no_stamp() -> None:
    clock = ManualClock(STAMP + dt.timedelta(microseconds=1900))
    with FusionSimulator(clock=clock) as fusion:
        fusion.add({"suppliers": [{"SupplierId": 1, "sites": [{"SupplierSiteId": 2}]}], "payablesPaymentTerms": []})
        fusion.add({"termsId": 3}, resource="payablesPaymentTerms")
        millisecond = STAMP + dt.timedelta(milliseconds=1)
        row = one(fusion, "suppliers")
        assert (row["LastUpdateDate"], row["CreationDate"]) == (millisecond, millisecond)
        assert row["sites"][0]["LastUpdateDate"] == millisecond
        assert one(fusion, "payablesPaymentTerms")["lastUpdateDate"] == millisecond
        fusion.add({"SupplierId": 1, "Supplier": "New"}, resource="suppliers")
        assert one(fusion, "suppliers")["sites"] == []


def test_a_change_stamps_the_row_and_a_change_of_children_only_where_it_is_said() -> None:
    for touch, stamp in ((False, STAMP), (True, LATER)):
        clock = ManualClock(LATER)
        with FusionSimulator(clock=clock, children_touch=touch) as fusion:
            fusion.add(invoice(1, lines=3), resource="invoices")
            fusion.update("invoices", 1, invoiceLines=[{"LineNumber": 9}])
            row = one(fusion)
            assert row["LastUpdateDate"] == stamp
            assert [shown["LineNumber"] for shown in row["invoiceLines"]] == [9]
            assert row["invoiceLines"][0]["LastUpdateDate"] == LATER
            clock.advance(60)
            fusion.update("invoices", 1, PaidStatus="Paid")
            assert one(fusion)["LastUpdateDate"] == LATER + dt.timedelta(seconds=60)
            fusion.update("invoices", 1, PaidStatus="Unpaid", LastUpdateDate=STAMP)
            assert one(fusion)["LastUpdateDate"] == STAMP


def test_touch_gives_many_rows_one_stamp_and_changes_nothing_else() -> None:
    clock = ManualClock(LATER)
    with FusionSimulator(clock=clock) as fusion, Bare(fusion) as bare:
        fusion.add(invoices(5), resource="invoices")
        before = fusion.contents["invoices"]
        fusion.touch("invoices")
        after = fusion.contents["invoices"]
        assert {row["LastUpdateDate"] for row in after} == {LATER}
        assert {line["LastUpdateDate"] for row in after for line in row["invoiceLines"]} == {LATER}
        assert [row["InvoiceNumber"] for row in after] == [row["InvoiceNumber"] for row in before]
        fusion.touch("invoices", after[0]["InvoiceId"], after[3]["InvoiceId"], at=STAMP)
        assert bare.ids(q="LastUpdateDate < '2026-01-31 11:00:00'") == [after[0]["InvoiceId"], after[3]["InvoiceId"]]
        with pytest.raises(InvalidArgument, match="aware"):
            fusion.touch("invoices", at=dt.datetime(2026, 1, 1))  # noqa: DTZ001 - what is refused
        with pytest.raises(InvalidArgument, match="no row 99"):
            fusion.touch("invoices", 99)


def test_contents_show_nulls_and_children_and_are_copies() -> None:
    with FusionSimulator() as fusion:
        fusion.add(invoice(1), resource="invoices")
        row = one(fusion)
        assert row["Supplier"] is None
        assert row["invoiceLines"][0]["LineAmount"] == 1
        assert "attachments" not in row
        row["invoiceLines"].clear()
        assert len(one(fusion)["invoiceLines"]) == 1
        assert fusion.contents["suppliers"] == ()


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"InvoiceNumber": "x"}, "InvoiceId is missing"),
        ({"InvoiceId": None}, "InvoiceId is missing"),
        ({"InvoiceId": "1"}, "cannot hold '1'"),
        ({"InvoiceId": True}, "cannot hold True"),
        ({"InvoiceId": 1, "invoiceNumber": "x"}, "invoiceNumber"),
        ({"InvoiceId": 1, "InvoiceNumber": 7}, "cannot hold 7"),
        ({"InvoiceId": 1, "InvoiceAmount": 1.5}, "cannot hold 1.5"),
        ({"InvoiceId": 1, "InvoiceDate": STAMP}, "InvoiceDate cannot hold"),
        ({"InvoiceId": 1, "LastUpdateDate": dt.date(2026, 1, 1)}, "LastUpdateDate cannot hold"),
        ({"InvoiceId": 1, "LastUpdateDate": dt.datetime(2026, 1, 1)}, "cannot hold"),  # noqa: DTZ001
        ({"InvoiceId": 1, "CanceledFlag": "yes"}, "cannot hold 'yes'"),
        ({"InvoiceId": 1, "invoiceLines": [{"LineNumber": 1}, {"LineNumber": 1}]}, "unique"),
        ({"InvoiceId": 1, "attachments": [{"FileName": "x"}]}, "attachments"),
    ],
)
def test_rows_that_fusion_could_not_hold_are_refused(row: dict[str, Any], said: str) -> None:
    with FusionSimulator() as fusion:
        with pytest.raises(InvalidArgument, match=said):
            fusion.add(row, resource="invoices")
        assert fusion.contents["invoices"] == ()


def test_further_attributes_can_be_defined_and_are_described_and_queried() -> None:
    with FusionSimulator() as fusion, Bare(fusion) as bare:
        fusion.define("shipments", ShipToPartyNumber="S")
        fusion.define("shipments.unpackedShipmentLines", LotQuantity="N")
        lines = [{"ShipmentLine": 1, "LotQuantity": Decimal("1.50")}]
        row = {"Shipment": "S1", "ShipToPartyNumber": "4343", "unpackedShipmentLines": lines}
        fusion.add(row, resource="shipments")
        item = bare.get("shipments", q="ShipToPartyNumber = '4343'", expand="unpackedShipmentLines")["items"][0]
        assert item["unpackedShipmentLines"]["items"][0]["LotQuantity"] == Decimal("1.5")
        told = bare.get("shipments/describe")["Resources"]["shipments"]["attributes"]
        assert "ShipToPartyNumber" in {each["name"] for each in told}
        with pytest.raises(InvalidArgument, match="must be one of"):
            fusion.define("shipments", Wrong="X")
        with pytest.raises(InvalidArgument, match="no children 'lines'"):
            fusion.define("shipments.lines", Wrong="S")
    with FusionSimulator() as fusion, pytest.raises(InvalidArgument, match="ShipToPartyNumber"):
        fusion.add(row, resource="shipments")


def test_wrong_names_and_keys_are_refused() -> None:
    with FusionSimulator() as fusion:
        fusion.add(invoice(1), resource="invoices")
        calls: tuple[Callable[[], None], ...] = (
            lambda: fusion.add({}, resource="invoicez"),
            lambda: fusion.add({"invoicez": []}),
            lambda: fusion.update("invoices", 2, PaidStatus="Paid"),
            lambda: fusion.update("invoices", 1, InvoiceId=2),
            lambda: fusion.update("invoices", 1, Nothing=2),
            lambda: fusion.remove("invoices", 2),
            lambda: fusion.forbid("invoicez"),
            lambda: fusion.hide("invoicez"),
            lambda: fusion.restrict("invoices", "InvoiceId"),
            lambda: fusion.restrict("invoices", "Nothing"),
        )
        for call in calls:
            with pytest.raises(InvalidArgument):
                call()
        fusion.update("invoices", 1, InvoiceId=1, Supplier=None)
        assert one(fusion)["Supplier"] is None
