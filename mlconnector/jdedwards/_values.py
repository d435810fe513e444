"""What row values mean: blanks, dates, numbers, stamps (AIS reference, sections 3.3 and 4)."""

from __future__ import annotations

import datetime as dt
import functools
import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from mlconnector.errors import InvalidArgument

__all__ = ["Cells", "Zone", "date_of", "number_text"]

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


class Cells:
    """One row of one table, read by alias; faults are collected, not raised one by one."""

    def __init__(self, table: str, row: Mapping[str, Any], faults: list[str]) -> None:
        self._table, self._row, self._faults = table, row, faults

    def text(self, alias: str) -> str:
        """Text without the blanks around it; ``" "`` is empty."""
        value = self._row.get(f"{self._table}_{alias}")
        return "" if value is None else str(value).strip()

    def number(self, alias: str) -> Decimal | None:
        """An exact number as AIS sent it, decimals already applied; ``None`` where there is none."""
        value = self._row.get(f"{self._table}_{alias}")
        if isinstance(value, Decimal):
            return value
        if isinstance(value, int) and not isinstance(value, bool):
            return Decimal(value)
        text = "" if value is None else str(value).strip()
        if not text:
            return None
        try:
            return Decimal(text)
        except ArithmeticError:
            self._faults.append(f"{self._table}.{alias} {value!r} is not a number")
            return None

    def date(self, alias: str) -> dt.date | None:
        """A date, or ``None``."""
        value = self._row.get(f"{self._table}_{alias}")
        try:
            return date_of(value)
        except ValueError:
            self._faults.append(f"{self._table}.{alias} {value!r} is not a date")
            return None


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

    def stamp(self, table: str, time: str, row: Mapping[str, Any]) -> dt.datetime | None:
        """The audit stamp of a row in UTC; ``None`` where it has none or it cannot be read."""
        try:
            day = date_of(row.get(f"{table}_UPMJ"))
            clock = int(str(row.get(f"{table}_{time}") or 0).strip() or 0)
        except (ValueError, TypeError):
            return None
        if day is None:
            return None
        hours, minutes, seconds = clock // 10000 % 24, clock // 100 % 100 % 60, clock % 100 % 60
        local = dt.datetime.combine(day, dt.time(hours, minutes, seconds), self._zone)
        return local.astimezone(dt.UTC)


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
