"""Rows of F4301, F4311 and F4006 become a purchase order; pure (AIS reference, section 7; rules B10, B14, B15)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import attrs

from mlconnector.documents import Address, OrderLine, Party, Provenance, PurchaseOrder
from mlconnector.jdedwards._approval import Approval
from mlconnector.jdedwards._values import Cells, number_text

__all__ = ["LINE_TYPES", "OrderRows", "order_key", "to_order"]

LINE_TYPES: Mapping[str, str] = {"S": "item", "N": "item", "J": "amount", "T": "text", "F": "charge"}
"""Usual line type constants; sites define their own, so this is a default."""
_BLANKET = ("OB",)
_SALES = ("SO", "SD", "SI", "ST")
_CLOSED = "999"


@attrs.frozen
class OrderRows:
    """Everything that was read for one order."""

    header: Mapping[str, Any]
    lines: Sequence[Mapping[str, Any]]
    ship_to_row: Mapping[str, Any] | None
    parties: Mapping[str, Party]
    base_currency: str | None
    stamp: Any


def order_key(company: Any, kind: Any, number: Any, suffix: Any) -> str:
    """``company/type/number``, with the suffix where it is not ``000``."""
    parts = [str(company).strip(), str(kind).strip(), str(number).strip()]
    tail = str(suffix or "").strip()
    return "/".join([*parts, tail] if tail not in ("", "000") else parts)


def to_order(rows: OrderRows, approval: Approval, line_types: Mapping[str, str]) -> tuple[PurchaseOrder, list[str]]:
    """The order, and every fault that keeps it from being one."""
    faults: list[str] = []
    head = Cells("F4301", rows.header, faults)
    number, kind, company = head.text("DOCO"), head.text("DCTO"), head.text("KCOO")
    foreign = head.text("CRRM") == "F"
    lines = [_line(Cells("F4311", row, faults), line_types, approval, foreign=foreign) for row in rows.lines]
    hold = head.text("HOLD")
    live = [line for line in lines if line.kind != "text"]
    statuses = {line.status for line in live}
    status = "open" if not live or "open" in statuses else "closed" if "closed" in statuses else "cancelled"
    waiting = _waiting(rows.lines, lines, hold, approval, status)
    blanket = head.text("OORN") if head.text("OCTO") in _BLANKET else ""
    supplier, ship_to = head.text("AN8"), head.text("SHAN")
    order = PurchaseOrder(
        number=number,
        type=kind,
        company=company,
        revision=head.text("CORD"),
        date=head.date("TRDJ"),
        supplier=rows.parties.get(supplier, Party(number=supplier)) if supplier else None,
        ship_to=_ship_to(rows, ship_to),
        bill_to=None,
        buyer=head.text("ANBY"),
        currency=head.text("CRCD") or (None if foreign else rows.base_currency),
        terms=head.text("PTC"),
        freight=head.text("FRTH"),
        notes=tuple(note for note in (head.text("RMK"),) if note),
        original_order=blanket.lstrip("0"),
        lines=tuple(lines),
        total=head.number("FAP") if foreign else head.number("OTOT"),
        status=status,
        hold=hold,
        drop_ship=head.text("RCTO") in _SALES and bool(head.text("RORN")),
        waiting_for=waiting,
        extras={"branch": head.text("MCU")} if head.text("MCU") else {},
        provenance=Provenance(
            system="jdedwards",
            kind="purchase_orders",
            key=order_key(company, kind, number, head.text("SFXO")),
            updated_at=rows.stamp,
        ),
    )
    return order, faults


def _line(cells: Cells, line_types: Mapping[str, str], approval: Approval, *, foreign: bool) -> OrderLine:
    code, quantity = cells.text("LNTY"), cells.number("UORG")
    amount = cells.number("FEA" if foreign else "AEXP")
    kind = line_types.get(code) or ("item" if quantity else "amount")
    if kind == "item" and not quantity:
        kind = "amount"
    ids = {"buyer": cells.text("LITM"), "short": cells.text("ITM"), "alternate": cells.text("AITM")}
    cancelled = cells.text("NXTR") == _CLOSED and cells.text("LTTR") in approval.not_last
    closed = cells.text("NXTR") == _CLOSED
    return OrderLine(
        number=number_text(cells.number("LNID") or Decimal(0)),
        kind=kind,
        description=" ".join(part for part in (cells.text("DSC1"), cells.text("DSC2")) if part),
        item_ids={name: value for name, value in ids.items() if value and value != "0"},
        quantity=quantity,
        unit=cells.text("UOM"),
        unit_price=cells.number("FRRC" if foreign else "PRRC"),
        price_unit=cells.text("UOM3") or cells.text("UOM"),
        amount=amount,
        received_quantity=cells.number("UREC"),
        open_quantity=cells.number("UOPN"),
        requested_date=cells.date("DRQJ"),
        promised_date=cells.date("PDDJ"),
        account=cells.text("ANI"),
        cost_center=cells.text("OMCU"),
        tax=cells.text("TXA1") if cells.text("TX") == "Y" else "",
        status="cancelled" if cancelled else "closed" if closed else "open",
    )


def _waiting(
    rows: Sequence[Mapping[str, Any]], lines: Sequence[OrderLine], hold: str, approval: Approval, status: str
) -> tuple[str, ...]:
    """What the gate still asks for; judged for the whole order, text lines left out (rule B10)."""
    reasons = [f"hold {hold}"] if hold != approval.hold else []
    judged = 0
    for row, line in zip(rows, lines, strict=True):
        if line.kind == "text" or line.status != "open":
            continue
        judged += 1
        next_status = Cells("F4311", row, []).text("NXTR")
        if not approval.fit(next_status):
            first, last = approval.next_status
            reasons.append(f"line {line.number} has next status {next_status or 'blank'}, not {first} to {last}")
    if not judged and status == "open":
        reasons.append("no line to deliver")
    return tuple(reasons)


def _ship_to(rows: OrderRows, number: str) -> Party | None:
    """The override of F4006 as a whole, else the address book (rule B15)."""
    known = rows.parties.get(number, Party(number=number)) if number else None
    if rows.ship_to_row is None:
        return known
    cells = Cells("F4006", rows.ship_to_row, [])
    return Party(number=number, name=cells.text("MLNM"), address=address_of(cells))


def address_of(cells: Cells) -> Address:
    """The address columns that F4006 and F0116 share."""
    return Address(
        lines=tuple(line for line in (cells.text(f"ADD{index}") for index in range(1, 5)) if line),
        city=cells.text("CTY1"),
        state=cells.text("ADDS"),
        postal_code=cells.text("ADDZ"),
        country=cells.text("CTR"),
    )
