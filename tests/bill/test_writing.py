"""Suppliers and invoices into BILL: references, bulk calls, look-ups, lost answers."""

from __future__ import annotations

import datetime as dt
import re
from decimal import Decimal
from typing import Any

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import mlconnector as mc
from mlconnector.bill import invoice_number
from mlconnector.bill._body import invoice_content, supplier_content
from mlconnector.http import dumps, loads, send_window
from tests.bill.conftest import PAYEE, World, line, supplier, voucher
from tests.bill.stub import error


class Crosswalk:
    def __init__(self, **links: str) -> None:
        self.links = links

    def find(self, kind: str, *, to: str | None = None, **known: str) -> Any:
        ((system, number),) = known.items()
        assert (to, system) == ("bill", "jdedwards")
        return self.links.get(f"{kind}:{number}".replace(" ", "").replace("/", "_"))


@pytest.fixture
def ready(world: World) -> World:
    world.books()
    world.vendor()
    return world


def change(document: Any, **options: Any) -> mc.Change[Any]:
    return mc.Change(document=document, key=document.key, **options)


def kept(prepared: mc.Prepared) -> mc.Prepared:
    """As it comes back from a ledger."""
    payload = loads(dumps(prepared.payload))
    return attrs.evolve(prepared.rendered(None), payload=payload, attempt=1)


def deliver(target: Any, *documents: Any, **options: Any) -> list[Any]:
    return list(target.deliver([kept(target.prepare(change(one, **options))) for one in documents]))


def is_found(target: Any, document: Any, **options: Any) -> Any:
    return target.find(kept(target.prepare(change(document, **options))))


# Invoices


def test_an_invoice_becomes_a_bill_with_its_tags_mark_and_number(ready: World) -> None:
    (receipt,) = ready.bill.save_invoices([voucher(purchase_order="4711")])
    (bill,) = ready.stub.made("bills")
    assert receipt.id == bill["id"]
    assert not receipt.existing
    assert bill["vendorId"] == ready.stub.made("vendors")[0]["id"]
    assert bill["invoice"] == {"invoiceNumber": "00001/PV/1001", "invoiceDate": "2026-02-01"}
    assert (bill["dueDate"], bill["purchaseOrderNumber"]) == ("2026-03-01", "4711")
    assert bill["description"] == "JDEDWARDS:00001/PV/1001 | INV-1001"
    (item,) = bill["billLineItems"]
    assert item["amount"] == Decimal("100.00")
    accounts, departments = ready.stub.made("chart-of-accounts"), ready.stub.made("departments")
    assert item["classifications"] == {"chartOfAccountId": accounts[0]["id"], "departmentId": departments[0]["id"]}
    (call,) = ready.stub.posts("/bills")
    assert b"100.00" in dumps(call.body).encode()
    (one,) = ready.bill.invoices()
    assert one.origin == "JDEDWARDS:00001/PV/1001"


def test_saving_again_finds_it_and_a_changed_one_is_replaced_with_its_lines_kept(ready: World) -> None:
    ready.bill.save_invoices([voucher()])
    (bill,) = ready.stub.made("bills")
    first = bill["billLineItems"][0]["id"]
    (receipt,) = ready.bill.save_invoices([voucher()])
    assert receipt.existing
    changed = voucher(amount="150.00", lines=[line("100.00"), line("50.00", description="freight")])
    (receipt,) = ready.bill.save_invoices([changed])
    assert (receipt.id, receipt.existing) == (bill["id"], False)
    (bill,) = ready.stub.made("bills")
    assert bill["amount"] == 150
    assert bill["billLineItems"][0]["id"] == first
    assert bill["billLineItems"][1]["description"] == "freight"


def test_a_negative_invoice_becomes_a_vendor_credit_of_positive_amounts(ready: World) -> None:
    debit = voucher("7", "-40.00", type="PD", kind="debit", due_date=None)
    receipts = ready.bill.save_invoices([voucher(), debit])
    (credit,) = ready.stub.made("vendor-credits")
    assert receipts[1].id == credit["id"]
    assert credit["referenceNumber"] == "00001/PV/7"
    assert credit["creditDate"] == "2026-02-01"
    assert "dueDate" not in credit
    assert [found["amount"] for found in credit["vendorCreditLineItems"]] == [40]
    ready.stub.put("vendor-credits", vendorId="009other", referenceNumber="00001/PV/7")
    with ready.client() as fresh:
        assert [one.existing for one in fresh.save_invoices([voucher(), debit])] == [True, True]


def test_a_thousand_bills_for_fifty_known_vendors_take_few_calls(world: World) -> None:
    world.books()
    parties = [mc.Party(number=str(n), name=f"Vendor {n}, Ltd", tax_id=f"98-{n:07}") for n in range(50)]
    for party in parties:
        world.vendor(party.name, party.tax_id)
    vouchers = [voucher(str(n), payee=parties[n * 7 % 50]) for n in range(1000)]
    target = world.bill.target("invoices")
    assert target.batch_size == 100
    assert target.content(vouchers[0]) == invoice_content(vouchers[0])
    for start in range(0, 1000, 100):
        answers = deliver(target, *vouchers[start : start + 100])
        assert all(isinstance(one, mc.Receipt) for one in answers)
    assert len(world.stub.made("bills")) == 1000
    assert len({row["invoice"]["invoiceNumber"] for row in world.stub.made("bills")}) == 1000
    assert len(world.stub.calls) <= 20
    assert world.stub.max_in_flight_seen <= 3


def test_every_fault_of_a_document_is_listed_and_nothing_is_written(ready: World) -> None:
    bad = voucher(
        currency=None,
        date=None,
        due_date=None,
        payee=mc.Party(number="9", name="Nobody"),
        lines=[line("60.001"), line("1", account="9999", description="x" * 4001), line("2", account="")],
    )
    with pytest.raises(mc.InvalidDocument) as caught:
        ready.bill.save_invoices([voucher("1"), bad])
    said = "\n".join(caught.value.faults)
    for part in (
        "currency", "invoice date", "due date", "more than two decimals", "4001", "no vendor 'Nobody'", "'9999'",
        "names no account", "add up to 63.001",
    ):  # fmt: skip
        assert part in said
    assert ready.stub.made("bills") == []


@pytest.mark.parametrize(
    ("fields", "part"),
    [
        ({"lines": ()}, "no lines"),
        ({"lines": [mc.InvoiceLine(kind="text", amount=1)]}, "no lines"),
        ({"lines": [mc.InvoiceLine(account="6010")]}, "line 1 has no amount"),
        ({"lines": [line("99.99")]}, "add up to 99.99, it is 100.00"),
        ({"gross": None, "open": None}, "no amount"),
        ({"open": "0", "lines": [line("0.00")]}, "nothing is open"),
        ({"open": "0.005"}, "two decimals"),
        ({"payee": None}, "no payee"),
    ],
)
def test_faults_of_a_document(ready: World, fields: dict[str, Any], part: str) -> None:
    with pytest.raises(mc.InvalidDocument, match=part):
        ready.bill.target("invoices").prepare(change(voucher(**fields)))


def test_the_open_amount_counts_and_the_supplier_is_the_payee_where_none_is_named(ready: World) -> None:
    target = ready.bill.target("invoices")
    made = target.prepare(change(voucher(gross="500.00", payee=None, supplier=PAYEE)))
    assert made.payload["body"]["billLineItems"][0]["amount"] == 100
    assert "open" not in made.payload["body"]
    made = target.prepare(change(voucher(open=None)))
    assert made.payload["resource"] == "bills"
    assert made.claim == ("invoice number", f"bill {made.describe['vendor']}", "00001/PV/1001")


@pytest.mark.parametrize(
    ("payee", "fields", "part"),
    [
        ({"name": "Other"}, {}, "no vendor 'Other'"),
        ({"tax_id": "99-9999999"}, {}, "another tax id"),
        ({"tax_id": ""}, {}, "this one has no tax id"),
        ({}, {"additionalInfo": {"taxId": "*****6789"}}, "shows no tax id"),
        ({}, {"additionalInfo": {}}, "shows no tax id"),
        ({}, {"archived": True}, "is archived"),
        ({}, {"billCurrency": "EUR"}, "is paid in EUR, the document is in USD"),
    ],
)
def test_a_vendor_is_never_guessed(world: World, payee: dict[str, str], fields: dict[str, Any], part: str) -> None:
    world.books()
    world.vendor(**fields)
    with pytest.raises(mc.UnknownReference) as caught:
        world.bill.target("invoices").prepare(change(voucher(payee=attrs.evolve(PAYEE, **payee))))
    assert part in "".join(caught.value.faults)


def test_two_vendors_of_a_name_are_told_apart_by_tax_id_and_by_currency_or_parked(world: World) -> None:
    world.books()
    world.vendor(tax_id="77-7777777")
    mine = world.vendor("PARTS  inc ")
    target = world.bill.target("invoices")
    assert target.prepare(change(voucher())).payload["body"]["vendorId"] == mine["id"]
    world.clock.advance(3600)
    euro = world.vendor(billCurrency="EUR")
    assert target.prepare(change(voucher(currency="EUR"))).payload["body"]["vendorId"] == euro["id"]
    world.clock.advance(3600)
    world.vendor()
    with pytest.raises(mc.UnknownReference, match="2 vendors"):
        target.prepare(change(voucher()))


def test_a_vendor_without_a_currency_has_the_home_currency(world: World) -> None:
    world.books()
    row = world.vendor()
    del row["billCurrency"]
    target = world.bill.target("invoices", home_currency="CAD")
    assert target.prepare(change(voucher(currency="CAD"))).payload["body"]["vendorId"] == row["id"]
    with pytest.raises(mc.UnknownReference, match="paid in CAD"):
        target.prepare(change(voucher()))


def test_a_tax_id_that_a_list_leaves_out_is_asked_for_once(world: World) -> None:
    world.books()
    world.vendor()
    world.stub.thin = {"additionalInfo"}
    target = world.bill.target("invoices")
    for number in "12":
        target.prepare(change(voucher(number)))
    assert sum(call.path.count("/vendors/") for call in world.stub.calls) == 1
    world.clock.advance(3600)
    target.prepare(change(voucher("3")))
    world.stub.touch("vendors", world.stub.made("vendors")[0]["id"], name="Renamed")
    world.clock.advance(3600)
    with pytest.raises(mc.UnknownReference, match="no vendor"):
        target.prepare(change(voucher("4")))


def test_the_crosswalk_comes_first_and_is_checked(world: World) -> None:
    world.books()
    one = world.vendor("Alias", "1")
    account = world.stub.put("chart-of-accounts", name="Rent")
    center = world.stub.put("departments", name="HQ")
    links = Crosswalk(
        **{"supplier:4343_USD": one["id"], "account:6010": account["id"], "cost_center:M30": center["id"]}
    )
    target = world.bill.target("invoices")
    body = target.prepare(change(voucher(), crosswalk=links)).payload["body"]
    assert body["vendorId"] == one["id"]
    tags = {"chartOfAccountId": account["id"], "departmentId": center["id"]}
    assert body["billLineItems"][0]["classifications"] == tags
    wrong = Crosswalk(**{"supplier:4343": "009gone", "account:6010": "0cagone"})
    with pytest.raises(mc.UnknownReference) as caught:
        target.prepare(change(voucher(), crosswalk=wrong))
    assert len(caught.value.faults) == 2
    world.clock.advance(3600)
    world.stub.touch("vendors", one["id"], archived=True)
    with pytest.raises(mc.UnknownReference, match="is archived"):
        target.prepare(change(voucher(), crosswalk=links))


def test_accounts_and_cost_centres_are_checked_before_the_write(ready: World) -> None:
    ready.stub.put("chart-of-accounts", name="Twin", account={"number": "6010"})
    lines = [line("50.00"), line("50.00", account="6020", cost_center="M99")]
    with pytest.raises(mc.UnknownReference) as caught:
        ready.bill.save_invoices([voucher(lines=lines)])
    assert caught.value.faults == (
        "line 1: account '6010' is 2 times in the chart of accounts",
        "line 2: account '6020' is not in the chart of accounts",
        "line 2: cost center 'M99' is not in the departments",
    )
    assert ready.stub.posts("bills") == []


def test_cost_centres_may_be_locations_and_may_be_missing(ready: World) -> None:
    place = ready.stub.put("locations", name="Denver", shortName="M30")
    target = ready.bill.target("invoices", cost_centers="locations")
    lines = [line("50.00"), line("50.00", cost_center=" ")]
    made = target.prepare(change(voucher(lines=lines))).payload["body"]["billLineItems"]
    assert made[0]["classifications"]["locationId"] == place["id"]
    assert made[1]["classifications"].keys() == {"chartOfAccountId"}
    for wrong in ({"cost_centers": "jobs"}, {"look_back": dt.timedelta(0)}):
        with pytest.raises(mc.InvalidArgument):
            ready.bill.target("invoices", **wrong)
    for kind in ("suppliers", "invoices"):
        for wrong in ({"home_currency": "dollars"}, {"settle_after": dt.timedelta(seconds=-1)}):
            with pytest.raises(mc.InvalidArgument):
                ready.bill.target(kind, **wrong)


def test_a_new_account_is_found_without_reading_the_chart_again(ready: World) -> None:
    target = ready.bill.target("invoices")
    target.prepare(change(voucher()))
    ready.clock.advance(120)
    ready.stub.put("chart-of-accounts", name="New", account={"number": "6020"})
    target.prepare(change(voucher("2", lines=[line("100.00", account="6020")])))
    charts = [call for call in ready.stub.calls if call.path.endswith("chart-of-accounts")]
    assert [("filters" in call.query) for call in charts] == [False, True]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.text(min_size=1, max_size=40), unique=True, max_size=20))
def test_numbers_are_deterministic_short_and_never_the_same(keys: list[str]) -> None:
    numbers = [invoice_number(key) for key in keys]
    assert numbers == [invoice_number(key) for key in keys]
    assert len(set(numbers)) == len(keys)
    assert all(1 <= len(number) <= 21 and number.isascii() and number == number.strip() for number in numbers)


def test_a_key_that_looks_like_a_hash_is_hashed_itself() -> None:
    long = "00001/PV/123456789/001/0"
    assert invoice_number("00001/PV/1234567/001") == "00001/PV/1234567/001"
    assert invoice_number(long).startswith("#")
    assert len(invoice_number(long)) == 21
    assert invoice_number(invoice_number(long)) != invoice_number(long)


def test_one_bad_bill_of_a_hundred_is_refused_alone_and_the_others_are_made_once(ready: World) -> None:
    ready.stub.refuse = lambda _name, row: (
        error("BDC_1143", "invoiceDate: no") if row["invoice"]["invoiceNumber"] == "00001/PV/37" else None
    )
    answers = deliver(ready.bill.target("invoices"), *(voucher(str(n)) for n in range(100)))
    refused = [n for n, answer in enumerate(answers) if not isinstance(answer, mc.Receipt)]
    assert refused == [37]
    assert "BDC_1143 invoiceDate: no" in str(answers[37])
    assert not answers[37].repeat_safe
    assert len(ready.stub.made("bills")) == 99
    assert len(ready.stub.posts("bills/bulk")) + len(ready.stub.posts("/bills")) <= 16


def test_save_invoices_tells_what_was_refused_and_how_many_were_written(ready: World) -> None:
    ready.stub.refuse = lambda _name, row: (
        error(None, "no") if row["invoice"]["invoiceNumber"] in ("00001/PV/1", "00001/PV/2") else None
    )
    with pytest.raises(mc.InvalidDocument, match="1 of 3 were written") as caught:
        ready.bill.save_invoices([voucher("0"), voucher("1"), voucher("2")])
    assert len(caught.value.faults) == 2
    with pytest.raises(mc.VendorFault):
        ready.bill.save_invoices([voucher("1")])
    with pytest.raises(mc.InvalidArgument, match="same key"):
        ready.bill.save_invoices([voucher("1"), voucher("1")])


def test_a_lost_answer_to_a_bulk_create_is_settled_member_by_member(ready: World) -> None:
    target = ready.bill.target("invoices")
    documents = [voucher(str(n)) for n in range(5)]
    ready.stub.fail(drop="after", match="bulk")
    answers = deliver(target, *documents)
    assert all(isinstance(one, mc.DeliveryInDoubt) for one in answers)
    assert len(ready.stub.made("bills")) == 5
    for document in documents:
        found = is_found(target, document)
        assert found.by == "content"
    assert is_found(target, voucher("77")) is None
    answers = deliver(target, *documents)
    assert all(one.existing for one in answers)
    assert len(ready.stub.made("bills")) == 5


def test_a_repeat_after_a_lost_answer_looks_again_and_not_into_what_it_remembers(ready: World) -> None:
    target = ready.bill.target("invoices")
    deliver(target, voucher("0"))
    ready.stub.fail(drop="after", match="POST /connect/v3/bills")
    (answer,) = deliver(target, voucher("1"))
    assert isinstance(answer, mc.DeliveryInDoubt)
    (answer,) = deliver(target, voucher("1"))
    assert answer.existing
    assert len(ready.stub.made("bills")) == 2


def test_a_look_up_that_fails_half_way_is_not_taken_for_an_empty_one(ready: World) -> None:
    target = ready.bill.target("invoices")
    deliver(target, voucher("1"))
    ready.stub.fail(times=9, status=502, match="GET /connect/v3/bills")
    with pytest.raises(mc.VendorFault):
        is_found(target, voucher("1"))
    ready.stub.calm()
    (answer,) = deliver(target, voucher("1"))
    assert answer.existing
    assert len(ready.stub.made("bills")) == 1


def test_a_call_that_never_arrived_is_found_absent(ready: World) -> None:
    target = ready.bill.target("invoices")
    ready.stub.fail(drop="before", match="POST /connect/v3/bills")
    (answer,) = deliver(target, voucher())
    assert isinstance(answer, mc.DeliveryInDoubt)
    assert is_found(target, voucher()) is None


def test_after_a_lost_call_nothing_more_is_sent_and_what_was_not_sent_goes_again(ready: World) -> None:
    target = ready.bill.target("invoices")
    debit = voucher("7", "-40.00")
    ready.stub.fail(drop="before", match=re.compile("POST.*vendor-credits$"))
    answers = deliver(target, voucher(), debit)
    assert isinstance(answers[0], mc.Receipt)
    assert isinstance(answers[1], mc.DeliveryInDoubt)
    ready.stub.refuse = lambda _n, row: error(None, "no") if row["invoice"]["invoiceNumber"] == "00001/PV/20" else None
    calls = {"n": 0}

    def second_single(call: Any) -> bool:
        calls["n"] += call.method == "POST" and "bills" in call.path
        return calls["n"] == 2

    ready.stub.fail(drop="before", match=second_single)
    answers = deliver(target, *(voucher(str(n)) for n in (20, 21, 22, 23)))
    kinds = [type(one).__name__ for one in answers]
    assert kinds == ["DeliveryInDoubt", "DeliveryInDoubt", "ConnectionFailed", "ConnectionFailed"]
    assert all(one.repeat_safe for one in answers[2:])


@pytest.mark.parametrize("status", [500, 502, 504])
def test_a_busy_server_leaves_a_write_in_doubt(ready: World, status: int) -> None:
    ready.stub.fail(status=status, match="POST /connect/v3/bills", acts=True)
    target = ready.bill.target("invoices")
    (answer,) = deliver(target, voucher())
    assert isinstance(answer, mc.DeliveryInDoubt)
    assert is_found(target, voucher()).id == ready.stub.made("bills")[0]["id"]


def test_a_dead_login_stops_before_anything_was_written(ready: World) -> None:
    target = ready.bill.target("invoices")
    prepared = [kept(target.prepare(change(voucher(str(n))))) for n in (1, 2)]
    ready.stub.fail(times=9, status=403, match="POST")
    with pytest.raises(mc.PermissionDenied) as caught:
        target.deliver(prepared)
    assert caught.value.repeat_safe
    ready.stub.calm()
    ready.stub.fail(times=9, status=403, match="GET")
    ready.clock.advance(3600)
    with pytest.raises(mc.PermissionDenied) as caught:
        target.deliver(prepared)
    assert caught.value.repeat_safe


def test_a_rate_limit_in_the_middle_puts_the_rest_off(ready: World) -> None:
    target = ready.bill.target("invoices")
    prepared = [kept(target.prepare(change(one))) for one in (voucher(), voucher("7", "-1.00"))]
    refusal = {"status": 400, "body": error("BDC_1144").body, "content_type": "application/json"}
    ready.stub.fail(match=re.compile("GET.*vendor-credits$"), **refusal)
    with pytest.raises(mc.RateLimited) as caught:
        target.deliver(prepared)
    assert caught.value.repeat_safe
    assert ready.stub.made("bills") == []
    ready.stub.fail(match=re.compile("POST.*vendor-credits$"), **refusal)
    bill, credit = target.deliver(prepared)
    assert isinstance(bill, mc.Receipt)
    assert credit.repeat_safe
    assert [one.existing for one in target.deliver(prepared)] == [True, False]


def test_no_wait_for_the_next_hour_leads_beyond_the_send_deadline(ready: World) -> None:
    with ready.client(on_hourly_limit="wait") as bill:
        target = bill.target("invoices")
        made = kept(target.prepare(change(voucher())))
        refusal = {"status": 400, "body": error("BDC_1144").body, "content_type": "application/json"}
        ready.stub.fail(match="POST", **refusal)
        before = ready.clock.now()
        with pytest.raises(mc.RateLimited):
            target.deliver([attrs.evolve(made, send_by=ready.clock.monotonic() + 60)])
        assert ready.clock.now() == before
        with send_window(ready.clock.monotonic() - 1), pytest.raises(mc.ConnectionFailed) as caught:
            target.deliver([made])
        assert caught.value.repeat_safe
        ready.stub.fail(match="POST", **refusal)
        assert isinstance(target.deliver([made])[0], mc.Receipt)


def test_a_bill_of_that_number_that_is_not_ours_is_left_alone_even_when_equal(ready: World) -> None:
    target = ready.bill.target("invoices")
    ready.bill.save_invoices([voucher()])
    (bill,) = ready.stub.made("bills")
    bill["description"] = "typed in by hand"
    with ready.client() as fresh:
        target = fresh.target("invoices")
        (answer,) = deliver(target, voucher())
        assert isinstance(answer, mc.TargetChanged)
        assert answer.cause == "not ours"
        with pytest.raises(mc.TargetChanged):
            is_found(target, voucher())
        with pytest.raises(mc.TargetChanged, match="not carry our mark"):
            fresh.save_invoices([voucher()])


@pytest.mark.parametrize(
    ("fields", "cause"),
    [
        ({"archived": True}, "archived"),
        ({"dueDate": "2026-09-09"}, "changed"),
        ({"description": "x"}, "not ours"),
    ],
)
def test_what_people_changed_is_a_conflict(ready: World, fields: dict[str, Any], cause: str) -> None:
    ready.bill.save_invoices([voucher()])
    ready.stub.touch("bills", ready.stub.made("bills")[0]["id"], **fields)
    with ready.client() as fresh, pytest.raises(mc.TargetChanged) as caught:
        is_found(fresh.target("invoices"), voucher())
    assert caught.value.cause == cause


def test_several_bills_of_a_number_are_a_conflict(ready: World) -> None:
    ready.bill.save_invoices([voucher()])
    ready.stub.put("bills", {**ready.stub.made("bills")[0], "id": "00ntwin"})
    with ready.client() as fresh:
        (answer,) = deliver(fresh.target("invoices"), voucher())
        assert answer.cause == "several"


@pytest.mark.parametrize("thin", [{"billLineItems", "purchaseOrderNumber"}, {"billLineItems", "description"}])
def test_a_row_of_a_list_that_is_thinner_is_asked_for_whole(ready: World, thin: set[str]) -> None:
    ready.bill.save_invoices([voucher()])
    ready.stub.thin = thin
    with ready.client() as fresh:
        assert is_found(fresh.target("invoices"), voucher()).by == "content"
        ready.stub.fail(status=502, times=9, match="bills/00n")
        (answer,) = deliver(fresh.target("invoices"), voucher())
        assert isinstance(answer, mc.ConnectionFailed)
        assert answer.repeat_safe


def test_a_list_that_leaves_descriptions_out_does_not_hide_whose_a_bill_is(ready: World) -> None:
    ready.stub.thin = {"billLineItems", "description"}
    (first,) = ready.bill.save_invoices([voucher()])
    with ready.client() as fresh:
        (found,) = fresh.save_invoices([voucher()])
    assert (found.id, found.existing) == (first.id, True)
    ready.stub.made("bills")[0].pop("description")
    with ready.client() as fresh:
        (answer,) = deliver(fresh.target("invoices"), voucher())
    assert (type(answer), answer.cause) == (mc.TargetChanged, "not ours")


def test_the_look_up_reaches_as_far_back_as_told(ready: World) -> None:
    ready.bill.save_invoices([voucher(), voucher("7", "-5.00")])
    ready.clock.advance(dt.timedelta(days=40))
    with ready.client() as fresh:
        target = fresh.target("invoices", look_back=dt.timedelta(days=30))
        deliver(target, voucher("2"), voucher("8", "-5.00"))
        lists = ("/v3/bills", "/v3/vendor-credits")
        reads = [call for call in ready.stub.calls if call.method == "GET" and call.path.endswith(lists)]
        asked = [call.query.get("filters", "") for call in reads]
        assert 'createdTime:gte:"2026-03-12' in asked[-1]
        assert 'createdTime:gte:"2026-03-12' in asked[-2]
        assert is_found(target, voucher()).id == ready.stub.made("bills")[0]["id"]


def update(world: World, new: mc.Invoice, **fields: Any) -> tuple[Any, mc.Prepared]:
    target = world.bill.target("invoices")
    (receipt,) = deliver(target, voucher())
    if fields:
        world.stub.touch("bills", receipt.id, **fields)
    known = {"previous": voucher(), "action": "change", "target_id": receipt.id, "revision": 2}
    return target, kept(target.prepare(change(new, **known)))


CHANGED = voucher(amount="120.00")


def test_a_change_replaces_an_unpaid_bill(ready: World) -> None:
    target, prepared = update(ready, CHANGED, approvers=[{"userId": "006"}])
    assert target.find(prepared) is None
    (answer,) = target.deliver([prepared])
    (bill,) = ready.stub.made("bills")
    assert (answer.id, bill["amount"], bill["billApprovals"]) == (bill["id"], 120, True)
    found = target.find(prepared)
    assert found.id == bill["id"]


@pytest.mark.parametrize(
    "fields", [{"paymentStatus": "SCHEDULED"}, {"paidAmount": "1"}, {"scheduledAmount": 1}, {"archived": True}]
)
def test_a_change_of_a_bill_that_is_scheduled_paid_or_archived_waits_for_a_person(
    ready: World, fields: dict[str, Any]
) -> None:
    target, prepared = update(ready, CHANGED, **fields)
    (answer,) = target.deliver([prepared])
    assert isinstance(answer, mc.TargetChanged)
    assert ready.stub.made("bills")[0]["amount"] == 100


@pytest.mark.parametrize(
    ("new", "action"), [(voucher(void=True), "cancel"), (voucher(open="0.00", lines=[line("0")]), "change")]
)
def test_a_void_or_settled_document_archives_its_bill(ready: World, new: mc.Invoice, action: str) -> None:
    target, prepared = update(ready, new)
    assert prepared.payload["operation"] == "archive"
    assert target.find(prepared) is None
    (answer,) = target.deliver([prepared])
    assert isinstance(answer, mc.Receipt)
    (bill,) = ready.stub.made("bills")
    assert bill["archived"]
    assert target.find(prepared).id == bill["id"]
    ready.stub.touch("bills", bill["id"], archived=False, dueDate="2027-01-01")
    with pytest.raises(mc.TargetChanged):
        target.find(prepared)


def test_what_was_never_sent_is_not_archived_and_what_cannot_be_rebuilt_is_a_conflict(ready: World) -> None:
    target = ready.bill.target("invoices")
    with pytest.raises(mc.InvalidDocument, match="never sent"):
        target.prepare(change(voucher(void=True)))
    with pytest.raises(mc.InvalidDocument, match="never sent"):
        target.prepare(change(voucher(void=True), action="cancel", previous=voucher()))
    known = {"action": "cancel", "target_id": "00n1", "previous": voucher(lines=[line("100.00", account="1")])}
    with pytest.raises(mc.TargetChanged, match="can no longer be told"):
        target.prepare(change(voucher(void=True), **known))
    with pytest.raises(mc.InvalidDocument, match="changed its sign"):
        target.prepare(change(voucher(amount="-1.00"), **{**known, "action": "change", "previous": voucher()}))


def test_a_change_is_refused_lost_or_put_off_as_its_call_was(ready: World) -> None:
    target, prepared = update(ready, CHANGED)
    ready.stub.refuse = lambda _name, _row: error("BDC_1119", "no")
    assert not target.deliver([prepared])[0].repeat_safe
    ready.stub.refuse = lambda _name, _row: None
    ready.stub.fail(drop="after", match="PUT")
    assert isinstance(target.deliver([prepared])[0], mc.DeliveryInDoubt)
    assert target.find(prepared).by == "content"
    ready.stub.fail(status=403, match="PUT")
    assert target.deliver([prepared])[0].repeat_safe
    ready.stub.fail(times=9, status=502, match="GET /connect/v3/bills/")
    assert target.deliver([prepared])[0].repeat_safe
    ready.stub.calm()
    ready.stub.fail(body="[]", content_type="application/json", match="PUT")
    assert target.deliver([prepared])[0].raw == {}
    ready.stub.fail(body="[]", content_type="application/json", match="GET /connect/v3/bills/")
    with pytest.raises(mc.VendorFault, match="without a record"):
        target.find(prepared)
    ready.stub.stores["bills"].clear()
    with pytest.raises(mc.TargetChanged, match="gone"):
        target.find(prepared)


def test_an_amount_that_bill_computes_otherwise_is_a_conflict(ready: World) -> None:
    put = ready.stub.put
    ready.stub.put = lambda name, row, /, **fields: put(name, row, **fields, amount=7)  # type: ignore[method-assign]
    (answer,) = deliver(ready.bill.target("invoices"), voucher())
    assert answer.cause == "amount"


@pytest.mark.parametrize("text", ["[]", '[{"vendorId": "x"}, {"vendorId": "y"}]', '"yes"', "<html>"])
def test_an_answer_that_does_not_name_what_was_made_leaves_it_in_doubt(ready: World, text: str) -> None:
    ready.stub.fail(body=text, status=201, content_type="application/json", match="POST /connect/v3/bills")
    answers = deliver(ready.bill.target("invoices"), voucher("1"), voucher("2"))
    assert all(isinstance(one, mc.DeliveryInDoubt) for one in answers)


def test_what_makes_a_revision_is_what_bill_is_told() -> None:
    same = voucher(pay_status="A", posted=True, amount="100.0")
    assert invoice_content(voucher()) == invoice_content(same)
    for other in ({"due_date": dt.date(2026, 4, 1)}, {"void": True}, {"lines": [line("100.00", account="1")]},
                  {"payee": None}, {"open": None, "gross": None}, {"lines": [mc.InvoiceLine()]}):  # fmt: skip
        assert invoice_content(voucher()) != invoice_content(voucher(**other))
    assert supplier_content(supplier()) == supplier_content(supplier(terms="30", hold="H"))
    assert supplier_content(supplier()) != supplier_content(supplier(name="New"))


def test_what_was_born_in_bill_never_goes_back(ready: World) -> None:
    with pytest.raises(mc.InvalidDocument, match="born in BILL") as caught:
        ready.bill.target("invoices").prepare(change(voucher(origin="BILL:00n1")))
    assert caught.value.cause == "echo"


def test_documents_of_no_system_have_a_mark_too(ready: World) -> None:
    ready.bill.save_invoices([voucher(provenance=None, supplier_invoice_number="")])
    assert ready.stub.made("bills")[0]["description"] == "MLCONNECTOR:00001/PV/1001"


# Suppliers


def test_a_supplier_becomes_a_vendor_and_is_found_again(world: World) -> None:
    full = supplier(
        name=' Smith, "Jones" & Co ',
        contacts=[mc.documents.Contact(name="A"), mc.documents.Contact(email="a@b.test", phone="1")],
        addresses=[mc.Address(lines=["1 Main", " ", "Dock 2", "Hall"], city="Bonn", postal_code="53111", country="de")],
    )
    receipt = world.bill.save_supplier(full)
    (vendor,) = world.stub.made("vendors")
    assert vendor["name"] == 'Smith, "Jones" & Co'
    assert vendor["address"] == {
        "line1": "1 Main", "line2": "Dock 2, Hall", "city": "Bonn", "zipOrPostalCode": "53111", "country": "DE",
    }  # fmt: skip
    assert (vendor["email"], vendor["phone"], vendor["billCurrency"]) == ("a@b.test", "1", "USD")
    assert vendor["additionalInfo"] == {"taxId": "12-3456789"}
    assert receipt.id == vendor["id"]
    again = world.bill.save_supplier(full)
    assert (again.id, again.existing) == (vendor["id"], True)
    changed = world.bill.save_supplier(attrs.evolve(full, contacts=[mc.documents.Contact(email="new@b.test")]))
    assert (changed.id, changed.existing, vendor["email"]) == (vendor["id"], False, "new@b.test")
    assert len(world.stub.made("vendors")) == 1


def test_every_fault_of_a_supplier_is_listed(world: World) -> None:
    bad = supplier(
        name="x" * 101,
        active=False,
        addresses=[mc.Address(city="c" * 101, state="s" * 101, postal_code="9" * 31, country="Germany")],
    )
    with pytest.raises(mc.InvalidDocument) as caught:
        world.bill.save_supplier(bad)
    assert set(caught.value.faults) == {
        "it is not active",
        "the address has no line1",
        "the country 'GERMANY' is no ISO 3166 code of two letters",
        "name has 101 characters, BILL takes 100",
        "address.city has 101 characters, BILL takes 100",
        "address.stateOrProvince has 101 characters, BILL takes 100",
        "address.zipOrPostalCode has 31 characters, BILL takes 30",
    }
    with pytest.raises(mc.InvalidDocument, match="no name.*no city.*no country"):
        world.bill.save_supplier(supplier(name=" ", addresses=[]))
    assert world.stub.posts("vendors") == []


def test_a_country_as_the_source_writes_it_can_be_translated(world: World) -> None:
    at = mc.Address(lines=["1"], city="Bonn", postal_code="53111", country="Germany")
    world.bill.save_supplier(supplier(addresses=[at]), countries={"Germany": "DE"})
    assert world.stub.made("vendors")[0]["address"]["country"] == "DE"


def test_suppliers_go_in_bulk_and_are_looked_up_in_one_list(world: World) -> None:
    world.vendor("Known 3", "3", address={"line1": "1 Main St", "city": "Denver", "stateOrProvince": "CO",
                                          "zipOrPostalCode": "80202", "country": "US"})  # fmt: skip
    target = world.bill.target("suppliers")
    assert target.batch_size == 20
    assert target.content(supplier()) == supplier_content(supplier())
    documents = [supplier(str(n), name=f"Known {n}", tax_id=str(n)) for n in range(20)]
    answers = deliver(target, *documents)
    assert [one.existing for one in answers] == [n == 3 for n in range(20)]
    assert len(world.stub.made("vendors")) == 20
    assert len(world.stub.calls) == 3
    found = is_found(target, documents[7])
    assert (found.id, found.by) == (answers[7].id, "content")
    assert is_found(target, supplier("99", name="New", tax_id="99")) is None


def test_two_suppliers_of_one_name_are_never_mixed_up(world: World) -> None:
    target = world.bill.target("suppliers")
    one, two, same = supplier("1", tax_id="1"), supplier("2", tax_id="2"), supplier("3", tax_id="1")
    answers = deliver(target, one, two, same)
    assert "another tax id" in str(answers[1])
    assert (answers[2].id, answers[2].existing) == (answers[0].id, True)
    assert [row["additionalInfo"]["taxId"] for row in world.stub.made("vendors")] == ["1"]


@pytest.mark.parametrize(
    ("fields", "document", "cause"),
    [
        ({"additionalInfo": {"taxId": "XX-XXX6789"}}, {}, "ambiguous"),
        ({"additionalInfo": {"taxId": "99-9999999"}}, {}, "ambiguous"),
        ({}, {"tax_id": ""}, "ambiguous"),
        ({"archived": True}, {}, "ambiguous"),
        ({"address": {"line1": "elsewhere"}}, {}, "changed"),
    ],
)
def test_a_vendor_that_may_or_may_not_be_the_one_is_parked(
    world: World, fields: dict[str, Any], document: dict[str, Any], cause: str
) -> None:
    world.vendor(**fields)
    target = world.bill.target("suppliers")
    (answer,) = deliver(target, supplier(**document))
    assert isinstance(answer, mc.TargetChanged)
    assert answer.cause == cause
    with pytest.raises(mc.TargetChanged):
        is_found(target, supplier(**document))
    assert len(world.stub.made("vendors")) == 1


def test_a_vendor_without_tax_id_is_linked_only_when_it_says_the_same(world: World) -> None:
    bare = supplier(tax_id="")
    world.bill.save_supplier(bare)
    target = world.bill.target("suppliers")
    (answer,) = deliver(target, bare)
    assert answer.existing
    assert is_found(target, bare).by == "content"
    with pytest.raises(mc.TargetChanged):
        world.bill.save_supplier(attrs.evolve(bare, addresses=[attrs.evolve(bare.addresses[0], city="Boston")]))


def known_vendor(world: World, new: mc.Supplier, **fields: Any) -> tuple[Any, mc.Prepared, dict[str, Any]]:
    target = world.bill.target("suppliers")
    (receipt,) = deliver(target, supplier())
    row = world.stub.stores["vendors"][receipt.id]
    if fields:
        world.stub.touch("vendors", receipt.id, **fields)
    known = {"previous": supplier(), "action": "change", "target_id": receipt.id}
    return target, kept(target.prepare(change(new, **known))), row


def test_a_changed_supplier_changes_its_vendor(world: World) -> None:
    target, prepared, row = known_vendor(world, supplier(name="Parts LLC"))
    assert target.find(prepared) is None
    (answer,) = target.deliver([prepared])
    assert (answer.id, row["name"]) == (row["id"], "Parts LLC")
    assert target.find(prepared).id == row["id"]


@pytest.mark.parametrize("fields", [{"archived": True}, {"name": "By hand"}, {"additionalInfo": {"taxId": "1"}}])
def test_a_vendor_that_people_changed_is_a_conflict(world: World, fields: dict[str, Any]) -> None:
    target, prepared, _row = known_vendor(world, supplier(name="Parts LLC"), **fields)
    with pytest.raises(mc.TargetChanged):
        target.find(prepared)


def test_a_change_of_a_vendor_is_refused_lost_or_put_off_as_its_call_was(world: World) -> None:
    target, prepared, row = known_vendor(world, supplier(name="Parts LLC"))
    world.stub.refuse = lambda _name, _row: error("BDC_1119", "no")
    assert not target.deliver([prepared])[0].repeat_safe
    world.stub.refuse = lambda _name, _row: None
    world.stub.fail(drop="before", match="PATCH")
    assert isinstance(target.deliver([prepared])[0], mc.DeliveryInDoubt)
    world.stub.fail(status=403, match="PATCH")
    assert target.deliver([prepared])[0].repeat_safe
    world.stub.fail(body="[]", content_type="application/json", match="PATCH")
    assert target.deliver([prepared])[0].raw == {}
    world.stub.stores["vendors"].pop(row["id"])
    with pytest.raises(mc.TargetChanged, match="gone"):
        target.find(prepared)


def test_a_linked_supplier_is_compared_and_not_written_over(world: World) -> None:
    one = world.vendor("Alias", address={"line1": "x"})
    target = world.bill.target("suppliers")
    for name in ("supplier:4343", "supplier:4343_USD"):
        (answer,) = deliver(target, supplier(), crosswalk=Crosswalk(**{name: one["id"]}))
        assert isinstance(answer, mc.TargetChanged)
        assert one["name"] == "Alias"


def test_a_refused_supplier_and_a_lost_call(world: World) -> None:
    target = world.bill.target("suppliers")
    world.stub.refuse = lambda _name, row: error("BDC_1119", "no") if row["name"] == "Bad" else None
    answers = deliver(target, supplier("1", name="Good", tax_id="1"), supplier("2", name="Bad", tax_id="2"))
    assert isinstance(answers[0], mc.Receipt)
    assert answers[1].refused
    with pytest.raises(mc.VendorFault):
        world.bill.save_supplier(supplier(name="Bad"))
    world.stub.fail(drop="after", match="POST /connect/v3/vendors")
    with pytest.raises(mc.DeliveryInDoubt):
        world.bill.save_supplier(supplier())
    assert world.bill.save_supplier(supplier()).existing
    assert [row["name"] for row in world.stub.made("vendors")] == ["Good", "Parts Inc"]


def test_a_call_that_fails_after_another_acted_takes_back_none_of_its_answers(world: World) -> None:
    target, known, _row = known_vendor(world, supplier(name="Parts LLC"))
    new = [kept(target.prepare(change(supplier(number, name="New", tax_id=number)))) for number in "12"]
    world.stub.fail(times=9, status=403, match="POST")
    with pytest.raises(mc.PermissionDenied) as caught:
        target.deliver(new)
    assert caught.value.repeat_safe
    answers = target.deliver([known, *new])
    assert isinstance(answers[0], mc.Receipt)
    assert [one.repeat_safe for one in answers[1:]] == [True, True]


def test_a_look_up_that_fails_writes_nothing(world: World) -> None:
    target = world.bill.target("suppliers")
    made = kept(target.prepare(change(supplier())))
    world.stub.fail(times=9, status=403, match="GET")
    with pytest.raises(mc.PermissionDenied) as caught:
        target.deliver([made])
    assert caught.value.repeat_safe
    world.stub.calm()
    world.vendor(additionalInfo={})
    world.stub.fail(times=9, status=502, match="vendors/009")
    (answer,) = target.deliver([made])
    assert answer.repeat_safe
    assert world.stub.posts("vendors") == []


# The engine


def test_it_runs_in_the_delivery_engine(ready: World, tmp_path: Any) -> None:
    from mlconnector.records import Batch, Records

    @attrs.define
    class Reader:
        documents: list[Any]
        system: str = "jdedwards"
        kind: str = "invoices"
        filters: dict[str, Any] = attrs.Factory(dict)
        overlap: dt.timedelta = dt.timedelta(0)
        resumable: bool = True

        def read(self, window: Any) -> Any:
            yield Batch(documents=self.documents, clock=ready.clock.now(), last=True)

    reader = Reader([voucher("1"), voucher("2", "-5.00"), voucher("3", lines=())])
    with mc.Ledger(":memory:", actor="test", clock=ready.clock) as ledger:
        sync = mc.Sync("bills", records=Records(reader), target=ready.bill.target("invoices"), ledger=ledger)
        ready.stub.fail(drop="after", match="POST /connect/v3/bills")
        sync.run()
        for _ in range(3):
            ready.clock.advance(3600)
            sync.run()
        assert {one.key: one.state for one in ledger.deliveries()} == {
            "00001/PV/1": "delivered", "00001/PV/2": "delivered", "00001/PV/3": "parked",
        }  # fmt: skip
        reader.documents = [voucher("1", "11.00")]
        ready.clock.advance(3600)
        sync.run()
    assert [row["amount"] for row in ready.stub.made("bills")] == [11]
    assert len(ready.stub.made("vendor-credits")) == 1
