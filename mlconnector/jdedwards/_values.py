"""What row values mean: blanks, dates, numbers, stamps (AIS reference, sections 3.3 and 4)."""

from __future__ import annotations

import datetime as dt
import functools
import itertools
import operator
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from mlconnector.errors import InvalidArgument
from mlconnector.jdedwards._tables import TABLES

__all__ = ["Cells", "Columns", "Values", "Zone", "date_of", "number_text", "zone_option"]

_NO_NUMBER = Decimal("NaN")
Row = Mapping[str, Any]
Values = tuple[Any, ...]
"""Texts, codes, numbers and dates of a row in the order they were asked for, its audit stamp, and its faults."""
_NUMERIC = frozenset((Decimal, int, type(None)))
_OFFSET = re.compile(r"UTC([+-])(\d{1,2}):?(\d{2})?")


def date_of(value: Any) -> dt.date | None:
    """A date from ``YYYYMMDD``; ``None`` for every way of writing an empty one.

    Raises:
        ValueError: Something that is neither.
    """
    return _date(value if value is None or isinstance(value, str) else str(value))


@functools.lru_cache(maxsize=4096)
def _date(text: str | None) -> dt.date | None:
    """Few dates recur in a table; ``strptime`` would be half the time of a read. Raises ``TypeError`` at no text."""
    text = "" if text is None else str.strip(text)
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


def _code(value: Any) -> str:
    return "" if value is None else str(value).strip()


def _exact(values: Sequence[Any]) -> Sequence[Decimal | None]:
    """Numbers as JSON has them. Raises ``TypeError`` at others, which :class:`Cells` looks at one by one."""
    kinds = {*map(type, values)}
    if not kinds <= _NUMERIC:
        raise TypeError(kinds)
    return [Decimal(value) if type(value) is int else value for value in values] if int in kinds else values


class Columns:
    """Columns of one table, read from many rows at once: a fifth of the time that one at a time takes.

    Args:
        table: Its name. ``texts``, ``numbers``, ``dates``: aliases by what :class:`Cells` reads them as.
        codes: Numbers that name something, read as text.
    """

    def __init__(
        self,
        table: str,
        *,
        texts: tuple[str, ...],
        codes: tuple[str, ...],
        numbers: tuple[str, ...],
        dates: tuple[str, ...],
    ) -> None:
        self._table, self._aliases, stamps = table, (texts, codes, numbers, dates), TABLES[table].stamps
        names = _names(f"{table}_", (*texts, *codes, *numbers, *dates, *stamps))
        self._getters = tuple([operator.itemgetter(name) for name in names])
        self._parts = tuple(itertools.accumulate(map(len, self._aliases)))

    def read(self, rows: Sequence[Row], zone: Zone) -> list[Values]:
        """The values of each row, and what is wrong with it."""
        codes_at, numbers_at, dates_at, stamps_at = self._parts
        try:
            columns = [[*map(value_of, rows)] for value_of in self._getters]
            read = (
                *[map(str.strip, column) for column in columns[:codes_at]],
                *[map(_code, column) for column in columns[codes_at:numbers_at]],
                *map(_exact, columns[numbers_at:dates_at]),
                *[map(_date, column) for column in columns[dates_at:stamps_at]],
                zone.instants(*columns[stamps_at:]),
                itertools.repeat((), len(rows)),
            )
            return [*zip(*read, strict=True)]
        except (KeyError, TypeError, ValueError):
            return [self._one(row, zone) for row in rows]

    def _one(self, row: Row, zone: Zone) -> Values:
        faults: list[str] = []
        cells, (texts, codes, numbers, dates) = Cells(self._table, row, faults), self._aliases
        return (
            *map(cells.text, texts),
            *map(cells.text, codes),
            *map(cells.number, numbers),
            *map(cells.date, dates),
            zone.stamp(self._table, TABLES[self._table].time, row),
            tuple(faults),
        )


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

    def newest(self, tables: Mapping[str, Iterable[Row]], found: dt.datetime | None = None) -> dt.datetime | None:
        """The newest audit stamp of rows by table, or what was found before if that is newer."""
        newest = found
        for table, rows in tables.items():
            time = TABLES[table].time
            for row in rows:
                stamp = self.stamp(table, time, row)
                if stamp is not None and (newest is None or stamp > newest):
                    newest = stamp
        return newest

    def instants(self, days: Iterable[Any], times: Iterable[Any]) -> Iterator[dt.datetime | None]:
        """Audit stamps of rows in UTC, from their two columns. Raises ``ValueError`` at a day that is none."""
        return map(_instant, days, times, itertools.repeat(self._zone))

    def stamp(self, table: str, time: str, row: Row) -> dt.datetime | None:
        """The audit stamp of a row in UTC; ``None`` where it has none or it cannot be read."""
        day, clock = _stamp_names(table, time)
        try:
            return _instant(row.get(day), row.get(clock), self._zone)
        except (TypeError, ValueError):
            return None


@functools.cache
def _stamp_names(table: str, time: str) -> tuple[str, str]:
    return f"{table}_UPMJ", f"{table}_{time}"


@functools.lru_cache(maxsize=4096)
def _instant(day_value: Any, time_value: Any, zone: dt.tzinfo) -> dt.datetime | None:
    """Rows written together carry one stamp."""
    day, digits = _date(str(day_value or "")), str(time_value or 0).strip()
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
