"""Accounts and payments as documents; pure (Coupa reference, sections 5.4, 7.1, 7.2)."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from mlconnector.coupa._order_mapping import party_of, segments_of
from mlconnector.coupa._supplier_mapping import provenance
from mlconnector.coupa._values import Element, custom_fields
from mlconnector.documents import Account, Application, Payment, Provenance

__all__ = ["to_account", "to_invoice_payments", "to_payment"]

_MOVED = ("payment_in_progress", "completed_successfully")
_ZERO = Decimal(0)


def to_account(row: Mapping[str, Any], faults: list[str]) -> Account:
    """An account record; ``number`` is the code, ``extras`` has chart and segments.

    The code alone is not unique: the same one can be in two charts, and a hyphen inside a segment makes two accounts
    look alike (section 5.4).
    """
    cells = Element(row, faults)
    chart = cells.object("account-type").text("name")
    active = cells.text("active").lower() not in ("false", "0")
    return Account(
        number=cells.text("code"),
        description=cells.text("name"),
        active=active,
        postable=active,
        extras={"segments": segments_of(row), **({"chart": chart} if chart else {})},
        provenance=provenance("accounts", cells),
    )


def to_payment(row: Mapping[str, Any], faults: list[str]) -> Payment:
    """A Coupa Pay payment; ready once the money is on its way (section 7.2). Invoices are named by Coupa's id.

    No date of payment is documented: where none is sent, it is the day the payment was made in Coupa.
    """
    cells = Element(row, faults)
    status, details = cells.text("status"), cells.items("payment-details")
    ours = [one for one in details if one.text("source-transaction-type") in ("InvoiceHeader", "")]
    amounts = [amount for one in details if (amount := one.number("payment-total")) is not None]
    currencies = {code for one in (cells, *details) if (code := one.object("currency").text("code"))}
    total = cells.number("payment-total")
    if len(currencies) > 1:
        faults.append(f"currencies {sorted(currencies)} in one payment")
    return Payment(
        number=cells.text("id"),
        date=cells.date("payment-date") or cells.date("created-at"),
        method=cells.text("payment-method"),
        amount=total if total is not None else sum(amounts, _ZERO) if amounts else None,
        currency=next(iter(currencies), None),
        payee=party_of(cells.object("supplier")),
        status=status,
        applications=tuple(
            Application(
                invoice=one.text("source-transaction-id") or one.text("source-transaction-reference"),
                amount=one.number("payment-total"),
                discount=one.number("discount-total"),
            )
            for one in ours
        ),
        waiting_for=() if status in _MOVED else (f"status {status or 'unknown'}",),
        extras={
            **custom_fields(row),
            "invoices": {one.text("source-transaction-id"): one.text("source-transaction-reference") for one in ours},
        },
        provenance=provenance("payments", cells),
    )


def to_invoice_payments(row: Mapping[str, Any], faults: list[str]) -> list[Payment]:
    """The payments recorded on an invoice, one a row of ``payments``; a void is a row of its own (section 7.1)."""
    cells = Element(row, faults)
    invoice, stamp = cells.text("id"), cells.instant("updated-at")
    found = []
    for index, one in enumerate(cells.items("payments"), 1):
        amount, number = one.number("amount-paid"), one.text("id") or str(index)
        found.append(
            Payment(
                number=number,
                date=one.date("payment-date") or cells.date("payment-date"),
                amount=amount,
                currency=cells.object("currency").text("code") or None,
                payee=party_of(cells.object("supplier")),
                bank_reference=one.text("notes") or one.text("check-number"),
                applications=(Application(invoice=invoice, amount=amount),),
                void=amount is not None and amount < 0,
                extras={"invoices": {invoice: cells.text("invoice-number")}},
                provenance=Provenance(system="coupa", kind="payments", key=f"{invoice}/{number}", updated_at=stamp),
            )
        )
    return found
