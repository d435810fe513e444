"""The lists of the simulated BILL: the grammar of ``filters`` and ``sort``, pages by opaque tokens (section 4)."""

from __future__ import annotations

import datetime as dt
import operator
import re
import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any, Literal

import attrs

from mlconnector.testing._bill_catalog import Resource
from mlconnector.testing._bill_errors import refusal
from mlconnector.testing._bill_fields import is_date
from mlconnector.testing._bill_store import Record

__all__ = ["LastPage", "Pager", "instant_of", "parse_filters", "parse_sort", "whole"]

Test = Callable[[Record], bool]
"""Whether a record is selected."""

LastPage = Literal["absent", "null", "empty"]
"""How an answer says that no page follows: without ``nextPage``, or with null or an empty text."""

DEFAULT_PAGE, LARGEST_PAGE = 20, 100
_PARAMETERS = frozenset({"max", "page", "sort", "filters"})
_CONDITION = re.compile(r'\s*(?P<field>[\w.]+):(?P<op>\w+):(?:"(?P<quoted>[^"]*)"|(?P<bare>[^",:]*))\s*(?:,|$)')
_INSTANT = re.compile(r"(\d{4}-\d\d-\d\d)(?:T(\d\d:\d\d(?::\d\d(?:\.\d{3})?)?)(Z|[+-]\d\d(?::?\d\d)?)?)?")
_COMPARE: Mapping[str, Callable[[Any, Any], bool]] = {
    "eq": operator.eq,
    "gt": operator.gt,
    "gte": operator.ge,
    "lt": operator.lt,
    "lte": operator.le,
}
_INSTANTS = frozenset({"createdTime", "updatedTime"})
_DAYS = frozenset({"dueDate", "processDate"})
_FLAGS = frozenset({"archived", "onlinePayment"})
_PLAIN = frozenset({"vendorId", "name"})
"""Fields of texts at the top of a row, that long lists are asked for by."""


def parse_filters(text: str, resource: Resource) -> Test:
    """``field:op:value,field:op:value``; all must hold.

    A value with a colon or a comma stands in double quotes. A comma is understood in the lists of ``in`` and ``nin``
    alone: how it would be escaped elsewhere is not documented.

    Raises:
        BillRefused: Another syntax, a field or operator without a promise, a value that does not fit.
    """
    tests: list[Test] = []
    at = 0
    while at < len(text):
        found = _CONDITION.match(text, at)
        if found is None or (found.end() == len(text) and text.endswith(",")):
            raise refusal("BDC_1129", f"Invalid value for parameter filters: {text}")
        at = found.end()
        tests.append(_condition(found["field"], found["op"], found["quoted"], found["bare"], resource))
    return tests[0] if len(tests) == 1 else lambda record: all(test(record) for test in tests)


def _condition(field: str, op: str, quoted: str | None, bare: str | None, resource: Resource) -> Test:
    operators = resource.filters.get(field)
    if operators is None:
        raise refusal("BDC_1130", f"Filter field is not allowed: {field}")
    if op not in operators:
        raise refusal("BDC_1131", f"Filter operator is not allowed: {field}:{op}")
    value = (bare or "").strip() if quoted is None else quoted
    if op in ("in", "nin"):
        wanted = {_literal(field, each.strip()) for each in value.split(",")}
        return lambda record: any(has in wanted for has in record.values(field)) is (op == "in")
    if "," in value:
        raise refusal("BDC_1129", f"Invalid value for parameter filters: {value}")
    literal = _literal(field, value)
    if op == "ne":
        return lambda record: literal not in record.values(field)
    if op == "sw":
        return lambda record: any(has.startswith(literal) for has in record.values(field))
    if op == "eq" and field == "archived":
        return lambda record: record.archived is literal
    if op == "eq" and field in _PLAIN:
        return lambda record: bool(record.row.get(field) == literal)
    compare = _COMPARE[op]
    return lambda record: any(compare(_comparable(field, has), literal) for has in record.values(field))


def _comparable(field: str, value: Any) -> Any:
    return dt.date.fromisoformat(value) if field in _DAYS else value


def _literal(field: str, text: str) -> Any:
    if field in _INSTANTS or field in _DAYS:
        instant = instant_of(text)
        if instant is not None:
            return instant if field in _INSTANTS else instant.date()
    elif field in _FLAGS:
        if text in ("true", "false"):
            return text == "true"
    elif field == "amount":
        try:
            return Decimal(text)
        except InvalidOperation:
            pass
    else:
        return text
    raise refusal("BDC_1129", f"Invalid value for filter field {field}: {text}")


def instant_of(text: str) -> dt.datetime | None:
    """An instant in one of the accepted forms, UTC where it names no zone; None for another form."""
    found = _INSTANT.fullmatch(text)
    if found is None or not is_date(found[1]):
        return None
    zone = (found[3] or "Z").replace("Z", "+00")
    try:
        return dt.datetime.fromisoformat(f"{found[1]}T{found[2] or '00:00'}{zone}").astimezone(dt.UTC)
    except ValueError:
        return None


@attrs.frozen
class _Sorting:
    """The order of a list: by the fields asked for, then by arrival."""

    fields: Sequence[tuple[str, bool]]

    def key(self, record: Record) -> tuple[Any, ...]:
        """What the order compares."""
        parts = [_part(record.values(field), descending) for field, descending in self.fields]
        return (*parts, record.number)


def _part(values: list[Any], descending: bool) -> Any:
    # A record without a value stands first, as if it had the smallest one.
    known = (True, values[0]) if values else (False, 0)
    return _Descending(known) if descending else known


@attrs.frozen
class _Descending:
    """A value that compares the other way round."""

    value: Any

    def __lt__(self, other: _Descending) -> bool:
        return bool(other.value < self.value)


def parse_sort(text: str, resource: Resource) -> _Sorting:
    """``field:asc`` or ``field:desc``, several separated by commas; no text is the order of arrival.

    Raises:
        BillRefused: Another syntax, or a field that is no sort key.
    """
    fields = []
    for part in text.split(",") if text else ():
        field, _, direction = part.strip().partition(":")
        if field not in resource.sorts or direction not in ("asc", "desc"):
            raise refusal("BDC_1129", f"Invalid value for parameter sort: {part}")
        fields.append((field, direction == "desc"))
    return _Sorting(fields)


@attrs.frozen
class _Place:
    """Where a token continues: after (or before) the record with this key, under the same question."""

    resource: str
    filters: str
    sort: str
    key: tuple[Any, ...]
    backwards: bool


class Pager:
    """Hands lists out page by page. A token remembers its question; it finds its place though records come and go.

    Args:
        last_page: How the last page says that it is the last.
        short: Whether pages hold fewer records than asked for although more follow, one of them none at all.
    """

    def __init__(self, *, last_page: LastPage, short: bool) -> None:
        self._last_page = last_page
        self._short = short
        self._places: dict[str, _Place] = {}

    def page(
        self, resource: Resource, query: Mapping[str, str], records: Iterable[Record]
    ) -> tuple[list[Record], dict[str, Any]]:
        """The records of a page, and the tokens of its neighbours.

        Raises:
            BillRefused: An unknown parameter or token, a size beyond 1 to 100, a question that is not the token's.
        """
        unknown = sorted(query.keys() - _PARAMETERS)
        if unknown:
            raise refusal("BDC_1002", f"Unknown parameter: {', '.join(unknown)}")
        most = whole(query, "max", DEFAULT_PAGE, LARGEST_PAGE)
        place = self._place(resource, query)
        filters = place.filters if place else query.get("filters", "")
        sort = place.sort if place else query.get("sort", "")
        test, sorting = parse_filters(filters, resource), parse_sort(sort, resource)
        found = sorted(filter(test, records), key=sorting.key)
        start = 0 if place is None else sum(not place.key < sorting.key(record) for record in found)
        if place is not None and place.backwards:
            end = sum(sorting.key(record) < place.key for record in found)
            start = max(0, end - most)
        elif self._short:
            # The first page holds nothing, the others half of what was asked for.
            end = start if place is None else start + max(1, most // 2)
        else:
            end = start + most
        chosen = found[start:end]
        tokens: dict[str, Any] = {}
        before = sorting.key(chosen[0]) if chosen else ()
        after = sorting.key(chosen[-1]) if chosen else ()
        if end < len(found):
            tokens["nextPage"] = self._token(_Place(resource.name, filters, sort, after, False))
        elif self._last_page != "absent":
            tokens["nextPage"] = None if self._last_page == "null" else ""
        if start and chosen:
            tokens["prevPage"] = self._token(_Place(resource.name, filters, sort, before, True))
        return chosen, tokens

    def _token(self, place: _Place) -> str:
        token = secrets.token_urlsafe(24)
        self._places[token] = place
        return token

    def _place(self, resource: Resource, query: Mapping[str, str]) -> _Place | None:
        if "page" not in query:
            return None
        place = self._places.get(query["page"])
        if place is None or place.resource != resource.name:
            raise refusal("BDC_1129", "Invalid value for parameter page.")
        for name, before in (("filters", place.filters), ("sort", place.sort)):
            if query.get(name, before) != before:
                raise refusal("BDC_1129", f"{name} must stay the same on every page.")
        return place


def whole(query: Mapping[str, str], name: str, default: int, most: int) -> int:
    """A parameter that is a whole number from 1 to ``most``.

    Raises:
        BillRefused: It is not.
    """
    text = query.get(name, str(default))
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= most):
        raise refusal("BDC_1129", f"Invalid value for parameter {name}: {text}. It is 1 to {most}.")
    return int(text)
