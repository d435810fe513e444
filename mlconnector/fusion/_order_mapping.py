"""Rows of ``purchaseOrders`` with lines and schedules become orders; pure (Fusion reference, section 11; B10, B14)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from mlconnector.documents import OrderLine, Party, PurchaseOrder, Schedule
from mlconnector.fusion._made import Made, Site
from mlconnector.fusion._settings import Gate
from mlconnector.fusion._values import Fields, Row

__all__ = ["to_orders"]

_CANCELLED = ("CANCELED", "CANCELLED")
_CLOSED = ("CLOSED", "FINALLY CLOSED", "FINALLY_CLOSED")
_EXTRAS = ("SupplierSite", "StatusCode", "RequisitioningBUId")


def to_orders(row: Row, site: Site) -> Iterator[Made]:
    """The order of a row; drafts and change orders under way lie in another resource.

    The key is the ``POHeaderId``, the supplier's number its ``SupplierId``: an order names no supplier number.
    """
    faults: list[str] = []
    head = Fields(row, faults)
    schedules = [Fields(one, faults) for line in row.get("lines") or () for one in line.get("schedules") or ()]
    places = {place for one in schedules if (place := one.text("ShipToLocation"))}
    supplier = Party(number=head.text("SupplierId"), name=head.text("Supplier"))
    status = _status(head)
    order = PurchaseOrder(
        number=head.text("OrderNumber"),
        company=head.text("ProcurementBU"),
        revision=head.text("Revision"),
        date=head.date("OrderDate"),
        supplier=supplier if supplier != Party() else None,
        ship_to=Party(name=places.pop()) if len(places) == 1 else None,
        buyer=head.text("Buyer"),
        currency=head.text("CurrencyCode") or None,
        notes=tuple(note for note in (head.text("Description"),) if note),
        lines=tuple(_line(line, faults) for line in row.get("lines") or ()),
        total=head.number("Total", "Ordered"),
        status=status,
        waiting_for=tuple(_waiting(head, site.gate)) if status == "open" else (),
        extras=head.kept(*_EXTRAS),
        provenance=site.origin("purchase_orders", head.text("POHeaderId"), head.instant("LastUpdateDate")),
    )
    yield Made(order, faults)


def _waiting(head: Fields, gate: Gate) -> Iterator[str]:
    """What the gate still asks for (rule B10)."""
    if not Gate.has(gate.orders, head.text("StatusCode"), head.text("Status")):
        yield f"order status {head.text('Status', 'StatusCode') or 'unknown'}"


def _status(cells: Fields) -> str:
    codes = (cells.text("StatusCode"), cells.text("Status"))
    if Gate.has(_CANCELLED, *codes):
        return "cancelled"
    return "closed" if Gate.has(_CLOSED, *codes) else "open"


def _line(row: Row, faults: list[str]) -> OrderLine:
    cells = Fields(row, faults, "line", "LineNumber")
    quantity, price = cells.number("Quantity"), cells.number("Price")
    schedules = _schedules(row, cells, faults)
    ids = {"buyer": cells.text("Item"), "vendor": cells.text("SupplierItem")}
    return OrderLine(
        number=cells.text("LineNumber"),
        kind="item" if quantity and price is not None else "amount",
        description=cells.text("Description"),
        item_ids={name: value for name, value in ids.items() if value},
        quantity=quantity,
        unit=cells.text("UOMCode"),
        unit_price=price,
        price_unit=cells.text("UOMCode"),
        amount=cells.number("Ordered", "Total"),
        requested_date=min((one.date for one in schedules if one.date is not None), default=None),
        schedules=tuple(schedules),
        status=_status(cells),
    )


def _schedules(row: Row, line: Fields, faults: list[str]) -> Sequence[Schedule]:
    """Attribute names of schedules are assumed (section 11); a single schedule has the line's quantity."""
    cells = [Fields(one, faults, "schedule", "ScheduleNumber") for one in row.get("schedules") or ()]
    whole = line.number("Quantity") if len(cells) == 1 else None
    return [
        Schedule(
            date=one.date("RequestedDeliveryDate", "PromisedDeliveryDate"), quantity=one.number("Quantity") or whole
        )
        for one in cells
    ]
