"""Quantity, unit, price and product ids of a line, as PO1, POC and IT1 carry them (rule B14)."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

import attrs

from mlconnector.documents import InvoiceLine, OrderLine, ShipmentItem
from mlconnector.x12._draft import Draft
from mlconnector.x12._format import CENT, cents, exact_ratio, number

__all__ = ["Priced", "Told", "basis_factor", "charge", "id_pairs", "product_ids", "told"]

GTIN = {12: "UP", 13: "EN", 14: "UK"}
THOUSAND = Decimal(1000)
_PRICE_DIGITS = 17
_TRUSTED_PLACES = 6


Priced = OrderLine | InvoiceLine
"""What order lines and invoice lines have in common: quantity, unit, price, amount."""


@attrs.frozen
class Told:
    """Quantity, X12 unit, price and its basis (PO105, IT105); ``price`` is None where none is known."""

    quantity: Decimal | None
    unit: str
    price: Decimal | None
    basis: str = ""

    @property
    def amount(self) -> Decimal:
        """Quantity times price, unrounded; 0 without a price."""
        return (self.quantity or Decimal(0)) * (self.price or Decimal(0)) / basis_factor(self.basis)


def basis_factor(basis: str) -> Decimal:
    """By what a price of this basis is divided (section 6): 1000 for TP."""
    return THOUSAND if basis == "TP" else Decimal(1)


def by_amount(line: Priced) -> bool:
    """A service: an amount without a quantity of its own."""
    return line.kind in ("amount", "tax") or (not line.quantity and not line.unit_price and bool(line.amount))


def told(draft: Draft, line: Priced, quantity: Decimal | None) -> Told:
    """What the line says, in the partner's units, with the price multiplied out against the amount.

    Args:
        draft: Takes the faults.
        line: An order or invoice line of kind item or amount.
        quantity: What is told instead of the line's own quantity, where some of it was cancelled.
    """
    place = f"line {line.number}"
    if (line.kind != "item" or not line.quantity) and by_amount(line):
        if line.amount is None:
            draft.fault("price", f"{place}: a service line without an amount")
        return Told(Decimal(1), "LO", line.amount)
    if line.quantity is None:
        draft.fault("quantity", f"{place}: no quantity")
    unit = draft.unit(line.unit, place)
    if line.unit_price is None or line.quantity is None:
        return Told(quantity, unit, None)
    if line.price_per in (None, 1) and line.price_unit in ("", line.unit) and line.price_unit not in draft.partner.bases:
        # The plain case, at a glance: a price for one piece whose digits surely fit.
        text = str(line.unit_price)
        if len(text) <= _PRICE_DIGITS and "E" not in text and _proven(line, quantity):
            return Told(quantity, unit, line.unit_price)
    found = _price(draft, line, unit, place)
    if line.amount is None and _other_unit(draft, line):
        draft.fault(
            "price", f"{place}: priced per {line.price_unit}, ordered in {line.unit}, and no amount to prove it"
        )
    # Of a line that was cut down the amount is no longer that of its quantity.
    if quantity == line.quantity and line.amount is not None and abs(found.amount - line.amount) > CENT:
        # The conversion between two units stands only in the source, which used it for the amount: that is trusted,
        # as far as it gives an exact price.
        derived = exact_ratio(line.amount, line.quantity, _TRUSTED_PLACES) if _other_unit(draft, line) else None
        if derived is None:
            draft.fault(
                "price",
                f"{place}: {number(line.quantity)} {line.unit} at {number(line.unit_price)} per "
                f"{number(line.price_per or Decimal(1))} {line.price_unit or line.unit} is {number(found.amount)}, "
                f"the line says {number(line.amount)}",
            )
        return Told(quantity, unit, derived)
    return attrs.evolve(found, quantity=quantity)


def _proven(line: Priced, quantity: Decimal | None) -> bool:
    """A price per piece and the amount say the same, or there is nothing to compare."""
    assert line.unit_price is not None
    if line.amount is None or quantity != line.quantity or line.quantity is None:
        return True
    return abs(line.quantity * line.unit_price - line.amount) <= CENT


def _other_unit(draft: Draft, line: Priced) -> bool:
    return line.price_unit not in ("", line.unit, *draft.partner.bases)


def _price(draft: Draft, line: Priced, unit: str, place: str) -> Told:
    assert line.unit_price is not None
    stated = draft.partner.bases.get(line.price_unit, "")
    per = (Decimal(1) if line.price_per is None else line.price_per) * (THOUSAND if stated else 1)
    if per <= 0:
        draft.fault("price", f"{place}: a price per {number(per)} pieces")
        return Told(line.quantity, unit, line.unit_price)
    single = exact_ratio(line.unit_price, per, _PRICE_DIGITS)
    fits = single is not None and len(number(abs(single)).replace(".", "")) <= _PRICE_DIGITS
    if per == THOUSAND and (draft.partner.price_basis == "state" or not fits):
        return Told(line.quantity, unit, line.unit_price, stated or "TP")
    if not fits:
        draft.fault("price", f"{place}: {number(line.unit_price)} per {number(per)} is no exact price per unit")
        return Told(line.quantity, unit, line.unit_price)
    return Told(line.quantity, unit, single)


def product_ids(draft: Draft, line: Priced | ShipmentItem) -> tuple[str, ...]:
    """Qualifier and id pairs in the partner's order; GTINs by their length (section 6)."""
    return id_pairs(draft, line.item_ids, f"line {line.number}")


def id_pairs(draft: Draft, item_ids: Mapping[str, str], line: str) -> tuple[str, ...]:
    """The same for ids that stand alone; ``line`` names their line in a fault."""
    pairs: list[str] = []
    for key, qualifier in draft.product_ids:
        value = item_ids.get(key)
        if not value or not (value := value.strip()):
            continue
        if qualifier != "GTIN" and len(value) <= 48 and draft.plain(value):
            pairs += (qualifier, value)
            continue
        place = f"{line} {key}"
        if qualifier == "GTIN" and (len(value) not in GTIN or not value.isdigit()):
            draft.fault("item", f"{place}: {value!r} is no GTIN of 12, 13 or 14 digits")
            continue
        pairs += (GTIN[len(value)] if qualifier == "GTIN" else qualifier, draft.identifier(value, place, 48))
    if len(pairs) > 20:
        draft.fault("item", f"{line}: more than ten product ids")
    return tuple(pairs)


def charge(draft: Draft, line: Priced, sign: int = 1) -> Decimal:
    """A SAC segment for a charge, an allowance where it is negative (SAC05 is N2). Returns the amount told, signed."""
    place = f"line {line.number} SAC05"
    if line.amount is None:
        draft.fault("price", f"{place}: a charge without an amount")
        return Decimal(0)
    amount = line.amount * sign
    names = (line.description, *line.item_ids.values())
    code = next((draft.partner.charges[name] for name in names if name in draft.partner.charges), "F050")
    text = draft.free(line.description, 80, f"line {line.number} SAC15") or ("other" if code == "F050" else "")
    indicator = "A" if amount < 0 else "C"
    draft.add("SAC", indicator, code, "", "", draft.money(abs(amount), place), *[""] * 9, text)
    return cents(amount)
