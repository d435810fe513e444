"""PeopleSoft and Cleo, both ways, end to end against both simulators."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import attrs
import pytest

import mlconnector as mc
from mlconnector import flows, x12
from mlconnector.peoplesoft import PeopleSoft
from mlconnector.testing import CleoSimulator, ManualClock, PeopleSoftSimulator

START = dt.datetime(2026, 3, 2, 8, tzinfo=dt.UTC)
PARTNER = x12.Partner(sender=x12.Id("ZZ", "ACME"), receiver=x12.Id("01", "123456789"), usage="T")
THEM = attrs.evolve(PARTNER, sender=PARTNER.receiver, receiver=PARTNER.sender)
SUPPLIER = "0000001001"


@attrs.define
class Site:
    clock: ManualClock
    erp: PeopleSoftSimulator
    network: CleoSimulator
    people: PeopleSoft
    cleo: mc.Cleo
    ledger: mc.Ledger

    def flow(self, **options: Any) -> mc.Flow:
        routes = options.pop("routes", [flows.Route(SUPPLIER, PARTNER, folder="outbox/ACME")])
        return flows.peoplesoft_to_cleo(self.people, self.cleo, ledger=self.ledger, routes=routes, **options)

    def sent(self, code: str) -> list[x12.TransactionSet]:
        return [ts for upload in self.network.uploads for ts in x12.read(upload.data) if ts.code == code]

    def receive(self, name: str, ts: x12.TransactionSet, number: int) -> None:
        text = x12.interchange([ts], THEM, control=x12.ControlNumbers(number, number), at=START)
        self.network.add(f"inbox/{name}", text.encode())

    def vouchers(self) -> list[Any]:
        return [row for name, rows in self.erp.contents.items() if name == "VOUCHER" for row in rows]


@pytest.fixture
def site() -> Iterator[Site]:
    clock = ManualClock(START)
    with (
        PeopleSoftSimulator(clock=clock) as erp,
        CleoSimulator(clock=clock) as network,
        PeopleSoft(
            erp.url,
            node=erp.node,
            auth=erp.auth,
            business_units=["US001"],
            setids=["SHARE"],
            requesting_node=erp.requesting_node,
            clock=clock,
            timeout=20,
        ) as people,
        mc.Cleo(network.url, auth=network.auth, clock=clock, timeout=20) as cleo,
        mc.Ledger(":memory:", actor="test", clock=clock) as ledger,
    ):
        yield Site(clock, erp, network, people, cleo, ledger)


def order(number: str = "0000000101") -> mc.PurchaseOrder:
    return mc.PurchaseOrder(
        number=number,
        company="US001",
        date=dt.date(2026, 2, 20),
        supplier=mc.Party(number=SUPPLIER, name="Parts Emporium"),
        ship_to=mc.Party(number="US001", name="Dock"),
        currency="USD",
        lines=[
            mc.OrderLine(
                number="1",
                description="Bolt",
                item_ids={"buyer": "B-1"},
                quantity=Decimal(10),
                unit="EA",
                unit_price=Decimal("2.50"),
                price_unit="EA",
                amount=Decimal(25),
                requested_date=dt.date(2026, 4, 1),
            )
        ],
        total=Decimal(25),
    )


def bill(number: str = "SI-77", quantity: str = "10", total: str = "25.00") -> x12.TransactionSet:
    """What the supplier invoices, as the order told it."""
    invoice = mc.Invoice(
        number=number,
        kind="voucher",
        supplier_invoice_number=number,
        date=dt.date(2026, 3, 1),
        supplier=mc.Party(number=SUPPLIER, name="Parts Emporium"),
        company="US001",
        currency="USD",
        gross=Decimal(total),
        purchase_order="0000000101",
        lines=[
            mc.InvoiceLine(
                number="1",
                kind="item",
                item_ids={"buyer": "B-1"},
                quantity=Decimal(quantity),
                unit="EA",
                unit_price=Decimal("2.50"),
                price_unit="EA",
                amount=Decimal(total),
                purchase_order="0000000101",
                order_line="1",
            )
        ],
    )
    return x12.to_810(invoice, THEM, role="self_billed", order_number="0000000101")


def test_an_order_goes_out_and_the_suppliers_invoice_becomes_one_voucher(site: Site) -> None:
    site.erp.add(order())
    flow = site.flow()
    report = flow.run()
    assert report.kinds["purchase_orders"].delivered == 1
    assert len(site.sent("850")) == 1
    site.receive("810.edi", bill(), 5)
    report = flow.run()
    assert report.kinds["inbox"].delivered == 1
    assert len(site.sent("997")) == 1
    site.erp.build_vouchers()
    site.clock.advance(dt.timedelta(hours=1))
    flow.run()
    assert len(site.vouchers()) == 1
    (delivery,) = site.ledger.deliveries(kind="vouchers")
    assert delivery.state == "delivered"
    # The partner's own invoice is not sent back to it (rule B1).
    site.clock.advance(dt.timedelta(hours=30))
    flow.run()
    assert site.sent("810") == []


@pytest.mark.parametrize("known_by", ["ledger", "mark"])
def test_the_partners_own_invoice_is_told_by_the_ledger_and_by_its_mark(site: Site, known_by: str) -> None:
    site.erp.add(order())
    flow = site.flow()
    flow.run()
    site.receive("810.edi", bill(), 5)
    flow.run()
    site.erp.build_vouchers()
    (row,) = site.vouchers()
    if known_by == "ledger":
        key = {name: row[name] for name in ("BUSINESS_UNIT", "VOUCHER_ID")}
        site.erp.update("VOUCHER", key, DESCR254_MIXED=" ")
    site.clock.advance(dt.timedelta(hours=1))
    with mc.Ledger(":memory:", actor="test", clock=site.clock) as lost:
        ledger = site.ledger if known_by == "ledger" else lost
        report = attrs.evolve(site, ledger=ledger).flow(kinds=["purchase_orders", "invoices"]).run()
    assert report.kinds["invoices"].excluded == 1
    assert site.sent("810") == []


def test_the_same_invoice_under_other_numbers_is_one_voucher(site: Site) -> None:
    site.erp.add(order())
    flow = site.flow()
    flow.run()
    for number in (5, 6):
        site.receive(f"810 {number}.edi", bill(), number)
        flow.run()
        site.clock.advance(dt.timedelta(minutes=5))
    site.erp.build_vouchers()
    flow.run()
    assert len(site.vouchers()) == 1
    assert len(site.sent("997")) == 2


def test_the_same_number_with_another_amount_is_parked(site: Site) -> None:
    site.erp.add(order())
    flow = site.flow()
    flow.run()
    site.receive("810 a.edi", bill(), 5)
    flow.run()
    site.erp.build_vouchers()
    site.clock.advance(dt.timedelta(minutes=5))
    flow.run()
    site.receive("810 b.edi", bill(quantity="4", total="10.00"), 6)
    report = flow.run()
    assert report.kinds["vouchers"].parked == 1
    assert len(site.vouchers()) == 1


def test_a_lost_answer_to_the_message_makes_no_second_voucher(site: Site) -> None:
    site.erp.add(order())
    flow = site.flow()
    flow.run()
    site.receive("810.edi", bill(), 5)
    site.erp.fail(drop="after", match="HttpListeningConnector")
    flow.run()
    site.erp.build_vouchers()
    for _ in range(3):
        site.clock.advance(dt.timedelta(hours=10))
        flow.run()
    assert len(site.vouchers()) == 1
    (delivery,) = site.ledger.deliveries(kind="vouchers")
    assert delivery.state == "delivered"


def test_an_invoice_without_an_order_is_parked(site: Site) -> None:
    flow = site.flow()
    site.receive("810.edi", bill(), 5)
    report = flow.run()
    assert report.kinds["vouchers"].parked == 1
    assert site.vouchers() == []


def test_a_997_whose_upload_was_lost_goes_out_where_its_absence_can_be_proven(site: Site) -> None:
    """The flow's look_up= holds for what it acknowledges too: it is looked for, and repeated with the same numbers."""
    site.network.add({"alias": "ACME", "outbox": "outbox/ACME", "sentbox": "sent/ACME"})
    route = flows.Route(SUPPLIER, PARTNER, folder="outbox/ACME", sentbox="sent/ACME", connection="ACME")
    flow = site.flow(routes=[route], look_up="reliable")
    site.receive("810.edi", bill(), 5)
    site.network.fail(drop="before", match="997_")
    assert flow.run().kinds["acknowledgments"].in_doubt == 1
    site.clock.advance(dt.timedelta(hours=1))
    flow.run()
    assert [one.state for one in site.ledger.deliveries(kind="acknowledgments")] == ["delivered"]
    assert len(site.sent("997")) == 1


def test_options_of_vouchers_that_the_flow_does_not_make_are_refused(site: Site) -> None:
    with pytest.raises(mc.InvalidArgument, match="setid"):
        site.flow(kinds=["purchase_orders"], vouchers={"setid": "SHARE"})
