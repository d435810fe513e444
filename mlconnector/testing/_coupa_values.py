"""How the simulated Coupa reads single values of bodies and queries."""

from __future__ import annotations

import datetime as dt
import re
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any

__all__ = ["decimal", "flag", "instant", "midnight"]

_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_INSTANT = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,6})?)(Z|[+-]\d\d:?\d\d| \d\d:?\d\d)")
_FLAGS = {"true": True, "false": False, "1": True, "0": False}


def flag(value: Any) -> bool:
    """True or false, also as text.

    Raises:
        ValueError: Neither.
    """
    if isinstance(value, bool):
        return value
    text = str(value).strip().lower()
    if text not in _FLAGS:
        raise ValueError("is not true or false")
    return _FLAGS[text]


def decimal(value: Any, scale: int | None) -> Decimal:
    """A number, rounded half up to what its column holds.

    Raises:
        ValueError: No finite number.
    """
    if isinstance(value, bool):
        raise ValueError("is not a number")
    try:
        number = Decimal(value if isinstance(value, int | Decimal) else str(value).strip())
        if not number.is_finite():
            raise ValueError("is not a number")
        return number if scale is None else number.quantize(Decimal(1).scaleb(-scale), ROUND_HALF_UP)
    except InvalidOperation:
        raise ValueError("is not a number") from None


def instant(value: Any) -> dt.datetime:
    """A strict ISO 8601 instant; a date alone is midnight UTC (section 3).

    A raw ``+`` of the query arrives as a blank: the zone is lost without an error, as with the vendor.

    Raises:
        ValueError: Another form, or no zone.
    """
    if isinstance(value, dt.datetime) and value.tzinfo is not None:
        return value.astimezone(dt.UTC)
    if isinstance(value, dt.date) and not isinstance(value, dt.datetime):
        return dt.datetime.combine(value, dt.time(), dt.UTC)
    text = str(value).strip()
    if _DAY.fullmatch(text):
        return dt.datetime.combine(dt.date.fromisoformat(text), dt.time(), dt.UTC)
    found = _INSTANT.fullmatch(text)
    if found is None:
        raise ValueError("is not an ISO 8601 date with time and zone")
    moment, zone = found.groups()
    return dt.datetime.fromisoformat(moment + ("Z" if zone.startswith(" ") else zone)).astimezone(dt.UTC)


def midnight(value: Any, zone: dt.tzinfo) -> dt.datetime:
    """The day a value begins with, as its midnight in the company's zone; what follows the day is not looked at.

    Raises:
        ValueError: It begins with no date.
    """
    if isinstance(value, dt.datetime) and value.tzinfo is not None:
        value = value.astimezone(zone).date()
    found = _DAY.match(str(value).strip())
    if found is None:
        raise ValueError("is not a date")
    return dt.datetime.combine(dt.date.fromisoformat(found[0]), dt.time(), zone).astimezone(dt.UTC)
