"""Alignment of every flow against its simulators; calls are counted, since asking writes nothing (rule B80)."""

from __future__ import annotations

import contextlib
import datetime as dt
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import attrs
import pytest

import mlconnector as mc
from mlconnector import flows, x12
from mlconnector.testing import (
    CleoSimulator,
    CoupaSimulator,
    FusionSimulator,
    JDEdwardsSimulator,
    ManualClock,
    PeopleSoftSimulator,
    accounts,
    fiscal_calendar,
    orders,
    suppliers,
    vouchers,
)
from tests.desk.conftest import is_write

START = dt.datetime(2026, 2, 24, 8, tzinfo=dt.UTC)
PARTNER = x12.Partner(sender=x12.Id("ZZ", "ACME"), receiver=x12.Id("01", "123456789"), usage="T")


@attrs.define
class Place:
    """Simulators and clients on one clock; made as they are asked for."""

    clock: ManualClock
    ledger: mc.Ledger
    stack: contextlib.ExitStack
    simulators: list[Any] = attrs.Factory(list)

    def simulator(self, made: Any) -> Any:
        self.simulators.append(self.stack.enter_context(made))
        return self.simulators[-1]

    def client(self, made: Any) -> Any:
        return self.stack.enter_context(made)

    def jde(self) -> tuple[Any, Any]:
        erp = self.simulator(JDEdwardsSimulator(clock=self.clock))
        auth = mc.AISSession(erp.username, erp.password)
        return erp, self.client(mc.JDEdwardsAIS(erp.url, auth=auth, clock=self.clock, timeout=20))

    def cleo(self) -> tuple[Any, Any]:
        network = self.simulator(CleoSimulator(clock=self.clock))
        return network, self.client(mc.Cleo(network.url, auth=network.auth, clock=self.clock, timeout=20))

    def writes(self) -> int:
        reads = ("/authentication", "/oauth2/token", "ExecuteQuery", "/token")
        return sum(
            is_write(call) and not any(part in call.path for part in reads)
            for simulator in self.simulators
            for call in simulator.calls
        )


@pytest.fixture
def place() -> Iterator[Place]:
    clock = ManualClock(START)
    with contextlib.ExitStack() as stack, mc.Ledger(":memory:", actor="test", clock=clock) as ledger:
        yield Place(clock, ledger, stack)


def statuses(found: mc.delivery.Alignment, kind: str = "suppliers") -> dict[str, str]:
    return {item.here_id or item.there_id: item.status for item in found.items if item.kind == kind}


def test_jde_suppliers_and_cleo_connections(place: Place) -> None:
    erp, jde = place.jde()
    network, cleo = place.cleo()
    erp.add(suppliers(7))
    names = {supplier.number: supplier.name for supplier in jde.suppliers()}
    for fields in (
        {"alias": "ACME-VAN", "outbox": "outbox/A"},
        {"alias": names["4344"], "externalId": "4344", "outbox": "outbox/B"},
        {"alias": "Other name", "externalId": "4345", "outbox": "outbox/C"},
        {"alias": "Idle", "externalId": "4346", "outbox": "outbox/D", "ready": False, "notReadyReason": "no address"},
        {"alias": names["4347"].upper(), "outbox": "outbox/E"},
        {"alias": "Nobody", "outbox": "outbox/F"},
        {"alias": "Off", "externalId": "4348", "enabled": False, "outbox": "outbox/G"},
    ):
        network.add(fields)
    routes = [
        flows.Route("4343", PARTNER, folder="outbox/A", connection="ACME-VAN"),
        flows.Route("4349", PARTNER, folder="outbox/H"),
    ]
    flow = flows.jde_to_cleo(jde, cleo, ledger=place.ledger, routes=routes)
    found = flow.align(["suppliers"])
    assert statuses(found) == {
        "4343": "matched",
        "4344": "matched",
        "4345": "renamed",
        "4346": "not_ready",
        "4347": "matched",
        "4348": "inactive",
        "4349": "matched",
        "Nobody": "missing_here",
    }
    assert place.writes() == 0
    written = flow.align(["suppliers"], True, actor="jane", reason="month-end")
    assert [(item.here_id, item.written) for item in written.items if item.written] == [("4343", "externalId 4343")]
    assert place.writes() == 1
    assert [row["alias"] for row in cleo.connections(external_id="4343")] == ["ACME-VAN"]
    assert flow.align(write=True, actor="jane", reason="again").items
    assert place.writes() == 1


def test_partner_codes_stand_in_the_crosswalk(place: Place) -> None:
    erp, jde = place.jde()
    _network, cleo = place.cleo()
    erp.add(accounts())
    place.ledger.crosswalk.link("account", jdedwards="6110", cleo="5000")
    place.ledger.crosswalk.link("account", jdedwards="9999", cleo="5999")
    flow = flows.jde_to_cleo(jde, cleo, ledger=place.ledger, routes=[flows.Route("4343", PARTNER)])
    found = flow.align(["accounts", "cost_centers"])
    assert statuses(found, "accounts") == {"6110": "matched", "5999": "missing_here"}
    assert statuses(found, "cost_centers") == {}
    assert place.writes() == 0


def test_fusion_suppliers_and_cleo_connections(place: Place) -> None:
    erp = place.simulator(FusionSimulator(clock=place.clock))
    fusion = place.client(mc.OracleFusion(erp.url, auth=erp.auth, clock=place.clock, timeout=20))
    network, cleo = place.cleo()
    erp.add(mc.Supplier(number="1001", name="Parts Emporium"))
    erp.add(mc.Supplier(number="1002", name="Bolt Works"))
    network.add({"alias": "Parts Emporium", "externalId": "1001"})
    flow = flows.fusion_to_cleo(fusion, cleo, ledger=place.ledger, routes=[flows.Route("1009", PARTNER)])
    assert statuses(flow.align(["suppliers"])) == {"1001": "matched", "1002": "missing_there"}
    assert place.writes() == 0


def test_peoplesoft_vendors_and_cleo_connections(place: Place) -> None:
    erp = place.simulator(PeopleSoftSimulator(clock=place.clock))
    people = place.client(
        mc.PeopleSoft(
            erp.url,
            node=erp.node,
            auth=erp.auth,
            business_units=["US001"],
            setids=["SHARE"],
            requesting_node=erp.requesting_node,
            clock=place.clock,
            timeout=20,
        )
    )
    network, cleo = place.cleo()
    erp.add(mc.Supplier(number="0000001001", name="Parts Emporium"))
    network.add({"alias": "parts  EMPORIUM"})
    flow = flows.peoplesoft_to_cleo(people, cleo, ledger=place.ledger, routes=[flows.Route("0000001009", PARTNER)])
    found = flow.align(["suppliers"])
    assert statuses(found)["0000001001"] == "matched"
    assert flow.align().systems["cost_centers"] == ("peoplesoft", "cleo")
    assert place.writes() == 0


def coupa_place(place: Place) -> tuple[Any, Any, mc.Flow]:
    erp, jde = place.jde()
    spend = place.simulator(CoupaSimulator(clock=place.clock))
    coupa = place.client(mc.Coupa(spend.url, auth=spend.auth, clock=place.clock, timeout=20))
    erp.add(suppliers(3))
    erp.add(vouchers(3, suppliers=3))
    erp.add(accounts())
    for terms in ("030", "N30", "N60", "D10"):
        erp.add({"PTC": terms, "PTD": terms, "NDTP": 30}, table="F0014")
    erp.add(fiscal_calendar(2026, period=2))
    chart = {"name": "US Chart"}
    row = {"code": "M30-6110", "name": "Material", "account-type": chart, "active": True}
    spend.add({**row, "segment-1": "M30", "segment-2": "6110"}, resource="accounts")
    flow = flows.jde_to_coupa(
        jde, coupa, ledger=place.ledger, begin="everything", kinds=["suppliers", "invoices"], company="00001"
    )
    return erp, spend, flow


def test_jde_and_coupa_both_ways(place: Place) -> None:
    _erp, spend, flow = coupa_place(place)
    report = flow.run()
    assert report.kinds["suppliers"].delivered == 3
    assert report.kinds["invoices"].parked == 3
    writes = place.writes()
    found = flow.align()
    assert statuses(found) == dict.fromkeys(("4343", "4344", "4345"), "matched")
    held = {item.here_id: len(item.documents) for item in found.problems}
    assert held == {"M30.6120": 3}
    assert found.of("missing_there")[0].amount["USD"] > 0
    reconciled = flow.reconcile(dt.date(2026, 2, 1), dt.date(2026, 2, 28))
    assert {finding.what for finding in reconciled.findings} == {"parked"}
    assert place.writes() == writes
    place.ledger.crosswalk.link("account", jdedwards="M30.6120", coupa="M30-6110", reason="one account there")
    flow.replay(actor="jane", reason="mapped")
    assert len(spend.contents["invoices"]) == 3
    assert flow.reconcile(dt.date(2026, 2, 1), dt.date(2026, 2, 28)).closes


def test_a_supplier_renamed_in_coupa_is_named_back_only_when_told(place: Place) -> None:
    _erp, spend, flow = coupa_place(place)
    flow.run()
    key = next(row["id"] for row in spend.contents["suppliers"] if row["number"] == "4344")
    spend.update("suppliers", key, name="Somebody Else")
    writes = place.writes()
    assert statuses(flow.align(["suppliers"]))["4344"] == "renamed"
    assert place.writes() == writes
    found = flow.align(["suppliers"], True, actor="jane", reason="JD Edwards owns it")
    assert [item.here_id for item in found.items if item.written] == ["4344"], found
    assert place.writes() == writes + 1
    assert flow.align(["suppliers"]).empty


def test_orders_to_partners_are_recounted(place: Place) -> None:
    erp, jde = place.jde()
    _network, cleo = place.cleo()
    erp.add(orders(5, odd={2: ["hold"]}))
    erp.add(vouchers(4))
    place.clock.advance(dt.timedelta(hours=1))
    routes = [flows.Route([str(number) for number in range(4343, 4400)], PARTNER, folder="outbox/ACME")]
    flow = flows.jde_to_cleo(jde, cleo, ledger=place.ledger, routes=routes, collect=())
    flow.run()
    found = flow.reconcile(dt.date(2026, 2, 1), dt.date(2026, 2, 28))
    assert found.closes
    assert [one.what for one in found.findings] == ["waiting"]
    balance = found.balance("purchase_orders", "00001", "USD")
    assert balance.count == {"delivered": 4, "waiting": 1}
    assert balance.amount > Decimal(0)


def test_invoices_and_payments_of_fusion_are_recounted(place: Place) -> None:
    erp = place.simulator(FusionSimulator(clock=place.clock))
    fusion = place.client(mc.OracleFusion(erp.url, auth=erp.auth, clock=place.clock, timeout=20))
    _network, cleo = place.cleo()
    supplier = mc.Party(number="1001", name="Parts Emporium")
    line = mc.InvoiceLine(number="1", kind="amount", description="Work", amount=Decimal(25), account="101-10")
    erp.add(
        mc.Invoice(
            number="300100",
            supplier_invoice_number="INV-1",
            date=dt.date(2026, 2, 20),
            due_date=dt.date(2026, 3, 20),
            supplier=supplier,
            currency="USD",
            gross=Decimal(25),
            open=Decimal(25),
            lines=[line],
            posted=True,
        )
    )
    erp.add(
        mc.Payment(
            number="9001",
            date=dt.date(2026, 2, 23),
            method="CHECK",
            amount=Decimal(25),
            currency="USD",
            payee=supplier,
            status="Negotiable",
            applications=[mc.Application(invoice="300100", amount=Decimal(25))],
        )
    )
    routes = [flows.Route("1001", PARTNER, folder="outbox/ACME", sends=("810", "820"))]
    flow = flows.fusion_to_cleo(fusion, cleo, ledger=place.ledger, routes=routes, collect=())
    flow.run()
    uploads = place.writes()
    assert uploads >= 2
    found = flow.reconcile(dt.date(2026, 2, 1), dt.date(2026, 2, 28))
    assert found.ok
    assert {one.kind: one.read for one in found.balances} == {"invoices": 1, "payments": 1}
    assert [(day.day, day.amount, day.told_amount) for day in found.payments] == [
        (dt.date(2026, 2, 23), Decimal(25), Decimal(25))
    ]
    assert place.writes() == uploads


def test_an_external_id_is_set_once_and_never_over_another_or_a_log_in(place: Place) -> None:
    network, cleo = place.cleo()
    network.add({"alias": "A", "externalId": "1"})
    network.add({"alias": "B", "connect": {"host": "h", "username": "u"}})
    network.add({"alias": "C"})
    assert cleo.set_external_id("A", "1").existing
    for alias in ("A", "B"):
        with pytest.raises(mc.TargetChanged, match="by hand"):
            cleo.set_external_id(alias, "9")
    for value in (" ", "x" * 256):
        with pytest.raises(mc.InvalidArgument):
            cleo.set_external_id("C", value)
    assert place.writes() == 0
    with pytest.raises(mc.MLConnectorError):
        cleo.set_external_id("C", "1")
    assert not cleo.set_external_id("C", "3").existing
    (row,) = cleo.connections(alias="C")
    assert (row["externalId"], row["ready"]) == ("3", True)
