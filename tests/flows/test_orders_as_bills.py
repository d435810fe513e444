"""Orders as bills, against both simulators: one debt, one bill, one voucher, one payment (rules B60 to B63)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import attrs
import pytest

import mlconnector as mc
from mlconnector import flows
from mlconnector.flows._order_vouchers import MatchedOrders
from mlconnector.flows._ordered import orders_of, vouchers_of
from mlconnector.target import Change
from mlconnector.testing import accounts, fiscal_calendar, orders, receipts, suppliers, terms, vouchers
from tests.flows.test_bill_promises import Build, build, processed, rows
from tests.flows.test_jde_to_bill import Sites, bills, later, pay_items

__all__ = ["build"]

ORDER = {"DOCO": 50001, "DCTO": "OP", "KCOO": "00001", "SFXO": "000"}
KEY = "00001/OP/50001"
LINES = ("DOCO", "DCTO", "KCOO", "SFXO", "LNID")
Edit = Callable[[dict[str, Any]], None]


@pytest.fixture
def sites(build: Build) -> Sites:
    return build()


def furnish(
    sites: Sites, count: int = 1, *, odd: Any = None, received: Decimal | None = Decimal(1), edit: Edit | None = None
) -> None:
    """Both sides know the same accounts, departments and periods; orders are approved, their lines charged."""
    sites.erp.add(suppliers(3))
    sites.erp.add(accounts())
    sites.erp.add(terms())
    tables = orders(count, odd=odd, suppliers=3)
    for row in tables["F4311"]:
        row |= {"ANI": "M30.6110", "OMCU": "M30"}
        if edit is not None:
            edit(row)
    sites.erp.add(tables)
    if received is not None:
        sites.erp.add(receipts(tables, share=received))
    sites.erp.add(fiscal_calendar(2026, period=3))
    for account in sites.jde.accounts():
        sites.payables.add(mc.Account(number=account.object, object=account.object, description=account.description))
    sites.payables.add(mc.CostCenter(number="M30", name="Boulder plant"))


def ordered(sites: Sites, count: int = 1, *, options: dict[str, Any] | None = None, **habits: Any) -> mc.Flow:
    """A flow whose orders are bills that nobody has approved yet."""
    furnish(sites, count, **habits)
    flow = sites.flow(orders=True, **options or {})
    report = flow.run()
    assert report.kinds["purchase_orders"].delivered == count
    return flow


def approve(sites: Sites, *names: str) -> None:
    for name in names or bills(sites):
        sites.payables.update("bills", name, approvalStatus="APPROVED")


def total(sites: Sites, number: int = 50001) -> Decimal:
    return Decimal(sum(row["AEXP"] for row in sites.erp.contents["F4311"] if row["DOCO"] == number))


def entered(
    sites: Sites, gross: Decimal | None = None, *, number: Any = 300001, minutes: Any = 30, **columns: Any
) -> None:
    """A person enters a voucher for the first order in JD Edwards; it is posted."""
    wanted = total(sites) if gross is None else gross
    tables = vouchers(1, suppliers=3, first_number=number, master=False)
    (item,) = tables["F0411"]
    item |= {"AG": wanted, "AAP": wanted, "PO": "00050001", "PDCT": "OP", "PKCO": "00001", "SFXO": "000", **columns}
    (line, *_others) = tables["F0911"]
    tables["F0911"] = [{**line, "AA": wanted, "DCT": item["DCT"]}]
    sites.clock.advance(dt.timedelta(minutes=minutes))
    sites.erp.add(tables)


def change_order(sites: Sites, **columns: Any) -> None:
    """A buyer changes every line of the first order."""
    sites.clock.advance(dt.timedelta(minutes=30))
    for row in sites.erp.contents["F4311"]:
        if row["DOCO"] == 50001:
            sites.erp.update("F4311", {name: row[name] for name in LINES}, **columns)


def parked(sites: Sites, kind: str) -> str:
    found = [one for one in sites.ledger.deliveries(kind=kind) if one.state == "parked"]
    return "; ".join(f"{one.cause} {one.detail}: {fault}" for one in found for fault in one.faults)


def test_an_approved_order_is_one_bill_that_says_what_it_is(sites: Sites) -> None:
    ordered(sites)
    (bill,) = sites.payables.contents["bills"]
    assert bill["amount"] == total(sites)
    assert bill["invoice"] == {"invoiceNumber": KEY, "invoiceDate": "2026-02-16"}
    assert bill["purchaseOrderNumber"] == "50001"
    assert str(bill["description"]).startswith(f"JDEDWARDS:{KEY}")
    # Promised on 4 March, net 30 days.
    assert bill["dueDate"] == "2026-04-03"
    assert [line["amount"] for line in bill["billLineItems"]] == [row["AEXP"] for row in sites.erp.contents["F4311"]]
    assert sites.erp.contents.get("F0411", ()) == ()


def test_without_the_option_no_order_goes_and_nothing_is_asked_about_orders(sites: Sites) -> None:
    furnish(sites)
    sites.erp.forget_calls()
    report = sites.flow().run()
    assert "purchase_orders" not in report.kinds
    assert bills(sites) == []
    asked = " ".join(str(call.body) for call in sites.erp.calls)
    assert "F0411" in asked
    assert "F4311" not in asked
    assert "F43121" not in asked


@pytest.mark.parametrize("wrong", [None, "yes", 1])
def test_an_option_that_is_neither_true_nor_false_is_refused(sites: Sites, wrong: Any) -> None:
    with pytest.raises(mc.InvalidArgument, match=f"orders={wrong!r}"):
        sites.flow(orders=wrong)


def test_the_kind_is_there_only_with_the_option(sites: Sites) -> None:
    with pytest.raises(mc.InvalidArgument, match="kinds"):
        sites.flow(kinds=["purchase_orders"])
    assert sites.flow(orders=True, kinds=["purchase_orders"]).run(dry_run=True).ok


def test_a_dry_run_shows_the_bill_and_writes_nothing(sites: Sites) -> None:
    furnish(sites)
    sites.flow(kinds=["suppliers"]).run()
    report = sites.flow(orders=True).run(dry_run=True)
    (preview,) = report.kinds["purchase_orders"].previews
    assert KEY in str(preview.payload)
    assert sites.payables.contents["bills"] == ()


@pytest.mark.parametrize("hand_over", [flows.PayStatus("B"), flows.Trusted("the site says so")])
def test_a_bill_approved_becomes_one_matched_reserved_voucher_and_its_payment_lands_once(
    sites: Sites, hand_over: Any
) -> None:
    flow = ordered(sites, options={"hand_over": hand_over})
    (bill,) = bills(sites)
    assert later(sites, flow).kinds["vouchers"].waiting == 1
    approve(sites)
    assert later(sites, flow).kinds["vouchers"].delivered == 1
    (voucher,) = rows(sites)
    assert (voucher["VINV"], voucher["RMK"], voucher["AG"]) == (KEY, f"BILL:{bill}", total(sites))
    assert voucher["PST"] == ("B" if isinstance(hand_over, flows.PayStatus) else "A")
    matched = [row for row in sites.erp.contents["F43121"] if row["MATC"] == "2"]
    assert {(row["DOCO"], row["DOC"]) for row in matched} == {(50001, voucher["DOC"])}
    assert len(matched) == 3
    sites.erp.post()
    # It came from BILL, so it is no bill again (rule B1), and its order drives the bill no more.
    report = later(sites, flow)
    assert report.kinds["invoices"].reasons == {"born in BILL": 1}
    payment = processed(sites, bill)
    for status in ("SENT", "CLEARED"):
        later(sites, flow)
        sites.payables.advance(payment, status)
    later(sites, flow, minutes=60 * 30)
    assert len(sites.erp.contents["F0413"]) == 1
    assert [left for _status, left in pay_items(sites).values()] == [0]
    assert len(rows(sites)) == len(bills(sites)) == 1
    assert report.ok
    assert not sites.ledger.attention()


@pytest.mark.parametrize("hand_over", [flows.PayStatus("B"), flows.Trusted("the site says so")])
def test_a_voucher_entered_for_the_order_shares_its_bill_and_is_reserved(sites: Sites, hand_over: Any) -> None:
    flow = ordered(sites, options={"hand_over": hand_over})
    (bill,) = bills(sites)
    entered(sites)
    report = flow.run()
    assert report.kinds["invoices"].delivered == 1
    assert bills(sites) == [bill]
    status = "B" if isinstance(hand_over, flows.PayStatus) else "A"
    assert [shown for shown, _left in pay_items(sites).values()] == [status]
    approve(sites)
    assert later(sites, flow).kinds["vouchers"].delivered == 0
    assert len(rows(sites)) == 1
    processed(sites, bill)
    for _ in range(3):
        later(sites, flow)
    assert len(sites.erp.contents["F0413"]) == 1
    assert [left for _status, left in pay_items(sites).values()] == [0]
    assert bills(sites) == [bill]
    assert not parked(sites, "invoices")
    assert not parked(sites, "payments")


def test_a_void_of_the_payment_opens_the_shared_voucher_and_reserves_it_again(sites: Sites) -> None:
    flow = ordered(sites)
    entered(sites)
    flow.run()
    payment = processed(sites, *bills(sites))
    later(sites, flow)
    sites.payables.void(payment)
    for _ in range(2):
        later(sites, flow)
    assert list(pay_items(sites).values()) == [("B", total(sites))]
    assert len(bills(sites)) == 1


@pytest.mark.parametrize("named", [{}, {"PDCT": "", "PKCO": "", "SFXO": ""}], ids=["whole", "number only"])
def test_a_voucher_that_is_not_posted_yet_keeps_the_bill_from_becoming_a_second_one(
    sites: Sites, named: dict[str, str]
) -> None:
    flow = ordered(sites)
    entered(sites, POST="", **named)
    approve(sites)
    report = flow.run()
    assert report.kinds["vouchers"].waiting == report.kinds["invoices"].waiting == 1
    sites.erp.post()
    later(sites, flow)
    later(sites, flow)
    assert len(rows(sites)) == len(bills(sites)) == 1
    assert [one.state for one in sites.ledger.deliveries(kind="invoices")] == ["delivered"]
    assert sites.ledger.deliveries(kind="vouchers") == []


@pytest.mark.parametrize(
    ("columns", "told"),
    [
        ({"gross": Decimal("10.00")}, "it is over 10"),
        ({"AAP": Decimal("10.00")}, "is open"),
        ({"PYE": 4344}, "its payee is 4344"),
        ({"CRCD": "CAD"}, "it is in CAD"),
    ],
    ids=["partial", "part paid", "payee", "currency"],
)
def test_a_voucher_that_is_not_surely_the_same_debt_waits_for_a_person_and_is_reserved(
    sites: Sites, columns: dict[str, Any], told: str
) -> None:
    flow = ordered(sites)
    (bill,) = bills(sites)
    entered(sites, **columns)
    flow.run()
    assert told in parked(sites, "invoices")
    assert bills(sites) == [bill]
    assert [status for status, _left in pay_items(sites).values()] == ["B"]
    # No second liability either.
    approve(sites)
    later(sites, flow)
    assert len(rows(sites)) == 1
    processed(sites, bill)
    later(sites, flow)
    assert "has no voucher here" in parked(sites, "payments")
    assert sites.erp.contents.get("F0413", ()) == ()


def test_of_two_vouchers_of_one_order_one_shares_the_bill_and_the_other_waits_for_a_person(sites: Sites) -> None:
    flow = ordered(sites)
    entered(sites)
    entered(sites, number=300002)
    flow.run()
    assert len(bills(sites)) == 1
    assert [one.state for one in sites.ledger.deliveries(kind="invoices")] == ["delivered", "parked"]
    assert "shares it already" in parked(sites, "invoices")
    assert {status for status, _left in pay_items(sites).values()} == {"B"}
    processed(sites, *bills(sites))
    later(sites, flow)
    assert sorted(left == 0 for _status, left in pay_items(sites).values()) == [False, True]


def test_a_voucher_beside_the_one_the_bill_became_makes_no_second_bill(sites: Sites) -> None:
    flow = ordered(sites)
    approve(sites)
    later(sites, flow)
    sites.erp.post()
    entered(sites)
    later(sites, flow)
    assert len(bills(sites)) == 1
    assert "the bill's voucher is 00001/PV/600001" in parked(sites, "invoices")


@pytest.mark.parametrize("status", ["H", "P", "#"])
def test_a_voucher_that_jd_edwards_holds_or_pays_while_the_order_has_a_bill_is_shown(sites: Sites, status: str) -> None:
    flow = ordered(sites)
    paid: dict[str, Any] = {"AAP": 0} if status == "P" else {}
    entered(sites, PST=status, **paid)
    flow.run()
    assert f"pay status {status}" in parked(sites, "invoices")
    assert [shown for shown, _left in pay_items(sites).values()] == [status]
    assert len(bills(sites)) == 1


def test_a_voucher_with_another_instrument_than_its_order_s_supplier_is_shown(sites: Sites) -> None:
    furnish(sites)
    sites.erp.update("F0401", 4343, PYIN="B")
    flow = sites.flow(orders=True, hand_over=flows.PaymentInstrument("B"))
    flow.run()
    entered(sites, PYIN="C")
    flow.run()
    assert "payment instrument C" in parked(sites, "invoices")
    assert len(bills(sites)) == 1


@pytest.mark.parametrize(
    "columns",
    [{"PDCT": "", "PKCO": "", "SFXO": ""}, {"PO": "50001"}, {"PO": "50001", "PDCT": "", "PKCO": ""}],
    ids=["number only", "not filled", "neither"],
)
def test_a_voucher_that_names_its_order_in_part_shares_its_bill_all_the_same(
    sites: Sites, columns: dict[str, str]
) -> None:
    flow = ordered(sites)
    entered(sites, **columns)
    flow.run()
    later(sites, flow)
    assert len(bills(sites)) == 1
    assert [one.state for one in sites.ledger.deliveries(kind="invoices")] == ["delivered"]


def test_a_voucher_that_only_its_match_ties_to_the_order_shares_its_bill(sites: Sites) -> None:
    flow = ordered(sites)
    entered(sites, PO="", PDCT="", PKCO="", SFXO="")
    (order_line, *_others) = sites.erp.contents["F4311"]
    match = {**receipts({"F4311": [order_line]})["F43121"][0], "MATC": "2", "DOC": 300001, "DCT": "PV"}
    sites.erp.add(match, table="F43121")
    flow.run()
    assert len(bills(sites)) == 1
    assert [one.state for one in sites.ledger.deliveries(kind="invoices")] == ["delivered"]


def test_a_voucher_over_two_orders_waits_for_a_person(sites: Sites) -> None:
    flow = ordered(sites, 2)
    entered(sites)
    lines = [row for row in sites.erp.contents["F4311"] if row["DOCO"] == 50002]
    match = {**receipts({"F4311": lines[:1]})["F43121"][0], "MATC": "2", "DOC": 300001, "DCT": "PV"}
    sites.erp.add(match, table="F43121")
    flow.run()
    assert "bills 2 orders" in parked(sites, "invoices")
    assert len(bills(sites)) == 2


def test_a_voucher_of_another_order_of_the_same_number_has_a_bill_of_its_own(sites: Sites) -> None:
    flow = ordered(sites)
    entered(sites, PDCT="OX")
    flow.run()
    assert len(bills(sites)) == 2


def test_a_void_or_a_credit_of_the_order_keeps_nothing_from_anything(sites: Sites) -> None:
    flow = ordered(sites)
    entered(sites, VOD="V", AAP=0)
    flow.run()
    approve(sites)
    later(sites, flow)
    assert [row["RMK"] for row in rows(sites) if not row["VOD"]] == [f"BILL:{bills(sites)[0]}"]


def test_once_the_order_s_bill_is_archived_by_a_person_the_voucher_has_a_bill_of_its_own(sites: Sites) -> None:
    flow = ordered(sites)
    (first,) = bills(sites)
    entered(sites, Decimal("10.00"))
    flow.run()
    (conflict,) = [one for one in sites.ledger.deliveries(kind="invoices") if one.state == "parked"]
    sites.payables.update("bills", first, archived=True)
    sites.clock.advance(dt.timedelta(minutes=30))
    flow.settle(conflict.key, outcome="overwrite", kind="invoices", actor="test", reason="partial voucher")
    flow.run()
    assert [row["amount"] for row in sites.payables.contents["bills"] if not row["archived"]] == [Decimal("10.00")]
    processed(sites, *bills(sites))
    later(sites, flow)
    assert [left for _status, left in pay_items(sites).values()] == [0]


def test_once_the_voucher_is_corrected_and_settled_it_shares_the_bill(sites: Sites) -> None:
    flow = ordered(sites)
    entered(sites, Decimal("10.00"))
    flow.run()
    (row,) = rows(sites)
    sites.clock.advance(dt.timedelta(minutes=30))
    key = {name: row[name] for name in ("DOC", "DCT", "KCO", "SFX", "SFXE")}
    sites.erp.update("F0411", key, AG=total(sites), AAP=total(sites))
    (line,) = sites.erp.contents["F0911"]
    names = ("DCT", "DOC", "KCO", "DGJ", "JELN", "LT", "EXTL")
    sites.erp.update("F0911", {name: line[name] for name in names}, AA=total(sites))
    flow.run()
    flow.settle(f"00001/PV/{row['DOC']}/001", outcome="overwrite", kind="invoices", actor="test", reason="corrected")
    flow.run()
    assert {one.state for one in sites.ledger.deliveries(kind="invoices")} <= {"delivered", "superseded"}
    processed(sites, *bills(sites))
    later(sites, flow)
    assert [left for _status, left in pay_items(sites).values()] == [0]
    assert len(bills(sites)) == len(rows(sites)) == 1


def test_an_order_of_a_supplier_on_hold_waits(sites: Sites) -> None:
    furnish(sites)
    sites.erp.update("F0401", 4343, HDPY="Y")
    report = sites.flow(orders=True).run()
    assert report.kinds["purchase_orders"].reasons == {"its supplier is on hold": 1}


def test_the_check_names_what_orders_need(build: Build) -> None:
    sites = build()
    steps = {step.name: step for step in sites.flow(orders=True).check().steps}
    assert steps["orders as bills"].ok
    assert "orders as bills" not in {step.name for step in sites.flow().check().steps}
    sites.erp.fail(status=403, match=lambda call: "F0014" in str(call.body), times=5)
    step = {step.name: step for step in sites.flow(orders=True).check().steps}["orders as bills"]
    assert not step.ok
    assert "F0014" in step.cause


@pytest.mark.parametrize(
    "habits",
    [
        {"payables": {"thin_lists": True, "short_pages": True}},
        {"payables": {"list_lag": 90.0, "stamp_paid_bills": False, "partial_word": "PARTIALLY_PAID"}},
        {"rules": {"payment_sign": -1, "void_keeps_gross": False}},
        {"rules": {"left_empty": frozenset({"F0411.RMK"})}},
        {"site": {"numbers": "number", "status_fields": False, "refusals": "step"}},
    ],
    ids=lambda habits: "-".join(name for part in habits.values() for name in part),
)
def test_out_vouchered_paid_voided_and_paid_again_whatever_the_sites_are_like(
    build: Build, habits: dict[str, Any]
) -> None:
    sites = build(**habits)
    flow = ordered(sites, 2)
    approve(sites)
    later(sites, flow)
    sites.erp.post()
    first = processed(sites, bills(sites)[0])
    for _ in range(3):
        later(sites, flow)
    sites.payables.void(first)
    for _ in range(2):
        later(sites, flow)
    assert {status for status, _left in pay_items(sites).values()} == {"B"}
    processed(sites, *bills(sites)[:1])
    for _ in range(3):
        later(sites, flow)
    assert len(bills(sites)) == len(rows(sites)) == len(sites.erp.contents["F0413"]) == 2
    assert not [one.faults for one in sites.ledger.deliveries() if one.state in ("parked", "in doubt")]
    for name in bills(sites):
        approve(sites, name)
    report = later(sites, flow)
    assert report.ok
    assert report.kinds["vouchers"].waiting == 0


def test_a_hold_on_the_shared_voucher_takes_the_unpaid_bill_back_until_it_is_lifted(sites: Sites) -> None:
    flow = ordered(sites)
    (bill,) = bills(sites)
    entered(sites)
    flow.run()
    (row,) = rows(sites)
    key = {name: row[name] for name in ("DOC", "DCT", "KCO", "SFX", "SFXE")}
    for status, left in (("H", []), ("A", [bill])):
        sites.clock.advance(dt.timedelta(minutes=30))
        sites.erp.update("F0411", key, PST=status)
        flow.run()
        assert bills(sites) == left
    assert [status for status, _left in pay_items(sites).values()] == ["B"]
    processed(sites, bill)
    later(sites, flow)
    assert len(sites.erp.contents["F0413"]) == 1


def test_a_change_of_the_shared_voucher_s_amount_waits_for_a_person(sites: Sites) -> None:
    flow = ordered(sites)
    entered(sites)
    flow.run()
    (row,) = rows(sites)
    key = {name: row[name] for name in ("DOC", "DCT", "KCO", "SFX", "SFXE")}
    sites.clock.advance(dt.timedelta(minutes=30))
    sites.erp.update("F0411", key, AG=row["AG"] - 1, AAP=row["AAP"] - 1)
    flow.run()
    assert "the bill over" in parked(sites, "invoices")
    assert sites.payables.contents["bills"][0]["amount"] == total(sites)


def test_an_order_that_has_a_voucher_before_it_has_a_bill_is_paid_by_its_voucher(sites: Sites) -> None:
    furnish(sites)
    entered(sites, Decimal("10.00"))
    report = sites.flow(orders=True).run()
    assert report.kinds["purchase_orders"].reasons == {"its vouchers are paid, not the order": 1}
    assert [row["amount"] for row in sites.payables.contents["bills"]] == [Decimal("10.00")]


def test_a_voucher_that_comes_between_two_runs_leaves_the_order_without_a_bill(sites: Sites) -> None:
    furnish(sites, 2)
    sites.flow(kinds=["suppliers"]).run()
    sites.flow(orders=True, kinds=["purchase_orders"]).run(limit=1)
    (open_order,) = [one for one in sites.ledger.deliveries(kind="purchase_orders") if one.state == "recorded"]
    entered(sites, PO=open_order.key.split("/")[2], AN8=4344, PYE=4344)
    sites.flow(orders=True, kinds=["purchase_orders"]).run()
    assert len(bills(sites)) == 1
    (left,) = sites.ledger.deliveries(kind="purchase_orders", state="superseded")
    assert left.key == open_order.key


def test_a_voucher_that_comes_between_reading_and_sending_stops_the_bill(sites: Sites) -> None:
    furnish(sites)
    sites.flow(kinds=["suppliers"]).run()
    waiting = [True]

    def comes(_call: object) -> bool:
        if waiting:
            waiting.clear()
            entered(sites)
        return False

    sites.payables.fail(status=503, match=comes)
    sites.flow(orders=True, kinds=["purchase_orders"]).run()
    assert not waiting
    assert bills(sites) == []
    assert "vouchered" in parked(sites, "purchase_orders")


def test_a_change_of_the_order_changes_its_unpaid_bill_and_a_cancelled_one_archives_it(sites: Sites) -> None:
    flow = ordered(sites, received=None)
    (bill,) = bills(sites)
    change_order(sites, AEXP=Decimal("5.00"))
    flow.run()
    assert [row["amount"] for row in sites.payables.contents["bills"]] == [Decimal("15.00")]
    change_order(sites, NXTR="999", LTTR="980")
    flow.run()
    assert bills(sites) == []
    assert [row["id"] for row in sites.payables.contents["bills"]] == [bill]


def test_what_was_received_of_a_cancelled_order_stays_owed(sites: Sites) -> None:
    flow = ordered(sites, received=None)
    (row, *_others) = [one for one in sites.erp.contents["F4311"] if one["DOCO"] == 50001]
    change_order(sites, NXTR="999", LTTR="980")
    sites.erp.update("F4311", {name: row[name] for name in LINES}, UREC=row["UORG"])
    flow.run()
    assert [one["amount"] for one in sites.payables.contents["bills"]] == [row["AEXP"]]
    assert len(bills(sites)) == 1


def test_receipts_and_closed_lines_change_nothing_of_the_bill(sites: Sites) -> None:
    flow = ordered(sites)
    for row in [one for one in sites.erp.contents["F4311"] if one["DOCO"] == 50001]:
        sites.erp.update(
            "F4311", {name: row[name] for name in LINES}, UREC=row["UORG"], UOPN=0, AOPN=0, NXTR="999", LTTR="400"
        )
    report = later(sites, flow)
    assert report.kinds["purchase_orders"].delivered == 0
    assert [row["amount"] for row in sites.payables.contents["bills"]] == [total(sites)]


@pytest.mark.parametrize("columns", [{"HOLD": "B1"}, {"NXTR": "230"}], ids=["hold", "unapproved"])
def test_a_hold_takes_the_unpaid_bill_back_until_it_is_lifted(sites: Sites, columns: dict[str, str]) -> None:
    flow = ordered(sites)
    (bill,) = bills(sites)
    lifted = {"HOLD": {"HOLD": ""}, "NXTR": {"NXTR": "400"}}[next(iter(columns))]
    for values, left in ((columns, []), (lifted, [bill])):
        if "HOLD" in values:
            sites.clock.advance(dt.timedelta(minutes=30))
            sites.erp.update("F4301", ORDER, **values)
        else:
            change_order(sites, **values)
        flow.run()
        assert bills(sites) == left


def test_a_change_once_the_bill_is_scheduled_or_paid_waits_for_a_person(sites: Sites) -> None:
    flow = ordered(sites)
    sites.payables.pay(*bills(sites))
    change_order(sites, AEXP=Decimal("5.00"))
    flow.run()
    assert parked(sites, "purchase_orders").startswith("paid conflict")
    assert sites.payables.contents["bills"][0]["amount"] != 15


def test_a_change_once_there_is_a_voucher_is_shown_to_a_person_and_told_to_nobody(sites: Sites) -> None:
    flow = ordered(sites)
    before = total(sites)
    approve(sites)
    later(sites, flow)
    change_order(sites, AEXP=Decimal("5.00"))
    report = flow.run()
    assert report.kinds["purchase_orders"].reasons == {"its voucher is owed, not the order": 1}
    assert any("It changed, its bill" in item.text for item in sites.ledger.attention())
    assert [row["amount"] for row in sites.payables.contents["bills"]] == [before]
    assert [row["AG"] for row in rows(sites)] == [before]


def test_a_bill_of_what_was_not_received_is_parked_and_becomes_a_voucher_once_it_came(sites: Sites) -> None:
    flow = ordered(sites, received=None)
    approve(sites)
    later(sites, flow)
    assert parked(sites, "vouchers").count("is not received") == 3
    assert rows(sites) == []
    sites.erp.add(receipts({"F4311": list(sites.erp.contents["F4311"])}))
    flow.replay(actor="test", reason="received")
    assert [row["AG"] for row in rows(sites)] == [total(sites)]
    assert [status for status, _left in pay_items(sites).values()] == ["B"]


def test_a_bill_that_was_changed_in_bill_becomes_no_voucher(sites: Sites) -> None:
    flow = ordered(sites)
    (bill,) = sites.payables.contents["bills"]
    lines = [dict(line) for line in bill["billLineItems"]]
    lines[0]["amount"] += 1
    sites.payables.update("bills", str(bill["id"]), billLineItems=lines, amount=bill["amount"] + 1)
    approve(sites)
    later(sites, flow)
    assert "the order over" in parked(sites, "vouchers")
    assert rows(sites) == []


def test_a_bill_whose_lines_were_moved_about_in_bill_becomes_no_voucher(sites: Sites) -> None:
    flow = ordered(sites)
    (bill,) = sites.payables.contents["bills"]
    lines = [dict(line) for line in bill["billLineItems"]]
    lines[0]["amount"] += 1
    lines[1]["amount"] -= 1
    sites.payables.update("bills", str(bill["id"]), billLineItems=lines)
    approve(sites)
    later(sites, flow)
    assert "the bill's lines are" in parked(sites, "vouchers")
    assert rows(sites) == []


def test_an_order_that_was_forgotten_is_not_guessed(sites: Sites) -> None:
    flow = ordered(sites)
    sites.ledger.forget(KEY, actor="test", reason="asked for")
    entered(sites)
    flow.run()
    assert "no longer known" in parked(sites, "invoices")
    assert len(bills(sites)) == 1


def test_a_blanket_order_is_never_sent(sites: Sites) -> None:
    furnish(sites, odd={0: ["blanket"]})
    every = mc.Approval(order_types=("OP", "OB"))
    with mc.JDEdwardsAIS(sites.erp.url, auth=sites.erp.auth, clock=sites.clock, timeout=20, approval=every) as jde:
        report = attrs.evolve(sites, jde=jde).flow(orders=True).run()
    assert report.kinds["purchase_orders"].reasons == {"a blanket order is never sent; its releases are": 1}


def test_a_cancelled_line_by_amount_is_owed_no_more(sites: Sites) -> None:
    flow = ordered(sites, odd={0: ["service_line"]}, received=None)
    before = total(sites)
    (service,) = [row for row in sites.erp.contents["F4311"] if row["LNTY"] == "J"]
    sites.clock.advance(dt.timedelta(minutes=30))
    sites.erp.update("F4311", {name: service[name] for name in LINES}, NXTR="999", LTTR="980")
    flow.run()
    assert [row["amount"] for row in sites.payables.contents["bills"]] == [before - service["AEXP"]]


def test_jd_edwards_out_of_reach_before_a_bill_is_made_leaves_it_for_the_next_run(sites: Sites) -> None:
    furnish(sites)
    sites.flow(kinds=["suppliers"]).run()
    flow = sites.flow(orders=True, kinds=["purchase_orders"])
    seen = 0

    def second(call: Any) -> bool:
        nonlocal seen
        seen += "F43121" in str(call.body)
        return "F43121" in str(call.body) and seen >= 2

    sites.erp.fail(status=403, match=second, times=2)
    with pytest.raises(mc.PermissionDenied):
        flow.run()
    assert bills(sites) == []
    later(sites, flow)
    assert len(bills(sites)) == 1


def _taxable(row: dict[str, Any]) -> None:
    row |= {"TX": "Y", "TXA1": "CO"}


def _uncharged(row: dict[str, Any]) -> None:
    row |= {"ANI": "", "OMCU": ""}


def _credit(row: dict[str, Any]) -> None:
    row["AEXP"] = -row["AEXP"]


def _both(row: dict[str, Any]) -> None:
    _taxable(row)
    _uncharged(row)


@pytest.mark.parametrize(
    ("odd", "edit", "told"),
    [
        ({0: ["no_currency", "foreign"]}, None, ("currency is not known",)),
        (None, _uncharged, ("line 1 names no account", "line 2 names no account", "line 3 names no account")),
        (None, _taxable, ("line 1 is taxable (CO)", "line 3 is taxable")),
        (None, _credit, ("line 2 is below 0",)),
        (None, _both, ("line 1 is taxable (CO)", "line 3 names no account")),
    ],
    ids=["currency", "account", "tax", "credit", "every fault"],
)
def test_an_order_that_cannot_be_a_bill_is_parked_with_every_fault(
    sites: Sites, odd: Any, edit: Edit | None, told: tuple[str, ...]
) -> None:
    furnish(sites, odd=odd, edit=edit)
    if odd:
        sites.erp.update("F4301", ORDER, CRCD="", CRRM="F")
    sites.flow(orders=True).run()
    assert bills(sites) == []
    for text in told:
        assert text in parked(sites, "purchase_orders")


def test_an_order_whose_terms_have_no_net_days_is_parked(sites: Sites) -> None:
    furnish(sites)
    sites.erp.update("F4301", ORDER, PTC="XYZ")
    sites.flow(orders=True).run()
    assert "terms XYZ have no net days" in parked(sites, "purchase_orders")
    sites.clock.advance(dt.timedelta(minutes=30))
    sites.erp.update("F4301", ORDER, PTC="")
    sites.flow(orders=True).run()
    assert [row["dueDate"] for row in sites.payables.contents["bills"]] == ["2026-03-04"]


def test_text_lines_are_no_lines_and_amount_lines_are_matched_by_amount(sites: Sites) -> None:
    flow = ordered(sites, odd={0: ["text_line", "service_line", "freight_line"]})
    (bill,) = sites.payables.contents["bills"]
    assert len(bill["billLineItems"]) == 5
    approve(sites)
    later(sites, flow)
    assert not parked(sites, "vouchers")
    assert [row["AG"] for row in rows(sites)] == [bill["amount"]] == [total(sites)]


def test_a_foreign_order_is_billed_vouchered_and_paid_in_its_own_currency(sites: Sites) -> None:
    furnish(sites, odd={0: ["foreign"]})
    sites.erp.update("F0401", 4343, CRRP="EUR")
    flow = sites.flow(orders=True)
    flow.run()
    (bill,) = sites.payables.contents["bills"]
    assert bill["amount"] == sum(row["FEA"] for row in sites.erp.contents["F4311"])
    approve(sites)
    later(sites, flow)
    assert [row["ACR"] for row in rows(sites)] == [bill["amount"]]
    assert not parked(sites, "vouchers")


def test_blanket_and_closed_orders_are_left_out(build: Build) -> None:
    sites = build()
    furnish(sites, 2, odd={0: ["closed"], 1: ["cancelled"]})
    report = sites.flow(orders=True).run()
    assert report.kinds["purchase_orders"].reasons == {
        "closed before it was first seen": 1,
        "cancelled before it was first seen": 1,
    }
    assert bills(sites) == []


def test_with_a_payment_instrument_only_orders_of_suppliers_that_have_it_go(sites: Sites) -> None:
    furnish(sites, 2)
    sites.erp.update("F0401", 4344, PYIN="B")
    flow = sites.flow(orders=True, hand_over=flows.PaymentInstrument("B"))
    report = flow.run()
    assert (report.kinds["purchase_orders"].delivered, report.kinds["purchase_orders"].waiting) == (1, 1)
    approve(sites)
    later(sites, flow)
    assert [(row["AN8"], row["PYIN"]) for row in rows(sites)] == [(4344, "B")]


@pytest.mark.parametrize("drop", ["before", "after"])
@pytest.mark.parametrize("match", ["bills", "ML_MatchVoucher", "ML_SetPayStatus", "ML_RecordAPPayment"])
def test_a_lost_answer_doubles_nothing(build: Build, match: str, drop: Any) -> None:
    sites = build()
    furnish(sites)
    flow = sites.flow(orders=True)
    simulator: Any = sites.erp if match.startswith("ML_") else sites.payables
    simulator.fail(drop=drop, match=lambda call: match in call.path and call.method == "POST")
    for _ in range(4):
        later(sites, flow)
    approve(sites)
    for _ in range(4):
        later(sites, flow)
    assert len(bills(sites)) == len(rows(sites)) == 1
    processed(sites, *bills(sites))
    for _ in range(4):
        later(sites, flow)
    assert len(sites.erp.contents["F0413"]) == 1
    assert [left for _status, left in pay_items(sites).values()] == [0]
    assert not [one.faults for one in sites.ledger.deliveries() if one.state in ("parked", "in doubt")]


@pytest.mark.parametrize("drop", ["before", "after"])
def test_a_lost_answer_to_reserving_leaves_no_voucher_open_to_jd_edwards(build: Build, drop: Any) -> None:
    sites = build()
    flow = ordered(sites)
    approve(sites)
    sites.erp.fail(drop=drop, match="ML_SetPayStatus", times=2)
    for _ in range(4):
        later(sites, flow)
    assert [status for status, _left in pay_items(sites).values()] == ["B"]
    assert {one.state for one in sites.ledger.deliveries(kind="vouchers")} == {"delivered"}


@pytest.mark.parametrize("drop", ["before", "after"])
def test_a_lost_answer_to_reserving_a_voucher_that_shares_the_bill_leaves_it_in_no_doubt(
    build: Build, drop: Any
) -> None:
    sites = build()
    flow = ordered(sites)
    entered(sites)
    sites.erp.fail(drop=drop, match="ML_SetPayStatus", times=2)
    for _ in range(4):
        later(sites, flow)
    assert [status for status, _left in pay_items(sites).values()] == ["B"]
    assert {one.state for one in sites.ledger.deliveries(kind="invoices")} == {"delivered"}
    assert len(bills(sites)) == 1


class Killed(BaseException):
    """The process ends: nothing after this point is run."""


def test_a_worker_killed_before_it_reserved_a_voucher_that_shares_the_bill_leaves_it_reserved(
    sites: Sites, monkeypatch: pytest.MonkeyPatch
) -> None:
    flow = ordered(sites)
    entered(sites)

    def die(*_: Any) -> Any:
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(sites.jde, "set_pay_status", die)
        with pytest.raises(Killed):
            flow.run()
    assert [status for status, _left in pay_items(sites).values()] == ["A"]
    for _ in range(3):
        later(sites, flow)
    assert [status for status, _left in pay_items(sites).values()] == ["B"]
    assert [one.state for one in sites.ledger.deliveries(kind="invoices")] == ["delivered"]
    assert len(bills(sites)) == 1


def test_a_bill_that_waited_becomes_no_voucher_beside_one_that_has_come_meanwhile(sites: Sites) -> None:
    flow = ordered(sites, received=None)
    approve(sites)
    later(sites, flow)
    assert "is not received" in parked(sites, "vouchers")
    sites.erp.add(receipts({"F4311": list(sites.erp.contents["F4311"])}))
    entered(sites, Decimal("10.00"))
    for _ in range(2):
        flow.replay(actor="test", reason="received")
        later(sites, flow)
    assert [row["AG"] for row in rows(sites)] == [10]


def test_a_voucher_entered_after_the_bill_was_read_stops_the_one_that_would_be_made(sites: Sites) -> None:
    ordered(sites)
    approve(sites)
    entered(sites)
    (bill,) = sites.bill.invoices()
    inner = sites.jde.target("vouchers", company="00001")
    change = Change(document=bill, key=bill.key, crosswalk=sites.ledger.crosswalk)
    with pytest.raises(mc.TargetChanged, match="00001/PV/300001"):
        MatchedOrders(inner, sites.jde).prepare(change)


def test_a_restart_goes_on_where_the_last_one_stopped(build: Build, tmp_path: Any) -> None:
    sites = build(ledger=tmp_path / "acme.db")
    ordered(sites)
    approve(sites)
    for step in range(4):
        with mc.Ledger(tmp_path / "acme.db", actor="test", clock=sites.clock) as ledger:
            again = Sites(sites.clock, sites.erp, sites.payables, sites.jde, sites.bill, ledger)
            later(again, again.flow(orders=True))
            if step == 1:
                sites.erp.post()
                processed(sites, *bills(sites))
    assert len(bills(sites)) == len(rows(sites)) == len(sites.erp.contents["F0413"]) == 1


@pytest.mark.parametrize("who", ["bill", "person"])
def test_a_ledger_that_was_lost_doubles_neither_bill_nor_voucher_nor_payment(build: Build, who: str) -> None:
    sites = build()
    flow = ordered(sites)
    if who == "bill":
        approve(sites)
        later(sites, flow)
        sites.erp.post()
    else:
        entered(sites)
        flow.run()
    sites.clock.advance(dt.timedelta(days=2))
    with mc.Ledger(":memory:", actor="test", clock=sites.clock) as ledger:
        again = Sites(sites.clock, sites.erp, sites.payables, sites.jde, sites.bill, ledger)
        flow = again.flow(orders=True)
        later(again, flow)
        approve(again)
        later(again, flow)
        assert len(bills(again)) == len(rows(again)) == 1
        processed(again, *bills(again))
        for _ in range(3):
            later(again, flow)
        assert len(rows(again)) == 1
        assert len(sites.erp.contents.get("F0413", ())) <= 1
        if who == "bill":
            assert [left for _status, left in pay_items(again).values()] == [0]
        else:
            assert "it was made of the pay item's order" in parked(again, "invoices")


def test_a_bill_whose_order_s_ledger_was_lost_before_there_was_a_voucher_is_known_again(sites: Sites) -> None:
    ordered(sites)
    with mc.Ledger(":memory:", actor="test", clock=sites.clock) as ledger:
        again = Sites(sites.clock, sites.erp, sites.payables, sites.jde, sites.bill, ledger)
        report = again.flow(orders=True).run()
        assert report.kinds["purchase_orders"].delivered == 1
        assert len(bills(again)) == 1


@pytest.mark.parametrize("more", [0, 1])
def test_a_payment_finds_the_voucher_of_the_order_without_the_ledger_where_they_agree(sites: Sites, more: int) -> None:
    ordered(sites)
    entered(sites, total(sites) + more)
    processed(sites, *bills(sites))
    with mc.Ledger(":memory:", actor="test", clock=sites.clock) as ledger:
        again = Sites(sites.clock, sites.erp, sites.payables, sites.jde, sites.bill, ledger)
        later(again, again.flow(orders=True, kinds=["payments"]))
        assert [one.state for one in ledger.deliveries(kind="payments")] == ["parked" if more else "delivered"]
    assert [left == 0 for _status, left in pay_items(sites).values()] == [not more]


def test_a_site_that_stops_sending_orders_still_knows_which_bills_were_theirs(sites: Sites) -> None:
    ordered(sites)
    entered(sites)
    report = sites.flow().run()
    assert "purchase_orders" not in report.kinds
    assert report.kinds["invoices"].delivered == 1
    assert len(bills(sites)) == 1


def test_a_voucher_waits_while_its_order_is_on_its_way_to_bill(sites: Sites) -> None:
    furnish(sites)
    flow = sites.flow(orders=True)
    sites.flow(kinds=["suppliers"]).run()
    sites.payables.fail(drop="after", match=lambda call: "bills" in call.path and call.method == "POST")
    flow.run()
    entered(sites, minutes=1)
    report = flow.run()
    assert report.kinds["invoices"].reasons == {f"order {KEY} is on its way to BILL": 1}
    for _ in range(2):
        later(sites, flow)
    assert len(bills(sites)) == 1
    assert [one.state for one in sites.ledger.deliveries(kind="invoices")] == ["delivered"]


def test_an_order_whose_bill_never_arrived_leaves_the_bill_to_its_voucher(sites: Sites) -> None:
    furnish(sites)
    flow = sites.flow(orders=True)
    sites.flow(kinds=["suppliers"]).run()
    sites.payables.fail(drop="before", match=lambda call: "bills" in call.path and call.method == "POST")
    flow.run()
    entered(sites)
    for _ in range(3):
        later(sites, flow)
    assert [one.state for one in sites.ledger.deliveries(kind="purchase_orders")] == ["superseded"]
    (bill,) = sites.payables.contents["bills"]
    assert str(bill["description"]).startswith("JDEDWARDS:00001/PV/300001/001")


def test_a_voucher_of_an_order_whose_bill_was_taken_back_has_a_bill_of_its_own(sites: Sites) -> None:
    flow = ordered(sites)
    (first,) = bills(sites)
    sites.clock.advance(dt.timedelta(minutes=30))
    sites.erp.update("F4301", ORDER, HOLD="B1")
    flow.run()
    assert bills(sites) == []
    entered(sites)
    flow.run()
    assert len(bills(sites)) == 1
    assert bills(sites) != [first]
    sites.clock.advance(dt.timedelta(minutes=30))
    sites.erp.update("F4301", ORDER, HOLD="")
    report = flow.run()
    assert report.kinds["purchase_orders"].reasons == {"its vouchers are paid, not the order": 1}
    assert len(bills(sites)) == 1


def test_a_credit_of_the_order_is_a_credit_and_keeps_its_bill_from_nothing(sites: Sites) -> None:
    flow = ordered(sites)
    entered(sites, Decimal("-10.00"), DCT="PD")
    flow.run()
    assert [row["amount"] for row in sites.payables.contents["vendor-credits"]] == [10]
    approve(sites)
    later(sites, flow)
    assert {row["DCT"] for row in rows(sites)} == {"PD", "PV"}


def test_a_voucher_paid_by_hand_is_the_order_s_debt_too(sites: Sites) -> None:
    furnish(sites)
    entered(sites, DCT="PM", PST="P", AAP=0)
    report = sites.flow(orders=True).run()
    assert report.kinds["purchase_orders"].reasons == {"its vouchers are paid, not the order": 1}
    assert bills(sites) == []


def test_a_bill_whose_mark_was_deleted_is_still_the_order_s(sites: Sites) -> None:
    flow = ordered(sites)
    approve(sites)
    sites.payables.update("bills", bills(sites)[0], description=None)
    later(sites, flow)
    assert len([row for row in sites.erp.contents["F43121"] if row["MATC"] == "2"]) == 3
    assert [status for status, _left in pay_items(sites).values()] == ["B"]


def test_a_reference_that_does_not_tell_everything_means_any_order_of_its_number(sites: Sites) -> None:
    furnish(sites)
    entered(sites, PDCT="", PKCO="", SFXO="")
    voucher = "00001/PV/300001"
    known = ["00002/OX/50001", "00001/OP/50001/001", "00001/OP/50002"]
    found = orders_of(sites.jde, [voucher], lambda: known)
    assert found == {voucher: ("00002/OX/50001", "00001/OP/50001/001")}
    assert orders_of(sites.jde, [voucher], list) == {voucher: (KEY,)}
    assert {key: len(one) for key, one in vouchers_of(sites.jde, known).items()} == dict(
        zip(known, (1, 1, 0), strict=True)
    )


def test_a_thousand_orders_take_few_calls(sites: Sites) -> None:
    furnish(sites, 300, received=None)
    sites.flow(kinds=["suppliers"]).run()
    sites.payables.forget_calls()
    sites.erp.forget_calls()
    report = sites.flow(orders=True, kinds=["purchase_orders"]).run()
    assert report.kinds["purchase_orders"].delivered == 300
    assert len(sites.payables.calls) <= 20
    assert len(sites.erp.calls) <= 60


def test_reconciliation_holds_orders_against_their_bills(sites: Sites) -> None:
    flow = ordered(sites, 2)
    first, second = bills(sites)
    whole = flow.reconcile(since=dt.date(2026, 2, 1), until=dt.date(2026, 2, 28))
    (balance,) = [one for one in whole.balances if one.kind == "purchase_orders"]
    assert balance.amount == balance.sent == balance.there == total(sites) + total(sites, 50002)
    assert {one.what for one in whole.findings if one.kind == "purchase_orders"} == {"late"}
    sites.payables.update("bills", second, archived=True)
    found = flow.reconcile(since=dt.date(2026, 2, 1), until=dt.date(2026, 2, 28)).findings
    assert ("void there", second) in [(one.what, one.there) for one in found]
    assert ("void there", first) not in [(one.what, one.there) for one in found]
