"""Which documents changed: keys and stamps of several tables, each stamped apart, merged by key.

A line is stamped without its header (AIS reference, section 4.6), so every stamped table is scanned for keys and
stamps only, in key order, and the streams are merged in flat memory.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import itertools
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import attrs

from mlconnector.jdedwards._browse import DataService, identity
from mlconnector.jdedwards._query import Where
from mlconnector.jdedwards._tables import TABLES
from mlconnector.jdedwards._values import Zone
from mlconnector.records import Window

__all__ = ["Changed", "Chunk", "Clocked", "Scan", "changed", "chunks"]

_PAGE = 2000


@attrs.frozen
class Scan:
    """A table that stamps part of a document.

    Args:
        table: Its name. ``key``: its columns that make the document's key, the first one a number.
        where: What else the rows must fulfil.
        rest: Values of the document's key that the table does not have.
    """

    table: str
    key: tuple[str, ...]
    where: Where = ()
    rest: tuple[Any, ...] = ()


@attrs.frozen
class Changed:
    """A document with a stamp in the window.

    Args:
        key: Values of its key columns.
        stamp: The highest stamp of its rows.
        signature: Short hash of every row and stamp in the window. The highest stamp alone would not do: a row that
            is committed late, or in the hour a clock goes back, has a lower one than its neighbours.
        coarse: A row has no time of day, so that equal stamps say nothing about a second change on that day.
    """

    key: tuple[Any, ...]
    stamp: dt.datetime
    signature: str
    coarse: bool


@attrs.frozen
class _Row:
    """What one row's stamp says of its document: ``identity`` is table, row key and stamp as text."""

    identity: str
    stamp: dt.datetime
    coarse: bool


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
        merged: dict[tuple[Any, ...], list[_Row]] = defaultdict(list)
        for index, head in enumerate(heads):
            if head is None or head[0] != first:
                continue
            for key, rows in head[1].items():
                merged[key] += rows
            heads[index] = next(streams[index], None)
        for key, rows in sorted(merged.items(), key=lambda item: tuple(map(str, item[0]))):
            text = "\n".join(sorted(row.identity for row in rows))
            signature = hashlib.sha256(text.encode()).hexdigest()[:12]
            yield Changed(key, max(row.stamp for row in rows), signature, any(row.coarse for row in rows))


@attrs.frozen
class Chunk:
    """A page of changed documents by natural key: those to read, and those whose content is known."""

    wanted: Mapping[str, Changed]
    skipped: Mapping[str, tuple[str, dt.datetime]]
    position: Any
    high: dt.datetime

    @property
    def signatures(self) -> Mapping[str, str]:
        """Of the documents to read, taken before they are: a change in between shows as another signature."""
        return {key: one.signature for key, one in self.wanted.items()}


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
            if not one.coarse and window.settled(key, one.signature):
                skipped[key] = (one.signature, one.stamp)
            else:
                wanted[key] = one
        yield Chunk(wanted, skipped, page[-1].key[0], max(one.stamp for one in page))


_Group = tuple[Any, dict[tuple[Any, ...], list[_Row]]]


def _groups(  # noqa: PLR0917 - private; one call site
    service: DataService, scan: Scan, earliest: dt.datetime, zone: Zone, seen: Clocked, after: Any
) -> Iterator[_Group]:
    """Stamps by document key, grouped by the first key column."""
    table = TABLES[scan.table]
    where = [*scan.where, ("UPMJ", ">=", zone.date(earliest + zone.margin))]
    own = [column for column in table.key if column not in scan.key]
    key = (*scan.key, *own)
    columns = (*key, *table.stamps)

    time, names = f"{scan.table}_{table.time}", [f"{scan.table}_{column}" for column in own]

    def stamped() -> Iterator[tuple[tuple[Any, ...], _Row]]:
        for grid in service.walk(scan.table, key, columns, where, size=_PAGE, after=after):
            seen.clock = grid.clock or seen.clock
            for row in grid.rows:
                stamp = zone.stamp(scan.table, table.time, row)
                # A row stamped by its date alone seems to be of midnight; the server's filter by day is all there is.
                coarse = not str(row.get(time) or "").strip().isdecimal()
                if stamp is not None and (coarse or stamp >= earliest):
                    document = identity(scan.table, scan.key, row)
                    values = (*document, *(row.get(name) for name in names))
                    text = repr((scan.table, *map(str, values), stamp.isoformat()))
                    yield (*document, *scan.rest), _Row(text, stamp, coarse)

    for first, rows in itertools.groupby(stamped(), key=lambda item: item[0][0]):
        group: dict[tuple[Any, ...], list[_Row]] = defaultdict(list)
        for key_values, one in rows:
            group[key_values].append(one)
        yield first, group
