"""Coupa: suppliers, external purchase orders and invoices in, approvals and payments back, and who signed a webhook."""

from __future__ import annotations

from mlconnector.coupa._client import Coupa
from mlconnector.coupa._invoice_target import InvoicesTarget
from mlconnector.coupa._order_target import PurchaseOrdersTarget
from mlconnector.coupa._supplier_target import SuppliersTarget
from mlconnector.coupa._verifier import CoupaVerifier

__all__ = ["Coupa", "CoupaVerifier", "InvoicesTarget", "PurchaseOrdersTarget", "SuppliersTarget"]
