"""Answers to orders as 855, for whoever sells (X12 reference, section 7)."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from mlconnector.documents import AcknowledgedLine, OrderAcknowledgment, OrderLine, PurchaseOrder
from mlconnector.x12._draft import Draft
from mlconnector.x12._format import date
from mlconnector.x12._lines import id_pairs, line_ids, own_number, told
from mlconnector.x12._order_parts import fixed_references, references
from mlconnector.x12._partner import Partner
from mlconnector.x12._sets import TransactionSet

__all__ = ["to_855"]

SUBSTITUTED = "IS"
_OTHER_QUANTITY = ("IC", "IQ")
"""Statuses under which ACK02 is no part of the quantity that was ordered."""
_WITH_DETAIL = ("AC", "AD", "AE", "RD", "RF", "RO")


def to_855(
    acknowledgment: OrderAcknowledgment, partner: Partner, *, order: PurchaseOrder | None = None, purpose: str = "00"
) -> TransactionSet:
    """An 855 for an answer to an order.

    Written: BAK CUR REF, then for each line PO1 DTM and an ACK for each thing said of it, and CTT. Several entries for
    one line split its quantity: 60 accepted, 40 backordered. What comes instead (ACK01 ``IS``) is named by its own ids.
    Without the order, PO102 is what the entries of the line sum to, and is left empty where they do not tell it.

    Args:
        acknowledgment: The answer.
        partner: The buyer it is for.
        order: The order as received: gives BAK04 its date, and PO1 the quantity, unit, price and product ids.
        purpose: BAK01: 00 original, 06 confirmation.

    Raises:
        InvalidDocument: With every fault; ``cause`` names the first: ``verdict``, ``lines``, ``unit`` ...
    """
    draft = Draft(partner, f"Acknowledgment of order {acknowledgment.order_number}")
    _beginning(draft, acknowledgment, order, purpose)
    currency = acknowledgment.currency or (order.currency if order is not None else None)
    if currency:
        references(draft, currency)
    else:
        fixed_references(draft)
    if not acknowledgment.lines and acknowledgment.verdict in _WITH_DETAIL:
        draft.fault("lines", f"verdict {acknowledgment.verdict!r} announces lines, and there are none")
    ordered = {line.number: line for line in order.lines if line.kind != "text"} if order is not None else {}
    said: dict[str, list[AcknowledgedLine]] = {}
    for line in acknowledgment.lines:
        said.setdefault(line.line, []).append(line)
    for number, entries in said.items():
        unit = _line(draft, number, entries, ordered.get(number))
        for entry in entries:
            if entry.status:
                _status(draft, entry, unit)
    return draft.complete("855", acknowledgment, "PO1", 2, count=bool(said))


def _beginning(draft: Draft, acknowledgment: OrderAcknowledgment, order: PurchaseOrder | None, purpose: str) -> None:
    verdict = acknowledgment.verdict
    if len(verdict) != 2 or not verdict.isalnum():
        draft.fault("verdict", f"verdict {verdict!r} is no BAK02")
    ordered_on = order.date if order is not None else None
    if ordered_on is None and acknowledgment.date is not None:
        ordered_on = acknowledgment.date
        draft.note("BAK04", "date", date(ordered_on), "The answer's date: that of the order is not known.")
    if ordered_on is None:
        draft.fault("date", "neither the order nor the answer has a date")
    own = acknowledgment.number
    draft.add(
        "BAK",
        purpose,
        verdict,
        draft.identifier(acknowledgment.order_number, "order number", 22),
        date(ordered_on) if ordered_on is not None else "",
        "",
        "",
        "",
        draft.reference(own, "seller's order number") if own else "",
        date(acknowledgment.date) if acknowledgment.date is not None else "",
    )


def _line(draft: Draft, number: str, entries: Sequence[AcknowledgedLine], ordered: OrderLine | None) -> str:
    """PO1: the line as ordered, with the price as answered, and what is said of it without a status (in DTM the date).

    Returns the unit it is ordered in.
    """
    place = f"line {number}"
    price = next((entry.price for entry in entries if entry.price is not None), None)
    own = next((entry.item_ids for entry in entries if entry.status != SUBSTITUTED), {})
    quantity, unit, basis, ids = "", "", "", id_pairs(draft, own, place)
    if ordered is not None:
        found = told(draft, ordered, ordered.quantity)
        quantity, unit, basis = draft.real(found.quantity, f"{place} PO102", 15), found.unit, found.basis
        price = found.price if price is None else price
        ids = line_ids(draft, ordered, number)
    else:
        quantity, unit = _split(draft, entries, place)
        ids = ids or own_number(draft, number)
    plain = next((entry for entry in entries if not entry.status), None)
    if plain is not None and plain.quantity is not None:
        quantity, unit = draft.real(plain.quantity, f"{place} PO102", 15), _unit(draft, plain, unit)
    draft.add(
        "PO1",
        draft.identifier(number, f"number of line {number!r}", 20),
        quantity,
        unit,
        draft.real(price, f"{place} PO104", 17),
        basis if price is not None else "",
        *ids,
    )
    if plain is not None and plain.date is not None:
        draft.add("DTM", draft.partner.promised_date, date(plain.date))
    return unit


def _split(draft: Draft, entries: Sequence[AcknowledgedLine], place: str) -> tuple[str, str]:
    """PO102 and PO103 of a line whose entries tell the whole of its quantity, in one unit; else they are empty."""
    quantities = [entry.quantity for entry in entries if entry.quantity is not None]
    units = {entry.unit for entry in entries}
    whole = len(quantities) == len(entries) and len(units) == 1 and all(units)
    if not whole or any(entry.status in _OTHER_QUANTITY or not entry.status for entry in entries):
        return "", ""
    return draft.real(sum(quantities, Decimal(0)), f"{place} PO102", 15), draft.unit(entries[0].unit, place)


def _unit(draft: Draft, entry: AcknowledgedLine, ordered_in: str) -> str:
    return ordered_in if not entry.unit and ordered_in else draft.unit(entry.unit, f"line {entry.line}")


def _status(draft: Draft, entry: AcknowledgedLine, ordered_in: str) -> None:
    place = f"line {entry.line}"
    if len(entry.status) != 2 or not entry.status.isalnum():
        draft.fault("status", f"{place}: status {entry.status!r} is no ACK01")
    unit = _unit(draft, entry, ordered_in) if entry.quantity is not None else ""
    day = (draft.partner.promised_date, date(entry.date)) if entry.date is not None else ()
    others = id_pairs(draft, entry.item_ids, place) if entry.status == SUBSTITUTED else ()
    said = (draft.real(entry.quantity, f"{place} ACK02", 15), unit, *(day or ("", "")), "", *others)
    draft.add("ACK", entry.status, *said)
