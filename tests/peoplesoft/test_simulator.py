"""The client against the simulator of PeopleSoft, in every form of answer that the reference leaves open."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest

import mlconnector as mc
from mlconnector.peoplesoft import ComponentInterface, PeopleSoft
from mlconnector.target import Change
from mlconnector.testing import ManualClock
from mlconnector.testing._peoplesoft import PeopleSoftSimulator

PROMPTS = {"SETID": "A.VENDOR_SETID =", "VENDOR": "A.VENDOR_ID =", "INVOICE": "A.INVOICE_ID ="}


def client(site: PeopleSoftSimulator, **options: Any) -> PeopleSoft:
    given: dict[str, Any] = {
        "auth": mc.HTTPBasic(site.username, site.password),
        "business_units": ["US001"],
        "setids": ["SHARE"],
        "requesting_node": "ML_CONNECTOR",
        "clock": site.clock,
        "retry": mc.Retry(attempts=2),
    }
    return PeopleSoft(site.url, **{**given, **options})


def seed(site: PeopleSoftSimulator, orders: int = 12) -> None:
    site.add(mc.Supplier(number="0000000042", name="Acme"))
    site.add(mc.Account(number="640000"))
    site.add(mc.CostCenter(number="13000"))
    for number in range(101, 101 + orders):
        lines = [
            mc.OrderLine(
                number=str(at),
                quantity=Decimal(10),
                unit="EA",
                unit_price=Decimal("12.05"),
                amount=Decimal("120.50"),
                item_ids={"buyer": "WIDGET"},
                requested_date=dt.date(2026, 4, 1),
            )
            for at in (1, 2, 3)
        ]
        site.add(
            mc.PurchaseOrder(
                number=f"{number:010}",
                company="US001",
                type="GEN",
                date=dt.date(2026, 1, 5),
                supplier=mc.Party(number="0000000042"),
                ship_to=mc.Party(number="DOCK1"),
                currency="USD",
                lines=lines,
            )
        )


def invoice(number: str = "FICT-1") -> mc.Invoice:
    lines = [
        mc.InvoiceLine(number="1", quantity=Decimal(10), unit="EA", unit_price=Decimal("12.05"),
                       purchase_order="0000000101", order_line="1"),
        mc.InvoiceLine(number="2", kind="charge", description="Freight", amount=Decimal(6)),
    ]  # fmt: skip
    return mc.Invoice(
        number=number,
        supplier_invoice_number=number,
        date=dt.date(2026, 2, 1),
        company="US001",
        supplier=mc.Party(number="0000000042"),
        currency="USD",
        gross=Decimal("130.50"),
        tax=Decimal(4),
        lines=lines,
    )


@pytest.mark.parametrize(
    ("site_options", "options"),
    [
        ({}, {}),
        ({"aliases": False}, {}),
        ({"bom": True, "name_key": None, "empty_rows": False, "blanks": "padded"}, {}),
        ({"row_cap": 5}, {}),
        ({"xml_namespace": True}, {"result": "XMLP"}),
        ({}, {"page_size": 3, "max_in_flight": 1}),
    ],
)
def test_every_form_of_answer_gives_the_same_orders(site_options: dict[str, Any], options: dict[str, Any]) -> None:
    with PeopleSoftSimulator(clock=ManualClock(), **site_options) as site:
        seed(site)
        with client(site, **options) as people:
            found = list(people.purchase_orders())
            assert [one.number for one in found] == [f"{number:010}" for number in range(101, 113)]
            assert {(len(one.lines), one.total, one.ready) for one in found} == {(3, Decimal("361.5"), True)}
            assert (
                len(list(people.suppliers())) == len(list(people.accounts())) == len(list(people.cost_centers())) == 1
            )
            assert people.check().ok


def test_a_change_is_found_and_an_unchanged_poll_takes_two_calls() -> None:
    clock = ManualClock()
    with PeopleSoftSimulator(clock=clock) as site:
        seed(site)
        with client(site) as people:
            records = people.purchase_orders()
            assert len(list(records)) == 12
            for _ in range(2):
                clock.advance(dt.timedelta(hours=20))
                records = records.continue_from(records.cursor)
                assert list(records) == []
            site.forget_calls()
            records = records.continue_from(records.cursor)
            assert list(records) == []
            assert len(site.calls) == 2
            site.update("PO_HDR", {"BUSINESS_UNIT": "US001", "PO_ID": "0000000107"}, HOLD_STATUS="Y")
            (changed,) = records.continue_from(records.cursor)
            assert changed.waiting_for == ("HOLD_STATUS Y is not N",)


@pytest.mark.parametrize("act", ["deactivate", "forbid"])
@pytest.mark.parametrize("status", [401, 403, 404, 500])
def test_an_operation_that_is_not_open_is_named(act: str, status: Any) -> None:
    with PeopleSoftSimulator(clock=ManualClock(), inactive_status=status) as site:
        getattr(site, act)("ExecuteQuery")
        with client(site) as people, pytest.raises(mc.MLConnectorError, match="QAS_EXECUTEQRY_REST_GET") as caught:
            list(people.purchase_orders())
        assert "activates service operation" in caught.value.cure


def test_a_message_becomes_one_voucher_whatever_is_lost() -> None:
    with PeopleSoftSimulator(clock=ManualClock()) as site:
        seed(site)
        site.define_query("SITE_STAGED", prompts=PROMPTS, key="A.VOUCHER_ID", record="VCHR_HDR_STG")
        with client(site, queries={"staged_vouchers": "SITE_STAGED"}) as people:
            target = people.target("vouchers")
            made = target.prepare(Change(document=invoice(), key="FICT-1"))
            assert target.find(made.before_intent()) is None
            site.fail(drop="after", match="HttpListeningConnector")
            with pytest.raises(mc.ConnectionFailed):
                target.deliver([made.rendered(None)])
            with pytest.raises(mc.DeliveryInDoubt, match="staged"):
                target.find(made.rendered(None))
            assert site.build_vouchers().built
            found = target.find(made.rendered(None))
            assert found is not None
            assert found.by == "marker"
            (voucher,) = people.invoices()
            assert voucher.gross == Decimal("130.50")
            assert voucher.origin == "MLCONNECTOR FICT-1"
            assert sum(line.amount for line in voucher.lines) + voucher.tax == voucher.gross


@pytest.mark.parametrize("soap", ["1.1", "1.2"])
def test_a_component_interface_makes_the_voucher(soap: Any) -> None:
    with PeopleSoftSimulator(clock=ManualClock()) as site:
        seed(site)
        site.define_component("ML_VCHR", "VOUCHER", {"VOUCHER_LINE": {"DISTRIB_LINE": {}}})
        with client(site, voucher_component=ComponentInterface(name="ML_VCHR", soap=soap)) as people:
            assert people.check().steps[-1].ok
            made = people.create_voucher(invoice())
            assert people.create_voucher(invoice()) == mc.Receipt(
                system="peoplesoft", id=made.id, existing=True, raw={"staged": False, "entry_status": "P"}
            )
            assert [one.key for one in people.invoices()] == [made.id]
