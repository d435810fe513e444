"""What row values mean: blanks, dates, numbers, stamps (AIS reference, sections 3.3 and 4)."""

from __future__ import annotations

import datetime as dt
import functools
import re
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from mlconnector.errors import InvalidArgument
from mlconnector.jdedwards._tables import TABLES

__all__ = ["Cells", "Zone", "date_of", "number_text", "zone_option"]

_NO_NUMBER = Decimal("NaN")
_OFFSET = re.compile(r"UTC([+-])(\d{1,2}):?(\d{2})?")


def date_of(value: Any) -> dt.date | None:
    """A date from ``YYYYMMDD``; ``None`` for every way of writing an empty one.

    Raises:
        ValueError: Something that is neither.
    """
    if value is None:
        return None
    return _date(value if isinstance(value, str) else str(value))


@functools.lru_cache(maxsize=4096)
def _date(text: str) -> dt.date | None:
    """Few dates recur in a table; ``strptime`` would be half the time of a read."""
    text = text.strip()
    if text in ("", "0"):
        return None
    if len(text) != 8 or not text.isdecimal():
        raise ValueError(text)
    return dt.date(int(text[:4]), int(text[4:6]), int(text[6:]))


def number_text(value: Decimal) -> str:
    """A line number as people write it: ``1``, ``1.01``; trailing zeros say nothing."""
    return format(value.normalize(), "f")


@functools.cache
def _names(prefix: str, aliases: tuple[str, ...]) -> tuple[str, ...]:
    """Names of columns as rows have them; the lists are constants of the mappings."""
    return tuple([prefix + alias for alias in aliases])


class Cells:
    """One row of one table, read by alias; faults are collected, not raised one by one."""

    __slots__ = ("_faults", "_prefix", "_value")

    def __init__(self, table: str, row: Mapping[str, Any], faults: list[str]) -> None:
        self._prefix, self._value, self._faults = f"{table}_", row.get, faults

    def text(self, alias: str) -> str:
        """Text without the blanks around it; ``" "`` is empty."""
        value = self._value(self._prefix + alias)
        if type(value) is str:
            return value.strip()
        return "" if value is None else str(value).strip()

    def texts(self, aliases: tuple[str, ...]) -> list[str]:
        """Several texts; a third of the time that one at a time takes."""
        get = self._value
        return [
            value.strip() if type(value := get(name)) is str else "" if value is None else str(value).strip()
            for name in _names(self._prefix, aliases)
        ]

    def numbers(self, aliases: tuple[str, ...]) -> list[Decimal | None]:
        """Several numbers."""
        values = zip(aliases, map(self._value, _names(self._prefix, aliases)), strict=True)
        return [
            value
            if value is None or type(value) is Decimal
            else Decimal(value)
            if type(value) is int
            else self.number(alias)
            for alias, value in values
        ]

    def number(self, alias: str) -> Decimal | None:
        """An exact number as AIS sent it, decimals already applied; ``None`` where there is none."""
        value = self._value(self._prefix + alias)
        if type(value) is int:
            return Decimal(value)
        if value is None or isinstance(value, Decimal):
            return value
        text = str(value).strip()
        if not text:
            return None
        try:
            number = Decimal(text)
        except ArithmeticError:
            number = _NO_NUMBER
        if not number.is_finite():
            self._fault(alias, value, "a number")
            return None
        return number

    def date(self, alias: str) -> dt.date | None:
        """A date, or ``None``."""
        value = self._value(self._prefix + alias)
        try:
            return date_of(value)
        except ValueError:
            self._fault(alias, value, "a date")
            return None

    def _fault(self, alias: str, value: Any, form: str) -> None:
        self._faults.append(f"{self._prefix[:-1]}.{alias} {value!r} is not {form}")


class Zone:
    """The zone of the audit stamps: given, or the login's offset, which is only near the truth (design 4.1).

    Args:
        given: ``time_zone=`` of the client.
        offset: ``userInfo.timeZoneOffset``, ``"UTC-05:00"``.
    """

    def __init__(self, given: dt.tzinfo | None, offset: str | None) -> None:
        self.known = given is not None
        self._zone = given or _from_offset(offset)

    @property
    def margin(self) -> dt.timedelta:
        """How much earlier than asked is read, because the zone may be another one."""
        return dt.timedelta(0) if self.known else dt.timedelta(days=1)

    def date(self, instant: dt.datetime) -> dt.date:
        """The local date of an instant, less the margin."""
        return (instant - self.margin).astimezone(self._zone).date()

    def newest(self, rows: Iterable[tuple[str, Mapping[str, Any]]]) -> dt.datetime | None:
        """The newest audit stamp of rows of known tables, given with the table's name."""
        return max(filter(None, {self.stamp(table, TABLES[table].time, row) for table, row in rows}), default=None)

    def stamp(self, table: str, time: str, row: Mapping[str, Any]) -> dt.datetime | None:
        """The audit stamp of a row in UTC; ``None`` where it has none or it cannot be read."""
        day, clock = _names(f"{table}_", ("UPMJ", time))
        try:
            return _instant(str(row.get(day) or ""), str(row.get(clock) or 0), self._zone)
        except ValueError:
            return None


@functools.lru_cache(maxsize=4096)
def _instant(day_text: str, time_text: str, zone: dt.tzinfo) -> dt.datetime | None:
    """Rows written together carry one stamp."""
    day, digits = _date(day_text), time_text.strip()
    if day is None:
        return None
    # A time that cannot be read must not hide a change: the day alone stands, as where there is no time.
    clock = int(digits) if digits.isdecimal() else 0
    hours, minutes, seconds = clock // 10000 % 24, clock // 100 % 100 % 60, clock % 100 % 60
    return dt.datetime.combine(day, dt.time(hours, minutes, seconds), zone).astimezone(dt.UTC)


def _from_offset(text: str | None) -> dt.tzinfo:
    match = _OFFSET.fullmatch((text or "").strip())
    if match is None:
        return dt.UTC
    sign = -1 if match[1] == "-" else 1
    return dt.timezone(sign * dt.timedelta(hours=int(match[2]), minutes=int(match[3] or 0)))


def zone_option(value: Any) -> dt.tzinfo | None:
    """``time_zone=`` checked.

    Raises:
        InvalidArgument: Neither a tzinfo nor ``None``.
    """
    if value is not None and not isinstance(value, dt.tzinfo):
        raise InvalidArgument(f"time_zone={value!r}.", cure='Give a tzinfo, e.g. zoneinfo.ZoneInfo("America/Denver").')
    return value
