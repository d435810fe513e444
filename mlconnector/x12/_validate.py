"""Validation against the dictionary: every fault at once. Knows nothing of the mappers."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from mlconnector.x12._arithmetic import arithmetic_findings, surely_counted
from mlconnector.x12._codec import Unreadable, items_and_texts, with_segments
from mlconnector.x12._dictionary import Dictionary, codes, dictionary
from mlconnector.x12._elements import segment_findings
from mlconnector.x12._glance import grammar, patterns, read_lines
from mlconnector.x12._hierarchy import hierarchy_findings
from mlconnector.x12._scan import element_of
from mlconnector.x12._sets import Finding, TransactionSet, ids
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
        return _set(ts_or_text, ids(ts_or_text.segments), ts_or_text.lines, lambda: ts_or_text)
    return _text(ts_or_text)


def _text(source: Any) -> list[Finding]:
    found: list[Finding] = []
    head = group = None
    numbers: set[str] = set()
    for item, texts in items_and_texts(source, whole=False):
        if item.interchange is not head and item.interchange is not None:
            head = item.interchange
            found += head.findings
        found += item.findings
        if isinstance(item, Unreadable):
            continue
        found += _read_set(item, texts, element_of(head) if head is not None else "")
        if item.group is not group:
            group, numbers = item.group, set()
        if group is not None and item.control_number in numbers:
            message = f"ST02 {item.control_number!r} stands twice in the group."
            value = item.control_number[:99]
            found.append(Finding("ST02", "control number", value, "error", "AK502:23", message, "ST", 1, 2))
        numbers.add(item.control_number)
    return found


def _read_set(ts: TransactionSet, texts: list[str], element: str) -> list[Finding]:
    if not texts:
        return _set(ts, ids(ts.segments), ts.lines, lambda: ts)
    tags = [text.partition(element)[0] for text in texts]
    whole = functools.cache(functools.partial(with_segments, ts, texts, element))
    return _set(ts, tags, read_lines(texts, element), whole)


def _set(
    ts: TransactionSet, tags: Sequence[str], lines: list[str] | None, whole: Callable[[], TransactionSet]
) -> list[Finding]:
    """Faults of a set, of which the segments are asked (``whole``) only where a fault may be.

    Args:
        ts: May lack its segments.
        tags: Their ids. ``lines``: as :attr:`TransactionSet.lines`.
    """
    found: list[Finding] = []
    tables = dictionary(ts.version)
    if tables is None:
        tables = _nearest(ts.version)
        message = f"Version {ts.version!r} is not in the dictionary; {tables.version} was used."
        found.append(Finding("GS08", "version", ts.version[:99], "warning", "AK905:2", message))
    if ts.code != "TA1":
        found += _frame(ts)
        steps = tables.sets.get(ts.code)
        if steps is None:
            message = f"The set {ts.code!r} is not in the dictionary."
            found.append(Finding("ST01", "set", ts.code[:99], "warning", "AK502:1", message, "ST", 1, 1))
        elif not grammar(tables.version, ts.code).accepts(tags):
            found += structure_findings(steps, whole().segments, tables.segments)
    for at in patterns(tables.version).doubtful(tags, lines):
        spec = tables.segments.get(tags[at])
        if spec is not None:
            found += segment_findings(spec, whole().segments[at], at + 2)
    if not surely_counted(ts.code, tags, lines):
        found += arithmetic_findings(whole(), tags)
    if ts.code == "856":
        found += hierarchy_findings(whole())
    return found


def _nearest(version: str) -> Dictionary:
    found = dictionary("005010" if version[:6] > "005010" else "004010")
    assert found is not None
    return found


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
