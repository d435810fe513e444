"""Suppliers, account combinations and shipments; pure (Fusion reference, sections 10 and 11; rule B31)."""

from __future__ import annotations

from collections.abc import Iterator

from mlconnector.documents import Account, Contact, Party, Shipment, ShipmentItem, Supplier
from mlconnector.fusion._made import Made, Site
from mlconnector.fusion._settings import Gate, ShipmentNames
from mlconnector.fusion._values import Fields, Row

__all__ = ["to_accounts", "to_shipments", "to_suppliers"]

_LINES = "unpackedShipmentLines"
"""Where the lines of a shipment stand once they are complete, whichever of the known accessors they came by."""


def to_suppliers(row: Row, site: Site) -> Iterator[Made]:
    """The supplier of a row. The key is the ``SupplierId``; ``number`` the ``SupplierNumber`` that invoices name."""
    faults: list[str] = []
    head = Fields(row, faults)
    places = [Fields(one, faults, "address", "AddressName") for one in row.get("addresses") or ()]
    current = [place for place in places if _in_use(place, site)]
    contacts = [Contact(email=place.text("Email"), phone=place.text("PhoneNumber")) for place in current]
    supplier = Supplier(
        number=head.text("SupplierNumber", "SupplierId"),
        name=head.text("Supplier"),
        tax_id=head.text("TaxpayerId", "TaxRegistrationNumber"),
        addresses=tuple(address for place in current if (address := place.address()) is not None),
        contacts=tuple(contact for contact in contacts if contact != Contact()),
        active=_in_use(head, site),
        extras=head.kept("DUNSNumber", "BusinessRelationshipCode"),
        provenance=site.origin("suppliers", head.text("SupplierId"), head.instant("LastUpdateDate")),
    )
    yield Made(supplier, faults)


def _in_use(cells: Fields, site: Site) -> bool:
    end = cells.end_date("InactiveDate")
    return cells.text("Status").casefold() in ("", "active") and (end is None or end > site.today)


def to_accounts(row: Row, site: Site) -> Iterator[Made]:
    """The combination of a row; only its key is known, other attributes are read where they are there (section 10)."""
    faults: list[str] = []
    head = Fields(row, faults)
    number = head.text("_CODE_COMBINATION_ID")
    combination = head.text("AccountCombination", "CodeCombination")
    end = head.end_date("EndDateActive")
    account = Account(
        number=number,
        company=site.chart.segment(combination, "company"),
        cost_center=site.chart.segment(combination, "cost_center"),
        object=site.chart.segment(combination, "account") or combination,
        subsidiary=site.chart.segment(combination, "subaccount"),
        description=head.text("Description"),
        active=(head.flag("EnabledFlag") or not head.text("EnabledFlag")) and (end is None or end > site.today),
        provenance=site.origin("accounts", number, None),
    )
    yield Made(account, faults)


def to_shipments(row: Row, site: Site) -> Iterator[Made]:
    """The shipment of a row, under the attribute names of the site; packing units are not read."""
    faults: list[str] = []
    names, head = site.shipment_names, Fields(row, faults)
    number, status = head.text("Shipment"), head.text(names.status)
    lines = [Fields(one, faults, "line", names.line) for one in row.get(names.lines or _LINES) or ()]
    ship_to = Party(number=head.text(names.ship_to), name=head.text(names.ship_to_name))
    ship_from = head.text(names.ship_from)
    orders = dict.fromkeys(order for line in lines if (order := line.text(names.customer_order)))
    shipment = Shipment(
        number=number,
        date=head.date(names.date),
        carrier=head.text(names.carrier),
        ship_from=Party(number=ship_from) if ship_from else None,
        ship_to=ship_to if ship_to != Party() else None,
        orders=tuple(orders),
        items=tuple(_item(line, names) for line in lines),
        waiting_for=() if Gate.has(site.gate.shipments, status) else (f"shipment status {status or 'unknown'}",),
        extras={**head.kept("BillOfLading", "WeightUOM"), **head.kept_numbers("GrossWeight")},
        provenance=site.origin("shipments", number, head.instant("LastUpdateDate")),
    )
    yield Made(shipment, faults)


def _item(cells: Fields, names: ShipmentNames) -> ShipmentItem:
    item = cells.text(names.item)
    return ShipmentItem(
        number=cells.text(names.line),
        order_number=cells.text(names.order),
        order_line=cells.text(names.order_line),
        item_ids={"buyer": item} if item else {},
        description=cells.text(names.description),
        quantity=cells.number(names.quantity),
        unit=cells.text(names.unit),
    )
