"""JD Edwards and BILL, both ways, end to end against both simulators."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import attrs
import pytest

import mlconnector as mc
from mlconnector import flows
from mlconnector.flows._pay_items import pay_items_of
from mlconnector.testing import (
    BILLSimulator,
    JDEdwardsSimulator,
    ManualClock,
    accounts,
    fiscal_calendar,
    suppliers,
    vouchers,
)

START = dt.datetime(2026, 3, 2, 8, tzinfo=dt.UTC)


@attrs.define
class Sites:
    clock: ManualClock
    erp: JDEdwardsSimulator
    payables: BILLSimulator
    jde: mc.JDEdwardsAIS
    bill: mc.BILL
    ledger: mc.Ledger

    def flow(self, **options: Any) -> mc.Flow:
        return flows.jde_to_bill(
            self.jde,
            self.bill,
            ledger=self.ledger,
            **{
                "begin": "everything",
                "hand_over": flows.PayStatus("B"),
                "bank_account": "00000001",
                "company": "00001",
                "targets": {"payments": {"look_up": "reliable"}},
                **options,
            },
        )


@pytest.fixture
def sites(tmp_path: Path) -> Iterator[Sites]:
    clock = ManualClock(START)
    with (
        JDEdwardsSimulator(clock=clock) as erp,
        BILLSimulator(clock=clock) as payables,
        mc.JDEdwardsAIS(erp.url, auth=mc.AISSession(erp.username, erp.password), clock=clock, timeout=20) as jde,
        mc.BILL(payables.url, auth=payables.auth, clock=clock, timeout=20, lock_dir=tmp_path) as bill,
        mc.Ledger(":memory:", actor="test", clock=clock) as ledger,
    ):
        yield Sites(clock, erp, payables, jde, bill, ledger)


def furnish(sites: Sites, count: int = 3, odd: Any = None) -> None:
    """Both sides know the same accounts, departments and periods; vouchers are posted and open."""
    sites.erp.add(suppliers(3))
    sites.erp.add(vouchers(count, odd=odd))
    sites.erp.add(accounts())
    sites.erp.add({"PTC": "N30", "PTD": "Net 30", "NDTP": 30}, table="F0014")
    sites.erp.add(fiscal_calendar(2026, period=3))
    for account in sites.jde.accounts():
        sites.payables.add(mc.Account(number=account.object, object=account.object, description=account.description))
    sites.payables.add(mc.CostCenter(number="M30", name="Boulder plant"))


def pay_items(sites: Sites) -> dict[str, tuple[str, Decimal]]:
    """Pay status and open amount by pay item."""
    return {
        f"{row['DOC']}/{row['SFX']}": (row["PST"], row["AAP"])
        for row in sites.erp.contents["F0411"]
        if not row.get("DCTA")
    }


def bills(sites: Sites) -> list[str]:
    return [str(row["id"]) for row in sites.payables.contents["bills"] if not row["archived"]]


def sent(sites: Sites, count: int = 3, odd: Any = None, **options: Any) -> mc.Flow:
    """A flow whose pay items are bills."""
    furnish(sites, count, odd)
    flow = sites.flow(**options)
    assert flow.run().kinds["invoices"].delivered >= count
    return flow


def later(sites: Sites, flow: mc.Flow, minutes: int = 30) -> mc.Report:
    sites.clock.advance(dt.timedelta(minutes=minutes))
    return flow.run()


def test_each_open_pay_item_is_one_bill_reserved_before_it_exists(sites: Sites) -> None:
    flow = sent(sites, 2, {0: ["split"]})
    assert len(bills(sites)) == 3
    assert {status for status, _left in pay_items(sites).values()} == {"B"}
    amounts = [row["amount"] for row in sites.payables.contents["bills"]]
    assert sum(amounts) == sum(left for _status, left in pay_items(sites).values())
    for row in sites.payables.contents["bills"]:
        assert sum(line["amount"] for line in row["billLineItems"]) == row["amount"]
    report = later(sites, flow)
    assert len(bills(sites)) == 3
    assert report.kinds["vouchers"].delivered == report.kinds["vouchers"].parked == 0
    assert len(sites.erp.contents["F0411"]) == 3


def test_a_payment_lands_once_on_its_voucher_and_makes_no_voucher(sites: Sites) -> None:
    flow = sent(sites)
    payment = sites.payables.pay(bills(sites)[0])
    later(sites, flow)
    assert sites.erp.contents.get("F0413", ()) == ()
    sites.payables.advance(payment, "PROCESSED")
    later(sites, flow)
    for status in ("SENT", "CLEARED"):
        sites.payables.advance(payment, status)
        later(sites, flow)
    assert len(sites.erp.contents["F0413"]) == 1
    assert sorted(left == 0 for _status, left in pay_items(sites).values()) == [False, False, True]
    assert len(pay_items(sites)) == 3
    # The bill that was paid stays as it is: what is open in JD Edwards went down because of it.
    assert len(bills(sites)) == 3
    later(sites, flow, minutes=60 * 30)
    assert len(sites.erp.contents["F0413"]) == 1


def test_one_payment_over_three_bills_is_one_payment(sites: Sites) -> None:
    furnish(sites, 1, {0: ["split"]})
    flow = sites.flow()
    flow.run()
    payment = sites.payables.pay(*bills(sites))
    sites.payables.advance(payment, "PROCESSED")
    later(sites, flow)
    assert len(sites.erp.contents["F0413"]) == 1
    assert len(sites.erp.contents["F0414"]) == len(bills(sites)) > 1
    assert all(left == 0 for _status, left in pay_items(sites).values())


def test_a_partial_payment_leaves_the_rest_open_and_the_bill_alone(sites: Sites) -> None:
    flow = sent(sites, 1)
    (bill,) = bills(sites)
    before = sites.payables.contents["bills"][0]["amount"]
    payment = sites.payables.pay(bill, amounts={bill: Decimal("100.00")})
    sites.payables.advance(payment, "PROCESSED")
    report = later(sites, flow)
    ((status, left),) = pay_items(sites).values()
    assert left == before - 100
    assert status == "B"
    report = later(sites, flow)
    assert sites.payables.contents["bills"][0]["amount"] == before
    assert report.ok


def test_a_payment_that_clears_and_then_fails_is_taken_back_once(sites: Sites) -> None:
    flow = sent(sites, 1)
    payment = sites.payables.pay(bills(sites)[0])
    sites.payables.advance(payment, "PROCESSED")
    later(sites, flow)
    sites.payables.void(payment)
    for _ in range(3):
        later(sites, flow)
    (header,) = sites.erp.contents["F0413"]
    assert header["VDGJ"]
    ((status, left),) = pay_items(sites).values()
    assert left > 0
    # A void opens the voucher as approved: it is reserved again at once, or JD Edwards would pay it (rule B60).
    assert status == "B"
    assert len(bills(sites)) == 1


def test_a_payment_taken_back_before_it_was_posted_is_nobodys_concern(sites: Sites) -> None:
    flow = sent(sites, 1)
    payment = sites.payables.pay(bills(sites)[0])
    sites.payables.advance(payment, "CANCELLATION_IN_PROGRESS", "CANCELED")
    report = later(sites, flow)
    assert (report.kinds["payments"].excluded, report.kinds["payments"].parked) == (1, 0)
    assert sites.erp.contents.get("F0413", ()) == ()


@pytest.mark.parametrize(
    "status", ["DISBURSEMENT_FAILED_ACTION_NEEDED", "DISBURSEMENT_FAILED_VENDOR_BANK_REJECTED", "DISBURSEMENT_ON_HOLD"]
)
def test_a_payment_that_stops_on_its_way_is_shown_to_a_person(sites: Sites, status: str) -> None:
    flow = sent(sites, 1)
    payment = sites.payables.pay(bills(sites)[0])
    sites.payables.advance(payment, "PROCESSED")
    later(sites, flow)
    assert sites.ledger.attention() == []
    sites.payables.advance(payment, status)
    for _ in range(2):
        later(sites, flow)
    (item,) = sites.ledger.attention()
    assert (item.key, status in item.text) == (payment, True)
    (header,) = sites.erp.contents["F0413"]
    assert not header["VDGJ"]
    sites.payables.advance(payment, "SENT")
    later(sites, flow)
    sites.payables.void(payment)
    later(sites, flow)
    (header,) = sites.erp.contents["F0413"]
    assert header["VDGJ"]


@pytest.mark.parametrize("match", ["bills", "ML_RecordAPPayment", "ML_SetPayStatus"])
def test_a_lost_answer_doubles_nothing(sites: Sites, match: str) -> None:
    furnish(sites)
    flow = sites.flow()
    simulator: Any = sites.erp if match.startswith("ML_") else sites.payables
    if match != "ML_RecordAPPayment":
        simulator.fail(drop="after", match=lambda call: match in call.path and call.method == "POST")
    flow.run()
    for _ in range(3):
        later(sites, flow)
    assert len(bills(sites)) == 3
    payment = sites.payables.pay(bills(sites)[0])
    sites.payables.advance(payment, "PROCESSED")
    if match == "ML_RecordAPPayment":
        simulator.fail(drop="after", match=match)
    for _ in range(4):
        later(sites, flow)
    assert len(sites.erp.contents["F0413"]) == 1
    assert {one.state for one in sites.ledger.deliveries(kind="payments")} == {"delivered"}


def test_webhook_and_poll_see_the_same_payment_and_post_it_once(sites: Sites) -> None:
    from mlconnector import webhooks

    flow = sent(sites, 1, inbox="bill")
    subscription = sites.payables.subscribe()
    payment = sites.payables.pay(bills(sites)[0])
    sites.payables.advance(payment, "PROCESSED")
    verifier = webhooks.BillVerifier(sites.payables.security_key(subscription))

    def receive(headers: Any, body: bytes) -> int:
        for _ in range(2):
            webhooks.receive(verifier, headers, body, ledger=sites.ledger, inbox="bill")
        return 200

    told = sites.payables.deliver_to(receive)
    assert told
    report = flow.run()
    assert report.kinds["events"].delivered >= 1
    assert len(sites.erp.contents["F0413"]) == 1
    sites.clock.advance(dt.timedelta(days=3))
    headers, body = sites.payables.webhook_for(told[-1])
    receive(headers, body)
    flow.run()
    assert len(sites.erp.contents["F0413"]) == 1


def test_a_bill_born_in_bill_becomes_one_voucher_and_then_its_payment(sites: Sites) -> None:
    flow = sent(sites, 1)
    vendor = sites.payables.contents["vendors"][0]["id"]
    row = {
        "vendorId": vendor,
        "dueDate": dt.date(2026, 4, 1),
        "approvalStatus": "APPROVED",
        "invoice": {"invoiceNumber": "OWN-1", "invoiceDate": dt.date(2026, 3, 1)},
        "billLineItems": [
            {
                "amount": Decimal("42.00"),
                "classifications": {"chartOfAccountId": sites.payables.contents["chart-of-accounts"][0]["id"]},
            }
        ],
    }
    own = sites.payables.add(row, resource="bills")
    account = sites.payables.contents["chart-of-accounts"][0]["id"]
    sites.ledger.crosswalk.link("account", jdedwards="M30.6110", bill=account)
    later(sites, flow)
    made = [row for row in sites.erp.contents["F0411"] if row["RMK"] == f"BILL:{own}"]
    assert [row["VINV"] for row in made] == ["OWN-1"]
    # BILL pays it: JD Edwards' own payment run must not (rule B60).
    assert [row["PST"] for row in made] == ["B"]
    sites.erp.post()
    payment = sites.payables.pay(own)
    sites.payables.advance(payment, "PROCESSED")
    later(sites, flow)
    later(sites, flow)
    assert len([row for row in sites.erp.contents["F0411"] if row["RMK"] == f"BILL:{own}"]) == 1
    assert len(sites.erp.contents["F0413"]) == 1
    assert len(bills(sites)) == 2


def test_a_bill_whose_mark_people_took_out_becomes_no_second_voucher(sites: Sites) -> None:
    flow = sent(sites, 1)
    (key,) = bills(sites)
    sites.clock.advance(dt.timedelta(minutes=30))
    sites.payables.update("bills", key, description="our May order", approvalStatus="APPROVED")
    report = flow.run()
    assert report.kinds["vouchers"].excluded == 1
    assert len(pay_items(sites)) == 1


def test_a_later_hold_takes_an_unpaid_bill_back(sites: Sites) -> None:
    flow = sent(sites, 1)
    (row,) = sites.erp.contents["F0411"]
    key = {name: row[name] for name in ("DOC", "DCT", "KCO", "SFX", "SFXE")}
    sites.clock.advance(dt.timedelta(minutes=30))
    sites.erp.update("F0411", key, PST="H")
    flow.run()
    assert bills(sites) == []


def test_a_debit_memo_is_a_vendor_credit(sites: Sites) -> None:
    sent(sites, 2, {1: ["debit_memo"]})
    assert len(bills(sites)) == 1
    assert len(sites.payables.contents["vendor-credits"]) == 1


@pytest.mark.parametrize(("currency", "shares"), [("USD", ["99.90", "233.10"]), ("JPY", ["100", "233"])])
def test_shares_of_lines_are_whole_units_of_the_currency(currency: str, shares: list[str]) -> None:
    voucher = mc.Invoice(
        number="1",
        type="PV",
        company="00001",
        currency=currency,
        gross=Decimal(1000),
        lines=[mc.InvoiceLine(number="1", amount=Decimal(300)), mc.InvoiceLine(number="2", amount=Decimal(700))],
        pay_items=[mc.PayItem(number="001", gross=Decimal(333), open=Decimal(333))],
    )
    (item,) = pay_items_of(voucher, lambda *_: ())
    assert [f"{line.amount:f}" for line in item.lines] == shares


def test_who_pays_must_be_said(sites: Sites) -> None:
    with pytest.raises(mc.InvalidArgument, match="hand_over"):
        sites.flow(hand_over=None)
    for wrong in (lambda: flows.PayStatus("A"), lambda: flows.PaymentInstrument(""), lambda: flows.Trusted(" ")):
        with pytest.raises(mc.InvalidArgument):
            wrong()
    steps = {step.name: step for step in sites.flow().check().steps}
    assert steps["hand-over: pay status"].ok
    assert "because" in str(sites.flow(hand_over=flows.Trusted("because")).check())


def test_only_vouchers_with_the_instrument_go(sites: Sites) -> None:
    furnish(sites, 2)
    row = sites.erp.contents["F0411"][0]
    key = {name: row[name] for name in ("DOC", "DCT", "KCO", "SFX", "SFXE")}
    sites.erp.update("F0411", key, PYIN="B")
    report = sites.flow(hand_over=flows.PaymentInstrument("B")).run()
    assert report.kinds["invoices"].delivered == 1
    assert report.kinds["invoices"].waiting == 1


def test_a_thousand_bills_take_at_most_forty_calls(sites: Sites) -> None:
    sites.erp.add(suppliers(50))
    sites.erp.add(vouchers(1000, suppliers=50))
    sites.erp.add(accounts())
    sites.erp.add(fiscal_calendar(2026, period=3))
    for account in sites.jde.accounts():
        sites.payables.add(mc.Account(number=account.object, object=account.object, description=account.description))
    sites.payables.add(mc.CostCenter(number="M30", name="Boulder plant"))
    sites.flow(kinds=["suppliers"]).run()
    sites.payables.forget_calls()
    report = sites.flow(kinds=["invoices"], hand_over=flows.Trusted("measured")).run()
    assert report.kinds["invoices"].delivered == 1000
    assert len(sites.payables.calls) <= 40
    assert sites.payables.most_in_flight <= 3
