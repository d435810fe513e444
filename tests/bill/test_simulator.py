"""The client against the shipped simulator of BILL, with everything the reference leaves open set to each value."""

from __future__ import annotations

import datetime as dt
import threading
from pathlib import Path
from typing import Any

import pytest

import mlconnector as mc
from mlconnector.bill import BILL, BillSession
from mlconnector.testing import ManualClock
from mlconnector.testing._bill import BILLSimulator
from tests.bill.conftest import supplier, voucher

PARTIES = [mc.Party(number=str(n), name=f'V "{n}", Ltd', tax_id=f"98-{n:07}") for n in range(50)]


def client(network: BILLSimulator, folder: Path, **options: Any) -> BILL:
    organization, key = network.organization_id, network.dev_key
    auth = BillSession(network.username, network.password, organization_id=organization, dev_key=key)
    return BILL(network.url, auth=auth, lock_dir=folder, **options)


def changes(target: Any, documents: list[Any]) -> list[mc.Prepared]:
    return [target.prepare(mc.Change(document=one, key=one.key)) for one in documents]


@pytest.mark.parametrize(
    "options", [{}, {"short_pages": True}, {"thin_lists": True}, {"list_lag": 30}, {"login_status": 500}]
)
def test_suppliers_and_bills_go_out_and_come_back(tmp_path: Path, options: dict[str, Any]) -> None:
    clock = ManualClock(dt.datetime(2026, 3, 2, 8, 20, tzinfo=dt.UTC))
    with BILLSimulator(clock=clock, **options) as network, client(network, tmp_path, clock=clock) as bill:
        network.add("chart-of-accounts", row={"name": "Supplies", "account": {"type": "EXPENSE", "number": "6010"}})
        network.add("departments", row={"name": "M30"})
        assert bill.check().ok, str(bill.check())
        target = bill.target("suppliers")
        masters = [supplier(one.number, name=one.name, tax_id=one.tax_id) for one in PARTIES]
        for start in range(0, 50, 20):
            made = target.deliver(changes(target, masters[start : start + 20]))
            assert all(isinstance(one, mc.Receipt) for one in made)
        network.forget_calls()
        invoices = [voucher(str(n), payee=PARTIES[n * 7 % 50]) for n in range(1000)]
        target = bill.target("invoices")
        for start in range(0, 1000, 100):
            made = target.deliver(changes(target, invoices[start : start + 100]))
            assert all(isinstance(one, mc.Receipt) and not one.existing for one in made)
        assert len(network.calls) <= 40
        clock.advance(600)
        assert target.find(changes(target, invoices[5:6])[0]).by == "content"
        credit = voucher("9001", "-5.00", payee=PARTIES[0])
        assert bill.save_invoices([credit])[0].id
        clock.advance(600)
        assert [one.existing for one in bill.save_invoices([*invoices[:20], credit])] == [True] * 21
        read = {one.supplier_invoice_number: one for one in bill.invoices(limit=100)}
        assert read["00001/PV/7"].lines[0].amount == 100
        assert read["00001/PV/7"].currency == "USD"
        assert len(list(bill.suppliers())) == 50
        assert network.max_in_flight_seen <= 3


def test_sixteen_threads_of_two_clients_are_never_refused_for_load(tmp_path: Path) -> None:
    with BILLSimulator(latency=0.005) as network:
        clients = [client(network, tmp_path) for _ in range(2)]

        def work(bill: BILL) -> None:
            for _ in range(3):
                list(bill.suppliers())

        threads = [threading.Thread(target=work, args=(bill,)) for bill in clients for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for bill in clients:
            bill.close()
        assert network.max_in_flight_seen <= 3
        assert {call.status for call in network.calls} == {200}
