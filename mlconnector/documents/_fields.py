"""Field converters shared by the document classes: exact numbers, tuples, read-only extras."""

from __future__ import annotations

import datetime as dt
from collections.abc import ItemsView, Iterable, Iterator, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from mlconnector.errors import InvalidArgument

__all__ = ["EMPTY", "ReadOnly", "as_date", "as_decimal", "as_instant", "as_tuple"]


class ReadOnly(Mapping[str, Any]):
    """A small mapping that cannot be changed, can be hashed when its values can, and pickles."""

    __slots__ = ("_items",)

    def __init__(self, items: Mapping[str, Any] | Iterable[tuple[str, Any]] = ()) -> None:
        self._items: dict[str, Any] = dict(items)

    def __getitem__(self, key: str) -> Any:
        return self._items[key]

    # Mapping has these already; asked of the dictionary they take a third of the time.
    def get(self, key: str, default: Any = None) -> Any:
        """The value of ``key``, else ``default``."""
        return self._items.get(key, default)

    def items(self) -> ItemsView[str, Any]:
        return self._items.items()

    def __contains__(self, key: object) -> bool:
        return key in self._items

    def __iter__(self) -> Iterator[str]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)

    def __hash__(self) -> int:
        return hash(frozenset(self._items.items()))

    def __repr__(self) -> str:
        return repr(self._items)

    def __reduce__(self) -> tuple[type[ReadOnly], tuple[dict[str, Any]]]:
        return ReadOnly, (dict(self._items),)


EMPTY = ReadOnly()


def as_decimal(value: Decimal | int | str | None) -> Decimal | None:
    """Exact number or ``None``. A ``float`` is refused: it has lost cents already (design 4.2)."""
    if value is None:
        return None
    if type(value) is not Decimal:
        if isinstance(value, (bool, float)) or not isinstance(value, (int, str, Decimal)):
            raise InvalidArgument(f"{value!r} is not an exact number.", cure="Pass a Decimal, an int or a str.")
        try:
            value = Decimal(value)
        except InvalidOperation:
            raise InvalidArgument(f"{value!r} is not a number.", cure="Pass a Decimal, an int or a str.") from None
    if not value.is_finite():
        raise InvalidArgument(f"{value} is not an amount.", cure="NaN and infinities are refused.")
    return value


def as_date(value: dt.date | None) -> dt.date | None:
    """A business date: a plain date, never an instant, because an instant shifts with its zone."""
    if value is None or type(value) is dt.date:
        return value
    raise InvalidArgument(f"{value!r} is not a date.", cure="Pass a datetime.date; business dates carry no time.")


def as_instant(value: dt.datetime | None) -> dt.datetime | None:
    """An aware instant in UTC, or ``None``."""
    if value is None:
        return None
    if value.tzinfo is None:
        raise InvalidArgument(f"{value!r} is no aware datetime.", cure="Give it a tzinfo, e.g. datetime.UTC.")
    return value if value.tzinfo is dt.UTC else value.astimezone(dt.UTC)


def as_tuple(values: Iterable[Any] | None) -> tuple[Any, ...]:
    """Any iterable as a tuple; ``None`` as the empty one."""
    return values if type(values) is tuple else tuple(values or ())


def as_read_only(value: Mapping[str, Any]) -> ReadOnly:
    """A mapping as :class:`ReadOnly`; all empty ones are one."""
    return value if type(value) is ReadOnly else ReadOnly(value) if value else EMPTY
