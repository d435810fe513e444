"""Checks of one segment against the dictionary: elements, their lengths, types and codes, and the relational notes."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator

import attrs

from mlconnector.x12._dictionary import ElementSpec, Note, SegmentSpec, codes
from mlconnector.x12._format import is_date, is_time
from mlconnector.x12._sets import COMPONENT, REPETITION, Finding, Segment, Severity, masked

__all__ = ["Fault", "segment_findings"]

_REMEMBERED = 40
_R = re.compile(r"-?(\d+\.?\d*|\.\d+)(E-?\d+)?", re.ASCII)
_ODD_R = re.compile(r"-?(0\d.*|\.\d.*|.*\.|[^.]*\.\d*0)", re.ASCII)
_N = re.compile(r"-?\d+", re.ASCII)
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f]")
_BROKEN_NOTE = {"P": "2", "R": "2", "C": "2", "L": "2", "E": "10"}


@attrs.frozen
class Fault:
    """What is wrong with a value: rule, AK403 code, severity and a sentence's end."""

    rule: str
    code: str
    message: str
    warning: bool = False


def segment_findings(spec: SegmentSpec, segment: Segment, position: int) -> Iterator[Finding]:
    """Every fault of one segment."""
    values = segment.elements
    for index, (element, value) in enumerate(zip(spec.elements, values, strict=False), 1):
        if value:
            for fault in _faults(element, value) if len(value) <= _REMEMBERED else _value_faults(element, value):
                yield _finding(segment, position, index, fault)
    present = tuple(map(bool, values))
    for index, fault in _shape(spec, present) if len(values) <= _REMEMBERED else _shape_faults(spec, present):
        yield _finding(segment, position, index, fault)


@functools.lru_cache(maxsize=1 << 12)
def _shape(spec: SegmentSpec, present: tuple[bool, ...]) -> tuple[tuple[int, Fault], ...]:
    return tuple(_shape_faults(spec, present))


def _shape_faults(spec: SegmentSpec, present: tuple[bool, ...]) -> Iterator[tuple[int, Fault]]:
    """What is wrong with which elements are there, whatever their values, with the element's position."""
    there = {index for index, one in enumerate(present, 1) if one}
    for index, element in enumerate(spec.elements, 1):
        if element.mandatory and index not in there:
            yield index, Fault("mandatory", "1", "is mandatory and missing")
    for index in sorted(there):
        if index > len(spec.elements):
            yield index, Fault("element", "3", f"is one more than the {len(spec.elements)} elements of {spec.id}", True)
    for note in spec.notes:
        index = _breaks(note, there)
        if index:
            yield index, Fault(str(note), _BROKEN_NOTE[note.kind], f"breaks the relational note {note}")


def _finding(segment: Segment, position: int, index: int, fault: Fault) -> Finding:
    ref, value = f"{segment.id}{index:02}", masked(segment.id, index, segment[index][:99])
    message = f"{ref} {value!r} {fault.message}." if value else f"{ref} {fault.message}."
    code = f"AK403:{fault.code}" if fault.code else ""
    severity: Severity = "warning" if fault.warning else "error"
    place = f"segment {position} {ref}"
    return Finding(place, fault.rule, value, severity, code, message, segment.id, position, index)


@functools.lru_cache(maxsize=1 << 14)
def _faults(element: ElementSpec, value: str) -> tuple[Fault, ...]:
    return tuple(_value_faults(element, value))


def _value_faults(element: ElementSpec, value: str) -> Iterator[Fault]:
    kind = element.type
    if kind == "composite":
        unit = value.split(COMPONENT, maxsplit=1)[0]
        yield from _code_faults(element.ref, unit)
        return
    if _UNPRINTABLE.search(value):
        separator = COMPONENT in value or REPETITION in value
        yield Fault("character", "6", "holds a separator" if separator else "holds a control character")
        return
    if kind in ("AN", "ID"):
        yield from _length_faults(element, len(value))
        if not value.strip():
            yield Fault("blank", "6", "holds nothing but blanks")
        elif kind == "ID":
            yield from _code_faults(element.ref, value)
    elif kind == "R":
        yield from _real_faults(element, value)
    elif kind == "DT":
        if not (element.min <= len(value) <= element.max and is_date(value)):
            yield Fault("date", "8", "is no date")
    elif kind == "TM":
        if not is_time(value):
            yield Fault("time", "9", "is no time")
    elif not _N.fullmatch(value):
        yield Fault("number", "6", "is no whole number")
    else:
        yield from _length_faults(element, len(value.lstrip("-")))


def _real_faults(element: ElementSpec, value: str) -> Iterator[Fault]:
    if not _R.fullmatch(value):
        yield Fault("number", "6", "is no number")
        return
    yield from _length_faults(element, sum(one.isdigit() for one in value))
    if _ODD_R.fullmatch(value) and not value.lstrip("-").startswith("0."):
        yield Fault("number form", "", "has zeros or a point that are usually left out", True)


def _length_faults(element: ElementSpec, length: int) -> Iterator[Fault]:
    if length < element.min:
        yield Fault("length", "4", f"is shorter than {element.min}")
    elif length > element.max:
        yield Fault("length", "5", f"is longer than {element.max}")


def _code_faults(ref: str, value: str) -> Iterator[Fault]:
    table = codes()
    known = table.of(ref)
    if known and value not in known:
        closed = table.elements[ref] in table.closed
        yield Fault("code", "7", "is no known code", not closed)


def _breaks(note: Note, there: set[int]) -> int:
    """Position of the element that breaks the note, or 0 (section 5)."""
    first, *others = note.positions
    present = [position for position in note.positions if position in there]
    lacking = [position for position in others if position not in there]
    if note.kind == "P":
        return (
            next(position for position in note.positions if position not in there)
            if 0 < len(present) <= len(others)
            else 0
        )
    if note.kind == "R":
        return 0 if present else first
    if note.kind == "E":
        return present[1] if len(present) > 1 else 0
    if first not in there or not lacking or (note.kind == "L" and len(lacking) < len(others)):
        return 0
    return lacking[0]
