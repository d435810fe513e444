"""Rows to documents and back: pure, no I/O, no clock."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from mlconnector.documents import Invoice, Party
from mlconnector.kit import Provenance, Rejected

_NEEDED = ("number", "vendor", "currency", "total")
_OPEN = ("approved", "paid")


def stamp_of(row: Mapping[str, Any]) -> dt.datetime:
    return dt.datetime.fromisoformat(row["changed_at"])


def invoice_of(row: Mapping[str, Any]) -> Invoice | Rejected:
    """An :class:`Invoice`, or a :class:`Rejected` with every fault."""
    stamp = stamp_of(row)
    faults = [f"{name} is missing" for name in _NEEDED if row.get(name) in (None, "")]
    if faults:
        return Rejected(key=row["id"], row=row, faults=tuple(faults), updated_at=stamp)
    origin = Provenance(system="ledgerbox", kind="invoices", key=row["id"], updated_at=stamp)
    return Invoice(
        number=row["id"],
        supplier_invoice_number=row["number"],
        date=dt.date.fromisoformat(row["date"]),
        supplier=Party(number=row["vendor"]),
        currency=row["currency"],
        gross=Decimal(row["total"]),
        void=row["status"] == "void",
        waiting_for=() if row["status"] in _OPEN else (f"status {row['status']}",),
        provenance=origin,
    )


def body_of(invoice: Invoice) -> dict[str, Any]:
    """What Ledgerbox is told of an invoice: this, and nothing else, makes a revision."""
    return {
        "number": invoice.supplier_invoice_number,
        "vendor": "" if invoice.supplier is None else invoice.supplier.number,
        "date": "" if invoice.date is None else invoice.date.isoformat(),
        "currency": invoice.currency,
        "total": invoice.gross,
        "status": "void" if invoice.void else "approved",
    }


def faults_of(invoice: Invoice) -> tuple[str, ...]:
    """Everything that keeps Ledgerbox from taking it."""
    faults = []
    if invoice.currency is None:
        faults.append("the currency is not known, and none is assumed")
    if invoice.gross is None or invoice.gross != invoice.gross.quantize(Decimal("0.01")):
        faults.append(f"gross is {invoice.gross}, Ledgerbox keeps two decimals")
    if not invoice.supplier_invoice_number:
        faults.append("the supplier's invoice number is missing")
    if invoice.date is None:
        faults.append("the invoice date is missing")
    return tuple(faults)
