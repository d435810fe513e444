"""Reading Coupa: walks by id, windows of stamps, documents, raw rows."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest

import mlconnector as mc
from mlconnector.coupa._query import conditions, instant_text, ordering
from tests.coupa.conftest import Setup, client
from tests.coupa.stub import START, CoupaStub

MINUTE = dt.timedelta(minutes=1)


def order_fields(number: str = "4711", **more: object) -> dict[str, object]:
    line = {
        "id": 9,
        "line-num": "1",
        "type": "OrderQuantityLine",
        "description": "Bolt",
        "price": "1.500000",
        "quantity": "2.0",
        "total": "3.00",
        "received": "1",
        "need-by-date": "2026-04-01T00:00:00-08:00",
        "uom": {"code": "EA"},
        "source-part-num": "V1",
        "external-reference-number": "00001/OP/4711/1",
        "account": {"id": 1, "code": "01-10-0-8000", "segment-1": "01", "segment-2": "10-0", "segment-3": "8000",
                    "account-type": {"name": "US"}},
    }  # fmt: skip
    amount = {"id": 10, "line-num": "2", "type": "OrderAmountLine", "description": "Work", "price": "5.00",
              "status": "soft_closed",
              "account-allocations": [{"account": {"code": "01-1"}, "pct": "50.0"}, {"account": {"code": "01-2"}, "pct": "50"}]}  # fmt: skip  # noqa: E501
    return {
        "po_number": number, "status": "issued", "type": "ExternalOrderHeader", "version": 2,
        "supplier": {"id": 1, "number": "4343", "name": "Müller & Söhne"}, "currency": {"code": "USD"},
        "ship_to_address": {"location-code": "6001", "street1": "Dock 1", "country": "US"},
        "order_lines": [line, amount], "total": "8.00", "custom_fields": {"job": "J1", "empty": None, "list": [1]},
        **more,
    }  # fmt: skip


def test_a_full_read_walks_by_id_and_ends_at_a_short_page(setup: Setup) -> None:
    for number in range(120):
        setup.stub.supplier(f"S{number}")
    records = setup.coupa.suppliers()
    read = [supplier.number for supplier in records]
    assert len(read) == len(set(read)) == 121
    queries = [call.query for call in setup.stub.calls if call.method == "GET"]
    assert [query.get("id[gt]") is None for query in queries] == [True, False, False]
    assert all(query["limit"] == "50" and query["order_by"] == "id" for query in queries)
    assert records.cursor is not None


def test_a_cursor_brings_only_what_changed_since(setup: Setup) -> None:
    records = setup.coupa.suppliers()
    assert [one.number for one in records] == ["4343"]
    setup.clock.advance(MINUTE)
    setup.stub.supplier("5000")
    again = records.continue_from(records.cursor)
    assert [one.number for one in again] == ["5000"]
    assert setup.stub.calls[-1].query["updated_at[gt_or_eq]"].endswith("Z")


def test_since_is_exact_to_the_second_and_until_ends(setup: Setup) -> None:
    setup.clock.advance(MINUTE)
    setup.stub.supplier("5000")
    setup.clock.advance(MINUTE)
    setup.stub.supplier("6000")
    since = START + MINUTE + dt.timedelta(microseconds=500)
    assert [one.number for one in setup.coupa.suppliers(since)] == ["5000", "6000"]
    bounded = setup.coupa.suppliers(None, START + MINUTE)
    assert [one.number for one in bounded] == ["4343", "5000"]
    assert bounded.cursor is None


def test_keys_are_ids_and_limit_asks_for_no_more(setup: Setup) -> None:
    rows = [setup.stub.supplier(f"S{number}") for number in range(60)]
    wanted = [str(row["id"]) for row in rows[:55]]
    assert [one.key for one in setup.coupa.suppliers(keys=[*wanted, "x"])] == wanted
    assert list(setup.coupa.suppliers(keys=["none"])) == []
    setup.stub.forget_calls()
    assert len(list(setup.coupa.suppliers(limit=3))) == 3
    assert {call.query["limit"] for call in setup.stub.calls} == {"3"}


def test_records_not_sorted_by_id_are_refused(setup: Setup) -> None:
    setup.stub.fail(body='[{"id": 5}, {"id": 4}]', content_type="application/json", match="/api/suppliers")
    with pytest.raises(mc.VendorFault, match="not sorted by id"):
        list(setup.coupa.suppliers())
    setup.stub.fail(body='{"id": 5}', content_type="application/json", match="/api/suppliers")
    with pytest.raises(mc.VendorFault, match="without a list"):
        list(setup.coupa.suppliers())


def test_a_404_on_a_collection_is_an_empty_one(setup: Setup) -> None:
    setup.stub.fail(status=404, match="/api/suppliers")
    assert list(setup.coupa.suppliers()) == []


def test_a_supplier_record_becomes_a_document(setup: Setup) -> None:
    name = "Ä" * 100
    setup.stub.supplier(
        "7",
        name=name,
        display_name=name + "x",
        status="draft",
        on_hold="true",
        payment_term={"code": "N30"},
        primary_contact={"id": 1, "email": "a@b.example", "name-given": "Ann", "name-family": "Lee",
                         "phone-work": {"country-code": "1", "area-code": "303", "number": "555"}},
        primary_address={"id": 2, "street1": "1 Way", "street2": "", "city": "Denver", "state": "CO",
                         "postal-code": "80014", "country": "US"},
        custom_fields={"region": "West"},
    )  # fmt: skip
    found = next(iter(setup.coupa.suppliers(where=[("number", "=", "7")])))
    assert found.name == name + "x"
    assert found.hold == "Y"
    assert not found.active
    assert found.waiting_for == ("status draft",)
    assert found.address == mc.Address(lines=["1 Way"], city="Denver", state="CO", postal_code="80014", country="US")
    assert found.contacts == (mc.Contact(name="Ann Lee", email="a@b.example", phone="1 303 555"),)
    assert found.extras == {"region": "West"}


def test_an_order_record_becomes_a_document(setup: Setup) -> None:
    setup.stub.put("purchase_orders", **order_fields())
    setup.stub.put("purchase_orders", **order_fields("2", status="buyer_hold", order_lines=None, supplier=None))
    setup.stub.put("purchase_orders", **order_fields("3", status="cancelled"))
    first, second, third = setup.coupa.purchase_orders()
    assert first.ready
    assert second.waiting_for == ("status buyer_hold",)
    assert second.hold == "buyer_hold"
    assert third.status == "cancelled"
    assert second.lines == ()
    item, amount = first.lines
    assert (item.quantity, item.unit_price, item.amount) == (Decimal(2), Decimal("1.5"), Decimal(3))
    assert item.requested_date == dt.date(2026, 4, 1)
    assert item.extras["segments"] == ("01", "10-0", "8000")
    assert item.extras["chart"] == "US"
    assert amount.kind == "amount"
    assert amount.quantity is None
    assert amount.amount == Decimal(5)
    assert amount.status == "closed"
    assert [one["percent"] for one in amount.extras["allocations"]] == [Decimal(50), Decimal(50)]
    assert first.supplier is not None
    assert first.supplier.name == "Müller & Söhne"
    assert first.ship_to is not None
    assert first.ship_to.address is not None
    assert first.extras == {"job": "J1", "list": "[1]", "status": "issued"}
    assert mc.from_json(mc.to_json(first)) == first


def test_an_invoice_record_becomes_a_document(setup: Setup) -> None:
    setup.stub.put(
        "invoices", invoice_number="R1", invoice_date="2026-03-01T00:00:00-08:00", status="approved",
        supplier={"id": 1, "number": "4343"}, currency={"code": "JPY"}, line_level_taxation=True,
        total_with_taxes="1300", gross_total="1200", shipping_amount="100", internal_note="see JDEDWARDS:1/PV/9 ok",
        account_type={"name": "US"}, payment_channel="ERP", remit_to_address={"id": 1, "remit-to-code": "R"},
        payments={"payment": {"id": 3, "amount-paid": "300", "payment-date": "2026-03-05", "notes": "CHK 1"}},
        invoice_lines=[
            {"line-num": 1, "type": "InvoiceQuantityLine", "price": "500", "quantity": "2", "order-line-id": 44,
             "po-number": "4711", "order-line-num": "1", "tax-lines": [{"amount": "150"}], "source-part-num": "V"},
            {"line-num": 2, "type": "InvoiceAmountLine", "price": "50", "tax-lines": [{"amount": "50"}]},
        ],
    )  # fmt: skip
    setup.stub.put(
        "invoices", invoice_number="C1", status="voided", document_type="Credit Note", gross_total="-5", paid="true",
        tax_amount="-1", invoice_charges=[{"type": "InvoiceShippingCharge", "total": "-4"}, {"amount": "2"}],
    )  # fmt: skip
    setup.stub.put("invoices", invoice_number="D1", status=None)
    first, second, third = setup.coupa.invoices()
    assert first.date == dt.date(2026, 3, 1)
    assert (first.gross, first.open, first.tax) == (Decimal(1300), Decimal(1000), Decimal(200))
    assert first.ready
    assert first.origin == "JDEDWARDS:1/PV/9"
    assert first.purchase_order == "4711"
    assert [line.kind for line in first.lines] == ["item", "amount", "charge"]
    assert first.lines[0].amount == Decimal(1000)
    assert first.lines[1].amount == Decimal(50)
    assert first.lines[0].extras["order_line_id"] == "44"
    assert second.kind == "credit"
    assert second.void
    assert second.ready
    assert second.open == 0
    assert second.tax == -1
    assert [(line.description, line.amount) for line in second.lines] == [
        ("shipping", Decimal(-4)), ("miscellaneous", Decimal(2))
    ]  # fmt: skip
    assert third.waiting_for == ("status unknown",)
    assert third.open is None


def test_payments_of_coupa_pay_and_those_on_invoices(setup: Setup) -> None:
    detail = {"source-transaction-type": "InvoiceHeader", "source-transaction-id": 77, "discount-total": "1.00",
              "source-transaction-reference": "R1", "payment-total": "49.00", "currency": {"code": "USD"}}  # fmt: skip
    setup.stub.put("coupa_pay/payments", status="completed_successfully", payment_details=[detail])
    setup.stub.put("coupa_pay/payments", status="draft", payment_details=[detail], payment_total="50.00")
    bad = [detail, {**detail, "currency": {"code": "EUR"}}]
    setup.stub.put("coupa_pay/payments", status="draft", payment_details=bad)
    page = next(setup.coupa.payments().pages())
    first, second = page.documents
    assert first.ready
    assert first.amount == Decimal(49)
    assert first.currency == "USD"
    assert first.applications == (mc.documents.Application(invoice="77", amount=Decimal(49), discount=Decimal(1)),)
    assert second.waiting_for == ("status draft",)
    assert second.amount == Decimal(50)
    assert page.rejected[0].faults == ("currencies ['EUR', 'USD'] in one payment",)

    invoice = setup.stub.put(
        "invoices", invoice_number="R1", currency={"code": "USD"}, supplier={"number": "4343"}, status="approved",
        payments=[{"id": 5, "amount-paid": "10.00", "notes": "CHK 1", "payment-date": "2026-03-05"},
                  {"amount-paid": "-10.00", "check-number": "CHK 1"}],
    )  # fmt: skip
    with client(setup.stub, setup.clock, payments="invoices") as coupa:
        paid, void = coupa.payments()
        assert paid.key == f"{invoice['id']}/5"
        assert paid.bank_reference == "CHK 1"
        assert not paid.void
        assert void.void
        assert void.applications[0].invoice == str(invoice["id"])
        assert [one.key for one in coupa.payments(keys=[paid.key])] == [paid.key]


def test_a_bad_row_is_handed_over_and_stops_plain_iteration(setup: Setup) -> None:
    setup.stub.put("purchase_orders", po_number="1", total="lots", order_lines=[{"price": "NaN"}], created_at="soon")
    page = next(setup.coupa.purchase_orders().pages())
    assert set(page.rejected[0].faults) == {
        "created-at 'soon' is not a date",
        "total 'lots' is not a number",
        "order-lines[1].price 'NaN' is not a number",
    }
    with pytest.raises(mc.InvalidDocument):
        list(setup.coupa.purchase_orders())
    setup.stub.put("invoices", payments=[{"amount-paid": "x"}])
    with client(setup.stub, setup.clock, payments="invoices") as coupa:
        assert next(coupa.payments().pages()).rejected[0].faults == ("payments[1].amount-paid 'x' is not a number",)


def test_accounts_have_chart_and_segments(setup: Setup) -> None:
    setup.stub.account("01-10-0", "EU", "01", "10-0")
    found = list(setup.coupa.accounts(where=[("account-type.name", "=", "EU")]))
    assert found[0].number == "01-10-0"
    assert found[0].extras == {"segments": ("01", "10-0"), "chart": "EU"}
    assert [one.number for one in setup.coupa.read("accounts")][:1] == ["01-100-8000"]


def test_rows_are_raw_and_counted(setup: Setup) -> None:
    for number in range(55):
        setup.stub.supplier(f"S{number}", name=f"N{number:02}")
    assert setup.coupa.count("suppliers") == 56
    assert setup.coupa.count("suppliers", where=[("number", "startswith", "S1")]) == 11
    rows = list(setup.coupa.rows("suppliers", columns=["number", {"primary-address": ["city"]}], limit=5))
    assert rows[0]["number"] == "4343"
    assert len(rows) == 5
    assert setup.stub.calls[-1].query["fields"] == '["id","number",{"primary_address":["city"]}]'
    ordered = list(setup.coupa.rows("suppliers", order_by=["-name"], params={"exported": "None"}))
    assert ordered == []
    ordered = list(setup.coupa.rows("suppliers", columns=["id"], order_by=["-name"]))
    assert [row["name"] for row in ordered][:2] == ["Supplier 4343", "N54"]
    assert len(ordered) == 56
    assert list(setup.coupa.rows("api/coupa_pay/nothing")) == []
    with pytest.raises(mc.InvalidArgument):
        setup.coupa.rows("/")
    with pytest.raises(mc.InvalidArgument):
        setup.coupa.read("receipts")


def test_fields_are_asked_for_unless_switched_off(setup: Setup) -> None:
    list(setup.coupa.suppliers())
    assert '"primary_address"' in setup.stub.calls[-1].query["fields"]
    with client(setup.stub, setup.clock, fields=False) as coupa:
        list(coupa.suppliers())
        assert "fields" not in setup.stub.calls[-1].query


def test_conditions_in_the_query_string() -> None:
    zone = dt.timezone(dt.timedelta(hours=-7))
    assert conditions(
        [
            ("updated-at", ">", dt.datetime(2026, 3, 25, 18, 38, tzinfo=zone)),
            ("supplier.number", "startswith", "F"),
            ("invoice_date", "between", (dt.date(2026, 1, 1), dt.date(2026, 1, 31))),
            ("status[x]", "in", ["a", "b"]),
            ("status", "in", "a"),
            ("paid", "=", True),
            ("total", "!=", Decimal("1.50")),
            ("id", "<=", 4),
        ]
    ) == [
        ("updated_at[gt]", "2026-03-26T01:38:00Z"),
        ("supplier[number][starts_with]", "F"),
        ("invoice_date[gt_or_eq]", "2026-01-01"),
        ("invoice_date[lt_or_eq]", "2026-01-31"),
        ("status[x][in]", "a,b"),
        ("status[in]", "a"),
        ("paid", "true"),
        ("total[not_eq]", "1.50"),
        ("id[lt_or_eq]", "4"),
    ]
    assert instant_text(dt.datetime(2026, 1, 1, 0, 0, 0, 1, dt.UTC), up=True) == "2026-01-01T00:00:01Z"
    assert ordering(["-created-at"]) == [("order_by", "created_at"), ("dir", "desc")]


@pytest.mark.parametrize(
    "where",
    [
        ("a", "like", "x"),
        ("a b", "=", "x"),
        ("a", "in", []),
        ("a", "in", ["x,y"]),
        ("a", "between", "xy"),
        ("a", "=", 1.5),
        ("a", "=", dt.datetime(2026, 1, 1)),  # noqa: DTZ001
    ],
)
def test_conditions_coupa_does_not_have_are_refused(where: tuple[str, str, object]) -> None:
    with pytest.raises(mc.InvalidArgument):
        conditions([where])
    with pytest.raises(mc.InvalidArgument):
        ordering(["a", "b"])


def test_the_stub_is_the_shape_of_a_simulator(setup: Setup) -> None:
    assert isinstance(setup.stub, CoupaStub)
    assert isinstance(setup.coupa, mc.Source)
    assert isinstance(setup.coupa, mc.Sink)


@pytest.mark.parametrize(
    "told",
    [
        "2026-03-01T00:00:00-08:00",
        "2026-02-28T16:00:00-08:00",
        "2026-03-01T00:00:00Z",
        "2026-03-01T17:30:00-08:00",
        "2026-03-01",
    ],
)
def test_a_date_is_the_day_that_was_meant_in_whatever_zone_it_is_shown(setup: Setup, told: str) -> None:
    setup.stub.put("invoices", invoice_number="R1", invoice_date=told, status="approved")
    (read,) = setup.coupa.invoices()
    assert read.date == dt.date(2026, 3, 1)
