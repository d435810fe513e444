"""Conditions in the query string (Coupa reference, section 3)."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

from mlconnector.errors import InvalidArgument

__all__ = ["Where", "conditions", "instant_text", "ordering"]

Where = Sequence[tuple[str, str, Any]]
"""``(column, op, value)`` with op in ``= != < <= > >= in between startswith contains``."""

_OPERATORS = {
    "=": "",
    "!=": "[not_eq]",
    "<": "[lt]",
    "<=": "[lt_or_eq]",
    ">": "[gt]",
    ">=": "[gt_or_eq]",
    "in": "[in]",
    "startswith": "[starts_with]",
    "contains": "[contains]",
}
_PART = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")


def instant_text(instant: dt.datetime, *, up: bool = False) -> str:
    """An instant in whole seconds of UTC with ``Z``: a raw ``+`` in a URL would be a blank and change the zone.

    Args:
        instant: Aware. ``up``: the next whole second instead of the last one.
    """
    second = instant.astimezone(dt.UTC)
    if second.microsecond:
        second = second.replace(microsecond=0) + (dt.timedelta(seconds=1) if up else dt.timedelta(0))
    return second.strftime("%Y-%m-%dT%H:%M:%SZ")


def _attribute(column: str) -> str:
    """``supplier.number`` is ``supplier[number]``; dashes become underscores."""
    first, *rest = str(column).replace("[", ".").replace("]", "").split(".")
    if not all(_PART.fullmatch(part) for part in (first, *rest)):
        raise InvalidArgument(f"column={column!r}.", cure='Name it like "updated-at" or "supplier.number".')
    return "".join([first, *(f"[{part}]" for part in rest)]).replace("-", "_")


def _literal(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dt.datetime):
        if value.tzinfo is None:
            raise InvalidArgument(f"{value!r} has no time zone.", cure="Compare with an aware datetime.")
        return instant_text(value)
    if isinstance(value, dt.date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, (int, str)):
        return str(value)
    raise InvalidArgument(f"{value!r} cannot be compared with.", cure="Use str, int, bool, Decimal or a date.")


def conditions(where: Iterable[tuple[str, str, Any]]) -> list[tuple[str, str]]:
    """Parameters, joined by AND at Coupa.

    Raises:
        InvalidArgument: An operator, column or value that Coupa's query string does not have.
    """
    found: list[tuple[str, str]] = []
    for column, op, value in where:
        name = _attribute(column)
        if op == "between":
            values = [] if isinstance(value, str) else list(value)
            if len(values) != 2:
                raise InvalidArgument(f"between {value!r} has not two values.", cure="Give (lowest, highest).")
            found += [(f"{name}[gt_or_eq]", _literal(values[0])), (f"{name}[lt_or_eq]", _literal(values[1]))]
            continue
        if op not in _OPERATORS:
            raise InvalidArgument(f"op={op!r}.", cure=f"Use one of {' '.join(_OPERATORS)} between.")
        if op == "in":
            texts = [value] if isinstance(value, str) else [_literal(one) for one in value]
            if not texts or any("," in text for text in texts):
                raise InvalidArgument(
                    f"in {value!r} is empty or has a comma, which separates values there.",
                    cure="Give some values without commas, or ask for each with =.",
                )
            found.append((f"{name}[in]", ",".join(texts)))
        else:
            found.append((name + _OPERATORS[op], _literal(value)))
    return found


def ordering(order_by: Sequence[str]) -> list[tuple[str, str]]:
    """``order_by`` and ``dir``; Coupa sorts by one attribute.

    Raises:
        InvalidArgument: More than one.
    """
    if len(order_by) > 1:
        raise InvalidArgument(f"order_by={list(order_by)!r}.", cure="Give one column; Coupa sorts by one.")
    return [
        pair
        for column in order_by
        for pair in (
            ("order_by", _attribute(column.removeprefix("-"))),
            ("dir", "desc" if column.startswith("-") else "asc"),
        )
    ]
