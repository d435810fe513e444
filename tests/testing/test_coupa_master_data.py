from __future__ import annotations

from typing import Any

import pytest

from mlconnector.testing import ManualClock
from mlconnector.testing._coupa import CoupaSimulator
from tests.testing.coupa import JSON, Bare, account, supplier


def test_a_supplier_is_created_and_changed_in_part() -> None:
    clock = ManualClock()
    with CoupaSimulator(clock=clock) as coupa, Bare(coupa) as bare:
        made = bare.post("suppliers", {**supplier(), "payment_term": {"code": "Net 30"}, "currency": {"code": "USD"}})
        assert made["id"] == 1
        assert made["payment-term"]["code"] == "Net 30"
        assert made["payment-method"] == "invoice"
        assert "currency" not in made
        first = made["updated-at"]
        clock.advance(60)
        contact = made["primary-contact"]["id"]
        changed = bare.put(
            "suppliers/1", {"tax-id": "12-3", "primary-contact": {"id": 99, "email": "bob@parts.example"}}
        )
        assert changed["tax-id"] == "12-3"
        assert changed["number"] == "4343"
        assert changed["primary-contact"]["id"] == contact
        assert changed["primary-contact"]["email"] == "bob@parts.example"
        assert changed["primary-contact"]["name-given"] == "Ann"
        assert changed["updated-at"] > first
        clock.advance(60)
        assert bare.put("suppliers/1", {"tax-id": "12-3"})["updated-at"] == changed["updated-at"]
        assert bare.send("PATCH", "suppliers/1", {"tax-id": ""}).json().get("tax-id") is None


def test_a_supplier_is_a_draft_where_nothing_is_said() -> None:
    with CoupaSimulator() as coupa, Bare(coupa) as bare:
        body = {"name": "Small", "po-method": "prompt", "invoice-matching-level": "2-way"}
        assert bare.post("suppliers", body)["status"] == "draft"
        told = bare.refused("PUT", "suppliers/1", {"status": "active"})
        assert told == ["Primary contact can't be blank", "Primary address can't be blank"]
        assert coupa.contents["suppliers"][0]["status"] == "draft"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"name": ""}, "Name can't be blank"),
        ({"name": "x" * 101}, "Name is too long (maximum is 100 characters)"),
        ({"name": "Parts 1"}, "Name has already been taken"),
        ({"number": "1"}, "Number has already been taken"),
        ({"status": "blocked"}, "Status is not included in the list"),
        ({"po-method": "fax"}, "Po method is not included in the list"),
        ({"po-email": None}, "Po email can't be blank"),
        ({"primary-contact": None}, "Primary contact can't be blank"),
        ({"primary-contact": "Ann"}, "Primary contact is invalid"),
        ({"on-hold": "perhaps"}, "On hold is not true or false"),
        ({"number": ["1"]}, "Number is invalid"),
    ],
)
@pytest.mark.parametrize("status", [400, 422])
def test_a_supplier_that_cannot_be(change: dict[str, Any], message: str, status: Any) -> None:
    with CoupaSimulator(invalid_status=status) as coupa, Bare(coupa) as bare:
        coupa.add(("suppliers", supplier("1")))
        assert message in bare.refused("POST", "suppliers", supplier(**change), status=status)
        assert len(coupa.contents["suppliers"]) == 1


def test_every_fault_is_told_under_the_name_of_the_object() -> None:
    with CoupaSimulator() as coupa, Bare(coupa) as bare:
        coupa.add(("suppliers", supplier()))
        answer = bare.send("POST", "suppliers", supplier())
        assert answer.json() == {
            "errors": {"supplier": ["Name has already been taken", "Number has already been taken"]}
        }
        assert bare.refused("POST", "suppliers", "text") == ["The body is no JSON object"]
        cut = bare.http.post(f"{coupa.url}/api/suppliers", data=b'{"name":', headers=JSON, timeout=5)
        assert cut.status_code == 400
        assert bare.refused("POST", "suppliers", {}) == ["Name can't be blank"]


def test_a_reference_to_nothing_is_dropped_without_a_word() -> None:
    with CoupaSimulator() as coupa, Bare(coupa) as bare:
        made = bare.post("suppliers", supplier(**{"payment-term": {"code": "Net 99"}}))
        assert "payment-term" not in made
        bare.put("suppliers/1", {"payment-term": {"code": "Net 30"}})
        assert bare.put("suppliers/1", {"payment-term": {"code": "Nothing"}})["payment-term"]["code"] == "Net 30"
        assert bare.put("suppliers/1", {"payment-term": "Net 45"})["payment-term"]["code"] == "Net 30"
        assert bare.put("suppliers/1", {"payment-term": {"id": "4"}})["payment-term"]["code"] == "Net 60"
        assert "payment-term" not in bare.put("suppliers/1", {"payment-term": None})
        by_name = {"business_groups": [{"name": "West"}], "commodity": {"item": "Steel"}}
        assert "commodity" not in bare.put("suppliers/1", by_name)
        assert bare.get("suppliers/1")["business-groups"] == [{"name": "West"}]
        types = [{"name": "US Chart"}, {"name": "Nothing"}]
        assert [each["name"] for each in bare.put("suppliers/1", {"account-types": types})["account-types"]] == [
            "US Chart"
        ]


def test_read_only_values_sent_along_are_passed_over() -> None:
    with CoupaSimulator() as coupa, Bare(coupa) as bare:
        made = bare.post("suppliers", supplier(id=77, enterprise={"name": "x"}, **{"updated-at": "2001-01-01"}))
        assert made["id"] == 1
        assert "enterprise" not in made
        assert not made["updated-at"].startswith("2001")


def test_remit_to_addresses_are_kept_below_the_supplier_and_do_not_stamp_it() -> None:
    clock = ManualClock()
    address = {"remit-to-code": "R1", "street1": "1 Bank St", "country": {"code": "US"}, "external-src-ref": "55"}
    with CoupaSimulator(clock=clock) as coupa, Bare(coupa) as bare:
        before = bare.post("suppliers", supplier())
        clock.advance(60)
        made = bare.post("suppliers/1/addresses", address)
        assert made["remit-to-code"] == "R1"
        assert "active" not in made
        shown = bare.get("suppliers/1")
        assert [each["id"] for each in shown["remit-to-addresses"]] == [made["id"]]
        assert shown["updated-at"] == before["updated-at"]
        assert bare.ids("suppliers", {"remit_to_addresses[updated_at][gt]": before["updated-at"]}) == [1]
        clock.advance(60)
        assert bare.put("suppliers/1/addresses/1", {"city": "Elko"})["city"] == "Elko"
        assert bare.get("suppliers/1/addresses/1")["updated-at"] > made["updated-at"]
        assert bare.ids("suppliers/1/addresses", remit_to_code="R1") == [1]
        assert bare.refused("POST", "suppliers/1/addresses", address) == ["Remit to code has already been taken"]
        assert "Street1 can't be blank" in bare.refused("POST", "suppliers/1/addresses", {"remit-to-code": "R2"})
        assert bare.put("suppliers/1", {"remit-to-addresses": []})["remit-to-addresses"] != []
        assert bare.status("DELETE", "suppliers/1/addresses/1") == 200
        assert bare.get("suppliers/1/addresses") == []


def test_supplier_sites_stand_below_the_supplier_and_alone() -> None:
    site = {"code": "S1", "name": "Site", "po-method": "prompt", "po-change-method": "prompt"}
    with CoupaSimulator() as coupa, Bare(coupa) as bare:
        bare.post("suppliers", supplier())
        assert bare.post("suppliers/1/supplier_sites", site)["active"] is True
        assert bare.put("suppliers/1/supplier_sites/1", {"name": "Dock"})["name"] == "Dock"
        assert bare.put("supplier_sites/1", {"name": "Yard"})["name"] == "Yard"
        assert bare.ids("supplier_sites", code="S1") == [1]
        long = {**site, "code": "S" * 21}
        assert bare.refused("POST", "suppliers/1/supplier_sites", long) == [
            "Code is too long (maximum is 20 characters)"
        ]


def test_accounts_join_their_segments_and_a_code_may_stand_in_two_charts() -> None:
    with CoupaSimulator() as coupa, Bare(coupa) as bare:
        coupa.add(("account_types", {"name": "EU Chart"}))
        coupa.add(("account_types", {"name": "Dynamic", "dynamic_flag": True}))
        made = bare.post("accounts", {**account("01", "100-A", "8000"), "code": "ignored"})
        assert made["code"] == "01-100-A-8000"
        assert bare.post("accounts", account("01", "100-A", "8000", chart="EU Chart"))["id"] == 2
        twin = bare.refused("POST", "accounts", account("01", "100", "A", "8000"))
        assert twin == ["Code has already been taken"]
        assert bare.refused("POST", "accounts", account()) == ["Segment 1 can't be blank"]
        assert "dynamic" in bare.refused("POST", "accounts", account("1", chart="Dynamic"))[0]
        assert bare.refused("POST", "accounts", account("1", chart="Nothing")) == ["Account type can't be blank"]
        assert bare.ids("accounts", {"code": "01-100-A-8000", "account_type[name]": "EU Chart"}) == [2]
        assert bare.ids("accounts", segment_2="100-A") == [1, 2]


@pytest.mark.parametrize(
    ("reference", "found"),
    [
        ({"code": "01-8000"}, None),
        ({"code": "01-8000", "account-type": {"name": "EU Chart"}}, 2),
        ({"code": "01-8000", "account_type": {"id": 1}}, 1),
        ({"segment-1": "01", "segment-2": "8000", "account-type": {"name": "US Chart"}}, 1),
        ({"code": "01-9000"}, 3),
        ({"id": 2}, 2),
        ({"code": "01-9000", "account-type": {"name": "EU Chart"}}, None),
        ({"name": "Sundry"}, None),
    ],
)
def test_an_account_is_found_by_its_chart_and_code_or_segments(reference: dict[str, Any], found: int | None) -> None:
    with CoupaSimulator() as coupa, Bare(coupa) as bare:
        coupa.add(("account_types", {"name": "EU Chart"}))
        rows = [account("01", "8000"), account("01", "8000", chart="EU Chart"), account("01", "9000")]
        coupa.add({"accounts": rows, "suppliers": [supplier()]})
        line = {"description": "x", "price": "1", "currency": {"code": "USD"}, "account": reference}
        body = {
            "type": "ExternalOrderHeader",
            "po-number": "1",
            "supplier": {"id": 1},
            "ship-to-user": {"login": "integration"},
            "ship-to-address": {"name": "Main warehouse"},
            "order-lines": [line],
        }
        answer = bare.send("POST", "purchase_orders", body)
        if found is None:
            assert answer.json() == {"errors": {"order_header": ["Order lines account can't be blank"]}}
        else:
            assert answer.json()["order-lines"][0]["account"]["id"] == found


def test_lookup_values_carry_the_way_from_their_root() -> None:
    with CoupaSimulator() as coupa, Bare(coupa) as bare:
        base = {"lookup": {"name": "Cost centers"}}
        bare.post("lookup_values", {**base, "name": "Plants", "external-ref-num": "P"})
        child = bare.post("lookup_values", {**base, "name": "Reno", "external-ref-num": "7", "parent": {"id": 1}})
        assert child["external-ref-code"] == "P-7"
        assert bare.ids("lookup_values", {"lookup[name]": "Cost centers", "external_ref_num": "7"}) == [2]


def test_new_records_are_listed_late_where_the_instance_lags() -> None:
    clock = ManualClock()
    with CoupaSimulator(clock=clock, lag=30) as coupa, Bare(coupa) as bare:
        bare.post("suppliers", supplier())
        assert bare.ids("suppliers", number="4343") == []
        assert bare.get("suppliers/1")["number"] == "4343"
        assert "Number has already been taken" in bare.refused("POST", "suppliers", supplier())
        clock.advance(30)
        assert bare.ids("suppliers", number="4343") == [1]
