"""The one place where filters and sort orders are built and quoted (BILL reference, section 4)."""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

from mlconnector.bill._resources import Resource
from mlconnector.errors import InvalidArgument

__all__ = ["Where", "filters", "instant", "is_filterable_text", "sort"]

Where = Sequence[tuple[str, str, Any]]
"""``(field, op, value)`` with op in ``= != < <= > >= in between startswith``; ``contains`` cannot be pushed down."""

_OPERATORS = {"=": "eq", "!=": "ne", "<": "lt", "<=": "lte", ">": "gt", ">=": "gte", "in": "in", "startswith": "sw"}
_ELSEWHERE = "Read more widely and compare in your program."
_BARE = re.compile(r"[A-Za-z0-9_.-]+")


def instant(value: dt.datetime, *, up: bool = False) -> str:
    """A date-time as filters take it: UTC, milliseconds, ``Z``; cut to the millisecond, or raised with ``up``."""
    if value.tzinfo is None:
        raise InvalidArgument(f"{value!r} has no time zone.", cure="Pass an aware datetime.")
    utc = value.astimezone(dt.UTC)
    millis = math.ceil(utc.microsecond / 1000) if up else utc.microsecond // 1000
    utc = utc.replace(microsecond=0) + dt.timedelta(milliseconds=millis)
    return f"{utc:%Y-%m-%dT%H:%M:%S}.{utc.microsecond // 1000:03}Z"


def is_filterable_text(text: str) -> bool:
    """Whether a text may stand in a filter; how a comma or a quote is escaped is not known."""
    return bool(text) and text.isprintable() and not set(text) & {",", '"', "\\"}


def _literal(field: str, value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dt.datetime):
        return f'"{instant(value)}"'
    if isinstance(value, dt.date):
        return f'"{value.isoformat()}"'
    if isinstance(value, Decimal) and value.is_finite():
        return format(value, "f")
    if isinstance(value, int):
        return str(value)
    if isinstance(value, str):
        _check_text(field, value)
        is_id = field == "id" or field.endswith("Id")
        return value if is_id and _BARE.fullmatch(value) else f'"{value}"'
    raise InvalidArgument(f"{field}: {value!r} cannot be compared with.", cure="Use str, int, Decimal, bool or a date.")


def _check_text(field: str, text: str) -> None:
    if not is_filterable_text(text):
        raise InvalidArgument(
            f"{field}: {text!r} is empty or holds a comma, a quote or another sign that a filter cannot carry.",
            cure=_ELSEWHERE,
        )


def _conditions(resource: Resource, field: str, op: str, value: Any) -> Iterable[str]:
    if op == "between":
        bounds = list(value) if isinstance(value, (list, tuple)) else []
        if len(bounds) != 2:
            raise InvalidArgument(f"{field} between {value!r} has no two bounds.", cure="Give [low, high].")
        return [*_conditions(resource, field, ">=", bounds[0]), *_conditions(resource, field, "<=", bounds[1])]
    operator = _OPERATORS.get(op)
    if operator is None:
        raise InvalidArgument(f"op={op!r} cannot be pushed down.", cure=f"Use {' '.join(_OPERATORS)}. {_ELSEWHERE}")
    if operator not in resource.filters.get(field, ()):
        known = ", ".join(f"{name} ({' '.join(sorted(ops))})" for name, ops in sorted(resource.filters.items()))
        raise InvalidArgument(
            f"{resource.name} cannot be filtered by {field} {op}.", cure=f"Possible: {known}. {_ELSEWHERE}"
        )
    if operator != "in":
        return [f"{field}:{operator}:{_literal(field, value)}"]
    if isinstance(value, str) or not isinstance(value, Iterable):
        raise InvalidArgument(f"{field} in {value!r} is no list.", cure="Give a list of texts.")
    texts = [str(one) for one in value]
    if not texts:
        raise InvalidArgument(f"{field} in [] fits nothing.", cure="Give at least one value.")
    for text in texts:
        _check_text(field, text)
    return [f'{field}:in:"{",".join(texts)}"']


def filters(resource: Resource, where: Where) -> str:
    """The ``filters=`` of a list, its conditions joined by comma; empty where there are none. Not percent-encoded.

    Raises:
        InvalidArgument: A field, operator or value that the vendor does not take.
    """
    found: list[str] = []
    for field, op, value in where:
        found += _conditions(resource, field, op, value)
    return ",".join(found)


def sort(resource: Resource, order_by: Sequence[str]) -> str:
    """The ``sort=`` of a list; a field with ``-`` before it descends.

    Raises:
        InvalidArgument: A field the vendor does not sort by.
    """
    terms = []
    for column in order_by:
        field = column.removeprefix("-")
        if field not in resource.sorts:
            possible = ", ".join(sorted(resource.sorts))
            raise InvalidArgument(f"{resource.name} cannot be sorted by {field!r}.", cure=f"Possible: {possible}.")
        terms.append(f"{field}:{'desc' if column.startswith('-') else 'asc'}")
    return ",".join(terms)
