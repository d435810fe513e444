from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest

from mlconnector.errors import InvalidArgument
from mlconnector.testing import ManualClock
from mlconnector.testing._bill import BILLSimulator
from tests.testing.bill import VENDOR, Bare, bill


def without(row: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in row.items() if key != name}


def test_a_vendor_is_made_and_what_has_no_value_is_left_out() -> None:
    clock = ManualClock(dt.datetime(2026, 12, 15, 22, 53, 15, 127_900, tzinfo=dt.UTC))
    with BILLSimulator(clock=clock) as sim, Bare(sim) as bare:
        made = bare.post("vendors", {**VENDOR, "email": None, "nmae": "lost", "name": 'Smith, "Bob" & Söhne'})
        assert made["createdTime"] == made["updatedTime"] == "2026-12-15T22:53:15.127+00:00"
        assert made["name"] == 'Smith, "Bob" & Söhne'
        assert made["billCurrency"] == "USD"
        assert made["networkStatus"] == "NOT_CONNECTED"
        assert not {"email", "nmae", "phone"} & made.keys()
        assert bare.get(f"vendors/{made['id']}") == made == sim.contents["vendors"][0]


@pytest.mark.parametrize(
    ("body", "faults"),
    [
        (without(VENDOR, "address"), ["address: must not be null"]),
        ({**VENDOR, "name": " "}, ["name: must not be blank"]),
        ({**VENDOR, "name": "x" * 101}, ["BDC_1143"]),
        ({**VENDOR, "shortName": "x" * 41}, ["BDC_1143"]),
        ({**VENDOR, "address": {**VENDOR["address"], "country": "USA"}}, ["address.country: is not valid"]),
        (
            {"address": {"country": "us"}, "email": "nobody"},
            [
                "name: must not be null",
                "address.line1: must not be null",
                "address.city: must not be null",
                "address.zipOrPostalCode: must not be null",
                "address.country: is not valid",
                "email: is not valid",
            ],
        ),
    ],
)
def test_a_vendor_is_refused_with_every_fault(body: Any, faults: list[str]) -> None:
    with BILLSimulator() as sim, Bare(sim) as bare:
        assert bare.refused("POST", "vendors", body) == faults
        assert sim.contents["vendors"] == ()


@pytest.mark.parametrize(
    "body",
    [
        [VENDOR],
        {**VENDOR, "name": 5},
        {**VENDOR, "address": "1 Main St"},
        {**VENDOR, "accountType": "COMPANY"},
        {**VENDOR, "additionalInfo": {"track1099": "yes"}},
        {**VENDOR, "additionalInfo": {"leadTimeInDays": "five"}},
    ],
)
def test_a_value_of_the_wrong_type_shows_the_servers_parser(body: Any) -> None:
    with BILLSimulator() as sim, Bare(sim) as bare:
        assert "Cannot construct instance of" in bare.refused("POST", "vendors", body)[0]


def test_a_body_that_is_no_json_or_does_not_say_so() -> None:
    with BILLSimulator() as sim, Bare(sim) as bare:
        assert bare.refused("POST", "vendors") == ["BDC_1122"]
        headers = {"Content-Type": "text/plain"}
        assert bare.refused("POST", "vendors", VENDOR, status=415, headers=headers) == ["BDC_1122"]


def test_autopay_needs_mfa_and_a_patch_changes_only_what_it_names() -> None:
    clock = ManualClock()
    with BILLSimulator(clock=clock) as sim, Bare(sim) as bare:
        assert bare.refused("POST", "vendors", {**VENDOR, "autoPay": {"enabled": True}}, status=403) == ["BDC_1361"]
        vendor = bare.vendor(email="a@example.test", additionalInfo={"taxId": "1"})
        clock.advance(1)
        answer = bare.send("PATCH", f"vendors/{vendor}", {"address": {"city": "Austin"}, "email": None}).json()
        assert answer["address"] == {**VENDOR["address"], "city": "Austin"}
        assert "email" not in answer
        assert answer["updatedTime"] > answer["createdTime"]
        assert answer["additionalInfo"] == {"taxId": "1"}
        assert bare.refused("PATCH", f"vendors/{vendor}", {"name": None}) == ["name: must not be null"]
        bank = {"paymentInformation": {"bankAccount": {"nameOnAccount": "A", "accountNumber": "123456"}}}
        assert bare.refused("PATCH", f"vendors/{vendor}", bank) == ["BDC_1143"]
        assert bare.refused("PATCH", f"vendors/{vendor}") == ["BDC_1122"]


def test_a_bank_account_is_given_at_creation_or_apart_and_never_shown() -> None:
    bank = {"nameOnAccount": "A", "accountNumber": "987654321"}
    with BILLSimulator() as sim, Bare(sim) as bare:
        vendor = bare.vendor(paymentInformation={"payeeName": "A", "bankAccount": bank})
        path = f"vendors/{vendor}/bank-account"
        assert bare.get(path)["accountNumber"] == "****4321"
        assert "987654321" not in repr(sim.contents)
        assert bare.refused("POST", path, bank) == ["BDC_1143"]
        assert bare.send("DELETE", path).status_code == 204
        assert bare.refused("GET", path, status=404) == ["BDC_1205"]
        assert bare.refused("DELETE", path, status=404) == ["BDC_1205"]
        assert bare.post(path, bank, status=200)["accountNumber"] == "****4321"
        assert bare.refused("PUT", path, bank, status=404) == ["BDC_1121"]
        other = bare.vendor()
        assert bare.post(f"vendors/{other}/bank-account", bank, status=200)["nameOnAccount"] == "A"


def test_bulk_vendors_are_wrapped_and_all_or_nothing() -> None:
    with BILLSimulator() as sim, Bare(sim) as bare:
        made = bare.post("vendors/bulk", [{**VENDOR, "name": f"V{index}"} for index in range(20)])
        assert [row["name"] for row in made["vendors"]] == [f"V{index}" for index in range(20)]
        wrong = [VENDOR, {**VENDOR, "name": ""}, without(VENDOR, "address")]
        assert bare.refused("POST", "vendors/bulk", wrong) == [
            "vendors[1].name: must not be blank",
            "vendors[2].address: must not be null",
        ]
        for size in (0, 21):
            assert bare.refused("POST", "vendors/bulk", [VENDOR] * size) == ["size must be between 1 and 20"]
        assert bare.refused("POST", "vendors/bulk", VENDOR) == ["size must be between 1 and 20"]
        assert len(sim.contents["vendors"]) == 20


def test_a_bill_is_summed_by_bill_and_named_vendors_are_in_reads_alone() -> None:
    with BILLSimulator() as sim, Bare(sim) as bare:
        vendor = bare.vendor()
        lines = [
            {"amount": Decimal("10.05"), "quantity": 3, "price": 99},
            {"quantity": Decimal("2.5"), "price": Decimal("1.111")},
            {"amount": -1, "description": "Rabatt ü"},
        ]
        made = bare.post("bills", bill(vendor, billLineItems=lines, currency="EUR", purchaseOrderNumber="4711 OP"))
        assert [made[name] for name in ("amount", "dueAmount", "paidAmount", "paymentStatus")] == [
            Decimal("11.83"),
            Decimal("11.83"),
            0,
            "UNPAID",
        ]
        assert [line["amount"] for line in made["billLineItems"]] == [Decimal("10.05"), Decimal("2.78"), -1]
        assert len({line["id"] for line in made["billLineItems"]}) == 3
        assert not {"currency", "vendorName"} & made.keys()
        for read in (bare.get(f"bills/{made['id']}"), bare.get("bills")["results"][0]):
            assert read == {**made, "vendorName": VENDOR["name"]}
        assert made["approvalStatus"] == "UNASSIGNED"


def test_a_bill_is_refused_with_every_fault() -> None:
    with BILLSimulator() as sim, Bare(sim) as bare:
        vendor = bare.vendor()
        answer = bare.send("POST", "bills", bill(vendor, "x" * 22))
        assert answer.status_code == 400
        assert answer.json()[0]["message"] == "invoiceNumber: Maximum length cannot be greater than 21 characters."
        assert answer.json()[0]["code"] == "BDC_1143"
        lines = [{}, {"quantity": 1}, {"amount": Decimal("1.005")}]
        wrong = {"vendorId": vendor, "invoice": {"invoiceNumber": ""}, "billLineItems": lines}
        assert bare.refused("POST", "bills", wrong) == [
            "dueDate: must not be null",
            "invoice.invoiceNumber: must not be blank",
            "invoice.invoiceDate: must not be null",
            "BDC_1143",
            "billLineItems[0].amount: must not be null",
            "billLineItems[1].amount: must not be null",
        ]
        assert bare.refused("POST", "bills", bill(vendor, billLineItems=[])) == ["billLineItems: must not be empty"]
        assert bare.refused("POST", "bills", bill(vendor, "N", 5, -6)) == ["BDC_1143"]
        for body in (
            bill(vendor, "N", "12.00"),
            bill(vendor, "N", True),
            bill(vendor, dueDate="12/31/2026"),
            bill(vendor, dueDate="2026-02-30"),
            bill(vendor, billLineItems={}),
        ):
            assert "Cannot construct" in bare.refused("POST", "bills", body)[0]
        assert sim.contents["bills"] == ()


def test_unknown_and_archived_references_are_refused_together() -> None:
    with BILLSimulator() as sim, Bare(sim) as bare:
        vendor, gone = bare.vendor(), bare.vendor()
        sim.update("vendors", gone, archived=True)
        account = sim.add({"name": "Travel", "archived": True}, resource="chart-of-accounts")
        assert bare.refused("POST", "bills", bill(gone), status=422) == ["BDC_1119"]
        assert bare.refused("POST", "bills", bill("009unknown"), status=422) == ["BDC_1119"]
        tagged = {
            "amount": 1,
            "classifications": {"chartOfAccountId": account, "departmentId": "5620", "customerId": "0cu1"},
        }
        body = bill(vendor, billLineItems=[tagged], payFromChartOfAccountId="0ca?")
        answer = bare.send("POST", "bills", body)
        assert answer.status_code == 422
        assert [entry["message"].rpartition(": ")[2] for entry in answer.json()] == [account, "5620", "0ca?"]
        assert sim.contents["bills"] == ()


def test_duplicates_are_not_refused() -> None:
    with BILLSimulator() as sim, Bare(sim) as bare:
        vendor = bare.vendor()
        ids = {bare.post("bills", bill(vendor, allowDuplicateInvoiceNumber=False))["id"] for _ in range(3)}
        assert len(ids) == 3


def test_bulk_bills_answer_a_bare_array_and_are_all_or_nothing() -> None:
    with BILLSimulator() as sim, Bare(sim) as bare:
        one, other = bare.vendor(), bare.vendor()
        made = bare.post("bills/bulk", [bill(one, "A"), bill(other, "B", 1, 2)])
        assert [row["invoice"]["invoiceNumber"] for row in made] == ["A", "B"]
        assert bare.refused("POST", "bills/bulk", [bill(one), bill(one, "x" * 22)]) == ["BDC_1143"]
        assert bare.refused("POST", "bills/bulk", [bill(one), bill("unknown")], status=422) == ["BDC_1119"]
        assert bare.refused("POST", "bills/bulk", [bill(one)] * 101) == ["size must be between 1 and 100"]
        assert len(sim.contents["bills"]) == 2
        sim.fail(drop="after", match="bulk")
        with pytest.raises(OSError):
            bare.send("POST", "bills/bulk", [bill(one, "C"), bill(other, "D")])
        assert len(sim.contents["bills"]) == 4


def test_put_is_the_whole_state_by_line_ids() -> None:
    clock = ManualClock()
    with BILLSimulator(clock=clock) as sim, Bare(sim) as bare:
        vendor = bare.vendor()
        made = bare.post("bills", bill(vendor, "A", 10, 20, 30, description="was there"))
        path = f"bills/{made['id']}"
        first, second, third = (line["id"] for line in made["billLineItems"])
        lines = [{"id": first}, {"id": third, "amount": 31}, {"amount": 5}]
        clock.advance(1)
        for amounts in ([10, 31, 5], [10, 31, 5, 5]):
            changed = bare.send("PUT", path, bill(vendor, "A", billLineItems=lines)).json()
            assert [line["amount"] for line in changed["billLineItems"]] == amounts[:3]
        assert changed["amount"] == 46
        assert "description" not in changed
        assert second not in {line["id"] for line in changed["billLineItems"]}
        kept = [line["id"] for line in changed["billLineItems"]]
        again = bill(vendor, "A", billLineItems=[{"id": key} for key in kept])
        repeated = [bare.send("PUT", path, again).json()["billLineItems"] for _ in range(2)]
        assert repeated[0] == repeated[1] == changed["billLineItems"]
        stranger = bill(vendor, billLineItems=[{"id": "0blX", "amount": 1}])
        assert bare.refused("PUT", path, stranger, status=422) == ["BDC_1119"]
        assert bare.refused("PUT", path, {"description": "x"}) == [
            f"{name}: must not be null" for name in ("vendorId", "dueDate", "invoice", "billLineItems")
        ]
        assert bare.refused("PUT", "bills/00nX", again, status=404) == ["BDC_1205"]


def test_patch_changes_lines_by_id_and_neither_adds_nor_removes() -> None:
    with BILLSimulator() as sim, Bare(sim) as bare:
        made = bare.post("bills", bill(bare.vendor(), "A", 10, 20))
        path, line = f"bills/{made['id']}", made["billLineItems"][1]["id"]
        changed = bare.send("PATCH", path, {"billLineItems": [{"id": line, "amount": 25}], "dueDate": "2027-01-31"})
        assert [each["amount"] for each in changed.json()["billLineItems"]] == [10, 25]
        assert (changed.json()["amount"], changed.json()["dueDate"]) == (35, "2027-01-31")
        assert bare.refused("PATCH", path, {"billLineItems": [{"amount": 1}]}, status=422) == ["BDC_1119"]
        renamed = bare.send("PATCH", path, {"invoice": {"invoiceNumber": "B"}}).json()
        assert renamed["invoice"] == {"invoiceNumber": "B", "invoiceDate": "2026-12-01"}


def test_lines_of_quantity_and_price_are_computed_again() -> None:
    with BILLSimulator() as sim, Bare(sim) as bare:
        lines = [{"quantity": 2, "price": Decimal("1.5")}, {"amount": 9}]
        made = bare.post("bills", bill(bare.vendor(), "A", billLineItems=lines))
        path, (first, second) = f"bills/{made['id']}", (line["id"] for line in made["billLineItems"])
        patch = {"billLineItems": [{"id": first, "quantity": 4}, {"id": second, "quantity": 4}]}
        assert bare.send("PATCH", path, patch).json()["amount"] == 15
        whole = bill(made["vendorId"], "A", billLineItems=[{"id": first, "price": 2}, {"amount": -5}])
        assert bare.send("PUT", path, whole).json()["amount"] == 3
        whole["billLineItems"] = [{"id": first}, {"amount": -9}]
        assert bare.refused("PUT", path, whole) == ["BDC_1143"]
        assert bare.get(path)["amount"] == 3


def test_a_bill_never_gets_less_than_what_is_paid() -> None:
    with BILLSimulator() as sim, Bare(sim) as bare:
        vendor = bare.vendor()
        made = bare.post("bills", bill(vendor, "A", 100))
        sim.pay("A", amounts={"A": Decimal(60)})
        path, line = f"bills/{made['id']}", made["billLineItems"][0]["id"]
        small = {"billLineItems": [{"id": line, "amount": 59}]}
        assert bare.refused("PATCH", path, small) == ["BDC_1143"]
        assert bare.get(path)["amount"] == 100
        assert bare.send("PATCH", path, {"billLineItems": [{"id": line, "amount": 60}]}).status_code == 200


def test_classifications_are_made_changed_and_archived_one_by_one_and_in_bulk() -> None:
    with BILLSimulator() as sim, Bare(sim) as bare:
        base = "classifications/chart-of-accounts"
        account = {"name": "Travel", "account": {"type": "EXPENSE", "number": "8740.100"}}
        made = bare.post(base, account)
        assert made["id"].startswith("0ca")
        assert made["account"] == account["account"]
        assert bare.refused("POST", base, {"account": {"number": "1"}}) == ["name: must not be null"]
        child = {**account, "parentId": made["id"]}
        several = bare.post(f"{base}/bulk", [child, {"name": "Other"}])["chartOfAccounts"]
        assert bare.refused("POST", base, {**account, "parentId": "0ca?"}, status=422) == ["BDC_1119"]
        changes = [{"id": each["id"], "description": "new"} for each in several]
        answer = bare.send("PATCH", f"{base}/bulk", changes)
        assert [each["description"] for each in answer.json()["chartOfAccounts"]] == ["new", "new"]
        changes[0]["description"] = "newer"
        changes[1]["name"] = ""
        assert bare.refused("PATCH", f"{base}/bulk", changes) == ["name: must not be blank"]
        assert bare.get(f"{base}/{several[0]['id']}")["description"] == "new"
        ids = ",".join(each["id"] for each in several)
        gone = bare.post(f"{base}/bulk/archive", status=200, params={"ids": ids})["chartOfAccounts"]
        assert [each["archived"] for each in gone] == [True, True]
        back = bare.post(f"{base}/bulk/restore", status=200, params={"ids": ids})["chartOfAccounts"]
        assert [each["archived"] for each in back] == [False, False]
        for kind, prefix, wrapper in (
            ("departments", "0de", "departments"),
            ("locations", "loc", "locations"),
            ("accounting-classes", "cls", "accountingClasses"),
            ("items", "0ii", "items"),
            ("jobs", "job", "jobs"),
        ):
            rows = bare.post(f"classifications/{kind}/bulk", [{"name": "N", "shortName": "30"}])[wrapper]
            assert rows[0]["id"].startswith(prefix)
            assert bare.ids(f"classifications/{kind}", filters="name:sw:N,archived:eq:false") == [rows[0]["id"]]
        person = bare.post("classifications/employees", {"firstName": "A", "lastName": "B"})
        assert bare.get("classifications/employees", sort="lastName:asc")["results"] == [person]


def test_vendor_credits_cannot_be_restored_and_show_their_use() -> None:
    with BILLSimulator() as sim, Bare(sim) as bare:
        vendor = bare.vendor()
        body = {
            "vendorId": vendor,
            "referenceNumber": "C-1",
            "creditDate": "2026-12-01",
            "vendorCreditLineItems": [{"amount": 30}, {"amount": Decimal("5.5")}],
        }
        made = bare.post("vendor-credits", body)
        assert (made["amount"], made["appliedAmount"], made["status"]) == (Decimal("35.5"), 0, "NOT_APPLIED")
        assert bare.refused("POST", "vendor-credits", {**body, "vendorCreditLineItems": [{}]}) == [
            "vendorCreditLineItems[0].amount: must not be null"
        ]
        assert bare.refused("POST", "vendor-credits", {**body, "vendorCreditLineItems": [{"amount": -1}]}) == [
            "BDC_1143"
        ]
        applied = bill(vendor, "A", 100, vendorCredits=[{"id": made["id"], "amount": 20}])
        owing = bare.post("bills", applied)
        assert (owing["creditAmount"], owing["dueAmount"], owing["paymentStatus"]) == (20, 80, "PARTIAL")
        used = bare.get(f"vendor-credits/{made['id']}")
        assert (used["appliedAmount"], used["status"]) == (20, "PARTIALLY_APPLIED")
        assert used["usage"] == [{"billId": owing["id"], "amount": 20}]
        assert "usage" not in bare.get("vendor-credits")["results"][0]
        assert bare.refused("POST", "bills", applied, status=422) == ["BDC_1119"]
        whole = {**applied, "billLineItems": [{"id": owing["billLineItems"][0]["id"]}]}
        assert bare.send("PUT", f"bills/{owing['id']}", whole).json()["creditAmount"] == 20
        changed = bare.send("PATCH", "vendor-credits/bulk", [{"id": made["id"], "description": "x"}]).json()
        assert changed["vendorCredits"][0]["description"] == "x"
        line = made["vendorCreditLineItems"][0]["id"]
        put = {**body, "id": made["id"], "vendorCreditLineItems": [{"id": line}]}
        assert bare.send("PUT", "vendor-credits/bulk", [put]).json()["vendorCredits"][0]["amount"] == 30
        assert bare.post(f"vendor-credits/{made['id']}/archive", status=200)["archived"] is True
        assert bare.refused("POST", f"vendor-credits/{made['id']}/restore", status=404) == ["BDC_1121"]
        assert bare.refused("GET", "vendor-credits", params={"filters": f"vendorId:eq:{vendor}"}) == ["BDC_1130"]


def test_approvals_are_asked_for_and_given() -> None:
    with BILLSimulator() as sim, Bare(sim) as bare:
        made = bare.post("bills", bill(bare.vendor()))["id"]
        sim.update("bills", made, approvalStatus="ASSIGNED")
        assert [each["id"] for each in bare.get("bill-approvals/pending-user-approvals")["bills"]] == [made]
        wrong = [{"billId": made, "action": "LIKE"}]
        assert bare.refused("POST", "bill-approvals/actions", wrong, status=422) == ["BDC_1119"]
        answer = bare.post("bill-approvals/actions", [{"billId": made, "action": "APPROVE"}], status=200)
        assert answer == {"status": "SUCCESS"}
        assert bare.get(f"bills/{made}")["approvalStatus"] == "APPROVED"


def test_tests_put_odd_records_in_change_and_remove_them() -> None:
    clock = ManualClock()
    with BILLSimulator(clock=clock) as sim, Bare(sim) as bare:
        old = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
        odd = {"id": "009ODD", "name": "x" * 101, "archived": True, "createdTime": old, "number": 5}
        assert sim.add("vendors", odd) == "009ODD"
        found = bare.get("vendors/009ODD")
        assert (found["createdTime"], found["updatedTime"]) == ("2020-01-01T00:00:00.000+00:00",) * 2
        assert (found["archived"], found["number"]) == (True, 5)
        stamped = sim.add(("vendors", {"name": "S", "updatedTime": "2026-01-01T00:00:00.000Z"}))
        assert bare.get(f"vendors/{stamped}")["updatedTime"] == "2026-01-01T00:00:00.000+00:00"
        sim.update("vendors", "009ODD", archived=False, name="plain", address={"country": "US"}, updatedTime=old)
        assert sim.contents["vendors"][0]["name"] == "plain"
        made = sim.add(bill("009ODD", "A", Decimal("9.99")), resource="bills")
        sim.update("bills", made, billLineItems=[{"amount": Decimal(5)}], dueDate=dt.date(2027, 1, 1))
        assert (bare.get(f"bills/{made}")["amount"], bare.get(f"bills/{made}")["dueDate"]) == (5, "2027-01-01")
        sim.remove("bills", made)
        assert sim.contents["bills"] == ()


def test_what_a_test_puts_in_must_make_sense() -> None:
    with BILLSimulator() as sim:
        for wrong in (
            lambda: sim.add({"name": "x"}, resource="purchase-orders"),
            lambda: sim.add("vendors"),
            lambda: sim.add(bill("009nobody"), resource="bills"),
            lambda: sim.add({"name": 1.5}, resource="vendors"),
            lambda: sim.add({"name": "x", "createdTime": "soon"}, resource="vendors"),
            lambda: sim.add({"name": "x", "createdTime": dt.datetime(2026, 1, 1)}, resource="vendors"),  # noqa: DTZ001
            lambda: sim.update("vendors", "009nobody", name="x"),
            lambda: sim.remove("vendors", "009nobody"),
            lambda: sim.forbid("orders"),
        ):
            with pytest.raises(InvalidArgument):
                wrong()
