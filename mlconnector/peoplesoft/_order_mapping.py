"""Rows of ML_PO_HDR and ML_PO_LINE become a purchase order; pure (PeopleSoft reference, section 9; B10, B14, B16)."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

import attrs

from mlconnector.documents import Address, OrderLine, Party, Provenance, PurchaseOrder, Schedule
from mlconnector.peoplesoft._heads import Head, extras, key_of
from mlconnector.peoplesoft._values import Cells, Row, number_text

__all__ = ["to_order"]

_STATUS = {"X": "cancelled", "C": "closed"}
_LINE_STATUS = {"X": "cancelled", "D": "cancelled", "C": "closed"}
_LINE_WAITS = {"H": "on hold", "P": "pending approval"}
_NOT_OURS = "EDX"


def to_order(head: Head) -> tuple[PurchaseOrder, list[str]]:
    """The order, and every fault that keeps it from being one.

    An order line is a purchase order line; one whose schedules differ in price or ship-to is told as several, numbered
    ``line.schedule``. What becomes of a schedule, closed or cancelled, changes no number: a partner would take the line
    for another one (B11). Quantities and prices are those of the schedules, never of the distributions (B14).
    """
    faults: list[str] = []
    cells = Cells(head.row, faults)
    lines = [line for _, rows in _grouped(head.lines, "A.LINE_NBR", faults) for line in _lines(rows, faults)]
    places = {line.ship_to for line in lines if line.ship_to is not None}
    common = places.pop() if len(places) == 1 else None
    if common is not None:
        lines = [attrs.evolve(line, ship_to=None) for line in lines]
    code = cells.text("A.PO_STATUS")
    supplier, bill_to = cells.text("A.VENDOR_ID"), cells.text("A.BILL_LOCATION")
    hold = cells.text("A.HOLD_STATUS")
    amounts = [line.amount for line in lines if line.status == "open" and line.amount is not None]
    order = PurchaseOrder(
        number=cells.text("A.PO_ID"),
        type=cells.text("A.PO_TYPE"),
        company=cells.text("A.BUSINESS_UNIT"),
        revision=number_text(cells.number("A.CHNG_ORD_BATCH")),
        date=cells.date("A.PO_DT"),
        supplier=Party(number=supplier) if supplier else None,
        ship_to=common,
        bill_to=Party(number=bill_to) if bill_to else None,
        buyer=cells.text("A.BUYER_ID"),
        currency=cells.text("A.CURRENCY_CD") or None,
        terms=cells.text("A.PYMNT_TERMS_CD"),
        lines=lines,
        total=sum(amounts, Decimal(0)),
        status=_STATUS.get(code, "open"),
        hold="" if hold == "N" else hold,
        waiting_for=_waiting(cells, code, hold, head.lines),
        extras=extras(head.row, "purchase_orders", ("A.VENDOR_SETID", "A.DISP_METHOD")),
        provenance=Provenance(
            system="peoplesoft",
            kind="purchase_orders",
            key=key_of(cells.text("A.BUSINESS_UNIT"), cells.text("A.PO_ID")),
            updated_at=head.updated_at,
        ),
    )
    return order, faults


def _grouped(rows: Iterable[Row], field: str, faults: list[str]) -> list[tuple[Decimal, list[Row]]]:
    """Rows by the number in a field, ascending."""

    def number(row: Row) -> Decimal:
        return Cells(row, faults).number(field) or Decimal(0)

    return [(key, list(own)) for key, own in itertools.groupby(sorted(rows, key=number), key=number)]


def _waiting(cells: Cells, code: str, hold: str, rows: Sequence[Row]) -> tuple[str, ...]:
    """What the gate still asks for (rule B10); wholly closed and cancelled orders are judged by the flow."""
    reasons = []
    if cells.text("A.DISP_METHOD") == _NOT_OURS:
        reasons.append("DISP_METHOD EDX: PeopleSoft itself dispatches it by EDI")
    if code in _STATUS:
        return tuple(reasons)
    if code != "D":
        reasons.append(f"PO_STATUS {code or 'blank'} is not D (dispatched)")
    if hold != "N":
        reasons.append(f"HOLD_STATUS {hold or 'blank'} is not N")
    states = {(Cells(row, []).number("A.LINE_NBR"), Cells(row, []).text("A.CANCEL_STATUS")) for row in rows}
    for number, state in sorted(states, key=str):
        if state in _LINE_WAITS:
            reasons.append(f"line {number_text(number)} is {_LINE_WAITS[state]} (CANCEL_STATUS {state})")
    if not rows:
        reasons.append("no line to deliver")
    return tuple(reasons)


@attrs.frozen
class _Piece:
    """One schedule of a line."""

    number: Decimal
    rows: Sequence[Row]
    cells: Cells
    state: str

    @property
    def told_apart(self) -> tuple[Any, ...]:
        """Schedules that differ in this are lines of their own to a supplier."""
        return (self.cells.number("B.PRICE_PO"), _ship_to(self.cells))


def _lines(rows: Sequence[Row], faults: list[str]) -> list[OrderLine]:
    head = Cells(rows[0], faults)
    of_line = _LINE_STATUS.get(head.text("A.CANCEL_STATUS"), "open")
    pieces = []
    for number, own in _grouped(rows, "B.SCHED_NBR", faults):
        cells = Cells(own[0], faults)
        state = of_line if of_line != "open" else _LINE_STATUS.get(cells.text("B.CANCEL_STATUS"), "open")
        pieces.append(_Piece(number, own, cells, state))
    name = number_text(head.number("A.LINE_NBR"))
    if len({piece.told_apart for piece in pieces}) == 1:
        return [_line(name, head, [piece for piece in pieces if piece.state != "cancelled"] or pieces)]
    return [_line(f"{name}.{number_text(piece.number)}", head, [piece]) for piece in pieces]


def _line(number: str, head: Cells, pieces: Sequence[_Piece]) -> OrderLine:
    first = pieces[0].cells
    quantity, amount = (_sum(pieces, field) for field in ("B.QTY_PO", "B.MERCHANDISE_AMT"))
    unit = head.text("A.UNIT_OF_MEASURE")
    by_amount = head.text("A.AMT_ONLY_FLG") == "Y" or not quantity
    due = [Schedule(date=piece.cells.date("B.DUE_DT"), quantity=piece.cells.number("B.QTY_PO")) for piece in pieces]
    ids = {
        "buyer": head.text("A.INV_ITEM_ID"),
        "vendor": head.text("A.ITM_ID_VNDR"),
        "manufacturer": head.text("A.MFG_ITM_ID"),
    }
    distributions = [row for piece in pieces for row in piece.rows]
    return OrderLine(
        number=number,
        kind="amount" if by_amount else "item",
        description=head.text("A.DESCR254_MIXED"),
        item_ids={name: value for name, value in ids.items() if value},
        quantity=quantity,
        unit=unit,
        unit_price=first.number("B.PRICE_PO"),
        price_unit=unit,
        amount=amount,
        requested_date=min((one.date for one in due if one.date is not None), default=None),
        promised_date=first.date("B.ORIG_PROM_DT"),
        schedules=due if len(due) > 1 else (),
        ship_to=_ship_to(first),
        account=_common(distributions, "C.ACCOUNT"),
        cost_center=_common(distributions, "C.DEPTID"),
        status="open" if any(piece.state == "open" for piece in pieces) else pieces[0].state,
        extras={
            "LINE_NBR": number_text(head.number("A.LINE_NBR")),
            "SCHED_NBR": ",".join(number_text(piece.number) for piece in pieces if piece.state == "open"),
        },
    )


def _sum(pieces: Sequence[_Piece], field: str) -> Decimal | None:
    found = [value for piece in pieces if (value := piece.cells.number(field)) is not None]
    return sum(found, Decimal(0)) if found else None


def _common(rows: Sequence[Row], field: str) -> str:
    """The value all distributions share; none where they differ, because a part of them would be wrong."""
    values = {Cells(row, []).text(field) for row in rows}
    return values.pop() if len(values) == 1 else ""


def _ship_to(cells: Cells) -> Party | None:
    number = cells.text("B.SHIPTO_ID")
    return Party(number=number, name=cells.text("L.SHIPTO_NAME"), address=_address(cells)) if number else None


_ADDRESS: Mapping[str, str] = {
    "city": "L.SHIPTO_CITY",
    "state": "L.SHIPTO_STATE",
    "postal_code": "L.SHIPTO_POSTAL",
    "country": "L.SHIPTO_COUNTRY",
}


def _address(cells: Cells) -> Address | None:
    lines = [text for index in (1, 2) if (text := cells.text(f"L.SHIPTO_ADDRESS{index}"))]
    rest = {name: cells.text(field) for name, field in _ADDRESS.items()}
    return Address(lines=lines, **rest) if lines or any(rest.values()) else None
