from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlconnector.errors import InvalidArgument
from mlconnector.testing import ManualClock
from mlconnector.testing._bill import BILLSimulator
from mlconnector.testing._bill_payments import may_follow
from tests.testing.bill import Bare, bill


@pytest.fixture
def sim() -> Iterator[BILLSimulator]:
    with BILLSimulator(clock=ManualClock()) as simulator:
        yield simulator


@pytest.fixture
def bare(sim: BILLSimulator) -> Iterator[Bare]:
    with Bare(sim) as client:
        yield client


def amounts(bare: Bare, key: str) -> list[Any]:
    row = bare.get(f"bills/{key}")
    return [row[name] for name in ("scheduledAmount", "paidAmount", "dueAmount", "paymentStatus")]


def test_nothing_is_paid_through_the_api_without_mfa(sim: BILLSimulator, bare: Bare) -> None:
    for path in ("payments", "payments/bulk", "payments/mass"):
        assert bare.refused("POST", path, {"amount": 1}, status=403) == ["BDC_1361"]
    assert sim.contents["payments"] == ()


def test_one_payment_over_three_bills_goes_through_its_states(sim: BILLSimulator, bare: Bare) -> None:
    vendor = bare.vendor()
    bills = [bare.post("bills", bill(vendor, f"N{index}", 100 * index))["id"] for index in (1, 2, 3)]
    payment = sim.pay(*bills, transaction_number="OURS", process_date=dt.date(2026, 12, 17))
    row = bare.get(f"payments/{payment}")
    assert payment.startswith("stp")
    assert (row["amount"], row["status"], row["singleStatus"]) == (600, "SCHEDULED", "SCHEDULED")
    assert [(part["billId"], part["amount"]) for part in row["billPayments"]] == [
        (bills[0], 100),
        (bills[1], 200),
        (bills[2], 300),
    ]
    assert "billId" not in row
    assert (row["processDate"], row["transactionNumber"], row["onlinePayment"]) == ("2026-12-17", "OURS", True)
    assert row["disbursementInfo"] == {"isVoidable": False}
    assert amounts(bare, bills[1]) == [200, 0, 200, "SCHEDULED"]
    sim.advance(payment, "READY_TO_FUND", "FUNDING_STARTED")
    assert amounts(bare, bills[1]) == [200, 0, 200, "SCHEDULED"]
    sim.advance(payment, "PROCESSED")
    assert amounts(bare, bills[1]) == [0, 200, 0, "PAID"]
    sim.advance(payment, "CLEARED")
    row = bare.get(f"payments/{payment}")
    assert (row["status"], row["disbursementStatus"]) == ("PAID", "DONE")
    sim.advance(payment, "DISBURSEMENT_FAILED_ACTION_NEEDED")
    assert bare.get(f"payments/{payment}")["disbursementStatus"] == "FAILED"
    assert amounts(bare, bills[1]) == [0, 200, 0, "PAID"]
    sim.void(payment, reason="bank")
    row = bare.get(f"payments/{payment}")
    assert (row["status"], row["singleStatus"]) == ("VOID", "VOIDED")
    assert row["voidInfo"] == [{"type": "VOID_ONLY", "reason": "bank"}]
    assert amounts(bare, bills[1]) == [0, 0, 200, "UNPAID"]


@pytest.mark.parametrize("word", ["PARTIAL", "PARTIALLY_PAID"])
def test_a_bill_can_be_paid_in_parts(word: str) -> None:
    with BILLSimulator(partial_word=word) as sim, Bare(sim) as bare:
        key = bare.post("bills", bill(bare.vendor(), "N", 100))["id"]
        first = sim.pay("N", amounts={"N": Decimal("40.10")}, status="CLEARED")
        assert bare.get(f"payments/{first}")["billId"] == key
        assert amounts(bare, key) == [0, Decimal("40.1"), Decimal("59.9"), word]
        with pytest.raises(InvalidArgument, match="59"):
            sim.pay(key, amounts={key: Decimal(60)})
        second = sim.pay(key, method="CHECK")
        assert amounts(bare, key) == [Decimal("59.9"), Decimal("40.1"), Decimal("59.9"), "SCHEDULED"]
        sim.advance(second, "CANCELED")
        assert bare.get(f"payments/{second}")["status"] == "CANCELLED"
        assert amounts(bare, key)[3] == word


def test_credits_are_used_up_beside_the_money(sim: BILLSimulator, bare: Bare) -> None:
    vendor = bare.vendor()
    key = bare.post("bills", bill(vendor, "N", 100))["id"]
    credit = sim.add(
        {"vendorId": vendor, "referenceNumber": "C", "vendorCreditLineItems": [{"amount": 30}]},
        resource="vendor-credits",
    )
    payment = sim.pay("N", credits={"N": {credit: Decimal(30)}}, status="PROCESSED")
    row = bare.get(f"payments/{payment}")
    assert (row["amount"], row["billPayments"][0]["vendorCredits"]) == (70, [{"id": credit, "amount": 30}])
    assert amounts(bare, key) == [0, 70, 0, "PAID"]
    used = bare.get(f"vendor-credits/{credit}")
    assert (used["status"], used["usage"]) == (
        "FULLY_APPLIED",
        [{"billId": key, "paymentId": payment, "amount": 30}],
    )
    sim.void(payment)
    assert bare.get(f"vendor-credits/{credit}")["status"] == "NOT_APPLIED"
    with pytest.raises(InvalidArgument):
        sim.pay("N", credits={"N": {"vcrX": Decimal(1)}})


def test_a_foreign_payment_tells_what_it_cost(sim: BILLSimulator, bare: Bare) -> None:
    bare.post("bills", bill(bare.vendor(billCurrency="EUR"), "N", 100))
    payment = sim.pay("N", exchange_rate=Decimal("1.0875"))
    row = bare.get(f"payments/{payment}")
    assert (row["amount"], row["exchangeRate"], row["fundingAmount"]) == (100, Decimal("1.0875"), Decimal("108.75"))


def test_an_offline_payment_is_recorded_through_the_api(sim: BILLSimulator, bare: Bare) -> None:
    vendor, other = bare.vendor(), bare.vendor()
    key = bare.post("bills", bill(vendor, "N", 100))["id"]
    body = {"vendorId": vendor, "processDate": "2026-12-17", "payments": [{"billId": key, "amount": 60}]}
    payment = bare.post("bills/record-payment", body, status=200)
    assert (payment["onlinePayment"], payment["disbursementType"], payment["status"]) == (False, "OFFLINE", "PAID")
    assert amounts(bare, key) == [0, 60, 40, "PARTIAL"]
    assert bare.refused("POST", "bills/record-payment", body, status=422) == ["BDC_1143"]
    assert bare.refused("POST", "bills/record-payment", {**body, "vendorId": other}, status=422) == ["BDC_1119"]
    assert bare.refused("POST", "bills/record-payment", {**body, "payments": []}) == ["payments: must not be empty"]
    sim.void(payment["id"])
    assert amounts(bare, key) == [0, 0, 100, "UNPAID"]


def test_payments_are_cancelled_while_scheduled_and_voided_once_processed(sim: BILLSimulator, bare: Bare) -> None:
    vendor = bare.vendor()
    for number in ("A", "B"):
        bare.post("bills", bill(vendor, number))
    first, second = sim.pay("A"), sim.pay("B", status="PROCESSED")
    void = {"type": "VOID_ONLY", "reason": "x"}
    assert bare.refused("POST", f"payments/{first}/void", void, status=422) == ["BDC_1143"]
    assert bare.post(f"payments/{first}/cancel", status=200)["cancelRequestSubmitted"] is True
    assert bare.refused("POST", f"payments/{first}/cancel", status=422) == ["BDC_1143"]
    assert "Cannot construct" in bare.refused("POST", f"payments/{second}/void", {"type": "NOW"})[0]
    assert bare.post(f"payments/{second}/void", void, status=200)["voidInfo"] == [void]
    assert bare.refused("POST", f"payments/{second}/void", void, status=422) == ["BDC_1143"]
    assert bare.refused("POST", "payments/stpX/void", void, status=404) == ["BDC_1205"]


def test_what_cannot_be_paid_is_refused(sim: BILLSimulator, bare: Bare) -> None:
    for number in ("A", "B"):
        bare.post("bills", bill(bare.vendor(), number))
    for wrong in (
        sim.pay,
        lambda: sim.pay("A", "B"),
        lambda: sim.pay("A", "A"),
        lambda: sim.pay("C"),
        lambda: sim.pay("A", amounts={"A": Decimal(-1)}),
        lambda: sim.advance("stpX", "SENT"),
        lambda: sim.void(sim.pay("B")),
    ):
        with pytest.raises(InvalidArgument):
            wrong()


def test_a_payment_moves_its_bills_stamp_or_does_not() -> None:
    for moved in (True, False):
        clock = ManualClock()
        with BILLSimulator(clock=clock, stamp_paid_bills=moved) as sim, Bare(sim) as bare:
            key = bare.post("bills", bill(bare.vendor(), "N"))["id"]
            clock.advance(60)
            sim.pay("N")
            row = bare.get(f"bills/{key}")
            assert (row["updatedTime"] > row["createdTime"]) is moved


def test_a_payment_outlives_a_bill_that_is_gone(sim: BILLSimulator, bare: Bare) -> None:
    key = bare.post("bills", bill(bare.vendor(), "N"))["id"]
    payment = sim.pay("N")
    sim.remove("bills", key)
    sim.advance(payment, "SENT")
    assert bare.get(f"payments/{payment}")["billPayments"][0]["billId"] == key


def test_a_payment_can_be_put_in_as_a_row(sim: BILLSimulator, bare: Bare) -> None:
    key = bare.post("bills", bill(bare.vendor(), "N", 100))["id"]
    own = "stp01ABCDEFGHIJKLMNO"
    part = {"billId": key, "amount": Decimal(25)}
    row = {"id": own, "billPayments": [part], "singleStatus": "SENT", "processDate": dt.date(2026, 12, 1)}
    assert sim.add({**row, "transactionNumber": "T", "description": "d"}, resource="payments") == own
    found = bare.get(f"payments/{own}")
    assert (found["singleStatus"], found["description"], found["processDate"]) == ("SENT", "d", "2026-12-01")
    single = sim.add({"billId": key, "amount": 5, "onlinePayment": False}, resource="payments")
    assert amounts(bare, key) == [0, 30, 70, "PARTIAL"]
    sim.update("payments", single, description="changed")
    assert bare.get(f"payments/{single}")["description"] == "changed"


@pytest.mark.parametrize(
    ("way", "end"),
    [
        (["CANCELLATION_IN_PROGRESS", "CANCELED"], True),
        (["CANCELLATION_IN_PROGRESS", "READY_TO_FUND"], False),
        (["FUNDING_STARTED", "FUNDING_FAILED_ACTION_NEEDED", "FUNDING_STARTED", "PROCESSED"], False),
        (["FUNDING_STARTED", "FUNDING_FAILED_ACTION_NEEDED", "FUNDING_FAILED_VOIDED"], True),
        (["PROCESSED", "SENT", "DELIVERED", "PARTIALLY_CLAIMED", "CLEARED"], False),
        (["CLEARED", "DISBURSEMENT_FAILED_VENDOR_BANK_REJECTED", "SENT", "CLEARED"], False),
        (["SENT", "DISBURSEMENT_ON_HOLD", "VOID_PENDING", "VOIDED"], True),
        (["DELIVERED", "EXPIRING", "FUNDS_ESCHEATED"], True),
        (["UNDEFINED", "NEWLY_INVENTED", "SENT"], False),
    ],
)
def test_the_ways_a_payment_goes(sim: BILLSimulator, bare: Bare, way: list[str], end: bool) -> None:
    bare.post("bills", bill(bare.vendor(), "N"))
    payment = sim.pay("N")
    sim.advance(payment, *way)
    assert bare.get(f"payments/{payment}")["singleStatus"] == way[-1]
    after = [
        word for word in ("VOIDED", "SENT", "NEWLY_INVENTED", "SCHEDULED", "UNDEFINED") if may_follow(way[-1], word)
    ]
    assert (not after) is end


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("SENT", "PROCESSED"),
        ("SENT", "SENT"),
        ("PROCESSED", "CANCELED"),
        ("SCHEDULED", "VOIDED"),
        ("SCHEDULED", "DISBURSEMENT_FAILED_ACTION_NEEDED"),
        ("SCHEDULED", "FUNDING_FAILED_VOIDED"),
        ("DISBURSEMENT_ON_HOLD", "READY_TO_FUND"),
        ("VOIDED", "NEWLY_INVENTED"),
    ],
)
def test_what_does_not_follow(old: str, new: str) -> None:
    assert not may_follow(old, new)


@settings(max_examples=30, deadline=None)
@given(
    lines=st.lists(st.decimals("0.01", "9999999.99", places=2), min_size=1, max_size=5),
    share=st.integers(min_value=0, max_value=100),
)
def test_amounts_of_bills_are_exact(lines: list[Decimal], share: int) -> None:
    with BILLSimulator() as sim:
        vendor = sim.add({"name": "V"}, resource="vendors")
        sim.add(bill(vendor, "N", *lines), resource="bills")
        total = sum(lines)
        part = round(total * share / 100, 2)
        sim.pay("N", amounts={"N": part}, status="CLEARED")
        row = sim.contents["bills"][0]
        assert (row["amount"], row["paidAmount"], row["dueAmount"]) == (total, part, total - part)
