"""What a notebook shows is escaped, masked and cut."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from decimal import Decimal
from html.parser import HTMLParser

import pytest

import mlconnector as mc
from mlconnector.check import Check, CheckStep
from mlconnector.delivery import HistoryEvent, KindReport, Preview, Report
from mlconnector.delivery._history import History
from mlconnector.records import Batch, Window
from mlconnector.testing import ManualClock

STAMP = dt.datetime(2026, 3, 2, 8, tzinfo=dt.UTC)


class _Balanced(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: object) -> None:
        assert tag in ("table", "caption", "tr", "th", "td", "ul", "li"), tag
        self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def checked(text: str) -> str:
    parser = _Balanced()
    parser.feed(text)
    assert not parser.open
    return re.sub(r' style="[^"]*"', "", text)


def order(lines: int = 2, **fields: object) -> mc.PurchaseOrder:
    parts = [mc.OrderLine(number=str(index), amount=Decimal("1E+1")) for index in range(1, lines + 1)]
    supplier = mc.Party(number="4343", name="<script>alert(1)</script>", tax_id="12-3456789")
    return mc.PurchaseOrder(**{"number": "45001", "supplier": supplier, "lines": parts, **fields})


def test_a_document_is_a_table_of_what_it_holds() -> None:
    text = checked(order(date=dt.date(2026, 3, 1), total=Decimal(0))._repr_html_())
    assert "<caption>PurchaseOrder 45001</caption>" in text
    assert "<td>date</td><td>2026-03-01</td>" in text
    assert "<td>total</td><td>0</td>" in text
    assert "<td>10</td>" in text
    assert "freight" not in text


def test_text_is_escaped_and_confidential_values_are_masked() -> None:
    extras = {"BPR15": "123456789012", "bank_account": "1", "TAXID": "", "note": "a<b", "at": STAMP}
    text = checked(order(extras=extras)._repr_html_())
    assert "<script>" not in text
    assert "&lt;script&gt;" in text
    assert "12-3456789" not in text
    assert "***6789" in text
    assert "***9012" in text
    assert "<td>bank_account</td><td>***</td>" in text
    assert "a&lt;b" in text
    assert "2026-03-02 08:00:00+00:00" in text
    assert "***0000" in checked(mc.Supplier(number="1", tax_id="98-0000000")._repr_html_())


def test_figures_stand_to_the_right_and_everything_else_to_the_left_whatever_the_notebook_does() -> None:
    text = order(date=dt.date(2026, 3, 1))._repr_html_()
    assert re.search(r'<th style="text-align:right[^"]*">amount</th>', text)
    assert re.search(r'<td style="text-align:right[^"]*">10</td>', text)
    assert re.search(r'<td style="text-align:left[^"]*">2026-03-01</td>', text)
    assert not re.search("<t[dh]>", text)


def test_a_single_part_is_one_line_and_lists_of_parts_are_tables_of_their_own() -> None:
    address = mc.Address(lines=["1 Mill <Road>", "Dock 4"], city="Boulder", country="US")
    contact = mc.Supplier(number="7", name="Acme", contacts=[mc.Contact(name="Jane"), mc.Contact(name="Joe")])
    party = mc.Party(number="4343", name="Parts", tax_id="12-3456789", address=address)
    text = checked(order(supplier=party, extras={"codes": ["a", "b"]})._repr_html_())
    assert "<td>4343 Parts, tax id ***6789, 1 Mill &lt;Road&gt; Dock 4 Boulder US</td>" in text
    assert "<caption>lines</caption>" in text
    assert "<caption>contacts</caption>" in checked(contact._repr_html_())


def test_long_lists_and_long_texts_are_cut() -> None:
    text = checked(order(lines=60, notes=["x" * 1000])._repr_html_())
    assert "and 10 more" in text
    assert "x" * 301 not in text


def source(count: int, rejected: bool = False, fails: bool = False) -> mc.Records[mc.Supplier]:
    def pages(_window: Window) -> Iterator[Batch[mc.Supplier]]:
        if fails:
            raise mc.ConnectionFailed("No <answer>.")
        bad = [mc.Rejected(key="9", row={}, faults=("no <name>",))] if rejected else []
        made = [
            mc.Supplier(number=str(number), provenance=mc.Provenance(system="x", kind="suppliers", key=str(number)))
            for number in range(count)
        ]
        yield Batch(documents=made, rejected=bad)

    return mc.Records.from_pages(pages, system="x", kind="suppliers", clock=ManualClock(STAMP))


def test_a_read_shows_its_first_documents_and_moves_no_cursor() -> None:
    records = source(30, rejected=True)
    list(records.pages())
    before = records.cursor
    text = checked(records._repr_html_())
    assert "the first 10" in text
    assert text.count("<tr>") == 11
    assert "9: no &lt;name&gt;" in text
    assert records.cursor == before


def test_a_read_that_fails_or_is_empty_shows_that() -> None:
    assert "No &lt;answer&gt;." in checked(source(1, fails=True)._repr_html_())
    assert "the first 0" in checked(source(0)._repr_html_())


def test_rows_are_shown_too() -> None:
    records = mc.Records.from_pages(
        lambda _window: [[{"DOC": 1, "AG": Decimal("1.50"), "TAXID": "123456789", "R": {"a": 1}}]],
        system="x",
        kind="F0411",
        resumable=False,
        limit=5,
    )
    assert "limit=5" in repr(records)
    text = checked(records._repr_html_())
    for cell in ("<td>1.50</td>", "<td>***6789</td>", "<td>a=1</td>"):
        assert cell in text


def test_a_list_of_orders_shows_parties_by_number_and_lines_by_count() -> None:
    origin = mc.Provenance(system="x", kind="purchase_orders", key="45001")
    made = order(provenance=origin, supplier=mc.Party(number="4343", name="Parts"), ship_to=None)
    records = mc.Records.from_pages(
        lambda _window: [[made]], system="x", kind="purchase_orders", clock=ManualClock(STAMP)
    )
    text = checked(records._repr_html_())
    assert "<td>4343 Parts</td>" in text
    assert "<td>2</td>" in text


def test_a_check_names_causes_and_cures() -> None:
    check = Check(system="x", steps=[CheckStep(name="read", ok=False, cause="<401>", cure="Ask.", who="administrator")])
    text = checked(check._repr_html_())
    assert "FAIL" in text
    assert "&lt;401&gt;" in text


@pytest.mark.parametrize("dry_run", [True, False])
def test_a_report_counts_and_cuts(dry_run: bool) -> None:
    kind = KindReport(kind="orders")
    for number in range(70):
        kind.note(str(number), "parked", f"reason <{number}>")
    previews = [Preview(kind="orders", key="1", action="create", faults=("no <route>",))] if dry_run else []
    kind.previews.extend(previews)
    text = checked(Report(flow="f", kinds={"orders": kind}, dry_run=dry_run)._repr_html_())
    assert ("dry run" in text) == dry_run
    assert ("no &lt;route&gt;" in text) == dry_run
    assert "and 20 more" in text
    assert "reason &lt;1&gt;" in text


def test_a_history_is_a_table_of_events() -> None:
    facts = {"revision": 1, "why": "<lost>", "step": None, "bank_account": "1234567890", "payload_sha256": "ab" * 32}
    event = HistoryEvent(number=1, at=STAMP, actor="jane", event="in doubt", flow="f", key="k", facts=facts)
    history = History([event, event])
    text = checked(history._repr_html_())
    assert "<caption>2 events</caption>" in text
    assert "revision=1, why=&lt;lost&gt;, bank_account=***7890, payload_sha256=abababababab..." in text
    assert str(history).splitlines()[0] == str(event)
