"""Purchase orders to 850 (X12 reference, section 7; rules B11, B13 to B16)."""

from __future__ import annotations

from mlconnector.documents import OrderLine, PurchaseOrder
from mlconnector.x12._content import effective_quantity, is_cancelled, told_lines
from mlconnector.x12._draft import Draft
from mlconnector.x12._lines import Told, line_ids, plain_line, told
from mlconnector.x12._order_parts import (
    assigned_number,
    check_numbers,
    header,
    line_details,
    line_texts,
    order_date,
    order_kind,
    seen_number,
)
from mlconnector.x12._partner import Partner
from mlconnector.x12._sets import TransactionSet

__all__ = ["to_850"]


def to_850(
    order: PurchaseOrder, partner: Partner, *, purpose: str = "00", order_number: str | None = None
) -> TransactionSet:
    """An 850 for an order.

    Written: BEG CUR REF PER FOB SAC ITD DTM N9/MSG N1 (BY SE ST BT), then for each line PO1 PID REF DTM MSG SCH N1,
    and CTT. Cancelled lines are left out, or stand with what was received on them; a purpose 01 shows every line as
    ordered.

    Args:
        order: The order.
        partner: Whom it is for.
        purpose: BEG01: 00 original, 05 replace (a change by 850), 01 cancellation, 07 duplicate.
        order_number: BEG03 where the partner sees another number than the order's own (rule B13).

    Raises:
        InvalidDocument: With every fault; ``cause`` names the first: ``currency``, ``unit``, ``price`` ...
    """
    draft = Draft(partner, f"Order {order.number}")
    kind, release = order_kind(draft, order)
    number = seen_number(draft, order, order_number)
    draft.put("BEG", purpose, kind, number, release, order_date(draft, order))
    whole = purpose == "01"
    lines = [line for line in order.lines if line.kind != "text"] if whole else told_lines(order)
    texts = line_texts(order) if len(lines) < len(order.lines) else {}
    header(draft, order, lines, texts)
    items = [line for line in lines if line.kind != "charge"]
    if not items:
        draft.fault("lines", "there is no line to order")
    check_numbers(draft, items)
    for line in items:
        cut_down = not whole and is_cancelled(order, line)
        quantity, row = line.quantity, None if cut_down else plain_line(draft, line)
        if row is None:
            said = told(draft, line, effective_quantity(order, line) if cut_down else quantity)
            quantity, row = said.quantity, _row(draft, line, said)
        draft.put("PO1", *row)
        line_details(draft, line, quantity, row[2], texts.get(line.number, ()))
    return draft.complete("850", order, "PO1", 2)


def _row(draft: Draft, line: OrderLine, said: Told) -> tuple[str, ...]:
    return (
        assigned_number(draft, line),
        draft.real(said.quantity, f"line {line.number} PO102", 15),
        said.unit,
        draft.real(said.price, f"line {line.number} PO104", 17),
        said.basis,
        *line_ids(draft, line, line.number),
    )
