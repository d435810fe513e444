"""Columns of a document class, derived from its annotations: a pure description that needs no data frame library.

One rule of names: a part that stands once (``supplier``, ``provenance``) lies flat as ``supplier_number``,
``supplier_address_city``; a part that stands many times (``lines``) is one column of lists, and becomes a part that
stands once when it is exploded: ``lines_number``, ``lines_amount``.
"""

from __future__ import annotations

import datetime as dt
import enum
import functools
import operator
import types
import typing
from collections.abc import Callable, Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Any

import attrs

from mlconnector.documents import (
    Account,
    CostCenter,
    Document,
    Invoice,
    JournalLine,
    Payment,
    PurchaseOrder,
    Shipment,
    Supplier,
)
from mlconnector.errors import InvalidArgument

__all__ = ["Column", "Many", "Scalar", "Struct", "Type", "columns_of", "document_class", "exploded", "writer"]

_KINDS: Mapping[str, type[Document]] = {
    "purchase_orders": PurchaseOrder,
    "invoices": Invoice,
    "suppliers": Supplier,
    "accounts": Account,
    "cost_centers": CostCenter,
    "payments": Payment,
    "journal_lines": JournalLine,
    "shipments": Shipment,
}
_LAST = ("ready", *attrs.fields_dict(Document))


class Scalar(enum.Enum):
    """What a single value is."""

    TEXT = "text"
    NUMBER = "exact number"
    INTEGER = "integer"
    FLAG = "true or false"
    DATE = "date"
    INSTANT = "instant in UTC"
    MAPPING = "free fields"
    ANY = "anything else"
    NOTHING = "no value came"


@attrs.frozen
class Many:
    """A list of values of one type."""

    of: Type


@attrs.frozen
class Struct:
    """Named parts, in order."""

    parts: tuple[tuple[str, Type], ...]


Type = Scalar | Many | Struct

_SCALARS: Mapping[Any, Scalar] = {
    str: Scalar.TEXT,
    Decimal: Scalar.NUMBER,
    int: Scalar.INTEGER,
    bool: Scalar.FLAG,
    dt.date: Scalar.DATE,
    dt.datetime: Scalar.INSTANT,
}


@attrs.frozen
class Column:
    """A column: its name, its type, and how its value is got from a row."""

    name: str
    type: Type
    get: Callable[[Any], Any]


def document_class(kind: str) -> type[Document] | None:
    """The class of a reader's documents (design 4.3), ``None`` for a kind that is not one of them."""
    return _KINDS.get(kind)


@functools.cache
def columns_of(cls: type[Any], explode: str | None = None) -> tuple[Column, ...]:
    """Columns of a class: its own fields first, then ``ready`` and what every document has.

    Args:
        cls: An attrs class.
        explode: A field that holds many; the rows are then pairs of a document and one of its items.

    Raises:
        InvalidArgument: ``explode`` is not such a field.
    """
    parts = dict(_struct(cls).parts)
    if explode is None:
        return tuple(_laid_flat(cls, parts.items(), ()))
    many = parts.get(explode)
    if not isinstance(many, Many):
        lists = ", ".join(name for name, kind in parts.items() if isinstance(kind, Many))
        raise InvalidArgument(
            f"explode={explode!r} is not a list of {cls.__name__}.", cure=f"Use one of {lists}, or None."
        )
    document, item = operator.itemgetter(0), operator.itemgetter(1)
    before = [part for part in parts.items() if part[0] != explode]
    return (*_laid_flat(cls, before, (document,)), *_flat(explode, many.of, (item,)))


def exploded(documents: Iterable[Any], explode: str) -> Iterator[tuple[Any, Any]]:
    """Each document with each of its items; one without items comes once, with ``None``."""
    items = operator.attrgetter(explode)
    for document in documents:
        for item in items(document) or (None,):
            yield document, item


def writer(kind: Type, leaves: Mapping[Scalar, Callable[[Any], Any]]) -> Callable[[Any], Any]:
    """What makes plain Python values (lists, dicts, scalars) of a value of this type; ``leaves`` for the scalars."""
    if isinstance(kind, Many):
        each = writer(kind.of, leaves)
        return lambda value: None if value is None else [each(item) for item in value]
    if isinstance(kind, Struct):
        parts = [(name, operator.attrgetter(name), writer(part, leaves)) for name, part in kind.parts]
        return lambda value: None if value is None else {name: make(get(value)) for name, get, make in parts}
    leaf = leaves.get(kind)
    return _same if leaf is None else lambda value: None if value is None else leaf(value)


def _same(value: Any) -> Any:
    return value


def _struct(cls: type[Any]) -> Struct:
    hints = typing.get_type_hints(cls)
    own = [(field.name, _type(hints[field.name])) for field in attrs.fields(cls)]
    return Struct(tuple([*own, ("ready", Scalar.FLAG)] if issubclass(cls, Document) else own))


def _type(hint: Any) -> Type:
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (types.UnionType, typing.Union):
        known = [argument for argument in arguments if argument is not types.NoneType]
        return _type(known[0]) if len(known) == 1 else Scalar.ANY
    if origin is tuple and len(arguments) == 2 and arguments[1] is Ellipsis:
        return Many(_type(arguments[0]))
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return Scalar.MAPPING
    if isinstance(hint, type) and attrs.has(hint):
        return _struct(hint)
    return _SCALARS.get(hint, Scalar.ANY)


def _laid_flat(
    cls: type[Any], parts: Iterable[tuple[str, Type]], steps: tuple[Callable[[Any], Any], ...]
) -> Iterator[Column]:
    own = [(name, kind) for name, kind in parts if not (issubclass(cls, Document) and name in _LAST)]
    last = sorted((part for part in parts if part not in own), key=lambda part: _LAST.index(part[0]))
    for name, kind in [*own, *last]:
        yield from _flat(name, kind, (*steps, operator.attrgetter(name)))


def _flat(name: str, kind: Type, steps: tuple[Callable[[Any], Any], ...]) -> Iterator[Column]:
    if not isinstance(kind, Struct):
        yield Column(name, kind, functools.partial(_follow, steps))
        return
    for part, inner in kind.parts:
        yield from _flat(f"{name}_{part}", inner, (*steps, operator.attrgetter(part)))


def _follow(steps: tuple[Callable[[Any], Any], ...], value: Any) -> Any:
    for step in steps:
        if value is None:
            return None
        value = step(value)
    return value
