"""Sums a set states about itself: CTT, TDS of an invoice, BPR of a payment (X12 reference, section 7)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal

import attrs

from mlconnector.x12._format import CENT, decimal_of
from mlconnector.x12._format import number as shown
from mlconnector.x12._sets import SEPARATOR, Finding, Segment, TransactionSet

__all__ = ["arithmetic_findings", "hash_total", "surely_counted"]

ZERO = Decimal(0)
_THOUSAND = Decimal(1000)
_COMPARABLE = ("", "PE", "UM", "LE", "CT", "QT", "NT", "WE", "SR")
_OUTSIDE_TOTAL = ("01", "15")
_HASH_LIMIT = 10_000_000_000


@attrs.frozen
class _Counted:
    """What CTT01 counts, and which element of which segment CTT02 adds up."""

    counted: str
    added: str
    at: int


_COUNTED = {
    "850": _Counted("PO1", "PO1", 2),
    "855": _Counted("PO1", "PO1", 2),
    "860": _Counted("POC", "POC", 3),
    "865": _Counted("POC", "POC", 3),
    "810": _Counted("IT1", "IT1", 2),
    "856": _Counted("HL", "SN1", 2),
}
_ONLY_COUNTED = _COUNTED.keys() - {"810"}


def arithmetic_findings(ts: TransactionSet, tags: Sequence[str]) -> Iterator[Finding]:
    """Every stated sum that does not fit what stands in the set. The standard has no acknowledgment code for these.

    ``tags``: the ids of its segments.
    """
    if ts.code in _COUNTED:
        yield from _totals(ts, tags, _COUNTED[ts.code])
    if ts.code == "810":
        yield from _invoice_total(ts)
    elif ts.code == "820":
        yield from _payment_total(ts)


def surely_counted(code: str, tags: Sequence[str], lines: Sequence[str] | None) -> bool:
    """Whether the set states nothing but how many lines it has, and that right. ``lines``: those of the set."""
    if code not in _ONLY_COUNTED or not lines or tags.count("CTT") != 1:
        return False
    return lines[-1] == f"CTT{SEPARATOR}{tags.count(_COUNTED[code].counted)}"


def hash_total(values: list[Decimal]) -> Decimal:
    """CTT02 by definition: digits added without points and signs, leftmost cut past ten (section 7, 850)."""
    return Decimal(sum(int(shown(abs(value)).replace(".", "")) for value in values) % _HASH_LIMIT)


def _totals(ts: TransactionSet, tags: Sequence[str], told_of: _Counted) -> Iterator[Finding]:
    begin = tags.index("CTT") if "CTT" in tags else len(tags)
    for total in (one for one in ts.segments[begin:] if one.id == "CTT"):
        counted = tags.count(told_of.counted)
        if total[1] != str(counted) and decimal_of("N0", total[1]) != counted:
            yield _arithmetic("CTT01", total[1], f"CTT01 is {total[1][:99]!r}, there are {counted} {told_of.counted}.")
        if len(total) < 3 or not total[2]:
            continue
        quantities = [decimal_of("R", one[told_of.at]) or ZERO for one in ts.all(told_of.added)]
        plain = sum(quantities, ZERO)
        if decimal_of("R", total[2]) not in (plain, hash_total(quantities)):
            yield _arithmetic("CTT02", total[2], f"CTT02 is {total[2][:99]!r}, the quantities are {shown(plain)}.")


def _arithmetic(ref: str, value: str, message: str) -> Finding:
    return Finding(ref, "arithmetic", value[:99], "error", "", message, ref[:3], 0, int(ref[3:]))


def _invoice_total(ts: TransactionSet) -> Iterator[Finding]:
    """TDS01 against lines, allowances, charges and taxes; nothing where a line's basis cannot be multiplied out."""
    told = [decimal_of("N2", one[1]) for one in ts.all("TDS")]
    lines = [_extended(one) for one in ts.all("IT1")]
    if len(told) != 1 or told[0] is None or None in lines:
        return
    others = [value for one in ts.segments for value in _beside(one)]
    found = sum((value for value in (*lines, *others) if value is not None), ZERO)
    # Receivers round once or per line, and both are right: each line may be half a cent away.
    if abs(found - told[0]) > CENT / 2 * (len(lines) + 1):
        value = next(ts.all("TDS"))[1]
        message = f"TDS01 is {shown(told[0])}, lines, charges and taxes are {shown(found)}."
        yield _arithmetic("TDS01", value, message)


def _extended(line: Segment) -> Decimal | None:
    quantity, price = decimal_of("R", line[2]), decimal_of("R", line[4])
    if quantity is None or price is None:
        return ZERO if not line[2] and not line[4] else None
    if line[5] == "TP":
        return quantity * price / _THOUSAND
    return quantity * price if line[5] in _COMPARABLE else None


def _beside(segment: Segment) -> Iterator[Decimal | None]:
    if segment.id == "TXI":
        yield decimal_of("R", segment[2])
    elif segment.id == "SAC" and segment[1] in ("A", "C") and segment[12] not in _OUTSIDE_TOTAL:
        amount = decimal_of("N2", segment[5])
        yield None if amount is None else (-abs(amount) if segment[1] == "A" else amount)


def _payment_total(ts: TransactionSet) -> Iterator[Finding]:
    """BPR02 against RMR04 and the ADX that stand before the RMR of their ENT; nothing where an amount is not told.

    An RMR whose own amounts do not fit is a warning, because RMR05 may be the whole amount of an invoice that is paid
    in part (rule B30).
    """
    paid: list[Decimal | None] = []
    invoices: list[tuple[int, Segment, list[Decimal | None]]] = []
    open_invoice = False
    for position, one in enumerate(ts.segments, 2):
        if one.id == "ENT":
            open_invoice = False
        elif one.id == "RMR":
            open_invoice = True
            paid.append(decimal_of("R", one[4]))
            invoices.append((position, one, []))
        elif one.id == "ADX":
            (invoices[-1][2] if open_invoice else paid).append(decimal_of("R", one[1]))
    for position, one, adjustments in invoices:
        yield from _settled(one, position, adjustments)
    told = [decimal_of("R", one[2]) for one in ts.all("BPR")]
    known = [value for value in paid if value is not None]
    if not invoices or len(known) < len(paid) or len(told) != 1 or told[0] is None:
        return
    found = sum(known, ZERO)
    if found != told[0]:
        value = next(ts.all("BPR"))[2]
        yield _arithmetic("BPR02", value, f"BPR02 is {shown(told[0])}, invoices and adjustments are {shown(found)}.")


def _settled(one: Segment, position: int, adjustments: list[Decimal | None]) -> Iterator[Finding]:
    """RMR04 = RMR05 - RMR06 + RMR08 + ADX01."""
    paid, gross, *others = (decimal_of("R", one[index]) for index in (4, 5, 6, 8))
    if paid is None or gross is None:
        return
    discount, adjusted = (value or ZERO for value in others)
    settled = gross - discount + adjusted + sum((value or ZERO for value in adjustments), ZERO)
    if settled != paid:
        message = f"RMR04 is {shown(paid)}, amount, discount and adjustments are {shown(settled)}."
        yield Finding(
            f"segment {position} RMR04", "arithmetic", one[4][:99], "warning", "", message, "RMR", position, 4
        )
