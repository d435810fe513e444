"""Columns of raw rows: the keys of all rows, typed by the values that came."""

from __future__ import annotations

import datetime as dt
import operator
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from mlconnector.frames._columns import Column, Scalar

__all__ = ["columns_of_rows"]

_INT64 = range(-(2**63), 2**63)
_TYPES: Mapping[type, Scalar] = {
    str: Scalar.TEXT,
    Decimal: Scalar.NUMBER,
    int: Scalar.INTEGER,
    bool: Scalar.FLAG,
    dt.date: Scalar.DATE,
    dt.datetime: Scalar.INSTANT,
}


def columns_of_rows(rows: Sequence[Mapping[str, Any]], known: Iterable[str] = ()) -> tuple[Column, ...]:
    """Columns in the order in which their keys first came.

    Values of more than one type, nested values and instants without a zone make a column of anything; a column
    without a value, or without a row, is there all the same.

    Args:
        rows: All rows.
        known: Keys the read is known to have, even where no row came.
    """
    found: dict[str, set[Scalar]] = {key: set() for key in known}
    for row in rows:
        for key, value in row.items():
            found.setdefault(key, set())
            if value is not None:
                found[key].add(_scalar(value))
    return tuple(Column(key, _common(kinds), _getter(key)) for key, kinds in found.items())


def _getter(key: str) -> Any:
    return operator.methodcaller("get", key)


def _scalar(value: Any) -> Scalar:
    kind = _TYPES.get(type(value), Scalar.ANY)
    if kind is Scalar.INTEGER and value not in _INT64:
        return Scalar.NUMBER
    if kind is Scalar.INSTANT and value.tzinfo is None:
        return Scalar.ANY
    return kind


def _common(kinds: set[Scalar]) -> Scalar:
    if not kinds:
        return Scalar.NOTHING
    if kinds == {Scalar.INTEGER, Scalar.NUMBER}:
        return Scalar.NUMBER
    return kinds.pop() if len(kinds) == 1 else Scalar.ANY
