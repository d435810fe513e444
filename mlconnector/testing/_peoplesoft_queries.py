"""Queries of the simulated PeopleSoft: the contract of section 3.5, customers' own, and their execution."""

from __future__ import annotations

import datetime as dt
import operator
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import attrs

from mlconnector.errors import InvalidArgument
from mlconnector.testing._peoplesoft_records import Field, Record
from mlconnector.testing._peoplesoft_store import Row, from_text

__all__ = ["QUERIES", "BadQuery", "Condition", "Execution", "Join", "Query", "conditions", "scatter"]

_CONDITION = re.compile(r"([\w.]+)\s*(=|>=|<=|>|<|asof)")
_COMPARE: Mapping[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
}


class BadQuery(Exception):
    """The query cannot be run as asked."""


@attrs.frozen
class Condition:
    """``column operator prompt``; ``asof`` keeps the row in effect on the prompt's date."""

    column: str
    operator: str


@attrs.frozen(kw_only=True)
class Join:
    """A further record of a query.

    Attributes:
        alias: ``"B"``, ``"C"`` ...
        record: Its name.
        on: Its field to the column it equals.
        outer: Whether a row without partner stays, with empty fields.
        current: Whether only the row with the greatest EFFDT up to today counts.
    """

    alias: str
    record: str
    on: Mapping[str, str]
    outer: bool = False
    current: bool = False


@attrs.frozen(kw_only=True)
class Query:
    """A query definition.

    Attributes:
        name: As in the path.
        key: The columns it is ordered by, ascending.
        prompts: Unique prompt name to its condition.
        record: The record with alias A; None where the query has rows of its own.
        joins: Further records.
        rows: Its own rows, column to value.
        private: Whether it belongs to the calling user instead of all.
    """

    name: str
    key: tuple[str, ...]
    prompts: Mapping[str, Condition]
    record: str | None = None
    joins: tuple[Join, ...] = ()
    rows: tuple[Row, ...] = ()
    private: bool = False

    @property
    def records(self) -> Mapping[str, str]:
        """Alias to record."""
        return {"A": self.record, **{join.alias: join.record for join in self.joins}} if self.record else {}


def conditions(prompts: Mapping[str, str]) -> dict[str, Condition]:
    """``{"BU": "A.BUSINESS_UNIT ="}`` as conditions.

    Raises:
        InvalidArgument: Another form.
    """
    parsed = {}
    for prompt, text in prompts.items():
        found = _CONDITION.fullmatch(text)
        if found is None:
            raise InvalidArgument(f"A prompt's condition is written 'COLUMN =', >, >=, <, <= or asof, not {text!r}.")
        parsed[prompt] = Condition(found[1], found[2])
    return parsed


def _query(
    name: str, record: str, *joins: Join, key: str, window: str | None = None, after: str | None = None, **prompts: str
) -> Query:
    if window is not None:
        prompts |= {"FROM_DT": f"{window} >=", "TO_DT": f"{window} <="}
    if after is not None:
        prompts |= {"AFTER_ID": f"{after} >"}
    return Query(name=name, record=record, joins=joins, key=tuple(key.split()), prompts=conditions(prompts))


def _same(fields: str, alias: str = "A") -> dict[str, str]:
    return {field: f"{alias}.{field}" for field in fields.split()}


_ALL = (
    _query("ML_PO_HDR", "PO_HDR", key="A.PO_ID", BU="A.BUSINESS_UNIT =", window="A.LAST_DTTM_UPDATE", after="A.PO_ID"),
    _query(
        "ML_PO_LINE",
        "PO_LINE",
        Join(alias="B", record="PO_LINE_SHIP", on=_same("BUSINESS_UNIT PO_ID LINE_NBR")),
        Join(alias="C", record="PO_LINE_DISTRIB", on=_same("BUSINESS_UNIT PO_ID LINE_NBR") | _same("SCHED_NBR", "B")),
        key="A.LINE_NBR B.SCHED_NBR C.DISTRIB_LINE_NUM",
        BU="A.BUSINESS_UNIT =",
        PO="A.PO_ID =",
    ),
    _query(
        "ML_VOUCHER",
        "VOUCHER",
        key="A.VOUCHER_ID",
        BU="A.BUSINESS_UNIT =",
        window="A.LAST_UPDATE_DT",
        after="A.VOUCHER_ID",
    ),
    _query(
        "ML_VOUCHER_LINE",
        "VOUCHER_LINE",
        Join(alias="B", record="DISTRIB_LINE", on=_same("BUSINESS_UNIT VOUCHER_ID VOUCHER_LINE_NUM")),
        key="A.VOUCHER_LINE_NUM B.DISTRIB_LINE_NUM",
        BU="A.BUSINESS_UNIT =",
        VOUCHER="A.VOUCHER_ID =",
    ),
    _query(
        "ML_VENDOR",
        "VENDOR",
        Join(
            alias="B",
            record="VENDOR_ADDR",
            on=_same("SETID VENDOR_ID") | {"ADDRESS_SEQ_NUM": "A.PRIM_ADDR_SEQ_NUM"},
            outer=True,
            current=True,
        ),
        Join(
            alias="C",
            record="VENDOR_LOC",
            on=_same("SETID VENDOR_ID") | {"VNDR_LOC": "A.DEFAULT_LOC"},
            outer=True,
            current=True,
        ),
        key="A.VENDOR_ID",
        SETID="A.SETID =",
        after="A.VENDOR_ID",
    ),
    _query(
        "ML_PAYMENT",
        "PAYMENT_TBL",
        Join(alias="B", record="PYMNT_VCHR_XREF", on=_same("BANK_SETID BANK_CD BANK_ACCT_KEY PYMNT_ID")),
        key="A.PYMNT_ID",
        BU="B.BUSINESS_UNIT =",
        window="A.PYMNT_DT",
        after="A.PYMNT_ID",
    ),
    _query("ML_DEPT", "DEPT_TBL", key="A.DEPTID", SETID="A.SETID =", ASOF_DT="A.EFFDT asof", after="A.DEPTID"),
    _query(
        "ML_GL_ACCOUNT",
        "GL_ACCOUNT_TBL",
        key="A.ACCOUNT",
        SETID="A.SETID =",
        ASOF_DT="A.EFFDT asof",
        after="A.ACCOUNT",
    ),
)

QUERIES: Mapping[str, Query] = {query.name: query for query in _ALL}
"""The project's query contract (section 3.5)."""

Lookup = Callable[[str, Mapping[str, Any]], Sequence[Row]]
"""``lookup(record, equals)``: the rows of a record whose fields have these values, in key order."""


@attrs.frozen(kw_only=True)
class Execution:
    """What running a query takes.

    Attributes:
        records: Definitions by name.
        lookup: Their rows.
        zone: Of the database.
        today: Its date there.
    """

    records: Mapping[str, Record]
    lookup: Lookup
    zone: dt.tzinfo
    today: dt.date

    def columns(self, query: Query) -> dict[str, Field]:
        """Unique field name to field, in order. A joined record's fields that the join equates are not shown twice."""
        if query.record is None:
            return _columns_of(query.rows)
        shown = {f"A.{name}": field for name, field in self.records[query.record].fields.items()}
        for join in query.joins:
            fields = self.records[join.record].fields
            shown |= {f"{join.alias}.{name}": field for name, field in fields.items() if name not in join.on}
        return shown

    def run(self, query: Query, values: Mapping[str, str], most: int) -> list[Row]:
        """Up to ``most`` rows for the prompts' values, by unique field name.

        Raises:
            BadQuery: A value that is no date or number where one is due.
        """
        columns = self.columns(query)
        if query.record is None and not query.rows:
            return []
        asked: list[tuple[Condition, Any]] = []
        for prompt, condition in query.prompts.items():
            field = columns.get(condition.column)
            if field is None:
                raise BadQuery(f"{query.name} has no field {condition.column}.")
            asked.append((condition, _prompt_value(prompt, field, condition, values[prompt])))
        rows = self._own(query, asked) if query.record is None else self._joined(query, query.record, columns, asked)
        rows.sort(key=lambda row: [(row.get(column) is not None, row.get(column)) for column in query.key])
        return [{column: row[column] for column in columns} for row in rows[:most]]

    def _own(self, query: Query, asked: Iterable[tuple[Condition, Any]]) -> list[Row]:
        blank = dict.fromkeys(self.columns(query))
        rows = [blank | row for row in query.rows]
        return [row for row in rows if all(self._holds(row.get(each.column), each, value) for each, value in asked)]

    def _joined(
        self, query: Query, record: str, columns: Mapping[str, Field], asked: Sequence[tuple[Condition, Any]]
    ) -> list[Row]:
        equals = {
            condition.column[2:]: value
            for condition, value in asked
            # An instant is compared by its date, which no index has.
            if condition.operator == "=" and condition.column[:2] == "A." and columns[condition.column].kind != "T"
        }
        found: Sequence[Row] = self.lookup(record, equals)
        for condition, value in asked:
            if condition.operator == "asof":
                found = _in_effect(found, value, self.records[record].key)
            elif condition.column[:2] == "A.":
                found = [row for row in found if self._holds(row[condition.column[2:]], condition, value)]
        rows = [{f"A.{name}": value for name, value in row.items()} for row in found]
        for join in query.joins:
            rows = [joined for row in rows for joined in self._partners(join, row)]
            mine = [(each, value) for each, value in asked if each.column.startswith(f"{join.alias}.")]
            rows = [row for row in rows if all(self._holds(row[each.column], each, value) for each, value in mine)]
        return rows

    def _partners(self, join: Join, row: Row) -> list[Row]:
        found = self.lookup(join.record, {field: row[column] for field, column in join.on.items()})
        if join.current:
            found = _in_effect(found, self.today, self.records[join.record].key)
        if not found and join.outer:
            found = [dict.fromkeys(self.records[join.record].fields)]
        return [row | {f"{join.alias}.{name}": value for name, value in each.items()} for each in found]

    def _holds(self, value: Any, condition: Condition, wanted: Any) -> bool:
        if wanted is None:
            return True
        if isinstance(value, dt.datetime):
            value = value.astimezone(self.zone).date()
        return value is not None and _COMPARE[condition.operator](value, wanted)


def _in_effect(rows: Iterable[Row], day: dt.date, key: Sequence[str]) -> list[Row]:
    """Of each key the row with the greatest EFFDT up to a day, whatever its EFF_STATUS (section 9)."""
    names = [name for name in key if name != "EFFDT"]
    current: dict[tuple[Any, ...], Row] = {}
    for row in rows:
        if row["EFFDT"] <= day:
            found = current.setdefault(tuple(row[name] for name in names), row)
            if found["EFFDT"] < row["EFFDT"]:
                current[tuple(row[name] for name in names)] = row
    return list(current.values())


def _prompt_value(prompt: str, field: Field, condition: Condition, text: str) -> Any:
    """The prompt as a value to compare with; None lets every row pass: an empty key is from the start."""
    if not text and condition.operator == ">":
        return None
    if not text and field.kind != "C":
        raise BadQuery(f"Prompt {prompt} needs a value.")
    try:
        if field.kind == "T":
            return from_text(Field(field.name, "D"), text)
        # Longer than the field is no error in a prompt: nothing is found.
        return text.rstrip(" ") if field.kind == "C" else from_text(field, text)
    except ValueError:
        raise BadQuery(f"Prompt {prompt} has a value that is not in the right format.") from None


def _columns_of(rows: Iterable[Row]) -> dict[str, Field]:
    columns: dict[str, Field] = {}
    for row in rows:
        for name, value in row.items():
            if columns.get(name) is None or value is not None:
                columns[name] = _field_for(name, value)
    return columns


def _field_for(name: str, value: Any) -> Field:
    match value:
        case dt.datetime():
            return Field(name, "T")
        case dt.date():
            return Field(name, "D")
        case dt.time():
            return Field(name, "M")
        case str() | None:
            return Field(name, "C")
        case _:
            return Field(name, "N")


def scatter(query: Query, records: Mapping[str, Record], row: Mapping[str, Any]) -> dict[str, Row]:
    """A row as the query shows it, as rows of its records; text stands for dates and numbers too.

    Raises:
        InvalidArgument: A column that no record of the query has, or several have, or a value it cannot hold.
    """
    parts: dict[str, Row] = {alias: {} for alias in query.records}
    for column, value in row.items():
        alias, _, name = column.rpartition(".")
        homes = [each for each in ([alias] if alias else parts) if name in _fields(query, records, each)]
        if len(homes) != 1:
            raise InvalidArgument(f"{query.name} has no column {column!r}, or more than one: {homes}.")
        field = _fields(query, records, homes[0])[name]
        try:
            parts[homes[0]][name] = from_text(field, value) if isinstance(value, str) else value
        except ValueError as bad:
            raise InvalidArgument(f"{query.name}: {bad}") from None
    for join in query.joins:
        for field_name, column in join.on.items():
            alias, _, name = column.partition(".")
            default = records[query.records[alias]].defaults.get(name)
            parts[join.alias].setdefault(field_name, parts[alias].get(name, default))
    wanted = {join.alias for join in query.joins if not join.outer} | {"A"}
    given = {column.rpartition(".")[0] for column in row}
    return {query.records[alias]: part for alias, part in parts.items() if alias in wanted | given}


def _fields(query: Query, records: Mapping[str, Record], alias: str) -> Mapping[str, Field]:
    name = query.records.get(alias)
    return records[name].fields if name else {}
