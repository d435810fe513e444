"""810 to invoices (X12 reference, section 7; rules B20, B40)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from decimal import Decimal

import attrs

from mlconnector.documents import Invoice, InvoiceLine
from mlconnector.x12._format import decimal_of
from mlconnector.x12._partner import Partner
from mlconnector.x12._read_base import Reading, add_up, difference, signed
from mlconnector.x12._read_parts import IT1, charges, company, description, goods, party, terms, texts
from mlconnector.x12._read_tree import ABSENT, Loop
from mlconnector.x12._sets import Segment, TransactionSet

__all__ = ["from_810"]

_SELLER = ("SE", "VN", "SU", "II")
_REMIT_TO = ("RI", "RE")
_CREDITS = ("CR", "CN")
_VOID = "01"


def from_810(ts: TransactionSet, *, partner: Partner | None = None) -> Invoice:
    """The invoice that an 810 carries.

    ``gross`` is TDS01 (N2). ``tax`` is every TXI together; those of an IT1 are the ``tax`` of that line, and those of
    the whole invoice lines of kind ``tax``, unless there is but one in all. Each SAC is a line of kind ``charge`` (an
    allowance is negative), NTE and MSG are lines of kind ``text``. Where items, charges and taxes are not the gross,
    ``extras["TDS01 difference"]`` says how much more it is (rule B40). BIG07 CR and CN make a ``credit``, whose gross
    is negative whichever sign the partner writes (section 7); other codes stay in the extras. ``number`` and
    ``supplier_invoice_number`` are BIG02, ``void`` is BIG08 01, ``company`` N1 BY (else BT), the supplier SE (else VN,
    SU, II), ``due_date`` ITD06, ``order_line`` IT101.

    Args:
        ts: The set.
        partner: Profile whose tables of parties, units, product ids, terms and charges are undone. Without one, units
            and parties are as they were sent.

    Raises:
        InvalidDocument: Another set, or content that cannot be read; with every fault.
    """
    reading = Reading(ts, partner, "810")
    root = reading.root
    head, total = reading.begin("BIG"), reading.begin("TDS")
    is_credit = reading.code(head, 7, "CR") in _CREDITS
    gross = reading.real(total, 1, "N2")
    sign = _sign(gross, reading.habits.profile) if is_credit else 1
    loops = list(root.under("IT1"))
    lines = [line for index, loop in enumerate(loops, 1) for line in _lines(reading, loop, index, sign)]
    line_taxes = [line.tax for line in lines if line.tax is not None]
    taxes = _taxes(reading, sign)
    if len(taxes) + len(line_taxes) > 1:
        lines += [_tax_line(reading, index, *tax) for index, tax in enumerate(taxes, 1)]
    lines += [*_charges(reading, root, sign), *_notes(reading)]
    reading.count(len(loops), [decimal_of("R", reading.peek(loop.head, IT1.quantity)) for loop in loops])
    all_taxes = [*(amount for _, amount in taxes), *line_taxes]
    known_taxes = [tax for tax in all_taxes if tax is not None]
    number = reading.text(head, 2)
    invoice = Invoice(
        number=number,
        kind="credit" if is_credit else "voucher",
        supplier_invoice_number=number,
        date=reading.day(head, 1),
        due_date=_due_date(reading),
        supplier=party(reading, root, *_SELLER),
        remit_to=party(reading, root, *_REMIT_TO),
        company=company(reading, "BY", "BT"),
        currency=reading.currency(),
        gross=signed(gross, sign),
        tax=add_up(known_taxes) if known_taxes else None,
        discount=signed(reading.real(total, 4, "N2"), sign),
        terms=terms(reading),
        lines=lines,
        purchase_order=reading.text(head, 4) or reading.text(reading.chosen(root, "REF", "PO"), 2),
        void=reading.code(head, 8, "00", _VOID) == _VOID,
    )
    extras = reading.rest(root)
    parts = [line.amount for line in lines if line.kind not in ("text", "tax")]
    difference(invoice.gross, [*parts, *all_taxes], extras, "TDS01 difference")
    reading.refuse_if_faulty()
    return attrs.evolve(invoice, extras=extras)


def _sign(gross: Decimal | None, profile: Partner) -> int:
    """What makes the amounts of a credit negative."""
    if not gross:
        return -1 if profile.credit_sign == "positive" else 1
    return -1 if gross > 0 else 1


def _lines(reading: Reading, loop: Loop, index: int, sign: int) -> Iterator[InvoiceLine]:
    """The line, its texts, and its allowances and charges."""
    number = reading.text(loop.head, 1)
    shown = number or str(index)
    found = goods(reading, loop.head, IT1, sign)
    taxes = list(loop.all("TXI"))
    for one in taxes:
        reading.code(one, 1, reading.habits.profile.tax_code)
    ordered = reading.text(reading.chosen(loop, "REF", "PO"), 2)
    messages = texts(reading, loop)
    beside = _charges(reading, loop, sign, shown)
    yield InvoiceLine(
        number=shown,
        kind=found.kind,
        description=description(reading, loop),
        item_ids=found.item_ids,
        quantity=found.quantity,
        unit=found.unit,
        unit_price=found.unit_price,
        price_unit=found.price_unit,
        price_per=found.price_per,
        amount=found.amount,
        tax=signed(reading.total(taxes, 2), sign),
        purchase_order=ordered,
        order_line=number,
        extras=reading.rest(loop),
    )
    for at, text in enumerate(messages, 1):
        yield InvoiceLine(number=f"{shown}/MSG{at}", kind="text", description=text, order_line=number)
    for charge in beside:
        yield attrs.evolve(charge, order_line=number, purchase_order=ordered)


def _taxes(reading: Reading, sign: int) -> list[tuple[Segment, Decimal | None]]:
    """Every TXI of the whole invoice with its amount."""
    root, code = reading.root, reading.habits.profile.tax_code
    found = [*root.all("TXI"), *(tax for charge in root.under("SAC") for tax in charge.all("TXI"))]
    for one in found:
        reading.code(one, 1, code)
    return [(one, signed(reading.real(one, 2), sign)) for one in found]


def _tax_line(reading: Reading, index: int, segment: Segment, amount: Decimal | None) -> InvoiceLine:
    return InvoiceLine(number=f"TXI{index}", kind="tax", amount=amount, extras=reading.rest(Loop(segment)))


def _charges(reading: Reading, loop: Loop, sign: int, owner: str = "") -> list[InvoiceLine]:
    return [
        InvoiceLine(
            number=one.number,
            kind=one.kind,
            description=one.description,
            amount=one.amount,
            extras=one.extras,
        )
        for one in charges(reading, loop, owner, sign)
    ]


def _notes(reading: Reading) -> Iterator[InvoiceLine]:
    for index, one in enumerate(reading.root.all("NTE"), 1):
        text = reading.text(one, 2)
        yield InvoiceLine(number=f"NTE{index}", kind="text", description=text, extras=reading.rest(Loop(one)))
    for index, text in enumerate(texts(reading, reading.root), 1):
        yield InvoiceLine(number=f"MSG{index}", kind="text", description=text)


def _due_date(reading: Reading) -> dt.date | None:
    one = next((one for one in reading.root.all("ITD") if reading.peek(one, 6)), ABSENT)
    reading.code(one, 1, "14")
    return reading.day(one, 6)
