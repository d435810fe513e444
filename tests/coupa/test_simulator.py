"""The client against the simulator, which knows the reference and nothing of the client."""

from __future__ import annotations

import contextlib
import datetime as dt
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import attrs
import pytest

import mlconnector as mc
from mlconnector.coupa import Coupa, CoupaVerifier
from mlconnector.testing import ManualClock
from mlconnector.testing._coupa import CoupaSimulator
from tests.coupa.documents import invoice, invoice_line, line, order, supplier
from tests.coupa.test_delivery import Source

MAIN = mc.Party(number="MAIN")
HARD: dict[str, Any] = {
    "ripening": 5.0, "nulls": True, "invalid_status": 422, "over_limit": "refuse", "repeated_numbers": True, "lag": 3.0,
}  # fmt: skip


@attrs.define
class World:
    vendor: CoupaSimulator
    coupa: Coupa
    clock: ManualClock

    def settle(self) -> None:
        """Until lists show what was written."""
        self.clock.advance(10)


@pytest.fixture(params=[{}, HARD], ids=["plain", "hard"])
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    clock = ManualClock()
    with CoupaSimulator(clock=clock, **request.param) as vendor:
        vendor.add(supplier("4343", terms="Net 30", name="Parts"))
        for segments in (("01", "100", "8000"), ("01", "10-0", "8000"), ("100", "8000")):
            numbered = {f"segment-{index}": text for index, text in enumerate(segments, 1)}
            vendor.add({"account-type": {"name": "US Chart"}, "active": True, **numbered}, resource="accounts")
        clock.advance(10)
        retry = mc.Retry(attempts=3, base=0.01, cap=0.02)
        with Coupa(vendor.url, auth=vendor.auth, clock=clock, retry=retry, ship_to_user="integration") as coupa:
            yield World(vendor, coupa, clock)


def our_order(number: str = "4711", **fields: Any) -> mc.PurchaseOrder:
    return order(number, terms="Net 30", ship_to=MAIN, **fields)


def our_invoice(number: str = "900", **fields: Any) -> mc.Invoice:
    return invoice(number, terms="Net 30", **fields)


def test_suppliers(world: World) -> None:
    first = world.coupa.save_supplier(supplier("5000", terms="Net 30", name="é" * 101))
    world.settle()
    assert world.coupa.save_supplier(supplier("5000", terms="Net 30", name="é" * 101)).id == first.id
    world.coupa.save_supplier(supplier("5000", terms="Net 30", name="株式会社"))
    world.settle()
    assert [one.name for one in world.coupa.suppliers()] == ["Parts", "株式会社"]


def test_orders_with_changes_and_their_end(world: World) -> None:
    world.coupa.save_purchase_order(our_order())
    world.settle()
    assert world.coupa.save_purchase_order(our_order()).existing
    shares = [{"account": "01.100.8000", "percent": "40"}, {"account": "100.8000", "percent": "60"}]
    split = line("3", account="", extras={"allocations": shares})
    hyphen = line("1", quantity=Decimal(4), amount=Decimal(6), account="01|10-0|8000")
    changed = our_order(lines=[hyphen, split])
    world.coupa.save_purchase_order(changed)
    world.settle()
    assert world.coupa.save_purchase_order(changed).existing
    (read,) = world.coupa.purchase_orders()
    assert [(one.number, one.quantity, one.account) for one in read.lines] == [
        ("1", Decimal(4), "01-10-0-8000"),
        ("3", Decimal(2), ""),
    ]
    assert read.lines[0].extras["segments"] == ("01", "10-0", "8000")
    assert read.lines[1].extras["allocations"][0]["percent"] == Decimal(40)
    world.coupa.save_purchase_order(our_order(status="cancelled"))
    world.settle()
    assert [one.status for one in world.coupa.purchase_orders()] == ["closed"]


def test_invoices_and_what_comes_back(world: World) -> None:
    world.coupa.save_purchase_order(our_order())
    world.settle()
    first = world.coupa.save_invoice(our_invoice())
    billed = invoice_line(
        kind="item", quantity=Decimal(2), unit="EA", unit_price=Decimal("1.5"), amount=Decimal(3), account="8000",
        purchase_order="4711", order_line="1.000",
    )  # fmt: skip
    linked = our_invoice("901", supplier_invoice_number="R-2", gross=Decimal(3), tax=None, lines=[billed])
    world.coupa.save_invoice(linked, submit=True)
    credit = our_invoice(
        "902",
        kind="debit",
        supplier_invoice_number="C-1",
        gross=Decimal(-10),
        tax=None,
        lines=[invoice_line(amount=Decimal(-10))],
        extras={"original_invoice_number": "R-1"},
    )
    world.coupa.save_invoice(credit)
    world.settle()
    assert world.coupa.save_invoice(our_invoice()).existing
    assert world.coupa.save_invoice(linked, submit=True).existing
    assert world.coupa.save_invoice(credit).existing
    world.coupa.save_invoice(our_invoice(void=True))
    world.coupa.mark_exported("invoices", first.id or "")
    world.settle()
    voided, sent, memo = world.coupa.invoices()
    assert voided.void
    assert voided.ready
    assert voided.origin == "JDEDWARDS:00001/PV/900"
    assert sent.lines[0].purchase_order == "4711"
    assert sent.lines[0].extras["order_line_id"]
    assert memo.kind == "credit"
    assert memo.gross == Decimal(-10)


def test_zero_decimal_currency(world: World) -> None:
    yen = our_order(currency="JPY", lines=[line(kind="amount", amount=Decimal(125_000))])
    world.coupa.save_purchase_order(yen)
    world.settle()
    assert [one.total for one in world.coupa.purchase_orders()] == [Decimal(125_000)]


def test_a_delta_by_cursor_misses_nothing(world: World) -> None:
    records = world.coupa.suppliers()
    seen = {one.key for one in records}
    for number in range(130):
        world.vendor.add(supplier(f"D{number}", name=f"Delta {number}"))
        world.clock.advance(dt.timedelta(seconds=1))
        if number % 50 == 49:
            records = records.continue_from(records.cursor)
            seen |= {one.key for one in records}
    world.settle()
    seen |= {one.key for one in records.continue_from(records.cursor)}
    assert len(seen) == 131


def test_webhooks_of_the_simulator_are_verified(world: World) -> None:
    ours = {
        "plain": (CoupaVerifier("s", clock=world.clock), {}),
        "base64": (CoupaVerifier("s", encoding="base64", prefix="v1="), {"encoding": "base64", "prefix": "v1="}),
        "stamped": (CoupaVerifier("s", timestamp_header="X-T", clock=world.clock), {"timestamp_header": "X-T"}),
    }
    for verifier, options in ours.values():
        notice = world.vendor.webhook("s", ("suppliers", 1), **options)
        event = verifier.verify(notice.headers, notice.body)
        assert (event.kind, event.keys) == ("suppliers", ("1",))
        with pytest.raises(mc.WebhookRejected):
            verifier.verify(notice.headers, notice.body + b" ")


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_everything_arrives_once_whatever_the_wire_does(world: World, seed: int) -> None:
    orders = Source(world.clock, "purchase_orders")
    invoices = Source(world.clock, "invoices")
    with mc.Ledger(":memory:", actor="test", clock=world.clock) as ledger:
        syncs = [
            mc.Sync(kind, records=mc.Records(source), target=world.coupa.target(kind, **options), ledger=ledger,
                    call_timeout=60)
            for kind, source, options in (
                ("purchase_orders", orders, {}), ("invoices", invoices, {"submit": True, "unlinked": "send"})
            )
        ]  # fmt: skip
        for round_ in range(3):
            for number in range(6):
                lines = [line(str(index)) for index in range(1 + round_, 4 + round_)]
                orders.put(our_order(str(number), lines=lines))
                invoices.put(our_invoice(str(number), supplier_invoice_number=f"R-{number}"))
            world.vendor.chaos(0.25, seed + round_, kinds=("before", "after", "429", "500", "cut"))
            for _ in range(2):
                world.clock.advance(3600)
                for sync in syncs:
                    # A run may stop at a vendor that is out of reach; the next one goes on.
                    with contextlib.suppress(mc.VendorFault, mc.ConnectionFailed, mc.RateLimited):
                        sync.run()
        world.vendor.chaos(0.0, seed)
        for _ in range(4):
            world.clock.advance(3600)
            for sync in syncs:
                sync.run()
        assert {one.state for one in ledger.deliveries()} <= {"delivered", "superseded", "unchanged"}
    found = {one.number: one for one in world.coupa.purchase_orders()}
    assert sorted(found) == [str(number) for number in range(6)]
    for one in found.values():
        assert sorted(part.number for part in one.lines) == ["3", "4", "5"]
        assert one.ready
    sent = list(world.coupa.invoices())
    assert sorted(one.supplier_invoice_number for one in sent) == [f"R-{number}" for number in range(6)]
    assert all("draft" not in one.waiting_for for one in sent)
