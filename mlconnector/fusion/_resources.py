"""Facts about the resources that are read: names, keys, stamps, children (Fusion reference, sections 8 to 11)."""

from __future__ import annotations

from collections.abc import Mapping

import attrs

__all__ = ["BY_NAME", "CHILD_PAGE", "LARGEST_PAGE", "RESOURCES", "Child", "Resource"]

LARGEST_PAGE = 499
"""Rows of one GET at most; a larger ``limit`` is silently cut (section 5)."""
CHILD_PAGE = 25
"""Rows of an expanded child at most; framework version 2 cuts there without a sign (section 5)."""


@attrs.frozen(kw_only=True)
class Child:
    """A child collection.

    Args:
        accessors: Its name; several where it differs by release.
        key: Attribute that tells its rows apart under one parent, and by which they are paged.
        children: Its own children.
    """

    accessors: tuple[str, ...]
    key: str
    children: tuple[Child, ...] = ()


@attrs.frozen(kw_only=True)
class Resource:
    """A top-level collection whose rows are documents, or hold them.

    Args:
        name: Last part of its path.
        key: Unique attribute; ``numeric``: it is a number. ``walked``: the collection is walked by conditions on it
            (section 5, design A).
        plain: The key stands in the item's path, too; else the path holds a hash that is taken from links (section 1).
        stamp: Attribute of the last update; ``None`` where it has none. ``stamp_sure``: that it can be filtered on is
            documented or assumed by the reference, else the answer tells.
        children: What belongs to a document. ``expand``: how they are asked for.
        page: Rows a page at most, where one row can be large.
    """

    name: str
    key: str
    numeric: bool = True
    walked: bool = True
    plain: bool = True
    stamp: str | None = "LastUpdateDate"
    stamp_sure: bool = True
    children: tuple[Child, ...] = ()
    expand: str | None = None
    page: int = LARGEST_PAGE


RESOURCES: Mapping[str, Resource] = {
    "invoices": Resource(
        name="invoices",
        key="InvoiceId",
        plain=False,
        children=(
            Child(accessors=("invoiceLines",), key="LineNumber"),
            Child(accessors=("invoiceInstallments",), key="InstallmentNumber"),
        ),
        expand="invoiceLines,invoiceInstallments",
    ),
    "payments": Resource(
        name="payablesPayments",
        key="CheckId",
        children=(Child(accessors=("relatedInvoices",), key="InvoicePaymentId"),),
        expand="relatedInvoices",
    ),
    "journal_lines": Resource(
        name="journalBatches",
        key="JeBatchId",
        children=(
            Child(
                accessors=("journalHeaders",),
                key="JournalName",
                children=(Child(accessors=("journalLines",), key="JeLineNumber"),),
            ),
        ),
        expand="journalHeaders.journalLines",
        page=50,
    ),
    "suppliers": Resource(
        name="suppliers",
        key="SupplierId",
        children=(Child(accessors=("addresses",), key="SupplierAddressId"),),
        expand="addresses",
    ),
    "accounts": Resource(
        name="accountCombinationsLOV", key="_CODE_COMBINATION_ID", walked=False, stamp=None, stamp_sure=False
    ),
    "purchase_orders": Resource(
        name="purchaseOrders",
        key="POHeaderId",
        plain=False,
        children=(
            Child(
                accessors=("lines",),
                key="POLineId",
                children=(Child(accessors=("schedules",), key="LineLocationId"),),
            ),
        ),
        expand="lines.schedules",
    ),
    "shipments": Resource(
        name="shipments",
        key="Shipment",
        numeric=False,
        walked=False,
        stamp_sure=False,
        children=(Child(accessors=("unpackedShipmentLines", "shipmentLines"), key="ShipmentLine"),),
        expand="all",
        page=100,
    ),
}
"""By reader. Key attributes of children, where a page of them is ordered, are facts of the same sections."""

BY_NAME: Mapping[str, Resource] = {resource.name: resource for resource in RESOURCES.values()}
