from __future__ import annotations

import base64
import datetime as dt
import hashlib
import hmac
import json
from decimal import Decimal
from typing import Any

import pytest

import mlconnector as mc
from mlconnector.documents import (
    Account,
    Address,
    Application,
    Contact,
    CostCenter,
    Invoice,
    InvoiceLine,
    OrderLine,
    Party,
    Payment,
    Provenance,
    PurchaseOrder,
    Supplier,
)
from mlconnector.errors import InvalidArgument
from mlconnector.testing import ManualClock
from mlconnector.testing._coupa import CoupaSimulator
from tests.testing.coupa import Bare, account, furnished, invoice, order, order_line, supplier

STAMP = dt.datetime(2026, 1, 31, 10, 0, tzinfo=dt.UTC)


def test_rows_are_added_and_replaced_by_id_or_natural_key() -> None:
    with CoupaSimulator() as coupa:
        assert coupa.add(("suppliers", supplier(tax_id="1"))) == (1,)
        assert coupa.add({"suppliers": [supplier("5"), supplier(name="Renamed")]}) == (2, 1)
        first, second = coupa.contents["suppliers"]
        assert (first["name"], first["tax-id"], second["number"]) == ("Renamed", None, "5")
        assert coupa.add({"id": 70, "name": "By id"}, resource="suppliers") == (70,)
        assert coupa.add({"name": "Next"}, resource="suppliers") == (71,)
        coupa.add({"accounts": [account("1", "2"), account("1", "2")]})
        assert len(coupa.contents["accounts"]) == 1
        coupa.add({"invoices": [invoice(supplier=None, **{"invoice-lines": []})] * 2})
        assert [row["id"] for row in coupa.contents["invoices"]] == [1, 2]


@pytest.mark.parametrize(
    ("resource", "row"),
    [
        ("vendors", {}),
        ("suppliers", {"colour": "red"}),
        ("suppliers", {"name": "x" * 101}),
        ("suppliers", {"name": "x", "status": "blocked"}),
        ("suppliers", {"name": "x", "payment_term": {"code": "nothing"}}),
        ("suppliers", {"name": "Parts 4343", "id": 9}),
        ("invoices", {"invoice_date": "March"}),
        ("invoices", {"invoice_lines": "one"}),
    ],
)
def test_a_row_that_does_not_fit_is_refused(resource: str, row: Any) -> None:
    with CoupaSimulator() as coupa:
        coupa.add(("suppliers", supplier()))
        with pytest.raises(InvalidArgument):
            coupa.add((resource, row))


def test_a_row_is_changed_and_stamped() -> None:
    clock = ManualClock()
    with furnished(CoupaSimulator(clock=clock)) as coupa:
        coupa.add([order(order_lines=[order_line("1"), order_line("2")], updated_at=STAMP)], resource="purchase_orders")
        assert coupa.contents["purchase_orders"][0]["updated-at"] == STAMP
        clock.advance(90.5)
        coupa.update(
            "purchase_orders", 1, status="issued", order_lines=[{"id": 2, "price": Decimal(2)}, order_line("3")]
        )
        (row,) = coupa.contents["purchase_orders"]
        assert row["updated-at"] == clock.now().replace(microsecond=0)
        assert [(line["id"], line["line-num"]) for line in row["order-lines"]] == [(2, "2"), (3, "3")]
        assert row["total"] == Decimal(325)
        coupa.update("purchase_orders", 1, status="closed", updated_at=STAMP)
        assert coupa.contents["purchase_orders"][0]["updated-at"] == STAMP
        coupa.touch("purchase_orders")
        assert coupa.contents["purchase_orders"][0]["updated-at"] > STAMP
        coupa.touch("purchase_orders", 1, at=STAMP)
        assert coupa.contents["purchase_orders"][0]["updated-at"] == STAMP
        coupa.remove("purchase_orders", 1)
        assert coupa.contents["purchase_orders"] == ()
        for wrong in (
            lambda: coupa.remove("purchase_orders", 1),
            lambda: coupa.update("purchase_orders", 1, status="issued"),
            lambda: coupa.touch("purchase_orders", 1),
            lambda: coupa.touch("purchase_orders", at=dt.datetime(2026, 1, 1)),  # noqa: DTZ001
            lambda: coupa.forbid("vendors"),
            lambda: coupa.conceal("suppliers", "colour"),
            lambda: coupa.define("suppliers", colour="X"),
        ):
            with pytest.raises(InvalidArgument):
                wrong()


def test_forbidden_and_hidden_resources() -> None:
    with CoupaSimulator() as coupa, Bare(coupa) as bare:
        coupa.add(("suppliers", supplier()))
        coupa.forbid("suppliers")
        assert bare.status("GET", "suppliers") == bare.status("GET", "supplier_sites") == 403
        coupa.forbid("suppliers", forbidden=False)
        coupa.hide("suppliers")
        assert bare.get("suppliers") == []
        assert bare.status("GET", "suppliers/1") == 404
        coupa.hide("suppliers", hidden=False)
        assert bare.ids("suppliers") == [1]


def test_further_attributes() -> None:
    with CoupaSimulator() as coupa, Bare(coupa) as bare:
        coupa.add(("suppliers", supplier()))
        coupa.define("suppliers", plant_code="S", weight="N")
        bare.put("suppliers/1", {"plant-code": "7", "weight": "1.50"})
        assert bare.ids("suppliers", plant_code="7") == [1]
        assert bare.get("suppliers/1")["weight"] == "1.50"


def test_rows_move_while_a_client_reads() -> None:
    with CoupaSimulator() as coupa, Bare(coupa) as bare:
        coupa.add([supplier(str(number)) for number in range(4)], resource="suppliers")
        coupa.on_request = lambda call: coupa.remove("suppliers", 1) if call.query.get("offset") == "2" else None
        assert bare.ids("suppliers", limit=2, offset=0) == [1, 2]
        assert bare.ids("suppliers", limit=2, offset=2) == [4]


def test_documents_become_rows_with_what_they_refer_to() -> None:
    with CoupaSimulator() as coupa:
        address = Address(lines=("2 Mill Way", "Dock 4"), city="Reno", state="NV", postal_code="89501", country="US")
        coupa.add(
            Supplier(
                number="4343",
                name="Parts Unlimited",
                addresses=(address, address),
                contacts=(Contact(name="Ann Lee", email="ann@parts.example", phone="555"),),
                terms="Net 10",
                hold="A",
                extras={"account_number": "77", "AC07": "x"},
                provenance=Provenance(system="coupa", kind="suppliers", key="4343", updated_at=STAMP),
            )
        )
        (made,) = coupa.contents["suppliers"]
        assert made["payment-term"]["code"] == "Net 10"
        assert made["primary-address"]["street2"] == "Dock 4"
        assert made["primary-contact"]["name-family"] == "Lee"
        assert made["remit-to-addresses"][0]["remit-to-code"] == "4343-1"
        assert (made["on-hold"], made["account-number"], made["updated-at"]) == (True, "77", STAMP)
        coupa.add(Account(number="1", company="01", cost_center="100", object="8000", description="Parts"))
        coupa.add(
            PurchaseOrder(
                number="OP-1",
                supplier=Party(number="99", name="New Co"),
                currency="CHF",
                terms="Net 10",
                lines=(
                    OrderLine(
                        number="1",
                        description="Bolt",
                        quantity=Decimal(2000),
                        unit="M",
                        unit_price=Decimal("12.5"),
                        price_per=Decimal(1000),
                        account="01-100-8000",
                        requested_date=dt.date(2026, 4, 1),
                    ),
                    OrderLine(number="2", kind="amount", amount=Decimal("375.5"), account="01-200-9000"),
                    OrderLine(number="3", kind="text", description="Gate 4"),
                ),
            )
        )
        (placed,) = coupa.contents["purchase_orders"]
        assert (placed["status"], placed["total"], placed["currency"]["code"]) == ("issued", Decimal("400.5"), "CHF")
        assert placed["supplier"]["name"] == "New Co"
        assert [row["code"] for row in coupa.contents["accounts"]] == ["01-100-8000", "01-200-9000"]
        coupa.add(
            Invoice(
                number="9001",
                supplier_invoice_number="INV-7",
                date=dt.date(2026, 3, 1),
                supplier=Party(name="New Co"),
                currency="CHF",
                open=Decimal(0),
                tax=Decimal(1),
                lines=(
                    InvoiceLine(
                        number="1", quantity=Decimal(10), unit_price=Decimal(2), purchase_order="OP-1", order_line="1"
                    ),
                    InvoiceLine(kind="amount", amount=Decimal(5), account="01-200-9000"),
                    InvoiceLine(kind="charge", amount=Decimal(4)),
                ),
            )
        )
        (bill,) = coupa.contents["invoices"]
        assert (bill["id"], bill["status"], bill["paid"], bill["gross-total"]) == (9001, "approved", True, Decimal(30))
        assert bill["invoice-lines"][0]["order-line-id"] == placed["order-lines"][0]["id"]
        coupa.add(Invoice(number="X", kind="credit", void=True, supplier=Party(number="4343")))
        coupa.add(PurchaseOrder(number="OP-2", status="cancelled"))
        assert coupa.contents["purchase_orders"][1]["status"] == "cancelled"
        coupa.add(Invoice(number="Y", waiting_for=("approval",)))
        assert [row["status"] for row in coupa.contents["invoices"][1:]] == ["voided", "pending_approval"]
        paid = (Application(invoice="9001", amount=Decimal(25), discount=Decimal(1)), Application(invoice="X"))
        coupa.add(Payment(number="55", amount=Decimal(25), currency="CHF", applications=paid))
        (money,) = coupa.contents["coupa_pay/payments"]
        assert (money["id"], money["status"], money["discount-total"]) == (55, "completed_successfully", Decimal(1))
        assert [detail["source-transaction-id"] for detail in money["payment-details"]] == [9001, 9002]
        with pytest.raises(InvalidArgument):
            coupa.add(CostCenter(number="100"))


def test_the_names_of_the_front_door_build_the_documents_too() -> None:
    with CoupaSimulator() as coupa:
        assert coupa.add(mc.Supplier(number="1")) == (1,)
        assert coupa.contents["suppliers"][0]["name"] == "Supplier 1"


def test_a_notice_is_signed_as_asked() -> None:
    clock = ManualClock()
    with furnished(CoupaSimulator(clock=clock)) as coupa:
        coupa.add([invoice(status="approved")], resource="invoices")
        plain = coupa.webhook("secret", ("invoices", 1))
        body = json.loads(plain.body)
        assert (body["invoice-number"], body["status"]) == ("INV-1", "approved")
        assert plain.headers["X-Coupa-Signature"] == hmac.new(b"secret", plain.body, hashlib.sha256).hexdigest()
        other = coupa.webhook(b"s", {"id": 1}, header="X-Sign", encoding="base64", prefix="sha256=")
        digest = hmac.new(b"s", b'{"id":1}', hashlib.sha256).digest()
        assert other.headers["X-Sign"] == "sha256=" + base64.b64encode(digest).decode()
        stamped = coupa.webhook("s", b"raw", timestamp_header="X-Time")
        seconds = str(int(clock.now().timestamp()))
        assert stamped.headers["X-Time"] == seconds
        signed = hmac.new(b"s", f"{seconds}.raw".encode(), hashlib.sha256).hexdigest()
        assert stamped.headers["X-Coupa-Signature"] == signed
        old = coupa.webhook("s", b"raw", timestamp_header="X-Time", at=STAMP, signed_timestamp=False)
        assert old.headers["X-Time"] == str(int(STAMP.timestamp()))
        assert old.headers["X-Coupa-Signature"] == hmac.new(b"s", b"raw", hashlib.sha256).hexdigest()
        with pytest.raises(InvalidArgument):
            coupa.webhook("s", b"raw", encoding="octal")  # type: ignore[arg-type]
        with pytest.raises(InvalidArgument):
            coupa.webhook("s", b"raw", timestamp_header="X-Time", at=dt.datetime(2026, 1, 1))  # noqa: DTZ001
        with pytest.raises(InvalidArgument):
            coupa.webhook("s", ("invoices", 2))


def test_rows_added_by_hand_need_not_be_whole_and_can_be_changed_over_the_api() -> None:
    with CoupaSimulator() as coupa, Bare(coupa) as bare:
        coupa.add({"invoices": [{"invoice_number": "A", "invoice_date": STAMP}, {}]})
        assert coupa.contents["invoices"][0]["invoice-date"].isoformat() == "2026-01-31T08:00:00+00:00"
        assert bare.get("invoices/1")["invoice-number"] == "A"
        assert "Supplier can't be blank" in bare.refused("PUT", "invoices/1", {"internal-note": "x"})
