"""JD Edwards and Coupa, both ways, end to end against both simulators."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import attrs
import pytest

import mlconnector as mc
from mlconnector import flows, webhooks
from mlconnector.testing import (
    CoupaSimulator,
    JDEdwardsSimulator,
    ManualClock,
    accounts,
    fiscal_calendar,
    orders,
    receipts,
    suppliers,
    vouchers,
)

START = dt.datetime(2026, 3, 2, 8, tzinfo=dt.UTC)


@attrs.define
class Sites:
    clock: ManualClock
    erp: JDEdwardsSimulator
    spend: CoupaSimulator
    jde: mc.JDEdwardsAIS
    coupa: mc.Coupa
    ledger: mc.Ledger

    def flow(self, **options: Any) -> mc.Flow:
        return flows.jde_to_coupa(
            self.jde,
            self.coupa,
            ledger=self.ledger,
            **{"begin": "everything", "ship_to_user": "integration", "company": "00001", **options},
        )


@pytest.fixture
def sites() -> Iterator[Sites]:
    clock = ManualClock(START)
    with (
        JDEdwardsSimulator(clock=clock) as erp,
        CoupaSimulator(clock=clock) as spend,
        mc.JDEdwardsAIS(erp.url, auth=mc.AISSession(erp.username, erp.password), clock=clock, timeout=20) as jde,
        mc.Coupa(spend.url, auth=spend.auth, clock=clock, timeout=20) as coupa,
        mc.Ledger(":memory:", actor="test", clock=clock) as ledger,
    ):
        yield Sites(clock, erp, spend, jde, coupa, ledger)


CHART = {"name": "US Chart"}
LINE = {"DCTO": "OP", "KCOO": "00001", "SFXO": "000"}


def furnish(sites: Sites, count: int = 2) -> None:
    """Both sides know the same accounts, periods and suppliers; each order line has an account and is received."""
    sites.erp.add(accounts())
    sites.erp.add(suppliers(3))
    for code in ("M30-6110", "M30-6120", "M30-6310", "M30-6420"):
        row = {"code": code, "name": code, "account-type": CHART, "active": True}
        row |= {f"segment-{index}": text for index, text in enumerate(code.split("-"), start=1)}
        sites.spend.add(row, resource="accounts")
    sites.ledger.crosswalk.link("ship_to", jdedwards="6001", coupa="MAIN")
    for terms in ("030", "N30", "N45", "N60"):
        sites.erp.add({"PTC": terms, "PTD": terms, "NDTP": 30}, table="F0014")
    tables = orders(count)
    for line in tables["F4311"]:
        line["ANI"] = "M30.6110"
    sites.erp.add(tables)
    sites.erp.add(receipts(tables))
    # Last: the builders' own company row knows no periods.
    sites.erp.add(fiscal_calendar(2026, period=3))


def approved(sites: Sites, number: str = "INV-1", **changes: Any) -> int:
    """An invoice in Coupa over the first line of the first order, approved there."""
    (order, *_rest) = sites.spend.contents["purchase_orders"]
    line = order["order-lines"][0]
    row = {
        "invoice-number": number,
        "invoice-date": dt.date(2026, 3, 1),
        "supplier": {"id": order["supplier"]["id"]},
        "account-type": CHART,
        "line-level-taxation": False,
        "currency": {"code": "USD"},
        "status": "approved",
        "invoice-lines": [
            {
                "type": "InvoiceQuantityLine",
                "line-num": 1,
                "description": "Bolt",
                "price": line["price"],
                "quantity": line["quantity"],
                "order-line-id": line["id"],
            }
        ],
        **changes,
    }
    (*_others, key) = sites.spend.add(row, resource="invoices")
    return key


def test_suppliers_reach_coupa_once(sites: Sites) -> None:
    sites.erp.add(suppliers(5))
    assert sites.flow(kinds=["suppliers"]).run().kinds["suppliers"].delivered == 5
    assert sites.flow(kinds=["suppliers"]).run().kinds["suppliers"].delivered == 0
    assert len(sites.spend.contents["suppliers"]) == 5


def posted(sites: Sites) -> list[tuple[str, str, Decimal]]:
    """Vouchers in JD Edwards: supplier's number, mark, gross."""
    return [(row["VINV"], row["RMK"], row["AG"]) for row in sites.erp.contents.get("F0411", ()) if not row.get("DCTA")]


def only(sites: Sites, kind: str) -> mc.delivery.Delivery:
    (delivery,) = sites.ledger.deliveries(kind=kind)
    return delivery


def ready(sites: Sites, **options: Any) -> mc.Flow:
    """A flow whose suppliers and orders are in Coupa, with one invoice approved there."""
    furnish(sites)
    flow = sites.flow(**options)
    flow.run()
    approved(sites)
    sites.clock.advance(dt.timedelta(minutes=30))
    return flow


def test_orders_go_out_issued_and_an_approved_invoice_comes_back_as_one_matched_voucher(sites: Sites) -> None:
    flow = ready(sites)
    assert [order["status"] for order in sites.spend.contents["purchase_orders"]] == ["issued", "issued"]
    assert sites.spend.transmissions == ()
    report = flow.run()
    assert report.kinds["vouchers"].delivered == 1
    ((number, mark, gross),) = posted(sites)
    assert (number, mark) == ("INV-1", "COUPA:1")
    assert any(row["MATC"] == "2" for row in sites.erp.contents["F43121"])
    assert only(sites, "vouchers").target_id == "00001/PV/600001"
    assert gross > 0
    sites.clock.advance(dt.timedelta(hours=30))
    sites.erp.post()
    report = flow.run()
    # What came from Coupa does not go back to it (rule B1).
    assert report.kinds["invoices"].reasons["born in Coupa"] == 1
    assert len(sites.spend.contents["invoices"]) == 1
    assert len(posted(sites)) == 1


def test_a_lost_answer_to_the_voucher_makes_no_second_one(sites: Sites) -> None:
    flow = ready(sites)
    sites.erp.fail(drop="after", match="ML_MatchVoucher")
    flow.run()
    for _ in range(3):
        sites.clock.advance(dt.timedelta(minutes=20))
        flow.run()
    assert len(posted(sites)) == 1
    assert only(sites, "vouchers").state == "delivered"


def test_an_answer_lost_before_the_voucher_is_repeated_once_it_is_surely_absent(sites: Sites) -> None:
    flow = ready(sites)
    sites.erp.fail(drop="before", match="ML_MatchVoucher")
    flow.run()
    assert only(sites, "vouchers").state == "in doubt"
    sites.clock.advance(dt.timedelta(minutes=30))
    flow.run()
    assert len(posted(sites)) == 1
    assert only(sites, "vouchers").attempt == 2


def test_a_webhook_five_times_and_the_poll_post_once(sites: Sites) -> None:
    flow = ready(sites, inbox="coupa")
    verifier = webhooks.CoupaVerifier("hush", clock=sites.clock)
    notice = sites.spend.webhook("hush", ("invoices", 1))
    for _ in range(5):
        webhooks.receive(verifier, notice.headers, notice.body, ledger=sites.ledger, inbox="coupa")
    report = flow.run()
    assert report.kinds["events"].delivered == 1
    assert len(posted(sites)) == 1
    for _ in range(2):
        sites.clock.advance(dt.timedelta(minutes=10))
        flow.run()
    assert len(posted(sites)) == 1


def test_what_is_not_received_is_parked_and_goes_after_it_came(sites: Sites) -> None:
    furnish(sites)
    for row in list(sites.erp.contents["F43121"]):
        sites.erp.remove("F43121", {name: row[name] for name in _RECEIPT_KEY})
    flow = sites.flow()
    flow.run()
    approved(sites)
    sites.clock.advance(dt.timedelta(minutes=30))
    flow.run()
    assert any("not received" in fault for fault in only(sites, "vouchers").faults)
    assert posted(sites) == []
    sites.erp.add(receipts({"F4311": list(sites.erp.contents["F4311"])}))
    report = flow.replay(reason="received now")
    assert report.kinds["vouchers"].delivered == 1
    assert len(posted(sites)) == 1


_RECEIPT_KEY = ("MATC", "DOCO", "DCTO", "KCOO", "SFXO", "LNID", "NLIN", "DOC")


def test_an_invoice_whose_mark_people_took_out_becomes_no_second_voucher(sites: Sites) -> None:
    furnish(sites)
    sites.erp.add(vouchers(1))
    sites.erp.add(fiscal_calendar(2026, period=3))
    flow = sites.flow(company="00001")
    flow.run()
    (row,) = sites.spend.contents["invoices"]
    count = len(posted(sites))
    sites.clock.advance(dt.timedelta(minutes=30))
    sites.spend.update("invoices", row["id"], internal_note="checked", status="approved")
    report = flow.run()
    assert report.kinds["vouchers"].excluded == 1
    assert len(posted(sites)) == count


def test_a_voucher_with_nothing_open_does_not_begin_in_coupa(sites: Sites) -> None:
    furnish(sites)
    sites.erp.add(vouchers(2))
    (row, _) = sites.erp.contents["F0411"]
    key = {name: row[name] for name in ("DOC", "DCT", "KCO", "SFX", "SFXE")}
    sites.erp.update("F0411", key, AAP=Decimal(0), PST="P")
    report = sites.flow(kinds=["suppliers", "invoices"]).run()
    assert (report.kinds["invoices"].delivered, report.kinds["invoices"].excluded) == (1, 1)
    assert len(sites.spend.contents["invoices"]) == 1


def test_a_closed_period_parks_or_posts_on_the_first_open_day(sites: Sites) -> None:
    ready(sites)
    sites.erp.add(fiscal_calendar(2026, period=6))
    flow = sites.flow()
    flow.run()
    assert any("outside the open periods" in fault for fault in only(sites, "vouchers").faults)
    moved = sites.flow(closed_period="first_open")
    moved.replay(reason="agreed with accounting")
    (row,) = sites.erp.contents["F0411"]
    assert row["DGJ"] == dt.date(2026, 6, 1)
    assert any("closed period" in item.text for item in sites.ledger.attention())


def test_a_payment_in_coupa_is_recorded_on_the_voucher_once(sites: Sites) -> None:
    flow = ready(sites, bank_account="00000001", targets={"payments": {"look_up": "reliable"}})
    flow.run()
    ((_number, _mark, gross),) = posted(sites)
    sites.spend.add(
        mc.Payment(
            number="55",
            date=dt.date(2026, 3, 2),
            amount=gross,
            currency="USD",
            payee=mc.Party(number="4343"),
            status="completed_successfully",
            applications=[mc.Application(invoice="1", amount=gross)],
        )
    )
    sites.clock.advance(dt.timedelta(minutes=30))
    sites.erp.fail(drop="after", match="ML_RecordAPPayment")
    flow.run()
    for _ in range(3):
        sites.clock.advance(dt.timedelta(minutes=20))
        flow.run()
    (delivery,) = sites.ledger.deliveries(kind="payments")
    assert (delivery.state, delivery.faults) == ("delivered", ())
    assert len(sites.erp.contents["F0413"]) == 1
    assert sum(row["AAP"] for row in sites.erp.contents["F0411"]) == 0


def test_a_voucher_of_jd_edwards_that_coupa_paid_is_paid_there(sites: Sites) -> None:
    furnish(sites)
    sites.erp.add(vouchers(2))
    sites.erp.add(fiscal_calendar(2026, period=3))
    flow = sites.flow(
        kinds=["suppliers", "invoices", "payments"],
        bank_account="00000001",
        submit=True,
        targets={"payments": {"look_up": "reliable"}},
    )
    flow.run()
    sent = {one.target_id: one.document for one in sites.ledger.deliveries(kind="invoices")}
    assert len(sent) == 2
    for number, (there, voucher) in enumerate(sent.items()):
        sites.spend.add(
            mc.Payment(
                number=str(50 + number),
                date=dt.date(2026, 3, 2),
                amount=voucher.open,
                currency="USD",
                payee=mc.Party(number=voucher.supplier.number),
                status="completed_successfully",
                applications=[mc.Application(invoice=there, amount=voucher.open)],
            )
        )
    sites.clock.advance(dt.timedelta(minutes=30))
    report = flow.run()
    assert report.kinds["payments"].delivered == 2, [one.faults for one in sites.ledger.deliveries(kind="payments")]
    paid = {row["DOC"]: row["AAP"] for row in sites.erp.contents["F0411"]}
    assert paid == {int(voucher.number): 0 for voucher in sent.values()}
    assert sorted(abs(row["PAAP"]) for row in sites.erp.contents["F0414"]) == sorted(one.open for one in sent.values())


def test_an_invoice_voided_in_coupa_is_reversed_once(sites: Sites) -> None:
    flow = ready(sites)
    flow.run()
    sites.spend.update("invoices", 1, status="voided")
    sites.clock.advance(dt.timedelta(minutes=30))
    flow.run()
    delivery = sites.ledger.deliveries(kind="vouchers")[-1]
    assert (delivery.action, delivery.state) == ("cancel", "delivered")
    assert not any(row["MATC"] == "2" for row in sites.erp.contents["F43121"])


def test_vouchers_reach_coupa_as_drafts_and_a_missing_account_parks_with_every_miss(sites: Sites) -> None:
    furnish(sites)
    sites.erp.add(vouchers(2))
    sites.erp.add(fiscal_calendar(2026, period=3))
    taken = [dict(row) for row in sites.spend.contents["accounts"]]
    for row in taken:
        sites.spend.remove("accounts", row["id"])
    flow = sites.flow(kinds=["suppliers", "invoices"])
    report = flow.run()
    parked = [one for one in sites.ledger.deliveries(kind="invoices") if one.state == "parked"]
    assert report.kinds["invoices"].parked == len(parked) == 2
    assert all(any("account" in fault for fault in one.faults) for one in parked)
    assert not sites.spend.contents["invoices"]
    sites.spend.add(taken, resource="accounts")
    flow.replay(reason="the accounts are back")
    assert [row["status"] for row in sites.spend.contents["invoices"]] == ["draft", "draft"]


def test_what_is_no_order_to_a_supplier_never_goes(sites: Sites) -> None:
    furnish(sites, 3)
    blanket, cancelled, sent = sites.erp.contents["F4301"]
    for table in ("F4301", "F4311"):
        for row in sites.erp.contents[table]:
            if row["DOCO"] == blanket["DOCO"]:
                sites.erp.remove(table, row)
                sites.erp.add({**row, "DCTO": "OB"}, table=table)
            elif row["DOCO"] == cancelled["DOCO"] and table == "F4311":
                sites.erp.remove(table, row)
                sites.erp.add({**row, "LTTR": "980", "NXTR": "999", "UOPN": 0, "AOPN": 0}, table=table)
    sites.flow(kinds=["suppliers", "purchase_orders"]).run()
    assert [one["po-number"] for one in sites.spend.contents["purchase_orders"]] == [str(sent["DOCO"])]


def test_a_void_voucher_or_one_with_nothing_open_never_goes(sites: Sites) -> None:
    furnish(sites)
    sites.erp.add(vouchers(3))
    sites.erp.add(fiscal_calendar(2026, period=3))
    void, paid, _sent = sites.erp.contents["F0411"]
    sites.erp.update("F0411", void, VOD="V")
    sites.erp.update("F0411", paid, AAP=0)
    report = sites.flow(kinds=["suppliers", "invoices"]).run()
    assert report.kinds["invoices"].excluded == 2
    assert len(sites.spend.contents["invoices"]) == 1


def test_no_payments_without_a_place_to_record_them(sites: Sites) -> None:
    assert sites.flow().kinds == ("suppliers", "purchase_orders", "invoices", "vouchers")
    with pytest.raises(mc.InvalidArgument, match="bank_account"):
        sites.flow(kinds=["payments"])
