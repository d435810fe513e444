from __future__ import annotations

import datetime as dt
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlconnector.errors import InvalidArgument
from mlconnector.testing import ManualClock
from mlconnector.testing._coupa import CoupaSimulator
from tests.testing.coupa import Bare, furnished, invoice, order, order_line, supplier

STAMP = dt.datetime(2026, 1, 31, 10, 0, tzinfo=dt.UTC)


def rows(count: int, **more: Any) -> list[dict[str, Any]]:
    return [supplier(f"{4000 + number}", **more) for number in range(1, count + 1)]


def test_a_page_has_fifty_rows_at_most_in_the_order_of_ids() -> None:
    with CoupaSimulator() as coupa, Bare(coupa) as bare:
        coupa.add(rows(120), resource="suppliers")
        assert bare.ids("suppliers") == list(range(1, 51))
        assert bare.ids("suppliers", limit=200) == list(range(1, 51))
        assert bare.ids("suppliers", limit=3, offset=100) == [101, 102, 103]
        assert bare.ids("suppliers", offset=115) == [116, 117, 118, 119, 120]
        assert bare.get("suppliers", offset=120) == []
        for query in ({"limit": "0"}, {"limit": "x"}, {"offset": "-1"}):
            bare.refused("GET", "suppliers", **query)
    with CoupaSimulator(over_limit="refuse") as coupa, Bare(coupa) as bare:
        assert "50" in bare.refused("GET", "suppliers", limit=51)[0]


@given(count=st.integers(0, 60), limit=st.integers(1, 50))
@settings(max_examples=8, deadline=None)
def test_a_walk_by_id_meets_every_row_once(count: int, limit: int) -> None:
    with CoupaSimulator(clock=ManualClock(), rate=None) as coupa, Bare(coupa) as bare:
        coupa.add(rows(count), resource="suppliers")
        found: list[int] = []
        while page := bare.ids("suppliers", {"id[gt]": found[-1] if found else 0, "order_by": "id", "limit": limit}):
            found += page
        assert found == list(range(1, count + 1))


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"number": "B-2"}, [2]),
        ({"number": "b-2"}, []),
        ({"number[not_eq]": "B-2"}, [1, 3]),
        ({"name[contains]": "ol"}, [1, 3]),
        ({"name[starts_with]": "Bolt"}, [1]),
        ({"name[ends_with]": "ls"}, [3]),
        ({"number[in]": "A-1, C-3,Z"}, [1, 3]),
        ({"number[not_in]": "A-1,C-3"}, [2]),
        ({"tax-id[blank]": "true"}, [1, 2]),
        ({"tax_id[blank]": "false"}, [3]),
        ({"payment_term[blank]": "true"}, [2, 3]),
        ({"number[gt_or_eq]": "B-2"}, [2, 3]),
        ({"id[lt]": "2"}, [1]),
        ({"id[lt_or_eq]": "2", "id[gt]": "1"}, [2]),
        ({"id[in]": "1,3"}, [1, 3]),
        ({"on_hold": "true"}, [3]),
        ({"payment_term[code]": "Net 30"}, [1]),
        ({"payment-term[code][starts_with]": "Net"}, [1]),
        ({"payment_term_id": "2"}, [1]),
        ({"primary_address[city]": "Elko"}, [2]),
        ({"primary_address[country][code]": "CA"}, [2]),
        ({"remit-to-addresses[remit-to-code][in]": "R1,R2"}, [3]),
        ({"account_types[name]": "US Chart"}, [2]),
        ({"custom_fields[region]": "West"}, [1]),
        ({"updated_at[gt_or_eq]": "2026-01-31T10:00:00Z"}, [2, 3]),
        ({"updated-at[gt]": "2026-01-31T02:00:00-08:00"}, [3]),
        ({"updated_at[lt]": "2026-01-31"}, [1]),
        ({"updated_at[in]": "2026-01-31T10:00:00Z,2026-02-01"}, [2]),
        # A raw plus sign arrives as a blank and loses its zone.
        ({"updated_at": "2026-01-31T10:00:00 02:00"}, [2]),
        ({"status": "active", "name[contains]": "o", "on_hold[blank]": "true"}, [1]),
    ],
)
def test_operators_and_ways_through_associations(query: dict[str, str], found: list[int]) -> None:
    with CoupaSimulator() as coupa, Bare(coupa) as bare:
        coupa.add(
            [
                supplier(
                    "A-1",
                    name="Bolt & Tools Co",
                    payment_term={"code": "Net 30"},
                    custom_fields={"region": "West"},
                    updated_at=STAMP - dt.timedelta(days=1),
                ),
                supplier(
                    "B-2",
                    name="Screws",
                    account_types=[{"name": "US Chart"}],
                    updated_at=STAMP,
                    primary_address={"city": "Elko", "country": "CA"},
                ),
                supplier(
                    "C-3",
                    name="Tools",
                    tax_id="12",
                    on_hold=True,
                    updated_at=STAMP + dt.timedelta(seconds=1),
                    remit_to_addresses=[{"remit_to_code": "R1", "street1": "1 X", "country": {"code": "US"}}],
                ),
            ],
            resource="suppliers",
        )
        assert bare.ids("suppliers", query) == found


@pytest.mark.parametrize(
    "query",
    [
        {"nothing": "1"},
        {"name[like]": "x"},
        {"supplier[name]": "x"},
        {"name[number]": "x"},
        {"payment_term": "1"},
        {"payment_term[nothing]": "1"},
        {"name[blank]": "maybe"},
        {"updated_at[contains]": "2026"},
        {"updated_at[blank]": "true"},
        {"updated_at[gt]": "yesterday"},
        {"updated_at[gt]": "2026-01-31T10:00:00"},
        {"id[gt]": "x"},
        {"on_hold": "perhaps"},
        {"name[": "x"},
        {"order_by": "payment_term"},
        {"order_by": "nothing"},
        {"dir": "up"},
        {"order-by": "id"},
        {"return_object": "none"},
        {"return_object": "everything"},
        {"fields": "name"},
        {"fields": '"name"'},
        {"fields": "[1]"},
    ],
)
def test_a_query_that_cannot_be_is_refused_with_the_problem_named(query: dict[str, str]) -> None:
    with CoupaSimulator() as coupa, Bare(coupa) as bare:
        coupa.add(("suppliers", supplier()))
        (message,) = bare.refused("GET", "suppliers", **query)
        assert message


def test_order_and_rows_that_the_order_does_not_tell_apart() -> None:
    with CoupaSimulator() as coupa, Bare(coupa) as bare:
        coupa.add(rows(9, updated_at=STAMP), resource="suppliers")
        coupa.update("suppliers", 5, updated_at=STAMP - dt.timedelta(days=1), tax_id="9")
        assert bare.ids("suppliers", order_by="id", dir="desc") == list(range(9, 0, -1))
        assert bare.ids("suppliers", order_by="tax-id")[-1] == 5
        several = [tuple(bare.ids("suppliers", order_by="updated_at")) for _ in range(4)]
        assert {found[0] for found in several} == {5}
        assert len(set(several)) > 1


def test_equality_can_overlook_case_and_trailing_blanks() -> None:
    with CoupaSimulator(loose_text=True) as coupa, Bare(coupa) as bare:
        coupa.add(("suppliers", supplier("ab-1")))
        assert bare.ids("suppliers", number="AB-1  ") == [1]
        assert bare.refused("POST", "suppliers", supplier("AB-1", name="Other")) == ["Number has already been taken"]


def test_fields_choose_and_associations_need_underscores() -> None:
    with furnished(CoupaSimulator()) as coupa, Bare(coupa) as bare:
        coupa.add([order(custom_fields={"plant": "7"})], resource="purchase_orders")

        def chosen(fields: Any) -> Any:
            return bare.get("purchase_orders/1", fields=json.dumps(fields))

        assert chosen(["id", "po_number"]) == {"id": 1, "po-number": "OP-1001-00001"}
        assert chosen([{"order_lines": ["line_num", {"account": ["code"]}]}, "nothing"]) == {
            "order-lines": [{"line-num": "1", "account": {"code": "01-100-8000"}}]
        }
        assert chosen(["id", {"order-lines": ["line-num"]}]) == {"id": 1}
        assert chosen([{"custom_fields": {}}]) == {"custom-fields": {"plant": "7"}}
        assert chosen([{"supplier": []}])["supplier"]["name"] == "Parts 4343"
        assert chosen([{"supplier": [{"primary_address": [{"country": ["code"]}]}]}]) == {
            "supplier": {"primary-address": {"country": {"code": "US"}}}
        }


def test_short_answers() -> None:
    with furnished(CoupaSimulator()) as coupa, Bare(coupa) as bare:
        coupa.add([order()], resource="purchase_orders")
        assert bare.get("purchase_orders", return_object="limited") == [{"id": 1}]
        shallow = bare.get("purchase_orders/1", return_object="shallow")
        assert shallow["supplier"] == {"id": 1, "number": "4343", "name": "Parts 4343"}
        assert shallow["order-lines"] == [{"id": 1}]
        assert shallow["total"] == "125.00"
        created = bare.send("POST", "departments", {"name": "Ops"}, return_object="none")
        assert (created.status_code, created.content) == (200, b"")
        assert bare.post("departments", {"name": "HR"}, return_object="limited") == {"id": 2}
        assert bare.put("departments/2", {"name": "People"}, fields='["name"]') == {"name": "People"}


def test_nulls_are_missing_or_shown_and_a_default_filter_hides() -> None:
    with CoupaSimulator() as coupa, Bare(coupa) as bare:
        coupa.add(("suppliers", supplier()))
        assert "tax-id" not in bare.get("suppliers/1")
        coupa.conceal("suppliers", "number", "payment_method")
        assert "number" not in bare.get("suppliers/1")
        assert bare.get("suppliers/1", fields='["number"]') == {"number": "4343"}
        coupa.conceal("suppliers")
        assert bare.get("suppliers/1")["number"] == "4343"
    with CoupaSimulator(nulls=True) as coupa, Bare(coupa) as bare:
        coupa.add(("suppliers", supplier()))
        row = bare.get("suppliers/1")
        assert row["tax-id"] is None
        assert "custom-fields" not in row


def test_a_filter_of_the_administrator_shows_what_it_says() -> None:
    with CoupaSimulator() as coupa, Bare(coupa) as bare:
        coupa.add(("suppliers", supplier()))
        coupa.add_filter("short", ["id", {"primary_contact": ["email"]}])
        assert bare.get("suppliers/1", filter="short") == {"id": 1, "primary-contact": {"email": "ann@parts.example"}}
        assert bare.get("suppliers/1", filter="short", fields='["id"]') == {"id": 1}
        assert bare.refused("GET", "suppliers/1", filter="long") == ["Unknown filter long"]
        for fields in ([1], [object()], "id"):
            with pytest.raises(InvalidArgument):
                coupa.add_filter("wrong", fields)


def test_wire_types() -> None:
    with furnished(CoupaSimulator()) as coupa, Bare(coupa) as bare:
        coupa.add([order(updated_at=STAMP)], resource="purchase_orders")
        coupa.add([invoice(paid=True)], resource="invoices")
        row = bare.get("purchase_orders/1")
        assert row["updated-at"] == "2026-01-31T02:00:00-08:00"
        line = row["order-lines"][0]
        assert (line["price"], line["quantity"], line["total"]) == ("1.25", "100.00", "125.00")
        assert line["line-num"] == "1"
        assert line["account"]["account-type"] == {"id": 1, "name": "US Chart"}
        bill = bare.get("invoices/1")
        assert bill["invoice-date"] == "2026-03-01T00:00:00-08:00"
        assert bill["invoice-lines"][0]["line-num"] == 1
        assert bill["paid"] is True
        assert bare.get("addresses/1")["country"] == "US"
        assert row["ship-to-address"]["country"] == {"code": "US"}


def test_order_lines_have_an_address_of_their_own() -> None:
    with furnished(CoupaSimulator()) as coupa, Bare(coupa) as bare:
        lines = [
            order_line("1"),
            order_line("2", account_allocations=[{"account": {"code": "01-100-8000"}, "pct": 100}]),
        ]
        coupa.add([order(), order("OP-2", order_lines=lines)], resource="purchase_orders")
        assert bare.ids("purchase_order_lines", order_header_id=2) == [2, 3]
        assert bare.get("purchase_order_lines/3")["account-allocations"][0]["pct"] == "100.00"
        assert bare.ids("purchase_orders", {"order_lines[account][code]": "01-100-8000"}) == [1, 2]
        assert bare.ids("purchase_orders", {"order_lines[line_num]": "2"}) == [2]
        assert bare.ids("purchase_orders", {"total[gt]": "125.000"}) == [2]
        assert bare.ids("purchase_orders", {"order_lines[quantity][in]": "100,7"}) == [1, 2]
        assert bare.status("PUT", "purchase_order_lines/3", {}) == 405


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "nothing", 404),
        ("GET", "suppliers/99", 404),
        ("GET", "suppliers/1/nothing", 404),
        ("GET", "suppliers/1/addresses/99", 404),
        ("GET", "remit_to_addresses", 404),
        ("GET", "commodities", 404),
        ("PUT", "suppliers", 405),
        ("POST", "suppliers/1", 405),
        ("DELETE", "suppliers/1", 405),
        ("POST", "currencies", 405),
        ("PUT", "currencies/1", 405),
        ("POST", "account_types", 405),
        ("POST", "users", 405),
        ("POST", "coupa_pay/payments", 405),
        ("DELETE", "suppliers/1/supplier_sites/1", 405),
        ("PUT", "suppliers/1/supplier_sites/1/2", 404),
    ],
)
def test_what_has_no_address_or_no_such_method(method: str, path: str, status: int) -> None:
    site = {"code": "S1", "name": "Site", "po_method": "prompt", "po_change_method": "prompt"}
    with CoupaSimulator() as coupa, Bare(coupa) as bare:
        coupa.add(("suppliers", supplier(supplier_sites=[site])))
        answer = bare.send(method, path)
        assert (answer.status_code, answer.headers["Content-Type"]) == (status, "text/html")
