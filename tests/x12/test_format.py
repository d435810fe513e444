from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlconnector.errors import X12Error
from mlconnector.x12 import _format as form

DECIMALS = st.decimals(allow_nan=False, allow_infinity=False, places=6, min_value=-(10**12), max_value=10**12)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("12.50", "12.5"),
        ("99.00", "99"),
        ("0.8", "0.8"),
        ("1E3", "1000"),
        ("0E-2", "0"),
        ("-0", "0"),
        ("-1.10", "-1.1"),
    ],
)
def test_real_numbers(value, text):
    assert form.number(Decimal(value)) == text


@pytest.mark.parametrize(
    ("value", "text"), [("125.00", "12500"), ("0.01", "1"), ("-100.25", "-10025"), ("0", "0"), ("1E3", "100000")]
)
def test_implied_decimals(value, text):
    assert form.implied(Decimal(value), 2) == text


def test_nothing_is_rounded_into_implied_decimals():
    with pytest.raises(X12Error):
        form.implied(Decimal("10.005"), 2)


@given(DECIMALS)
def test_numbers_come_back_exactly(value):
    text = form.number(value)
    assert form.decimal_of("R", text) == value
    assert "E" not in text
    assert not text.startswith("+")
    assert form.decimal_of("N2", form.implied(form.cents(value), 2)) == form.cents(value)


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [("N2", "12500", "125.00"), ("N2", "125.00", "125"), ("R", ".8", "0.8"), ("R", "5.", "5"), ("R", "1E-2", "0.01")],
)
def test_reading_is_tolerant(kind, text, value):
    assert form.decimal_of(kind, text) == Decimal(value)


@pytest.mark.parametrize("text", ["", "+1", "1,5", "x", "1e5", "1E999", "9" * 41, "-", ".", "\uff11\uff12", "\u0663"])
def test_what_is_no_number_is_none(text):
    assert form.decimal_of("R", text) is None


@given(st.dates())
def test_dates(value):
    assert form.is_date(form.date(value))


@pytest.mark.parametrize(
    "text",
    ["20260229", "2026030", "\uff12\uff10\uff12\uff16\uff10\uff13\uff10\uff11", "20261301", "00000101", "abcdefgh"],
)
def test_no_dates(text):
    assert not form.is_date(text)


@pytest.mark.parametrize(
    ("text", "good"),
    [
        ("0000", True),
        ("2359", True),
        ("235959", True),
        ("23595999", True),
        ("2400", False),
        ("1260", False),
        ("126", False),
        ("12x0", False),
        ("120060", False),
    ],
)
def test_times(text, good):
    assert form.is_time(text) is good


def test_the_time_of_an_instant():
    assert form.time(dt.datetime(2026, 1, 1, 7, 5, tzinfo=dt.UTC)) == "0705"


@given(st.text())
def test_folded_text_is_ascii(text):
    assert form.fold(text).isascii()


def test_ratios_are_exact_or_none():
    assert form.exact_ratio(Decimal(1), Decimal(8), 3) == Decimal("0.125")
    assert form.exact_ratio(Decimal(1), Decimal(3), 6) is None
    assert form.exact_ratio(Decimal(1), Decimal(0), 6) is None
