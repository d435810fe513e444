"""Conditions and literals of the data service (AIS reference, sections 3.2 and 5)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from mlconnector.errors import InvalidArgument

__all__ = ["Where", "condition", "conditions", "date_text"]

Where = Sequence[tuple[str, str, Any]]
"""``(column, op, value)`` with op in ``= != < <= > >= in between startswith contains``."""

_OPERATORS: Mapping[str, str] = {
    "=": "EQUAL",
    "!=": "NOT_EQUAL",
    "<": "LESS",
    "<=": "LESS_EQUAL",
    ">": "GREATER",
    ">=": "GREATER_EQUAL",
    "in": "LIST",
    "between": "BETWEEN",
    "startswith": "STR_START_WITH",
    "contains": "STR_CONTAIN",
}


def date_text(date: dt.date, pattern: str) -> str:
    """A date in the login user's format (Java letters ``dd MM yyyy yy``), for query literals (section 5)."""
    text = pattern
    for letters, value in (
        ("yyyy", f"{date.year:04}"),
        ("MM", f"{date.month:02}"),
        ("dd", f"{date.day:02}"),
        ("yy", f"{date.year % 100:02}"),
    ):
        text = text.replace(letters, value)
    if any(letter.isalpha() for letter in text):
        raise InvalidArgument(
            f"date_format={pattern!r} has letters other than dd, MM, yyyy and yy.", cure="Correct date_format=."
        )
    return text


def _literal(value: Any, pattern: str) -> dict[str, str]:
    if isinstance(value, (int, str)) and not isinstance(value, bool):
        content = str(value)
    elif isinstance(value, dt.date):
        content = date_text(value, pattern)
    elif isinstance(value, Decimal):
        content = format(value, "f")
    else:
        raise InvalidArgument(f"{value!r} cannot be compared with.", cure="Use str, int, Decimal or a date.")
    if content.strip() == "*":
        raise InvalidArgument("'*' may act as a wildcard.", cure="Compare with a real value (AIS reference, 3.6).")
    return {"content": content, "specialValueId": "LITERAL"}


def condition(table: str, column: str, op: str, value: Any, pattern: str) -> dict[str, Any]:
    """One condition; the column with or without its table.

    Raises:
        InvalidArgument: An operator or value that the data service does not have.
    """
    operator = _OPERATORS.get(op)
    if operator is None:
        raise InvalidArgument(f"op={op!r}.", cure=f"Use one of {' '.join(_OPERATORS)}.")
    values = list(value) if op in ("in", "between") and not isinstance(value, str) else [value]
    if not values or (op == "between" and len(values) != 2):
        raise InvalidArgument(f"{op} {value!r} has {len(values)} values.", cure="Give two for between, some for in.")
    control = column if "." in column else f"{table}.{column}"
    return {"controlId": control, "operator": operator, "value": [_literal(one, pattern) for one in values]}


def conditions(table: str, where: Iterable[tuple[str, str, Any]], pattern: str) -> list[dict[str, Any]]:
    """All of them, to be joined by AND."""
    return [condition(table, column, op, value, pattern) for column, op, value in where]
