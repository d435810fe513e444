"""One pass over the documents of a kind: all of them, what changed, or named keys; the same for every kind.

A reader says where its documents lie (:class:`Layout`). Fetching and mapping are apart: everything a page needs is read
into one frozen value, and a pure function makes documents of it, so that it can do so while the next page is fetched.
"""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Generic, TypeVar

import attrs

from mlconnector.jdedwards._browse import identity
from mlconnector.jdedwards._changes import Clocked, Scan, changed, chunks
from mlconnector.jdedwards._query import Where
from mlconnector.jdedwards._source import Source
from mlconnector.jdedwards._tables import TABLES
from mlconnector.records import Batch, Rejected, Window

__all__ = ["KindReader", "Layout", "Mapped", "Row", "Stamps"]

D = TypeVar("D")
F = TypeVar("F")
Row = dict[str, Any]
Mapped = tuple[Sequence[D], Sequence[Rejected]]
Stamps = Mapping[str, dt.datetime]


def _itself(key: str) -> str:
    return key


@attrs.frozen(kw_only=True)
class Layout(Generic[F, D]):
    """Where the documents of one kind lie, and how a page of them is read and mapped.

    Args:
        table: Holds the heads of the documents, one row each or several; its own key begins with ``key``.
        key: Columns that make the natural key; pages and positions go by the first of them.
        natural_key: The natural key from the values of these columns.
        first_value: The first of these values from a natural key; raises ``InvalidArgument`` at one that is none.
        scans: Every table that stamps part of a document.
        where: What heads must fulfil.
        fetch: Reads all that belongs to these heads; given with the stamps their changes were found by.
        to_documents: Makes documents of what was fetched; pure.
        family: The natural key whose change is a change of this document too.
    """

    table: str
    key: tuple[str, ...]
    natural_key: Callable[..., str]
    first_value: Callable[[Any], Any]
    scans: Sequence[Scan]
    where: Where
    fetch: Callable[[Sequence[Row], Stamps], F]
    to_documents: Callable[[F], Mapped[D]]
    family: Callable[[str], str] = _itself

    def key_of(self, row: Mapping[str, Any]) -> str:
        """Natural key of a head."""
        return self.natural_key(*identity(self.table, self.key, row))


@attrs.frozen
class KindReader(Generic[D]):
    """Reads the documents of one kind, see :class:`~mlconnector.records.Reader`.

    Args:
        layout: Where they lie, for one pass: it may remember what it looked up.
    """

    source: Source
    where: Where
    filters: Mapping[str, Any]
    overlap: dt.timedelta
    kind: str
    layout: Callable[[Source, Where], Layout[Any, D]]
    system: str = "jdedwards"
    resumable: bool = True

    @property
    def margin(self) -> dt.timedelta:
        """How much earlier than asked a stamp can be that is read: that of an unknown zone, or of a date alone."""
        return self.source.zone.margin + dt.timedelta(days=1)

    def read(self, window: Window) -> Iterator[Batch[D]]:
        """The batches of a pass."""
        pass_ = _Pass(self.source, self.layout(self.source, self.where), window)
        if window.keys is not None:
            yield from pass_.by_key(window.keys)
        elif window.lower is None:
            yield from pass_.everything()
        else:
            yield from pass_.changes(window.lower)


@attrs.frozen
class _Wanted:
    keys: frozenset[str]
    family: Callable[[str], str]

    def __call__(self, key: str) -> bool:
        return key in self.keys or self.family(key) in self.keys


class _Pass(Generic[F, D]):
    def __init__(self, source: Source, layout: Layout[F, D], window: Window) -> None:
        self._source, self._layout, self._window = source, layout, window
        self._clock = Clocked()

    def everything(self) -> Iterator[Batch[D]]:
        layout, held = self._layout, list[Row]()
        table, first = TABLES[layout.table], f"{layout.table}_{layout.key[0]}"
        walk = self._source.service.walk(
            table.name, table.key, table.columns, layout.where, size=self._source.page_size, after=self._window.position
        )
        for grid in walk:
            self._clock.clock = grid.clock or self._clock.clock
            rows = [*held, *grid.rows]
            # Rows of the last document may go on in the next page: it is held back until they are all here.
            held = [row for row in rows if row[first] == rows[-1][first]] if grid.more and self._rows_go_on else []
            whole = rows[: len(rows) - len(held)]
            position = whole[-1][first] if whole else self._window.position
            yield attrs.evolve(self._batch(whole, {}), position=position, last=not grid.more)

    def changes(self, lower: dt.datetime) -> Iterator[Batch[D]]:
        layout, source = self._layout, self._source
        found = changed(source.service, layout.scans, lower, source.zone, self._clock, self._window.position)
        for chunk in chunks(found, source.page_size, self._window, layout.natural_key):
            wanted = chunk.wanted
            heads = self._heads([one.key[0] for one in wanted.values()], _Wanted(frozenset(wanted), layout.family))
            yield attrs.evolve(
                self._batch(heads, {key: one.stamp for key, one in wanted.items()}),
                position=chunk.position,
                skipped=chunk.skipped,
                signatures=chunk.signatures,
                high=chunk.high,
            )
        yield Batch(clock=self._clock.clock, position=self._window.position, last=True)

    def by_key(self, keys: Sequence[str]) -> Iterator[Batch[D]]:
        layout, size = self._layout, self._source.page_size
        first = {key: layout.first_value(key) for key in keys}
        asked = list(first)
        for start in range(0, len(asked), size):
            part = frozenset(asked[start : start + size])
            batch = self._batch(self._heads([first[key] for key in part], part.__contains__), {})
            yield attrs.evolve(batch, last=start + size >= len(asked))
        if not asked:
            yield Batch(last=True)

    @property
    def _rows_go_on(self) -> bool:
        """A document has several head rows."""
        return TABLES[self._layout.table].key != self._layout.key

    def _heads(self, values: Sequence[Any], keep: Callable[[str], bool]) -> list[Row]:
        layout = self._layout
        rows = self._source.listed(layout.table, layout.key[0], values, layout.where)
        if len(layout.key) == 1:
            return list(rows)
        return [row for row in rows if keep(layout.key_of(row))]

    def _batch(self, heads: Sequence[Row], stamps: Stamps) -> Batch[D]:
        fetched = self._layout.fetch(heads, stamps)
        return Batch(clock=self._clock.clock, mapping=functools.partial(self._layout.to_documents, fetched))
