"""Session, limits, lists, filters and documents."""

from __future__ import annotations

import datetime as dt
import itertools
import pickle
from decimal import Decimal
from typing import Any

import pytest

import mlconnector as mc
from mlconnector.bill import BILL, BillSession, mark_of
from mlconnector.bill._filters import filters, instant, sort
from mlconnector.bill._resources import BILLS, VENDORS, resource
from mlconnector.http import RequestRefused
from tests.bill.conftest import World
from tests.bill.stub import KEY, ORG, error

UTC = dt.UTC
NAIVE = dt.datetime(2026, 1, 1)  # noqa: DTZ001 - what is refused


def body(code: str, status: int = 400) -> dict[str, Any]:
    return {"status": status, "body": error(code).body, "content_type": "application/json"}


def test_the_developer_key_is_in_the_body_of_the_login_and_in_a_header_later(world: World) -> None:
    list(world.bill.suppliers())
    login, listed = world.stub.calls
    assert (login.path, login.body["devKey"], login.body["organizationId"]) == ("/connect/v3/login", KEY, ORG)
    assert "devkey" not in login.headers
    assert listed.headers["devkey"] == KEY
    assert listed.headers["sessionid"].startswith("session-")
    assert listed.query["max"] == "100"


def test_a_night_of_polls_uses_one_login_and_a_night_without_calls_makes_none(world: World) -> None:
    for _ in range(60):
        list(world.bill.payments())
        world.clock.advance(dt.timedelta(minutes=10))
    assert world.stub.logins() == 1
    world.stub.forget_calls()
    world.clock.advance(dt.timedelta(hours=12))
    assert world.stub.calls == ()
    list(world.bill.payments())
    assert [call.path.rpartition("/")[2] for call in world.stub.calls] == ["login", "payments"]


def test_a_sync_token_lives_two_days(world: World) -> None:
    with world.client(auth=world.session(idle=dt.timedelta(hours=48))) as bill:
        list(bill.suppliers())
        world.clock.advance(dt.timedelta(hours=47))
        list(bill.suppliers())
        assert world.stub.logins() == 1


def test_an_invalid_session_is_replaced_once_and_the_call_repeated_once(world: World) -> None:
    list(world.bill.suppliers())
    world.stub.expire_tokens()
    list(world.bill.suppliers())
    assert world.stub.logins() == 2
    world.stub.fail(times=9, match="GET", **body("BDC_1109", 401))
    with pytest.raises(mc.AuthenticationFailed):
        list(world.bill.suppliers())
    assert world.stub.logins() == 3


@pytest.mark.parametrize("status", [400, 401, 500])
def test_a_session_that_dies_between_login_and_first_call_costs_one_more_login(world: World, status: int) -> None:
    world.stub.fail(match="GET", **body("BDC_1109", status))
    list(world.bill.suppliers())
    assert world.stub.logins() == 2


@pytest.mark.parametrize("code", ["BDC_1361", "BDC_1145", "BDC_1102"])
def test_a_403_stops_without_a_login(world: World, code: str) -> None:
    list(world.bill.suppliers())
    world.stub.fail(**body(code, 403))
    with pytest.raises(mc.PermissionDenied):
        list(world.bill.suppliers())
    assert world.stub.logins() == 1


@pytest.mark.parametrize("status", [400, 401, 403, 423, 429, 500])
def test_a_refused_login_is_not_tried_again_whatever_its_status(world: World, status: int) -> None:
    world.stub.fail(match="login", **body("BDC_1101", status))
    for _ in range(2):
        with pytest.raises(mc.AuthenticationFailed, match="BDC_1101|refused") as caught:
            list(world.bill.suppliers())
        assert KEY not in str(caught.value)
        assert world.stub.password not in str(caught.value)
    assert world.stub.logins() == 1


def test_a_refusal_without_a_code_is_one_of_the_login_too(world: World) -> None:
    world.stub.fail(match="login", status=423, body="<html>", content_type="text/html")
    with pytest.raises(mc.AuthenticationFailed):
        list(world.bill.suppliers())


def test_a_login_that_is_refused_for_another_reason_does_not_condemn_the_secrets(world: World) -> None:
    world.stub.fail(match="login", **body("BDC_1108"))
    with pytest.raises(RequestRefused):
        list(world.bill.suppliers())
    assert list(world.bill.suppliers()) == []


def test_a_login_that_is_refused_for_load_is_tried_again(world: World) -> None:
    world.stub.fail(times=2, match="login", **body("BDC_1322"))
    list(world.bill.suppliers())
    assert world.stub.logins() == 3
    with world.client() as bill:
        world.stub.fail(times=9, match="login", **body("BDC_1322", 422))
        with pytest.raises(mc.RateLimited):
            list(bill.suppliers())
        assert world.stub.logins() == 8


def test_a_login_answered_with_something_else_is_no_login(world: World) -> None:
    world.stub.fail(match="login", body='{"sessionId": 7}', content_type="application/json")
    with pytest.raises(mc.VendorFault, match="sessionId"):
        list(world.bill.suppliers())
    world.stub.fail(match="login", status=502, body="<html>")
    with pytest.raises(mc.VendorFault) as caught:
        list(world.bill.suppliers())
    assert caught.value.repeat_safe


def test_it_logs_out_at_the_end_and_a_failing_logout_is_no_fault(world: World) -> None:
    with world.client() as bill:
        list(bill.suppliers())
    assert len(world.stub.posts("/logout")) == 1
    with world.client() as bill:
        list(bill.suppliers())
        world.stub.fail(times=9, drop="before", match="logout")


@pytest.mark.parametrize("status", [400, 422, 429, 500])
def test_the_hourly_limit_is_known_by_its_code_and_raised_without_another_try(world: World, status: int) -> None:
    list(world.bill.suppliers())
    world.stub.forget_calls()
    world.stub.fail(**body("BDC_1144", status))
    with pytest.raises(mc.RateLimited, match="hour") as caught:
        list(world.bill.suppliers())
    assert len(world.stub.calls) == 1
    assert caught.value.retry_after == 40 * 60 + 1
    assert caught.value.repeat_safe


def test_the_hourly_limit_is_waited_for_as_told(world: World) -> None:
    with world.client(on_hourly_limit="wait") as bill:
        list(bill.suppliers())
        world.stub.fail(**body("BDC_1144"))
        list(bill.suppliers())
        assert world.clock.now() == dt.datetime(2026, 3, 2, 9, 0, 1, tzinfo=UTC)
        world.stub.fail(times=9, **body("BDC_1144"))
        with pytest.raises(mc.RateLimited):
            list(bill.suppliers())
    with world.client() as bill:
        world.stub.fail(times=4, match="login", **body("BDC_1144"))
        with pytest.raises(mc.RateLimited):
            list(bill.suppliers())


@pytest.mark.parametrize("status", [400, 409, 429])
def test_too_many_at_once_is_known_by_its_code_and_tried_again(world: World, status: int) -> None:
    list(world.bill.suppliers())
    world.stub.fail(times=2, **body("BDC_1322", status))
    assert list(world.bill.suppliers()) == []


def test_a_bare_429_is_rate_limiting_too(world: World) -> None:
    list(world.bill.suppliers())
    world.stub.fail(status=429, body="slow", content_type="text/plain")
    assert list(world.bill.suppliers()) == []


@pytest.mark.parametrize("form", ["array", "object", "errors", "html", "empty"])
def test_errors_are_read_in_every_form_that_was_seen(world: World, form: str) -> None:
    texts = {
        "array": '[{"code": null, "message": "address: must not be null"}, {"message": "a1 : email: wrong"},'
        ' {"message": "email: wrong"}, 7]',
        "object": '{"message": "address: must not be null"}',
        "errors": '{"errors": [{"code": "BDC_1143", "message": "address: must not be null"}]}',
        "html": "<html>",
        "empty": "",
    }
    list(world.bill.suppliers())
    kind = "text/html" if form == "html" else "application/json"
    world.stub.fail(status=400, body=texts[form], content_type=kind)
    with pytest.raises(RequestRefused) as caught:
        list(world.bill.suppliers())
    assert ("must not be null" in caught.value.message) == (form in ("array", "object", "errors"))
    assert caught.value.message.count("email: wrong") == (form == "array")


@pytest.mark.parametrize(
    "text", ['{"response_status": 1, "response_data": {"error_code": "BDC_1"}}', '[{"response_status": "1"}]', "<html>"]
)
def test_a_failure_inside_a_success_is_none(world: World, text: str) -> None:
    list(world.bill.suppliers())
    kind = "text/html" if text.startswith("<") else "application/json"
    world.stub.fail(times=1, body=text, content_type=kind)
    with pytest.raises(mc.VendorFault):
        list(world.bill.suppliers())


def test_a_500_is_tried_again_for_reads(world: World) -> None:
    list(world.bill.suppliers())
    world.stub.fail(times=2, status=500)
    assert list(world.bill.suppliers()) == []


@pytest.mark.parametrize(
    "text", ["7", '{"results": [7]}', '{"a": [], "b": []}', "{}", "[]", '[{"code": "BDC_1002"}]', '{"errors": []}']
)
def test_an_answer_without_a_list_is_a_fault(world: World, text: str) -> None:
    list(world.bill.suppliers())
    world.stub.fail(body=text, content_type="application/json")
    with pytest.raises(mc.VendorFault, match="without a list"):
        list(world.bill.suppliers())


def test_a_list_ends_where_no_next_page_is_named_and_not_before(world: World) -> None:
    for number in range(250):
        world.vendor(f"V{number}")
    assert len(list(world.bill.suppliers())) == 250
    empty = {"content_type": "application/json", "match": "vendors"}
    world.stub.fail(body='{"results": [], "nextPage": "p0"}', **empty)
    assert len(list(world.bill.suppliers())) == 250
    reads = [call for call in world.stub.calls if call.path.endswith("vendors")]
    assert all(call.query["sort"] == "updatedTime:asc" for call in reads)
    world.stub.fail(times=9, body='{"results": [], "nextPage": "same"}', **empty)
    with pytest.raises(mc.VendorFault, match="again and again"):
        list(world.bill.suppliers())


def test_a_record_that_changes_while_pages_are_read_makes_no_other_be_passed_over(world: World) -> None:
    rows = []
    for number in range(9):
        rows.append(world.vendor(f"V{number}"))
        world.clock.advance(1)
    with world.client(page_size=3) as bill:
        pages = bill.suppliers().pages()
        names = [one.name for one in next(pages).documents]
        world.stub.touch("vendors", rows[0]["id"], phone="1")
        world.clock.advance(1)
        names += [one.name for page in pages for one in page.documents]
    assert sorted(set(names)) == [f"V{number}" for number in range(9)]
    assert names.count("V0") == 2


def test_many_records_of_one_stamp_and_rows_without_one_are_read_by_token(world: World) -> None:
    for number in range(7):
        world.vendor(f"V{number}")
    world.clock.advance(1)
    world.vendor("late")
    with world.client(page_size=3) as bill:
        assert sorted(one.name for one in bill.suppliers()) == sorted([*(f"V{n}" for n in range(7)), "late"])
        world.stub.thin = {"updatedTime"}
        assert len(list(bill.suppliers())) == 8


def test_a_vendor_becomes_a_supplier(world: World) -> None:
    world.vendor(' Parts, "Best" Inc ', email="a@b.test", accountNumber=77, archived=True)
    world.stub.put("vendors", name="Bare")
    one, bare = world.bill.suppliers()
    assert one.name == 'Parts, "Best" Inc'
    assert one.tax_id == "12-3456789"
    assert not one.active
    assert one.contacts == (mc.Contact(email="a@b.test"),)
    assert one.extras["accountNumber"] == 77
    assert bare.addresses == ()
    assert bare.currency is None
    assert one.key == one.number


def bill_row(vendor: str, **fields: Any) -> dict[str, Any]:
    return {
        "vendorId": vendor,
        "invoice": {"invoiceNumber": "A1", "invoiceDate": "2026-02-01"},
        "dueDate": "2026-03-01",
        "billLineItems": [
            {"amount": Decimal("10.50"), "classifications": {"chartOfAccountId": "0ca1", "departmentId": "0de1"}},
            {"quantity": 3, "price": "1.255", "amount": Decimal("3.77")},
            {"quantity": 2, "price": 1, "amount": 2},
        ],
        **fields,
    }


def test_a_bill_becomes_an_invoice_in_its_vendors_currency(world: World) -> None:
    vendor = world.vendor(billCurrency="EUR")
    row = bill_row(vendor["id"], description="JDEDWARDS:00001/PV/1001 | INV-1", purchaseOrderNumber="4711")
    del row["billLineItems"][1]["amount"]
    row["billLineItems"][1]["amount"] = None
    made = world.stub.put("bills", row | {"billLineItems": []})
    made["billLineItems"] = row["billLineItems"]
    made["amount"] = "16.27"
    (one,) = world.bill.invoices()
    assert (one.currency, one.gross, one.supplier and one.supplier.name) == ("EUR", Decimal("16.27"), "Parts Inc")
    assert [found.amount for found in one.lines] == [Decimal("10.50"), Decimal("3.76"), Decimal(2)]
    assert one.lines[0].account == "0ca1"
    assert one.origin == "JDEDWARDS:00001/PV/1001"
    assert one.purchase_order == "4711"
    assert one.waiting_for == ("its approval is UNASSIGNED",)


def test_vendors_of_bills_are_not_kept_without_end(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mlconnector.bill._readers._MOST_VENDORS", 2)
    for number in range(6):
        vendor = world.vendor(f"V{number}", billCurrency="EUR" if number % 2 else "USD")
        world.stub.put("bills", bill_row(vendor["id"]))
        world.clock.advance(1)
    with world.client(page_size=2) as bill:
        assert {one.currency for one in bill.invoices()} == {"EUR", "USD"}
        assert all(one.currency for one in bill.invoices())


@pytest.mark.parametrize(
    ("fields", "ready"),
    [
        ({"approvalStatus": "APPROVED"}, True),
        ({"approvalStatus": "ASSIGNED"}, False),
        ({"approvalStatus": "DENIED", "paidAmount": 1}, True),
        ({"approvalStatus": None}, False),
        ({"scheduledAmount": "5"}, True),
        ({"archived": True}, True),
    ],
)
def test_a_bill_is_ready_once_approved_or_paid(world: World, fields: dict[str, Any], ready: bool) -> None:
    world.stub.put("bills", bill_row(world.vendor()["id"]), **fields)
    (one,) = world.bill.invoices()
    assert one.ready is ready
    assert one.void is bool(fields.get("archived"))


def test_marks_are_told_from_other_descriptions() -> None:
    assert mark_of("JDEDWARDS:1/PV/2 | x") == "JDEDWARDS:1/PV/2"
    assert mark_of("JDEDWARDS:") == mark_of("rent: May") == mark_of("") == mark_of("Rent:May") == ""


@pytest.mark.parametrize(
    ("single", "status", "ready", "void"),
    [
        ("SCHEDULED", "SCHEDULED", False, False),
        ("PROCESSED", "PAID", True, False),
        ("CLEARED", "PAID", True, False),
        ("DISBURSEMENT_FAILED_ACTION_NEEDED", "PAID", False, False),
        ("FUNDING_FAILED_VOIDED", "VOID", True, True),
        ("CANCELED", "CANCELLED", True, True),
        ("FUNDS_ESCHEATED", "ESCHEATED", False, False),
        ("BRAND_NEW", "PAID", False, False),
        (None, "PAID", True, False),
        (None, "VOID", True, True),
        (None, None, False, False),
    ],
)
def test_a_payment_is_ready_at_the_statuses_that_are_posted(
    world: World, single: str | None, status: str | None, ready: bool, void: bool
) -> None:
    vendor = world.vendor()
    world.stub.put("payments", vendorId=vendor["id"], amount=9, billId="00n1", singleStatus=single, status=status)
    (one,) = world.bill.payments()
    assert (one.ready, one.void) == (ready, void)
    assert one.applications == (mc.documents.Application(invoice="00n1", amount=Decimal(9)),)
    assert (one.currency, one.payee and one.payee.number) == ("USD", vendor["id"])


@pytest.mark.parametrize(("money", "settled"), [("6", "3.50"), ("5.50", "3")])
def test_one_payment_over_three_bills_names_each_and_the_credits_in_it(world: World, money: str, settled: str) -> None:
    """Whether a row tells the money, or what was settled with it, is not documented: the sum tells."""
    parts = [{"id": f"x{n}", "billId": f"00n{n}", "amount": n, "vendorCredits": []} for n in (1, 2, 3)]
    parts[2]["vendorCredits"] = [{"id": "vcr1", "amount": "0.50"}]
    check = {"checkDisbursement": {"checkNumber": "1007"}}
    world.stub.put("payments", amount=money, billPayments=parts, disbursementInfo=check, processDate="2026-02-03")
    (one,) = world.bill.payments()
    third = Decimal(settled)
    assert [(part.invoice, part.amount) for part in one.applications] == [("00n1", 1), ("00n2", 2), ("00n3", third)]
    assert [(part.invoice, part.amount) for part in one.credits] == [("vcr1", Decimal("-0.50"))]
    assert sum(part.amount or 0 for part in (*one.applications, *one.credits)) == one.amount
    assert (one.bank_reference, one.date, one.payee, one.currency) == ("1007", dt.date(2026, 2, 3), None, None)


def test_accounts_and_departments_become_documents(world: World) -> None:
    world.books()
    world.stub.put("chart-of-accounts", name="Old", archived=True, account={"type": "NON_POSTING"})
    world.stub.put("departments", name="M40")
    supplies, old = world.bill.accounts()
    assert (supplies.number, supplies.object, supplies.description, supplies.postable) == (
        "6010", "6010", "Supplies", True,
    )  # fmt: skip
    assert (old.number, old.active, old.postable) == (old.key, False, False)
    assert [one.number for one in world.bill.read("cost_centers")] == ["30", "M40"]


def test_every_fault_of_a_row_is_told_and_the_rest_goes_on(world: World) -> None:
    vendor = world.vendor()["id"]
    bad = bill_row(vendor, dueDate="soon")
    made = world.stub.put("bills", bad, amount="many", dueAmount=True)
    made["billLineItems"] = "none"
    made["invoice"] = 7
    world.stub.put("bills", bill_row(vendor))
    world.stub.put("vendors", id="")
    (page,) = world.bill.invoices().pages()
    assert len(page.documents) == 1
    (rejected,) = page.rejected
    assert {fault.partition(":")[0] for fault in rejected.faults} == {"dueDate", "amount", "dueAmount", "billLineItems"}
    with pytest.raises(mc.InvalidDocument, match="id: missing"):
        list(world.bill.suppliers())


def test_a_changed_record_is_found_from_the_cursor_and_the_unchanged_not_again(world: World) -> None:
    first = world.vendor("One")
    world.clock.advance(60)
    world.vendor("Two")
    read = world.bill.suppliers()
    list(read)
    world.clock.advance(3600)
    world.stub.touch("vendors", first["id"], name="Uno")
    world.stub.forget_calls()
    again = world.bill.suppliers(since=read.cursor)
    assert [one.name for one in again] == ["Uno"]
    world.stub.forget_calls()
    assert list(world.bill.suppliers(since=again.cursor)) == []
    assert len(world.stub.calls) == 1


def test_a_pass_goes_on_after_its_last_page_by_stamp_not_by_token(world: World) -> None:
    for number in range(7):
        world.vendor(f"V{number}")
        world.clock.advance(60)
    with world.client(page_size=3) as bill:
        pages = bill.suppliers().pages()
        saved = next(pages).cursor
        pages.close()
        rest = [one.name for one in bill.suppliers(since=saved)]
    assert rest[-4:] == ["V3", "V4", "V5", "V6"]
    assert set(rest) <= {"V2", "V3", "V4", "V5", "V6"}


def test_reads_by_instant_by_key_by_limit_and_with_conditions(world: World) -> None:
    rows = []
    for number in range(60):
        rows.append(world.vendor(f"V{number}", billCurrency="EUR" if number % 2 else "USD"))
        world.clock.advance(1)
    begin = world.clock.now()
    late = begin - dt.timedelta(seconds=10)
    assert len(list(world.bill.suppliers(since=late))) == 10
    until = begin - dt.timedelta(seconds=50, microseconds=500)
    assert len(list(world.bill.suppliers(until=until))) == 10
    keys = [row["id"] for row in rows]
    assert [one.key for one in world.bill.suppliers(keys=[keys[3], keys[3], keys[1]])] == [keys[1], keys[3]]
    assert len(list(world.bill.suppliers(keys=keys))) == 60
    assert list(world.bill.suppliers(keys=[])) == []
    assert [one.name for one in world.bill.suppliers(limit=2)] == ["V0", "V1"]
    euro = world.bill.suppliers(where=[("billCurrency", "in", ["EUR"]), ("name", "startswith", "V1")])
    assert {one.name for one in euro} == {"V1", "V11", "V13", "V15", "V17", "V19"}
    with pytest.raises(mc.CursorMismatch):
        world.bill.suppliers(since=euro.cursor)


def test_rows_are_the_vendors_own_and_can_be_chosen_sorted_and_counted(world: World) -> None:
    for name in ("B", "A"):
        world.vendor(name)
    rows = world.bill.rows("vendors", columns=["name", "address.city", "nothing"], order_by=["-name"], limit=1)
    assert list(rows) == [{"name": "B", "address.city": "Denver", "nothing": None}]
    assert rows.kind == "vendors"
    assert rows.cursor is None
    whole = list(world.bill.rows("vendors", order_by=["name"], params={"x": 1}))
    assert [row["name"] for row in whole] == ["A", "B"]
    assert world.stub.calls[-1].query["x"] == "1"
    assert world.bill.count("vendors", [("name", "=", "A")]) == 1


def test_what_bill_cannot_do_is_refused_before_a_call(world: World) -> None:
    for act in (
        lambda: world.bill.rows("invoices"),
        lambda: world.bill.rows("vendors", where=[("taxId", "=", "1")]),
        lambda: world.bill.rows("vendors", order_by=["address.city"]),
        lambda: world.bill.suppliers(where=[("name", "contains", "x")]),
        lambda: world.bill.read("purchase_orders"),
        lambda: world.bill.target("files"),
    ):
        with pytest.raises(mc.InvalidArgument):
            act()
    assert world.stub.calls == ()


def test_filters_are_built_and_quoted() -> None:
    when = dt.datetime(2026, 12, 30, 1, 2, 3, 4567, tzinfo=dt.timezone(dt.timedelta(hours=1)))
    where = [
        ("archived", "=", False),
        ("name", "startswith", "Hap"),
        ("updatedTime", ">=", when),
        ("id", "in", ["0091", "0092"]),
        ("id", "!=", "0093"),
        ("accountType", "=", "PERSON"),
    ]
    assert filters(VENDORS, where) == (
        'archived:eq:false,name:sw:"Hap",updatedTime:gte:"2026-12-30T00:02:03.004Z",id:in:"0091,0092",id:ne:0093,'
        'accountType:eq:"PERSON"'
    )
    days = ("dueDate", "between", [dt.date(2026, 1, 1), dt.date(2026, 1, 31)])
    assert filters(BILLS, [days, ("vendorId", "=", "0 1")]) == (
        'dueDate:gte:"2026-01-01",dueDate:lte:"2026-01-31",vendorId:eq:"0 1"'
    )
    money = [("amount", ">", Decimal("1E+1")), ("amount", "=", 3)]
    assert filters(resource("payments"), money) == "amount:gt:10,amount:eq:3"
    assert instant(when, up=True).endswith("03.005Z")
    assert sort(VENDORS, ["name", "-updatedTime"]) == "name:asc,updatedTime:desc"


@pytest.mark.parametrize(
    ("field", "op", "value"),
    [
        ("name", "=", "a,b"), ("name", "=", 'a"b'), ("name", "=", ""), ("name", "=", "a\nb"), ("name", "=", "a\\"),
        ("name", ">", "a"), ("name", "like", "a"), ("name", "=", None), ("name", "=", 1.5), ("id", "in", "abc"),
        ("id", "in", []), ("id", "in", 7), ("id", "in", ["a,b"]), ("updatedTime", "between", ["a"]),
        ("updatedTime", "between", "ab"), ("updatedTime", ">", NAIVE), ("name", "=", Decimal("NaN")),
    ],
)  # fmt: skip
def test_what_a_filter_cannot_carry_is_refused(field: str, op: str, value: Any) -> None:
    with pytest.raises(mc.InvalidArgument):
        filters(VENDORS, [(field, op, value)])


@pytest.mark.parametrize(
    "options",
    [
        {"page_size": 0}, {"page_size": 101}, {"on_hourly_limit": "spin"}, {"max_in_flight": 4}, {"max_in_flight": 0},
    ],
)  # fmt: skip
def test_options_are_checked(world: World, options: dict[str, Any]) -> None:
    with pytest.raises(mc.InvalidArgument):
        world.client(**options)


@pytest.mark.parametrize("url", ["https://x.test/api", "https://x.test/connect?a=1", "https://x.test/connect-events"])
def test_the_address_ends_with_connect(world: World, url: str) -> None:
    with pytest.raises(mc.InvalidArgument):
        BILL(url, auth=world.session())


def test_the_address_may_have_a_version_a_prefix_or_no_path(world: World) -> None:
    for url in (world.stub.url, world.stub.url + "/connect/v3/"):
        with BILL(url, auth=world.session(), clock=world.clock, lock_dir=world.folder) as bill:
            assert list(bill.suppliers()) == []
    session = world.session()
    with BILL("https://x.test/bill/connect", auth=session, lock_dir=world.folder):
        assert session._path == "/bill/connect/v3/login"


def test_a_login_with_an_empty_field_or_no_idle_time_is_refused() -> None:
    for fields, idle in (({"dev_key": " "}, 35), ({"dev_key": "x"}, 2)):
        with pytest.raises(mc.InvalidArgument):
            BillSession("u", "p", organization_id="o", idle=dt.timedelta(minutes=idle), **fields)


def test_secrets_are_shown_nowhere(world: World) -> None:
    shown = f"{world.bill!r} {world.session()!r} {world.bill.check()}"
    assert KEY not in shown
    assert world.stub.password not in shown
    for name in world.folder.iterdir():
        assert KEY not in name.name
        assert ORG not in name.name
    with pytest.raises(mc.InvalidArgument):
        pickle.dumps(world.bill)


def test_time_is_told(world: World) -> None:
    assert world.bill.clock is world.clock
    with world.client(timeout=7) as bill:
        assert bill.timeout.total == 7


def test_a_ledger_is_bound_to_the_organization(world: World) -> None:
    assert world.bill.origin == f"{world.stub.url}#{ORG}"
    assert world.stub.calls == ()


class Foreign:
    """A token manager of somebody else, which tells nothing but headers, or details after its login."""

    def __init__(self, world: World, **details: str) -> None:
        self.session, self.later = world.session(), details
        self.details: dict[str, str] = {}

    def headers(self, send: Any) -> Any:
        self.details = self.later
        return self.session.headers(send)

    def rejected(self, headers: Any, send: Any) -> bool:
        return self.session.rejected(headers, send)

    def logout(self, send: Any) -> None:
        self.session.logout(send)


def test_other_token_managers_do_too(world: World) -> None:
    with world.client(auth=Foreign(world)) as bill:
        assert bill.origin == world.stub.url
        assert list(bill.suppliers()) == []
    with world.client(auth=Foreign(world, organizationId="008Z", limit="abc")) as bill:
        assert bill.origin == f"{world.stub.url}#008Z"
        assert list(bill.suppliers()) == []
        assert bill.origin == f"{world.stub.url}#008Z"
    assert (world.folder / "bill-abc.0").exists()


def test_check_tells_each_step_and_writes_nothing(world: World) -> None:
    found = world.bill.check()
    assert found.ok, str(found)
    assert {call.method for call in world.stub.calls if not call.path.endswith("login")} == {"GET"}
    assert [step.name for step in found.steps][:3] == ["lock folder", "address, TLS and login", "list of vendors"]


def test_check_names_cause_and_cure(world: World) -> None:
    world.stub.fail(match="payments", **body("BDC_1145", 422))
    world.stub.fail(match="catalog", body='[{"type": "bill.created"}]', content_type="application/json")
    world.vendor()
    steps = {step.name: step for step in world.bill.check().steps}
    assert not steps["list of payments"].ok
    assert steps["list of payments"].who == "administrator"
    assert steps["list of vendors"].detail == "readable"
    assert "payment.failed" in steps["webhook events"].detail
    world.stub.fail(match="login", **body("BDC_1102"))
    with world.client() as bill:
        assert [step.ok for step in bill.check().steps] == [True, False]
    file = world.folder.parent / "file"
    file.write_text("")
    with world.client(lock_dir=file) as bill:
        (step,) = bill.check().steps
        assert "lock_dir" in step.cause


def test_clocks_that_differ_are_told(world: World) -> None:
    world.stub._date_skew = dt.timedelta(hours=1)
    assert "clocks differ" in str(world.bill.check())


def test_plain_requests_work_with_the_login(world: World) -> None:
    import requests

    answer = requests.get(f"{world.stub.url}/connect/v3/vendors?max=1", auth=world.bill.auth, timeout=10)
    assert answer.json() == {"results": []}


def test_two_reads_at_once_share_one_login(world: World) -> None:
    both = [world.bill.suppliers(), world.bill.payments()]
    assert list(itertools.chain(*both)) == []
    assert world.stub.logins() == 1
