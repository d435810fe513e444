"""Rows to orders: whatever a server sends, what comes of it is what the classes take."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import attrs
from hypothesis import given, settings
from hypothesis import strategies as st

from mlconnector.documents import OrderLine
from mlconnector.jdedwards._approval import Approval
from mlconnector.jdedwards._browse import Grid
from mlconnector.jdedwards._order_mapping import LINE_TYPES, OrderPage, to_orders
from mlconnector.jdedwards._tables import DATES as DATE_COLUMNS
from mlconnector.jdedwards._tables import TABLES
from mlconnector.jdedwards._values import Zone

TEXTS = st.sampled_from([None, "", " ", "S", " 7 ", "x", 5, 0, Decimal("43.1"), True, ["?"]])
NUMBERS = st.sampled_from([None, "", " 7 ", "12.50", 5, 0, Decimal("43.10"), Decimal("1E+3")])
DATES = st.sampled_from([None, "", "0", "20260301", 20260301])
KEY = {"DOCO": 1, "DCTO": "OP", "KCOO": "00001", "SFXO": "000"}
AMOUNTS = {"OTOT", "FAP", "LNID", "UORG", "UREC", "UOPN", "PRRC", "AEXP", "FRRC", "FEA"}


def rows_of(table: str) -> st.SearchStrategy[dict[str, Any]]:
    columns = {
        name: NUMBERS if name in AMOUNTS else DATES if name in DATE_COLUMNS else TEXTS for name in TABLES[table].columns
    }
    columns |= {name: st.just(value) for name, value in KEY.items()} | {"LNTY": st.sampled_from(["S", "J", "T", "F"])}
    return st.fixed_dictionaries({f"{table}_{name}": values for name, values in columns.items()})


def as_the_classes_take_it(document: Any) -> bool:
    values = {field.name: getattr(document, field.name) for field in attrs.fields(type(document))}
    made = type(document)(**values)
    return all(
        type(getattr(made, name)) is type(value) and getattr(made, name) == value for name, value in values.items()
    )


@settings(max_examples=200)
@given(rows_of("F4301"), st.lists(rows_of("F4311"), max_size=3))
def test_an_order_and_its_lines_hold_clean_values(header: dict[str, Any], lines: list[dict[str, Any]]) -> None:
    page = OrderPage(
        headers=[header],
        lines=[Grid(lines, False, None)],
        ship_to_rows={},
        parties={},
        sites={},
        currencies={},
        stamps={},
        zone=Zone(dt.UTC, None),
        approval=Approval(),
        line_types=LINE_TYPES,
    )
    orders, rejected = to_orders(page)
    assert not rejected
    (order,) = orders
    assert as_the_classes_take_it(order)
    assert [type(line) for line in order.lines] == [OrderLine] * len(lines)
    assert all(map(as_the_classes_take_it, order.lines))
