"""Purchase orders, their lines and schedules, and what suppliers answer to them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, ClassVar

import attrs

from mlconnector.documents._base import Document
from mlconnector.documents._fields import EMPTY, as_date, as_decimal, as_read_only, as_tuple
from mlconnector.documents._parties import Party

__all__ = ["AcknowledgedLine", "OrderAcknowledgment", "OrderLine", "PurchaseOrder", "Schedule"]


def _amount() -> Decimal | None:
    field: Decimal | None = attrs.field(default=None, converter=as_decimal)
    return field


def _date() -> dt.date | None:
    field: dt.date | None = attrs.field(default=None, converter=as_date)
    return field


@attrs.frozen(kw_only=True)
class Schedule:
    """A delivery date and the quantity due on it, in the line's ``unit``."""

    date: dt.date | None = _date()
    quantity: Decimal | None = _amount()


@attrs.frozen(kw_only=True, weakref_slot=False)
class OrderLine:
    """One line of an order.

    Args:
        number: The ERP's own line number as text (``"1"``, ``"1.010"`` keeps its decimals).
        kind: ``"item"``, ``"amount"`` (a service: quantity 1, price = amount), ``"charge"`` or ``"text"`` (rule B14).
        item_ids: Product ids by qualifier of the source: ``buyer``, ``vendor``, ``short``, ``gtin`` ...
        quantity: In ``unit``.
        unit_price: Per ``price_unit`` and per ``price_per`` pieces of it: 12.50 with ``price_per`` 1000 is 12.50
            a thousand.
        amount: Extended amount in the order's currency.
        received_quantity: Received so far, in ``unit``.
        ship_to: Only where the line goes elsewhere than the order.
        status: ``"open"``, ``"cancelled"`` or ``"closed"``; the vendor's own codes stand in ``extras`` of the order.
        extras: What a partner's set says of the line and no field holds, by X12 element name (``"POC02"``), read-only.
    """

    number: str
    kind: str = "item"
    description: str = ""
    item_ids: Mapping[str, str] = attrs.field(default=EMPTY, converter=as_read_only)
    quantity: Decimal | None = _amount()
    unit: str = ""
    unit_price: Decimal | None = _amount()
    price_unit: str = ""
    price_per: Decimal | None = attrs.field(default=Decimal(1), converter=as_decimal)
    amount: Decimal | None = _amount()
    received_quantity: Decimal | None = _amount()
    open_quantity: Decimal | None = _amount()
    requested_date: dt.date | None = _date()
    promised_date: dt.date | None = _date()
    schedules: tuple[Schedule, ...] = attrs.field(default=(), converter=as_tuple)
    ship_to: Party | None = None
    account: str = ""
    cost_center: str = ""
    tax: str = ""
    status: str = "open"
    extras: Mapping[str, Any] = attrs.field(default=EMPTY, converter=as_read_only)


@attrs.frozen(kw_only=True)
class PurchaseOrder(Document):
    """An order to a supplier.

    Args:
        number: The buyer's order number, as the ERP shows it.
        type: The ERP's document type (``"OP"``).
        company: Order company.
        revision: The ERP's own change number, for information (rule B12 counts in the ledger).
        supplier: Whom it is ordered from; ``ship_to`` where it goes; ``bill_to`` who is billed.
        buyer: Name or number of the buyer.
        currency: ISO 4217, ``None`` where it cannot be known; then it is parked, never assumed.
        terms: The ERP's payment terms code.
        freight: The ERP's freight handling code.
        notes: Free texts of the whole order.
        original_order: The blanket's number, for a release (rule B15).
        total: Order total in ``currency``.
        status: ``"open"``, ``"cancelled"`` or ``"closed"``, judged over the lines.
        hold: The ERP's hold code, empty when there is none.
        drop_ship: The goods go straight to a customer (rule B15: BEG02 ``DS``).
    """

    key_fields: ClassVar[tuple[str, ...]] = ("company", "type", "number")

    number: str
    type: str = ""
    company: str = ""
    revision: str = ""
    date: dt.date | None = _date()
    supplier: Party | None = None
    ship_to: Party | None = None
    bill_to: Party | None = None
    buyer: str = ""
    currency: str | None = None
    terms: str = ""
    freight: str = ""
    notes: tuple[str, ...] = attrs.field(default=(), converter=as_tuple)
    original_order: str = ""
    lines: tuple[OrderLine, ...] = attrs.field(default=(), converter=as_tuple)
    total: Decimal | None = _amount()
    status: str = "open"
    hold: str = ""
    drop_ship: bool = False


@attrs.frozen(kw_only=True)
class AcknowledgedLine:
    """What a supplier says of one line: X12 ACK01 ``status`` (``"IA"``, ``"IQ"`` ...), with quantity, date, price.

    Several entries may have one ``line``: they split its quantity (60 accepted, 40 backordered). ``item_ids`` and
    ``extras`` as on :class:`OrderLine`; of a substitution ``item_ids`` are those of what comes instead.
    """

    line: str
    status: str = ""
    quantity: Decimal | None = _amount()
    unit: str = ""
    date: dt.date | None = _date()
    price: Decimal | None = _amount()
    item_ids: Mapping[str, str] = attrs.field(default=EMPTY, converter=as_read_only)
    extras: Mapping[str, Any] = attrs.field(default=EMPTY, converter=as_read_only)


@attrs.frozen(kw_only=True)
class OrderAcknowledgment(Document):
    """A supplier's answer to an order (855, 865).

    Args:
        number: The supplier's own order number.
        order_number: The buyer's order number, as the partner sees it.
        verdict: X12 BAK02: ``"AD"``, ``"AK"``, ``"AT"`` accept; ``"AC"``, ``"AE"`` read the lines; ``"RD"`` ... reject.
    """

    key_fields: ClassVar[tuple[str, ...]] = ("order_number", "number")

    number: str = ""
    order_number: str = ""
    date: dt.date | None = _date()
    verdict: str = ""
    currency: str | None = None
    lines: tuple[AcknowledgedLine, ...] = attrs.field(default=(), converter=as_tuple)
