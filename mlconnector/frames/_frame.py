"""What all the data frame libraries are given: typed columns and the rows their values are got from."""

from __future__ import annotations

import importlib
import itertools
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import attrs

from mlconnector.errors import InvalidArgument, MissingExtra
from mlconnector.frames._columns import Column, columns_of, exploded
from mlconnector.frames._rows import columns_of_rows

__all__ = ["Frame", "frame", "needed"]

_CURE = "Pass documents of one class, or rows, as a list or as the Records of a read."


@attrs.frozen
class Frame:
    """Columns, and rows that can be iterated once.

    Args:
        lasting: The columns come from a class: they are the same whatever rows come.
    """

    columns: tuple[Column, ...]
    rows: Iterable[Any]
    lasting: bool


def frame(documents: Iterable[Any], explode: str | None, document: type[Any] | None) -> Frame:
    """Reads the first item, which tells documents from rows; rows are read to the end, documents as they are asked for.

    Raises:
        InvalidArgument: Something that holds neither documents of one class nor rows; a wrong ``explode``.
    """
    if isinstance(documents, Mapping) or attrs.has(type(documents)) or not isinstance(documents, Iterable):
        raise InvalidArgument(f"A single {type(documents).__name__} is no table.", cure=_CURE)
    cls = document if document is not None else getattr(documents, "document_class", None)
    if cls is not None and not (isinstance(cls, type) and attrs.has(cls)):
        raise InvalidArgument(f"document={cls!r} is not a document class.", cure="Pass a class such as mc.Invoice.")
    if cls is not None:
        columns_of(cls, explode)
    items = iter(documents)
    first = next(items, None)
    if first is not None and not isinstance(first, Mapping):
        cls = cls or type(first)
    elif first is not None or cls is None:
        return _of_rows([] if first is None else itertools.chain([first], items), explode, documents)
    if not attrs.has(cls):
        raise InvalidArgument(f"{first!r} is neither a document nor a row.", cure=_CURE)
    columns = columns_of(cls, explode)
    checked = _only(cls, [] if first is None else itertools.chain([first], items))
    return Frame(columns, checked if explode is None else exploded(checked, explode), True)


def needed(module: str, extra: str) -> Any:
    """An optional package.

    Raises:
        MissingExtra: It is not installed.
    """
    try:
        return importlib.import_module(module)
    except ImportError:
        raise MissingExtra(
            f"This needs the package {module.partition('.')[0]}.",
            cure=f'Install it: pip install "mlconnector[{extra}]".',
        ) from None


def _of_rows(rows: Iterable[Any], explode: str | None, source: Any) -> Frame:
    if explode is not None:
        raise InvalidArgument(f"explode={explode!r}: rows have no lists.", cure="Leave explode= out for rows.")
    collected = list(_only(Mapping, rows))
    return Frame(columns_of_rows(collected, getattr(source, "row_keys", ())), collected, False)


def _only(cls: type[Any], items: Iterable[Any]) -> Iterator[Any]:
    for item in items:
        if not isinstance(item, cls):
            raise InvalidArgument(f"A {type(item).__name__} stands among {cls.__name__} items.", cure=_CURE)
        yield item
