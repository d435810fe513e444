"""Orders, vouchers, payments and master records, read from a site on a real socket."""

from __future__ import annotations

import datetime as dt
import json
import zoneinfo
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

import mlconnector as mc
from mlconnector.peoplesoft import PeopleSoft
from mlconnector.target import Source
from mlconnector.testing import ManualClock
from tests.peoplesoft.site import Site, line, numbered, order, paid_voucher, voucher, voucher_line

DAY = dt.timedelta(days=1)


@pytest.fixture
def site() -> Iterator[Site]:
    with Site(clock=ManualClock(dt.datetime(2026, 3, 2, 15, tzinfo=dt.UTC))) as running:
        yield running


@pytest.fixture
def people(site: Site) -> Iterator[PeopleSoft]:
    with site.client() as client:
        yield client


def saved(cursor: Any) -> Any:
    return json.loads(json.dumps(cursor))


def test_a_thousand_orders_take_a_thousand_and_three_calls_and_an_unchanged_poll_two(
    site: Site, people: PeopleSoft
) -> None:
    orders, lines = numbered(1000)
    site.add("ML_PO_HDR", *orders)
    site.add("ML_PO_LINE", *lines)
    records = people.purchase_orders()
    assert [one.number for one in records] == [row["A.PO_ID"] for row in orders]
    assert len(site.calls) == 1003
    assert site.max_in_flight_seen <= 2
    site.clock.advance(2 * DAY)
    again = records.continue_from(saved(records.cursor))
    assert list(again) == []
    site.forget_calls()
    assert list(again.continue_from(saved(again.cursor))) == []
    assert len(site.calls) == 3


@pytest.mark.parametrize("cap", [None, 1000])
def test_with_a_query_of_many_lines_a_thousand_orders_take_few_calls(cap: int | None) -> None:
    orders, lines = numbered(1000)
    with Site(cap=cap) as site:
        site.names["SITE_LINES"] = "all_order_lines"
        site.add("ML_PO_HDR", *orders)
        site.add("SITE_LINES", *lines)
        with site.client(queries={"all_order_lines": "SITE_LINES"}) as people:
            found = list(people.purchase_orders())
            assert [one.number for one in found] == [row["A.PO_ID"] for row in orders]
            assert {len(one.lines) for one in found} == {3}
            assert len(site.calls) <= 10


def test_what_the_query_of_many_lines_lacks_is_read_alone(site: Site) -> None:
    orders, lines = numbered(40, lines=2)
    site.names["SITE_LINES"] = "all_order_lines"
    site.add("ML_PO_HDR", *orders, *(order(n) for n in range(201, 204)))
    site.add("ML_PO_LINE", *lines)
    site.add("SITE_LINES", *lines[:20], *lines[24:])
    with site.client(queries={"all_order_lines": "SITE_LINES"}, page_size=20) as people:
        assert [len(one.lines) for one in people.purchase_orders()] == [2] * 40 + [0] * 3
        assert len(list(people.purchase_orders(keys=["US001/0000000101"]))) == 1
    assert len(site.queries_run("ML_PO_LINE")) == 6


def test_an_unchanged_poll_reads_no_lines_and_a_change_is_found(site: Site, people: PeopleSoft) -> None:
    orders, lines = numbered(5)
    site.add("ML_PO_HDR", *orders)
    site.add("ML_PO_LINE", *lines)
    records = people.purchase_orders()
    assert len(list(records)) == 5
    site.clock.advance(2 * DAY)
    records = records.continue_from(saved(records.cursor))
    list(records)
    site.forget_calls()
    records = records.continue_from(saved(records.cursor))
    assert list(records) == []
    assert len(site.calls) == 2
    site.rows["ML_PO_HDR"][2] |= {"A.LAST_DTTM_UPDATE": "2026-03-04T08:00:00-0800", "A.HOLD_STATUS": "Y"}
    site.rows["ML_PO_LINE"][6]["B.QTY_PO"] = 7
    (changed,) = records.continue_from(saved(records.cursor))
    assert changed.key == "US001/0000000103"
    assert changed.waiting_for == ("HOLD_STATUS Y is not N",)
    assert changed.lines[0].quantity == 7


def test_a_pass_that_was_cut_short_goes_on_at_its_position(site: Site) -> None:
    orders, lines = numbered(130, lines=1)
    site.add("ML_PO_HDR", *orders, *(order(n, unit="US002") for n in range(1, 4)))
    site.add("ML_PO_LINE", *lines, *(line(n, unit="US002") for n in range(1, 4)))
    with site.client(business_units=["US001", "US002"], page_size=60) as people:
        records = people.purchase_orders()
        first, cursor = [], None
        for page in records.pages():
            first += page.documents
            cursor = saved(page.cursor)
            if len(first) >= 100:
                break
        rest = list(records.continue_from(cursor))
    assert [one.key for one in (*first, *rest)] == [
        *(f"US001/{n:010}" for n in range(101, 231)),
        *(f"US002/{n:010}" for n in range(1, 4)),
    ]


@pytest.mark.parametrize("cap", [4, 7, 50])
def test_a_profile_that_caps_rows_loses_no_order(cap: int) -> None:
    with Site(cap=cap) as site:
        orders, lines = numbered(60)
        site.add("ML_PO_HDR", *orders)
        site.add("ML_PO_LINE", *lines)
        with site.client() as people:
            assert [len(one.lines) for one in people.purchase_orders()] == [3] * 60


def test_lines_that_the_cap_may_have_cut_are_not_taken_for_whole() -> None:
    with Site(cap=20) as site:
        orders, lines = numbered(30)
        site.add("ML_PO_HDR", *orders)
        site.add("ML_PO_LINE", *lines, *(line(105, at) for at in range(4, 61)))
        with site.client() as people:
            pages = list(people.purchase_orders().pages())
        assert sum(len(page.documents) for page in pages) == 29
        (rejected,) = [one for page in pages for one in page.rejected]
        assert rejected.key == "US001/0000000105"
        assert "raises the profile's maximum rows" in rejected.faults[0]


def test_a_cap_is_found_out_before_lines_are_trusted() -> None:
    with Site(cap=3) as site:
        site.add("ML_PO_HDR", *(order(n, stamp="2026-01-01T00:00:00-0800") for n in range(101, 110)), order(110))
        site.add("ML_PO_LINE", *(line(110, at) for at in range(1, 6)))
        with site.client() as people:
            since = dt.datetime(2026, 2, 28, tzinfo=dt.UTC)
            (page,) = [page for page in people.purchase_orders(since=since).pages() if page.rejected]
        assert page.documents == ()
    with Site() as site:
        site.add("ML_PO_HDR", order(110))
        site.add("ML_PO_LINE", *(line(110, at) for at in range(1, 6)))
        with site.client() as people:
            assert len(next(iter(people.purchase_orders())).lines) == 5
        with site.client(row_cap=5) as people, pytest.raises(mc.InvalidDocument):
            list(people.purchase_orders())


def test_an_order_longer_than_a_page_is_read_whole(site: Site) -> None:
    site.add("ML_PO_HDR", *(order(n) for n in range(1, 1202)))
    site.add("ML_PO_LINE", *(line(700, at) for at in range(1, 1101)))
    with site.client() as people:
        (found,) = people.purchase_orders(keys=["US001/0000000700"])
    assert len(found.lines) == 1100


def test_keys_are_read_alone_whatever_their_form(site: Site, people: PeopleSoft) -> None:
    names = ["0000000101", "0000000102", "PO-A1", "PO-A2", "PO-B9", "X"]
    site.add("ML_PO_HDR", *(order(1, PO_ID=name.ljust(10)) for name in names))
    site.add("ML_PO_LINE", *({**line(1), "A.PO_ID": name} for name in names))
    site.order["A.PO_ID"] = "A.PO_ID"
    wanted = ["US001/0000000102", "US001/PO-A2", "US001/X", "US001/0000000999", "US009/0000000101", "US001/PO-C1"]
    assert sorted(one.key for one in people.purchase_orders(keys=wanted)) == sorted(wanted[:3])
    assert people.purchase_orders(keys=wanted).cursor is None
    assert list(people.purchase_orders(keys=[])) == []


def test_since_is_exact_where_stamps_carry_their_offset(site: Site, people: PeopleSoft) -> None:
    site.add(
        "ML_PO_HDR",
        order(1, stamp="2026-03-01T07:59:59-0800"),
        order(2, stamp="2026-03-01T08:00:00-0800"),
        order(3, stamp="2026-03-01T08:00:00.000001-08:00"),
        order(4, stamp="2026-03-01 16:30:00"),
    )
    site.add("ML_PO_LINE", *(line(n) for n in range(1, 5)))
    since = dt.datetime(2026, 3, 1, 16, tzinfo=dt.UTC)
    assert [one.number[-1] for one in people.purchase_orders(since=since)] == ["2", "3", "4"]
    until = dt.datetime(2026, 3, 1, 16, tzinfo=dt.UTC)
    assert [one.number[-1] for one in people.purchase_orders(until=until)] == ["1", "2"]
    with pytest.raises(mc.InvalidArgument, match="no time zone"):
        people.purchase_orders(since=dt.datetime(2026, 3, 1))  # noqa: DTZ001 - what is refused


def test_the_dates_asked_for_have_a_days_margin_unless_the_zone_is_known(site: Site, people: PeopleSoft) -> None:
    since, until = (dt.datetime(2026, 3, day, 3, tzinfo=dt.UTC) for day in (1, 2))
    list(people.purchase_orders(since=since, until=until))
    assert ",2026-02-28,2026-03-03," in site.calls[-1].query["prompt_fieldvalue"]
    with site.client(time_zone=zoneinfo.ZoneInfo("America/Denver")) as known:
        list(known.purchase_orders(since=since, until=until))
    assert ",2026-02-28,2026-03-01," in site.calls[-1].query["prompt_fieldvalue"]


def test_limit_asks_for_no_more_than_is_needed(site: Site, people: PeopleSoft) -> None:
    orders, lines = numbered(100, lines=1)
    site.add("ML_PO_HDR", *orders)
    site.add("ML_PO_LINE", *lines)
    assert len(list(people.purchase_orders(limit=3))) == 3
    assert len(site.calls) <= 10


def test_orders_as_the_gate_sees_them(site: Site, people: PeopleSoft) -> None:
    cases: list[tuple[dict[str, Any], str, str]] = [
        ({}, "open", ""),
        ({"PO_STATUS": "A"}, "open", "PO_STATUS A is not D"),
        ({"PO_STATUS": "DA"}, "open", "PO_STATUS DA is not D"),
        ({"PO_STATUS": " "}, "open", "PO_STATUS blank is not D"),
        ({"HOLD_STATUS": "Y"}, "open", "HOLD_STATUS Y is not N"),
        ({"HOLD_STATUS": " "}, "open", "HOLD_STATUS blank is not N"),
        ({"DISP_METHOD": "EDX"}, "open", "DISP_METHOD EDX"),
        ({"PO_STATUS": "X", "HOLD_STATUS": "Y"}, "cancelled", ""),
        ({"PO_STATUS": "C"}, "closed", ""),
        ({"PO_STATUS": "PX"}, "open", "PO_STATUS PX is not D"),
    ]
    site.add("ML_PO_HDR", *(order(n, **changes) for n, (changes, _, _) in enumerate(cases)))
    site.add("ML_PO_LINE", *(line(n) for n in range(len(cases))))
    for found, (_, status, reason) in zip(people.purchase_orders(), cases, strict=True):
        assert found.status == status
        assert found.ready is not bool(reason)
        assert reason in "".join(found.waiting_for)


def test_lines_come_from_schedules_never_from_distributions(site: Site, people: PeopleSoft) -> None:
    site.add("ML_PO_HDR", order(1), order(2, DISP_METHOD="PRN", SITE_FLAG="Z "))
    half = {"C.QTY_PO": 5, "C.MERCHANDISE_AMT": Decimal("60.25")}
    site.add(
        "ML_PO_LINE",
        line(1, 1, 1, 1, **half),
        line(1, 1, 1, 2, **{**half, "C.DEPTID": "14000"}),
        line(1, 1, 2, 1, **{"B.QTY_PO": 4, "B.MERCHANDISE_AMT": Decimal("48.2"), "B.DUE_DT": "2026-05-01"}),
        line(1, 1, 3, 1, **{"B.CANCEL_STATUS": "X"}),
        line(1, 2, 1, 1, **{"A.CANCEL_STATUS": "X"}),
        line(1, 3, 1, 1, **{"A.AMT_ONLY_FLG": "Y", "B.QTY_PO": 1}),
        line(1, 4, 1, 1),
        line(1, 4, 2, 1, **{"B.PRICE_PO": Decimal("13")}),
        line(1, 5, 1, 1, **{"A.CANCEL_STATUS": "H"}),
    )
    first, second = people.purchase_orders()
    by_number = {one.number: one for one in first.lines}
    assert sorted(by_number) == ["1", "2", "3", "4.1", "4.2", "5"]
    assert (by_number["1"].quantity, by_number["1"].amount) == (14, Decimal("168.7"))
    assert [(one.date, one.quantity) for one in by_number["1"].schedules] == [
        (dt.date(2026, 4, 1), 10),
        (dt.date(2026, 5, 1), 4),
    ]
    assert by_number["1"].extras["SCHED_NBR"] == "1,2"
    assert by_number["1"].account == "640000"
    assert by_number["1"].cost_center == ""
    assert by_number["2"].status == "cancelled"
    assert by_number["3"].kind == "amount"
    assert by_number["4.2"].unit_price == 13
    assert first.waiting_for == ("line 5 is on hold (CANCEL_STATUS H)",)
    assert first.ship_to is not None
    assert second.waiting_for == ("no line to deliver",)
    assert second.extras["A.SITE_FLAG"] == "Z"


@pytest.mark.parametrize("state", ["C", "X"])
def test_a_schedule_that_is_closed_or_cancelled_renumbers_no_line(site: Site, people: PeopleSoft, state: str) -> None:
    site.add("ML_PO_HDR", order(1), order(2))
    same, dearer = {"B.DUE_DT": "2026-05-01"}, {"B.PRICE_PO": Decimal("13")}
    gone = {"B.CANCEL_STATUS": state}
    site.add("ML_PO_LINE", line(1, 1, 1), line(1, 1, 2, **same), line(1, 2, 1), line(1, 2, 2, **dearer))
    site.add("ML_PO_LINE", line(2, 1, 1, **gone), line(2, 1, 2, **same), line(2, 2, 1), line(2, 2, 2, **dearer, **gone))
    before, after = people.purchase_orders()
    numbers = [[one.number for one in found.lines] for found in (before, after)]
    assert numbers == [["1", "2.1", "2.2"]] * 2
    first, _, last = after.lines
    assert (first.status, first.extras["SCHED_NBR"]) == ("open", "2")
    assert last.status == {"C": "closed", "X": "cancelled"}[state]
    assert before.lines[0].quantity is not None
    assert first.quantity == (before.lines[0].quantity if state == "C" else before.lines[0].quantity / 2)


def test_a_line_that_goes_elsewhere_says_so(site: Site, people: PeopleSoft) -> None:
    site.add("ML_PO_HDR", order(1, BILL_LOCATION="HQ"))
    named = {"B.SHIPTO_ID": "DOCK2", "L.SHIPTO_NAME": "North", "L.SHIPTO_CITY": "Reno", "L.SHIPTO_ADDRESS1": "1 Elm"}
    site.add("ML_PO_LINE", line(1, 1), line(1, 2, **named), line(1, 3, **{"B.SHIPTO_ID": " "}))
    (found,) = people.purchase_orders()
    assert found.ship_to is None
    assert [one.ship_to and one.ship_to.number for one in found.lines] == ["DOCK1", "DOCK2", None]
    assert found.lines[1].ship_to.address == mc.Address(lines=["1 Elm"], city="Reno")
    assert found.bill_to == mc.Party(number="HQ")


def test_vouchers_come_with_lines_charges_and_their_gate(site: Site, people: PeopleSoft) -> None:
    site.add(
        "ML_VOUCHER",
        voucher("00000001"),
        voucher("00000002", **{"A.APPR_STATUS": "P", "A.MATCH_STATUS_VCHR": "T", "A.ENTRY_STATUS": "R"}),
        voucher("00000003", **{"A.VOUCHER_STYLE": "TMPL"}),
        voucher("00000004", **{"A.ENTRY_STATUS": "X"}),
        voucher("00000005", **{"A.GROSS_AMT": Decimal("-130.5"), "A.BASE_CURRENCY": "EUR", "A.DUE_DT": "2026-03-05"}),
    )
    site.add(
        "ML_VOUCHER_LINE",
        voucher_line("00000001"),
        voucher_line("00000001", 1, 2, **{"B.DEPTID": "14000"}),
        voucher_line("00000002", **{"A.QTY_VCHR": 0, "A.PO_ID": " ", "A.LINE_NBR": 0, "A.UNIT_PRICE": 0}),
    )
    first, second, third = people.invoices()
    assert first.ready
    assert first.key == "US001/00000001"
    assert first.supplier_invoice_number == "INV-00000001"
    assert [(one.kind, one.amount) for one in first.lines] == [("item", Decimal("120.5")), ("charge", 6)]
    assert sum(one.amount for one in first.lines) + first.tax == first.gross
    assert (first.lines[0].purchase_order, first.lines[0].order_line, first.purchase_order) == (
        "0000000101",
        "1",
        "0000000101",
    )
    assert (first.lines[0].account, first.lines[0].cost_center) == ("640000", "")
    assert second.waiting_for == (
        "ENTRY_STATUS R is not P (postable)",
        "APPR_STATUS P is not A (approved)",
        "MATCH_STATUS_VCHR T is not M, N, O, C (matched)",
    )
    assert second.lines[0].kind == "amount"
    assert third.kind == "credit"
    assert third.base_currency == "EUR"


def test_a_voucher_whose_query_lacks_the_gates_fields_waits(site: Site, people: PeopleSoft) -> None:
    row = voucher("00000001")
    del row["A.APPR_STATUS"], row["A.LAST_UPDATE_DT"]
    site.add("ML_VOUCHER", {**row, "A.ENTERED_DT": "2026-03-01"})
    (found,) = people.invoices()
    assert found.waiting_for == ("the query does not return APPR_STATUS, so nothing shows that it is approved",)
    assert found.provenance.updated_at == dt.datetime(2026, 3, 1, 8, tzinfo=dt.UTC) - dt.timedelta(hours=8)


def test_a_date_alone_is_no_proof_that_a_voucher_is_unchanged(site: Site, people: PeopleSoft) -> None:
    site.add("ML_VOUCHER", voucher("00000001", day="2026-03-02"))
    site.add("ML_VOUCHER_LINE", voucher_line("00000001"))
    records = people.invoices()
    assert len(list(records)) == 1
    site.clock.advance(3600)
    site.rows["ML_VOUCHER_LINE"][0]["A.QTY_VCHR"] = 9
    records = records.continue_from(saved(records.cursor))
    (found,) = records
    assert found.lines[0].quantity == 9
    site.clock.advance(10 * DAY)
    list(people.invoices())
    site.forget_calls()
    since = dt.datetime(2026, 3, 2, 23, tzinfo=dt.UTC)
    assert len(list(people.invoices(since=since))) == 1


@pytest.mark.parametrize("zone", [None, zoneinfo.ZoneInfo("America/Los_Angeles")])
def test_what_dates_and_an_unknown_zone_bring_again_is_not_handed_out_again(
    site: Site, zone: zoneinfo.ZoneInfo | None
) -> None:
    for number in range(5):
        key, day = f"{number:08}", (dt.date(2026, 3, 2) - number * DAY).isoformat()
        site.add("ML_VOUCHER", voucher(key, day=day))
        site.add("ML_VOUCHER_LINE", voucher_line(key))
        site.add("ML_PAYMENT", paid_voucher(f"{number:010}", key, "60", "60", **{"A.PYMNT_DT": day}))
    with site.client(time_zone=zone, look_back={"payments": DAY}) as people:
        for first in (people.invoices(), people.payments()):
            records: mc.Records[Any] = first
            assert len(list(records)) == 5
            for _ in range(2):
                records = records.continue_from(saved(records.cursor))
                assert list(records) == []


def test_a_payment_of_several_business_units_is_one_document(site: Site) -> None:
    site.add(
        "ML_PAYMENT",
        paid_voucher("0000000001", "00000001", "60", "100"),
        paid_voucher("0000000001", "00000002", "40", "100", unit="US002"),
        paid_voucher("0000000002", "00000003", "25", "20", unit="US002", **{"B.DSCNT_PAY_AMT": 1}),
        paid_voucher("0000000002", "00000004", "-5", "20", unit="US002"),
        paid_voucher("0000000003", "00000005", "7", "9", **{"A.BANK_CD": "OTHER"}),
        paid_voucher("0000000003", "00000006", "3", "3"),
        paid_voucher("0000000004", "00000007", "0", "3", **{"A.PYMNT_STATUS": "V", "B.PYMNT_ACTION": "X"}),
        paid_voucher("0000000005", "00000008", "3", "3", **{"A.PYMNT_STATUS": "A", "B.PYMNT_SELCT_STATUS": "P"}),
    )
    with site.client(business_units=["US001", "US002"]) as people:
        found = {one.key: one for one in people.payments()}
        whole = found["SHARE/USBNK/CHCK/0000000001"]
        assert [one.invoice for one in whole.applications] == ["US001/00000001", "US002/00000002"]
        assert whole.ready
        mixed = found["SHARE/USBNK/CHCK/0000000002"]
        assert (mixed.credits[0].amount, mixed.applications[0].discount) == (-5, 1)
        assert "add up to 7, the payment is 9" in found["SHARE/OTHER/CHCK/0000000003"].waiting_for[0]
        assert found["SHARE/USBNK/CHCK/0000000003"].ready
        assert found["SHARE/USBNK/CHCK/0000000004"].void
        assert found["SHARE/USBNK/CHCK/0000000005"].waiting_for == ("PYMNT_STATUS A is not P (paid)",)
        assert len(found) == 6
        (one,) = people.payments(keys=["SHARE/OTHER/CHCK/0000000003"])
        assert one.amount == 9
        later = people.payments(since=dt.datetime(2026, 3, 20, tzinfo=dt.UTC))
        assert list(later) == []


def test_payments_under_a_cap_lose_no_row() -> None:
    with Site(cap=5) as site:
        for number in range(1, 9):
            rows = [paid_voucher(f"{number:010}", f"{row:08}", "1", str(number)) for row in range(number)]
            site.add("ML_PAYMENT", *rows)
        with site.client() as people:
            pages = list(people.payments().pages())
        whole = [one.number for page in pages for one in page.documents]
        assert whole == [f"{number:010}" for number in range(1, 5)]
        assert {one.key[-1] for page in pages for one in page.rejected} == {"5", "6", "7", "8"}


def test_masters_are_as_they_are_today(site: Site, people: PeopleSoft) -> None:
    def department(number: str, effdt: str, status: str = "A", name: str = "") -> dict[str, Any]:
        return {"SETID": "SHARE", "DEPTID": number, "EFFDT": effdt, "EFF_STATUS": status, "DESCR": name or effdt}

    site.order["A.DEPTID"] = "DEPTID"
    site.add(
        "ML_DEPT",
        department("100", "2020-01-01"),
        department("100", "2026-03-02"),
        department("100", "2026-03-03"),
        department("200", "2020-01-01"),
        department("200", "2025-01-01", "I"),
        department("300", "2027-01-01"),
    )
    found = {one.key: (one.name, one.active) for one in people.cost_centers()}
    assert found == {"SHARE/100": ("2026-03-02", True), "SHARE/200": ("2025-01-01", False)}
    assert site.calls[0].query["prompt_fieldvalue"] == "SHARE,2026-03-02,"
    site.add(
        "ML_GL_ACCOUNT",
        {"A.SETID": "SHARE", "A.ACCOUNT": "640000", "A.EFF_STATUS": "A", "A.DESCR": "Parts", "A.ACCOUNT_TYPE": "E"},
        {"A.SETID": "SHARE", "A.ACCOUNT": "650000", "A.EFF_STATUS": "I", "A.EFFDT": "2026-01-01"},
        {"A.SETID": "SHARE", "A.ACCOUNT": "660000", "A.EFF_STATUS": "A", "A.EFFDT": "2026-04-01"},
    )
    accounts = list(people.accounts())
    assert [(one.number, one.postable) for one in accounts] == [("640000", True), ("650000", False)]
    assert accounts[0].extras == {"SETID": "SHARE", "ACCOUNT_TYPE": "E"}
    (one,) = people.accounts(keys=["SHARE/650000", "SHARE/1"])
    assert one.number == "650000"


def test_suppliers_with_their_current_address_and_location(site: Site, people: PeopleSoft) -> None:
    def vendor(number: str, **changes: Any) -> dict[str, Any]:
        base = {
            "A.SETID": "SHARE",
            "A.VENDOR_ID": number,
            "A.NAME1": "Acme",
            "A.NAME2": "Inc",
            "A.VENDOR_STATUS": "A",
            "B.EFFDT": "2020-01-01",
            "B.EFF_STATUS": "A",
            "B.ADDRESS1": "1 Elm",
            "B.CITY": "Reno",
            "B.EMAILID": "ap@acme.example",
            "C.EFFDT": "2020-01-01",
            "C.EFF_STATUS": "A",
            "C.CURRENCY_CD": "USD",
            "C.PYMNT_TERMS_CD": "N30",
        }
        return {**base, **changes}

    site.add(
        "ML_VENDOR",
        vendor("0000000001"),
        vendor("0000000001", **{"B.EFFDT": "2026-01-01", "B.CITY": "Elko"}),
        vendor("0000000001", **{"B.EFFDT": "2026-09-01", "B.CITY": "Mars"}),
        vendor("0000000002", **{"B.EFFDT": "2026-01-01", "B.EFF_STATUS": "I", "A.VENDOR_STATUS": "I"}),
        vendor("0000000003", **{"C.EFFDT": "2027-01-01", "A.NAME2": " "}),
    )
    first, second, third = people.suppliers()
    assert (first.name, first.address.city, first.currency, first.terms) == ("Acme Inc", "Elko", "USD", "N30")
    assert first.contacts[0].email == "ap@acme.example"
    assert (second.address, second.active, second.currency) == (None, False, "USD")
    assert (third.currency, third.name) == (None, "Acme")
    assert third.provenance.key == "SHARE/0000000003"
    records = people.suppliers()
    list(records)
    assert len(list(records.continue_from(saved(records.cursor)))) == 3
    (one,) = people.suppliers(keys=["SHARE/0000000002"])
    assert one.number == "0000000002"


def test_masters_go_on_from_a_position(site: Site) -> None:
    site.add(
        "ML_GL_ACCOUNT",
        *({"A.SETID": "SHARE", "A.ACCOUNT": f"{n:06}", "A.EFF_STATUS": "A"} for n in range(1, 30)),
        {"A.SETID": "OTHER", "A.ACCOUNT": "1", "A.EFF_STATUS": "A"},
    )
    with site.client(setids=["SHARE", "OTHER"], page_size=10) as people:
        records = people.accounts()
        pages = records.pages()
        page = next(pages)
        pages.close()
        rest = list(records.continue_from(saved(page.cursor)))
        assert len(page.documents) + len(rest) == 30
        assert [one.number for one in people.accounts(where=[("SETID", "=", "OTHER")])] == ["1"]


@pytest.mark.parametrize("shape", ["bom", "json"])
def test_rows_of_any_query(site: Site, people: PeopleSoft, shape: str) -> None:
    site.shape = shape
    site.add("HR_STAFF", *({"EMPLID": f"{n:04}", "ID": f"{n:04}", "PAY": Decimal("10.25")} for n in range(1, 1501)))
    assert len(list(people.rows("HR_STAFF"))) == 1500
    site.forget_calls()
    assert next(iter(people.rows("HR_STAFF", limit=1, columns=["EMPLID"]))) == {"EMPLID": "0001"}
    assert site.calls[0].query["filterfields"] == "EMPLID"
    site.cap = 400
    rows = list(people.rows("HR_STAFF", after=("AFTER", "ID"), params={"DEPT": "1 & 2"}, columns=["EMPLID"]))
    assert [row["EMPLID"] for row in rows] == [f"{n:04}" for n in range(1, 1501)]
    assert site.calls[-1].query["prompt_fieldvalue"] == "1 & 2,1500"
    list(people.purchase_orders())


def test_rows_of_a_contract_query_are_paged_by_its_key(site: Site) -> None:
    orders, _ = numbered(25)
    site.add("ML_PO_HDR", *orders)
    site.add("ML_PO_LINE", line(101))
    with site.client(page_size=10) as people:
        assert len(list(people.rows("ML_PO_HDR"))) == 25
        assert len(list(people.rows("ML_PO_LINE", params={"PO": "0000000101"}))) == 1
        assert list(people.rows("ML_DEPT", limit=1)) == []


def test_rows_that_one_answer_may_not_hold_are_refused() -> None:
    with Site(cap=10) as site:
        site.add("HR_STAFF", *({"ID": f"{n:04}"} for n in range(1, 51)))
        site.add("GROUPS", *({"ID": "0001", "N": n} for n in range(40)), {"ID": "0002"})
        with site.client(row_cap=10) as people:
            with pytest.raises(mc.InvalidArgument, match="no key to go on by"):
                list(people.rows("HR_STAFF"))
            with pytest.raises(mc.VendorFault, match="more rows for ID '0001'"):
                list(people.rows("GROUPS", after=("AFTER", "ID")))
            assert len(list(people.rows("HR_STAFF", limit=10))) == 10
            with pytest.raises(mc.InvalidArgument, match="takes prompts only"):
                people.rows("HR_STAFF", where=[("ID", "=", "1")])
            with pytest.raises(mc.InvalidArgument, match="takes prompts only"):
                people.rows("HR_STAFF", order_by=["ID"])


def test_where_narrows_places_and_nothing_else(site: Site) -> None:
    site.add("ML_PO_HDR", order(1), order(2, unit="US002"))
    site.add("ML_PO_LINE", line(1), line(2, unit="US002"))
    with site.client(business_units=["US001", "US002"]) as people:
        where = [("BUSINESS_UNIT", "in", ["US002", "US009"])]
        assert [one.company for one in people.read("purchase_orders", where=where)] == ["US002"]
        cursor = people.purchase_orders(where=where)
        list(cursor)
        with pytest.raises(mc.CursorMismatch):
            people.purchase_orders(since=saved(cursor.cursor))
        with pytest.raises(mc.InvalidArgument, match="which no prompt"):
            people.purchase_orders(where=[("PO_STATUS", "=", "D")])
        with pytest.raises(mc.InvalidArgument, match="which no prompt"):
            people.suppliers(where=[("SETID", ">", "D")])
        with pytest.raises(mc.InvalidArgument, match="kind='jobs'"):
            people.read("jobs")
    with site.client(business_units=(), setids=()) as people:
        for kind in people.kinds:
            with pytest.raises(mc.InvalidArgument, match="names nothing to read"):
                people.read(kind)


def test_it_is_a_source(people: PeopleSoft) -> None:
    assert isinstance(people, Source)
    assert people.origin.endswith("#PSFT_EP")
    assert repr(people) == f"PeopleSoft('{people.origin.partition('#')[0]}', node='PSFT_EP')"
