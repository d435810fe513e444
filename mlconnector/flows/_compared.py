"""An answer held against its order, line by line: quantities, prices, dates, rejections (rule B17)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Any

from mlconnector import x12
from mlconnector.cleo import translated
from mlconnector.documents import AcknowledgedLine, Document, OrderAcknowledgment, OrderLine, PurchaseOrder
from mlconnector.errors import DocumentError, X12Error

__all__ = ["differences"]

_LINE_REJECTED = ("IR", "ID", "R1", "R2", "R3", "R4", "R5", "R6", "RJ")
_TOLD = {
    "IB": "backordered",
    "BP": "delivered in part, the rest backordered",
    "IS": "substituted",
    "IC": "changed otherwise",
    "IH": "on hold",
    "IF": "on hold, its description is incomplete",
    "IE": "price pending",
    "SP": "date pending",
}
"""ACK01 that no quantity, price or date need tell beside it (X12 reference, section 6)."""


def differences(told: OrderAcknowledgment, partner: x12.Partner, crosswalk: Any, sent: Document) -> list[str]:
    """Line by line, against the order as the partner was told it: quantities, prices, dates, rejections (rule B17)."""
    if not told.lines or not isinstance(sent, PurchaseOrder):
        return []
    try:
        ordered = x12.from_850(x12.to_850(translated(sent, crosswalk), partner), partner=partner)
    except (DocumentError, X12Error) as error:
        return [f"it cannot be compared: {error.message}"]
    lines = {line.number: line for line in ordered.lines if line.kind in ("item", "amount")}
    answers: dict[str, list[AcknowledgedLine]] = {}
    for answer in told.lines:
        answers.setdefault(answer.line, []).append(answer)
    found = [text for number, entries in answers.items() for text in _of_line(number, lines.get(number), entries)]
    return found + [f"line {number} is not answered" for number in lines if number not in answers]


def _of_line(number: str, line: OrderLine | None, entries: Iterable[AcknowledgedLine]) -> Iterator[str]:
    entries = list(entries)
    if line is None:
        yield f"line {number} is not in the order"
        return
    rejected = [one for one in entries if one.status in _LINE_REJECTED]
    if rejected:
        yield f"line {number}: rejected"
    taken = [one for one in entries if one not in rejected]
    quantities = [one.quantity for one in taken if one.quantity is not None]
    units = {one.unit for one in taken if one.unit}
    if not rejected and units - {line.unit}:
        yield f"line {number}: in {', '.join(sorted(units))}, ordered in {line.unit}"
    elif not rejected and quantities and sum(quantities) != line.quantity:
        yield f"line {number}: quantity {_plain(sum(quantities))}, ordered {_plain(line.quantity)}"
    for status in dict.fromkeys(one.status for one in entries if one.status in _TOLD):
        yield f"line {number}: {_TOLD[status]}"
    prices = {one.price for one in taken if one.price is not None} - {line.unit_price}
    if prices:
        yield f"line {number}: price {', '.join(map(_plain, sorted(prices)))}, ordered {_plain(line.unit_price)}"
    dates = {one.date for one in taken if one.date is not None}
    if line.requested_date is not None and dates - {line.requested_date}:
        yield f"line {number}: on {', '.join(map(str, sorted(dates)))}, requested {line.requested_date}"


def _plain(value: Decimal | int | None) -> str:
    return "nothing" if value is None else f"{value:f}"
