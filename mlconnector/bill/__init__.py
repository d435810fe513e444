"""BILL: vendors, bills and vendor credits out, payments and events back (BILL reference)."""

from __future__ import annotations

from mlconnector.bill._body import invoice_number
from mlconnector.bill._client import BILL
from mlconnector.bill._events import Subscription
from mlconnector.bill._invoices import InvoicesTarget
from mlconnector.bill._mapping import POSTABLE, REVERSED, TROUBLED, mark_of
from mlconnector.bill._session import BillSession
from mlconnector.bill._suppliers import SuppliersTarget
from mlconnector.bill._verifier import BillVerifier

__all__ = [
    "BILL",
    "POSTABLE",
    "REVERSED",
    "TROUBLED",
    "BillSession",
    "BillVerifier",
    "InvoicesTarget",
    "Subscription",
    "SuppliersTarget",
    "invoice_number",
    "mark_of",
]
