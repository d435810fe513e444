from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest

from mlconnector.testing import ManualClock
from mlconnector.testing._bill import BILLSimulator
from tests.testing.bill import VENDOR, Bare, bill

NAMES = ["Alpha", "beta, Inc.", 'Gamma "G"', "Hap & Co", "Happy Music"]
START = dt.datetime(2026, 12, 1, 10, 0, tzinfo=dt.UTC)


def filled(sim: BILLSimulator, clock: ManualClock) -> dict[str, str]:
    ids = {}
    for name in NAMES:
        ids[name] = sim.add({**VENDOR, "name": name}, resource="vendors")
        clock.advance(60)
    return ids


def test_ids_are_opaque_of_twenty_characters_and_letter_case_counts() -> None:
    with BILLSimulator() as sim, Bare(sim) as bare:
        ids = [bare.vendor() for _ in range(40)]
        assert len(set(ids)) == 40
        assert len({key.lower() for key in ids}) == 20
        assert all(len(key) == 20 and key.startswith("009") for key in ids)
        assert bare.refused("GET", f"vendors/{ids[0].lower()}x", status=404) == ["BDC_1205"]


def test_pages_follow_tokens_until_there_is_none() -> None:
    with BILLSimulator() as sim, Bare(sim) as bare:
        ids = list(sim.add_all([{**VENDOR, "name": f"V{index}"} for index in range(45)], resource="vendors"))
        page = bare.get("vendors")
        assert len(page["results"]) == 20
        assert "prevPage" not in page
        second = bare.get("vendors", page=page["nextPage"], max=20)
        third = bare.get("vendors", page=second["nextPage"], max=20)
        assert [len(second["results"]), len(third["results"])] == [20, 5]
        assert "nextPage" not in third
        back = bare.get("vendors", page=third["prevPage"], max=20)
        assert back["results"] == second["results"]
        assert bare.get("vendors", page=back["prevPage"], max=20)["results"] == page["results"]
        assert bare.ids("vendors", max=7) == ids
        assert len(bare.get("vendors", max=100)["results"]) == 45


@pytest.mark.parametrize(("word", "last"), [("null", None), ("empty", "")])
def test_the_last_page_may_say_so_in_other_ways(word: Any, last: str | None) -> None:
    with BILLSimulator(last_page=word) as sim, Bare(sim) as bare:
        bare.vendor()
        assert bare.get("vendors")["nextPage"] == last


def test_pages_may_be_short_or_empty_although_more_follow() -> None:
    with BILLSimulator(short_pages=True) as sim, Bare(sim) as bare:
        ids = list(sim.add_all([{**VENDOR, "name": f"V{index}"} for index in range(9)], resource="vendors"))
        first = bare.get("vendors", max=4)
        assert first["results"] == []
        assert bare.ids("vendors", max=4) == ids
        assert len(bare.get("vendors", max=4, page=first["nextPage"])["results"]) == 2


def test_a_page_finds_its_place_though_records_come_and_change() -> None:
    clock = ManualClock(START)
    with BILLSimulator(clock=clock) as sim, Bare(sim) as bare:
        ids = filled(sim, clock)
        page = bare.get("vendors", max=2, sort="updatedTime:asc")
        sim.update("vendors", ids["Alpha"], phone="1")
        rest = bare.ids("vendors", max=2, sort="updatedTime:asc", page=page["nextPage"])
        assert rest == [*[ids[name] for name in NAMES[2:]], ids["Alpha"]]


def test_sizes_tokens_and_parameters_are_checked() -> None:
    with BILLSimulator() as sim, Bare(sim) as bare:
        sim.add_all([{**VENDOR, "name": f"V{index}"} for index in range(3)], resource="vendors")
        token = bare.get("vendors", max=1, filters="archived:eq:false")["nextPage"]
        for query, code in (
            ({"max": 0}, "BDC_1129"),
            ({"max": 101}, "BDC_1129"),
            ({"max": "ten"}, "BDC_1129"),
            ({"page": "unknown"}, "BDC_1129"),
            ({"page": token, "filters": "archived:eq:true"}, "BDC_1129"),
            ({"page": token, "sort": "name:asc"}, "BDC_1129"),
            ({"sort": "name"}, "BDC_1129"),
            ({"sort": "taxId:asc"}, "BDC_1129"),
            ({"start": 0}, "BDC_1002"),
        ):
            assert bare.refused("GET", "vendors", params=query) == [code], query
        assert bare.refused("GET", "bills", params={"page": token}) == ["BDC_1129"]
        assert len(bare.get("vendors", page=token, max=5)["results"]) == 2


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ('name:eq:"Happy Music"', [4]),
        ("name:eq:Happy Music", [4]),
        ('name:sw:"Hap"', [3, 4]),
        ('name:eq:"happy music"', []),
        ("archived:eq:false", [0, 1, 2, 3, 4]),
        ("archived:ne:false", []),
        ('updatedTime:gte:"2026-12-01T10:03:00.000Z"', [3, 4]),
        ('updatedTime:gt:"2026-12-01T10:03:00Z"', [4]),
        ('updatedTime:lt:"2026-12-01T10:01"', [0]),
        ('createdTime:lte:"2026-12-01T05:01:00.000-05"', [0, 1]),
        ('createdTime:gte:"2026-12-01T10:03:00.000+00:00",name:sw:"Happy"', [4]),
        ("createdTime:gte:2026-12-02", []),
        ("createdTime:gte:2026-12-01", [0, 1, 2, 3, 4]),
        ('accountType:in:"UNDEFINED,PERSON"', [0, 1, 2, 3, 4]),
        ("accountType:nin:UNDEFINED", []),
        ("address.country:ne:US", []),
        ("billCurrency:eq:USD,address.country:eq:US", [0, 1, 2, 3, 4]),
        ("paymentStatus:eq:PAID", []),
    ],
)
def test_filters_select(filters: str, found: list[int]) -> None:
    clock = ManualClock(START)
    with BILLSimulator(clock=clock) as sim, Bare(sim) as bare:
        ids = filled(sim, clock)
        assert bare.ids("vendors", filters=filters) == [ids[NAMES[index]] for index in found]


@pytest.mark.parametrize(
    ("filters", "code"),
    [
        ("additionalInfo.taxId:eq:1", "BDC_1130"),
        ("accountNumber:eq:1", "BDC_1130"),
        ("email:eq:x", "BDC_1130"),
        ("name:ne:x", "BDC_1131"),
        ("name:like:x", "BDC_1131"),
        ("updatedTime:eq:2026-12-01", "BDC_1131"),
        ("updatedTime:gte:2026-12-01T10:00:00.000Z", "BDC_1129"),
        ('updatedTime:gte:"yesterday"', "BDC_1129"),
        ('updatedTime:gte:"2026-13-01"', "BDC_1129"),
        ('updatedTime:gte:"2026-12-01T25:00"', "BDC_1129"),
        ('name:eq:"beta, Inc."', "BDC_1129"),
        ("name:eq:beta, Inc.", "BDC_1129"),
        ('name:eq:"Gamma "G""', "BDC_1129"),
        ("archived:eq:yes", "BDC_1129"),
        ("archived", "BDC_1129"),
        ("archived:eq:false,", "BDC_1129"),
        ("accountType:in:BUSINESS,PERSON", "BDC_1129"),
    ],
)
def test_what_the_filters_do_not_promise_is_refused(filters: str, code: str) -> None:
    with BILLSimulator() as sim, Bare(sim) as bare:
        assert bare.refused("GET", "vendors", params={"filters": filters}) == [code]


def test_an_offset_with_a_bare_plus_arrives_as_a_blank() -> None:
    with BILLSimulator() as sim, Bare(sim) as bare:
        path = "vendors?filters=updatedTime:gte:%222026-12-01T10:00:00.000+00:00%22"
        assert bare.refused("GET", path) == ["BDC_1129"]


def test_lists_are_sorted_by_several_keys_and_by_arrival() -> None:
    with BILLSimulator() as sim, Bare(sim) as bare:
        rows: list[dict[str, Any]] = [
            {"name": "B", "phone": "2"},
            {"name": "A", "phone": "2"},
            {"name": "C"},
            {"name": "D", "phone": "1"},
        ]
        sim.add_all([{**VENDOR, **row} for row in rows], resource="vendors")

        def names(**query: Any) -> str:
            return "".join(row["name"] for row in bare.get("vendors", **query)["results"])

        assert names() == "BACD"
        assert names(sort="name:desc") == "DCBA"
        assert names(sort="phone:desc,name:asc") == "ABDC"
        assert names(sort="phone:asc") == "CDBA"
        found = "".join(
            next(row["name"] for row in sim.contents["vendors"] if row["id"] == key)
            for key in bare.ids("vendors", max=1, sort="phone:desc,name:asc")
        )
        assert found == "ABDC"


def test_both_archived_states_are_listed_unless_asked_otherwise() -> None:
    with BILLSimulator() as sim, Bare(sim) as bare:
        kept, gone = bare.vendor(), bare.vendor()
        for _ in range(2):
            answer = bare.post(f"vendors/{gone}/archive", status=200)
            assert answer["archived"] is True
        assert bare.ids("vendors") == [kept, gone]
        assert bare.ids("vendors", filters="archived:eq:false") == [kept]
        assert bare.post(f"vendors/{gone}/restore", status=200)["archived"] is False
        assert bare.ids("vendors", filters="archived:eq:true") == []


def test_bills_are_filtered_by_vendor_due_date_status_and_classification() -> None:
    with BILLSimulator() as sim, Bare(sim) as bare:
        one, other = bare.vendor(), bare.vendor()
        account = sim.add({"name": "Travel"}, resource="chart-of-accounts")
        line = {"amount": 5, "classifications": {"chartOfAccountId": account}}
        bills = [
            bare.post("bills", bill(one))["id"],
            bare.post("bills", bill(other, dueDate="2027-01-15"))["id"],
            bare.post("bills", bill(other, billLineItems=[line]))["id"],
        ]
        sim.pay(bills[0])
        assert bare.ids("bills", filters=f'id:in:"{bills[2]},{bills[0]}"') == [bills[0], bills[2]]
        assert bare.ids("bills", filters=f"vendorId:eq:{other}") == bills[1:]
        assert bare.ids("bills", filters=f'vendorId:in:"{one},{other}"') == bills
        assert bare.ids("bills", filters="dueDate:gt:2026-12-31") == [bills[1]]
        assert bare.ids("bills", filters="paymentStatus:eq:SCHEDULED") == [bills[0]]
        assert bare.ids("bills", filters=f"classifications.chartOfAccountId:eq:{account}") == [bills[2]]
        refused = ["invoice.invoiceNumber:eq:INV-1", "purchaseOrderNumber:eq:1"]
        assert [bare.refused("GET", "bills", params={"filters": text}) for text in refused] == [["BDC_1130"]] * 2


def test_payments_are_filtered_by_what_is_known_to_work() -> None:
    with BILLSimulator() as sim, Bare(sim) as bare:
        vendor = bare.vendor()
        bills = [
            bare.post("bills", bill(vendor, f"N{index}", Decimal("10.5") if index else 7))["id"] for index in (0, 1)
        ]
        first = sim.pay(bills[0], transaction_number="OURS-1", process_date=dt.date(2026, 12, 5))
        second = sim.pay(bills[1], online=False, process_date=dt.date(2026, 12, 9))
        for filters, found in (
            ("transactionNumber:eq:OURS-1", [first]),
            ("processDate:gte:2026-12-06", [second]),
            ("amount:gt:7", [second]),
            ("amount:eq:10.50", [second]),
            ("onlinePayment:eq:true", [first]),
            ("status:eq:SCHEDULED", [first]),
            ('disbursementType:in:"OFFLINE,CHECK"', [second]),
        ):
            assert bare.ids("payments", filters=filters) == found, filters
        assert bare.refused("GET", "payments", params={"filters": f"billId:eq:{bills[0]}"}) == ["BDC_1130"]
        assert bare.refused("GET", "payments", params={"filters": "amount:eq:ten"}) == ["BDC_1129"]


def test_rows_may_be_thin_masked_and_late() -> None:
    clock = ManualClock()
    with BILLSimulator(clock=clock, thin_lists=True, mask_tax_ids=True, list_lag=30) as sim, Bare(sim) as bare:
        vendor = bare.vendor(additionalInfo={"taxId": "12-3456789", "taxIdType": "EIN"})
        assert bare.ids("vendors") == []
        assert bare.get(f"vendors/{vendor}")["additionalInfo"]["taxId"] == "*****6789"
        clock.advance(30)
        assert "additionalInfo" not in bare.get("vendors")["results"][0]
        assert bare.post("bills", bill(vendor))["billLineItems"]
        clock.advance(30)
        assert "billLineItems" not in bare.get("bills")["results"][0]
        assert sim.contents["vendors"][0]["additionalInfo"]["taxId"] == "12-3456789"
