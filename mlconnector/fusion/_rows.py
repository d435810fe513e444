"""Raw rows of any resource, under the vendor's names."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import attrs

from mlconnector.errors import InvalidArgument, VendorFault
from mlconnector.fusion._query import Where, attribute_name, expression, order_text
from mlconnector.fusion._reader import span_of
from mlconnector.fusion._resources import BY_NAME, LARGEST_PAGE
from mlconnector.fusion._service import Grid, Row, Service
from mlconnector.records import Batch, RawRows, Rejected, Span, Window

__all__ = ["RowsReader"]

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(/[A-Za-z0-9_][A-Za-z0-9_.:-]*)*")
_OURS = ("limit", "offset", "fields")
_LINKS = ("links", "@context")


@attrs.frozen(kw_only=True)
class RowsReader(RawRows):
    """Reads rows as the pod sends them.

    Args:
        name: Resource, or a path below one, ``"invoices/0002.../child/invoiceLines"``.
        columns: Attributes; empty for all of them.
        where: Pushed down. ``order_by``: ``-`` first for descending.
        params: Sent untouched: ``finder``, ``effectiveDate``, ``q``, ``expand`` ...

    Raises:
        InvalidArgument: A name that is none, or parameters that contradict the other arguments.
    """

    service: Service
    name: str
    columns: Sequence[str]
    where: Where
    order_by: Sequence[str]
    params: Mapping[str, Any]
    system: str = "fusion"

    def __attrs_post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise InvalidArgument(f"name={self.name!r} is no resource.", cure='Give it like "payablesPayments".')
        for column in self.columns:
            attribute_name(column)
        order_text(self.order_by)
        expression(self.where, self.service.date_times)
        taken = [*_OURS, *(("q",) if self.where else ()), *(("orderBy",) if self.order_by else ())]
        wrong = sorted(set(taken) & set(self.params))
        if wrong:
            raise InvalidArgument(
                f"params= has {', '.join(wrong)}, which the other arguments say.",
                cure="Use columns=, where=, order_by= and limit=, or params= alone.",
            )

    def read(self, window: Window) -> Iterator[Batch[dict[str, Any]]]:
        """Pages of rows."""
        size = LARGEST_PAGE if window.limit is None else max(1, min(LARGEST_PAGE, window.limit))
        for grid in self.grids(size):
            yield Batch(clock=grid.clock, last=grid.last, mapping=functools.partial(self._made, grid))

    @property
    def ranges_at_once(self) -> int | None:
        """As many as the client's calls, where the rows are walked by a number."""
        return self.service.calls_at_once if self._walked else 0

    def walks(self, window: Window) -> bool:
        """See :class:`~mlconnector.records.Ranged`."""
        del window
        return True

    def spans(self, window: Window, after: int | None, upto: int | None) -> Iterator[Span[Batch[Row]]]:
        """See :class:`~mlconnector.records.Ranged`."""
        del window
        resource = BY_NAME[self.name]
        bound = () if upto is None else ((resource.key, "<=", upto),)
        for grid in self.grids(LARGEST_PAGE, bound, after):
            rows = grid.rows()
            batch: Batch[Row] = Batch(documents=self._picked(rows), clock=grid.clock, last=grid.last)
            yield span_of(rows, batch, resource, LARGEST_PAGE)

    def highest(self, window: Window) -> int | None:
        """See :class:`~mlconnector.records.Ranged`."""
        del window
        return self.service.highest(BY_NAME[self.name], self.where)

    def grids(self, size: int, bound: Where = (), after: int | None = None) -> Iterator[Grid]:
        """Pages as the pod sent them. Certain attributes named in ``fields`` were seen to fail (section 12)."""
        fields = self._fields()
        grids = self._grids(size, fields, bound, after)
        try:
            first = next(grids)
        except VendorFault as error:
            if error.status != 500 or not fields:
                raise
            grids = self._grids(size, {}, bound, after)
            first = next(grids)
        yield first
        yield from grids

    @property
    def _ordered(self) -> bool:
        return bool(self.order_by) or "orderBy" in self.params

    @property
    def _walked(self) -> bool:
        resource = BY_NAME.get(self.name)
        free = not self._ordered and not {"q", "finder"} & set(self.params)
        return resource is not None and resource.walked and free

    def _grids(self, size: int, fields: Mapping[str, str], bound: Where, after: int | None) -> Iterator[Grid]:
        resource, ordered = BY_NAME.get(self.name), self._ordered
        params = {"onlyData": "true", **fields, **self.params}
        if resource is not None and self._walked:
            where = [*self.where, *bound]
            return self.service.walk(resource, where, size=size, after=after, params=params)
        key = None if resource is None or ordered else resource.key
        if self.order_by:
            params["orderBy"] = order_text(self.order_by)
        return self.service.paged(self.service.path(self.name), key, self.where, size=size, params=params)

    def _fields(self) -> dict[str, str]:
        """``fields`` and ``expand`` exclude each other (section 5)."""
        if not self.columns or "expand" in self.params:
            return {}
        resource = BY_NAME.get(self.name)
        key = () if resource is None else (resource.key,)
        return {"fields": ",".join(dict.fromkeys((*self.columns, *key)))}

    def _made(self, grid: Grid) -> tuple[list[Row], list[Rejected]]:
        return self._picked(grid.rows()), []

    def _picked(self, rows: Sequence[Row]) -> list[Row]:
        columns = self.columns
        if "expand" in self.params or not columns:
            return [{name: value for name, value in row.items() if name not in _LINKS} for row in rows]
        wanted = set(columns)
        return [row if row.keys() == wanted else {column: row.get(column) for column in columns} for row in rows]
