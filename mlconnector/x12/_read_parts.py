"""What readers have in common: parties, goods with their price, allowances and charges, texts, terms."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import attrs

from mlconnector.documents import Address, Party, ReadOnly
from mlconnector.x12._format import decimal_of
from mlconnector.x12._lines import GTIN, THOUSAND
from mlconnector.x12._partner import Terms
from mlconnector.x12._read_base import EXACT, Extras, Reading, signed
from mlconnector.x12._read_tree import Loop
from mlconnector.x12._sets import Id, Segment

__all__ = [
    "IT1",
    "PO1",
    "POC",
    "Charge",
    "Columns",
    "Goods",
    "charges",
    "company",
    "description",
    "goods",
    "party",
    "product_ids",
    "terms",
    "texts",
]

SERVICE = "LO"
_PER_POUND = "PP"
_PER_UNIT = ("", "PE", "UM")
_ALSO_PER_UNIT = ("LE", "CT", "QT", "NT", "WE", "SR")
_OUTSIDE_TOTAL = ("01", "15")


def party(reading: Reading, loop: Loop, *roles: str) -> Party | None:
    """The party of the first N1 with one of the roles, in their order.

    N104 is its number: by the profile's table, or as it stands. A qualifier other than 92 that no table explains stays
    in the extras.
    """
    found = next(loop.under("N1", *roles), None)
    if found is None:
        return None
    reading.take(found.head, 1)
    tax_id = ""
    if reading.peek(found.head, 3) == "FI" and _known(reading, found) is None:
        reading.take(found.head, 3)
        tax_id = reading.text(found.head, 4)
    return Party(
        number="" if tax_id else _own_number(reading, found),
        name=_name(reading, found),
        tax_id=tax_id or reading.text(reading.chosen(found, "REF", "TJ"), 2),
        address=_address(reading, found),
    )


def company(reading: Reading, *roles: str) -> str:
    """The number of the buyer in an N1; a name other than the profile's stays in the extras."""
    found = next(reading.root.under("N1", *roles), None)
    if found is None:
        return ""
    reading.take(found.head, 1)
    if reading.peek(found.head, 2) == reading.habits.profile.buyer_name:
        reading.take(found.head, 2)
    return _own_number(reading, found)


def _own_number(reading: Reading, loop: Loop) -> str:
    """The ERP's number of the party in an N1 loop."""
    known = _known(reading, loop)
    reading.code(loop.head, 3, "92")
    number = reading.text(loop.head, 4)
    if known is None:
        return number
    reading.take(loop.head, 3)
    return known


def _known(reading: Reading, loop: Loop) -> str | None:
    return reading.habits.parties.get(Id(reading.peek(loop.head, 3), reading.peek(loop.head, 4)))


def _name(reading: Reading, loop: Loop) -> str:
    """N102 and what N2 adds to it (section 3)."""
    names = [reading.text(loop.head, 2)]
    names += [reading.text(one, index) for one in loop.all("N2") for index in (1, 2)]
    return " ".join(name for name in names if name)


def _address(reading: Reading, loop: Loop) -> Address | None:
    lines = [text for one in loop.all("N3") for index in (1, 2) if (text := reading.text(one, index))]
    city, state, postal_code, country = (reading.text(loop.first("N4"), index) for index in (1, 2, 3, 4))
    if not (lines or city or state or postal_code or country):
        return None
    return Address(lines=lines, city=city, state=state, postal_code=postal_code, country=country)


@attrs.frozen
class Columns:
    """Where a line segment has its quantity, unit, price, price basis and first product id qualifier."""

    quantity: int
    unit: int
    price: int
    basis: int
    products: int


_NUMBERED = ("PO1", "POC", "IT1")
PO1 = Columns(quantity=2, unit=3, price=4, basis=5, products=6)
IT1 = PO1
POC = Columns(quantity=3, unit=5, price=6, basis=7, products=8)


@attrs.frozen(kw_only=True)
class Goods:
    """Quantity, unit, price and ids of a line. ``amount`` is exact and unrounded, ``None`` where it cannot be known."""

    kind: str
    quantity: Decimal | None
    unit: str
    unit_price: Decimal | None
    price_unit: str
    price_per: Decimal | None
    amount: Decimal | None
    item_ids: ReadOnly


def goods(reading: Reading, line: Segment, columns: Columns, sign: int = 1) -> Goods:
    """What PO1, POC and IT1 have in common; quantity and amount are multiplied by ``sign``.

    A price is per unit, per thousand with basis TP, per pound with PP. By a basis that the dictionary does not hold it
    cannot be told per what the price is: then ``price_per`` and ``amount`` are ``None``, the basis is in the extras.
    One of unit LO is a service: kind ``"amount"``, whose price is its amount (rule B14).
    """
    quantity = signed(reading.real(line, columns.quantity), sign)
    unit, price = reading.unit(line, columns.unit), reading.real(line, columns.price)
    basis = reading.code(line, columns.basis, *_PER_UNIT, _PER_POUND, *reading.habits.thousands)
    per: Decimal | None = Decimal(1)
    price_unit = unit if price is not None else ""
    if basis in reading.habits.thousands:
        per = THOUSAND
    elif basis == _PER_POUND:
        price_unit = reading.habits.units.get("LB", "LB")
    elif basis not in _PER_UNIT and basis not in _ALSO_PER_UNIT:
        per = None
    amount = None
    if quantity is not None and price is not None and per is not None and price_unit == unit:
        amount = EXACT.divide(EXACT.multiply(quantity, price), per)
    service = unit == SERVICE and amount is not None and quantity is not None and abs(quantity) == 1
    if service:
        quantity, price, per = Decimal(1), amount, Decimal(1)
    return Goods(
        kind="amount" if service else "item",
        quantity=quantity,
        unit=unit,
        unit_price=price,
        price_unit=price_unit,
        price_per=per,
        amount=amount,
        item_ids=ReadOnly(product_ids(reading, line, columns.products)),
    )


def product_ids(reading: Reading, line: Segment, begin: int) -> dict[str, str]:
    """Qualifier and id pairs as ``item_ids``: by the profile's keys, others under their qualifier.

    A second id under one key stands under its qualifier and element position, ``"BP10"``. A pair that only repeats the
    line's own number (``line_as_id``) is none.
    """
    found: dict[str, str] = {}
    for at in range(begin, len(line) - 1, 2):
        qualifier, value = reading.peek(line, at).upper(), reading.peek(line, at + 1)
        if not qualifier or not value:
            continue
        reading.take(line, at, at + 1)
        if line.id in _NUMBERED and qualifier == reading.habits.profile.line_as_id and value == reading.peek(line, 1):
            continue
        is_gtin = value.isdigit() and GTIN.get(len(value)) == qualifier
        key = reading.habits.products.get("GTIN" if is_gtin else qualifier, qualifier)
        found[key if key not in found else f"{qualifier}{at + 1:02}"] = value
    return found


def description(reading: Reading, loop: Loop) -> str:
    """PID05 of every description of the line, in one text."""
    found = []
    for one in loop.all("PID"):
        if reading.peek(one, 5):
            reading.code(one, 1, "F")
            found.append(reading.text(one, 5))
    return " ".join(found)


def texts(reading: Reading, loop: Loop) -> list[str]:
    """MSG texts of a loop, its own and those under N9, and the N903 that stand in their place at 005010."""
    found = [text for one in loop.all("MSG") if (text := reading.text(one, 1))]
    for note in loop.under("N9"):
        messages = [text for one in note.all("MSG") if (text := reading.text(one, 1))]
        if reading.peek(note.head, 1) == "L1" and reading.peek(note.head, 2) in ("", "NOTES"):
            reading.take(note.head, 1, 2)
            messages = [text for text in (reading.text(note.head, 3), *messages) if text]
        found += messages
    return found


@attrs.frozen(kw_only=True)
class Charge:
    """An allowance (negative) or a charge; ``kind`` is ``"text"`` for what is told but does not enter the total."""

    number: str
    kind: str
    description: str
    amount: Decimal | None
    extras: Extras


def charges(reading: Reading, loop: Loop, owner: str = "", sign: int = 1) -> Iterator[Charge]:
    """Every SAC of a loop. SAC05 is N2, SAC01 gives the direction; bill-backs and information do not count
    (sections 6 and 7). ``number`` is ``"SAC1"``, within line 3 ``"3/SAC1"``."""
    for index, inner in enumerate(loop.under("SAC"), 1):
        one = inner.head
        indicator, code = reading.code(one, 1), reading.peek(one, 2).upper()
        text = reading.text(one, 15)
        known = reading.habits.charges.get(code, "")
        told = text or known
        if told and (told == known or code == "F050"):
            reading.take(one, 2)
        amount = None
        if counts := indicator in ("A", "C") and reading.peek(one, 12) not in _OUTSIDE_TOTAL:
            reading.take(one, 1)
            amount = reading.real(one, 5, "N2")
            if amount is not None and indicator == "A":
                amount = signed(amount.copy_abs(), -1)
            amount = signed(amount, sign)
        elif not indicator:
            reading.fault("mandatory", one, 1, "is mandatory and missing")
        yield Charge(
            number=f"{owner}/SAC{index}" if owner else f"SAC{index}",
            kind="charge" if counts else "text",
            description=told,
            amount=amount,
            extras=reading.rest(inner),
        )


def terms(reading: Reading) -> str:
    """The ERP's code for the set's ITD by the profile's table; an ITD that no code says stays in the extras."""
    for one in reading.root.all("ITD"):
        fitting = [code for code, known in reading.habits.profile.terms.items() if _says(reading, one, known)]
        if fitting:
            table, text = reading.habits.profile.terms, reading.peek(one, 12)
            code = next((code for code in fitting if table[code].text == text), fitting[0])
            reading.take(one, 1, 2, 3, 5, 7)
            if table[code].text == text:
                reading.take(one, 12)
            return code
    return ""


def _says(reading: Reading, one: Segment, known: Terms) -> bool:
    numbers = [decimal_of(kind, reading.peek(one, index)) for index, kind in ((3, "R"), (5, "N0"), (7, "N0"))]
    names = (reading.peek(one, 1), reading.peek(one, 2))
    return names == (known.type, known.basis) and numbers == [known.percent, known.days, known.net_days]
