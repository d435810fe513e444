"""The rows of the simulated Fusion: typed, keyed, stamped, with their children."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

import attrs

from mlconnector.errors import InvalidArgument
from mlconnector.testing._fusion_catalog import Attribute, Kind

__all__ = ["Node", "ResourceStore", "snapshot"]

_STAMPS = ("LastUpdateDate", "lastUpdateDate")
_BIRTHS = ("CreationDate", "creationDate")


@attrs.define(eq=False)
class Node:
    """A row with its children.

    Attributes:
        kind: What it is a row of.
        values: Attribute to value; a listed attribute that is not there is null.
        children: Accessor to rows, in the order of their keys.
        address: What its path carries: the key, or the opaque text that stands for it.
    """

    kind: Kind
    values: dict[str, Any]
    children: dict[str, list[Node]]
    address: str

    @property
    def key(self) -> Any:
        """The value of its key attribute."""
        return self.values[self.kind.key]

    @property
    def version(self) -> str:
        """Its ETag: a long opaque hex text that changes with the row (section 7)."""
        return "ACED0005" + hashlib.sha256(repr(sorted(self.values.items())).encode()).hexdigest().upper()


def snapshot(node: Node) -> dict[str, Any]:
    """A row as a plain mapping, nulls included, children as lists under their accessors."""
    own = {name: node.values.get(name) for name in node.kind.attributes} | node.values
    shown = (accessor for accessor, child in node.kind.children.items() if child.key)
    return own | {accessor: [snapshot(child) for child in node.children[accessor]] for accessor in shown}


class ResourceStore:
    """One resource's rows by key.

    Attributes:
        kind: What its rows may hold.
    """

    def __init__(self, kind: Kind) -> None:
        self.kind = kind
        self._nodes: dict[Any, Node] = {}

    def __iter__(self) -> Iterator[Node]:
        return iter(self._nodes.values())

    def put(self, row: Mapping[str, Any], now: dt.datetime) -> None:
        """Add a row, or replace the one with its key; it is stamped ``now`` where it brings no stamp."""
        node = _node(self.kind, row, now, path=self.kind.name)
        self._nodes[node.key] = node

    def get(self, key: Any) -> Node | None:
        """The row of a key, if there is one."""
        return self._nodes.get(key)

    def revise(self, key: Any, changes: Mapping[str, Any], now: dt.datetime, *, touch: bool) -> None:
        """Change attributes, replace children; stamp it where an attribute changed or ``touch`` says so.

        Raises:
            InvalidArgument: No such row, attribute or accessor, or a change of the key.
        """
        node = self._existing(key)
        if changes.get(self.kind.key, key) != key:
            raise InvalidArgument(f"The key of a row of {self.kind.name} never changes ({key!r}).")
        values = {name: value for name, value in changes.items() if name not in self.kind.children}
        typed = {name: _typed(self.kind, name, value) for name, value in values.items()}
        for accessor in changes.keys() - values.keys():
            path = f"{self.kind.name}/{node.address}/{accessor}"
            node.children[accessor] = _children(self.kind.children[accessor], changes[accessor], now, path)
        node.values |= typed
        for name in _STAMPS:
            if name in self.kind.attributes and name not in typed and (typed or touch):
                node.values[name] = _cut(now)

    def stamp(self, key: Any, at: dt.datetime) -> None:
        """Stamp a row and everything below it.

        Raises:
            InvalidArgument: No such row.
        """
        _stamp(self._existing(key), _cut(at))

    def drop(self, key: Any) -> None:
        """Delete one row without a trace."""
        self._existing(key)
        del self._nodes[key]

    def _existing(self, key: Any) -> Node:
        node = self._nodes.get(key)
        if node is None:
            raise InvalidArgument(f"{self.kind.name} holds no row {key!r}.")
        return node


def _stamp(node: Node, at: dt.datetime) -> None:
    node.values |= {name: at for name in _STAMPS if name in node.kind.attributes}
    for rows in node.children.values():
        for child in rows:
            _stamp(child, at)


def _node(kind: Kind, row: Mapping[str, Any], now: dt.datetime, *, path: str) -> Node:
    if not kind.key:
        raise InvalidArgument(f"The simulator knows the name of {kind.name} alone; it holds no rows there.")
    values = {name: _typed(kind, name, value) for name, value in row.items() if name not in kind.children}
    if values.get(kind.key) is None:
        raise InvalidArgument(f"A row of {kind.name} needs its key: {kind.key} is missing.")
    for name in (*_STAMPS, *_BIRTHS):
        if name in kind.attributes:
            values.setdefault(name, _cut(now))
    address = str(values[kind.key])
    if kind.hashed:
        # Hexadecimal and long, as the real ones, and not to be derived from the key alone.
        address = "0002" + hashlib.sha256(f"{path}/{address}".encode()).hexdigest().upper()
    children = {
        accessor: _children(child, row.get(accessor, ()), now, f"{path}/{address}/{accessor}")
        for accessor, child in kind.children.items()
    }
    return Node(kind, values, children, address)


def _children(kind: Kind, rows: Sequence[Mapping[str, Any]], now: dt.datetime, path: str) -> list[Node]:
    nodes = [_node(kind, row, now, path=path) for row in rows]
    if len({node.key for node in nodes}) < len(nodes):
        raise InvalidArgument(f"{kind.key} is unique among the {kind.name} of one row.")
    return sorted(nodes, key=lambda node: node.key)


def _typed(kind: Kind, name: str, value: Any) -> Any:
    attribute = kind.attributes.get(name)
    if attribute is None and not kind.open:
        raise InvalidArgument(f"{kind.name} has no attribute {name!r} (upper and lower case count).")
    if value is None:
        return None
    if attribute is None:
        attribute = Attribute(name, "N" if isinstance(value, int | Decimal) else "S")
    if not _fits(attribute, value):
        raise InvalidArgument(f"{kind.name}.{name} cannot hold {value!r}.")
    if isinstance(value, dt.datetime):
        return _cut(value)
    return value


def _cut(instant: dt.datetime) -> dt.datetime:
    """In UTC and whole milliseconds: what replies do not show must not decide a comparison."""
    instant = instant.astimezone(dt.UTC)
    return instant.replace(microsecond=instant.microsecond // 1000 * 1000)


def _fits(attribute: Attribute, value: Any) -> bool:
    match attribute.type:
        case "I":
            return isinstance(value, int) and not isinstance(value, bool)
        case "N":
            return isinstance(value, int | Decimal) and not isinstance(value, bool)
        case "D":
            return isinstance(value, dt.date) and not isinstance(value, dt.datetime)
        case "T":
            return isinstance(value, dt.datetime) and value.tzinfo is not None
        case "B":
            # Some flags arrive as text (section 7).
            return isinstance(value, bool) or value in ("Y", "N")
        case _:
            return isinstance(value, str)
