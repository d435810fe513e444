"""Reading a table: single pages, and a walk by key that needs no server state (AIS reference, sections 3.1, 3.4)."""

from __future__ import annotations

import contextlib
import datetime as dt
import functools
import itertools
import operator
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

import attrs

from mlconnector.errors import PermissionDenied, VendorFault
from mlconnector.http import HTTPClient, Request, Response, Timeout
from mlconnector.jdedwards._faults import words
from mlconnector.jdedwards._query import Where, conditions
from mlconnector.jdedwards._tables import COUNTED, DATES, Table
from mlconnector.jdedwards._values import date_of
from mlconnector.records import Span

__all__ = ["DataService", "Grid", "grouped", "identity"]

Row = dict[str, Any]
_NO_MORE = re.compile(rb'"moreRecords"\s*:\s*false\b')
_PATH = "/jderest/v2/dataservice"
_INCOMPLETE = (
    "The CNC administrator looks at the log of the AIS server, and at what stands between it and this program."
)


def identity(table: str, columns: Sequence[str], row: Mapping[str, Any]) -> tuple[Any, ...]:
    """The values of columns that say which document a row belongs to.

    Raises:
        VendorFault: The row lacks one of them, so that it cannot be told whose it is.
    """
    values = tuple(map(row.get, _names(table, tuple(columns))))
    if None in values:
        missing = [column for column, value in zip(columns, values, strict=True) if value is None]
        raise VendorFault(
            f"jdedwards: a row of {table} came without {', '.join(missing)}, though asked for.",
            cure=_INCOMPLETE,
            system="jdedwards",
        )
    return values


def grouped(table: str, columns: Sequence[str], rows: Sequence[Row]) -> dict[tuple[Any, ...], list[Row]]:
    """Rows by :func:`identity`, in their order.

    Raises:
        VendorFault: As there.
    """
    found: dict[tuple[Any, ...], list[Row]] = {}
    values_of = operator.itemgetter(*_names(table, tuple(columns)))
    with contextlib.suppress(KeyError):
        # Rows come in the order of their key.
        for values, same in itertools.groupby(rows, values_of):
            found.setdefault(values, []).extend(same)
        if not any(None in values for values in found):
            return found
    return {identity(table, columns, row): [row] for row in rows}


@functools.cache
def _names(table: str, columns: tuple[str, ...]) -> tuple[str, ...]:
    """Columns as rows have them; the keys of tables are constants."""
    return tuple([f"{table}_{column}" for column in columns])


@attrs.frozen
class Grid:
    """One page.

    Args:
        content: Rows as the server sent them, or what decodes them.
        more: Whether more follow. ``clock``: the server's.
    """

    content: list[Row] | Callable[[], list[Row]] = attrs.field(repr=False)
    more: bool
    clock: dt.datetime | None

    @property
    def rows(self) -> list[Row]:
        """Its rows, decoded by now. Raises what :meth:`DataService.page` raises of an answer."""
        return self.content if isinstance(self.content, list) else self.content()


class DataService:
    """BROWSE and COUNT over one client.

    Args:
        client: The HTTP client. ``date_format``: called for the format of date literals; it may log in first.
    """

    def __init__(self, client: HTTPClient, date_format: Any, timeout: Timeout | None = None) -> None:
        self._client, self._date_format, self._timeout = client, date_format, timeout

    def page(
        self,
        table: str,
        columns: Sequence[str],
        where: Where,
        *,
        order_by: Sequence[str] = (),
        size: int = 500,
        params: Mapping[str, Any] | None = None,
    ) -> Grid:
        """One BROWSE call. An answer that says to be the last one is decoded when its rows are asked for.

        Raises:
            VendorFault: An error inside the answer, or no grid in it.
        """
        body = self._body(table, "BROWSE", where)
        body |= {
            "outputType": "GRID_DATA",
            "maxPageSize": str(size),
            "returnControlIDs": "|".join(_qualified(table, column) for column in columns),
        }
        if order_by:
            body["aggregation"] = {
                "orderBy": [
                    {
                        "column": _qualified(table, column.lstrip("-")),
                        "direction": "DESC" if column[0] == "-" else "ASC",
                    }
                    for column in order_by
                ]
            }
        response = self._ask(table, {**body, **(params or {})})
        read = functools.partial(_read, table, response)
        if _is_last(response.content):
            return Grid(lambda: read()[0], False, response.date)
        rows, more = read()
        return Grid(rows, more, response.date)

    def count(self, table: str, where: Where) -> int:
        """Rows that fit, by COUNT (section 3.5)."""
        answer = self._ask(table, self._body(table, "COUNT", where)).json()
        inner = answer.get(f"ds_{table}", answer) if isinstance(answer, Mapping) else {}
        found = inner.get("count") if isinstance(inner, Mapping) else None
        if isinstance(found, Decimal) and _is_whole(found):
            found = int(found)
        text = "" if isinstance(found, bool) else str(found)
        if not (text.isascii() and text.isdecimal()):
            raise VendorFault(
                f"jdedwards: the count of {table} came without a number: {words(answer) or 'unknown form'}.",
                cure="Check the names of table and columns, and the user's rights to the table.",
                system="jdedwards",
            )
        return int(text)

    def walk(
        self, table: str, key: Sequence[str], columns: Sequence[str], where: Where, *, size: int, after: Any = None
    ) -> Iterator[Grid]:
        """Pages in key order, every row once, by conditions on the key.

        The next page asks for first key column >= the last one seen and leaves out the rows that came already. Where
        a whole page shares one value of that column, that value is walked by the next key column. Only documented
        operators are used, and nothing depends on how the server compares texts.

        Args:
            after: Value of the first key column to begin with, for a walk taken up again.
        """
        yield from self._walk(table, tuple(key), tuple(columns), list(where), size, 0, after)

    def spans(
        self,
        table: Table,
        columns: Sequence[str],
        where: Where,
        *,
        size: int,
        after: int | None = None,
        upto: int | None = None,
    ) -> Iterator[Span[Grid]]:
        """Pages of a walk above and up to values of the first key column; all rows of a value are in one page.

        Args:
            after, upto: Bounds of the first key column, which is a number.
        """
        column, first = table.key[0], f"{table.name}_{table.key[0]}"
        bounds = [(column, op, value) for op, value in ((">", after), ("<=", upto)) if value is not None]
        held: list[dict[str, Any]] = []
        for grid in self.walk(table.name, table.key, columns, [*where, *bounds], size=size):
            rows = [*held, *grid.rows]
            held = [row for row in rows if row[first] == rows[-1][first]] if grid.more else []
            whole = rows[: len(rows) - len(held)]
            low, high = (int(whole[0][first]), int(whole[-1][first])) if whole else (None, None)
            batch = Grid(whole, grid.more, grid.clock)
            yield Span(batch=batch, rows=len(whole), size=size, low=low, high=high, last=not grid.more)

    def highest(self, table: Table, where: Where) -> int | None:
        """The highest value of the first key column; ``None`` where no row fits."""
        column = table.key[0]
        rows = self.page(table.name, [column], where, order_by=[f"-{column}"], size=1).rows
        return int(rows[0][f"{table.name}_{column}"]) if rows else None

    @property
    def calls_at_once(self) -> int | None:
        """Calls of the client under way at once; ``None``: no limit."""
        return self._client.max_in_flight

    def _walk(  # noqa: PLR0917 - private; the state of one level
        self,
        table: str,
        key: tuple[str, ...],
        columns: tuple[str, ...],
        where: list[tuple[str, str, Any]],
        size: int,
        depth: int,
        after: Any,
    ) -> Iterator[Grid]:
        names = _names(table, key)
        begin = [] if after is None else [(key[depth], ">=", after)]
        came: set[tuple[Any, ...]] = set()
        shared: Any = None
        while True:
            grid = self.page(table, columns, [*where, *begin], order_by=key[depth:], size=size)
            fresh = functools.partial(_fresh, table, key, grid, depth, shared, came)
            if not grid.more:
                yield Grid(fresh, False, grid.clock)
                return
            yield Grid(fresh(), True, grid.clock)
            if not grid.rows:
                raise VendorFault(
                    f"jdedwards: {table} has more records, and sent none of them.",
                    cure="The CNC administrator looks at the fetch limits of the JAS server.",
                    system="jdedwards",
                )
            (value,) = identity(table, key[depth : depth + 1], grid.rows[-1])
            literal = date_of(value) if key[depth] in DATES else value
            shared = value
            came = {tuple([row.get(name) for name in names]) for row in grid.rows if row.get(names[depth]) == value}
            if depth + 1 == len(key):
                begin, came = [(key[depth], ">", literal)], set()
            elif grid.rows[0].get(names[depth]) == value:
                deeper = [*where, (key[depth], "=", literal)]
                for part in self._walk(table, key, columns, deeper, size, depth + 1, None):
                    rows = [row for row in part.rows if tuple(row.get(name) for name in names) not in came]
                    yield Grid(rows, True, part.clock)
                begin, came = [(key[depth], ">", literal)], set()
            else:
                begin = [(key[depth], ">=", literal)]

    def _ask(self, table: str, body: Mapping[str, Any]) -> Response:
        try:
            return self._client.send(Request("POST", _PATH, json=body, timeout=self._timeout))
        except PermissionDenied as error:
            # Every table is read at one address, which alone says nothing to whoever gives the right.
            error.args = (f"{table}: {error.message}",)
            raise

    def _body(self, table: str, kind: str, where: Where) -> dict[str, Any]:
        body: dict[str, Any] = {
            "targetName": table,
            "targetType": "view" if table.startswith("V") else "table",
            "dataServiceType": kind,
            "findOnEntry": "TRUE",
        }
        query: dict[str, Any] = {"autoFind": True}
        if where:
            query |= {"matchType": "MATCH_ALL", "condition": conditions(table, where, self._date_format())}
        return {**body, "query": query}


def _fresh(  # noqa: PLR0917 - private; bound at one place
    table: str, key: tuple[str, ...], grid: Grid, depth: int, shared: Any, came: set[tuple[Any, ...]]
) -> list[Row]:
    """The rows of a page less those that came already."""
    names, rows = _names(table, key), grid.rows
    if None in [row.get(names[0]) for row in rows]:
        for row in rows:
            identity(table, key[:1], row)
    # What came already has the value that this page begins with: the others need no look.
    return [
        row for row in rows if row.get(names[depth]) != shared or tuple([row.get(name) for name in names]) not in came
    ]


def _is_last(content: bytes) -> bool:
    """The answer surely says that no more follow; once, so that it is not said of something else."""
    at = content.rfind(b'"moreRecords"')
    return content.find(b'"moreRecords"') == at >= 0 and _NO_MORE.match(content, at) is not None


def _read(table: str, response: Response) -> tuple[list[Row], bool]:
    """Rows, and whether more follow."""
    answer = response.json()
    grid, fault = _grid(answer, table)
    if fault:
        raise VendorFault(
            f"jdedwards: reading {table} failed inside an answer of status {response.status}:"
            f" {response.redact(fault)}.",
            cure="Check the names of table and columns (aliases without prefix), and the rights to the table.",
            status=response.status,
            system="jdedwards",
        )
    rows, summary = grid.get("rowset"), grid.get("summary")
    more = summary.get("moreRecords") if isinstance(summary, Mapping) else None
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows) or not isinstance(more, bool):
        raise VendorFault(
            f"jdedwards: the answer for {table} lacks rows, or does not say whether more follow.",
            cure=_INCOMPLETE,
            status=response.status,
            system="jdedwards",
        )
    # One row tells how a server writes its numbers: the first column of a key is never empty.
    pointed = [
        name
        for name, value in (rows[0] if rows else {}).items()
        if _is_whole(value) and name.rpartition("_")[2] in COUNTED
    ]
    return [_counted(row, pointed) for row in rows] if pointed else rows, more


def _counted(row: Row, names: Sequence[str]) -> Row:
    """A row whose numbers of things are integers: some servers send ``4343.0`` for ``4343`` (section 3.3)."""
    return {**row, **{name: int(row[name]) for name in names if _is_whole(row.get(name))}}


def _is_whole(value: Any) -> bool:
    return type(value) is Decimal and value == value.to_integral_value()


def _grid(answer: Any, table: str) -> tuple[Mapping[str, Any], str]:
    """The grid in an answer, and what keeps it from being used."""
    form = answer.get(f"fs_DATABROWSE_{table}") if isinstance(answer, Mapping) else None
    data = form.get("data") if isinstance(form, Mapping) else None
    grid = data.get("gridData") if isinstance(data, Mapping) else None
    if isinstance(grid, Mapping):
        return grid, words(answer) or words(form)
    return {}, words(answer) or words(form) or "it has no grid"


def _qualified(table: str, column: str) -> str:
    return column if "." in column else f"{table}.{column}"
