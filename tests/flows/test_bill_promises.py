"""What holds between JD Edwards and BILL whatever happens: nothing paid twice, nothing posted twice, nothing lost."""

from __future__ import annotations

import contextlib
import datetime as dt
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

import mlconnector as mc
from mlconnector import flows, webhooks
from mlconnector.testing import BILLSimulator, JDEdwardsSimulator, ManualClock, suppliers, vouchers
from mlconnector.testing._ais_books import FinancialRules
from mlconnector.testing._ais_orchestrations import OrchestrationSite
from tests.flows.test_jde_to_bill import START, Sites, bills, furnish, later, pay_items, sent

Build = Callable[..., Sites]
ITEM = ("DOC", "DCT", "KCO", "SFX", "SFXE")


@pytest.fixture
def build(tmp_path: Path) -> Iterator[Build]:
    """Makes both systems with their own habits."""
    with contextlib.ExitStack() as stack:

        def make(
            *,
            site: dict[str, Any] | None = None,
            rules: dict[str, Any] | None = None,
            payables: dict[str, Any] | None = None,
            ledger: str | Path = ":memory:",
        ) -> Sites:
            clock = ManualClock(START)
            enter = stack.enter_context
            erp = enter(
                JDEdwardsSimulator(
                    clock=clock,
                    orchestrations=OrchestrationSite(**site or {}),
                    financials=FinancialRules(**rules or {}),
                )
            )
            pays = enter(BILLSimulator(clock=clock, **payables or {}))
            jde = enter(mc.JDEdwardsAIS(erp.url, auth=erp.auth, clock=clock, timeout=20))
            bill = enter(mc.BILL(pays.url, auth=pays.auth, clock=clock, timeout=20, lock_dir=tmp_path))
            book = enter(mc.Ledger(ledger, actor="test", clock=clock))
            return Sites(clock, erp, pays, jde, bill, book)

        yield make


def rows(sites: Sites) -> list[Any]:
    return [row for row in sites.erp.contents["F0411"] if not row["DCTA"]]


def change(sites: Sites, row: Any, **columns: Any) -> None:
    sites.clock.advance(dt.timedelta(minutes=30))
    sites.erp.update("F0411", {name: row[name] for name in ITEM}, **columns)


def processed(sites: Sites, *names: str, **options: Any) -> str:
    payment = sites.payables.pay(*names, **options)
    sites.payables.advance(payment, "PROCESSED")
    return payment


def paid_twice(sites: Sites) -> bool:
    """Whether JD Edwards has been told of more money than BILL has moved."""
    told = sum(row["PAAP"] for row in sites.erp.contents.get("F0413", ()) if not row["VDGJ"])
    moved = sum(
        row["amount"]
        for row in sites.payables.contents["payments"]
        if row["singleStatus"] not in ("VOIDED", "CANCELED")
    )
    return bool(told > moved)


@pytest.mark.parametrize(
    "habits",
    [
        {"payables": {"thin_lists": True, "short_pages": True}},
        {"payables": {"list_lag": 90.0, "stamp_paid_bills": False, "partial_word": "PARTIALLY_PAID"}},
        {"payables": {"rate_status": 429, "mask_tax_ids": False}},
        {"rules": {"payment_sign": -1, "void_keeps_gross": False}},
        {"site": {"numbers": "number", "status_fields": False, "refusals": "step"}},
        {"site": {"refusals": "status", "date_format": None}},
    ],
    ids=lambda habits: "-".join(name for part in habits.values() for name in part),
)
def test_out_paid_voided_and_paid_again_whatever_the_sites_are_like(build: Build, habits: dict[str, Any]) -> None:
    sites = build(**habits)
    flow = sent(sites, 3)
    first = processed(sites, bills(sites)[0])
    for _ in range(3):
        later(sites, flow)
    sites.payables.void(first)
    for _ in range(2):
        later(sites, flow)
    assert {status for status, _left in pay_items(sites).values()} == {"B"}
    processed(sites, bills(sites)[0])
    for _ in range(3):
        later(sites, flow)
    assert len(sites.erp.contents["F0413"]) == 2
    assert len(bills(sites)) == len(pay_items(sites)) == 3
    assert not paid_twice(sites)
    assert not [one.faults for one in sites.ledger.deliveries() if one.state in ("parked", "in doubt")]


def test_one_payment_over_three_bills_is_one_payment_on_three_vouchers(build: Build) -> None:
    sites = build()
    sites.erp.add(vouchers(3, suppliers=1))
    furnish(sites, 1)
    sites.erp.add(vouchers(3, suppliers=1, master=False))
    flow = sites.flow()
    flow.run()
    processed(sites, *bills(sites))
    later(sites, flow)
    later(sites, flow)
    assert len(sites.erp.contents["F0413"]) == 1
    assert len({row["DOC"] for row in sites.erp.contents["F0414"]}) == 3
    assert all(left == 0 for _status, left in pay_items(sites).values())


@pytest.mark.parametrize("drop", ["before", "after"])
def test_a_void_reserves_every_pay_item_it_has_opened_though_answers_are_lost(build: Build, drop: Any) -> None:
    sites = build()
    flow = sent(sites, 1, {0: ["split"]})
    assert len(bills(sites)) > 1
    payment = processed(sites, *bills(sites))
    later(sites, flow)
    assert {status for status, _left in pay_items(sites).values()} == {"P"}
    sites.payables.void(payment)
    sites.erp.fail(drop=drop, match="ML_VoidAPPayment")
    sites.erp.fail(status=503, match="ML_SetPayStatus", times=2)
    for _ in range(5):
        later(sites, flow)
    assert {status for status, _left in pay_items(sites).values()} == {"B"}
    assert [row["DCTM"] for row in sites.erp.contents["F0414"]].count("PO") == len(bills(sites))
    assert {one.state for one in sites.ledger.deliveries(kind="payments")} == {"delivered"}


def test_a_pay_item_that_cannot_be_reserved_after_a_void_is_shown_to_a_person(build: Build) -> None:
    sites = build(rules={"reopened_pay_status": "#"})
    flow = sent(sites, 1)
    payment = processed(sites, *bills(sites))
    later(sites, flow)
    sites.payables.void(payment)
    later(sites, flow)
    assert any("open again and not reserved" in item.text for item in sites.ledger.attention())


def test_a_reserved_pay_item_that_is_open_to_jd_edwards_again_is_shown(build: Build) -> None:
    sites = build()
    flow = sent(sites, 1)
    later(sites, flow)
    change(sites, rows(sites)[0], PST="A")
    report = flow.run()
    assert report.kinds["invoices"].reasons == {"open to JD Edwards' own payments": 1}
    assert any("pay status is A again" in item.text for item in sites.ledger.attention())
    assert len(bills(sites)) == 1


@pytest.mark.parametrize("status", ["#", "H", "R", "%"])
def test_what_jd_edwards_pays_or_holds_is_taken_back_from_bill(build: Build, status: str) -> None:
    sites = build()
    flow = sent(sites, 2)
    change(sites, rows(sites)[0], PST=status)
    flow.run()
    assert len(bills(sites)) == 1


def test_a_hold_that_is_lifted_brings_the_same_bill_back(build: Build) -> None:
    sites = build()
    flow = sent(sites, 1)
    (bill,) = bills(sites)
    change(sites, rows(sites)[0], PST="H")
    flow.run()
    assert bills(sites) == []
    change(sites, rows(sites)[0], PST="A")
    flow.run()
    assert bills(sites) == [bill]
    assert [status for status, _left in pay_items(sites).values()] == ["B"]
    processed(sites, bill)
    later(sites, flow)
    assert len(sites.erp.contents["F0413"]) == 1


def test_a_lost_answer_to_bringing_a_bill_back_doubles_nothing(build: Build) -> None:
    sites = build()
    flow = sent(sites, 1)
    (bill,) = bills(sites)
    change(sites, rows(sites)[0], PST="H")
    flow.run()
    change(sites, rows(sites)[0], PST="A")
    sites.payables.fail(drop="after", match="restore")
    for _ in range(3):
        later(sites, flow)
    assert bills(sites) == [bill]


def test_what_jd_edwards_paid_by_itself_is_not_paid_by_bill_too(build: Build) -> None:
    sites = build()
    flow = sent(sites, 2)
    (first, second) = rows(sites)
    key = f"{first['KCO']}/{first['DCT']}/{first['DOC']}/{first['SFX']}"
    own = mc.Payment(
        number="1",
        date=START.date(),
        amount=first["AAP"],
        currency="USD",
        applications=[mc.Application(invoice=key, amount=first["AAP"])],
        provenance=mc.Provenance(system="manual", kind="payments", key="1"),
    )
    sites.clock.advance(dt.timedelta(minutes=30))
    sites.jde.record_payment(own, bank_account="00000001")
    flow.run()
    assert len(bills(sites)) == 1
    assert sites.payables.contents["bills"][1]["amount"] == second["AAP"]


def test_what_both_have_paid_waits_for_a_person(build: Build) -> None:
    sites = build()
    flow = sent(sites, 1)
    (row,) = rows(sites)
    (bill,) = bills(sites)
    processed(sites, bill, amounts={bill: Decimal("10.00")})
    later(sites, flow)
    key = f"{row['KCO']}/{row['DCT']}/{row['DOC']}/{row['SFX']}"
    own = mc.Payment(
        number="1",
        date=START.date(),
        amount=Decimal("20.00"),
        currency="USD",
        applications=[mc.Application(invoice=key, amount=Decimal("20.00"))],
        provenance=mc.Provenance(system="manual", kind="payments", key="1"),
    )
    sites.clock.advance(dt.timedelta(minutes=30))
    sites.jde.record_payment(own, bank_account="00000001")
    flow.run()
    conflict = [one for one in sites.ledger.deliveries(kind="invoices") if one.state == "parked"]
    assert [one.detail for one in conflict] == ["conflict"]


def test_sites_that_keep_no_reference_know_their_payments_by_the_ledger(build: Build) -> None:
    sites = build(rules={"left_empty": frozenset({"F0414.RMK"})})
    flow = sent(sites, 1)
    processed(sites, *bills(sites))
    for _ in range(3):
        report = later(sites, flow)
    assert report.ok
    assert len(bills(sites)) == 1


def test_one_pay_item_on_hold_keeps_no_other(build: Build) -> None:
    sites = build()
    furnish(sites, 1, {0: ["split"]})
    (first, *_others) = rows(sites)
    sites.erp.update("F0411", {name: first[name] for name in ITEM}, PST="R")
    report = sites.flow().run()
    assert report.kinds["invoices"].waiting == 1
    assert len(bills(sites)) == len(rows(sites)) - 1


def test_only_pay_items_with_the_instrument_go_and_one_that_loses_it_is_taken_back(build: Build) -> None:
    sites = build()
    furnish(sites, 1, {0: ["split"]})
    (first, second, *_others) = rows(sites)
    sites.erp.update("F0411", {name: second[name] for name in ITEM}, PYIN="B")
    flow = sites.flow(hand_over=flows.PaymentInstrument("B"))
    flow.run()
    assert [row["amount"] for row in sites.payables.contents["bills"]] == [second["AAP"]]
    assert first["PYIN"] != "B"
    change(sites, second, PYIN="C")
    flow.run()
    assert bills(sites) == []


def test_applied_credits_settle_their_debit_memo_in_the_same_payment(build: Build) -> None:
    sites = build()
    sites.erp.add(suppliers(3))
    furnish(sites, 1)
    sites.erp.add(vouchers(2, suppliers=1, odd={1: ["debit_memo"]}, master=False))
    flow = sites.flow()
    flow.run()
    (bill,) = bills(sites)
    (credit,) = [str(row["id"]) for row in sites.payables.contents["vendor-credits"]]
    processed(sites, bill, amounts={bill: Decimal("25.00")}, credits={bill: {credit: Decimal("5.00")}})
    before = {row["DCT"]: row["AAP"] for row in rows(sites)}
    later(sites, flow)
    after = {row["DCT"]: row["AAP"] for row in rows(sites)}
    assert not [one.faults for one in sites.ledger.deliveries(kind="payments") if one.faults]
    assert (before["PV"] - after["PV"], before["PD"] - after["PD"]) == (30, -5)
    (header,) = sites.erp.contents["F0413"]
    assert header["PAAP"] == 25


def test_a_payment_that_moves_no_money_settles_a_bill_by_its_credit(build: Build) -> None:
    sites = build()
    furnish(sites, 1)
    sites.erp.add(vouchers(2, suppliers=1, odd={1: ["debit_memo"]}, master=False))
    flow = sites.flow()
    flow.run()
    (bill,) = bills(sites)
    (credit,) = [str(row["id"]) for row in sites.payables.contents["vendor-credits"]]
    processed(sites, bill, amounts={bill: Decimal(0)}, credits={bill: {credit: Decimal("5.00")}})
    later(sites, flow)
    assert {one.state for one in sites.ledger.deliveries(kind="payments")} == {"delivered"}
    assert [row["PAAP"] for row in sites.erp.contents["F0413"]] == [0]


def test_a_ledger_that_was_lost_posts_nothing_again_and_knows_everything_again(build: Build) -> None:
    sites = build()
    furnish(sites, 2)
    sites.erp.add(vouchers(4, suppliers=1, odd={3: ["debit_memo"]}, master=False))
    flow = sites.flow()
    flow.run()
    held = bills(sites)
    (credit,) = [str(row["id"]) for row in sites.payables.contents["vendor-credits"]]
    processed(sites, held[0])
    processed(sites, held[1], amounts={held[1]: Decimal("20.00")}, credits={held[1]: {credit: Decimal("5.00")}})
    later(sites, flow)
    assert len(sites.erp.contents["F0413"]) == 2
    sites.clock.advance(dt.timedelta(days=35))
    with mc.Ledger(":memory:", actor="test", clock=sites.clock) as ledger:
        again = Sites(sites.clock, sites.erp, sites.payables, sites.jde, sites.bill, ledger)
        flow = again.flow()
        for _ in range(3):
            later(again, flow)
        processed(again, held[2])
        later(again, flow)
        assert bills(again) == held
        assert len(sites.erp.contents["F0413"]) == 3
        assert len(rows(again)) == 4
        assert not paid_twice(again)
        assert [one.state for one in ledger.deliveries(kind="payments")] == ["delivered"] * 3
    assert len(sites.payables.contents["vendor-credits"]) == 1


def test_a_payment_of_a_vendor_that_is_not_listed_yet_is_the_same_payment_later(build: Build) -> None:
    sites = build(payables={"list_lag": 90.0})
    flow = sent(sites, 1)
    payment = processed(sites, *bills(sites))
    flow.run()
    (first,) = sites.ledger.deliveries(kind="payments")
    assert (first.state, first.document.currency) == ("delivered", "USD")
    sites.payables.advance(payment, "SENT")
    later(sites, flow)
    assert [one.state for one in sites.ledger.deliveries(kind="payments")] == ["delivered"]


@pytest.mark.parametrize("drop", ["before", "after"])
def test_a_lost_answer_to_a_voucher_for_a_bill_born_in_bill_makes_one(build: Build, drop: Any) -> None:
    sites = build()
    flow = sent(sites, 1)
    own = born(sites)
    sites.erp.fail(drop=drop, match="ML_CreateAPVoucher")
    for _ in range(4):
        later(sites, flow)
    assert len([row for row in rows(sites) if row["RMK"] == f"BILL:{own}"]) == 1


def born(sites: Sites, number: str = "OWN-1", **fields: Any) -> str:
    account = sites.payables.contents["chart-of-accounts"][0]["id"]
    if sites.ledger.crosswalk.find("account", to="jdedwards", bill=account) is None:
        sites.ledger.crosswalk.link("account", jdedwards="M30.6110", bill=account)
    row = {
        "vendorId": sites.payables.contents["vendors"][0]["id"],
        "dueDate": dt.date(2026, 4, 1),
        "approvalStatus": "APPROVED",
        "invoice": {"invoiceNumber": number, "invoiceDate": dt.date(2026, 3, 1)},
        "billLineItems": [{"amount": Decimal("42.00"), "classifications": {"chartOfAccountId": account}}],
        **fields,
    }
    return str(sites.payables.add(row, resource="bills"))


def test_a_bill_nobody_approves_becomes_a_voucher_once_its_payment_is_scheduled(build: Build) -> None:
    sites = build()
    flow = sent(sites, 1)
    own = born(sites, approvalStatus="UNASSIGNED")
    assert later(sites, flow).kinds["vouchers"].waiting == 1
    payment = sites.payables.pay(own)
    later(sites, flow)
    assert len([row for row in rows(sites) if row["RMK"] == f"BILL:{own}"]) == 1
    sites.payables.advance(payment, "PROCESSED")
    later(sites, flow)
    assert len(sites.erp.contents["F0413"]) == 1


def test_a_voucher_made_of_a_bill_never_becomes_a_bill_again_though_the_ledger_is_lost(build: Build) -> None:
    sites = build()
    flow = sent(sites, 1)
    born(sites)
    later(sites, flow)
    sites.erp.post()
    before = len(sites.payables.contents["bills"])
    with mc.Ledger(":memory:", actor="test", clock=sites.clock) as ledger:
        again = Sites(sites.clock, sites.erp, sites.payables, sites.jde, sites.bill, ledger)
        account = sites.payables.contents["chart-of-accounts"][0]["id"]
        ledger.crosswalk.link("account", jdedwards="M30.6110", bill=account)
        report = later(again, again.flow())
        assert report.kinds["invoices"].reasons["born in BILL"] == 1
    assert len(sites.payables.contents["bills"]) == before
    assert len(rows(sites)) == 2


def test_a_renamed_vendor_changes_nothing_that_was_posted(build: Build) -> None:
    sites = build()
    flow = sent(sites, 1)
    own = born(sites)
    later(sites, flow)
    sites.payables.update("vendors", sites.payables.contents["vendors"][0]["id"], name="Another Name")
    processed(sites, own)
    for _ in range(2):
        later(sites, flow)
    assert {one.state for one in sites.ledger.deliveries(kind="vouchers")} == {"delivered"}


def test_a_dead_login_at_jd_edwards_stops_before_any_bill_is_made(build: Build) -> None:
    sites = build()
    furnish(sites, 3)
    flow = sites.flow()
    sites.erp.deny("ML_SetPayStatus")
    sites.erp.fail(status=404, match="discover", times=5)
    with pytest.raises(mc.PermissionDenied):
        flow.run()
    assert sites.payables.contents["bills"] == ()
    assert sum("ML_SetPayStatus" in call.path for call in sites.erp.calls) == 1


def test_a_session_that_dies_between_login_and_the_first_call_is_opened_again_once(build: Build) -> None:
    sites = build()
    furnish(sites, 2)
    flow = sites.flow()
    sites.bill.check()
    sites.payables.expire_tokens()
    sites.payables.forget_calls()
    assert flow.run().kinds["invoices"].delivered == 2
    assert sum(call.path.endswith("/login") for call in sites.payables.calls) == 1


def test_a_night_of_polls_every_ten_minutes_uses_one_login_and_a_night_without_makes_no_call(build: Build) -> None:
    sites = build()
    flow = sent(sites, 2)
    sites.payables.forget_calls()
    sites.clock.advance(dt.timedelta(hours=10))
    assert sites.payables.calls == ()
    flow.run()
    sites.payables.forget_calls()
    for _ in range(60):
        later(sites, flow, minutes=10)
    assert sites.payables.calls
    assert not [call for call in sites.payables.calls if call.path.endswith("/login")]


def test_what_is_wrong_with_a_pay_item_is_told_at_once_and_nothing_is_half_written(build: Build) -> None:
    sites = build()
    furnish(sites, 2)
    for row in sites.payables.contents["chart-of-accounts"]:
        sites.payables.remove("chart-of-accounts", row["id"])
    for row in sites.payables.contents["departments"]:
        sites.payables.remove("departments", row["id"])
    report = sites.flow().run()
    parked = [one for one in sites.ledger.deliveries(kind="invoices") if one.state == "parked"]
    assert report.kinds["invoices"].parked == len(parked) == 2
    for one in parked:
        assert any("61" in fault or "63" in fault for fault in one.faults)
        assert any("M30" in fault for fault in one.faults)
    assert sites.payables.contents["bills"] == ()
    assert {status for status, _left in pay_items(sites).values()} == {"A"}


@pytest.mark.parametrize("name", ["  Acme   Tools ", 'Smith, "Bolts" & Co, Inc', "Müller-Łódź 株式会社"])
def test_vendor_names_of_every_kind_are_found_again(build: Build, name: str) -> None:
    sites = build()
    furnish(sites, 1)
    sites.erp.update("F0101", 4343, ALPH=name)
    sites.payables.add(
        {
            "name": " ".join(name.split()),
            "additionalInfo": {"taxId": _tax(sites)},
            "billCurrency": "USD",
            "address": _address(),
        },
        resource="vendors",
    )
    sites.flow().run()
    same = [one for one in sites.payables.contents["vendors"] if " ".join(name.split()) in str(one["name"])]
    assert len(same) == 1


def _tax(sites: Sites) -> str:
    (row,) = [row for row in sites.erp.contents["F0101"] if row["AN8"] == 4343]
    return str(row["TAX"])


def _address() -> dict[str, str]:
    return {"line1": "1 Main", "city": "Boulder", "zipOrPostalCode": "80301", "country": "US"}


def test_a_country_by_name_and_a_tax_id_that_differs_park_with_every_fault(build: Build) -> None:
    sites = build()
    furnish(sites, 1)
    (address,) = [row for row in sites.erp.contents["F0116"] if row["AN8"] == 4343]
    sites.erp.update("F0116", {"AN8": 4343, "EFTB": address["EFTB"]}, CTR="USA", ADDZ="", CTY1="")
    (person,) = [row for row in sites.erp.contents["F0101"] if row["AN8"] == 4344]
    sites.payables.add(
        {"name": person["ALPH"], "additionalInfo": {"taxId": "99-9999999"}, "address": _address()}, resource="vendors"
    )
    sites.flow().run()
    parked = {one.key: one.faults for one in sites.ledger.deliveries(kind="suppliers") if one.state == "parked"}
    told = "; ".join(parked["4343"])
    assert "USA" in told
    assert "city" in told
    assert "zipOrPostalCode" in told
    assert [row["name"] for row in sites.payables.contents["vendors"]].count(person["ALPH"]) <= 2


def test_webhooks_out_of_order_and_after_three_days_leave_the_newest_state(build: Build) -> None:
    sites = build()
    flow = sent(sites, 1, inbox="bill")
    subscription = sites.payables.subscribe()
    payment = processed(sites, *bills(sites))
    sites.payables.advance(payment, "CLEARED")
    sites.payables.void(payment)
    verifier = webhooks.BillVerifier(sites.payables.security_key(subscription))
    told = sites.payables.deliver_to(lambda _headers, _body: 200)
    for event in reversed(told):
        headers, body = sites.payables.webhook_for(event)
        for _ in range(5):
            webhooks.receive(verifier, headers, body, ledger=sites.ledger, inbox="bill")
    for _ in range(2):
        later(sites, flow)
    assert not [row for row in sites.erp.contents.get("F0413", ()) if not row["VDGJ"]]
    sites.clock.advance(dt.timedelta(days=3))
    headers, body = sites.payables.webhook_for(told[0])
    webhooks.receive(verifier, headers, body, ledger=sites.ledger, inbox="bill")
    later(sites, flow)
    assert not [row for row in sites.erp.contents.get("F0413", ()) if not row["VDGJ"]]


def test_a_void_after_a_partial_payment_waits_for_a_person(build: Build) -> None:
    sites = build()
    flow = sent(sites, 1)
    (bill,) = bills(sites)
    processed(sites, bill, amounts={bill: Decimal("10.00")})
    later(sites, flow)
    change(sites, rows(sites)[0], VOD="V")
    flow.run()
    assert bills(sites) == [bill]
    assert [one.detail for one in sites.ledger.deliveries(kind="invoices") if one.state == "parked"] == ["conflict"]


def test_a_run_with_a_limit_goes_on_where_it_stopped(build: Build) -> None:
    sites = build()
    furnish(sites, 3)
    flow = sites.flow()
    flow.run(limit=1)
    assert len(bills(sites)) <= 1
    for _ in range(3):
        later(sites, flow)
    assert len(bills(sites)) == 3


def test_a_pay_item_that_was_refused_and_is_held_later_waits_without_a_trace_at_bill(build: Build) -> None:
    sites = build()
    furnish(sites, 1)
    for row in sites.payables.contents["departments"]:
        sites.payables.remove("departments", row["id"])
    flow = sites.flow()
    assert flow.run().kinds["invoices"].parked == 1
    change(sites, rows(sites)[0], PST="H")
    assert flow.run().kinds["invoices"].waiting == 1
    assert {one.state for one in sites.ledger.deliveries(kind="invoices")} == {"superseded"}
