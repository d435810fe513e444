"""Rows of F4301, F4311 and F4006 become purchase orders; pure (AIS reference, section 7; rules B10, B14, B15)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import attrs

from mlconnector.documents import OrderLine, Party, Provenance, PurchaseOrder
from mlconnector.jdedwards._approval import Approval
from mlconnector.jdedwards._keys import order_key
from mlconnector.jdedwards._source import address_of
from mlconnector.jdedwards._values import Cells, Zone, number_text
from mlconnector.records import Rejected

__all__ = ["LINE_TYPES", "ORDER_KEY", "OrderPage", "to_orders"]

LINE_TYPES: Mapping[str, str] = {"S": "item", "N": "item", "J": "amount", "T": "text", "F": "charge"}
"""Usual line type constants; sites define their own, so this is a default."""
ORDER_KEY = ("DOCO", "DCTO", "KCOO", "SFXO")
"""Columns of an order's key, in F4301 and F4311."""
_BLANKET = ("OB",)
_SALES = ("SO", "SD", "SI", "ST")
_CLOSED = "999"
Row = Mapping[str, Any]


@attrs.frozen(kw_only=True)
class OrderPage:
    """Everything that was read for a page of orders.

    Args:
        headers: Rows of F4301. ``lines``: rows of F4311 by order.
        ship_to_rows: Row of F4006 by order number, type and company.
        parties: By address number; ``sites`` likewise, under their mailing names.
        currencies: Base currency by company, for orders without a currency of their own.
        stamps: Stamps by which changes were found, by order.
    """

    headers: Sequence[Row]
    lines: Mapping[str, Sequence[Row]]
    ship_to_rows: Mapping[tuple[Any, ...], Row]
    parties: Mapping[str, Party]
    sites: Mapping[str, Party]
    currencies: Mapping[str, str | None]
    stamps: Mapping[str, dt.datetime]
    zone: Zone
    approval: Approval
    line_types: Mapping[str, str]


def to_orders(page: OrderPage) -> tuple[list[PurchaseOrder], list[Rejected]]:
    """The orders, and the headers that cannot become one with every fault."""
    documents, rejected = [], []
    for header in page.headers:
        faults: list[str] = []
        order = _order(page, header, faults)
        if faults:
            at = None if order.provenance is None else order.provenance.updated_at
            rejected.append(Rejected(key=order.key, row=header, faults=tuple(faults), updated_at=at))
        else:
            documents.append(order)
    return documents, rejected


def _order(page: OrderPage, header: Row, faults: list[str]) -> PurchaseOrder:
    head = Cells("F4301", header, faults)
    identity = tuple([header[f"F4301_{alias}"] for alias in ORDER_KEY])
    key, ship_to_row = order_key(*identity), page.ship_to_rows.get(identity[:3])
    company, foreign, hold = head.text("KCOO"), head.text("CRRM") == "F", head.text("HOLD")
    rows = page.lines.get(key, ())
    pairs = [_line(Cells("F4311", row, faults), page, faults, foreign=foreign) for row in rows]
    statuses = {line.status for line, _next_status in pairs if line.kind != "text"}
    status = "open" if not statuses or "open" in statuses else "closed" if "closed" in statuses else "cancelled"
    supplier, branch, remark = head.text("AN8"), head.text("MCU"), head.text("RMK")
    read = [("F4301", header), *(("F4311", row) for row in rows)]
    read += [] if ship_to_row is None else [("F4006", ship_to_row)]
    return PurchaseOrder(
        number=head.text("DOCO"),
        type=head.text("DCTO"),
        company=company,
        revision=head.text("CORD"),
        date=head.date("TRDJ"),
        supplier=page.parties.get(supplier),
        ship_to=_ship_to(ship_to_row, head.text("SHAN"), page.sites),
        bill_to=None,
        buyer=head.text("ANBY"),
        currency=head.text("CRCD") or (None if foreign else page.currencies.get(company)),
        terms=head.text("PTC"),
        freight=head.text("FRTH"),
        notes=(remark,) if remark else (),
        original_order=head.text("OORN").lstrip("0") if head.text("OCTO") in _BLANKET else "",
        lines=tuple([line for line, _next_status in pairs]),
        total=head.number("FAP") if foreign else head.number("OTOT"),
        status=status,
        hold=hold,
        drop_ship=head.text("RCTO") in _SALES and bool(head.text("RORN")),
        waiting_for=_waiting(pairs, hold, page.approval, status),
        extras={"branch": branch} if branch else {},
        provenance=Provenance(
            system="jdedwards",
            kind="purchase_orders",
            key=key,
            updated_at=max(filter(None, [page.stamps.get(key), page.zone.newest(read)]), default=None),
        ),
    )


def _line(cells: Cells, page: OrderPage, faults: list[str], *, foreign: bool) -> tuple[OrderLine, str]:
    """A line, and its next status."""
    text, number = cells.text, cells.number
    code, quantity, next_status, unit = text("LNTY"), number("UORG"), text("NXTR"), text("UOM")
    position = number_text(number("LNID") or Decimal(0))
    kind = page.line_types.get(code)
    if kind is None:
        faults.append(f"line {position} has the line type {code!r}; say in line_types= what it is")
        kind = "text"
    elif kind == "item" and not quantity:
        kind = "amount"
    ids = {"buyer": text("LITM"), "short": text("ITM"), "alternate": text("AITM")}
    status = "open"
    if next_status == _CLOSED:
        status = "cancelled" if text("LTTR") in page.approval.not_last else "closed"
    line = OrderLine(
        number=position,
        kind=kind,
        description=" ".join(filter(None, [text("DSC1"), text("DSC2")])),
        item_ids={name: value for name, value in ids.items() if value and value != "0"},
        quantity=quantity,
        unit=unit,
        unit_price=number("FRRC" if foreign else "PRRC"),
        price_unit=text("UOM3") or unit,
        amount=number("FEA" if foreign else "AEXP"),
        received_quantity=number("UREC"),
        open_quantity=number("UOPN"),
        requested_date=cells.date("DRQJ"),
        promised_date=cells.date("PDDJ"),
        account=text("ANI"),
        cost_center=text("OMCU"),
        tax=text("TXA1") if text("TX") == "Y" else "",
        status=status,
    )
    return line, next_status


def _waiting(pairs: Sequence[tuple[OrderLine, str]], hold: str, approval: Approval, status: str) -> tuple[str, ...]:
    """What the gate still asks for; judged for the whole order, text lines left out (rule B10)."""
    reasons = [f"hold {hold}"] if hold != approval.hold else []
    judged = [(line, following) for line, following in pairs if line.kind != "text" and line.status == "open"]
    for line, following in judged:
        if not approval.fit(following):
            first, last = approval.next_status
            reasons.append(f"line {line.number} has next status {following or 'blank'}, not {first} to {last}")
    if not judged and status == "open":
        reasons.append("no line to deliver")
    return tuple(reasons)


def _ship_to(row: Row | None, number: str, sites: Mapping[str, Party]) -> Party | None:
    """The override of F4006 as a whole, else the address book (rule B15)."""
    if row is None:
        return sites.get(number)
    cells = Cells("F4006", row, [])
    return Party(number=number, name=cells.text("MLNM"), address=address_of(cells))
