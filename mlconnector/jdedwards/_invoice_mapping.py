"""Rows of F0411 with their match or distribution become invoices; pure (AIS reference, section 7; B20 to B23)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

import attrs

from mlconnector.documents import Invoice, InvoiceLine, Party, PayItem, Provenance
from mlconnector.jdedwards._values import Cells, Zone, number_text
from mlconnector.records import Rejected

__all__ = ["VOUCHER_KEY", "VoucherPage", "VoucherRows", "match_covers", "to_invoices"]

VOUCHER_KEY = ("DOC", "DCT", "KCO")
"""Columns of a voucher's key; its rows in F0411 are pay items."""
_HELD = ("H", "R", "%")
_KINDS = {"PV": "voucher", "PD": "debit"}
Row = Mapping[str, Any]


@attrs.frozen
class VoucherRows:
    """What was read for one voucher: F0411, F43121 (``MATC`` 2) and F0911 (``AA`` and ``CA``)."""

    items: Sequence[Row]
    matches: Sequence[Row] = ()
    distribution: Sequence[Row] = ()


@attrs.frozen(kw_only=True)
class VoucherPage:
    """Everything that was read for a page of vouchers.

    Args:
        vouchers: Rows by voucher. ``parties``: by address number.
        currencies: Base currency by company, for vouchers without a currency of their own.
        stamps: Stamps by which changes were found, by voucher.
    """

    vouchers: Mapping[str, VoucherRows]
    parties: Mapping[str, Party]
    currencies: Mapping[str, str | None]
    stamps: Mapping[str, dt.datetime]
    zone: Zone


@attrs.frozen
class _Columns:
    """Where a voucher's own currency stands: a foreign one has base amounts beside its own (section 7)."""

    gross: str
    open: str
    tax: str
    matched: str
    unit_price: str
    ledger: str


_DOMESTIC = _Columns("AG", "AAP", "STAM", "AREC", "PRRC", "AA")
_FOREIGN = _Columns("ACR", "FAP", "CTAM", "FREC", "FRRC", "CA")


def match_covers(items: Sequence[Row], matches: Sequence[Row]) -> bool:
    """The match explains gross less tax to the cent; otherwise the distribution must be read, too."""
    own, columns = _own([Cells("F0411", row, []) for row in items])
    matched = _sum([Cells("F43121", row, []) for row in matches], columns.matched)
    return bool(matches) and matched == _sum(own, columns.gross) - _sum(own, columns.tax)


def to_invoices(page: VoucherPage) -> tuple[list[Invoice], list[Rejected]]:
    """The invoices, and those that cannot become one with every fault."""
    documents, rejected = [], []
    for key, rows in page.vouchers.items():
        faults: list[str] = []
        invoice = _invoice(page, key, rows, faults)
        if faults:
            at = None if invoice.provenance is None else invoice.provenance.updated_at
            rejected.append(Rejected(key=key, row=rows.items[0], faults=tuple(faults), updated_at=at))
        else:
            documents.append(invoice)
    return documents, rejected


def _own(cells: Sequence[Cells]) -> tuple[Sequence[Cells], _Columns]:
    """The rows that are the voucher: those of adjusting types (DCTA) say what became of it (section 7)."""
    own = [cell for cell in cells if not cell.text("DCTA")] or cells
    return own, _FOREIGN if own[0].text("CRRM") == "F" else _DOMESTIC


def _invoice(page: VoucherPage, key: str, rows: VoucherRows, faults: list[str]) -> Invoice:
    cells = [Cells("F0411", row, faults) for row in rows.items]
    own, columns = _own(cells)
    head, foreign = own[0], columns is _FOREIGN
    gross, tax, discount = (_sum(own, alias) for alias in (columns.gross, columns.tax, "ADSC"))
    void = any(cell.text("VOD") for cell in cells)
    supplier, payee, base_currency = head.text("AN8"), head.text("PYE"), page.currencies.get(head.text("CO"))
    due = [date for cell in own if (date := cell.date("DDJ")) is not None]
    flags = {Cells("F43121", row, []).text("AVCH") for row in rows.matches}
    return Invoice(
        number=head.text("DOC"),
        kind=_KINDS.get(head.text("DCT"), "voucher"),
        type=head.text("DCT"),
        supplier_invoice_number=head.text("VINV"),
        date=head.date("DIVJ"),
        due_date=min(due, default=None),
        gl_date=head.date("DGJ"),
        supplier=page.parties.get(supplier),
        payee=page.parties.get(payee),
        company=head.text("KCO"),
        currency=head.text("CRCD") or (None if foreign else base_currency),
        gross=gross,
        open=_sum(own, columns.open),
        tax=tax,
        # ADSC is in base currency, and no column of the voucher's own currency is known for it.
        discount=None if foreign else discount,
        base_currency=(head.text("BCRC") or base_currency) if foreign else None,
        base_gross=_sum(own, "AG") if foreign else None,
        rate=head.number("CRR") if foreign else None,
        terms=head.text("PTC"),
        lines=_lines(rows, columns, gross - tax, faults),
        pay_items=tuple([_pay_item(cell, columns) for cell in own]),
        purchase_order=head.text("PO").lstrip("0"),
        pay_status=head.text("PST"),
        posted=head.text("POST") == "D",
        void=void,
        origin=head.text("RMK"),
        evaluated_receipt="Y" in flags if rows.matches else None,
        waiting_for=() if void else _waiting(own),
        extras=_extras(own, discount if foreign else None),
        provenance=Provenance(
            system="jdedwards",
            kind="invoices",
            key=key,
            updated_at=page.zone.newest({"F0411": rows.items}, page.stamps.get(key)),
        ),
    )


def _extras(own: Sequence[Cells], base_discount: Decimal | None) -> dict[str, Any]:
    instruments = {cell.text("SFX"): cell.text("PYIN") for cell in own}
    first = own[0].text("PYIN")
    found: dict[str, Any] = {"payment_instrument": first} if first else {}
    if len(set(instruments.values())) > 1:
        found["payment_instruments"] = instruments
    return found | ({"base_discount": base_discount} if base_discount else {})


def _waiting(items: Sequence[Cells]) -> tuple[str, ...]:
    """What the gate still asks for (rule B21)."""
    reasons = []
    for item in items:
        if item.text("POST") != "D":
            reasons.append(f"pay item {item.text('SFX')} is not posted")
        if item.text("PST") in _HELD:
            reasons.append(f"pay item {item.text('SFX')} has pay status {item.text('PST')}")
    return tuple(reasons)


def _sum(items: Iterable[Cells], alias: str) -> Decimal:
    return sum((item.number(alias) or Decimal(0) for item in items), Decimal(0))


def _pay_item(cells: Cells, columns: _Columns) -> PayItem:
    return PayItem(
        number=cells.text("SFX"),
        extension=cells.text("SFXE"),
        due_date=cells.date("DDJ"),
        gross=cells.number(columns.gross),
        open=cells.number(columns.open),
        discount=None if columns is _FOREIGN else cells.number("ADSC"),
        pay_status=cells.text("PST"),
    )


def _lines(rows: VoucherRows, columns: _Columns, net: Decimal, faults: list[str]) -> tuple[InvoiceLine, ...]:
    """Lines of the match, then what it does not hold from the distribution; without a match the distribution (B22)."""
    matched = [_matched(Cells("F43121", row, faults), columns) for row in rows.matches]
    ledger = [Cells("F0911", row, faults) for row in rows.distribution]
    distributed = [_distributed(cells) for cells in ledger if cells.text("LT") == columns.ledger]
    if matched:
        left = net - sum((line.amount or Decimal(0) for line in matched), Decimal(0))
        distributed = _beside(matched, distributed, left)
    return tuple([attrs.evolve(line, number=str(at)) for at, line in enumerate([*matched, *distributed], start=1)])


def _beside(matched: Sequence[InvoiceLine], distributed: Sequence[InvoiceLine], left: Decimal) -> list[InvoiceLine]:
    """Charges without an order line: what stays of the distribution once each matched amount is taken out of it.

    Nothing where that is not the amount which the match leaves open: a sum that does not add up is refused later
    rather than explained by a guess.
    """
    beside = list(distributed)
    for line in matched:
        same = next((index for index, other in enumerate(beside) if other.amount == line.amount), None)
        if same is not None:
            del beside[same]
    return beside if left and sum((line.amount or Decimal(0) for line in beside), Decimal(0)) == left else []


def _matched(cells: Cells, columns: _Columns) -> InvoiceLine:
    quantity = cells.number("UREC")
    ids = {"buyer": cells.text("LITM"), "alternate": cells.text("AITM")}
    return InvoiceLine(
        number="",
        kind="item" if quantity else "amount",
        item_ids={name: value for name, value in ids.items() if value},
        quantity=quantity or None,
        unit=cells.text("UOM"),
        unit_price=cells.number(columns.unit_price),
        price_unit=cells.text("UOM3") or cells.text("UOM"),
        amount=cells.number(columns.matched),
        account=cells.text("OBJ"),
        cost_center=cells.text("OMCU"),
        purchase_order=cells.text("DOCO"),
        order_line=number_text(cells.number("LNID") or Decimal(0)),
    )


def _distributed(cells: Cells) -> InvoiceLine:
    return InvoiceLine(
        number="",
        kind="amount",
        description=cells.text("EXA"),
        amount=cells.number("AA"),
        account=cells.text("OBJ"),
        cost_center=cells.text("MCU"),
    )
