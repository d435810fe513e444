"""Promises of the protocol that show only at a seam: between two transactions, in a thread, in the database itself."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

import mlconnector as mc
from mlconnector.clock import Clock
from mlconnector.delivery._store import Lease, Store, Transaction
from mlconnector.http import FaultTable, HTTPClient, Request
from mlconnector.testing import ManualClock, Simulator
from mlconnector.testing._wire import Answer, json_answer
from tests.delivery.model import HOUR, LOST, START, Desk, Model


def test_a_cursor_never_stands_without_the_documents_before_it(model: Model) -> None:
    """At the end of every transaction, as after a kill there."""
    store, seen = model.ledger.store, []
    transact = store.transaction

    @contextmanager
    def watched(lease: Lease | None = None) -> Iterator[Transaction]:
        with transact(lease) as transaction:
            yield transaction
        recorded = {row["key"] for row in store.read("SELECT key FROM deliveries")}
        for row in store.read("SELECT cursor FROM cursors"):
            seen.append(row["cursor"])
            handed_out = [key for key in model.table.rows if f'"{key}"' in row["cursor"]]
            assert set(handed_out) <= recorded

    store.transaction = watched  # type: ignore[method-assign]  # watched, not replaced
    model.table.page = 2
    for number in range(6):
        model.table.put(f"k{number}", "x")
    model.sync().run()
    assert any('"k5"' in cursor for cursor in seen)


def test_a_page_that_cannot_be_recorded_moves_no_cursor(model: Model) -> None:
    class Fragile(Desk):
        def content(self, document: mc.Supplier) -> str:
            if document.key == "b":
                raise RuntimeError("killed here")
            return document.name

    model.desk = Fragile()
    model.table.put("a", "one")
    model.table.put("b", "two")
    with pytest.raises(RuntimeError):
        model.sync().run()
    assert model.ledger.deliveries() == []
    assert model.ledger.store.read("SELECT * FROM cursors") == []


class _Echo(Simulator):
    def _work(self, request: Any) -> Answer:
        return json_answer({})


def _client(echo: _Echo, model: Model) -> HTTPClient:
    return HTTPClient(echo.url, auth=_Anyone(), faults=FaultTable(system="model"), clock=model.clock)


class _Anyone:
    def headers(self, send: Any) -> dict[str, str]:
        return {}

    def rejected(self, headers: Any, send: Any) -> bool:
        return False

    def logout(self, send: Any) -> None:
        return


def test_nothing_is_sent_by_a_worker_whose_time_is_over(model: Model) -> None:
    """A worker that slept past its deadline must not send: another may be at it."""
    with _Echo(clock=model.clock) as echo, _client(echo, model) as client:

        def sleep_then_send(_batch: Any) -> None:
            model.clock.advance(HOUR)
            client.send(Request("POST", "/write", json={}, write=True))

        model.desk.inside = sleep_then_send
        model.table.put("a", "one")
        with pytest.raises(mc.ConnectionFailed, match="send deadline"):
            model.sync().run()
        assert echo.calls == ()
    assert model.states() == [("a", 1, "recorded")]


def test_a_target_that_cannot_be_asked_parks_at_once(model: Model) -> None:
    model.table.put("a", "one")
    model.desk.script, model.desk.look_up = [("before", LOST)], "none"
    model.sync().run()
    (delivery,) = model.ledger.deliveries()
    assert (delivery.state, delivery.detail) == ("parked", "in doubt")
    assert model.desk.finds == 0


def test_the_id_of_the_answer_is_what_the_next_change_updates(model: Model) -> None:
    """Never a look-up by list alone: lists lag (delivery rule 7)."""
    model.table.put("a", "one")
    sync = model.sync()
    sync.run()
    assert model.ledger.deliveries()[0].target_id == "a"
    model.table.put("a", "two")
    sync.run()
    assert [change.target_id for change in model.desk.changes] == [None, "a"]
    assert [prepared.target_id for prepared in model.desk.seen] == [None, "a"]


def test_overwrite_never_covers_a_record_that_was_there_before_ours(model: Model) -> None:
    model.desk.look_before_create = True
    model.desk.find_raises = mc.TargetChanged("somebody else's record of this name")
    model.table.put("a", "one")
    assert model.sync(overwrite=True).run().kinds["suppliers"].parked == 1
    assert model.desk.wrote == []


def test_a_first_look_that_cannot_tell_waits_for_a_person(model: Model) -> None:
    model.desk.look_before_create = True
    model.desk.find_raises = mc.DeliveryInDoubt("two of that name")
    model.table.put("a", "one")
    sync = model.sync()
    assert sync.run().kinds["suppliers"].parked == 1
    (delivery,) = model.ledger.deliveries()
    assert (delivery.state, delivery.detail, delivery.faults) == ("parked", "in doubt", ("two of that name",))
    sync.settle("a", "not_arrived", actor="jane", reason="I looked: it is neither")
    assert sync.run().kinds["suppliers"].delivered == 1


@pytest.mark.parametrize("where", ["find", "prepare"])
def test_a_question_without_an_answer_leaves_it_queued_and_the_rest_goes_on(model: Model, where: str) -> None:
    if where == "find":
        model.desk.look_before_create, model.desk.find_raises = True, mc.VendorFault("busy")
    else:
        model.desk.refuse = {"one": mc.VendorFault("busy")}
    model.table.put("a", "one")
    sync = model.sync()
    report = sync.run().kinds["suppliers"]
    assert (report.queued, report.reasons["busy"]) == (1, 1)
    model.desk.find_raises, model.desk.refuse = None, {}
    assert sync.run().kinds["suppliers"].delivered == 1
    assert model.desk.names() == ["one"]


def test_ten_questions_without_an_answer_stop_the_run(model: Model) -> None:
    model.desk.look_before_create, model.desk.find_raises = True, mc.VendorFault("down")
    for number in range(15):
        model.table.put(f"{number:02}", "x")
    with pytest.raises(mc.VendorFault):
        model.sync().run()
    assert model.desk.finds == 10


def test_a_refused_permission_stops_before_anything_is_sent(model: Model) -> None:
    model.desk.look_before_create, model.desk.find_raises = True, mc.PermissionDenied("no right to list")
    model.table.put("a", "one")
    model.table.put("b", "two")
    with pytest.raises(mc.PermissionDenied):
        model.sync().run()
    assert model.desk.finds == 1
    assert {one.state for one in model.ledger.deliveries()} == {"recorded"}


def test_a_ledger_beside_another_ones_high_water_file_is_refused(tmp_path: Path) -> None:
    for name in ("a.db", "b.db"):
        with mc.Ledger(tmp_path / name, actor="t", high_water=tmp_path / f"{name}.hw"):
            pass
    with mc.Ledger(tmp_path / "a.db", actor="t", high_water=tmp_path / "b.db.hw") as ledger:
        with pytest.raises(mc.LedgerRestored, match="another one"):
            ledger.bind("f", {"a": "x"})


def _run_once(path: Path, clock: Clock) -> None:
    with mc.Ledger(path, actor="t", high_water=path.with_suffix(".hw"), clock=clock) as ledger:
        model = Model(clock, _table(clock), Desk(), ledger)  # type: ignore[arg-type]  # a ManualClock
        model.table.put("a", "one")
        model.sync().run()
        ledger.verify()


def _table(clock: Any) -> Any:
    from tests.delivery.model import Table

    return Table(clock)


@pytest.mark.parametrize(
    "tamper",
    [
        "UPDATE audit SET facts = '{}' WHERE number = 4",
        "UPDATE audit SET actor = 'nobody' WHERE number = 4",
        "DELETE FROM audit WHERE number = 4",
        "UPDATE audit SET number = 0 WHERE number = 4",
    ],
)
def test_a_change_behind_the_librarys_back_breaks_the_chain(tmp_path: Path, tamper: str) -> None:
    path = tmp_path / "l.db"
    _run_once(path, ManualClock(START))
    with sqlite3.connect(path) as database:
        database.execute(tamper)
    database.close()
    with (
        mc.Ledger(path, actor="t", high_water=tmp_path / "l.hw") as ledger,
        pytest.raises(mc.LedgerError, match="audit is broken"),
    ):
        ledger.verify()


def test_rehashing_one_event_does_not_hide_its_change(tmp_path: Path) -> None:
    """Each event hashes the one before: a forger must rewrite all that follow, and the kept head tells."""
    from mlconnector.delivery._store import event_hash

    path = tmp_path / "l.db"
    _run_once(path, ManualClock(START))
    with sqlite3.connect(path) as database:
        rows = database.execute("SELECT * FROM audit ORDER BY number").fetchall()
        number, at, _actor, *rest = rows[3][:-1]
        forged = event_hash(rows[2][-1], (number, at, "nobody", *rest))
        database.execute("UPDATE audit SET actor = 'nobody', hash = ? WHERE number = ?", (forged, number))
    database.close()
    store = Store(str(path), actor="t", clock=ManualClock(START), high_water=None)
    store.close()
    with mc.Ledger(path, actor="t", high_water=tmp_path / "l.hw") as ledger, pytest.raises(mc.LedgerError):
        ledger.verify()
