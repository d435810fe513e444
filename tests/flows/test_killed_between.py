"""A worker killed, by a real SIGKILL, between the answer of JD Edwards and the ledger: what it did is there once."""

from __future__ import annotations

import datetime as dt
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import mlconnector as mc
from mlconnector.testing import BILLSimulator, CoupaSimulator, JDEdwardsSimulator, ManualClock
from tests.flows import test_jde_to_bill as bill_tests
from tests.flows import test_jde_to_coupa as coupa_tests

POSTER = Path(__file__).with_name("poster.py")


def work(name: str, folder: Path, sites: Any, other: Any, *, dies_after: str = "none") -> int:
    """Run a worker, and say how it ended."""
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(["", *sys.path]),
        "WORKER_ERP_URL": sites.erp.url,
        "WORKER_OTHER_URL": other.url,
        "WORKER_SCOPE": " ".join(other._tokens.scopes) if name == "jde_to_coupa" else "",
    }
    command = [sys.executable, str(POSTER), name, str(folder), sites.clock.now().isoformat(), dies_after]
    return subprocess.run(command, env=environment, check=False, timeout=60).returncode


def state(folder: Path, clock: ManualClock, kind: str) -> str:
    with mc.Ledger(folder / "ledger.db", actor="judge", high_water=folder / "hw.json", clock=clock) as ledger:
        assert ledger.verify() > 5
        return ledger.deliveries(kind=kind)[-1].state


def killed_and_started_again(name: str, folder: Path, sites: Any, other: Any, kind: str, orchestration: str) -> None:
    """One worker dies with the answer in its hands; those after it look, and do not repeat it."""
    calls = [call.path for call in sites.erp.calls]
    assert work(name, folder, sites, other, dies_after=orchestration) == -signal.SIGKILL
    assert sum(orchestration in call.path for call in sites.erp.calls[len(calls) :]) == 1
    assert state(folder, sites.clock, kind) == "sending"
    for _ in range(2):
        sites.clock.advance(dt.timedelta(hours=1))
        assert work(name, folder, sites, other) == 0
    assert state(folder, sites.clock, kind) == "delivered"
    assert sum(orchestration in call.path for call in sites.erp.calls[len(calls) :]) == 1


@pytest.mark.parametrize("orchestration", ["ML_MatchVoucher", "ML_CreateAPVoucher", "ML_ReverseVoucher"])
def test_a_voucher_is_posted_or_reversed_once(tmp_path: Path, orchestration: str) -> None:
    clock = ManualClock(coupa_tests.START)
    with (
        JDEdwardsSimulator(clock=clock) as erp,
        CoupaSimulator(clock=clock) as spend,
        mc.JDEdwardsAIS(erp.url, auth=erp.auth, clock=clock, timeout=20) as jde,
        mc.Coupa(spend.url, auth=spend.auth, clock=clock, timeout=20) as coupa,
    ):
        with mc.Ledger(tmp_path / "ledger.db", actor="test", high_water=tmp_path / "hw.json", clock=clock) as ledger:
            sites = coupa_tests.Sites(clock, erp, spend, jde, coupa, ledger)
            flow = coupa_tests.ready(sites, bank_account="00000001", targets={"payments": {"look_up": "reliable"}})
            if orchestration == "ML_CreateAPVoucher":
                (account, *_) = (row["id"] for row in spend.contents["accounts"] if row["code"] == "M30-6110")
                line = {"type": "InvoiceAmountLine", "line-num": 1, "description": "Service", "price": 12}
                spend.update("invoices", 1, invoice_lines=[{**line, "account": {"id": account}}])
            if orchestration == "ML_ReverseVoucher":
                flow.run()
                clock.advance(dt.timedelta(minutes=30))
                spend.update("invoices", 1, status="voided")
        killed_and_started_again("jde_to_coupa", tmp_path, sites, spend, "vouchers", orchestration)
        living = [mark for _number, mark, _gross in coupa_tests.posted(sites)]
        assert living == ([] if orchestration == "ML_ReverseVoucher" else ["COUPA:1"])


@pytest.mark.parametrize("orchestration", ["ML_RecordAPPayment", "ML_VoidAPPayment"])
def test_a_payment_is_recorded_or_voided_once(tmp_path: Path, orchestration: str) -> None:
    clock = ManualClock(bill_tests.START)
    with (
        JDEdwardsSimulator(clock=clock) as erp,
        BILLSimulator(clock=clock) as payables,
        mc.JDEdwardsAIS(erp.url, auth=erp.auth, clock=clock, timeout=20) as jde,
        mc.BILL(payables.url, auth=payables.auth, clock=clock, timeout=20, lock_dir=tmp_path) as bill,
    ):
        with mc.Ledger(tmp_path / "ledger.db", actor="test", high_water=tmp_path / "hw.json", clock=clock) as ledger:
            sites = bill_tests.Sites(clock, erp, payables, jde, bill, ledger)
            flow = bill_tests.sent(sites, 1)
            payment = payables.pay(*bill_tests.bills(sites))
            payables.advance(payment, "PROCESSED")
            if orchestration == "ML_VoidAPPayment":
                bill_tests.later(sites, flow)
                payables.void(payment)
            clock.advance(dt.timedelta(minutes=30))
        killed_and_started_again("jde_to_bill", tmp_path, sites, payables, "payments", orchestration)
        (header,) = erp.contents["F0413"]
        assert bool(header["VDGJ"]) == (orchestration == "ML_VoidAPPayment")
        ((status, left),) = bill_tests.pay_items(sites).values()
        assert (status, left == 0) == (("B", False) if orchestration == "ML_VoidAPPayment" else ("P", True))
