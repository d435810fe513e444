"""Rows of ``payablesPayments`` with what they paid become payments; pure (Fusion reference, section 9; rule B30)."""

from __future__ import annotations

from collections.abc import Iterator

import attrs

from mlconnector.documents import Application, Party, Payment, ReadOnly
from mlconnector.fusion._made import Made, Site
from mlconnector.fusion._settings import Gate
from mlconnector.fusion._values import Fields, Row

__all__ = ["to_payments"]

_EXTRAS = (
    "BusinessUnit",
    "LegalEntity",
    "PaymentType",
    "PayeeSite",
    "PaymentBaseCurrency",
    "VoidDate",
)
_AMOUNTS = ("PaymentBaseAmount", "ConversionRate")
_TRACED = ("InvoicePaymentId", "InvoiceId", "InvoiceNumber", "InstallmentNumber", "InvoiceBusinessUnit")


def to_payments(row: Row, site: Site) -> Iterator[Made]:
    """The payment of a row.

    The key is the ``CheckId``: a ``PaymentNumber`` is unique for one bank account and document only (section 14).
    ``Application.invoice`` is the supplier's invoice number; ``extras["relatedInvoices"]`` has the invoice ids beside
    it. Bank accounts are not read.
    """
    faults: list[str] = []
    head = Fields(row, faults)
    related = row.get("relatedInvoices") or ()
    currency = head.text("PaymentCurrency")
    settled = [_application(Fields(one, faults, "invoice", "InvoiceNumber"), currency) for one in related]
    applications = [one for one in settled if one.amount is None or one.amount >= 0]
    withheld = head.number("WithheldAmount")
    extras = {**head.kept(*_EXTRAS), **head.kept_numbers(*_AMOUNTS)}
    if withheld and len(applications) == 1:
        applications = [attrs.evolve(applications[0], withheld=abs(withheld))]
    elif withheld:
        extras["WithheldAmount"] = withheld
    if related:
        extras["relatedInvoices"] = tuple(ReadOnly(Fields(one, faults).kept(*_TRACED)) for one in related)
    status = head.text("PaymentStatus")
    void = head.date("VoidDate") is not None or Gate.has(site.gate.voided, status)
    payment = Payment(
        number=head.text("PaymentNumber"),
        date=head.date("PaymentDate"),
        method=head.text("PaymentMethodCode", "PaymentMethod"),
        amount=head.number("PaymentAmount"),
        currency=currency or None,
        payee=_payee(head),
        bank_reference=head.text("PaperDocumentNumber", "PaymentReference"),
        status=status,
        applications=tuple(applications),
        credits=tuple(one for one in settled if one.amount is not None and one.amount < 0),
        void=void,
        waiting_for=() if void else tuple(_waiting(head, status, site.gate)),
        extras=extras,
        provenance=site.origin("payments", head.text("CheckId"), head.instant("LastUpdateDate")),
    )
    yield Made(payment, faults)


def _waiting(head: Fields, status: str, gate: Gate) -> Iterator[str]:
    """What the gate still asks for (rule B30)."""
    if not Gate.has(gate.payments, status):
        yield f"payment status {status or 'unknown'}"
    if head.date("StopDate") is not None:
        yield "payment is stopped"


def _payee(head: Fields) -> Party | None:
    number, name = head.text("SupplierNumber"), head.text("Payee", "ThirdPartySupplier")
    return Party(number=number, name=name, address=head.address()) if number or name else None


def _application(cells: Fields, currency: str) -> Application:
    """In the payment's currency; the discount is the invoice's, and told only where that is the same (section 9)."""
    one_currency = cells.text("InvoiceCurrency") in ("", currency)
    return Application(
        invoice=cells.text("InvoiceNumber"),
        amount=cells.number("AmountPaidPaymentCurrency"),
        discount=cells.number("DiscountTaken") or None if one_currency else None,
    )
