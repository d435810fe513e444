"""An invoice is held against its orders before it becomes a voucher; pure (rule B40)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal

import attrs

from mlconnector.documents import Invoice, InvoiceLine, OrderLine, PurchaseOrder
from mlconnector.errors import InvalidDocument
from mlconnector.peoplesoft._voucher import GOODS

__all__ = ["Allocation", "match_orders", "orders_of"]

_ZERO = Decimal(0)

Allocation = Callable[[InvoiceLine, Sequence[OrderLine]], str]
"""Chooses the schedule number that an invoice line is for, where several are open (rule B40)."""


def orders_of(invoice: Invoice) -> list[str]:
    """Numbers of the orders that its lines are for, each once."""
    numbers = [line.purchase_order or invoice.purchase_order for line in invoice.lines if line.kind in GOODS]
    return list(dict.fromkeys(number for number in numbers if number))


def match_orders(
    invoice: Invoice, orders: Mapping[str, PurchaseOrder], allocation: Allocation | None
) -> tuple[Invoice, list[str]]:
    """The invoice with the order's line and schedule numbers, and what a person should see (rule B40).

    Args:
        invoice: As the supplier sent it, its supplier and currency in PeopleSoft's terms.
        orders: By number. ``allocation``: chooses among several open schedules.

    Raises:
        InvalidDocument: With every fault. Price and quantity are left to the matching of PeopleSoft, and noted.
    """
    faults: list[str] = []
    notes: list[str] = []
    sender = "" if invoice.supplier is None else invoice.supplier.number
    for number in orders_of(invoice):
        order = orders.get(number)
        if order is None:
            faults.append(f"order {number} is not in PeopleSoft")
            continue
        owner = "" if order.supplier is None else order.supplier.number
        if owner != sender:
            faults.append(f"order {number} is of supplier {owner}, the invoice comes from {sender or 'nobody'}")
        if order.currency != invoice.currency:
            faults.append(f"order {number} is in {order.currency}, the invoice in {invoice.currency}")
    lines = [_matched(line, invoice, orders, allocation, faults, notes) for line in invoice.lines]
    if faults:
        raise InvalidDocument(
            f"Invoice {invoice.supplier_invoice_number} does not fit its orders.",
            faults=tuple(faults),
            cause="order",
            cure="The accountant clears it with the supplier, or corrects the order, then replays it.",
        )
    return attrs.evolve(invoice, lines=lines), notes


def _matched(  # noqa: PLR0917 - private; collects into the caller's lists
    line: InvoiceLine,
    invoice: Invoice,
    orders: Mapping[str, PurchaseOrder],
    allocation: Allocation | None,
    faults: list[str],
    notes: list[str],
) -> InvoiceLine:
    if line.kind not in GOODS:
        return line
    number = line.purchase_order or invoice.purchase_order
    if not number:
        faults.append(f"line {line.number} names no order")
        return line
    order = orders.get(number)
    if order is None:
        return line
    fitting = [one for one in order.lines if line.order_line in (one.number, one.extras.get("LINE_NBR"))]
    exact = [one for one in fitting if one.number == line.order_line] or fitting
    place = f"line {line.number}"
    if not exact:
        faults.append(f"{place}: order {number} has no line {line.order_line or '(none named)'}")
        return line
    schedules = [name for one in exact for name in str(one.extras.get("SCHED_NBR", "")).split(",") if name]
    if not schedules:
        faults.append(f"{place}: line {line.order_line} of order {number} has no open schedule")
        return line
    if len(schedules) > 1 and allocation is None:
        faults.append(
            f"{place}: line {line.order_line} of order {number} has {len(schedules)} open schedules, and no rule says"
            " which it is for (allocation=)"
        )
        return line
    schedule = schedules[0] if len(schedules) == 1 or allocation is None else allocation(line, exact)
    known = exact[0]
    if line.kind == "item" and known.kind == "item" and line.unit and line.unit != known.unit:
        faults.append(f"{place}: invoiced in {line.unit}, ordered in {known.unit}")
    if line.kind == "item" and line.unit_price != known.unit_price:
        notes.append(f"{place}: price {line.unit_price}, ordered at {known.unit_price}")
    ordered = sum((one.quantity or _ZERO for one in exact if one.status != "cancelled"), _ZERO)
    if line.kind == "item" and abs(line.quantity or _ZERO) > ordered:
        notes.append(f"{place}: quantity {line.quantity}, ordered {ordered}")
    return attrs.evolve(
        line,
        purchase_order=number,
        extras={**line.extras, "LINE_NBR": str(known.extras["LINE_NBR"]), "SCHED_NBR": schedule},
    )
