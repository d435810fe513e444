"""The expression ``q``: built, quoted and refused in one place (Fusion reference, section 6)."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any, Literal, NoReturn

from mlconnector.errors import InvalidArgument

__all__ = ["DateTimes", "Where", "attribute_name", "condition", "expression", "instant_text", "order_text"]

Where = Sequence[tuple[str, str, Any]]
"""``(attribute, op, value)`` with op in ``= != < <= > >= in between startswith contains``."""
DateTimes = Literal["offset", "plain"]
"""How date-times are written: ``'2026-01-31T00:00:00.000+00:00'``, or ``'2026-01-31 00:00:00'`` (section 6.3)."""

_ATTRIBUTE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*")
_COMPARED = ("=", "!=", "<", "<=", ">", ">=")
_WILDCARDS = "%*_"


def instant_text(instant: dt.datetime, form: DateTimes) -> str:
    """An aware instant as a literal without its quotes, in UTC.

    Raises:
        InvalidArgument: It has no time zone.
    """
    if instant.tzinfo is None:
        raise InvalidArgument(f"{instant!r} has no time zone.", cure="Pass an aware datetime.")
    utc = instant.astimezone(dt.UTC)
    return utc.isoformat(timespec="milliseconds") if form == "offset" else f"{utc:%Y-%m-%d %H:%M:%S}"


def _quoted(text: str) -> str:
    """In single quotes, one inside doubled: the SQL convention, not documented for REST (section 6.2)."""
    if not text.isprintable():
        raise InvalidArgument(f"{text!r} has control characters.", cure="Compare with printable text.")
    return "'" + text.replace("'", "''") + "'"


def _literal(value: Any, form: DateTimes) -> str:
    if isinstance(value, str):
        return _quoted(value)
    if isinstance(value, dt.datetime):
        return _quoted(instant_text(value, form))
    if isinstance(value, dt.date):
        return _quoted(value.isoformat())
    if isinstance(value, Decimal) and value.is_finite():
        return format(value, "f")
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    raise InvalidArgument(f"{value!r} cannot be compared with.", cure="Use str, int, Decimal, date or datetime.")


def _like(attribute: str, pattern: str, value: Any) -> str:
    """Both wildcards are documented, ``%`` and ``*``; only one of them acts, and the other finds nothing false."""
    if not isinstance(value, str) or not value or any(sign in value for sign in _WILDCARDS):
        raise InvalidArgument(
            f"{value!r} cannot be searched for.",
            cure="Give text without the wildcards % * _; how to escape is unknown.",
        )
    alternatives = (_quoted(pattern.format(value, wildcard)) for wildcard in "%*")
    return "(" + " or ".join(f"{attribute} like {one}" for one in alternatives) + ")"


def _equal(attribute: str, op: str, value: Any, form: DateTimes) -> str:
    if value is None and op in ("=", "!="):
        return f"{attribute} is null" if op == "=" else f"{attribute} is not null"
    return f"{attribute} {op} {_literal(value, form)}"


def _any_of(attribute: str, values: Iterable[Any], form: DateTimes) -> str:
    """One of several values, by ``or``: ``in`` is not documented (section 6.2)."""
    return "(" + " or ".join(_equal(attribute, "=", value, form) for value in values) + ")"


def _several(op: str, value: Any) -> Sequence[Any]:
    if isinstance(value, (str, bytes, Mapping)) or not isinstance(value, Iterable):
        _wrong_number(op, value)
    values = list(value)
    if not values or (op == "between" and len(values) != 2):
        _wrong_number(op, value)
    return values


def _wrong_number(op: str, value: Any) -> NoReturn:
    raise InvalidArgument(f"{op} {value!r}.", cure="Give a list: two values for between, one or more for in.")


def attribute_name(name: Any) -> str:
    """The name, if it can be one: dotted for a child's attribute (section 6.2).

    Raises:
        InvalidArgument: It cannot.
    """
    if not isinstance(name, str) or not _ATTRIBUTE.fullmatch(name):
        raise InvalidArgument(f"{name!r} is no attribute.", cure="Use its name as describe shows it, case included.")
    return name


def condition(attribute: str, op: str, value: Any, form: DateTimes = "offset") -> str:
    """One condition as text of ``q``; only operators documented for framework version 2 and later are used.

    Raises:
        InvalidArgument: A name, an operator or a value that cannot be pushed down exactly.
    """
    name = attribute_name(attribute)
    if op in _COMPARED:
        return _equal(name, op, value, form)
    several: dict[str, Callable[[], str]] = {
        "in": lambda: _any_of(name, _several(op, value), form),
        "between": lambda: "({0} >= {1} and {0} <= {2})".format(
            name, *(_literal(one, form) for one in _several(op, value))
        ),
        "startswith": lambda: _like(name, "{0}{1}", value),
        "contains": lambda: _like(name, "{1}{0}{1}", value),
    }
    if op not in several:
        raise InvalidArgument(f"op={op!r}.", cure=f"Use one of {' '.join((*_COMPARED, *several))}.")
    return several[op]()


def expression(where: Where, form: DateTimes = "offset") -> str:
    """All conditions joined by ``and``; empty for none.

    Raises:
        InvalidArgument: As :func:`condition`.
    """
    return " and ".join(condition(attribute, op, value, form) for attribute, op, value in where)


def order_text(columns: Iterable[str]) -> str:
    """``orderBy`` from attribute names, ``-`` first for descending (section 5).

    Raises:
        InvalidArgument: Not the name of an attribute.
    """
    names = [
        (attribute_name(column.removeprefix("-")), "desc" if column.startswith("-") else "asc") for column in columns
    ]
    return ",".join(f"{name}:{direction}" for name, direction in names)
