"""Raw rows of one table or view (AIS reference, sections 3.1 and 3.4)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import attrs

from mlconnector.errors import InvalidArgument
from mlconnector.jdedwards._browse import DataService
from mlconnector.jdedwards._query import Where
from mlconnector.jdedwards._tables import NUMBERS, TABLES, Table
from mlconnector.records import Batch, RawRows, Span, Window

__all__ = ["RowsReader"]


@attrs.frozen
class RowsReader(RawRows):
    """Raw rows of one table or view."""

    service: DataService
    name: str
    columns: tuple[str, ...]
    where: Where
    order_by: tuple[str, ...]
    params: Mapping[str, Any] | None
    system: str = "jdedwards"

    def read(self, window: Window) -> Iterator[Batch[dict[str, Any]]]:
        """Pages of rows."""
        known = TABLES.get(self.name)
        size = 500 if window.limit is None else max(1, min(500, window.limit))
        if known is None or self.order_by or self.params:
            grid = self.service.page(
                self.name,
                self.columns,
                self.where,
                order_by=self.order_by,
                size=window.limit or 2000,
                params=self.params,
            )
            if grid.more and (window.limit is None or len(grid.rows) < window.limit):
                if known is not None and not self.params and set(self.order_by) <= set(known.key):
                    yield from self._ordered(known, len(grid.rows))
                    return
                raise InvalidArgument(
                    f"{self.name} has more rows than one page of {len(grid.rows)}, and no key to go on by.",
                    cure="Narrow where=, set limit=, or order a table with a known key by columns of that key, rising.",
                )
            yield Batch(documents=grid.rows, clock=grid.clock, last=True)
            return
        for grid in self.service.walk(self.name, known.key, self._with_key(known), self.where, size=size):
            yield Batch(documents=grid.rows, clock=grid.clock, last=not grid.more)

    @property
    def ranges_at_once(self) -> int | None:
        """As many as the client's calls, one unless told otherwise, where the table is walked by a number."""
        known = TABLES.get(self.name)
        walked = known is not None and known.key[0] in NUMBERS and not (self.order_by or self.params)
        return self.service.calls_at_once if walked else 0

    def walks(self, window: Window) -> bool:
        """See :class:`~mlconnector.records.Ranged`."""
        del window
        return True

    def spans(self, window: Window, after: int | None, upto: int | None) -> Iterator[Span[Batch[dict[str, Any]]]]:
        """See :class:`~mlconnector.records.Ranged`."""
        del window
        known = TABLES[self.name]
        walk = self.service.spans(known, self._with_key(known), self.where, size=500, after=after, upto=upto)
        for span in walk:
            yield span.holding(Batch(documents=span.batch.rows, clock=span.batch.clock, last=span.last))

    def highest(self, window: Window) -> int | None:
        """See :class:`~mlconnector.records.Ranged`."""
        del window
        return self.service.highest(TABLES[self.name], self.where)

    def _ordered(self, known: Table, size: int) -> Iterator[Batch[dict[str, Any]]]:
        """Walked by the order asked for, where columns of the key make it: they are never empty."""
        key = (*self.order_by, *(column for column in known.key if column not in self.order_by))
        added = {f"{self.name}_{column}" for column in known.key if column not in self.columns}
        for grid in self.service.walk(self.name, key, self._with_key(known), self.where, size=size):
            rows = [{name: value for name, value in row.items() if name not in added} for row in grid.rows]
            yield Batch(documents=rows, clock=grid.clock, last=not grid.more)

    def _with_key(self, known: Table) -> tuple[str, ...]:
        return (*self.columns, *(column for column in known.key if column not in self.columns))
