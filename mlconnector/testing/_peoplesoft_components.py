"""Component interfaces of the simulated PeopleSoft: Get, Create and Update (PeopleSoft reference, section 5)."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any
from xml.etree.ElementTree import Element

import attrs

from mlconnector.errors import InvalidArgument
from mlconnector.testing._peoplesoft_build import next_number
from mlconnector.testing._peoplesoft_records import Record
from mlconnector.testing._peoplesoft_store import RecordStore, Row, from_text
from mlconnector.testing._peoplesoft_xml import local_name
from mlconnector.testing._wire import number_text

__all__ = ["ACTIONS", "DELIVERED", "Component", "ComponentBuffer", "Outcome", "Tree", "UnknownProperty", "tree_of"]

Tree = Mapping[str, Any]
"""Property to text, collection to a list of trees."""

ACTIONS: Mapping[str, str] = {"C": "Create", "G": "Get", "UP": "Update", "UD": "Updatedata"}
"""Suffix of the generated SOAP operation to its action (section 5.1)."""

_NAME_LENGTH = 30


class UnknownProperty(Exception):
    """The message does not fit the component interface's schema."""


@attrs.frozen
class Component:
    """A component interface over a record and the collections below it.

    Attributes:
        name: Of the component interface.
        record: Of its level 0.
        collections: Record name to the collections below it, nested; a collection is named like its record.
    """

    name: str
    record: str
    collections: Mapping[str, Any]

    def operation(self, suffix: str) -> str:
        """Name of a SOAP operation, at most 30 characters."""
        return f"CI_{self.name}"[: _NAME_LENGTH - len(suffix) - 1] + f"_{suffix}"

    def rest_operation(self, suffix: str) -> str:
        """Name of a REST operation, at most 30 characters; ``suffix`` is ``"G_GET"`` ..."""
        return f"CIRT_{self.name}"[: _NAME_LENGTH - len(suffix) - 1] + f"_{suffix}"

    def namespace(self, suffix: str) -> str:
        """Namespace of an operation's request: its number looks random and is another for every operation."""
        digits = int(hashlib.sha256(f"{self.name} {suffix}".encode()).hexdigest(), 16) % 1_000_000
        return f"http://xmlns.oracle.com/Enterprise/Tools/schemas/M{digits:06}.V1"

    def body_name(self, suffix: str) -> str:
        """Name of the request's body element."""
        return f"{ACTIONS[suffix]}__CompIntfc__{self.name}"

    def records(self) -> Iterator[str]:
        """Every record it is over, level 0 first."""
        yield self.record
        yield from _names(self.collections)


def _names(collections: Mapping[str, Any]) -> Iterator[str]:
    for name, below in collections.items():
        yield name
        yield from _names(below)


_VENDOR_PARTS: Mapping[str, Any] = {"VENDOR_ADDR": {}, "VENDOR_LOC": {}}
DELIVERED: Mapping[str, Component] = {
    name: Component(name, "VENDOR", _VENDOR_PARTS) for name in ("VNDR_ID", "VNDR_ID_EXCEL")
}
"""The supplier's component interfaces, the only delivered ones the reference names."""


@attrs.frozen(kw_only=True)
class Outcome:
    """What a component interface answers.

    Attributes:
        keys: The keys of the row that was meant.
        values: The row with its collections, of a Get that found it.
        errors: Why nothing was done; empty when it was done.
    """

    keys: Mapping[str, str]
    values: Tree | None = None
    errors: tuple[str, ...] = ()


def tree_of(node: Element) -> Tree:
    """The properties and collections of a SOAP body element; what has elements in it is a collection's row."""
    tree: dict[str, Any] = {}
    for child in node:
        name = local_name(child)
        if len(child):
            tree.setdefault(name, []).append(tree_of(child))
        else:
            tree[name] = child.text or ""
    return tree


class _Refused(Exception):
    pass


@attrs.frozen
class ComponentBuffer:
    """Runs actions of one component interface.

    Attributes:
        component: Which one.
        stores: The rows.
        now: Stamp of what is saved.
        date_separators: Between the parts of a date: ``"-"``, ``"/"`` or both.
    """

    component: Component
    stores: Mapping[str, RecordStore]
    now: dt.datetime
    date_separators: str

    def act(self, action: str, tree: Tree) -> Outcome:
        """Do Get, Create, Update or Updatedata. A refused save is an outcome with errors, and nothing is done.

        Raises:
            UnknownProperty: A property or collection the component interface does not have.
        """
        self._check(self.component.record, self.component.collections, tree)
        try:
            key = self._key(tree, numbers=action == "Create")
        except _Refused as refused:
            return Outcome(keys={}, errors=(str(refused),))
        keys = {name: _text(value) for name, value in key.items()}
        found = self._store.where(key)
        if action == "Create" and found:
            return Outcome(keys=keys, errors=("The row exists already; its keys must be new.",))
        if action != "Create" and not found:
            return Outcome(keys=keys, errors=("No rows exist for the specified keys.",))
        if action == "Get":
            return Outcome(keys=keys, values=self._shown(found[0], self.component.record, self.component.collections))
        try:
            rows = list(self._rows(self.component.record, self.component.collections, tree, key))
            for record, row in rows:
                self.stores[record].put(row, self.now)
        except (_Refused, InvalidArgument) as refused:
            return Outcome(keys=keys, errors=(str(refused),))
        return Outcome(keys=keys)

    @property
    def _store(self) -> RecordStore:
        return self.stores[self.component.record]

    def _check(self, record: str, collections: Mapping[str, Any], tree: Tree) -> None:
        for name, value in tree.items():
            if name in collections:
                for each in _listed(value):
                    self._check(name, collections[name], each)
            elif name not in self.stores[record].record.fields or not isinstance(value, str | int | Decimal):
                raise UnknownProperty(f"{name} is no property of {self.component.name}.")

    def _key(self, tree: Tree, *, numbers: bool) -> dict[str, Any]:
        record = self._store.record
        key: dict[str, Any] = {}
        for name in record.key:
            text = str(tree.get(name, ""))
            if numbers and name == record.key[-1] and text == "NEXT" and record.fields[name].kind == "C":
                key[name] = next_number(self._store, key)
                continue
            if not text:
                raise _Refused(f"{name} is required.")
            key[name] = self._value(record, name, text)
        return key

    def _rows(
        self, record: str, collections: Mapping[str, Any], tree: Tree, key: Mapping[str, Any]
    ) -> Iterator[tuple[str, Row]]:
        store = self.stores[record]
        own = {
            name: self._value(store.record, name, str(value)) for name, value in tree.items() if name not in collections
        }
        inherited = {name: value for name, value in key.items() if name in store.record.key}
        row = {name: store.record.defaults.get(name) for name in store.record.key} | own | inherited
        missing = [name for name in store.record.key if row.get(name) in (None, "")]
        if missing:
            raise _Refused(f"{missing[0]} of {record} is required.")
        before = store.where({name: row[name] for name in store.record.key})
        kept: Row = {}
        if before:
            kept = {name: value for name, value in before[0].items() if name != store.record.stamp}
        yield record, kept | row
        below = dict(key) | {name: row[name] for name in store.record.key}
        for name, deeper in collections.items():
            for each in _listed(tree.get(name, ())):
                yield from self._rows(name, deeper, each, below)

    def _value(self, record: Record, name: str, text: str) -> Any:
        try:
            return from_text(record.fields[name], text, date_separators=self.date_separators)
        except ValueError as bad:
            raise _Refused(str(bad)) from None

    def _shown(self, row: Row, record: str, collections: Mapping[str, Any]) -> Tree:
        shown: dict[str, Any] = {name: _text(value) for name, value in row.items()}
        key = {name: row[name] for name in self.stores[record].record.key}
        for name, deeper in collections.items():
            shared = {field: value for field, value in key.items() if field in self.stores[name].record.fields}
            shown[name] = [self._shown(each, name, deeper) for each in self.stores[name].where(shared)]
        return shown


def _listed(value: Any) -> Sequence[Tree]:
    rows = value if isinstance(value, list | tuple) else [value] if value != "" else []
    if not all(isinstance(row, Mapping) for row in rows):
        raise UnknownProperty("A collection holds rows.")
    return rows


def _text(value: Any) -> str:
    match value:
        case None:
            return ""
        case str():
            return value
        case dt.date() | dt.time():
            return value.isoformat()
        case _:
            return number_text(value)
