"""Pandas columns. Amounts stay :class:`decimal.Decimal`: a float column would lose cents without a word."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from mlconnector.frames._columns import Column, Scalar, Type, writer
from mlconnector.frames._frame import Frame

__all__ = ["table"]

_DTYPES: Mapping[Scalar, str] = {
    Scalar.INTEGER: "Int64",
    Scalar.FLAG: "boolean",
    Scalar.DATE: "datetime64[s]",
    Scalar.INSTANT: "datetime64[us, UTC]",
}
_LEAVES: Mapping[Scalar, Callable[[Any], Any]] = {Scalar.MAPPING: dict}


def table(pd: Any, frame: Frame) -> Any:
    """A ``DataFrame``: dates as ``datetime64[s]``, instants in UTC, everything else as Python objects."""
    rows = list(frame.rows)
    found = {column.name: _series(pd, column, rows) for column in frame.columns}
    return pd.DataFrame(found, columns=[column.name for column in frame.columns])


def _series(pd: Any, column: Column, rows: Sequence[Any]) -> Any:
    make = writer(column.type, _LEAVES)
    values = [make(column.get(row)) for row in rows]
    return pd.Series(values, dtype=_dtype(column.type))


def _dtype(kind: Type) -> str:
    return _DTYPES.get(kind, "object") if isinstance(kind, Scalar) else "object"
