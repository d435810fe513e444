"""Reading passes: nothing lost between pages, children to their end, cursors, keys."""

from __future__ import annotations

import datetime as dt
import json
from decimal import Decimal

import pytest

from mlconnector.auth import HTTPBasic
from mlconnector.errors import CursorMismatch, InvalidArgument, VendorFault
from mlconnector.fusion import OracleFusion, ShipmentNames
from mlconnector.fusion._service import Described
from mlconnector.http import RawAnswer
from mlconnector.records import Window
from mlconnector.testing import ManualClock
from tests.fusion.conftest import Site
from tests.fusion.pod import START, invoice, payment, stamp_text

DAY = dt.timedelta(days=1)
HOUR = dt.timedelta(hours=1)


def numbers(documents: object) -> list[str]:
    return [document.supplier_invoice_number for document in documents]  # type: ignore[attr-defined]


def test_a_thousand_changed_invoices_take_nine_calls_and_an_unchanged_poll_one(site: Site) -> None:
    site.pod.add("invoices", *(invoice(number) for number in range(1, 1001)))
    records = site.fusion.invoices(since=START - DAY)
    found = list(records)
    assert len(found) == 1000
    assert all(len(one.lines) == 2 for one in found)
    # Eight full pages, and a probe because a full page's hasMore is not believed.
    assert site.calls() == 9
    site.clock.advance(HOUR)
    site.pod.touch("invoices", 300_100_000_000_007)
    again = records.continue_from(json.loads(json.dumps(records.cursor)))
    site.clock.advance(HOUR)
    assert list(again) == []
    later = again.continue_from(again.cursor)
    site.calls()
    assert list(later) == []
    assert site.calls() == 1


def test_every_call_carries_framework_version_and_accept(site: Site) -> None:
    site.pod.add("invoices", invoice(1, lines=60))
    list(site.client(framework_version=6).invoices())
    assert {call.headers["rest-framework-version"] for call in site.pod.calls} == {"6"}
    assert all("application/vnd.oracle.adf.error+json" in call.headers["accept"] for call in site.pod.calls)


def test_the_query_is_the_walk_of_the_reference(site: Site) -> None:
    site.pod.add("invoices", invoice(1))
    list(site.fusion.invoices(since=START - DAY))
    (asked,) = site.queries()
    assert asked["q"] == "LastUpdateDate >= '2026-03-01T08:00:00.000+00:00' and InvoiceId > 0"
    assert asked["orderBy"] == "InvoiceId:asc"
    assert asked["offset"] == "0"
    assert asked["expand"] == "invoiceLines,invoiceInstallments"
    assert int(asked["limit"]) <= 499


@pytest.mark.parametrize("cap", [1, 7, 99, 250])
def test_a_smaller_cap_than_asked_loses_no_row(site: Site, cap: int) -> None:
    site.pod.cap = cap
    site.pod.add("invoices", *(invoice(number) for number in range(1, 31)))
    site.pod.add("shipments", *(shipment(f"S{number:03}") for number in range(1, 31)))
    assert len(list(site.fusion.invoices())) == 30
    assert [one.number for one in site.fusion.shipments()] == [f"S{number:03}" for number in range(1, 31)]
    assert len(list(site.fusion.rows("invoices", columns=["InvoiceNumber"], order_by=["-InvoiceId"]))) == 30


@pytest.mark.parametrize("odd", ["shy", "silent"])
def test_has_more_that_lies_or_is_missing_loses_no_row(site: Site, odd: str) -> None:
    setattr(site.pod, odd, True)
    site.pod.cap = 10
    site.pod.add("invoices", *(invoice(number) for number in range(1, 31)))
    site.pod.add("shipments", *(shipment(f"S{number:03}") for number in range(1, 31)))
    assert len(list(site.fusion.invoices())) == 30
    assert len(list(site.fusion.shipments())) == 30


def test_a_row_that_changes_between_pages_makes_no_other_row_vanish(site: Site) -> None:
    site.pod.add("invoices", *(invoice(number) for number in range(1, 31)))

    def change(page: int) -> None:
        if page in (1, 2):
            site.clock.advance(1)
            site.pod.touch("invoices", 300_100_000_000_000 + page, PaidStatus="Paid")

    site.pod.before = change
    fusion = site.client(page_size=10)
    records = fusion.invoices(since=START - DAY)
    assert len(list(records)) == 30
    site.pod.before = lambda page: None
    # They changed after the pass had begun, so the next one has them; the others are not handed out again.
    assert numbers(records.continue_from(records.cursor)) == ["EX-1", "EX-2"]


def test_a_page_boundary_in_a_group_of_equal_stamps_loses_nothing(site: Site) -> None:
    site.pod.add("payablesPayments", *(payment(number) for number in range(1, 41)))
    fusion = site.client(page_size=7)
    first = fusion.payments(since=START)
    assert len(list(first)) == 40
    # Equal to the watermark, committed late, and with a key before all others.
    site.clock.advance(60)
    site.pod.add("payablesPayments", {**payment(0), "LastUpdateDate": stamp_text(START)})
    assert [one.number for one in first.continue_from(first.cursor)] == ["5000"]


def test_a_pass_goes_on_from_a_page_cursor_in_another_process(site: Site) -> None:
    site.pod.add("invoices", *(invoice(number) for number in range(1, 31)))
    fusion = site.client(page_size=10)
    records = fusion.invoices(since=START - DAY)
    pages = records.pages()
    cursor = json.loads(json.dumps(next(pages).cursor))
    pages.close()  # type: ignore[attr-defined]
    site.calls()
    rest = records.continue_from(cursor)
    assert numbers(rest) == [f"EX-{number}" for number in range(11, 31)]
    assert "InvoiceId > 300100000000010" in site.queries()[0]["q"]


def test_the_watermark_is_never_past_the_pods_clock_when_the_pass_began(site: Site) -> None:
    site.pod.add("invoices", {**invoice(1), "LastUpdateDate": stamp_text(START + DAY)})
    records = site.fusion.invoices(since=START - DAY)
    list(records)
    assert records.cursor is not None
    assert dt.datetime.fromisoformat(records.cursor["watermark"]) == START


def test_a_cursor_reads_the_overlap_again_and_hands_out_only_what_is_new(site: Site) -> None:
    site.pod.add("invoices", invoice(1), invoice(2))
    records = site.fusion.invoices(since=START - DAY)
    list(records)
    site.clock.advance(5 * HOUR)
    late = stamp_text(START - dt.timedelta(minutes=29))
    site.pod.add("invoices", {**invoice(3), "LastUpdateDate": late})
    again = records.continue_from(records.cursor)
    assert numbers(again) == ["EX-3"]
    with pytest.raises(CursorMismatch):
        site.fusion.invoices(since=records.cursor, where=[("PaidStatus", "=", "Paid")])


def test_since_is_inclusive_to_the_second_and_until_is_exact(site: Site) -> None:
    at = [START + dt.timedelta(seconds=offset) for offset in range(4)]
    site.pod.add(
        "invoices", *({**invoice(index), "LastUpdateDate": stamp_text(one)} for index, one in enumerate(at, 1))
    )
    assert numbers(site.fusion.invoices(since=at[1])) == ["EX-2", "EX-3", "EX-4"]
    records = site.fusion.invoices(since=at[1], until=at[2])
    assert numbers(records) == ["EX-2", "EX-3"]
    assert records.cursor is None


def test_until_within_a_second_keeps_what_was_stamped_in_it_before(site: Site) -> None:
    parts = [START + dt.timedelta(milliseconds=offset) for offset in (400, 600)]
    site.pod.add(
        "invoices", *({**invoice(index), "LastUpdateDate": stamp_text(one)} for index, one in enumerate(parts))
    )
    assert numbers(site.fusion.invoices(until=START + dt.timedelta(milliseconds=500))) == ["EX-0"]


def test_plain_date_times_are_asked_a_day_wider_and_filtered_here(site: Site) -> None:
    site.pod.add("invoices", {**invoice(1), "LastUpdateDate": stamp_text(START - HOUR)}, invoice(2))
    fusion = site.client(date_times="plain")
    assert numbers(fusion.invoices(since=START)) == ["EX-2"]
    assert "LastUpdateDate >= '2026-03-01 08:00:00'" in site.queries()[0]["q"]


def test_sixty_lines_come_whole_and_by_one_more_call(site: Site) -> None:
    site.pod.add("invoices", invoice(1, lines=60), invoice(2, lines=25), invoice(3, lines=26))
    found = list(site.fusion.invoices())
    assert [[int(line.number) for line in one.lines] for one in found] == [
        list(range(1, 61)),
        list(range(1, 26)),
        list(range(1, 27)),
    ]
    assert site.calls() == 3


def test_children_come_whole_under_framework_version_2_where_arrays_are_cut_without_a_sign(site: Site) -> None:
    site.pod.arrays = True
    site.pod.add("invoices", invoice(1, lines=60), invoice(2, lines=24))
    found = list(site.client(framework_version=2).invoices())
    assert [len(one.lines) for one in found] == [60, 24]


def test_links_of_framework_version_9_are_found(site: Site) -> None:
    site.pod.link_form = "context"
    site.pod.add("invoices", invoice(1, lines=30))
    assert [len(one.lines) for one in site.client(framework_version=9).invoices()] == [30]


def test_child_pages_that_are_capped_lose_no_line(site: Site) -> None:
    site.pod.cap = 20
    site.pod.add("invoices", invoice(1, lines=60))
    (found,) = site.fusion.invoices()
    assert sorted(int(line.number) for line in found.lines) == list(range(1, 61))


def test_a_line_deleted_between_child_pages_makes_no_other_line_vanish(site: Site) -> None:
    site.pod.cap = 20
    row = invoice(1, lines=60)
    site.pod.add("invoices", row)

    def delete(page: int) -> None:
        if page == 1:
            del row["invoiceLines"][:5]

    site.pod.before_child = delete
    (found,) = site.fusion.invoices()
    assert set(range(6, 61)) <= {int(line.number) for line in found.lines}
    assert len({line.number for line in found.lines}) == len(found.lines)


def test_the_children_of_plain_keys_are_found_without_links(site: Site) -> None:
    site.pod.linkless = {"payablesPayments", "relatedInvoices"}
    many = [
        {"InvoicePaymentId": index, "InvoiceNumber": f"EX-{index}", "AmountPaidPaymentCurrency": 1}
        for index in range(40)
    ]
    site.pod.add("payablesPayments", payment(1, relatedInvoices=many))
    (found,) = site.fusion.payments()
    assert len(found.applications) == 40


def test_children_of_a_hash_without_links_are_an_error_and_not_left_out(site: Site) -> None:
    site.pod.linkless = {"invoices", "invoiceLines"}
    site.pod.add("invoices", invoice(1, lines=40))
    with pytest.raises(VendorFault, match="more invoiceLines"):
        list(site.fusion.invoices())


def test_a_child_that_was_not_expanded_is_asked_for(site: Site) -> None:
    row = invoice(1)
    del row["invoiceInstallments"]
    row["invoiceInstallments"] = []
    site.pod.add("invoices", {key: value for key, value in row.items() if key != "invoiceInstallments"})
    (found,) = site.fusion.invoices()
    assert found.pay_items == ()
    assert site.calls() == 2


def test_unchanged_long_invoices_are_not_read_to_their_end_again(site: Site) -> None:
    site.pod.add("invoices", invoice(1, lines=60))
    records = site.fusion.invoices(since=START - DAY)
    assert len(list(records)) == 1
    for _ in range(2):
        site.clock.advance(HOUR)
        records = records.continue_from(records.cursor)
        assert list(records) == []
    site.calls()
    site.clock.advance(HOUR)
    assert list(records.continue_from(records.cursor)) == []
    assert site.calls() == 1
    site.pod.tables["invoices"][0]["invoiceLines"][-1]["LineAmount"] = Decimal("11")
    (changed,) = records.continue_from(records.cursor)
    assert changed.lines[-1].amount == 11


def test_keys_are_read_whatever_their_stamp_by_documented_operators(site: Site) -> None:
    site.pod.add("invoices", *(invoice(number) for number in range(1, 121)))
    wanted = [str(300_100_000_000_000 + number) for number in range(1, 121, 2)]
    found = list(site.fusion.invoices(keys=wanted))
    assert [one.key for one in found] == wanted
    queries = site.queries()
    assert len(queries) == 2
    assert " or " in queries[0]["q"]
    assert " in " not in queries[0]["q"]
    assert list(site.fusion.invoices(keys=[])) == []
    with pytest.raises(InvalidArgument, match="'EX-1'"):
        list(site.fusion.invoices(keys=["EX-1"]))


def test_where_is_pushed_down_beside_the_walk(site: Site) -> None:
    site.pod.add("invoices", invoice(1), invoice(2, Supplier="O'Brien"))
    assert numbers(site.fusion.invoices(where=[("Supplier", "=", "O'Brien")])) == ["EX-2"]
    assert "Supplier = 'O''Brien' and InvoiceId > 0" in site.queries()[0]["q"]


def test_rows_that_do_not_come_in_the_order_asked_for_are_an_error_and_not_skipped(site: Site) -> None:
    site.pod.add("invoices", invoice(1), invoice(2))
    site.pod.shuffled = True
    with pytest.raises(VendorFault, match="asked for in its order"):
        list(site.fusion.invoices())


def test_a_refused_stamp_says_what_describe_says(site: Site) -> None:
    site.pod.add("invoices", invoice(1))
    site.pod.not_queryable = {"LastUpdateDate"}
    with pytest.raises(VendorFault, match="LastUpdateDate is not queryable") as caught:
        list(site.fusion.invoices(since=START))
    assert caught.value.fault == "administrator"
    site.pod.described = {"unknown": "form"}
    with pytest.raises(VendorFault, match="27520"):
        list(site.fusion.invoices(since=START))
    site.pod.fail(status=404, match="describe")
    with pytest.raises(VendorFault, match="27520"):
        list(site.fusion.invoices(since=START))
    with pytest.raises(VendorFault, match="was refused"):
        list(site.fusion.invoices(where=[("LastUpdateDate", ">=", START)]))


def shipment(number: str, **changes: object) -> dict[str, object]:
    lines = [
        {
            "ShipmentLine": 1,
            "Item": "AS1",
            "ShippedQuantity": 4,
            "ShippedQuantityUOM": "EA",
            "Order": "PO-9",
            "OrderLine": "1",
        }
    ]
    return {
        "Shipment": number,
        "ShipmentStatus": "Closed",
        "InitialPickupDate": "2026-03-01T10:00:00.000+00:00",
        "Carrier": "FAST",
        "unpackedShipmentLines": lines,
        **changes,
    }


def test_shipments_that_cannot_be_filtered_are_all_read_and_that_is_remembered(site: Site) -> None:
    site.pod.not_queryable = {"LastUpdateDate"}
    site.pod.add("shipments", {**shipment("S1"), "LastUpdateDate": stamp_text(START - DAY)}, shipment("S2"))
    records = site.fusion.shipments(since=START)
    assert [one.number for one in records] == ["S2"]
    assert site.calls() == 2
    again = records.continue_from(records.cursor)
    assert list(again) == []
    assert site.calls() == 1
    with pytest.raises(VendorFault):
        list(site.fusion.shipments(since=START, where=[("LastUpdateDate", "<", START)]))


def test_shipment_lines_are_found_under_either_name_or_the_sites_own(site: Site) -> None:
    lines = shipment("S1")["unpackedShipmentLines"]
    site.pod.add("shipments", {**shipment("S1"), "unpackedShipmentLines": []})
    (row,) = site.pod.tables["shipments"]
    del row["unpackedShipmentLines"]
    row["shipmentLines"] = lines
    (found,) = site.fusion.shipments()
    assert [item.quantity for item in found.items] == [4]
    (named,) = site.client(shipment_names=ShipmentNames(lines="shipmentLines")).shipments()
    assert named == found
    row["costs"] = row.pop("shipmentLines")
    with pytest.raises(VendorFault, match="there are: costs"):
        list(site.fusion.shipments())


def test_shipments_deleted_or_inserted_between_pages_make_no_other_vanish(site: Site) -> None:
    site.pod.add("shipments", *(shipment(f"S{number:03}") for number in range(10, 60)))
    table = site.pod.tables["shipments"]

    def move(page: int) -> None:
        if page == 1:
            del table[2:5]
        if page == 3:
            table.insert(0, {"LastUpdateDate": stamp_text(START), **shipment("S001")})
        if page == 5:
            table.remove(next(row for row in table if row["Shipment"] == seen[-1]))

    seen: list[str] = []
    site.pod.before = move
    for page in site.client(page_size=10).shipments().pages():
        seen += [one.number for one in page.documents]
    assert {row["Shipment"] for row in table} - {"S001"} <= set(seen)


def test_when_everything_moved_the_walk_begins_again(site: Site) -> None:
    site.pod.add("shipments", *(shipment(f"S{number:03}") for number in range(10, 30)))

    def move(page: int) -> None:
        if page == 1:
            del site.pod.tables["shipments"][:15]

    site.pod.before = move
    found = {one.number for one in site.client(page_size=10).shipments()}
    assert {f"S{number:03}" for number in range(10, 30)} - {f"S{number:03}" for number in range(20, 25)} <= found


def test_a_shipment_pass_goes_on_from_a_page_cursor(site: Site) -> None:
    site.pod.add("shipments", *(shipment(f"S{number:03}") for number in range(30)))
    records = site.client(page_size=10).shipments(since=START - DAY)
    pages = records.pages()
    cursor = json.loads(json.dumps(next(pages).cursor))
    pages.close()  # type: ignore[attr-defined]
    assert [one.number for one in records.continue_from(cursor)] == [f"S{number:03}" for number in range(10, 30)]
    assert [one.number for one in site.fusion.shipments(keys=["S004"])] == ["S004"]


def journal(batch: int, lines: int = 2, **changes: object) -> dict[str, object]:
    rows = [
        {
            "JeLineNumber": index,
            "AccountCombination": "01-520-6000",
            "EnteredDr": Decimal("12.34") if index % 2 else None,
            "EnteredCr": None if index % 2 else Decimal("12.34"),
            "AccountedDr": Decimal("13.00") if index % 2 else None,
            "AccountedCr": None if index % 2 else Decimal("13.00"),
            "CurrencyCode": "EUR",
        }
        for index in range(1, lines + 1)
    ]
    head = {
        "JournalName": "Jan/Purchase",
        "LedgerName": "Main",
        "LedgerCurrencyCode": "USD",
        "DefaultEffectiveDate": "2026-01-31",
        "PeriodName": "Jan-26",
        "journalLines": rows,
    }
    return {
        "JeBatchId": batch,
        "BatchName": f"B{batch}",
        "Status": "P",
        "UserJeSourceName": "Payables",
        "journalHeaders": [head],
        **changes,
    }


def test_journal_lines_come_whole_through_two_levels_of_children(site: Site) -> None:
    site.pod.add("journalBatches", journal(1, lines=60), journal(2), journal(3, Status="U", StatusMeaning="Unposted"))
    records = site.fusion.journal_lines(since=START - DAY)
    found = list(records)
    assert [one.key for one in found[:2]] == ["1/Jan/Purchase/1", "1/Jan/Purchase/2"]
    assert len(found) == 64
    assert sum(one.debit or 0 for one in found) == sum(one.credit or 0 for one in found) == Decimal("12.34") * 32
    assert [one.ready for one in found[-4:]] == [True, True, False, False]
    assert site.queries()[0]["expand"] == "journalHeaders.journalLines"
    again = list(site.fusion.journal_lines(keys=["1/Jan/Purchase/59", "2/Jan/Purchase/1"]))
    assert [one.key for one in again] == ["1/Jan/Purchase/59", "2/Jan/Purchase/1"]
    assert list(records.continue_from(records.cursor)) == []


def test_accounts_are_read_whole_each_time_even_with_since(site: Site) -> None:
    site.pod.add(
        "accountCombinationsLOV",
        {"_CODE_COMBINATION_ID": 9, "AccountCombination": "01-520"},
        {"_CODE_COMBINATION_ID": 10},
    )
    records = site.fusion.accounts(since=START)
    assert [one.number for one in records] == ["9", "10"]
    assert "q" not in site.queries()[0]
    assert [one.number for one in site.fusion.accounts(keys=["10"])] == ["10"]


def test_bad_rows_are_handed_over_and_the_others_go_on(site: Site) -> None:
    site.pod.add("invoices", invoice(1, InvoiceAmount="much"), invoice(2, LastUpdateDate="yesterday"), invoice(3))
    (page,) = site.fusion.invoices().pages()
    assert numbers(page.documents) == ["EX-3"]
    assert [one.faults for one in page.rejected] == [
        ("InvoiceAmount 'much' is not a number",),
        ("LastUpdateDate 'yesterday' is not a time stamp",),
    ]


def test_a_limit_reads_a_small_page(site: Site) -> None:
    site.pod.add("invoices", *(invoice(number) for number in range(1, 101)))
    assert len(list(site.fusion.invoices(limit=3))) == 3
    assert site.queries()[0]["limit"] == "25"


@pytest.mark.parametrize("window", [Window(), Window(keys=("300100000000001",)), Window(keys=())])
def test_a_reader_ends_with_one_last_batch(site: Site, window: Window) -> None:
    site.pod.add("invoices", invoice(1))
    site.pod.add("shipments", shipment("S1"))
    for records in (site.fusion.invoices(), site.fusion.shipments()):
        batches = [batch.mapped() for batch in records._reader.read(window)]
        assert [batch.last for batch in batches] == [False] * (len(batches) - 1) + [True]


def test_describe_says_why_an_attribute_cannot_be_asked_for() -> None:
    described = Described({"A": True, "B": False})
    assert [described.problem(name) for name in "ABC"] == ["", "B is not queryable", "C does not exist"]
    assert Described({}).problem("A") == ""


class NoDate:
    """Answers without a ``Date``."""

    def send(self, *_: object) -> RawAnswer:
        body = (
            b'{"items":[{"SupplierId":1,"Supplier":"S","Status":"ACTIVE","InactiveDate":"2026-03-02","addresses":[]}]}'
        )
        return RawAnswer(status=200, headers={"Content-Type": "application/json"}, content=body, close=lambda: None)


def test_without_a_date_header_this_machines_clock_is_taken() -> None:
    with OracleFusion(
        "https://pod.example", auth=HTTPBasic("u", "p"), transport=NoDate(), clock=ManualClock(START), page_size=10
    ) as fusion:
        assert [one.active for one in fusion.suppliers()] == [False]
