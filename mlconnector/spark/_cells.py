"""Rows of a table as Arrow batches of a given schema; an amount that does not fit is refused, never rounded."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Any

import pyarrow as pa  # type: ignore[import-untyped]

from mlconnector.errors import InvalidDocument
from mlconnector.http import dumps

__all__ = ["batches", "inferred"]

_BATCH = 2000
_NUMBER = pa.decimal128(36, 12)
"""More digits after the point than the prices and rates of the six systems have."""
Row = Mapping[str, Any]


def inferred(rows: Iterable[Row], columns: Iterable[str], name: Callable[[str], str]) -> pa.Schema:
    """Numbers where the first rows have numbers, flags where they have flags, else text; dates need a schema."""
    found: dict[str, set[type]] = {column: set() for column in columns}
    for row in rows:
        for column, kinds in found.items():
            value = row.get(name(column))
            if value is not None:
                kinds.add(type(value))
    return pa.schema([(column, _type(kinds)) for column, kinds in found.items()])


def _type(kinds: set[type]) -> pa.DataType:
    if kinds == {bool}:
        return pa.bool_()
    return _NUMBER if kinds and kinds <= {int, Decimal} else pa.string()


def batches(rows: Iterable[Row], schema: pa.Schema, name: Callable[[str], str]) -> Iterator[pa.RecordBatch]:
    """Batches of the schema.

    Args:
        name: What a column is called in the rows.

    Raises:
        InvalidDocument: A value that is no number or date, or has more digits than its column.
    """
    remaining = iter(rows)
    makers = [(name(field.name), field.type, _maker(field.type)) for field in schema]
    while taken := list(itertools.islice(remaining, _BATCH)):
        arrays = [_array(column, kind, make, taken) for column, kind, make in makers]
        yield pa.RecordBatch.from_arrays(arrays, schema=schema)


def _array(column: str, kind: pa.DataType, make: Callable[[Any], Any], rows: list[Row]) -> pa.Array:
    try:
        return pa.array([make(row.get(column)) for row in rows], kind)
    except (pa.ArrowInvalid, pa.ArrowTypeError, ValueError, ArithmeticError):
        for row in rows:
            try:
                pa.array([make(row.get(column))], kind)
            except (pa.ArrowInvalid, pa.ArrowTypeError, ValueError, ArithmeticError):
                raise InvalidDocument(
                    f"{column} is {row.get(column)!r} in a row, which the column's type {kind} does not hold.",
                    cure="Give a schema with a wider type, or string.",
                ) from None
        raise


def _maker(kind: pa.DataType) -> Callable[[Any], Any]:
    if pa.types.is_decimal(kind):
        return _number
    if pa.types.is_date(kind):
        return _date
    return _text if pa.types.is_string(kind) or pa.types.is_large_string(kind) else _same


def _same(value: Any) -> Any:
    return value


def _number(value: Any) -> Decimal | None:
    """A blank is no number, as the vendors send it."""
    if isinstance(value, Decimal):
        return value
    text = "" if value is None else str(value).strip()
    return Decimal(text) if text else None


def _date(value: Any) -> dt.date | None:
    """``2026-03-01``, ``20260301``, of a time stamp the date as it is written."""
    text = "" if value is None else str(value).strip()
    return dt.date.fromisoformat(text[:10]) if text not in ("", "0") else None


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return dumps(value)
