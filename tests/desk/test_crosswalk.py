"""The crosswalk: previews write nothing, loads are all or nothing, payees wait for a second actor (rules B7, B80)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import mlconnector as mc
from mlconnector.testing import ManualClock
from tests.delivery.model import START


@pytest.fixture
def ledger() -> Iterator[mc.Ledger]:
    with mc.Ledger(":memory:", actor="jane", clock=ManualClock(START)) as made:
        yield made


@pytest.fixture
def guarded() -> Iterator[mc.Ledger]:
    with mc.Ledger(":memory:", actor="jane", clock=ManualClock(START), four_eyes=True) as made:
        yield made


def sheet(path: Path, text: str, encoding: str = "utf-8") -> Path:
    path.write_text(text, encoding=encoding)
    return path


def test_a_preview_says_what_a_load_does_and_writes_nothing(ledger: mc.Ledger, tmp_path: Path) -> None:
    ledger.crosswalk.link("supplier", erp="1", bill="a")
    ledger.crosswalk.link("supplier", erp="2", bill="b")
    file = sheet(
        tmp_path / "map.csv",
        "kind,erp,bill,coupa\nsupplier,1,a,\nsupplier,2,c,\nsupplier,3,d,77\nsupplier,1,b,\nsupplier,4,,\n,5,e,\n"
        "supplier,3,x,\n",
    )
    links, head = ledger.crosswalk.links(), ledger.head()
    found = ledger.crosswalk.preview(file)
    assert [change.outcome for change in found.changes] == [
        *("unchanged", "changed", "linked", "refused", "refused", "refused", "refused")
    ]
    assert found.changed[0].was == {"bill": "b"}
    assert [change.row for change in found.refused][-3:] == [5, 6, 7]
    assert found.refused[-1].why == "it contradicts row 3"
    assert not found.ok
    assert "nothing written" in str(found)
    assert "<table>" in found._repr_html_()
    assert (ledger.crosswalk.links(), ledger.head()) == (links, head)
    with pytest.raises(mc.InvalidArgument, match="row 5: it has ids of fewer than two systems"):
        ledger.crosswalk.load(file, reason="r")
    assert (ledger.crosswalk.links(), ledger.head()) == (links, head)


def test_rows_that_join_two_links_are_refused(ledger: mc.Ledger) -> None:
    ledger.crosswalk.link("supplier", erp="1", bill="a")
    ledger.crosswalk.link("supplier", erp="2", bill="b")
    (change,) = ledger.crosswalk.preview([{"kind": "supplier", "erp": "1", "bill": "b"}]).changes
    assert "different links" in change.why
    with pytest.raises(mc.InvalidArgument, match="join two links"):
        ledger.crosswalk.link("supplier", erp="1", bill="b")
    with pytest.raises(mc.InvalidArgument, match="linked to"):
        ledger.crosswalk.link("supplier", erp="1", bill="c")


def test_many_refusals_are_counted() -> None:
    with mc.Ledger(":memory:", actor="jane", clock=ManualClock(START)) as ledger:
        with pytest.raises(mc.InvalidArgument, match="and 5 more"):
            ledger.crosswalk.load([{"kind": "supplier", "erp": str(number)} for number in range(25)])


def test_a_load_links_and_changes_with_actor_and_reason(ledger: mc.Ledger, tmp_path: Path) -> None:
    ledger.crosswalk.link("unit", erp="CS", x12="CS")
    rows = [{"kind": "unit", "erp": "CS", "x12": "CA"}, {"kind": "unit", "erp": "EA", "x12": "EA", "bill": "each"}]
    with pytest.raises(mc.InvalidArgument, match="change what is linked"):
        ledger.crosswalk.load(rows)
    assert ledger.crosswalk.find("unit", erp="EA") is None
    assert ledger.crosswalk.load(rows, actor="bob", reason="CS is a cassette") == 2
    assert ledger.crosswalk.find("unit", to="x12", erp="CS") == "CA"
    assert ledger.crosswalk.load(rows) == 2
    facts = [event.facts for event in ledger.history("")]
    assert [(one["by"], one["reason"], one.get("was")) for one in facts if one.get("reason")] == [
        ("bob", "CS is a cassette", {"x12": "CS"}),
        ("bob", "CS is a cassette", None),
    ]
    exported = ledger.crosswalk.export(tmp_path / "out.csv")
    with mc.Ledger(":memory:", actor="jane", clock=ManualClock(START)) as fresh:
        assert fresh.crosswalk.load(tmp_path / "out.csv") == 2
        assert fresh.crosswalk.export() == exported


def test_files_are_taken_as_people_save_them(ledger: mc.Ledger, tmp_path: Path) -> None:
    saved = sheet(tmp_path / "a.csv", "kind; erp ;bill\ncost_center;         M30;7  \n;;\n", "utf-8-sig")
    assert ledger.crosswalk.load(saved) == 1
    assert ledger.crosswalk.find("cost_center", to="bill", erp="         M30") == "7"
    for text in ("erp,bill\n1,2\n", "kind,erp\nunit,1\n", "kind,erp,erp\nunit,1,1\n", "kind,erp,\nunit,1,\n", ""):
        with pytest.raises(mc.InvalidArgument, match="heading"):
            ledger.crosswalk.load(sheet(tmp_path / "b.csv", text))
    with pytest.raises(mc.InvalidArgument, match="4 cells"):
        ledger.crosswalk.load(sheet(tmp_path / "c.csv", "kind,erp,bill\nunit,1,2,3\n"))


def test_a_payee_waits_for_a_second_actor(guarded: mc.Ledger) -> None:
    crosswalk = guarded.crosswalk
    crosswalk.link("unit", erp="EA", bill="each")
    crosswalk.link("payee", erp="1", bill="a", reason="new vendor")
    assert crosswalk.find("payee", erp="1") is None
    (waiting,) = crosswalk.waiting()
    assert (waiting.action, waiting.actor, waiting.reason, dict(waiting.ids)) == (
        *("link", "jane", "new vendor"),
        {"erp": "1", "bill": "a"},
    )
    with pytest.raises(mc.InvalidArgument, match="asked for change"):
        crosswalk.confirm(waiting.number, actor=" Jane ", reason="mine")
    with pytest.raises(mc.InvalidArgument, match="who decides"):
        crosswalk.confirm(waiting.number, actor="bob", reason=" ")
    crosswalk.confirm(waiting.number, actor="bob", reason="checked the letter")
    assert crosswalk.find("payee", to="bill", erp="1") == "a"
    assert crosswalk.waiting() == []
    with pytest.raises(mc.InvalidArgument, match="No change"):
        crosswalk.confirm(waiting.number, actor="bob", reason="again")
    last = guarded.history("")[-1]
    assert (last.facts["asked_by"], last.facts["by"]) == ("jane", "bob")


def test_changing_and_unlinking_a_payee_wait_too(guarded: mc.Ledger) -> None:
    crosswalk = guarded.crosswalk
    assert crosswalk.load([{"kind": "supplier", "erp": "1", "bill": "a"}]) == 1
    crosswalk.confirm(crosswalk.waiting()[0].number, actor="bob", reason="fine")
    changed = [{"kind": "supplier", "erp": "1", "bill": "b"}]
    assert crosswalk.preview(changed).changed[0].held
    crosswalk.load(changed, reason="they moved")
    assert crosswalk.find("supplier", to="bill", erp="1") == "a"
    crosswalk.withdraw(crosswalk.waiting()[0].number, actor="jane", reason="typo")
    crosswalk.load(changed, reason="they moved")
    crosswalk.confirm(crosswalk.waiting()[0].number, actor="bob", reason="fine")
    assert crosswalk.find("supplier", to="bill", erp="1") == "b"
    assert crosswalk.unlink("supplier", erp="1", reason="closed")
    assert crosswalk.find("supplier", erp="1")
    crosswalk.confirm(crosswalk.waiting()[0].number, actor="bob", reason="fine")
    assert crosswalk.find("supplier", erp="1") is None
    assert not crosswalk.unlink("supplier", erp="1")


def test_what_no_longer_fits_is_not_confirmed(guarded: mc.Ledger) -> None:
    crosswalk = guarded.crosswalk
    crosswalk.link("payee", erp="1", bill="a")
    crosswalk.link("payee", erp="1", bill="b")
    first, second = crosswalk.waiting()
    crosswalk.confirm(first.number, actor="bob", reason="fine")
    with pytest.raises(mc.InvalidArgument, match="no longer fits"):
        crosswalk.confirm(second.number, actor="bob", reason="fine")
    assert crosswalk.waiting() == [second]
    assert guarded.verify() > 0


def test_what_a_delivery_links_is_kept_beside_a_link_of_a_person(ledger: mc.Ledger) -> None:
    with ledger.store.transaction() as transaction:
        assert ledger.crosswalk.keep(transaction, "supplier", {"erp": "1", "bill": "a"})
        assert not ledger.crosswalk.keep(transaction, "supplier", {"erp": "1", "bill": "b"})
        assert ledger.crosswalk.keep(transaction, "supplier", {"erp": "1", "bill": "a"})
    assert ledger.crosswalk.find("supplier", to="bill", erp="1") == "a"


def test_calls_that_name_nothing_are_refused(ledger: mc.Ledger) -> None:
    for call in (
        lambda: ledger.crosswalk.link("unit", erp="EA"),
        lambda: ledger.crosswalk.link("unit", erp="EA", bill=""),
        lambda: ledger.crosswalk.link("unit", erp="EA", bill=None),  # type: ignore[arg-type]  # as callers do
        lambda: ledger.crosswalk.link(" ", erp="EA", bill="each"),
        lambda: ledger.crosswalk.unlink("unit"),
        lambda: ledger.crosswalk.unlink("unit", erp="EA", bill="each"),
        lambda: ledger.crosswalk.find("unit"),
        lambda: ledger.crosswalk.find("unit", erp="EA", bill="each"),
    ):
        with pytest.raises(mc.InvalidArgument):
            call()
    ledger.crosswalk.link("unit", erp="EA", bill="each", reason="r")
    preview = ledger.crosswalk.preview([{"kind": "unit", "erp": "EA", "bill": "each"}])
    assert (len(preview.unchanged), preview.ok) == (1, True)
    preview.raise_for_refused()


def test_the_name_a_document_goes_by_is_its_own(ledger: mc.Ledger) -> None:
    with ledger.store.transaction() as transaction:
        ledger.crosswalk.claim(transaction, "order number", "cleo", "4711", "00001/OP/4711")
        ledger.crosswalk.claim(transaction, "order number", "cleo", "4711", "00002/OP/4711")
    assert ledger.crosswalk.owner("order number", "cleo", "4711") == "00001/OP/4711"
    ledger.crosswalk.link("unit", erp="EA", bill="each")
    assert [row["kind"] for row in ledger.crosswalk.links("unit")] == ["unit"]
