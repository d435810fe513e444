"""Amounts of vouchers and payments: which column, which sign, and what belongs to no order line."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest

import mlconnector as mc
from mlconnector.jdedwards._values import Cells
from tests.jdedwards.conftest import Site

COMPANY = {"CO": "00001", "NAME": "Ours", "CRCD": "USD"}
PAY_ITEM = {
    "DOC": 900,
    "DCT": "PV",
    "KCO": "00001",
    "SFX": "001",
    "SFXE": 0,
    "AN8": 4343,
    "CO": "00001",
    "PST": "A",
    "POST": "D",
    "VINV": "INV-1",
}
MATCH = {
    "MATC": "2",
    "DOCO": 50001,
    "DCTO": "OP",
    "KCOO": "00001",
    "SFXO": "000",
    "LNID": 1,
    "NLIN": 1,
    "DOC": 900,
    "DCT": "PV",
    "KCO": "00001",
    "UOM": "EA",
}
ENTRY = {"DCT": "PV", "DOC": 900, "KCO": "00001", "DGJ": dt.date(2026, 3, 1), "EXTL": "", "LT": "AA"}


def voucher(site: Site, *rows: tuple[str, dict[str, Any]]) -> mc.Invoice:
    for table, row in rows:
        site.erp.add(row, table=table)
    (invoice,) = site.jde.invoices()
    return invoice


def freight(amount: str) -> list[tuple[str, dict[str, Any]]]:
    return [
        ("F0411", {**PAY_ITEM, "AG": Decimal(125), "AAP": Decimal(125), "CRRM": "D", "CRCD": "USD"}),
        ("F43121", {**MATCH, "UREC": 10, "PRRC": Decimal(10), "AREC": Decimal(100)}),
        ("F0911", {**ENTRY, "JELN": 1, "OBJ": "4110", "AA": Decimal(100)}),
        ("F0911", {**ENTRY, "JELN": 2, "OBJ": "8200", "AA": Decimal(amount), "EXA": "Freight"}),
    ]


def test_freight_without_an_order_line_comes_from_the_distribution(site: Site) -> None:
    invoice = voucher(site, *freight("25"))
    assert [(line.kind, line.amount, line.account) for line in invoice.lines] == [
        ("item", Decimal(100), ""),
        ("amount", Decimal(25), "8200"),
    ]
    assert [line.number for line in invoice.lines] == ["1", "2"]


def test_rows_that_adjust_a_voucher_are_not_of_it(site: Site) -> None:
    own = {**PAY_ITEM, "AG": Decimal(125), "AAP": Decimal(125), "CRRM": "D", "CRCD": "USD"}
    void = {"SFXE": 1, "DCTA": "PE", "AG": Decimal(-125), "AAP": Decimal(0), "PST": "P"}
    invoice = voucher(site, ("F0411", own), ("F0411", {**own, **void}))
    assert (invoice.gross, invoice.open, len(invoice.pay_items), invoice.void) == (125, 125, 1, False)
    site.erp.update("F0411", {name: own[name] for name in ("DOC", "DCT", "KCO", "SFX", "SFXE")}, VOD="V")
    (invoice,) = site.jde.invoices()
    assert (invoice.gross, invoice.void) == (125, True)


def test_a_rest_that_the_distribution_does_not_explain_is_not_made_up(site: Site) -> None:
    invoice = voucher(site, *freight("24.99"))
    assert [line.amount for line in invoice.lines] == [Decimal(100)]


def test_a_match_that_explains_the_voucher_needs_no_distribution(site: Site) -> None:
    site.erp.add({**PAY_ITEM, "AG": Decimal(100), "CRRM": "D", "CRCD": "USD"}, table="F0411")
    site.erp.add({**MATCH, "UREC": 10, "AREC": Decimal(100)}, table="F43121")
    site.erp.add({**ENTRY, "JELN": 1, "AA": Decimal(100)}, table="F0911")
    (invoice,) = site.jde.invoices()
    assert len(invoice.lines) == 1
    assert not any("F0911" in str(call.body) for call in site.erp.calls)


def test_a_foreign_voucher_has_foreign_amounts_everywhere(site: Site) -> None:
    foreign = {"CRRM": "F", "CRCD": "EUR", "BCRC": "USD", "CRR": Decimal("1.1"), "ADSC": Decimal("2.20")}
    invoice = voucher(
        site,
        ("F0411", {**PAY_ITEM, **foreign, "AG": Decimal(110), "AAP": Decimal(110), "ACR": Decimal(100), "FAP": 100}),
        ("F0911", {**ENTRY, "JELN": 1, "LT": "AA", "AA": Decimal(110), "CRCD": "EUR"}),
        ("F0911", {**ENTRY, "JELN": 1, "LT": "CA", "AA": Decimal(100), "CRCD": "EUR"}),
    )
    assert (invoice.currency, invoice.gross, invoice.open) == ("EUR", Decimal(100), Decimal(100))
    assert (invoice.base_currency, invoice.base_gross) == ("USD", Decimal(110))
    assert [line.amount for line in invoice.lines] == [Decimal(100)]
    # ADSC is in base currency: as a discount of a voucher in EUR it would be another amount.
    assert invoice.discount is None
    assert invoice.pay_items[0].discount is None
    assert invoice.extras["base_discount"] == Decimal("2.20")


def test_a_condition_on_pay_items_does_not_cut_a_voucher(site: Site) -> None:
    for item in ("001", "002"):
        site.erp.add(
            {**PAY_ITEM, "SFX": item, "AG": Decimal(50), "CRRM": "D", "CRCD": "USD", "PST": item[2]}, table="F0411"
        )
    (invoice,) = site.jde.invoices(where=[("PST", "=", "1")])
    assert invoice.gross == Decimal(100)


def payment(site: Site, header: dict[str, Any], *details: dict[str, Any]) -> mc.Payment:
    site.erp.add(COMPANY, table="F0010")
    site.erp.add(
        {"PYID": 7, "DCTM": "PN", "DOCM": 700, "PYE": 4343, "DMTJ": dt.date(2026, 3, 1), **header}, table="F0413"
    )
    for number, detail in enumerate(details, start=1):
        row = {"PYID": 7, "RC5": number, "KCO": "00001", "DCT": "PV", "DOC": 900, "SFX": "001", "DCTM": "PN", **detail}
        site.erp.add(row, table="F0414")
    (found,) = site.jde.payments()
    return found


@pytest.mark.parametrize("sign", [1, -1])
def test_a_debit_memo_stays_negative_whatever_the_sign_of_payments(site: Site, sign: int) -> None:
    found = payment(
        site,
        {"PAAP": sign * 70, "CRCD": "USD"},
        {"PAAP": sign * 100, "ADSA": sign * 2},
        {"PAAP": sign * -30, "DCT": "PD", "DOC": 901},
    )
    assert found.amount == Decimal(70)
    assert [(one.invoice, one.amount, one.discount) for one in found.applications] == [
        ("00001/PV/900", Decimal(100), Decimal(2))
    ]
    assert [(one.invoice, one.amount) for one in found.credits] == [("00001/PD/901", Decimal(-30))]


def test_a_payment_that_moved_nothing_keeps_its_signs(site: Site) -> None:
    found = payment(site, {"PAAP": 0, "CRCD": "USD"}, {"PAAP": -30, "DCT": "PV"}, {"PAAP": 30, "DCT": "PD", "DOC": 901})
    assert found.amount == 0
    assert [one.amount for one in found.applications] == [Decimal(30)]
    assert [one.amount for one in found.credits] == [Decimal(-30)]


def test_a_foreign_payment_is_told_by_its_foreign_column(site: Site) -> None:
    found = payment(site, {"PAAP": -110, "CRCD": "EUR"}, {"PAAP": -110, "PFAP": -100, "ADSA": -3})
    assert (found.currency, found.amount, found.applications[0].amount) == ("EUR", Decimal(100), Decimal(100))
    assert found.applications[0].discount is None


def test_a_voided_payment_keeps_the_amount_of_its_details(site: Site) -> None:
    found = payment(
        site,
        {"PAAP": 0, "CRCD": "USD", "VDGJ": dt.date(2026, 3, 9)},
        {"PAAP": -80},
        {"PAAP": 80, "DCTM": "PO"},
    )
    assert found.void
    assert (found.amount, len(found.applications)) == (Decimal(80), 1)


def test_a_payment_is_found_when_only_its_details_changed(site: Site) -> None:
    payment(site, {"PAAP": 10, "CRCD": "USD"}, {"PAAP": 10})
    records = site.jde.payments()
    assert len(list(records)) == 1
    site.clock.advance(dt.timedelta(hours=5))
    site.erp.update("F0414", {"PYID": 7, "RC5": 1}, RMK="PAID-1")
    assert [one.bank_reference for one in records.continue_from(records.cursor)] == ["PAID-1"]


@pytest.mark.parametrize(
    ("sent", "read"),
    [
        ("12.50", Decimal("12.50")),
        (" 7 ", Decimal(7)),
        ("", None),
        (" ", None),
        (None, None),
        (3, Decimal(3)),
        (Decimal("0.10"), Decimal("0.10")),
    ],
)
def test_a_number_that_comes_as_text_is_exact(sent: Any, read: Decimal | None) -> None:
    faults: list[str] = []
    cells = Cells("F0411", {"F0411_AG": sent}, faults)
    assert (cells.number("AG"), faults) == (read, [])


@pytest.mark.parametrize("sent", ["12,50", "NaN", "Infinity", True])
def test_what_is_no_number_is_told_with_its_column(sent: Any) -> None:
    faults: list[str] = []
    cells = Cells("F0411", {"F0411_AG": sent}, faults)
    assert cells.number("AG") is None
    assert faults == [f"F0411.AG {sent!r} is not a number"]


def test_what_is_no_date_is_told_with_its_column() -> None:
    faults: list[str] = []
    assert Cells("F0411", {"F0411_DGJ": "2026-02-30"}, faults).date("DGJ") is None
    assert faults == ["F0411.DGJ '2026-02-30' is not a date"]
