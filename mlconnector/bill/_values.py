"""Reading values out of BILL's records; every fault is noted, none hides another (BILL reference, section 4)."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

import attrs

from mlconnector.errors import InvalidArgument

__all__ = ["Fields", "check_options", "field_of", "stamp_of"]

Row = Mapping[str, Any]


def field_of(row: Row, path: str) -> Any:
    """The value at a dotted path; ``None`` where a part is missing, since fields without a value are left out."""
    value: Any = row
    for name in path.split("."):
        value = value.get(name) if isinstance(value, Mapping) else None
    return value


def check_options(home_currency: Any, settle_after: dt.timedelta) -> None:
    """What the targets have in common.

    Raises:
        InvalidArgument: No code of a currency, or a negative span.
    """
    if not isinstance(home_currency, str) or not re.fullmatch("[A-Z]{3}", home_currency):
        raise InvalidArgument(f"home_currency={home_currency!r} is no ISO 4217 code.", cure='Give it like "USD".')
    if settle_after < dt.timedelta(0):
        raise InvalidArgument(f"settle_after={settle_after!r} is negative.", cure="Give a time span.")


def stamp_of(value: Any) -> dt.datetime | None:
    """``2026-12-15T22:53:15.127+00:00`` in UTC; one without a zone is UTC; ``None`` where it is none."""
    try:
        stamp = dt.datetime.fromisoformat(str(value).replace("+0000", "+00:00"))
    except ValueError:
        return None
    return stamp.replace(tzinfo=dt.UTC) if stamp.tzinfo is None else stamp.astimezone(dt.UTC)


@attrs.frozen
class Fields:
    """One record; what cannot be read goes into ``faults``."""

    row: Row
    faults: list[str]

    def text(self, path: str) -> str:
        """As text without surrounding blanks; empty where there is none. A number stands for its digits."""
        value = field_of(self.row, path)
        return "" if value is None else str(value).strip()

    def number(self, path: str) -> Decimal | None:
        """An amount, sent as a number or as a quoted one."""
        value = field_of(self.row, path)
        if value is None or value == "":
            return None
        try:
            number = None if isinstance(value, bool) else Decimal(str(value))
        except InvalidOperation:
            number = None
        if number is None or not number.is_finite():
            self.faults.append(f"{path}: {value!r} is no amount")
            return None
        return number

    def date(self, path: str) -> dt.date | None:
        """A business date; of a date-time, as webhooks send some, its day."""
        value = self.text(path)
        if not value:
            return None
        try:
            return dt.date.fromisoformat(value[:10])
        except ValueError:
            self.faults.append(f"{path}: {value!r} is no date")
            return None

    def flag(self, path: str) -> bool:
        """True where it says so; missing is false."""
        return str(field_of(self.row, path)).lower() == "true"

    def rows(self, path: str) -> Sequence[Row]:
        """Records inside the record."""
        value = field_of(self.row, path)
        if value is None:
            return ()
        if not isinstance(value, list) or not all(isinstance(one, Mapping) for one in value):
            self.faults.append(f"{path}: no list of records")
            return ()
        return value

    def kept(self, *paths: str) -> dict[str, Any]:
        """The named fields that have a simple value, for ``extras``."""
        found = {path: field_of(self.row, path) for path in paths}
        return {path: value for path, value in found.items() if isinstance(value, (str, int, Decimal))}
