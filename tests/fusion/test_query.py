"""The expression ``q``: every operator pushed down or refused, and nothing in a value can leave its quotes."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlconnector.errors import InvalidArgument
from mlconnector.fusion._query import condition, expression, instant_text, order_text
from tests.fusion.query import Parser

AT = dt.datetime(2026, 1, 31, 1, 2, 3, 45678, tzinfo=dt.timezone(dt.timedelta(hours=1)))
PRINTABLE = st.text().filter(str.isprintable)


def holds(text: str, row: dict[str, Any], wildcard: str = "%") -> bool:
    return Parser(text, wildcard, lambda name: True).whole()(row)


@pytest.mark.parametrize(
    ("op", "value", "text"),
    [
        ("=", "x", "A = 'x'"),
        ("!=", 7, "A != 7"),
        ("<", Decimal("1.50"), "A < 1.50"),
        ("<=", dt.date(2026, 1, 31), "A <= '2026-01-31'"),
        (">", AT, "A > '2026-01-31T00:02:03.045+00:00'"),
        (">=", -3, "A >= -3"),
        ("=", None, "A is null"),
        ("!=", None, "A is not null"),
        ("in", ["x", "O'Brien"], "(A = 'x' or A = 'O''Brien')"),
        ("between", (1, 2), "(A >= 1 and A <= 2)"),
        ("startswith", "SA", "(A like 'SA%' or A like 'SA*')"),
        ("contains", "SA", "(A like '%SA%' or A like '*SA*')"),
    ],
)
def test_every_operator_is_pushed_down_in_documented_words(op: str, value: Any, text: str) -> None:
    assert condition("A", op, value) == text


@pytest.mark.parametrize(
    ("attribute", "op", "value"),
    [
        ("A", "like", "x"),
        ("A", "=", True),
        ("A", "=", 1.5),
        ("A", "=", Decimal("NaN")),
        ("A", "<", None),
        ("A", "=", "x\ny"),
        ("A", "=", AT.replace(tzinfo=None)),
        ("A", "in", []),
        ("A", "in", "text"),
        ("A", "in", 5),
        ("A", "between", (1, 2, 3)),
        ("A", "startswith", "50%"),
        ("A", "contains", "a_b"),
        ("A", "contains", "*"),
        ("A", "startswith", ""),
        ("A", "startswith", 5),
        ("A = 1 or B", "=", 1),
        ("", "=", 1),
        (None, "=", 1),
    ],
)
def test_what_cannot_be_pushed_down_exactly_is_refused(attribute: Any, op: str, value: Any) -> None:
    with pytest.raises(InvalidArgument) as caught:
        condition(attribute, op, value)
    assert caught.value.cure


def test_plain_date_times_and_orders() -> None:
    assert condition("A", "=", AT, "plain") == "A = '2026-01-31 00:02:03'"
    assert instant_text(AT, "offset").endswith("+00:00")
    assert order_text(["A", "-B"]) == "A:asc,B:desc"
    assert expression([]) == ""
    assert expression([("A", "=", 1), ("lines.B", "!=", "x")]) == "A = 1 and lines.B != 'x'"


@settings(max_examples=60)
@given(PRINTABLE, PRINTABLE)
def test_a_quoted_value_equals_itself_and_nothing_else(value: str, other: str) -> None:
    text = expression([("A", "=", value), ("B", "=", 1)])
    assert holds(text, {"A": value, "B": 1})
    assert holds(text, {"A": other, "B": 1}) == (value == other)
    assert not holds(text, {"A": value, "B": 2})


@settings(max_examples=60)
@given(PRINTABLE.filter(lambda text: text and not set(text) & set("%*_")), PRINTABLE, st.sampled_from("%*"))
def test_searching_finds_the_same_whichever_wildcard_acts(part: str, more: str, wildcard: str) -> None:
    assert holds(condition("A", "startswith", part), {"A": part + more}, wildcard)
    assert holds(condition("A", "contains", part), {"A": more + part + more}, wildcard)
    assert holds(condition("A", "startswith", part), {"A": more}, wildcard) == more.startswith(part)


@settings(max_examples=60)
@given(
    st.lists(
        st.one_of(PRINTABLE, st.integers(), st.decimals(allow_nan=False, allow_infinity=False, places=3)),
        min_size=1,
        max_size=4,
    )
)
def test_in_is_any_of_them(values: list[Any]) -> None:
    text = condition("A", "in", values)
    assert text.startswith("(")
    assert text.endswith(")")
    assert text.count(" = ") >= len(values)
