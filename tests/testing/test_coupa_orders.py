from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from mlconnector.testing import ManualClock
from mlconnector.testing._coupa import CoupaSimulator
from tests.testing.coupa import Bare, furnished, order, order_line


def test_an_external_order_is_a_draft_until_it_is_issued() -> None:
    with furnished(CoupaSimulator()) as coupa, Bare(coupa) as bare:
        made = bare.post("purchase_orders", order())
        assert (made["status"], made["version"], made["exported"]) == ("draft", 1, False)
        assert made["total"] == "125.00"
        assert bare.ids("purchase_orders", po_number="OP-1001-00001") == [1]
        issued = bare.put("purchase_orders/1/issue_without_send")
        assert (issued["status"], issued["transmission-status"]) == ("issued", "created")
        assert coupa.transmissions == ()
        assert "issued" in bare.refused("PUT", "purchase_orders/1/issue_without_send")[0]


def test_issue_sends_the_order_by_the_suppliers_way() -> None:
    clock = ManualClock()
    with furnished(CoupaSimulator(clock=clock)) as coupa, Bare(coupa) as bare:
        coupa.add({"number": "5", "name": "By hand", "status": "active"}, resource="suppliers")
        bare.post("purchase_orders", order("A"))
        bare.post("purchase_orders", order("B", supplier={"name": "By hand"}))
        bare.post("purchase_orders", order("C", **{"transmission-method-override": "do_not_transmit"}))
        bare.post("purchase_orders", order("D", supplier={"number": "5"}, **{"transmission-method-override": "email"}))
        assert bare.put("purchase_orders/1/issue")["transmission-status"] == "sent_via_email"
        assert bare.put("purchase_orders/2/issue")["transmission-status"] == "sent_manually"
        assert bare.put("purchase_orders/3/issue")["status"] == "issued"
        assert bare.put("purchase_orders/4/ignore_window_and_issue")["status"] == "issued"
        sent = [(each.po_number, each.version, each.method) for each in coupa.transmissions]
        assert sent == [("A", 1, "email"), ("B", 1, "manual"), ("D", 1, "email")]
        assert coupa.transmissions[0].at == clock.now()


def test_lines_without_id_are_added_and_lines_with_id_are_changed_or_removed() -> None:
    with furnished(CoupaSimulator()) as coupa, Bare(coupa) as bare:
        bare.post("purchase_orders", order())
        doubled = bare.put("purchase_orders/1", {"order-lines": [order_line("2")]})
        assert [line["id"] for line in doubled["order-lines"]] == [1, 2]
        changed = bare.put(
            "purchase_orders/1", {"order_lines": [{"id": "1", "quantity": "60"}, {"id": 2, "_delete": True}]}
        )
        assert [(line["id"], line["quantity"], line["price"]) for line in changed["order-lines"]] == [
            (1, "60.00", "1.25")
        ]
        assert changed["total"] == "75.00"
        with_removed = bare.get("purchase_orders/1", show_deleted_lines="true")
        assert [line["id"] for line in with_removed["order-lines"]] == [1, 2]
        again = bare.refused("PUT", "purchase_orders/1", {"order-lines": [order_line("1")]})
        assert again == ["Order lines line num has already been taken"]
        assert bare.refused("PUT", "purchase_orders/1", {"order-lines": [{"id": 2}]}) == ["Order lines 2 was not found"]
        assert bare.refused("PUT", "purchase_orders/1", {"order-lines": {"id": 1}}) == ["Order lines is invalid"]
        last = bare.refused("PUT", "purchase_orders/1", {"order-lines": [{"id": 1, "_delete": "true"}]})
        assert last == ["Order lines can't be blank"]
        assert len(coupa.contents["purchase_orders"][0]["order-lines"]) == 1


def test_a_new_version_comes_of_quantity_price_item_and_lines_alone() -> None:
    with furnished(CoupaSimulator()) as coupa, Bare(coupa) as bare:
        bare.post("purchase_orders", order())
        bare.put("purchase_orders/1/issue")
        bare.put("purchase_orders/1", exported="true")
        text = bare.put("purchase_orders/1", {"order-lines": [{"id": 1, "description": "Bolt"}]})
        assert (text["version"], text["exported"]) == (1, True)
        priced = bare.put("purchase_orders/1", {"order-lines": [{"id": 1, "price": "1.30"}]})
        assert (priced["version"], priced["exported"]) == (2, False)
        assert bare.put("purchase_orders/1", {"order-lines": [order_line("2")]})["version"] == 3
        assert [sent.version for sent in coupa.transmissions] == [1, 2, 3]
        assert bare.refused("PUT", "purchase_orders/1", {"version": 2}) == ["Version is lower than the current one"]
        assert bare.put("purchase_orders/1", {"version": 9})["version"] == 9


def test_close_reopen_cancel() -> None:
    with furnished(CoupaSimulator()) as coupa, Bare(coupa) as bare:
        for number in "ABC":
            bare.post("purchase_orders", order(number))
            bare.put(f"purchase_orders/{'ABC'.index(number) + 1}/issue_without_send")
        assert bare.put("purchase_orders/1/close")["status"] == "closed"
        assert bare.refused("PUT", "purchase_orders/1", {"classification": "x"})
        assert bare.put("purchase_orders/1/reopen")["status"] == "issued"
        assert bare.put("purchase_orders/1", {"_close": True})["status"] == "closed"
        assert bare.put("purchase_orders/1/close")["status"] == "closed"
        assert bare.refused("PUT", "purchase_orders/1/reopen")
        assert bare.refused("PUT", "purchase_orders/1/close")
        assert bare.put("purchase_orders/2/cancel")["status"] == "cancelled"
        assert bare.refused("PUT", "purchase_orders/2/cancel")
        assert bare.put("purchase_orders/3", {"_cancel": "true"})["status"] == "cancelled"
        assert bare.refused("PUT", "purchase_orders/3/reopen")
        assert bare.ids("purchase_orders", {"status[in]": "canceled,cancelled"}) == [2, 3]
        coupa.update("purchase_orders", 3, status="buyer_hold")
        assert bare.put("purchase_orders/3/release_from_buyer_hold")["status"] == "issued"
        assert bare.status("POST", "purchase_orders/3/close") == 405


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"type": "OrderHeader"}, "Type is not included in the list"),
        ({"po-number": "X" * 21}, "Po number is too long (maximum is 20 characters)"),
        ({"po-number": "TAKEN"}, "Po number has already been taken"),
        ({"supplier": {"number": "none"}}, "Supplier can't be blank"),
        ({"supplier": {"number": "9"}}, "Supplier is not active"),
        ({"ship-to-user": {"login": "nobody"}}, "Ship to user can't be blank"),
        ({"ship-to-address": None}, "Ship to address can't be blank"),
        ({"order-lines": []}, "Order lines can't be blank"),
        (
            {"order-lines": [order_line(description="x" * 256)]},
            "Order lines description is too long (maximum is 255 characters)",
        ),
        ({"order-lines": [order_line(quantity=None)]}, "Order lines quantity can't be blank"),
        ({"order-lines": [order_line(price="")]}, "Order lines price can't be blank"),
        ({"order-lines": [order_line(price="dear")]}, "Price is not a number"),
        ({"order-lines": [order_line(price="NaN")]}, "Price is not a number"),
        ({"order-lines": [order_line(price=True)]}, "Price is not a number"),
        ({"order-lines": [order_line(currency={"code": "XXX"})]}, "Order lines currency can't be blank"),
        ({"order-lines": [order_line(account={"code": "9"})]}, "Order lines account can't be blank"),
        (
            {"order-lines": [order_line(account=None, account_allocations=[{"pct": "100"}])]},
            "Order lines account can't be blank",
        ),
        (
            {"order-lines": [order_line(need_by_date="2026-03-01T00:00:00")]},
            "Need by date is not an ISO 8601 date with time and zone",
        ),
        ({"confirm-by-hrs": True}, "Confirm by hrs is not a number"),
        ({"confirm-by-hrs": "soon"}, "Confirm by hrs is not a number"),
    ],
)
def test_an_order_that_cannot_be(change: dict[str, Any], message: str) -> None:
    with furnished(CoupaSimulator()) as coupa, Bare(coupa) as bare:
        coupa.add([order("TAKEN")], resource="purchase_orders")
        coupa.add({"number": "9", "name": "Sleepy", "status": "inactive"}, resource="suppliers")
        assert message in bare.refused("POST", "purchase_orders", {**order(), **change})
        assert len(coupa.contents["purchase_orders"]) == 1


def test_amount_lines_numbers_of_lines_and_allocations() -> None:
    with furnished(CoupaSimulator()) as coupa, Bare(coupa) as bare:
        shares = [{"account": {"code": "01-100-8000"}, "pct": pct} for pct in ("60", "40")]
        lines = [
            {**order_line("2"), "line-num": None, "account": None, "account-allocations": shares},
            {**order_line("1"), "type": "OrderAmountLine", "price": "375.5", "quantity": "3"},
            {**order_line(), "line-num": None, "type": None, "quantity": None, "price": 10},
        ]
        made = bare.post("purchase_orders", order(**{"order-lines": lines}))
        assert [line["line-num"] for line in made["order-lines"]] == ["2", "1", "3"]
        assert [line["type"] for line in made["order-lines"]] == [
            "OrderQuantityLine",
            "OrderAmountLine",
            "OrderAmountLine",
        ]
        assert "quantity" not in made["order-lines"][1]
        assert made["total"] == "510.50"
        assert [share["pct"] for share in made["order-lines"][0]["account-allocations"]] == ["60.00", "40.00"]


def test_numbers_are_rounded_to_what_the_column_holds() -> None:
    with furnished(CoupaSimulator()) as coupa, Bare(coupa) as bare:
        bare.post("purchase_orders", order(**{"order-lines": [order_line(price="1.2345675", quantity=3)]}))
        (line,) = coupa.contents["purchase_orders"][0]["order-lines"]
        assert line["price"] == Decimal("1.234568")
        assert bare.get("purchase_orders/1")["order-lines"][0]["price"] == "1.234568"


def test_an_instance_without_external_orders_refuses_them() -> None:
    with furnished(CoupaSimulator(external_orders=False)) as coupa, Bare(coupa) as bare:
        assert bare.status("POST", "purchase_orders", order()) == 403
        assert coupa.contents["purchase_orders"] == ()


def test_marking_as_exported_is_a_call_of_its_own() -> None:
    clock = ManualClock()
    with furnished(CoupaSimulator(clock=clock)) as coupa, Bare(coupa) as bare:
        before = bare.post("purchase_orders", order())
        clock.advance(60)
        marked = bare.put("purchase_orders/1", {"classification": "lost"}, exported="true")
        assert marked["exported"] is True
        assert "classification" not in marked
        assert marked["updated-at"] > before["updated-at"]
        assert marked["last-exported-at"] == marked["updated-at"]
        assert bare.ids("purchase_orders", exported="false") == []
        body = bare.put("purchase_orders/1", {"exported": False, "classification": "lost"})
        assert (body["exported"], "classification" in body) == (False, False)
        assert bare.refused("PUT", "purchase_orders/1", exported="maybe") == ["Exported is not true or false"]
        assert bare.refused("PUT", "suppliers/1", exported="true") == ["Exported is not an attribute"]
    with furnished(CoupaSimulator(clock=clock, export_touches=False)) as coupa, Bare(coupa) as bare:
        before = bare.post("purchase_orders", order())
        clock.advance(60)
        assert bare.put("purchase_orders/1", exported="true")["updated-at"] == before["updated-at"]


def test_receipts() -> None:
    with furnished(CoupaSimulator()) as coupa, Bare(coupa) as bare:
        bare.post("purchase_orders", order())
        receipt = {"type": "ReceivingQuantityConsumption", "order-line": {"id": 1}, "quantity": "10"}
        made = bare.post("receiving_transactions", {**receipt, "transaction-date": "2026-03-01T00:00:00Z"})
        assert made["order-line"]["line-num"] == "1"
        assert bare.refused("PUT", "receiving_transactions/1", {"quantity": "9"}) == [
            "Nothing but exported can be changed"
        ]
        assert bare.put("receiving_transactions/1", {"exported": True})["exported"] is True
        assert bare.put("receiving_transactions/1/void")["status"] == "voided"
        assert bare.refused("PUT", "receiving_transactions/1/void")
