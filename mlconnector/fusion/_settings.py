"""What a site says of itself: which documents are fit to go, how accounts are cut, how its shipments are named."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Sequence
from typing import Any

import attrs

from mlconnector.errors import InvalidArgument

__all__ = ["Chart", "Gate", "ShipmentNames"]


def _texts(values: Any) -> tuple[str, ...]:
    if isinstance(values, str) or not isinstance(values, Iterable):
        raise InvalidArgument(f"{values!r} is no list of texts.", cure='Give a tuple like ("Validated",).')
    found = tuple(values)
    if not all(isinstance(value, str) for value in found):
        raise InvalidArgument(f"{values!r} holds something that is no text.", cure="Give texts only.")
    return found


def _delimiter(value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise InvalidArgument(f"delimiter={value!r} separates nothing.", cure='Give it like "-".')
    return value


def _list(*values: str) -> Any:
    return attrs.field(default=values, converter=_texts)


@functools.lru_cache(maxsize=1024)
def _has(allowed: tuple[str, ...], texts: tuple[str, ...]) -> bool:
    """Asked several times for every document; few texts recur."""
    return not {value.casefold() for value in allowed}.isdisjoint([text.casefold() for text in texts if text])


@attrs.frozen(kw_only=True, cache_hash=True)
class Gate:
    """Which documents are ``ready``: values of status attributes, compared without regard to case.

    Fusion shows statuses as texts in the user's language, and no complete list of them is known (Fusion reference,
    sections 7, 8 and 13): the integration user is English, or these are set.

    Args:
        invoice_types: ``InvoiceType`` that goes out (rule B21).
        validation: ``ValidationStatus`` of a validated invoice; ``approval``: ``ApprovalStatus`` of an approved one.
        cancelled: ``ValidationStatus`` of a cancelled invoice; ``CanceledFlag`` and ``CanceledDate`` count too.
        accounted: ``AccountingStatus`` of a posted invoice.
        payments: ``PaymentStatus`` that is told to the payee (rule B30); ``voided``: of a voided one.
        orders: ``StatusCode`` or ``Status`` of an order that goes out (rule B10).
        shipments: Status of goods that are on their way (rule B31).
        journals: ``Status`` or ``StatusMeaning`` of a posted batch.

    Raises:
        InvalidArgument: A text instead of a list, or a list with something else.
    """

    invoice_types: tuple[str, ...] = _list("Standard", "Credit memo", "Debit memo")
    validation: tuple[str, ...] = _list("Validated")
    approval: tuple[str, ...] = _list("Approved", "Manually approved", "Workflow approved", "Not required")
    cancelled: tuple[str, ...] = _list("Canceled", "Cancelled")
    accounted: tuple[str, ...] = _list("Accounted")
    payments: tuple[str, ...] = _list("Negotiable", "Issued", "Cleared", "Reconciled")
    voided: tuple[str, ...] = _list("Voided")
    orders: tuple[str, ...] = _list("OPEN")
    shipments: tuple[str, ...] = _list("Shipped", "Confirmed", "In transit", "Closed")
    journals: tuple[str, ...] = _list("P", "Posted")

    @staticmethod
    def has(allowed: Iterable[str], *texts: str) -> bool:
        """One of these texts is allowed."""
        return _has(tuple(allowed), texts)


@attrs.frozen(kw_only=True)
class Chart:
    """How an account combination is cut into segments (Fusion reference, section 10: the delimiter is a setting).

    Args:
        delimiter: Between two segments.
        segments: Their names in order; ``"company"``, ``"cost_center"``, ``"account"`` and ``"subaccount"`` are put
            into the fields of that meaning, other names only count. Empty: combinations stay whole.

    Raises:
        InvalidArgument: An empty delimiter, or a text instead of a list.
    """

    delimiter: str = attrs.field(default="-", converter=_delimiter)
    segments: tuple[str, ...] = attrs.field(default=(), converter=_texts)

    def segment(self, combination: str, name: str) -> str:
        """One segment; empty where the chart does not name it or the combination has another number of segments."""
        if name not in self.segments:
            return ""
        parts: Sequence[str] = combination.split(self.delimiter)
        return parts[self.segments.index(name)] if len(parts) == len(self.segments) else ""


@attrs.frozen(kw_only=True)
class ShipmentNames:
    """Attribute names of ``shipments``: none could be read (Fusion reference, section 11), so each is a setting.

    ``check()`` compares them with the resource's describe. An attribute that is absent reads as empty.

    Args:
        status, date, carrier: Of the shipment.
        ship_to, ship_to_name: The customer or warehouse it goes to; ``ship_from``: where it leaves.
        lines: Child accessor of the lines; ``None`` takes the one that is there of the two known names.
        line, item, description, quantity, unit: Of a line.
        order, order_line: The sales order a line fulfils.
        customer_order: The order number the customer knows (rule B31: PRF01).
    """

    status: str = "ShipmentStatus"
    date: str = "InitialPickupDate"
    carrier: str = "Carrier"
    ship_to: str = "ShipToPartyNumber"
    ship_to_name: str = "ShipToPartyName"
    ship_from: str = "ShipFromOrganizationCode"
    lines: str | None = None
    line: str = "ShipmentLine"
    item: str = "Item"
    description: str = "ItemDescription"
    quantity: str = "ShippedQuantity"
    unit: str = "ShippedQuantityUOM"
    order: str = "Order"
    order_line: str = "OrderLine"
    customer_order: str = "Order"
