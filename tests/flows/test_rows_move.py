"""Rows that move between two pages of one read: nothing is lost or doubled, and the newest of each arrives."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path

import pytest

import mlconnector as mc
from mlconnector import flows, x12
from mlconnector.peoplesoft import PeopleSoft
from mlconnector.testing import (
    BILLSimulator,
    Call,
    CleoSimulator,
    CoupaSimulator,
    FusionSimulator,
    JDEdwardsSimulator,
    ManualClock,
    PeopleSoftSimulator,
    Simulator,
    orders,
)
from tests.flows import test_fusion_to_cleo as fusion_tests
from tests.flows import test_jde_to_bill as bill_tests
from tests.flows import test_jde_to_coupa as coupa_tests
from tests.flows import test_peoplesoft_to_cleo as people_tests
from tests.flows.conftest import SUPPLIERS

START = dt.datetime(2026, 3, 2, 8, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)
PARTNER = x12.Partner(sender=x12.Id("ZZ", "ACME"), receiver=x12.Id("01", "123456789"), usage="T")


class Between:
    """Moves rows once, after the first page was answered and before the second is."""

    def __init__(self, simulator: Simulator, reads: Callable[[Call], bool], move: Callable[[], None]) -> None:
        self._reads, self._move, self.pages = reads, move, 0
        simulator.fail(status=500, match=self._called)

    def _called(self, call: Call) -> bool:
        """No fault of its own: it only looks on."""
        if self._reads(call):
            self.pages += 1
            if self.pages == 2:
                self._move()
        return False


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(START)


@pytest.fixture
def network(clock: ManualClock) -> Iterator[CleoSimulator]:
    with CleoSimulator(clock=clock) as made:
        yield made


@pytest.fixture
def cleo(network: CleoSimulator, clock: ManualClock) -> Iterator[mc.Cleo]:
    with mc.Cleo(network.url, auth=network.auth, clock=clock, timeout=20) as made:
        yield made


@pytest.fixture
def ledger(clock: ManualClock) -> Iterator[mc.Ledger]:
    with mc.Ledger(":memory:", actor="test", clock=clock) as made:
        yield made


def told(network: CleoSimulator) -> tuple[dict[str, list[str]], dict[str, Decimal]]:
    """Of each order the codes of what was sent, and the quantity that its partner knows last."""
    codes: dict[str, list[str]] = {}
    quantities: dict[str, Decimal] = {}
    for upload in network.uploads:
        for ts in x12.read(upload.data):
            number = next(iter(ts.all("BEG" if ts.code == "850" else "BCH")))[3]
            codes.setdefault(number, []).append(ts.code)
            (line,) = ts.all("PO1" if ts.code == "850" else "POC")
            quantities[number] = Decimal(line[2 if ts.code == "850" else 3])
    return codes, quantities


def test_orders_of_jd_edwards(clock: ManualClock, network: CleoSimulator, cleo: mc.Cleo, ledger: mc.Ledger) -> None:
    with (
        JDEdwardsSimulator(clock=clock) as erp,
        mc.JDEdwardsAIS(erp.url, auth=erp.auth, clock=clock, timeout=20, page_size=6) as jde,
    ):
        erp.add(orders(24, lines=1, suppliers=5))

        def changed(number: int, quantity: int) -> None:
            (line,) = (row for row in erp.contents["F4311"] if row["DOCO"] == number)
            key = {name: line[name] for name in ("DOCO", "DCTO", "KCOO", "SFXO", "LNID")}
            amount = quantity * line["PRRC"]
            erp.update("F4311", key, UORG=quantity, UOPN=quantity, AEXP=amount, AOPN=amount)

        def move() -> None:
            clock.advance(dt.timedelta(seconds=1))
            changed(50001, 777)
            changed(50024, 888)
            erp.add(orders(1, lines=1, suppliers=5, first_number=50000, master=False))
            for table in ("F4311", "F4301"):
                for row in [row for row in erp.contents[table] if row["DOCO"] == 50013]:
                    names = ("DOCO", "DCTO", "KCOO", "SFXO", *(("LNID",) if table == "F4311" else ()))
                    erp.remove(table, {name: row[name] for name in names})

        between = Between(erp, lambda call: "'targetName': 'F4301'" in str(call.body), move)
        route = flows.Route(SUPPLIERS, PARTNER, folder="outbox/ACME")
        flow = flows.jde_to_cleo(jde, cleo, ledger=ledger, routes=[route], kinds=["purchase_orders"])
        for _ in range(2):
            flow.run()
            clock.advance(HOUR)
        assert between.pages > 3
        codes, quantities = told(network)
        there = {str(row["DOCO"]): row["UORG"] for row in erp.contents["F4311"]}
    assert quantities == there
    assert codes.pop("50001") == ["850", "860"]
    assert set(map(tuple, codes.values())) == {("850",)}
    assert "50013" not in codes


def test_invoices_of_fusion(clock: ManualClock, network: CleoSimulator, cleo: mc.Cleo, ledger: mc.Ledger) -> None:
    with (
        FusionSimulator(clock=clock) as erp,
        mc.OracleFusion(erp.url, auth=erp.auth, clock=clock, timeout=20, page_size=6) as fusion,
    ):
        numbers = [str(number) for number in range(300101, 300125)]
        for number in numbers:
            erp.add(fusion_tests.invoice(number))
        clock.advance(HOUR)

        def move() -> None:
            clock.advance(dt.timedelta(seconds=1))
            ids = {row["InvoiceNumber"]: row["InvoiceId"] for row in erp.contents["invoices"]}
            for number, day in (("300101", 1), ("300124", 2)):
                erp.update("invoices", ids[f"INV-{number}"], InvoiceDate=dt.date(2026, 1, day))
            erp.add(fusion_tests.invoice("300100"))
            erp.remove("invoices", ids["INV-300113"])

        between = Between(erp, lambda call: call.method == "GET" and call.path.endswith("/invoices"), move)
        route = flows.Route("1001", PARTNER, folder="outbox/ACME", sends=("810",))
        flow = flows.fusion_to_cleo(fusion, cleo, ledger=ledger, routes=[route], kinds=["invoices"])
        for _ in range(2):
            flow.run()
            clock.advance(HOUR)
        assert between.pages > 3
        sent: dict[str, list[str]] = {}
        for upload in network.uploads:
            for ts in x12.read(upload.data):
                head = next(iter(ts.all("BIG")))
                sent.setdefault(head[2], []).append(head[1])
    dates = {number: days.pop() for number, days in sent.items()}
    there = {f"INV-{number}": "20260220" for number in (*numbers, "300100") if number != "300113"}
    assert dates == {**there, "INV-300101": "20260101", "INV-300124": "20260102"}
    assert {number: days for number, days in sent.items() if days} == {"INV-300101": ["20260220"]}


def test_orders_of_peoplesoft(clock: ManualClock, network: CleoSimulator, cleo: mc.Cleo, ledger: mc.Ledger) -> None:
    with (
        PeopleSoftSimulator(clock=clock) as erp,
        PeopleSoft(
            erp.url,
            node=erp.node,
            auth=erp.auth,
            business_units=["US001"],
            setids=["SHARE"],
            requesting_node=erp.requesting_node,
            clock=clock,
            timeout=20,
            page_size=6,
        ) as people,
    ):
        for number in range(101, 125):
            erp.add(people_tests.order(f"{number:010}"))
        clock.advance(HOUR)

        def changed(number: int, quantity: int) -> None:
            (line,) = (row for row in erp.contents["PO_LINE_SHIP"] if row["PO_ID"] == f"{number:010}")
            key = tuple(line[name] for name in ("BUSINESS_UNIT", "PO_ID", "LINE_NBR", "SCHED_NBR"))
            erp.update("PO_LINE_SHIP", key, QTY_PO=quantity, MERCHANDISE_AMT=quantity * line["PRICE_PO"])
            erp.update("PO_HDR", key[:2], OPRID_MODIFIED_BY="SOMEBODY")

        def move() -> None:
            clock.advance(dt.timedelta(seconds=1))
            changed(101, 777)
            changed(124, 888)
            erp.add(people_tests.order(f"{100:010}"))
            erp.remove("PO_HDR", ("US001", f"{113:010}"))

        between = Between(erp, lambda call: "PO_HDR" in f"{call.path} {call.query} {call.body}", move)
        route = flows.Route(people_tests.SUPPLIER, PARTNER, folder="outbox/ACME")
        flow = flows.peoplesoft_to_cleo(people, cleo, ledger=ledger, routes=[route], kinds=["purchase_orders"])
        for _ in range(2):
            flow.run()
            clock.advance(HOUR)
        assert between.pages > 3
        codes, quantities = told(network)
    there = {f"{number:010}": Decimal(10) for number in range(100, 125) if number != 113}
    assert quantities == {**there, f"{101:010}": Decimal(777), f"{124:010}": Decimal(888)}
    assert codes.pop(f"{101:010}") == ["850", "860"]
    assert set(map(tuple, codes.values())) == {("850",)}


def test_approved_invoices_of_coupa(clock: ManualClock, ledger: mc.Ledger) -> None:
    with (
        JDEdwardsSimulator(clock=clock) as erp,
        CoupaSimulator(clock=clock) as spend,
        mc.JDEdwardsAIS(erp.url, auth=erp.auth, clock=clock, timeout=20) as jde,
        mc.Coupa(spend.url, auth=spend.auth, clock=clock, timeout=20, page_size=5) as coupa,
    ):
        sites = coupa_tests.Sites(clock, erp, spend, jde, coupa, ledger)
        coupa_tests.furnish(sites)
        flow = sites.flow(kinds=["suppliers", "vouchers"])
        flow.run()
        supplier = spend.contents["suppliers"][0]["id"]
        (account,) = (row["id"] for row in spend.contents["accounts"] if row["code"] == "M30-6110")

        def approved(number: int) -> int:
            line = {"type": "InvoiceAmountLine", "line-num": 1, "description": "Service", "price": Decimal(number)}
            row = {
                "invoice-number": f"SI-{number}",
                "invoice-date": dt.date(2026, 3, 1),
                "supplier": {"id": supplier},
                "account-type": coupa_tests.CHART,
                "line-level-taxation": False,
                "currency": {"code": "USD"},
                "status": "approved",
                "invoice-lines": [{**line, "account": {"id": account}}],
            }
            (*_others, key) = spend.add(row, resource="invoices")
            return key

        keys = [approved(number) for number in range(101, 124)]
        clock.advance(HOUR)

        def move() -> None:
            clock.advance(dt.timedelta(seconds=1))
            spend.update("invoices", keys[0], paid=True)
            spend.update("invoices", keys[1], status="voided")
            spend.update("invoices", keys[20], status="voided")
            spend.remove("invoices", keys[12])
            approved(100)

        between = Between(
            spend, lambda call: call.method == "GET" and call.path.rstrip("/").endswith("/invoices"), move
        )
        for _ in range(2):
            flow.run()
            clock.advance(HOUR)
        assert between.pages > 3
        posted = sorted(number for number, _mark, _gross in coupa_tests.posted(sites))
    gone = {"SI-102", "SI-121", "SI-113"}
    assert posted == sorted({f"SI-{number}" for number in range(100, 124)} - gone)


def test_payments_of_bill(clock: ManualClock, ledger: mc.Ledger, tmp_path: Path) -> None:
    with (
        JDEdwardsSimulator(clock=clock) as erp,
        BILLSimulator(clock=clock) as payables,
        mc.JDEdwardsAIS(erp.url, auth=erp.auth, clock=clock, timeout=20) as jde,
        mc.BILL(payables.url, auth=payables.auth, clock=clock, timeout=20, lock_dir=tmp_path, page_size=5) as bill,
    ):
        sites = bill_tests.Sites(clock, erp, payables, jde, bill, ledger)
        flow = bill_tests.sent(sites, 24)
        paid: list[str] = []
        for key in bill_tests.bills(sites):
            clock.advance(dt.timedelta(seconds=1))
            paid.append(payables.pay(key))
            if len(paid) < 24:
                payables.advance(paid[-1], "PROCESSED")
        clock.advance(HOUR)

        def move() -> None:
            clock.advance(dt.timedelta(seconds=1))
            payables.advance(paid[0], "CLEARED")
            payables.void(paid[1])
            payables.void(paid[20])
            payables.advance(paid[23], "PROCESSED")

        between = Between(payables, lambda call: call.method == "GET" and call.path.endswith("/payments"), move)
        for _ in range(3):
            flow.run()
            clock.advance(HOUR)
        assert between.pages > 3
        recorded = [row["RMK"] for row in erp.contents["F0414"] if row["DCTM"] == "PN"]
        voided = {row["PYID"] for row in erp.contents["F0413"] if row["VDGJ"]}
        standing = {row["RMK"] for row in erp.contents["F0414"] if row["PYID"] not in voided}
    assert len(recorded) == len(set(recorded))
    assert standing == {f"BILL:{key}" for place, key in enumerate(paid) if place not in (1, 20)}
