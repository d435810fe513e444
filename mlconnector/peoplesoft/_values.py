"""What row values mean: blanks, dates, numbers, stamps and their zone (PeopleSoft reference, sections 3.1 and 3.2)."""

from __future__ import annotations

import datetime as dt
import functools
import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import attrs

from mlconnector.errors import InvalidArgument

__all__ = ["Cells", "Row", "Stamp", "Zone", "number_text", "zone_option"]

Row = Mapping[str, Any]
"""One row, by contract field; what the contract does not know stands under its own row key."""

_DAY = dt.timedelta(days=1)
_STAMP = re.compile(
    r"(\d{4}-\d\d-\d\d)(?:[T ](\d{1,2}):(\d\d):(\d\d)(?:\.(\d{1,6})\d*)?\s*(?:(Z)|([+-])(\d\d):?(\d\d))?)?"
)


@functools.lru_cache(maxsize=4096)
def _date(text: str) -> dt.date:
    return dt.date.fromisoformat(text)


def number_text(value: Decimal | None) -> str:
    """A line number as people write it: ``1``; empty where there is none."""
    return "" if value is None else format(value.normalize(), "f")


class Cells:
    """One row, read by contract field; faults are collected, not raised one by one."""

    def __init__(self, row: Row, faults: list[str]) -> None:
        self._row, self._faults = row, faults

    def has(self, field: str) -> bool:
        """The query returns the field at all."""
        return field in self._row

    def text(self, field: str) -> str:
        """Text without the blanks a database pads with on the right; one blank is empty (section 3.1)."""
        value = self._row.get(field)
        return "" if value is None else str(value).rstrip()

    def number(self, field: str) -> Decimal | None:
        """An exact number; ``None`` where there is none."""
        value = self._row.get(field)
        if isinstance(value, Decimal):
            return value
        text = "" if value is None else str(value).strip()
        if not text:
            return None
        try:
            found = Decimal(text)
        except ArithmeticError:
            found = Decimal("NaN")
        if not found.is_finite():
            self._faults.append(f"{field} {value!r} is not a number")
            return None
        return found

    def date(self, field: str) -> dt.date | None:
        """A date ``YYYY-MM-DD``, or ``None``."""
        text = self.text(field).strip()
        try:
            return _date(text) if text else None
        except ValueError:
            self._faults.append(f"{field} {text!r} is not a date")
            return None


@attrs.frozen
class Stamp:
    """When a row was changed.

    Args:
        instant: In UTC; of a date alone, its first moment.
        latest: The last moment it can mean: of a date alone the end of that day, of an unknown zone a day later.
        coarse: A date alone, so that equal stamps say nothing about a second change on that day.
    """

    instant: dt.datetime
    latest: dt.datetime
    coarse: bool


class Zone:
    """The database's base time zone: given, or the offset its time stamps show, which holds within a day.

    Datetimes carry an offset without a colon (section 3.2); dates, and the dates of prompts, carry none.

    Args:
        given: ``time_zone=`` of the client.
    """

    def __init__(self, given: dt.tzinfo | None) -> None:
        self.known: bool = given is not None
        self._zone: dt.tzinfo = given or dt.UTC

    @property
    def margin(self) -> dt.timedelta:
        """How much earlier than asked is read, because the zone may be another one."""
        return dt.timedelta(0) if self.known else _DAY

    @property
    def early(self) -> dt.timedelta:
        """How much earlier than asked a stamp can be that is read: prompts take whole days."""
        return self.margin + _DAY

    def day(self, instant: dt.datetime) -> dt.date:
        """The database's date at an instant, as far as it is known."""
        return instant.astimezone(self._zone).date()

    def first_day(self, instant: dt.datetime) -> dt.date:
        """The earliest date a change at or after this instant can be stamped with."""
        return self.day(instant - self.margin)

    def last_day(self, instant: dt.datetime) -> dt.date:
        """The latest date a change up to this instant can be stamped with."""
        return self.day(instant + self.margin)

    def stamp(self, value: Any) -> Stamp | None:
        """The stamp a field holds; ``None`` where it holds none, or nothing readable."""
        match = _STAMP.fullmatch(str(value or "").strip())
        if match is None:
            return None
        day, hour, minute, second, fraction, utc, sign, hours, minutes = match.groups()
        try:
            date = _date(day)
            time = dt.time(int(hour or 0), int(minute or 0), int(second or 0), int((fraction or "0").ljust(6, "0")))
        except ValueError:
            return None
        zone = self._zone
        if sign is not None:
            offset = dt.timedelta(hours=int(hours), minutes=int(minutes))
            zone = dt.timezone(-offset if sign == "-" else offset)
            if not self.known:
                self._zone = zone
        elif utc:
            zone = dt.UTC
        instant = dt.datetime.combine(date, time, zone).astimezone(dt.UTC)
        coarse = hour is None
        own_offset = bool(sign or utc)
        latest = instant + (_DAY if coarse else dt.timedelta(0)) + (dt.timedelta(0) if own_offset else self.margin)
        return Stamp(instant, latest, coarse)


def zone_option(value: Any) -> dt.tzinfo | None:
    """``time_zone=`` checked.

    Raises:
        InvalidArgument: Neither a tzinfo nor ``None``.
    """
    if value is not None and not isinstance(value, dt.tzinfo):
        raise InvalidArgument(f"time_zone={value!r}.", cure='Give a tzinfo, e.g. zoneinfo.ZoneInfo("America/Denver").')
    return value
