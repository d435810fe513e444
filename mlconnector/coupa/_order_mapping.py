"""Purchase orders: records become documents, documents become external orders; pure (section 6; rules B10, B11, B14).

What a line costs is said once: quantity and price on a quantity line, the amount as the price of an amount line.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

import attrs

from mlconnector.coupa._compare import line_key, live_lines
from mlconnector.coupa._resources import PURCHASE_ORDERS
from mlconnector.coupa._supplier_mapping import address_of, provenance
from mlconnector.coupa._values import Element, Sending, custom_fields
from mlconnector.documents import OrderLine, Party, PurchaseOrder

__all__ = ["Coded", "OrderReferences", "account_facts", "changed_order", "order_body", "order_content", "party_of",
           "to_order", "unit_price"]  # fmt: skip

_OPEN = ("issued", "closed", "cancelled", "canceled", "soft_closed", "expensed", "exported")
_CENT = Decimal("0.01")
_SIX = Decimal("0.000001")
Body = dict[str, Any]


@attrs.frozen(kw_only=True)
class Coded:
    """What a line is charged to: one account, or shares of several.

    Args:
        account: The reference to an account (section 5.4).
        splits: Bodies of ``account-allocations``.
    """

    account: Mapping[str, Any] | None = None
    splits: tuple[Mapping[str, Any], ...] = ()

    def body(self) -> Body:
        """As elements of a line."""
        if self.splits:
            return {"account-allocations": [dict(one) for one in self.splits]}
        return {} if self.account is None else {"account": dict(self.account)}


@attrs.frozen(kw_only=True)
class OrderReferences:
    """What the document names, as Coupa knows it; made by a look-up before anything is written.

    Args:
        supplier, currency, terms, ship_to, ship_to_user: Reference objects.
        unit: Makes the reference of a unit.
        coded: What a line is charged to.
        places: Decimals of the currency, where known.
    """

    supplier: Mapping[str, Any] | None
    currency: Mapping[str, Any] | None
    terms: Mapping[str, Any] | None
    ship_to: Mapping[str, Any] | None
    ship_to_user: Mapping[str, Any] | None
    unit: Callable[[str], Mapping[str, Any] | None]
    coded: Callable[[Any], Coded]
    places: int | None = None


def to_order(row: Mapping[str, Any], faults: list[str]) -> PurchaseOrder:
    """An order record as a document."""
    cells = Element(row, faults)
    status = cells.text("status")
    gone = {"cancelled": "cancelled", "canceled": "cancelled", "closed": "closed", "soft_closed": "closed"}
    ship_to = cells.object("ship-to-address")
    return PurchaseOrder(
        number=cells.text("po-number"),
        type=cells.text("type"),
        revision=cells.text("version"),
        date=cells.date("created-at"),
        supplier=party_of(cells.object("supplier")),
        ship_to=_ship_to(ship_to) if ship_to.row else None,
        buyer=cells.object("ship-to-user").text("login"),
        currency=cells.object("currency").text("code") or None,
        terms=cells.object("payment-term").text("code"),
        lines=tuple(_line(line) for line in cells.items("order-lines")),
        total=cells.number("total"),
        status=gone.get(status, "open"),
        hold=status if status.endswith("_hold") else "",
        waiting_for=() if status in _OPEN else (f"status {status or 'unknown'}",),
        extras={**custom_fields(row), "status": status},
        provenance=provenance("purchase_orders", cells),
    )


def party_of(cells: Element) -> Party | None:
    """A supplier object as a party; ``None`` where there is none. Born in Coupa it may lack a number."""
    return Party(number=cells.text("number"), name=cells.text("name")) if cells.row else None


def _ship_to(cells: Element) -> Party:
    return Party(number=cells.text("location-code"), name=cells.text("name"), address=address_of(cells))


def account_facts(line: Element) -> dict[str, Any]:
    """Account of a line beyond its code: the chart, the segments where the code is ambiguous, and the shares."""
    account = line.object("account")
    facts: dict[str, Any] = {}
    chart, segments = account.object("account-type").text("name"), segments_of(account.row)
    if chart:
        facts["chart"] = chart
    if any("-" in segment for segment in segments):
        facts["segments"] = segments
    shares = line.items("account-allocations")
    if shares:
        facts["allocations"] = tuple(
            {
                "account": share.object("account").text("code"),
                "amount": share.number("amount"),
                "percent": share.number("pct"),
            }
            for share in shares
        )
    return facts


def segments_of(account: Mapping[str, Any]) -> tuple[str, ...]:
    """The segments that are set, in their order."""
    cells = Element(account, [])
    return tuple(text for number in range(1, 21) if (text := cells.text(f"segment-{number}")))


def _line(cells: Element) -> OrderLine:
    by_amount = cells.text("type") == "OrderAmountLine"
    price, total = cells.number("price"), cells.number("total")
    ids = {"vendor": cells.text("source-part-num"), "auxiliary": cells.text("supp-aux-part-num")}
    status = cells.text("status")
    reference = cells.text("external-reference-number")
    return OrderLine(
        number=cells.text("line-num"),
        kind="amount" if by_amount else "item",
        description=cells.text("description"),
        item_ids={name: value for name, value in ids.items() if value},
        quantity=None if by_amount else cells.number("quantity"),
        unit=cells.object("uom").text("code"),
        unit_price=price,
        price_unit=cells.object("uom").text("code"),
        amount=price if by_amount and total is None else total,
        received_quantity=cells.number("received"),
        requested_date=cells.date("need-by-date"),
        account=cells.object("account").text("code"),
        status="cancelled" if status in ("cancelled", "canceled") else "closed" if "closed" in status else "open",
        extras={
            **({"id": cells.text("id")} if cells.text("id") else {}),
            **account_facts(cells),
            **({"reference": reference} if reference else {}),
        },
    )


def order_body(order: PurchaseOrder, *, number: str, references: OrderReferences, faults: list[str]) -> Body:
    """An external order as it is created (section 6). Cancelled lines are left out, or cut to what was received.

    Args:
        order: The document. ``number``: ``po-number``, at most 20 characters.
        references: See there. ``faults``: where faults go.
    """
    out = Sending(PURCHASE_ORDERS.lengths, faults)
    if not order.currency:
        faults.append("the currency is not known")
    body: Body = {"type": "ExternalOrderHeader", "po-number": out.text("po-number", number, required=True)}
    for name, value in (
        ("supplier", references.supplier),
        ("ship-to-user", references.ship_to_user),
        ("ship-to-address", references.ship_to),
        ("currency", references.currency),
        ("payment-term", references.terms),
    ):
        if value is not None:
            body[name] = dict(value)
    lines = [_line_body(line, order, references, out) for line in order.lines if _sent(line)]
    if not lines and order.status != "cancelled":
        faults.append("no line to deliver")
    doubled = sorted(
        {one["line-num"] for one in lines if [two["line-num"] for two in lines].count(one["line-num"]) > 1}
    )
    faults += [f"line {name} is there twice" for name in doubled]
    body["order-lines"] = lines
    return body


def _sent(line: OrderLine) -> bool:
    return line.kind != "text" and (line.status != "cancelled" or bool(line.received_quantity))


def _line_body(line: OrderLine, order: PurchaseOrder, references: OrderReferences, out: Sending) -> Body:
    place = f"line {line.number} "
    number = line_key(line.number)
    item = next((value for value in line.item_ids.values() if value), "")
    body: Body = {
        "line-num": out.text("order-lines.line-num", number, place=place, required=True),
        "type": "OrderQuantityLine" if line.kind == "item" else "OrderAmountLine",
        "description": out.text("order-lines.description", line.description or item, place=place, required=True),
    }
    if line.kind == "item":
        quantity = line.received_quantity if line.status == "cancelled" else line.quantity
        price = unit_price(line, place, out.faults)
        body["quantity"] = out.decimal("quantity", quantity, digits=30, decimals=6, place=place)
        body["price"] = out.decimal("price", price, digits=30, decimals=6, place=place)
        unit = references.unit(line.unit) if line.unit else None
        if unit is not None:
            body["uom"] = dict(unit)
    else:
        amount = line.amount if line.amount is not None else line.unit_price
        body["price"] = out.money("amount", amount, references.places, place=place)
    if references.currency is not None:
        body["currency"] = dict(references.currency)
    body |= references.coded(line).body()
    date = line.requested_date or line.promised_date
    if date is not None:
        body["need-by-date"] = date.isoformat()
    vendor = line.item_ids.get("vendor", "")
    if vendor:
        body["source-part-num"] = out.text("order-lines.source-part-num", vendor, place=place)
    reference = f"{order.key}/{number}"
    body["external-reference-number"] = out.text("order-lines.external-reference-number", reference, place=place)
    return body


def unit_price(line: Any, place: str, faults: list[str]) -> Decimal | None:
    """The price per unit of the quantity, exact at six decimals, or a fault (rule B14).

    A price that is per another unit, or per a hundred pieces, is converted only where the amount proves it.
    """
    price, quantity, amount = line.unit_price, line.quantity, line.amount
    if price is None:
        faults.append(f"{place}price is missing")
        return None
    if line.price_unit and line.unit and line.price_unit != line.unit:
        if not quantity or amount is None:
            faults.append(f"{place}price is per {line.price_unit} and not per {line.unit}; no amount tells its worth")
            return None
        price = _at_six(amount / quantity)
    elif line.price_per not in (None, Decimal(1), Decimal(0)):
        exact = price / line.price_per
        price = _at_six(exact)
        if price != exact:
            faults.append(f"{place}price {line.unit_price} per {line.price_per} has more than 6 decimals per unit")
            return None
    if quantity is not None and amount is not None and abs(price * quantity - amount) > _CENT:
        faults.append(f"{place}quantity {quantity} at {format(price, 'f')} is not the amount {amount}")
    return price  # type: ignore[no-any-return]  # a Decimal field of a line


def _at_six(value: Decimal) -> Decimal:
    """Rounded to six decimals; a number too long for that as it is, which is a fault later."""
    try:
        return value.quantize(_SIX).normalize()
    except ArithmeticError:
        return value


def changed_order(body: Mapping[str, Any], record: Mapping[str, Any]) -> Body:
    """The body of an update: lines with their ids, new ones without, lines that are no longer there deleted.

    Lines without an id are appended (section 6), so that re-sending an order would double them.
    """
    there = live_lines(record, "order-lines")
    lines = []
    for line in body["order-lines"]:
        known = there.pop(line_key(line["line-num"]), None)
        lines.append(dict(line) if known is None else {"id": known["id"], **line})
    lines += [{"id": line["id"], "_delete": True} for line in there.values()]
    header = {name: value for name, value in body.items() if name not in ("type", "po-number", "order-lines")}
    return {**header, "order-lines": lines}


def order_content(order: PurchaseOrder) -> str:
    """What Coupa is told of an order: never what was received, its hold, buyer or stamps (rule B11)."""
    lines = tuple(
        attrs.evolve(
            line,
            received_quantity=line.received_quantity if line.status == "cancelled" else None,
            open_quantity=None,
            promised_date=None if line.requested_date else line.promised_date,
            schedules=(),
            ship_to=None,
            tax="",
            status="cancelled" if line.status == "cancelled" else "open",
        )
        for line in order.lines
        if _sent(line)
    )
    told = attrs.evolve(
        order,
        lines=lines,
        revision="",
        buyer="",
        freight="",
        notes=(),
        total=None,
        hold="",
        status="cancelled" if order.status == "cancelled" else "open",
        waiting_for=(),
        extras={},
        bill_to=None,
        supplier=None if order.supplier is None else Party(number=order.supplier.number),
        ship_to=None if order.ship_to is None else Party(number=order.ship_to.number),
    )
    return told.fingerprint
