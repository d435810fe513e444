"""Oracle Fusion to Cleo, end to end against both simulators."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import attrs
import pytest

import mlconnector as mc
from mlconnector import flows, x12
from mlconnector.testing import CleoSimulator, FusionSimulator, ManualClock

START = dt.datetime(2026, 3, 2, 8, tzinfo=dt.UTC)
PARTNER = x12.Partner(sender=x12.Id("ZZ", "ACME"), receiver=x12.Id("01", "123456789"), usage="T")
WAREHOUSE = attrs.evolve(PARTNER, receiver=x12.Id("ZZ", "DEPOT"))


@attrs.define
class Pod:
    clock: ManualClock
    erp: FusionSimulator
    network: CleoSimulator
    fusion: mc.OracleFusion
    cleo: mc.Cleo
    ledger: mc.Ledger

    def flow(self, **options: Any) -> mc.Flow:
        routes = options.pop(
            "routes",
            [
                flows.Route("1001", PARTNER, folder="outbox/ACME", sends=("810", "820")),
                flows.Route("C77", WAREHOUSE, folder="outbox/DEPOT", sends=("856",), role="warehouse"),
                flows.Route(ledger="US Primary", format="csv", folder="outbox/journals"),
            ],
        )
        return flows.fusion_to_cleo(self.fusion, self.cleo, ledger=self.ledger, routes=routes, **options)

    def sent(self, code: str) -> list[x12.TransactionSet]:
        edi = [upload for upload in self.network.uploads if upload.path.endswith(".edi")]
        return [ts for upload in edi for ts in x12.read(upload.data) if ts.code == code]


@pytest.fixture
def pod() -> Iterator[Pod]:
    clock = ManualClock(START)
    with (
        FusionSimulator(clock=clock) as erp,
        CleoSimulator(clock=clock) as network,
        mc.OracleFusion(erp.url, auth=erp.auth, clock=clock, timeout=20) as fusion,
        mc.Cleo(network.url, auth=network.auth, clock=clock, timeout=20) as cleo,
        mc.Ledger(":memory:", actor="test", clock=clock) as ledger,
    ):
        yield Pod(clock, erp, network, fusion, cleo, ledger)


def invoice(number: str = "300100", lines: int = 2, **changes: Any) -> mc.Invoice:
    parts = [
        mc.InvoiceLine(number=str(index), kind="amount", description="Work", amount=Decimal("12.50"), account="101-10")
        for index in range(1, lines + 1)
    ]
    gross = Decimal("12.50") * lines
    values = {
        "number": number,
        "kind": "voucher",
        "supplier_invoice_number": f"INV-{number}",
        "date": dt.date(2026, 2, 20),
        "due_date": dt.date(2026, 3, 20),
        "supplier": mc.Party(number="1001", name="Parts Emporium"),
        "currency": "USD",
        "gross": gross,
        "open": gross,
        "lines": parts,
        "posted": True,
        **changes,
    }
    return mc.Invoice(**values)


def payment(amount: str = "25.00", **changes: Any) -> mc.Payment:
    values = {
        "number": "9001",
        "date": dt.date(2026, 3, 1),
        "method": "CHECK",
        "amount": Decimal(amount),
        "currency": "USD",
        "payee": mc.Party(number="1001", name="Parts Emporium"),
        "status": "Negotiable",
        "applications": [mc.Application(invoice="300100", amount=Decimal("25.00"))],
        **changes,
    }
    return mc.Payment(**values)


def test_invoices_and_payments_reach_the_supplier_once(pod: Pod) -> None:
    pod.erp.add(invoice())
    pod.erp.add(payment())
    flow = pod.flow()
    report = flow.run()
    assert report.ok
    assert {kind: one.delivered for kind, one in report.kinds.items() if one.delivered} == {
        "invoices": 1,
        "payments": 1,
    }
    (copy,), (advice,) = pod.sent("810"), pod.sent("820")
    assert x12.from_810(copy).supplier_invoice_number == "INV-300100"
    told = x12.from_820(advice)
    assert told.amount == Decimal(25)
    assert sum(one.amount for one in told.applications) == Decimal(25)
    assert advice.segments[0][1] == "I"
    assert not x12.validate(advice)
    pod.clock.advance(dt.timedelta(hours=3))
    assert flow.run().kinds["invoices"].delivered == 0
    assert len(pod.network.uploads) == 2


def test_a_payment_that_does_not_add_up_is_parked_with_both_figures(pod: Pod) -> None:
    pod.erp.add(invoice())
    pod.erp.add(payment("26.00"))
    report = pod.flow().run()
    assert report.kinds["payments"].parked == 1
    (parked,) = pod.ledger.deliveries(kind="payments")
    assert any("26" in fault and "25" in fault for fault in parked.faults)


def test_a_void_after_the_advice_is_shown_and_never_sent(pod: Pod) -> None:
    pod.erp.add(invoice())
    pod.erp.add(payment())
    flow = pod.flow()
    flow.run()
    pod.clock.advance(dt.timedelta(hours=1))
    (row,) = pod.fusion.payments()
    pod.erp.update("payablesPayments", int(row.key), PaymentStatus="Voided", VoidDate=dt.date(2026, 3, 2))
    report = flow.run()
    assert any("voided" in item.text for item in report.attention)
    assert len(pod.sent("820")) == 1


def test_a_payment_voided_before_its_advice_could_go_is_never_told(pod: Pod) -> None:
    pod.erp.add(invoice())
    pod.erp.add(payment())
    flow = pod.flow()
    outage = [True]
    pod.network.fail(
        status=429, match=lambda call: bool(outage) and call.method == "PUT" and "820_" in call.path, times=1000
    )
    with contextlib.suppress(mc.MLConnectorError):
        flow.run()
    (advice,) = pod.ledger.deliveries(kind="payments")
    assert advice.state == "recorded"
    outage.clear()
    pod.clock.advance(dt.timedelta(hours=1))
    (row,) = pod.fusion.payments()
    pod.erp.update("payablesPayments", int(row.key), PaymentStatus="Voided", VoidDate=dt.date(2026, 3, 2))
    for _ in range(2):
        pod.clock.advance(dt.timedelta(hours=1))
        flow.run()
    assert pod.sent("820") == []
    assert len(pod.sent("810")) == 1


def test_a_dispute_walks_back_from_the_file_to_the_invoice(pod: Pod) -> None:
    pod.erp.add(invoice())
    pod.erp.add(payment())
    pod.flow().run()
    (name,) = [one.marker for one in pod.ledger.deliveries(kind="payments")]
    assert name is not None
    trace = flows.trace_payment(pod.ledger, pod.fusion, name)
    assert trace.payment.number == "9001"
    assert [one.supplier_invoice_number for one in trace.invoices] == ["INV-300100"]
    with pytest.raises(mc.InvalidArgument, match="No payment"):
        flows.trace_payment(pod.ledger, pod.fusion, "820_other.edi")


def test_journal_lines_go_as_files_by_their_ledger(pod: Pod) -> None:
    pod.erp.add(
        mc.JournalLine(
            number="77/Accruals/1",
            date=dt.date(2026, 2, 28),
            ledger="US Primary",
            account="101-10",
            debit=Decimal("12.30"),
            currency="USD",
        )
    )
    report = pod.flow().run()
    assert report.kinds["journal_lines"].delivered == 1
    (upload,) = pod.network.uploads
    assert upload.path.startswith("outbox/journals/")
    head, line = upload.data.decode().splitlines()
    assert Decimal(dict(zip(head.split(","), line.split(","), strict=True))["debit"]) == Decimal("12.30")


def test_codes_inside_a_document_are_the_partners_where_they_are_linked(pod: Pod) -> None:
    pod.ledger.crosswalk.link("account", fusion="101-10", cleo="5000")
    pod.erp.add(
        mc.JournalLine(
            number="77/Accruals/1",
            date=dt.date(2026, 2, 28),
            ledger="US Primary",
            account="101-10",
            debit=Decimal(1),
            currency="USD",
        )
    )
    pod.flow(routes=[flows.Route(account="101-10", format="json", folder="outbox/j")]).run()
    (upload,) = pod.network.uploads
    assert json.loads(upload.data)["account"] == "5000"


def test_only_kinds_that_a_route_takes_are_read(pod: Pod) -> None:
    flow = pod.flow(routes=[flows.Route("1001", PARTNER)])
    assert flow.kinds[:3] == ("inbox", "answers", "invoices")
    with pytest.raises(mc.InvalidArgument, match="warehouse"):
        flows.Route("C77", WAREHOUSE, sends=("856",))


def test_a_child_list_of_sixty_lines_arrives_whole(pod: Pod) -> None:
    pod.erp.add(invoice(lines=60))
    assert pod.flow().run().ok
    assert len(x12.from_810(pod.sent("810")[0]).lines) == 60


def test_a_thousand_changed_invoices_take_ten_calls(pod: Pod) -> None:
    for number in range(1000):
        pod.erp.add(invoice(str(300000 + number)))
    pod.erp.forget_calls()
    assert len(list(pod.fusion.invoices(since=START - dt.timedelta(days=30)))) == 1000
    assert len(pod.erp.calls) <= 10


def test_a_shipment_goes_to_the_warehouse_it_is_for(pod: Pod) -> None:
    pod.erp.define("shipments", ShipToPartyNumber="S", ShipToPartyName="S")
    pod.erp.add(
        mc.Shipment(
            number="88001",
            date=dt.date(2026, 3, 1),
            carrier="UPS",
            orders=["PO-9"],
            items=[
                mc.ShipmentItem(
                    number="1",
                    order_number="PO-9",
                    order_line="1",
                    item_ids={"buyer": "B-1"},
                    quantity=Decimal(4),
                    unit="EA",
                )
            ],
            extras={"ShipToPartyNumber": "C77", "ShipToPartyName": "Depot"},
        )
    )
    report = pod.flow().run()
    assert report.kinds["shipments"].delivered == 1
    (notice,) = pod.sent("856")
    assert x12.from_856(notice).orders == ("PO-9",)
    assert notice.interchange.receiver == WAREHOUSE.receiver
