"""What holds between JD Edwards and Coupa whatever happens: posted once, never guessed, never half written."""

from __future__ import annotations

import contextlib
import datetime as dt
from collections import Counter
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import pytest

import mlconnector as mc
from mlconnector import webhooks
from mlconnector.testing import (
    CoupaSimulator,
    JDEdwardsSimulator,
    ManualClock,
    fiscal_calendar,
    suppliers,
    vouchers,
)
from mlconnector.testing._ais_books import FinancialRules
from mlconnector.testing._ais_orchestrations import OrchestrationSite
from tests.flows.test_jde_to_coupa import CHART, START, Sites, approved, furnish, only, posted, ready

Build = Callable[..., Sites]


@pytest.fixture
def build() -> Iterator[Build]:
    """Makes both systems with their own habits."""
    with contextlib.ExitStack() as stack:

        def make(
            *,
            site: dict[str, Any] | None = None,
            rules: dict[str, Any] | None = None,
            spend: dict[str, Any] | None = None,
        ) -> Sites:
            clock = ManualClock(START)
            enter = stack.enter_context
            erp = enter(
                JDEdwardsSimulator(
                    clock=clock,
                    orchestrations=OrchestrationSite(**site or {}),
                    financials=FinancialRules(**rules or {}),
                )
            )
            coupa_site = enter(CoupaSimulator(clock=clock, **spend or {}))
            jde = enter(mc.JDEdwardsAIS(erp.url, auth=erp.auth, clock=clock, timeout=20))
            coupa = enter(mc.Coupa(coupa_site.url, auth=coupa_site.auth, clock=clock, timeout=20))
            return Sites(clock, erp, coupa_site, jde, coupa, enter(mc.Ledger(":memory:", actor="test", clock=clock)))

        yield make


def later(sites: Sites, flow: mc.Flow, minutes: int = 30) -> mc.Report:
    sites.clock.advance(dt.timedelta(minutes=minutes))
    return flow.run()


def coded(sites: Sites, code: str, *segments: str) -> int:
    """An account of Coupa, by its segments."""
    row: dict[str, Any] = {"code": code, "name": code, "account-type": CHART, "active": True}
    row |= {f"segment-{index}": text for index, text in enumerate(segments or code.split("-"), start=1)}
    (*_others, key) = sites.spend.add(row, resource="accounts")
    return key


def account_of(sites: Sites, code: str) -> int:
    return next(int(row["id"]) for row in sites.spend.contents["accounts"] if row["code"] == code)


def unordered(sites: Sites, number: str, *lines: dict[str, Any], **changes: Any) -> int:
    """An invoice without an order, approved in Coupa."""
    supplier = next(row for row in sites.spend.contents["suppliers"] if row["number"] == "4343")
    row = {
        "invoice-number": number,
        "invoice-date": dt.date(2026, 3, 1),
        "supplier": {"id": supplier["id"]},
        "account-type": CHART,
        "line-level-taxation": False,
        "currency": {"code": "USD"},
        "status": "approved",
        "invoice-lines": [
            {"type": "InvoiceAmountLine", "line-num": index, "description": "Service", **line}
            for index, line in enumerate(lines, start=1)
        ],
        **changes,
    }
    (*_others, key) = sites.spend.add(row, resource="invoices")
    return key


def prepared(sites: Sites, **options: Any) -> mc.Flow:
    """A flow whose suppliers are in Coupa."""
    furnish(sites)
    flow = sites.flow(**options)
    flow.run()
    return flow


def test_of_a_thousand_suppliers_twenty_changed_ones_take_at_most_sixty_calls(build: Build) -> None:
    sites = build()
    sites.erp.add(suppliers(1000))
    flow = sites.flow(kinds=["suppliers"])
    assert flow.run().kinds["suppliers"].delivered == 1000
    seconds = Counter(int(call.at.timestamp()) for call in sites.spend.calls)
    assert max(seconds.values()) <= 25
    sites.clock.advance(dt.timedelta(minutes=30))
    for number in range(4343, 4363):
        sites.erp.update("F0101", number, ALPH=f"New name {number}")
    sites.spend.forget_calls()
    assert flow.run().kinds["suppliers"].delivered == 20
    assert len(sites.spend.calls) <= 60


@pytest.mark.parametrize("drop", ["before", "after"])
@pytest.mark.parametrize("what", ["suppliers", "invoices", "submit", "ML_MatchVoucher", "ML_ReverseVoucher"])
def test_a_lost_answer_to_any_write_doubles_nothing(build: Build, what: str, drop: Any) -> None:
    sites = build()
    furnish(sites)
    sites.erp.add(vouchers(1, suppliers=1))
    sites.erp.add(fiscal_calendar(2026, period=3))
    flow = sites.flow(submit=True)
    simulator: Any = sites.erp if what.startswith("ML_") else sites.spend
    if not what.startswith("ML_"):
        simulator.fail(drop=drop, match=lambda call: call.path.rstrip("/").endswith(what) and call.method != "GET")
    flow.run()
    for _ in range(3):
        later(sites, flow)
    # What named a supplier that was not there yet waits for a person (delivery rule 15).
    flow.replay(reason="the supplier is there by now")
    key = approved(sites)
    if what == "ML_MatchVoucher":
        simulator.fail(drop=drop, match=what)
    for _ in range(3):
        later(sites, flow)
    assert [mark for _number, mark, _gross in posted(sites)].count(f"COUPA:{key}") == 1
    sites.spend.update("invoices", key, status="voided")
    if what == "ML_ReverseVoucher":
        simulator.fail(drop=drop, match=what)
    for _ in range(3):
        later(sites, flow)
    assert [mark for _number, mark, _gross in posted(sites)].count(f"COUPA:{key}") == 0
    numbers = [row["number"] for row in sites.spend.contents["suppliers"]]
    assert len(numbers) == len(set(numbers))
    sent = [row["invoice-number"] for row in sites.spend.contents["invoices"]]
    assert len(sent) == len(set(sent)) == 2
    assert not [one.faults for one in sites.ledger.deliveries() if one.state in ("parked", "in doubt")]


def test_a_ledger_that_was_lost_adopts_what_was_posted_and_lets_nothing_echo(build: Build) -> None:
    sites = build()
    flow = ready(sites, bank_account="00000001")
    flow.run()
    ((_number, _mark, gross),) = posted(sites)
    sites.erp.post()
    sites.clock.advance(dt.timedelta(days=40))
    with mc.Ledger(":memory:", actor="test", clock=sites.clock) as ledger:
        again = Sites(sites.clock, sites.erp, sites.spend, sites.jde, sites.coupa, ledger)
        for name in ("MAIN",):
            ledger.crosswalk.link("ship_to", jdedwards="6001", coupa=name)
        flow = again.flow(bank_account="00000001")
        report = flow.run()
        assert only(again, "vouchers").state == "delivered", only(again, "vouchers").faults
        assert report.kinds["invoices"].reasons["born in Coupa"] == 1
        again.spend.add(
            mc.Payment(
                number="55",
                date=again.clock.now().date(),
                amount=gross,
                currency="USD",
                payee=mc.Party(number="4343"),
                status="completed_successfully",
                applications=[mc.Application(invoice="1", amount=gross)],
            )
        )
        later(again, flow)
        (moved,) = ledger.deliveries(kind="payments")
        assert moved.state == "delivered", moved.faults
    assert len(posted(sites)) == 1
    assert len(sites.erp.contents["F0413"]) == 1


def test_events_out_of_order_leave_the_newest_state(build: Build) -> None:
    sites = build()
    flow = ready(sites, inbox="coupa")
    verifier = webhooks.CoupaVerifier("hush", clock=sites.clock)
    early = sites.spend.webhook("hush", ("invoices", 1))
    flow.run()
    sites.spend.update("invoices", 1, status="voided")
    sites.clock.advance(dt.timedelta(minutes=30))
    newest = sites.spend.webhook("hush", ("invoices", 1))
    for notice in (newest, early, newest, early, early):
        with contextlib.suppress(mc.InvalidDocument, mc.MLConnectorError):
            webhooks.receive(verifier, notice.headers, notice.body, ledger=sites.ledger, inbox="coupa")
    for _ in range(2):
        later(sites, flow)
    assert posted(sites) == []
    assert sites.ledger.deliveries(kind="vouchers")[-1].action == "cancel"


def test_an_invoice_that_is_voided_before_it_could_be_posted_becomes_no_voucher(build: Build) -> None:
    sites = build()
    flow = ready(sites)
    outage = [True]
    sites.erp.fail(status=503, match=lambda call: bool(outage) and "F0010" in str(call.body), times=1000)
    with contextlib.suppress(mc.MLConnectorError):
        flow.run()
    assert only(sites, "vouchers").state == "recorded"
    outage.clear()
    sites.clock.advance(dt.timedelta(minutes=30))
    sites.spend.update("invoices", 1, status="voided")
    for _ in range(2):
        later(sites, flow)
    assert posted(sites) == []
    assert only(sites, "vouchers").state == "superseded"


def test_split_allocations_are_shared_to_the_cent(build: Build) -> None:
    sites = build()
    flow = prepared(sites, tax={"": ("V", "")})
    shares = [
        {"account": {"id": account_of(sites, code)}, "pct": pct, "amount": None}
        for code, pct in (
            ("M30-6110", Decimal("33.33")),
            ("M30-6120", Decimal("33.33")),
            ("M30-6310", Decimal("33.34")),
        )
    ]
    line = {"price": Decimal("100.00"), "account": None, "account-allocations": shares}
    unordered(sites, "SPLIT", line)
    later(sites, flow)
    delivery = only(sites, "vouchers")
    assert delivery.state == "delivered", delivery.faults
    number = int(str(delivery.target_id).split("/")[2])
    parts = [row["AA"] for row in sites.erp.contents["F0911"] if row["DOC"] == number]
    assert sorted(parts) == [Decimal("33.33"), Decimal("33.33"), Decimal("33.34")]


@pytest.mark.parametrize(("currency", "amount"), [("EUR", Decimal("100.10")), ("JPY", Decimal(12345))])
def test_foreign_invoices_become_foreign_vouchers(build: Build, currency: str, amount: Decimal) -> None:
    sites = build()
    flow = prepared(sites)
    line = {"price": amount, "account": {"id": account_of(sites, "M30-6110")}}
    unordered(sites, "F-1", line, currency={"code": currency})
    later(sites, flow)
    assert only(sites, "vouchers").faults == ()
    (row,) = sites.erp.contents["F0411"]
    assert (row["CRRM"], row["CRCD"], row["ACR"]) == ("F", currency, amount)


@pytest.mark.parametrize("told", [Decimal("-40.00"), Decimal("40.00")])
def test_a_credit_note_becomes_a_debit_memo_whatever_its_sign_and_is_reversed_once(build: Build, told: Decimal) -> None:
    sites = build()
    flow = prepared(sites)
    shares = [
        {"account": {"id": account_of(sites, "M30-6110")}, "pct": Decimal(50), "amount": told / 2},
        {"account": {"id": account_of(sites, "M30-6120")}, "pct": Decimal(50), "amount": told / 2},
    ]
    line = {"price": told, "account": None, "account-allocations": shares}
    key = unordered(sites, "C-1", line, **{"is-credit-note": True, "document-type": "Credit Note"})
    later(sites, flow)
    assert only(sites, "vouchers").faults == ()
    (row,) = sites.erp.contents["F0411"]
    assert (row["DCT"], row["AG"]) == ("PD", -40)
    sites.erp.post()
    sites.spend.update("invoices", key, status="voided")
    for _ in range(2):
        later(sites, flow)
    assert [row["VOD"] for row in sites.erp.contents["F0411"] if not row["DCTA"]] == ["V"]


def test_a_code_with_a_hyphen_inside_a_segment_is_parked_until_it_is_linked(build: Build) -> None:
    sites = build()
    flow = prepared(sites)
    sites.erp.add({"AID": "00000077", "MCU": "M-30", "OBJ": "6110", "CO": "00001"}, table="F0901")
    account = coded(sites, "M-30-6110", "M-30", "6110")
    unordered(sites, "H-1", {"price": Decimal("10.00"), "account": {"id": account}})
    later(sites, flow)
    delivery = only(sites, "vouchers")
    assert delivery.state == "parked"
    assert "M-30-6110" in "; ".join(delivery.faults).replace("M.30.6110", "M-30-6110")
    sites.ledger.crosswalk.link("account", coupa="M-30-6110", jdedwards="M-30.6110")
    flow.replay(reason="linked")
    assert only(sites, "vouchers").state == "delivered"
    assert [row["MCU"].strip() for row in sites.erp.contents["F0911"]] == ["M-30"]


def test_a_tax_code_says_how_tax_is_posted_and_several_wait_for_a_person(build: Build) -> None:
    sites = build()
    flow = prepared(sites, tax={"VAT20": ("V", "UK20")})
    for code in ("VAT20", "VAT5"):
        sites.spend.add({"code": code}, resource="tax_codes")
    codes = {row["code"]: row["id"] for row in sites.spend.contents["tax_codes"]}
    account = {"id": account_of(sites, "M30-6110")}
    for number, parts in (("T-1", ("VAT20",)), ("T-2", ("VAT20", "VAT5"))):
        lines = [
            {"price": Decimal(100), "account": account,
             "tax-lines": [{"amount": Decimal(20), "tax-code": {"id": codes[code]}}]}
            for code in parts
        ]  # fmt: skip
        unordered(sites, number, *lines, **{"line-level-taxation": True})
    later(sites, flow)
    good, bad = sites.ledger.deliveries(kind="vouchers")
    assert (good.state, good.faults) == ("delivered", ())
    (row,) = sites.erp.contents["F0411"]
    assert (row["AG"], row["STAM"], row["EXR1"]) == (120, 20, "V")
    assert bad.state == "parked"
    assert "VAT20+VAT5" in "; ".join(bad.faults)


def test_a_renamed_supplier_changes_nothing_that_was_posted(build: Build) -> None:
    sites = build()
    flow = ready(sites)
    flow.run()
    supplier = sites.spend.contents["invoices"][0]["supplier"]["id"]
    sites.spend.update("suppliers", supplier, name="Tøyen Værktøy A/S")
    sites.spend.update("invoices", 1, paid=True)
    later(sites, flow)
    assert [one.state for one in sites.ledger.deliveries(kind="vouchers")] == ["delivered"]


@pytest.mark.parametrize("name", ["N" * 40, "Müller & Söhne Łódź", 'O\'Neil, "Bolts" Ltd'])
def test_names_of_every_kind_reach_coupa_and_are_found_again(build: Build, name: str) -> None:
    sites = build()
    sites.erp.add(suppliers(1))
    sites.erp.update("F0101", 4343, ALPH=name)
    flow = sites.flow(kinds=["suppliers"])
    sites.spend.fail(drop="after", match=lambda call: call.method == "POST" and "suppliers" in call.path)
    for _ in range(3):
        later(sites, flow)
    assert [row["name"] for row in sites.spend.contents["suppliers"]] == [name]


def test_an_older_orchestration_parks_what_it_cannot_take_and_names_it(build: Build) -> None:
    sites = build(site={"lacks": {"ML_MatchVoucher": ["Remark"]}, "unknown_inputs": "ignore"})
    flow = ready(sites)
    flow.run()
    assert any("ML_MatchVoucher has no input Remark" in fault for fault in only(sites, "vouchers").faults)
    assert posted(sites) == []


@pytest.mark.parametrize("refusals", ["500", "status", "step"])
def test_a_refusal_of_the_site_is_parked_with_its_words_though_it_lists_nothing(build: Build, refusals: str) -> None:
    sites = build(site={"refusals": refusals}, rules={"tolerance": Decimal(0)})
    sites.erp.fail(status=404, match="discover", times=20)
    flow = prepared(sites)
    approved(sites)
    sites.spend.update("invoices", 1, **{"invoice-lines": _dearer(sites)})
    later(sites, flow)
    delivery = only(sites, "vouchers")
    assert (delivery.state, delivery.detail) == ("parked", "refused")
    assert "tolerance" in "; ".join(delivery.faults).lower() or "received" in "; ".join(delivery.faults).lower()
    assert posted(sites) == []


def _dearer(sites: Sites) -> list[dict[str, Any]]:
    (line,) = sites.spend.contents["invoices"][0]["invoice-lines"]
    kept = {name: line[name] for name in ("id", "type", "line-num", "description", "quantity", "order-line-id")}
    return [{**kept, "price": line["price"] + 5}]


def test_a_site_that_enters_by_batch_posts_once_and_is_paid_on_the_number_the_batch_gave(build: Build) -> None:
    sites = build(site={"z_files": True})
    options = {"vouchers": {"look_up": "present_only"}, "payments": {"look_up": "reliable"}}
    flow = prepared(sites, bank_account="00000001", targets=options)
    key = unordered(sites, "Z-1", {"price": Decimal("10.00"), "account": {"id": account_of(sites, "M30-6110")}})
    sites.erp.fail(drop="after", match="ML_CreateAPVoucher")
    for _ in range(4):
        later(sites, flow)
    assert only(sites, "vouchers").state == "in doubt"
    sites.erp.run_batch()
    later(sites, flow)
    assert only(sites, "vouchers").state == "delivered"
    second = unordered(sites, "Z-2", {"price": Decimal("20.00"), "account": {"id": account_of(sites, "M30-6110")}})
    later(sites, flow)
    sites.erp.run_batch()
    sites.spend.add(
        mc.Payment(
            number="56",
            date=dt.date(2026, 3, 2),
            amount=Decimal("30.00"),
            currency="USD",
            payee=mc.Party(number="4343"),
            status="completed_successfully",
            applications=[
                mc.Application(invoice=str(key), amount=Decimal("10.00")),
                mc.Application(invoice=str(second), amount=Decimal("20.00")),
            ],
        )
    )
    later(sites, flow)
    (moved,) = sites.ledger.deliveries(kind="payments")
    assert (moved.state, moved.faults) == ("delivered", ())
    assert sum(row["AAP"] for row in sites.erp.contents["F0411"]) == 0


def test_a_site_that_keeps_no_mark_is_never_posted_to_twice(build: Build) -> None:
    sites = build(rules={"left_empty": frozenset({"F0411.RMK"})})
    flow = ready(sites)
    sites.erp.fail(drop="after", match="ML_MatchVoucher")
    for _ in range(4):
        later(sites, flow)
    assert len(posted(sites)) == 1
    assert (only(sites, "vouchers").state, only(sites, "vouchers").detail) == ("parked", "conflict")


def test_an_order_changed_three_times_ends_as_it_is_last_and_is_billed_as_such(build: Build) -> None:
    sites = build()
    furnish(sites, 1)
    flow = sites.flow()
    flow.run()
    (line, *_rest) = sites.erp.contents["F4311"]
    key = {name: line[name] for name in ("DOCO", "DCTO", "KCOO", "SFXO", "LNID")}
    for share in (2, 3, 4):
        sites.clock.advance(dt.timedelta(minutes=30))
        sites.erp.update("F4311", key, UORG=line["UORG"] * share, AEXP=line["AEXP"] * share)
        flow.run()
    (order,) = sites.spend.contents["purchase_orders"]
    assert order["order-lines"][0]["quantity"] == line["UORG"] * 4
    assert len(sites.ledger.deliveries(kind="purchase_orders")) == 4


def test_an_order_that_could_not_be_read_back_is_known_as_sent_when_it_changes(build: Build) -> None:
    """Made, answered thinly, and the right to read it back refused: that it was made must not be forgotten."""
    sites = build()
    furnish(sites, 1)
    flow = sites.flow()
    flow.run(limit=3)
    assert len(sites.spend.contents["purchase_orders"]) == 0
    path = "/api/purchase_orders"
    sites.spend.fail(
        status=200,
        body="{}",
        content_type="application/json",
        acts=True,
        match=lambda call: call.method == "POST" and call.path == path,
    )
    sites.spend.fail(status=403, match=lambda call: call.method == "GET" and call.path.startswith(path) and made())

    def made() -> bool:
        return bool(sites.spend.contents["purchase_orders"])

    with pytest.raises(mc.PermissionDenied):
        flow.run()
    assert only(sites, "purchase_orders").state == "in doubt"
    (line, *_rest) = sites.erp.contents["F4311"]
    key = {name: line[name] for name in ("DOCO", "DCTO", "KCOO", "SFXO", "LNID")}
    sites.clock.advance(dt.timedelta(minutes=30))
    sites.erp.update("F4311", key, UORG=line["UORG"] * 2, AEXP=line["AEXP"] * 2)
    for _ in range(2):
        later(sites, flow)
    (order,) = sites.spend.contents["purchase_orders"]
    assert (order["status"], order["order-lines"][0]["quantity"]) == ("issued", line["UORG"] * 2)
    assert [one.state for one in sites.ledger.deliveries(kind="purchase_orders")] == ["delivered", "delivered"]


def test_a_voucher_paid_in_part_is_not_reversed_until_its_payment_is_void(build: Build) -> None:
    sites = build()
    flow = ready(sites, bank_account="00000001", targets={"payments": {"look_up": "reliable"}})
    flow.run()
    sites.spend.add(
        mc.Payment(
            number="55",
            date=dt.date(2026, 3, 2),
            amount=Decimal("1.00"),
            currency="USD",
            payee=mc.Party(number="4343"),
            status="completed_successfully",
            applications=[mc.Application(invoice="1", amount=Decimal("1.00"))],
        )
    )
    later(sites, flow)
    assert len(sites.erp.contents["F0413"]) == 1
    sites.spend.update("invoices", 1, status="voided")
    later(sites, flow)
    delivery = sites.ledger.deliveries(kind="vouchers")[-1]
    assert delivery.state == "parked"
    assert any("void the payment first" in fault for fault in delivery.faults)
    assert len(posted(sites)) == 1
