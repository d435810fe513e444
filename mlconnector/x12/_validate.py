"""Validation against the dictionary: every fault at once. Knows nothing of the mappers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from mlconnector.x12._arithmetic import arithmetic_findings
from mlconnector.x12._codec import Unreadable, items
from mlconnector.x12._dictionary import Dictionary, codes, dictionary
from mlconnector.x12._elements import segment_findings
from mlconnector.x12._hierarchy import hierarchy_findings
from mlconnector.x12._sets import Finding, TransactionSet
from mlconnector.x12._structure import structure_findings

__all__ = ["validate"]


def validate(ts_or_text: TransactionSet | str | bytes | Any) -> list[Finding]:
    """Every fault of a set, or of everything in a text, bytes or file.

    Of a set: order, loops and limits, mandatory segments and elements, lengths, types, dates, codes, relational notes,
    the functional group, the sums in CTT, TDS and BPR, the parentage of HL. Of a text also the envelope: widths,
    counts, control numbers. Codes that the dictionary does not hold are warnings, because public lists are not
    complete. An empty list, or one without severity ``"error"``, is a valid set.
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
    yield from arithmetic_findings(ts)
    if ts.code == "856":
        yield from hierarchy_findings(ts)


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
