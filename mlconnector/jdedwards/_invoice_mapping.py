"""Rows of F0411 with their match or distribution become an invoice; pure (AIS reference, section 7; B20 to B23)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import attrs

from mlconnector.documents import Invoice, InvoiceLine, Party, PayItem, Provenance
from mlconnector.jdedwards._values import Cells, number_text

__all__ = ["VoucherRows", "to_invoice", "voucher_key"]

_HELD = ("H", "R", "%")
_KINDS = {"PV": "voucher", "PD": "debit"}


@attrs.frozen
class VoucherRows:
    """Everything that was read for one voucher."""

    items: Sequence[Mapping[str, Any]]
    matches: Sequence[Mapping[str, Any]]
    distribution: Sequence[Mapping[str, Any]]
    parties: Mapping[str, Party]
    base_currency: str | None
    stamp: Any


def voucher_key(company: Any, kind: Any, number: Any) -> str:
    """``company/type/number``."""
    return "/".join(str(part).strip() for part in (company, kind, number))


def to_invoice(rows: VoucherRows) -> tuple[Invoice, list[str]]:
    """The invoice, and every fault that keeps it from being one."""
    faults: list[str] = []
    cells = [Cells("F0411", row, faults) for row in rows.items]
    # Rows of adjusting types (DCTA) say what became of a voucher; they are never summed into it (section 7).
    own = [cell for cell in cells if not cell.text("DCTA")] or cells
    head = own[0]
    foreign = head.text("CRRM") == "F"
    gross_of, open_of, tax_of = ("ACR", "FAP", "CTAM") if foreign else ("AG", "AAP", "STAM")
    void = any(cell.text("VOD") for cell in cells)
    supplier, payee = head.text("AN8"), head.text("PYE")
    lines = _matched(rows.matches, faults, foreign=foreign) or _distributed(rows.distribution, faults)
    due = [date for cell in own if (date := cell.date("DDJ")) is not None]
    currency = head.text("CRCD") or (None if foreign else rows.base_currency)
    flags = {Cells("F43121", row, []).text("AVCH") for row in rows.matches}
    invoice = Invoice(
        number=head.text("DOC"),
        kind=_KINDS.get(head.text("DCT"), "voucher"),
        type=head.text("DCT"),
        supplier_invoice_number=head.text("VINV"),
        date=head.date("DIVJ"),
        due_date=min(due, default=None),
        gl_date=head.date("DGJ"),
        supplier=rows.parties.get(supplier, Party(number=supplier)) if supplier else None,
        payee=rows.parties.get(payee, Party(number=payee)) if payee not in ("", "0") else None,
        company=head.text("KCO"),
        currency=currency,
        gross=_sum(own, gross_of),
        open=_sum(own, open_of),
        tax=_sum(own, tax_of),
        discount=_sum(own, "ADSC"),
        base_currency=(head.text("BCRC") or rows.base_currency) if foreign else None,
        base_gross=_sum(own, "AG") if foreign else None,
        rate=head.number("CRR") if foreign else None,
        terms=head.text("PTC"),
        lines=tuple(lines),
        pay_items=tuple(_pay_item(cell, gross_of, open_of) for cell in own),
        purchase_order=head.text("PO").lstrip("0"),
        pay_status=head.text("PST"),
        posted=head.text("POST") == "D",
        void=void,
        origin=head.text("RMK"),
        evaluated_receipt="Y" in flags if rows.matches else None,
        waiting_for=() if void else _waiting(own),
        provenance=Provenance(
            system="jdedwards",
            kind="invoices",
            key=voucher_key(head.text("KCO"), head.text("DCT"), head.text("DOC")),
            updated_at=rows.stamp,
        ),
    )
    return invoice, faults


def _waiting(items: Sequence[Cells]) -> tuple[str, ...]:
    """What the gate still asks for (rule B21)."""
    reasons = []
    for item in items:
        if item.text("POST") != "D":
            reasons.append(f"pay item {item.text('SFX')} is not posted")
        if item.text("PST") in _HELD:
            reasons.append(f"pay item {item.text('SFX')} has pay status {item.text('PST')}")
    return tuple(reasons)


def _sum(items: Sequence[Cells], alias: str) -> Decimal:
    return sum((item.number(alias) or Decimal(0) for item in items), Decimal(0))


def _pay_item(cells: Cells, gross_of: str, open_of: str) -> PayItem:
    return PayItem(
        number=cells.text("SFX"),
        extension=cells.text("SFXE"),
        due_date=cells.date("DDJ"),
        gross=cells.number(gross_of),
        open=cells.number(open_of),
        discount=cells.number("ADSC"),
        pay_status=cells.text("PST"),
    )


def _matched(rows: Sequence[Mapping[str, Any]], faults: list[str], *, foreign: bool) -> list[InvoiceLine]:
    """Lines from the match, ``MATC`` 2 (rule B22)."""
    lines: list[InvoiceLine] = []
    for row in rows:
        cells = Cells("F43121", row, faults)
        quantity = cells.number("UREC")
        ids = {"buyer": cells.text("LITM"), "alternate": cells.text("AITM")}
        lines.append(
            InvoiceLine(
                number=str(len(lines) + 1),
                kind="item" if quantity else "amount",
                item_ids={name: value for name, value in ids.items() if value},
                quantity=quantity or None,
                unit=cells.text("UOM"),
                unit_price=cells.number("FRRC" if foreign else "PRRC"),
                price_unit=cells.text("UOM3") or cells.text("UOM"),
                amount=cells.number("FREC" if foreign else "AREC"),
                account=cells.text("OBJ"),
                cost_center=cells.text("OMCU"),
                purchase_order=cells.text("DOCO"),
                order_line=number_text(cells.number("LNID") or Decimal(0)),
            )
        )
    return lines


def _distributed(rows: Sequence[Mapping[str, Any]], faults: list[str]) -> list[InvoiceLine]:
    """Lines from the distribution, each one amount (rule B22)."""
    lines: list[InvoiceLine] = []
    for row in rows:
        cells = Cells("F0911", row, faults)
        lines.append(
            InvoiceLine(
                number=str(len(lines) + 1),
                kind="amount",
                description=cells.text("EXA"),
                amount=cells.number("AA"),
                account=cells.text("OBJ"),
                cost_center=cells.text("MCU"),
            )
        )
    return lines
