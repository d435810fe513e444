"""Rows of F4301, F4311 and F4006 become purchase orders; pure (AIS reference, section 7; rules B10, B14, B15)."""

from __future__ import annotations

import datetime as dt
import functools
import itertools
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

import attrs

from mlconnector.documents import OrderLine, Party, Provenance, PurchaseOrder, ReadOnly, unchecked
from mlconnector.jdedwards._approval import Approval
from mlconnector.jdedwards._browse import Grid, grouped, identity
from mlconnector.jdedwards._keys import order_key
from mlconnector.jdedwards._source import address_of
from mlconnector.jdedwards._tables import TABLES
from mlconnector.jdedwards._values import Cells, Columns, Values, Zone, number_text
from mlconnector.records import Rejected

__all__ = ["LINE_TYPES", "ORDER_KEY", "OrderPage", "to_orders"]

LINE_TYPES: Mapping[str, str] = {"S": "item", "N": "item", "J": "amount", "T": "text", "F": "charge"}
"""Usual line type constants; sites define their own, so this is a default."""
ORDER_KEY = ("DOCO", "DCTO", "KCOO", "SFXO")
"""Columns of an order's key, in F4301 and F4311."""
_BLANKET = ("OB",)
_SALES = ("SO", "SD", "SI", "ST")
_CLOSED = "999"
_HEAD = Columns(
    "F4301",
    texts=("DCTO", "KCOO", "CRRM", "HOLD", "MCU", "RMK", "CRCD", "PTC", "FRTH", "OORN", "OCTO", "RORN", "RCTO"),
    codes=("DOCO", "AN8", "CORD", "SHAN", "ANBY"),
    numbers=("OTOT", "FAP"),
    dates=("TRDJ",),
)
_LINE = Columns(
    "F4311",
    texts=("LNTY", "NXTR", "LTTR", "UOM", "UOM3", "LITM", "AITM", "DSC1", "DSC2", "ANI", "OMCU", "TX", "TXA1"),
    codes=("ITM",),
    numbers=("LNID", "UORG", "UREC", "UOPN", "PRRC", "AEXP", "FRRC", "FEA"),
    dates=("DRQJ", "PDDJ"),
)
_NEXT, _STAMP, _FAULTS = 1, -2, -1
_NOUGHT = Decimal(0)
_purchase_order, _order_line = unchecked(PurchaseOrder), unchecked(OrderLine)
Row = Mapping[str, Any]


@attrs.frozen(kw_only=True)
class OrderPage:
    """Everything that was read for a page of orders.

    Args:
        headers: Rows of F4301. ``lines``: pages of F4311.
        ship_to_rows: Row of F4006 by order number, type and company.
        parties: By address number; ``sites`` likewise, under their mailing names.
        currencies: Base currency by company, for orders without a currency of their own.
        stamps: Stamps by which changes were found, by order.
    """

    headers: Sequence[Row]
    lines: Sequence[Grid]
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
    lines = _by_order(page.lines, page.zone)
    for header, head in zip(page.headers, _HEAD.read(page.headers, page.zone), strict=True):
        identified = identity("F4301", ORDER_KEY, header)
        key, ship_to_row = order_key(*identified), page.ship_to_rows.get(identified[:3])
        own = lines.pop(key, ())
        faults = [fault for values in (head, *own) for fault in values[_FAULTS]]
        order = _order(page, key, head, own, ship_to_row, faults)
        if faults:
            at = None if order.provenance is None else order.provenance.updated_at
            rejected.append(Rejected(key=key, row=header, faults=tuple(faults), updated_at=at))
        else:
            documents.append(order)
    return documents, rejected


def _by_order(pages: Iterable[Grid], zone: Zone) -> dict[str, Sequence[Values]]:
    found: dict[str, list[Row]] = defaultdict(list)
    for identified, rows in grouped("F4311", ORDER_KEY, [row for page in pages for row in page.rows]).items():
        found[order_key(*identified)] += rows
    read = iter(_LINE.read([row for rows in found.values() for row in rows], zone))
    return {key: [*itertools.islice(read, len(rows))] for key, rows in found.items()}


def _order(  # noqa: PLR0917 - private; one call site
    page: OrderPage, key: str, head: Values, lines: Sequence[Values], ship_to_row: Row | None, faults: list[str]
) -> PurchaseOrder:
    (kind, company, mode, hold, branch, remark, currency, terms, freight, original, original_kind, related,
     related_kind, number, supplier, revision, ship_to, buyer, total, foreign_total, date, stamp,
     _faults) = head  # fmt: skip
    foreign = mode == "F"
    made = [_line(values, page, faults, foreign=foreign) for values in lines]
    stamps = [page.stamps.get(key), stamp, *[values[_STAMP] for values in lines]]
    stamps += [] if ship_to_row is None else [page.zone.stamp("F4006", TABLES["F4006"].time, ship_to_row)]
    statuses = {line.status for line in made if line.kind != "text"}
    status = "open" if not statuses or "open" in statuses else "closed" if "closed" in statuses else "cancelled"
    return _purchase_order(
        number=number,
        type=kind,
        company=company,
        revision=revision,
        date=date,
        supplier=page.parties.get(supplier),
        ship_to=_ship_to(ship_to_row, ship_to, page.sites),
        bill_to=None,
        buyer=buyer,
        currency=currency or (None if foreign else page.currencies.get(company)),
        terms=terms,
        freight=freight,
        notes=(remark,) if remark else (),
        original_order=original.lstrip("0") if original_kind in _BLANKET else "",
        lines=tuple(made),
        total=foreign_total if foreign else total,
        status=status,
        hold=hold,
        drop_ship=related_kind in _SALES and bool(related),
        waiting_for=_waiting(made, [values[_NEXT] for values in lines], hold, page.approval, status),
        extras=_extras(branch),
        provenance=Provenance(
            system="jdedwards",
            kind="purchase_orders",
            key=key,
            updated_at=max(filter(None, stamps), default=None),
        ),
    )


_position = functools.lru_cache(maxsize=1024)(number_text)
"""Line numbers recur in every order."""


@functools.lru_cache(maxsize=4096)
def _item_ids(own: str, short: str, alternate: str) -> ReadOnly:
    """Items recur in orders."""
    named = {"buyer": own, "short": short, "alternate": alternate}
    return ReadOnly({name: value for name, value in named.items() if value and value != "0"})


@functools.lru_cache(maxsize=1024)
def _extras(branch: str) -> ReadOnly:
    """Branches recur too."""
    return ReadOnly({"branch": branch} if branch else {})


def _line(values: Values, page: OrderPage, faults: list[str], *, foreign: bool) -> OrderLine:
    (code, next_status, last_status, unit, price_unit, own, alternate, first, second, account, cost_center, taxable,
     tax, short, number, quantity, received, unfilled, price, amount, foreign_price, foreign_amount, requested,
     promised, _stamp, _faults) = values  # fmt: skip
    position = _position(number or _NOUGHT)
    kind = page.line_types.get(code)
    if kind is None:
        faults.append(f"line {position} has the line type {code!r}; say in line_types= what it is")
        kind = "text"
    elif kind == "item" and not quantity:
        kind = "amount"
    status = "open"
    if next_status == _CLOSED:
        status = "cancelled" if last_status in page.approval.not_last else "closed"
    return _order_line(
        number=position,
        kind=kind,
        description=f"{first} {second}" if first and second else first or second,
        item_ids=_item_ids(own, short, alternate),
        quantity=quantity,
        unit=unit,
        unit_price=foreign_price if foreign else price,
        price_unit=price_unit or unit,
        amount=foreign_amount if foreign else amount,
        received_quantity=received,
        open_quantity=unfilled,
        requested_date=requested,
        promised_date=promised,
        account=account,
        cost_center=cost_center,
        tax=tax if taxable == "Y" else "",
        status=status,
    )


def _waiting(
    lines: Sequence[OrderLine], next_statuses: Sequence[str], hold: str, approval: Approval, status: str
) -> tuple[str, ...]:
    """What the gate still asks for; judged for the whole order, text lines left out (rule B10)."""
    reasons = [f"hold {hold}"] if hold != approval.hold else []
    judged = False
    for line, following in zip(lines, next_statuses, strict=True):
        if line.kind != "text" and line.status == "open":
            judged = True
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
