"""The six vendors pass the suite that authors of further vendors use, each against its simulator."""

from __future__ import annotations

import datetime as dt
import functools
import re
from decimal import Decimal
from pathlib import Path

import attrs
import pytest

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
    conformance,
    fiscal_calendar,
    merge,
    orders,
    suppliers,
    vouchers,
)
from tests.bill.conftest import PAYEE, voucher
from tests.bill.conftest import supplier as bill_supplier
from tests.coupa.documents import invoice as coupa_invoice
from tests.coupa.documents import order as coupa_order
from tests.coupa.documents import supplier as coupa_supplier
from tests.flows.test_fusion_to_cleo import invoice as fusion_invoice
from tests.peoplesoft.test_simulator import client as peoplesoft_client
from tests.peoplesoft.test_simulator import invoice as peoplesoft_invoice
from tests.peoplesoft.test_simulator import seed

START = dt.datetime(2026, 3, 2, 8, 20, tzinfo=dt.UTC)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(START)


def test_jdedwards_is_a_source(clock: ManualClock) -> None:
    with JDEdwardsSimulator(clock=clock) as erp:
        erp.add(orders(8, suppliers=8))
        clock.advance(dt.timedelta(hours=40))

        def change() -> str:
            clock.advance(dt.timedelta(hours=2))
            erp.update("F4301", {"DOCO": 50003, "DCTO": "OP", "KCOO": "00001", "SFXO": "000"}, HOLD="XX")
            return "00001/OP/50003"

        make = functools.partial(erp.client, page_size=2, time_zone=dt.UTC)
        conformance.source(make, "purchase_orders", change=change, secrets=[erp.password])
        erp.add(vouchers(7, suppliers=6, master=False))
        erp.add(accounts())
        for kind in ("suppliers", "invoices", "accounts"):
            conformance.source(make, kind, least_pages=2)
        with_unknown_zone = functools.partial(erp.client, page_size=2)
        conformance.source(with_unknown_zone, "suppliers", least_pages=2)


def test_jdedwards_is_a_sink(clock: ManualClock) -> None:
    with JDEdwardsSimulator(clock=clock) as erp:
        erp.add(merge(suppliers(3), accounts(), fiscal_calendar(2026, period=3)))
        erp.add({"PTC": "N30", "PTD": "Net 30", "NDTP": 30}, table="F0014")

        def voucher(number: str) -> mc.Invoice:
            line = mc.InvoiceLine(number="1", kind="amount", amount=Decimal("100.00"), account="M30.6110")
            origin = mc.Provenance(system="coupa", kind="invoices", key=number, updated_at=START)
            return mc.Invoice(
                number=number,
                supplier_invoice_number=f"INV-{number}",
                date=dt.date(2026, 3, 1),
                gl_date=dt.date(2026, 3, 2),
                company="00001",
                supplier=mc.Party(number="4343"),
                currency="USD",
                gross=Decimal("100.00"),
                lines=[line],
                provenance=origin,
            )

        conformance.sink(erp.client, "vouchers", secrets=[erp.password])
        conformance.target(
            erp.client,
            "vouchers",
            [voucher(str(number)) for number in range(9001, 9006)],
            contents=lambda: erp.contents["F0411"],
            clock=clock,
            refused=attrs.evolve(voucher("9009"), supplier=mc.Party(number="999999")),
            lose_answer=lambda: erp.fail(drop="after", match="orchestrator"),
            secrets=[erp.password],
        )


def test_fusion_is_a_source(clock: ManualClock) -> None:
    with FusionSimulator(clock=clock) as erp:
        for number in range(300100, 300108):
            erp.add(fusion_invoice(str(number)))
        clock.advance(dt.timedelta(hours=40))

        def change() -> str:
            clock.advance(dt.timedelta(hours=2))
            (row,) = (one for one in erp.contents["invoices"] if one["InvoiceNumber"] == "INV-300103")
            erp.update("invoices", row["InvoiceId"], InvoiceNumber="INV-CHANGED")
            return str(row["InvoiceId"])

        make = functools.partial(erp.client, page_size=2)
        conformance.source(make, "invoices", change=change, secrets=[erp.password])
        for number in range(1001, 1006):
            erp.add(mc.Supplier(number=str(number), name=f"Supplier {number}"))
            erp.add(mc.Account(number=f"101-{number}"))
            erp.add(mc.Shipment(number=str(number), date=dt.date(2026, 3, 1)))
            paid = mc.Application(invoice=str(number + 299099), amount=Decimal("25.00"))
            payment = mc.Payment(
                number=str(number),
                date=dt.date(2026, 3, 1),
                amount=Decimal("25.00"),
                currency="USD",
                payee=mc.Party(number="1001"),
                applications=[paid],
            )
            erp.add(payment)
        for kind in ("suppliers", "payments", "shipments"):
            conformance.source(make, kind)
        conformance.source(make, "accounts", stamped=False)


def test_peoplesoft_is_a_source(clock: ManualClock) -> None:
    with PeopleSoftSimulator(clock=clock) as site:
        seed(site)
        clock.advance(dt.timedelta(hours=40))

        def change() -> str:
            clock.advance(dt.timedelta(hours=2))
            site.update("PO_HDR", {"BUSINESS_UNIT": "US001", "PO_ID": "0000000107"}, HOLD_STATUS="Y")
            return "US001/0000000107"

        make = functools.partial(peoplesoft_client, site, page_size=3)
        conformance.source(make, "purchase_orders", change=change, secrets=[site.password])


def test_peoplesoft_is_a_sink(clock: ManualClock) -> None:
    with PeopleSoftSimulator(clock=clock, build_after=1) as site:
        seed(site)
        make = functools.partial(peoplesoft_client, site)
        conformance.sink(make, "vouchers", secrets=[site.password])
        conformance.target(
            make,
            "vouchers",
            [peoplesoft_invoice(f"FICT-{number}") for number in range(1, 6)],
            contents=lambda: site.contents["VOUCHER"],
            clock=clock,
            refused=attrs.evolve(peoplesoft_invoice("FICT-9"), supplier=None),
            secrets=[site.password],
        )


def test_cleo_is_a_sink(clock: ManualClock) -> None:
    partner = x12.Partner(sender=x12.Id("ZZ", "ACME"), receiver=x12.Id("01", "123456789"), usage="T")
    with JDEdwardsSimulator(clock=clock) as erp, CleoSimulator(clock=clock) as network:
        erp.add(orders(5, suppliers=1, odd={4: ["unmapped_unit"]}))
        with erp.client() as jde:
            *fit, unfit = jde.purchase_orders()

        def changed(order: mc.PurchaseOrder) -> mc.PurchaseOrder:
            first, *rest = order.lines
            assert first.quantity is not None
            assert first.unit_price is not None
            more = attrs.evolve(first, quantity=first.quantity + 1, amount=(first.quantity + 1) * first.unit_price)
            return attrs.evolve(order, lines=[more, *rest])

        routes = [flows.Route("4343", partner, folder="outbox/ACME")]
        conformance.sink(network.client, "files", secrets=[network.password], routes=routes)
        conformance.target(
            network.client,
            "files",
            fit,
            contents=lambda: network.uploads,
            clock=clock,
            changed=changed,
            refused=unfit,
            lose_answer=lambda: network.fail(drop="after", match="PUT"),
            secrets=[network.password],
            routes=routes,
        )


def test_coupa_is_a_source_and_a_sink(clock: ManualClock) -> None:
    with CoupaSimulator(clock=clock) as spend:
        for number in range(101, 108):
            spend.add(coupa_supplier(str(number), name=f"Supplier {number}"))
        clock.advance(dt.timedelta(hours=40))

        def change() -> str:
            clock.advance(dt.timedelta(hours=2))
            (row,) = (one for one in spend.contents["suppliers"] if one["number"] == "104")
            spend.update("suppliers", row["id"], name="Renamed")
            with spend.client() as coupa:
                (found,) = (one for one in coupa.suppliers() if one.number == "104")
            return found.key

        def tamper(key: str | None) -> None:
            spend.update("suppliers", int(key or 0), name="Somebody else's")

        conformance.source(
            functools.partial(spend.client, page_size=2), "suppliers", change=change, secrets=[spend.password]
        )
        conformance.sink(spend.client, "suppliers", secrets=[spend.password])
        conformance.target(
            spend.client,
            "suppliers",
            [coupa_supplier(str(number), name=f"New {number}") for number in range(5001, 5006)],
            contents=lambda: spend.contents["suppliers"],
            clock=clock,
            changed=lambda supplier: attrs.evolve(supplier, name="New name"),
            tamper=tamper,
            lose_answer=lambda: spend.fail(drop="after", match="POST /api/suppliers"),
            secrets=[spend.password],
        )


def test_bill_is_a_source_and_a_sink(clock: ManualClock, tmp_path: Path) -> None:
    with BILLSimulator(clock=clock) as network:
        make = functools.partial(network.client, lock_dir=tmp_path)
        new = [
            bill_supplier(str(number), name=f"Parts {number}", tax_id=f"98-{number:07}") for number in range(5001, 5006)
        ]

        def tamper(key: str | None) -> None:
            network.update("vendors", str(key), name="Somebody else's")

        conformance.sink(make, "suppliers", secrets=[network.password, network.dev_key])
        conformance.target(
            make,
            "suppliers",
            new,
            contents=lambda: network.contents["vendors"],
            clock=clock,
            tamper=tamper,
            lose_answer=lambda: network.fail(drop="after", match=re.compile("POST .*/vendors")),
            secrets=[network.password, network.dev_key],
        )
        clock.advance(dt.timedelta(hours=40))

        for number in range(5):
            account = {"name": f"Supplies {number}", "account": {"type": "EXPENSE", "number": f"601{number}"}}
            network.add("chart-of-accounts", row=account)
            network.add("departments", row={"name": f"M3{number}"})
        for kind in ("accounts", "cost_centers"):
            conformance.source(functools.partial(make, page_size=2), kind)

        def change() -> str:
            clock.advance(dt.timedelta(hours=2))
            row = network.contents["vendors"][2]
            network.update("vendors", row["id"], name="Renamed")
            return str(row["id"])

        conformance.source(
            functools.partial(make, page_size=2),
            "suppliers",
            change=change,
            secrets=[network.password, network.dev_key],
        )


def test_coupa_takes_orders_in_steps_and_invoices(clock: ManualClock) -> None:
    with CoupaSimulator(clock=clock) as spend:
        spend.add(coupa_supplier("4343", name="Parts", tax_id="12"))
        for code in ("100-8000", "01-100-8000"):
            row = {"code": code, "name": code, "account-type": {"name": "US Chart"}, "active": True}
            row |= {f"segment-{index}": text for index, text in enumerate(code.split("-"), start=1)}
            spend.add(row, resource="accounts")

        def dearer(order: mc.PurchaseOrder) -> mc.PurchaseOrder:
            first, *rest = order.lines
            return attrs.evolve(order, lines=[attrs.evolve(first, quantity=Decimal(3), amount=Decimal("4.5")), *rest])

        make = functools.partial(spend.client, chart="US Chart", ship_to_user="integration")
        conformance.target(
            make,
            "purchase_orders",
            [coupa_order(str(number), ship_to=None) for number in range(4711, 4716)],
            contents=lambda: spend.contents["purchase_orders"],
            clock=clock,
            changed=dearer,
            lose_answer=lambda: spend.fail(drop="after", match="POST /api/purchase_orders"),
            secrets=[spend.password],
            ship_to_address="MAIN",
        )
        conformance.target(
            make,
            "invoices",
            [coupa_invoice(str(number), supplier_invoice_number=f"R-{number}") for number in range(900, 905)],
            contents=lambda: spend.contents["invoices"],
            clock=clock,
            lose_answer=lambda: spend.fail(drop="after", match="POST /api/invoices"),
            secrets=[spend.password],
        )


def test_bill_takes_bills(clock: ManualClock, tmp_path: Path) -> None:
    with BILLSimulator(clock=clock) as network:
        network.add("chart-of-accounts", row={"name": "Supplies", "account": {"type": "EXPENSE", "number": "6010"}})
        network.add("departments", row={"name": "M30"})
        make = functools.partial(network.client, lock_dir=tmp_path)
        with make() as bill:
            bill.save_supplier(bill_supplier(PAYEE.number, name=PAYEE.name, tax_id=PAYEE.tax_id))
        conformance.target(
            make,
            "invoices",
            [voucher(str(number)) for number in range(1, 6)],
            contents=lambda: network.contents["bills"],
            clock=clock,
            changed=lambda one: attrs.evolve(one, due_date=dt.date(2026, 5, 5)),
            refused=attrs.evolve(voucher("9"), currency=None),
            tamper=lambda key: network.update("bills", str(key), dueDate="2027-01-01"),
            lose_answer=lambda: network.fail(drop="after", match=re.compile("POST .*/bills")),
            secrets=[network.password, network.dev_key],
        )
