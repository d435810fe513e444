"""A set as people read it: each segment with its name, each element with its meaning."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from mlconnector.x12._dictionary import codes, dictionary

if TYPE_CHECKING:
    from mlconnector.x12._sets import Segment, TransactionSet

__all__ = ["readable"]


def readable(ts: TransactionSet) -> str:
    """One line a segment, one indented line an element; codes with their meaning; findings at the end."""
    name = codes().sets.get(ts.code, ("Transaction Set", ""))[0]
    lines = [f"{ts.code} {name}, version {ts.version}, control number {ts.control_number or 'none'}"]
    for segment in ts.segments:
        lines += _segment(segment, ts.version)
    lines += [f"! {finding}" for finding in ts.findings]
    return "\n".join(lines)


def _segment(segment: Segment, version: str) -> Iterator[str]:
    tables = dictionary(version) or dictionary("004010")
    spec = tables.segments.get(segment.id) if tables is not None else None
    yield f"{segment.id:<3} {spec.name if spec is not None else 'not in the dictionary'}"
    for index in range(1, len(segment)):
        value = " ".join(part for part in segment.parts(index) if part)
        if not value:
            continue
        element = spec.elements[index - 1] if spec is not None and index <= len(spec.elements) else None
        meaning = codes().of(f"{segment.id}{index:02}").get(value)
        name = element.name if element is not None else "Element"
        yield f"      {index:02} {name}: {value}" + (f" ({meaning})" if meaning else "")
