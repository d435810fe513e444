"""The X12 dictionary as data: segments, elements, relational notes, loops and the code lists in use.

The tables lie beside this module as JSON, one file a version, and are read when first asked for. They hold what public
partner guides name (X12 reference, sections 5 to 9); a segment they do not hold is not an error in itself.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from importlib import resources
from typing import Any

import attrs

__all__ = ["Codes", "Dictionary", "ElementSpec", "Note", "SegmentSpec", "Step", "codes", "dictionary"]

VERSIONS = ("004010", "005010")


@attrs.frozen(eq=False)
class ElementSpec:
    """One element of a segment: ``ref`` is its name at an analyst's desk (``"PO104"``), lengths count characters."""

    ref: str
    name: str
    type: str
    min: int
    max: int
    mandatory: bool


@attrs.frozen
class Note:
    """A relational note such as ``P0304`` (X12 reference, section 5): its letter and the element positions."""

    kind: str
    positions: tuple[int, ...]

    def __str__(self) -> str:
        return self.kind + "".join(f"{position:02}" for position in self.positions)


@attrs.frozen(eq=False)
class SegmentSpec:
    """A segment: its elements in order (element 1 first) and its relational notes."""

    id: str
    name: str
    elements: tuple[ElementSpec, ...]
    notes: tuple[Note, ...]


@attrs.frozen(eq=False)
class Step:
    """A place in a transaction set: one segment, or a loop that ``id`` opens when ``children`` are there.

    ``limit`` 0 means without limit. ``children[0]`` is the segment that opens the loop.
    """

    id: str
    mandatory: bool
    limit: int
    children: tuple[Step, ...] = ()


@attrs.frozen(eq=False)
class Dictionary:
    """Segments and sets of one version."""

    version: str
    segments: Mapping[str, SegmentSpec]
    sets: Mapping[str, tuple[Step, ...]]


@attrs.frozen(eq=False)
class Codes:
    """Code lists by element number, which element uses which list, and the names of the sets (section 6)."""

    sets: Mapping[str, tuple[str, str]]
    elements: Mapping[str, str]
    lists: Mapping[str, Mapping[str, str]]
    closed: frozenset[str]

    def of(self, ref: str) -> Mapping[str, str]:
        """Known codes of an element with their meaning; empty where no list is held."""
        return self.lists[self.elements[ref]] if ref in self.elements else {}


def dictionary(version: str) -> Dictionary | None:
    """The tables for a GS08 value; its first six characters are the version. ``None`` where there are none."""
    return _load(version[:6]) if version[:6] in VERSIONS else None


@functools.cache
def codes() -> Codes:
    """The code lists, for all versions."""
    raw = _read("codes")
    sets = {code: (name, functional) for code, (name, functional) in raw["sets"].items()}
    return Codes(sets, raw["elements"], raw["lists"], frozenset(raw["closed"]))


@functools.cache
def _load(version: str) -> Dictionary:
    raw = _read(version)
    segments = {tag: _segment(tag, *body) for tag, body in raw["segments"].items()}
    return Dictionary(version, segments, {code: _steps(rows) for code, rows in raw["sets"].items()})


def _read(name: str) -> Any:
    return json.loads(resources.files("mlconnector.x12").joinpath("data", f"{name}.json").read_text("utf-8"))


def _segment(tag: str, name: str, rows: list[list[Any]], notes: list[str]) -> SegmentSpec:
    elements = (
        ElementSpec(f"{tag}{position:02}", label, kind, low, high, usage == "M")
        for position, (label, kind, low, high, usage) in enumerate(rows, 1)
    )
    return SegmentSpec(tag, name, tuple(elements), tuple(map(_note, notes)))


def _note(text: str) -> Note:
    return Note(text[0], tuple(int(text[at : at + 2]) for at in range(1, len(text), 2)))


def _steps(rows: list[list[Any]]) -> tuple[Step, ...]:
    return tuple(Step(row[0], row[1] == "M", row[2], _steps(row[3]) if len(row) > 3 else ()) for row in rows)
