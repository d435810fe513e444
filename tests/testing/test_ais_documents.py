from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest

from mlconnector.documents import (
    Account,
    Address,
    Application,
    Contact,
    CostCenter,
    Document,
    Invoice,
    InvoiceLine,
    JournalLine,
    OrderLine,
    Party,
    PayItem,
    Payment,
    Provenance,
    PurchaseOrder,
    Shipment,
    Supplier,
)
from mlconnector.errors import InvalidArgument
from mlconnector.testing import JDEdwardsSimulator, ManualClock

DAY = dt.date(2026, 3, 1)
SUPPLIER = Party(number="4343", name="Parts Emporium", address=Address(lines=("1 Road", "Gate 4"), city="Denver"))


def held(*documents: Document) -> dict[str, tuple[dict[str, Any], ...]]:
    jde = JDEdwardsSimulator(clock=ManualClock())
    for document in documents:
        jde.add(document)
    return dict(jde.contents)


def order(**changes: Any) -> PurchaseOrder:
    lines = [
        OrderLine(
            number="1.010",
            description="A description that is longer than thirty characters",
            item_ids={"buyer": "FM-1", "short": "60001"},
            quantity=Decimal(2000),
            unit="EA",
            unit_price=Decimal("12.5"),
            price_unit="EA",
            price_per=Decimal(1000),
            amount=Decimal(25),
            received_quantity=Decimal(500),
        ),
        OrderLine(number="2", kind="text", description="Note", status="cancelled"),
    ]
    fields: dict[str, Any] = {
        "number": "50001",
        "company": "00001",
        "date": DAY,
        "supplier": SUPPLIER,
        "ship_to": Party(number="6001", name="Dock"),
        "currency": "USD",
        "lines": lines,
        "total": Decimal(25),
        "revision": "2",
        "buyer": "77",
    }
    return PurchaseOrder(**{**fields, **changes})


def test_an_order_becomes_header_lines_and_parties() -> None:
    tables = held(order())
    (header,) = tables["F4301"]
    assert (header["DOCO"], header["DCTO"], header["AN8"], header["OTOT"], header["CORD"]) == (50001, "OP", 4343, 25, 2)
    first, second = tables["F4311"]
    assert (first["LNID"], first["UOM3"], first["UOPN"]) == (Decimal("1.01"), "TH", 1500)
    assert first["DSC1"] + first["DSC2"] == "A description that is longer than thirty characters"
    assert (second["LNTY"], second["LTTR"]) == ("T", "980")
    assert [row["ALPH"] for row in tables["F0101"]] == ["Parts Emporium", "Dock"]
    assert tables["F0116"][0]["ADD2"] == "Gate 4"


def test_a_foreign_order_fills_the_foreign_columns() -> None:
    tables = held(order(currency="EUR"))
    assert (tables["F4301"][0]["CRRM"], tables["F4301"][0]["FAP"], tables["F4301"][0]["OTOT"]) == ("F", 25, 0)
    assert tables["F4311"][0]["FEA"] == 25


def test_a_drop_shipment_overrides_the_address() -> None:
    consignee = Party(name="Consignee LLC", address=Address(lines=("77 Lane",), city="Austin", state="TX"))
    tables = held(order(drop_ship=True, ship_to=consignee, original_order="777"))
    (address,) = tables["F4006"]
    assert (address["ANTY"], address["MLNM"], address["CTY1"]) == ("2", "Consignee LLC", "Austin")
    assert (tables["F4301"][0]["OORN"], tables["F4311"][0]["RCTO"]) == ("777", "SD")
    assert held(order(drop_ship=True, ship_to=Party(name="No address")))["F4006"][0]["ADD1"] == ""


def test_the_documents_stamp_becomes_the_rows_stamp_in_local_time() -> None:
    updated = dt.datetime(2026, 2, 1, 3, 4, 5, tzinfo=dt.UTC)
    origin = Provenance(system="jdedwards", kind="purchase_orders", key="k", updated_at=updated)
    tables = held(order(provenance=origin, extras={"VR01": "mine", "NOPE": 1}))
    assert (tables["F4301"][0]["UPMJ"], tables["F4301"][0]["TDAY"]) == (dt.date(2026, 1, 31), 220405)
    assert tables["F4311"][0]["UPMJ"] == dt.date(2026, 1, 31)
    assert tables["F4301"][0]["VR01"] == "mine"


def test_an_invoice_becomes_pay_items_and_a_distribution() -> None:
    fields: dict[str, Any] = {
        "number": "300001",
        "company": "00001",
        "supplier": SUPPLIER,
        "date": DAY,
        "currency": "USD",
        "gross": Decimal(100),
        "posted": True,
        "supplier_invoice_number": "INV-1",
    }
    line = InvoiceLine(number="1", amount=Decimal(100), cost_center="M30", description="Steel")
    tables = held(Invoice(**fields, lines=[line]))
    (item,) = tables["F0411"]
    assert (item["DCT"], item["AG"], item["AAP"], item["POST"], item["PYE"]) == ("PV", 100, 100, "D", 4343)
    assert (tables["F0911"][0]["LT"], tables["F0911"][0]["AA"], tables["F0911"][0]["MCU"]) == (
        "AA",
        100,
        "         M30",
    )
    items = [PayItem(number="001", gross=Decimal(60)), PayItem(gross=Decimal(40), open=Decimal(10), pay_status="H")]
    foreign = {**fields, "currency": "EUR", "kind": "credit", "base_gross": Decimal(125)}
    tables = held(Invoice(**foreign, pay_items=items, lines=[line]))
    assert [(row["SFX"], row["ACR"], row["FAP"], row["PST"]) for row in tables["F0411"]] == [
        ("001", 60, 60, "A"),
        ("002", 40, 10, "H"),
    ]
    assert (tables["F0411"][0]["DCT"], tables["F0911"][0]["LT"]) == ("PD", "CA")
    (whole,) = held(Invoice(**foreign))["F0411"]
    assert (whole["ACR"], whole["AG"]) == (100, 125)


def test_a_payment_becomes_header_and_details() -> None:
    fields: dict[str, Any] = {
        "number": "900",
        "date": DAY,
        "amount": Decimal(90),
        "currency": "USD",
        "payee": SUPPLIER,
        "method": "check",
        "bank_reference": "555",
        "applications": [Application(invoice="00001/PV/300001", amount=Decimal(100), discount=Decimal(2))],
        "credits": [Application(invoice="00001/PD/300002", amount=Decimal(-10))],
    }
    tables = held(Payment(**fields))
    assert (tables["F0413"][0]["DOCM"], tables["F0413"][0]["PAAP"], tables["F0413"][0]["VDGJ"]) == (555, 90, None)
    assert [(row["DOC"], row["DCT"], row["PAAP"]) for row in tables["F0414"]] == [
        (300001, "PV", 100),
        (300002, "PD", -10),
    ]
    tables = held(Payment(**{**fields, "void": True, "bank_reference": "ACH7"}))
    assert (tables["F0413"][0]["DOCM"], tables["F0413"][0]["PAAP"], tables["F0413"][0]["VDGJ"]) == (900, 0, DAY)
    assert {row["DCTM"] for row in tables["F0414"]} == {"PO"}
    with pytest.raises(InvalidArgument):
        held(Payment(**{**fields, "applications": [Application(invoice="300001")]}))


def test_master_data_becomes_rows() -> None:
    supplier = Supplier(
        number="4343",
        name="Parts Emporium",
        tax_id="99-1",
        addresses=[Address(lines=("1 Road",), country="US")],
        contacts=[Contact(name="A", email="a@supplier.example", phone="555"), Contact(name="B")],
        currency="USD",
        terms="030",
        hold="H",
        active=False,
    )
    account = Account(number="00000001", company="00001", cost_center="M30", object="6110", postable=False)
    center = CostCenter(number="M30", name="Plant", company="00001", active=False)
    journal = JournalLine(number="JE/77/2", date=DAY, company="00001", credit=Decimal("5.50"), reference="R")
    tables = held(supplier, account, center, journal)
    assert (tables["F0401"][0]["HDPY"], tables["F0101"][0]["AT1"], tables["F0101"][0]["TAX"]) == ("Y", "X", "99-1")
    assert (tables["F01151"][0]["EMAL"], tables["F0115"][0]["PH1"]) == ("a@supplier.example", "555")
    assert (tables["F0901"][0]["PEC"], tables["F0006"][0]["PECC"]) == ("N", "N")
    assert (tables["F0911"][0]["JELN"], tables["F0911"][0]["AA"], tables["F0911"][0]["DCT"]) == (
        2,
        Decimal("-5.50"),
        "JE",
    )
    inactive = Account(number="00000002", active=False)
    assert held(inactive, Account(number="00000003"))["F0901"][0]["PEC"] == "I"


@pytest.mark.parametrize("document", [Shipment(number="1"), order(number="PO-1"), order(supplier=Party(number="ACME"))])
def test_what_jd_edwards_cannot_hold_is_refused(document: Document) -> None:
    with pytest.raises(InvalidArgument):
        held(document)
