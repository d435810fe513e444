from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
import requests

from mlconnector.testing import ManualClock
from mlconnector.testing._coupa import CoupaSimulator
from tests.testing.coupa import CHART, Bare, furnished, invoice, order, order_line

ACCOUNT = {"code": "01-100-8000", "account-type": CHART}


def line(**more: Any) -> dict[str, Any]:
    return {"description": "Bolt", "price": "2", "quantity": "3", "account": ACCOUNT, **more}


def test_a_posted_invoice_is_a_draft_whatever_is_said_and_submit_is_a_call_of_its_own() -> None:
    with furnished(CoupaSimulator()) as coupa, Bare(coupa) as bare:
        made = bare.post("invoices", {**invoice(), "status": "approved", "gross-total": "1", "document-type": "x"})
        assert (made["status"], made["gross-total"], made["document-type"]) == ("draft", "125.00", "Invoice")
        assert bare.put("invoices/1/submit")["status"] == "pending_approval"
        assert "pending_approval" in bare.refused("PUT", "invoices/1/submit")[0]
        coupa.update("invoices", 1, status="approved")
        assert bare.ids("invoices", {"status[in]": "approved,voided", "exported": "false"}) == [1]
        assert bare.put("invoices/1/void")["status"] == "voided"
        assert bare.refused("PUT", "invoices/1", {"paid": True}) == ["Invoice is voided and cannot be changed"]
    with furnished(CoupaSimulator(submitted_status="approved")) as coupa, Bare(coupa) as bare:
        bare.post("invoices", invoice())
        assert bare.put("invoices/1/submit")["status"] == "approved"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"invoice-number": ""}, "Invoice number can't be blank"),
        ({"invoice-number": "9" * 41}, "Invoice number is too long (maximum is 40 characters)"),
        ({"invoice-number": "TAKEN"}, "Invoice number has already been taken"),
        ({"invoice-date": None}, "Invoice date can't be blank"),
        ({"invoice-date": "March"}, "Invoice date is not a date"),
        ({"supplier": {"name": "nobody"}}, "Supplier can't be blank"),
        ({"account-type": {"name": "nothing"}}, "Account type can't be blank"),
        ({"line-level-taxation": None}, "Line level taxation can't be blank"),
        ({"invoice-lines": [line(account={"code": "nothing"})]}, "Invoice lines account can't be blank"),
        (
            {"invoice-lines": [line(description="x" * 1551)]},
            "Invoice lines description is too long (maximum is 1550 characters)",
        ),
        ({"invoice-lines": [line(**{"line-num": "one"})]}, "Line num is not a number"),
        ({"invoice-charges": [{"total": "1"}]}, "Invoice charges type can't be blank"),
    ],
)
def test_an_invoice_that_cannot_be(change: dict[str, Any], message: str) -> None:
    with furnished(CoupaSimulator()) as coupa, Bare(coupa) as bare:
        coupa.add([invoice("TAKEN")], resource="invoices")
        assert message in bare.refused("POST", "invoices", {**invoice(), **change})
        assert len(coupa.contents["invoices"]) == 1


def test_what_submit_needs() -> None:
    with furnished(CoupaSimulator()) as coupa, Bare(coupa) as bare:
        bare.post("invoices", {**invoice(), "currency": {"code": "nothing"}})
        assert bare.refused("PUT", "invoices/1/submit") == ["Currency can't be blank"]
        bare.put("invoices/1", {"currency": {"code": "EUR"}})
        assert bare.put("invoices/1/submit")["currency"]["code"] == "EUR"
        bare.post("invoices", {**invoice("2"), "invoice-lines": []})
        assert bare.refused("PUT", "invoices/2/submit") == ["Invoice lines can't be blank"]


def test_lines_link_to_order_lines_by_id_or_by_number_and_are_read_back() -> None:
    with furnished(CoupaSimulator()) as coupa, Bare(coupa) as bare:
        bare.post("purchase_orders", order("OP-7", **{"order-lines": [order_line("1"), order_line("2")]}))
        lines = [
            line(account=None, **{"order-line-id": "2"}),
            line(account=None, **{"po-number": "OP-7", "order-header-num": "OP-7", "order-line-num": "1"}),
            line(account=None, **{"order-header-num": 1, "order-line-num": "2"}),
            line(**{"order-line-id": 99}),
            line(**{"po-number": "OP-8", "order-line-num": "1"}),
        ]
        made = bare.post("invoices", {**invoice(), "invoice-lines": lines})
        shown = [(each.get("order-line-id"), each.get("order-line-num")) for each in made["invoice-lines"]]
        assert shown == [(2, "2"), (1, "1"), (2, "2"), (None, None), (None, None)]
        assert {each.get("po-number") for each in made["invoice-lines"]} == {"OP-7", None}
        assert made["invoice-lines"][0]["account"]["code"] == "01-100-8000"


def test_a_chart_is_derived_only_where_every_line_belongs_to_an_order() -> None:
    with furnished(CoupaSimulator()) as coupa, Bare(coupa) as bare:
        bare.post("purchase_orders", order())
        linked = line(account=None, **{"order-line-id": 1})
        body = {**invoice(), "account-type": None, "invoice-lines": [linked]}
        assert bare.post("invoices", body)["account-type"]["name"] == "US Chart"
        body = {**invoice("2"), "account-type": None, "invoice-lines": [linked, line()]}
        assert bare.refused("POST", "invoices", body) == ["Account type can't be blank"]


def test_totals_charges_taxes_and_credit_notes() -> None:
    with furnished(CoupaSimulator()) as coupa, Bare(coupa) as bare:
        header = {
            "shipping-amount": "5",
            "tax-amount": "1.5",
            "invoice-charges": [{"type": "InvoiceMiscCharge", "total": "2"}],
        }
        first = bare.post("invoices", {**invoice("1"), **header, "invoice-lines": [line()]})
        assert (first["gross-total"], first["total-with-taxes"]) == ("14.50", "14.50")
        charge = {"type": "InvoiceShippingCharge", "amount": "3"}
        assert bare.put("invoices/1", {"invoice-charges": [charge]})["gross-total"] == "17.50"
        taxed = line(**{"tax-lines": [{"type": "TaxLine", "amount": "0.6"}]}, quantity=None, type="InvoiceAmountLine")
        second = {**invoice("2"), "line-level-taxation": "true", "tax-amount": "9", "invoice-lines": [taxed]}
        assert bare.post("invoices", second)["gross-total"] == "2.60"
        third = {**invoice("3"), "tax-lines": [{"amount": "0.25"}], "invoice-lines": [line()], "tax-amount": "9"}
        assert bare.post("invoices", third)["gross-total"] == "6.25"
        credit = {**invoice("4"), "is-credit-note": "true", "original-invoice-number": "1", "original-invoice-date": ""}
        made = bare.post("invoices", {**credit, "invoice-lines": [line(price="-2", quantity="1")]})
        assert (made["document-type"], made["gross-total"]) == ("Credit Note", "-2.00")
        assert "is-credit-note" not in made
        assert bare.get("invoices/4", fields='["is_credit_note","id"]') == {"id": 4}


def test_a_payment_is_appended_each_time_it_is_sent() -> None:
    payment = {"amount-paid": "49.00", "notes": "CHK 1003", "payment-date": "2026-03-31T00:00:00Z"}
    with furnished(CoupaSimulator()) as coupa, Bare(coupa) as bare:
        coupa.add([invoice(status="approved")], resource="invoices")
        body = {"paid": True, "payment-date": "2026-03-31", "payment-notes": "x", "payments": [payment]}
        assert bare.put("invoices/1", body)["paid"] is True
        assert [each["notes"] for each in bare.put("invoices/1", body)["payments"]] == ["CHK 1003", "CHK 1003"]
        assert coupa.contents["invoices"][0]["payments"][0]["amount-paid"] == Decimal(49)
        assert bare.ids("invoices", {"payments[notes]": "CHK 1003"}) == [1]


@pytest.mark.parametrize(
    "payments",
    [
        [{"amount_paid": "1", "payment_date": "2026-03-31", "notes": "N"}],
        {"payment": {"amount-paid": "1", "notes": "N"}},
        {"payment": [{"amount-paid": "1", "check-number": "N"}]},
    ],
)
def test_every_shape_of_payments_is_taken(payments: Any) -> None:
    with furnished(CoupaSimulator()) as coupa, Bare(coupa) as bare:
        coupa.add([invoice(status="approved")], resource="invoices")
        (made,) = bare.put("invoices/1", {"paid": "true", "payments": payments})["payments"]
        assert (made["amount-paid"], made["notes"]) == ("1.00", "N")


@pytest.mark.parametrize(
    ("payments", "message"),
    [
        ([{"id": 1, "amount-paid": "2"}], "Payments cannot be changed once recorded"),
        ([{"notes": "N"}], "Payments amount paid can't be blank"),
        ([{"amount-paid": "1", "notes": "N" * 256}], "Payments notes is too long (maximum is 255 characters)"),
        (["1.00"], "Payments is invalid"),
    ],
)
def test_a_payment_that_cannot_be(payments: Any, message: str) -> None:
    with furnished(CoupaSimulator()) as coupa, Bare(coupa) as bare:
        coupa.add([invoice(status="approved", payments=[{"amount_paid": 1}])], resource="invoices")
        assert message in bare.refused("PUT", "invoices/1", {"payments": payments})
        assert len(coupa.contents["invoices"][0]["payments"]) == 1


def test_the_same_number_again_where_the_customer_allows_it() -> None:
    with furnished(CoupaSimulator(repeated_numbers=True)) as coupa, Bare(coupa) as bare:
        bare.post("invoices", invoice())
        bare.post("invoices", {**invoice(), "invoice-date": "2027-03-01"})
        assert bare.refused("POST", "invoices", invoice()) == ["Invoice number has already been taken"]
        assert bare.ids("invoices", {"invoice_number": "INV-1", "supplier[number]": "4343"}) == [1, 2]
        assert bare.ids("invoices", invoice_date="2027-03-01T00:00:00-08:00") == [2]


@pytest.mark.parametrize(
    ("status", "action", "result"),
    [
        ("draft", "void", "voided"),
        ("pending_receipt", "void", "voided"),
        ("pending_approval", "void", None),
        ("pending_approval", "abandon", "abandoned"),
        ("approved", "abandon", None),
        ("pending_approval", "dispute", "disputed"),
        ("disputed", "withdraw_dispute", "draft"),
        ("pending_approval", "bypass_approvals", "approved"),
        ("pending_approval", "bypass_current_approval", "approved"),
        ("approved", "revalidate_tolerances", "approved"),
        ("pending_approval", "restart_approvals", "pending_approval"),
    ],
)
def test_actions_of_an_invoice(status: str, action: str, result: str | None) -> None:
    with furnished(CoupaSimulator()) as coupa, Bare(coupa) as bare:
        coupa.add([invoice(status=status)], resource="invoices")
        answer = bare.send("PUT", f"invoices/1/{action}")
        assert answer.status_code == (400 if result is None else 200)
        assert coupa.contents["invoices"][0]["status"] == (result or status)
        assert bare.status("PUT", "invoices/1/approve") == 404
        assert bare.status("PUT", "invoices/1/submit/1") == 404


def test_only_a_new_invoice_is_deleted() -> None:
    with furnished(CoupaSimulator()) as coupa, Bare(coupa) as bare:
        coupa.add([invoice("1", status="new"), invoice("2")], resource="invoices")
        assert bare.status("DELETE", "invoices/1") == 200
        assert bare.refused("DELETE", "invoices/2") == ["Cannot delete while the status is draft"]
        assert bare.ids("invoices") == [2]


def test_scans_and_attachments_are_multipart() -> None:
    with furnished(CoupaSimulator()) as coupa, Bare(coupa) as bare:
        coupa.add([invoice()], resource="invoices")
        accept = {"Accept": "application/json"}
        file = {"file": ("scan.pdf", b"%PDF", "application/pdf")}
        scan, more = f"{coupa.url}/api/invoices/1/image_scan", f"{coupa.url}/api/invoices/1/attachments"
        assert bare.http.put(scan, files=file, headers=accept, timeout=5).status_code == 200
        assert bare.http.post(more, files=file, headers=accept, timeout=5).status_code == 201
        assert bare.http.put(scan, files=file, headers=accept, timeout=5).status_code == 200
        assert [(each.path, each.data, each.replaced) for each in coupa.uploads] == [
            ("invoices/1/image_scan/scan.pdf", b"%PDF", False),
            ("invoices/1/attachments/scan.pdf", b"%PDF", False),
            ("invoices/1/image_scan/scan.pdf", b"%PDF", True),
        ]
        assert bare.http.post(scan, files=file, headers=accept, timeout=5).status_code == 405
        assert bare.http.post(more, data=b"%PDF", headers=accept, timeout=5).status_code == 415
        without: requests.Response = bare.http.post(more, files={"scan": ("a", b"b")}, headers=accept, timeout=5)
        assert without.status_code == 400


def test_coupa_pay_payments_are_read_and_marked() -> None:
    clock = ManualClock()
    with furnished(CoupaSimulator(clock=clock)) as coupa, Bare(coupa) as bare:
        row = {"status": "payment_in_progress", "pay_to_account": {"type": "CoupaPay::SupplierPaymentAccount"}}
        coupa.add([row, {"status": "draft"}], resource="coupa_pay/payments")
        waiting = {"exported": "false", "status[in]": "payment_in_progress,completed_successfully"}
        assert bare.ids("coupa_pay/payments", waiting) == [1]
        assert bare.ids("coupa_pay/payments", {"pay_to_account[type]": "CoupaPay::SupplierPaymentAccount"}) == [1]
        assert bare.refused("PUT", "coupa_pay/payments/1", {"status": "draft"}) == [
            "Nothing but exported can be changed"
        ]
        assert bare.put("coupa_pay/payments/1/export")["exported"] is True
        assert bare.put("coupa_pay/payments/2", {"exported": True})["exported"] is True
        assert bare.ids("coupa_pay/payments", waiting) == []
