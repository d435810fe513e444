"""Quantity, unit, price and product ids of a line, as PO1, POC and IT1 carry them (rule B14)."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

import attrs

from mlconnector.documents import InvoiceLine, OrderLine, ShipmentItem
from mlconnector.x12._draft import Draft
from mlconnector.x12._format import CENT, cents, exact_ratio, number

__all__ = ["Priced", "Told", "basis_factor", "charge", "id_pairs", "plain_line", "product_ids", "told"]

GTIN = {12: "UP", 13: "EN", 14: "UK"}
THOUSAND = Decimal(1000)
_PRICE_DIGITS = 17
_QUANTITY_DIGITS = 15
_NUMBER_LENGTH = 20
_ID_LENGTH = 48
_MOST_IDS = 10
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
    if by_amount(line):
        if line.amount is None:
            draft.fault("price", f"{place}: a service line without an amount")
        return Told(Decimal(1), "LO", line.amount)
    if line.quantity is None:
        draft.fault("quantity", f"{place}: no quantity")
    unit = draft.unit(line.unit, place)
    if line.unit_price is None or line.quantity is None:
        return Told(quantity, unit, None)
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


def plain_line(draft: Draft, line: Priced) -> tuple[str, ...] | None:
    """Number, quantity, unit, price, basis and :func:`line_ids` of a line where nothing is to be converted or refused.

    None where :func:`told` and :func:`line_ids` must look closer: they say the same of such a line, in more time.
    """
    own, quantity, price, per, amount = line.number, line.quantity, line.unit_price, line.price_per, line.amount
    unit = draft.known_unit(line.unit)
    if line.kind != "item" or not quantity or price is None or not unit or not (per is None or per == 1):
        return None
    if (line.price_unit and line.price_unit != line.unit) or line.price_unit in draft.bases:
        return None
    if amount is not None and abs(quantity * price - amount) > CENT:
        return None
    plain, ids = draft.plain, line.item_ids
    row: tuple[str, ...] = (own, number(quantity), unit, number(price), "")
    if (
        len(row[1]) > _QUANTITY_DIGITS
        or len(row[3]) > _PRICE_DIGITS
        or not ((own.isalnum() and own.isascii()) or (own and plain(own)))
    ):
        return None
    for key, qualifier in draft.product_ids:
        if value := ids.get(key):
            if qualifier == "GTIN" or len(value) > _ID_LENGTH or not plain(value):
                return None
            row += (qualifier, value)
    row = row if len(row) > 5 else row + own_number(draft, own)
    return row if len(own) <= _NUMBER_LENGTH and len(row) <= 5 + 2 * _MOST_IDS else None


def _other_unit(draft: Draft, line: Priced) -> bool:
    return line.price_unit not in ("", line.unit, *draft.bases)


def _price(draft: Draft, line: Priced, unit: str, place: str) -> Told:
    assert line.unit_price is not None
    stated = draft.bases.get(line.price_unit, "")
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


def line_ids(draft: Draft, line: Priced, number: str) -> tuple[str, ...]:
    """The same of an order or invoice line, or the number it is told under where it has no product id."""
    return product_ids(draft, line) or own_number(draft, number)


def own_number(draft: Draft, number: str) -> tuple[str, ...]:
    """The pair of a line without product ids (:attr:`Partner.line_as_id`)."""
    qualifier = draft.partner.line_as_id
    return () if qualifier is None or not number else (qualifier, number)


def id_pairs(draft: Draft, item_ids: Mapping[str, str], line: str) -> tuple[str, ...]:
    """The same for ids that stand alone; ``line`` names their line in a fault."""
    pairs: list[str] = []
    for key, qualifier in draft.product_ids:
        value = item_ids.get(key)
        if not value or not (value := value.strip()):
            continue
        place = f"{line} {key}"
        if qualifier == "GTIN" and (len(value) not in GTIN or not value.isdigit()):
            draft.fault("item", f"{place}: {value!r} is no GTIN of 12, 13 or 14 digits")
            continue
        pairs += (GTIN[len(value)] if qualifier == "GTIN" else qualifier, draft.identifier(value, place, _ID_LENGTH))
    if len(pairs) > 2 * _MOST_IDS:
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
