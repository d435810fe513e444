"""The rows of the simulated PeopleSoft: typed, keyed, stamped, found by any of their fields."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

import attrs

from mlconnector.errors import InvalidArgument
from mlconnector.testing._peoplesoft_records import Field, Record

__all__ = ["RecordStore", "Row", "fits", "from_text", "typed"]

Row = dict[str, Any]
"""Field to value: text, ``int``, ``Decimal``, ``date``, aware ``datetime``, ``time``; None is an empty date or time."""


class RecordStore:
    """One record's rows by key."""

    def __init__(self, record: Record, zone: dt.tzinfo) -> None:
        self.record = record
        self._zone = zone
        self._rows: dict[tuple[Any, ...], Row] = {}
        self._indexes: dict[tuple[str, ...], dict[tuple[Any, ...], list[Row]]] = {}

    def widen(self, fields: Mapping[str, Field]) -> None:
        """Give the record further fields, empty in the rows that are there."""
        self.record = attrs.evolve(self.record, fields={**self.record.fields, **fields})
        for row in self._rows.values():
            for name, field in fields.items():
                row.setdefault(name, _EMPTY[field.kind])

    def narrow(self, name: str) -> None:
        """Take a field away, as at a site whose release does not have it."""
        fields = {each: field for each, field in self.record.fields.items() if each != name}
        stamp = None if self.record.stamp == name else self.record.stamp
        self.record = attrs.evolve(self.record, fields=fields, stamp=stamp)

    def put(self, row: Mapping[str, Any], now: dt.datetime) -> None:
        """Add a row, or replace the one with its key; it is stamped ``now`` where it brings no stamp.

        Raises:
            InvalidArgument: An unknown field, a missing key, a value that the field cannot hold.
        """
        record = self.record
        whole = {name: typed(record, name, value) for name, value in {**record.defaults, **row}.items()}
        missing = [name for name in record.key if whole.get(name) in (None, "")]
        if missing:
            raise InvalidArgument(f"A row of {record.name} needs its key: {missing} missing.")
        if record.stamp is not None and whole.get(record.stamp) is None:
            whole[record.stamp] = self._stamp(record.fields[record.stamp], now)
        row = {name: whole.get(name, _EMPTY[field.kind]) for name, field in record.fields.items()}
        self._rows[self._key_of(row)] = row
        self._indexes.clear()

    def revise(self, key: Any, changes: Mapping[str, Any], now: dt.datetime) -> Row:
        """Change fields of a row and stamp it ``now``, or with the stamp given; returns the row.

        Raises:
            InvalidArgument: No such row or field, or a value that the field cannot hold.
        """
        row = self._existing(key)
        changed = {name: typed(self.record, name, value) for name, value in changes.items()}
        del self._rows[self._key_of(row)]
        row |= changed
        self._rows[self._key_of(row)] = row
        if self.record.stamp is not None and self.record.stamp not in changed:
            row[self.record.stamp] = self._stamp(self.record.fields[self.record.stamp], now)
        self._indexes.clear()
        return row

    def drop(self, key: Any) -> None:
        """Delete a row without a trace.

        Raises:
            InvalidArgument: No such row.
        """
        del self._rows[self._key_of(self._existing(key))]
        self._indexes.clear()

    def rows(self) -> list[Row]:
        """All rows in the order of their keys."""
        return [self._rows[key] for key in sorted(self._rows)]

    def where(self, values: Mapping[str, Any]) -> Sequence[Row]:
        """The rows whose fields have these values, in the order of their keys."""
        names = tuple(sorted(values))
        index = self._indexes.get(names)
        if index is None:
            index = self._indexes[names] = {}
            for row in self.rows():
                index.setdefault(tuple(row[name] for name in names), []).append(row)
        return index.get(tuple(values[name] for name in names), ())

    def _stamp(self, field: Field, now: dt.datetime) -> Any:
        return now.replace(microsecond=0) if field.kind == "T" else now.astimezone(self._zone).date()

    def _key_of(self, row: Mapping[str, Any]) -> tuple[Any, ...]:
        return tuple(row[name] for name in self.record.key)

    def _existing(self, key: Any) -> Row:
        names = self.record.key
        if isinstance(key, Mapping):
            values = tuple(key.get(name, self.record.defaults.get(name)) for name in names)
        else:
            values = tuple(key) if isinstance(key, tuple | list) else (key,)
        row = self._rows.get(values)
        if row is None:
            raise InvalidArgument(f"{self.record.name} has no row {key!r}; its key is {names}.")
        return row


_EMPTY: Mapping[str, Any] = {"C": "", "N": 0, "D": None, "T": None, "M": None}


def typed(record: Record, name: str, value: Any) -> Any:
    """A value as the field holds it: text right-trimmed, instants in UTC and whole seconds, None as empty.

    Raises:
        InvalidArgument: No such field, or a value that it cannot hold.
    """
    field = record.fields.get(name)
    if field is None:
        raise InvalidArgument(f"{record.name} has no field {name!r} (define_fields adds one).")
    if value is None:
        return _EMPTY[field.kind]
    if not fits(field, value):
        raise InvalidArgument(f"{record.name}.{name} cannot hold {value!r}.")
    if isinstance(value, str):
        return value.rstrip(" ")
    if isinstance(value, dt.datetime):
        return value.astimezone(dt.UTC).replace(microsecond=0)
    return value


def fits(field: Field, value: Any) -> bool:
    """Whether a field can hold a value."""
    match field.kind:
        case "C":
            assert field.length is not None
            return isinstance(value, str) and len(value.rstrip(" ")) <= field.length
        case "N":
            return isinstance(value, int | Decimal) and not isinstance(value, bool)
        case "D":
            return isinstance(value, dt.date) and not isinstance(value, dt.datetime)
        case "T":
            return isinstance(value, dt.datetime) and value.tzinfo is not None
        case _:
            return isinstance(value, dt.time)


def from_text(field: Field, text: str, *, date_separators: str = "-") -> Any:
    """A value from the text that stands for it in XML and prompts; blank is empty.

    Args:
        field: Whose value it is.
        text: ``YYYY-MM-DD`` for dates, with one of ``date_separators``; offsets of instants with or without a colon.
        date_separators: ``"-"``, ``"/"`` or ``"-/"``.

    Raises:
        ValueError: Text that the field cannot hold; its message names the field.
    """
    value: Any = text.rstrip()
    text = text.strip()
    try:
        if not text and field.kind != "C":
            return _EMPTY[field.kind]
        match field.kind:
            case "N":
                value = Decimal(text)
            case "D":
                separator = text[4:5]
                if len(text) != 10 or separator not in date_separators or text[7] != separator:
                    raise ValueError
                value = dt.date.fromisoformat(text.replace(separator, "-"))
            case "T":
                value = dt.datetime.fromisoformat(text)
            case "M":
                value = dt.time.fromisoformat(text if text[1:2] != ":" else f"0{text}")
    except (ValueError, InvalidOperation):
        raise ValueError(f"{field.name} is not in the right format.") from None
    if not fits(field, value) or (isinstance(value, Decimal) and not value.is_finite()):
        raise ValueError(f"{field.name} is too long or not in the right format.")
    return value
