from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest

from mlconnector.testing._fusion import FusionSimulator
from tests.testing.fusion import Bare, invoice, link


def test_an_expanded_child_stops_at_25_and_its_own_address_has_the_rest() -> None:
    with FusionSimulator() as fusion, Bare(fusion) as bare:
        fusion.add(invoice(1, lines=60), resource="invoices")
        item = bare.get("invoices", expand="invoiceLines")["items"][0]
        lines = item["invoiceLines"]
        assert (lines["count"], lines["hasMore"], lines["limit"], lines["offset"]) == (25, True, 25, 0)
        assert [line["LineNumber"] for line in lines["items"]] == list(range(1, 26))
        for address in (link(lines), f"{link(item)}/child/invoiceLines", link(item, "child", "invoiceLines")):
            rest = bare.get(address, offset=25, limit=499, orderBy="LineNumber:asc")
            assert (rest["count"], rest["hasMore"]) == (35, False)
            assert [line["LineNumber"] for line in rest["items"]] == list(range(26, 61))
        few = bare.get(link(lines), q="LineAmount > 58", orderBy="LineNumber:desc", fields="LineNumber")
        assert [line["LineNumber"] for line in few["items"]] == [60, 59]


@pytest.mark.parametrize("version", [1, 2])
def test_versions_1_and_2_cut_the_array_without_a_sign(version: int) -> None:
    with FusionSimulator() as fusion, Bare(fusion, version=version) as bare:
        fusion.add(invoice(1, lines=60), resource="invoices")
        lines = bare.get("invoices", expand="invoiceLines")["items"][0]["invoiceLines"]
        assert isinstance(lines, list)
        assert len(lines) == 25


@pytest.mark.parametrize(
    ("version", "shape", "place"),
    [
        (3, "by_version", "links"),
        (8, "by_version", "links"),
        (9, "by_version", "@context"),
        (9, "links", "links"),
        (4, "context", "@context"),
    ],
)
def test_links_stand_where_the_version_or_the_option_puts_them(version: int, shape: Any, place: str) -> None:
    with FusionSimulator(link_shape=shape) as fusion, Bare(fusion, version=version) as bare:
        fusion.add(invoice(1, lines=2), resource="invoices")
        item = bare.get("invoices", expand="invoiceLines")["items"][0]
        assert [name for name in item if name in ("links", "@context")] == [place]
        line = item["invoiceLines"]["items"][0]
        assert [name for name in line if name in ("links", "@context")] == [place]
        assert bare.get(link(line))["LineNumber"] == 1


def test_links_can_show_another_host_than_the_one_that_was_called() -> None:
    with FusionSimulator(link_root="https://pod.invalid:443") as fusion, Bare(fusion) as bare:
        fusion.add(invoice(1), resource="invoices")
        href = link(bare.get("invoices")["items"][0])
        assert href.startswith("https://pod.invalid:443/fscmRestApi/resources/11.13.18.05/invoices/0002")
        assert bare.get(fusion.url + href.removeprefix("https://pod.invalid:443"))["InvoiceId"] == 1


def test_an_opaque_key_is_learnt_from_a_link_and_does_not_change_with_the_row() -> None:
    with FusionSimulator() as fusion, Bare(fusion) as bare:
        fusion.add([invoice(300100000000001), invoice(300100000000002)], resource="invoices")
        item = bare.get("invoices", q="InvoiceId = 300100000000001")["items"][0]
        key = link(item).rpartition("/")[2]
        assert len(key) > 60
        assert bare.get(f"invoices/{key}")["InvoiceId"] == 300100000000001
        assert bare.send("invoices/300100000000001").status_code == 404
        fusion.update("invoices", 300100000000001, PaidStatus="Paid")
        assert bare.get(f"invoices/{key}")["PaidStatus"] == "Paid"
        fusion.remove("invoices", 300100000000001)
        assert bare.send(f"invoices/{key}").status_code == 404
    with FusionSimulator(plain_keys=True) as fusion, Bare(fusion) as bare:
        fusion.add(invoice(300100000000001, lines=2), resource="invoices")
        assert bare.get("invoices/300100000000001")["InvoiceId"] == 300100000000001
        assert bare.get("invoices/300100000000001/child/invoiceLines/2")["LineNumber"] == 2


def test_journal_lines_are_reached_through_batch_and_header() -> None:
    with FusionSimulator() as fusion, Bare(fusion) as bare:
        lines = [{"JeLineNumber": n, "AccountedDr": Decimal(n), "jgzzReconStatusMeaning": "x"} for n in range(1, 31)]
        header = {"JournalName": "Payables 1", "LedgerName": "US", "journalLines": lines}
        fusion.add({"JeBatchId": 9, "BatchName": "B", "journalHeaders": [header]}, resource="journalBatches")
        batch = bare.get("journalBatches", expand="journalHeaders.journalLines")["items"][0]
        found = batch["journalHeaders"]["items"][0]
        assert (found["LedgerName"], found["journalLines"]["count"], found["journalLines"]["hasMore"]) == (
            "US",
            25,
            True,
        )
        walked = bare.get("journalBatches/9/child/journalHeaders")["items"][0]
        rest = bare.get(f"{link(walked)}/child/journalLines", offset=25, orderBy="JeLineNumber:asc")
        assert [line["AccountedDr"] for line in rest["items"]] == [26, 27, 28, 29, 30]
        (line,) = bare.get(link(found["journalLines"]), q="JeLineNumber = 30")["items"]
        assert bare.get(link(line))["jgzzReconStatusMeaning"] == "x"
        assert link(line, "parent") == link(walked)
        assert "JeHeaderId" not in line
        assert bare.send("journalLines").status_code == 404


def test_wrong_ways_down_are_404() -> None:
    with FusionSimulator() as fusion, Bare(fusion) as bare:
        fusion.add(invoice(1), resource="invoices")
        base = link(bare.get("invoices")["items"][0])
        for wrong in (
            "/child/InvoiceLines",
            "/child",
            "/invoiceLines",
            "/child/invoiceLines/9",
            "/child/invoiceLines/9/x",
        ):
            assert bare.send(base + wrong).status_code == 404, wrong
        assert bare.get(f"{base}/child/attachments/")["items"] == []


def test_purchase_orders_have_plain_lines_under_hashed_headers_and_hashed_schedules() -> None:
    with FusionSimulator() as fusion, Bare(fusion) as bare:
        schedule: dict[str, Any] = {
            "LineLocationId": 31,
            "ScheduleNumber": 1,
            "RequestedDeliveryDate": dt.date(2026, 3, 1),
        }
        schedule["distributions"] = [{"PODistributionId": 4}]
        line = {
            "POLineId": 21,
            "LineNumber": 1,
            "schedules": [{**schedule, "distributions": [{"PODistributionId": 4}]}],
        }
        fusion.add({"POHeaderId": 11, "OrderNumber": "162", "lines": [line]}, resource="purchaseOrders")
        order = bare.get("purchaseOrders", expand="lines.schedules")["items"][0]
        assert not link(order).endswith("/11")
        (shown,) = order["lines"]["items"]
        assert link(shown).endswith("/child/lines/21")
        assert shown["schedules"]["items"][0]["RequestedDeliveryDate"] == "2026-03-01"
        assert not link(shown["schedules"]["items"][0]).endswith("/31")
        deep = bare.get(f"{link(shown)}/child/schedules", expand="distributions")["items"][0]
        assert deep["distributions"]["items"][0]["PODistributionId"] == 4
