"""Shipments to 856, for whoever receives the goods (X12 reference, section 7; rule B31)."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Sequence
from decimal import Decimal

import attrs

from mlconnector.documents import Pack, Shipment, ShipmentItem
from mlconnector.errors import InvalidArgument
from mlconnector.x12._draft import Draft
from mlconnector.x12._format import date, number, time
from mlconnector.x12._lines import product_ids
from mlconnector.x12._order_parts import fixed_references
from mlconnector.x12._partner import Partner
from mlconnector.x12._sets import TransactionSet

__all__ = ["to_856"]

_LEVELS = "TPQ"
_SSCC = (18, 20)


def to_856(
    shipment: Shipment, partner: Partner, *, purpose: str = "00", at: dt.datetime | None = None
) -> TransactionSet:
    """An 856 for goods on their way to a customer or a warehouse; never for the supplier (rule B31).

    Written: BSN, then HL loops: shipment (TD1 TD5 REF DTM N1), order (PRF), pack (TD1 MAN), item (LIN SN1 PID), in the
    order of ``partner.hierarchy``; CTT01 counts the HL. A pack that others stand on is a tare (HL03 ``T``).

    Args:
        shipment: The shipment; its order numbers are the customer's, and one that has none is refused.
        partner: Whom it is for.
        purpose: BSN01: 00 original, 01 cancellation, 05 replace.
        at: When the notice is made, aware, for BSN03 and BSN04; the day of the shipment, 0000 hours, when left out.

    Raises:
        InvalidArgument: A naive ``at``.
        InvalidDocument: With every fault; ``cause`` names the first: ``order``, ``pack``, ``item``, ``unit`` ...
    """
    if at is not None and at.tzinfo is None:
        raise InvalidArgument(f"at={at!r} is no aware datetime.", cure="Give it a tzinfo, e.g. datetime.UTC.")
    draft = Draft(partner, f"Shipment {shipment.number}")
    structure = partner.hierarchy or ("0001" if shipment.packs else "0004")
    identity = draft.identifier(shipment.number, "shipment number", 30, 2)
    draft.add("BSN", purpose, identity, *_made(draft, shipment, at), structure)
    placed = [(_order_of(draft, shipment, item), item) for item in shipment.items]
    if not placed:
        draft.fault("items", "there is nothing in it")
    tree = _Tree(draft, placed, shipment.packs if structure != "0004" else ())
    orders = [*dict.fromkeys([*shipment.orders, *(order for order, _ in placed)])]
    top = tree.level("", "S", children=bool(orders))
    _shipment(draft, shipment)
    if structure == "0003":
        tree.packs_first(top, orders)
    else:
        tree.orders_first(top, orders)
    return draft.complete("856", shipment, "HL", 2, quantity_tag="SN1")


def _made(draft: Draft, shipment: Shipment, at: dt.datetime | None) -> tuple[str, str]:
    if at is not None:
        local = at.astimezone(draft.partner.time_zone or dt.UTC)
        return date(local), time(local)
    if shipment.date is None:
        draft.fault("date", "the shipment has no date")
        return "", ""
    return date(shipment.date), "0000"


def _order_of(draft: Draft, shipment: Shipment, item: ShipmentItem) -> str:
    if not item.order_number and len(shipment.orders) == 1:
        return shipment.orders[0]
    if not item.order_number:
        draft.fault("order", f"item {item.number or item.order_line}: the customer's order number is not known")
    return item.order_number


def _shipment(draft: Draft, shipment: Shipment) -> None:
    _lading(draft, shipment.packs)
    if shipment.carrier:
        scac = draft.partner.carriers.get(shipment.carrier, "")
        if scac:
            draft.add("TD5", "", "2", scac)
        else:
            draft.add("TD5", "", "", "", "", draft.free(shipment.carrier, 35, "TD505"))
    fixed_references(draft)
    if shipment.date is not None:
        draft.add("DTM", "011", date(shipment.date))
    draft.party("SF", shipment.ship_from)
    draft.party("ST", shipment.ship_to)


def _lading(draft: Draft, packs: Sequence[Pack]) -> None:
    """TD1 of the shipment: how many cartons, and the gross weight where every pack on the floor has one."""
    if not packs:
        return
    under = {pack.parent for pack in packs}
    cartons = [pack for pack in packs if pack.number not in under]
    kinds = {pack.kind for pack in cartons}
    kind = draft.mapped(draft.partner.packaging, kinds.pop(), "packaging") if len(kinds) == 1 else ""
    floor = [pack for pack in packs if not pack.parent]
    units = {pack.weight_unit for pack in floor}
    weights = [pack.weight for pack in floor if pack.weight is not None]
    weight: tuple[str, ...] = ()
    if len(units) == 1 and len(weights) == len(floor):
        weight = _gross(draft, sum(weights, Decimal(0)), units.pop(), "shipment")
    draft.add("TD1", kind, str(len(cartons)), "", "", "", *weight)


def _gross(draft: Draft, weight: Decimal, unit: str, place: str) -> tuple[str, ...]:
    return ("G", draft.real(weight, f"{place} TD107", 10), draft.unit(unit, f"{place} weight"))


@attrs.define
class _Tree:
    """The HL loops: numbered in order of writing, each under its parent."""

    draft: Draft
    placed: Sequence[tuple[str, ShipmentItem]]
    packs: Sequence[Pack]
    count: int = 0
    children: dict[str, list[Pack]] = attrs.field(init=False, factory=dict)
    content: dict[str, list[tuple[str, ShipmentItem]]] = attrs.field(init=False, factory=dict)

    def __attrs_post_init__(self) -> None:
        for order, item in self.placed:
            self.content.setdefault(item.pack if self.packs else "", []).append((order, item))
        for pack in self.packs:
            self.children.setdefault(pack.parent, []).append(pack)
        self._check()

    def _check(self) -> None:
        """Packs have names of their own, stand on packs that are there, not deeper than HL03 tells, and hold goods."""
        known = Counter(pack.number for pack in self.packs)
        for name in [name for name, times in known.items() if times > 1]:
            self.draft.fault("pack", f"pack {name!r} stands twice")
        for name in self.content.keys() - known.keys() - {""}:
            self.draft.fault("pack", f"pack {name!r} of an item is not in the shipment")
        row, reached = self.children.get("", []), 0
        for _ in _LEVELS:
            reached += len(row)
            for pack in row:
                if pack.number not in self.content and pack.number not in self.children:
                    self.draft.fault("pack", f"pack {pack.number!r} holds nothing")
            row = [child for pack in row for child in self.children.get(pack.number, [])]
        if reached != len(self.packs):
            self.draft.fault("pack", "packs stand on packs that are not there, on each other, or more than three deep")
        # What cannot be told must not be walked through: it may be endless.
        if self.draft.faults:
            self.children.clear()

    def level(self, parent: str, code: str, *, children: bool) -> str:
        """An HL segment; returns its number."""
        self.count += 1
        self.draft.add("HL", str(self.count), parent, code, "1" if children else "0")
        return str(self.count)

    def orders_first(self, top: str, orders: Iterable[str]) -> None:
        """Shipment, order, pack, item."""
        owners = {pack.number: self._orders(pack) for pack in self.children.get("", [])}
        for name in [name for name, found in owners.items() if len(found) > 1]:
            self.draft.fault("pack", f"pack {name!r} holds goods of several orders, which only hierarchy 0003 tells")
        for order in orders:
            packs = [pack for pack in self.children.get("", []) if order in owners[pack.number]]
            loose = [item for owner, item in self.content.get("", []) if owner == order]
            at = self._order(top, order, children=bool(packs or loose))
            self._items(at, loose)
            for pack in packs:
                self._pack(at, pack, 0, by_order=False)

    def packs_first(self, top: str, orders: Iterable[str]) -> None:
        """Shipment, pack, order, item; goods in no pack after them."""
        packed = {order for pack in self.children.get("", []) for order in self._orders(pack)}
        for pack in self.children.get("", []):
            self._pack(top, pack, 0, by_order=True)
        for order in orders:
            loose = [item for owner, item in self.content.get("", []) if owner == order]
            if loose or order not in packed:
                self._items(self._order(top, order, children=bool(loose)), loose)

    def _orders(self, pack: Pack) -> dict[str, None]:
        own = dict.fromkeys(order for order, _ in self.content.get(pack.number, []))
        for child in self.children.get(pack.number, []):
            own |= self._orders(child)
        return own

    def _order(self, parent: str, order: str, *, children: bool) -> str:
        at = self.level(parent, "O", children=children)
        self.draft.add("PRF", self.draft.identifier(order, "customer's order number", 22))
        return at

    def _pack(self, parent: str, pack: Pack, depth: int, *, by_order: bool) -> None:
        below = self.children.get(pack.number, [])
        within = self.content.get(pack.number, [])
        code = _LEVELS[depth] if below or depth else "P"
        at = self.level(parent, code, children=True)
        place = f"pack {pack.number}"
        kind = self.draft.mapped(self.draft.partner.packaging, pack.kind, "packaging")
        weight = () if pack.weight is None else _gross(self.draft, pack.weight, pack.weight_unit, place)
        if kind or weight:
            self.draft.add("TD1", kind, "1", "", "", "", *weight)
        self.draft.add("MAN", *_marks(self.draft, pack.number, place))
        if by_order:
            for order in dict.fromkeys(order for order, _ in within):
                self._items(self._order(at, order, children=True), [item for owner, item in within if owner == order])
        else:
            self._items(at, [item for _, item in within])
        for child in below:
            self._pack(at, child, depth + 1, by_order=by_order)

    def _items(self, parent: str, items: Iterable[ShipmentItem]) -> None:
        for item in items:
            self.level(parent, "I", children=False)
            _item(self.draft, item)


def _marks(draft: Draft, text: str, place: str) -> tuple[str, str]:
    """MAN01 and MAN02: an SSCC with or without its application identifier, else the carrier's own number."""
    text = draft.identifier(text, f"{place} MAN02", 48)
    if len(text) not in _SSCC or not (text.isascii() and text.isdigit()):
        return "CP", text
    if draft.partner.sscc_digits == 20 and len(text) == 18:
        text = f"00{text}"
    elif draft.partner.sscc_digits == 18 and len(text) == 20:
        text = text.removeprefix("00")
    return "GM", text


def _item(draft: Draft, item: ShipmentItem) -> None:
    line = item.order_line or item.number
    place = f"item {line}"
    ids = product_ids(draft, item)
    if not ids:
        draft.fault("item", f"{place}: no product id that the partner knows")
    draft.add("LIN", draft.identifier(line, f"{place} LIN01", 20) if line else "", *ids)
    if item.quantity is None:
        draft.fault("quantity", f"{place}: no quantity")
    elif item.quantity < 0:
        draft.fault("quantity", f"{place}: the quantity is {number(item.quantity)}")
    draft.add("SN1", "", draft.real(item.quantity, f"{place} SN102", 10), draft.unit(item.unit, place))
    if item.description and (text := draft.free(item.description, 80, f"{place} PID05")):
        draft.add("PID", "F", "", "", "", text)
