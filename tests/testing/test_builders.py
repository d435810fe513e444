from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlconnector.errors import InvalidArgument
from mlconnector.testing import (
    JDEdwardsSimulator,
    ManualClock,
    accounts,
    fiscal_calendar,
    merge,
    orders,
    suppliers,
    vouchers,
)
from mlconnector.testing._builders import OddOrder, OddVoucher


def one_order(*marks: OddOrder, lines: int = 2) -> dict[str, list[dict[str, Any]]]:
    return orders(1, lines=lines, odd={0: marks})


def last_line(*marks: OddOrder) -> dict[str, Any]:
    return one_order(*marks)["F4311"][-1]


def test_the_same_call_builds_the_same_data() -> None:
    assert orders(20, seed=3) == orders(20, seed=3) != orders(20, seed=4)
    assert vouchers(20, seed=3) == vouchers(20, seed=3) != vouchers(20, seed=4)


def test_orders_bring_their_suppliers_and_sites() -> None:
    tables = orders(7, lines=4, suppliers=3)
    assert (len(tables["F4301"]), len(tables["F4311"]), len(tables["F0401"])) == (7, 28, 3)
    known = {row["AN8"] for row in tables["F0101"]}
    for row in tables["F4301"]:
        assert {row["AN8"], row["SHAN"]} <= known
    assert "F0401" not in orders(1, master=False)
    assert "F0401" not in vouchers(1, master=False)


@given(st.integers(0, 10_000))
def test_prices_multiply_out_and_totals_add_up(seed: int) -> None:
    tables = orders(2, seed=seed, odd={1: ("decimals", "freight_line")})
    for line in tables["F4311"]:
        if line["UORG"]:
            assert line["UORG"] * line["PRRC"] == line["AEXP"]
    for header in tables["F4301"]:
        assert header["OTOT"] == sum(row["AEXP"] for row in tables["F4311"] if row["DOCO"] == header["DOCO"])


@given(st.integers(0, 10_000), st.sampled_from([(), ("foreign",), ("split",), ("foreign", "split", "debit_memo")]))
def test_distributions_sum_to_the_pay_items(seed: int, marks: Any) -> None:
    tables = vouchers(1, seed=seed, odd={0: marks})
    for ledger, column in (("AA", "AG"), ("CA", "ACR")):
        rows = [row["AA"] for row in tables["F0911"] if row["LT"] == ledger]
        assert sum(rows) == (sum(row.get(column, 0) for row in tables["F0411"]) if rows else 0)


def test_odd_orders_are_odd_in_the_way_asked_for() -> None:
    assert one_order("hold")["F4301"][0]["HOLD"] == "B1"
    assert last_line("unapproved")["NXTR"] == "230"
    assert last_line("cancelled_line")["LTTR"] == "980"
    assert last_line("closed_line")["UREC"] == last_line("closed_line")["UORG"]
    assert {line["LTTR"] for line in one_order("cancelled")["F4311"]} == {"980"}
    assert {line["NXTR"] for line in one_order("closed")["F4311"]} == {"999"}
    assert [line["LNTY"] for line in one_order("text_line", "service_line", "freight_line")["F4311"]] == list("SSTJF")
    assert last_line("decimals")["UORG"] == Decimal("12.125")
    assert last_line("per_thousand")["AEXP"] == Decimal("25.00")
    assert last_line("wrong_price")["AEXP"] != last_line("wrong_price")["UORG"] * last_line("wrong_price")["PRRC"]
    assert last_line("unmapped_unit")["UOM"] == "ZZ"
    assert last_line("no_currency")["CRCD"] == ""
    assert not last_line("non_ascii")["DSC1"].isascii()
    assert {"*", "~", ":", "^"} <= set(last_line("delimiters")["DSC1"])
    assert len(last_line("long_text")["DSC1"]) == 30
    assert [line["LNID"] for line in one_order("line_numbers")["F4311"]] == [Decimal("1.01"), Decimal("1.02")]
    assert one_order("drop_ship")["F4006"][0]["ANTY"] == "2"
    assert one_order("blanket_release")["F4301"][0]["OCTO"] == "OB"
    assert one_order("blanket")["F4301"][0]["DCTO"] == "OB"
    foreign = one_order("foreign", "freight_line")
    assert foreign["F4301"][0]["FAP"] == sum(line["FEA"] for line in foreign["F4311"])
    assert {line["CRCD"] for line in foreign["F4311"]} == {"EUR"}


def test_odd_vouchers_are_odd_in_the_way_asked_for() -> None:
    def pay_items(*marks: OddVoucher) -> list[dict[str, Any]]:
        return vouchers(1, odd={0: marks})["F0411"]

    assert pay_items("held")[0]["PST"] == "H"
    assert pay_items("unposted")[0]["POST"] == ""
    assert (pay_items("paid")[0]["PST"], pay_items("paid")[0]["AAP"]) == ("P", 0)
    assert 0 < pay_items("part_paid")[0]["AAP"] < pay_items("part_paid")[0]["AG"]
    assert pay_items("void")[0]["VOD"] == "V"
    assert pay_items("debit_memo")[0]["DCT"] == "PD"
    assert pay_items("debit_memo")[0]["AG"] < 0
    assert pay_items("foreign")[0]["ACR"] != pay_items("foreign")[0]["AG"]
    assert [row["SFX"] for row in pay_items("split")] == ["001", "002"]
    assert len(pay_items("long_number")[0]["VINV"]) > 22
    matched = vouchers(1, odd={0: ("matched", "foreign")})
    assert [row["MATC"] for row in matched["F43121"]] == ["1", "2"]
    assert matched["F43121"][1]["FREC"] == matched["F0411"][0]["ACR"]
    assert vouchers(1, odd={0: ("matched",)})["F43121"][1]["AREC"] > 0


def test_the_simulator_takes_everything_that_is_built() -> None:
    every_order = {index: (mark,) for index, mark in enumerate(get_args(OddOrder))}
    every_voucher = {index: (mark,) for index, mark in enumerate(get_args(OddVoucher))}
    with JDEdwardsSimulator(clock=ManualClock()) as jde:
        jde.add(orders(30, odd=every_order))
        jde.add(vouchers(15, odd=every_voucher))
        jde.add(merge(fiscal_calendar(2026, period=3), accounts()))
        jde.add(suppliers(3, first=9000, non_ascii=[9001], on_hold=[9002]))
        contents = jde.contents
        assert len(contents["F4301"]) == 30
        assert contents["F0008"][0]["D02J"] == dt.date(2026, 2, 28)
        assert contents["F0008"][0]["D14J"] == contents["F0008"][0]["D12J"] == dt.date(2026, 12, 31)
        assert {row["HDPY"] for row in contents["F0401"] if row["AN8"] == 9002} == {"Y"}
        assert any(not row["ALPH"].isascii() for row in contents["F0101"])


@pytest.mark.parametrize(
    "build",
    [
        lambda: orders(-1),
        lambda: orders(1, lines=0),
        lambda: orders(1, odd={0: ("strange",)}),  # type: ignore[dict-item]
        lambda: vouchers(1, suppliers=0),
        lambda: vouchers(1, odd={0: ("hold",)}),  # type: ignore[dict-item]
        lambda: suppliers(-1),
        lambda: fiscal_calendar(2026, period=13),
    ],
)
def test_what_cannot_be_meant_is_refused(build: Any) -> None:
    with pytest.raises(InvalidArgument):
        build()
