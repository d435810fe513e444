"""856 to shipments (X12 reference, section 7; rule B31)."""

from __future__ import annotations

import datetime as dt

import attrs

from mlconnector.documents import Pack, Party, Shipment, ShipmentItem
from mlconnector.x12._format import decimal_of
from mlconnector.x12._partner import Partner
from mlconnector.x12._read_base import Reading
from mlconnector.x12._read_parts import description, party, product_ids
from mlconnector.x12._read_tree import ABSENT, Loop
from mlconnector.x12._sets import TransactionSet

__all__ = ["from_856"]

_ITEM = "I"
_PACKS = ("T", "P", "Q")
_SSCC = (18, 20)
_IDENTIFIER = "00"


@attrs.define(eq=False)
class _Node:
    """One HL: the order, the pack and the item it belongs to are its own or those of what stands above it."""

    loop: Loop
    number: str
    level: str
    order: str = ""
    pack: _Node | None = None
    item: _Node | None = None
    depth: int = 0
    name: str = ""
    holds_packs: bool = False
    inner: list[str] = attrs.field(factory=list)


def from_856(ts: TransactionSet, *, partner: Partner | None = None) -> Shipment:
    """The shipment that an 856 carries, read by HL02 in whatever order the levels stand (HL03 S, O, T, P, Q, I).

    ``date`` is DTM 011, else BSN03; ``carrier`` TD503, else TD505; ``orders`` each PRF01. A pack's ``number`` is MAN02,
    without one ``"HL*3"``; an SSCC loses its application identifier where the profile fixes ``sscc_digits``. An item's
    ``order_line`` is LIN01; one that stands under no order belongs to the only one there is. Its ``pack`` is the one
    above it, or the one under it; several under it stand in the extras, ``"HL*5/pack#1"``. What else a level says is in
    the extras under its number, ``"HL*5/SN104"``.

    Args:
        ts: The set.
        partner: Profile whose tables of parties, units, product ids, carriers and packaging are undone.

    Raises:
        InvalidDocument: Another set, or content that cannot be read, with every fault. Cause ``hierarchy``: an HL whose
            parent does not stand before it, or whose number stands twice.
    """
    reading = Reading(ts, partner, "856")
    head = reading.begin("BSN")
    reading.code(head, 1, "00")
    reading.code(head, 4, "0000")
    nodes = _tree(reading)
    reading.count(len(nodes), [decimal_of("R", reading.peek(one, 2)) for node in nodes for one in node.loop.all("SN1")])
    packs = [_pack(reading, node) for node in nodes if node.level in _PACKS]
    orders = list(dict.fromkeys(node.order for node in nodes if node.order))
    common = orders[0] if len(orders) == 1 else ""
    items = [_item(reading, node, common) for node in nodes if node.level == _ITEM]
    shipped, made = _shipped(reading, nodes), reading.peek_day(head, 3)
    if shipped in (None, made):
        reading.take(head, 3)
    shipment = Shipment(
        number=reading.text(head, 2),
        date=shipped or made,
        carrier=_carrier(reading, nodes),
        ship_from=_party(reading, nodes, "SF"),
        ship_to=_party(reading, nodes, "ST"),
        orders=orders,
        packs=packs,
        items=items,
    )
    extras = reading.rest(reading.root)
    for node in nodes:
        for at, name in enumerate(node.inner if len(node.inner) > 1 else (), 1):
            extras.put(f"HL*{node.number}/pack#{at}", name)
    reading.refuse_if_faulty()
    return attrs.evolve(shipment, extras=extras)


def _tree(reading: Reading) -> list[_Node]:
    nodes: list[_Node] = []
    known: dict[str, _Node] = {}
    for loop in reading.root.under("HL"):
        head = loop.head
        number, above = reading.need(head, 1), reading.text(head, 2)
        reading.take(head, 4)
        if number in known:
            reading.fault("hierarchy", head, 1, "stands twice")
        if above and above not in known:
            reading.fault("hierarchy", head, 2, "is no HL before it")
        node = _Node(loop, number, reading.code(head, 3, "S", "O", _ITEM))
        if (parent := known.get(above)) is not None:
            _inherit(node, parent)
        node.order = reading.text(loop.first("PRF"), 1) or node.order
        nodes.append(node)
        known[number] = node
    if not nodes:
        reading.faults.append(("mandatory", "HL is missing"))
    for node in nodes:
        if node.level in _PACKS:
            node.name = _name(reading, node)
            if node.item is not None:
                node.item.inner.append(node.name)
    return nodes


def _inherit(node: _Node, parent: _Node) -> None:
    node.order, node.depth = parent.order, parent.depth
    node.pack = parent if parent.level in _PACKS else parent.pack
    node.item = parent if parent.level == _ITEM else parent.item
    if node.pack is parent:
        node.depth += 1
    if node.level in _PACKS and node.pack is not None:
        node.pack.holds_packs = True


def _name(reading: Reading, node: _Node) -> str:
    """The SSCC or the carrier's number of a pack; the place in the set where it has neither."""
    man = node.loop.first("MAN")
    text = reading.text(man, 2)
    is_sscc = len(text) in _SSCC and text.isascii() and text.isdigit()
    reading.code(man, 1, "GM" if is_sscc else "CP")
    if is_sscc and len(text) == max(_SSCC) and reading.habits.profile.sscc_digits is not None:
        return text.removeprefix(_IDENTIFIER)
    return text or f"HL*{node.number}"


def _pack(reading: Reading, node: _Node) -> Pack:
    # As to_856 writes it: a pack is P where it stands on the floor and holds none.
    reading.code(node.loop.head, 3, _PACKS[min(node.depth, 2)] if node.holds_packs or node.depth else "P")
    lading = node.loop.first("TD1")
    kind = reading.text(lading, 1)
    reading.code(lading, 2, "1")
    weight, unit = None, ""
    if reading.code(lading, 6, "G") in ("", "G") and reading.peek(lading, 7):
        weight, unit = reading.real(lading, 7), reading.unit(lading, 8)
    return Pack(
        number=node.name,
        kind=reading.habits.packaging.get(kind, kind),
        parent=node.pack.name if node.pack is not None else "",
        weight=weight,
        weight_unit=unit,
    )


def _item(reading: Reading, node: _Node, common: str) -> ShipmentItem:
    goods, shipped = node.loop.first("LIN"), node.loop.first("SN1")
    pack = node.pack.name if node.pack is not None else ""
    if not pack and len(node.inner) == 1:
        pack = node.inner[0]
    return ShipmentItem(
        number=reading.text(shipped, 1),
        order_number=node.order or common,
        order_line=reading.text(goods, 1),
        item_ids=product_ids(reading, goods, 2),
        description=description(reading, node.loop),
        quantity=reading.real(shipped, 2),
        unit=reading.unit(shipped, 3),
        pack=pack,
    )


def _shipped(reading: Reading, nodes: list[_Node]) -> dt.date | None:
    loops = [*(node.loop for node in nodes), reading.root]
    return next((date for loop in loops if (date := reading.dated(loop, "011")) is not None), None)


def _carrier(reading: Reading, nodes: list[_Node]) -> str:
    details = [one for node in nodes for one in node.loop.all("TD5")]
    coded = next((one for one in details if reading.peek(one, 3)), None)
    if coded is not None:
        reading.code(coded, 2, "2")
        code = reading.text(coded, 3)
        return reading.habits.carriers.get(code, code)
    return reading.text(next((one for one in details if reading.peek(one, 5)), ABSENT), 5)


def _party(reading: Reading, nodes: list[_Node], role: str) -> Party | None:
    return next((found for node in nodes if (found := party(reading, node.loop, role)) is not None), None)
