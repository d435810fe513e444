"""Who is who on both sides: nothing is guessed, and it stays quick and small (rule B80)."""

from __future__ import annotations

import time
import tracemalloc
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import mlconnector as mc
from mlconnector.delivery import Aligned, Aligning, Alignment, Entry, Flow, Ledger, Side, Sync
from mlconnector.delivery._aligning import _Held, folded
from mlconnector.testing import ManualClock
from tests.delivery.model import START, Desk, Table
from tests.desk.test_reconciliation import Books, Whole

OWNERS = {"name": "erp", "payment details": "payables"}


@pytest.fixture
def ledger() -> Iterator[Ledger]:
    with Ledger(":memory:", actor="jane", clock=ManualClock(START)) as made:
        yield made


def flow_of(ledger: Ledger, *alignings: Aligning) -> Flow:
    clock = ManualClock(START)
    sync = Sync("f/suppliers", records=mc.Records(Table(clock)), target=Desk(), ledger=ledger)
    return Flow("f", [sync], ledger=ledger, systems={}, alignings=alignings)


def aligned(ledger: Ledger, here: list[Entry], there: list[Entry], **options: Any) -> Alignment:
    settings: dict[str, Any] = {"kind": "suppliers", "link": "supplier", "owners": OWNERS, **options}
    aligning = Aligning(
        here=Side(system="erp", read=lambda: here), there=Side(system="payables", read=lambda: there), **settings
    )
    return flow_of(ledger, aligning).align()


def one(alignment: Alignment, here: str) -> Aligned:
    (found,) = (item for item in alignment.items if item.here_id == here)
    return found


def test_a_link_goes_before_a_number_and_a_number_before_a_name(ledger: Ledger) -> None:
    ledger.crosswalk.link("supplier", erp="1", payables="v1")
    here = [Entry(id="1", name="Acme"), Entry(id="2", name="Bolt"), Entry(id="3", name="Cord"), Entry(id="4")]
    there = [Entry(id="v1", name="Acme"), Entry(id="v2", name="Bolt", also=(" 2 ",)), Entry(id="v3", name=" CORD ")]
    found = aligned(ledger, here, there)
    assert [(item.status, item.by) for item in found.items] == [
        ("matched", "link"),
        ("matched", "number"),
        ("matched", "name"),
        ("missing_there", ""),
    ]
    assert found.rows() == [
        {"kind": "supplier", "erp": "2", "payables": "v2"},
        {"kind": "supplier", "erp": "3", "payables": "v3"},
    ]
    assert found.owners == {"suppliers": OWNERS}


def test_renamed_inactive_and_not_ready_are_told_apart(ledger: Ledger) -> None:
    here = [
        Entry(id="1", name="Old"),
        Entry(id="2", name="B", active=False),
        Entry(id="3", name="C"),
        Entry(id="4", name="D", ready=False, why="not approved"),
        Entry(id="5", name="E", active=False),
    ]
    there = [
        Entry(id="a", name="New", also=("1",)),
        Entry(id="b", name="B", also=("2",)),
        Entry(id="c", name="C", also=("3",), ready=False, why="Server Address is required."),
        Entry(id="z", name="Zed", active=False),
    ]
    found = aligned(ledger, here, there)
    assert [item.status for item in found.items] == [
        *("renamed", "inactive", "not_ready", "not_ready", "inactive", "inactive")
    ]
    assert (len(found.inactive), len(found.not_ready), len(found.renamed)) == (3, 2, 1)
    assert one(found, "3").why == "Server Address is required."
    assert one(found, "2").why == "inactive here"
    assert found.ok
    assert not found.empty
    assert "renamed" in str(found)
    assert "<table>" in found._repr_html_()


@pytest.mark.parametrize(
    ("here", "there"),
    [
        ([Entry(id="1", name="Acme"), Entry(id="2", name="acme ")], [Entry(id="a", name="ACME")]),
        ([Entry(id="1", name="Acme")], [Entry(id="a", name="Acme"), Entry(id="b", name="Ácme")]),
        ([Entry(id="1", name="Acme", tax_id="1")], [Entry(id="a", name="Acme", tax_id="2")]),
        ([Entry(id="1")], [Entry(id="a", also=("1",)), Entry(id="b", also=("1 ",))]),
        ([Entry(id="1"), Entry(id=" 1")], [Entry(id="a", also=("1",))]),
    ],
)
def test_what_could_be_two_is_never_matched(ledger: Ledger, here: list[Entry], there: list[Entry]) -> None:
    found = aligned(ledger, here, there)
    assert found.matched == ()
    assert {item.status for item in found.items} == {"ambiguous"}
    assert all(item.candidates for item in found.items)


def test_what_is_left_after_others_were_matched_is_no_match(ledger: Ledger) -> None:
    ledger.crosswalk.link("supplier", erp="1", payables="a")
    here = [Entry(id="1", name="Acme"), Entry(id="2", name="Acme")]
    there = [Entry(id="a", name="Acme"), Entry(id="b", name="Acme")]
    found = aligned(ledger, here, there)
    assert one(found, "2").status == "ambiguous"
    assert one(found, "2").candidates == ("b",)


def test_a_link_to_what_is_not_there_is_told(ledger: Ledger) -> None:
    ledger.crosswalk.link("supplier", erp="1", payables="gone")
    found = aligned(ledger, [Entry(id="1", name="Acme")], [Entry(id="a", name="Acme")])
    assert (one(found, "1").status, one(found, "1").why) == ("missing_there", "link says gone, which is not there")


def test_a_payee_has_a_vendor_for_each_currency(ledger: Ledger) -> None:
    ledger.crosswalk.link("supplier", erp="1", payables="usd")
    ledger.crosswalk.link("supplier", erp="1/EUR", payables="eur")
    found = aligned(ledger, [Entry(id="1", name="A")], [Entry(id="usd", name="A"), Entry(id="eur", name="A")])
    assert [(item.here_id, item.there_id, item.status) for item in found.items] == [("1", "usd", "matched")]


def test_a_link_may_name_the_number_of_the_other_side(ledger: Ledger) -> None:
    ledger.crosswalk.link("supplier", erp="1", payables="S-1")
    found = aligned(ledger, [Entry(id="1", name="A")], [Entry(id="17", name="A", also=("S-1",))])
    assert one(found, "1").there_id == "17"


def test_routes_need_no_entry_of_their_own(ledger: Ledger) -> None:
    here = [Entry(id="1"), Entry(id="2", needs_none=True), Entry(id="3")]
    found = aligned(ledger, here, [Entry(id="a", name="x")], routed={"1": "a", "3": "a"})
    assert [(item.status, item.by) for item in found.items] == [("matched", "route")] * 3


def test_codes_that_nobody_needs_are_left_out(ledger: Ledger) -> None:
    ledger.crosswalk.link("account", erp="6110", payables="1")
    here = [Entry(id="6110"), Entry(id="6120"), Entry(id="6000", also=("2",), ready=False)]
    there = [Entry(id="1"), Entry(id="2"), Entry(id="3")]
    found = aligned(ledger, here, there, kind="accounts", link="account", needed_only=True, compare_names=False)
    assert [(item.here_id, item.status) for item in found.items] == [("6110", "matched")]


def test_what_cannot_be_read_is_not_ready() -> None:
    clock = ManualClock(START)
    table = Table(clock)
    table.put("1", "Acme")
    table.bad["2"] = ("no name",)
    entries = list(mc.delivery.entries_of(mc.Records(table), lambda document: Entry(id=document.key)))
    assert [(entry.id, entry.ready, entry.why) for entry in entries] == [
        ("1", True, ""),
        ("2", False, "it cannot be read: no name"),
    ]


def test_writing_needs_a_name_and_a_reason_and_touches_nothing_doubtful(ledger: Ledger) -> None:
    written: list[str] = []

    def write(item: Aligned) -> str:
        written.append(item.here_id)
        if item.here_id == "2":
            raise mc.InvalidDocument("no address")
        return "name set" if item.here_id == "1" else ""

    here = [Entry(id=str(number), name=f"new {number}") for number in range(1, 5)]
    there = [
        Entry(id="a", name="old", also=("1",)),
        Entry(id="b", name="old", also=("2",)),
        Entry(id="c", name="new 3", also=("3",)),
    ]
    aligning = Aligning(
        kind="suppliers",
        link="supplier",
        here=Side(system="erp", read=lambda: here),
        there=Side(system="payables", read=lambda: there),
        owners=OWNERS,
        write=write,
    )
    flow = flow_of(ledger, aligning)
    assert flow.align().of("renamed", "suppliers")
    assert written == []
    assert ledger.verify() == 0
    with pytest.raises(mc.InvalidArgument, match="actor"):
        flow.align(write=True)
    with pytest.raises(mc.InvalidArgument, match="kinds"):
        flow.align(kinds=["units"])
    found = flow.align(["suppliers"], True, actor="jane", reason="agreed")
    assert written == ["1", "2", "3"]
    assert (one(found, "1").written, "not written: no address" in one(found, "2").why) == ("name set", True)
    (event,) = ledger.history("1")
    assert (event.event, event.facts["by"], event.facts["reason"]) == ("aligned", "jane", "agreed")


def test_a_flow_without_sides_has_nothing_to_align(ledger: Ledger) -> None:
    assert flow_of(ledger).align().empty


def test_undelivered_documents_stand_beside_what_they_name_listed_or_not(ledger: Ledger, tmp_path: Path) -> None:
    clock = ManualClock(START)
    books, desk = Books("invoices", clock), Whole()
    for key, account, gross in (("1", "6110", "10.00"), ("2", "6990", "20.50"), ("3", "6990", "4.50")):
        books.rows[key] = mc.Invoice(
            number=key,
            gross=Decimal(gross),
            currency="EUR",
            supplier=mc.Party(number="4343"),
            payee=mc.Party(number="4999"),
            lines=[mc.InvoiceLine(account=account, amount=Decimal(gross)), mc.InvoiceLine(account=account)],
            provenance=mc.Provenance(system="erp", kind="invoices", key=key, updated_at=START),
        )
        if account == "6990":
            desk.refuse[key] = mc.UnknownReference("no account")
    sync = Sync("f/invoices", records=mc.Records(books), target=desk, ledger=ledger)
    sides = [
        Aligning(
            kind=kind,
            link=link,
            here=Side(system="erp", read=lambda entries=entries: entries),
            there=Side(system="payables", read=lambda: [Entry(id="6110")]),
            owners={},
            compare_names=False,
            needed_only=True,
        )
        for kind, link, entries in (("accounts", "account", [Entry(id="6110")]), ("suppliers", "supplier", []))
    ]
    flow = Flow("f", [sync], ledger=ledger, systems={}, alignings=sides)
    flow.run()
    found = flow.align()
    assert [(item.here_id, item.status, item.documents, dict(item.amount)) for item in found.problems] == [
        ("6990", "missing_there", ("2", "3"), {"EUR": Decimal("25.00")}),
        ("4343", "missing_there", ("2", "3"), {"EUR": Decimal("25.00")}),
        ("4999", "missing_there", ("2", "3"), {"EUR": Decimal("25.00")}),
    ]
    assert all("the source does not list it" in item.why for item in found.problems)
    assert not found.ok
    assert found.export(tmp_path / "alignment.csv") == 3
    assert "2 3,25.00 EUR" in (tmp_path / "alignment.csv").read_text(encoding="utf-8")
    assert (found.missing_here, found.renamed, found.inactive, found.not_ready) == ((), (), (), ())


def test_two_links_to_one_entry_take_the_first(ledger: Ledger) -> None:
    ledger.crosswalk.link("supplier", erp="1", payables="a")
    found = aligned(
        ledger, [Entry(id="1"), Entry(id="2")], [Entry(id="a", also=("2", "9")), Entry(id="b", also=("9",))]
    )
    assert [(item.here_id, item.there_id) for item in found.items] == [("1", "a"), ("2", ""), ("", "b")]
    assert one(found, "2").status == "missing_there"


def test_what_was_delivered_tells_who_is_who_and_a_link_goes_before_it(ledger: Ledger) -> None:
    clock = ManualClock(START)
    table = Table(clock)
    for key in ("1", "2", "3", "4"):
        table.put(key, f"name {key}")
    sync = Sync("f/suppliers", records=mc.Records(table), target=Desk(), ledger=ledger)
    ledger.crosswalk.link("supplier", erp="1", payables="N-7")
    ledger.crosswalk.link("supplier", erp="4", payables="N-3")
    ledger.crosswalk.link("supplier", erp="99", payables="nobody here")
    ledger.crosswalk.link("unit", erp="EA", payables="each")
    aligning = Aligning(
        kind="suppliers",
        link="supplier",
        here=Side(system="erp", read=lambda: [Entry(id=key) for key in ("1", "2", "3", "4")]),
        there=Side(
            system="payables",
            read=lambda: [Entry(id="7", also=("N-7",)), Entry(id="2"), Entry(id="3", also=("N-3",)), Entry(id="4")],
        ),
        owners={},
        sync="f/suppliers",
        compare_names=False,
    )
    flow = Flow("f", [sync], ledger=ledger, systems={}, alignings=[aligning])
    flow.run()
    found = flow.align()
    assert [(item.here_id, item.there_id, item.by) for item in found.items] == [
        *(("1", "7", "link"), ("2", "2", "delivery"), ("3", "", ""), ("4", "3", "link"), ("", "4", ""))
    ]
    assert found.missing_here == found.of("missing_here")
    assert found.missing_there == found.of("missing_there")
    assert found.ambiguous == ()


def test_two_open_revisions_of_a_document_hold_up_one_amount(ledger: Ledger) -> None:
    held = _Held()
    invoice = mc.Invoice(number="1", gross=Decimal(5), currency="EUR", supplier=mc.Party(number="7"))
    for _ in range(2):
        held.add("1", invoice, lambda document: document.gross)
    assert held.by("supplier", Entry(id="7")) == (("1",), {"EUR": Decimal(5)})


def names() -> st.SearchStrategy[str]:
    return st.text(alphabet="aAäÄ bBß.", max_size=4)


@settings(max_examples=60, deadline=None)
@given(st.lists(names(), max_size=6), st.lists(names(), max_size=6))
def test_no_name_is_matched_that_either_side_has_twice(heres: list[str], theres: list[str]) -> None:
    with Ledger(":memory:", actor="jane", clock=ManualClock(START)) as ledger:
        found = aligned(
            ledger,
            [Entry(id=f"h{number}", name=name) for number, name in enumerate(heres)],
            [Entry(id=f"t{number}", name=name) for number, name in enumerate(theres)],
        )
    ours, theirs = [folded(name) for name in heres], [folded(name) for name in theres]
    for item in found.matched:
        name = folded(item.here_name)
        assert name
        assert ours.count(name) == theirs.count(name) == 1
    counted = [item.here_id for item in found.items if item.here_id]
    assert len(counted) == len(heres)
    assert len([item for item in found.items if item.there_id]) == len(theres)


def big(count: int, prefix: str) -> Iterator[Entry]:
    for number in range(count):
        yield Entry(id=f"{prefix}{number}", name=f"Supplier {number} Industries")


def ours() -> Iterator[Entry]:
    yield from (Entry(id=str(number), name=f"Société {number} Manufacturing") for number in range(20_000))


def theirs() -> Iterator[Entry]:
    """19,500: every tenth padded, every tenth without its accent, 200 renamed, 100 twice, 600 missing, 10 strangers."""
    for number in range(600, 20_000):
        name = f"Société {number} Manufacturing"
        if number % 10 == 1:
            name = f"  {name.upper()}   "
        elif number % 10 == 2:
            name = name.replace("é", "e")
        if 1_000 <= number < 1_200:
            name = f"Renamed {number}"
        stated = (str(number),) if number < 5_000 else ()
        yield Entry(id=f"c{number}", name=name, also=stated)
        if 10_000 <= number < 10_090:
            yield Entry(id=f"d{number}", name=name)
    yield from (Entry(id=f"x{number}", name=f"Stranger {number}") for number in range(10))


def test_20000_suppliers_against_19500_vendors(ledger: Ledger) -> None:
    aligning = Aligning(
        kind="suppliers",
        link="supplier",
        here=Side(system="erp", read=ours),
        there=Side(system="payables", read=theirs),
        owners=OWNERS,
    )
    assert sum(1 for _ in theirs()) == 19_500
    flow = flow_of(ledger, aligning)
    begin = time.perf_counter()
    flow.align()
    took = time.perf_counter() - begin
    print(f"own time for 20,000 against 19,500: {took:.1f} s")
    assert took < 60
    tracemalloc.start()
    found = flow.align()
    _now, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    print(f"peak memory: {peak / 1e6:.0f} MB")
    assert peak < 80e6
    assert {status: len(found.of(status)) for status in ("matched", "renamed", "missing_there", "missing_here")} == {
        "matched": 20_000 - 600 - 200 - 90,
        "renamed": 200,
        "missing_there": 600,
        "missing_here": 10,
    }
    assert len(found.ambiguous) == 90 * 3
    assert all(item.there_id == f"c{item.here_id}" for item in found.matched)
