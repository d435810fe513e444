"""The query language of Coupa: operators, ways through associations, order, pages (Coupa reference, section 3)."""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import Any

import attrs

from mlconnector.testing._coupa_schema import Field, Kind, dashed
from mlconnector.testing._coupa_store import Database, Row, whole_number
from mlconnector.testing._coupa_values import decimal, flag, instant

__all__ = ["BadQuery", "Test", "conditions", "ordered", "page_of"]

Test = Callable[[Row], bool]
"""Whether a row is selected."""

MOST = 50
_NAME = re.compile(r"([\w-]+)((?:\[[\w-]+\])*)")
_RESERVED = {"offset", "limit", "order_by", "dir", "fields", "filter", "return_object", "show_deleted_lines"}
_TEXT_OPERATORS: Mapping[str, Callable[[str, str], bool]] = {
    "contains": lambda value, operand: operand in value,
    "starts_with": str.startswith,
    "ends_with": str.endswith,
}
_COMPARE: Mapping[str, Callable[[Any, Any], bool]] = {
    "": lambda value, operand: value == operand,
    "not_eq": lambda value, operand: value != operand,
    "gt": lambda value, operand: value > operand,
    "lt": lambda value, operand: value < operand,
    "gt_or_eq": lambda value, operand: value >= operand,
    "lt_or_eq": lambda value, operand: value <= operand,
}
_LISTS: Mapping[str, Callable[[Any, Any], bool]] = {
    "in": lambda value, operand: value in operand,
    "not_in": lambda value, operand: value not in operand,
}
_OPERATORS = {*_COMPARE, *_LISTS, *_TEXT_OPERATORS, "blank"} - {""}
_TIMES = ("instant", "day")
_ROWS = ("link", "links", "part", "parts")


class BadQuery(ValueError):
    """What the server answers 400 to; the text names the problem."""


@attrs.frozen
class _Operand:
    """An attribute of the row, or of rows it leads to."""

    database: Database
    steps: tuple[tuple[str, Field], ...]
    inside: tuple[str, ...]

    @property
    def field(self) -> Field:
        """What the attribute holds."""
        return self.steps[-1][1]

    def values(self, row: Row) -> list[Any]:
        """What the row has there; several where the way leads through collections; null as None."""
        rows = [row]
        for name, field in self.steps[:-1]:
            rows = [each for one in rows for each in _led_to(self.database, one, name, field)]
        name, field = self.steps[-1]
        if field.sort in _ROWS:
            return [each for one in rows for each in _led_to(self.database, one, name, field)] or [None]
        found = [one.values[name] for one in rows]
        for key in self.inside:
            found = [value.get(key) if isinstance(value, Mapping) else None for value in found]
        return found


def _led_to(database: Database, row: Row, name: str, field: Field) -> list[Row]:
    match field.sort:
        case "part" | "parts":
            return row.parts[name]
        case "link":
            keys: tuple[int | None, ...] = (row.values[name],)
        case _:
            keys = row.values[name] or ()
    return [found for key in keys if (found := database.get(field.target, key)) is not None]


def _operand(database: Database, kind: Kind, names: list[str]) -> _Operand:
    """The attribute that names lead to, through associations, with dashes or underscores."""
    steps: list[tuple[str, Field]] = []
    for position, name in enumerate(names, start=1):
        field = kind.fields.get(name)
        if field is None and name.endswith("-id") and kind.fields.get(name[:-3], Field("text")).sort == "link":
            # The foreign key itself: supplier_id=4.
            field, name = Field("whole"), name[:-3]  # noqa: PLW2901
        if field is None:
            raise BadQuery(f"Unknown attribute {name.replace('-', '_')} for {kind.object}")
        steps.append((name, field))
        if field.sort == "object":
            return _Operand(database, tuple(steps), tuple(names[position:]))
        if position < len(names):
            if field.sort not in _ROWS:
                raise BadQuery(f"{name.replace('-', '_')} is no association of {kind.object}")
            kind = database.kinds[field.target]
    return _Operand(database, tuple(steps), ())


def conditions(query: Mapping[str, str], database: Database, kind: Kind) -> list[Test]:
    """One test for each condition of a query string.

    Raises:
        BadQuery: An attribute, operator or value that does not exist or does not go together.
    """
    return [_condition(name, text, database, kind) for name, text in query.items() if name not in _RESERVED]


def _condition(name: str, text: str, database: Database, kind: Kind) -> Test:
    found = _NAME.fullmatch(name)
    if found is None:
        raise BadQuery(f"Cannot read the parameter {name}")
    names = [dashed(each) for each in [found[1], *re.findall(r"\[([\w-]+)\]", found[2])]]
    operator = names.pop().replace("-", "_") if len(names) > 1 and names[-1].replace("-", "_") in _OPERATORS else ""
    operand = _operand(database, kind, names)
    sort = operand.field.sort
    if operator == "blank":
        if sort in _TIMES:
            raise BadQuery(f"Operator blank is not available on {name}")
        try:
            wanted = flag(text)
        except ValueError as wrong:
            raise BadQuery(f"{name} {wrong}") from wrong
        return lambda row: (not any(value not in (None, "", {}) for value in operand.values(row))) is wanted
    if sort in _ROWS:
        raise BadQuery(f"{name} needs an attribute of the association")
    if operator in _TEXT_OPERATORS:
        if sort in _TIMES:
            raise BadQuery(f"Operator {operator} is not available on {name}")
        compare, wanted_text = _TEXT_OPERATORS[operator], database.fold(text)
        return lambda row: any(
            compare(database.fold(str(value)), wanted_text) for value in operand.values(row) if value is not None
        )
    if operator in _LISTS:
        texts = [part.strip() for part in text.split(",") if part.strip()]
        limit: Any = [_literal(database, operand.field, name, part) for part in texts]
    else:
        limit = _literal(database, operand.field, name, text)
    if operator == "" and sort == "text" and len(operand.steps) == 1:
        ((own, _),), fold = operand.steps, database.fold
        return lambda row: (value := row.values[own]) is not None and fold(value) == limit
    test = (_LISTS if operator in _LISTS else _COMPARE)[operator]
    return lambda row: any(
        test(_comparable(database, value), limit) for value in operand.values(row) if value is not None
    )


def _literal(database: Database, field: Field, name: str, text: str) -> Any:
    try:
        match field.sort:
            case "whole":
                number = whole_number(text)
                if number is None:
                    raise ValueError("is not a number")
                return number
            case "decimal":
                return decimal(text, None)
            case "flag":
                return flag(text)
            case "instant" | "day":
                return instant(text)
            case _:
                return database.fold(text)
    except ValueError as wrong:
        raise BadQuery(f"{name}: {text!r} {wrong}") from wrong


def _comparable(database: Database, value: Any) -> Any:
    return database.fold(value) if isinstance(value, str) else value


def ordered(query: Mapping[str, str], database: Database, kind: Kind, rows: Iterable[Row], turn: int) -> list[Row]:
    """The rows in the order asked for, by id otherwise; those it does not tell apart stand otherwise at each turn.

    Raises:
        BadQuery: An attribute that cannot be ordered by, or another direction than ``asc`` and ``desc``.
    """
    direction = query.get("dir", "asc").lower()
    if direction not in ("asc", "desc"):
        raise BadQuery(f"dir must be asc or desc, not {direction}")
    name = dashed(query.get("order_by", "id"))
    field = kind.fields.get(name)
    if field is None or field.sort in (*_ROWS, "object"):
        raise BadQuery(f"Cannot order {kind.name} by {query['order_by']}")

    def rank(row: Row) -> tuple[bool, Any]:
        value = row.values[name]
        return (value is not None, Decimal(0) if value is None else _comparable(database, value))

    shuffled = sorted(rows, key=lambda row: zlib.crc32(f"{row.id}/{turn}".encode()))
    return sorted(shuffled, key=rank, reverse=direction == "desc")


def page_of(query: Mapping[str, str], *, refuse_more: bool) -> tuple[int, int]:
    """Offset and limit of a page, 50 rows at most.

    Raises:
        BadQuery: No whole numbers, a limit below 1, or one above 50 where ``refuse_more``.
    """
    offset, limit = whole_number(query.get("offset", "0")), whole_number(query.get("limit", str(MOST)))
    if offset is None:
        raise BadQuery(f"offset is not a number: {query['offset']}")
    if not limit or (refuse_more and limit > MOST):
        raise BadQuery(f"limit must be a number from 1 to {MOST}, not {query['limit']}")
    return offset, min(limit, MOST)
