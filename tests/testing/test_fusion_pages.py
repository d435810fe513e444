from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest

from mlconnector.errors import InvalidArgument
from mlconnector.testing import ManualClock
from mlconnector.testing._fusion import FusionSimulator
from mlconnector.testing._wire import Call
from tests.testing.fusion import STAMP, Bare, invoice, invoices, link


def test_a_page_has_25_rows_and_the_members_of_a_collection() -> None:
    with FusionSimulator() as fusion, Bare(fusion) as bare:
        fusion.add(invoices(30), resource="invoices")
        page = bare.get("invoices")
        assert list(page) == ["items", "count", "hasMore", "limit", "offset", "links"]
        assert (page["count"], page["hasMore"], page["limit"], page["offset"]) == (25, True, 25, 0)
        assert page["links"] == [
            {
                "rel": "self",
                "href": f"{fusion.url}/fscmRestApi/resources/11.13.18.05/invoices",
                "name": "invoices",
                "kind": "collection",
            }
        ]
        rest = bare.get("invoices", offset=25, totalResults="true")
        assert (rest["count"], rest["hasMore"], rest["totalResults"]) == (5, False, 30)
        beyond = bare.get("invoices", offset=30)
        assert (beyond["items"], beyond["count"], beyond["hasMore"]) == ([], 0, False)


def test_a_limit_above_the_cap_gives_fewer_rows_and_no_error() -> None:
    with FusionSimulator() as fusion, Bare(fusion) as bare:
        fusion.add(invoices(1001), resource="invoices")
        order = {"orderBy": "InvoiceId:asc", "onlyData": "true", "fields": "InvoiceId"}
        first = bare.get("invoices", limit=500, **order)
        assert (first["count"], first["limit"], first["hasMore"]) == (499, 499, True)
        seen = [item["InvoiceId"] for page in bare.pages("invoices", limit=500, **order) for item in page["items"]]
        assert (len(seen), len(set(seen))) == (1001, 1001)
        wrong_step = bare.get("invoices", limit=500, offset=500, **order)["items"][0]["InvoiceId"]
        assert wrong_step != seen[499]
    with FusionSimulator(page_cap=10) as fusion, Bare(fusion) as bare:
        fusion.add(invoices(11), resource="invoices")
        assert bare.get("invoices")["count"] == 10


@pytest.mark.parametrize("query", [{"limit": "0"}, {"limit": "-1"}, {"limit": "many"}, {"offset": "-1"}])
def test_limit_and_offset_are_whole_numbers(query: dict[str, str]) -> None:
    with FusionSimulator() as fusion, Bare(fusion) as bare:
        assert next(iter(query)) in bare.refused("invoices", **query)


def test_flags_and_dates_of_the_query_string_are_checked() -> None:
    with FusionSimulator() as fusion, Bare(fusion) as bare:
        assert "onlyData" in bare.refused("invoices", onlyData="yes")
        assert "totalResults" in bare.refused("invoices", totalResults="1")
        assert "effectiveDate" in bare.refused("purchaseOrders", effectiveDate="31-JAN-2026")
        assert bare.get("purchaseOrders", effectiveDate="2026-01-31", onlyData="TRUE")["items"] == []


def test_rows_that_order_by_does_not_tell_apart_stand_otherwise_in_every_answer() -> None:
    with FusionSimulator() as fusion, Bare(fusion) as bare:
        fusion.add(invoices(40), resource="invoices")
        for unsure in ({}, {"orderBy": "LastUpdateDate:asc"}):
            pages = [
                [item["InvoiceId"] for item in bare.get("invoices", limit=40, fields="InvoiceId", **unsure)["items"]]
                for _ in range(2)
            ]
            assert pages[0] != pages[1]
            assert sorted(pages[0]) == sorted(pages[1])
        sure = bare.get("invoices", limit=40, orderBy="LastUpdateDate:asc,InvoiceId:desc")["items"]
        assert [item["InvoiceId"] for item in sure] == sorted(pages[0], reverse=True)


def test_order_by_names_attributes_directions_and_case() -> None:
    with FusionSimulator() as fusion, Bare(fusion) as bare:
        fusion.add(
            [{"SupplierId": key, "Supplier": name} for key, name in enumerate(("b", "A", "C", None), start=1)],
            resource="suppliers",
        )

        def ordered(text: str) -> list[int]:
            return [item["SupplierId"] for item in bare.get("suppliers", orderBy=text)["items"]]

        assert ordered("Supplier:asc") == [2, 3, 1, 4]
        assert ordered("upper(Supplier)") == [2, 1, 3, 4]
        assert ordered("lower(Supplier):asc, SupplierId:desc") == [2, 1, 3, 4]
        assert ordered("SupplierId:desc") == [4, 3, 2, 1]
        for wrong in ("supplier:asc", "Supplier:up", "Supplier asc", "initcap(Supplier):asc"):
            assert "orderBy" in bare.refused("suppliers", orderBy=wrong)


def test_a_row_changed_between_two_pages_of_offsets_hides_another_one() -> None:
    clock = ManualClock(STAMP)
    with FusionSimulator(clock=clock) as fusion, Bare(fusion) as bare:
        fusion.add(invoices(6), resource="invoices")
        first = fusion.contents["invoices"][0]["InvoiceId"]

        def change(call: Call) -> None:
            if call.query.get("offset") == "3":
                clock.advance(60)
                fusion.update("invoices", first, PaidStatus="Paid")

        fusion.on_request = change
        query = {"q": "LastUpdateDate >= '2026-01-31T00:00:00Z'", "orderBy": "LastUpdateDate:asc,InvoiceId:asc"}
        seen = [item["InvoiceId"] for page in bare.pages("invoices", limit=3, **query) for item in page["items"]]
        assert len(seen) == 6
        assert len(set(seen)) == 5


def test_the_walk_by_key_loses_nothing_while_rows_change_and_all_share_one_stamp() -> None:
    with FusionSimulator() as fusion, Bare(fusion) as bare:
        fusion.add(invoices(10), resource="invoices")
        ids = [row["InvoiceId"] for row in fusion.contents["invoices"]]
        fusion.on_request = lambda _call: fusion.touch("invoices", *ids[:5])
        seen: list[int] = []
        while True:
            q = f"LastUpdateDate >= '2026-01-31T00:00:00.000+00:00' and InvoiceId > {seen[-1] if seen else 0}"
            page = bare.get("invoices", q=q, orderBy="InvoiceId:asc", limit=3)
            seen += [item["InvoiceId"] for item in page["items"]]
            if not page["items"]:
                break
        assert seen == ids


def test_what_the_callback_raises_is_raised_at_the_end() -> None:
    def object_to(call: Call) -> None:
        raise AssertionError(f"not this one: {call.path}")

    fusion = FusionSimulator()
    fusion.on_request = object_to

    def use() -> None:
        with fusion, Bare(fusion) as bare:
            assert bare.send("invoices").status_code == 500

    with pytest.raises(AssertionError, match="not this one"):
        use()
    with pytest.raises(InvalidArgument):
        _ = fusion.url
    with pytest.raises(InvalidArgument):
        _ = fusion.token_host.url


def test_has_more_and_totals_can_be_as_unreliable_as_the_field_says() -> None:
    with FusionSimulator(reliable_more=False) as fusion, Bare(fusion) as bare:
        fusion.add(invoices(9), resource="invoices")
        order = {"orderBy": "InvoiceId:asc", "limit": 3, "totalResults": "true"}
        first, second = bare.get("invoices", **order), bare.get("invoices", offset=3, **order)
        assert (first["hasMore"], first["totalResults"]) == (True, 9)
        assert (second["count"], second["limit"], second["hasMore"], second["totalResults"]) == (3, 3, False, 3)
        assert bare.get("invoices", offset=6, **order)["count"] == 3


def test_values_are_written_as_fusion_writes_them() -> None:
    with FusionSimulator() as fusion, Bare(fusion) as bare:
        stamp = dt.datetime(2026, 1, 31, 11, 0, 0, 26_900, tzinfo=dt.timezone(dt.timedelta(hours=1)))
        fusion.add(invoice(300100187048034, CanceledFlag="N", LastUpdateDate=stamp), resource="invoices")
        answer = bare.send("invoices")
        assert '"InvoiceAmount":130.8,' in answer.text
        assert '"InvoiceId":300100187048034,' in answer.text
        item = answer.json()["items"][0]
        assert item["InvoiceDate"] == "2026-01-30"
        assert item["LastUpdateDate"] == "2026-01-31T10:00:00.026+00:00"
        assert item["CanceledFlag"] == "N"
        assert item["Supplier"] is None
        assert "invoiceLines" not in item


def test_only_data_drops_every_link_and_links_keeps_those_asked_for() -> None:
    with FusionSimulator() as fusion, Bare(fusion) as bare:
        fusion.add(invoice(1), resource="invoices")
        bald = bare.get("invoices", onlyData="true", expand="invoiceLines")
        assert "links" not in str(bald)
        item = bare.get("invoices", links="self, child")["items"][0]
        assert {each["rel"] for each in item["links"]} == {"self", "child"}
        every = bare.get("invoices")["items"][0]
        assert [each["rel"] for each in every["links"]][:2] == ["self", "canonical"]
        assert every["links"][0]["properties"]["changeIndicator"].startswith("ACED0005")


def test_an_item_has_an_etag_that_changes_with_it() -> None:
    with FusionSimulator() as fusion, Bare(fusion) as bare:
        fusion.add({"CheckId": 77, "PaymentAmount": Decimal("5.50")}, resource="payablesPayments")
        item = bare.send("payablesPayments/77")
        tag = item.headers["ETag"]
        assert tag.startswith('"ACED0005')
        assert link(item.json()).endswith("/payablesPayments/77")
        assert bare.send("payablesPayments/77", headers={"If-None-Match": tag}).status_code == 304
        fusion.update("payablesPayments", 77, PaymentStatus="Voided")
        assert bare.send("payablesPayments/77", headers={"If-None-Match": tag}).headers["ETag"] != tag


def test_keys_with_odd_letters_are_quoted_in_links_and_found_by_them() -> None:
    with FusionSimulator() as fusion, Bare(fusion) as bare:
        line = {"ShipmentLine": 1, "ShippedQuantity": Decimal(3)}
        fusion.add({"Shipment": "SHIP/1 ä?", "unpackedShipmentLines": [line]}, resource="shipments")
        href = link(bare.get("shipments")["items"][0])
        assert href.endswith("/shipments/SHIP%2F1%20%C3%A4%3F")
        item = bare.get(href)
        assert link(item) == href
        children = bare.get(link(item, "child", "unpackedShipmentLines"))
        assert children["items"][0]["ShippedQuantity"] == 3
        assert link(children["items"][0], "parent") == href


def test_describe_tells_names_types_and_what_can_be_queried() -> None:
    with FusionSimulator() as fusion, Bare(fusion) as bare:
        fusion.restrict("invoices", "LastUpdateDate")
        fusion.restrict("invoices", "Description", present=False)
        told = bare.get("invoices/describe")["Resources"]["invoices"]
        attributes = {each["name"]: each for each in told["attributes"]}
        assert attributes["InvoiceAmount"]["type"] == "number"
        assert attributes["LastUpdateDate"]["queryable"] is False
        assert attributes["InvoiceId"]["queryable"] is True
        assert "Description" not in attributes
        assert "LineNumber" in {each["name"] for each in told["children"]["invoiceLines"]["attributes"]}
        assert "describe" in bare.refused("invoices/describe", limit="1")
