"""What makes a revision for a partner (rule B11): what he is told, whatever his profile, and nothing else."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

import attrs

from mlconnector.documents import Application, Invoice, OrderLine, Party, Payment, PurchaseOrder, Shipment
from mlconnector.x12._format import number

__all__ = [
    "effective_quantity",
    "invoice_content",
    "is_cancelled",
    "order_content",
    "payment_content",
    "shipment_content",
    "told_lines",
]


def is_cancelled(order: PurchaseOrder, line: OrderLine) -> bool:
    """The line, or the whole order, was cancelled. Closed is not cancelled."""
    return "cancelled" in (order.status, line.status)


def effective_quantity(order: PurchaseOrder, line: OrderLine) -> Decimal | None:
    """What the partner is to deliver in all: as ordered; of a cancelled line what was received (rule B11)."""
    return (line.received_quantity or Decimal(0)) if is_cancelled(order, line) else line.quantity


def told_lines(order: PurchaseOrder) -> list[OrderLine]:
    """Lines the partner knows of: neither text, nor cancelled with nothing received."""
    return [
        line
        for line in order.lines
        if line.kind != "text" and (not is_cancelled(order, line) or (line.kind != "charge" and line.received_quantity))
    ]


def order_content(order: PurchaseOrder) -> str:
    """Canonical text of an order as a partner sees it (rule B11).

    Left out: statuses as such (closed equals open), received and open quantities, buyer, account, stamps, texts and
    descriptions, holds, extras. A cancelled line counts with what was received on it.
    """
    head = (order.number, order.type, order.company, order.date, order.currency, order.terms, order.freight)
    place = (order.original_order, order.drop_ship, _number(order.supplier), _number(order.bill_to), order.ship_to)
    return _canonical([head, place, [_line(order, line) for line in told_lines(order)]])


def _line(order: PurchaseOrder, line: OrderLine) -> list[Any]:
    by_amount = line.kind != "item" or not line.quantity
    return [
        *(line.number, line.kind, line.item_ids, None if by_amount else effective_quantity(order, line), line.unit),
        *(line.unit_price, line.price_unit, line.price_per, line.amount if by_amount else None),
        *(line.requested_date, line.schedules, line.ship_to),
    ]


def invoice_content(invoice: Invoice) -> str:
    """Canonical text of an invoice as a partner sees it: no open amounts, pay status, accounts, texts or stamps."""
    head = (invoice.number, invoice.type, invoice.kind, invoice.supplier_invoice_number, invoice.date, invoice.due_date)
    money = (invoice.company, invoice.currency, invoice.gross, invoice.tax, invoice.terms, invoice.void)
    lines = [
        (
            *(line.number, line.kind, line.item_ids, line.quantity, line.unit, line.unit_price, line.price_unit),
            *(line.price_per, line.amount, line.tax, line.purchase_order, line.order_line),
        )
        for line in invoice.lines
        if line.kind != "text"
    ]
    return _canonical([head, money, _number(invoice.supplier), invoice.purchase_order, lines])


def payment_content(payment: Payment) -> str:
    """Canonical text of a payment as a payee or bank sees it: no status (issued equals cleared), texts or stamps.

    That it was voided does count, so that a void after sending is noticed (rule B30).
    """
    head = (payment.number, payment.date, payment.method, payment.amount, payment.currency, payment.void)
    names = (_number(payment.payee), payment.bank_reference, payment.replaces)
    return _canonical([head, names, _applied(payment.applications), _applied(payment.credits)])


def _applied(parts: Iterable[Application]) -> list[Any]:
    return [(part.invoice, part.amount, part.discount or None, part.withheld or None) for part in parts]


def shipment_content(shipment: Shipment) -> str:
    """Canonical text of a shipment as the receiver of the goods sees it: no descriptions, extras or stamps."""
    head = (shipment.number, shipment.date, shipment.carrier, shipment.ship_from, shipment.ship_to, shipment.orders)
    items = [
        (item.number, item.order_number, item.order_line, item.item_ids, item.quantity, item.unit, item.pack)
        for item in shipment.items
    ]
    return _canonical([head, shipment.packs, items])


def _number(party: Party | None) -> str:
    return party.number if party is not None else ""


def _canonical(value: Any) -> str:
    return json.dumps(_plain(value), ensure_ascii=True, separators=(",", ":"))


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return number(value)
    if isinstance(value, dt.date):
        return value.isoformat()
    if isinstance(value, Mapping):
        return sorted((str(key), _plain(item)) for key, item in value.items())
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return [_plain(item) for item in attrs.astuple(value, recurse=False)] if attrs.has(type(value)) else value
