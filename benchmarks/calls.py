"""Calls of each flow for so many documents, and whole deliveries in a second; counted, so that they hold anywhere."""

from __future__ import annotations

import contextlib
import datetime as dt
import tempfile
import time
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import attrs
from pages import invoice

import mlconnector as mc
from mlconnector import flows, x12
from mlconnector.testing import (
    BILLSimulator,
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

_BEGIN = dt.datetime(2026, 3, 2, 8, tzinfo=dt.UTC)
_SUPPLIER = "0000001001"
LATENCY = 0.02
AT_ONCE = (1, 2, 4, 8)
"""Deliveries under way at once."""
_PARTNER = x12.Partner(sender=x12.Id("ZZ", "ACME"), receiver=x12.Id("01", "123456789"))


@attrs.frozen(kw_only=True)
class Counted:
    """What one run of a flow took.

    Args:
        read: Calls at the system that is read. ``written``: at the other, logins left out.
        seconds: Of the run. ``size``: of the ledger on disk, in bytes.
        idle: Calls of a second run, when nothing has changed.
    """

    flow: str
    documents: int
    read: int
    written: int
    seconds: float
    size: int
    idle: int


@contextlib.contextmanager
def _ledger(clock: ManualClock) -> Iterator[tuple[mc.Ledger, Path]]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "l.db"
        with mc.Ledger(path, actor="benchmark", high_water=Path(folder) / "hw", clock=clock) as ledger:
            yield ledger, path


def _count(simulator: Any) -> int:
    calls = [call for call in simulator.calls if not any(part in call.path for part in ("token", "login", "logout"))]
    simulator.forget_calls()
    return len(calls)


def _run(flow: mc.Flow, kind: str, count: int, path: Path, source: Any, sink: Any, clock: ManualClock) -> Counted:
    _count(source), _count(sink)
    begin = time.perf_counter()
    report = flow.run()
    seconds = time.perf_counter() - begin
    assert report.kinds[kind].delivered == count, report
    read, written, size = _count(source), _count(sink), path.stat().st_size
    # What was stamped just now is read once more, until its stamp is old enough to prove that nothing changed.
    clock.advance(dt.timedelta(days=2).total_seconds())
    flow.run()
    clock.advance(600)
    _count(source), _count(sink)
    flow.run()
    idle = _count(source) + _count(sink)
    return Counted(
        flow=f"{flow.name} {kind}", documents=count, read=read, written=written, seconds=seconds, size=size, idle=idle
    )


def _routes() -> list[flows.Route]:
    return [flows.Route([str(number) for number in range(4343, 4393)], _PARTNER)]


def jde_to_cleo(count: int, kind: str, *, delay: float = 0.0, max_in_flight: int = 1) -> Counted:
    """Orders of 3 lines, or vouchers, of 50 suppliers; each upload takes so many seconds."""
    clock = ManualClock(_BEGIN)
    with (
        JDEdwardsSimulator(clock=clock) as erp,
        CleoSimulator(clock=clock) as network,
        mc.JDEdwardsAIS(erp.url, auth=mc.AISSession(erp.username, erp.password), clock=clock) as jde,
        mc.Cleo(network.url, auth=network.auth, clock=clock) as cleo,
        _ledger(clock) as (ledger, path),
    ):
        erp.add(orders(count, lines=3, suppliers=50) if kind == "purchase_orders" else vouchers(count, suppliers=50))
        if delay:
            network.fail(times=10**9, delay=delay, match="files")
        flow = flows.jde_to_cleo(
            jde,
            cleo,
            ledger=ledger,
            routes=_routes(),
            kinds=[kind],
            begin="everything",
            max_in_flight=max_in_flight,
        )
        return _run(flow, kind, count, path, erp, network, clock)


def fusion_to_cleo(count: int) -> Counted:
    """Invoices of 3 lines of 50 suppliers."""
    clock = ManualClock(_BEGIN)
    with (
        FusionSimulator(clock=clock) as erp,
        CleoSimulator(clock=clock) as network,
        mc.OracleFusion(erp.url, auth=erp.auth, clock=clock) as fusion,
        mc.Cleo(network.url, auth=network.auth, clock=clock) as cleo,
        _ledger(clock) as (ledger, path),
    ):
        for number in range(count):
            erp.add(invoice(number))
        flow = flows.fusion_to_cleo(
            fusion, cleo, ledger=ledger, routes=_routes(), kinds=["invoices"], begin="everything"
        )
        return _run(flow, "invoices", count, path, erp, network, clock)


def jde_to_bill(count: int) -> Counted:
    """Vouchers of 50 suppliers that BILL knows already."""
    clock = ManualClock(_BEGIN)
    with (
        tempfile.TemporaryDirectory() as locks,
        JDEdwardsSimulator(clock=clock) as erp,
        BILLSimulator(clock=clock) as payables,
        mc.JDEdwardsAIS(erp.url, auth=mc.AISSession(erp.username, erp.password), clock=clock) as jde,
        mc.BILL(payables.url, auth=payables.auth, clock=clock, lock_dir=Path(locks)) as bill,
        _ledger(clock) as (ledger, path),
    ):
        erp.add(suppliers(50))
        erp.add(vouchers(count, suppliers=50))
        erp.add(accounts())
        erp.add({"PTC": "N30", "PTD": "Net 30", "NDTP": 30}, table="F0014")
        erp.add(fiscal_calendar(2026, period=3))
        for account in jde.accounts():
            payables.add(mc.Account(number=account.object, object=account.object, description=account.description))
        payables.add(mc.CostCenter(number="M30", name="Boulder plant"))
        flow = flows.jde_to_bill(
            jde,
            bill,
            ledger=ledger,
            begin="everything",
            hand_over=flows.PayStatus("B"),
            bank_account="00000001",
            company="00001",
            targets={"payments": {"look_up": "reliable"}},
        )
        return _run(flow, "invoices", count, path, erp, payables, clock)


def jde_to_coupa(count: int, max_in_flight: int = 1) -> Counted:
    """Orders of one line of 50 suppliers that Coupa knows already."""
    clock = ManualClock(_BEGIN)
    with (
        JDEdwardsSimulator(clock=clock) as erp,
        CoupaSimulator(clock=clock) as spend,
        mc.JDEdwardsAIS(erp.url, auth=mc.AISSession(erp.username, erp.password), clock=clock) as jde,
        mc.Coupa(spend.url, auth=spend.auth, clock=clock) as coupa,
        _ledger(clock) as (ledger, path),
    ):
        erp.add(accounts())
        erp.add(suppliers(50))
        chart = {"name": "US Chart"}
        row = {"code": "M30-6110", "name": "M30-6110", "account-type": chart, "active": True}
        spend.add({**row, "segment-1": "M30", "segment-2": "6110"}, resource="accounts")
        ledger.crosswalk.link("ship_to", jdedwards="6001", coupa="MAIN")
        for terms in ("030", "N30", "N45", "N60"):
            erp.add({"PTC": terms, "PTD": terms, "NDTP": 30}, table="F0014")
        tables = orders(count, lines=1, suppliers=50)
        for line in tables["F4311"]:
            line["ANI"] = "M30.6110"

        def flow(*kinds: str) -> mc.Flow:
            return flows.jde_to_coupa(
                jde,
                coupa,
                ledger=ledger,
                begin="everything",
                ship_to_user="integration",
                company="00001",
                kinds=list(kinds),
                max_in_flight=max_in_flight,
            )

        flow("suppliers").run()
        erp.add(tables)
        return _run(flow("purchase_orders"), "purchase_orders", count, path, erp, spend, clock)


def peoplesoft_to_cleo(count: int) -> Counted:
    """Orders of one line of one supplier."""
    clock = ManualClock(_BEGIN)
    with (
        PeopleSoftSimulator(clock=clock) as erp,
        CleoSimulator(clock=clock) as network,
        mc.PeopleSoft(
            erp.url, node=erp.node, auth=erp.auth, business_units=["US001"], setids=["SHARE"], clock=clock
        ) as people,
        mc.Cleo(network.url, auth=network.auth, clock=clock) as cleo,
        _ledger(clock) as (ledger, path),
    ):
        for number in range(count):
            erp.add(_order(number))
        flow = flows.peoplesoft_to_cleo(
            people,
            cleo,
            ledger=ledger,
            routes=[flows.Route(_SUPPLIER, _PARTNER)],
            kinds=["purchase_orders"],
            begin="everything",
            collect=(),
        )
        return _run(flow, "purchase_orders", count, path, erp, network, clock)


def _order(number: int) -> mc.PurchaseOrder:
    line = mc.OrderLine(
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
    return mc.PurchaseOrder(
        number=f"{number + 101:010}",
        company="US001",
        date=dt.date(2026, 2, 20),
        supplier=mc.Party(number=_SUPPLIER, name="Parts Emporium"),
        ship_to=mc.Party(number="US001", name="Dock"),
        currency="USD",
        lines=[line],
    )


def report(count: int = 1000) -> list[tuple[str, str]]:
    """Lines of the table."""
    lines = []
    for found in (
        jde_to_cleo(count, "purchase_orders"),
        jde_to_cleo(count, "invoices"),
        fusion_to_cleo(count),
        jde_to_bill(count),
        jde_to_coupa(count),
        peoplesoft_to_cleo(count),
    ):
        told = f"{found.read} to read, {found.written} to write, {found.idle} when nothing changed"
        rest = (
            f"{found.documents / found.seconds:.0f} a second, {found.size / found.documents:.0f} bytes of ledger each"
        )
        lines.append((f"{found.flow}: {found.documents:,} documents, calls", told))
        lines.append((f"{found.flow}: whole deliveries, simulators in this process", rest))
    for number in AT_ONCE:
        found = jde_to_cleo(min(count, 300), "invoices", delay=LATENCY, max_in_flight=number)
        told = f"{found.documents / found.seconds:.0f} a second"
        lines.append((f"{found.flow}: whole deliveries, 20 ms a call, max_in_flight={number}", told))
    return lines
