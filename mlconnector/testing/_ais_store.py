"""The rows of the simulated JD Edwards: typed, keyed, stamped."""

from __future__ import annotations

import datetime as dt
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from decimal import Decimal
from typing import Any

from mlconnector.errors import InvalidArgument
from mlconnector.testing._ais_tables import TABLES, Column, Table

__all__ = ["NO_DATE", "Contents", "Row", "TableStore", "default_of", "table_named"]

Row = dict[str, Any]
"""Alias to value; a column that is not there has :func:`default_of` its kind."""

_Place = tuple[int, str, tuple[Any, ...]]
"""Where a key stands among the scrambled ones: by its checksum, then by its text. A row that goes leaves it behind."""

NO_DATE = dt.date.min
"""An empty date. The database holds 0, so it sorts before every date."""


def default_of(column: Column) -> Any:
    """What a column holds when nothing was put in."""
    match column.kind:
        case "S" | "B":
            return ""
        case "D":
            return NO_DATE
        case _:
            return 0


def table_named(name: str) -> Table:
    """The definition of a table.

    Raises:
        InvalidArgument: The simulator does not know it.
    """
    table = TABLES.get(name)
    if table is None:
        raise InvalidArgument(f"The simulator has no table {name!r}; it has {', '.join(TABLES)}.")
    return table


def coerce(table: Table, alias: str, value: Any) -> Any:
    """A caller's value in the form of its column: text right-trimmed, business units right-justified.

    Raises:
        InvalidArgument: No such column, a value of another type, or text that is too long.
    """
    column = table.columns.get(alias)
    if column is None:
        raise InvalidArgument(f"{table.name} has no column {alias!r} (aliases carry no table prefix).")
    if value is None:
        return default_of(column)
    problem = f"{table.name}.{alias} cannot hold {value!r}."
    match column.kind:
        case "S" | "B":
            if not isinstance(value, str) or len(value.rstrip()) > (column.length or 0):
                raise InvalidArgument(problem)
            text = value.rstrip()
            return text.rjust(column.length or 0) if column.kind == "B" and text else text
        case "D":
            if isinstance(value, dt.datetime) or not isinstance(value, dt.date):
                raise InvalidArgument(problem)
            return value
        case "T":
            if isinstance(value, dt.time):
                return value.hour * 10000 + value.minute * 100 + value.second
            if not isinstance(value, int) or not 0 <= value <= 235959:
                raise InvalidArgument(problem)
            return value
        case _:
            if isinstance(value, bool) or not isinstance(value, int | Decimal):
                raise InvalidArgument(problem)
            return value


class TableStore:
    """One table's rows by primary key."""

    def __init__(self, table: Table) -> None:
        self.table = table
        self._rows: dict[tuple[Any, ...], Row] = {}
        self._places: dict[tuple[Any, ...], _Place] = {}
        self._scramble: list[_Place] = []
        self._unsorted: list[_Place] = []
        self._scrambled: list[Row] | None = None
        self._in_key_order: list[tuple[Any, ...]] | None = None
        self._shown: dict[tuple[Any, ...], Row] = {}
        self._orders: dict[str, list[Row]] = {}
        self._keys_by: dict[str, dict[Any, set[tuple[Any, ...]]]] = {}

    def put(self, values: Mapping[str, Any], now: dt.datetime) -> None:
        """Add a row, or replace the one with its key; ``now`` is the site's local time for the stamp."""
        row = self._typed({**self.table.defaults, **values})
        missing = [alias for alias in self.table.key if alias not in values and alias not in self.table.defaults]
        if missing:
            raise InvalidArgument(f"A row of {self.table.name} needs its key: {', '.join(missing)} is missing.")
        self._stamp(row, values, now)
        self._set(row)

    def revise(self, key: Any, values: Mapping[str, Any], now: dt.datetime) -> None:
        """Change columns of one row and stamp it; a changed key column moves the row."""
        old_key = self.key_from(key)
        row = {**self._existing(old_key), **self._typed(values)}
        self._stamp(row, values, now)
        self._unset(old_key)
        self._set(row)

    def drop(self, key: Any) -> None:
        """Delete one row; nothing is left behind."""
        found = self.key_from(key)
        self._existing(found)
        self._unset(found)

    def key_from(self, key: Any) -> tuple[Any, ...]:
        """A key as given (mapping, sequence in key order, or the single value) in stored form."""
        aliases = self.table.key
        if isinstance(key, Mapping):
            given = {**self.table.defaults, **key}
            parts: Sequence[Any] = [given.get(alias) for alias in aliases]
        elif isinstance(key, Sequence) and not isinstance(key, str):
            parts = key
        else:
            parts = [key]
        if len(parts) != len(aliases):
            raise InvalidArgument(f"The key of {self.table.name} is {', '.join(aliases)}; got {key!r}.")
        return tuple(coerce(self.table, alias, part) for alias, part in zip(aliases, parts, strict=True))

    def scrambled(self) -> list[Row]:
        """All rows in an order that means nothing, always the same for the same keys."""
        if self._scrambled is None:
            if self._unsorted:
                self._scramble += self._unsorted
                self._scramble.sort()
                self._unsorted.clear()
            self._scrambled = [self._rows[key] for _, _, key in self._scramble if key in self._rows]
        return self._scrambled

    def having(self, alias: str, values: Iterable[Any]) -> list[Row]:
        """The rows whose column has one of ``values``, found by index."""
        keys = [key for value in dict.fromkeys(values) for key in self._keys_with(alias, value)]
        return [self._rows[key] for key in sorted(keys, key=self._places.__getitem__)]

    def count_having(self, alias: str, values: Iterable[Any]) -> int:
        """How many rows :meth:`having` finds."""
        return sum(len(self._keys_with(alias, value)) for value in dict.fromkeys(values))

    def ordered(self, name: str, make: Callable[[], list[Row]]) -> list[Row]:
        """All rows in an order, made once and kept under its name until a row changes."""
        if name not in self._orders:
            self._orders[name] = make()
        return self._orders[name]

    def find(self, key: Any) -> Row | None:
        """The row with a key, every column filled, or None."""
        row = self._rows.get(self.key_from(key))
        return None if row is None else self._filled(row)

    def where(self, **equal: Any) -> list[Row]:
        """The rows whose columns have exactly these values, in key order, every column filled."""
        wanted = self._typed(equal)
        first = next(iter(wanted))
        return [
            self._filled(row)
            for row in (self._rows[key] for key in sorted(self._keys_with(first, wanted[first])))
            if all(row.get(alias, default_of(self.table.columns[alias])) == value for alias, value in wanted.items())
        ]

    def _keys_with(self, alias: str, value: Any) -> set[tuple[Any, ...]]:
        """Keys by a column, kept while rows change: calls look up between all of their changes."""
        default = default_of(self.table.columns[alias])
        if alias not in self._keys_by:
            self._keys_by[alias] = {}
            for key, row in self._rows.items():
                self._keys_by[alias].setdefault(row.get(alias, default), set()).add(key)
        return self._keys_by[alias].get(value, set())

    def _filled(self, row: Row) -> Row:
        return {alias: row.get(alias, default_of(column)) for alias, column in self.table.columns.items()}

    def copies(self) -> tuple[Row, ...]:
        """All rows in key order, every column filled, business units with their leading blanks, empty dates None."""
        if self._in_key_order is None:
            self._in_key_order = sorted(self._places)
        for key in self._rows.keys() - self._shown.keys():
            filled = self._filled(self._rows[key])
            self._shown[key] = {alias: None if value is NO_DATE else value for alias, value in filled.items()}
        return tuple(self._shown[key].copy() for key in self._in_key_order if key in self._rows)

    def _typed(self, values: Mapping[str, Any]) -> Row:
        return {alias: coerce(self.table, alias, value) for alias, value in values.items()}

    def _stamp(self, row: Row, values: Mapping[str, Any], now: dt.datetime) -> None:
        day, time = self.table.stamp
        if values.get(day) is None:
            row[day] = now.date()
            row[time] = coerce(self.table, time, now.time())
        else:
            row.setdefault(time, 0)

    def _key_of(self, row: Row) -> tuple[Any, ...]:
        return tuple(row[alias] for alias in self.table.key)

    def _existing(self, key: tuple[Any, ...]) -> Row:
        row = self._rows.get(key)
        if row is None:
            raise InvalidArgument(f"{self.table.name} has no row {key!r}.")
        return row

    def _set(self, row: Row) -> None:
        key = self._key_of(row)
        if key in self._rows:
            self._unset(key)
        self._rows[key] = row
        for alias, index in self._keys_by.items():
            index.setdefault(row.get(alias, default_of(self.table.columns[alias])), set()).add(key)
        if key not in self._places:
            text = repr(key)
            place = self._places[key] = (zlib.crc32(text.encode()), text, key)
            self._unsorted.append(place)
            self._in_key_order = None
        self._scrambled = None
        self._orders.clear()

    def _unset(self, key: tuple[Any, ...]) -> None:
        row = self._rows.pop(key)
        for alias, index in self._keys_by.items():
            index[row.get(alias, default_of(self.table.columns[alias]))].discard(key)
        self._shown.pop(key, None)
        self._scrambled = None
        self._orders.clear()


class Contents(Mapping[str, tuple[Row, ...]]):
    """The tables as they are when they are asked for; copying them all at once would be slow."""

    def __init__(self, stores: Mapping[str, TableStore], lock: AbstractContextManager[object]) -> None:
        self._stores = stores
        self._lock = lock

    def __getitem__(self, name: str) -> tuple[Row, ...]:
        with self._lock:
            return self._stores[name].copies()

    def __iter__(self) -> Iterator[str]:
        return iter(self._stores)

    def __len__(self) -> int:
        return len(self._stores)
