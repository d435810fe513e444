"""What attribute values mean: numbers, dates, instants, flags (Fusion reference, section 7)."""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from mlconnector.documents import Address

__all__ = ["Fields", "Row", "instant_of"]

Row = Mapping[str, Any]

_FLAGS = {"Y": True, "YES": True, "TRUE": True, "N": False, "NO": False, "FALSE": False, "": False}
_NO_END = dt.date(4712, 12, 31)


def instant_of(value: Any) -> dt.datetime | None:
    """A time stamp in UTC; one without an offset is taken as UTC, which is what replies show (section 6.3).

    Raises:
        ValueError: Text that is no time stamp.
    """
    if value is None or value == "":
        return None
    return _instant(str(value))


@functools.lru_cache(maxsize=4096)
def _instant(text: str) -> dt.datetime:
    """Each is asked for twice, and rows written together share one."""
    stamp = dt.datetime.fromisoformat(text.strip())
    return stamp.replace(tzinfo=dt.UTC) if stamp.tzinfo is None else stamp.astimezone(dt.UTC)


@functools.lru_cache(maxsize=4096)
def _date(text: str) -> dt.date:
    """Few dates recur in a read."""
    return dt.date.fromisoformat(text)


def _text(value: Any) -> str:
    if type(value) is str:
        return value.strip()
    return "" if value is None else format(value, "f") if isinstance(value, Decimal) else str(value)


class Fields:
    """The attributes of one row, read by name; faults are collected, not raised one by one.

    Args:
        row: As the pod sent it.
        faults: Where faults are added.
        part: What the row is of its document, ``"line"``; ``number``: attribute with its number. For faults.
    """

    __slots__ = ("_faults", "_number", "_part", "_row")

    def __init__(self, row: Row, faults: list[str], part: str = "", number: str = "") -> None:
        self._row, self._faults, self._part, self._number = row, faults, part, number

    def text(self, *names: str) -> str:
        """The first of these that is not empty, without the blanks around it; numbers as plain text."""
        for name in names:
            text = _text(self._row.get(name))
            if text:
                return text
        return ""

    def texts(self, names: tuple[str, ...]) -> list[str]:
        """Each of these; a quarter of the time that one at a time takes."""
        return [
            value.strip() if type(value) is str else "" if value is None else _text(value)
            for value in map(self._row.get, names)
        ]

    def numbers(self, names: tuple[str, ...]) -> list[Decimal | None]:
        """Each of these, exactly."""
        get = self._row.get
        return [
            value
            if type(value := get(name)) is Decimal or value is None
            else Decimal(value)
            if type(value) is int
            else self.number(name)
            for name in names
        ]

    def number(self, *names: str) -> Decimal | None:
        """The first of these that is not null, exactly."""
        for name in names:
            value = self._row.get(name)
            if value is None:
                continue
            if type(value) is Decimal:
                return value
            if type(value) is int:
                return Decimal(value)
            text = str(value).strip()
            if not text:
                continue
            try:
                number = Decimal(text)
            except ArithmeticError:
                number = Decimal("NaN")
            if number.is_finite():
                return number
            self._fault(name, "a number")
        return None

    def date(self, *names: str) -> dt.date | None:
        """The first of these that is not null; of a date-time the date as it is written, never shifted."""
        for name in names:
            text = self._row.get(name)
            if not text:
                continue
            try:
                return _date(str(text).strip()[:10])
            except ValueError:
                self._fault(name, "a date")
        return None

    def end_date(self, name: str) -> dt.date | None:
        """A date on which something ends; ``4712-12-31`` means that it does not."""
        date = self.date(name)
        return None if date is None or date >= _NO_END else date

    def flag(self, name: str) -> bool:
        """True only where it says so: booleans, ``Y`` and ``N``, and null occur."""
        value = self._row.get(name)
        if value is None or value is True or value is False:
            return value is True
        known = _FLAGS.get(str(value).strip().upper())
        if known is None:
            self._fault(name, "a flag")
        return known is True

    def instant(self, name: str) -> dt.datetime | None:
        """A time stamp in UTC."""
        try:
            return instant_of(self._row.get(name))
        except ValueError:
            self._fault(name, "a time stamp")
            return None

    def kept(self, *names: str) -> dict[str, Any]:
        """Those of these attributes that are filled, as they came; for ``extras``."""
        return {name: self._row[name] for name in names if self._row.get(name) not in (None, "")}

    def kept_numbers(self, *names: str) -> dict[str, Decimal]:
        """Those of these amounts that are filled, exactly; for ``extras``."""
        found = ((name, self.number(name)) for name in names)
        return {name: number for name, number in found if number is not None}

    def address(self) -> Address | None:
        """The address attributes that payments and supplier addresses share; ``None`` where all are empty."""
        lines = tuple(line for line in (self.text(f"AddressLine{index}") for index in range(1, 5)) if line)
        address = Address(
            lines=lines,
            city=self.text("City"),
            state=self.text("State", "Province"),
            postal_code=self.text("PostalCode", "Zip"),
            country=self.text("CountryCode", "Country"),
        )
        return None if address == Address() else address

    def _fault(self, name: str, what: str) -> None:
        place = f"{self._part} {self._row.get(self._number)}: " if self._part else ""
        self._faults.append(f"{place}{name} {self._row.get(name)!r} is not {what}")
