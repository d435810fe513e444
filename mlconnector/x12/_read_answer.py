"""855 and 865 to order acknowledgments: what a supplier answers to an order or its change (section 7)."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

import attrs

from mlconnector.documents import AcknowledgedLine, OrderAcknowledgment
from mlconnector.x12._format import decimal_of
from mlconnector.x12._partner import Partner
from mlconnector.x12._read_base import Extras, Reading
from mlconnector.x12._read_parts import PO1, POC, Columns, product_ids
from mlconnector.x12._read_tree import Loop
from mlconnector.x12._sets import Segment, TransactionSet

__all__ = ["from_855", "from_865"]

_PROMISED = ("067", "068")


def from_855(ts: TransactionSet, *, partner: Partner | None = None) -> OrderAcknowledgment:
    """The answer to an order.

    An entry for each ACK, so that several split a line (60 accepted, 40 backordered); of a PO1 without ACK one without
    status, with the quantity of the PO1. ``price`` is PO104. A PO105 stays in the extras of the first entry, and so do
    PO102 and PO103 where they are not what the entries sum to. ``number`` is BAK08, else REF VN; ``date`` BAK09; BAK04,
    the order's date, is in the extras. Without lines the verdict holds for all of them.

    Args:
        ts: The set.
        partner: Profile whose tables of units and product ids are undone. Without one, units are as they were sent.

    Raises:
        InvalidDocument: Another set, or content that cannot be read; with every fault.
    """
    reading = Reading(ts, partner, "855")
    return _acknowledgment(reading, reading.begin("BAK"), (8, 9), "PO1", PO1)


def from_865(ts: TransactionSet, *, partner: Partner | None = None) -> OrderAcknowledgment:
    """The answer to a change, or a change the supplier asks for: as :func:`from_855`, from BCA and POC.

    ``number`` is BCA09, ``date`` BCA10; POC02 and POC03 stay in the extras of the line, BCA05 in those of the answer.

    Raises:
        InvalidDocument: Another set, or content that cannot be read; with every fault.
    """
    reading = Reading(ts, partner, "865")
    return _acknowledgment(reading, reading.begin("BCA"), (9, 10), "POC", POC)


def _acknowledgment(
    reading: Reading, head: Segment, own: tuple[int, int], tag: str, columns: Columns
) -> OrderAcknowledgment:
    root = reading.root
    reading.code(head, 1, "00")
    loops = list(root.under(tag))
    lines = [line for loop in loops for line in _lines(reading, loop, columns)]
    reading.count(len(loops), [decimal_of("R", reading.peek(loop.head, columns.quantity)) for loop in loops])
    acknowledgment = OrderAcknowledgment(
        number=reading.text(head, own[0]) or reading.text(reading.chosen(root, "REF", "VN"), 2),
        order_number=reading.text(head, 3),
        date=reading.day(head, own[1]),
        verdict=reading.text(head, 2).upper(),
        currency=reading.currency(),
        lines=lines,
        extras=reading.rest(root),
    )
    reading.refuse_if_faulty()
    return acknowledgment


def _lines(reading: Reading, loop: Loop, columns: Columns) -> list[AcknowledgedLine]:
    """An entry for each ACK of the line, else one without status; what else the line says goes with the first."""
    head = loop.head
    reading.code(head, columns.basis, "PE", "UM")
    answers = list(loop.under("ACK"))
    entries = [_entry(reading, answer, head, columns) for answer in answers]
    if entries and head.id == "PO1" and _tell_all(reading, [answer.head for answer in answers], head, columns):
        reading.take(head, columns.quantity, columns.unit)
    if not entries:
        quantity = reading.real(head, columns.quantity)
        unit = "" if quantity is None else reading.unit(head, columns.unit)
        entries = [AcknowledgedLine(line="", quantity=quantity, unit=unit)]
    # What the line says of date and ids holds for the entries that say nothing of them.
    date = reading.dated(loop, *_PROMISED) if any(one.date is None for one in entries) else None
    ids = product_ids(reading, head, columns.products) if any(not one.item_ids for one in entries) else {}
    number, price = reading.text(head, 1), reading.real(head, columns.price)
    extras = Extras(entries[0].extras)
    for name, value in reading.rest(loop).items():
        extras.put(name, value)
    return [
        attrs.evolve(
            one,
            line=number,
            price=price,
            date=one.date or date,
            item_ids=one.item_ids or ids,
            extras=one.extras if at else extras,
        )
        for at, one in enumerate(entries)
    ]


def _tell_all(reading: Reading, answers: Sequence[Segment], line: Segment, columns: Columns) -> bool:
    """The quantity of the line is the sum of its parts, in one unit: it says nothing that they do not."""
    quantities = [decimal_of("R", reading.peek(one, 2)) for one in answers]
    total, unit = decimal_of("R", reading.peek(line, columns.quantity)), reading.peek(line, columns.unit)
    told = [quantity for quantity in quantities if quantity is not None]
    same = all(reading.peek(one, 3) == unit for one in answers)
    return len(told) == len(quantities) and same and total == sum(told, Decimal(0))


def _entry(reading: Reading, answer: Loop, line: Segment, columns: Columns) -> AcknowledgedLine:
    head = answer.head
    quantity, unit = reading.real(head, 2), ""
    if quantity is not None:
        unit = reading.unit(head, 3) if reading.peek(head, 3) else reading.unit(line, columns.unit)
    reading.code(head, 4, reading.habits.profile.promised_date)
    return AcknowledgedLine(
        line="",
        status=reading.need(head, 1).upper(),
        quantity=quantity,
        unit=unit,
        date=reading.day(head, 5) or reading.dated(answer, *_PROMISED),
        item_ids=product_ids(reading, head, 7),
        extras=reading.rest(answer),
    )
