"""Elements of records, read and written: decimals are texts, dates are days (Coupa reference, section 1)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from mlconnector.http import dumps

__all__ = ["Element", "Sending", "custom_fields"]


class Element:
    """One object of a record, read by its dashed names; faults are collected, not raised one by one."""

    def __init__(self, row: Mapping[str, Any], faults: list[str], place: str = "") -> None:
        self.row, self._faults, self._place = row, faults, place

    def text(self, name: str) -> str:
        """Text without the blanks around it; empty for null and missing."""
        value = self.row.get(name)
        return "" if value is None or isinstance(value, (Mapping, list)) else str(value).strip()

    def number(self, name: str) -> Decimal | None:
        """An exact number, sent as text; ``None`` where there is none."""
        text = self.text(name)
        if not text:
            return None
        try:
            value = Decimal(text)
        except ArithmeticError:
            value = Decimal("NaN")
        if not value.is_finite():
            self._faults.append(f"{self._place}{name} {text!r} is not a number")
            return None
        return value

    def flag(self, name: str) -> bool:
        """A boolean; programs have sent it as text (section 7)."""
        return self.text(name).lower() in ("true", "1")

    def date(self, name: str) -> dt.date | None:
        """The day as it is written: a date is midnight in the company's zone and not converted (section 3).

        One that was sent bare may be midnight of UTC, and be shown in another zone: then the day of UTC is meant.
        """
        text = self.text(name)
        try:
            stamp = dt.datetime.fromisoformat(text) if text else None
        except ValueError:
            self._faults.append(f"{self._place}{name} {text!r} is not a date")
            return None
        if stamp is not None and stamp.tzinfo is not None and stamp.time() != dt.time(0):
            utc = stamp.astimezone(dt.UTC)
            stamp = utc if utc.time() == dt.time(0) else stamp
        return None if stamp is None else stamp.date()

    def instant(self, name: str) -> dt.datetime | None:
        """A stamp in UTC; one that cannot be read, or has no zone, is none."""
        try:
            stamp = dt.datetime.fromisoformat(self.text(name))
        except ValueError:
            return None
        return None if stamp.tzinfo is None else stamp.astimezone(dt.UTC)

    def object(self, name: str) -> Element:
        """An inner object; an empty one where there is none. ``country`` may be a bare text (section 1)."""
        value = self.row.get(name)
        if isinstance(value, str):
            value = {"code": value}
        inner = value if isinstance(value, Mapping) else {}
        return Element(inner, self._faults, f"{self._place}{name}.")

    def items(self, name: str) -> list[Element]:
        """The objects of a list; one in ``{"payment": {...}}`` is a list of one (section 7.1)."""
        value = self.row.get(name)
        if isinstance(value, Mapping) and len(value) == 1:
            (value,) = value.values()
        found = [value] if isinstance(value, Mapping) else value if isinstance(value, list) else []
        return [
            Element(one, self._faults, f"{self._place}{name}[{index}].")
            for index, one in enumerate(found, 1)
            if isinstance(one, Mapping)
        ]


class Sending:
    """Elements of a body; what Coupa would refuse is collected, every fault of it.

    Args:
        lengths: Longest text by element, with ``list.element`` for lines.
        faults: Where faults go.
    """

    def __init__(self, lengths: Mapping[str, int], faults: list[str]) -> None:
        self._lengths, self.faults = lengths, faults

    def text(self, name: str, value: str, *, place: str = "", required: bool = False) -> str:
        """Trimmed text, checked against its length in characters."""
        text = value.strip()
        longest = self._lengths.get(name)
        shown = f"{place}{name.rpartition('.')[2]}"
        if required and not text:
            self.faults.append(f"{shown} is missing")
        if longest is not None and len(text) > longest:
            quoted = "" if name == "tax-id" else f": {text[:40]!r}..."
            self.faults.append(f"{shown} has {len(text)} characters, Coupa takes {longest}{quoted}")
        return text

    def decimal(self, name: str, value: Decimal | None, *, digits: int, decimals: int, place: str = "") -> str:
        """A decimal as text, never rounded.

        Args:
            name: For faults. ``digits``, ``decimals``: as in ``decimal(30,6)``. ``value``: required.
        """
        if value is None:
            self.faults.append(f"{place}{name} is missing")
            return ""
        if _places(value) > decimals:
            self.faults.append(f"{place}{name} {value} has more than {decimals} decimals")
        if value and value.adjusted() >= digits - decimals:
            self.faults.append(f"{place}{name} {value} has more than {digits - decimals} digits before the point")
        return format(value, "f")

    def money(self, name: str, value: Decimal | None, places: int | None, *, place: str = "") -> str:
        """An amount: no more decimals than its currency has, where that is known."""
        if value is not None and places is not None and _places(value) > places:
            self.faults.append(f"{place}{name} {value} has more decimals than its currency, which has {places}")
        return self.decimal(name, value, digits=32, decimals=4, place=place)


def _places(value: Decimal) -> int:
    exponent = value.normalize().as_tuple().exponent
    return -exponent if isinstance(exponent, int) and exponent < 0 else 0


def custom_fields(row: Mapping[str, Any]) -> dict[str, Any]:
    """The customer's own fields that are set; what is an object in them becomes its JSON text."""
    given = row.get("custom-fields")
    found = given if isinstance(given, Mapping) else {}
    return {
        str(name): dumps(value) if isinstance(value, (Mapping, list)) else value
        for name, value in found.items()
        if value not in (None, "", [], {})
    }
