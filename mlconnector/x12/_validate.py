"""Validation against the dictionary: every fault at once. Knows nothing of the mappers."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from mlconnector.x12._codec import Unreadable, items
from mlconnector.x12._dictionary import Dictionary, codes, dictionary
from mlconnector.x12._elements import segment_findings
from mlconnector.x12._format import CENT, decimal_of
from mlconnector.x12._format import number as shown
from mlconnector.x12._sets import Finding, TransactionSet
from mlconnector.x12._structure import structure_findings

__all__ = ["validate"]

_COUNTED = {"850": ("PO1", 2), "855": ("PO1", 2), "860": ("POC", 3), "865": ("POC", 3), "810": ("IT1", 2)}
_THOUSAND = Decimal(1000)
_COMPARABLE = ("", "PE", "UM", "LE", "CT", "QT", "NT", "WE", "SR")
_OUTSIDE_TOTAL = ("01", "15")


def validate(ts_or_text: TransactionSet | str | bytes | Any) -> list[Finding]:
    """Every fault of a set, or of everything in a text, bytes or file.

    Of a set: order, loops and limits, mandatory segments and elements, lengths, types, dates, codes, relational notes,
    the functional group, CTT and TDS. Of a text also the envelope: widths, counts, control numbers. Codes that the
    dictionary does not hold are warnings, because public lists are not complete. An empty list, or one without
    severity ``"error"``, is a valid set.
    """
    if isinstance(ts_or_text, TransactionSet):
        return list(_set(ts_or_text))
    return list(_text(ts_or_text))


def _text(source: Any) -> Iterator[Finding]:
    head: object = None
    numbers: tuple[object, set[str]] = (None, set())
    for item in items(source):
        if item.interchange is not None and item.interchange is not head:
            head = item.interchange
            yield from item.interchange.findings
        if isinstance(item, Unreadable):
            yield from item.findings
            continue
        yield from item.findings
        yield from _set(item)
        if item.group is not numbers[0]:
            numbers = (item.group, set())
        if item.group is not None and item.control_number in numbers[1]:
            message = f"ST02 {item.control_number!r} stands twice in the group."
            yield Finding("ST02", "control number", item.control_number[:99], "error", "AK502:23", message, "ST", 1, 2)
        numbers[1].add(item.control_number)


def _set(ts: TransactionSet) -> Iterator[Finding]:
    tables = dictionary(ts.version)
    if tables is None:
        tables = _nearest(ts.version)
        message = f"Version {ts.version!r} is not in the dictionary; {tables.version} was used."
        yield Finding("GS08", "version", ts.version[:99], "warning", "AK905:2", message)
    if ts.code == "TA1":
        yield from _segments(ts, tables)
        return
    yield from _frame(ts)
    steps = tables.sets.get(ts.code)
    if steps is None:
        message = f"The set {ts.code!r} is not in the dictionary."
        yield Finding("ST01", "set", ts.code[:99], "warning", "AK502:1", message, "ST", 1, 1)
    else:
        yield from structure_findings(steps, ts.segments, tables.segments)
    yield from _segments(ts, tables)
    if ts.code in _COUNTED:
        yield from _totals(ts)
    if ts.code == "810":
        yield from _invoice_total(ts)


def _nearest(version: str) -> Dictionary:
    found = dictionary("005010" if version[:6] > "005010" else "004010")
    assert found is not None
    return found


def _segments(ts: TransactionSet, tables: Dictionary) -> Iterator[Finding]:
    for position, segment in enumerate(ts.segments, 2):
        spec = tables.segments.get(segment.id)
        if spec is not None:
            yield from segment_findings(spec, segment, position)


def _frame(ts: TransactionSet) -> Iterator[Finding]:
    number = ts.control_number
    if not 4 <= len(number) <= 9 or not number.isalnum():
        message = f"ST02 {number[:99]!r} is not 4 to 9 characters."
        yield Finding("ST02", "control number", number[:99], "error", "AK502:7", message, "ST", 1, 2)
    expected = codes().sets.get(ts.code, ("", ""))[1]
    if ts.group is not None and expected and ts.group.functional_id != expected:
        value = ts.group.functional_id
        message = f"GS01 is {value!r}, a {ts.code} belongs into {expected!r}."
        yield Finding("GS01", "group", value[:99], "error", "AK502:6", message, "GS", 0, 1)


def _totals(ts: TransactionSet) -> Iterator[Finding]:
    tag, at = _COUNTED[ts.code]
    counted = list(ts.all(tag))
    quantities = [decimal_of("R", one[at]) or Decimal(0) for one in counted]
    for total in ts.all("CTT"):
        if decimal_of("N0", total[1]) != len(counted):
            yield _arithmetic("CTT01", total[1], f"CTT01 is {total[1]!r}, there are {len(counted)} {tag}.")
        told = decimal_of("R", total[2])
        plain = sum(quantities, Decimal(0))
        if total[2] and told not in (plain, _hash(quantities)):
            yield _arithmetic("CTT02", total[2], f"CTT02 is {total[2]!r}, the quantities are {shown(plain)}.")


def _hash(values: list[Decimal]) -> Decimal:
    return Decimal(sum(int(shown(abs(value)).replace(".", "")) for value in values) % 10**10)


def _arithmetic(ref: str, value: str, message: str) -> Finding:
    return Finding(ref, "arithmetic", value[:99], "error", "", message, ref[:3], 0, int(ref[3:]))


def _invoice_total(ts: TransactionSet) -> Iterator[Finding]:
    """TDS01 against lines, allowances, charges and taxes; nothing where a line's basis cannot be multiplied out."""
    told = [decimal_of("N2", one[1]) for one in ts.all("TDS")]
    lines = [_extended(one) for one in ts.all("IT1")]
    if len(told) != 1 or told[0] is None or None in lines:
        return
    others = [value for one in ts.segments for value in _beside(one)]
    found = sum((value for value in (*lines, *others) if value is not None), Decimal(0))
    # Receivers round once or per line, and both are right: each line may be half a cent away.
    if abs(found - told[0]) > CENT / 2 * (len(lines) + 1):
        value = next(ts.all("TDS"))[1]
        message = f"TDS01 is {shown(told[0])}, lines, charges and taxes are {shown(found)}."
        yield _arithmetic("TDS01", value, message)


def _extended(line: tuple[str, ...]) -> Decimal | None:
    quantity, price = decimal_of("R", line[2]), decimal_of("R", line[4])
    if quantity is None or price is None:
        return Decimal(0) if not line[2] and not line[4] else None
    if line[5] == "TP":
        return quantity * price / _THOUSAND
    return quantity * price if line[5] in _COMPARABLE else None


def _beside(segment: tuple[str, ...]) -> Iterator[Decimal | None]:
    if segment[0] == "TXI":
        yield decimal_of("R", segment[2])
    elif segment[0] == "SAC" and segment[1] in ("A", "C") and segment[12] not in _OUTSIDE_TOTAL:
        amount = decimal_of("N2", segment[5])
        yield None if amount is None else (-abs(amount) if segment[1] == "A" else amount)
