"""850 and 860 to purchase orders (X12 reference, section 7)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from decimal import Decimal

import attrs

from mlconnector.documents import OrderLine, PurchaseOrder, Schedule
from mlconnector.x12._format import decimal_of
from mlconnector.x12._partner import Partner
from mlconnector.x12._read_base import EXACT, Reading
from mlconnector.x12._read_parts import PO1, POC, Columns, charges, company, description, goods, party, terms, texts
from mlconnector.x12._read_tree import ABSENT, Loop
from mlconnector.x12._sets import Segment, TransactionSet

__all__ = ["from_850", "from_860"]

_SELLER = ("SE", "VN", "SU")
_REQUESTED = ("002", "106")
_CANCELLATION = "01"
_DELETED = "DI"


@attrs.frozen
class _Form:
    """Where an order or a change has what. ``plain``: the purpose that says nothing; ``counted``: summed in CTT02."""

    plain: str
    date: int
    line: str
    counted: int
    columns: Columns
    is_change: bool = False


_ORDER = _Form("00", 5, "PO1", 2, PO1)
_CHANGE = _Form("04", 6, "POC", 3, POC, is_change=True)
_CHANGE_OLD_NEW = attrs.evolve(_CHANGE, columns=attrs.evolve(POC, quantity=4))


def from_850(ts: TransactionSet, *, partner: Partner | None = None) -> PurchaseOrder:
    """The order that an 850 carries.

    Purpose 01 gives the status ``cancelled``, type DS ``drop_ship``, BEG04 ``original_order``; N1 BY is the company, SE
    (else VN, SU) the supplier. SAC and MSG become lines of kind ``charge`` (``"SAC1"``, of line 3 ``"3/SAC1"``) and
    ``text``; notes of the whole order ``notes``. A line without PO101 is numbered by its place. What no field holds
    is in ``extras`` of the order or the line: ``"BEG06"``, ``"REF*DP"``, ``"N1*BY/PER*BD"``.

    Args:
        ts: The set.
        partner: Profile whose tables of parties, units, product ids, terms, freight and charges are undone. Without
            one, units and parties are as they were sent.

    Raises:
        InvalidDocument: Another set, or content that cannot be read; with every fault.
    """
    reading = Reading(ts, partner, "850")
    return _order(reading, reading.begin("BEG"), _ORDER)


def from_860(ts: TransactionSet, *, partner: Partner | None = None) -> PurchaseOrder:
    """The change that an 860 carries: an order with the lines that change, each with its code in ``extras["POC02"]``.

    ``revision`` is BCH05. ``quantity`` is the new total, found by ``partner.poc_quantities``; with ``total_left``
    POC04 is ``open_quantity``, and by what POC03 is more was received. A deleted line is ``cancelled``, and so is the
    whole order with purpose 01. All else as for :func:`from_850`.

    Raises:
        InvalidDocument: Another set, or content that cannot be read; with every fault. Cause ``quantity``: more is left
            to receive than the new total, so POC03 and POC04 mean something else than the profile says.
    """
    reading = Reading(ts, partner, "860")
    head = reading.begin("BCH")
    form = _CHANGE_OLD_NEW if reading.habits.profile.poc_quantities == "old_new" else _CHANGE
    return _order(reading, head, form, revision=reading.text(head, 5))


def _order(reading: Reading, head: Segment, form: _Form, revision: str = "") -> PurchaseOrder:
    profile, root = reading.habits.profile, reading.root
    if profile.release_reference is None:
        original = reading.text(head, 4)
    else:
        original = reading.text(reading.chosen(root, "REF", profile.release_reference), 2)
    purpose = reading.code(head, 1, form.plain, _CANCELLATION)
    kind = reading.code(head, 2, "DS", profile.order_type, *(("RL",) if original else ()))
    common = next((one for one in root.all("DTM", *_REQUESTED) if reading.peek(one, 2)), ABSENT)
    common_date = reading.peek_day(common, 2)
    loops = list(root.under(form.line))
    lines = [line for index, loop in enumerate(loops, 1) for line in _lines(reading, loop, index, form, common_date)]
    if common_date in [line.requested_date for line in lines if line.kind != "text"]:
        reading.take(common, 1, 2)
    lines += _charges(reading, root)
    reading.count(len(loops), [decimal_of("R", reading.peek(loop.head, form.counted)) for loop in loops])
    order = PurchaseOrder(
        number=reading.text(head, 3),
        revision=revision,
        date=reading.day(head, form.date),
        company=company(reading, "BY"),
        supplier=party(reading, root, *_SELLER),
        ship_to=party(reading, root, "ST"),
        bill_to=party(reading, root, "BT"),
        buyer=reading.text(reading.chosen(root, "PER", "BD"), 2),
        currency=reading.currency(),
        terms=terms(reading),
        freight=_freight(reading),
        notes=texts(reading, root),
        original_order=original,
        lines=lines,
        total=_total(reading),
        status="cancelled" if purpose == _CANCELLATION else "open",
        drop_ship=kind == "DS",
        extras=reading.rest(root),
    )
    reading.refuse_if_faulty()
    return order


def _freight(reading: Reading) -> str:
    fob = reading.root.first("FOB")
    return reading.habits.freight.get(reading.code(fob, 1, *reading.habits.freight), "")


def _total(reading: Reading) -> Decimal | None:
    totals = next(reading.root.under("CTT"), Loop(ABSENT))
    return reading.real(reading.chosen(totals, "AMT", "TT"), 2)


def _lines(reading: Reading, loop: Loop, index: int, form: _Form, common_date: dt.date | None) -> Iterator[OrderLine]:
    """The line, its texts, and its allowances and charges."""
    head, profile = loop.head, reading.habits.profile
    number = reading.text(head, 1) or str(index)
    left, received = _quantities(reading, head) if form.is_change else (None, None)
    found = goods(reading, head, form.columns)
    schedules = [_schedule(reading, one.head, reading.peek(head, form.columns.unit)) for one in loop.under("SCH")]
    requested = reading.dated(loop, *_REQUESTED) or (None if schedules else common_date)
    messages = texts(reading, loop)
    extra_charges = _charges(reading, loop, number)
    deleted = form.is_change and reading.peek(head, 2).upper() == _DELETED
    yield OrderLine(
        number=number,
        kind=found.kind,
        description=description(reading, loop),
        item_ids=found.item_ids,
        quantity=found.quantity,
        unit=found.unit,
        unit_price=found.unit_price,
        price_unit=found.price_unit,
        price_per=found.price_per,
        amount=found.amount,
        received_quantity=received,
        open_quantity=left,
        requested_date=requested,
        schedules=schedules,
        ship_to=party(reading, loop, "ST"),
        account=_reference(reading, loop, profile.account_reference),
        cost_center=_reference(reading, loop, profile.cost_center_reference),
        status="cancelled" if deleted else "open",
        extras=reading.rest(loop),
    )
    for at, text in enumerate(messages, 1):
        yield OrderLine(number=f"{number}/MSG{at}", kind="text", description=text)
    yield from extra_charges


def _reference(reading: Reading, loop: Loop, qualifier: str | None) -> str:
    return "" if qualifier is None else reading.text(reading.chosen(loop, "REF", qualifier), 2)


def _quantities(reading: Reading, head: Segment) -> tuple[Decimal | None, Decimal | None]:
    """Open and received quantity: what POC04 says beside the new total (section 7, 860)."""
    meaning = reading.habits.profile.poc_quantities
    if meaning == "old_new":
        return None, None
    total = decimal_of("R", reading.peek(head, 3))
    if meaning == "new_new":
        if decimal_of("R", reading.peek(head, 4)) == total:
            reading.take(head, 4)
        return None, None
    left = reading.real(head, 4)
    if left is None:
        return None, None
    if total is not None and left > total:
        reading.fault("quantity", head, 4, f"is more than POC03 {reading.peek(head, 3)}; the profile must tell both")
    received = EXACT.subtract(total, left) if total is not None else Decimal(0)
    return left, received or None


def _schedule(reading: Reading, head: Segment, unit: str) -> Schedule:
    reading.code(head, 2, unit.upper())
    reading.code(head, 5, *_REQUESTED)
    return Schedule(quantity=reading.real(head, 1), date=reading.day(head, 6))


def _charges(reading: Reading, loop: Loop, owner: str = "") -> list[OrderLine]:
    return [
        OrderLine(number=one.number, kind=one.kind, description=one.description, amount=one.amount, extras=one.extras)
        for one in charges(reading, loop, owner)
    ]
