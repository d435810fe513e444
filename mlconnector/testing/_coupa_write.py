"""How a body becomes a row of the simulated Coupa: types, lengths, references, parts by their ids."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from mlconnector.errors import InvalidArgument
from mlconnector.testing._coupa_schema import Field, dashed
from mlconnector.testing._coupa_store import Database, Row, whole_number
from mlconnector.testing._coupa_values import decimal, flag, instant, midnight

__all__ = ["Writer", "label"]

_EMPTY = (None, "")
_NAMELESS = ("id", "_delete")


def label(name: str) -> str:
    """An attribute as messages call it: ``po-number`` is ``Po number``."""
    return name.replace("-", " ").capitalize()


class Writer:
    """Puts values into rows and collects what is wrong with them.

    Args:
        database: Where references are looked up.
        now: The stamp of what changes.
        zone: The company's zone, for dates without a time.
        trusted: For the simulator's own user: read-only attributes are taken, parts take the place of all parts, and
            what a client would lose silently raises :class:`~mlconnector.errors.InvalidArgument`.

    Attributes:
        errors: The messages so far.
    """

    def __init__(self, database: Database, now: dt.datetime, zone: dt.tzinfo, *, trusted: bool = False) -> None:
        self._database = database
        self._now = now
        self._zone = zone
        self._trusted = trusted
        self.errors: list[str] = []

    def new(self, kind: str, body: Mapping[str, Any]) -> Row:
        """A row from nothing, not yet stored."""
        key = whole_number(body.get("id")) if self._trusted and body.get("id") is not None else None
        row = self._database.blank(kind, self._now, key)
        self.apply(row, body)
        return row

    def apply(self, row: Row, body: Mapping[str, Any]) -> None:
        """Change a row as a body says; unknown and read-only attributes are passed over, as are lost references."""
        before = row.state()
        stamped = False
        fields = self._database.kinds[row.kind].fields
        for written, value in body.items():
            name = dashed(str(written))
            field = fields.get(name)
            if name in _NAMELESS:
                continue
            if field is None:
                if self._trusted:
                    raise InvalidArgument(f"{row.kind} has no attribute {name!r}.")
                continue
            if field.read_only and not self._trusted:
                continue
            stamped = stamped or name == "updated-at"
            self._set(row, name, field, value)
        if not stamped and row.state() != before:
            row.touch(self._now)

    def check(self, row: Row, prefix: str = "") -> None:
        """Collect what is missing, too long, not allowed or taken, in the row and its parts."""
        for name, field in self._database.kinds[row.kind].fields.items():
            if field.sort in ("part", "parts"):
                parts = row.parts[name]
                if field.required and not parts and not self._trusted:
                    self.errors.append(f"{label(prefix + name)} can't be blank")
                for part in parts:
                    self.check(part, f"{prefix}{name} ")
                continue
            value = row.values[name]
            if value in _EMPTY:
                if field.required and not self._trusted:
                    self.errors.append(f"{label(prefix + name)} can't be blank")
                continue
            if field.sort == "text" and field.size is not None and len(value) > field.size:
                self._wrong(f"{label(prefix + name)} is too long (maximum is {field.size} characters)")
            if field.choices and value not in field.choices:
                self._wrong(f"{label(prefix + name)} is not included in the list")
            if field.unique and self._database.taken(row, name):
                self._wrong(f"{label(prefix + name)} has already been taken")

    def _set(self, row: Row, name: str, field: Field, value: Any) -> None:
        match field.sort:
            case "part":
                self._part(row, name, field, value)
            case "parts":
                self._parts(row, name, field, value)
            case "link":
                self._link(row, name, field, value)
            case "links":
                found = [self._found(name, field, each) for each in (value if isinstance(value, list | tuple) else ())]
                row.values[name] = tuple(key for key in found if key is not None)
            case _:
                try:
                    row.values[name] = None if value in _EMPTY else self._scalar(name, field, value)
                except ValueError as wrong:
                    self._wrong(f"{label(name)} {wrong}")

    def _scalar(self, name: str, field: Field, value: Any) -> Any:
        match field.sort:
            case "object":
                return _tidy({"code": value} if name == "country" and isinstance(value, str) else value)
            case "flag":
                return flag(value)
            case "whole":
                number = whole_number(value)
                if number is None:
                    raise ValueError("is not a number")
                return number
            case "decimal":
                return decimal(value, field.size)
            case "instant":
                return instant(value).replace(microsecond=0)
            case "day":
                return midnight(value, self._zone)
            case _:
                if isinstance(value, Mapping | list):
                    raise ValueError("is invalid")
                return str(value)

    def _found(self, name: str, field: Field, reference: Any) -> int | None:
        key = self._database.resolve(field.target, reference)
        if key is None and self._trusted:
            raise InvalidArgument(f"No row of {field.target} is {reference!r}, which {name} refers to: add it first.")
        return key

    def _link(self, row: Row, name: str, field: Field, reference: Any) -> None:
        """Referenced data must exist, or the value is not changed and no error tells it (section 5)."""
        if reference in (*_EMPTY, {}):
            row.values[name] = None
            return
        key = self._found(name, field, reference)
        if key is not None:
            row.values[name] = key

    def _part(self, row: Row, name: str, field: Field, body: Any) -> None:
        """A contact or address of the row's own is edited; another id cannot be attached (section 5.1)."""
        if body in _EMPTY:
            row.parts[name] = []
        elif not isinstance(body, Mapping):
            self._wrong(f"{label(name)} is invalid")
        elif row.parts[name]:
            self.apply(row.parts[name][0], body)
        else:
            row.parts[name] = [self.new(field.target, body)]

    def _parts(self, row: Row, name: str, field: Field, bodies: Any) -> None:
        """Those with an id are edited or removed, those without are added (sections 6 and 7.1)."""
        if not isinstance(bodies, list | tuple) or not all(isinstance(body, Mapping) for body in bodies):
            self._wrong(f"{label(name)} is invalid")
            return
        held = row.parts[name]
        kept = row.parts[name] = [] if self._trusted else list(held)
        for body in bodies:
            key = body.get("id")
            part = None if key in _EMPTY else next((each for each in held if each.id == whole_number(key)), None)
            if part is None:
                if key not in _EMPTY and not self._trusted:
                    self._wrong(f"{label(name)} {key} was not found")
                    continue
                kept.append(self.new(field.target, body))
            elif body.get("_delete") in (True, "true"):
                kept.remove(part)
                row.gone.append(part)
            else:
                self.apply(part, body)
                if part not in kept:
                    kept.append(part)

    def _wrong(self, message: str) -> None:
        if self._trusted:
            raise InvalidArgument(message)
        self.errors.append(message)


def _tidy(value: Any) -> Any:
    """The same with the names that answers show."""
    if isinstance(value, Mapping):
        return {dashed(str(name)): _tidy(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_tidy(item) for item in value]
    return value
