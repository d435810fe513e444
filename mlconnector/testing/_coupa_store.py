"""The rows of the simulated Coupa: ids, parts, references between them."""

from __future__ import annotations

import copy
import datetime as dt
import functools
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import attrs

from mlconnector.errors import InvalidArgument
from mlconnector.testing._coupa_catalog import KINDS, RESOURCES
from mlconnector.testing._coupa_schema import Field, Kind, dashed

__all__ = ["Database", "Row", "whole_number"]

_PARTS = ("part", "parts")
_STAMPS = ("created-at", "updated-at")
_FOLDED = 1 << 17
"""Texts that are kept in their comparable form."""


@attrs.define(eq=False)
class Row:
    """One row.

    Attributes:
        kind: The name of its kind.
        values: Attribute to value; a reference is the id of its row, several are a tuple of ids.
        parts: Attribute to the rows within it; a single part is a list of one.
        gone: Parts that were removed and can still be asked for.
        listed_from: The monotonic time from which collections show it.
        shut: Whether an order was closed for the second time, for good.
        sent: Whether an order went to its supplier.
    """

    kind: str
    values: dict[str, Any]
    parts: dict[str, list[Row]]
    gone: list[Row] = attrs.field(factory=list)
    listed_from: float = float("-inf")
    shut: bool = False
    sent: bool = False

    @property
    def id(self) -> int:
        """Its number, which never changes."""
        key: int = self.values["id"]
        return key

    def copy(self) -> Row:
        """The same row to change without harm."""
        return copy.deepcopy(self)

    def state(self) -> Any:
        """What it holds, without stamps, to compare."""
        own = {name: value for name, value in self.values.items() if name not in _STAMPS and value is not None}
        return own, {name: [part.state() for part in rows] for name, rows in self.parts.items()}

    def touch(self, now: dt.datetime) -> None:
        """Stamp it."""
        self.values["updated-at"] = now


def whole_number(value: Any) -> int | None:
    """A number, also when it comes as text; None where it is none."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value
    text = str(value).strip()
    return int(text) if text.isascii() and text.isdigit() else None


class Database:
    """Every row by resource and id.

    Args:
        fold: How texts are made comparable.

    Attributes:
        kinds: Name to kind; further attributes may be added to one.
        fold: As given.
    """

    def __init__(self, fold: Callable[[str], str]) -> None:
        self.kinds: dict[str, Kind] = dict(KINDS)
        self.fold = functools.lru_cache(_FOLDED)(fold)
        self._tables: dict[str, dict[int, Row]] = {name: {} for name in RESOURCES}
        self._last = dict.fromkeys(KINDS, 0)

    def next_id(self, kind: str) -> int:
        """A number not used before."""
        self._last[kind] += 1
        return self._last[kind]

    def blank(self, kind: str, now: dt.datetime, key: int | None = None) -> Row:
        """A new row with its defaults, not yet stored."""
        if key is None:
            key = self.next_id(kind)
        self._last[kind] = max(self._last[kind], key)
        fields = self.kinds[kind].fields
        values = {name: field.default for name, field in fields.items() if field.sort not in _PARTS}
        parts: dict[str, list[Row]] = {name: [] for name, field in fields.items() if field.sort in _PARTS}
        return Row(kind, {**values, "id": key, "created-at": now, "updated-at": now}, parts)

    def store(self, row: Row) -> None:
        """Put a row in, or the new state of one in its place."""
        self._tables[row.kind][row.id] = row

    def drop(self, kind: str, key: int) -> None:
        """Take a row out without a trace."""
        if self._tables[kind].pop(key, None) is None:
            raise InvalidArgument(f"{kind} holds no row {key!r}.")

    def rows(self, kind: str) -> Iterator[Row]:
        """The rows of a resource, or those parts of other rows that are of this kind, in the order of their ids."""
        within = self.kinds[kind].within
        if within is None:
            yield from (row for _, row in sorted(self._tables[kind].items()))
            return
        yield from sorted(self._parts(kind), key=lambda part: part.id)

    def _parts(self, kind: str) -> Iterator[Row]:
        """The parts of other rows that are of a kind, in no order."""
        within = self.kinds[kind].within
        assert within is not None
        owner, attribute = within
        stored = self.kinds[owner].within is None
        for row in self._tables[owner].values() if stored else self._parts(owner):
            yield from row.parts[attribute]

    def get(self, kind: str, key: int | None) -> Row | None:
        """The row of an id, if there is one."""
        if self.kinds[kind].within is None:
            return None if key is None else self._tables[kind].get(key)
        return next((part for part in self._parts(kind) if part.id == key), None)

    def owner(self, part: Row) -> Row:
        """The row of a resource within which a part stands."""
        within = self.kinds[part.kind].within
        assert within is not None
        return next(row for row in self.rows(within[0]) if any(each.id == part.id for each in row.parts[within[1]]))

    def resolve(self, kind: str, reference: Any) -> int | None:
        """The id of the row a reference names; None where there is none, or where it names several (section 5)."""
        if not isinstance(reference, Mapping):
            return None
        named = {dashed(str(name)): value for name, value in reference.items()}
        if named.get("id") not in (None, ""):
            found = self.get(kind, whole_number(named["id"]))
            return None if found is None else found.id
        if kind == "accounts":
            return self._account(named)
        for key in self.kinds[kind].keys:
            if named.get(key) not in (None, ""):
                wanted = self.fold(str(named[key]))
                hits = [row.id for row in self.rows(kind) if self.fold(str(row.values[key] or "")) == wanted]
                return hits[0] if len(hits) == 1 else None
        return None

    def _account(self, named: Mapping[str, Any]) -> int | None:
        """An account by its chart and segments, or its code: one code can stand in two charts (section 5.4)."""
        candidates = list(self.rows("accounts"))
        if "account-type" in named:
            chart = self.resolve("account_types", named["account-type"])
            candidates = [row for row in candidates if row.values["account-type"] == chart]
        names = [name for name in self.kinds["accounts"].fields if name.startswith("segment-")]
        if any(named.get(name) for name in names):
            wanted = [self.fold(str(named.get(name) or "")) for name in names]
            hits = [r.id for r in candidates if [self.fold(r.values[name] or "") for name in names] == wanted]
        else:
            code = self.fold(str(named.get("code") or ""))
            hits = [row.id for row in candidates if code and self.fold(row.values["code"] or "") == code]
        return hits[0] if len(hits) == 1 else None

    def same(self, kind: str, row: Mapping[str, Any]) -> int | None:
        """The id of the row that has a natural key of this one: an attribute that is unique, or chart and segments."""
        if kind == "accounts":
            return self._account(row)
        fields = self.kinds[kind].fields
        for name in self.kinds[kind].keys:
            if fields[name].unique and row.get(name):
                return self.resolve(kind, {name: row[name]})
        return None

    def taken(self, row: Row, name: str) -> bool:
        """Whether another row of its kind has the same text there."""
        wanted = self.fold(str(row.values[name]))
        return any(
            other.id != row.id and other.values[name] is not None and self.fold(str(other.values[name])) == wanted
            for other in self.rows(row.kind)
        )

    def extend(self, kind: str, fields: Mapping[str, Field]) -> None:
        """Give a kind further attributes, null in the rows that are there."""
        known = self.kinds[kind]
        self.kinds[kind] = attrs.evolve(known, fields={**known.fields, **fields})
        for row in self.rows(kind):
            for name in fields:
                row.values.setdefault(name, None)
