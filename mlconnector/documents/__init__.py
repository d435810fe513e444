"""The words everybody speaks: vendor-neutral business documents, frozen and exact (design 4.2)."""

from __future__ import annotations

from mlconnector.documents._base import Document, Provenance
from mlconnector.documents._currency import smallest_unit
from mlconnector.documents._fields import ReadOnly
from mlconnector.documents._json import from_json, to_json
from mlconnector.documents._logistics import AcknowledgedSet, FunctionalAcknowledgment, Pack, Shipment, ShipmentItem
from mlconnector.documents._money import Application, Invoice, InvoiceLine, JournalLine, PayItem, Payment
from mlconnector.documents._orders import AcknowledgedLine, OrderAcknowledgment, OrderLine, PurchaseOrder, Schedule
from mlconnector.documents._parties import Account, Address, Contact, CostCenter, Party, Supplier
from mlconnector.documents._unchecked import unchecked

__all__ = [
    "Account",
    "AcknowledgedLine",
    "AcknowledgedSet",
    "Address",
    "Application",
    "Contact",
    "CostCenter",
    "Document",
    "FunctionalAcknowledgment",
    "Invoice",
    "InvoiceLine",
    "JournalLine",
    "OrderAcknowledgment",
    "OrderLine",
    "Pack",
    "Party",
    "PayItem",
    "Payment",
    "Provenance",
    "PurchaseOrder",
    "ReadOnly",
    "Schedule",
    "Shipment",
    "ShipmentItem",
    "Supplier",
    "from_json",
    "smallest_unit",
    "to_json",
    "unchecked",
]
