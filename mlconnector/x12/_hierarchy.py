"""Parentage of HL loops: what belongs to what in an 856 (X12 reference, section 7)."""

from __future__ import annotations

from collections.abc import Iterator

import attrs

from mlconnector.x12._sets import Finding, Segment, Severity, TransactionSet

__all__ = ["hierarchy_findings"]

_HAS_CHILDREN, _HAS_NONE = "1", "0"


@attrs.define
class _Level:
    position: int
    segment: Segment
    parent_of: int = 0


def hierarchy_findings(ts: TransactionSet) -> Iterator[Finding]:
    """Every HL whose number, parent or flag is wrong.

    A repeated number and a parent that is not there, or comes later, are errors, because nobody can tell what belongs
    to what. Numbers out of sequence, a second level without parent and an HL04 that misleads are warnings: readers go
    by HL02 alone.
    """
    seen: dict[str, _Level] = {}
    levels = [(position, one) for position, one in enumerate(ts.segments, 2) if one.id == "HL"]
    for count, (position, one) in enumerate(levels, 1):
        number, parent = one[1], one[2]
        if number in seen:
            yield _finding(one, position, 1, "stands twice", "error")
        elif number and number.lstrip("0") != str(count):
            yield _finding(one, position, 1, f"is out of sequence, {count} comes here", "warning")
        if parent in seen:
            seen[parent].parent_of += 1
        elif parent:
            yield _finding(one, position, 2, "is no HL before this one", "error")
        elif count > 1:
            yield _finding(one, position, 2, "is empty, but only the first HL has no parent", "warning")
        if number:
            seen.setdefault(number, _Level(position, one))
    for level in seen.values():
        flag = level.segment[4]
        if (flag == _HAS_NONE and level.parent_of) or (flag == _HAS_CHILDREN and not level.parent_of):
            yield _finding(level.segment, level.position, 4, f"does not fit {level.parent_of} children", "warning")


def _finding(one: Segment, position: int, element: int, what: str, severity: Severity) -> Finding:
    ref, value = f"HL{element:02}", one[element][:99]
    message = f"{ref} {value!r} {what}." if value else f"{ref} {what}."
    code = "AK403:7" if severity == "error" else ""
    return Finding(f"segment {position} {ref}", "hierarchy", value, severity, code, message, "HL", position, element)
