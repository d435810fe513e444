"""820 to payments (X12 reference, section 7; rule B30)."""

from __future__ import annotations

from collections.abc import Mapping

import attrs

from mlconnector.documents import Application, Payment
from mlconnector.x12._format import decimal_of
from mlconnector.x12._partner import Partner
from mlconnector.x12._read_base import Reading, add_up, difference, signed
from mlconnector.x12._read_parts import party
from mlconnector.x12._read_tree import Loop
from mlconnector.x12._sets import Segment, TransactionSet

__all__ = ["from_820"]

_METHODS: Mapping[str, str] = {"CHK": "check", "ACH": "ach", "FWT": "wire", "CCC": "card", "NON": ""}
_ACCOUNTS = frozenset(("BPR09", "BPR15", "BPR21"))
_INVOICE, _CREDIT = "IV", "CM"


class _Account(str):
    """An account number in the extras: a str like any other, but not shown by ``repr``."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "'***'"


def from_820(ts: TransactionSet, *, partner: Partner | None = None) -> Payment:
    """The payment that an 820 carries.

    Each RMR is an application, one of kind CM a credit; ``amount`` is RMR04, ``discount`` RMR06, ``withheld`` the ADX
    under it with the profile's ``withholding_reason``. RMR05 is left out where it is what these add up to. Other
    adjustments are in the extras (``"ENT*1/RMR*IV*S-77/ADX01"``); ``extras["BPR02 difference"]`` says how much more the
    payment is than everything in it. ``bank_reference`` is TRN02, and ``number`` too, unless REF has our own number
    (``partner.voucher_reference``). Bank accounts stand in the extras, and are not shown by ``repr``.

    Args:
        ts: The set; RMR without ENT before it are read.
        partner: Profile whose tables of parties and payment methods are undone.

    Raises:
        InvalidDocument: Another set, or content that cannot be read; with every fault.
    """
    reading = Reading(ts, partner, "820", implied="ENT")
    root, profile = reading.root, reading.habits.profile
    head, trace = reading.begin("BPR"), root.first("TRN")
    reading.code(head, 1, "I")
    reading.code(head, 3, "C")
    reading.code(trace, 1, "1")
    reading.code(trace, 3, profile.originator)
    bank_reference = reading.text(trace, 2)
    number = reading.text(reading.chosen(root, "REF", profile.voucher_reference), 2) or bank_reference
    if not number:
        reading.faults.append(("mandatory", "TRN02 is missing, so the payment has no number"))
    entities = list(root.under("ENT"))
    told = [(one.head[1].strip().upper(), _application(reading, one)) for two in entities for one in two.under("RMR")]
    adjustments = [decimal_of("R", reading.peek(one, 1)) for entity in entities for one in entity.all("ADX")]
    for entity in entities:
        reading.take(entity.head, 1)
    payment = Payment(
        number=number,
        date=reading.day(head, 16),
        method=_method(reading, head),
        amount=reading.real(head, 2),
        currency=reading.currency(),
        payee=party(reading, root, "PE"),
        bank_reference=bank_reference,
        applications=[one for qualifier, one in told if qualifier != _CREDIT],
        credits=[one for qualifier, one in told if qualifier == _CREDIT],
    )
    extras = reading.rest(root)
    if told:
        parts = [*(one.amount for _, one in told), *adjustments]
        difference(payment.amount, parts, extras, "BPR02 difference")
    reading.refuse_if_faulty()
    return attrs.evolve(payment, extras=extras | {name: _Account(extras[name]) for name in _ACCOUNTS & extras.keys()})


def _method(reading: Reading, head: Segment) -> str:
    code = reading.text(head, 4).upper()
    return reading.habits.methods.get(code) or _METHODS.get(code, code)


def _application(reading: Reading, loop: Loop) -> Application:
    head, reason = loop.head, reading.habits.profile.withholding_reason
    reading.code(head, 1, _INVOICE, _CREDIT)
    invoice, paid, discount = reading.need(head, 2), reading.real(head, 4), reading.real(head, 6)
    withholdings = [one for one in loop.all("ADX") if reason is not None and reading.peek(one, 2) == reason]
    for one in withholdings:
        reading.take(one, 2)
    withheld = signed(reading.total(withholdings, 1), -1)
    settled = add_up(one for one in (paid, discount, withheld) if one is not None)
    if decimal_of("R", reading.peek(head, 5)) == settled:
        reading.take(head, 5)
    return Application(invoice=invoice, amount=paid, discount=discount, withheld=withheld)
