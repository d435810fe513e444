"""Arrow types and arrays. An amount is never rounded: it fits its column, widens it, or is refused by name."""

from __future__ import annotations

import datetime as dt
import decimal
import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from mlconnector.errors import InvalidArgument, InvalidDocument
from mlconnector.frames._columns import Column, Many, Scalar, Struct, Type, writer
from mlconnector.frames._frame import Frame
from mlconnector.http import dumps

__all__ = ["SCALE", "batches", "checked_scale", "schema_of", "table"]

PRECISION = 36
"""Digits of a decimal column. Two less than 128 bits hold: Arrow refuses to subtract columns of 38 digits."""
SCALE = 12
"""Digits after the point, unless told otherwise: more than the prices and rates of the six systems have."""
_MOST_128, _MOST_256 = 38, 76
_EXACT = decimal.Context(prec=decimal.MAX_PREC, Emax=decimal.MAX_EMAX, Emin=decimal.MIN_EMIN, traps=[])


def _pairs(value: Mapping[str, Any]) -> list[tuple[str, str | None]]:
    return [(str(key), None if item is None else _text(item)) for key, item in value.items()]


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    return value.isoformat() if isinstance(value, (dt.date, dt.datetime)) else dumps(value)


def _reduced(value: Decimal | int) -> Decimal:
    """Without the zeros that say nothing, which Arrow would count as digits."""
    return _EXACT.normalize(value if isinstance(value, Decimal) else Decimal(value))


_LEAVES: Mapping[Scalar, Callable[[Any], Any]] = {
    Scalar.NUMBER: _reduced,
    Scalar.MAPPING: _pairs,
    Scalar.ANY: _text,
}


def checked_scale(scale: int) -> int:
    """``scale=`` of the functions.

    Raises:
        InvalidArgument: Not a number of digits.
    """
    if type(scale) is not int or not 0 <= scale <= PRECISION:
        raise InvalidArgument(f"scale={scale!r}.", cure=f"Give the digits after the point, 0 to {PRECISION}.")
    return scale


def schema_of(pa: Any, columns: Sequence[Column], scale: int) -> Any:
    """The schema before any value is known."""
    number = pa.decimal128(PRECISION, scale)
    return pa.schema([(column.name, _arrow_type(pa, column.type, lambda _: number, ())) for column in columns])


def table(pa: Any, frame: Frame, scale: int) -> Any:
    """Everything as one table; a decimal column is widened where a value asks for it.

    Raises:
        InvalidDocument: An amount of more than 76 digits.
    """
    schema = schema_of(pa, frame.columns, scale)
    rows = list(frame.rows)
    arrays = [
        _widened(pa, column, field.type, rows, scale) for column, field in zip(frame.columns, schema, strict=True)
    ]
    return pa.table(arrays, names=schema.names)


def batches(pa: Any, frame: Frame, scale: int, size: int) -> Any:
    """A reader that takes ``size`` rows at a time; its schema is fixed.

    Raises:
        InvalidDocument: While it is read: an amount that does not fit the schema.
    """
    schema = schema_of(pa, frame.columns, scale)
    return pa.RecordBatchReader.from_batches(schema, _batches(pa, frame, schema, size))


def _batches(pa: Any, frame: Frame, schema: Any, size: int) -> Iterator[Any]:
    rows = iter(frame.rows)
    while taken := list(itertools.islice(rows, size)):
        arrays = [_fixed(pa, column, field.type, taken) for column, field in zip(frame.columns, schema, strict=True)]
        yield pa.record_batch(arrays, schema=schema)


def _values(column: Column, rows: Sequence[Any]) -> list[Any]:
    make, get = writer(column.type, _LEAVES), column.get
    return [make(get(row)) for row in rows]


def _fixed(pa: Any, column: Column, arrow_type: Any, rows: Sequence[Any]) -> Any:
    values = _values(column, rows)
    try:
        return pa.array(values, arrow_type)
    except pa.ArrowInvalid:
        for row, value in zip(rows, values, strict=True):
            try:
                pa.array([value], arrow_type)
            except pa.ArrowInvalid:
                raise _too_long(
                    column, row, "Give scale=, or read it whole with to_arrow, which widens the column."
                ) from None
        raise


def _widened(pa: Any, column: Column, arrow_type: Any, rows: Sequence[Any], scale: int) -> Any:
    values = _values(column, rows)
    try:
        return pa.array(values, arrow_type)
    except pa.ArrowInvalid:
        needs = _needs(column.type, values)

    def number(path: tuple[str, ...]) -> Any:
        before, after = needs.get(path, (0, 0))
        after = max(after, scale)
        if before + after > _MOST_256:
            raise _too_long(column, None, "Take such amounts out, or use to_pandas, which keeps any number of digits.")
        if before + after > _MOST_128:
            return pa.decimal256(_MOST_256, after)
        return pa.decimal128(max(PRECISION, before + after), after)

    return pa.array(values, _arrow_type(pa, column.type, number, ()))


def _needs(kind: Type, values: Sequence[Any], path: tuple[str, ...] = ()) -> dict[tuple[str, ...], tuple[int, int]]:
    """Digits before and after the point that the numbers need, by their place in the type."""
    present = [value for value in values if value is not None]
    if isinstance(kind, Many):
        return _needs(kind.of, list(itertools.chain.from_iterable(present)), path)
    if isinstance(kind, Struct):
        found = (_needs(part, [value[name] for value in present], (*path, name)) for name, part in kind.parts)
        return {place: need for needs in found for place, need in needs.items()}
    if kind is not Scalar.NUMBER:
        return {}
    digits = [_digits(value) for value in present]
    return {path: (max((before for before, _ in digits), default=0), max((after for _, after in digits), default=0))}


def _digits(value: Decimal) -> tuple[int, int]:
    _sign, digits, exponent = value.as_tuple()
    assert isinstance(exponent, int)
    return max(len(digits) + exponent, 0), max(-exponent, 0)


def _too_long(column: Column, row: Any, cure: str) -> InvalidDocument:
    document = row[0] if isinstance(row, tuple) else row
    key = getattr(document, "key", "")
    whose = f" of {type(document).__name__} {key}" if key else ""
    return InvalidDocument(f"An amount in {column.name}{whose} has more digits than the column.", cure=cure)


def _arrow_type(pa: Any, kind: Type, number: Callable[[tuple[str, ...]], Any], path: tuple[str, ...]) -> Any:
    if isinstance(kind, Many):
        return pa.list_(_arrow_type(pa, kind.of, number, path))
    if isinstance(kind, Struct):
        return pa.struct([(name, _arrow_type(pa, part, number, (*path, name))) for name, part in kind.parts])
    if kind is Scalar.NUMBER:
        return number(path)
    return {
        Scalar.TEXT: pa.string(),
        Scalar.INTEGER: pa.int64(),
        Scalar.FLAG: pa.bool_(),
        Scalar.DATE: pa.date32(),
        Scalar.INSTANT: pa.timestamp("us", "UTC"),
        Scalar.MAPPING: pa.map_(pa.string(), pa.string()),
        Scalar.ANY: pa.string(),
        Scalar.NOTHING: pa.null(),
    }[kind]
