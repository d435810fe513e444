"""Writing to Coupa without a ledger: found first, checked before, read back."""

from __future__ import annotations

import datetime as dt
import logging
from decimal import Decimal
from typing import Any

import attrs
import pytest

import mlconnector as mc
from mlconnector.coupa._invoice_mapping import mark_of, origin_of
from mlconnector.target import Change
from tests.coupa.conftest import Setup, client
from tests.coupa.documents import Links, invoice, invoice_line, line, order, supplier


def only(rows: list[dict[str, Any]]) -> dict[str, Any]:
    assert len(rows) == 1
    return rows[0]


# Suppliers


def test_a_supplier_is_created_and_then_left_alone(setup: Setup) -> None:
    receipt = setup.coupa.save_supplier(supplier())
    row = setup.stub.store["suppliers"][int(receipt.id or 0)]
    assert row["number"] == "5000"
    assert row["name"] == "Müller & Söhne 株式会社"
    assert row["status"] == "active"
    assert row["invoice-matching-level"] == "2-way"
    assert row["po-method"] == "prompt"
    assert row["primary-contact"]["name-family"] == "Lee"
    assert row["payment-term"]["code"] == "N30"
    assert not receipt.existing
    setup.stub.forget_calls()
    again = setup.coupa.save_supplier(supplier())
    assert again.existing
    assert again.id == receipt.id
    assert setup.stub.writes() == []


def test_an_update_sends_only_what_the_erp_owns(setup: Setup) -> None:
    receipt = setup.coupa.save_supplier(supplier(), po_method="email", matching="3-way")
    row = setup.stub.store["suppliers"][int(receipt.id or 0)]
    assert row["po-email"] == "ann@lee.example"
    row["invoice-matching-level"] = "none"
    row["on-hold"] = True
    setup.coupa.save_supplier(supplier(name="Other", active=False))
    assert row["name"] == "Other"
    assert row["status"] == "inactive"
    assert row["invoice-matching-level"] == "none"
    assert row["on-hold"] is True
    assert "on-hold" not in setup.stub.calls[-1].body


def test_a_name_of_101_characters_is_cut_and_kept_whole_beside(setup: Setup, caplog: pytest.LogCaptureFixture) -> None:
    name = "é" * 101
    with caplog.at_level(logging.WARNING, "mlconnector.coupa"):
        receipt = setup.coupa.save_supplier(supplier(name=name))
    row = setup.stub.store["suppliers"][int(receipt.id or 0)]
    assert row["name"] == "é" * 100
    assert row["display-name"] == name
    assert "101 characters" in caplog.text
    assert setup.coupa.save_supplier(supplier(name=name)).existing
    prepared = setup.coupa.target("suppliers").prepare(Change(document=supplier(name=name)))
    assert "cut to 100" in prepared.attention[0]


def test_every_fault_of_a_supplier_is_listed(setup: Setup) -> None:
    with pytest.raises(mc.InvalidDocument) as caught:
        setup.coupa.save_supplier(supplier("7" * 256, name=" ", tax_id="9" * 300, terms="N99"))
    text = "; ".join(caught.value.faults)
    assert "name is missing" in text
    assert "number has 256 characters" in text
    assert "tax-id has 300" in text
    assert "'999" not in text
    assert setup.stub.writes() == []


def test_what_the_filter_lets_through_is_compared_again(setup: Setup) -> None:
    setup.stub.loose = True
    setup.stub.supplier("50000", name="Other")
    receipt = setup.coupa.save_supplier(supplier("5000"))
    assert not receipt.existing
    assert setup.coupa.save_supplier(supplier("5000")).id == receipt.id
    missing = order(supplier=mc.Party(number="434"), terms="", lines=[line(account="1")])
    with pytest.raises(mc.UnknownReference) as caught:
        setup.coupa.save_purchase_order(missing)
    assert set(caught.value.faults) == {"supplier 434 is not in Coupa", "account 1 is not in Coupa"}


def test_a_number_in_other_case_or_with_blanks_is_not_trusted_to_the_filter(setup: Setup) -> None:
    setup.stub.supplier("x1 ", name="X")
    setup.stub.store["suppliers"][setup.stub.next_id]["number"] = "x1"
    found = setup.coupa.save_supplier(supplier("x1 "))
    assert found.id == str(setup.stub.next_id)


def test_a_taken_name_is_named_with_its_holder(setup: Setup) -> None:
    holder = setup.stub.supplier("", name="Twin")
    with pytest.raises(mc.TargetChanged, match=f"held by supplier {holder['id']}") as caught:
        setup.coupa.save_supplier(supplier(name="Twin"))
    assert caught.value.cause == "taken"
    setup.stub.fail(status=400, body='{"errors": {"supplier": ["Number is taken"]}}', match="POST /api/suppliers")
    with pytest.raises(mc.DeliveryInDoubt, match="does not show it"):
        setup.coupa.save_supplier(supplier("8", name="New", tax_id="8"))
    holder["tax-id"] = "99"
    setup.stub.fail(status=400, body='{"errors": {"supplier": ["Tax id is taken"]}}', match="POST /api/suppliers")
    with pytest.raises(mc.TargetChanged, match=f"held by supplier {holder['id']}"):
        setup.coupa.save_supplier(supplier("8", name="New", tax_id="99"))


def test_two_records_under_one_number_are_a_conflict(setup: Setup) -> None:
    setup.stub.supplier("5000", name="A")
    setup.stub.supplier("5000", name="B")
    with pytest.raises(mc.TargetChanged, match="2 times"):
        setup.coupa.save_supplier(supplier())


def test_a_link_that_is_an_id_and_another_ones_number_is_refused(setup: Setup) -> None:
    one = setup.stub.supplier("7")
    setup.stub.supplier(str(one["id"]), name="Twin by number")
    links = Links({("supplier", "4343"): str(one["id"])})
    with pytest.raises(mc.UnknownReference, match="2 times"):
        setup.coupa.target("purchase_orders").prepare(Change(document=order(), crosswalk=links))


def test_a_linked_supplier_is_updated_by_its_id(setup: Setup) -> None:
    row = setup.stub.supplier("OLD", name="Old")
    target = setup.coupa.target("suppliers")
    links = Links({("supplier", "5000"): str(row["id"])})
    prepared = target.prepare(Change(document=supplier(), crosswalk=links))
    assert prepared.target_id == str(row["id"])
    links = Links({("supplier", "5000"): "99999"})
    assert target.prepare(Change(document=supplier(), crosswalk=links)).target_id is None
    by_number = Links({("supplier", "5000"): "OLD"})
    assert target.prepare(Change(document=supplier(), crosswalk=by_number)).target_id == str(row["id"])
    setup.stub.supplier(str(row["id"]), name="Twin by number")
    links = Links({("supplier", "5000"): str(row["id"])})
    with pytest.raises(mc.TargetChanged, match="the number of another"):
        target.prepare(Change(document=supplier(), crosswalk=links))


def test_a_lost_answer_is_in_doubt_and_saving_again_looks(setup: Setup) -> None:
    setup.stub.fail(drop="after", match="POST /api/suppliers")
    with pytest.raises(mc.DeliveryInDoubt, match="supplier 5000"):
        setup.coupa.save_supplier(supplier())
    assert setup.coupa.save_supplier(supplier()).existing
    assert len(setup.stub.rows("suppliers")) == 2
    setup.stub.fail(status=400, match="POST /api/suppliers")
    with pytest.raises(mc.InvalidDocument) as caught:
        setup.coupa.save_supplier(supplier("1", name="n"))
    assert caught.value.status == 400
    setup.stub.fail(status=409, match="POST /api/suppliers")
    with pytest.raises(mc.VendorFault) as other:
        setup.coupa.save_supplier(supplier("1", name="n"))
    assert other.value.refused


def test_an_answer_without_a_record_is_read_back(setup: Setup) -> None:
    setup.stub.bare = True
    receipt = setup.coupa.save_supplier(supplier())
    assert receipt.id == str(setup.stub.next_id)
    setup.stub.fail(status=200, body="", match="POST /api/suppliers")
    with pytest.raises(mc.DeliveryInDoubt, match="was accepted"):
        setup.coupa.save_supplier(supplier("6", name="six"))


def test_a_dropped_reference_is_seen_in_the_answer(setup: Setup) -> None:
    setup.stub.known["payment-term"].clear()
    with pytest.raises(mc.TargetChanged) as caught:
        setup.coupa.save_supplier(supplier())
    assert caught.value.cause == "dropped"
    assert "payment-term: 'N30' was meant" in caught.value.faults[0] or "payment-term" in caught.value.faults[0]


def test_what_may_not_be_read_is_not_held_against_a_document(setup: Setup) -> None:
    setup.stub.denied = {"payment_terms"}
    assert setup.coupa.save_supplier(supplier()).id


# Purchase orders


def test_an_order_is_created_with_checked_references_and_issued(setup: Setup) -> None:
    setup.stub.put("addresses", location_code="6001")
    receipt = setup.coupa.save_purchase_order(order(), ship_to_user="jde")
    row = only(setup.stub.rows("purchase_orders"))
    assert receipt.id == str(row["id"])
    assert row["status"] == "issued"
    assert row["type"] == "ExternalOrderHeader"
    assert row["ship-to-user"]["login"] == "jde"
    assert row["ship-to-address"]["location-code"] == "6001"
    first = row["order-lines"][0]
    assert first["account"] == {"id": 7, "code": "01-100-8000", "account-type": {"name": "US"}}
    assert first["price"] == "1.5"
    assert first["quantity"] == "2"
    assert first["need-by-date"] == "2026-04-01"
    assert first["external-reference-number"] == "00001/OP/4711/1"
    assert [path for _method, path in setup.stub.writes()] == [
        "/api/purchase_orders",
        f"/api/purchase_orders/{row['id']}/issue_without_send",
    ]
    assert setup.coupa.save_purchase_order(order(), ship_to_user="jde").existing


def test_lines_are_updated_by_their_ids(setup: Setup) -> None:
    setup.coupa.save_purchase_order(order())
    row = only(setup.stub.rows("purchase_orders"))
    ids = {one["line-num"]: one["id"] for one in row["order-lines"]}
    changed = order(lines=[line("1.000", quantity=Decimal(4), amount=Decimal(6)), line("3")])
    setup.coupa.save_purchase_order(changed)
    lines = {one["line-num"]: one for one in row["order-lines"]}
    assert set(lines) == {"1", "3"}
    assert lines["1"]["id"] == ids["1"]
    assert lines["1"]["quantity"] == "4"
    body = next(call.body for call in reversed(setup.stub.calls) if call.method == "PUT")
    assert {"id": ids["2"], "_delete": True} in body["order-lines"]
    assert "po-number" not in body
    assert "type" not in body


def test_only_the_issue_is_left_for_an_equal_draft(setup: Setup) -> None:
    setup.coupa.save_purchase_order(order(), issue="no")
    row = only(setup.stub.rows("purchase_orders"))
    assert row["status"] == "draft"
    setup.stub.forget_calls()
    receipt = setup.coupa.save_purchase_order(order(), issue="send")
    assert setup.stub.writes() == [("PUT", f"/api/purchase_orders/{row['id']}/issue")]
    assert receipt.steps == ("issue",)
    assert row["status"] == "issued"


def test_an_issue_that_is_refused_because_it_is_done_is_done(setup: Setup) -> None:
    setup.coupa.save_purchase_order(order(), issue="no")
    target = setup.coupa.target("purchase_orders")
    prepared = attrs.evolve(target.prepare(Change(document=order())), step="issue")
    row = only(setup.stub.rows("purchase_orders"))
    row["status"] = "issued"
    assert target.deliver([prepared.rendered(None)])[0].id == str(row["id"])
    row["status"] = "draft"
    setup.stub.fail(status=422, body='{"errors": {"status": "no"}}', match="issue_without_send")
    with pytest.raises(mc.VendorFault, match="status: no"):
        target.deliver([prepared.rendered(None)])
    setup.stub.fail(status=500, match="issue_without_send")
    with pytest.raises(mc.VendorFault):
        target.deliver([prepared.rendered(None)])


def test_every_missing_reference_is_named_before_anything_is_written(setup: Setup) -> None:
    setup.stub.supplier("44", status="inactive")
    bad = order(
        supplier=mc.Party(number="44"),
        currency="XXX",
        terms="N99",
        lines=[line("1", account="01.100.7"), line("2", account="2", cost_center="100", unit="BX", price_unit="BX")],
    )
    with pytest.raises(mc.UnknownReference) as caught:
        setup.coupa.save_purchase_order(bad)
    assert set(caught.value.faults) == {
        "currency XXX is not in Coupa",
        "supplier 44 is inactive in Coupa",
        "account 01-100-7 (of 01.100.7) is not in Coupa",
        "account 100-2 (of 100 2) is not in Coupa",
        "unit BX is not in Coupa",
    }
    assert caught.value.cause == "reference"
    assert setup.stub.writes() == []
    missing = order(supplier=mc.Party(number="none"))
    with pytest.raises(mc.UnknownReference, match="supplier none is not in Coupa"):
        setup.coupa.save_purchase_order(missing)


def test_every_fault_of_an_order_is_listed(setup: Setup) -> None:
    bad = order(
        "4" * 21,
        supplier=None,
        currency=None,
        lines=[
            line("1", description="d" * 256, quantity=None, unit_price=None),
            line("1", account="", description=""),
            line("3", price_unit="CA", amount=None),
            line("4", price_per=Decimal(3), unit_price=Decimal(1)),
            line("5", amount=Decimal(9)),
            line("6", unit_price=Decimal("1.12345678"), amount=None),
            line("7", kind="amount", amount=Decimal("1.005")),
            line("8", quantity=Decimal("1e25"), amount=None),
        ],
    )
    with pytest.raises(mc.InvalidDocument) as caught:
        setup.coupa.save_purchase_order(bad)
    faults = caught.value.faults
    for expected in (
        "po-number has 21 characters, Coupa takes 20: '444444444444444444444'...",
        "the supplier is missing",
        "the currency is not known",
        "line 1 price is missing",
        "line 1 quantity is missing",
        "line 1 description is missing",
        "line 1 is there twice",
        "line 3 price is per CA and not per EA; no amount tells its worth",
        "line 4 price 1 per 3 has more than 6 decimals per unit",
        "line 5 quantity 2 at 1.5 is not the amount 9",
        "line 6 price 1.12345678 has more than 6 decimals",
        "line 8 quantity 1E+25 has more than 24 digits before the point",
    ):
        assert expected in faults, expected
    assert setup.stub.writes() == []
    with pytest.raises(mc.InvalidDocument, match="no line to deliver"):
        setup.coupa.save_purchase_order(order(lines=[line(kind="text")]))


def test_prices_per_another_unit_or_per_hundred_are_converted_exactly(setup: Setup) -> None:
    lines = [
        line("1", price_unit="CA", unit_price=Decimal(12), quantity=Decimal(6), amount=Decimal(3)),
        line("2", price_per=Decimal(100), unit_price=Decimal(150), quantity=Decimal(2), amount=Decimal(3)),
        line("3", kind="amount", quantity=None, amount=Decimal(7)),
        line("4", kind="charge", quantity=None, amount=None, unit_price=Decimal(8)),
        line("5", status="cancelled"),
        line("6", status="cancelled", received_quantity=Decimal(1), amount=None),
        line("7", item_ids={"vendor": "V-7"}, description=""),
    ]
    setup.coupa.save_purchase_order(order(lines=lines))
    rows = {one["line-num"]: one for one in only(setup.stub.rows("purchase_orders"))["order-lines"]}
    assert rows["1"]["price"] == "0.5"
    assert rows["2"]["price"] == "1.5"
    assert rows["3"]["type"] == "OrderAmountLine"
    assert rows["3"]["price"] == "7"
    assert rows["4"]["price"] == "8"
    assert "5" not in rows
    assert rows["6"]["quantity"] == "1"
    assert rows["7"]["description"] == "V-7" == rows["7"]["source-part-num"]


def test_a_zero_decimal_currency_takes_no_decimals(setup: Setup) -> None:
    good = order(currency="JPY", lines=[line(kind="amount", amount=Decimal("125000"))])
    setup.coupa.save_purchase_order(good)
    assert only(setup.stub.rows("purchase_orders"))["order-lines"][0]["price"] == "125000"
    with pytest.raises(mc.InvalidDocument, match="more decimals than its currency, which has 0"):
        setup.coupa.save_purchase_order(order("2", currency="JPY", lines=[line(kind="amount", amount=Decimal("1.5"))]))


def test_accounts_by_crosswalk_segments_and_chart(setup: Setup) -> None:
    setup.stub.account("02-10-0-9", "US", "02", "10-0", "9")
    setup.stub.account("02-10-0-9", "US", "02", "10", "0-9")
    setup.stub.account("77", "US", "77")
    setup.stub.account("77", "EU", "77")
    setup.stub.account("5-6", "EU")
    setup.stub.account("66", "US", "66")["active"] = "false"
    links = Links(
        {
            ("account", "1.A"): "02|10-0|9",
            ("account", "100.B"): "01-100-9000",
            ("account", "C"): "9000",
            ("cost_center", "1"): "01-100",
            ("cost_center", "9"): "5",
            ("supplier", "4343"): str(setup.stub.rows("suppliers")[0]["id"]),
        }
    )
    target = setup.coupa.target("purchase_orders")

    def account(**fields: Any) -> Any:
        prepared = target.prepare(Change(document=order(lines=[line(**fields)]), crosswalk=links))
        return prepared.rendered(None).payload["body"]["order-lines"][0]["account"]

    assert account(account="1.A") == {
        "code": "02-10-0-9", "account-type": {"name": "US"}, "segment-1": "02", "segment-2": "10-0", "segment-3": "9",
    }  # fmt: skip
    assert account(account="B", cost_center="100")["code"] == "01-100-9000"
    assert account(account="C", cost_center="1")["code"] == "01-100-9000"
    assert account(account="9.6", cost_center="9") == {"code": "5-6", "account-type": {"name": "EU"}}
    assert account(account="8000", cost_center="1")["code"] == "01-100-8000"
    with pytest.raises(mc.UnknownReference, match="in the charts EU, US: set chart="):
        account(account="77")
    with pytest.raises(mc.UnknownReference, match="alike: link its segments"):
        account(account="02-10-0-9")
    with pytest.raises(mc.UnknownReference, match="account 66 is inactive"):
        account(account="66")
    chart = setup.coupa.target("purchase_orders", chart="EU")
    prepared = chart.prepare(Change(document=order(lines=[line(account="77")])))
    assert prepared.rendered(None).payload["body"]["order-lines"][0]["account"]["account-type"] == {"name": "EU"}
    with pytest.raises(mc.UnknownReference, match="account 1 of chart EU is not in Coupa"):
        chart.prepare(Change(document=order(lines=[line(account="1")])))


def test_split_accounts_are_sent_as_allocations_and_must_add_up(setup: Setup) -> None:
    shares = [{"account": "01.100.8000", "percent": Decimal("33.3")}, {"account": "01.100.9000", "percent": "66.7"}]
    setup.coupa.save_purchase_order(order(lines=[line(extras={"allocations": shares})]))
    row = only(setup.stub.rows("purchase_orders"))["order-lines"][0]
    assert [one["pct"] for one in row["account-allocations"]] == ["33.3", "66.7"]
    assert "account" not in row
    assert setup.coupa.save_purchase_order(order(lines=[line(extras={"allocations": shares[::-1]})])).existing
    for wrong, text in (
        ([{**shares[0]}, {**shares[1], "percent": "66"}], "shares sum to 99.3 percent"),
        (
            [{"account": "01.100.8000", "amount": "1"}, {"account": "01.100.9000", "amount": "1.5"}],
            "sum to 2.5, it is 3",
        ),
        ([shares[0], {"account": "01.100.7"}], "not every share has an amount"),
        ([shares[0], {**shares[1], "percent": "most"}], "'most' is no percent of a share"),
    ):
        with pytest.raises(mc.InvalidDocument, match=text):
            setup.coupa.save_purchase_order(order("2", lines=[line(extras={"allocations": wrong})]))


def test_a_cancelled_order_is_closed_once_and_never_created(setup: Setup) -> None:
    with pytest.raises(mc.InvalidDocument) as caught:
        setup.coupa.save_purchase_order(order(status="cancelled"))
    assert caught.value.cause == "cancelled"
    setup.coupa.save_purchase_order(order())
    row = only(setup.stub.rows("purchase_orders"))
    setup.coupa.save_purchase_order(order(status="cancelled"))
    assert row["status"] == "closed"
    assert setup.coupa.save_purchase_order(order(status="cancelled")).existing
    with pytest.raises(mc.TargetChanged, match="is closed in Coupa"):
        setup.coupa.save_purchase_order(order())
    setup.coupa.save_purchase_order(order("2"))
    setup.coupa.save_purchase_order(order("2", status="cancelled"), on_cancel="cancel")
    assert [one["status"] for one in setup.stub.rows("purchase_orders")] == ["closed", "cancelled"]


def test_an_order_made_in_coupa_is_not_closed(setup: Setup) -> None:
    setup.coupa.save_purchase_order(order())
    row = only(setup.stub.rows("purchase_orders"))
    row["type"] = "OrderHeader"
    with pytest.raises(mc.TargetChanged, match="was made in Coupa"):
        setup.coupa.save_purchase_order(order(status="cancelled"))
    assert row["status"] == "issued"


def test_an_order_made_in_coupa_is_not_written_to(setup: Setup) -> None:
    setup.stub.put("purchase_orders", po_number="4711", type="OrderHeader", status="issued")
    with pytest.raises(mc.TargetChanged, match="was made in Coupa"):
        setup.coupa.save_purchase_order(order())


def test_nothing_echoes(setup: Setup) -> None:
    back = attrs.evolve(order(), provenance=mc.Provenance(system="coupa", kind="purchase_orders", key="1"))
    with pytest.raises(mc.InvalidDocument) as caught:
        setup.coupa.save_purchase_order(back)
    assert caught.value.cause == "echo"
    with pytest.raises(mc.InvalidDocument, match="born in Coupa"):
        setup.coupa.save_invoice(invoice(origin="COUPA:9001"))
    assert setup.stub.writes() == []


def test_an_order_read_from_an_unstamped_source_uses_the_usual_name_in_the_crosswalk(setup: Setup) -> None:
    plain = attrs.evolve(order(), provenance=None)
    assert setup.coupa.save_purchase_order(plain).id


def test_what_a_list_does_not_show_yet_is_known_by_its_id(setup: Setup) -> None:
    setup.coupa.save_purchase_order(order())
    row = only(setup.stub.rows("purchase_orders"))
    setup.stub.hidden.add(row["id"])
    assert setup.coupa.save_purchase_order(order()).existing
    billed = invoice_line(amount=Decimal(3), purchase_order="4711", order_line="1")
    setup.coupa.save_invoice(invoice(gross=Decimal(3), tax=None, lines=[billed]))
    assert only(setup.stub.rows("invoices"))["invoice-lines"][0]["order-line-id"] == row["order-lines"][0]["id"]


def test_what_is_optional_and_unknown_is_left_out_and_told_once(setup: Setup, caplog: pytest.LogCaptureFixture) -> None:
    document = order(terms="030", lines=[line(account="")])
    with caplog.at_level(logging.WARNING, "mlconnector.coupa"):
        prepared = setup.coupa.target("purchase_orders").prepare(Change(document=document))
        setup.coupa.target("purchase_orders").prepare(Change(document=document))
    body = prepared.rendered(None).payload["body"]
    assert "payment-term" not in body
    assert "ship-to-address" not in body
    assert prepared.describe["left_out"] == [
        "payment term 030 is not in Coupa; link it (kind terms)",
        "ship-to 6001 is no address of Coupa; link it (kind ship_to) or set ship_to_address=",
        "line 1 has no account; set account=",
    ]
    assert len(caplog.records) == 2
    assert sum(path == "/api/payment_terms" for path in setup.stub.reads()) == 1
    setup.stub.fail(status=422, body='{"errors": {"order": ["Account is blank"]}}', match="POST /api/purchase_orders")
    with pytest.raises(mc.InvalidDocument) as caught:
        setup.coupa.save_purchase_order(document)
    assert "order: Account is blank" in caught.value.faults[0]
    assert caught.value.faults[-1] == "sent without: line 1 has no account; set account="

    target = setup.coupa.target("purchase_orders", ship_to_address="MAIN", account="01-100-9000")
    links = Links({("terms", "030"): "N30"})
    body = target.prepare(Change(document=document, crosswalk=links)).rendered(None).payload["body"]
    assert body["ship-to-address"] == {"location-code": "MAIN"}
    assert body["payment-term"] == {"code": "N30"}
    assert body["order-lines"][0]["account"]["code"] == "01-100-9000"
    with pytest.raises(mc.UnknownReference, match="payment term N77 is not in Coupa"):
        target.prepare(Change(document=document, crosswalk=Links({("terms", "030"): "N77"})))
    setup.stub.denied = {"addresses"}
    assert "left_out" not in target.prepare(Change(document=order())).describe


# Invoices


def test_an_invoice_is_a_draft_that_carries_our_mark(setup: Setup) -> None:
    setup.stub.account("100-8000")
    receipt = setup.coupa.save_invoice(invoice())
    row = only(setup.stub.rows("invoices"))
    assert receipt.id == str(row["id"])
    assert row["status"] == "draft"
    assert row["invoice-date"] == "2026-03-01"
    assert row["account-type"]["name"] == "US"
    assert row["internal-note"] == "JDEDWARDS:00001/PV/900"
    assert row["tax-amount"] == "1.00"
    assert row["invoice-lines"][0]["line-num"] == 1
    assert row["invoice-lines"][0]["description"] == "Line 1"
    assert setup.coupa.save_invoice(invoice()).existing
    read = next(iter(setup.coupa.invoices()))
    assert read.origin == "JDEDWARDS:00001/PV/900"
    changed = invoice(gross=Decimal(21), lines=[invoice_line(amount=Decimal(20))])
    setup.coupa.save_invoice(changed)
    assert row["invoice-lines"][0]["price"] == "20"
    assert len(row["invoice-lines"]) == 1
    setup.coupa.save_invoice(changed, submit=True)
    assert row["status"] == "pending_approval"
    with pytest.raises(mc.TargetChanged, match="no longer a draft"):
        setup.coupa.save_invoice(invoice(), submit=True)
    setup.coupa.save_invoice(invoice(void=True))
    assert row["status"] == "voided"


def test_an_invoice_that_is_not_ours_is_never_touched(setup: Setup) -> None:
    setup.stub.account("100-8000")
    setup.coupa.save_invoice(invoice())
    row = only(setup.stub.rows("invoices"))
    row["internal-note"] = ""
    with pytest.raises(mc.TargetChanged, match="was not sent from here"):
        setup.coupa.save_invoice(invoice())
    with pytest.raises(mc.TargetChanged, match="was not sent from here"):
        setup.coupa.save_invoice(invoice(void=True))
    assert row["status"] == "draft"


def test_tax_and_charges_that_are_gone_are_taken_off_the_draft(setup: Setup) -> None:
    setup.stub.account("100-8000")
    freight = mc.InvoiceLine(kind="charge", description="Freight", amount=Decimal(3))
    setup.coupa.save_invoice(invoice(gross=Decimal(14), lines=[invoice_line(), freight]))
    row = only(setup.stub.rows("invoices"))
    assert (row["tax-amount"], row["misc-amount"]) == ("1.00", "3")
    bare = invoice(gross=Decimal(10), tax=None)
    setup.coupa.save_invoice(bare)
    assert (row["tax-amount"], row["misc-amount"]) == ("0", "0")
    assert setup.coupa.save_invoice(bare).existing
    setup.coupa.save_invoice(attrs.evolve(bare, lines=[invoice_line(description="Other")]))
    assert "tax-amount" not in setup.stub.calls[-1].body


def test_the_date_decides_among_several_years(setup: Setup) -> None:
    setup.stub.account("100-8000")
    ours = {"supplier": {"number": "4343"}, "internal_note": "JDEDWARDS:00001/PV/900", "status": "draft"}
    setup.stub.put("invoices", invoice_number="R-1", invoice_date="2025-03-01T00:00:00-08:00", **ours)
    second = setup.stub.put("invoices", invoice_number="R-1", invoice_date="2026-03-01T00:00:00-08:00", **ours)
    assert setup.coupa.save_invoice(invoice()).id == str(second["id"])
    second["invoice-date"] = "2024-01-01"
    with pytest.raises(mc.TargetChanged, match="2 times"):
        setup.coupa.save_invoice(invoice())


def test_invoice_lines_are_linked_to_the_order_lines_they_bill(setup: Setup) -> None:
    setup.coupa.save_purchase_order(order())
    lines = {one["line-num"]: one["id"] for one in only(setup.stub.rows("purchase_orders"))["order-lines"]}
    billed = invoice_line(
        kind="item", quantity=Decimal(2), unit="EA", unit_price=Decimal("1.5"), amount=Decimal(3), account="8000",
        purchase_order="4711", order_line="2.000",
    )  # fmt: skip
    setup.coupa.save_invoice(invoice(gross=Decimal(3), tax=None, lines=[billed]))
    row = only(setup.stub.rows("invoices"))["invoice-lines"][0]
    assert row["order-line-id"] == lines["2"]
    assert row["account"]["code"] == "01-100-8000"
    for changes, text in (
        ({"purchase_order": "9"}, "purchase order 9 is not in Coupa"),
        ({"order_line": "7"}, "purchase order 4711 has no line 7 in Coupa"),
    ):
        bad = invoice("2", supplier_invoice_number="R-2", gross=Decimal(3), tax=None,
                      lines=[attrs.evolve(billed, **changes)])  # fmt: skip
        with pytest.raises(mc.UnknownReference, match=text):
            setup.coupa.save_invoice(bad)
    setup.stub.account("100-8000")
    setup.coupa.save_invoice(bad, unlinked="send")
    assert "order-line-id" not in setup.stub.rows("invoices")[-1]["invoice-lines"][0]


def test_an_order_line_with_shares_or_without_an_account_needs_none(setup: Setup) -> None:
    setup.coupa.save_purchase_order(order())
    lines = only(setup.stub.rows("purchase_orders"))["order-lines"]
    lines[0].pop("account")
    lines[0]["account-allocations"] = [{"pct": "100"}]
    lines[1].pop("account")
    billed = [
        invoice_line("1", purchase_order="4711", order_line="1", account="", cost_center=""),
        invoice_line("2", purchase_order="4711", order_line="2", account="", cost_center=""),
    ]
    setup.coupa.save_invoice(invoice(gross=Decimal(21), lines=billed), chart="US")
    sent = only(setup.stub.rows("invoices"))["invoice-lines"]
    assert all("account" not in one and "account-allocations" not in one for one in sent)


def test_credits_charges_and_taxes(setup: Setup) -> None:
    setup.stub.account("100-8000")
    credit = invoice(
        kind="debit",
        supplier_invoice_number="",
        gross=Decimal("-8.00"),
        tax=Decimal("-1.00"),
        extras={"original_invoice_number": "R-0"},
        lines=[
            invoice_line(amount=Decimal(-10)),
            invoice_line("2", kind="charge", account="", cost_center="", amount=Decimal(3)),
            invoice_line("3", kind="text", account="", amount=None),
            invoice_line("4", kind="tax", account="", amount=Decimal(-1)),
        ],
    )
    setup.coupa.save_invoice(credit)
    row = only(setup.stub.rows("invoices"))
    assert row["is-credit-note"] is True
    assert row["original-invoice-number"] == "R-0"
    assert row["invoice-number"] == "900-PV-00001"
    assert row["misc-amount"] == "3"
    assert row["tax-amount"] == "-1"
    assert len(row["invoice-lines"]) == 1
    # Tax that stands in the lines already is not added.
    setup.coupa.save_invoice(invoice("2", supplier_invoice_number="R-2", gross=Decimal(10)))
    assert "tax-amount" not in setup.stub.rows("invoices")[-1]
    row["status"] = "draft"
    setup.coupa.save_invoice(attrs.evolve(credit, tax=Decimal(-1), extras={}))


def test_every_fault_of_an_invoice_is_listed(setup: Setup) -> None:
    setup.stub.account("1", "EU")
    bad = invoice(
        supplier_invoice_number="R" * 41,
        date=None,
        currency=None,
        supplier=None,
        gross=Decimal(50),
        lines=[invoice_line(account="01.100.8000", cost_center=""), invoice_line("2", account="1", cost_center="")],
    )
    with pytest.raises(mc.InvalidDocument) as caught:
        setup.coupa.save_invoice(bad)
    faults = "; ".join(caught.value.faults)
    for text in (
        "invoice-number has 41 characters",
        "invoice-date is missing",
        "the currency is not known",
        "the supplier is missing",
        "its accounts are of the charts US, EU; set chart=",
        "the lines sum to 20.00 and the tax to 1.00, the invoice to 50",
    ):
        assert text in faults, text
    with pytest.raises(mc.InvalidDocument, match="tell no chart"):
        setup.coupa.save_invoice(invoice(lines=[], gross=None))


# Single calls


def test_submit_and_mark_exported(setup: Setup) -> None:
    row = setup.stub.put("invoices", status="draft")
    assert setup.coupa.submit_invoice(row["id"]).raw == {"status": "pending_approval"}
    assert setup.coupa.mark_exported("invoices", str(row["id"])).raw == {"exported": True}
    call = setup.stub.calls[-1]
    assert call.query == {"exported": "true"}
    assert call.body is None
    payment = setup.stub.put("coupa_pay/payments", status="completed_successfully")
    setup.coupa.mark_exported("payments", payment["id"])
    assert setup.stub.calls[-1].path.endswith("/export")
    assert payment["exported"] is True
    setup.stub.bare = True
    assert setup.coupa.mark_exported("invoices", row["id"]).raw == {"exported": None}
    assert setup.coupa.submit_invoice(row["id"]).raw == {"status": None}
    with pytest.raises(mc.InvalidArgument):
        setup.coupa.mark_exported("letters", 1)
    with pytest.raises(mc.InvalidArgument):
        setup.coupa.submit_invoice("R-1")


def test_a_lost_submit_is_in_doubt_and_not_repeated(setup: Setup) -> None:
    row = setup.stub.put("invoices", status="draft")
    setup.stub.fail(drop="after", match="submit")
    with pytest.raises(mc.DeliveryInDoubt, match="draft"):
        setup.coupa.submit_invoice(row["id"])
    assert len(setup.stub.writes()) == 1
    setup.stub.fail(status=409, match="submit")
    with pytest.raises(mc.VendorFault):
        setup.coupa.submit_invoice(row["id"])


def test_marking_is_repeated_since_it_is_the_same_twice(setup: Setup) -> None:
    row = setup.stub.put("invoices", status="approved")
    setup.stub.fail(drop="after", match="PUT /api/invoices")
    assert setup.coupa.mark_exported("invoices", row["id"]).raw == {"exported": True}


def test_options_of_targets_are_checked(setup: Setup) -> None:
    for kind, options in (
        ("letters", {}),
        ("suppliers", {"colour": "red"}),
        ("suppliers", {"look_up": "maybe"}),
        ("suppliers", {"chart": " "}),
        ("purchase_orders", {"issue": "later"}),
        ("purchase_orders", {"on_cancel": "burn"}),
        ("purchase_orders", {"ship_to_user": ""}),
        ("purchase_orders", {"order_number": "{branch}"}),
        ("invoices", {"submit": "yes"}),
        ("invoices", {"unlinked": "drop"}),
    ):
        with pytest.raises(mc.InvalidArgument):
            setup.coupa.target(kind, **options)
    with pytest.raises(mc.InvalidArgument):
        setup.coupa.target("invoices", settle_after=dt.timedelta(-1))
    for name in ("matching", "po_method", "payment_method"):
        with pytest.raises(mc.InvalidArgument, match=name):
            setup.coupa.target("suppliers", **{name: "barter"})
    with client(setup.stub, setup.clock, ship_to_user="jde", chart="US") as coupa:
        assert isinstance(coupa.target("purchase_orders"), mc.Target)


def test_marks_of_other_homes_and_notes_of_people() -> None:
    foreign = attrs.evolve(invoice(), provenance=mc.Provenance(system="acme", kind="invoices", key="7 8"))
    assert mark_of(foreign) == "ERP:acme/7_8" == origin_of("see ERP:acme/7_8 please")
    assert mark_of(attrs.evolve(foreign, provenance=None)) == "ERP:00001/PV/900"
    assert origin_of("PO:123 asked, see http://x") == ""


def test_numbers_too_long_to_convert_are_faults(setup: Setup) -> None:
    big = line(price_unit="CA", amount=Decimal("1e27"), quantity=Decimal(3))
    with pytest.raises(mc.InvalidDocument, match="digits before the point"):
        setup.coupa.save_purchase_order(order(lines=[big]))


def test_an_invoice_of_a_supplier_without_number_is_found_by_its_id(setup: Setup) -> None:
    setup.stub.account("100-8000")
    born = setup.stub.supplier("", name="Born in Coupa")
    target = setup.coupa.target("invoices")
    links = Links({("supplier", "4343"): str(born["id"])})
    prepared = target.prepare(Change(document=invoice(), crosswalk=links))
    assert prepared.rendered(None).payload["body"]["supplier"] == {"id": born["id"]}
    assert setup.stub.calls[-1].query["supplier[id]"] == str(born["id"])
    row = setup.stub.put("invoices", invoice_number="R-1", supplier={"id": born["id"]}, internal_note="by hand")
    with pytest.raises(mc.TargetChanged, match=str(row["id"])):
        target.find(target.prepare(Change(document=invoice(), crosswalk=links)))


def test_a_supplier_of_an_exact_hundred_characters_keeps_its_name(setup: Setup) -> None:
    setup.stub.supplier("9", name="x" * 100)
    assert [one.name for one in setup.coupa.suppliers(where=[("number", "=", "9")])] == ["x" * 100]
