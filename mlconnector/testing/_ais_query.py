"""The data service's query language: conditions, literals, order, aggregates (AIS reference, section 3)."""

from __future__ import annotations

import bisect
import datetime as dt
import itertools
import re
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any

import attrs
from dateutil.relativedelta import relativedelta

from mlconnector.errors import InvalidArgument
from mlconnector.testing._ais_store import Row, TableStore, default_of
from mlconnector.testing._ais_tables import Column, Table

__all__ = ["BadRequest", "BadValue", "DateFormat", "Literals", "aggregate", "columns_named", "first", "select"]


class BadRequest(Exception):
    """The request's JSON is not what the schema asks for: answered with 400."""


class BadValue(Exception):
    """A table, column, operator or literal the server cannot work with: answered with 500, or 200 and sysErrors."""


@attrs.frozen
class DateFormat:
    """A login's ``simpleDateFormat``: Java letters ``dd``, ``MM``, ``yyyy`` or ``yy`` with one separator."""

    pattern: str

    def __attrs_post_init__(self) -> None:
        parts = re.findall(r"dd|MM|yyyy|yy", self.pattern)
        if sorted(part[0] for part in parts) != ["M", "d", "y"]:
            raise InvalidArgument(f"date_format must hold dd, MM and yyyy or yy once each, not {self.pattern!r}.")

    @property
    def parts(self) -> list[str]:
        """The letters in order."""
        return re.findall(r"dd|MM|yyyy|yy", self.pattern)

    @property
    def separator(self) -> str:
        """What stands between the parts; ``dateSeperator`` of the login."""
        return re.sub(r"dd|MM|yyyy|yy", "", self.pattern)[:1]

    @property
    def code(self) -> str:
        """``dateFormat`` of the login: ``MDE``, ``DME``, ``EMD`` with E for a four-digit year, R for two."""
        letters = {"dd": "D", "MM": "M", "yyyy": "E", "yy": "R"}
        return "".join(letters[part] for part in self.parts)

    def parse(self, text: str) -> dt.date:
        """A literal in this format; the separators may be left out.

        Raises:
            BadValue: It is not.
        """
        widths = {part: len(part) for part in self.parts}
        plain = "".join(f"(?P<{part}>[0-9]{{{widths[part]}}})" for part in self.parts)
        spaced = re.escape(self.separator).join(f"(?P<{part}>[0-9]{{{widths[part]}}})" for part in self.parts)
        found = re.fullmatch(plain, text) or re.fullmatch(spaced, text)
        if found is None:
            raise BadValue(f"Date {text!r} is not in the user's format {self.pattern}")
        fields = found.groupdict()
        year = int(fields["yyyy"]) if "yyyy" in fields else 2000 + int(fields["yy"])
        try:
            return dt.date(year, int(fields["MM"]), int(fields["dd"]))
        except ValueError:
            raise BadValue(f"Date {text!r} does not exist in the user's format {self.pattern}") from None


@attrs.frozen(kw_only=True)
class Literals:
    """What turns ``content`` and ``specialValueId`` into values: the login's date format, today, the user."""

    date_format: DateFormat
    today: dt.date
    user: str

    def value(self, column: Column, item: Any) -> Any:
        """One ``{content, specialValueId}`` in the column's form.

        Raises:
            BadRequest: It has another shape.
            BadValue: The literal does not fit the column.
        """
        if not isinstance(item, Mapping) or not isinstance(item.get("content"), str):
            raise BadRequest(f"value holds objects with a text content and a specialValueId, not {item!r}")
        content, special = item["content"], item.get("specialValueId")
        if special == "LITERAL":
            return self._literal(column, content)
        if special == "LOGIN_USER":
            return self._literal(column, self.user)
        return self._relative_day(column, content, special)

    def _literal(self, column: Column, content: str) -> Any:
        match column.kind:
            case "S":
                return content.rstrip()
            case "B":
                return content.strip().rjust(column.length or 0) if content.strip() else ""
            case "D":
                return self.date_format.parse(content)
            case _:
                if not re.fullmatch(r"-?[0-9]+(\.[0-9]+)?", content):
                    raise BadValue(f"{content!r} is no number for {column.alias}")
                return Decimal(content)

    def _relative_day(self, column: Column, content: str, special: Any) -> dt.date:
        found = re.fullmatch(r"TODAY(?:_(PLUS|MINUS)_(DAY|MONTH|YEAR))?", str(special))
        if found is None:
            raise BadValue(f"Unknown specialValueId {special!r}")
        if column.kind != "D":
            raise BadValue(f"{special} needs a date column, {column.alias} is none")
        if found[1] is None:
            return self.today
        if not content.isdigit():
            raise BadValue(f"{special} needs a number, not {content!r}")
        count = int(content) if found[1] == "PLUS" else -int(content)
        match found[2]:
            case "DAY":
                return self.today + relativedelta(days=count)
            case "MONTH":
                return self.today + relativedelta(months=count)
            case _:
                return self.today + relativedelta(years=count)


Predicate = Callable[[Row], bool]

_COMPARE: Mapping[str, Callable[[Any, Any], bool]] = {
    "EQUAL": lambda left, right: left == right,
    "NOT_EQUAL": lambda left, right: left != right,
    "LESS": lambda left, right: left < right,
    "LESS_EQUAL": lambda left, right: left <= right,
    "GREATER": lambda left, right: left > right,
    "GREATER_EQUAL": lambda left, right: left >= right,
}
_TEXT: Mapping[str, Callable[[str, str], bool]] = {
    "STR_START_WITH": lambda text, part: text.lstrip().startswith(part.strip()),
    "STR_END_WITH": lambda text, part: text.endswith(part.strip()),
    "STR_CONTAIN": lambda text, part: part.strip() in text,
}


_LARGE = 20_000
"""From so many rows on, the first rows of a result are found in the order of an index, as a database does."""


@attrs.frozen
class _Condition:
    """A test of rows; ``low`` and ``high``: no row outside of them passes."""

    test: Predicate
    alias: str
    equals_one_of: frozenset[Any] | None = None
    low: Any = None
    high: Any = None


def column_named(table: Table, control_id: Any) -> Column:
    """The column behind ``TABLE.ALIAS``.

    Raises:
        BadValue: Another form, another table, an unknown alias (or one with the database's prefix).
    """
    name, _, alias = str(control_id).partition(".")
    column = table.columns.get(alias)
    if name != table.name or column is None:
        raise BadValue(f"Invalid column {control_id} for {table.name}")
    return column


def columns_named(table: Table, listed: Any) -> list[Column]:
    """The columns of ``returnControlIDs``; all of them where it is absent."""
    if listed is None:
        return list(table.columns.values())
    if not isinstance(listed, str):
        raise BadRequest("returnControlIDs is text, names separated by |")
    return [column_named(table, control_id) for control_id in listed.split("|")]


def select(store: TableStore, request: Mapping[str, Any], literals: Literals) -> list[Row]:
    """The rows that a request's query finds, in the order it asks for."""
    query = request.get("query")
    rows = store.scrambled() if query is None else _found(store, query, literals)
    order = _order_of(request)
    if request.get("dataServiceType") == "BROWSE":
        rows = _ordered(store.table, rows, order)
    return rows


def first(store: TableStore, request: Mapping[str, Any], literals: Literals, most: int) -> list[Row]:
    """The first rows that :func:`select` finds for a BROWSE, at most so many."""
    query = request.get("query")
    if len(store.scrambled()) <= _LARGE or not isinstance(query, Mapping) or "complexQuery" in query:
        return select(store, request, literals)[:most]
    conditions, joined = _conditions(store, query, literals)
    exact = [store.count_having(one.alias, one.equals_one_of) for one in conditions if one.equals_one_of is not None]
    if joined != "MATCH_ALL" or min(exact, default=_LARGE) < _LARGE:
        return select(store, request, literals)[:most]
    order = _order_of(request)
    rows = store.ordered(repr(order), lambda: _ordered(store.table, store.scrambled(), order))
    begin, end = _part(rows, conditions, _directions(store.table, order))
    passing = (rows[at] for at in range(begin, end) if all(condition.test(rows[at]) for condition in conditions))
    return list(itertools.islice(passing, most))


def _part(rows: list[Row], conditions: list[_Condition], order: list[tuple[Column, bool]]) -> tuple[int, int]:
    """Between which places of the ordered rows all conditions on the first column of the order can hold."""
    begin, end = 0, len(rows)
    if not order or order[0][1]:
        return begin, end
    alias, default = order[0][0].alias, default_of(order[0][0])

    def value(row: Row) -> Any:
        return row.get(alias, default)

    for condition in conditions:
        if condition.alias == alias and condition.low is not None:
            begin = max(begin, bisect.bisect_left(rows, condition.low, key=value))
        if condition.alias == alias and condition.high is not None:
            end = min(end, bisect.bisect_right(rows, condition.high, key=value))
    return begin, end


def _order_of(request: Mapping[str, Any]) -> Any:
    aggregation = request.get("aggregation") or {}
    if not isinstance(aggregation, Mapping):
        raise BadRequest("aggregation is an object")
    return aggregation.get("orderBy", ())


def _found(store: TableStore, query: Any, literals: Literals) -> list[Row]:
    if not isinstance(query, Mapping):
        raise BadRequest("query is an object")
    parts = query.get("complexQuery")
    if parts is None:
        return _matching(store, query, literals)
    if "condition" in query:
        raise BadRequest("query has either condition or complexQuery")
    if not isinstance(parts, list) or len(parts) != 2 or not all(isinstance(part, Mapping) for part in parts):
        raise BadRequest("complexQuery holds two parts; how more of them join is not documented")
    if not all(part.get("andOr") in ("AND", "OR") for part in parts):
        raise BadRequest("andOr is AND or OR")
    first, second = (_matching(store, part.get("query") or {}, literals) for part in parts)
    in_second = {id(row) for row in second}
    if parts[1]["andOr"] == "AND":
        return [row for row in first if id(row) in in_second]
    in_first = {id(row) for row in first}
    return first + [row for row in second if id(row) not in in_first]


def _conditions(store: TableStore, query: Mapping[str, Any], literals: Literals) -> tuple[list[_Condition], str]:
    """The conditions of a query, and how they are joined."""
    listed = query.get("condition", [])
    match_type = query.get("matchType", "MATCH_ALL")
    if not isinstance(listed, list) or match_type not in ("MATCH_ALL", "MATCH_ANY"):
        raise BadRequest("query holds a list of conditions and matchType MATCH_ALL or MATCH_ANY")
    return [_condition(store.table, item, literals) for item in listed], match_type


def _matching(store: TableStore, query: Mapping[str, Any], literals: Literals) -> list[Row]:
    conditions, match_type = _conditions(store, query, literals)
    if not conditions:
        return store.scrambled()
    if match_type == "MATCH_ANY":
        return [row for row in store.scrambled() if any(condition.test(row) for condition in conditions)]
    exact = [condition for condition in conditions if condition.equals_one_of is not None]
    if exact:
        best = min(exact, key=lambda condition: store.count_having(condition.alias, condition.equals_one_of or ()))
        rows = store.having(best.alias, best.equals_one_of or ())
        conditions.remove(best)
    else:
        rows = store.scrambled()
    for condition in conditions:
        rows = [row for row in rows if condition.test(row)]
    return rows


def _condition(table: Table, item: Any, literals: Literals) -> _Condition:
    if not isinstance(item, Mapping):
        raise BadRequest(f"A condition is an object, not {item!r}")
    column = column_named(table, item.get("controlId"))
    operator, listed = str(item.get("operator")), item.get("value")
    alias, default = column.alias, default_of(column)
    if operator in ("STR_BLANK", "STR_NOT_BLANK"):
        _text_only(column, operator)
        blank = operator == "STR_BLANK"
        return _Condition(lambda row: (not row.get(alias, default).strip()) == blank, alias)
    if not isinstance(listed, list) or not listed:
        raise BadRequest("value is an array of {content, specialValueId}")
    values = [literals.value(column, entry) for entry in listed]
    if operator == "LIST":
        wanted = frozenset(values)
        return _Condition(lambda row: row.get(alias, default) in wanted, alias, wanted)
    if operator == "BETWEEN":
        if len(values) != 2:
            raise BadValue("BETWEEN takes two values")
        low, high = values
        return _Condition(lambda row: low <= row.get(alias, default) <= high, alias, low=low, high=high)
    if len(values) != 1:
        raise BadValue(f"{operator} takes one value")
    value = values[0]
    if operator in _COMPARE:
        if operator == "EQUAL" and column.kind in "SB" and str(value).strip() == "*":
            return _Condition(lambda _row: True, alias)
        compare = _COMPARE[operator]
        return _Condition(
            lambda row: compare(row.get(alias, default), value),
            alias,
            equals_one_of=frozenset(values) if operator == "EQUAL" else None,
            low=value if operator in ("EQUAL", "GREATER", "GREATER_EQUAL") else None,
            high=value if operator in ("EQUAL", "LESS", "LESS_EQUAL") else None,
        )
    if operator in _TEXT:
        _text_only(column, operator)
        test = _TEXT[operator]
        return _Condition(lambda row: test(row.get(alias, default), value), alias)
    raise BadValue(f"Unknown operator {operator!r}")


def _text_only(column: Column, operator: str) -> None:
    if column.kind not in "SB":
        raise BadValue(f"{operator} needs a text column, {column.alias} is none")


def _directions(table: Table, order: Any) -> list[tuple[Column, bool]]:
    if not isinstance(order, Sequence) or isinstance(order, str):
        raise BadRequest("orderBy is an array of {column, direction}")
    found = []
    for item in order:
        if not isinstance(item, Mapping) or item.get("direction") not in ("ASC", "DESC"):
            raise BadRequest("orderBy holds objects with column and direction ASC or DESC")
        found.append((column_named(table, item.get("column")), item["direction"] == "DESC"))
    return found


def _ordered(table: Table, rows: list[Row], order: Any) -> list[Row]:
    result = list(rows)
    for column, descending in reversed(_directions(table, order)):
        alias, default = column.alias, default_of(column)
        result.sort(key=lambda row, a=alias, d=default: row.get(a, d), reverse=descending)  # type: ignore[misc]
    return result


def _average(values: Sequence[Any]) -> Any:
    return sum(values) / Decimal(len(values))


_AGGREGATES: Mapping[str, Callable[[Sequence[Any]], Any]] = {
    "SUM": sum,
    "MIN": min,
    "MAX": max,
    "AVG": _average,
    "COUNT": len,
    "COUNT_DISTINCT": lambda values: len(set(values)),
    "AVG_DISTINCT": lambda values: _average(list(set(values))),
    "SUM_DISTINCT": lambda values: sum(set(values)),
}


def aggregate(
    table: Table, rows: Sequence[Row], aggregation: Any, show: Callable[[Column, Any], Any]
) -> list[dict[str, Any]]:
    """The ``output`` of an AGGREGATION: one object a group.

    Args:
        table: What the rows belong to.
        rows: The rows found.
        aggregation: ``aggregations``, ``groupBy`` and ``orderBy`` (of grouped columns) of the request.
        show: Writes a column's value as the data service does.
    """
    if not isinstance(aggregation, Mapping) or not isinstance(aggregation.get("aggregations"), list):
        raise BadRequest("AGGREGATION needs aggregation.aggregations")
    wanted: list[tuple[Column, str]] = []
    grouping = aggregation.get("groupBy", [])
    if not all(isinstance(item, Mapping) for item in [*aggregation["aggregations"], *grouping]):
        raise BadRequest("aggregations and groupBy hold objects")
    for item in aggregation["aggregations"]:
        column, kind = column_named(table, item.get("column")), str(item.get("aggregation"))
        if kind not in _AGGREGATES:
            raise BadValue(f"Unknown aggregation {kind!r}")
        if kind.startswith(("SUM", "AVG")) and column.kind != "N":
            raise BadValue(f"{kind} needs a number, {column.alias} is none")
        wanted.append((column, kind))
    grouped = [column_named(table, item.get("column")) for item in grouping]
    groups: dict[tuple[Any, ...], list[Row]] = {}
    for row in _ordered(table, list(rows), aggregation.get("orderBy", ())):
        groups.setdefault(tuple(row.get(column.alias, default_of(column)) for column in grouped), []).append(row)
    output = []
    for key, members in groups.items():
        entry: dict[str, Any] = {}
        if grouped:
            entry["groupBy"] = {
                f"{table.name}.{column.alias}": show(column, part) for column, part in zip(grouped, key, strict=True)
            }
        for column, kind in wanted:
            values = [row.get(column.alias, default_of(column)) for row in members]
            result = _AGGREGATES[kind](values)
            entry[f"{table.name}.{column.alias}_{kind}"] = (
                result if kind.startswith(("COUNT", "AVG")) else show(column, result)
            )
        output.append(entry)
    return output
