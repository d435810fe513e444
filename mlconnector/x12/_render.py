"""A set as people read it: each segment with its name, each element with its meaning."""

from __future__ import annotations

import html
from collections.abc import Iterable, Iterator

import attrs

from mlconnector._html import LEFT
from mlconnector.x12._dictionary import SegmentSpec, codes, dictionary
from mlconnector.x12._sets import Segment, TransactionSet, masked

__all__ = ["as_html", "readable"]


@attrs.frozen
class _Element:
    index: int
    name: str
    value: str
    meaning: str


def readable(ts: TransactionSet) -> str:
    """One line a segment, one indented line an element; codes with their meaning; findings at the end."""
    lines = [_title(ts)]
    for segment in ts.segments:
        lines.append(f"{segment.id:<3} {_name(segment, ts.version)}")
        for one in _elements(segment, ts.version):
            meaning = f" ({one.meaning})" if one.meaning else ""
            lines.append(f"      {one.index:02} {one.name}: {one.value}{meaning}")
    lines += [f"! {finding}" for finding in ts.findings]
    return "\n".join(lines)


def as_html(ts: TransactionSet) -> str:
    """The same as a table for notebooks: a row an element, the findings as a list under it."""
    rows = []
    for segment in ts.segments:
        rows.append(_row("th", (segment.id, _name(segment, ts.version), "", "")))
        for one in _elements(segment, ts.version):
            rows.append(_row("td", (f"{segment.id}{one.index:02}", one.name, one.value, one.meaning)))
    table = f"<table><caption>{html.escape(_title(ts))}</caption>{''.join(rows)}</table>"
    notes = "".join(f"<li>{html.escape(str(finding))}</li>" for finding in ts.findings)
    return table + (f"<ul>{notes}</ul>" if notes else "")


def _row(tag: str, cells: Iterable[str]) -> str:
    return "<tr>" + "".join(f"<{tag}{LEFT}>{html.escape(cell)}</{tag}>" for cell in cells) + "</tr>"


def _title(ts: TransactionSet) -> str:
    name = codes().sets.get(ts.code, ("Transaction Set", ""))[0]
    return f"{ts.code} {name}, version {ts.version}, control number {ts.control_number or 'none'}"


def _spec(segment: Segment, version: str) -> SegmentSpec | None:
    tables = dictionary(version) or dictionary("004010")
    return tables.segments.get(segment.id) if tables is not None else None


def _name(segment: Segment, version: str) -> str:
    spec = _spec(segment, version)
    return spec.name if spec is not None else "not in the dictionary"


def _elements(segment: Segment, version: str) -> Iterator[_Element]:
    spec = _spec(segment, version)
    for index in range(1, len(segment)):
        value = masked(segment.id, index, " ".join(part for part in segment.parts(index) if part))
        if value:
            name = spec.elements[index - 1].name if spec is not None and index <= len(spec.elements) else "Element"
            yield _Element(index, name, value, codes().of(f"{segment.id}{index:02}").get(value, ""))
