"""Changes of purchase orders to 860 (X12 reference, section 7; rules B11 to B13)."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import attrs

from mlconnector.documents import OrderLine, PurchaseOrder
from mlconnector.errors import InvalidArgument
from mlconnector.x12._content import effective_quantity, order_content, told_lines
from mlconnector.x12._draft import Draft
from mlconnector.x12._format import date
from mlconnector.x12._lines import Told, line_ids, told
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

__all__ = ["to_860"]

ZERO = Decimal(0)


def to_860(
    old: PurchaseOrder,
    new: PurchaseOrder,
    partner: Partner,
    *,
    sequence: int,
    at: dt.datetime,
    order_number: str | None = None,
) -> TransactionSet:
    """An 860 that leads from ``old``, what the partner has, to ``new``.

    The header stands in full; a POC for each line that differs: AI added, DI deleted, QI and QD quantity, PC price,
    PQ quantity and price, CT date, PR price and date, CA anything else. A line cancelled, or gone, with something
    received is a QD down to what was received. With every line cancelled and nothing received BCH01 is 01, without POC.

    Args:
        sequence: BCH05, 1 to 99999999, strictly rising per order (rule B12).
        at: When the change is told, aware; BCH11 is its date in the partner's time zone.
        order_number: As for :func:`to_850`.

    Raises:
        InvalidArgument: A sequence out of range, a naive ``at``, or two different orders.
        InvalidDocument: With every fault; cause ``unchanged`` when there is nothing to tell.
    """
    if type(sequence) is not int or not 1 <= sequence <= 99_999_999:
        raise InvalidArgument(f"sequence={sequence!r} is no change number.", cure="Count from 1 for each order.")
    if at.tzinfo is None:
        raise InvalidArgument(f"at={at!r} is no aware datetime.", cure="Give it a tzinfo, e.g. datetime.UTC.")
    if (old.number, old.type, old.company) != (new.number, new.type, new.company):
        raise InvalidArgument(f"{old.number} and {new.number} are different orders.", cure="Pass two revisions of one.")
    draft = Draft(partner, f"Change {sequence} of order {new.number}")
    lines = told_lines(new)
    cancelled = not lines and _nothing_received(old)
    kind, release = order_kind(draft, new)
    told_on = date(at.astimezone(partner.time_zone or dt.UTC))
    head = ("01" if cancelled else "04", kind, seen_number(draft, new, order_number), release, str(sequence))
    draft.add("BCH", *head, order_date(draft, new), "", "", "", "", told_on)
    header(draft, new, lines, line_texts(new))
    check_numbers(draft, [line for line in lines if line.kind != "charge"])
    if not cancelled:
        _changes(draft, old, new)
    if order_content(old) == order_content(new):
        draft.fault("unchanged", "nothing that the partner is told has changed")
    return draft.complete("860", new, "POC", 3, count=not cancelled)


def _nothing_received(old: PurchaseOrder) -> bool:
    return not any(line.received_quantity for line in old.lines)


def _items(order: PurchaseOrder) -> dict[str, OrderLine]:
    return {line.number: line for line in told_lines(order) if line.kind != "charge"}


def _changes(draft: Draft, old: PurchaseOrder, new: PurchaseOrder) -> None:
    before, after = _items(old), _items(new)
    cancelled = {line.number: line for line in new.lines}
    texts = line_texts(new)
    for number, line in after.items():
        quantity = effective_quantity(new, line)
        said = told(draft, line, quantity)
        was = before.get(number)
        if was is None:
            _poc(draft, line, "AI", said, ZERO)
            line_details(draft, line, said.quantity, said.unit, texts.get(number, ()))
            continue
        earlier = told(Draft(draft.partner, draft.name), was, effective_quantity(old, was))
        code = _code(was, line, earlier, said)
        if code is not None:
            _poc(draft, line, code, said, earlier.quantity)
            line_details(draft, line, said.quantity, said.unit, texts.get(number, ()))
    for number, was in before.items():
        if number not in after:
            _gone(draft, was, cancelled.get(number), effective_quantity(old, was))


def _gone(draft: Draft, was: OrderLine, now: OrderLine | None, quantity: Decimal | None) -> None:
    """A line that is cancelled or no longer there: deleted, or cut down to what was received (rule B11)."""
    known = was if now is None or now.received_quantity is None else now
    received = known.received_quantity or ZERO
    if received and received == quantity:
        return
    said = told(draft, was, quantity)
    line = attrs.evolve(was, received_quantity=received)
    _poc(draft, line, "QD" if received else "DI", attrs.evolve(said, quantity=received), quantity)


def _code(was: OrderLine, now: OrderLine, earlier: Told, said: Told) -> str | None:
    """POC02 (section 6, element 670); ``None`` where the line tells nothing new."""
    quantity = (said.quantity or ZERO) - (earlier.quantity or ZERO)
    price = (earlier.price, earlier.basis) != (said.price, said.basis)
    dates = (was.requested_date, was.schedules) != (now.requested_date, now.schedules)
    other = (was.kind, was.item_ids, earlier.unit, was.ship_to) != (now.kind, now.item_ids, said.unit, now.ship_to)
    if not (quantity or price or dates or other):
        return None
    if other or (quantity and dates):
        return "CA"
    if quantity:
        return "PQ" if price else ("QI" if quantity > 0 else "QD")
    if price:
        return "PR" if dates else "PC"
    return "CT"


def _poc(draft: Draft, line: OrderLine, code: str, said: Told, old_quantity: Decimal | None) -> None:
    place = f"line {line.number}"
    total, before = said.quantity or ZERO, old_quantity or ZERO
    left = max(total - (line.received_quantity or ZERO), ZERO)
    third, fourth = {"total_left": (total, left), "old_new": (before, total), "new_new": (total, total)}[
        draft.partner.poc_quantities
    ]
    draft.add(
        "POC",
        assigned_number(draft, line),
        code,
        draft.real(third, f"{place} POC03", 15),
        draft.real(fourth, f"{place} POC04", 9),
        (said.unit,),
        draft.real(said.price, f"{place} POC06", 17),
        said.basis,
        *line_ids(draft, line, line.number),
    )
