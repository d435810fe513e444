"""Values of rows: read at once they are what they are one at a time, whatever a server makes of them."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlconnector.errors import VendorFault
from mlconnector.jdedwards._browse import grouped
from mlconnector.jdedwards._values import Cells, Columns, Zone

TEXTS, CODES, NUMBERS, DATES = ("DSC1", "UOM"), ("ITM", "AN8"), ("UORG", "PRRC"), ("DRQJ", "PDDJ")
COLUMNS = Columns("F4311", texts=TEXTS, codes=CODES, numbers=NUMBERS, dates=DATES)
ZONE = Zone(dt.timezone(dt.timedelta(hours=-7)), None)

usual = {
    **dict.fromkeys(TEXTS, st.text("aB -é", max_size=5)),
    **dict.fromkeys(CODES, st.integers(0, 99999) | st.sampled_from([" 60011", "0"])),
    **dict.fromkeys(NUMBERS, st.integers(-99, 99) | st.decimals(-99, 99, places=2) | st.none()),
    **dict.fromkeys((*DATES, "UPMJ"), st.sampled_from(["20260301", "", " ", "0", None])),
    "TDAY": st.sampled_from([90500, "235959", "", None]),
}
unusual = st.sampled_from([None, "", " ", " 7 ", "12.50", "x", True, 5, Decimal("4343.0"), "20260230", 20260301, ["?"]])


def rows(*, broken: bool) -> st.SearchStrategy[list[dict[str, Any]]]:
    values = {f"F4311_{name}": one | unusual if broken else one for name, one in usual.items()}
    whole = st.fixed_dictionaries(values)
    return st.lists(st.fixed_dictionaries({}, optional=values) | whole if broken else whole, max_size=5)


def one_by_one(row: dict[str, Any]) -> tuple[Any, ...]:
    faults: list[str] = []
    cells = Cells("F4311", row, faults)
    texts, numbers, dates = map(cells.text, TEXTS + CODES), map(cells.number, NUMBERS), map(cells.date, DATES)
    return *texts, *numbers, *dates, ZONE.stamp("F4311", "TDAY", row), tuple(faults)


@given(rows(broken=False) | rows(broken=True))
def test_columns_read_at_once_are_what_they_are_one_at_a_time(page: list[dict[str, Any]]) -> None:
    assert repr(COLUMNS.read(page, ZONE)) == repr([one_by_one(row) for row in page])


def test_a_fault_stays_with_its_row() -> None:
    good = {"F4311_DSC1": "Bolt", "F4311_UOM": "EA", "F4311_ITM": 1, "F4311_AN8": 2, "F4311_UORG": 1}
    good |= {
        "F4311_PRRC": Decimal("0.10"),
        "F4311_DRQJ": "20260301",
        "F4311_PDDJ": "",
        "F4311_UPMJ": "20260301",
        "F4311_TDAY": 90500,
    }
    told = COLUMNS.read([good, {**good, "F4311_UORG": "many"}, good], ZONE)
    assert [faults for *_values, faults in told] == [(), ("F4311.UORG 'many' is not a number",), ()]
    assert told[0][:8] == ("Bolt", "EA", "1", "2", Decimal(1), Decimal("0.10"), dt.date(2026, 3, 1), None)


def test_the_newest_stamp_is_that_of_any_row_or_the_one_found_before() -> None:
    rows_of = {
        "F4301": [{"F4301_UPMJ": "20260301", "F4301_TDAY": 90500}],
        "F4311": [{"F4311_UPMJ": "20260302", "F4311_TDAY": "80000"}, {"F4311_UPMJ": "?"}, {}, {"F4311_UPMJ": ["?"]}],
    }
    newest = dt.datetime(2026, 3, 2, 15, tzinfo=dt.UTC)
    assert ZONE.newest(rows_of) == newest
    assert ZONE.newest(rows_of, newest + dt.timedelta(seconds=1)) == newest + dt.timedelta(seconds=1)
    assert ZONE.newest({"F4301": []}) is None


@pytest.mark.parametrize("broken", [{"F4311_DOCO": 2}, {"F4311_DOCO": 2, "F4311_DCTO": None}])
def test_a_line_that_does_not_say_whose_it_is_stops_the_read(broken: dict[str, Any]) -> None:
    good = {"F4311_DOCO": 1, "F4311_DCTO": "OP"}
    assert grouped("F4311", ("DOCO", "DCTO"), [good, good]) == {(1, "OP"): [good, good]}
    with pytest.raises(VendorFault, match="F4311 came without DCTO"):
        grouped("F4311", ("DOCO", "DCTO"), [good, broken])
