"""Rows of any collection of the REST interface, as the server sends them (Cleo reference, sections 3.3 and 3.4)."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import attrs

from mlconnector.errors import InvalidArgument
from mlconnector.records import Batch, RawRows, Window

__all__ = ["RowsReader", "expression"]

_PAGE = 100
_OPERATORS = {"=": "eq", "startswith": "sw"}
"""Operators that are known to work; others are not documented (section 3.4)."""
Where = Sequence[tuple[str, str, Any]]


def expression(where: Where) -> str:
    """Conditions joined by ``and``, as ``filter=`` takes them.

    Raises:
        InvalidArgument: An operator that is not known to work, or a value that no escape is known for.
    """
    terms = []
    for name, op, value in where:
        if op not in _OPERATORS:
            raise InvalidArgument(f"op={op!r} is not known to work.", cure=f"Use {' or '.join(_OPERATORS)}.")
        text = str(value)
        if '"' in text or not name.replace(".", "").isalnum():
            raise InvalidArgument(f"{name}={text!r} cannot be filtered by.", cure="No escape of quotes is known.")
        terms.append(f'{name} {_OPERATORS[op]} "{text}"')
    return " and ".join(terms)


@attrs.frozen
class RowsReader(RawRows):
    """Raw rows of one collection.

    Args:
        entries: Every entry of a collection, by path and filter. ``name``: of the collection.
        columns: Dotted names that the rows keep; ``None`` keeps whole resources.
    """

    entries: Callable[[str, str], Iterator[Mapping[str, Any]]]
    name: str
    columns: tuple[str, ...] | None
    where: Where
    system: str = "cleo"

    @property
    def row_keys(self) -> tuple[str, ...]:
        """Columns that are there even where no row came."""
        return self.columns or ()

    def read(self, window: Window) -> Iterator[Batch[dict[str, Any]]]:
        """Pages of rows."""
        rows = (self._cut(entry) for entry in self.entries(f"/api/{self.name}", expression(self.where)))
        if window.limit is not None:
            rows = itertools.islice(rows, window.limit)  # type: ignore[assignment]  # still an iterator of rows
        while page := list(itertools.islice(rows, _PAGE)):
            yield Batch(documents=page)
        yield Batch(last=True)

    def _cut(self, entry: Mapping[str, Any]) -> dict[str, Any]:
        if self.columns is None:
            return dict(entry)
        return {column: _at(entry, column) for column in self.columns}


def _at(entry: Any, path: str) -> Any:
    for name in path.split("."):
        if not isinstance(entry, Mapping):
            return None
        entry = entry.get(name)
    return entry
