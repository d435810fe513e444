"""Rows of ML_VOUCHER and ML_VOUCHER_LINE become an invoice; pure (PeopleSoft reference, section 9; B20 to B22)."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from decimal import Decimal

from mlconnector.documents import Invoice, InvoiceLine, Party, Provenance
from mlconnector.peoplesoft._heads import Head, extras, key_of
from mlconnector.peoplesoft._values import Cells, Row, number_text

__all__ = ["MARK", "excluded", "to_invoice"]

MARK = "MLCONNECTOR "
"""What the reference of a voucher begins with that this library created (rule B1)."""
_GATE = (
    ("A.ENTRY_STATUS", ("P",), "postable"),
    ("A.APPR_STATUS", ("A",), "approved"),
    ("A.MATCH_STATUS_VCHR", ("M", "N", "O", "C"), "matched"),
)
_CHARGES = (("A.FREIGHT_AMT", "FREIGHT", "Freight"), ("A.MISC_AMT", "MISC", "Miscellaneous"))


def excluded(row: Row) -> bool:
    """Templates and deleted vouchers are not read (section 9)."""
    cells = Cells(row, [])
    return cells.text("A.VOUCHER_STYLE") == "TMPL" or cells.text("A.ENTRY_STATUS") == "X"


def to_invoice(head: Head) -> tuple[Invoice, list[str]]:
    """The invoice, and every fault that keeps it from being one. A voucher below zero is a credit."""
    faults: list[str] = []
    cells = Cells(head.row, faults)
    supplier, unit, number = (cells.text(f"A.{name}") for name in ("VENDOR_ID", "BUSINESS_UNIT", "VOUCHER_ID"))
    currency, base = cells.text("A.TXN_CURRENCY_CD"), cells.text("A.BASE_CURRENCY")
    gross, note = cells.number("A.GROSS_AMT"), cells.text("A.DESCR254_MIXED")
    lines = [*_lines(head.lines, faults), *_charges(cells)]
    orders = {line.purchase_order for line in lines if line.purchase_order}
    invoice = Invoice(
        number=number,
        kind="credit" if gross is not None and gross < 0 else "voucher",
        type=cells.text("A.VOUCHER_STYLE"),
        supplier_invoice_number=cells.text("A.INVOICE_ID"),
        date=cells.date("A.INVOICE_DT"),
        due_date=cells.date("A.DUE_DT"),
        gl_date=cells.date("A.ACCOUNTING_DT"),
        supplier=Party(number=supplier) if supplier else None,
        company=unit,
        currency=currency or None,
        gross=gross,
        tax=cells.number("A.SALETX_AMT"),
        discount=cells.number("A.DSCNT_AMT"),
        base_currency=base if base != currency and base else None,
        terms=cells.text("A.PYMNT_TERMS_CD"),
        lines=lines,
        purchase_order=orders.pop() if len(orders) == 1 else "",
        posted=cells.text("A.POST_STATUS_AP") == "P",
        origin=note if note.startswith(MARK) else "",
        waiting_for=_waiting(cells),
        extras=extras(head.row, "invoices", ("A.VENDOR_SETID",)),
        provenance=Provenance(
            system="peoplesoft", kind="invoices", key=key_of(unit, number), updated_at=head.updated_at
        ),
    )
    return invoice, faults


def _waiting(cells: Cells) -> tuple[str, ...]:
    """What the gate still asks for (rule B21)."""
    reasons = []
    for field, good, meaning in _GATE:
        name, value = field.partition(".")[2], cells.text(field)
        if not cells.has(field):
            reasons.append(f"the query does not return {name}, so nothing shows that it is {meaning}")
        elif value not in good:
            reasons.append(f"{name} {value or 'blank'} is not {', '.join(good)} ({meaning})")
    return tuple(reasons)


def _lines(rows: Sequence[Row], faults: list[str]) -> list[InvoiceLine]:
    """Voucher lines; their distributions only name account and department (rule B22)."""

    def number(row: Row) -> Decimal:
        return Cells(row, faults).number("A.VOUCHER_LINE_NUM") or Decimal(0)

    lines = []
    for key, own in itertools.groupby(sorted(rows, key=number), key=number):
        found = list(own)
        cells, distributions = Cells(found[0], faults), [Cells(row, []) for row in found]
        quantity, price = cells.number("A.QTY_VCHR"), cells.number("A.UNIT_PRICE")
        unit, item = cells.text("A.UNIT_OF_MEASURE"), cells.text("A.INV_ITEM_ID")
        accounts, departments = ({one.text(field) for one in distributions} for field in ("B.ACCOUNT", "B.DEPTID"))
        lines.append(
            InvoiceLine(
                number=number_text(key),
                kind="item" if quantity and price else "amount",
                description=cells.text("A.DESCR254_MIXED") or cells.text("A.DESCR"),
                item_ids={"buyer": item} if item else {},
                quantity=quantity or None,
                unit=unit,
                unit_price=price if quantity else None,
                price_unit=unit,
                amount=cells.number("A.MERCHANDISE_AMT"),
                account=accounts.pop() if len(accounts) == 1 else "",
                cost_center=departments.pop() if len(departments) == 1 else "",
                purchase_order=cells.text("A.PO_ID"),
                order_line=number_text(cells.number("A.LINE_NBR") or None),
            )
        )
    return lines


def _charges(cells: Cells) -> list[InvoiceLine]:
    """Freight and miscellaneous amounts of the head, as charge lines: gross holds them."""
    return [
        InvoiceLine(number=number, kind="charge", description=description, amount=amount)
        for field, number, description in _CHARGES
        if (amount := cells.number(field))
    ]
