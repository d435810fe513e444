"""Which documents changed: keys and stamps of several tables, each stamped apart, merged by key.

A line is stamped without its header (AIS reference, section 4.6), so every stamped table is scanned for keys and
stamps only, in key order, and the streams are merged in flat memory.
"""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import attrs

from mlconnector.documents import Document
from mlconnector.jdedwards._browse import DataService
from mlconnector.jdedwards._query import Where
from mlconnector.jdedwards._tables import TABLES
from mlconnector.jdedwards._values import Zone
from mlconnector.records import Window

__all__ = ["Changed", "Chunk", "Clocked", "Scan", "changed", "chunks", "signature_of"]

_PAGE = 2000


@attrs.frozen
class Scan:
    """A table that stamps part of a document.

    Args:
        table: Its name. ``key``: its columns that make the document's key, the first one a number.
        where: What else the rows must fulfil.
    """

    table: str
    key: tuple[str, ...]
    where: Where = ()


@attrs.frozen
class Changed:
    """A document with a stamp in the window: its key, and the highest stamp, whose text is the signature."""

    key: tuple[Any, ...]
    stamp: dt.datetime

    @property
    def signature(self) -> str:
        """Any later change stamps a row higher, so the highest stamp tells states of a document apart."""
        return self.stamp.isoformat()


def signature_of(document: Document) -> str:
    """The same signature of a document that was read whole."""
    provenance = document.provenance
    return "" if provenance is None or provenance.updated_at is None else provenance.updated_at.isoformat()


@attrs.define
class Clocked:
    """The latest clock the source showed while it was read."""

    clock: dt.datetime | None = None


def changed(  # noqa: PLR0917 - called by the readers of this room
    service: DataService, scans: Sequence[Scan], lower: dt.datetime, zone: Zone, seen: Clocked, after: Any = None
) -> Iterator[Changed]:
    """Documents with a stamp at or after ``lower``, each once, in the order of the first key column.

    Args:
        after: First key column to begin with.
    """
    earliest = lower - zone.margin
    streams = [_groups(service, scan, earliest, zone, seen, after) for scan in scans]
    heads = [next(stream, None) for stream in streams]
    while any(head is not None for head in heads):
        first = min(head[0] for head in heads if head is not None)
        merged: dict[tuple[Any, ...], dt.datetime] = {}
        for index, head in enumerate(heads):
            if head is None or head[0] != first:
                continue
            for key, stamp in head[1].items():
                merged[key] = max(stamp, merged.get(key, stamp))
            heads[index] = next(streams[index], None)
        for key, stamp in sorted(merged.items(), key=lambda item: tuple(map(str, item[0]))):
            yield Changed(key, stamp)


@attrs.frozen
class Chunk:
    """A page of changed documents by natural key: those to read, and those whose content is known."""

    wanted: Mapping[str, Changed]
    skipped: Mapping[str, tuple[str, dt.datetime]]
    position: Any
    high: dt.datetime


def chunks(found: Iterator[Changed], size: int, window: Window, key_of: Callable[..., str]) -> Iterator[Chunk]:
    """Changed documents in pages; what the window calls settled need not be read.

    Args:
        key_of: Natural key of a document, from the values of its key columns.
    """
    while page := list(itertools.islice(found, size)):
        wanted: dict[str, Changed] = {}
        skipped: dict[str, tuple[str, dt.datetime]] = {}
        for one in page:
            key = key_of(*one.key)
            if window.settled(key, one.signature):
                skipped[key] = (one.signature, one.stamp)
            else:
                wanted[key] = one
        yield Chunk(wanted, skipped, page[-1].key[0], max(one.stamp for one in page))


_Group = tuple[Any, dict[tuple[Any, ...], dt.datetime]]


def _groups(  # noqa: PLR0917 - private; one call site
    service: DataService, scan: Scan, earliest: dt.datetime, zone: Zone, seen: Clocked, after: Any
) -> Iterator[_Group]:
    """Stamps by document key, grouped by the first key column."""
    table = TABLES[scan.table]
    where = [*scan.where, ("UPMJ", ">=", zone.date(earliest + zone.margin))]
    own = [column for column in table.key if column not in scan.key]
    key = (*scan.key, *own)
    columns = (*key, *table.stamps)

    def stamped() -> Iterator[tuple[tuple[Any, ...], dt.datetime]]:
        for grid in service.walk(scan.table, key, columns, where, size=_PAGE, after=after):
            seen.clock = grid.clock or seen.clock
            for row in grid.rows:
                stamp = zone.stamp(scan.table, table.time, row)
                if stamp is not None and stamp >= earliest:
                    yield tuple(row.get(f"{scan.table}_{column}") for column in scan.key), stamp

    for first, rows in itertools.groupby(stamped(), key=lambda item: item[0][0]):
        group: dict[tuple[Any, ...], dt.datetime] = {}
        for key_values, stamp in rows:
            group[key_values] = max(stamp, group.get(key_values, stamp))
        yield first, group
