"""From a file back to what it was made of: the payment, its invoices, the journal candidates (rule B32)."""

from __future__ import annotations

import datetime as dt

import attrs

from mlconnector.delivery import Delivery, Ledger
from mlconnector.documents import Invoice, JournalLine, Payment
from mlconnector.errors import InvalidArgument
from mlconnector.fusion import OracleFusion

__all__ = ["PaymentTrace", "trace_payment"]

_SOURCE = "Payables"


@attrs.frozen(kw_only=True)
class PaymentTrace:
    """Where a remittance advice came from.

    Args:
        file: Name of the file. ``delivery``: its entry in the ledger.
        payment: As it was sent. ``invoices``: what it paid, as Fusion shows them now.
        candidates: Journal lines that may belong to the invoices. Fusion has no link from an invoice to a journal line
            over REST: these have an account of the invoices, source Payables and a date between the first invoice and
            the payment; they are candidates, not proof.
    """

    file: str
    delivery: Delivery
    payment: Payment
    invoices: tuple[Invoice, ...]
    candidates: tuple[JournalLine, ...]


def trace_payment(
    ledger: Ledger, fusion: OracleFusion, file: str, *, margin: dt.timedelta = dt.timedelta(days=7)
) -> PaymentTrace:
    """Walk back from a file to the payment in Fusion, its invoices and their journal candidates.

    Args:
        ledger: That of the flow. ``fusion``: the source.
        file: Name of the file, as in a listing or a transfer.
        margin: How long after the payment its journals may still be stamped.

    Raises:
        InvalidArgument: No payment was sent under this name.
    """
    found = [one for one in ledger.deliveries(kind="payments") if one.marker == file]
    if not found:
        raise InvalidArgument(f"No payment was sent as {file!r}.", cure="Give the name of an 820 of this ledger.")
    delivery = found[-1]
    payment = delivery.document
    assert isinstance(payment, Payment)
    related = payment.extras.get("relatedInvoices") or ()
    keys = sorted({str(one["InvoiceId"]) for one in related if one.get("InvoiceId")})
    invoices = tuple(fusion.invoices(keys=keys)) if keys else ()
    accounts = {line.account for invoice in invoices for line in invoice.lines if line.account}
    dates = [date for invoice in invoices for date in (invoice.gl_date or invoice.date,) if date is not None]
    candidates: tuple[JournalLine, ...] = ()
    if accounts and dates and payment.date is not None:
        begin = dt.datetime.combine(min(dates), dt.time(), dt.UTC)
        until = dt.datetime.combine(payment.date, dt.time(), dt.UTC) + margin
        candidates = tuple(
            line
            for line in fusion.journal_lines(since=begin, until=until)
            if line.account in accounts
            and str(line.extras.get("UserJeSourceName") or line.extras.get("JeSource") or _SOURCE) == _SOURCE
            and line.date is not None
            and min(dates) <= line.date <= payment.date
        )
    return PaymentTrace(file=file, delivery=delivery, payment=payment, invoices=invoices, candidates=candidates)
